"""Loops that go round a number of times which stands in their text."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.node.values import After
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame

_LEAVES = ("break_statement", "return_statement", "throw_statement")
_BY_ONE = pattern(r"\+\+|\+= ?1$")
_MOST_ROUNDS = 10**9


def rounds(machine: Machine, loop: Node, frame: Frame) -> int | None:
    """How often `for (let i = 0; i < 10; i++)` goes round; None where that is not known, or it may leave earlier."""
    test, step, body = (loop.child_by_field_name(name) for name in ("condition", "increment", "body"))
    if (
        loop.type != "for_statement"
        or test is None
        or body is None
        or step is None
        or not _BY_ONE.search(text_of(step))
    ):
        return None
    test = test.named_children[0] if test.type == "expression_statement" and test.named_children else test
    left, right = test.child_by_field_name("left"), test.child_by_field_name("right")
    operator = test.child_by_field_name("operator")
    if left is None or right is None or operator is None or text_of(operator) not in ("<", "<="):
        return None
    counter = step.child_by_field_name("argument") or step.child_by_field_name("left")
    limit = machine.value(right, frame)
    if counter is None or text_of(counter) != text_of(left) or not isinstance(limit, int) or limit > _MOST_ROUNDS:
        return None
    return None if any(part.type in _LEAVES for part in walk(body)) else limit


def run(machine: Machine, loop: Node, times: int, inner: Frame, outer: Frame) -> Any:
    """Runs the body once; what its pauses take counts for every round."""
    before = len(inner.after)
    body = loop.child_by_field_name("body")
    ended = machine.execute(body, inner) if body is not None else None
    takes = sum(part.seconds or 0.0 for part in inner.after[before:] if part.kind == "timer")
    rest = (After("timer", inner.file.span(loop), None, takes * (times - 1)),) if takes and times > 1 else ()
    outer.after = (*inner.after, *rest)
    machine.pause(outer.after)
    return ended if isinstance(ended, tuple) else None
