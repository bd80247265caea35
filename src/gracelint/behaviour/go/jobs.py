"""Goroutines that do one piece of work each: a stop finds them there, as it finds requests in flight."""

from __future__ import annotations

from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.midst import has_come_to_stay, is_half_done, meets_one_job
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.machine.values import Thread


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
        known = not _goes_round(machine, body.node) and is_half_done(machine, wait, begun=True)
        machine.at_work[wait.span] = known
    return known


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
