"""Requests and jobs that always take long: one that has begun when the signal comes lasts at least that long."""

from __future__ import annotations

import ast

from gracelint.base.record import Record
from gracelint.behaviour.python.streams import functions, last_name, takes_only_a_limit, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gracelint.behaviour.python.streams import Generator
    from gracelint.source import Source, Span

SCHEDULED = frozenset(("scheduled_job",))
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
    leaves: str = ""
    """What it starts and does not wait for."""


def slowest(sources: Iterable[Source], kinds: frozenset[str]) -> Work | None:
    """The longest of the jobs or requests that take time whatever comes: constant sleeps on their only way.

    What a request hands to a background task, an executor or a thread that Python waits for belongs to it.
    """
    sources = tuple(sources)
    read = list(trees(sources, ("sleep", *_HANDED)))
    routed = {name for _, tree in trees(sources, ("path(",)) for name in _routed(tree)} if kinds is REQUESTS else set()
    begun = {name for _, tree in read for node in _begun(tree, kinds, routed) for name in (node.name, *_handed(node))}
    found = [
        Work(source, node, seconds)
        for source, tree in read
        for node in functions(tree)
        if node.name in begun and (seconds := _at_least(node.body)) > 0
    ]
    return max(found, key=lambda work: work.seconds, default=None)


def abandoned(sources: Iterable[Source], seen: Iterable[Span] = ()) -> Work | None:
    """What a request leaves to a task or a daemon thread that nobody waits for: the server ends without it.

    `seen` is what was started before any request: what becomes of that is asked elsewhere.
    """
    sources = tuple(sources)
    if not any(word in source.text for source in sources for word in (*_TASKS, "Thread", "Popen")):
        return None
    read = list(trees(sources, ("",)))
    looks_for_all = any(word in source.text for source, _ in read for word in ("all_tasks", "threading.enumerate"))
    lines = {(span.source.path, span.line) for span in seen}
    answering = [(source, node) for source, node in _answering(read) if lines.isdisjoint(_lines(source, node))]
    for what, leaves, names, waits in _LEFT:
        starts = [(source, node) for source, node in answering if leaves(node)]
        within = {id(part) for _, node in starts for part in ast.walk(node)}
        others = (part for _, tree in read for part in ast.walk(tree) if id(part) not in within)
        forgets = any(_starts(call) for _, node in starts for call in _forgotten(node)) and not looks_for_all
        if not starts or (not forgets and any(map(waits, others))):
            continue
        source, node = starts[0]
        known = set(names(node))
        seconds = [_at_least(f.body) for _, tree in read for f in functions(tree) if f.name in known]
        return Work(source, node, max(seconds, default=0.0), what)
    return None


