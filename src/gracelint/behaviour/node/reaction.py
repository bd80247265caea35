"""What a Node program does when a signal arrives: the handlers' acts, and what then still keeps node running.

Node's rules: a listener for a signal takes its default action away; without one, PID 1 ignores the signal and any other
process dies of it. Node ends when nothing is left that could call back, or at `process.exit`.
"""

from __future__ import annotations

import re

from gracelint.base.record import replace
from gracelint.behaviour.node import failing, library
from gracelint.behaviour.node.clients import comes_late, destroys_all, held_by_clients
from gracelint.behaviour.node.machine import Machine
from gracelint.behaviour.node.state import Event, Registration
from gracelint.behaviour.node.stopping import Stopped, stop
from gracelint.behaviour.node.syntax import FUNCTIONS, string_of
from gracelint.behaviour.node.timing import FOR_EVER, end_of, flat, time_of
from gracelint.behaviour.node.values import After, Thing, is_behind_what_stays, name_of
from gracelint.behaviour.tree import walk
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.finding import Note
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.source import Span

SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH")
_HARMLESS_BY_DEFAULT = ("SIGWINCH", "SIGUSR1")
"""Without a listener: ignored by the kernel, and taken by node's debugger."""


def reaction(
    signal: str, base: Machine, start: Callable[[], Machine], depth: int = 0
) -> tuple[Reaction, Stopped | None]:
    """The reaction to one signal, and the run it was read from."""
    mine = [known for known in base.registrations if signal in known.signals]
    certain = [known for known in mine if known.certain and not is_behind_what_stays(known.after)]
    maybe = [known for known in base.registrations if known not in certain and (known in mine or not known.signals)]
    busy = _busy(base)
    if not certain:
        return _without_handler(signal, base, maybe, busy), None
    span = certain[0].span
    if busy is not None:
        what = "waits for a child process" if busy.kind == "sync-child" else "loops"
        why = f"line {busy.span.line} {what} without ever giving way to the event loop, so no handler runs"
        return Reaction(signal, Verdict.IGNORED, Verdict.IGNORED, Cause.NEVER_OBSERVED, why, busy.span), None
    stopped = stop(signal, start())
    found = _judge(signal, stopped, certain, span, start, depth)
    if found.as_pid_1 is Verdict.HANDLED:
        from gracelint.behaviour.node.early import before_its_handler, refused

        found = before_its_handler(signal, certain) or refused(signal, stopped) or found
    return found, stopped


def _busy(base: Machine) -> Thing | None:
    """What keeps node from its event loop: a loop without `await`, or a synchronous child with nothing beside it."""
    waits = all(thing.alive is False for thing in base.things)
    kinds = ("busy", "sync-child") if waits else ("busy",)
    return next((thing for thing in base.things if thing.kind in kinds and thing.certain), None)


def _without_handler(signal: str, base: Machine, maybe: list[Registration], busy: Thing | None) -> Reaction:
    def answer(pid_1: Verdict, child: Verdict, cause: Cause, why: str, span: Span | None = None) -> Reaction:
        return Reaction(signal, pid_1, child, cause, why, span)

    if maybe:
        from gracelint.behaviour.node.asked import by

        why = f"whether the handler in line {maybe[0].span.line} is installed is only known when it runs"
        why += by(base, maybe[0].asked, maybe[0].span)
        if not maybe[0].signals:
            why = f"which signals line {maybe[0].span.line} handles is only known when it runs"
        return answer(Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why, maybe[0].span)
    if base.unread:
        why = f"{base.unread[0]} could not be read, and may handle {signal}"
        return answer(Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why)
    words = table("node")["may_handle"]
    library = next((path for path in base.foreign if any(word in path.lower() for word in words)), None)
    if library is not None:
        why = f"whether {library}(), which the program calls, handles {signal} is not known"
        return answer(Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why)
    injected = _in_uncalled(signal, base)
    if injected is not None:
        where = f"{injected.source.path} line {injected.line}"
        why = f"whether anything calls the function in {where}, which handles {signal}, cannot be told"
        return answer(Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why, injected)
    kept = [thing for thing in base.things if thing.alive is not False]
    if not kept and busy is None and base.foreign and not base.ended:
        why = f"nothing is known of {base.foreign[0]}(), which the program calls"
        return answer(Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why)
    child = Verdict.IGNORED if signal in _HARMLESS_BY_DEFAULT else Verdict.CUT
    if not kept and busy is None:
        why = f"it has no handler for {signal}, and runs to its end by itself"
        return answer(Verdict.IGNORED, child, Cause.ONE_SHOT, why)
    others = sorted({name for known in base.registrations for name in known.signals} & {"SIGTERM", "SIGINT", "SIGQUIT"})
    if others:
        known = next(known for known in base.registrations if others[0] in known.signals)
        why = f"it handles {' and '.join(others)}, not {signal}"
        return answer(Verdict.IGNORED, child, Cause.OTHER_SIGNAL_ONLY, why, known.span)
    return answer(Verdict.IGNORED, child, Cause.NO_HANDLER, f"it has no handler for {signal}")


