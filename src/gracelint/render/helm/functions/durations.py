"""Stretches of time, as Go writes them."""

from __future__ import annotations

import re

from gracelint.base.numbers import is_digits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,9})?)(ns|us|µs|ms|s|m|h)")
_LARGEST = 9_223_372_036
"""Seconds that a Go duration holds."""
_HOUR = 3600
_UNITS = (("y", 8760 * _HOUR), ("mo", 720 * _HOUR), ("d", 24 * _HOUR), ("h", _HOUR), ("m", 60), ("s", 1))


def _duration(value: Any) -> str:
    """Sprig takes whole seconds out of a string, and out of nothing else."""
    digits = value.lstrip("-") if isinstance(value, str) else ""
    seconds = int(digits) if is_digits(digits) and len(digits) <= 10 else 0
    if not seconds or seconds > _LARGEST:
        return "0s"
    hours, minutes = seconds // _HOUR, seconds // 60 % 60
    shown = (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds % 60}s"
    return f"-{shown}" if value.startswith("-") else shown


def _rounded(value: Any) -> str:
    """In the largest unit that fits, cut off below it."""
    text = value.lstrip("+-") if isinstance(value, str) else ""
    parts = _PART.findall(text)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text:
        return "0s"
    return next((f"{int(seconds // size)}{unit}" for unit, size in _UNITS if seconds >= size), "0s")


FUNCTIONS: dict[str, Callable[..., Any]] = {"duration": _duration, "durationRound": _rounded}