def _lines(source: Source, node: Generator) -> Iterator[tuple[str, int]]:
    return ((source.path, line) for line in range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _answering(read: Sequence[tuple[Source, ast.Module]]) -> Iterator[tuple[Source, Generator]]:
    """The functions that begin requests, and those that they come to by their names."""
    own: dict[str, list[tuple[Source, Generator]]] = {}
    for source, tree in read:
        for node in functions(tree):
            own.setdefault(node.name, []).append((source, node))
    reached = [(source, node) for source, tree in read for node in _begun(tree, REQUESTS)]
    known = {node for _, node in reached}
    for source, node in reached:
        yield source, node
        for call in ast.walk(node):
            called = own.pop(last_name(call.func), ()) if isinstance(call, ast.Call) else ()
            reached += [found for found in called if found[1] not in known]


def _forgotten(node: Generator) -> Iterator[ast.Call]:
    """The calls of which a function keeps nothing."""
    statements = (part.value for part in ast.walk(node) if isinstance(part, ast.Expr))
    return (value for value in statements if isinstance(value, ast.Call))


def _starts(call: ast.Call) -> bool:
    """`create_task(job())`, `Thread(target=job, daemon=True).start()`."""
    made = call.func.value if last_name(call.func) == "start" and isinstance(call.func, ast.Attribute) else None
    return last_name(call.func) in _TASKS or (isinstance(made, ast.Call) and last_name(made.func) == "Thread")


_HANDED = ("add_task", "BackgroundTask", "Thread", "submit", "run_in_executor")
_TASKS = ("create_task", "ensure_future")


def _handed(node: Generator) -> Iterator[str]:
    """The functions that go on after the answer, and that the process waits for."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        name = last_name(call.func)
        given = {word.arg: word.value for word in call.keywords}
        if name == "Thread" and "target" in given and "daemon" not in given:
            yield last_name(given["target"])
        elif name in ("add_task", "BackgroundTask", "submit") and call.args:
            yield last_name(call.args[0])
        elif name == "run_in_executor" and len(call.args) > 1:
            yield last_name(call.args[1])


def _coroutines(node: Generator) -> Iterator[str]:
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or last_name(call.func) not in _TASKS or not call.args:
            continue
        if isinstance(call.args[0], ast.Call):
            yield last_name(call.args[0].func)


def _leaves_tasks(node: Generator) -> bool:
    """Whether a request starts tasks, and answers without waiting for them."""
    waits = any(isinstance(part, ast.Await) and isinstance(part.value, ast.Name) for part in ast.walk(node))
    groups = any(isinstance(part, ast.AsyncWith) for part in ast.walk(node))
    return bool(set(_coroutines(node))) and not waits and not groups and not any(map(_waits_for_tasks, ast.walk(node)))


def _daemons(node: Generator) -> Iterator[str]:
    """The functions that run in daemon threads which a request starts."""
    sets = any(
        isinstance(part, ast.Assign) and last_name(part.targets[0]) == "daemon" and _is_true(part.value)
        for part in ast.walk(node)
    )
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or last_name(call.func) != "Thread":
            continue
        given = {word.arg: word.value for word in call.keywords}
        if "target" in given and (sets or _is_true(given.get("daemon"))):
            yield last_name(given["target"])


def _is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def _leaves_threads(node: Generator) -> bool:
    return bool(set(_daemons(node))) and not any(map(_joins, ast.walk(node)))


def _joins(part: ast.AST) -> bool:
    """`thread.join()`, unlike a text's."""
    if not isinstance(part, ast.Call) or last_name(part.func) != "join":
        return False
    return takes_only_a_limit(part)


def _waits_for_tasks(part: ast.AST) -> bool:
    return isinstance(part, ast.Call) and last_name(part.func) in ("gather", "wait", "wait_for", "as_completed")


def _leaves_children(node: Generator) -> bool:
    """Whether a request starts a process, and keeps nothing of it."""
    return any(last_name(call.func) == "Popen" for call in _forgotten(node))


_LEFT = (
    ("task", _leaves_tasks, _coroutines, _waits_for_tasks),
    ("daemon thread", _leaves_threads, _daemons, _joins),
    ("process", _leaves_children, lambda node: (), lambda part: False),
)
"""How requests leave something behind: what, whether one does, the functions it leaves, and what waits for them."""


def a_round(loop: ast.AST, sources: Iterable[Source]) -> float:
    """Seconds that one turn of a loop takes at least, with the functions it calls by name."""
    calls = {last_name(part.func) for part in ast.walk(loop) if isinstance(part, ast.Call)}
    called = [node for _, tree in trees(sources, ("sleep",)) for node in functions(tree) if node.name in calls]
    return _at_least(getattr(loop, "body", ())) + max((_at_least(node.body) for node in called), default=0.0)


def of_a_program(sources: Sequence[Source]) -> float:
    """Seconds that a program takes at least, with the functions that its file calls by name."""
    entry = next((tree for _, tree in trees(sources[:1], ("",))), None)
    if entry is None:
        return 0.0
    calls = {last_name(part.func) for part in ast.walk(entry) if isinstance(part, ast.Call)}
    called = [node for _, tree in trees(sources, ("sleep",)) for node in functions(tree) if node.name in calls]
    return _at_least(entry.body) + max((_at_least(node.body) for node in called), default=0.0)


def _begun(tree: ast.AST, kinds: frozenset[str], routed: Iterable[str] = ()) -> Iterator[Generator]:
    """The functions that begin a piece of work; `routed` are those that other modules name."""
    routed = {*routed, *(_routed(tree) if kinds is REQUESTS else _added(tree) if kinds is SCHEDULED else ())}
    classes = (cls for cls in ast.walk(tree) if isinstance(cls, ast.ClassDef) and cls.name in routed)
    methods = {node for cls in classes for node in functions(cls) if node.name in REQUESTS}
    for node in functions(tree):
        if (
            node.name in routed
            or node in methods
            or (kinds is REQUESTS and _is_application(node))
            or any(_names(decorator, kinds) for decorator in node.decorator_list)
        ):
            yield node


def _is_application(node: Generator) -> bool:
    """Whether a function is a plain WSGI or ASGI application."""
    names = [one.arg for one in node.args.args if one.arg != "self"]
    return names in (["environ", "start_response"], ["scope", "receive", "send"])


def _routed(tree: ast.AST) -> Iterator[str]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or last_name(call.func) not in _ROUTES or len(call.args) < 2:
            continue
        if isinstance(call.args[0], ast.Constant):
            yield last_name(_view(call.args[1]))


def _view(given: ast.expr) -> ast.expr:
    """What answers at a path: a function, or the class of `ReportView.as_view()`."""
    is_class = isinstance(given, ast.Call) and last_name(given.func) == "as_view"
    return given.func.value if is_class and isinstance(given.func, ast.Attribute) else given  # type: ignore[attr-defined]


def _added(tree: ast.AST) -> Iterator[str]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and last_name(call.func) == "add_job" and call.args:
            yield last_name(call.args[0])


def _names(decorator: ast.expr, kinds: frozenset[str]) -> bool:
    return last_name(decorator.func if isinstance(decorator, ast.Call) else decorator) in kinds


def _at_least(body: Sequence[ast.stmt]) -> float:
    """Seconds that statements take on every way through them, or those that one path of an application takes."""
    seconds = 0.0
    for index, statement in enumerate(body):
        if isinstance(statement, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
            return seconds + _sleeps(statement)
        if isinstance(statement, ast.If):
            ways = (statement.body, statement.orelse)
            if _asks_for_a_route(statement.test):
                return seconds + max(_at_least(statement.body), _at_least([*statement.orelse, *body[index + 1 :]]))
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


def _asks_for_a_route(test: ast.expr) -> bool:
    """Whether a plain application looks at the path: `environ["PATH_INFO"] == "/report"`."""
    return any(getattr(part, _NAMED.get(type(part), ""), "") in _PATHS for part in ast.walk(test))


_NAMED: dict[type[ast.AST], str] = {ast.Constant: "value", ast.Attribute: "attr", ast.Name: "id"}
_PATHS = ("PATH_INFO", "path", "path_info")
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
