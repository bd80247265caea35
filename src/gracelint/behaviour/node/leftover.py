"""Timers that work sets and nobody waits for any longer: they keep node running until they fire."""

from __future__ import annotations

from gracelint.behaviour.node.rehearsal import jobs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.values import After
    from gracelint.source import Span

_LONG = 5.0
"""Seconds that are worth a word."""


def left_running(stopped: Stopped, start: Callable[[], Machine]) -> tuple[float, Span] | None:
    """The longest timer that each round of a loop or an interval sets anew and leaves.

    `await Promise.race([job(), timeout(30_000)])`: the timer is still there when the job is done.
    """
    machine = stopped.machine
    if not any(".race(" in source.text for source in machine.sources):
        return None
    found = [
        (seconds, at)
        for loop in stopped.opened
        if loop.kind == "loop" and loop.certain and loop.data is not None
        for seconds, at in given_up(machine, loop.data[3])
    ]
    if any(thing.kind == "interval" and thing.certain for thing in stopped.opened):
        own = (job for job in jobs(start) if not job.path and job.every)
        found += [one for job in own for one in job.leaves if one[0] >= (job.every or 0.0)]
    longest = max(found, key=lambda one: one[0], default=None)
    return longest if longest is not None and longest[0] >= _LONG else None


def given_up(machine: Machine, after: tuple[After, ...]) -> Iterator[tuple[float, Span]]:
    """The timers of the races among something, which go on when those are won."""
    for race in after:
        for part in (one for parts in race.parts for one in parts):
            timer = part.thing
            if part.kind != "timer" or timer is None or part.seconds is None or id(timer) in machine.loose:
                continue
            if not {"loose", "cleared"} & timer.settings.keys():
                yield part.seconds, part.span
