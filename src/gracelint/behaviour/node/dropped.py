"""Requests that a handler drops: connections that it destroys, all at once or one by one."""

from __future__ import annotations

from gracelint.behaviour.node.clients import event_stream
from gracelint.behaviour.node.timing import flat, time_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Event
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.values import Thing
    from gracelint.source import Span

_BRIEF = 0.05


def dropped_at_once(stopped: Stopped, serving: list[Thing]) -> tuple[str, Span] | None:
    """Connections that are destroyed with requests on them."""
    for event in stopped.events:
        if event.thing not in serving or not event.certain:
            continue
        if event.kind == "close-now":
            wait = time_of(event.after)
            drained = any(part.kind == "drained" for part in flat(event.after))
            if not drained and wait is not None and wait < stopped.enough:
                when = f" after {wait:g} s" if wait else ""
                return f"`{event.span.text.partition(chr(10))[0]}` drops the requests in flight{when}", event.span
        elif event.kind == "force" and event.seconds is not None and event.seconds < (stopped.work or _BRIEF):
            return f"connections are cut {event.seconds:g} s after the signal, requests on them with them", event.span
    return None


def destroyed_one_by_one(stopped: Stopped, serving: list[Thing]) -> Event | None:
    """Connections that are destroyed one by one."""
    abrupt = _abrupt(stopped.machine, serving)
    for event in stopped.events:
        in_a_loop = not event.certain and event.target.endswith(abrupt)
        if event.kind == "opaque" and (in_a_loop or event.target.endswith(".destroy")):
            wait = time_of(event.after)
            if not any(part.kind == "drained" for part in event.after) and (wait or 0.0) < stopped.enough:
                return event
    return None


def _abrupt(machine: Machine, serving: list[Thing]) -> tuple[str, ...]:
    """Methods that end a connection whatever is on it.

    `end` first sends a raw socket's data or an answer's last bytes, also of a request that was put away, and `close`
    lets the requests of an HTTP/2 session finish.
    """
    if all("sessions" in thing.row for thing in serving):
        return (".terminate",)
    from gracelint.behaviour.node.waiting import puts_requests_away

    if puts_requests_away(machine):
        return (".terminate",)
    if all("raw" in thing.row for thing in serving) or event_stream(machine) is not None:
        return (".terminate", ".close")
    return (".end", ".terminate", ".close")
