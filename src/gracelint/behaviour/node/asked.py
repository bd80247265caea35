"""What decides whether a handler is there: the condition it is installed under, and the variable that this asks for."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.node.syntax import once
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.syntax import File
    from gracelint.source import Span

_VARIABLE = pattern(r"process\.env\.\w+")
_WORD = pattern(r"[A-Za-z_$][\w$]*")
_NAMED_BY = ("variable_declarator", "pair", "method_definition", "function_declaration", "public_field_definition")
_BEHIND = 2
"""Names from a condition to the variable."""
_SAID = 60
"""Characters of a condition that is told."""


def by(base: Machine, asked: Span | None, at: Span) -> str:
    """What decides it: the variable of the environment that a condition asks for, else the condition itself."""
    if asked is None:
        return ""
    variable = _VARIABLE.search(asked.text)
    text = variable[0] if variable else " ".join(asked.text.split())
    text = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    where = f"line {asked.line}" + (f" of {asked.source.path}" if asked.source is not at.source else "")
    why = f": it depends on `{text}` in {where}" if len(text) <= _SAID else f": it depends on {where}"
    behind = None if variable else _asked_behind(base, asked)
    return f"{why}, which asks for `{behind}`" if behind is not None else why


def _asked_behind(base: Machine, asked: Span) -> str | None:
    """The variable of the environment that stands where the last name of a condition is defined, or one behind it."""
    names, seen = {*_WORD.findall(asked.text)[-1:]}, set[str]()
    for _ in range(_BEHIND):
        texts = [text for file in base.parsed.values() if file is not None for text in _definitions(file, names)]
        found = [variable[0] for text in texts if (variable := _VARIABLE.search(text)) is not None]
        if found:
            return found[0]
        seen |= names
        names = {name for text in texts if len(text) <= _SAID for name in _WORD.findall(text)} - seen
    return None


def _definitions(file: File, names: set[str]) -> Iterator[str]:
    """What the names stand for where they are defined."""
    return (text_of(value) for name, value in _defined(file) if name in names)


@once
def _defined(file: File) -> list[tuple[str, Node]]:
    """All names that are defined, each with its value."""
    found = []
    for node in walk(file.root):
        if node.type not in _NAMED_BY:
            continue
        name = node.child_by_field_name("name") or node.child_by_field_name("key")
        value = node.child_by_field_name("value") or node.child_by_field_name("body")
        if name is not None and value is not None:
            found.append((text_of(name), value))
    return found
