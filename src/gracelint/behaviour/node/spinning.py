"""Loops of a handler that never give way to what they wait for, and those that try again what fails."""

from __future__ import annotations

from gracelint.behaviour.node import draining
from gracelint.behaviour.node.doing import inside
from gracelint.behaviour.node.state import Frame, Stop, Thrown
from gracelint.behaviour.node.syntax import callee_of, name_of
from gracelint.behaviour.node.values import Object, Thing, truthy
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.values import After

_LEAVES = ("break_statement", "return_statement", "throw_statement")
_SETS = ("assignment_expression", "augmented_assignment_expression", "update_expression")
_ROUNDS = 12
"""Tries of what fails that are followed."""


def spins(machine: Machine, loop: Node, test: Node | None, truth: bool | None, frame: Frame) -> bool:
    """Whether a loop without `await` goes round until something is done that waits for the event loop.

    `while (!closed) {}` never sees what the callback of `server.close` sets, nor a request come to its end.
    """
    if test is None or truth is True or any(part.type in _LEAVES or _gives_way(part) for part in inside(loop)):
        return False
    changed = {
        name_of(target)
        for part in inside(loop)
        if part.type in _SETS and (target := part.child_by_field_name("left") or part.child_by_field_name("argument"))
    }
    if any(part.type.endswith("identifier") and text_of(part) in changed for part in walk(test)):
        return False
    if truth is None:
        return draining.counts_requests(machine, test, frame) is True
    return bool(waited_for(machine, test, frame))


def _gives_way(node: Node) -> bool:
    """Whether it calls what may do anything, or awaits more than what is there already."""
    if node.type == "await_expression" and node.named_children:
        return node.named_children[0].type not in ("null", "undefined", "number", "true", "call_expression")
    return node.type in ("call_expression", "new_expression") and callee_of(node) not in _AT_ONCE


_AT_ONCE = ("Promise.resolve", "console.log", "console.debug")


def waited_for(machine: Machine, test: Node, frame: Frame) -> tuple[After, ...]:
    """What has yet to happen for the variables of a test to be what they are in the end."""
    found = [part for name in walk(test) for part in _set_after(machine, name, frame) if part not in frame.after]
    return tuple(dict.fromkeys(found))


def polled(machine: Machine, loop: Node, test: Node, frame: Frame) -> tuple[After, ...]:
    """What has happened once `while (!closed && tries < 50) await sleep(100)` is through."""
    parts, body = draining.conjuncts(test), loop.child_by_field_name("body")
    waits = {part.id: waited_for(machine, part, frame) for part in parts}
    limits = [part for part in parts if not waits[part.id]]
    after = tuple(dict.fromkeys(one for found in waits.values() for one in found))
    if not after or not limits or body is None:
        return after
    return (draining.within(machine, limits, body, frame, loop, after),)


def left_once(machine: Machine, body: Node, frame: Frame) -> tuple[After, ...]:
    """What has happened once `if (closed) break;` leaves a loop that polls."""
    tests = (
        part.child_by_field_name("condition")
        for part in inside(body)
        if part.type == "if_statement" and any(here.type in _LEAVES for here in inside(part))
    )
    found = (one for test in tests if test is not None for one in waited_for(machine, test, frame))
    return tuple(dict.fromkeys(found))


def _set_after(machine: Machine, name: Node, frame: Frame) -> tuple[After, ...]:
    if name.type == "identifier":
        scope = frame.scope.find(text_of(name))
        names = scope.names if scope is not None else None
    elif name.type == "member_expression":
        owner = machine.value(name.child_by_field_name("object"), frame)
        names = owner.props if isinstance(owner, Object) else None
    else:
        return ()
    return machine.set_after.get((id(names), name_of(name)), (None, ()))[1]


def retry(machine: Machine, loop: Node, frame: Frame) -> tuple[Any] | None:
    """Runs a loop that tries something until it does not fail, a round at a time; gives how it ended.

    None where it is no such loop, or how often it goes round cannot be told: nothing has been done then.
    """
    body = loop.child_by_field_name("body")
    if body is None or not any(part.type == "try_statement" for part in inside(loop)):
        return None
    kept = (frame.after, list(machine.events), list(machine.pending), list(machine.floating), machine.counting)
    undecided, caught = machine.undecided, machine.caught
    machine.counting |= _counters(loop)
    try:
        ended = _rounds(machine, loop, body, frame)
        if machine.undecided == undecided and machine.caught > caught:
            if ended is None:  # it fails each time, and nothing ends it
                machine.add(Thing("loop", "loop", frame.file.span(loop), True), frame)
                raise Stop
            return ended
    except Thrown:
        if machine.undecided == undecided and machine.caught > caught:
            raise
    finally:
        machine.counting = kept[-1]
    frame.after, machine.events, machine.pending, machine.floating, _ = kept
    return None


def _rounds(machine: Machine, loop: Node, body: Node, frame: Frame) -> tuple[Any] | None:
    test, step = loop.child_by_field_name("condition"), loop.child_by_field_name("increment")
    if test is not None and test.type == "expression_statement":
        test = test.named_children[0]
    asks = test is not None and test.type not in ("empty_statement", ";")
    undecided = machine.undecided
    for at in range(_ROUNDS):
        if machine.undecided != undecided:
            return None
        if asks and (at or loop.type != "do_statement"):
            truth = truthy(machine.value(test, frame))
            machine.undecided += truth is None
            if not truth:
                return (None,)
        ended = machine.execute(body, frame)
        if ended == "break":
            return (None,)
        if isinstance(ended, tuple):
            return (ended,)
        machine.value(step, frame)
    return None


def _counters(loop: Node) -> frozenset[str]:
    """What the loop itself counts."""
    return frozenset(
        name_of(target)
        for part in inside(loop)
        if part.type in _SETS[1:]
        and (target := part.child_by_field_name("argument") or part.child_by_field_name("left")) is not None
    )
