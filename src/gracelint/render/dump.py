"""Values as YAML, each scalar with the place it comes from."""

from __future__ import annotations

import re
from functools import cmp_to_key

from gracelint.render.helm.values import shown_float, whole_number
from gracelint.render.text import Text, concat, cut, lines, pieces_of, replaced
from gracelint.render.values import MAX_NODES, Items, TooLargeError, Tree
from gracelint.source import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.source import Path

MAX_DEPTH = 100


class Plain(Text):
    """A scalar that is written as it stands: a number, true, null."""

    __slots__ = ()


def dump(value: Any, *, in_order: bool = False, indents_lists: bool = False) -> str:
    """The value as a YAML document, without a newline at its end. Raises TooLargeError.

    Keys are sorted, as Helm writes them, unless they are to stay `in_order`. Lists stand at their key's column, unless
    `indents_lists`.
    """
    writer = _Writer(in_order, indents_lists)
    writer.node(value, 0, None)
    return concat(writer.parts)


class _Writer:
    def __init__(self, in_order: bool, indents_lists: bool) -> None:
        self.parts: list[str] = []
        self._in_order = in_order
        self._indents_lists = indents_lists
        self._nodes = 0

    def node(self, value: Any, indent: int, path: Path | None) -> None:
        """Writes a value where the text stands; `path` is where it stands in the chart's values."""
        self._nodes += 1
        if self._nodes > MAX_NODES or indent > 2 * MAX_DEPTH:
            raise TooLargeError
        if isinstance(value, dict) and value:
            self._mapping(value, indent)
        elif isinstance(value, (list, tuple)) and value:
            self._sequence(value, indent)
        else:
            text = _scalar(value, indent)
            self.parts.append(Text(text, ((len(text), path),)) if path is not None and type(text) is str else text)

    def _mapping(self, value: dict[str, Any], indent: int) -> None:
        path = value.path if isinstance(value, Tree) else None
        for number, key in enumerate(value if self._in_order else _sorted(value)):
            item = value[key]
            if number:
                self.parts.append("\n" + " " * indent)
            self.parts += [_string(key, None) if isinstance(key, str) else _scalar(key, indent), ":"]
            deeper = isinstance(item, (dict, list, tuple)) and bool(item)
            if not deeper:
                self.parts.append(" ")
                inner = indent
            else:
                inner = indent + 2 if isinstance(item, dict) or self._indents_lists else indent
                self.parts.append("\n" + " " * inner)
            self.node(item, inner, None if path is None else (*path, key))

    def _sequence(self, value: list[Any] | tuple[Any, ...], indent: int) -> None:
        path = value.path if isinstance(value, Items) else None
        for number, item in enumerate(value):
            self.parts += ["\n" + " " * indent, "- "] if number else ["- "]
            dash = len(self.parts) - 1
            inner = indent if isinstance(item, str) else indent + 2
            self.node(item, inner, None if path is None else (*path, number))
            if isinstance(pieces_of(self.parts[dash + 1])[0][1], Origin):
                self.parts[dash] = _marked("- ", self.parts[dash + 1])


_ALIKE = re.compile(r"[a-z./-]+|[A-Za-z./-]+")


def _sorted(keys: Any) -> list[Any]:
    """As go-yaml sorts them: numbers by their size, letters last."""
    names = sorted(keys, key=str)
    if all(_ALIKE.fullmatch(str(name)) for name in names):
        return names
    return sorted(names, key=cmp_to_key(lambda one, other: _compared(str(one), str(other))))


def _compared(one: str, other: str) -> int:
    at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return -1 if _rank(one, at, other) < _rank(other, at, one) else 1


