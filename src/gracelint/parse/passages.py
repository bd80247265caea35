"""Taking passages apart and putting them together."""

from __future__ import annotations

from bisect import bisect_right

from gracelint.source import Passage, Segment, Source


def join(source: Source, pieces: list[tuple[int, int]]) -> Passage:
    """The source's text at several places as one."""
    if len(pieces) == 1:
        return Passage.whole(source, *pieces[0])
    found = []
    offset = 0
    for start, end in pieces:
        found.append(Segment(offset, start, end - start, end - start))
        offset += end - start
    return Passage(source, "".join([source.text[start:end] for start, end in pieces]), tuple(found))


def cut(passage: Passage, start: int, end: int) -> Passage:
    """A part of a passage without escapes."""
    if len(passage.segments) == 1:
        at = passage.segments[0].start + start
        return Passage(passage.source, passage.text[start:end], (Segment(0, at, end - start, end - start),))
    found = segments(passage, start, end) or [Segment(0, passage.span(start, start).start, 0, 0)]
    return Passage(passage.source, passage.text[start:end], tuple(found))


def segments(passage: Passage, start: int, end: int, offset: int = 0) -> list[Segment]:
    """What a part of a passage without escapes is made of, for use at another offset."""
    index = max(bisect_right(passage.segments, start, key=lambda segment: segment.offset) - 1, 0)
    found = []
    while start < end and index < len(passage.segments):
        segment = passage.segments[index]
        inside = start - segment.offset
        length = min(segment.length - inside, end - start)
        if length > 0:
            found.append(Segment(offset, segment.start + inside, length, length))
            offset += length
            start += length
        index += 1
    return found
