"""What programs read in texts: numbers and truth values."""

from __future__ import annotations

from gracelint.base.numbers import MOST_DIGITS, is_digits, whole
from gracelint.base.patterns import pattern
from gracelint.behaviour.machine.values import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TRUE, _FALSE = ("true", "1", "t", "yes", "on"), ("false", "0", "f", "no", "off", "")
_FRONT = pattern(r"\s{0,8}([-+]?[0-9]{1,15}(?:\.[0-9]{1,15})?)")


def number(text: str) -> Any:
    """The number that a text is, with a point or without; unknown where it is none."""
    text = text.strip()
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    before, point, after = digits.partition(".")
    if point and is_digits(before + after) and len(digits) <= MOST_DIGITS:
        return sign * float(digits)
    found = whole(digits)
    return UNKNOWN if found is None else sign * found


def leading(text: str) -> Any:
    """The number that a text begins with, 0 where there is none."""
    match = _FRONT.match(text)
    return number(match[1].removeprefix("+")) if match is not None else 0


def truth(text: str) -> Any:
    """What a text says of a switch; unknown for any other."""
    text = text.strip().lower()
    return True if text in _TRUE else False if text in _FALSE else UNKNOWN
