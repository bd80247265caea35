"""Elements and parts of Go's lists and texts, and what ends a program that asks for one which is not there."""

from __future__ import annotations

from gracelint.base.memory import fleeting
from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.absent import panic
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.syntax import FUNCTIONS
from gracelint.behaviour.go.syntax import expressions as members
from gracelint.behaviour.go.values import KEYS, Func, Some
from gracelint.behaviour.machine.values import UNKNOWN, Lib, Method, Scope, Unknown, Words
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.go.statements import Frame
    from gracelint.behaviour.machine.values import Run

_CHANGES = ("assignment_statement", "inc_statement", "dec_statement")


def index(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    operand = node.child_by_field_name("operand")
    of = yield from expressions.evaluate(machine, frame, operand, scope)
    key = machine.settle((yield from expressions.evaluate(machine, frame, node.child_by_field_name("index"), scope)))
    if isinstance(of, (Func, Lib, Method)):
        return of
    if isinstance(of, list) and isinstance(key, int):
        if 0 <= key < len(of):
            return of[key]
        if isinstance(of, Words) or (UNKNOWN not in of[-1:] and not isinstance(of, Some)):
            fails(machine, frame, node)
    if isinstance(of, dict) and isinstance(key, KEYS):
        return of.get(key, UNKNOWN)
    if isinstance(of, (list, dict)) and isinstance(key, Unknown) and not isinstance(of, Words):
        return machine.one_of([*of.values()] if isinstance(of, dict) else of, (node.id, "key"))
    return UNKNOWN


def part(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    of = yield from expressions.evaluate(machine, frame, node.child_by_field_name("operand"), scope)
    places: list[Any] = []
    for name, default in (("start", 0), ("end", None)):
        place = node.child_by_field_name(name)
        value = (yield from expressions.evaluate(machine, frame, place, scope)) if place is not None else default
        places.append(value)
    if not isinstance(of, (list, str)) or not all(one is None or isinstance(one, int) for one in places):
        return UNKNOWN
    start, end = places[0], len(of) if places[1] is None else places[1]
    if not 0 <= start <= end <= len(of) and not isinstance(of, Some):
        fails(machine, frame, node)
    machine.pay_for(len(of))
    return type(of)(of[start:end]) if 0 <= start <= end else UNKNOWN


def fails(machine: GoMachine, frame: Frame, node: Node) -> None:
    """Ends the program on its way out at what cannot be done with the values of an expression, where all that changes
    them has been seen: nothing does but the function that it stands in."""
    around = _function(node)
    changes = _changes(tuple(machine.modules.packages(machine.main)))
    names = {text_of(one) for one in walk(node) if one.type in ("identifier", "field_identifier")}
    if machine.stopping and all(changes.get(name, around) == around for name in names):
        panic(machine, frame.file.span(node))


@fleeting(8)
def _changes(packages: tuple[Package, ...]) -> dict[str, int]:
    """By the name of a variable or a field that is set again: in which function, or 0 where that is in several."""
    found: dict[str, int] = {}
    for file in (file for package in packages for file in package.files):
        for node in walk(file.root):
            if node.type == "unary_expression" and node.children[0].type == "&":
                targets, around = [node.child_by_field_name("operand")], 0
            elif node.type in _CHANGES:
                targets = [*members(node.child_by_field_name("left") or node.named_children[0])]
                around = _function(node)
            else:
                continue
            for name in map(_named, targets):
                found[name] = around if found.get(name, around) == around else 0
    return found


def _named(target: Node | None) -> str:
    """The variable or field that a target is, or is an element of."""
    while target is not None and target.type not in ("identifier", "field_identifier"):
        part = target.child_by_field_name("field") or target.child_by_field_name("operand")
        target = part if part is not None else target.named_children[0] if target.named_children else None
    return text_of(target) if target is not None else ""


def _function(node: Node) -> int:
    here = node.parent
    while here is not None and here.type not in FUNCTIONS:
        here = here.parent
    return here.id if here is not None else 0
