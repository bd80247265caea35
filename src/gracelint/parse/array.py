"""Reads the exec form of Dockerfiles: JSON arrays of strings, and what was meant to be one."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.facts.dockerfile import BrokenArray
from gracelint.parse.passages import cut, segments
from gracelint.source import Passage, Segment, Word

_STRING = pattern(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = pattern(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")
_PART = pattern(
    r"""\s*(?:(?P<comma>,)|(?P<close>\])|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'"""
    r"""|[“”„‟«»](?P<smart>[^“”„‟«»]*)[“”„‟«»]|[‘’‚‛](?P<curly>[^‘’‚‛]*)[‘’‚‛]|(?P<bare>[^\s,\]"'“”„‟«»‘’‚‛]+))"""
)
_TESTS = frozenset(("!", "=", "==", "!=", *(f"-{letter}" for letter in "defhknprstwxzL"), "-eq", "-ne", "-gt", "-lt"))


def read_array(argument: Passage) -> tuple[Word, ...] | None:
    """The words of a JSON array of strings, or None for anything else."""
    text = argument.text
    if not text.startswith("["):
        return None
    places = _plain(text)
    if places is None:
        if not _is_array_of_strings(text):
            return None
        places = [match.span() for match in _STRING.finditer(text)]
    return tuple(_string(argument, start, end) for start, end in places)


def _plain(text: str) -> list[tuple[int, int]] | None:
    """Where the strings of an array stand, if they have no escapes, as almost all; None for any other text."""
    if "\\" in text or not text.isprintable():
        return None
    parts = text.split('"')  # every other one stands between strings
    between = [part.strip(" ") for part in parts[::2]]
    if len(parts) % 2 == 0 or (between[0], between[-1]) != ("[", "]") or any(part != "," for part in between[1:-1]):
        return None
    places = []
    start = len(parts[0])
    for inside, after in zip(parts[1::2], parts[2::2], strict=True):
        end = start + len(inside) + 2
        places.append((start, end))
        start = end + len(after)
    return places


def _is_array_of_strings(text: str) -> bool:
    from json import loads

    try:
        return all(isinstance(value, str) for value in loads(text))
    except (ValueError, RecursionError):
        return False


def _string(argument: Passage, start: int, end: int) -> Word:
    """The word of a JSON string that stands, with its quotes, at an offset."""
    value = _unescape(cut(argument, start + 1, end - 1))
    return Word(value.text, argument.span(start, end), value)


def _unescape(raw: Passage) -> Passage:
    if "\\" not in raw.text:
        return raw
    texts: list[str] = []
    found: list[Segment] = []
    offset = done = 0
    for escape in _ESCAPE.finditer(raw.text):
        texts.append(raw.text[done : escape.start()])
        found += segments(raw, done, escape.start(), offset)
        offset += len(texts[-1])
        span = raw.span(escape.start(), escape.end())
        texts.append(_character(escape[0]))
        found.append(Segment(offset, span.start, 1, span.end - span.start))
        offset += 1
        done = escape.end()
    texts.append(raw.text[done:])
    found += segments(raw, done, len(raw.text), offset)
    return Passage(raw.source, "".join(texts), tuple(found))


def _character(escape: str) -> str:
    """What a JSON escape stands for; half of a surrogate pair is no character and becomes U+FFFD, as in Go."""
    from json import loads

    character: str = loads(f'"{escape}"')
    return "\ufffd" if character.encode(errors="replace") == b"?" and character != "?" else character


def read_broken_array(argument: Passage) -> BrokenArray | None:
    """What is wrong with an array that is none; None for text that was never meant as one, such as `[ -f x ] && y`."""
    text = argument.text
    if not text.startswith("[") or text.startswith("[["):
        return None
    items: list[tuple[str, bool]] = []
    defect: tuple[str, int, int] | None = None
    readable, comma, commas = True, True, 0
    position = 1
    while True:
        part = _PART.match(text, position)
        if part is None:
            rest = text[position:].strip()
            defect = defect or ("a quote is never closed" if rest else "`]` is missing at its end", position, len(text))
            readable = readable and not rest
            break
        kind, start, position = part.lastgroup or "", part.start() + len(part[0]) - len(part[0].lstrip()), part.end()
        if kind == "close":
            if comma and items:
                defect = defect or ("a comma before `]`", start, position)
            rest = text[position:].strip()
            if rest:
                defect = defect or ("text after `]`", position, len(text))
                readable = False
            if not commas and text[1].isspace() and (rest or any(item in _TESTS for item, _ in items)):
                return None
            break
        if kind == "comma":
            if comma:
                defect = defect or ("a comma too many", start, position)
            comma, commas = True, commas + 1
            continue
        value, flaw = _item(kind, part[kind])
        if flaw or not comma:
            defect = defect or (flaw or f"no comma before {part[0].strip()}", start, position)
        readable = readable and value is not None
        items.append((value or "", kind != "bare"))
        comma = False
    text_, start, end = defect or ("it is not JSON", 0, len(text))
    return BrokenArray(tuple(items) if readable else None, text_, argument.span(start, end), _is_json(text))


def _item(kind: str, text: str) -> tuple[str | None, str]:
    """The word an item was meant to be, and what is wrong with how it is written, if anything."""
    if kind == "double":
        from json import loads

        try:
            return loads(f'"{text}"'), ""
        except ValueError:
            return None, "a backslash that is no JSON escape"
    if kind == "bare":
        return (None if text[0] in "[{" else text), f"`{text[:40]}` has no quotes"
    return text, "single quotes" if kind == "single" else "curly quotes"


def _is_json(text: str) -> bool:
    from json import loads

    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True
