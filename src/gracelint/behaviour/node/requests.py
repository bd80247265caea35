"""What the handlers of requests start and do not wait for: it goes on after the answer, until the process exits."""

from __future__ import annotations

from gracelint.behaviour.node.syntax import FUNCTIONS, name_of
from gracelint.behaviour.node.unfinished import looks_at_work, seconds_of
from gracelint.behaviour.node.values import Closure, Scope
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.syntax import File
    from gracelint.source import Span

_ROUTES = ("all", "delete", "get", "patch", "post", "put")
_CHAINED = ("catch", "finally", "then")
_LONG = 1.0
"""Seconds. A shorter job is often done before the server is closed."""


def left_behind(stopped: Stopped) -> Span | None:
    """Where a request starts a job that takes its time, and whose end nobody waits for."""
    machine = stopped.machine
    files = [file for file in machine.parsed.values() if file is not None and "async" in file.source.text]
    found = next((file.span(call) for file in files for call in _begun(machine, file)), None)
    return None if found is None or looks_at_work(machine, stopped.ran) else found


def _begun(machine: Machine, file: File) -> Iterator[Node]:
    handlers = [handler for node in walk(file.root) if (handler := _handler(node)) is not None]
    calls = [call for handler in handlers for call in _left(handler)]
    known = dict(_functions(file)) if calls else {}
    for call in calls:
        function = known.get(text_of(call.child_by_field_name("function")))
        if function is not None and seconds_of(machine, Closure(function, Scope(), file)) >= _LONG:
            yield call


def _handler(node: Node) -> Node | None:
    """The function of `app.post('/path', …, (req, res) => …)`."""
    called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if node.type != "call_expression" or called is None or called.type != "member_expression" or given is None:
        return None
    parts = given.named_children
    route = name_of(called) in _ROUTES and len(parts) > 1 and parts[0].type in ("string", "template_string")
    return parts[-1] if route and parts[-1].type in FUNCTIONS else None


def _left(handler: Node) -> Iterator[Node]:
    """The calls in it whose promises nobody takes."""
    for node in walk(handler):
        call = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
        while call is not None and call.type in ("call_expression", "unary_expression"):
            called = call.child_by_field_name("function")
            if call.type == "unary_expression":
                call = call.child_by_field_name("argument")
            elif called is not None and called.type == "member_expression" and name_of(called) in _CHAINED:
                call = called.child_by_field_name("object")
            else:
                if called is not None and called.type == "identifier":
                    yield call
                break


def _functions(file: File) -> Iterator[tuple[str, Node]]:
    """The functions of a file by the names they are declared with."""
    for node in walk(file.root):
        function = node if node.type == "function_declaration" else node.child_by_field_name("value")
        declares = node.type in ("function_declaration", "variable_declarator")
        if declares and function is not None and function.type in FUNCTIONS:
            yield text_of(node.child_by_field_name("name")), function
