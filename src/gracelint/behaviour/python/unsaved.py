"""What a thread or task writes from time to time, and the program does not write once more on its way out."""

from __future__ import annotations

import ast

from gracelint.base.memory import fleeting
from gracelint.behaviour.python.beside import is_daemon
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.registry import THREADS
from gracelint.behaviour.python.streams import functions, last_name, trees
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.values import Thing
    from gracelint.source import Source


def unsaved(signal: str, machine: Machine) -> Reaction | None:
    """What came together since the last round of a `while True: sleep(5); flush()`."""
    for thing, pause in machine.facts.working:
        loop = pause.loops[-1].node if pause.loops else None
        if not isinstance(loop, ast.While) or not _is_left_in_its_pause(thing, pause):
            continue
        for call in _saves(machine, loop):
            name = last_name(call.func)
            if _is_called_once(machine.modules.sources(), name):
                who = "thread" if thing.kind in THREADS else "task"
                why = f"it does not call `{name}()` on its way out, which a {who} does from time to time"
                why = f"whether anything is lost is not known: {why}"
                return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, pause.loops[-1].module.span(call))
    return None


def _is_left_in_its_pause(thing: Thing, pause: Point) -> bool:
    """Whether no round comes after the pause in which the signal finds it: an event ends the loop, or the program."""
    alone = thing.kind == "asyncio.Task" or (thing.kind in THREADS and is_daemon(thing))
    return pause.kind == "event-wait" or (pause.kind == "sleep" and alone)


def _saves(machine: Machine, loop: ast.While) -> Iterator[ast.Call]:
    """Calls of what is named for saving, or hands on and empties a list; not of what is handed what its round makes."""
    made = {part.id for part in ast.walk(loop) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    words = frozenset(table("python")["words"]["saves"])
    handing_on = _handing_on(machine.modules.sources())
    for part in ast.walk(loop):
        if isinstance(part, ast.Call) and made.isdisjoint(map(last_name, part.args)):
            name = last_name(part.func)
            if words & set(name.lower().split("_")) or name in handing_on:
                yield part


@fleeting(1)
def _handing_on(sources: tuple[Source, ...]) -> frozenset[str]:
    """The functions of the project that take over a list which others append to: `rows, self.rows = self.rows, []`."""
    found: set[str] = set()
    for _, tree in trees(sources, ("[]",)):
        for function in functions(tree):
            taken = {text for part in ast.walk(function) for text in _taken(part)}
            if any(f"{text}.append(" in source.text for text in taken for source in sources):
                found.add(function.name)
    return frozenset(found)


def _taken(part: ast.AST) -> Iterator[str]:
    """What is emptied in the same statement in which it is given another name."""
    targets = part.targets[0] if isinstance(part, ast.Assign) else None
    if not isinstance(targets, ast.Tuple) or not isinstance(part, ast.Assign) or not isinstance(part.value, ast.Tuple):
        return
    emptied = [
        ast.unparse(target)
        for target, value in zip(targets.elts, part.value.elts, strict=False)
        if isinstance(value, ast.List) and not value.elts
    ]
    yield from (text for text in emptied if text in map(ast.unparse, part.value.elts))


@fleeting(32)
def _is_called_once(sources: tuple[Source, ...], name: str) -> bool:
    """Whether a function of the project is called at one place alone."""
    read = [tree for _, tree in trees(sources, (name,))]
    defined = any(each.name == name for tree in read for each in functions(tree))
    parts = [part for tree in read for part in ast.walk(tree)]
    named = sum(isinstance(part, ast.Name) and part.id == name for part in parts)
    named += sum(isinstance(part, ast.Attribute) and part.attr == name for part in parts)
    return defined and named == 1
