"""From abstract runs to what the program does with a signal."""

from __future__ import annotations

import ast
import math

from gracelint.behaviour.python.clients import begun, dropped_by_daemons, endless_stream, held, waits_for_the_peer
from gracelint.behaviour.python.clients import reaction as _reaction
from gracelint.behaviour.python.dropped import daemon_requests, killed_child, left_behind, left_open
from gracelint.behaviour.python.due import due
from gracelint.behaviour.python.ends import (
    DEFAULT,
    EXEC,
    FED,
    FINAL,
    HARD,
    IGNORED,
    KILLED,
    STUCK,
    Deed,
    End,
    Point,
    Registration,
)
from gracelint.behaviour.python.machine import Machine
from gracelint.behaviour.python.places import LONG, candidates, elsewhere, passing
from gracelint.behaviour.python.values import CERTAIN, LOST, Const
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.finding import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.source import Span

_RETRIES = 2
_QUIET = frozenset(("log", "wait"))


class Run:
    """One abstract run and how it ended."""

    def __init__(self, machine: Machine, ends: list[End]) -> None:
        self.machine = machine
        self.ends = ends
        self.endless = True
        """Without a signal the program never ends."""
        self.installs = False
        """On some way the program handles the signal."""
        self.before: Machine = machine
        """The run without a signal, which comes by more of the program."""


def react(signal: str, run: Callable[..., Run], base: Run) -> Reaction:
    """What happens when `signal` arrives at each of the places where the program waits; the worst counts."""
    points = candidates(base.machine, base.ends)
    if not points:
        return _without_waiting(signal, base)
    sure = any(end.kind == STUCK and end.tag == CERTAIN for end in base.ends)
    endless = sure or all(end.kind == STUCK and end.tag < LOST for end in base.ends)

    def judged(point: Point) -> Reaction:
        as_pid_1 = run(signal, id(point.node), True)
        as_pid_1.endless, as_pid_1.before = endless, base.machine
        as_pid_1.installs = any(signal in each.signals for each in base.machine.facts.registrations)
        as_child = run(signal, id(point.node), False) if as_pid_1.machine.raised_default else as_pid_1
        reaction = _judge(signal, point, as_pid_1, as_child)
        if reaction.as_pid_1 is not Verdict.HANDLED:
            return reaction
        from gracelint.behaviour.python.gathered import forgotten

        return forgotten(signal, as_pid_1, reaction)

    reactions = [judged(point) for point in points]
    worst = max(reactions, key=_badness)
    found_at = points[reactions.index(worst)]
    others = elsewhere(base.machine, base.ends) if sure else points if endless else []
    if found_at.excepting:
        others = [*others, *(point for point in points if not point.excepting)]
    other = _unless_it_goes_elsewhere(signal, found_at, worst, others, judged)
    if other is not None:
        return other
    if worst.as_pid_1 is not Verdict.HANDLED:
        return worst
    from gracelint.behaviour.python.early import before_its_handler

    early = before_its_handler(signal, base.machine)
    return early or _unless_it_is_fed(signal, _unless_it_retries(signal, worst, run, base), run, points)


def _unless_it_goes_elsewhere(
    signal: str, point: Point, worst: Reaction, others: list[Point], judged: Callable[[Point], Reaction]
) -> Reaction | None:
    """Of several ways that end in different places, and differently, nobody knows which one it takes."""
    for other in others if worst.as_pid_1 is not Verdict.UNKNOWN else ():
        found = judged(other)
        if found.as_pid_1 is worst.as_pid_1 or found.as_pid_1 is Verdict.UNKNOWN:
            continue
        at, there = max(((point, worst), (other, found)), key=lambda way: _badness(way[1]))
        why = f"whether it comes to line {at.span.line} is only known when it runs: there {there.why}"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, at.span)
    return None


