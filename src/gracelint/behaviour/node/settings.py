"""Configuration files that are JavaScript: the strings that stand under the keys one asks for."""

from __future__ import annotations

from gracelint.behaviour.node.syntax import TooBigError, read_file, string_of
from gracelint.behaviour.tree import text_of, walk
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

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


def exported(source: Source) -> Any:
    """What a module exports, where it is written out: dictionaries, lists, strings, numbers; None for all else."""
    try:
        file = read_file(source)
    except (ParseError, TooBigError):
        return None
    for node in file.root.named_children:
        inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else node
        value = inner.child_by_field_name("right") or inner.child_by_field_name("value")
        left = inner.child_by_field_name("left")
        is_export = inner.type == "export_statement" or (left is not None and text_of(left) == "module.exports")
        if is_export and value is not None:
            return _literal(value, 0)
    return None


_DEEPEST = 12


def _literal(node: Node, depth: int) -> Any:
    if depth > _DEEPEST:
        return None
    if node.type in ("parenthesized_expression", "as_expression", "satisfies_expression", "call_expression"):
        given = node.child_by_field_name("arguments") or node
        return _literal(given.named_children[0], depth + 1) if given.named_children else None
    if node.type == "array":
        return [_literal(child, depth + 1) for child in node.named_children if child.type != "comment"]
    if node.type == "object":
        pairs = [child for child in node.named_children if child.type == "pair"]
        keyed = [(pair.child_by_field_name("key"), pair.child_by_field_name("value")) for pair in pairs]
        return {
            string_of(key) or text_of(key): _literal(value, depth + 1)
            for key, value in keyed
            if key is not None and value is not None
        }
    if node.type == "number":
        try:
            return float(text_of(node).replace("_", ""))
        except ValueError:
            return None
    return {"true": True, "false": False}.get(text_of(node), string_of(node))
