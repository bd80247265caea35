"""What becomes of the children of a program when it ends, and of what it starts on its way out."""

from __future__ import annotations

import ast

from gracelint.base.record import replace
from gracelint.behaviour.python.account import BRIEF, account, span_of
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.midway import following
from gracelint.behaviour.python.names import text_of
from gracelint.behaviour.python.queues import overfills
from gracelint.behaviour.python.registry import receiver_of
from gracelint.behaviour.python.values import Const, Later, Thing, are_alike
from gracelint.behaviour.python.waits import command_of
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine
    from gracelint.source import Span

_COMMANDS = ("subprocess", "subprocess.Popen", "asyncio.Process")


def by_others(signal: str, machine: Machine, span: Span) -> Reaction | None:
    """What becomes of the children, threads and tasks of a program that ends; None where nothing is lost."""
    found = _child(signal, machine, span) or _killed(signal, machine)
    found = found or left_out(signal, machine)
    if found is not None:
        return found
    if overfills(machine):
        why = "whether the queue between its processes is read to its end, for which Python waits, is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span_of(machine.piped[0]))
    found = account(signal, machine)
    if found is None and machine.facts.working:
        from gracelint.behaviour.python.unsaved import unsaved

        found = unsaved(signal, machine)
    return found


def left_out(signal: str, machine: Machine) -> Reaction | None:
    """A task of the handler cancels itself, too, and leaves out what comes after its next wait."""
    point = machine.cancelled_at
    rest = [*following(point)] if point is not None else []
    if point is None or not any(isinstance(part, ast.Call) for line in rest for part in ast.walk(line)):
        return None
    why = f"what cancels all tasks is one of them: `{point.what}` raises, and what comes after that is left out"
    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, point.span)


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
    killed = next((thing for thing in children if _is_killed(thing, machine)), None)
    if killed is not None:
        why = "it kills its child, whose own cleanup is lost"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span_of(killed) or span)
    broken_off = next((thing for thing in children if _is_broken_off(thing, machine)), None)
    if broken_off is not None:
        why = "what the handler raises ends it amid the child that it waits for, which is killed with it"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span_of(broken_off) or span)
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


def _is_killed(thing: Thing, machine: Machine) -> bool:
    """A child is killed that is told nothing before, or not given the time for it, and would clean up if it were."""
    told, sent = thing.store.get("#told"), thing.store.get("#signalled")
    if not isinstance(told, Const) or not isinstance(sent, Const) or sent.value != "SIGKILL":
        return False
    words = command_of(thing)
    if told.value == "SIGKILL":
        return machine.children.cleans_up_on(words, "SIGTERM") is True
    limits = [point.limit for point in machine.leaving if thing in point.joins]
    is_hurried = any(machine.children.outlasts(words, told.value, limit) for limit in limits)
    return is_hurried and machine.children.cleans_up_on(words, told.value) is True


def _is_broken_off(thing: Thing, machine: Machine) -> bool:
    """The handler raises while a child is waited for that would come to its end by itself."""
    words, arrival = command_of(thing), machine.arrival
    if arrival is None or arrival.kind == "os.system" or machine.thrown is None or "#told" in thing.store:
        return False
    if machine.children.is_idle(words):
        return False
    waited = thing.node is arrival.node or thing in arrival.joins
    return waited and machine.children.runs_on(words) is False and (machine.children.seconds(words) or 0) >= BRIEF


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


def left_alone(signal: str, machine: Machine, span: Span) -> Reaction | None:
    """A task or daemon thread that was started on the way out is not done when the main one ends, or nobody knows."""
    for task, seconds, longer, waits in machine.left_alone:
        later = machine.leaving[waits:]
        rest = [wait.limit for wait in later if wait.kind in ("sleep", "gather") and wait.limit is not None]
        if task.node in machine.ended or len(rest) < len(later):
            continue
        at = span_of(task) or span
        if sum(rest) < seconds:
            who = (
                "its event loop ends, and cancels a task" if task.kind == "asyncio.Task" else "it ends a daemon thread"
            )
            why = f"{who} that takes {seconds:g} s and that nobody waits for"
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, at)
        if longer:
            who = "a task" if task.kind == "asyncio.Task" else "a daemon thread"
            why = f"whether {who} that nobody waits for is done before the main one ends is only known when it runs"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, at)
    return None
