"""What others were doing for the program when it ended: children, and daemon threads."""

from __future__ import annotations

import ast

from gracelint.base.memory import lru_cache
from gracelint.base.record import replace
from gracelint.behaviour.python.beside import finishes, is_daemon
from gracelint.behaviour.python.cancels import takes_a_cancel
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.ends import FED
from gracelint.behaviour.python.midway import is_half_done, left_to_do
from gracelint.behaviour.python.names import text_of
from gracelint.behaviour.python.queues import overfills
from gracelint.behaviour.python.registry import POOLS, PROCESSES, THREADS, receiver_of
from gracelint.behaviour.python.streams import takes_only_a_limit
from gracelint.behaviour.python.values import Const, Later, Thing, are_alike
from gracelint.behaviour.python.waits import command_of
from gracelint.behaviour.python.work import a_round
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.modules import Module
    from gracelint.source import Span

_COMMANDS = ("subprocess", "subprocess.Popen", "asyncio.Process")


def by_others(signal: str, machine: Machine, span: Span) -> Reaction | None:
    """What becomes of the children, threads and tasks of a program that ends; None where nothing is lost."""
    found = _child(signal, machine, span) or _killed(signal, machine)
    if found is not None or machine.served:
        return found
    found = _work(signal, machine)
    if found is None and machine.facts.working:
        from gracelint.behaviour.python.unsaved import unsaved

        found = unsaved(signal, machine)
    return found


def _child(signal: str, machine: Machine, span: Span) -> Reaction | None:
    """What becomes of a child: the signal is passed on, it is left alone with it, or it never hears of it."""
    children = machine.facts.children
    forwarded = next((thing for thing in children if _is_forwarded(thing, machine)), None)
    if forwarded is not None and machine.thrown is None:
        return _forwarded(signal, machine, forwarded, span)
    left = next((thing for thing in children if _is_left(thing, machine)), None)
    if left is not None:
        who = "the handler" if "#forwarded" in left.store else "it"
        return _ended_with(signal, machine, left, f"{who} signals the child and ends without waiting for it", span)
    told = [thing for thing in children if "#told" in thing.store or thing.node in machine.ended]
    untold = next((thing for thing in children if _is_untold(thing, machine) and not _is_told(thing, told)), None)
    if untold is None or _cleans_up(machine, untold) is False:
        return None
    why = "it ends without a word to its child, which is killed with it"
    return _ended_with(signal, machine, untold, why, span)


def _killed(signal: str, machine: Machine) -> Reaction | None:
    """A process of the program that is terminated, by the default action of SIGTERM, before its own `finally`."""
    for thing, points in machine.facts.unguarded:
        guards = [guard.node for point in points for guard in point.guards]
        cleans = any(isinstance(guard, ast.Try) and guard.finalbody for guard in guards)
        if "#terminated" in thing.store and cleans:
            why = "it terminates its process, whose own cleanup is lost: it has no handler for SIGTERM"
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span_of(thing), delay=machine.delay)
    return None


def _is_forwarded(thing: Thing, machine: Machine) -> bool:
    """The handler signals a child, whose end the main thread waits for."""
    awaits = machine.arrival is not None and _waits_for(machine, machine.arrival, thing)
    return "#forwarded" in thing.store and (awaits or "#awaited" in thing.store)


def _is_left(thing: Thing, machine: Machine) -> bool:
    """The program signals a child once it has the signal itself, and ends without waiting for it."""
    arrival = machine.arrival
    if arrival is None or (_waits_for(machine, arrival, thing) and machine.thrown is None) or "#awaited" in thing.store:
        return False
    return "#told" in thing.store and not any(_waits_for(machine, point, thing) for point in machine.leaving)


def _waits_for(machine: Machine, point: Point, thing: Thing) -> bool:
    """Whether a child is waited for: itself, or by one of the tasks that are."""
    targets = [each.store.get("#target") for each in point.joins]
    awaited = [receiver_of(target.function) for target in targets if isinstance(target, Later)]
    tasks = (each for task in point.joins for each in machine.waiting_on.get(id(task), ()))
    return thing in (*point.joins, *awaited, *tasks)


def _is_untold(thing: Thing, machine: Machine) -> bool:
    """A child runs when the signal comes, and nobody tells it or waits for it."""
    arrival = machine.arrival
    if thing.kind not in _COMMANDS or arrival is None:
        return False
    runs_on = machine.children.runs_on(command_of(thing))
    if thing.node is arrival.node or thing in arrival.joins:
        return machine.thrown is not None and runs_on is not False
    return runs_on is True