def _in_uncalled(signal: str, base: Machine) -> Span | None:
    """Where the signal is handled in a function that nothing was seen to call, and that may be called all the same.

    Methods of classes are called by frameworks, as dependency injection does; others where start-up calls a function
    of which nobody knows which one it is.
    """
    for file in base.parsed.values():
        if file is None or signal not in file.source.text:
            continue
        for node in walk(file.root):
            if node.type != "string" or string_of(node) != signal:
                continue
            around = node.parent
            while around is not None and around.type not in (FUNCTIONS if base.blind else _METHODS):
                around = around.parent
            if around is not None and (file.source.path, around.start_byte) not in base.called:
                return file.span(node)
    return None


_METHODS = ("method_definition",)

# The verdict


def _judge(
    signal: str, stopped: Stopped, handlers: list[Registration], span: Span, start: Callable[[], Machine], depth: int
) -> Reaction:
    events = stopped.events

    def answer(
        verdict: Verdict, cause: Cause, why: str, at: Span | None = None, child: Verdict | None = None
    ) -> Reaction:
        delay = stopped.delay or None
        if verdict is Verdict.HANDLED:
            return _in_time(signal, stopped, why, span, start)
        notes = () if at is None or at == span else (Note(span, f"the handler for {signal}"),)
        return Reaction(signal, verdict, child or verdict, cause, why, at or span, notes, delay)

    opaque = next((event for event in events if event.kind == "opaque" and event.certain), None)
    listening = [thing for thing in stopped.opened if thing.kind == "server" and thing.alive]
    serving = _asked_for_work(stopped.machine, listening) if listening else []
    spins = next((thing for thing in stopped.machine.things if _spins(thing, stopped)), None)
    if spins is not None:
        why = f"line {spins.span.line} loops without ever giving way to the event loop, once its {signal} handler runs"
        return answer(Verdict.IGNORED, Cause.NEVER_OBSERVED, why, spins.span)
    from gracelint.behaviour.node.dropped import destroyed_one_by_one, dropped_at_once

    dropped = dropped_at_once(stopped, serving)
    if dropped is not None:
        return answer(Verdict.CUT, Cause.ABRUPT_EXIT, *dropped)
    destroyed = destroyed_one_by_one(stopped, serving) if serving else None
    if destroyed is not None and not destroyed.after and destroys_all(stopped.machine, destroyed.span):
        why = f"`{destroyed.span.text}` drops the requests in flight"
        return answer(Verdict.CUT, Cause.ABRUPT_EXIT, why, destroyed.span)
    if destroyed is not None:
        why = f"whether {destroyed.target}() drops requests in flight cannot be told"
        return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why, destroyed.span)
    terminated = next(
        (event for event in events if event.kind == "terminate" and _comes_too_soon(event, stopped)), None
    )
    if terminated is not None and terminated.thing is not None and not _waited_for_work(stopped, terminated):
        call = terminated.target or "terminate"
        call = call if call.endswith(")") else f"{call}()"
        why = f"{call} ends {name_of(terminated.thing)} in the middle of its work"
        return answer(Verdict.CUT, Cause.ABRUPT_EXIT, why, terminated.span)
    from gracelint.behaviour.node.overtaken import unreached
    from gracelint.behaviour.node.peers import judge_peers

    lost = unreached(stopped)
    if lost is not None:
        waits = any(part.kind == "drained" for event in events for part in event.after)
        why = f"the timer in line {lost[0].span.line} does not keep node running, so that what line {lost[1].span.line}"
        why = f"{why} does {'may never run' if waits else 'never runs'}"
        return answer(
            *((Verdict.UNKNOWN, Cause.UNKNOWN) if waits else (Verdict.CUT, Cause.ABRUPT_EXIT)), why, lost[0].span
        )
    peers = judge_peers(stopped, start, depth)
    exits = [event for event in events if event.kind == "exit"]
    sure = [
        event for event in exits if event.certain and not any(_is_open(part, stopped) for part in flat(event.after))
    ]
    for event in sure:
        harm = _harm(event, stopped, serving, start)
        if harm is not None:
            return answer(
                Verdict.CUT if harm[0] else Verdict.UNKNOWN, Cause.ABRUPT_EXIT if harm[0] else Cause.UNKNOWN, *harm[1:]
            )
    if peers is not None and (not sure or peers[0] is Verdict.CUT or all(_waits_for_peer(event) for event in sure)):
        verdict, why, at, seconds = peers
        if verdict is not Verdict.HANDLED:
            cause = Cause.EXIT_BLOCKED if verdict is Verdict.IGNORED else Cause.ABRUPT_EXIT
            found = answer(verdict, Cause.UNKNOWN if verdict is Verdict.UNKNOWN else cause, why, at)
            return replace(found, delay=max(found.delay or 0.0, seconds) or None)
    thrown = next((event for event in sure if event.target == "throw"), None)
    if thrown is not None and all(event is thrown for event in sure):
        return answer(Verdict.CUT, Cause.ABRUPT_EXIT, f"its {signal} handler throws an error that nobody catches")
    left_out = failing.skipped(stopped.machine) if sure else None
    if left_out is not None:
        why = f"process.exit leaves out what the listener for {left_out[0]} in line {left_out[1].line} does"
        return answer(Verdict.CUT, Cause.ABRUPT_EXIT, why, left_out[1])
    listener = _unread_listener(stopped, sure)
    if listener is not None:
        why = f"what {listener}() serves is not known, nor whether process.exit drops its requests"
        return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why)
    alone = None
    if any(thing.kind == "child" and "loose" in thing.settings for thing in stopped.machine.things):
        from gracelint.behaviour.node.children import left_alone

        alone = left_alone(stopped, start, depth) if sure or not stopped.left else None
    if alone is not None:
        return answer(alone[0], Cause.UNKNOWN if alone[0] is Verdict.UNKNOWN else Cause.ABRUPT_EXIT, *alone[1:])
    if sure:
        return answer(Verdict.HANDLED, Cause.GRACEFUL, f"its {signal} handler {_what(stopped)} and ends the process")
    if not stopped.left and stopped.opened:
        from gracelint.behaviour.node.unfinished import keeps_itself_busy

        busy = keeps_itself_busy(stopped, start)
        if busy is not None:
            why = f"its {signal} handler runs, but {busy.name} takes {busy.seconds:g} s and begins again before that"
            return answer(Verdict.IGNORED, Cause.STILL_ALIVE, f"{why}: it is never through", busy.span)
        stuck = next((event for event in events if event.kind == "stuck" and event.certain), None)
        if stuck is not None:
            why = (
                f"what its {signal} handler does after line {stuck.span.line} never runs: nothing resolves the promise"
            )
            return answer(Verdict.CUT, Cause.ABRUPT_EXIT, why, stuck.span)
        unsettled = next((part for event in events for part in event.after if _is_unsettled(part, stopped)), None)
        if unsettled is not None:
            why = f"whether anything settles the promise in line {unsettled.span.line} before nothing is left to run"
            why = f"{why}, and its {signal} handler goes on, is only known when it runs"
            return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why, unsettled.span)
        undone = next((event for event in events if event.kind == "undone"), None)
        if undone is not None:
            path = undone.span.source.path
            where = f"line {undone.span.line}" + (f" of {path}" if path != stopped.machine.source.path else "")
            why = f"whether the hook in {where} ever calls back, for the server to be closed, cannot be told"
            return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why, undone.span)
        timer = failing.timer_of_work(stopped.machine)
        if timer is not None:
            where = f"line {timer.line}" + (f" of {timer.source.path}" if timer.source is not span.source else "")
            why = f"whether the timer that {where} sets is still there cannot be told"
            return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why, timer)
        foreign = _may_run_on(stopped.machine)
        if foreign is not None:
            why = f"whether {foreign}(), which the program calls, keeps it running cannot be told"
            return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why)
        return answer(
            Verdict.HANDLED, Cause.GRACEFUL, f"its {signal} handler {_what(stopped)}, and nothing is left to run"
        )
    unknown = opaque or next(iter(exits), None)
    if any(thing.kind == "child" for thing in stopped.left):
        from gracelint.behaviour.node.children import never_told

        untold = never_told(stopped)
        if untold is not None:
            why = f"its {signal} handler {untold[0]}"
            return answer(Verdict.IGNORED, Cause.EXIT_BLOCKED, why, untold[1], Verdict.UNKNOWN)
    if unknown is not None:
        place = f"comes before process.exit in line {unknown.span.line}"
        what = f"{unknown.target}() does" if unknown.target else place
        return answer(Verdict.UNKNOWN, Cause.UNKNOWN, f"what {what} cannot be told", unknown.span)
    if not stopped.opened:
        return answer(Verdict.UNKNOWN, Cause.UNKNOWN, "what keeps the program running cannot be told")
    if any(event.kind == "disconnect" for event in events):
        return answer(
            Verdict.UNKNOWN, Cause.UNKNOWN, "whether the workers end after they are disconnected cannot be told"
        )
    return _still_alive(signal, stopped, handlers, answer, start)


