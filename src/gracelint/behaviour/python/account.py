"""The closing account: `handled` needs every piece of work that the signal may find begun to be seen to its end.

`_works` says what may be under way, `_fate` what becomes of whoever does it, `_loss` whether anything is lost by that.
"""

from __future__ import annotations

import ast

from gracelint.base.memory import fleeting
from gracelint.base.record import Record
from gracelint.behaviour.python.beside import finishes, is_daemon
from gracelint.behaviour.python.cancels import takes_a_cancel
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.ends import FED
from gracelint.behaviour.python.midway import first_act, is_amid_work, is_put_back, left_to_do, own_round, upwards
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import CHILD, EXECUTORS, GREENLET, PROCESSES, THREADS, TIMERS
from gracelint.behaviour.python.streams import takes_only_a_limit
from gracelint.behaviour.python.values import NONE, Function, Later
from gracelint.behaviour.python.work import a_round
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.modules import Module
    from gracelint.behaviour.python.values import Thing, Value
    from gracelint.source import Span

AMID, BEHIND, WHOLE, LAST, CLEANUP, TOLD = "amid", "behind", "whole", "last", "cleanup", "told"
"""Where the signal finds a piece of work: in a pause in its middle; behind the wait that hands it out; anywhere in
something that comes to an end by itself; or not yet begun, since it is done once the end is told, by a thread or by a
task, or by the `finally` around a pause."""
LEFT, UNTOLD, CANCELLED, TERMINATED, KILLED = "left", "untold", "cancelled", "terminated", "killed"
"""What becomes of whoever does it: the program ends without waiting for them, or without a word to them either; it
cancels or terminates them; or it ends by `os._exit()`."""
BRIEF = 0.3
"""Seconds. A piece of work that takes less is hardly ever under way."""
INSTANT = 0.01
"""Seconds of what comes to its end without a pause."""
_LONG = 1.0
"""Seconds of a piece of work that is surely under way at times."""


class Work(Record):
    """A piece of work that others may be at when the signal comes."""

    thing: Thing
    """The thread, task or process that does it."""
    found: str
    point: Point | None = None
    owner: Thing | None = None
    """The pool or executor that it is given to."""


def account(signal: str, machine: Machine, *, hard: bool = False) -> Reaction | None:
    """What is lost of the work that others are at when the program ends, `hard` where it does so by `os._exit()`."""
    doubt, waits = None, [wait for wait in machine.leaving if not _is_vain(wait)]
    for work in _works(machine):
        fate = _fate(machine, work, waits, hard)
        verdict = _loss(machine, work, waits, fate) if fate is not None else None
        if fate is None or verdict is None or (doubt is not None and verdict is Verdict.UNKNOWN):
            continue
        span = work.point.span if work.point is not None else span_of(work.thing)
        found = reaction(signal, verdict, Cause.ABRUPT_EXIT, _says(work, fate, verdict), span, delay=machine.delay)
        if verdict is Verdict.CUT:
            return found
        doubt = found
    return doubt


def of_earlier_rounds(signal: str, machine: Machine, before: Machine) -> Reaction | None:
    """What is lost of what earlier rounds of the main loop have begun, where the signal comes before this one has."""
    known = {thing.node for thing in machine.facts.children} | machine.ended
    if not all(map(_is_vain, machine.leaving)):
        return None
    for thing, point in before.facts.working:
        is_left = thing.kind == "asyncio.Task" or (thing.kind in THREADS and is_daemon(thing))
        if thing.node in known or "#again" not in thing.store or not is_left or not is_amid_work(point):
            continue
        if (point.limit or 0) >= BRIEF and not _is_guarded(point):
            work = Work(thing, AMID, point)
            why = _says(work, LEFT, Verdict.CUT)
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, point.span, delay=machine.delay)
    return None


