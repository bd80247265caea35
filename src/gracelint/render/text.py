"""Rendered text that knows where each part of it comes from."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from gracelint.record import Record
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Path = tuple[str | int, ...]
    """Keys and indices from the root of a chart's values."""


class Origin(Record, identity=True):
    """Where rendered text stands: template text itself (`exact`), or the action or document that made it."""

    source: Source
    start: int
    end: int
    exact: bool = False
    path: Path | None = None
    """The value that filled it in."""

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    def shifted(self, offset: int) -> Origin:
        """The origin of what follows after `offset` code points."""
        if not self.exact or not offset:
            return self
        return Origin(self.source, self.start + offset, self.end, True, self.path)


if TYPE_CHECKING:
    Piece = tuple[int, Origin | Path | None]
    """How many code points come from where. A path: from what puts them out, for that value. None: from that alone."""


class Text(str):
    """A string with its pieces. What Python's own methods make of it is a plain string: nobody knows its origin."""

    __slots__ = ("pieces",)
    pieces: tuple[Piece, ...]

    def __new__(cls, text: str, pieces: tuple[Piece, ...]) -> Text:
        made = super().__new__(cls, text)
        made.pieces = pieces
        return made


def pieces_of(text: str) -> tuple[Piece, ...]:
    return text.pieces if isinstance(text, Text) else ((len(text), None),)


def concat(parts: Iterable[str]) -> str:
    """All parts behind each other; a plain string where no part has an origin."""
    parts = list(parts)
    if not any(isinstance(part, Text) for part in parts):
        return "".join(parts)
    return Text("".join(parts), tuple(piece for part in parts if part for piece in pieces_of(part)))


def cut(text: str, start: int, end: int) -> str:
    """`text[start:end]`."""
    if not isinstance(text, Text):
        return text[start:end]
    return Text(text[start:end], tuple(_between(text.pieces, start, end)))


def _between(pieces: tuple[Piece, ...], start: int, end: int) -> Iterator[Piece]:
    position = 0
    for length, origin in pieces:
        first, last = max(start, position), min(end, position + length)
        if first < last:
            yield last - first, origin.shifted(first - position) if isinstance(origin, Origin) else origin
        position += length
        if position >= end:
            return


def stripped(text: str, strip: Callable[[str], str], strip_end: Callable[[str], str]) -> str:
    """The text without what `strip` takes from its start and `strip_end` from its end."""
    plain = str(text)
    start = len(plain) - len(strip(plain))
    return cut(text, start, max(start, len(strip_end(plain))))


def indented(text: str, pad: str) -> str:
    """Every line with `pad` in front."""
    if not isinstance(text, Text):
        return pad + text.replace("\n", "\n" + pad)
    parts: list[str] = []
    start = 0
    while True:
        end = text.find("\n", start) + 1
        parts += [pad, cut(text, start, end or len(text))]
        if not end:
            return concat(parts)
        start = end


def replaced(text: str, old: str, new: str) -> str:
    """`text.replace(old, new)`."""
    if not isinstance(text, Text) or not old:
        return text.replace(old, new)
    parts: list[str] = []
    start = 0
    while (found := text.find(old, start)) >= 0:
        parts += [cut(text, start, found), new]
        start = found + len(old)
    return concat([*parts, cut(text, start, len(text))])


class SourceMap(Record, identity=True):
    """The origins of a rendered text, by offset."""

    starts: tuple[int, ...]
    origins: tuple[Origin, ...]

    def origin(self, offset: int) -> Origin:
        """Where the code point at an offset comes from."""
        index = max(bisect_right(self.starts, offset) - 1, 0)
        return self.origins[index].shifted(offset - self.starts[index])

    def span(self, start: int, end: int) -> Span:
        """The place of a stretch of rendered text: template text where all of it stands there, else its first part."""
        first = self.origin(start)
        if not first.exact:
            return first.span
        last = self.origin(max(start, end - 1))
        width = 1 if end > start else 0
        if last.exact and last.source is first.source and first.start <= last.start:
            return Span(first.source, first.start, last.start + width)
        index = bisect_right(self.starts, start)
        limit = self.starts[index] if index < len(self.starts) else end
        return Span(first.source, first.start, first.start + min(end, limit) - start)

    def literal(self, start: int, end: int) -> bool:
        """Whether a stretch stands in one template as it is, so that an edit of it is an edit there."""
        first = bisect_right(self.starts, start)
        return self.origin(start).exact and bisect_right(self.starts, max(start, end - 1)) == first


def mapped(text: Text, otherwise: Origin) -> SourceMap:
    """The source map of a finished text; `otherwise` stands in for pieces that nobody claims."""
    kept = [(length, origin if isinstance(origin, Origin) else otherwise) for length, origin in text.pieces if length]
    starts = accumulate((length for length, _ in kept[:-1]), initial=0) if kept else [0]
    return SourceMap(tuple(starts), tuple(origin for _, origin in kept) or (otherwise,))
