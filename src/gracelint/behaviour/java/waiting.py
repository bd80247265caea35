"""What the calls of Java's own classes have in common: times, and waiting until something holds."""

from __future__ import annotations

from gracelint.behaviour.machine.machine import sleep
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Lib, Raised, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.machine import library
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

    Given = library.Given
    Call = Callable[[JavaMachine, Any, Given], Run]

UNITS = {
    "NANOSECONDS": 1e-9,
    "MICROSECONDS": 1e-6,
    "MILLISECONDS": 0.001,
    "SECONDS": 1.0,
    "MINUTES": 60.0,
    "HOURS": 3600.0,
    "DAYS": 86400.0,
}


def now(value: Any = NIL) -> Run:
    """A call that returns at once."""
    yield from ()
    return value


def open_(machine: JavaMachine, of: Any, given: Given) -> Run:
    """A call that gives at once what nobody can tell."""
    return now(UNKNOWN)


_FOR_EVER = 1e12


def number(value: Any, unit: float = 1.0) -> float | None:
    if isinstance(value, Lib) and value.path.endswith(".MAX_VALUE"):
        return _FOR_EVER
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) * unit if known else None


def time_of(given: Given, at: int = 0) -> float | None:
    """Seconds of `(10, TimeUnit.SECONDS)` or of a Duration; None where nobody can tell."""
    unit = given.argument(at + 1)
    if isinstance(unit, Lib):
        return number(given.argument(at), UNITS.get(unit.path.rpartition(".")[2], 1.0))
    return number(given.argument(at))


def interruption(span: Span) -> Raised:
    return Raised(("InterruptedException", "Exception"), UNKNOWN, span)


def check(machine: JavaMachine, span: Span) -> None:
    """A thread that was interrupted while it ran waits for nothing."""
    if id(machine.current) in machine.interrupted:
        machine.interrupted.discard(id(machine.current))
        raise interruption(span)


def until(machine: JavaMachine, kind: str, span: Span, ready: Callable[[], bool], seconds: float | None = None) -> Run:
    """Waits until something holds, at most so many seconds; whether it does then."""
    check(machine, span)
    limit = machine.now + seconds if seconds is not None else None
    if machine.stopping and kind in ("join", "latch", "tasks"):
        machine.waits.append(("join", span, seconds))
    yield Wait(kind, span, lambda: ready() or (limit is not None and machine.now >= limit), at=lambda: limit)
    return ready()


def pause(machine: JavaMachine, given: Given, seconds: float | None) -> Run:
    check(machine, given.span)
    seconds = 1.0 if seconds is None else seconds
    if machine.current in machine.shutting:
        machine.slept += seconds
    yield from sleep(machine, given.span, seconds, (given.span.source.path, given.span.start))
    return NIL