def _unless_it_is_fed(signal: str, reaction: Reaction, run: Callable[..., Run], points: list[Point]) -> Reaction:
    """A loop that looks at the flag only when nothing comes goes on for as long as something does."""
    for point in points:
        if point.kind not in (*FED, "elsewhere") or point.seconds is None or reaction.as_pid_1 is not Verdict.HANDLED:
            continue
        found = _judge(signal, point, fed := run(signal, id(point.node), True, fed=True), fed)
        if found.as_pid_1 is Verdict.IGNORED:
            why = f"as long as `{point.what}` gives it something, it does not look for the end"
            return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, point.span)
    return reaction


def _unless_it_retries(signal: str, reaction: Reaction, run: Callable[..., Run], base: Run) -> Reaction:
    """A retry loop that never looks at the flag holds the end for as long as what it tries fails."""
    for point in passing(base.machine, base.ends)[:_RETRIES]:
        found = _judge(signal, point, retried := run(signal, id(point.node), True, fails=True), retried)
        if found.as_pid_1 is Verdict.IGNORED:
            why = f"as long as the loop around `{point.what}` tries again, it does not look for the end"
            return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, point.span)
    return reaction


def _badness(reaction: Reaction) -> tuple[int, float]:
    order = (Verdict.HANDLED, Verdict.UNKNOWN, Verdict.CUT, Verdict.IGNORED)
    return order.index(reaction.as_pid_1), reaction.delay or 0.0


def _without_waiting(signal: str, base: Run) -> Reaction:
    machine = base.machine
    if machine.facts.maybe:
        point = machine.facts.maybe[-1]
        why = f"whether `{point.what}` runs on, and what it does with {signal}, is not in the project"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, point.span)
    if machine.doubts:
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, machine.doubts[0])
    if any(end.kind == EXEC for end in base.ends):
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, "it execs another program")
    slow = next((point for point in machine.facts.aside if (point.limit or 0) >= LONG), None)
    if slow is not None:
        why = f"it has no main loop, but waits in `{slow.what}`"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, slow.span)
    lost = any(end.kind == STUCK for end in base.ends)
    if lost:
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, "how long its loop runs is only known when it runs")
    if machine.blind:
        why = f"which function `{machine.blind}` calls is only known when it runs"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why)
    handled = next((each for each in machine.facts.registrations if signal in each.signals), None)
    if handled is not None:
        why = f"it handles {signal}, but where that finds it before it has run to its end is only known when it runs"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, handled.module.span(handled.node))
    why = f"it has no handler for {signal}, and runs to its end by itself"
    return Reaction(signal, Verdict.IGNORED, Verdict.CUT, Cause.ONE_SHOT, why)


def _judge(signal: str, point: Point, run: Run, child: Run) -> Reaction:
    machine = run.machine
    if machine.arrival is None:
        return _reaction(
            signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"whether it ever gets to `{point.what}` is not known", point.span
        )
    ends = [end for end in run.ends if end.kind != "?"]
    kinds = {end.kind for end in ends}
    worst = max((end.tag for end in ends), default=CERTAIN)
    if DEFAULT in kinds:
        return _unhandled(signal, point, run, next(end for end in ends if end.kind == DEFAULT))
    if IGNORED in kinds:
        span = machine.handler.module.span(machine.handler.node) if machine.handler else point.span
        why = f"{signal} is set to SIG_IGN"
        return _reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, span)
    stuck = min((end for end in ends if end.kind == STUCK), key=lambda end: end.tag, default=None)
    if stuck is not None and stuck.tag == CERTAIN and not machine.doubts:
        return _stuck(signal, point, run, child, stuck)
    hard = next((end for end in ends if end.kind == HARD), None)
    if hard is not None and hard.tag == CERTAIN:
        from gracelint.behaviour.python.hard import at_once

        return at_once(signal, point, run.machine, hard)
    if (stuck is not None and stuck.tag == CERTAIN) or (machine.doubts and not _ends(ends)):
        reason = machine.doubts[0] if machine.doubts else "the source does not say whether it ends"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, reason, point.span)
    if (stuck is not None and stuck.tag == LOST) or worst == LOST:
        where = stuck.point if stuck is not None and stuck.point is not None else point
        reason = (
            machine.doubts[0] if machine.doubts else f"whether it gets past `{where.what}` is only known when it runs"
        )
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, reason, point.span)
    return _ended(signal, point, run)


