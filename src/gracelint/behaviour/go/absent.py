"""Fields of Go's structs that nothing ever sets: pointers and maps that are nil when they are used."""

from __future__ import annotations

from gracelint.base.memory import fleeting
from gracelint.behaviour.go.syntax import expressions as members
from gracelint.behaviour.machine.values import Ended
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.machine.values import Object
    from gracelint.source import Span


def is_absent(of: Object, field: str, type_: Node) -> bool:
    """Whether a field that its literal leaves out is nil: a map, or a pointer to one of the package's own types."""
    line = type_.parent
    if type_.type not in ("pointer_type", "map_type") or of.package is None or field[:1].isupper():
        return False
    has_tag = line is not None and line.child_by_field_name("tag") is not None
    is_own = type_.type == "map_type" or text_of(type_).lstrip("*") in of.package.types
    return is_own and not has_tag and field not in _set(of.package)


@fleeting(8)
def _set(package: Package) -> frozenset[str]:
    """The names of the fields that anything sets, by name or place, or whose address is taken."""
    found: set[str] = set()
    for file in package.files:
        for node in walk(file.root):
            if node.type == "keyed_element" and node.named_children:
                found.add(text_of(node.named_children[0]))
            elif node.type == "assignment_statement" or (node.type == "unary_expression" and text_of(node)[:1] == "&"):
                targets = members(node.child_by_field_name("left") or node.child_by_field_name("operand"))
                found |= {text_of(one.child_by_field_name("field")) for one in targets}
            elif node.type == "literal_value" and any(one.type == "literal_element" for one in node.named_children):
                found |= _fields(package, node.parent)
    return frozenset(found)


def _fields(package: Package, literal: Node | None) -> set[str]:
    """All the fields of the struct that a literal sets by their places."""
    type_ = literal.child_by_field_name("type") if literal is not None else None
    declared = package.types.get(text_of(type_)) if type_ is not None else None
    names = walk(declared.node) if declared is not None else ()
    return {text_of(one) for one in names if one.type == "field_identifier"}


def dies(machine: GoMachine, method: str, package: Package, span: Span) -> None:
    """Ends the program where main calls a method of nil that looks into what it is called on."""
    own = [one for (_, name), one in package.methods.items() if name == method]
    if own and all(_looks_into(one.node) for one in own):
        panic(machine, span)


def panic(machine: GoMachine, span: Span) -> None:
    if not any("recover()" in file.source.text for file in machine.files()):
        raise Ended("panic", span)


def _looks_into(method: Node) -> bool:
    """Whether a method asks its receiver for a field, and not whether it is nil."""
    receiver, body = method.child_by_field_name("receiver"), method.child_by_field_name("body")
    names = [text_of(one) for one in walk(receiver) if one.type == "identifier"] if receiver is not None else []
    if not names or body is None or f"{names[0]} == nil" in text_of(body) or f"{names[0]} != nil" in text_of(body):
        return False
    selectors = (one for one in walk(body) if one.type == "selector_expression")
    return any(text_of(one.child_by_field_name("operand")) == names[0] for one in selectors)
