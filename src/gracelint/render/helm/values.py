"""What templates take values for: what is true, and what is printed."""

from __future__ import annotations

import math

from gracelint.render.values import weigh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class Native:
    """An object with methods, such as `.Files`; `members` are values, or functions that a field call runs."""

    __slots__ = ("members", "text")

    def __init__(self, members: Mapping[str, Any], text: str = "") -> None:
        self.members = members
        self.text = text
        """What it is printed as."""


def truth(value: Any) -> bool:
    """text/template's IsTrue: zero, "", nil and what is empty are false."""
    if isinstance(value, float):
        return value != 0
    if isinstance(value, Native):
        return bool(value.members.get("items", True))
    return bool(value)


def shown(value: Any, inside: bool = False) -> str:
    """What fmt prints with %v. `inside` another text nil is `<nil>`; by itself Helm prints nothing."""
    if value is None:
        return "<nil>" if inside else ""
    if isinstance(value, (dict, list, tuple)):
        weigh(value)
    return _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return shown_float(value)
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_shown(value[key])}" for key in sorted(value, key=str)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(_shown, value)) + "]"
    return value.text if isinstance(value, Native) else str(value)


def shown_float(value: float) -> str:
    """Go's shortest %g: with an exponent below 1e-4 and from 1e6 on."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "0"
    sign, digits, exponent = _shortest(value)
    if exponent < -4 or exponent >= 6:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{sign}{whole}" + (f".{digits[exponent + 1 :]}" if len(digits) > exponent + 1 else "")


def whole_number(value: float) -> str:
    """A whole number without an exponent, in the digits that tell it from others."""
    sign, digits, exponent = _shortest(value)
    return "0" if value == 0 else sign + digits.ljust(exponent + 1, "0")


def _shortest(value: float) -> tuple[str, str, int]:
    """Sign, digits without trailing zeros, and the exponent of the first digit."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    first = len(whole) - 1 if whole.strip("0") else -(len(fraction) - len(fraction.lstrip("0"))) - 1
    return sign, digits.rstrip("0") or "0", first + int(exponent or 0)


def kind(value: Any) -> str:
    """Its reflect.Kind."""
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return "invalid" if value is None else "ptr"


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "bool"),
    (str, "string"),
    (int, "int"),
    (float, "float64"),
    (dict, "map"),
    ((list, tuple), "slice"),
)


def type_of(value: Any) -> str:
    """Its Go type, as %T prints it."""
    name = kind(value)
    return {"map": "map[string]interface {}", "slice": "[]interface {}", "invalid": "<nil>"}.get(name, name)


if TYPE_CHECKING:
    Functions = Mapping[str, Callable[..., Any]]
