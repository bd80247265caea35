"""Connections of asyncio's servers, which `asyncio.run` cancels at the end where nothing has waited for them."""

from __future__ import annotations

import ast

from gracelint.base.numbers import whole
from gracelint.behaviour.python.streams import functions, last_name, trees
from gracelint.behaviour.python.values import Const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.streams import Generator
    from gracelint.behaviour.python.values import Thing

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_OF_A_CONNECTION = ("read", "readline", "readuntil", "readexactly", "drain", "wait_closed")
_STARTS = ("create_task", "ensure_future")
_HOLDS = ("shield", "acquire")
"""What goes on when its task is cancelled, or is waited for by whoever takes the same."""
_KEEPS = ("add", "append", "put_nowait")
_AWAITS = ("gather", "wait", "wait_for", "as_completed", "shield")


def cancelled(
    machine: Machine, server: Thing, where: Point, row: dict[str, Any], called: set[str]
) -> tuple[Point, str, bool] | None:
    """The server whose connections are cancelled amid their work, why, and whether that is sure."""
    lingers = next((name for name in row["lingers"] if name in called), None)
    waits = _is_since(machine.version, row["since"]) if lingers is not None else False
    found = {each.name: each for _, tree in trees(machine.modules.sources(), ("def ",)) for each in functions(tree)}
    answers = _answering(where.node, found)
    if answers is None:
        why = f"whether what `{where.what}` calls for each connection is at work then is not known"
        return None if waits is True else (where, why, False)
    if waits is True:
        why = f"`{lingers}` waits for the connections of `{where.what}` until their clients go"
        return (
            (where, why, False)
            if any(isinstance(part, (ast.While, ast.AsyncFor)) for part in ast.walk(answers))
            else None
        )
    if not _works(machine, answers, found):
        return None
    if _is_its_own(machine, server):
        return where, f"whether anything but the program is connected to `{where.what}` is not known", False
    return where, _why(where, lingers, waits), waits is False


def _why(where: Point, lingers: str | None, waits: bool | None) -> str:
    if lingers is None:
        return f"nothing waits for the connections of `{where.what}`: asyncio.run cancels them with their requests"
    how = "`async with`" if lingers == "with" else f"`{lingers}()`"
    if waits is False:
        return f"before Python 3.12 {how} does not wait for the connections of `{where.what}`: asyncio.run cancels them"
    return f"{how} waits for the connections of `{where.what}` from Python 3.12 on, and before that for none"


def _is_since(version: str, first: str) -> bool | None:
    """Whether a version is this one or a later one: `3` is the last of its kind. None where it is not known."""
    given = [number for part in version.split(".")[:2] if (number := whole(part)) is not None]
    least = [whole(part) or 0 for part in first.split(".")]
    return given == least[: len(given)] or given > least if given else None


def _is_its_own(machine: Machine, server: Thing) -> bool:
    """Whether a server listens for its own host alone, and the program connects to servers itself."""
    host = server.store.get("#host")
    if not isinstance(host, Const) or host.value not in _LOOPBACK:
        return False
    return any("open_connection(" in source.text for source in machine.modules.sources())


def _answering(node: ast.AST, found: dict[str, Generator]) -> Generator | None:
    """The function that a server calls for each connection: itself, in a `partial` or a lambda, or an object's."""
    given = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if isinstance(given, ast.Call) and last_name(given.func) == "partial" and given.args:
        given = given.args[0]
    if isinstance(given, ast.Lambda):
        given = given.body.func if isinstance(given.body, ast.Call) else None
    return found.get(last_name(given), found.get("__call__")) if given is not None else None


def _works(machine: Machine, answers: Generator, found: dict[str, Generator]) -> bool:
    """Whether a function awaits more than its connection, and nobody waits for it in its turn."""
    parts = list(ast.walk(answers))
    if any(isinstance(part, ast.Attribute) and part.attr in _HOLDS for part in parts):
        return False
    tasks = [part for part in parts if isinstance(part, ast.Call) and last_name(part.func) == "current_task"]
    tasks += [call for call in parts if isinstance(call, ast.Call) and last_name(call.func) in _STARTS]
    if tasks and _are_waited_for(machine, answers, tasks):
        return False
    return _awaits_more(answers, found, {answers.name})


