"""Configuration files that are JavaScript: the strings that stand under the keys one asks for."""

from __future__ import annotations

from gracelint.behaviour.node.syntax import TooBigError, read_file, string_of, text_of, walk
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.source import Source


def settings_of(source: Source, keys: tuple[str, ...]) -> dict[str, list[tuple[str, str]]]:
    """By key, the strings of its values, each with the name it has there: `{ server: 'src/server.ts' }`, or ""."""
    found: dict[str, list[tuple[str, str]]] = {}
    try:
        file = read_file(source)
    except (ParseError, TooBigError):
        return found
    for node in walk(file.root):
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if node.type != "pair" or key is None or value is None:
            continue
        name = string_of(key) or text_of(key)
        if name in keys:
            found.setdefault(name, []).extend(_strings(value))
    return found


def _strings(node: Node) -> Iterator[tuple[str, str]]:
    """`'x'`, `['x']`, `{ name: 'x' }`, `{ import: 'x' }`, `path.resolve(__dirname, 'x')`"""
    text = string_of(node)
    if text is not None:
        yield "", text
        return
    for child in node.named_children:
        if child.type != "pair":
            yield from _strings(child)
            continue
        key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
        name = string_of(key) or text_of(key) if key is not None else ""
        for inner, found in _strings(value) if value is not None else ():
            yield inner or name, found
