"""Pauses that grow from round to round: `await sleep(delay); delay = Math.min(delay * 2, 60_000)`."""

from __future__ import annotations

from gracelint.behaviour.node.doing import value_of
from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.values import Closure
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.values import Thing


def most(machine: Machine, thing: Thing) -> float:
    """The seconds that the pause of a loop or timer comes to in the end; 0 where it does not grow.

    What grows only when something fails is not always that long.
    """
    if thing.kind == "loop" and thing.data is not None:
        body, frame = thing.data[1], thing.data[2]
    elif thing.kind == "interval" and isinstance(thing.data, tuple) and isinstance(thing.data[0], Closure):
        function = thing.data[0]
        body, frame = function.node, Frame(function.scope, function.file, (), function.this)
    else:
        return 0.0
    longest = 0.0
    for node in walk(body) if body is not None else ():
        name, bound = _bounded(node)
        if bound is not None and not _is_in_a_catch(node, body) and _is_slept(body, name):
            value = value_of(machine, bound, frame)
            longest = max(longest, value / 1000 if isinstance(value, (int, float)) else 0.0)
    return longest


def _bounded(node: Node) -> tuple[str, Node | None]:
    """A variable that is multiplied or added to, and what `Math.min` lets it come to."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if node.type != "assignment_expression" or left is None or right is None:
        return "", None
    name = text_of(left)
    for call in walk(right):
        called, given = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if call.type != "call_expression" or called is None or given is None or text_of(called) != "Math.min":
            continue
        grown = [part for part in given.named_children if part.type == "binary_expression" and _is_of(part, name)]
        bounds = [part for part in given.named_children if part not in grown]
        if grown and len(bounds) == 1:
            return name, bounds[0]
    return "", None


def _is_of(raised: Node, name: str) -> bool:
    operator = raised.child_by_field_name("operator")
    sides = (raised.child_by_field_name("left"), raised.child_by_field_name("right"))
    is_raised = operator is not None and text_of(operator) in ("*", "+", "**")
    return is_raised and any(side is not None and text_of(side) == name for side in sides)


def _is_in_a_catch(node: Node, body: Node) -> bool:
    here: Node | None = node
    while here is not None and here != body:
        if here.type == "catch_clause":
            return True
        here = here.parent
    return False


def _is_slept(body: Node, name: str) -> bool:
    """Whether a variable is an argument of a call other than that which bounds it."""
    given = (part for part in walk(body) if part.type == "arguments")
    return any(text_of(one) == name for each in given for one in each.named_children)