def _are_waited_for(machine: Machine, function: Generator, tasks: list[ast.Call]) -> bool:
    """Whether tasks of a connection may be: they are kept somewhere, and what they are kept in is waited for."""
    kept, is_open = _kept_in(function, tasks)
    if is_open:
        return True
    for _, tree in trees(machine.modules.sources(), tuple(kept) or ("\0",)):
        names = {*kept, *_renamed(tree, kept)}
        if any(_is_wait(part, names) for part in ast.walk(tree)):
            return True
    return False


def _kept_in(function: Generator, tasks: list[ast.Call]) -> tuple[set[str], bool]:
    """The names of what a function keeps its tasks in, and whether it keeps them in another way."""
    parts = list(ast.walk(function))
    loose = {part.value for part in parts if isinstance(part, ast.Expr)}
    own = {
        part.targets[0].id
        for part in parts
        if isinstance(part, ast.Assign) and part.value in tasks and isinstance(part.targets[0], ast.Name)
    }
    kept: set[str] = set()

    def is_one(value: ast.expr) -> bool:
        return value in tasks or (isinstance(value, ast.Name) and value.id in own)

    for part in parts:
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in _KEEPS:
            kept |= {last_name(part.func.value) for one in part.args if is_one(one)}
        elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Subscript) and is_one(part.value):
            kept.add(last_name(part.targets[0].value))
    left = [task for task in tasks if task in loose and _is_of_the_loop(task)]
    return kept, not kept and len(left) < len(tasks)


def _is_of_the_loop(task: ast.Call) -> bool:
    """`asyncio.create_task()`, not that of a group, which waits for what it has started."""
    owner = task.func.value if isinstance(task.func, ast.Attribute) else None
    return owner is None or isinstance(owner, ast.Call) or last_name(owner) in ("asyncio", "loop")


def _renamed(tree: ast.Module, kept: set[str]) -> Iterator[str]:
    """`pending = list(tasks)`."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Assign) and _mentions(part.value, kept):
            yield from (last_name(one) for one in part.targets if isinstance(one, (ast.Name, ast.Attribute)))


def _is_wait(part: ast.AST, names: set[str]) -> bool:
    """Whether something of these names is waited for, or handed to a function that may do so."""
    if isinstance(part, ast.Await):
        return isinstance(part.value, ast.Call) and any(_mentions(one, names) for one in part.value.args)
    if isinstance(part, ast.Call):
        return last_name(part.func) in _AWAITS and any(_mentions(one, names) for one in part.args)
    if isinstance(part, (ast.For, ast.AsyncFor, ast.While)):
        over = part.test if isinstance(part, ast.While) else part.iter
        return _mentions(over, names) and any(
            isinstance(each, ast.Await) for line in part.body for each in ast.walk(line)
        )
    return False


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(part, (ast.Name, ast.Attribute)) and last_name(part) in names for part in ast.walk(node))


def _awaits_more(function: Generator, found: dict[str, Generator], seen: set[str]) -> bool:
    """Whether a function, or one of the project that it awaits or starts, awaits more than its connection."""
    for call in _awaited(function):
        name = last_name(call.func)
        if name in found and name not in seen:
            seen.add(name)
            if _awaits_more(found[name], found, seen):
                return True
        elif name not in found and name not in _OF_A_CONNECTION:
            return True
    return False


def _awaited(function: Generator) -> Iterator[ast.Call]:
    """The calls that a function awaits, or makes tasks of."""
    for part in ast.walk(function):
        if isinstance(part, ast.Await) and isinstance(part.value, ast.Call):
            yield from _together(part.value)
        elif isinstance(part, ast.Call) and last_name(part.func) in _STARTS:
            yield from (one for one in part.args if isinstance(one, ast.Call))


def _together(call: ast.Call) -> list[ast.Call]:
    """The calls that are awaited together: `gather(*(one.drain() for one in those))`."""
    if last_name(call.func) not in ("gather", "wait_for"):
        return [call]
    given = [one.value if isinstance(one, ast.Starred) else one for one in call.args]
    given = [one.elt if isinstance(one, (ast.GeneratorExp, ast.ListComp)) else one for one in given]
    return [one for one in given if isinstance(one, ast.Call)]
