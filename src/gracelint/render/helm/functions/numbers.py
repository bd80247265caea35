"""Arithmetic, comparison and conversion."""

from __future__ import annotations

import math
import re

from gracelint.base.numbers import is_digits
from gracelint.render.helm.template import TemplateError
from gracelint.render.helm.values import kind, shown, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LONGEST = 100_000
"""Numbers in a list that `until` and its kin make."""
_INT64 = 1 << 63


def integer(value: Any) -> int:
    """Sprig's toInt64: what is no number is 0."""
    if isinstance(value, str):
        try:
            value = _written(re.sub(r"\.0+$", "", value))
        except ValueError:
            return 0
    if isinstance(value, float):
        return int(value) if abs(value) < _INT64 else 0
    if isinstance(value, int):
        return int(value) if abs(value) <= _INT64 else 0
    return 0


def _written(text: str) -> int:
    if text != text.strip():
        raise ValueError(text)
    return int(text, 0) if text[:1] != "0" or not is_digits(text) else int(text, 8)


def real(value: Any) -> float:
    """Sprig's toFloat64."""
    try:
        number = float(value) if isinstance(value, (str, int, float)) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return number


def _product(*values: Any) -> int:
    product = 1
    for value in values:
        product = integer(product * integer(value))
    return product


def _quotient(one: Any, other: Any) -> int:
    """Division as Go does it, towards zero."""
    a, b = integer(one), integer(other)
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _remainder(one: Any, other: Any) -> int:
    return integer(one) - integer(other) * _quotient(one, other)


def _reals(combine: Callable[[float, float], float]) -> Callable[..., float]:
    def combined(first: Any, *others: Any) -> float:
        result = real(first)
        for other in others:
            result = combine(result, real(other))
        return result

    return combined


def _round(value: Any, places: Any, half: Any = 0.5) -> float:
    scale = 10.0 ** min(integer(places), 15)
    number = real(value) * scale
    whole = math.floor(abs(number))
    up = abs(number) - whole >= real(half)
    return math.copysign((whole + up) / scale, number)


def _steps(start: int, stop: int, step: int) -> list[int]:
    numbers = range(start, stop, step) if step else range(0)
    if len(numbers) > _LONGEST:
        raise TemplateError("too large to be followed")
    return list(numbers)


def _until(count: Any) -> list[int]:
    return _steps(0, integer(count), 1 if integer(count) >= 0 else -1)


def _until_step(start: Any, stop: Any, step: Any) -> list[int]:
    first, last, by = integer(start), integer(stop), integer(step)
    return _steps(first, last, by) if (last - first) * by > 0 else []


def _sequence(*bounds: Any) -> str:
    numbers = [integer(bound) for bound in bounds]
    if not numbers or len(numbers) > 3:
        return ""
    start = numbers[0] if len(numbers) > 1 else 1
    last = numbers[-1]
    step = numbers[1] if len(numbers) == 3 else (1 if last >= start else -1)
    if not step:
        return ""
    return " ".join(map(str, _steps(start, last + (1 if step > 0 else -1), step)))


def _comparable(one: Any, other: Any) -> bool:
    """Whether Go compares the two: of one kind, or numbers of one kind; nil with all."""
    return one is None or other is None or _basic(one) == _basic(other)


def _basic(value: Any) -> str:
    name = kind(value)
    return "container" if name in ("map", "slice") else name


def _equal(first: Any, *others: Any) -> bool:
    for other in others:
        if not _comparable(first, other):
            raise TemplateError("incompatible types for comparison")
        if first == other:
            return True
    return False


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(one: Any, other: Any) -> bool:
        if one is None or other is None or not _comparable(one, other):
            raise TemplateError("incompatible types for comparison")
        return compare(one, other)

    return compared


def _octal(value: Any) -> int:
    try:
        return int(shown(value), 8)
    except ValueError:
        return 0


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": _equal,
    "ne": lambda one, other: not _equal(one, other),
    "lt": _ordered(lambda one, other: bool(one < other)),
    "le": _ordered(lambda one, other: bool(one <= other)),
    "gt": _ordered(lambda one, other: bool(one > other)),
    "ge": _ordered(lambda one, other: bool(one >= other)),
    "not": lambda value: not truth(value),
    "int": integer,
    "int64": integer,
    "atoi": lambda value: integer(value) if is_digits(shown(value).lstrip("+-")) else 0,
    "float64": real,
    "toDecimal": _octal,
    "add": lambda *values: integer(sum(map(integer, values))),
    "add1": lambda value: integer(value) + 1,
    "sub": lambda one, other: integer(one) - integer(other),
    "mul": _product,
    "div": _quotient,
    "mod": _remainder,
    "max": lambda *values: max(map(integer, values)),
    "biggest": lambda *values: max(map(integer, values)),
    "min": lambda *values: min(map(integer, values)),
    "addf": _reals(lambda one, other: one + other),
    "add1f": lambda value: real(value) + 1,
    "subf": _reals(lambda one, other: one - other),
    "mulf": _reals(lambda one, other: one * other),
    "divf": _reals(lambda one, other: one / other),
    "maxf": _reals(max),
    "minf": _reals(min),
    "floor": lambda value: float(math.floor(real(value))),
    "ceil": lambda value: float(math.ceil(real(value))),
    "round": _round,
    "until": _until,
    "untilStep": _until_step,
    "seq": _sequence,
}
