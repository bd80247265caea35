"""How long a Node program takes to end once the signal has come: at least, whatever is in flight.

A timer that was not unref'd keeps node running until it fires, and so does `server.close()` while a client keeps a
connection open.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gracelint.behaviour.node.clients import Held
    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Event
    from gracelint.behaviour.node.values import After, Thing

FOR_EVER = float("inf")


def least(after: tuple[After, ...], held: Mapping[int, Held]) -> float:
    """The seconds that surely pass before something that comes after all this."""
    total = 0.0
    for part in after:
        if part.kind == "timer":
            total += part.seconds or 0.0
        elif part.kind == "race":
            total += min((least(other, held) for other in part.parts), default=0.0)
        elif part.kind in ("drained", "closed") and id(part.thing) in held:
            total += held[id(part.thing)].seconds
    return total


def time_of(after: Sequence[After]) -> float | None:
    """The least seconds that pass before something that comes after all this; None where that cannot be told."""
    total = 0.0
    for part in after:
        if part.kind == "timer":
            if part.seconds is None:
                return None
            total += part.seconds
        elif part.kind == "race":
            times = [time_of(other) for other in part.parts if all(piece.kind == "timer" for piece in other)]
            known = [time for time in times if time is not None]
            if len(known) < len(times):
                return None
            total += min(known, default=0.0)
    return total


def flat(after: tuple[After, ...]) -> list[After]:
    found: list[After] = []
    for part in after:
        found.append(part)
        for other in part.parts:
            found.extend(flat(other))
    return found


def end_of(machine: Machine, events: tuple[Event, ...], left: tuple[Thing, ...], held: Mapping[int, Held]) -> float:
    """The least seconds from the signal to the end of the process; infinity where nothing ends it."""
    exits = [least(event.after, held) for event in events if event.kind == "exit"]
    return min([*exits, FOR_EVER if left else _nothing_left(machine, events, held)])


def _nothing_left(machine: Machine, events: tuple[Event, ...], held: Mapping[int, Held]) -> float:
    """When the last thing is let go of."""
    let_go: dict[int, float] = {}
    for event in events:
        if event.thing is None or not event.certain or event.kind not in _LETS_GO:
            continue
        at = least(event.after, held) + (event.seconds or 0.0 if event.kind == "force" else 0.0)
        if event.kind in ("close", "release") and id(event.thing) in held:
            at += held[id(event.thing)].seconds
        let_go[id(event.thing)] = min(let_go.get(id(event.thing), FOR_EVER), at)
    times = [0.0]
    for thing in machine.things:
        if thing.alive and id(thing) in let_go:
            times.append(let_go[id(thing)])
        elif id(thing) in machine.resolved:
            times.append(least(machine.resolved[id(thing)], held))
    for timer in machine.pending:
        fires = least(timer.after, held) + (timer.data or 0.0)
        times.append(min(fires, let_go.get(id(timer), FOR_EVER)))
    return max(times)


_LETS_GO = ("close", "release", "stop-child", "ask", "disconnect", "close-now", "force")
