"""Clients that keep a program from its end: what it still answers when the signal comes."""

from __future__ import annotations

from gracelint.behaviour.python.dropped import daemon_requests, serves_in_threads
from gracelint.behaviour.python.values import Const
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    calls = [call for call in machine.facts.servers if "patience" in call.row]
    runners = [(thing, row) for thing, _, row in machine.facts.listening if "patience" in row]
    if not calls and not runners:
        return ended
    from gracelint.behaviour.python.streams import held_connection

    found = held_connection(machine.modules.sources())
    if found is None:
        return ended
    row = calls[0].row if calls else runners[0][1]
    option, usual = row["patience"]
    given = calls[0].keywords.get(option) if calls else machine.world.get(("patience", option))
    known = given.value if isinstance(given, Const) and isinstance(given.value, (int, float)) else None
    seconds = float(usual) if given is None else known
    if seconds is None or (ended.delay is None and machine.delay is None):
        why = f"how long {row['server']} waits for `{found.function.name}()` is only known when it runs"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, found.source.line_span(found.function.lineno))
    why = f"{row['server']} waits {seconds:g} s for `{found.function.name}()`, which goes on while its client stays"
    span = found.source.line_span(found.function.lineno)
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=(ended.delay or 0) + seconds)


def begun(signal: str, machine: Machine, ended: Reaction) -> Reaction:
    """The same end, later by a request that always takes long, or with the tasks lost that requests start."""
    from gracelint.behaviour.python.work import REQUESTS, SCHEDULED, abandoned, slowest

    server = next((call.row["server"] for call in machine.facts.servers if "app" in call.row), None)
    if server is None or not machine.served:
        if not any("apscheduler" in source.text for source in machine.modules.sources()):
            return ended
        return _late(signal, "apscheduler", slowest(machine.modules.sources(), SCHEDULED), ended)
    left = abandoned(machine.modules.sources())
    if left is not None:
        why = f"the {left.leaves} that `{left.function.name}()` starts is lost when {server} ends"
        verdict = Verdict.CUT if left.seconds >= 1 else Verdict.UNKNOWN
        return reaction(signal, verdict, Cause.ABRUPT_EXIT, why, left.source.line_span(left.function.lineno))
    return _late(signal, server, slowest(machine.modules.sources(), REQUESTS), ended)


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