def _spins(thing: Thing, stopped: Stopped) -> bool:
    """Whether it is a loop that is begun by a handler, and never gives way."""
    return thing.kind == "busy" and thing.certain and thing not in stopped.opened


def _is_open(part: After, stopped: Stopped) -> bool:
    """Whether it cannot be told that it happens: a loop that is not seen to end, an event that nobody has emitted."""
    if part.kind == "loop":
        return id(part.thing) not in stopped.machine.resolved
    is_event = part.thing is not None and part.thing.kind == "event"
    return part.kind == "unknown" and not (is_event and id(part.thing) in stopped.machine.resolved)


def _is_unsettled(part: After, stopped: Stopped) -> bool:
    """Whether something stands behind a promise of the project that nothing was seen to settle."""
    thing = part.thing
    return thing is not None and thing.kind in ("promise", "event") and id(thing) not in stopped.machine.resolved


def _waited_for_work(stopped: Stopped, terminated: Event) -> bool:
    from gracelint.behaviour.node.unfinished import waits_for_work

    return waits_for_work(stopped.machine, stopped.ran, terminated.span)


def _unread_listener(stopped: Stopped, exits: list[Event]) -> str | None:
    """What a library nobody here knows was made to listen, where an exit waits for nothing of it."""
    words = frozenset(table("node")["may_serve"])
    early = [event for event in exits if not any(part.kind == "work" for part in flat(event.after))]
    if not any((time_of(event.after) or 0.0) < stopped.enough for event in early):
        return None
    found = (path for path in stopped.machine.foreign if path.replace("()", "").rpartition(".")[2] in words)
    return next(found, None)


