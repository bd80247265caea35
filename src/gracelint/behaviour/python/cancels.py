"""Tasks that are cancelled: whether awaiting one raises CancelledError."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import is_cancelled
from gracelint.behaviour.python.ends import RAISE, End, Leave
from gracelint.behaviour.python.names import is_true, text_of
from gracelint.behaviour.python.streams import last_name
from gracelint.behaviour.python.values import (
    CERTAIN,
    FALSE,
    LOST,
    LOST_TRACK,
    TRUE,
    Error,
    Function,
    Later,
    Thing,
    Unknown,
    Value,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine


def throws(target: Value, ends: list[End], heard: bool) -> Value:
    """Whether awaiting a task that was cancelled raises CancelledError: not where the task catches that itself."""
    sure = [end for end in ends if end.tag == CERTAIN]
    if not heard or not sure:
        return LOST_TRACK
    if not any(map(is_cancelled, sure)):
        return FALSE
    catches = isinstance(target, Later) and isinstance(target.function, Function) and _keeps(target.function.node)
    return LOST_TRACK if catches or not all(map(is_cancelled, sure)) else TRUE


def _keeps(function: ast.AST) -> bool:
    """Whether a clause takes CancelledError, and does not raise it again."""
    clauses = (part for part in ast.walk(function) if isinstance(part, ast.ExceptHandler))
    return any(takes_a_cancel(clause) and not isinstance(clause.body[-1], ast.Raise) for clause in clauses)


def takes_a_cancel(clause: ast.ExceptHandler) -> bool:
    types = clause.type.elts if isinstance(clause.type, ast.Tuple) else [clause.type]
    return any(one is None or last_name(one) in ("BaseException", "CancelledError") for one in types)


def await_cancelled(machine: Machine, task: Thing, node: ast.AST) -> None:
    """What comes out of awaiting a task that was cancelled."""
    throws = task.store.get("#throws", LOST_TRACK)
    error = Error("builtins.CancelledError")
    if is_true(throws):
        raise Leave([End(RAISE, CERTAIN, error)])
    if isinstance(throws, Unknown):
        machine.doubt(f"whether `{text_of(node)}` raises CancelledError is only known when it runs")
        machine.side.append(End(RAISE, LOST, error))