def _ends(ends: list[End]) -> bool:
    return bool(ends) and all(end.kind not in FINAL for end in ends)


def _ended(signal: str, point: Point, run: Run) -> Reaction:
    """The program ends by itself. How late, and was anything lost on the way?"""
    if run.machine.delay == math.inf:
        joined = next((wait for wait in run.machine.leaving if wait.kind == "queue.join"), point)
        why = f"how much `{joined.what}` waits for is only known when it runs: more is put in than is taken out"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, joined.span)
    reaction = _lost(signal, point, run)
    for later in (held, begun, due):
        if reaction.as_pid_1 is Verdict.HANDLED:
            reaction = later(signal, run.machine, reaction)
    if reaction.as_pid_1 is Verdict.HANDLED and run.before.facts.handed:
        from gracelint.behaviour.python.backlog import backlog

        reaction = backlog(signal, run, reaction)
    if reaction.as_pid_1 is Verdict.HANDLED and run.machine.queues:
        from gracelint.behaviour.python.backlog import forgotten

        reaction = forgotten(signal, run.machine, reaction)
    if reaction.as_pid_1 is Verdict.HANDLED and run.machine.acts:
        from gracelint.behaviour.python.interrupted import given_up

        reaction = given_up(signal, run.machine, reaction)
    deadline = run.machine.world.get("deadline")
    if reaction.as_pid_1 is Verdict.HANDLED and isinstance(deadline, Const) and deadline.value < (reaction.delay or 0):
        return _cut_off(signal, run, None, float(deadline.value), point.span)
    return reaction