def _is_told(thing: Thing, told: list[Thing]) -> bool:
    """Whether a child is among those that are told, or was started again in the place of one."""
    return any(each is thing or are_alike(each, thing) for each in told)


def _cleans_up(machine: Machine, thing: Thing) -> bool | None:
    sent = thing.store.get("#signalled")
    return machine.children.cleans_up_on(command_of(thing), sent.value if isinstance(sent, Const) else "SIGTERM")


def _ended_with(signal: str, machine: Machine, thing: Thing, why: str, span: Span) -> Reaction:
    cleans_up = _cleans_up(machine, thing)
    if cleans_up is None:
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"{why}, whatever it still has to do", span)
    if cleans_up:
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, f"{why}: the child's cleanup is lost", span)
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, f"{why}; the child has nothing to finish", span)


def _forwarded(signal: str, machine: Machine, thing: Thing, span: Span) -> Reaction:
    words = command_of(thing)
    why = "it passes the signal on to its child and waits for it"
    if machine.children.is_idle(words):
        why = f"{why}; the child has nothing to finish"
        return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span)
    sent = thing.store.get("#signalled")
    passes = sent.value if isinstance(sent, Const) and isinstance(sent.value, str) else None
    if passes == "SIGKILL":
        cleans = machine.children.cleans_up_on(words, signal) is True
        verdict, cause = (Verdict.CUT, Cause.ABRUPT_EXIT) if cleans else (Verdict.UNKNOWN, Cause.UNKNOWN)
        return reaction(signal, verdict, cause, "it kills its child, whatever that still has to do", span)
    if words and passes is not None:
        machine.facts.forwards_to = words
    elif words:
        why = f"{why}: with which signal is only known when it runs"
    elif thing.node is not None:
        why = f"{why}: which command `{text_of(thing.node)}` starts is only known when it runs"
    found = reaction(signal, Verdict.UNKNOWN, Cause.GRACEFUL, why, span)
    return found if passes in (None, signal) else replace(found, passes=passes)


def _work(signal: str, machine: Machine) -> Reaction | None:
    """What a task, or a daemon thread or process, has begun is lost when the main thread ends."""
    if machine.lost_task is not None:
        task, takes = machine.lost_task
        why = f"its event loop ends, and cancels tasks that take {takes:g} s and that nobody waits for"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span_of(task), delay=machine.delay)
    if overfills(machine):
        why = "whether the queue between its processes is read to its end, for which Python waits, is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span_of(machine.piped[0]))
    lost = _of_pools(signal, machine)
    if lost is not None:
        return lost
    begun = next((each for each in machine.facts.children if _is_cancelled_as_begun(machine, each)), None)
    if begun is not None:
        why = "it cancels tasks that are started for each piece of work: what they have begun is lost"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span_of(begun), delay=machine.delay)
    leaving = [point for point in machine.leaving if not _is_vain(point)]
    waits = [point for point in leaving if point.kind not in ("sleep", "exit", "gather")]
    cancelled = next((each for each in machine.facts.working if _is_cancelled_at_work(machine, *each, waits)), None)
    if cancelled is not None:
        why = f"it cancels the task behind `{cancelled[1].what}` whatever that is doing: what has begun is lost"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, cancelled[1].span, delay=machine.delay)
    if waits:
        return _beside_joins(signal, machine)
    if any(point.kind == "gather" for point in leaving):
        return None
    return _midway(signal, machine, machine.facts.working) or _of_daemons(signal, machine) or _told(signal, machine)


def _is_vain(wait: Point) -> bool:
    """A wait for tasks that were cancelled leaves them no time for their work."""
    return bool(wait.joins) and all("#cancelled" in each.store for each in wait.joins)


def _beside_joins(signal: str, machine: Machine) -> Reaction | None:
    """A daemon thread that still stands in the middle of its work once the main thread has waited for others."""
    waits = [wait for wait in machine.leaving if wait.kind != "exit"]
    if machine.delay is None or not all(wait.kind == "sleep" or wait.joins for wait in waits):
        return None
    awaited = [thing for wait in waits for thing in wait.joins]
    others = [
        (thing, point)
        for thing, point in machine.facts.working
        if thing.kind in THREADS and thing not in awaited and point.limit is not None
    ]
    return _midway(signal, machine, others)


