"""What happens when during the stop of one container, in seconds from the decision to stop."""

from __future__ import annotations

from itertools import pairwise

from gracelint.base.record import Record
from gracelint.facts.launch import DrainSource
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gracelint.facts.launch import Launch

PRE_STOP, SIGNAL, DELAY, DRAIN, END, KILL = "pre-stop", "signal", "delay", "drain", "end", "kill"


class Moment(Record):
    seconds: float
    event: str
    kind: str
    """What begins or happens then: one of the names above."""


def timeline(launch: Launch) -> Iterator[Moment]:
    """The moments in their order; none where the grace period is not known."""
    budget, signal = launch.budget, launch.stop_signal.value
    grace = budget.grace.value
    before = budget.pre_stop.value if budget.pre_stop else 0.0
    if grace != grace:
        return
    if before != before:
        yield Moment(0, "preStop runs; nobody can tell how long", PRE_STOP)
        yield Moment(grace, "SIGKILL if anything still runs", KILL)
        return
    if not grace:
        yield Moment(0, f"SIGKILL: a grace period of 0 waits for nothing that {signal} begins", KILL)
        return
    if before:
        yield Moment(0, "preStop runs, and the grace period with it", PRE_STOP)
    if before >= grace:
        yield Moment(grace, f"SIGKILL: preStop has used up the grace period before {signal} was sent", KILL)
        return
    yield Moment(before, f"{signal} to PID 1", SIGNAL)
    if launch.verdict is Verdict.IGNORED:
        yield Moment(grace, "SIGKILL, exit 137: nothing ended it", KILL)
        return
    end, killer = _killed(launch, before)
    if launch.verdict is Verdict.CUT:
        late = launch.decisive is not None and launch.decisive.deadline is not None
        early = Moment(before, "the container ends before the program's cleanup", KILL)
        yield Moment(end, f"{killer}: {launch.why}", KILL) if late else early
        return
    moments = [*_delayed(launch, before), *_drained(launch, before, end, killer)]
    yield from sorted(moments, key=lambda moment: moment.seconds)


def _delayed(launch: Launch, before: float) -> Iterator[Moment]:
    """What the program always takes, whatever there is to drain."""
    slowest = max(launch.hops, key=lambda hop: hop.delay, default=None)
    if launch.verdict is Verdict.HANDLED and slowest is not None and slowest.delay > 0:
        yield Moment(before + slowest.delay, f"{slowest.name} has acted on it, at the latest", DELAY)


def _drained(launch: Launch, before: float, end: float, killer: str) -> Iterator[Moment]:
    drain = launch.budget.drain
    if launch.shortfalls and end < launch.grace.value:
        drain = launch.shortfalls[0].drain
    if drain is None:
        kept = _kept(launch)
        missing = before + kept - end
        late = f", up to {missing:g} s before clients let go of the connections they keep ({kept:g} s)"
        yield Moment(end, f"{killer}{late if missing > 0 else ' if anything still runs'}", KILL)
        return
    source = "assumed" if drain.source is DrainSource.ASSUMED else drain.why
    if drain.seconds is None:
        yield Moment(before, f"draining, without a limit of its own ({source})", DRAIN)
        yield Moment(end, f"{killer} if anything still runs", KILL)
    elif before + drain.seconds > end:
        missing = before + drain.seconds - end
        late = f"{killer}, up to {missing:g} s before it has drained ({drain.seconds:g} s: {source})"
        yield Moment(end, late, KILL)
    else:
        yield Moment(before + drain.seconds, f"drained ({source})", END)
        yield Moment(end, f"{killer} if anything still runs", KILL)


def _kept(launch: Launch) -> float:
    """Seconds for which clients may keep a connection that the program waits for; 0 where it does not."""
    waits = launch.program.waits if launch.program is not None else ()
    return max((wait.seconds for wait in waits if wait.kind == "keep-alive" and wait.seconds is not None), default=0.0)


def _killed(launch: Launch, before: float) -> tuple[float, str]:
    """When what still runs is killed, and by whom."""
    grace = launch.grace.value
    deadlines = [(before + hop.deadline.value, hop) for hop in launch.hops if hop.deadline is not None]
    end, hop = min(deadlines, key=lambda each: each[0], default=(grace, None))
    if hop is None or hop.deadline is None or end >= grace:
        return grace, "SIGKILL"
    setting = f" ({hop.deadline.setting})" if hop.deadline.setting else ""
    return end, f"SIGKILL from {hop.name}{setting}"


class Bar(Record):
    """A stretch of time, drawn to scale.

    `kind` is calm (preStop), slow (delay), good, bad, idle (nothing happens), open or spare.
    """

    start: float
    end: float
    kind: str


def bars(launch: Launch, moments: Sequence[Moment]) -> Iterator[Bar]:
    """What fills the time between the moments."""
    for moment, following in pairwise(moments):
        kind = _kind(launch, moment, following)
        if kind is not None and following.seconds > moment.seconds:
            yield Bar(moment.seconds, following.seconds, kind)
    end, grace = moments[-1].seconds, launch.grace.value
    if end < grace:
        yield Bar(end, grace, "spare")


def _kind(launch: Launch, moment: Moment, following: Moment) -> str | None:
    if moment.kind == PRE_STOP:
        return "calm"
    if following.kind == DELAY:
        return "slow"
    if moment.kind == END:
        return "spare"
    if launch.verdict is Verdict.IGNORED:
        return "idle"
    if launch.verdict is Verdict.UNKNOWN or launch.budget.drain is None:
        return "open"
    return "good" if following.kind == END or moment.kind == DRAIN else "bad"
