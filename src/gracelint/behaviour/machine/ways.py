"""A program run over all the ways it can take, and what they have in common."""

from __future__ import annotations

from gracelint.base.limits import STEPS
from gracelint.base.record import Record
from gracelint.behaviour.machine.values import Doubt, TooFarError
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.finding import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from gracelint.base.limits import Effort
    from gracelint.behaviour.machine.machine import Machine
    from gracelint.source import Span

    M = TypeVar("M", bound=Machine)

SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH")
TOO_MUCH = ("it is too large to be followed to its end", "it has more ways to its end than can be followed")
_MOST_WAYS = 128
_AT_WORK_OR_NOT = {Verdict.CUT, Verdict.HANDLED}
"""What a program does that has something to do in one round and nothing in another: nothing decides it but the time."""
_MOST_STEPS = 8 * STEPS
"""Of all ways together: a large program with many ways would take as long as a hundred programs."""


class Outcome(Record):
    """How one way through the program ends."""

    reaction: Reaction
    machine: Any
    early: bool = False
    """It ended before the signal came."""
    final: bool = False
    """Unknown for a reason that no other way changes."""


def follow(
    signal: str, make: Callable[[tuple[int, ...]], M], judge: Callable[[M], Outcome], effort: Effort | None
) -> tuple[Reaction, list[Outcome]]:
    """Runs a program over all its ways: `make` gives a fresh machine for each, `judge` says how that has ended."""
    outcomes: list[Outcome] = []
    ways: tuple[int, ...] | None = ()
    steps = 0
    while ways is not None:
        machine = make(ways)
        machine.effort = effort or machine.effort
        try:
            machine.begin()
            outcomes.append(_sure(signal, judge(machine)))
        except Doubt as doubt:
            unknown = reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, doubt.why, doubt.span)
            outcomes.append(Outcome(unknown, machine))
        except (TooFarError, RecursionError):
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, TOO_MUCH[0]), outcomes
        if outcomes[-1].final:
            return outcomes[-1].reaction, outcomes
        steps += machine.steps
        if len(outcomes) >= _MOST_WAYS or steps > _MOST_STEPS:
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, TOO_MUCH[1]), outcomes
        ways = next_ways(machine.taken)
    lasting = [one for one in outcomes if not one.early] or outcomes
    found = agreed(signal, [one.reaction for one in lasting])
    if found.as_pid_1 is Verdict.UNKNOWN and {one.reaction.as_pid_1 for one in lasting} == _AT_WORK_OR_NOT:
        found = next((one.reaction for one in lasting if one.machine.half_way and not one.machine.asked_once), found)
    return found, outcomes


def _sure(signal: str, outcome: Outcome) -> Outcome:
    """A run that goes on past guards which nobody can tell, and which would end it, or behind a lock, may end."""
    machine = outcome.machine
    goes_on = outcome.reaction.as_pid_1 is Verdict.IGNORED and machine.stopping and machine.ended is None
    if not goes_on or signal not in machine.registered:
        return outcome
    if machine.ways_out:
        at = machine.ways_out[0]
        why = f"whether {machine.place(at)}, which leaves its loop, is come to on {signal} cannot be told"
        return Outcome(reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, at), machine)
    at = machine.held_up()
    if at is not None:
        why = f"whether the lock that {machine.place(at)} waits for is ever free cannot be told"
        return Outcome(reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, at), machine)
    return outcome


def next_ways(taken: list[tuple[int, int]]) -> tuple[int, ...] | None:
    for index in range(len(taken) - 1, -1, -1):
        way, count = taken[index]
        if way + 1 < count:
            return (*(one for one, _ in taken[:index]), way + 1)
    return None


def forwarded(outcomes: Iterable[Outcome]) -> tuple[tuple[str, Span], ...]:
    """The command on which all depends: in every way that is open a child gets the signal and is waited for."""
    words = [one.machine.forwards for one in outcomes if not one.early and one.reaction.as_pid_1 is Verdict.UNKNOWN]
    return words[0] if words and all(words) else ()


def agreed(signal: str, found: list[Reaction]) -> Reaction:
    """What all ways have in common."""
    unknown = next((one for one in found if one.as_pid_1 is Verdict.UNKNOWN), None)
    if unknown is not None:
        return unknown
    verdicts = {(one.as_pid_1, one.as_child) for one in found}
    if len(verdicts) == 1:
        return max(found, key=lambda one: one.delay or 0.0)
    places = sorted({one.span.line for one in found if one.span is not None})
    where = f" in line {places[0]}" if places else ""
    why = f"what it does on {signal}{where} depends on its settings, which are only known when it runs"
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, next((one.span for one in found if one.span), None))


def reaction(
    signal: str,
    verdict: Verdict,
    cause: Cause,
    why: str,
    span: Span | None = None,
    notes: tuple[Note, ...] = (),
    delay: float | None = None,
    as_child: Verdict | None = None,
) -> Reaction:
    return Reaction(signal, verdict, as_child or verdict, cause, why, span, notes, delay)