def _may_run_on(machine: Machine) -> str | None:
    """A call of a library nobody here knows that may run until it is told to stop, which the handler does not."""
    words = frozenset(table("node")["may_run"])
    for path in machine.foreign:
        if words & _words(path) and not any(other.startswith(library.root_of(path)) for other in machine.asked):
            return path
    return None


def _words(path: str) -> set[str]:
    """The words of the function that a path ends with: `new QueueWorker` has two."""
    name = path.replace("()", "").rpartition(".")[2].rpartition("/")[2]
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}


def _in_time(signal: str, stopped: Stopped, why: str, span: Span, start: Callable[[], Machine]) -> Reaction:
    """A handler that ends the process, with the time that takes at least."""
    kept = _unsaved(stopped)
    if kept is not None:
        why = f"whether anything is lost is not known: its {signal} handler {kept[0]}"
        return Reaction(signal, Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why, kept[1])
    if stopped.machine.absent:
        name, at = stopped.machine.absent[0]
        why = f"whether `{name}`, which nothing here writes, is there for its {signal} handler is not known"
        return Reaction(signal, Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why, at)
    if not any(event.kind == "exit" for event in stopped.events):
        from gracelint.behaviour.node.leftover import left_running

        timer = left_running(stopped, start)
        if timer is not None:
            until, at = timer
            why = f"{why} but the timer in {_place(at, span)}, which nothing clears, for {until:g} s"
            return Reaction(signal, Verdict.HANDLED, Verdict.HANDLED, Cause.GRACEFUL, why, span, (), until)
    if stopped.machine.broken:
        from gracelint.behaviour.node.aborting import lost

        left_out = lost(stopped)
        if left_out is not None:
            verdict = Verdict.CUT if left_out[0] else Verdict.UNKNOWN
            cause = Cause.ABRUPT_EXIT if left_out[0] else Cause.UNKNOWN
            return Reaction(signal, verdict, verdict, cause, left_out[1], left_out[2])
    held = held_by_clients(stopped)
    least = end_of(stopped.machine, stopped.events, stopped.left, {})
    until = end_of(stopped.machine, stopped.events, stopped.left, held)
    bounded = until < FOR_EVER and all(server.seconds == FOR_EVER for server in held.values())
    if until <= least or bounded:
        takes = max(until if bounded else least, stopped.delay)
        why = f"{why} after {takes:g} s" if takes >= 1 else why
        return Reaction(signal, Verdict.HANDLED, Verdict.HANDLED, Cause.GRACEFUL, why, span, (), takes or None)
    closing = next(event for event in stopped.events if event.kind in ("close", "release") and id(event.thing) in held)
    server = held[id(closing.thing)]
    notes = (Note(span, f"the handler for {signal}"),) if closing.span != span else ()
    if until == FOR_EVER:
        unread = _may_end_clients(stopped, server.server) if server.sure else "anything"
        if unread is not None:
            why = f"whether {unread} ends the {server.clients} of {name_of(server.server)} cannot be told"
            return Reaction(signal, Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why, closing.span, notes)
        where = name_of(server.server) if server.by is None else _place(server.by, closing.span)
        why = f"its {signal} handler waits for the {server.clients} of {where}, which nothing {server.ends}"
    else:
        why = f"its {signal} handler waits for {server.kept} for {server.seconds:g} s"
    verdict = Verdict.IGNORED if until == FOR_EVER else Verdict.HANDLED
    delay = None if until == FOR_EVER else max(until, stopped.delay)
    cause = Cause.GRACEFUL if delay and server.by is not None else Cause.KEEP_ALIVE
    return Reaction(signal, verdict, verdict, cause, why, closing.span, notes, delay)


