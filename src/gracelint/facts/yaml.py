"""A YAML document as a tree in which every node knows its place."""

from __future__ import annotations

from collections.abc import Iterator

from gracelint.record import Record
from gracelint.source import Passage, Source, Span


class Scalar(Record, identity=True):
    """A leaf. `value` is the text after unquoting; `style` is "" for plain, or one of ' " | >."""

    value: str
    span: Span
    style: str = ""
    tag: str | None = None
    """Resolved by the YAML 1.1 core rules Kubernetes and Compose use: "str", "int", "float", "bool", "null"."""
    passage: Passage | None = None
    """Where each code point of the value stands; None only for values too odd to map (then use the span)."""


class Sequence(Record, identity=True):
    items: tuple[Node, ...]
    span: Span
    flow: bool = False


class Mapping(Record, identity=True):
    """Keys in file order, merge keys (`<<`) already followed."""

    items: tuple[tuple[Scalar, Node], ...]
    span: Span
    flow: bool = False

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.items if name.value == key), None)

    def key(self, key: str) -> Scalar | None:
        return next((name for name, _ in self.items if name.value == key), None)

    def mapping(self, *path: str) -> Mapping | None:
        """The mapping at a path of keys, or None where a step is missing or is no mapping."""
        node: Node | None = self
        for key in path:
            if not isinstance(node, Mapping):
                return None
            node = node.get(key)
        return node if isinstance(node, Mapping) else None

    def sequence(self, key: str) -> tuple[Node, ...]:
        node = self.get(key)
        return node.items if isinstance(node, Sequence) else ()

    def scalar(self, *path: str) -> Scalar | None:
        """The non-null scalar at a path of keys."""
        parent = self.mapping(*path[:-1])
        node = parent.get(path[-1]) if parent else None
        return node if isinstance(node, Scalar) and node.tag != "null" else None

    def mappings(self, key: str) -> Iterator[Mapping]:
        """The mappings in the sequence below a key."""
        return (item for item in self.sequence(key) if isinstance(item, Mapping))


TYPE_CHECKING = False
if TYPE_CHECKING:
    Node = Scalar | Sequence | Mapping


class Document(Record, identity=True):
    """One document of a YAML stream or one JSON file. `shared` holds nodes reached through an anchor or alias."""

    source: Source
    root: Node
    span: Span
    shared: frozenset[int] = frozenset()
    """`id()` of each node that stands in the tree more than once, or below such a one."""
