"""`python tests/mutants.py [--count N] [--seed N] [TESTS…]`: small changes to the code, which tests should notice.

Each mutant is one change in one function, made in a forked process that has imported everything: a comparison turned
around, a number one larger, a condition reversed, a statement left out. It meets tests that run the changed statement,
of each kind of test the quickest first, until one fails. What survives is printed, with its place: it wants a test, or
a reason. Which tests run which statements is kept in `.mutants/` between runs; a test is asked again when its file
changes.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import copy
import gc
import hashlib
import inspect
import json
import os
import pkgutil
import random
import resource
import signal
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from functools import _lru_cache_wrapper
from importlib import import_module
from itertools import chain, zip_longest
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEPT = os.path.join(ROOT, ".mutants")
SUBJECTS = (
    *("rules/gracelint_rules", "src/gracelint/launch", "src/gracelint/facts", "src/gracelint/edits"),
    *(
        "src/gracelint/fixing/fixer.py",
        "src/gracelint/fixing/harm.py",
        "src/gracelint/engine",
        "src/gracelint/suppress.py",
    ),
)
SLOW = "ci comfort editable fuzzed git harness_fixtures hostile killed later limits linear lsp lsp_neovim lsp_session"
OUTSIDE = "boundaries harness_sarif patterns pictures plugins precommit readme render_real schema secrets since site"
LEFT_OUT = {f"test_{name}.py" for name in (*SLOW.split(), *OUTSIDE.split(), *("startup", "tools"))}
"""Tests that count time, start other processes, or look at the sources alone."""
MEMORY = 4_000_000_000
"""What a mutant may take, in bytes, before it counts as noticed."""
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}


def variants(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What a node may be changed to: a name for the change, and what it does to a copy of the node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield "comparison", lambda it: it.ops.__setitem__(0, SWAPS[type(it.ops[0])]())
    if isinstance(node, (ast.BoolOp, ast.BinOp)) and type(node.op) in SWAPS:
        yield "operator", lambda it: setattr(it, "op", SWAPS[type(it.op)]())
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "truth", lambda it: setattr(it, "value", not it.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield "number", lambda it: setattr(it, "value", it.value + 1)
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield "condition", lambda it: setattr(it, "test", ast.UnaryOp(ast.Not(), it.test))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not", lambda it: setattr(it, "op", ast.UAdd()) or setattr(it, "operand", _truth(it.operand))
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "return", lambda it: setattr(it, "value", ast.Constant(None))
    if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield)):
        yield "statement", lambda it: setattr(it, "value", ast.Constant(None))


def _truth(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("bool", ast.Load()), [node], [])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


class Mutant:
    """One change, by the place of its node among those of a file."""

    def __init__(self, path: str, number: int, line: int, change: str, apply: Any, statement: str) -> None:
        self.path, self.number, self.line, self.change, self.apply = path, number, line, change, apply
        self.statement = statement

    def __str__(self) -> str:
        with open(self.path, encoding="utf-8") as file:
            text = file.read().splitlines()[self.line - 1].strip()
        return f"{os.path.relpath(self.path, ROOT)}:{self.line}: {self.change}: {text}"

    def install(self) -> None:
        """Puts the changed function in the place of the one that is loaded; what that one answered is forgotten."""
        tree = read(self.path)
        changed = copy.deepcopy(tree)
        self.apply(list(ast.walk(changed))[self.number])
        put({self.path: (tree, changed)})
        for forget in caches():
            forget()


def functions(code: CodeType) -> Iterator[CodeType]:
    """The outermost functions of a module, methods among them."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            if part.co_flags & 1:
                yield part
            else:
                yield from functions(part)


def put(trees: dict[str, tuple[ast.Module, ast.Module]]) -> None:
    """Gives the loaded functions of some files the code of changed ones."""
    codes = {}
    for path, (tree, changed) in trees.items():
        before = functions(compile(tree, path, "exec"))
        after = functions(compile(ast.fix_missing_locations(changed), path, "exec"))
        for old, new in zip(before, after, strict=True):
            codes[path, old.co_name, old.co_firstlineno] = new
    for item in gc.get_objects():
        if type(item) is FunctionType:
            code = item.__code__
            item.__code__ = codes.get((code.co_filename, code.co_name, code.co_firstlineno), code)


def caches() -> list[Callable[[], None]]:
    """What makes the remembering functions of the subjects forget."""
    paths = set(subjects())
    found = (item for item in gc.get_objects() if type(item) is _lru_cache_wrapper)
    return [item.cache_clear for item in found if inspect.unwrap(item).__code__.co_filename in paths]


