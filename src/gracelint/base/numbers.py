"""Numbers as the tools read them: ASCII digits, and not more of them than a sane value has."""

from __future__ import annotations

MOST_DIGITS = 15


def is_whole(text: str) -> bool:
    """Whether a text is a natural number. Python's own tests also take the digits of other scripts."""
    return is_digits(text) and len(text) <= MOST_DIGITS


def is_digits(text: str) -> bool:
    """Whether a text is digits alone, of whatever length."""
    return text.isascii() and text.isdigit()


def whole(text: str) -> int | None:
    """A natural number; None for any other text."""
    return int(text) if is_whole(text) else None
