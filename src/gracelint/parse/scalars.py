"""Where the characters of a YAML scalar's value stand in the text: pieces of (start, end, text)."""

from __future__ import annotations

import re
from bisect import bisect_right

from gracelint.base.patterns import pattern
from gracelint.source import Passage, Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gracelint.facts.yaml import Scalar

_BREAKS = r"[ \t]*(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*[ \t]*"
_NEWLINE = pattern(r"\r\n|\r|\n")
_DOUBLE = pattern(
    r"(?P<joined>\\(?:\r\n|\r|\n)[ \t]*)|(?P<escape>\\(?:x.{2}|u.{4}|U.{8}|.))|(?P<breaks>" + _BREAKS + r")"
    r"|(?P<text>[^\\\s]+|[ \t]+|.)"
)
_SINGLE = pattern(r"(?P<quote>'')|(?P<breaks>" + _BREAKS + r")|(?P<text>[^'\s]+|[ \t]+|.)")
_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}


def passage_of(scalar: Scalar) -> Passage | None:
    """Where each code point of a scalar's value stands; None for text too odd to follow."""
    source, value, quotes = scalar.source, scalar.value, 1 if scalar.style in ("'", '"') else 0
    if source.text[scalar.start + quotes : scalar.end - quotes] == value:
        return Passage.whole(source, scalar.start + quotes, scalar.end - quotes)
    pieces = _block_pieces(scalar) if scalar.style in ("|", ">") else _flow_pieces(scalar)
    text = "".join(piece for _, _, piece in pieces)
    return Passage(source, text, _segments(pieces)) if text == value else None


def rewrite(passage: Passage, parts: Iterable[tuple[int, int, str | None]]) -> Passage:
    """A passage made of parts of another: from, to, and the text that replaces the part (None: as it is)."""
    pieces: list[tuple[int, int, str]] = []
    for start, end, text in parts:
        if text is not None:
            span = passage.span(start, end)
            pieces.append((span.start, span.end, text))
            continue
        index = bisect_right(passage.segments, start, key=lambda segment: segment.offset) - 1
        for at in range(max(index, 0), len(passage.segments)):
            segment = passage.segments[at]
            if segment.offset >= end:
                break
            first, last = max(start, segment.offset), min(end, segment.offset + segment.length)
            whole = segment.length != segment.width
            place = segment.start + (0 if whole else first - segment.offset)
            pieces.append((place, place + (segment.width if whole else last - first), passage.text[first:last]))
    return Passage(passage.source, "".join(piece for _, _, piece in pieces), _segments(pieces))


def _flow_pieces(scalar: Scalar) -> list[tuple[int, int, str]]:
    span, quoted = scalar.span, scalar.style in ("'", '"')
    start, end = (span.start + 1, span.end - 1) if quoted else (span.start, span.end)
    scanner = _DOUBLE if scalar.style == '"' else _SINGLE
    pieces: list[tuple[int, int, str]] = []
    for match in scanner.finditer(span.source.text, start, end):
        text = match[0]
        if match.lastgroup == "joined":
            continue
        if match.lastgroup == "quote":
            text = "'" if quoted else text
        elif match.lastgroup == "breaks":
            newlines = len(_NEWLINE.findall(text))
            text = "\n" * (newlines - 1) or " "
        elif match.lastgroup == "escape":
            text = _unescape(text)
        pieces.append((*match.span(), text))
    return pieces


def _unescape(escape: str) -> str:
    letter = escape[1]
    if letter in "xuU":
        try:
            return chr(int(escape[2:], 16))
        except ValueError:
            return ""
    return _ESCAPES.get(letter, letter)


def _block_pieces(scalar: Scalar) -> list[tuple[int, int, str]]:
    """Aligns the lines below `|` or `>` with the value, which says how they were folded and chomped."""
    text, value = scalar.source.text, scalar.value
    pieces: list[tuple[int, int, str]] = []
    offset = 0
    for start, end in _block_lines(scalar):
        line = text[start:end]
        if not line:
            continue
        found = offset
        while not value.startswith(line, found) and value[found : found + 1] in ("\n", " "):
            found += 1
        if found > offset:
            pieces.append(_break(text, pieces[-1][1] if pieces else start, start, value[offset:found]))
        pieces.append((start, end, line))
        offset = found + len(line)
    if offset < len(value):
        at = pieces[-1][1] if pieces else scalar.end
        pieces.append(_break(text, at, at, value[offset:]))
    return pieces


def _break(text: str, start: int, end: int, value: str) -> tuple[int, int, str]:
    """What stands between two lines: one newline by itself, without the indentation that follows it."""
    newline = _NEWLINE.match(text, start) if len(value) == 1 else None
    return start, newline.end() if newline else end, value


def _block_lines(scalar: Scalar) -> list[tuple[int, int]]:
    """Where the content of each line of a block scalar stands, without indentation and newline."""
    text, stop = scalar.span.source.text, scalar.span.end
    header = _NEWLINE.search(text, scalar.span.start, stop)
    if header is None:
        return []
    lines: list[tuple[int, int]] = []
    start, indent = header.end(), -1
    explicit = re.search(r"[1-9]", text[scalar.span.start : header.start()].partition("#")[0])
    while start < stop:
        newline = _NEWLINE.search(text, start, stop)
        end = newline.start() if newline else stop
        blank = end - start - len(text[start:end].lstrip(" "))
        if indent < 0 and blank < end - start:
            indent = blank - _over_indent(scalar, explicit, lines) if explicit else blank
        lines.append((min(start + max(indent, 0), end), end) if indent >= 0 else (end, end))
        start = newline.end() if newline else stop
    return lines


def _over_indent(scalar: Scalar, explicit: re.Match[str] | None, lines: list[tuple[int, int]]) -> int:
    """How many spaces of the first line belong to the value, where the header gives the indentation."""
    value = scalar.value.lstrip("\n")
    return len(value) - len(value.lstrip(" "))


def _segments(pieces: list[tuple[int, int, str]]) -> tuple[Segment, ...]:
    """Neighbours that stand in the source as they are become one segment."""
    segments: list[Segment] = []
    offset = 0
    for start, end, text in pieces:
        if not text:
            continue
        last = segments[-1] if segments else None
        plain = len(text) == end - start
        if last and plain and last.length == last.width and last.start + last.width == start:
            segments[-1] = Segment(last.offset, last.start, last.length + len(text), last.width + len(text))
        else:
            segments.append(Segment(offset, start, len(text), end - start))
        offset += len(text)
    return tuple(segments)
