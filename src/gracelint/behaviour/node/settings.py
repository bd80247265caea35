"""Configuration files that are JavaScript: the strings that stand under the keys one asks for."""

from __future__ import annotations

import posixpath

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
    """By key, the strings of its values, each with the name it has there: `{ server: 'src/server.ts' }`, or "".

    A member of an object (`defaults.entry`) is what the one pair of that name in the file says.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    try:
        file = read_file(source)
    except (ParseError, TooBigError):
        return found
    pairs: list[tuple[str, Node]] = []
    for node in walk(file.root):
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if node.type == "pair" and key is not None and value is not None:
            pairs.append((string_of(key) or text_of(key), value))
    written: dict[str, set[str]] = {}
    for name, value in pairs:
        text = string_of(value)
        if text is not None:
            written.setdefault(name, set()).add(text)
    members = {name: next(iter(texts)) for name, texts in written.items() if len(texts) == 1}
    for name, value in pairs:
        if name in keys:
            found.setdefault(name, []).extend(_strings(value, members))
    return found


def _strings(node: Node, members: dict[str, str]) -> Iterator[tuple[str, str]]:
    """`'x'`, `['x']`, `{ name: 'x' }`, `{ import: 'x' }`, `path.resolve(__dirname, 'x')`, `defaults.x`"""
    text = _text(node, members)
    if text is not None:
        yield "", text
        return
    for child in node.named_children:
        if child.type != "pair":
            yield from _strings(child, members)
            continue
        key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
        name = string_of(key) or text_of(key) if key is not None else ""
        for inner, found in _strings(value, members) if value is not None else ():
            yield inner or name, found


def _text(node: Node, members: dict[str, str]) -> str | None:
    """A string, a member that is one, or `path.join` of these."""
    text = string_of(node)
    if text is not None or node.type not in ("member_expression", "call_expression"):
        return text
    if node.type == "member_expression":
        name = node.child_by_field_name("property")
        return members.get(text_of(name)) if name is not None else None
    called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if called is None or given is None or text_of(called).rpartition(".")[2] != "join":
        return None
    parts = [_text(one, members) for one in given.named_children if text_of(one) != "__dirname"]
    return posixpath.join(*(one or "" for one in parts)) if parts and None not in parts else None


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
