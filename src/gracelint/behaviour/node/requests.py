"""Servers that only report on the program: what asks them tries again, and has nothing to lose."""

from __future__ import annotations

from gracelint.behaviour.node.syntax import FUNCTIONS, callee_of, name_of
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.values import Thing


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
