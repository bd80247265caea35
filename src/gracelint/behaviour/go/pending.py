"""What goroutines and timers are yet to write when the program ends, and what has not been written otherwise."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.midst import node_at
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.machine.values import Thread
    from gracelint.source import Span

_WRITES = pattern(r"(?i)^(?:save|flush|persist|checkpoint|snapshot|commit|writeback)")
_GIVES_UP = ("os.Exit", "log.Fatal", "panic")
_FUNCTIONS = ("function_declaration", "method_declaration", "func_literal")
_PAUSES = ("sleep", "receive", "select")


def pending(machine: GoMachine) -> tuple[Thread, str, bool] | None:
    """A thread that is to call a function of the program which writes something out, and that nothing has called
    since the signal; with its name, and whether it is open that there is something to write."""
    for thread, is_open, rest in _ahead(machine):
        if any(word in text_of(part) for part in rest for word in _GIVES_UP):
            continue
        names = {_callee(one) for part in rest for one in walk(part) if one.type == "call_expression"}
        names |= {_named(part) for part in rest if part.type in _FUNCTIONS}
        name = next((one for one in sorted(names) if _WRITES.match(one) and _is_own(machine, one)), None)
        if name is not None and names.isdisjoint(_called_late(machine)):
            return thread, name, is_open
    return None


def _called_late(machine: GoMachine) -> set[str]:
    nodes = (node for file in machine.files() for node in walk(file.root) if node.id in machine.entered_late)
    return {_named(node) for node in nodes} - {""}


def _ahead(machine: GoMachine) -> Iterator[tuple[Thread, bool, list[Node]]]:
    """What threads come to after the pause that they are in, or were in before the signal."""
    for thread in machine.threads:
        wait = thread.wait
        if wait is not None and wait.kind == "timer" and isinstance(thread.body, Func):
            yield thread, False, [thread.body.node]
        elif wait is not None and not thread.main and wait.kind in _PAUSES and wait.at() is not None:
            yield (thread, *_behind(machine, wait.span))
    for thread in machine.fired_timers:
        yield thread, True, [thread.body.node] if isinstance(thread.body, Func) else []
    for span, thread in machine.slept_through.items():
        if thread.done and not thread.main:
            yield thread, True, _behind(machine, span)[1]


def _behind(machine: GoMachine, pause: Span) -> tuple[bool, list[Node]]:
    """What follows a pause in its function, or the loop around it: that has come round before, and may have nothing to
    write."""
    file = next((one for one in machine.files() if one.source is pause.source), None)
    here = node_at(file.root, pause) if file is not None else None
    rest: list[Node] = []
    while here is not None and here.parent is not None and here.type not in _FUNCTIONS:
        if here.type == "for_statement":
            return True, [here]
        if here.type.endswith(("_statement", "_declaration")):
            rest += [one for one in here.parent.named_children if one.start_byte >= here.end_byte]
        here = here.parent
    return False, rest


def _is_own(machine: GoMachine, name: str) -> bool:
    packages = machine.modules.packages(machine.main)
    return any(name in one.functions or any(name == its for _, its in one.methods) for one in packages)


def _callee(call: Node) -> str:
    return text_of(call.child_by_field_name("function")).rpartition(".")[2]


def _named(function: Node) -> str:
    return text_of(function.child_by_field_name("name"))
