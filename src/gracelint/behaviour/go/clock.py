"""Go's clock: times, what lies between them, and contexts that end at one."""

from __future__ import annotations

from gracelint.behaviour.machine.values import UNKNOWN, Ctx, Native, Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.source import Span


def _time(at: float, span: Span) -> Object:
    one = Object("time.Time", span)
    one.state["at"] = at
    return one


def _at(value: Any) -> float | None:
    """When a time is, in seconds of the run; None of those that nobody can tell."""
    return value.state.get("at") if isinstance(value, Object) else None


def _between(machine: GoMachine, end: float | None, start: float | None) -> Any:
    return UNKNOWN if end is None or start is None else (end - start) / machine.unit


def _with_deadline(machine: GoMachine, given: list[Any], span: Span) -> Any:
    context = Ctx(given[0] if isinstance(given[0], Ctx) else None, span)
    until = _at(given[1])
    if until is not None:
        context.deadline = until if context.deadline is None else min(until, context.deadline)
    return (context, Native(lambda _: context.cancel()))


def _add(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Any:
    at, more = _at(of), machine.settle(given[0])
    return _time(at + more * machine.unit, span) if at is not None and isinstance(more, (int, float)) else UNKNOWN


def _is_after(machine: GoMachine, later: Any, earlier: Any) -> Any:
    end, start = _at(later), _at(earlier)
    if end is None or start is None:
        return UNKNOWN
    if machine.is_main_stopping():
        machine.counted_at = machine.wakes
    return end > start


FUNCTIONS: dict[str, Callable[[GoMachine, list[Any], Span], Any]] = {
    "context.WithDeadline": _with_deadline,
    "context.WithDeadlineCause": _with_deadline,
    "time.Now": lambda machine, given, span: _time(machine.now, span),
    "time.Since": lambda machine, given, span: _between(machine, machine.now, _at(given[0])),
    "time.Until": lambda machine, given, span: _between(machine, _at(given[0]), machine.now),
}
METHODS: dict[str, dict[str, Callable[[GoMachine, Object, list[Any], Span], Any]]] = {
    "time.Time": {
        "Add": _add,
        "After": lambda machine, of, given, span: _is_after(machine, of, given[0]),
        "Before": lambda machine, of, given, span: _is_after(machine, given[0], of),
        "IsZero": lambda machine, of, given, span: UNKNOWN if _at(of) is None else False,
        "Sub": lambda machine, of, given, span: _between(machine, _at(of), _at(given[0])),
        "UTC": lambda machine, of, given, span: of,
    }
}
