"""Servers and clients whose calls return before they are done: rows say which (knowledge/java_code.toml)."""

from __future__ import annotations

from gracelint.behaviour.java.waiting import number, time_of
from gracelint.behaviour.machine import serving
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Object, Raised, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Given
    from gracelint.behaviour.machine.values import Run


def starts(machine: JavaMachine, of: Object, row: dict[str, Any], given: Given) -> Run:
    yield from ()
    thread = machine.start(serving.serve(machine, of, given.span, row), given.span)
    thread.daemon = bool(row.get("daemon"))
    return of


def closes(machine: JavaMachine, of: Object, given: Given) -> Run:
    """Takes no more requests and returns at once; those in flight go on."""
    yield from ()
    of.state["closing"] = given.span
    return of


def awaits(machine: JavaMachine, of: Object, given: Given) -> Run:
    """Waits until a server that was told to close has answered what was in flight."""
    seconds = time_of(given) if given.args else None
    limit = machine.now + seconds if seconds is not None else None

    def told() -> bool:
        return bool(of.state.get("closing")) or bool(of.state.get("dropped"))

    def done() -> bool:
        return told() and (not machine.stopping or machine.now >= machine.idle_at)

    if machine.stopping:
        machine.waits.append(("close", given.span, seconds))

    def at() -> float | None:
        idle = machine.idle_at if machine.stopping and told() and machine.now < machine.idle_at else None
        return min((one for one in (idle, limit) if one is not None), default=None)

    yield Wait("close", given.span, lambda: done() or (limit is not None and machine.now >= limit), at=at)
    if done() and machine.stopping:
        of.state["drained"] = given.span
    elif machine.stopping and limit is not None:
        of.state["short"] = given.span
    return done()


def set_executor(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    pool = given.argument(0)
    if isinstance(pool, Object) and pool.type == "Pool":
        pool.state.setdefault("servers", []).append(of)
    return of


# clients that wait for messages


def poll(machine: JavaMachine, of: Any, given: Given) -> Run:
    seconds = number(given.argument(0)) or 1.0
    yield Wait(
        "poll", given.span, lambda: bool(of.state.get("woken")), node=(given.span.start,), at=_later(machine, seconds)
    )
    if of.state.pop("woken", None):
        raise Raised(("WakeupException", "KafkaException", "RuntimeException", "Exception"), UNKNOWN, given.span)
    return []


def _later(machine: JavaMachine, seconds: float) -> Callable[[], float]:
    until = machine.now + seconds
    return lambda: until


def wakeup(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    of.state["woken"] = True
    return NIL
