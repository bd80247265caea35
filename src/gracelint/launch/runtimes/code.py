"""What stands in a project's own sources that changes what its framework does: the `code` rows of a table."""

from __future__ import annotations

import re

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.source import Source, Span

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.S)

_MOST = 200
"""Places of one word in one source."""


class Found(Record, identity=True):
    """A row's mark in a source."""

    row: Mapping[str, Any]
    span: Span
    body: str = ""
    """The braces behind it."""

    @property
    def place(self) -> str:
        return f"{self.span.source.path}:{self.span.line}"


def marks(files: Files, paths: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[Found]:
    """Each row whose mark stands in the sources, with the place; in comments it does not count."""
    wanted = list(rows)
    if any("also" in row for row in wanted):
        paths = tuple(paths)
        wanted = [row for row in wanted if "also" not in row or _holds(files, paths, row["also"])]
    words = {word for row in wanted for word in row["words"]}
    for path in paths:
        text = files.glance(path)
        if not any(word in text for word in words):
            continue
        source = files.read(path)
        for row in wanted:
            found = _place(source, row) if source is not None else None
            if found is not None:
                yield found


def _holds(files: Files, paths: Iterable[str], words: Iterable[str]) -> bool:
    return any(word in files.glance(path) for path in paths for word in words)


def _place(source: Source, row: Mapping[str, Any]) -> Found | None:
    text = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source.text)
    if any(word in text for word in row.get("absent", ())):
        return None
    for word in row["words"]:
        start, count = text.find(word), 0
        while start >= 0 and count < _MOST:
            count += 1
            body = _body(text, start, start + len(word))
            if "within" not in row or any(wait in body for wait in row["within"]):
                return Found(row, source.span(start, start + len(word)), body)
            start = text.find(word, start + 1)
    return None


def _body(text: str, start: int, end: int) -> str:
    """The braces that follow an annotation or a head, or that stand in what a call is given."""
    opening = text.find("{", start)
    if opening < 0 or ";" in text[start:opening]:
        return ""
    if text.startswith("(", end) and text.count("(", end, opening) == text.count(")", end, opening):
        return ""
    depth = 0
    for index in range(opening, min(len(text), opening + 20_000)):
        depth += (text[index] == "{") - (text[index] == "}")
        if depth == 0:
            return text[opening:index]
    return text[opening : opening + 20_000]
