"""Children that a handler leaves to themselves: nobody tells them to stop, or nobody waits until they have."""

from __future__ import annotations

from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.timing import flat
from gracelint.behaviour.node.values import Scope, name_of
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.values import Thing
    from gracelint.source import Span


def left_alone(stopped: Stopped, start: Callable[[], Machine], depth: int) -> tuple[Verdict, str, Span] | None:
    """A child with work to do that does not keep the program running, and whose end nobody waits for."""
    awaited = {id(part.thing) for event in stopped.events for part in flat(event.after) if part.kind == "ended"}
    for thing in stopped.machine.things:
        loose = thing.kind == "child" and thing.certain and thing.settings.get("loose") is True
        if not loose or id(thing) in awaited or thing in stopped.left or depth > 1:
            continue
        if not _runs_on(stopped.machine, thing):
            continue
        told = next((event for event in stopped.events if event.thing is thing and event.kind == "stop-child"), None)
        if told is None:
            return Verdict.CUT, f"it ends, and with it {name_of(thing)}, which nobody tells to stop", thing.span
        from gracelint.behaviour.node.peers import judge_peers

        found = judge_peers(stopped, start, depth)
        if found is not None and found[0] is Verdict.HANDLED and not found[3]:
            return (
                Verdict.UNKNOWN,
                f"whether {name_of(thing)} is through before the program ends is not known",
                told.span,
            )
        return Verdict.CUT, f"it ends without waiting for {name_of(thing)}, which is cut off with it", told.span
    return None


def never_told(stopped: Stopped) -> tuple[str, Span] | None:
    """A child that a handler waits for and that nobody tells to stop."""
    told = {
        id(event.thing) for event in stopped.events if event.kind in ("stop-child", "ask", "disconnect", "terminate")
    }
    opaque = any(event.kind == "opaque" for event in stopped.events)
    waits = [part for event in stopped.events if event.certain for part in event.after if part.kind == "unknown"]
    machine = stopped.machine
    for thing in stopped.left if waits and not opaque and not machine.unread else ():
        if thing.kind != "child" or not thing.certain or id(thing) in told or not _runs_on(machine, thing):
            continue
        file = machine.parsed[thing.span.source.path]
        assert file is not None
        for function in (*thing.callbacks.get("exit", ()), *thing.callbacks.get("close", ())):
            machine.task(function, [0, 0], Frame(Scope(), file), ())
        found = next((part for part in waits if id(part.thing) in machine.resolved), None)
        if found is not None:
            return f"waits for {name_of(thing)}, which nobody tells to stop", found.span
    return None


def _runs_on(machine: Machine, thing: Thing) -> bool:
    """Whether a child is a program of the project that runs until it is stopped."""
    if not isinstance(thing.data, tuple):
        return False
    source, role, argv = thing.data
    peer = type(machine)(source, machine.files, machine.env, argv, role, machine.parsed)
    peer.shell = machine.shell
    peer.start()
    return not peer.ended and any(known.alive and known.certain for known in peer.things)
