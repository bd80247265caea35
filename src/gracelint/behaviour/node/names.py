"""How values get to the names of a program: variables, members, patterns, parameters, and what modules share."""

from __future__ import annotations

from gracelint.behaviour.node import globals
from gracelint.behaviour.node.arrays import item_at, put, rest_of
from gracelint.behaviour.node.state import Frame, Thrown
from gracelint.behaviour.node.this import loosened
from gracelint.behaviour.node.values import (
    LOST,
    MISSING,
    UNDEFINED,
    UNKNOWN,
    Arguments,
    Array,
    Class,
    Object,
    Promise,
    Scope,
    Thing,
    equal,
    keeps,
)
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine


def hoist(root: Node, scope: Scope) -> None:
    """Declares the empty variables of a module, which a callback may set before their own line is run."""
    for node in root.named_children:
        for child in node.named_children if node.type in _DECLARES else ():
            name = child.child_by_field_name("name")
            if name is not None and name.type == "identifier" and child.child_by_field_name("value") is None:
                scope.names[text_of(name)] = UNDEFINED


_DECLARES = ("lexical_declaration", "variable_declaration")


def bind(machine: Machine, target: Node, value: Any, frame: Frame, declare: bool = False) -> None:
    """Gives a value to a name, a member or a pattern."""
    kind = target.type
    if kind == "identifier":
        store(machine, frame, text_of(target), value, declare)
    elif kind in ("member_expression", "subscript_expression"):
        owner = machine.value(target.child_by_field_name("object"), frame)
        name = machine.property_name(target, frame)
        if owner is LOST:
            raise Thrown
        if isinstance(owner, Object) and name is not None:
            set_late(machine, owner.props, name, frame)
            owner.props[name] = value if machine.certain or keeps(value) else UNKNOWN
        elif isinstance(owner, Object):
            owner.cloud()
        elif isinstance(owner, Array):
            put(owner, name, value if machine.certain else UNKNOWN)
        elif isinstance(owner, Class) and name is not None:
            owner.statics[name] = value
        elif isinstance(owner, Thing) and name is not None:
            owner.settings[name] = value
        if isinstance(value, Thing) and name and value.variable is None:
            value.variable = text_of(target)
    elif kind in ("object_pattern", "array_pattern"):
        destructure(machine, target, value, frame, declare)
    elif kind in ("assignment_pattern", "object_assignment_pattern"):
        default = target.child_by_field_name("right")
        left = target.child_by_field_name("left")
        if value is UNDEFINED:
            value = machine.value(default, frame)
        if left is not None:
            bind(machine, left, value, frame, declare)
    elif kind == "shorthand_property_identifier_pattern":
        store(machine, frame, text_of(target), value, declare)
    elif kind in ("lexical_declaration", "variable_declaration"):
        for child in target.named_children:
            bind(machine, child, value, frame, True)
    elif kind in ("required_parameter", "optional_parameter", "variable_declarator"):
        inner = target.child_by_field_name("pattern") or target.child_by_field_name("name")
        default = target.child_by_field_name("value")
        if value is UNDEFINED and default is not None:
            value = machine.value(default, frame)
        if inner is not None:
            bind(machine, inner, value, frame, True)


def store(machine: Machine, frame: Frame, name: str, value: Any, declare: bool) -> None:
    if isinstance(value, Thing) and value.variable is None:
        value.variable = name
    if isinstance(value, Promise) and isinstance(value.value, Thing) and value.value.variable is None:
        value.value.variable = name
    scope = frame.scope if declare else frame.scope.find(name) or frame.scope
    value = globals.INTEROP.get(name, value)
    old = scope.names.get(name, MISSING)
    if not (machine.certain or declare or keeps(value)) and old is not MISSING and equal(old, value) is not True:
        value = UNKNOWN
    scope.names[name] = value
    set_late(machine, scope.names, name, frame)
    renew(machine, scope.names, name)


def set_late(machine: Machine, names: dict[str, Any], name: str, frame: Frame) -> None:
    if machine.stopping and machine.certain:
        machine.set_after[id(names), name] = names, frame.after


def share(machine: Machine, names: dict[str, Any], name: str, others: dict[str, Any], other: str) -> None:
    """Makes a name of another module, or of its exports, a live binding of this one."""
    machine.live.setdefault((id(names), name), []).append((names, others, other))


def renew(machine: Machine, names: dict[str, Any], name: str) -> None:
    """What a variable is set to, everybody sees who imports it."""
    for _, others, other in machine.live.get((id(names), name), ()):
        if others[other] is not names[name]:
            others[other] = names[name]
            renew(machine, others, other)


def destructure(machine: Machine, target: Node, value: Any, frame: Frame, declare: bool) -> None:
    if isinstance(value, Promise):
        value = value.value
    index = 0
    for child in target.children:
        if child.type == ",":
            index += 1  # also after a hole, as in `[, second]`
        if not child.is_named or child.type == "comment":
            continue
        if child.type == "rest_pattern":
            bind(machine, child.named_children[0], rest_of(target, value, index), frame, declare)
            continue
        if target.type == "array_pattern":
            bind(machine, child, item_at(value, index), frame, declare)
            continue
        if child.type == "pair_pattern":
            key = machine.key(child.child_by_field_name("key"), frame)
            inner = child.child_by_field_name("value")
        else:
            inner = child
            name = child.child_by_field_name("left") if child.type == "object_assignment_pattern" else child
            key = text_of(name) if name is not None else None
        if inner is not None:
            found = loosened(machine.member(value, key, frame), key) if key is not None else UNKNOWN
            bind(machine, inner, found, frame, declare)


def bind_parameters(machine: Machine, node: Node, args: list[Any], frame: Frame) -> None:
    single = node.child_by_field_name("parameter")
    absent = UNKNOWN if isinstance(args, Arguments) else UNDEFINED
    if single is not None:
        frame.scope.names[text_of(single)] = args[0] if args else absent
        return
    parameters = node.child_by_field_name("parameters")
    index = 0
    for child in parameters.named_children if parameters is not None else ():
        if child.type == "comment":
            continue
        pattern = child.child_by_field_name("pattern") or child
        if pattern.type == "rest_pattern":
            rest = Array(list(args[index:]), isinstance(args, Arguments))
            bind(machine, pattern.named_children[0], rest, frame, True)
            return
        bind(machine, child, args[index] if index < len(args) else absent, frame, True)
        index += 1
