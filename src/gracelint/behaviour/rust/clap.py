"""What clap finds in the command line and the environment, for types that derive its Parser and Subcommand.

Names are the variants' own in kebab case, or what `name`, `alias` and `visible_alias` say: docs.rs/clap, _derive.
"""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.machine import texts
from gracelint.behaviour.machine.nodes import Class
from gracelint.behaviour.machine.values import NIL, UNKNOWN, UNSET, Object, Words
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node as Tree

    from gracelint.behaviour.rust.machine import RustMachine
    from gracelint.source import Span

PARSES = ("parse", "try_parse")
DECLARED = "$declared"
"""Among the values of a class: where it is declared."""
_HUMP = pattern(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMED = pattern(r"\b(?:name|alias|visible_alias)\s*=\s*\"([^\"]*)\"")
_OPTIONAL = pattern(r"Option\s*<\s*([\w:]+)\s*>")


def parsed(machine: RustMachine, class_: Class, span: Span) -> Any:
    """What a type makes of the command line; unknown where a shell expands some of it."""
    words = machine.command_line()
    if not isinstance(words, Words):
        return UNKNOWN
    tree = class_.values[DECLARED]
    if tree.type == "enum_item":
        return _variant(class_, words, span, optional=False)
    one = Object(class_.name, span, class_)
    for name, type_ in _subcommands(tree):
        optional = _OPTIONAL.fullmatch(type_)
        of = machine.class_named(optional[1] if optional is not None else type_, class_.file)
        found = _variant(of, words, span, optional is not None) if of is not None and DECLARED in of.values else UNKNOWN
        nothing = optional is not None and all(word.startswith("-") for word in words[1:])
        one.fields[name] = NIL if nothing else found
    if not any(word.startswith("-") for word in words[1:]):
        one.fields |= dict(_settings(machine, tree))
    return one


def _settings(machine: RustMachine, tree: Tree) -> Iterator[tuple[str, Any]]:
    """What options are that no word gives: the environment's, or their defaults."""
    for name, type_, above in _attributed(tree):
        variable, default = _VARIABLE.search(above), _DEFAULT.search(above)
        value = machine.variable(variable[1]) if variable is not None else UNSET
        value = default[1].strip('"') if value is UNSET and default is not None else value
        if variable is None and default is None:
            continue
        yield name, _read(value, type_) if isinstance(value, str) else value


def _read(text: str, type_: str) -> Any:
    if type_ == "String":
        return text
    if type_ == "bool":
        return texts.truth(text)
    return texts.number(text) if _NUMBER.fullmatch(type_) is not None else UNKNOWN


_VARIABLE = pattern(r"\benv\s*=\s*\"([^\"]{1,100})\"")
_DEFAULT = pattern(r"\bdefault_value(?:_t)?\s*=\s*(\"[^\"]{0,200}\"|[\w.]{1,40})")
_NUMBER = pattern(r"[iuf](?:8|16|32|64|128|size)")


def _subcommands(tree: Tree) -> Iterator[tuple[str, str]]:
    """The fields that hold a subcommand, and their types."""
    return ((name, type_) for name, type_, above in _attributed(tree) if "subcommand" in above)


def _attributed(tree: Tree) -> Iterator[tuple[str, str, str]]:
    """The fields, their types, and the attributes above them."""
    body = tree.child_by_field_name("body")
    above = ""
    for one in body.named_children if body is not None else ():
        if one.type == "attribute_item":
            above += text_of(one)
        elif one.type == "field_declaration":
            yield text_of(one.child_by_field_name("name")), text_of(one.child_by_field_name("type")), above
            above = ""


def _variant(class_: Class, words: Words, span: Span, optional: bool) -> Any:
    body = class_.values[DECLARED].child_by_field_name("body")
    names: dict[str, str] = {}
    above = ""
    for one in body.named_children if body is not None else ():
        if one.type == "attribute_item":
            above += text_of(one)
        elif one.type == "enum_variant":
            variant = text_of(one.child_by_field_name("name"))
            names |= dict.fromkeys((_HUMP.sub("-", variant).lower(), *_NAMED.findall(above)), variant)
            above = ""
    named = _named(words[1:], names, optional)
    return Object(class_.values[named], span) if named is not None else UNKNOWN


def _named(words: list[str], names: dict[str, str], optional: bool) -> str | None:
    """The variant that the words name; None where the word may as well be the value of an option in front of it."""
    may_be_value = False
    for index, word in enumerate(words):
        if word.startswith("-"):
            may_be_value = "=" not in word
        elif word in names:
            again = optional or any(one in names for one in words[index + 1 :])
            return None if may_be_value and again else names[word]
        elif may_be_value:
            may_be_value = False
        else:
            return None
    return None
