"""Errors that a handler is sure to throw: names that nothing declares, constants set anew, methods that nobody has."""

from __future__ import annotations

from gracelint.behaviour.node.syntax import FUNCTIONS, once
from gracelint.behaviour.node.values import Class, Object
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame
    from gracelint.behaviour.node.syntax import File


def is_undeclared(machine: Machine, name: Node, frame: Frame) -> bool:
    """Whether nothing declares a name where it stands, nor sets it as a global."""
    text = text_of(name)
    if not _is_judged(machine, frame) or text in _GLOBALS or text.isupper() or text.startswith("_"):
        return False
    files = [file for file in machine.parsed.values() if file is not None]
    if machine.unread or any(text in _assigned(file) or "global" in file.source.text for file in files):
        return False
    return not any(start <= name.start_byte < end for start, end in _declared(frame.file).get(text, ()))


def is_constant(machine: Machine, name: Node, frame: Frame) -> bool:
    """Whether a name that is set is one that `const` declares."""
    if not _is_judged(machine, frame):
        return False
    text, here = text_of(name), name.parent
    while here is not None:
        parameters = here.child_by_field_name("parameters") or here.child_by_field_name("parameter")
        if parameters is not None and text in _names(parameters):
            return False
        for child in here.named_children if here.type in _BLOCKS else ():
            declared = child.named_children[-1] if child.type == "export_statement" and child.named_children else child
            if declared.type in _DECLARATIONS and text in _bound(declared):
                return declared.type == "lexical_declaration" and text_of(declared).startswith("const")
        if "for" in here.type and text in {word for child in here.named_children[:1] for word in _names(child)}:
            return False
        here = here.parent
    return False


def lacks(machine: Machine, owner: Any, name: str, frame: Frame) -> bool:
    """Whether an instance of a class of the project surely has no method of a name."""
    if not isinstance(owner, Object) or owner.cls is None or owner.open or not _is_judged(machine, frame):
        return False
    cls = owner.cls
    while isinstance(cls, Class):
        if any(child.type == "decorator" for child in cls.node.children):
            return False
        cls = cls.parent
    if cls is not None or name in _OF_EVERY_OBJECT:
        return False
    files = [file for file in machine.parsed.values() if file is not None]
    return not any(name in _members(file) or "prototype" in file.source.text for file in files)


def _is_judged(machine: Machine, frame: Frame) -> bool:
    """A compiler has seen to it that TypeScript has no such mistakes."""
    runs = machine.stopping and machine.certain and bool(machine.stack)
    return runs and frame.file.source.path.endswith(_PLAIN)


@once
def _declared(file: File) -> dict[str, list[tuple[int, int]]]:
    """Where each name is declared: the bytes of the function around."""
    found: dict[str, list[tuple[int, int]]] = {}
    for node in walk(file.root):
        for name in _binds(node):
            around = node if node.type in FUNCTIONS and name not in _own(node) else _around(node)
            found.setdefault(name, []).append((around.start_byte, around.end_byte) if around else (0, 1 << 62))
    return found


def _binds(node: Node) -> Iterator[str]:
    """The names that a node declares itself."""
    if node.type in ("variable_declarator", "for_in_statement"):
        target = node.child_by_field_name("name") or node.child_by_field_name("left")
        yield from _names(target) if target is not None else ()
    elif node.type in FUNCTIONS:
        yield from _own(node)
        for field in ("parameters", "parameter"):
            given = node.child_by_field_name(field)
            yield from _names(given) if given is not None else ()
    elif node.type in ("import_clause", "import_specifier", "namespace_import"):
        yield from _names(node)
    elif node.type == "catch_clause" and (caught := node.child_by_field_name("parameter")) is not None:
        yield from _names(caught)


def _own(node: Node) -> tuple[str, ...]:
    name = node.child_by_field_name("name")
    return (text_of(name),) if name is not None else ()


def _around(node: Node) -> Node | None:
    here = node.parent
    while here is not None and here.type not in FUNCTIONS:
        here = here.parent
    return here


def _names(node: Node) -> set[str]:
    return {text_of(part) for part in walk(node) if part.type in _NAMES}


def _bound(declaration: Node) -> set[str]:
    """The names of a declaration, without what they are set to."""
    if declaration.type not in ("lexical_declaration", "variable_declaration"):
        return set(_own(declaration))
    targets = (child.child_by_field_name("name") for child in declaration.named_children)
    return {name for target in targets if target is not None for name in _names(target)}


@once
def _assigned(file: File) -> frozenset[str]:
    """The names that are set anywhere, which is one way to make a global."""
    lefts = (node.child_by_field_name("left") for node in walk(file.root) if node.type == "assignment_expression")
    return frozenset(name for left in lefts if left is not None for name in _names(left))


@once
def _members(file: File) -> frozenset[str]:
    """The names that members are given in any way: set, listed in an object, or quoted."""
    found: set[str] = set()
    for node in walk(file.root):
        if node.type == "assignment_expression" and (left := node.child_by_field_name("left")) is not None:
            found |= {text_of(part) for part in walk(left) if part.type == "property_identifier"}
        elif node.type == "string_fragment":
            found.add(text_of(node))
    return frozenset(found)


_PLAIN = (".js", ".mjs", ".cjs")
_GLOBALS = frozenset(table("node")["globals"])
_OF_EVERY_OBJECT = frozenset(("constructor", "hasOwnProperty", "toString", "toLocaleString", "valueOf"))
_NAMES = ("identifier", "shorthand_property_identifier_pattern")
_BLOCKS = ("program", "statement_block", "switch_case", "switch_default")
_DECLARATIONS = (
    "lexical_declaration", "variable_declaration", "function_declaration", "class_declaration",
    "generator_function_declaration",
)  # fmt: skip
