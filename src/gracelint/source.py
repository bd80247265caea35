"""Text as it stands in a file, and places in it.

Offsets are code points into `Source.text`, which keeps newlines and a byte order mark exactly as the file has them.
"""

from __future__ import annotations

from bisect import bisect_right

from gracelint.base.record import Record, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable
    from typing import Generic, TypeVar

    T = TypeVar("T")

    Path = tuple[str | int, ...]
    """Keys and indices from the root of a chart's values."""


class Source(Record, identity=True):
    """One file, decoded once. `path` is relative to the project's root, with forward slashes."""

    path: str
    _text: str | bytes
    _line_starts: list[int] = field(default_factory=list)
    map: SourceMap | None = None
    """Of a text that was rendered: where its parts come from. `path` is then that of its template."""
    unit: Unit | None = None
    """Of a text that was rendered: what it is applied with."""

    @property
    def text(self) -> str:
        text = self._text
        if type(text) is not bytes:
            return text  # type: ignore[return-value]
        from gracelint.base.packing import text_of

        return text_of(text)

    def pack(self) -> None:
        """Keeps the text and where it comes from in little room: few are likely to ask for it."""
        from gracelint.base.packing import packed_text

        if type(self._text) is not bytes:
            Source.__dict__["_text"].__set__(self, packed_text(self.text))
            Source.__dict__["_line_starts"].__set__(self, [])
        if self.map is not None:
            self.map.pack()

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column (in code points) of an offset. A byte order mark has no column."""
        starts = self.line_starts
        line = bisect_right(starts, offset)
        column = offset - starts[line - 1] + 1
        return line, max(column - 1, 1) if line == 1 and self.text.startswith("\ufeff") else column

    def line_span(self, line: int) -> Span:
        """The text of a 1-based line, without its newline."""
        starts = self.line_starts
        start = starts[line - 1]
        end = starts[line] if line < len(starts) else len(self.text)
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return Span(self, start, end)

    @property
    def line_starts(self) -> list[int]:
        """The offset of every line's first code point. Lines end in \\n, \\r\\n or a lone \\r."""
        if not self._line_starts:
            starts = [0]
            text = self.text
            if "\r" in text:
                length = len(text)
                for offset, char in enumerate(text):
                    ends_line = char == "\n" or (char == "\r" and (offset + 1 == length or text[offset + 1] != "\n"))
                    if ends_line:
                        starts.append(offset + 1)
            else:
                offset = text.find("\n")
                while offset >= 0:
                    starts.append(offset + 1)
                    offset = text.find("\n", offset + 1)
            self._line_starts[:] = starts  # at once: an editor's question may come from another thread
        return self._line_starts


class Unit(Record):
    """What rendered text is applied with: one release of a chart, or one overlay."""

    kind: str
    """chart or kustomization."""
    path: str
    """The chart's or the overlay's folder, relative to the project's root."""
    release: str | None = None
    values: str = ""
    """Where a release's values come from, for people: `HelmRelease shop`, `ci/small-values.yaml`."""


