"""`python tests/mutants.py [--count N] [--seed N] [TESTS…]`: small changes to the code, which tests should notice.

Each mutant is one change in one function, made in a forked process that has imported everything: a comparison turned
around, a number one larger, a condition reversed, a statement left out. It meets the tests that run the changed line,
quickest first, until one fails. What survives is printed, with its place: it wants a test, or a reason.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import json
import os
import pkgutil
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUBJECTS = (
    *("rules/gracelint_rules", "src/gracelint/launch", "src/gracelint/facts", "src/gracelint/edits"),
    *("src/gracelint/fixer.py", "src/gracelint/harm.py", "src/gracelint/engine.py", "src/gracelint/suppress.py"),
)
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

    def __init__(self, path: str, number: int, line: int, change: str, apply: Any) -> None:
        self.path, self.number, self.line, self.change, self.apply = path, number, line, change, apply

    def __str__(self) -> str:
        with open(self.path, encoding="utf-8") as file:
            text = file.read().splitlines()[self.line - 1].strip()
        return f"{os.path.relpath(self.path, ROOT)}:{self.line}: {self.change}: {text}"

    def install(self, tree: ast.Module) -> bool:
        """Puts the changed function in the place of the one that is loaded; False where it is not."""
        changed = copy.deepcopy(tree)
        node = list(ast.walk(changed))[self.number]
        self.apply(node)
        return put(self.path, tree, changed, self.line)


def functions(code: CodeType) -> Iterator[CodeType]:
    """The outermost functions of a module, methods among them."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            if part.co_flags & 1:
                yield part
            else:
                yield from functions(part)


def put(path: str, tree: ast.Module, changed: ast.Module, line: int) -> bool:
    before = list(functions(compile(tree, path, "exec")))
    after = list(functions(compile(ast.fix_missing_locations(changed), path, "exec")))
    inside = [index for index, code in enumerate(before) if code.co_firstlineno <= line]
    if not inside or len(before) != len(after):
        return False
    old, new = before[inside[-1]], after[inside[-1]]
    live = [
        item
        for item in gc.get_objects()
        if type(item) is FunctionType
        and item.__code__.co_filename == path
        and (item.__code__.co_name, item.__code__.co_firstlineno) == (old.co_name, old.co_firstlineno)
    ]
    for function in live:
        function.__code__ = new
    return bool(live)


def mutants(count: int, seed: int) -> Iterator[Mutant]:
    """Random ones; of all that there are each is as likely."""
    found = []
    for subject in SUBJECTS:
        top = os.path.join(ROOT, subject)
        paths = [top] if top.endswith(".py") else [os.path.join(at, n) for at, _, names in os.walk(top) for n in names]
        for path in sorted(path for path in paths if path.endswith(".py")):
            tree = read(path)
            bodies = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
            inside = {id(node) for body in bodies for statement in body.body for node in ast.walk(statement)}
            for number, node in enumerate(ast.walk(tree)):
                if id(node) in inside:
                    for change, apply in variants(node):
                        found.append(Mutant(path, number, node.lineno, change, apply))  # type: ignore[attr-defined]
    print(f"{len(found)} mutants, of which {count} are tried", flush=True)
    yield from random.Random(seed).sample(found, min(count, len(found)))


def read(path: str) -> ast.Module:
    with open(path, encoding="utf-8") as file:
        return ast.parse(file.read())


class Mutating:
    """Takes the place of pytest's own loop."""

    def __init__(self, chosen: list[Mutant], seconds: int) -> None:
        self.chosen, self.seconds = chosen, seconds

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for name in ("gracelint", "gracelint_rules"):
            for module in pkgutil.walk_packages(import_module(name).__path__, f"{name}."):
                if not module.name.endswith("__main__") and ".lsp" not in module.name:
                    import_module(module.name)
        hits = self.hits(session.items)
        survived, unseen = [], []
        for number, mutant in enumerate(self.chosen, 1):
            items = hits.get(str(number), [])
            if not items:
                unseen.append(mutant)
                print(f"{number}: no test runs {mutant}", flush=True)
            elif not self.is_killed(mutant, [session.items[index] for index in items]):
                survived.append(mutant)
                print(f"{number}: survived {len(items)} tests: {mutant}", flush=True)
            if number % 20 == 0:
                print(f"{number} tried, {number - len(survived) - len(unseen)} killed", flush=True)
        killed = len(self.chosen) - len(survived) - len(unseen)
        print(f"{killed} of {len(self.chosen)} killed, {len(unseen)} run by no test here", flush=True)
        return True

    def hits(self, items: list[pytest.Item]) -> dict[str, list[int]]:
        """For each mutant the tests that run its function, quickest first."""
        with tempfile.NamedTemporaryFile("r") as answer:
            child = os.fork()
            if child == 0:
                _quiet()
                seen: set[str] = set()
                sys.modules["mutants_hit"] = type("hit", (), {"note": staticmethod(seen.add)})  # type: ignore[assignment]
                trees = {mutant.path: read(mutant.path) for mutant in self.chosen}
                found: dict[str, list[tuple[float, int]]] = {}
                by_line = {}
                for number, mutant in enumerate(self.chosen, 1):
                    by_line.setdefault(mutant.path, []).append((str(number), mutant))
                for path, several in by_line.items():
                    _mark_all(trees[path], path, several)
                for index, item in enumerate(items):
                    seen.clear()
                    began = time.process_time()
                    reports = runtestprotocol(item, log=False, nextitem=None)
                    for number in seen if not any(report.failed for report in reports) else ():
                        found.setdefault(number, []).append((time.process_time() - began, index))
                with open(answer.name, "w") as file:
                    json.dump({number: [index for _, index in sorted(times)] for number, times in found.items()}, file)
                os._exit(0)
            os.waitpid(child, 0)
            return dict(json.load(answer))

    def is_killed(self, mutant: Mutant, items: list[pytest.Item]) -> bool:
        child = os.fork()
        if child == 0:
            _quiet()
            spent = int(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (spent + 2 * self.seconds, spent + 2 * self.seconds + 1))
            if not mutant.install(read(mutant.path)):
                os._exit(3)
            until = time.process_time() + self.seconds
            for item in items:
                if any(report.failed for report in runtestprotocol(item, log=False, nextitem=None)):
                    os._exit(1)
                if time.process_time() > until:
                    break
            os._exit(0)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) not in (0, 3)


def _mark_all(tree: ast.Module, path: str, several: list[tuple[str, Mutant]]) -> None:
    """Makes all functions of a file that have mutants say so."""
    changed = copy.deepcopy(tree)
    nodes = list(ast.walk(changed))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [(each, {id(part) for part in ast.walk(each)}) for each in nodes if isinstance(each, kinds)]
    for number, mutant in several:
        function = [each for each, parts in bodies if id(nodes[mutant.number]) in parts][-1]
        function.body.insert(0, ast.parse(f"__import__('sys').modules['mutants_hit'].note({number!r})").body[0])
    for _, mutant in several:
        put(path, tree, changed, mutant.line)


def _quiet() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=20, help="of the processor, for one mutant")
    parser.add_argument("tests", nargs="*", default=["tests/test_cases.py", "tests/test_docs.py"])
    options = parser.parse_args()
    os.chdir(ROOT)
    chosen = list(mutants(options.count, options.seed))
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options.tests]
    pytest.main(arguments, plugins=[Mutating(chosen, options.seconds)])


if __name__ == "__main__":
    main()