def _works(machine: Machine) -> Iterator[Work]:
    facts = machine.facts
    yield from (Work(task, WHOLE, owner=owner) for owner, task in facts.handed)
    yield from (Work(thing, AMID, point) for thing, point in facts.working if is_amid_work(point))
    yield from (Work(thing, WHOLE) for thing in facts.children if "#again" in thing.store or "#ends" in thing.store)
    yield from (Work(thing, BEHIND, point) for thing, point in facts.working if _hands_out(point))
    yield from (Work(thing, CLEANUP, point) for thing, point in facts.working if thing.kind == "asyncio.Task")
    yield from (Work(thing, LAST, point) for thing, point in facts.working if _ends_last(thing) and _pauses(point))
    yield from (Work(thing, TOLD, point) for thing, point in facts.working if thing.kind == "asyncio.Task")


def _ends_last(thing: Thing) -> bool:
    return thing.kind in (*THREADS, CHILD)


def _hands_out(point: Point) -> bool:
    """Whether work comes out of a wait, or is looked for after each pause in which there was none."""
    return point.kind in FED or (point.kind == "sleep" and _polls(_loop_around(point), point.node))


def _pauses(point: Point) -> bool:
    return point.kind in ("sleep", "event-wait")


# -- what becomes of whoever does it ---------------------------------------------------------------------------------


def _fate(machine: Machine, work: Work, waits: list[Point], hard: bool) -> str | None:
    """None: it is waited for, or ends by itself before that. `waits` are those on the way out that others may end."""
    thing = work.thing
    if work.owner is not None:
        return _fate_in(machine, work, work.owner, hard)
    if thing.kind in PROCESSES:
        return _fate_of_process(machine, work)
    if thing.kind == CHILD:
        return _fate_of_forked(machine, work)
    if thing.kind == GREENLET and "#terminated" in thing.store:
        return CANCELLED
    is_told = "#finished" in thing.store or thing.node in machine.ended
    if thing.kind in TIMERS:
        is_told = "end" in machine.closing.get(thing.node, ()) if thing.node is not None else False
    if thing.kind == "asyncio.Task":
        if "#cancelled" in thing.store or ("#again" in thing.store and "scope cancelled" in machine.world):
            return CANCELLED
        return None if is_told else LEFT
    if hard and thing in machine.outlasting:
        return KILLED
    if is_told or not (hard or is_daemon(thing)) or thing.kind not in (*THREADS, *TIMERS):
        return None
    if any(_is_for(wait, work) for wait in waits):
        return None
    if hard:
        return KILLED
    return UNTOLD if own_seconds(machine, thing) is None else LEFT


def _fate_of_process(machine: Machine, work: Work) -> str | None:
    """Python terminates daemon processes when it ends, and waits for others."""
    thing = work.thing
    if "#terminated" in thing.store:
        return TERMINATED
    is_left = is_daemon(thing) and "#finished" not in thing.store and thing.node not in machine.ended
    return LEFT if is_left and "#unguarded" in thing.store else None


def _fate_of_forked(machine: Machine, work: Work) -> str | None:
    """The kernel kills all that a program has forked once that ends, and a signal what has no handler for it."""
    child = work.thing
    handlers = [value for key, value in child.store.items() if isinstance(key, tuple) and key[0] == "own"]
    handlers = handlers or [child.store.get("#handler", NONE)]
    if "#ended" in child.store and all(each is NONE or path_of(each) == "signal.SIG_DFL" for each in handlers):
        return TERMINATED if work.point is not None else LEFT
    awaited = {each.node for wait in (*machine.leaving, machine.arrival) if wait is not None for each in wait.joins}
    if child.node in awaited:
        return None
    return LEFT if "#ended" in child.store or own_seconds(machine, child) is not None else UNTOLD


def _fate_in(machine: Machine, work: Work, owner: Thing, hard: bool) -> str | None:
    """Python waits for what is given to executors, and terminates the workers of pools."""
    if owner.kind in EXECUTORS:
        return KILLED if hard and "#terminated" not in owner.store else None
    arrival = machine.arrival
    waited = "#awaited" in work.thing.store and (arrival is None or arrival.node is not work.thing.node)
    asks = machine.thrown is None and "#terminated" not in owner.store and _asks_for_results(owner.module)
    return None if "#joined" in owner.store or waited or asks else TERMINATED


