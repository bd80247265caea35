"""Values as YAML, each scalar with the place it comes from."""

from __future__ import annotations

import json
import re

from gracelint.facts.yaml import Scalar
from gracelint.render.text import Text, concat, cut, pieces_of, replaced
from gracelint.render.values import MAX_NODES, Items, TooLargeError, Tree
from gracelint.source import Origin, Source

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
        for number, key in enumerate(value if self._in_order else sorted(value, key=str)):
            item = value[key]
            if number:
                self.parts.append("\n" + " " * indent)
            self.parts += [_scalar(key, indent), ":"]
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
            self.node(item, indent + 2, None if path is None else (*path, number))
            if isinstance(pieces_of(self.parts[dash + 1])[0][1], Origin):
                self.parts[dash] = _marked("- ", self.parts[dash + 1])


_PLAIN = re.compile(r"[^\W0-9_][\w./@+=~-]*|[\w./][\w./@+=~:-]*[\w/]|[\w./]")
_BLOCK = re.compile(r"[\n\t -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def _scalar(value: Any, indent: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return str(int(value)) if value == value and abs(value) < 1e21 and value == int(value) else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    if isinstance(value, Plain):
        return value
    return _string(value if isinstance(value, str) else str(value), indent)


def _string(text: str, indent: int) -> str:
    """As go-yaml writes it: `tpl (toYaml …)` reads what stands between its quotes as a template."""
    is_text = Scalar(str(text), _NO_SOURCE, 0, 0).tag == "str"
    if is_text and _PLAIN.fullmatch(text):
        return text
    if "\n" in text and _BLOCK.fullmatch(text) and text.strip("\n") and text[0] not in " \t\n":
        return _literal(text, indent)
    if is_text and text.isprintable():
        return concat([_marked("'", text), replaced(text, "'", "''"), "'"])
    quoted = json.dumps(str(text), ensure_ascii=not text.isprintable())
    first = next((origin for _, origin in pieces_of(text) if origin is not None), None)
    return quoted if first is None else Text(quoted, ((len(quoted), first),))


_NO_SOURCE = Source("", "")


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
    parts = [_marked("|" + ("-" if not trailing else "" if trailing == 1 else "+"), text)]
    start = 0
    while start <= len(body):
        end = body.find("\n", start)
        end = len(body) if end < 0 else end
        parts += ["\n", pad if end > start else "", cut(text, start, end)]
        start = end + 1
    return concat([*parts, "\n" * max(trailing - 1, 0)])
