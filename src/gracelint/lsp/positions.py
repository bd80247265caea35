"""Offsets in texts and the protocol's positions: 0-based lines, and columns in the units that the client counts in."""

from __future__ import annotations

from collections.abc import Collection

from lsprotocol import types

from gracelint.source import Source, Span


class Positions:
    """Counts for one client. `opened` are the files whose texts are the client's own."""

    def __init__(self, encoding: str, opened: Collection[str] = ()) -> None:
        self._encoding = encoding
        self._opened = opened

    def range(self, span: Span) -> types.Range:
        return types.Range(self.position(span.source, span.start), self.position(span.source, span.end))

    def position(self, source: Source, offset: int) -> types.Position:
        line = source.position(offset)[0]
        return types.Position(line - 1, self._units(source.text[self._start(source, line) : offset]))

    def offset(self, source: Source, position: types.Position) -> int:
        """The offset that a position means; the end of the line where it lies beyond."""
        if position.line >= len(source.line_starts):
            return len(source.text)
        end = source.line_span(position.line + 1).end
        offset, left = self._start(source, position.line + 1), position.character
        while left > 0 and offset < end:
            left -= self._units(source.text[offset])
            offset += 1
        return offset

    def _start(self, source: Source, line: int) -> int:
        """Where a line begins for the client: editors keep the byte order mark of a file to themselves."""
        start = source.line_starts[line - 1]
        marked = not start and source.path not in self._opened and source.text.startswith("\ufeff")
        return start + marked

    def _units(self, text: str) -> int:
        if self._encoding == types.PositionEncodingKind.Utf32:
            return len(text)
        if self._encoding == types.PositionEncodingKind.Utf8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
