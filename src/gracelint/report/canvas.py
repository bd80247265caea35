"""Styled text for people: plain where it is piped, coloured by rich where it is a terminal."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

Piece = tuple[str, str]
"""Text and its style, in rich's words; "" for none."""

TAB = 4


def plain(lines: Iterable[list[Piece]]) -> str:
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def coloured(lines: Iterable[list[Piece]]) -> str:
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    console = Console(file=StringIO(), force_terminal=True, highlight=False, soft_wrap=True, legacy_windows=False)
    for line in lines:
        console.print(Text.assemble(*line), soft_wrap=True)
    written = console.file
    assert isinstance(written, StringIO)
    return written.getvalue().rstrip("\n")


def visible(text: str) -> str:
    """One line of a file as it can be shown: nothing in it moves the cursor or turns the text around."""
    if text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def width(text: str) -> int:
    """Columns of a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) or char == "\u200d" else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def _visible(char: str) -> str:
    if char == "\t":
        return " " * TAB
    if char == "\ufeff":
        return ""
    return char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"
