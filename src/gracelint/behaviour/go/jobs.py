"""Goroutines that do one piece of work each: a stop finds them there, as it finds requests in flight."""

from __future__ import annotations

from gracelint.behaviour.go.syntax import statements
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.midst import acts, file_of, has_come_to_stay, is_half_done, meets_one_job, node_of
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.machine.values import Thread, Wait


def meets_work(machine: GoMachine) -> bool:
    """Whether one of them is at work once main has come to where it stays.

    What a loop starts for each of its rounds is at work from there on.
    """
    handed = [one for one in machine.handed if not one.done]
    at_work = bool(handed) and has_come_to_stay(machine) and any(_is_at_work(machine, one) for one in handed)
    return at_work or meets_one_job(machine)


def _is_at_work(machine: GoMachine, thread: Thread) -> bool:
    wait, body = thread.wait, thread.body
    if wait is None or wait.kind != "sleep" or not isinstance(body, Func):
        return False
    known = machine.at_work.get(wait.span)
    if known is None:
        is_job = not _goes_round(machine, body.node)
        known = is_job and (is_half_done(machine, wait, begun=True) or _is_called(body.node, machine, wait))
        machine.at_work[wait.span] = known
    return known


def left_at_work(machine: GoMachine) -> Thread | None:
    """A goroutine of one piece of work that is at it, in a function that was given to it."""
    own = (one for one in machine.threads if not one.main and isinstance(one.body, Func) and one.wait is not None)
    return next(
        (one for one in own if one.wait is not None and one.wait.kind == "sleep" and _is_given(machine, one)), None
    )


def _is_given(machine: GoMachine, thread: Thread) -> bool:
    assert thread.wait is not None
    node = thread.body.node
    return _is_called(node, machine, thread.wait) and not _goes_round(machine, node)


def _is_called(function: Node, machine: GoMachine, wait: Wait) -> bool:
    """Whether a pause stands in none of its own lines, and it calls what it was given between two acts."""
    file = file_of(machine, wait)
    here = node_of(file.root, wait) if file is not None else None
    if here is None or (function.start_byte <= here.start_byte and here.end_byte <= function.end_byte):
        return False
    given = function.child_by_field_name("parameters")
    names = {text_of(one) for one in walk(given) if one.type == "identifier"} if given is not None else set()
    lines = statements(function.child_by_field_name("body"))
    calls = [index for index, one in enumerate(lines) if not names.isdisjoint(map(_callee, walk(one)))]
    return bool(calls) and any(map(acts, lines[: calls[0]])) and any(map(acts, lines[calls[0] + 1 :]))


def _callee(node: Node) -> str:
    return text_of(node.child_by_field_name("function")) if node.type == _CALL else ""


def _goes_round(machine: GoMachine, function: Node) -> bool:
    """Whether a function takes one thing after the other, itself or in what it calls by name."""
    parts = [*walk(function)]
    if any(one.type == "for_statement" for one in parts):
        return True
    called = {text_of(one.child_by_field_name("function")).rpartition(".")[2] for one in parts if one.type == _CALL}
    own = (one for package in machine.modules.packages(machine.main) for one in _functions(package))
    return any(name in called and any(part.type == "for_statement" for part in walk(node)) for name, node in own)


_CALL = "call_expression"


def _functions(package: Package) -> Iterator[tuple[str, Node]]:
    for declared in (*package.functions.values(), *package.methods.values()):
        yield text_of(declared.node.child_by_field_name("name")), declared.node