def _is_for(wait: Point, work: Work) -> bool:
    """Whether a wait may be for a thread; one for a lock is for whoever is at work with that in its hands."""
    if wait.kind == "lock":
        guards = work.point.guards if work.point is not None else ()
        return work.thing in wait.joins and any(isinstance(guard.node, ast.expr) for guard in guards)
    return not wait.joins or work.thing in wait.joins


def _is_vain(wait: Point) -> bool:
    """Whether a wait gives others no time for their work: for tasks that were cancelled, for the first, or a pause."""
    if wait.kind == "sleep":
        return all(loop.hit for loop in wait.loops)
    return wait.kind in ("exit", "wait") or (
        bool(wait.joins) and all("#cancelled" in each.store for each in wait.joins)
    )


# -- what is lost by that --------------------------------------------------------------------------------------------


def _loss(machine: Machine, work: Work, waits: list[Point], fate: str) -> Verdict | None:
    """Whether a piece of work is lost; None where nothing is."""
    if work.point is not None:
        if work.found == LAST:
            return _last(machine, work.thing, work.point, fate)
        if work.found == TOLD:
            return _told(machine, work.thing, work.point, waits, fate)
        if work.found == CLEANUP:
            stays = fate is LEFT and "#unwound" not in work.thing.store and not (machine.served or waits)
            return Verdict.CUT if stays and _awaits_at_its_end(work.point) else None
        return _loss_at(machine, work, work.point, waits, fate)
    seconds = own_seconds(machine, work.thing) if "#target" in work.thing.store else INSTANT
    if seconds is None:
        return Verdict.UNKNOWN if fate is KILLED else None
    if fate is LEFT and work.thing.kind == "asyncio.Task" and _is_waited_out(waits, seconds):
        return None
    if fate is CANCELLED and _takes_its_cancel(work.thing.store.get("#target")):
        return None
    passes = 0 if fate is CANCELLED else machine.delay or 0
    if seconds >= (BRIEF if fate is KILLED else _LONG) and seconds > passes:
        return Verdict.CUT
    return Verdict.UNKNOWN if work.owner is not None and not seconds and not machine.cleaned else None


def _takes_its_cancel(target: Value | None) -> bool:
    """Whether a task ends in order when it is cancelled: it sees to that itself, or is a pause and nothing else."""
    function = target.function if isinstance(target, Later) else None
    if function is not None and path_of(function) == "asyncio.sleep":
        return True
    return isinstance(function, Function) and any(map(_catches_the_end, ast.walk(function.node)))


def _loss_at(machine: Machine, work: Work, point: Point, waits: list[Point], fate: str) -> Verdict | None:
    """What stands in the middle of its work at a wait, or begins it there."""
    loop = _loop_around(point)
    seconds = point.limit if work.found == AMID else _seconds(machine, loop)
    if seconds is not None and 0 < seconds <= (machine.delay or 0):
        return None
    if fate is CANCELLED and (_is_guarded(point) or any(_catches_the_end(part) for part in _parts(loop))):
        return None
    if work.thing.kind == "asyncio.Task" and _is_waited_out(waits, seconds or 0):
        return None
    if fate is TERMINATED and work.thing.kind != CHILD and _is_guarded(point):
        return None
    if work.found == AMID or (seconds or 0) >= _LONG:
        return Verdict.CUT
    return Verdict.UNKNOWN if fate is UNTOLD else None


def _is_waited_out(waits: list[Point], seconds: float) -> bool:
    """Whether a wait on the way out lasts as long as a task."""
    return any(wait.limit is None or wait.limit >= seconds for wait in waits)


def _is_guarded(point: Point) -> bool:
    """Whether what a pause is broken off in may be finished, or put back, where that is caught.

    What every round does when it is left only closes what it has opened.
    """
    tries = [guard.node for guard in point.guards if isinstance(guard.node, ast.Try)]
    if any(_catches_the_end(part) for each in tries for part in (each, *each.handlers)):
        return True
    own = set(own_round(point))
    return any(each.finalbody and each not in own for each in tries) and is_put_back(point)


