"""A YAML document as a tree in which every node knows its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gracelint.base.record import Record
from gracelint.source import Source, Span


class _Node(Record, identity=True):
    """What all nodes share. Spans are made when asked for: a file has many nodes and few that matter."""

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)  # type: ignore[attr-defined]


class Scalar(_Node, identity=True):
    """A leaf. `value` is the text after unquoting; `style` is "" for plain, or one of ' " | >."""

    value: str
    source: Source
    start: int
    length: int
    """Of what is written. Python has most lengths once, but each end anew."""
    style: str = ""
    explicit_tag: str | None = None

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def is_null(self) -> bool:
        return self.explicit_tag == "null" if self.explicit_tag or self.style else self.value in _NULLS

    @property
    def tag(self) -> str:
        """Resolved as go-yaml does, which both Kubernetes and Compose read with: str, int, float, bool or null."""
        if self.explicit_tag:
            return self.explicit_tag
        return "str" if self.style else _resolve(self.value)


class Sequence(_Node, identity=True):
    items: tuple[Node, ...]
    source: Source
    start: int
    end: int
    flow: bool = False
    explicit_tag: str | None = None


class Mapping(_Node, identity=True):
    """Keys in file order, merge keys (`<<`) already followed: what they bring comes last."""

    entries: Entries | Folded
    source: Source
    start: int
    end: int
    flow: bool = False
    explicit_tag: str | None = None

    @property
    def items(self) -> Entries:
        entries = self.entries
        return entries if type(entries) is tuple else entries.of(self)  # type: ignore[union-attr]

    def fill(self, entries: Entries | Folded) -> None:
        """Puts its entries in again, or what brings them: the same ones each time."""
        _fill(self, entries)

    def get(self, key: str) -> Node | None:
        entries = self.entries
        for name, value in entries if type(entries) is tuple else self.items:
            if name.value == key:
                return value
        return None

    def key(self, key: str) -> Scalar | None:
        for name, _ in self.items:
            if name.value == key:
                return name
        return None

    def mapping(self, *path: str) -> Mapping | None:
        """The mapping at a path of keys, or None where a step is missing or is no mapping."""
        node: Node | None = self
        for key in path:
            if type(node) is not Mapping:
                return None
            node = node.get(key)
        return node if type(node) is Mapping else None

    def sequence(self, key: str) -> tuple[Node, ...]:
        node = self.get(key)
        return node.items if isinstance(node, Sequence) else ()

    def scalar(self, *path: str) -> Scalar | None:
        """The non-null scalar at a path of keys."""
        node: Node | None = self
        for key in path:
            if type(node) is not Mapping:
                return None
            node = node.get(key)
        return node if type(node) is Scalar and not node.is_null else None

    def mappings(self, key: str) -> Iterator[Mapping]:
        """The mappings in the sequence below a key."""
        return (item for item in self.sequence(key) if isinstance(item, Mapping))


_fill = Mapping.__dict__["entries"].__set__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    Node = Scalar | Sequence | Mapping
    Entries = tuple[tuple[Scalar, Node], ...]

    class Folded(Protocol):
        """A document whose tree was let go, to be read again when somebody asks."""

        def of(self, mapping: Mapping) -> Entries: ...


class Document(Record, identity=True):
    """One document of a YAML stream or one JSON file. `shared` holds nodes reached through an anchor or alias."""

    source: Source
    root: Node
    span: Span
    shared: frozenset[int] = frozenset()
    """`id()` of each node that stands in the tree more than once, or below such a one."""
    kind: str = ""
    """`kind` of a Kubernetes object."""
    part: tuple[int, int] | None = None
    """Where the text stands that holds this document and no other."""


class Misplaced(Record):
    """An entry that stands where nobody reads it."""

    key: Scalar
    where: str
    """A clause such as "stands in the container"."""
    instead: str
    """What holds instead, such as "the grace period stays 30 s"."""
    document: Document
    place: Mapping
    home: Mapping | None
    """Where it belongs; None where nobody can tell."""
    home_name: str
    """Such as "into the container"."""
    below: str | None = None
    """The entry of `home` that it belongs below, where that is missing."""


def alike(one: Node, other: Node, but: str | None = None) -> bool:
    """Whether two nodes say the same, in whatever style and order, `but` for the entry of one name.

    What was compared once is not compared again.
    """
    left: list[tuple[Node, Node]] = [(one, other)]
    seen: set[tuple[int, int]] = set()
    while left:
        one, other = left.pop()
        if one is other or (id(one), id(other)) in seen:
            continue
        seen.add((id(one), id(other)))
        if isinstance(one, Scalar):
            if not isinstance(other, Scalar) or one.value != other.value:
                return False
        elif isinstance(one, Sequence):
            if not isinstance(other, Sequence) or len(one.items) != len(other.items):
                return False
            left += zip(one.items, other.items, strict=True)
        else:
            if not isinstance(other, Mapping) or len(one.items) != len(other.items):
                return False
            values = {key.value: value for key, value in other.items}
            if any(key.value not in values for key, _ in one.items):
                return False
            left += [(value, values[key.value]) for key, value in one.items if key.value != but]
    return True


_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS = frozenset(
    spelling
    for word in ("y", "yes", "n", "no", "true", "false", "on", "off")
    for spelling in (word, word.capitalize(), word.upper())
)
_INT = r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)\Z"
_FLOAT = (
    r"[-+]?(?:(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))\Z|\.(?:nan|NaN|NAN)\Z"
)


def _resolve(value: str) -> str:
    if value in _NULLS:
        return "null"
    if value in _BOOLS:
        return "bool"
    if value[0] in "-+.0123456789":
        if re.match(_INT, value):
            return "int"
        if re.match(_FLOAT, value):
            return "float"
    return "str"