def _lost(signal: str, point: Point, run: Run) -> Reaction:
    machine = run.machine
    handler = machine.handler
    span = handler.module.span(handler.node) if handler is not None else point.span
    if any(end.skipped is not None for end in run.ends):
        from gracelint.behaviour.python.uncaught import uncaught

        broken = uncaught(signal, run)
        if broken is not None:
            return broken
    if machine.facts.children or machine.facts.working:
        from gracelint.behaviour.python.unfinished import by_others

        others = by_others(signal, machine, span)
        if others is not None:
            return others
    if run.before.facts.working and point.loops:
        from gracelint.behaviour.python.account import of_earlier_rounds

        earlier = of_earlier_rounds(signal, machine, run.before)
        if earlier is not None:
            return earlier
    if machine.left_alone:
        from gracelint.behaviour.python.unfinished import left_alone

        alone = left_alone(signal, machine, span)
        if alone is not None:
            return alone
    late = machine.application.deadline if machine.application is not None else None
    if late is not None and (machine.delay or 0) > late:
        why = f"the application takes {machine.delay:g} s to end, and {_server(point)} kills it after {late:g} s"
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, point.span, delay=late)
    if machine.served:
        row = point.serves or {}
        if row.get("reload_cuts") or row.get("drops_always"):
            why = f"{row['server']} ends at once and drops the requests in flight"
            return _reaction(
                signal, Verdict.CUT, Cause.DEV_SERVER if row.get("development") else Cause.ABRUPT_EXIT, why, point.span
            )
        name = row.get("server", "the program")
        stream = endless_stream(signal, machine, point)
        if stream is not None:
            return stream
        if machine.delay is None:
            why = f"how long it takes after {name} has ended is only known when it runs"
            return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, point.span)
        return _reaction(
            signal,
            Verdict.HANDLED,
            Cause.GRACEFUL,
            _takes_its_time(f"{name} handles {signal}" if row else f"{point.what} takes {signal}", machine),
            _slowest(machine, point).span,
            delay=machine.delay or None,
        )
    given_up = next((each for each in machine.given_up if "#finished" not in each[0].store), None)
    if given_up is not None:
        thing, call, limit, seconds = given_up
        takes = f"takes {seconds:g} s" if seconds < math.inf else "grows faster than it is done"
        why = f"`{call}` gives up after {limit:g} s, and what it waits for {takes}: it is left behind"
        verdict = Verdict.CUT if seconds > 2 * limit else Verdict.UNKNOWN
        at = thing.module.span(thing.node) if thing.module is not None and thing.node is not None else span
        return _reaction(signal, verdict, Cause.ABRUPT_EXIT, why, at, delay=limit)
    if machine.misfit and not machine.cleaned:
        why = "the handler does not take the arguments that it gets: TypeError ends the program before any cleanup"
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    behind = left_behind(machine, point)
    if behind is not None:
        server = (behind.serves or {}).get("server", "the server")
        why = f"the main thread ends, and with it {server} in its daemon thread: requests in flight are dropped"
        if daemon_requests(behind):
            why = f"`{behind.what}` ends, but its request threads are daemons: requests in flight are dropped"
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, behind.span, delay=machine.delay)
    killed = killed_child(machine, point)
    if killed is not None and killed.module is not None and killed.node is not None:
        why = "the main process ends, and kills its daemon process whatever that is doing"
        at = killed.module.span(killed.node)
        return _reaction(signal, Verdict.UNKNOWN, Cause.ABRUPT_EXIT, why, at, delay=machine.delay)
    still_open = left_open(machine, point)
    if still_open is not None:
        where, why, sure = still_open
        verdict, cause = (Verdict.CUT, Cause.ABRUPT_EXIT) if sure else (Verdict.UNKNOWN, Cause.UNKNOWN)
        return _reaction(signal, verdict, cause, why, where.span, delay=machine.delay)
    served = next((each for each in (point, *(serving for _, serving in machine.facts.beside)) if each.serves), None)
    peer = waits_for_the_peer(signal, machine, served) if served is not None else None
    if peer is not None:
        return peer
    if daemon_requests(point) and machine.thrown is None:
        from gracelint.behaviour.python.instant import answers_at_once

        if not answers_at_once(machine):
            return dropped_by_daemons(signal, machine, point)
    if machine.dropped is not None:
        from gracelint.behaviour.python.thrown import out_of_a_server

        left = out_of_a_server(signal, machine, point, machine.dropped, span)
        if left is not None:
            return left
    if handler is None and signal == "SIGINT":
        if not machine.cleaned:
            why = "SIGINT raises KeyboardInterrupt, and nothing cleans up"
            return _reaction(signal, Verdict.CUT, Cause.NO_HANDLER, why, point.span)
        return _reaction(
            signal,
            Verdict.HANDLED,
            Cause.GRACEFUL,
            "SIGINT raises KeyboardInterrupt, and the program cleans up",
            point.span,
        )
    if point.kind in ("iterate", "call") and point.limit is None and machine.thrown is None:
        return _reaction(
            signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"when `{point.what}` ends is not in the project", point.span
        )
    if (
        machine.thrown is not None
        and machine.thrown.dotted == "builtins.RuntimeError"
        and machine.runners_stopped
        and not machine.cleaned
    ):
        why = "loop.stop() makes asyncio.run() fail with RuntimeError, and nothing cleans up"
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    broken_off = _broken_off(signal, machine, point)
    if broken_off is not None:
        return broken_off
    if machine.delay is None:
        return _reaction(
            signal,
            Verdict.UNKNOWN,
            Cause.UNKNOWN,
            f"how long `{_slow(machine, point).what}` takes is only known when it runs",
            _slow(machine, point).span,
        )
    if machine.waited and point.loops and isinstance(point.node, ast.Call) and point.node.args:
        from gracelint.behaviour.python.growing import outgrown

        grown = outgrown(signal, machine, point)
        if grown is not None:
            return grown
    why = f"its handler for {signal} ends it"
    if machine.waited and point.limit:
        why = f"its handler for {signal} is seen within {point.limit:g} s, when `{point.what}` returns"
    return _reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=machine.delay or None)


