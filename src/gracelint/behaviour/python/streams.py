"""Answers that never end: an event stream whose generator has no way out, a websocket's loop. Servers wait for them."""

from __future__ import annotations

import ast

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gracelint.source import Source

    Generator = ast.AsyncFunctionDef | ast.FunctionDef

_ANSWERS = ("StreamingResponse", "StreamingHttpResponse")
"""Answers that go on for as long as their generator does. (sse-starlette's own ends them when the server stops.)"""
_HELD = ("WebSocketResponse", "StreamResponse")
"""Answers of aiohttp that go on for as long as the handler does which prepared them."""


class Stream(Record):
    """A function whose answer goes on until something ends it."""

    source: Source
    function: Generator
    never: bool
    """Nothing ends it. Where this is not set, what does is only known when it runs."""

    @property
    def says(self) -> str:
        end = "a stream that never ends" if self.never else "a stream whose end is only known when it runs"
        return f"waits for `{self.function.name}()`, {end}"


def endless_stream(sources: Iterable[Source]) -> Stream | None:
    """The first generator of a streamed answer that goes round for ever, else the first of which that is not known."""
    sources = tuple(sources)
    names = {name for _, tree in trees(sources, _ANSWERS) for name in _streamed(tree)}
    if not names:
        return None
    found = [
        Stream(source, node, never)
        for source, tree in trees(sources, ("yield",))
        for node in functions(tree)
        if node.name in names and (never := _goes_on(node)) is not None
    ]
    return next((stream for stream in found if stream.never), found[0] if found else None)


def held_connection(sources: Iterable[Source]) -> Stream | None:
    """A handler of aiohttp that goes round for as long as its client stays, where no hook of the project closes it."""
    sources = tuple(sources)
    if _may_close(sources):
        return None
    for source, tree in trees(sources, _HELD):
        for node in functions(tree):
            parts = list(ast.walk(node))
            if any(isinstance(part, ast.Call) and last_name(part.func) in _HELD for part in parts) and any(
                _follows_the_client(part) for part in parts
            ):
                return Stream(source, node, True)
    return None


def _may_close(sources: tuple[Source, ...]) -> bool:
    """Whether what the project has for `on_shutdown` may end connections: it calls anything that ends something."""
    read = list(trees(sources, ("on_shutdown",)))
    hooks = {
        last_name(call.args[0])
        for _, tree in read
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and call.args
        and isinstance(call.func, ast.Attribute)
        and last_name(call.func.value) == "on_shutdown"
    }
    if read and not hooks:
        return True
    found = [node for _, tree in trees(sources, tuple(hooks)) for node in functions(tree) if node.name in hooks]
    calls = [part for node in found for part in ast.walk(node) if isinstance(part, ast.Call)]
    return len({node.name for node in found}) < len(hooks) or any(last_name(call.func) not in _SAYS for call in calls)


_SAYS = ("print", "info", "debug", "warning", "get")


def held_by_the_peer(sources: Iterable[Source]) -> Stream | None:
    """A request handler of `socketserver` that reads from its peer without a timeout, until that goes away."""
    for source, tree in trees(sources, ("RequestHandler",)):
        for cls in ast.walk(tree):
            if not isinstance(cls, ast.ClassDef) or not any(last_name(base) in _HANDLERS for base in cls.bases):
                continue
            names = (last_name(part) for part in ast.walk(cls) if isinstance(part, (ast.Name, ast.Attribute)))
            if any(name in ("timeout", "settimeout") for name in names):
                continue
            for node in functions(cls):
                if node.name == "handle" and any(_reads_on(part) for part in _own_parts(node)):
                    return Stream(source, node, True)
    return None


_HANDLERS = ("StreamRequestHandler", "BaseRequestHandler")


def _reads_on(part: ast.AST) -> bool:
    """`for line in self.rfile`, or `while True` around a read."""
    if isinstance(part, ast.For):
        return last_name(part.iter) == "rfile"
    if not isinstance(part, ast.While) or not isinstance(part.test, (ast.Constant, ast.NamedExpr)):
        return False
    return any(
        isinstance(call, ast.Call) and last_name(call.func) in ("recv", "readline", "read") for call in ast.walk(part)
    )


