"""Edits of command lines, wherever they stand: JSON arrays, YAML lists, shell text."""

from __future__ import annotations

import json

from gracelint.finding import Edit
from gracelint.source import Span, Word


def insert_after(word: Word, *added: str) -> tuple[Edit, ...] | None:
    """Puts words behind a word of a command line; None where it cannot be seen how they are written there."""
    span = word.span
    if span is None or not added:
        return None
    style = _style(span)
    if style is None:
        return None
    text = "".join(style.format(_plain(item) if '"' not in style else json.dumps(item)[1:-1]) for item in added)
    return (Edit(Span(span.source, span.end, span.end), text),)


def _style(span: Span) -> str | None:
    """How a further word is written behind this one: `, "{}"`, a new `- {}` line, or ` {}`."""
    source = span.source.text
    line_start = source.rfind("\n", 0, span.start) + 1
    before = source[line_start : span.start]
    if span.text.startswith('"') and _last(source, span.start) in "[,":
        return ', "{}"'
    if before.strip() == "-":
        newline = "\r\n" if "\r\n" in source else "\n"
        return f"{newline}{before}{{}}"
    if span.text[:1] in "\"'" or not span.text.strip():
        return None
    return " {}" if _last(source, span.start) not in "[," else ", {}"


def _last(text: str, end: int) -> str:
    """The last character before an offset that is no white space, or "" at the beginning."""
    end -= 1
    while end >= 0 and text[end] in " \t\r\n\\":
        end -= 1
    return text[end] if end >= 0 else ""


def _plain(text: str) -> str:
    safe = all(char.isalnum() or char in "-_./=+@%" for char in text)
    return text if safe and text else json.dumps(text)
