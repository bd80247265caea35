"""What can be told of two values: whether they are equal, and what an operator makes of them."""

from __future__ import annotations

from functools import partial

from gracelint.base.limits import EXACT, EXPANDED
from gracelint.behaviour.machine.values import UNKNOWN, Err, Nil, OneOf, Sig, Unknown, made_of
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PLAIN = (int, float, str, bool)
_ORDER = ("<", "<=", ">", ">=")


def held(value: Any) -> bool | None:
    """Whether a value that is true, false or nil holds; None of all others that nobody can tell."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Unknown):
        return None
    return not isinstance(value, Nil)


def _number(value: Any, beside: Any) -> Any:
    """A signal beside a number is one."""
    numeric = isinstance(value, Sig) and isinstance(beside, (int, float))
    return table("signals")["numbers"].get(value, UNKNOWN) if numeric else value


def equal(left: Any, right: Any) -> bool | None:
    left, right = _number(left, right), _number(right, left)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if isinstance(left, Nil) or isinstance(right, Nil):
        return isinstance(left, Nil) and isinstance(right, Nil)
    if isinstance(left, Err) and isinstance(right, Err):
        return left.name == right.name
    if isinstance(left, _PLAIN) and isinstance(right, _PLAIN):
        return left == right
    return left is right


def equal_of_one_type(left: Any, right: Any) -> bool | None:
    """As `equal`, in a language that compares one type only: what a library gives stands for a text or a number."""
    is_mixed = isinstance(left, _PLAIN) is not isinstance(right, _PLAIN)
    return None if is_mixed and not isinstance(left, Nil) and not isinstance(right, Nil) else equal(left, right)


def binary(operator: str, left: Any, right: Any) -> Any:
    if isinstance(left, OneOf) or isinstance(right, OneOf):
        return made_of(partial(binary, operator), left, right)
    if operator in ("==", "!="):
        same = equal(left, right)
        return UNKNOWN if same is None else same is (operator == "==")
    left, right = _number(left, right), _number(right, left)
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        value = arithmetic(operator, left, right)
        return UNKNOWN if isinstance(value, (int, float)) and not -EXACT <= value <= EXACT else value
    joined = operator == "+" and (
        (isinstance(left, str) and isinstance(right, str)) or (isinstance(left, list) and isinstance(right, list))
    )
    return left + right if joined and len(left) + len(right) <= EXPANDED else UNKNOWN


def outermost(values: list[Any], how: Callable[[list[float]], float]) -> Any:
    """The least or the most of some numbers."""
    known = values and all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values)
    return how(values) if known else UNKNOWN


def arithmetic(operator: str, left: float, right: float) -> Any:
    if operator == "*":
        return left * right
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator in ("/", "//", "%") and right:
        if operator == "//" and isinstance(left, int) and isinstance(right, int):
            return int(left / right)
        return left % right if operator == "%" else left / right
    if operator in _ORDER:
        less = left < right or (left == right and "=" in operator)
        more = left > right or (left == right and "=" in operator)
        return less if operator[0] == "<" else more
    return UNKNOWN
