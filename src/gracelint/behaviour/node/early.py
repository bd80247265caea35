"""What comes too early: a stop while the program warms up, and a handler's flag that requests still meet."""

from __future__ import annotations

from itertools import takewhile

from gracelint.behaviour.node.syntax import NAMES
from gracelint.behaviour.node.timing import flat, time_of
from gracelint.behaviour.tree import text_of, walk
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Registration
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.source import Span

_LONG = 5.0
"""Seconds without a handler in which a stop is not unlikely."""


def before_its_handler(signal: str, handlers: list[Registration]) -> Reaction | None:
    """What comes of a signal before the first handler is installed, where that takes its time."""
    first = min(handlers, key=lambda known: time_of(known.after) or 0.0)
    seconds = time_of(first.after) or 0.0
    if seconds < _LONG:
        return None
    why = f"its {signal} handler is only installed {seconds:g} s after it has begun, and a stop may come earlier"
    span = first.after[0].span
    return Reaction(signal, Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)


def refused(signal: str, stopped: Stopped) -> Reaction | None:
    """What comes of requests in flight that go on with something that the handler closes before they are answered."""
    if not any(thing.kind == "server" and thing.alive for thing in stopped.opened):
        return None
    events = stopped.events
    if any("onClose" in thing.callbacks for thing in stopped.opened):
        # the server's own hooks run once it is drained
        events = tuple(takewhile(lambda event: event.kind != "close", events))
    early = (event for event in events if event.kind == "flag" and event.certain)
    flags = {
        event.target.rpartition(".")[2]
        for event in early
        if not any(part.kind in ("drained", "closed") for part in flat(event.after))
    }
    span = next(_refusals(stopped.machine, flags), None) if flags else None
    if span is None:
        return None
    why = f"whether requests in flight still come to line {span.line} of {span.source.path}, which refuses them once"
    why = f"{why} its {signal} handler has run, cannot be told"
    return Reaction(signal, Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)


def _refusals(machine: Machine, flags: set[str]) -> Iterator[Span]:
    """Where an error is thrown for a flag: `if (this.ended) throw …`"""
    files = [file for file in machine.parsed.values() if file is not None]
    for file, node in ((one, node) for one in files for node in walk(one.root)):
        asked, then = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
        if node.type != "if_statement" or asked is None or then is None:
            continue
        names = {text_of(part) for part in walk(asked) if part.type in NAMES}
        if names & flags and any(part.type == "throw_statement" for part in walk(then)):
            yield file.span(node)
