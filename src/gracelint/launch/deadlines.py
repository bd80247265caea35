"""Deadlines on the way: a hop that kills what it has told to stop, whatever the grace period."""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.facts.launch import Deadline, Drain, DrainSource, Effect, Hop, HopKind, Shortfall
from gracelint.facts.verdict import Verdict
from gracelint.launch.durations import seconds
from gracelint.launch.words import read_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gracelint.launch.hops import Way
    from gracelint.source import Word

_NO_TIME_FOR_WORK = 5.0
"""Seconds that are fewer than a server's requests are commonly given."""


def deadline_of(argv: tuple[Word, ...], row: Mapping[str, Any]) -> Deadline | None:
    """When a command that waits for another kills it: after a time of its own, or the one its option gives."""
    options, unit = row.get("deadline_option", ()), row.get("deadline_unit", 1.0)
    given = read_options(argv, 1, row.get("values", ())).value(options) if options else None
    length = seconds(given.value, unit) if given is not None else None
    if given is not None and length is not None:
        return Deadline(length, given.span, options[0], unit)
    if "deadline" not in row:
        return None
    if not options:
        return Deadline(row["deadline"])
    return Deadline(row["deadline"], None, options[0], unit, behind=argv[0], written=f"{options[0]} {{}}")


def in_time(hop: Hop, way: Way, deadline: Deadline) -> tuple[Hop, Way]:
    """A hop and the way below it, as far as that ends before the hop's deadline."""
    late = _late(way, deadline)
    needs = [late] if late is not None else [drain for drain in way.drains if exceeds(drain, deadline)]
    if not way.drains and _takes_requests(way, deadline):
        needs = [Drain(None, DrainSource.ASSUMED, "nothing limits how long it finishes what is in flight")]
    if late is not None:
        why = f"{hop.name} kills what it has told to stop after {deadline.value:g} s, but {late.why}"
        hop = replace(hop, effect=Effect.CUTS, why=why)
    limit = Drain(deadline.value, DrainSource.DERIVED, f"{hop.name} kills what it runs after that time", hop.span)
    return hop, replace(
        way,
        drains=tuple(limit if exceeds(drain, deadline) else drain for drain in way.drains),
        shortfalls=(*(Shortfall(hop, deadline, need) for need in needs), *way.shortfalls),
    )


def exceeds(drain: Drain, deadline: Deadline) -> bool:
    return drain.seconds is None or drain.seconds > deadline.value


def declared_shortfalls(hops: Iterable[Hop], need: Drain) -> tuple[Shortfall, ...]:
    """Where a person has said how long it takes, that is what counts."""
    return tuple(
        Shortfall(hop, hop.deadline, need) for hop in hops if hop.deadline is not None and exceeds(need, hop.deadline)
    )


def _late(way: Way, deadline: Deadline) -> Drain | None:
    """What the program always takes, where that is longer."""
    hop = way.decisive
    if way.verdict is not Verdict.HANDLED or hop is None:
        return None
    delay = hop.details.get("delay")
    if not isinstance(delay, (int, float)) or not delay > deadline.value:
        return None
    return Drain(delay, DrainSource.DERIVED, f"{hop.name} takes {delay:g} s to end", hop.details.get("at"))


def _takes_requests(way: Way, deadline: Deadline) -> bool:
    """Whether a server below finishes what is in flight, in a time nobody has set, and gets hardly any."""
    hop = way.decisive
    if way.verdict is not Verdict.HANDLED or hop is None or hop.kind is not HopKind.SERVER:
        return False
    return deadline.setting is None and deadline.value < _NO_TIME_FOR_WORK
