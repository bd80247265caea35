"""Rendered text that knows where each part of it comes from."""

from __future__ import annotations

from array import array

from gracelint.source import Origin, SourceMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gracelint.source import Path, Source

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


def split_at(text: Text, ends: Iterable[int]) -> list[str]:
    """The text in parts that end at these places, and what comes after the last."""
    parts: list[str] = []
    pieces = iter(text.pieces)
    length, origin = next(pieces, (0, None))
    start = used = 0
    for end in (*ends, len(text)):
        taken: list[Piece] = []
        missing = end - start
        while missing:
            some = min(missing, length - used)
            if some:
                taken.append((some, origin.shifted(used) if isinstance(origin, Origin) else origin))
            used, missing = used + some, missing - some
            if used == length and missing:
                (length, origin), used = next(pieces), 0
        parts.append(Text(text[start:end], tuple(taken)))
        start = end
    return parts


def lines(text: str) -> list[str]:
    """The lines of a text, without what ends them."""
    if not isinstance(text, Text):
        return text.split("\n")
    return split_at(text, [place for at, char in enumerate(text) if char == "\n" for place in (at, at + 1)])[::2]


def stripped(text: str, strip: Callable[[str], str], strip_end: Callable[[str], str]) -> str:
    """The text without what `strip` takes from its start and `strip_end` from its end."""
    plain = str(text)
    start = len(plain) - len(strip(plain))
    return cut(text, start, max(start, len(strip_end(plain))))


def indented(text: str, pad: str) -> str:
    """Every line with `pad` in front."""
    if not isinstance(text, Text):
        return pad + text.replace("\n", "\n" + pad)
    lines = split_at(text, [index + 1 for index, char in enumerate(text) if char == "\n"])
    return concat(part for line in lines for part in (pad, line))


def replaced(text: str, old: str, new: str) -> str:
    """`text.replace(old, new)`."""
    if not isinstance(text, Text) or not old:
        return text.replace(old, new)
    if old not in text:
        return text
    ends: list[int] = []
    found = text.find(old)
    while found >= 0:
        ends += [found, found + len(old)]
        found = text.find(old, ends[-1])
    parts = split_at(text, ends)
    parts[1::2] = [new] * (len(parts) // 2)
    return concat(parts)


def mapped(text: Text, otherwise: Origin) -> SourceMap:
    """The source map of a finished text; `otherwise` stands in for pieces that nobody claims."""
    starts: list[int] = []
    pieces: list[int] = []
    sources: dict[Source, int] = {}
    paths: dict[Path | None, int] = {}
    offset = 0
    for length, known in [piece for piece in text.pieces if piece[0]] or [(0, None)]:
        origin = known if isinstance(known, Origin) else otherwise
        source = sources.setdefault(origin.source, len(sources))
        path = paths.setdefault(origin.path, len(paths))
        starts.append(offset)
        pieces += (source, origin.start, origin.end, origin.exact, path)
        offset += length
    return SourceMap(array("I", starts), array("I", pieces), tuple(sources), tuple(paths))
