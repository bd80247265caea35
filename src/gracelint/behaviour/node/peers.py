"""What the workers and child processes of a program do when its handler tells them to stop."""

from __future__ import annotations

from itertools import product

from gracelint.behaviour.node.making import peer_file
from gracelint.behaviour.node.state import Frame, Text
from gracelint.behaviour.node.stopping import RELEASES, look_again, woken
from gracelint.behaviour.node.timing import end_of, least, time_of
from gracelint.behaviour.node.values import UNKNOWN, After, Array, Closure, Scope, joined, name_of
from gracelint.behaviour.tree import text_of
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

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


def _is_timed(part: After) -> bool:
    """Whether it comes by time, at the latest: a race with a timer does."""
    limits = part.kind == "race" and any(all(one.kind == "timer" for one in parts) for parts in part.parts)
    return limits or part.kind in ("timer", "closed", "loop")


def _is_answered(machine: Machine, end: Event) -> bool:
    """Whether it is ended once it has sent a message back, which comes before the time that it is given is over."""
    limit = time_of(end.after) or 0.0
    branches = (parts for race in end.after for parts in race.parts)
    settled = (machine.resolved.get(id(part.thing), (part,)) for parts in branches for part in parts)
    return any(one.kind == "answered" and least(after, {}) < limit for after in settled for one in after)


def _is_forced(event: Event) -> bool:
    return event.kind == "terminate" or event.target == "SIGKILL"


def _in_time(machine: Machine, thing: Thing, event: Event, by_force: list[Event], depth: int) -> Judged | None:
    """What a peer does that is told to end, and ended by force after a time; None where that waits for something."""
    timed = [end for end in by_force if all(map(_is_timed, end.after)) and not _is_answered(machine, end)]
    if any(end.kind == "terminate" for end in by_force if end not in timed):
        return None
    verdict, _, _, seconds = found = _peer(machine, thing, event, depth)
    if not timed:
        return found
    given, end = min(((time_of(end.after) or 0.0, end) for end in timed), key=lambda pair: pair[0])
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
    port = _port(base)
    keeper = next((known for known in kept if known.alive and known.certain), None)
    if not port and keeper is not None and not base.unread:
        why = f"{name_of(thing)} has no listener for messages, and {name_of(keeper)} keeps it running"
        return Verdict.IGNORED, why, keeper.span, 0.0
    if not port:
        return Verdict.UNKNOWN, f"what {name_of(thing)} does with the message cannot be told", event.span, 0.0
    opened = tuple(known for known in base.things if known.alive is not False)
    _ask(base, port, event.value)
    released = {id(done.thing) for done in base.events if done.kind in RELEASES and done.certain} | set(base.resolved)
    left = [known for known in opened if known.alive is not False and id(known) not in released]
    if any(done.kind == "exit" and done.certain for done in base.events) or not left:
        takes = end_of(base, tuple(base.events), (), {})
        return Verdict.HANDLED, f"{name_of(thing)} ends when it is asked to", event.span, takes
    keeper = next((known for known in left if known.alive and known.certain), None)
    if keeper is not None and not base.unread and all(map(_is_known, base.events)):
        why = f"{name_of(thing)} does not end on the message it is sent: {name_of(keeper)} keeps it running"
        return Verdict.IGNORED, why, keeper.span, 0.0
    if any(map(_ends_on_an_answer, thing.callbacks.get("message", ()))):
        why = f"whether {name_of(thing)} answers in time, for the program to end it then, cannot be told"
        return Verdict.UNKNOWN, why, event.span, 0.0
    return Verdict.UNKNOWN, f"whether {name_of(thing)} ends when it is asked to cannot be told", event.span, 0.0


def hear_late(machine: Machine, owner: Thing, args: list[Any], frame: Frame) -> None:
    """Calls what listens for the end of something that was told to end before: `child.kill(); child.on('exit', …)`."""
    if "answers" in owner.settings and args[0] == "message":
        for function, (value, after) in product(args[1:2], owner.settings["answers"]):
            machine.task(function, [value], frame, joined(frame.after, after))
        return
    told = next((event for event in machine.events if event.thing is owner and event.kind in _ENDINGS), None)
    if told is None or not told.certain or args[0] == "message":
        return
    after = joined(frame.after, (*told.after, After(_ENDINGS[told.kind], told.span, owner)))
    for function in args[1:2]:
        machine.task(function, [0, 0], frame, after)


_ENDINGS = {"close": "drained", "stop-child": "ended", "ask": "ended", "terminate": "ended"}
"""Events that bring something to its end, and what has happened then."""


_MOST_MESSAGES = 16
"""Messages to one peer whose answers are looked for."""


def hear(machine: Machine, thing: Thing, value: object, node: Node, frame: Frame) -> None:
    """Calls what listens for the messages that a peer surely sends back when it is sent one."""
    if not isinstance(thing.data, tuple) or machine.role != "main":
        return
    asked = thing.settings.setdefault("asked", [])
    asked.append(value)
    if thing.settings.get("hears") or len(asked) > _MOST_MESSAGES:
        machine.note("opaque", node, frame, target="postMessage")
        return
    source, role, argv = thing.data
    peer = type(machine)(source, machine.files, machine.env, argv, role, machine.parsed)
    peer.start()
    _ask(peer, _port(peer), value)
    thing.settings["hears"] = True
    for event in peer.events:
        if event.kind != "answer" or not event.certain:
            continue
        after = (*frame.after, *event.after, After("answered", frame.file.span(node), thing))
        thing.settings.setdefault("answers", []).append((event.value, after))
        for function in thing.callbacks.get("message", ()):
            machine.task(function, [event.value], frame, after)
    thing.settings["hears"] = False


def _port(peer: Machine) -> list[object]:
    """What a peer has called on a message."""
    return [function for key in ("port.message", "message") for function in peer.listeners.get(key, ())]


def _ask(peer: Machine, listeners: list[object], value: object) -> None:
    """Runs what a peer does with a message."""
    file = peer.parsed[peer.source.path]
    assert file is not None
    opened = tuple(known for known in peer.things if known.alive is not False)
    before, peer.events = peer.events, []
    peer.stopping = True
    for function in listeners:
        peer.task(function, [UNKNOWN if value is None else value], Frame(Scope(), file), ())
    for thing in opened:
        if thing.settings.get("once") is True:
            thing.alive = False  # a port that nobody listens to any longer
    look_again(peer, opened)
    late = (woken(event, peer) for event in before)
    peer.events.extend(event for event in late if event is not None)


def _is_known(event: Event) -> bool:
    """Whether it is done for sure, and ends nothing."""
    waits = any(part.kind in ("unknown", "work", "loop") for part in event.after)
    return event.certain and not waits and event.kind in ("log", "flag", "answer", "release", "close")


def _ends_on_an_answer(listener: object) -> bool:
    """Whether what listens for a peer's messages may end it, or the program."""
    return isinstance(listener, Closure) and any(word in text_of(listener.node) for word in _ENDS)


_ENDS = (".exit(", ".terminate(", ".kill(", ".disconnect(", "resolve")
