"""Answers that never end: an event stream whose generator has no way out, for which a server waits."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gracelint.source import Source

    Generator = ast.AsyncFunctionDef | ast.FunctionDef

_ANSWERS = ("StreamingResponse", "StreamingHttpResponse")
"""Answers that go on for as long as their generator does. (sse-starlette's own ends them when the server stops.)"""


def endless_stream(sources: Iterable[Source]) -> tuple[Source, Generator] | None:
    """The first generator of a streamed answer that goes round for ever."""
    for source in sources:
        if not any(name in source.text for name in _ANSWERS) or "while" not in source.text:
            continue
        try:
            tree = ast.parse(source.text.removeprefix("\ufeff"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        names = set(_streamed(tree))
        for node in ast.walk(tree):
            if isinstance(node, (ast.AsyncFunctionDef, ast.FunctionDef)) and node.name in names and _is_endless(node):
                return source, node
    return None


def _streamed(tree: ast.AST) -> Iterator[str]:
    """The names of the functions of the module whose generators are answers."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _last(node.func) not in _ANSWERS:
            continue
        given = [
            *node.args[:1],
            *(word.value for word in node.keywords if word.arg in ("content", "streaming_content")),
        ]
        for value in given:
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
                yield value.func.id


def _is_endless(function: Generator) -> bool:
    """Whether it ends in a loop that yields, and that nothing but an exception from outside leaves."""
    last = function.body[-1]
    if not isinstance(last, ast.While) or not isinstance(last.test, ast.Constant) or not last.test.value:
        return False
    parts = [part for statement in last.body if not _asks_for_the_client(statement) for part in ast.walk(statement)]
    leaves = any(isinstance(part, _WAYS_OUT) for part in parts)
    return not leaves and any(isinstance(part, ast.Yield) for part in parts) and _only_sleeps(parts)


_WAYS_OUT = (ast.Break, ast.Return, ast.Raise, ast.Try, ast.With, ast.AsyncWith)


def _asks_for_the_client(statement: ast.stmt) -> bool:
    """`if await request.is_disconnected(): break`: a server that stops does not disconnect its clients first."""
    if not isinstance(statement, ast.If) or not isinstance(statement.test, ast.Await):
        return False
    asked = statement.test.value
    return isinstance(asked, ast.Call) and _last(asked.func) == "is_disconnected"


def _only_sleeps(parts: list[ast.AST]) -> bool:
    """Whether all that it awaits is a sleep: what it else waits for may fail once the server stops."""
    awaited = [part.value for part in parts if isinstance(part, ast.Await)]
    return all(isinstance(value, ast.Call) and _last(value.func) == "sleep" for value in awaited)


def _last(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))
