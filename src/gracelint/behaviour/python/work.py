"""Requests and jobs that always take long: one that has begun when the signal comes lasts at least that long."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.streams import functions, last_name, trees
from gracelint.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gracelint.behaviour.python.streams import Generator
    from gracelint.source import Source

JOBS = frozenset(("task", "shared_task", "actor", "job", "periodic_task"))
REQUESTS = frozenset(
    ("get", "post", "put", "delete", "patch", "head", "options", "route", "api_route", "view", "add_url_rule")
)
_ROUTES = frozenset(("Route", "path", "re_path", "add_get", "add_post", "add_route", "add_api_route", "get", "post"))
"""Calls that are given a path and the function that answers it."""


class Work(Record):
    """A function that answers requests or does jobs."""

    source: Source
    function: Generator
    seconds: float
    """What each run of it takes at least."""


def slowest(sources: Iterable[Source], kinds: frozenset[str]) -> Work | None:
    """The longest of the jobs or requests that take time whatever comes: constant sleeps on their only way."""
    found = [
        Work(source, node, seconds)
        for source, tree in trees(sources, ("sleep",))
        for node in _begun(tree, kinds)
        if (seconds := _at_least(node.body)) > 0
    ]
    return max(found, key=lambda work: work.seconds, default=None)


def _begun(tree: ast.AST, kinds: frozenset[str]) -> Iterator[Generator]:
    routed = {
        last_name(call.args[1])
        for call in ast.walk(tree)
        if kinds is REQUESTS
        and isinstance(call, ast.Call)
        and len(call.args) > 1
        and last_name(call.func) in _ROUTES
        and isinstance(call.args[0], ast.Constant)
    }
    for node in functions(tree):
        if node.name in routed or any(_names(decorator, kinds) for decorator in node.decorator_list):
            yield node


def _names(decorator: ast.expr, kinds: frozenset[str]) -> bool:
    return last_name(decorator.func if isinstance(decorator, ast.Call) else decorator) in kinds


def _at_least(body: Sequence[ast.stmt]) -> float:
    """Seconds that statements take on every way through them."""
    seconds = 0.0
    for statement in body:
        if isinstance(statement, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
            return seconds + _sleeps(statement)
        if isinstance(statement, ast.If):
            ways = (statement.body, statement.orelse)
            if any(isinstance(part, _LEAVES) for way in ways for part in way):
                return seconds
            seconds += min(map(_at_least, ways))
        elif isinstance(statement, ast.For):
            seconds += _rounds(statement) * _at_least(statement.body)
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            seconds += _at_least(statement.body)
        elif isinstance(statement, ast.Try):
            seconds += 0 if statement.handlers else _at_least([*statement.body, *statement.finalbody])
        elif not isinstance(statement, (ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            seconds += _sleeps(statement)
    return seconds


_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def _rounds(loop: ast.For) -> int:
    """How often a loop over `range(40)` goes round; 0 where that is not known."""
    call = loop.iter
    if not isinstance(call, ast.Call) or last_name(call.func) != "range" or len(call.args) != 1:
        return 0
    count = call.args[0]
    leaves = any(isinstance(part, (ast.Break, ast.Return)) for part in ast.walk(loop))
    known = isinstance(count, ast.Constant) and isinstance(count.value, int) and not leaves
    return count.value if known else 0  # type: ignore[attr-defined]


def _sleeps(statement: ast.stmt) -> float:
    value = getattr(statement, "value", None)
    call = value.value if isinstance(value, ast.Await) else value
    if not isinstance(call, ast.Call) or last_name(call.func) != "sleep" or len(call.args) != 1:
        return 0.0
    given = call.args[0]
    known = isinstance(given, ast.Constant) and isinstance(given.value, (int, float))
    return float(given.value) if known else 0.0  # type: ignore[attr-defined]
