"""Jobs that a signal may find under way: what intervals, consumers and libraries call, run once before it comes."""

from __future__ import annotations

from gracelint.base.memory import lru_cache
from gracelint.base.record import Record
from gracelint.behaviour.node.filled import fill
from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.timing import time_of
from gracelint.behaviour.node.values import UNKNOWN, Closure, Scope, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gracelint.behaviour.node.machine import Machine
    from gracelint.source import Span


class Job(Record):
    """What a program does again and again, and how long that takes."""

    span: Span
    name: str
    path: str
    """The library's call that is handed it; empty where Node itself calls it."""
    seconds: float | None
    """None: it waits for what takes its own time."""
    every: float | None = None
    """Seconds from one to the next, where an interval says so."""
    function: Any = None


@lru_cache(maxsize=1)
def jobs(start: Callable[[], Machine]) -> tuple[Job, ...]:
    """The jobs of a program that wait for something while they are at work, as a fresh run of its start shows them."""
    machine = start()
    fill(machine)
    return tuple(job for job in _run(machine) if job.seconds != 0.0)


def may_have_jobs(machine: Machine) -> bool:
    """Whether anything in a program calls its functions again and again."""
    things = any(thing.kind == "interval" or "job" in thing.callbacks for thing in machine.things)
    return things or any(functions for _, _, functions in machine.handed)


def _run(machine: Machine) -> Iterator[Job]:
    for thing in [thing for thing in machine.things if thing.certain]:
        if thing.kind == "interval" and isinstance(thing.data, tuple):
            function, args, every, _ = thing.data
            library = "" if thing.name in _OWN else thing.name
            takes = _takes(machine, function, args)
            yield Job(thing.span, f"what {name_of(thing)} does", library, takes, every, function)
        for job in thing.callbacks.get("job", ()):
            yield Job(thing.span, f"what {name_of(thing)} does", thing.name, _takes(machine, job, [UNKNOWN]))
    for path, span, functions in machine.handed:
        for function in functions:
            yield Job(span, f"what {path}() in line {span.line} calls", path, _takes(machine, function, [UNKNOWN]))


_OWN = ("setInterval", "setTimeout", "setImmediate", "recursion")


def _takes(machine: Machine, function: Any, args: list[Any]) -> float | None:
    """The longest that a function waits; None where that is not known, and nothing that is known is long."""
    if not isinstance(function, Closure):
        return 0.0
    machine.pauses = []
    machine.task(function, args, Frame(Scope(), function.file), ())
    times = [time_of(after) for after in machine.pauses]
    longest = max((time for time in times if time is not None), default=0.0)
    is_open = any(part.kind not in ("timer", "race") for after in machine.pauses for part in after) or None in times
    return None if is_open and longest < BRIEF else longest


BRIEF = 0.3
"""Seconds. A job that takes less is hardly ever under way."""
