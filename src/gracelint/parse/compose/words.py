"""A command written as one string, as Compose splits it."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.base.patterns import pattern
from gracelint.parse.scalars import rewrite
from gracelint.source import Passage, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Part = tuple[int, int, str | None]

_TOKEN = pattern(
    r"""(?xs)(?P<space>[ \t\r\n]+)
    |'(?P<single>[^']*)'
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |(?P<escape>\\.)
    |(?P<verbatim>`(?:[^`\\]|\\.)*`|\$\((?:[^()\\]|\\.)*\))
    |(?P<stop>[;&|<>])
    |(?P<text>(?:[^\s'"`\\;&|<>()$]|\$(?!\()|[^\S \t\r\n])+)""",
)
_ESCAPE = pattern(r"(?s)\\(.)")


def split(line: Passage) -> tuple[Word, ...] | None:
    """Splits as Compose does (go-shellwords): quotes and backslashes, and an end at any of `; & | < >`.

    None where Compose refuses the text.
    """
    words: list[Word] = []
    parts: list[Part] = []
    start = offset = 0
    while offset < len(line.text):
        token = _TOKEN.match(line.text, offset)
        if token is None:
            return None
        kind = token.lastgroup
        if kind in ("space", "stop"):
            descriptor = token[0] == ">" and is_whole(line.text[start:offset])
            if offset > start and not descriptor:
                words.append(_joined(line, start, offset, parts))
            if kind == "stop":
                return tuple(words)
            start, parts = token.end(), []
        elif kind in ("double", "escape"):
            parts += _unescaped(line.text, *token.span(kind))
        elif kind is not None:
            parts.append((*token.span(kind), None))
        offset = token.end()
    if offset > start:
        words.append(_joined(line, start, offset, parts))
    return tuple(words)


def _joined(line: Passage, start: int, end: int, parts: list[Part]) -> Word:
    passage = rewrite(line, parts)
    return Word(passage.text, line.span(start, end), passage)


def _unescaped(text: str, start: int, end: int) -> Iterator[Part]:
    for match in _ESCAPE.finditer(text, start, end):
        yield start, match.start(), None
        yield *match.span(), {"t": "\t", "n": "\n"}.get(match[1], match[1])
        start = match.end()
    yield start, end, None
