"""What the handlers of requests are for, and what they start and do not wait for: it goes on after the answer."""

from __future__ import annotations

from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.syntax import FUNCTIONS, callee_of, name_of
from gracelint.behaviour.node.unfinished import looks_at_work, seconds_of
from gracelint.behaviour.node.values import Closure, Scope
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.syntax import File
    from gracelint.behaviour.node.values import Thing
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
        called = call.child_by_field_name("function")
        function = known.get(text_of(called))
        job = _imported(machine, called, file) if function is None else Closure(function, Scope(), file)
        if job is not None and seconds_of(machine, job) >= _LONG:
            yield call


def _imported(machine: Machine, called: Node | None, file: File) -> Closure | None:
    """A function of another module, or of an object, that a module's variables lead to."""
    scope = machine.scopes.get(file.source.path)
    found = machine.value(called, Frame(scope, file)) if scope is not None else None
    return found if isinstance(found, Closure) else None


def _handler(node: Node) -> Node | None:
    """The function of `app.post('/path', …, (req, res) => …)`, of `createServer` or `server.on('request', …)`."""
    called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if node.type != "call_expression" or called is None or given is None or not given.named_children:
        return None
    parts = given.named_children
    named = len(parts) > 1 and parts[0].type in ("string", "template_string")
    route = called.type == "member_expression" and name_of(called) in _ROUTES and named
    asked = named and name_of(called) == "on" and text_of(parts[0])[1:-1] == "request"
    answers = route or asked or name_of(called) == "createServer"
    return parts[-1] if answers and parts[-1].type in FUNCTIONS else None


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
                if called is not None and called.type in ("identifier", "member_expression"):
                    yield call
                break


def _functions(file: File) -> Iterator[tuple[str, Node]]:
    """The functions of a file by the names they are declared with."""
    for node in walk(file.root):
        function = node if node.type == "function_declaration" else node.child_by_field_name("value")
        declares = node.type in ("function_declaration", "variable_declarator")
        if declares and function is not None and function.type in FUNCTIONS:
            yield text_of(node.child_by_field_name("name")), function


# Servers that only report on the program: what asks them tries again, and has nothing to lose.


def only_reports(machine: Machine, server: Thing) -> bool:
    """Whether a server answers probes and scrapes by their paths, and no answer takes time."""
    file = next((one for one in machine.parsed.values() if one is not None and one.source is server.span.source), None)
    if file is None or not any(path in file.source.text for path in _paths()):
        return False
    if any(server.callbacks.get(event) for event in ("request", "connection", "upgrade")):
        return False
    name = server.span.text.partition(".listen")[0]
    handlers = [
        handler
        for node in walk(file.root)
        if node.type in ("variable_declarator", "assignment_expression") and _target(node) == name
        for handler in _handlers(node)
    ]
    return bool(handlers) and all(map(_is_for_reports, handlers))


def _paths() -> set[str]:
    return set(table("node")["reports"]["paths"])


def _target(node: Node) -> str:
    return text_of(node.child_by_field_name("name") or node.child_by_field_name("left"))


def _handlers(node: Node) -> Iterator[Node]:
    """The function of `server = createServer((req, res) => …)`, or what is assigned in its place."""
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    if value is not None:
        yield _creates(value) or value


def _creates(call: Node) -> Node | None:
    """The function of `createServer((req, res) => …)`."""
    if call.type != "call_expression":
        return None
    called, given = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if called is None or given is None or name_of(called) != "createServer" or not given.named_children:
        return None
    last = given.named_children[-1]
    return last if last.type in FUNCTIONS else None


def _is_for_reports(handler: Node) -> bool:
    paths = {text for node in walk(handler) if node.type == "string" and (text := text_of(node)[1:-1]).startswith("/")}
    reports = _paths()
    return bool(paths & reports) and paths <= {"/", *reports} and _is_soon_done(handler)


def _is_soon_done(handler: Node) -> bool:
    """Whether it answers by itself, and waits for nothing but the numbers of a scrape."""
    parameters, body = handler.child_by_field_name("parameters"), handler.child_by_field_name("body")
    if parameters is None or body is None:
        return False
    names = {text_of(part) for part in walk(parameters) if part.type == "identifier"}
    for node in walk(body):
        if node.type == "await_expression" and "metrics()" not in text_of(node):
            return False
        if node.type in FUNCTIONS and "metrics()" not in _callee_around(node):
            return False
        if node.type == "identifier" and text_of(node) in names and not _is_owner(node):
            return False  # whoever is given the response answers when it likes
    return True


def _is_owner(node: Node) -> bool:
    """Whether of a name only properties are taken: `response.end`, `const { url } = request`"""
    above = node.parent
    if above is None or above.type != "variable_declarator":
        return above is not None and above.type == "member_expression" and above.child_by_field_name("object") == node
    taken = above.child_by_field_name("name")
    return taken is not None and taken.type == "object_pattern"


def _callee_around(function: Node) -> str:
    """What a function is given to: `register.metrics().then`"""
    call = function.parent.parent if function.parent is not None else None
    return callee_of(call) if call is not None and call.type == "call_expression" else ""
