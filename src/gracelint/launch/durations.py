"""Lengths of time as commands and configuration files write them."""

from __future__ import annotations

_UNITS = {
    "ms": 0.001,
    "milliseconds": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "seconds": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}


def seconds(text: str, unit: float = 1.0) -> float | None:
    """`30`, `1.5`, `5m`, `1m30s`, `500ms`, `PT30S` in seconds; `unit` is what a bare number counts. None for others."""
    text = text.strip().lower().removeprefix("pt")
    if not text.isascii() or len(text) > 40:
        return None
    total, rest = 0.0, text
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        letters = len(rest[digits:]) - len(rest[digits:].lstrip("abcdefghijklmnopqrstuvwxyz"))
        name = rest[digits : digits + letters]
        if name not in _UNITS and (name or rest != text):
            return None
        try:
            total += float(rest[:digits]) * (_UNITS[name] if name else unit)
        except ValueError:
            return None
        rest = rest[digits + letters :].lstrip()
    return total if text else None