def _rank(key: str, at: int, other: str) -> tuple[int, int, int, str]:
    """What counts of a key from the first place on where it differs from another one."""
    if at == len(key):
        return 0, 0, 0, ""
    if key[at].isalpha():
        return 2, 0, 0, key[at]
    before = key[len(key[:at].rstrip("0123456789")) : at] if "0" in (key[at], other[at : at + 1]) else ""
    run = _DIGITS.match(key, at, at + _DIGITS_READ)
    digits = run[0] if run is not None else ""
    return 1, int(f"{'1' if before.strip('0') else ''}{digits}" or "0"), len(digits), key[at]


_DIGITS = re.compile(r"[0-9]*")
_DIGITS_READ = 18


_NUMBER = r"[-+]?(?:0[xX][0-9a-fA-F]{1,16}|0[oO][0-7]+|0[bB][01]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
_BASE_60 = r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
_DATE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME = r"[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?"
_NO_TEXT = re.compile(
    r"y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|~|null|Null|NULL|"
    r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
    rf"|{_BASE_60}|{_DATE}(?:[Tt]{_TIME}(?:Z|[-+][0-9]{{2}}:[0-9]{{2}})| {_TIME})?"
)
_A_NUMBER = re.compile(_NUMBER)
"""What go-yaml reads as something else than text where it is not quoted; `_` is left out of numbers first."""
_NOT_PLAIN = re.compile(
    r"[ #,\[\]{}&*!|>'\"%@`]|---|\.\.\.|[?:-](?![^ ])"  # at the start
)
_INDICATOR = re.compile(r" #|:(?![^ ])")
_WRITABLE = re.compile(r"[\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*")
_ESCAPED = re.compile(r"[^ !#-\[\]-~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_ESCAPES = {0: "0", 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 27: "e", 34: '"', 92: "\\", 0x85: "N"}
_ESCAPES |= {0x2028: "L", 0x2029: "P"}
_WHOLE = 1 << 64


def _scalar(value: Any, indent: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return whole_number(value) if abs(value) < _WHOLE and value == int(value) else shown_float(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    if isinstance(value, Plain):
        return value
    return _string(value if isinstance(value, str) else str(value), indent)


def _string(text: str, indent: int | None) -> str:
    """As go-yaml writes it: templates read what `toYaml` makes. A key, of which `indent` is None, has one line."""
    writable = _WRITABLE.fullmatch(text) is not None and " \n" not in text
    if "\n" in text:
        return _literal(text, indent) if writable and text[-1] != " " and indent is not None else _quoted(text)
    bare = text.replace("_", "") if text[:1] in set("+-0123456789") else text
    if not writable or not text or _NO_TEXT.fullmatch(text) or _A_NUMBER.fullmatch(bare):
        return _quoted(text)
    if text[-1] == " " or _NOT_PLAIN.match(text) or _INDICATOR.search(text):
        return concat([_marked("'", text), replaced(text, "'", "''"), "'"])
    return text


def _quoted(text: str) -> str:
    quoted = '"' + _ESCAPED.sub(_escape, str(text)) + '"'
    first = next((origin for _, origin in pieces_of(text) if origin is not None), None)
    return quoted if first is None else Text(quoted, ((len(quoted), first),))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _ESCAPES:
        return "\\" + _ESCAPES[code]
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _marked(mark: str, text: str) -> str:
    """What is put in front of a text, and stands where the text does."""
    origin = pieces_of(text)[0][1]
    whole = Origin(origin.source, origin.start, origin.end) if isinstance(origin, Origin) else origin
    return mark if whole is None else Text(mark, ((len(mark), whole),))


def _literal(text: str, indent: int) -> str:
    """A block scalar: its lines keep their places."""
    body = text.rstrip("\n")
    trailing = len(text) - len(body)
    pad = " " * (indent + 2)
    hint = "2" if text[0] in " \n" else ""
    chomping = "-" if not trailing else "" if trailing == 1 and body else "+"
    parts = [_marked(f"|{hint}{chomping}", text)]
    for line in lines(cut(text, 0, len(body))):
        parts += ["\n", pad if line else "", line]
    return concat([*parts, "\n" * max(trailing - 1, 0)])
