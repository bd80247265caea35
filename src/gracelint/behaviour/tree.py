"""What front ends that read with tree-sitter have in common."""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Tree

    from gracelint.source import Source, Span


class TreeFile:
    """One parsed source, with places in code points."""

    __slots__ = ("_continued", "_tree", "source")

    def __init__(self, source: Source, tree: Tree, data: bytes) -> None:
        self.source, self._tree = source, tree
        self._continued = continued(data)

    @property
    def root(self) -> Node:
        """A new one each time: a node that is asked for its children keeps them, as long as it is kept itself."""
        return self._tree.root_node

    def span(self, node: Node) -> Span:
        return self.source.span(self._offset(node.start_byte), self._offset(node.end_byte))

    def _offset(self, byte: int) -> int:
        return byte - bisect_left(self._continued, byte)


def continued(data: bytes) -> list[int]:
    """Where the bytes of UTF-8 are that begin no code point."""
    if data.isascii():
        return []
    import re

    return [found.start() for found in re.finditer(rb"[\x80-\xbf]", data)]


def first_error(node: Node) -> Node:
    """Where the grammar gave up."""
    while True:
        broken = next((child for child in node.children if child.has_error or child.is_missing), None)
        if node.is_error or broken is None:
            return node
        node = broken


def text_of(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "surrogatepass") if node is not None else ""


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in order.

    With a cursor: a node that is asked for its children keeps them, which takes twenty times the room of its text.
    """
    cursor = node.walk()
    yield node
    depth = 0
    if not cursor.goto_first_child():
        return
    while True:
        here = cursor.node
        if here is not None and here.is_named:
            yield here
            if cursor.goto_first_child():
                depth += 1
                continue
        while not cursor.goto_next_sibling():
            if not depth:
                return
            cursor.goto_parent()
            depth -= 1