def _broken_off(signal: str, machine: Machine, point: Point) -> Reaction | None:
    if not machine.broken_off:
        return None
    from gracelint.behaviour.python.interrupted import interrupted

    return interrupted(signal, machine, point)


def _slowest(machine: Machine, point: Point) -> Point:
    """The longest of the waits on the way out."""
    waits = [wait for wait in machine.leaving if wait.limit]
    return max(waits, key=lambda wait: wait.limit or 0, default=point)


def _takes_its_time(why: str, machine: Machine) -> str:
    if not machine.delay or machine.delay < 1:
        return why
    return f"{why}, and what is on the way out takes {machine.delay:g} s"


def _slow(machine: Machine, point: Point) -> Point:
    """The wait on the way out of which nobody knows how long it takes."""
    timed = (wait for wait in machine.leaving if wait.seconds is not None and wait.limit is None)
    return next(timed, point)


def _unhandled(signal: str, point: Point, run: Run, end: End) -> Reaction:
    machine = run.machine
    if end.tag != CERTAIN or machine.doubts:
        reason = (
            machine.doubts[0]
            if machine.doubts
            else f"whether a handler for {signal} is installed is only known when it runs"
        )
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, reason, point.span)
    if machine.blind and not run.installs and _may_install(machine):
        why = f"which function `{machine.blind}` calls, and whether that handles {signal}, is only known when it runs"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, point.span)
    if not run.endless and point.kind in ("sleep", "elsewhere", "loop") and not point.outlasts_a_stop:
        why = f"it has no handler for {signal}, and how long it runs is only known when it runs"
        if run.installs:
            why = f"whether a handler for {signal} is installed is only known when it runs"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, point.span)
    quiet = Verdict.IGNORED if signal in ("SIGWINCH",) else Verdict.CUT
    others = [r for r in machine.facts.registrations if r.signals and signal not in r.signals]
    off_main = next((r for r in machine.facts.registrations if not r.main_thread and signal in r.signals), None)
    if off_main is not None:
        why = "signal.signal() raises ValueError outside the main thread, so no handler is installed"
        return Reaction(signal, Verdict.IGNORED, quiet, Cause.OFF_MAIN_THREAD, why, off_main.module.span(off_main.node))
    if point.serves is not None and point.serves.get("development"):
        why = f"{point.serves['server']}'s development server has no handler for {signal}"
        return Reaction(signal, Verdict.IGNORED, quiet, Cause.DEV_SERVER, why, point.span)
    restored = machine.world.get(("signal", signal))
    if isinstance(restored, Registration) and any(signal in r.signals for r in machine.facts.registrations):
        why = f"when it comes to `{point.what}`, its handler for {signal} is no longer installed"
        return Reaction(signal, Verdict.IGNORED, quiet, Cause.NO_HANDLER, why, point.span)
    sigint = next((r for r in others if "SIGINT" in r.signals and r.main_thread), None)
    if sigint is not None:
        why = f"it handles {' and '.join(sigint.signals)}, not {signal}"
        return Reaction(signal, Verdict.IGNORED, quiet, Cause.OTHER_SIGNAL_ONLY, why, sigint.module.span(sigint.node))
    interrupt = keyboard_interrupt(point)
    if interrupt is not None and signal != "SIGINT":
        why = f"it handles KeyboardInterrupt, which is SIGINT, not {signal}"
        return Reaction(signal, Verdict.IGNORED, quiet, Cause.OTHER_SIGNAL_ONLY, why, interrupt)
    if others:
        why = f"it handles {' and '.join(others[0].signals)}, not {signal}"
        return Reaction(
            signal, Verdict.IGNORED, quiet, Cause.OTHER_SIGNAL_ONLY, why, others[0].module.span(others[0].node)
        )
    why = f"it has no handler for {signal}"
    if point.serves is not None:
        why = f"{point.serves['server']} has no handler for {signal}, and the program installs none"
    return Reaction(signal, Verdict.IGNORED, quiet, Cause.NO_HANDLER, why, point.span)