class Span(Record):
    """The code points from `start` up to, not including, `end`."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def end_line(self) -> int:
        return self.source.position(self.end)[0]

    @property
    def end_column(self) -> int:
        return self.source.position(self.end)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> Span:
        """Where this stands in a file that people edit: of rendered text, its template, base or patch."""
        return self if self.source.map is None else self.source.map.span(self.start, self.end)


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


class SourceMap(Record, identity=True):
    """The origins of a rendered text, by offset. Packed: charts and overlays come to hundreds of thousands of them."""

    _starts: array[int] | bytes
    """The offset of each piece of the text."""
    _pieces: array[int] | bytes
    """`NUMBERS` for each: which source, start, end, whether it is exact, which path."""
    sources: tuple[Source, ...]
    paths: tuple[Path | None, ...]
    value_at: Callable[[Path], Span | None] | None = None
    """Finds where one of a chart's values is written."""

    NUMBERS = 5

    @property
    def starts(self) -> array[int]:
        return _numbers(self._starts)

    @property
    def pieces(self) -> array[int]:
        return _numbers(self._pieces)

    def pack(self) -> None:
        from gracelint.base.packing import packed_numbers

        SourceMap.__dict__["_starts"].__set__(self, packed_numbers(self.starts))
        SourceMap.__dict__["_pieces"].__set__(self, packed_numbers(self.pieces))

    def origin(self, offset: int) -> Origin:
        """Where the code point at an offset comes from."""
        index = max(bisect_right(self.starts, offset) - 1, 0)
        return self._origin(index).shifted(offset - self.starts[index])

    def _origin(self, index: int) -> Origin:
        first = index * self.NUMBERS
        source, start, end, exact, path = self.pieces[first : first + self.NUMBERS]
        return Origin(self.sources[source], start, end, bool(exact), self.paths[path])

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

    def value(self, offset: int) -> Span | None:
        """Where the value is written that filled in the code point at an offset."""
        path = self.origin(offset).path
        return None if path is None or self.value_at is None else self.value_at(path)

    def among(self, start: int, end: int) -> tuple[Origin, ...]:
        """The origins of a stretch, in order."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        return tuple(map(self._origin, range(first, max(bisect_right(self.starts, max(end - 1, start)), first + 1))))

    def whole(self, start: int, end: int) -> bool:
        """Whether a stretch is one piece, no more and no less."""
        index = bisect_right(self.starts, start) - 1
        following = self.starts[index + 1] if index + 1 < len(self.starts) else end
        return self.starts[index] == start and following == end

    def literal(self, start: int, end: int) -> bool:
        """Whether a stretch stands in one template as it is, so that an edit of it is an edit there."""
        first = bisect_right(self.starts, start)
        return self.origin(start).exact and bisect_right(self.starts, max(start, end - 1)) == first


def _numbers(numbers: array[int] | bytes) -> array[int]:
    if type(numbers) is not bytes:
        return numbers  # type: ignore[return-value]
    from gracelint.base.packing import numbers_of

    return numbers_of(numbers)


if TYPE_CHECKING:

    class Located(Record, Generic[T]):
        """A value and where it was said; `span` is None where nobody said it and the platform's default holds.

        `passage` is set where a text's own characters have to be found again, as in the script of `sh -c`: `span` then
        has quotes, escapes and indentation that the value has not.
        """

        value: T
        span: Span | None = None
        passage: Passage | None = None

    Word = Located[str]
else:

    class Located(Record):
        value: object
        span: Span | None = None
        passage: Passage | None = None

    Word = Located


class Segment(Record):
    """`length` code points of a passage at `offset`, which stand in the source at `start`.

    Where `length` and `width` (code points in the source) differ, the segment is one escape and cannot be split.
    """

    offset: int
    start: int
    length: int
    width: int


class Passage(Record):
    """Text taken out of a source (a joined command line, a YAML scalar) that knows where each part of it stands."""

    source: Source
    text: str
    segments: tuple[Segment, ...]

    def __hash__(self) -> int:
        return hash((self.source, self.text, len(self.segments)))  # there may be one for each line

    @classmethod
    def whole(cls, source: Source, start: int = 0, end: int | None = None) -> Passage:
        """A passage that is the source's own text, unchanged."""
        stop = len(source.text) if end is None else end
        return cls(source, source.text[start:stop], (Segment(0, start, stop - start, stop - start),))

    def span(self, start: int, end: int) -> Span:
        """Where the passage's code points from `start` up to `end` stand in the source."""
        if len(self.segments) == 1 and self.segments[0].length == self.segments[0].width:
            only = self.segments[0]
            first = only.start + min(start, only.length)
            return Span(self.source, first, only.start + min(end, only.length) if end > start else first)
        first = self._start(start)
        return Span(self.source, first, max(first, self._end(end)) if end > start else first)

    def offset(self, place: int) -> int:
        """Which code point of the passage a place of the source is: the other way round."""
        index = bisect_right(self.segments, place, key=lambda segment: segment.start) - 1
        segment = self.segments[max(index, 0)]
        inside = max(place - segment.start, 0)
        if segment.length != segment.width:
            inside = 0 if inside < segment.width else segment.length
        return segment.offset + min(inside, segment.length)

    def _start(self, offset: int) -> int:
        segment = self._segment(offset)
        inside = offset - segment.offset
        if inside >= segment.length:
            return segment.start + segment.width
        return segment.start + (inside if segment.length == segment.width else 0)

    def _end(self, offset: int) -> int:
        segment = self._segment(offset - 1)
        inside = min(offset - segment.offset, segment.length)
        return segment.start + (inside if segment.length == segment.width else segment.width)

    def _segment(self, offset: int) -> Segment:
        index = bisect_right(self.segments, offset, key=lambda segment: segment.offset) - 1
        return self.segments[max(index, 0)]