def _unsaved(stopped: Stopped) -> tuple[str, Span] | None:
    from gracelint.behaviour.node.unsaved import unsaved

    return unsaved(stopped)


def _may_end_clients(stopped: Stopped, server: Thing) -> str | None:
    """What the handler calls, or could not be read, that may close the connections of clients."""
    calls = (event for event in stopped.events if event.kind == "opaque" and event.target)
    ends = (event for event in calls if event.target.rpartition(".")[2] not in _ONLY_SAYS)
    opaque = next((event for event in ends if not comes_late(event, server)), None)
    if opaque is not None:
        return f"{opaque.target}()"
    return next(iter(stopped.machine.unread), None)


_ONLY_SAYS = ("write", "writeHead", "flushHeaders", "setHeader", "cork", "uncork", "clearInterval", "clearTimeout")
"""What ends no response: what sends some of it, and what stops the timers of one."""


def _place(span: Span, seen_from: Span) -> str:
    other = "" if span.source is seen_from.source else f" of {span.source.path}"
    return f"line {span.line}{other}"


def _still_alive(
    signal: str,
    stopped: Stopped,
    handlers: list[Registration],
    answer: Callable[..., Reaction],
    start: Callable[[], Machine],
) -> Reaction:
    events = stopped.events
    maybe = {id(event.thing) for event in events if event.kind in _MAY_END and not event.certain}
    keeper = next((thing for thing in stopped.left if thing.alive and thing.certain and id(thing) not in maybe), None)
    if keeper is None:
        thing = stopped.left[0]
        return answer(Verdict.UNKNOWN, Cause.UNKNOWN, f"whether {name_of(thing)} ends cannot be told", thing.span)
    if keeper.kind == "child" and not isinstance(keeper.data, tuple):
        why = f"whether {name_of(keeper)} ends by itself cannot be told"
        return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why, keeper.span)
    if keeper.kind == "worker":
        some = next((event.target for event in events if event.target.endswith(".terminate")), None)
        if some is not None or _shares_memory(stopped.machine):
            by = "what it shares memory for" if some is None else f"{some}()"
            why = f"whether {name_of(keeper)} ends by {by} cannot be told"
            return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why, keeper.span)
    behind = next((event for event in stopped.later if event.kind == "exit" or event.thing is keeper), None)
    if behind is not None:
        why = f"whether the loop before line {behind.span.line}, which ends it, comes to its end cannot be told"
        return answer(Verdict.UNKNOWN, Cause.UNKNOWN, why, behind.span)
    kinds = {event.kind for event in events}
    if not kinds - {"log"}:
        why = f"its {signal} handler does nothing that ends it: {name_of(keeper)} keeps it running"
        return answer(Verdict.IGNORED, Cause.DISCARDED, why)
    if not kinds - {"log", "flag"}:
        flag = next(event.target for event in events if event.kind == "flag")
        why = f"its {signal} handler only sets `{flag}`, and {name_of(keeper)} keeps it running"
        return answer(Verdict.IGNORED, Cause.NEVER_OBSERVED, why, keeper.span)
    again = next((event for event in events if event.kind == "rekill" and event.certain), None)
    why = f"its {signal} handler runs, but {name_of(keeper)} keeps it running"
    if again is None:
        return answer(Verdict.IGNORED, Cause.STILL_ALIVE, why, keeper.span)
    ignored = "sends itself the signal again, which PID 1 ignores"
    why = f"its {signal} handler {ignored}, and {name_of(keeper)} keeps it running"
    once = signal in stopped.machine.removed or all(known.once for known in handlers)
    waited = bool(again.after) or bool(kinds - {"rekill"})
    serving = [thing for thing in stopped.opened if thing.kind == "server" and thing.alive]
    harm = _harm(again, stopped, serving, start)
    child = Verdict.UNKNOWN if not once else Verdict.CUT if harm is not None or not waited else Verdict.HANDLED
    return answer(Verdict.IGNORED, Cause.STILL_ALIVE, why, again.span, child)


