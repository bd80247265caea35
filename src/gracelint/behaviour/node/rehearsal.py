"""Work that a signal may find under way: what requests, intervals, consumers and libraries set going, tried out once
before it comes, and the steps of the start that nothing else waits for.
"""

from __future__ import annotations

from gracelint.base.memory import fleeting
from gracelint.base.record import Record
from gracelint.behaviour.node.answers import left_behind
from gracelint.behaviour.node.doing import does_work
from gracelint.behaviour.node.filled import fill
from gracelint.behaviour.node.library import ENDS, root_of
from gracelint.behaviour.node.modules import ROUTES
from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.syntax import TooBigError
from gracelint.behaviour.node.timing import flat, time_of
from gracelint.behaviour.node.values import UNKNOWN, Closure, Scope, is_behind_what_stays, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.values import After, Thing
    from gracelint.source import Span


class Job(Record):
    """What a program does beside its start, and how long that takes."""

    span: Span
    name: str
    path: str
    """The library's call that is handed it; empty where Node itself calls it."""
    seconds: float | None
    """None: it waits for what takes its own time."""
    every: float | None = None
    """Seconds from one to the next, where an interval says so."""
    function: Any = None
    kind: str = "job"
    """job, or request: what an answer leaves behind; or steps: what the start goes on with."""
    waits: frozenset[Span] = frozenset()
    """Where it waits, where that is known."""
    leaves: tuple[tuple[float, Span], ...] = ()
    """The timers that it leaves when it is done, each with its seconds."""


@fleeting(1)
def jobs(start: Callable[[], Machine]) -> tuple[Job, ...]:
    """The jobs of a program that wait for something while they are at work, as a fresh run of its start shows them.

    Those that there is still room to try out.
    """
    machine = start()
    found = [*_steps(machine)]
    fill(machine)
    machine.rehearsing = True
    try:
        found.extend(job for job in _run(machine) if job.seconds != 0.0)
    except TooBigError:
        pass
    return tuple(found)


def may_have_jobs(machine: Machine) -> bool:
    """Whether anything in a program calls its functions again and again, or its start goes on by itself."""
    things = any(
        thing.kind == "interval" or not _CALLS.isdisjoint(thing.callbacks) or any(True for _ in _heard(thing))
        for thing in machine.things
    )
    return things or bool(machine.handed or machine.begun)


_ASKS = ("route", "request", "connection", "message")
_CALLS = frozenset(("job", *_ASKS))


def _steps(machine: Machine) -> Iterator[Job]:
    """What the start goes on with once its handlers are there, and what it opens is open."""
    before = [known.after for known in machine.registrations]
    before += [thing.after for thing in machine.things if thing.alive]
    kept = {part for after in before for part in after}
    same = {*map(id, kept)}
    looped = {id(after) for thing in machine.things for after in thing.settings.get("pauses", ())}
    late = [after for after in machine.pauses if id(after) not in looped and not same.issuperset(map(id, after))]
    late = [after for after in late if not kept.issuperset(after)]
    late = [after for after in late if _is_work(machine, after) and not _goes_round(after)]
    if not late:
        return
    longest = max(late, key=lambda after: time_of(after) or 0.0)
    rest = [part for part in longest if part not in kept]
    parts = {id(part): part for after in late for part in after}
    waits = frozenset(part.span for part in flat((*parts.values(),)))
    name = f"what the start goes on with in line {rest[0].span.line}"
    yield Job(rest[0].span, name, "", _lasts(rest), kind="steps", waits=waits)


def _lasts(after: Sequence[After]) -> float | None:
    """The seconds of what nothing but time is waited for; None where it takes its own."""
    return time_of(after) if all(part.kind in ("timer", "race") for part in after) else None


def _goes_round(after: tuple[After, ...]) -> bool:
    is_interval = (part.thing is not None and part.thing.kind == "interval" for part in after)
    return is_behind_what_stays(after) or any(is_interval)


def _is_work(machine: Machine, after: tuple[After, ...]) -> bool:
    """Whether what comes after a pause is work, and not what only gives something up."""
    timer = after[-1].thing if after else None
    loose = timer is not None and timer.settings.get("loose") is True
    return bool(after) and not loose and all(does_work(machine, function) for function in _fires(after))


def _fires(after: tuple[After, ...]) -> Sequence[Any]:
    """What the timer calls that is waited for last."""
    last = after[-1]
    return last.thing.callbacks.get("fires", ()) if last.thing is not None and last.kind == "timer" else ()


def _run(machine: Machine) -> Iterator[Job]:
    for thing in [thing for thing in machine.things if thing.certain]:
        if thing.kind == "interval" and isinstance(thing.data, tuple):
            function, args, every, _ = thing.data
            library = "" if thing.name in _OWN else thing.name
            takes = _takes(machine, function, args)
            yield Job(
                thing.span, f"what {name_of(thing)} does", library, takes, every, function, leaves=_leaves(machine)
            )
        for job in (*thing.callbacks.get("job", ()), *_heard(thing)):
            library = "" if thing.kind in ("watcher", "child", "worker") else thing.name
            yield Job(thing.span, f"what {name_of(thing)} does", library, _takes(machine, job, [UNKNOWN]))
        if thing.kind in ("app", "server", "upgrade"):
            for event in _ASKS:
                for function in thing.callbacks.get(event, ()):
                    yield from _left(machine, function, thing.name)
    for path, span, functions in machine.handed:
        for function in functions:
            if path.rpartition(".")[2] in ROUTES:
                yield from _left(machine, function, root_of(path))
                continue
            yield Job(span, f"what {path}() in line {span.line} calls", path, _takes(machine, function, [UNKNOWN]))


def _heard(thing: Thing) -> Iterator[Any]:
    """What listens for what something gives to do: a message, a file that has changed."""
    for event, functions in thing.callbacks.items() if thing.kind in _GIVERS else ():
        if event not in _NO_WORK:
            yield from functions


_GIVERS = ("connection", "consumer", "watcher", "child", "worker")
_NO_WORK = ENDS | {"job", "fires", "drains"}
_OWN = ("setInterval", "setTimeout", "setImmediate", "recursion")


def _left(machine: Machine, function: Any, library: str) -> Iterator[Job]:
    """What goes on after the answer of a request."""
    for pause in left_behind(machine, function, library) if isinstance(function, Closure) else ():
        if not _is_work(machine, pause):
            continue
        span, waits = pause[-1].span, frozenset(part.span for part in flat(pause))
        name, later = f"what a request starts in line {span.line}", next(iter(_fires(pause)), None)
        yield Job(span, name, "", _lasts(pause), function=later, kind="request", waits=waits)


def _takes(machine: Machine, function: Any, args: list[Any]) -> float | None:
    """The longest that a function waits; None where that is not known, and nothing that is known is long."""
    if not isinstance(function, Closure):
        return 0.0
    machine.pauses = []
    machine.in_job = True
    machine.task(function, args, Frame(Scope(), function.file), ())
    machine.in_job = False
    times = [time_of(after) for after in machine.pauses]
    longest = max((time for time in times if time is not None), default=0.0)
    is_open = any(part.kind not in ("timer", "race") for after in machine.pauses for part in after) or None in times
    return None if is_open and longest < BRIEF else longest


def _leaves(machine: Machine) -> tuple[tuple[float, Span], ...]:
    """The timers that the job which was tried out last leaves."""
    from gracelint.behaviour.node.leftover import given_up

    return tuple(dict.fromkeys(one for after in machine.pauses for one in given_up(machine, after)))


BRIEF = 0.3
"""Seconds. A job that takes less is hardly ever under way."""
