"""What an interval writes from time to time, and the program does not write once more on its way out."""

from __future__ import annotations

import re

from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.syntax import name_of as last_name
from gracelint.behaviour.node.unfinished import NAMED, callee, inside, ran_by_handlers
from gracelint.behaviour.node.values import Closure, name_of
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.source import Span


def unsaved(stopped: Stopped) -> tuple[str, Span] | None:
    """What an interval does to write down what has come together, and the handlers do not."""
    machine = stopped.machine
    for thing in machine.things:
        if thing.kind != "interval" or not thing.certain or not isinstance(thing.data, tuple):
            continue
        function = thing.data[0]
        for done in _done_by(machine, function) if isinstance(function, Closure) else ():
            name = _name(done)
            saves = _words(name) & frozenset(table("node")["saves"]) or _takes_over(machine, done, stopped.ran)
            if saves and _place(done) not in stopped.ran:
                why = (
                    f"does not call {name}(), which a timer does" if name else f"leaves out what {name_of(thing)} does"
                )
                return why, thing.span
    return None


def _takes_over(machine: Machine, function: Closure, ran: frozenset[tuple[str, int]]) -> bool:
    """Whether it hands on what others have put into a list, which it empties, and which no handler looks at."""
    names = {name for node in inside(function.node) if (name := _emptied(node)) and _is_handed_on(function, name)}
    if not names:
        return False
    handlers, _ = ran_by_handlers(machine, ran)
    seen = {last_name(node) for _, handler in handlers for node in walk(handler) if node.type in NAMED}
    return any(_is_filled(machine, name) for name in names - seen)


def _emptied(node: Node) -> str:
    """The name of a list that is emptied: `rows.splice(0)`, `rows = []`, `rows.length = 0`."""
    if node.type == "call_expression":
        called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        owner = called.child_by_field_name("object") if called is not None else None
        first = given.named_children[0] if given is not None and given.named_children else None
        splices = called is not None and last_name(called) == "splice" and first is not None and text_of(first) == "0"
        return last_name(owner) if splices and owner is not None else ""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if node.type != "assignment_expression" or left is None or right is None:
        return ""
    owner = left.child_by_field_name("object")
    if owner is not None and last_name(left) == "length" and text_of(right) == "0":
        return last_name(owner)
    return last_name(left) if text_of(right) == "[]" else ""


def _is_handed_on(function: Closure, name: str) -> bool:
    """Whether a list is an argument, or given another name."""
    return any(
        last_name(part) == name or _emptied(part) == name
        for node in inside(function.node)
        if node.type in ("arguments", "variable_declarator", "spread_element")
        for part in node.named_children[-1:]
    )


def _is_filled(machine: Machine, name: str) -> bool:
    added = (f"{name}.push(", f"{name}.unshift(")
    return any(file is not None and any(part in file.source.text for part in added) for file in machine.parsed.values())


def _done_by(machine: Machine, function: Closure) -> Iterator[Closure]:
    """A function of the program, and those that it calls itself."""
    frame = Frame(function.scope, function.file, (), function.this)
    yield function
    for node in inside(function.node):
        done = callee(machine, node, frame) if node.type == "call_expression" else None
        if isinstance(done, Closure):
            yield done


def _name(function: Closure) -> str:
    named = function.node.child_by_field_name("name")
    around = function.node.parent
    named = named or (around.child_by_field_name("name") if around is not None else None)
    return text_of(named) if named is not None else ""


def _place(function: Closure) -> tuple[str, int]:
    return function.file.source.path, function.node.start_byte


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}
