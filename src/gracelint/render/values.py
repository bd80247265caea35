"""Values as charts and overlays compute with them, and how they are read out of YAML.

Numbers of YAML files are floats, as Helm reads them through JSON; those written in templates are integers.
"""

from __future__ import annotations

from gracelint.base.numbers import is_digits
from gracelint.facts.yaml import Mapping, Scalar, Sequence
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.facts.yaml import Node
    from gracelint.source import Path

MAX_NODES = 500_000
"""Of one value. Anchors make a few bytes into as many as they like."""


class TooLargeError(Exception):
    """A value that holds more than anybody wrote."""

    def __init__(self, reason: str = "too large to be followed") -> None:
        super().__init__(reason)


class Tree(dict[str, "Any"]):
    """A mapping that stands in the chart's values, at `path`."""

    __slots__ = ("path",)
    path: Path


class Items(list["Any"]):
    """A list that stands in the chart's values, at `path`."""

    __slots__ = ("path",)
    path: Path


def placed(value: Any, path: Path = ()) -> Any:
    """A value, with everything in it knowing where it stands."""
    if isinstance(value, dict):
        tree = Tree((key, placed(item, (*path, key))) for key, item in value.items())
        tree.path = path
        return tree
    if isinstance(value, list):
        items = Items(placed(item, (*path, index)) for index, item in enumerate(value))
        items.path = path
        return items
    return value


class _Count:
    def __init__(self) -> None:
        self._left = MAX_NODES

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooLargeError


def value_of(node: Node) -> Any:
    """What a YAML node means. Raises TooLargeError."""
    return _value(node, _Count())


def _value(node: Node, count: _Count) -> Any:
    count.take()
    if isinstance(node, Mapping):
        return {key.value: _value(item, count) for key, item in node.items}
    if isinstance(node, Sequence):
        return [_value(item, count) for item in node.items]
    return _scalar(node)


def _scalar(node: Scalar) -> Any:
    text, tag = node.value, node.tag
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in ("y", "yes", "true", "on")
    if tag in ("int", "float"):
        return _number(text)
    return text


def _number(text: str) -> float | str:
    digits = text.replace("_", "")
    bare = digits.lstrip("+-").lower()
    try:
        if bare.startswith(("0x", "0b", "0o")):
            return float(int(digits, 0))
        if is_digits(bare) and bare.startswith("0") and bare.strip("01234567") == "":
            return float(int(digits, 8))
        return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
    except (ValueError, OverflowError):
        return text


def weigh(value: Any) -> int:
    """How many values a value holds. Raises TooLargeError where it has no end, or they are more than anybody wrote."""
    left = MAX_NODES
    todo = [value]
    while todo:
        left -= 1
        if left < 0:
            raise TooLargeError
        item = todo.pop()
        if isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, (list, tuple)):
            todo += item
    return MAX_NODES - left


def read_values(source: Source) -> Any:
    """The first document of a YAML file, read as Helm does; None for an empty one.

    Raises ParseError, TemplatedError, TooLargeError.
    """
    documents = read_documents(source, last_wins=True)  # sigs.k8s.io/yaml takes keys that are set twice
    return value_of(documents[0].root) if documents else None


def parsed(text: str) -> Any:
    """The first document of a text; raises ValueError where it is no YAML."""
    try:
        return read_values(Source("", text))
    except (ParseError, TemplatedError) as error:
        raise ValueError("no YAML") from error


def node_at(root: Node, path: Path) -> Node | None:
    """The node that a path leads to."""
    node: Node | None = root
    for step in path:
        if isinstance(node, Mapping):
            node = node.get(str(step))
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node