def _awaits_at_its_end(point: Point) -> bool:
    """Whether a `finally` around a pause awaits something, which only goes on in a loop that runs."""
    lines = (line for guard in point.guards if isinstance(guard.node, ast.Try) for line in guard.node.finalbody)
    return any(isinstance(part, ast.Await) for line in lines for part in ast.walk(line))


def _last(machine: Machine, thread: Thing, pause: Point, fate: str) -> Verdict | None:
    """What a thread that is told to end has still to do."""
    in_round, after = left_to_do(pause)
    if fate is not LEFT or (in_round or after) is None or not _outlasts(pause, machine.delay or 0):
        return None
    takes = (own_seconds(machine, thread) or 0.0) if pause.kind == "event-wait" else 0.0
    return Verdict.CUT if after is not None or takes >= BRIEF else Verdict.UNKNOWN


def _told(machine: Machine, task: Thing, pause: Point, waits: list[Point], fate: str) -> Verdict | None:
    """What a task does behind its loop, which it would leave by itself, and is cancelled in."""
    if pause.kind != "sleep" or fate not in (LEFT, CANCELLED) or behind_its_loop(pause) is None:
        return None
    if fate is LEFT and _is_waited_out(waits, pause.limit or 0):
        return None
    seconds = own_seconds(machine, task)
    return None if seconds is None or (machine.delay or 0) >= seconds else Verdict.CUT


def behind_its_loop(pause: Point) -> ast.Call | None:
    """What is done once the loop around a pause is left, unless an exception comes into that which nothing catches."""
    loop = _loop_around(pause)
    if loop is None:
        return None
    after: list[ast.stmt] = []
    calls = [call for call in pause.calls if call.function is not None]
    places = [(pause.module, pause.node), *((call.module, call.node) for call in reversed(calls))]
    inside = True
    for module, place in places:
        for here, above in upwards(module.tree, place):
            if isinstance(above, ast.Try) and here in above.body and any(map(takes_a_cancel, above.handlers)):
                return None
            inside = inside and here is not loop
            for body in (getattr(above, name, None) for name in ("body", "orelse")) if not inside else ():
                after += body[body.index(here) + 1 :] if isinstance(body, list) and here in body else ()
            if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                break
        if not inside:
            break
    return first_act(after)


def _outlasts(pause: Point, seconds: float) -> bool:
    """Whether a thread may still be in its pause, or has just been woken, when the main thread has ended."""
    repeats = bool(pause.loops) and isinstance(pause.loops[-1].node, ast.While)
    return pause.kind == "event-wait" or (repeats and (pause.limit or 0) > seconds)


def _catches_the_end(part: ast.AST) -> bool:
    """Whether an `except` takes what a task is cancelled with, or a `finally` is handed what it was at.

    One that only says so, and leaves its function or loop, saves nothing.
    """
    if isinstance(part, ast.Try):
        calls = (call for line in part.finalbody for call in ast.walk(line) if isinstance(call, ast.Call))
        return any(isinstance(given, ast.Name) for call in calls for given in call.args)
    if not isinstance(part, ast.ExceptHandler) or not takes_a_cancel(part):
        return False
    return first_act(part.body) is not None or not isinstance(part.body[-1], (ast.Raise, ast.Return, ast.Break))


@fleeting(4)
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


# -- how long it takes -----------------------------------------------------------------------------------------------


def own_seconds(machine: Machine, thing: Thing) -> float | None:
    """How long a thread takes that comes to its end, 0 where that is not known; None where it does not.

    Of a task that was cancelled, how long it would have taken.
    """
    before, mark = machine.delay, len(machine.trail)
    machine.delay = 0.0
    machine.frames.append(machine.frame_in(thing.module or machine.entry))
    finished = thing.store.pop("#finished", None) if "#cancelled" in thing.store else None
    ends = finishes(machine, thing, thing.node or machine.entry.tree)
    machine.frames.pop()
    if finished is not None:
        thing.store["#finished"] = finished
    seconds, machine.delay = machine.delay, before
    machine.undo(mark)
    if ends is not True:
        return None if ends is False else 0.0
    return seconds or INSTANT


