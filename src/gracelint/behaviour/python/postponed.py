"""Answers and work that a reactor is to come back to, and ends without: what Twisted puts off."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.account import BRIEF
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.midway import first_act, upwards
from gracelint.behaviour.python.streams import functions, last_name, trees
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.streams import Generator

_LATER, _PAUSE = "callLater", "deferLater"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def postponed(signal: str, machine: Machine, ended: Reaction) -> Reaction | None:
    """What a server ends without that it has put off; None where that is nothing."""
    row = next((call.row for call in machine.facts.servers if "postpones" in call.row), None)
    if row is None:
        return None
    sources = machine.modules.sources()
    waits = next((word for word in row["waits"] if any(word in source.text for source in sources)), None)
    doubt = None
    for source, tree in trees(sources, (row["postpones"], _LATER, _PAUSE, *_THREADS)):
        for function in functions(tree):
            for what, is_sure in _put_off(tree, function, row):
                span = source.line_span(function.lineno)
                if waits is not None:
                    why = f"whether `{waits}` waits for {what} that `{function.name}()` has put off cannot be told"
                    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
                why = f"{row['server']} ends without {what} that `{function.name}()` has put off"
                if is_sure:
                    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span, delay=ended.delay)
                why = f"whether anything is lost is not known: {why}"
                doubt = doubt or reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    return doubt


def _put_off(tree: ast.Module, function: Generator, row: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """What a function puts off, and whether that is surely lost with the reactor."""
    returned = (part.value for part in ast.walk(function) if isinstance(part, ast.Return))
    if any(value is not None and last_name(value) == row["postpones"] for value in returned):
        yield "the answer", True
    for call in ast.walk(function):
        name = last_name(call.func) if isinstance(call, ast.Call) else ""
        if not isinstance(call, ast.Call) or not name:
            continue
        if name == _LATER and len(call.args) > 1 and _seconds(call) >= BRIEF and not _is_kept(tree, call):
            told = _told(tree, call.args[1])
            if told is None or told is function or _sets_itself(told):
                continue
            yield f"`{last_name(call.args[1])}()`", first_act(told.body) is not None
        elif name == _PAUSE and _seconds(call) >= BRIEF and (rest := _rest(tree, call)):
            yield f"`{ast.unparse(rest[0]).splitlines()[0]}`", _does(rest)
        elif name in _THREADS and (rest := _rest(tree, call)):
            yield f"`{ast.unparse(rest[0]).splitlines()[0]}`", first_act(rest) is not None
        elif name in _CHAINS and isinstance(call.func, ast.Attribute) and _is_slow(call.func.value) and call.args:
            told = _told(tree, call.args[0])
            yield f"`{last_name(call.args[0])}()`", told is not None and first_act(told.body) is not None


_THREADS = ("deferToThread",)
_CHAINS = ("addCallback", "addBoth", "addCallbacks")


def _does(rest: list[ast.stmt]) -> bool:
    return any(isinstance(part, ast.Call) for line in rest for part in ast.walk(line))


def _is_slow(value: ast.expr) -> bool:
    """Whether a deferred comes of a pause or of a thread."""
    return any(isinstance(part, ast.Call) and last_name(part.func) in (*_THREADS, _PAUSE) for part in ast.walk(value))


def _seconds(call: ast.Call) -> float:
    """How long it is put off; an hour where that is not known."""
    given = call.args[1 if last_name(call.func) == _PAUSE else 0] if len(call.args) > 1 else None
    if isinstance(given, ast.Constant) and isinstance(given.value, (int, float)):
        return float(given.value)
    return 3600.0


def _is_kept(tree: ast.Module, call: ast.Call) -> bool:
    """Whether a timer is one that something cancels: a limit to how long a peer is waited for."""
    for _, above in upwards(tree, call):
        if isinstance(above, ast.Assign):
            name = last_name(above.targets[0])
            calls = (part.func for part in ast.walk(tree) if isinstance(part, ast.Call))
            return any(
                isinstance(func, ast.Attribute) and func.attr in ("cancel", "reset") and last_name(func.value) == name
                for func in calls
            )
        if isinstance(above, _FUNCTIONS):
            return False
    return False


def _told(tree: ast.Module, given: ast.expr) -> Generator | None:
    """The function of the project that is to be called; None where it only ends a connection, or is not in there."""
    name = last_name(given)
    if name in table("python")["words"]["closes"]:
        return None
    return next((function for function in functions(tree) if function.name == name), None)


def _sets_itself(function: Generator) -> bool:
    """Whether a timer sets itself anew, and so is a beat."""
    calls = (part for part in ast.walk(function) if isinstance(part, ast.Call) and last_name(part.func) == _LATER)
    return any(last_name(given) == function.name for call in calls for given in call.args[1:2])


def _rest(tree: ast.Module, call: ast.Call) -> list[ast.stmt]:
    """What its function does after it, where that waits for it."""
    waits = False
    found: list[ast.stmt] = []
    for here, above in upwards(tree, call):
        waits = waits or isinstance(above, (ast.Yield, ast.Await))
        for body in (getattr(above, name, None) for name in ("body", "orelse")):
            if isinstance(body, list) and here in body:
                found += body[body.index(here) + 1 :]
        if isinstance(above, _FUNCTIONS):
            break
    return found if waits else []
