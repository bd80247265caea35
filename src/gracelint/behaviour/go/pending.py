"""What goroutines and timers are yet to write when the program ends, and what has not been written otherwise."""

from __future__ import annotations

from gracelint.behaviour.go.syntax import FUNCTIONS, statements
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.midst import node_at
from gracelint.behaviour.machine.remainder import WRITES
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.machine.values import Thread
    from gracelint.source import Span

_GIVES_UP = ("os.Exit", "log.Fatal", "panic")
_PAUSES = ("sleep", "receive", "select")


def pending(machine: GoMachine) -> tuple[Thread, str, bool] | None:
    """A thread that is to call a function of the program which writes something out, and that nothing has called
    since the signal; with its name, and whether it is open that there is something to write."""
    late: set[str] | None = None
    for thread, is_open, rest in _ahead(machine):
        if any(word in text_of(part) for part in rest for word in _GIVES_UP):
            continue
        names = _called(rest) | {_named(part) for part in rest if part.type in FUNCTIONS}
        owned = ((one, _own(machine, one)) for one in sorted(names))
        writes = {one: its for one, its in owned if its and (WRITES.match(one) or any(map(_puts_into_file, its)))}
        if not writes:
            continue
        late = _called_late(machine) if late is None else late
        if late.isdisjoint(names | _called([part for its in writes.values() for part in its])):
            return thread, next(iter(writes)), is_open
    return None


def _called(parts: Iterable[Node]) -> set[str]:
    return {_callee(one) for part in parts for one in walk(part) if one.type == "call_expression"}


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
            if isinstance(thread.body, Func):
                yield thread, True, _at_its_end(thread.body.node)
    for thread in machine.fired_timers:
        yield thread, True, [thread.body.node] if isinstance(thread.body, Func) else []
    for span, thread in machine.slept_through.items():
        if thread.done and not thread.main:
            yield thread, True, _behind(machine, span)[1]


def _behind(machine: GoMachine, pause: Span) -> tuple[bool, list[Node]]:
    """What follows a pause in its function, or the loop around it: that has come round before, and may have nothing to
    write. What the function defers, and what follows its loop, comes once it is told to end."""
    file = next((one for one in machine.files() if one.source is pause.source), None)
    here = node_at(file.root, pause) if file is not None else None
    rest: list[Node] = []
    goes_round = False
    while here is not None and here.parent is not None and here.type not in FUNCTIONS:
        if here.type == "for_statement":
            goes_round = True
            rest = [here]
        if here.type.endswith(("_statement", "_declaration")):
            rest += [one for one in here.parent.named_children if one.start_byte >= here.end_byte]
        here = here.parent
    return goes_round, rest


def _at_its_end(function: Node) -> list[Node]:
    """What a function defers, and what follows the last of its loops."""
    lines = statements(function.child_by_field_name("body"))
    loops = [index for index, one in enumerate(lines) if one.type == "for_statement"]
    return [*(one for one in lines if one.type == "defer_statement"), *(lines[loops[-1] + 1 :] if loops else [])]


def _puts_into_file(function: Node) -> bool:
    text = text_of(function)
    return any(call in text for call in ("os.WriteFile(", "os.Rename("))


def _own(machine: GoMachine, name: str) -> list[Node]:
    """The functions and methods of the program that have a name."""
    packages = machine.modules.packages(machine.main)
    declared = [(its, one) for package in packages for its, one in package.functions.items()]
    declared += [(its, one) for package in packages for (_, its), one in package.methods.items()]
    return [one.node for its, one in declared if its == name]


def _callee(call: Node) -> str:
    return text_of(call.child_by_field_name("function")).rpartition(".")[2]


def _named(function: Node) -> str:
    return text_of(function.child_by_field_name("name"))