def _may_install(machine: Machine) -> bool:
    """Whether anything in the project's sources installs handlers."""
    return any(word in source.text for source in machine.modules.sources() for word in _INSTALLS)


_INSTALLS = ("signal.signal(", "add_signal_handler(")


def keyboard_interrupt(point: Point) -> Span | None:
    """The clause around a wait that names KeyboardInterrupt."""
    for guard in point.guards:
        if isinstance(guard.node, ast.Try):
            for handler in guard.node.handlers:
                if handler.type is not None and "KeyboardInterrupt" in ast.unparse(handler.type):
                    return guard.module.span(handler.type)
    return None


def _stuck(signal: str, point: Point, run: Run, child: Run, end: End) -> Reaction:
    machine = run.machine
    where = end.point or point
    handler = machine.handler
    at_handler = handler.module.span(handler.node) if handler is not None else where.span
    notes = (Note(at_handler, "the handler is installed here"),) if handler is not None else ()
    as_child = Verdict.IGNORED
    deadline = machine.world.get("deadline")
    if isinstance(deadline, Const):
        return _cut_off(signal, run, end, float(deadline.value), at_handler)
    blocker = machine.blocked_by
    if any(e.kind == KILLED for e in child.ends):
        as_child = Verdict.HANDLED
    if machine.application is not None and machine.application.deadline is not None:
        return _killed_by_server(signal, run, point, where, end, machine.application.deadline)
    if end.cause == "deadlock":
        cause, why = (
            Cause.SHUTDOWN_DEADLOCK,
            f"`{where.what}` waits for serve_forever(), which runs in the same thread and waits for the handler",
        )
    elif end.cause in ("exit blocked", "pool") or _holds_the_exit(machine, where, end):
        cause, why = Cause.EXIT_BLOCKED, _blocked(where, blocker, _asker(machine, point))
    elif machine.raised_default and any(e.kind in (KILLED, HARD) for e in child.ends):
        cause, why = (
            Cause.STILL_ALIVE,
            "the handler sends its own process a signal for its default action, which PID 1 does not get",
        )
        as_child = Verdict.HANDLED if any(e.kind == KILLED for e in child.ends) else Verdict.CUT
    elif machine.thrown is not None:
        name = machine.thrown.dotted.rpartition(".")[2] if machine.thrown.cls is None else machine.thrown.cls.node.name
        cause, why = Cause.EXIT_BLOCKED, f"the handler raises {name}, but the program catches it and goes on"
        swallower = _swallower(point)
        if swallower is not None:
            return Reaction(signal, Verdict.IGNORED, Verdict.IGNORED, cause, why, swallower, notes)
    elif machine.held:
        why = f"{signal} is blocked with pthread_sigmask(), and nothing takes it"
        return Reaction(signal, Verdict.IGNORED, Verdict.IGNORED, Cause.DISCARDED, why, point.span)
    elif machine.unawaited:
        why = f"the handler for {signal} is a coroutine function, and nobody awaits what it gives: it never runs"
        return Reaction(signal, Verdict.IGNORED, Verdict.IGNORED, Cause.DISCARDED, why, at_handler)
    elif end.cause == "deaf":
        cause, why = Cause.NEVER_OBSERVED, f"no handler runs before `{where.what}` returns"
    elif end.cause == "handler wait":
        cause, why = Cause.EXIT_BLOCKED, f"the handler itself waits in `{where.what}`, which does not end"
    elif all(deed.kind in _QUIET for deed in machine.acts) and not _replaced(signal, point, where):
        cause, why = Cause.DISCARDED, f"the handler for {signal} does not end the program"
        return Reaction(signal, Verdict.IGNORED, Verdict.IGNORED, cause, why, at_handler)
    else:
        cause, why = Cause.NEVER_OBSERVED, _unseen(signal, machine.acts, point, where, end)
    return Reaction(signal, Verdict.IGNORED, as_child, cause, why, where.span, notes)


