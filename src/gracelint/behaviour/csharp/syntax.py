"""C# as tree-sitter reads it, with places in code points."""

from __future__ import annotations

from functools import cache, lru_cache

from gracelint.base.record import Record
from gracelint.parse.errors import ParseError
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser

_LONGEST = 1_000_000
"""Code points. What is longer is generated."""


class File(Record, identity=True):
    """One parsed source."""

    source: Source
    root: Node
    _data: bytes

    def span(self, node: Node) -> Span:
        return self.source.span(self._offset(node.start_byte), self._offset(node.end_byte))

    def _offset(self, byte: int) -> int:
        if len(self._data) == len(self.source.text):
            return byte
        return len(self._data[:byte].decode("utf-8", "surrogatepass"))


@lru_cache(maxsize=1024)
def read_file(source: Source) -> File | None:
    """Parses a source; None for a generated giant. Raises ParseError with the place where the grammar gave up."""
    if len(source.text) > _LONGEST:
        return None
    data = source.text.encode("utf-8", "surrogatepass")
    root = _parser().parse(data).root_node
    file = File(source, root, data)
    if root.has_error:
        raise ParseError("no valid C#", file.span(_first_error(root)))
    return file


@cache
def _parser() -> Parser:
    import tree_sitter_c_sharp
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_c_sharp.language()))


def _first_error(node: Node) -> Node:
    while True:
        broken = next((child for child in node.children if child.has_error or child.is_missing), None)
        if node.is_error or broken is None:
            return node
        node = broken


def text_of(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "surrogatepass") if node is not None else ""


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in order."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(here.named_children))
