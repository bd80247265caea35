"""Edits of command lines, wherever they stand: JSON arrays, YAML lists, shell text."""

from __future__ import annotations

import json

from gracelint.base.patterns import pattern
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
    text = "".join(style.format(_written(item, style)) for item in added)
    return (Edit(Span(span.source, span.end, span.end), text),)


def whole(words: tuple[Word, ...]) -> Span | None:
    """From the first word to the last, where they stand in one place with nothing but punctuation between them."""
    spans = [word.span for word in words]
    first, last = spans[0] if spans else None, spans[-1] if spans else None
    if first is None or last is None or last.source is not first.source or last.end < first.end:
        return None
    at = first.start
    for span in spans:
        if span is None or not first.start <= span.start <= last.end:
            return None
        if first.source.text[at : span.start].strip(" \t\r\n,-\\"):
            return None
        at = span.end
    return Span(first.source, first.start, last.end)


def replace(words: tuple[Word, ...], texts: tuple[str, ...]) -> tuple[Edit, ...] | None:
    """Puts other words in the place of a command line's; None where it cannot be seen how they are written there."""
    span, first = whole(words), words[0].span if words else None
    style = _style(first) if first is not None else None
    if span is None or style is None or not texts:
        return None
    quoted = '"' in style
    written = [_written(text, style) for text in texts]
    separator = style.replace("{}", "\0")
    text = "".join(separator.replace("\0", word) for word in written)
    return (Edit(span, text[separator.index("\0") - quoted :]),)


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
    if span.text[:1] in "\"'" or not span.text.strip() or "(" in span.text:  # a call of a program, as `os.execvp(…)`
        return None
    return " {}" if _last(source, span.start) not in "[," else ", {}"


def _last(text: str, end: int) -> str:
    """The last character before an offset that is no white space, or "" at the beginning."""
    end -= 1
    while end >= 0 and text[end] in " \t\r\n\\":
        end -= 1
    return text[end] if end >= 0 else ""


def _written(text: str, style: str) -> str:
    if '"' in style:
        return json.dumps(text)[1:-1]
    safe = all(char.isalnum() or char in "-_./=+@%" for char in text)
    a_string = style == " {}" or (_STRING.match(text) and text.lower() not in _NO_STRINGS)
    return text if safe and text and a_string else json.dumps(text)


_STRING = pattern(r"-{0,2}[A-Za-z]|\.{0,2}/")
"""How a plain scalar begins that YAML reads as nothing but a string."""
_NO_STRINGS = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