def _midway(signal: str, machine: Machine, working: list[tuple[Thing, Point]]) -> Reaction | None:
    """A task or daemon thread that pauses in the middle of its work when the main thread ends without it."""
    for thing, point in working:
        is_killed = thing.kind in PROCESSES and "#terminated" in thing.store
        if is_killed and is_half_done(point) and not point.guards:
            why = f"it ends a process of its own while `{point.what}` stands in the middle of what that does"
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, point.span, delay=machine.delay)
        alone = thing.kind == "asyncio.Task" or (thing.kind in THREADS and is_daemon(thing))
        if point.limit is not None and point.limit <= (machine.delay or 0):
            continue
        is_told = "#finished" in thing.store or thing.node in machine.ended
        if not alone or not is_half_done(point) or (is_told and ("#cancelled" not in thing.store or point.guards)):
            continue
        why = f"it ends while `{point.what}` stands in the middle of what a task does: nothing waits for that"
        why = why.replace("a task does", "a daemon thread does") if thing.kind in THREADS else why
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, point.span, delay=machine.delay)
    return None


def _of_pools(signal: str, machine: Machine) -> Reaction | None:
    """What the workers of a pool are at when it is terminated, or when the program ends, which terminates it too."""
    for pool in machine.facts.children:
        task = pool.store.get("#work")
        if pool.kind not in POOLS or not isinstance(task, Thing) or "#joined" in pool.store:
            continue
        arrival = machine.arrival
        waited = "#awaited" in task.store and (arrival is None or arrival.node is not task.node)
        if waited or (machine.thrown is None and "#terminated" not in pool.store and _asks_for_results(pool.module)):
            continue
        seconds = own_seconds(machine, task)
        if seconds is None or 0 < seconds < 1 or (seconds < 1 and machine.cleaned):
            continue
        verdict = Verdict.CUT if seconds >= 1 else Verdict.UNKNOWN
        why = "the workers of its pool are terminated, whatever they have begun: nothing closes and joins it"
        return reaction(signal, verdict, Cause.ABRUPT_EXIT, why, span_of(task), delay=machine.delay)
    return None


@lru_cache(maxsize=4)
def _asks_for_results(module: Module | None) -> bool:
    """Whether the program may wait for what it has given to a pool."""
    return module is not None and any(map(_waits_for_a_result, ast.walk(module.tree)))


def _waits_for_a_result(part: ast.AST) -> bool:
    """`result.get(timeout=5)`, unlike a mapping's, which is handed a key."""
    if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute):
        return False
    name = part.func.attr
    if name != "get":
        return name == "wait" or name.startswith("imap")
    return takes_only_a_limit(part)


def _is_cancelled_as_begun(machine: Machine, task: Thing) -> bool:
    """Whether a scope is cancelled in which a loop starts tasks that take their time and come to their end."""
    if "scope cancelled" not in machine.world or task.kind != "asyncio.Task" or "#again" not in task.store:
        return False
    return (own_seconds(machine, task) or 0.0) >= 1


def _is_cancelled_at_work(machine: Machine, task: Thing, taking: Point, waits: list[Point]) -> bool:
    """Whether a task is cancelled that takes a while for each item, and does not catch that to finish it.

    The other waits on the way out save an item that takes no longer than one of them.
    """
    if task.kind != "asyncio.Task" or "#cancelled" not in task.store or taking.kind not in FED:
        return False
    loop = _loop_around(taking)
    catches = any(_catches_the_end(part) for part in (ast.walk(loop) if loop is not None else ()))
    seconds = _seconds(machine, loop)
    given_up = all(wait.limit is not None and wait.limit < seconds for wait in waits)
    return not catches and not taking.guards and seconds >= 1 and given_up


def _catches_the_end(part: ast.AST) -> bool:
    """Whether an `except` takes what a task is cancelled with, or a `finally` is handed what it was at."""
    if isinstance(part, ast.Try):
        calls = (call for line in part.finalbody for call in ast.walk(line) if isinstance(call, ast.Call))
        return any(isinstance(given, ast.Name) for call in calls for given in call.args)
    return isinstance(part, ast.ExceptHandler) and takes_a_cancel(part)


