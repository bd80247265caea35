"""Answers that never end: a handler that writes for as long as its client listens, for which Shutdown waits."""

from __future__ import annotations

from gracelint.behaviour.go.syntax import FUNCTIONS
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Package
    from gracelint.source import Span

_LEAVING = ("return_statement", "goto_statement", "break_statement")
_CATCHES_BREAK = ("for_statement", "select_statement", "expression_switch_statement", "type_switch_statement")
_CANCELS = "BaseContext"
"""A server with one can end the contexts of its requests by itself."""


def endless_stream(packages: Iterable[Package]) -> Span | None:
    """The first loop that answers a request for ever, and that only the client's leaving ends."""
    files = [file for package in packages for file in package.files]
    if any(_CANCELS in file.source.text for file in files):
        return None
    for file in files:
        if ".Flush()" not in file.source.text or "ResponseWriter" not in file.source.text:
            continue
        for node in walk(file.root):
            if node.type in FUNCTIONS and _answers(node):
                loop = next((one for one in walk(node) if one.type == "for_statement" and _is_endless(one)), None)
                if loop is not None and not _leaves(loop, _contexts(node)):
                    return file.span(loop.children[0])
    return None


def _answers(function: Node) -> bool:
    params = function.child_by_field_name("parameters")
    return params is not None and "http.ResponseWriter" in text_of(params)


def _is_endless(loop: Node) -> bool:
    """`for { … }` that writes: nothing but a statement in it leaves it."""
    body = loop.child_by_field_name("body")
    return body is not None and loop.named_children == [body] and ".Flush()" in text_of(body)


def _contexts(function: Node) -> tuple[str, ...]:
    """What ends when the client goes, as the function writes it."""
    params = function.child_by_field_name("parameters")
    assert params is not None
    requests = [
        text_of(one.named_children[0])
        for one in params.named_children
        if one.type == "parameter_declaration" and text_of(one).endswith("*http.Request")
    ]
    its = [f"{name}.Context()" for name in requests]
    for node in walk(function):
        if node.type == "short_var_declaration":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is not None and right is not None and text_of(right) in its:
                its.append(text_of(left))
    return tuple(its)


def _leaves(loop: Node, contexts: tuple[str, ...]) -> bool:
    """Whether the loop has a way out that is not the client's: its context, or an error of writing to it."""
    for node in walk(loop):
        if node.type in _LEAVING and not _breaks_inside(node, loop) and not _is_the_clients(node, loop, contexts):
            return True
    return False


def _breaks_inside(node: Node, loop: Node) -> bool:
    if node.type != "break_statement" or node.named_children:
        return False
    here = node.parent
    while here is not None and here.type not in _CATCHES_BREAK:
        here = here.parent
    return here is not None and here.id != loop.id


def _is_the_clients(node: Node, loop: Node, contexts: tuple[str, ...]) -> bool:
    here = node.parent
    while here is not None and here.id != loop.id:
        if here.type == "communication_case":
            asked = here.child_by_field_name("communication")
            return asked is not None and text_of(asked) in {f"<-{one}.Done()" for one in contexts}
        if here.type == "if_statement":
            condition = here.child_by_field_name("condition")
            return condition is not None and text_of(condition) == "err != nil" and "<-" not in text_of(here)
        here = here.parent
    return False
