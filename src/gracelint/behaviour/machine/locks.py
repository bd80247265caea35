"""Locks, which one thread holds at a time: who has waited longest is the next."""

from __future__ import annotations

from gracelint.behaviour.machine.values import Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Object, Run
    from gracelint.source import Span


def is_free(of: Object) -> bool:
    return of.state.get("holder") is None and not of.state.get("readers") and not of.state.get("queue")


def acquire(machine: Machine, of: Object, span: Span, *, again: bool = True) -> Run:
    """Waits until the lock is free; `again`: who holds it already takes it once more."""
    me = machine.current
    if again and me is not None and of.state.get("holder") is me:
        of.state["times"] += 1
        return
    if not is_free(of):
        yield from _queue(of, span, lambda: of.state.get("holder") is None and not of.state.get("readers"))
    of.state["holder"], of.state["times"] = me, 1


def release(of: Object) -> None:
    of.state["times"] = of.state.get("times", 1) - 1
    if of.state["times"] <= 0:
        of.state["holder"] = None


def acquire_shared(of: Object, span: Span) -> Run:
    """Waits until nobody holds it alone."""
    if of.state.get("holder") is not None or of.state.get("queue"):
        yield from _queue(of, span, lambda: of.state.get("holder") is None)
    of.state["readers"] = of.state.get("readers", 0) + 1


def release_shared(of: Object) -> None:
    of.state["readers"] = max(of.state.get("readers", 0) - 1, 0)


def held(machine: Machine, of: Object, span: Span, run: Run) -> Run:
    """Holds the lock while something runs."""
    yield from acquire(machine, of, span)
    try:
        value = yield from run
    finally:
        release(of)
    return value


def let_go(of: Object) -> int:
    """Gives the lock up for a wait; how often it is to be taken again."""
    times: int = of.state.get("times", 0) if of.state.get("holder") is not None else 0
    of.state["holder"], of.state["times"] = None, 0
    return times


def take_back(machine: Machine, of: Object, span: Span, times: int) -> Run:
    """After the wait."""
    if times:
        yield from acquire(machine, of, span)
        of.state["times"] = times


def _queue(of: Object, span: Span, free: Callable[[], bool]) -> Run:
    waiting = of.state.setdefault("queue", [])
    ticket = object()
    waiting.append(ticket)
    try:
        yield Wait("lock", span, lambda: waiting[0] is ticket and free())
    finally:
        waiting.remove(ticket)