def subjects() -> Iterator[str]:
    for subject in SUBJECTS:
        top = os.path.join(ROOT, subject)
        paths = [top] if top.endswith(".py") else [os.path.join(at, n) for at, _, names in os.walk(top) for n in names]
        yield from sorted(path for path in paths if path.endswith(".py"))


def statements(path: str, tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt], ast.stmt]]:
    """Each statement in a function: a name that outlives changes elsewhere in its file, and the block it stands in."""
    seen: dict[str, int] = {}

    def inside(node: ast.AST, where: str, counts: bool) -> Iterator[tuple[str, list[ast.stmt], ast.stmt]]:
        for _, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else ():
                if not isinstance(child, ast.AST):
                    continue
                if isinstance(child, ast.stmt) and counts:
                    name = f"{where}: {ast.unparse(child).splitlines()[0]}"
                    seen[name] = seen.get(name, 0) + 1
                    yield f"{name} {seen[name]}", value, child
                named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
                function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
                below = f"{where}.{child.name}" if named else where
                yield from inside(child, below, counts or function)

    yield from inside(tree, os.path.relpath(path, ROOT), counts=False)


def own(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement that are in no other statement inside of it."""
    left: list[ast.AST] = [statement]
    while left:
        node = left.pop()
        yield node
        left.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt))


def mutants(count: int, seed: int) -> list[Mutant]:
    """Random ones; of all that there are each is as likely."""
    found = []
    for path in subjects():
        tree = read(path)
        home = {id(node): name for name, _, statement in statements(path, tree) for node in own(statement)}
        for number, node in enumerate(ast.walk(tree)):
            if id(node) in home:
                for change, apply in variants(node):
                    found.append(Mutant(path, number, node.lineno, change, apply, home[id(node)]))  # type: ignore[attr-defined]
    print(f"{len(found)} mutants, of which {count} are tried", flush=True)
    return random.Random(seed).sample(found, min(count, len(found)))


def read(path: str) -> ast.Module:
    with open(path, encoding="utf-8") as file:
        return ast.parse(file.read())


class Marks:
    """Which tests run which statements, as a file that grows by a line for each test."""

    def __init__(self) -> None:
        os.makedirs(KEPT, exist_ok=True)
        self.path = os.path.join(KEPT, "marks.jsonl")
        self.names: list[str] = []
        """The statements, each by its name; the place of one in here is its number."""
        self.tests: dict[str, tuple[str, float, bytes]] = {}
        """By test: what its file was, its seconds, and the statements that it runs, as bits."""
        for line in Path(self.path).read_text("utf-8").splitlines() if os.path.exists(self.path) else ():
            kind, *values = json.loads(line)
            if kind == "names":
                self.names.extend(values)
            else:
                self.tests[values[0]] = (values[1], values[2], zlib.decompress(b64decode(values[3])))

    def complete(self, items: list[pytest.Item]) -> None:
        """Asks the tests that have not been asked since their files changed, in a process of its own."""
        missing = [item for item in items if self.tests.get(item.nodeid, ("",))[0] != digest(item)]
        print(f"{len(items)} tests, of which {len(missing)} are asked what they run", flush=True)
        if missing and os.fork() == 0:
            with open(self.path, "a", encoding="utf-8") as file:
                _quiet()
                for item, seconds, hits in self.runs(missing, file):
                    packed = b64encode(zlib.compress(hits)).decode()
                    file.write(json.dumps(["test", item.nodeid, digest(item), seconds, packed]) + "\n")
            os._exit(0)
        if missing:
            os.wait()
            self.__init__()  # type: ignore[misc]

    def runs(self, items: list[pytest.Item], file: Any) -> Iterator[tuple[pytest.Item, float, bytes]]:
        numbers = {name: number for number, name in enumerate(self.names)}
        known = len(numbers)
        trees = {}
        for path in subjects():
            changed = read(path)
            for name, block, statement in list(statements(path, changed)):
                number = numbers.setdefault(name, len(numbers))
                mark = ast.parse(f"__marks__[{number}] = 1").body[0]
                block.insert(next(i for i, it in enumerate(block) if it is statement), mark)
                for node in ast.walk(mark):
                    if hasattr(node, "lineno"):
                        ast.copy_location(node, statement)
            trees[path] = (read(path), changed)
        file.write(json.dumps(["names", *list(numbers)[known:]]) + "\n")
        marks = builtins.__marks__ = bytearray(len(numbers))  # type: ignore[attr-defined]
        put(trees)
        remembering = caches()
        gc.freeze()
        for item in items:
            for forget in remembering:
                forget()
            marks[:] = bytes(len(marks))
            began = time.process_time()
            passes = not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))
            yield item, time.process_time() - began, bytes(marks) if passes else b""

    def of(self, chosen: list[Mutant], items: list[pytest.Item], most: int) -> dict[Mutant, list[pytest.Item]]:
        """For each mutant at most so many tests that run its statement: of each test function the quickest."""
        numbers = {name: number for number, name in enumerate(self.names)}
        found: dict[Mutant, dict[str, list[tuple[float, str, pytest.Item]]]] = {mutant: {} for mutant in chosen}
        for item in items:
            _, seconds, hits = self.tests.get(item.nodeid, ("", 0.0, b""))
            for mutant, by_function in found.items():
                number = numbers.get(mutant.statement, len(hits))
                if number < len(hits) and hits[number]:
                    function = item.nodeid.partition("[")[0]
                    by_function.setdefault(function, []).append((seconds, item.nodeid, item))
        return {mutant: _in_turns(by_function)[:most] for mutant, by_function in found.items()}


def _in_turns(by_function: dict[str, list[tuple[float, str, pytest.Item]]]) -> list[pytest.Item]:
    columns = sorted(sorted(several) for several in by_function.values())
    return [each[2] for each in chain.from_iterable(zip_longest(*columns)) if each is not None]


def digest(item: pytest.Item) -> str:
    """What a test's file was; a case of the fixtures has no other."""
    if item.path not in _digests:
        _digests[item.path] = hashlib.sha256(item.path.read_bytes()).hexdigest()[:16]
    return _digests[item.path]


_digests: dict[Any, str] = {}


class Mutating:
    """Takes the place of pytest's own loop."""

    def __init__(self, chosen: list[Mutant], seconds: int, tests: int) -> None:
        self.chosen, self.seconds, self.tests = chosen, seconds, tests
        self.sound: dict[str, bool] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for name in ("gracelint", "gracelint_rules"):
            for module in pkgutil.walk_packages(import_module(name).__path__, f"{name}."):
                if not module.name.endswith("__main__") and ".lsp" not in module.name:
                    import_module(module.name)
        items = [item for item in session.items if item.path.name not in LEFT_OUT]
        marks = Marks()
        marks.complete(items)
        hits = marks.of(self.chosen, items, self.tests)
        survived, unseen = 0, 0
        for number, mutant in enumerate(self.chosen, 1):
            met = self.met(mutant, hits[mutant])
            if not hits[mutant]:
                unseen += 1
                print(f"{number}: no test runs {mutant}", flush=True)
            elif met is not None:
                survived += 1
                print(f"{number}: survived {met} of {len(hits[mutant])} tests: {mutant}", flush=True)
            if number % 20 == 0:
                print(f"{number} tried, {number - survived - unseen} killed", flush=True)
        killed = len(self.chosen) - survived - unseen
        print(f"{killed} of {len(self.chosen)} killed, {unseen} run by no test here", flush=True)
        return True

    def met(self, mutant: Mutant, items: list[pytest.Item]) -> int | None:
        """How many tests a mutant has met, where none fails with it that passes without it."""
        met = 0
        while items:
            begun, failed = self.run(mutant, items)
            met += begun
            if not failed:
                break
            killer = items[begun - 1]
            if killer.nodeid not in self.sound:
                self.sound[killer.nodeid] = not self.run(None, [killer])[1]
            if self.sound[killer.nodeid]:
                return None
            items = items[begun:]
        return met

    def run(self, mutant: Mutant | None, items: list[pytest.Item]) -> tuple[int, bool]:
        """How many tests there was time to begin, and whether the last of them failed or did not end."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            _quiet()
            spent = int(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (spent + 2 * self.seconds, spent + 2 * self.seconds + 1))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.alarm(100 * self.seconds)
            if mutant is not None:
                mutant.install()
            gc.freeze()
            until = time.process_time() + self.seconds
            for item in items:
                os.write(writer, b".")
                if any(report.failed for report in runtestprotocol(item, log=False, nextitem=None)):
                    os._exit(1)
                if time.process_time() > until:
                    break
            os._exit(0)
        os.close(writer)
        with open(reader, "rb") as begun:
            count = len(begun.read())
        _, status = os.waitpid(child, 0)
        return count, os.waitstatus_to_exitcode(status) != 0


def _quiet() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=20, help="of the processor, for one mutant")
    parser.add_argument("--tests", type=int, default=300, help="at most so many for one mutant", dest="most")
    parser.add_argument("tests", nargs="*", default=["tests"])
    options = parser.parse_args()
    os.chdir(ROOT)
    chosen = mutants(options.count, options.seed)
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--ignore=tests/kernel", *options.tests]
    pytest.main(arguments, plugins=[Mutating(chosen, options.seconds, options.most)])


if __name__ == "__main__":
    main()
