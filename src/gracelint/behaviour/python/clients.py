"""Clients that keep a program from its end: what it still answers when the signal comes."""

from __future__ import annotations

import math

from gracelint.behaviour.python.dropped import daemon_requests, serves_in_threads
from gracelint.behaviour.python.values import Const
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.work import Work
    from gracelint.source import Span


_LONG = 5.0
"""Seconds that count against a grace period."""


def reaction(
    signal: str, verdict: Verdict, cause: Cause, why: str, span: Span | None = None, **more: object
) -> Reaction:
    """What a program does on a signal as PID 1, and below one as well."""
    return Reaction(signal, verdict, verdict, cause, why, span, **more)  # type: ignore[arg-type]


def endless_stream(signal: str, machine: Machine, point: Point) -> Reaction | None:
    """An answer that does not end, for which a server that the program starts waits without a limit."""
    call = next((call for call in machine.facts.servers if call.node is point.node), None)
    if call is None or "unbounded" not in call.row or call.row["unbounded"] in call.keywords:
        return None
    from gracelint.behaviour.python.streams import endless_stream as first_endless

    found = first_endless(machine.modules.sources())
    if found is None:
        return None
    why, span = f"{call.row['server']} {found.says}", found.source.line_span(found.function.lineno)
    if not found.never:
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, span)


def held(signal: str, machine: Machine, ended: Reaction) -> Reaction:
    """The same end, later by what aiohttp gives to handlers that go on for as long as their clients stay."""
    row = _patient(machine)
    if row is None:
        return ended
    from gracelint.behaviour.python.streams import held_connection

    found = held_connection(machine.modules.sources())
    if found is None:
        return ended
    seconds = _patience(machine)
    if seconds is None or (ended.delay is None and machine.delay is None):
        why = f"how long {row['server']} waits for `{found.function.name}()` is only known when it runs"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, found.source.line_span(found.function.lineno))
    why = f"{row['server']} waits {seconds:g} s for `{found.function.name}()`, which goes on while its client stays"
    span = found.source.line_span(found.function.lineno)
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=(ended.delay or 0) + seconds)


def _patient(machine: Machine) -> dict[str, Any] | None:
    """The row of a server that waits for so long and no longer, in a call that serves or in one that listens."""
    rows = (*(call.row for call in machine.facts.servers), *(row for _, _, row in machine.facts.listening))
    return next((row for row in rows if "patience" in row), None)


def _patience(machine: Machine) -> float | None:
    """Seconds that the program's server waits for what is in flight; None where they are not known."""
    patient = _patient(machine)
    option, usual = patient["patience"] if patient is not None else ("", math.inf)
    options = [option, *(call.row["unbounded"] for call in machine.facts.servers if "unbounded" in call.row)]
    said = [call.keywords[name] for call in machine.facts.servers for name in options if name in call.keywords]
    given = said[0] if said else machine.world.get(("patience", option))
    return float(usual) if given is None else _number(given)


def _number(value: object) -> float | None:
    is_number = isinstance(value, Const) and isinstance(value.value, (int, float))
    return float(value.value) if is_number else None  # type: ignore[attr-defined]


def begun(signal: str, machine: Machine, ended: Reaction) -> Reaction:
    """The same end, later by a request that always takes long, or with what is lost that a request is still at."""
    from gracelint.behaviour.python.account import span_of
    from gracelint.behaviour.python.work import REQUESTS, SCHEDULED, abandoned, slowest

    if any("postpones" in call.row for call in machine.facts.servers):
        from gracelint.behaviour.python.postponed import postponed

        left_out = postponed(signal, machine, ended)
        if left_out is not None:
            return left_out
    row = next((call.row for call in machine.facts.servers if "app" in call.row), None)
    row = row if row is not None and machine.served else _patient(machine)
    if row is None:
        if not any("apscheduler" in source.text for source in machine.modules.sources()):
            return ended
        return _late(signal, "apscheduler", slowest(machine.modules.sources(), SCHEDULED), ended)
    server = row["server"]
    started = [span for thing in machine.facts.children if (span := span_of(thing)) is not None]
    left = abandoned(machine.modules.sources(), started) if machine.served else None
    if left is not None:
        why = f"the {left.leaves} that `{left.function.name}()` starts is lost when {server} ends"
        verdict = Verdict.CUT if left.seconds >= 1 else Verdict.UNKNOWN
        return reaction(signal, verdict, Cause.ABRUPT_EXIT, why, left.source.line_span(left.function.lineno))
    work, seconds = slowest(machine.modules.sources(), REQUESTS), _patience(machine)
    if work is not None and seconds is not None and work.seconds > seconds * row.get("rounds", 1):
        why = f"{server} waits {seconds:g} s for `{work.function.name}()`, which takes {work.seconds:g} s"
        span = work.source.line_span(work.function.lineno)
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span, delay=ended.delay)
    return _late(signal, server, work, ended)


def _late(signal: str, server: str, work: Work | None, ended: Reaction) -> Reaction:
    if work is None or work.seconds < max(_LONG, ended.delay or 0):
        return ended
    why = f"{server} waits for `{work.function.name}()`, which takes {work.seconds:g} s"
    span = work.source.line_span(work.function.lineno)
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=work.seconds)


def waits_for_the_peer(signal: str, machine: Machine, point: Point) -> Reaction | None:
    """A server of `socketserver` that waits for a request which goes on for as long as its peer stays."""
    is_socketserver = point.serves is not None and point.serves["server"] == "socketserver"
    if not is_socketserver or daemon_requests(point) or (machine.thrown is not None and not serves_in_threads(point)):
        return None
    from gracelint.behaviour.python.streams import held_by_the_peer

    found = held_by_the_peer(machine.modules.sources())
    if found is None:
        return None
    span = found.source.line_span(found.function.lineno)
    why = f"`{point.what}` ends, but a request that has begun goes on for as long as its client stays"
    return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, span)


def dropped_by_daemons(signal: str, machine: Machine, point: Point) -> Reaction:
    """What ends with the main thread; what comes over a bare socket may be no request that anybody waits for."""
    if (point.serves or {}).get("server") == "socketserver":
        why = f"whether the daemon threads of `{point.what}` are at something when it ends is only known when it runs"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, point.span)
    why = f"`{point.what}` ends, but its request threads are daemons: requests in flight are dropped"
    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, point.span, delay=machine.delay)
