"""Hosted services of the .NET host: whether a BackgroundService ends when its token is cancelled.

`BackgroundService.StopAsync` cancels the token of `ExecuteAsync` and waits for its end until the host gives up
(`HostOptions.ShutdownTimeout`).
"""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.csharp.syntax import read_file
from gracelint.behaviour.tree import text_of, walk
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from gracelint.source import Source, Span

_LOOPS = ("while_statement", "for_statement", "do_statement")
_WAITS = ("Thread.Sleep", "Task.Delay", ".Wait(", ".WaitOne(", ".GetResult(")


class Service(Record, identity=True):
    """A service that does not end when it is told to."""

    name: str
    span: Span
    certain: bool
    """Whether it surely runs on: a loop without end in which the token does not stand."""


def deaf_services(sources: Iterable[Source]) -> list[Service]:
    """The services among these sources that may run on after their token is cancelled, the sure ones first."""
    found: list[Service] = []
    for source in sources:
        if "ExecuteAsync" not in source.text or "CancellationToken" not in source.text:
            continue
        try:
            file = read_file(source)
        except ParseError:
            continue
        for node in walk(file.root) if file is not None else ():
            if (
                file is None
                or node.type != "method_declaration"
                or text_of(node.child_by_field_name("name")) != "ExecuteAsync"
            ):
                continue
            deaf = _is_deaf(node)
            if deaf is not None:
                name = node.child_by_field_name("name")
                found.append(Service(_class_of(node), file.span(name or node), deaf))
    return sorted(found, key=lambda service: not service.certain)


def _class_of(node: Node) -> str:
    while node.parent is not None:
        node = node.parent
        if node.type == "class_declaration":
            return text_of(node.child_by_field_name("name"))
    return "it"


def _is_deaf(method: Node) -> bool | None:
    """True where it loops without end and never looks at its token, False where it may, None where it looks at it."""
    parameters, body = method.child_by_field_name("parameters"), method.child_by_field_name("body")
    if parameters is None or "override" not in text_of(method).partition("(")[0] or body is None:
        return None
    token = next((text_of(one.child_by_field_name("name")) for one in parameters.named_children), "")
    looks = any(node.type == "identifier" and text_of(node) == token for node in walk(body))
    loops = [node for node in walk(body) if node.type in _LOOPS]
    endless = [node for node in loops if _has_no_end(node)]
    if endless and not any(_mentions(loop, token) for loop in endless):
        return not looks
    return None


def _has_no_end(loop: Node) -> bool:
    condition = loop.child_by_field_name("condition")
    is_true = text_of(condition) == "true" if condition is not None else loop.type == "for_statement"
    leaves = any(node.type in ("break_statement", "return_statement", "throw_statement") for node in walk(loop))
    return is_true and not leaves


def _mentions(loop: Node, token: str) -> bool:
    return any(node.type == "identifier" and text_of(node) == token for node in walk(loop))