def trees(sources: Iterable[Source], words: tuple[str, ...]) -> Iterator[tuple[Source, ast.Module]]:
    """The syntax trees of the sources in which any of the words stands."""
    for source in sources:
        if not any(word in source.text for word in words):
            continue
        try:
            yield source, ast.parse(source.text.removeprefix("\ufeff"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue


def functions(tree: ast.AST) -> Iterator[Generator]:
    """All functions and methods of a tree."""
    return (node for node in ast.walk(tree) if isinstance(node, (ast.AsyncFunctionDef, ast.FunctionDef)))


def _streamed(tree: ast.AST) -> Iterator[str]:
    """The names of the functions and methods whose generators are answers."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or last_name(node.func) not in _ANSWERS:
            continue
        given = [
            *node.args[:1],
            *(word.value for word in node.keywords if word.arg in ("content", "streaming_content")),
        ]
        for value in given:
            if isinstance(value, ast.Call):
                yield last_name(value.func)


def _goes_on(function: Generator) -> bool | None:
    """Whether nothing but an exception from outside ends a generator; None where it ends by itself."""
    loops = [part for part in _own_parts(function) if isinstance(part, ast.While) and _yields(part)]
    waiting = [loop for loop in loops if _is_open(loop.test) and _waits(loop)]
    if not waiting:
        return None
    return any(_is_endless(loop) for loop in waiting)


def _own_parts(function: ast.AST) -> Iterator[ast.AST]:
    """All parts of a function but those of the functions in it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, (ast.AsyncFunctionDef, ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            yield child
            yield from _own_parts(child)


def _yields(loop: ast.While) -> bool:
    return any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in _own_parts(loop))


def _waits(loop: ast.While) -> bool:
    """Whether its rounds take time: it awaits something, or sleeps, or takes from a queue."""
    return any(
        isinstance(part, ast.Await) or (isinstance(part, ast.Call) and last_name(part.func) in ("sleep", "get", "wait"))
        for statement in loop.body
        for part in (statement, *_own_parts(statement))
    )


def _is_open(test: ast.expr) -> bool:
    """A condition that says nothing of what is streamed: `True`, `not stopping`, `running`."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.BoolOp):
        return all(map(_is_open, test.values))
    return isinstance(test, (ast.UnaryOp, ast.Name, ast.Attribute))


def _is_endless(loop: ast.While) -> bool:
    """Whether a loop that yields has no way out. A server that stops does not disconnect its clients first."""
    asks = isinstance(loop.test, ast.UnaryOp) and _is_about_the_client(loop.test.operand)
    if not asks and not isinstance(loop.test, ast.Constant):
        return False
    parts = [
        part
        for statement in loop.body
        if not _asks_for_the_client(statement)
        for part in (statement, *_own_parts(statement))
    ]
    return not any(isinstance(part, _WAYS_OUT) for part in parts) and _only_sleeps(parts)


_WAYS_OUT = (ast.Break, ast.Return, ast.Raise, ast.Try, ast.With, ast.AsyncWith)


def _asks_for_the_client(statement: ast.stmt) -> bool:
    """`if await request.is_disconnected(): break`."""
    return isinstance(statement, ast.If) and _is_about_the_client(statement.test)


def _is_about_the_client(test: ast.expr) -> bool:
    asked = test.value if isinstance(test, ast.Await) else None
    return isinstance(asked, ast.Call) and last_name(asked.func) == "is_disconnected"


def _only_sleeps(parts: list[ast.AST]) -> bool:
    """Whether all that it awaits is a sleep: what it else waits for may fail once the server stops."""
    awaited = [part.value for part in parts if isinstance(part, ast.Await)]
    return all(isinstance(value, ast.Call) and last_name(value.func) == "sleep" for value in awaited)


def _follows_the_client(part: ast.AST) -> bool:
    """`async for message in websocket`, `while True`: a loop that the handler leaves when its client does."""
    if isinstance(part, ast.AsyncFor):
        return isinstance(part.iter, ast.Name)
    return isinstance(part, ast.While) and isinstance(part.test, ast.Constant) and bool(part.test.value)


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name; "" for what is no name."""
    return str(getattr(node, "attr", getattr(node, "id", "")))


def takes_only_a_limit(call: ast.Call) -> bool:
    """Whether a call is handed nothing, or how long it may take: `thread.join(5)`, unlike a text's `join`."""
    known = all(isinstance(one, ast.Constant) and not isinstance(one.value, (str, bytes)) for one in call.args)
    return known and len(call.args) < 2 and all(word.arg == "timeout" for word in call.keywords)
