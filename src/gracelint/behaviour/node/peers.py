"""What the workers and child processes of a program do when its handler tells them to stop."""

from __future__ import annotations

from gracelint.behaviour.node.methods import peer_file
from gracelint.behaviour.node.state import Frame, Text
from gracelint.behaviour.node.stopping import RELEASES, look_again, woken
from gracelint.behaviour.node.timing import end_of, least
from gracelint.behaviour.node.values import UNKNOWN, Array, Closure, Scope, name_of
from gracelint.behaviour.tree import text_of
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Event
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.values import Thing
    from gracelint.source import Span

    Judged = tuple[Verdict, str, Span, float]
    """What becomes of a peer, why, where, and the seconds it takes at least."""


def judge_peers(stopped: Stopped, start: Callable[[], Machine], depth: int) -> Judged | None:
    """What the workers and children do that the handler tells to stop; the worst of them."""
    worst: Judged | None = None
    ends = [event for event in stopped.events if event.certain and _is_forced(event)]
    asks = [event for event in stopped.events if event.kind in ("stop-child", "ask", "disconnect")]
    told = {id(event.thing) for event in asks if event.target != "SIGKILL"}
    for event in asks:
        thing = event.thing
        if thing is None or thing.kind not in ("worker", "child", "cluster"):
            continue
        if event.target == "SIGKILL" and event.after and id(thing) in told:
            continue  # the last resort, once it was told by other means
        by_force = [end for end in ends if end.thing is thing and end is not event]
        found = _in_time(stopped.machine, thing, event, by_force, depth)
        if found is not None and (worst is None or _WORST.index(found[0]) < _WORST.index(worst[0])):
            worst = found
    return worst


_WORST = (Verdict.IGNORED, Verdict.CUT, Verdict.UNKNOWN, Verdict.HANDLED)


def _is_forced(event: Event) -> bool:
    return event.kind == "terminate" or event.target == "SIGKILL"


def _in_time(machine: Machine, thing: Thing, event: Event, by_force: list[Event], depth: int) -> Judged | None:
    """What a peer does that is told to end, and ended by force after a time; None where that waits for something."""
    timed = [end for end in by_force if all(part.kind in ("timer", "closed", "loop") for part in end.after)]
    if any(end.kind == "terminate" for end in by_force if end not in timed):
        return None
    verdict, _, _, seconds = found = _peer(machine, thing, event, depth)
    if not timed:
        return found
    end = min(timed, key=lambda end: least(end.after, {}))
    given = least(end.after, {})
    if verdict is Verdict.IGNORED or (verdict is Verdict.HANDLED and seconds > given):
        why = f"it ends {name_of(thing)} by force after {given:g} s, in the middle of its work"
        return Verdict.CUT, why, end.span, given
    return found


def _peer(machine: Machine, thing: Thing, event: Event, depth: int) -> Judged:
    """What a peer does that is told to end."""
    if event.target == "SIGKILL":
        return Verdict.CUT, f"kill('SIGKILL') ends {name_of(thing)} whatever it is doing", event.span, 0.0
    if isinstance(thing.data, Text):
        words = machine.shell(thing.data)
        if words == () and event.kind == "stop-child":
            why = f"kill() ends the shell in line {thing.span.line} alone, not what runs below it"
            return Verdict.CUT, why, event.span, 0.0
        file = machine.parsed[thing.span.source.path]
        assert file is not None
        given = [words[0], Array(list(words[1:]))] if words else []
        thing.data = peer_file(machine, given, Frame(Scope(), file), "main")
    if not isinstance(thing.data, tuple) or depth > 2:
        return Verdict.UNKNOWN, f"what {name_of(thing)} does when it is told to stop cannot be told", event.span, 0.0
    from gracelint.behaviour.node.reaction import reaction

    source, role, argv = thing.data

    def start() -> Machine:
        peer = type(machine)(source, machine.files, machine.env, argv, role, machine.parsed)
        peer.shell = machine.shell
        peer.start()
        return peer

    base = start()
    if event.kind == "stop-child":
        found, _ = reaction(event.target, base, start, depth + 1)
        return found.as_child, f"{name_of(thing)}: {found.why}", found.span or event.span, found.delay or 0.0
    kept = [known for known in base.things if known.alive is not False]
    if event.kind == "disconnect":
        # a disconnected worker closes its servers, answers what is in flight, and ends when nothing else is left
        if kept and all(known.kind == "server" for known in kept):
            return Verdict.HANDLED, f"{name_of(thing)} close their servers when they are disconnected", event.span, 0.0
        return (
            Verdict.UNKNOWN,
            f"whether {name_of(thing)} end after they are disconnected cannot be told",
            event.span,
            0.0,
        )
    port = [function for key in ("port.message", "message") for function in base.listeners.get(key, ())]
    keeper = next((known for known in kept if known.alive and known.certain), None)
    if not port and keeper is not None and not base.unread:
        why = f"{name_of(thing)} has no listener for messages, and {name_of(keeper)} keeps it running"
        return Verdict.IGNORED, why, keeper.span, 0.0
    if not port:
        return Verdict.UNKNOWN, f"what {name_of(thing)} does with the message cannot be told", event.span, 0.0
    file = base.parsed[source.path]
    assert file is not None
    opened = tuple(known for known in base.things if known.alive is not False)
    before, base.events = base.events, []
    base.stopping = True
    for function in port:
        base.task(function, [UNKNOWN if event.value is None else event.value], Frame(Scope(), file), ())
    look_again(base, opened)
    late = (woken(event, base) for event in before)
    base.events.extend(event for event in late if event is not None)
    released = {id(done.thing) for done in base.events if done.kind in RELEASES and done.certain} | set(base.resolved)
    left = [known for known in opened if id(known) not in released]
    if any(done.kind == "exit" and done.certain for done in base.events) or not left:
        takes = end_of(base, tuple(base.events), (), {})
        return Verdict.HANDLED, f"{name_of(thing)} ends when it is asked to", event.span, takes
    keeper = next((known for known in left if known.alive and known.certain), None)
    if any(map(_ends_on_an_answer, thing.callbacks.get("message", ()))):
        why = f"whether {name_of(thing)} answers in time, for the program to end it then, cannot be told"
        return Verdict.UNKNOWN, why, event.span, 0.0
    if keeper is not None and not base.unread and all(done.kind in ("log", "flag") for done in base.events):
        why = f"{name_of(thing)} does not end on the message it is sent: {name_of(keeper)} keeps it running"
        return Verdict.IGNORED, why, keeper.span, 0.0
    return Verdict.UNKNOWN, f"whether {name_of(thing)} ends when it is asked to cannot be told", event.span, 0.0


def _ends_on_an_answer(listener: object) -> bool:
    """Whether what listens for a peer's messages may end it, or the program."""
    return isinstance(listener, Closure) and any(word in text_of(listener.node) for word in _ENDS)


_ENDS = (".exit(", ".terminate(", ".kill(", ".disconnect(", "resolve")