def _of_daemons(signal: str, machine: Machine) -> Reaction | None:
    """A daemon thread or process at work: it takes from others, looks for work, or is started for each piece of it."""
    for thing in machine.facts.children if not machine.leaving else ():
        if thing.kind in THREADS and "#again" in thing.store and is_daemon(thing) and thing.node not in machine.ended:
            seconds = own_seconds(machine, thing) or 0.0
            if seconds >= 1:
                why = f"it ends, and with it the daemon threads that take {seconds:g} s and that nobody waits for"
                return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span_of(thing), delay=machine.delay)
    for thing, taking in machine.facts.working:
        if taking.kind == "event-wait" or not is_daemon(thing) or thing.node in machine.ended:
            continue
        if taking.kind == "sleep" and not _polls(_loop_around(taking), taking.node):
            continue
        is_told = finishes(machine, thing, taking.node) is not False
        seconds = _seconds(machine, _loop_around(taking))
        if seconds < 1 and (is_told or thing.kind not in THREADS):
            continue
        if 0 < seconds <= (machine.delay or 0):
            continue
        told = "it does not wait for" if is_told else "nobody tells"
        kind = "thread" if thing.kind in THREADS else "process"
        why = f"it ends, and {told} the daemon {kind} at work behind `{taking.what}`: what that has begun is lost"
        verdict = Verdict.CUT if seconds >= 1 else Verdict.UNKNOWN
        return reaction(signal, verdict, Cause.ABRUPT_EXIT, why, taking.span, delay=machine.delay)
    return None


def left_alone(signal: str, machine: Machine, span: Span) -> Reaction | None:
    """A task that was started on the way out is not done when the main task ends, or nobody knows."""
    for task, seconds, longer, waits in machine.left_alone:
        later = machine.leaving[waits:]
        rest = [wait.limit for wait in later if wait.kind in ("sleep", "gather") and wait.limit is not None]
        if task.node in machine.ended or len(rest) < len(later):
            continue
        at = span_of(task) or span
        if sum(rest) < seconds:
            why = f"its event loop ends, and cancels a task that takes {seconds:g} s and that nobody waits for"
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, at)
        if longer:
            why = "whether a task that nobody waits for is done before its event loop ends is only known when it runs"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, at)
    return None


def _told(signal: str, machine: Machine) -> Reaction | None:
    """A daemon thread that is told to end, has something to do then, and is not waited for."""
    for thing, pause in machine.facts.working if not machine.leaving else ():
        alone = thing.kind in THREADS and is_daemon(thing) and thing.node not in machine.ended
        if not alone or not _outlasts(pause, machine.delay or 0):
            continue
        in_round, after = left_to_do(pause)
        if (in_round or after) is None or finishes(machine, thing, pause.node) is not True:
            continue
        where = "which its daemon thread still does when it is told to end"
        if after is not None:
            why = f"it does not wait for `{text_of(after)}`, {where}"
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, pause.module.span(after), delay=machine.delay)
        if in_round is not None:
            why = f"whether anything is lost is not known: it does not wait for `{text_of(in_round)}`, {where}"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, pause.module.span(in_round))
    return None


def _outlasts(pause: Point, seconds: float) -> bool:
    """Whether a thread may still be in its pause, or has just been woken, when the main thread has ended."""
    repeats = bool(pause.loops) and isinstance(pause.loops[-1].node, ast.While)
    return pause.kind == "event-wait" or (pause.kind == "sleep" and repeats and (pause.limit or 0) > seconds)


BRIEF = 0.3
"""Seconds. A piece of work that takes less is hardly ever under way."""
INSTANT = 0.01
"""Seconds of what comes to its end without a pause."""


def own_seconds(machine: Machine, thing: Thing) -> float | None:
    """How long a thread takes that comes to its end, 0 where that is not known; None where it does not."""
    before, mark = machine.delay, len(machine.trail)
    machine.delay = 0.0
    ends = finishes(machine, thing, thing.node or machine.entry.tree)
    seconds, machine.delay = machine.delay, before
    machine.undo(mark)
    if ends is not True:
        return None if ends is False else 0.0
    return seconds or INSTANT


def _loop_around(point: Point) -> ast.While | ast.For | ast.AsyncFor | None:
    loop = point.loops[-1].node if point.loops else None
    return loop if isinstance(loop, (ast.While, ast.For, ast.AsyncFor)) else None


def _seconds(machine: Machine, loop: ast.While | ast.For | ast.AsyncFor | None) -> float:
    return 0.0 if loop is None else a_round(loop, machine.modules.sources())


def _polls(loop: ast.While | ast.For | ast.AsyncFor | None, pause: ast.AST) -> bool:
    """Whether a loop pauses only where it finds nothing to do."""
    for part in loop.body if loop is not None else ():
        if isinstance(part, ast.If) and any(each is pause for each in ast.walk(part)):
            return isinstance(part.body[-1], ast.Continue) or bool(part.orelse)
    return False


def span_of(thing: Thing) -> Span | None:
    return None if thing.module is None or thing.node is None else thing.module.span(thing.node)
