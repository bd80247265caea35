"""Numbers of which only bounds are known: a pause with jitter, a back-off with a ceiling."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.values import FROM_OUTSIDE, Const, Thing, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.behaviour.python.machine import Machine

    Bounds = tuple[float | None, float | None]

KIND = "between"
_LONG = 10.0
"""Seconds that most containers are given to stop."""


def between(machine: Machine, node: ast.AST, least: float | None, most: float | None) -> Value:
    """A number that is no less than `least` and no more than `most`, where None says nothing."""
    if least is not None and least == most:
        return Const(least)
    if most is None and (least is None or least < _LONG):
        return FROM_OUTSIDE
    thing = Thing(KIND, node, machine.module)
    thing.store["#least"], thing.store["#most"] = Const(least), Const(most)
    return thing


def bounds_of(value: Value) -> Bounds | None:
    """The bounds of a number; None where nothing is known of it."""
    if isinstance(value, Const) and isinstance(value.value, (int, float)):
        return value.value, value.value
    if not isinstance(value, Thing) or value.kind != KIND:
        return None
    return value.store["#least"].value, value.store["#most"].value  # type: ignore[attr-defined]


def as_pause(value: Value) -> Value:
    """What such a number is worth as a time to wait: the most where that is short, the least where that is long."""
    known = bounds_of(value)
    if known is None or not isinstance(value, Thing):
        return value
    least, most = known
    if most is not None and most <= _LONG:
        return Const(most)
    return Const(least) if least is not None and least > _LONG else FROM_OUTSIDE


def calculated(machine: Machine, node: ast.BinOp, left: Value, right: Value) -> Value | None:
    """`5 + random.random()`; None where neither is such a number, or the operator does not keep their order."""
    if not any(isinstance(value, Thing) and value.kind == KIND for value in (left, right)):
        return None
    one, other = bounds_of(left), bounds_of(right)
    if one is None or other is None:
        return None
    if isinstance(node.op, ast.Sub):
        return between(machine, node, _apply(node.op, one[0], other[1]), _apply(node.op, one[1], other[0]))
    rises = isinstance(node.op, ast.Add) or (isinstance(node.op, (ast.Mult, ast.Pow)) and _is_above(0, one, other))
    if not rises or (isinstance(node.op, ast.Pow) and not _is_above(1, one)):
        return None
    return between(machine, node, _apply(node.op, one[0], other[0]), _apply(node.op, one[1], other[1]))


def _is_above(number: float, *known: Bounds) -> bool:
    return all(least is not None and least >= number for least, _ in known)


def _apply(operator: ast.operator, left: float | None, right: float | None) -> float | None:
    from gracelint.behaviour.python.expressions import calculate

    if left is None or right is None:
        return None
    value = calculate(operator, left, right)
    return value.value if isinstance(value, Const) else None


def extreme(machine: Machine, node: ast.AST, args: Sequence[Value], *, largest: bool) -> Value:
    """`min(2**attempt, 30)` is no more than 30, whatever the rest is."""
    known = [bounds_of(value) or (None, None) for value in args]
    leasts = [least for least, _ in known if least is not None]
    mosts = [most for _, most in known if most is not None]
    if largest:
        return between(machine, node, max(leasts, default=None), max(mosts) if len(mosts) == len(known) else None)
    return between(machine, node, min(leasts) if len(leasts) == len(known) else None, min(mosts, default=None))