def _holds_the_exit(machine: Machine, where: Point, end: End) -> bool:
    """The main thread is on its way out and waits for a thread, task or child."""
    left = machine.thrown is not None or where is not machine.arrival
    return end.cause == "wait" and bool(where.joins) and left


def _cut_off(signal: str, run: Run, end: End | None, seconds: float, span: Span) -> Reaction:
    """A timer of the handler's ends what would not end by itself before that."""
    if end is not None and end.cause in ("exit blocked", "pool"):
        why = f"the main thread ends, and the handler's timer ends the rest after {seconds:g} s"
        return _reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=seconds)
    why = f"only the handler's timer ends it, after {seconds:g} s and without cleaning up"
    return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span, delay=seconds)


def _killed_by_server(signal: str, run: Run, point: Point, where: Point, end: End, seconds: float) -> Reaction:
    """A worker that does not end by itself is killed by its server."""
    machine, server = run.machine, _server(point)
    if end.cause == "exit blocked":
        why = f"{_blocked(where, machine.blocked_by, server)}, until {server} kills its worker after {seconds:g} s"
        return _reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, where.span, delay=seconds)
    why = f"{_unseen(signal, machine.acts, point, where, end)}, until {server} kills its worker after {seconds:g} s"
    handler = machine.handler
    span = handler.module.span(handler.node) if handler is not None else where.span
    return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span, delay=seconds)


def _server(point: Point) -> str:
    return str((point.serves or {}).get("server", "the server"))


def _asker(machine: Machine, point: Point) -> str:
    """Who wants the program to end."""
    return _server(point) if machine.served and point.serves is not None else "the handler"


def _blocked(where: Point, blocker: Point | None, asker: str = "the handler") -> str:
    thing = where.joins[0] if where.joins else None
    kinds = {
        "threading.Thread": "a non-daemon thread",
        "multiprocessing.Process": "a child process",
        "asyncio.Task": "a task",
    }
    name = (
        kinds.get(thing.kind, "an executor" if thing.kind.startswith("concurrent") else "a task")
        if thing is not None
        else "a pool"
    )
    if where.kind == "pool":
        return "pool workers inherited the handler, and what it raises does not end them"
    asks = "asks for the end" if asker == "the handler" else "ends"
    why = f"{asker} {asks}, but {name} keeps the process"
    return f"{why}: `{blocker.what}` does not end" if blocker is not None and blocker.kind != "loop" else why


def _unseen(signal: str, acts: list[Deed], point: Point, where: Point, end: End) -> str:
    flags = [deed.target for deed in acts if deed.kind in ("flag", "event")]
    does = f"only sets `{flags[0]}`" if flags else "does not end the main thread"
    blocked = where if end.cause == "wait" else point
    if not acts and where.serves is None and point.serves is not None and end.cause == "wait":
        return f"{_server(point)} ends, but the application's `{blocked.what}` goes on waiting without a timeout"
    if _replaced(signal, point, where):
        return f"the handler {does}, and {_server(blocked)}, whose own handler it replaces, goes on serving"
    if end.cause == "wait" and where.seconds is None and where.kind != "loop":
        return f"the handler {does}, and `{blocked.what}` goes on waiting without a timeout"
    if where.kind == "loop" or end.cause == "loop":
        return f"the handler {does}, and the loop goes on"
    return f"the handler {does}, and `{blocked.what}` goes on"


def _replaced(signal: str, point: Point, where: Point) -> bool:
    """Whether the handler took the place of the one of a server, which goes on serving."""
    return point.serves is not None and signal in point.handles and where.node is point.node


def _swallower(point: Point) -> Span | None:
    for guard in reversed(point.guards):
        if isinstance(guard.node, ast.Try) and guard.node.handlers:
            handler = guard.node.handlers[0]
            return guard.module.span(handler.type or handler)
    return None
