"""Loops that try until a call succeeds: where nothing else ends them, nobody can tell whether they ever do."""

from __future__ import annotations

from gracelint.behaviour.go.syntax import FUNCTIONS, statements
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.go.syntax import File
    from gracelint.source import Span

_PAUSES = ("time.Sleep(", "time.After(")
_ENDS = ("Done()", ".Err()", "<-")
"""What is in loops that something else may end."""
_LEAVES = ("return_statement", "break_statement", "goto_statement")


def tries(file: File, test: Node) -> list[Span]:
    """The loop around `if err == nil { return }` or `if err != nil { pause; continue }`, if it tries for ever."""
    condition = text_of(test.child_by_field_name("condition"))
    if not condition.endswith(("err == nil", "err != nil")):
        return []
    then = test.child_by_field_name("consequence")
    last = statements(then)[-1:]
    kinds = _LEAVES if condition.endswith("== nil") else ("continue_statement",)
    loop = _loop(test) if last and last[0].type in kinds else None
    if loop is None or not _is_endless(loop) or (last[0].type not in _LEAVES and not _leaves_at_its_end(loop)):
        return []
    others = [one for one in walk(loop) if one.type in _LEAVES and one.id not in {last[0].id, _last(loop)}]
    text = text_of(loop).replace("<-time.", "")
    tries = any(one in text for one in _PAUSES) and not any(one in text for one in _ENDS) and not others
    return [file.span(test)] if tries else []


def _is_endless(loop: Node) -> bool:
    clause = next((one for one in loop.named_children if one.type not in ("block", "comment")), None)
    return clause is None or (clause.type == "for_clause" and clause.child_by_field_name("condition") is None)


def _last(loop: Node) -> int:
    last = statements(loop.child_by_field_name("body"))[-1:]
    return last[0].id if last else 0


def _leaves_at_its_end(loop: Node) -> bool:
    return any(one.type in _LEAVES for one in statements(loop.child_by_field_name("body"))[-1:])


def _loop(test: Node) -> Node | None:
    here = test.parent
    while here is not None and here.type not in ("for_statement", *FUNCTIONS):
        here = here.parent
    return here if here is not None and here.type == "for_statement" else None
