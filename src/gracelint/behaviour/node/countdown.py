"""Intervals that count down to the end: `setInterval(() => { if (--left === 0) process.exit() }, 1000)`."""

from __future__ import annotations

from gracelint.base.limits import STEPS
from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.values import After, Closure, Scope
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.values import Thing

_TICKS = 600
"""Rounds that are followed: what takes longer outlasts every grace period."""


def count_down(machine: Machine, interval: Thing) -> bool:
    """Runs an interval that the handler has set until it does something, with its counter as it then is."""
    function, args, seconds, file = interval.data
    names = _counted(function) if isinstance(function, Closure) else frozenset()
    if not names or not seconds:
        return False
    machine.counting = names
    try:
        for tick in range(1, _TICKS + 1):
            if machine.steps > STEPS // 2:
                return False
            seen = len(machine.events)
            after = (After("timer", interval.span, None, tick * seconds),)
            machine.task(function, args, Frame(Scope(), file), after)
            if any(event.kind not in _IDLE for event in machine.events[seen:]):
                return True
            del machine.events[seen:]
        return False
    finally:
        machine.counting = frozenset()


_IDLE = ("log", "flag")


def _counted(function: Closure) -> frozenset[str]:
    """What a function counts up or down."""
    found = set()
    for node in walk(function.node):
        if node.type in ("update_expression", "augmented_assignment_expression"):
            target = node.child_by_field_name("argument") or node.child_by_field_name("left")
            if target is not None:
                found.add(text_of(target.child_by_field_name("property") or target))
    return frozenset(found)
