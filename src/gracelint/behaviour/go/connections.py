"""Clients of a raw listener: what has answered one and reads on waits until the client says more or goes."""

from __future__ import annotations

from gracelint.behaviour.go.syntax import ANSWERS, FUNCTIONS, statements
from gracelint.behaviour.machine.values import UNKNOWN, Err, Object, Wait
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

READS = ("Decode", "Read", "ReadByte", "ReadBytes", "ReadFull", "ReadLine", "ReadRune", "ReadString", "Scan")
"""What waits for a client to say something, who may never do."""
COPIES = ("io.Copy", "io.CopyBuffer", "io.ReadAll")
"""What waits until the client has nothing more to say."""
_LIMITS = ("SetDeadline", "SetReadDeadline")
_HANGS_UP = ("Close", "CloseRead", *_LIMITS)


def reads(machine: GoMachine, name: str, span: Span, *, to_the_end: bool = False) -> Run:
    """A read from a client: its first words are there, for more the goroutine waits."""
    here = machine.current
    assert here is not None
    is_first = not machine.connections[here] and not to_the_end
    machine.connections[here] += 1
    if is_first:
        return UNKNOWN
    until = machine.patience
    is_over = lambda: _is_hung_up(machine) or (until is not None and machine.now >= until)  # noqa: E731
    yield Wait("client", span, is_over, at=lambda: until)
    error = Err("io.EOF" if machine.hung_up else "os.ErrDeadlineExceeded")
    if name == "Scan":
        return False
    return error if name == "Decode" else (UNKNOWN, UNKNOWN, error) if name in _THREE else (UNKNOWN, error)


_THREE = ("ReadLine", "ReadRune")


def _is_hung_up(machine: GoMachine) -> bool:
    """Whether main, or a function that has been called since the signal, ends all the connections there are.

    A connection may have come into their list later than this run has it.
    """
    if machine.stopping and not machine.hung_up and len(machine.entered_late) != machine.looked_at:
        machine.looked_at = len(machine.entered_late)
        late = {machine.main.functions["main"].node.id, *machine.entered_late}
        functions = (one for file in machine.files() for one in walk(file.root) if one.id in late)
        machine.hung_up = any(_ends_all(loop) for one in functions for loop in walk(one))
    return machine.hung_up


def _ends_all(loop: Node) -> bool:
    ranged = next((one for one in loop.named_children if one.type == "range_clause"), None)
    names = text_of(ranged.child_by_field_name("left")).split(", ") if ranged is not None else []
    calls = {text_of(one.child_by_field_name("function")) for one in walk(loop) if one.type == "call_expression"}
    return any(f"{name}.{call}" in calls for name in names for call in _HANGS_UP)


def takes_leave(machine: GoMachine) -> Span | None:
    """A loop that says something to each connection and ends it, in what is called since the signal or hears of it."""
    late = {machine.main.functions["main"].node.id, *machine.entered_late}
    functions = ((file, one) for file in machine.files() for one in walk(file.root) if one.type in FUNCTIONS)
    heard = ((file, one) for file, one in functions if one.id in late or "<-" in text_of(one))
    loops = ((file, loop) for file, one in heard for loop in walk(one) if loop.type == "for_statement")
    return next((file.span(loop) for file, loop in loops if _ends_all(loop) and _says_something(loop)), None)


def _says_something(loop: Node) -> bool:
    return any(word in text_of(loop.child_by_field_name("body")) for word in _WRITES)


_WRITES = ("fmt.Fprint", "io.WriteString(", ".Write(", ".WriteString(", ".WriteMessage(", ".WriteJSON(", ".Encode(")


def limits(machine: GoMachine, name: str, given: list[Any]) -> None:
    """A connection gets a deadline from its own goroutine, or is ended by another."""
    if machine.current not in machine.connections:
        machine.hung_up = machine.hung_up or (machine.stopping and name in _HANGS_UP)
    elif name in _LIMITS:
        at = given[0].state.get("at") if given and isinstance(given[0], Object) else None
        machine.patience = at if at is not None else machine.now + 1


def polled_late(machine: GoMachine) -> Span | None:
    """A loop of a function that has been called since the signal, which looks at a counter from time to time.

    What requests and connections add to such a counter is not followed.
    """
    for file in machine.files():
        for function in (one for one in walk(file.root) if one.id in machine.entered_late):
            for loop in (one for one in walk(function) if one.type == "for_statement"):
                text = text_of(loop)
                if ".Load()" in text and any(pause in text for pause in _PAUSES):
                    return file.span(loop)
    return None


def counted(machine: GoMachine) -> Span | None:
    """A wait for the group that what answers requests counts itself in: one may come after it."""
    for kind, span, _ in machine.waits:
        group = f"{span.text.removesuffix('.Wait()').rpartition('.')[2]}.Done()"
        if kind == "join" and any(_counts_itself(one, group) for file in machine.files() for one in walk(file.root)):
            return span
    return None


def _counts_itself(node: Node, group: str) -> bool:
    if node.type not in FUNCTIONS or not any(one in text_of(node.child_by_field_name("parameters")) for one in ANSWERS):
        return False
    defers = (one for one in statements(node.child_by_field_name("body")) if one.type == "defer_statement")
    return any(text_of(one).endswith(group) for one in defers)


_PAUSES = ("time.Sleep(", "time.After(", ".C")