_MAY_END = ("close", "release", "stop-child", "disconnect", "terminate")


def _shares_memory(machine: Machine) -> bool:
    return any(file is not None and "SharedArrayBuffer" in file.source.text for file in machine.parsed.values())


def _asked_for_work(machine: Machine, listening: list[Thing]) -> list[Thing]:
    from gracelint.behaviour.node.requests import only_reports

    return [thing for thing in listening if not only_reports(machine, thing)]


def _harm(
    event: Event, stopped: Stopped, serving: list[Thing], start: Callable[[], Machine]
) -> tuple[bool, str, Span] | None:
    """What an exit loses: (True, …) where it is sure, (False, …) where it may, None where nothing is lost."""
    parts = flat(event.after)
    work = stopped.enough
    drained = _drained(event.after, work)
    wait = time_of(event.after)
    if any(part.kind == "disconnected" for part in parts):
        return (
            True,
            "process.exit follows when the workers are disconnected, not when their requests are answered",
            event.span,
        )
    from gracelint.behaviour.node.overtaken import overtaken

    late = overtaken(event, stopped)
    if late is not None:
        return late
    open_ = [thing for thing in serving if id(thing) not in drained]
    if open_ and len(open_) < len(serving):
        return False, f"it exits while {name_of(open_[0])} may still have requests", event.span
    if open_:
        if wait is None:
            return False, "how long it waits before process.exit cannot be told", event.span
        if wait < work and any(part.thing is not None and part.thing.kind == "jobs" for part in parts):
            return (
                False,
                "whether requests that are no jobs are answered by then cannot be told",
                event.span,
            )
        if wait < work:
            when = f"{wait:g} s after the signal" if wait else "at once"
            closing = any(done.kind == "close" and done.thing in open_ for done in stopped.events)
            what = "before the requests in flight are answered" if closing else "without closing the server"
            return True, f"process.exit comes {when}, {what}", event.span
    for begun in stopped.machine.floating if event.certain and not wait else ():
        is_written = not stopped.machine.written.isdisjoint(parts) and all(part.kind == "work" for part in begun.rest)
        if is_written or all(part in parts for part in begun.rest):
            continue
        line = begun.span.line
        beside = any(part.kind == "work" for part in parts if part not in begun.before)
        if not begun.certain or (beside and all(part.kind == "work" for part in begun.rest)):
            return False, f"whether what line {line} has started is done by then cannot be told", event.span
        return True, f"process.exit comes before what line {line} has started is done: nobody awaits it", event.span
    from gracelint.behaviour.node.unfinished import under_way

    working = under_way(event, stopped, start)
    if working is not None and working[0]:
        return True, f"process.exit comes in the middle of {working[1]}", event.span
    if working is not None:
        return False, f"whether {working[1]} is done before process.exit cannot be told", event.span
    from gracelint.behaviour.node.backlog import left_behind

    left = left_behind(event, stopped)
    if left is not None:
        return False, *left
    busy = [
        thing for thing in stopped.opened if thing.kind in ("child", "cluster", "worker", "consumer") and thing.alive
    ]
    let_go = {id(part.thing) for part in parts if part.kind in ("ended", "answered", "closed", "drained")}
    lost = [thing for thing in busy if id(thing) not in let_go and thing.certain]
    if lost and not wait:
        unknown = any(part.kind == "work" for part in parts) or (lost[0].kind == "worker" and bool(drained & let_go))
        if unknown:
            return (
                False,
                f"whether {name_of(lost[0])} is still at work when process.exit comes cannot be told",
                event.span,
            )
        return True, f"process.exit does not wait for {name_of(lost[0])}", event.span
    return None


