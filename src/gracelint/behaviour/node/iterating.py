"""Loops over items that come one by one: whether the next one comes, for the loop to look at what has changed."""

from __future__ import annotations

from gracelint.behaviour.node import library, names
from gracelint.behaviour.node.aborting import is_rescued
from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.syntax import string_of
from gracelint.behaviour.node.values import UNKNOWN, External, Generator, Object, Promise, Scope, Thing
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine


def note(machine: Machine, node: Node, over: Any, loop: Thing, frame: Frame) -> None:
    """Notes what a loop goes over."""
    if isinstance(over, External) and over.signal is not None:
        loop.settings["uncaught"] = not is_rescued(node)
        machine.abortable.append((over.signal, loop))
        machine.signalled[:] = [given for given in machine.signalled if given is not over.signal]
    if isinstance(over, External):
        loop.settings["over"] = library.root_of(over.path)
        loop.settings["gives"] = over.path.removesuffix("()")
        loop.settings["event"] = _event(node.child_by_field_name("right"))
    if isinstance(over, Thing):
        loop.settings["over"] = over.name
    if isinstance(over, Generator):
        loop.settings["source"] = source_of(machine, over)
    elif isinstance(over, Object):
        loop.settings["iterator"] = (over, frame)
    elif over is UNKNOWN:
        loop.alive = None


def _event(call: Node | None) -> str:
    """The event that `on(emitter, 'message')` waits for."""
    given = call.child_by_field_name("arguments") if call is not None else None
    return (string_of(given.named_children[1]) or "") if given is not None and len(given.named_children) > 1 else ""


def source_of(machine: Machine, made: Generator) -> Thing | None:
    """The loop of a generator function that gives the items; None where it has none, so that it ends by itself."""
    node, file = made.closure.node, made.closure.file
    inner = Frame(Scope(made.closure.scope), file, (), made.closure.this)
    names.bind_parameters(machine, node, [*made.closure.bound, *made.args], inner)
    body = node.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        if child.type in ("while_statement", "do_statement", "for_statement"):
            test = child.child_by_field_name("condition")
            test = None if test is not None and test.type in ("empty_statement", ";") else test
            return _loop(child, test, inner)
        if child.type == "for_in_statement" and any(part.type == "await" for part in child.children):
            given = machine.value(child.child_by_field_name("right"), inner)
            if isinstance(given, External) and given.path.removesuffix("()") in _QUIET:
                return _loop(child, None, inner, given.path.removesuffix("()"))
        if child.type in ("lexical_declaration", "variable_declaration"):
            machine.execute(child, inner)
    return None


def _loop(node: Node, test: Node | None, frame: Frame, gives: str = "") -> Thing:
    thing = Thing("loop", "loop", frame.file.span(node), True)
    thing.data = (test, node.child_by_field_name("body"), frame, ())
    thing.settings["gives"] = gives
    return thing


def is_over(machine: Machine, made: Object, frame: Frame) -> bool | None:
    """Whether an iterator of the project's own has nothing more to give, as things are now."""
    inner = Frame(frame.scope, frame.file, (), frame.this)
    given = machine.task(machine.member(made, "Symbol.asyncIterator", inner), [], inner, ())
    given = machine.task(machine.member(given, "next", inner), [], inner, ()) if isinstance(given, Object) else given
    item = given.value if isinstance(given, Promise) else given
    done = item.props.get("done") if isinstance(item, Object) else None
    return done if isinstance(done, bool) else None


def comes(machine: Machine, loop: Thing) -> bool | None:
    """Whether another item comes soon, now that the program stops; None where that cannot be told."""
    source = loop.settings.get("source") or loop
    gives = source.settings.get("gives", "")
    if gives in _QUIET:
        return False
    return True if gives not in _EVENTS or source.settings["event"] in machine.said else None


_QUIET = frozenset(table("node")["iterators"]["quiet"])
_EVENTS = frozenset(table("node")["iterators"]["events"])
