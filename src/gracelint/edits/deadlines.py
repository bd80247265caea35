"""Edits of the time after which a supervisor kills what it has told to stop."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.edits import words
from gracelint.finding import Edit
from gracelint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.launch import Deadline

_NUMBER = pattern(r"[0-9]+(\.[0-9]+)?s?")


def raise_to(deadline: Deadline, seconds: float) -> tuple[Edit, ...] | None:
    """Sets the deadline where it is written, else behind the text it belongs to; None where that cannot be done."""
    amount = f"{round(seconds / deadline.unit):d}"
    if deadline.span is not None:
        written = deadline.span.text.strip("\"'")
        if deadline.span.source.path and _NUMBER.fullmatch(written):
            start = deadline.span.start + deadline.span.text.index(written)
            return (Edit(Span(deadline.span.source, start, start + len(written)), amount),)
        return None
    if deadline.behind is None or deadline.written is None:
        return None
    added = deadline.written.format(amount)
    if deadline.written.startswith("-"):
        return words.insert_after(deadline.behind, *added.split())
    return _line_behind(deadline.behind.span, added)


def _line_behind(span: Span | None, added: str) -> tuple[Edit, ...] | None:
    """A line behind the one a value stands on, where that ends with the value."""
    if span is None or not span.source.path:
        return None
    text = span.source.text
    end = next((at for at in range(span.end, len(text)) if text[at] in "\r\n"), len(text))
    following = text[end:].lstrip("\r\n")
    start = max(text.rfind("\n", 0, span.start), text.rfind("\r", 0, span.start)) + 1
    if "\n" in span.text or text[span.end : end].strip() or following[:1] in (" ", "\t") or "=" not in text[start:end]:
        return None
    newline = "\r\n" if text.startswith("\r\n", end) else "\n"
    indentation = text[start : len(text) - len(text[start:].lstrip(" \t"))]
    return (Edit(Span(span.source, end, end), f"{newline}{indentation}{added}"),)
