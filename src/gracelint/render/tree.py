"""Manifests taken apart: mappings and lists whose keys and scalars know where they stand, and back into text."""

from __future__ import annotations

from sys import intern

from gracelint.base.record import Record
from gracelint.facts.yaml import Mapping, Scalar, Sequence
from gracelint.parse.scalars import passage_of
from gracelint.render.dump import Plain, dump
from gracelint.render.text import Text, concat, mapped
from gracelint.render.values import MAX_NODES, TooLargeError
from gracelint.source import Origin, Source, SourceMap, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from gracelint.facts.yaml import Node
    from gracelint.render.effort import Effort
    from gracelint.source import Passage, Segment

    Tree: TypeAlias = "dict[str, Tree] | list[Tree] | Leaf"


class Leaf(Record):
    """A scalar. `plain` is how it is written where its text alone says what it is: 3, true, null."""

    value: str
    plain: bool
    origin: Origin | None = None

    @property
    def is_null(self) -> bool:
        return self.plain and Scalar(self.value, _NOWHERE, 0, 0).is_null


_NOWHERE = Source("", "")


def tree_of(node: Node) -> Tree:
    """Raises TooLargeError."""
    left = [MAX_NODES]
    return _tree(node, left)


def _tree(node: Node, left: list[int]) -> Tree:
    left[0] -= 1
    if left[0] < 0:
        raise TooLargeError
    if isinstance(node, Mapping):
        return {_key(key): _tree(value, left) for key, value in node.items}
    if isinstance(node, Sequence):
        return [_tree(item, left) for item in node.items]
    return Leaf(_text(node), node.tag != "str", _origin(node.span, node.value))


def unplaced(node: Node, known: dict[tuple[str, bool], Leaf]) -> Tree:
    """As `tree_of`, of an object that nobody is shown: nothing in it knows where it stands, which is most of a tree.

    Equal scalars are one; `known` are those so far.
    """
    return _unplaced(node, known, [MAX_NODES])


def _unplaced(node: Node, known: dict[tuple[str, bool], Leaf], left: list[int]) -> Tree:
    left[0] -= 1
    if left[0] < 0:
        raise TooLargeError
    if isinstance(node, Mapping):
        return {intern(str(key.value)): _unplaced(value, known, left) for key, value in node.items}
    if isinstance(node, Sequence):
        return [_unplaced(item, known, left) for item in node.items]
    asked = node.value, node.tag != "str"
    if asked not in known:
        known[asked] = Leaf(*asked)
    return known[asked]


def _key(node: Scalar) -> str:
    return Text(node.value, ((len(node.value), _origin(node.span, node.value)),))


def _text(node: Scalar) -> str:
    """A scalar's value; that of a block knows where each of its lines stands, and first its `|`."""
    passage = passage_of(node) if node.style in ("|", ">") else None
    if passage is None:
        return node.value
    lines = ((part.length, _part_origin(passage, part)) for part in passage.segments)
    return Text(node.value, ((0, _origin(node.span, node.value)), *lines))


def _part_origin(passage: Passage, part: Segment) -> Origin:
    text = passage.text[part.offset : part.offset + part.length]
    return _origin(Span(passage.source, part.start, part.start + part.width), text)


def _origin(span: Span, text: str) -> Origin:
    place = span.place
    return Origin(place.source, place.start, place.end, place.text == text)


def text_of(tree: Tree, otherwise: Origin, effort: Effort) -> tuple[str, SourceMap]:
    """A tree as a YAML document, and where each part of it comes from. Raises TooLargeError."""
    text = concat([dump(_dumpable(tree, effort), in_order=True), "\n"])
    effort.spend(len(text))
    whole = text if isinstance(text, Text) else Text(text, ((len(text), None),))
    return str(whole), mapped(whole, otherwise)


def _dumpable(tree: Tree, effort: Effort) -> Any:
    effort.spend(1)
    if isinstance(tree, dict):
        return {key: _dumpable(value, effort) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_dumpable(item, effort) for item in tree]
    value = tree.value
    pieces = value.pieces if isinstance(value, Text) else ((len(value), tree.origin),)
    return (Plain if tree.plain else Text)(value, pieces)


def leaf(text: str, like: Leaf | None = None) -> Leaf:
    """A string that stands where `like` stands."""
    return Leaf(text, False, like.origin if like is not None else None)


def scalar(tree: Tree | None, *path: str | int) -> str | None:
    """The text of the scalar at a path; None where there is none, or it is null."""
    found = at(tree, *path)
    return found.value if isinstance(found, Leaf) and not found.is_null else None


def at(tree: Tree | None, *path: str | int) -> Tree | None:
    for step in path:
        if isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and -len(tree) <= step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree
