"""A stop that comes while the program warms up."""

from __future__ import annotations

from gracelint.behaviour.python.clients import reaction
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine

_LONG = 5.0
"""Seconds without a handler in which a stop is not unlikely."""


def before_its_handler(signal: str, machine: Machine) -> Reaction | None:
    """What comes of a signal before the handler is installed, where that takes its time; None where it does not."""
    facts = machine.facts
    if not any(signal in each.signals for each in facts.registrations):
        return None
    pauses = [point for point in facts.points[: facts.installed_at or 0] if point.kind == "sleep" and not point.loops]
    seconds = sum(point.limit or 0 for point in pauses)
    if seconds < _LONG:
        return None
    why = f"its handler for {signal} is only installed {seconds:g} s after it has begun, and a stop may come earlier"
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, pauses[0].span)