def _loop_around(point: Point) -> ast.While | ast.For | ast.AsyncFor | None:
    loop = point.loops[-1].node if point.loops else None
    return loop if isinstance(loop, (ast.While, ast.For, ast.AsyncFor)) else None


def _parts(loop: ast.AST | None) -> Iterator[ast.AST]:
    yield from ast.walk(loop) if loop is not None else ()


def _seconds(machine: Machine, loop: ast.While | ast.For | ast.AsyncFor | None) -> float:
    return 0.0 if loop is None else a_round(loop, machine.modules.sources())


def _polls(loop: ast.While | ast.For | ast.AsyncFor | None, pause: ast.AST) -> bool:
    """Whether a loop pauses only where it finds nothing to do."""
    for part in loop.body if loop is not None else ():
        if isinstance(part, ast.If) and any(each is pause for each in ast.walk(part)):
            return isinstance(part.body[-1], ast.Continue) or bool(part.orelse)
    return False


# -- how a reader would say it ---------------------------------------------------------------------------------------


def _says(work: Work, fate: str, verdict: Verdict) -> str:
    point, who = work.point, _WHO.get(work.thing.kind, "task")
    if point is not None and work.found == TOLD:
        call = text_of(behind_its_loop(point) or point.node)
        return f"a task is cancelled in `{point.what}`, and never comes to `{call}` behind its loop"
    if point is not None and work.found == LAST:
        in_round, after = left_to_do(point)
        call = text_of(after or in_round or point.node)
        why = f"it does not wait for `{call}`, which its {who} still does when it is told to end"
        return why if verdict is Verdict.CUT else f"whether anything is lost is not known: {why}"
    fate = LEFT if fate is UNTOLD and work.found != BEHIND else fate
    return _SAYS[work.found, fate].format(who=who, what=point.what if point is not None else "")


_WHO = {
    "asyncio.Task": "task",
    **dict.fromkeys((*PROCESSES, CHILD), "process"),
    **dict.fromkeys((*THREADS, *TIMERS), "daemon thread"),
    GREENLET: "greenlet",
}
_LOST = "what that has begun is lost"
_SAYS = {
    (AMID, LEFT): "it ends while `{what}` stands in the middle of what a {who} does: nothing waits for that",
    (AMID, CANCELLED): "it ends while `{what}` stands in the middle of what a {who} does: nothing waits for that",
    (AMID, TERMINATED): "it ends a process of its own while `{what}` stands in the middle of what that does",
    (AMID, KILLED): "os._exit() ends a {who} while `{what}` stands in the middle of what that does",
    (BEHIND, LEFT): f"it ends, and does not wait for the {{who}} at work behind `{{what}}`: {_LOST}",
    (BEHIND, UNTOLD): f"it ends, and nobody tells the {{who}} at work behind `{{what}}`: {_LOST}",
    (BEHIND, KILLED): f"os._exit() ends the {{who}} at work behind `{{what}}`: {_LOST}",
    (BEHIND, CANCELLED): "it cancels the task behind `{what}` whatever that is doing: what has begun is lost",
    (BEHIND, TERMINATED): f"it terminates the {{who}} at work behind `{{what}}`: {_LOST}",
    (
        CLEANUP,
        LEFT,
    ): "its event loop ends, and nothing cancels the task in `{what}`: the `finally` around that never runs",
    (WHOLE, LEFT): "it ends while a {who} is at work that nobody waits for",
    (WHOLE, CANCELLED): "it cancels tasks that are started for each piece of work: what they have begun is lost",
    (
        WHOLE,
        TERMINATED,
    ): "the workers of its pool are terminated, whatever they have begun: nothing closes and joins it",
    (WHOLE, KILLED): "os._exit() does not wait for what its executor has begun",
}


def span_of(thing: Thing) -> Span | None:
    return None if thing.module is None or thing.node is None else thing.module.span(thing.node)
