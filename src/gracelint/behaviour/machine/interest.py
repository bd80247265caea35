"""Which parts of a program bear on its end: what neither waits, starts, stops nor leaves can be passed over."""

from __future__ import annotations

from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.nodes import Await, Call, Field, Loop, Make, Name, New, Node, Select, Seq, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.frames import Frame
    from gracelint.behaviour.machine.interpreter import Interpreter
    from gracelint.behaviour.machine.nodes import Function

_LISTS = ("serve", "drain", "drop", "until_context", "accept", "child")
_SILENT = ("returns", "makes", "variable", "sets", "clock", "least", "most")
_TELLING = (Await, Call, Make, New, Select)
_LEAVING = ("Return", "Break", "Continue", "Raise")


def way_out(node: Node | None) -> Node | None:
    """The way out that a branch comes to, whatever follows there: a guard, as after an error."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if type(here).__name__ in _LEAVING:
            return here
        waiting += here.body if type(here).__name__ == "Seq" else ()  # type: ignore[union-attr]
    return None


def matters(machine: Interpreter, frame: Frame, node: Node) -> bool:
    """Whether a part waits, starts a thread, touches signals or servers, or calls a function that does."""
    return _matters(machine, _telling(machine, node), frame.file, set())


def _telling(machine: Interpreter, node: Node) -> list[tuple[Node, str]]:
    """The parts of a node that may bear on the end, in order, each with the last name of what it calls or makes."""
    kinds = (*_TELLING, Name) if machine.bare_calls else _TELLING
    return [(here, _called(here)) for here in walk(node) if isinstance(here, kinds)]


def _matters(machine: Interpreter, telling: list[tuple[Node, str]], file: Any, seen: set[int]) -> bool:
    words = machine.words()
    for here, name in telling:
        if isinstance(here, Call):
            if _calls_what_matters(machine, here.callee, name, file, seen):
                return True
        elif isinstance(here, Name):
            if any(_function(machine, one, seen) for one in machine.functions_named(here.name)):
                return True
        elif isinstance(here, New):
            if name in words:
                return True
        elif not isinstance(here, Make) or _function(machine, here.function, seen):
            return True
    return False


def _calls_what_matters(machine: Interpreter, callee: Node, name: str, file: Any, seen: set[int]) -> bool:
    words = machine.words()
    meant = machine.meaning(callee.name, file) if isinstance(callee, Name) else None
    if isinstance(meant, str):
        return meant in words
    functions = machine.functions_named(name) if meant is None else [meant]
    return (meant is None and name in words) or any(_function(machine, one, seen) for one in functions)


def _called(node: Node) -> str:
    return _last(node.callee if isinstance(node, Call) else node.type) if isinstance(node, (Call, New)) else ""


def _last(node: Node) -> str:
    if isinstance(node, (Name, Field)):
        return node.name.replace("::", ".").rpartition(".")[2].lstrip("\\")
    return ""


def of_function(machine: Interpreter, function: Function) -> bool:
    """The same of a function or a block."""
    return _function(machine, function, set())


def _function(machine: Interpreter, function: Function, seen: set[int]) -> bool:
    if id(function) in seen or len(seen) > 200:
        return False
    seen.add(id(function))
    machine.step()
    if function.telling is None:
        function.telling = _telling(machine, function.body)
    return _matters(machine, function.telling, function.file, seen)


def works_after_loop(machine: Interpreter) -> Callable[[Any], bool]:
    """Whether calls follow the loop of a function."""
    return lambda body: isinstance(body, Closure) and _works_after_loop(machine, body.function)


def _works_after_loop(machine: Interpreter, function: Function) -> bool:
    """Whether calls follow a loop that has a condition, in a function or the only one it calls."""
    lines = [_unwrapped(one) for one in (function.body.body if isinstance(function.body, Seq) else [function.body])]
    loops = [index for index, one in enumerate(lines) if isinstance(one, Loop) and one.test is not None]
    if loops:
        return any(map(_calls, lines[loops[-1] + 1 :]))
    callee = (
        lines[0].callee if len(lines) == 1 and isinstance(lines[0], Call) else lines[0] if len(lines) == 1 else None
    )
    named = machine.functions_named(callee.name) if isinstance(callee, (Name, Field)) else []
    return len(named) == 1 and named[0] is not function and _works_after_loop(machine, named[0])


def _unwrapped(node: Node) -> Node:
    return node.body[0] if isinstance(node, Seq) and len(node.body) == 1 else node


def _calls(node: Node) -> bool:
    return isinstance(node, (Call, Name, Field))


def words_of(language: str) -> frozenset[str]:
    """The last names of all that the rows of a language say something of, of functions with their type's as well."""
    rows = table(language)
    paths = [path for path, row in rows.get("functions", {}).items() if row["does"] not in _SILENT]
    found = {*map(_short, paths), *("::".join(path.split("::")[-2:]) for path in paths)}
    for row in rows.get("types", {}).values():
        found |= {name for kind in _LISTS for name in row.get(kind, ())}
        found |= {name for name, its in row.get("methods", {}).items() if its["does"] != "returns"}
    found |= {*rows.get("interesting", {}).get("methods", ()), *rows.get("foreign", {}).get("waits", ())}
    return frozenset(found)


def _short(path: str) -> str:
    for mark in ("::", ".", "\\", "/", "#"):
        path = path.rpartition(mark)[2]
    return path
