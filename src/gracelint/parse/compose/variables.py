"""Variables of a Compose project: what `.env` files set, and `$VAR`, `${VAR:-default}` and `$$` in values."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Map

from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.base.secrets import veiled_value
from gracelint.parse.scalars import passage_of, rewrite
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.yaml import Scalar

    Part = tuple[int, int, str | None]
    Lookup = Callable[[str], str | None]

_LONGEST = 100_000
"""Characters of a value; a longer one is given up."""


class Place(Record):
    """What the values of one file mean."""

    folder: str
    """What relative paths in it are relative to."""
    environment: Map[str, str]
    """What `.env` sets for it."""


Places = Map[str, Place]
"""By the path of the file."""


def interpolated(scalar: Scalar, places: Places) -> Word:
    """A value with its variables put in. One that is set nowhere and has no default stays as it is written."""
    passage = passage_of(scalar)
    if "$" not in scalar.value:
        return Word(scalar.value, scalar.span, passage)
    if passage is None:
        return Word(scalar.value, scalar.span)
    text = rewrite(passage, _parts(scalar.value, places[scalar.source.path].environment.get))
    return Word(text.text, scalar.span, text)


_VARIABLE = pattern(r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<operator>:?[-?+])?)")


def _parts(text: str, lookup: Lookup, depth: int = 0) -> Iterator[Part]:
    """The parts of a text, each with what stands in its place; a variable that nobody sets stays."""
    offset = 0
    closings = _closings(text)
    for match in _VARIABLE.finditer(text):
        if match.start() < offset:
            continue
        end = closings.get(match.start(), -1) if match["braced"] else match.end()
        if end < 0:
            continue
        yield offset, match.start(), None
        yield match.start(), end, _value(match, text[match.end() : end - 1], lookup, depth)
        offset = end
    yield offset, len(text), None


def _closings(text: str) -> dict[int, int]:
    """For each `${`, where its `}` ends, other braces skipped in pairs."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for match in re.finditer(r"\$?\{|\}", text):
        if match[0] != "}":
            opened.append(match.start())
        elif opened:
            found[opened.pop()] = match.end()
    return found


def _value(match: re.Match[str], word: str, lookup: Lookup, depth: int) -> str | None:
    """What a variable stands for; None where nobody says."""
    if match["escaped"]:
        return "$"
    value = lookup(match["named"] or match["braced"])
    operator = match["operator"] or ""
    if operator.endswith("+"):
        return _text(word, lookup, depth) if value or (value is not None and operator == "+") else ""
    if operator.endswith("-") and not value and not (value == "" and operator == "-"):
        return _text(word, lookup, depth)
    return None if operator == ":?" and not value else value


def _text(word: str, lookup: Lookup, depth: int) -> str | None:
    """A default, which may hold variables itself; None where one of them is unknown."""
    if "$" not in word or depth > 10:
        return word
    pieces: list[str] = []
    length = 0
    for start, end, text in _parts(word, lookup, depth + 1):
        if text is None and start < end and _VARIABLE.match(word, start):
            return None
        pieces.append(word[start:end] if text is None else text)
        length += len(pieces[-1])
        if length > _LONGEST:
            return None
    return "".join(pieces)


# Files of variables


_LINE = pattern(
    r"""(?xs)(?P<comment>\#[^\n]*)
    |(?:export[ \t]+)?(?P<name>[^\W0-9][\w.\-\[\]]*)[ \t]*
    (?:(?P<alone>(?=\r?\n|\Z))
    |[=:][ \t]*(?:
        '(?P<single>(?:[^'\\]|\\.)*)'
        |"(?P<double>(?:[^"\\]|\\.)*)"
        |(?P<plain>[^\n]*)))
    |(?P<other>[^\n]+)""",
)
_ESCAPE = pattern(r"(?s)\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "$": "$$", '"': '"', "\\": "\\"}


def read_variables(text: str, lookup: Lookup, raw: bool = False) -> dict[str, str]:
    """What a `.env` file sets. `lookup` holds what comes before it; with `raw`, values stay as they are written."""
    found: dict[str, str] = {}

    def known(name: str) -> str | None:
        value = lookup(name)
        return veiled_value(name, found.get(name, "")) or found.get(name) if value is None else value

    for match in _LINE.finditer(text.removeprefix("\ufeff").replace("\r\n", "\n")):
        name = match["name"]
        if name is None:
            continue
        if match["alone"] is not None:
            inherited = lookup(name)
            if inherited is not None:
                found[name] = inherited
        elif match["single"] is not None:
            found[name] = match["single"].replace("\\'", "'")
        else:
            value = _of_line(match, known, raw)
            if value is not None:
                found[name] = value
    return {name: veiled_value(name, value) for name, value in found.items()}


def _of_line(match: re.Match[str], lookup: Lookup, raw: bool) -> str | None:
    if match["double"] is not None:
        text = _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[0]), match["double"])
    else:
        text = match["plain"].partition(" #")[0].rstrip()
    return text if raw else _text(text, lookup, 0)