def _drained(after: tuple[After, ...], work: float) -> set[int]:
    """What is surely done before; a race counts where its timers leave the requests their time."""
    found = set()
    for part in after:
        if part.kind in ("drained", "closed"):
            found.add(id(part.thing))
        elif part.kind == "race" and (time_of((part,)) or 0.0) >= work:
            found |= {id(other.thing) for other in flat((part,)) if other.kind == "drained"}
    return found


def _comes_too_soon(event: Event, stopped: Stopped) -> bool:
    """Whether a thread that is told nothing is ended at once, or after less time than work is to be given."""
    told = any(other.thing is event.thing and other.kind in ("ask", "stop-child") for other in stopped.events)
    if _at_once(event) or told or not event.certain:
        return _at_once(event)
    wait = time_of(event.after)
    only_waits = all(part.kind in ("closed", "loop", "timer") for part in event.after)
    return only_waits and wait is not None and wait < stopped.enough


def _at_once(event: Event) -> bool:
    return event.certain and not any(part.kind not in ("closed", "loop") for part in event.after)


def _waits_for_peer(event: Event) -> bool:
    return any(part.kind == "ended" for part in flat(event.after))


def _what(stopped: Stopped) -> str:
    kinds = [event.kind for event in stopped.events if event.certain]
    if "close" in kinds:
        return "closes the server"
    if "stop-child" in kinds or "ask" in kinds:
        return "stops its children"
    return "releases what it holds" if "release" in kinds else "runs"
