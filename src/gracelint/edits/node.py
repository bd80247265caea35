"""Edits of JavaScript and TypeScript: a handler more, a deadline, a call behind another.

What is put in is written as the file is: its quotes, semicolons, indentation and newlines.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.finding import Edit
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.node.syntax import File
    from gracelint.facts.program import Act, Handler, Program, ServerCall, Wait

_AWAITED = {"fastify": "close", "@hapi/hapi": "stop", "@nestjs/core": "close"}
"""Servers whose closing is a promise, and the method."""
_CALLED_BACK = ("http", "https", "express", "koa", "connect", "polka", "restify", "net")
_BLOCKS = ("program", "statement_block")
_OWN_WAY = pattern(
    r"(?i)_*(graceful(ly)?_?)?(stop|shut_?down|terminate|tear_?down|clean_?up)(_?(all|gracefully|app|server))?"
    r"|_*(setup|set_up|install|register|handle|add|on)_?\w{0,40}(signal|shutdown|sigterm|exit)s?\w*",
)
"""The program's own way to stop: what it does there nobody else can do for it."""


def add_sigterm_handler(program: Program) -> tuple[Edit, ...] | None:
    """Closes the server on SIGTERM, behind the statement that starts it.

    None where no server is found, where the time for it is not known, or where the program can stop itself already.
    """
    server = next((one for one in program.servers if one.name in _AWAITED or one.name in _CALLED_BACK), None)
    file = _read(server.span.source) if server is not None else None
    deadline = program.bound
    if server is None or file is None or deadline is None or _stops_itself(program):
        return None
    statement = _statement(file.node_at(server.span))
    if statement is None or statement.type == "return_statement":
        return None
    name, changes = _named(file, server, statement)
    if name is None:
        return None
    source = server.span.source
    quote, end = _quote(source), _semicolon(source)
    outer, unit, newline = _indentation(file, statement), _unit(source), _newline(source)
    inner = outer + unit
    method = _AWAITED.get(server.name)
    lines = [
        f"setTimeout(() => process.exit(1), {deadline * 1000:.0f}).unref(){end}",
        f"await {name}.{method}(){end}" if method else f"{name}.close(() => process.exit(0)){end}",
    ]
    if method:
        lines.append(f"process.exit(0){end}")
    head = f"process.on({quote}SIGTERM{quote}, {'async ' if method else ''}() => {{"
    text = newline.join([f"{outer}{head}", *(f"{inner}{line}" for line in lines), f"{outer}}}){end}"])
    at = file.span(statement).end
    return (*changes, Edit(Span(source, at, at), f"{newline}{newline}{text}"))


def _stops_itself(program: Program) -> bool:
    """Whether a function of the program is named for stopping it or setting up its signals, or it names SIGTERM."""
    from gracelint.behaviour.node.syntax import string_of
    from gracelint.behaviour.tree import text_of, walk

    for source in program.sources or (program.source,):
        file = _read(source)
        if file is None:
            return True
        for node in walk(file.root):
            if string_of(node) == "SIGTERM":
                return True
            name = node.child_by_field_name(_NAMED_BY.get(node.type, "")) if node.type in _NAMED_BY else None
            value = node.child_by_field_name("right") or node.child_by_field_name("value")
            is_function = value is None or "function" in value.type
            if name is not None and is_function and _OWN_WAY.fullmatch(text_of(name).rpartition(".")[2]):
                return True
    return False


_NAMED_BY = {
    "function_declaration": "name",
    "method_definition": "name",
    "variable_declarator": "name",
    "assignment_expression": "left",
    "pair": "key",
    "field_definition": "property",
    "public_field_definition": "name",
}


def handle_sigterm_too(program: Program, handler: Handler) -> tuple[Edit, ...] | None:
    """Gives SIGTERM to a handler of SIGINT: one more element in the list of signals, or a loop around the call."""
    name = next((span for span in handler.names if span.text[1:-1] == "SIGINT"), None)
    source = handler.span.source
    file = _read(source)
    if name is None or file is None or name.source is not source:
        return None
    other = f"{name.text[0]}SIGTERM{name.text[0]}"
    literal = file.node_at(name)
    if literal is not None and literal.parent is not None and literal.parent.type == "array":
        return (Edit(Span(source, name.end, name.end), f", {other}"),)
    call = file.node_at(handler.span)
    inside = handler.span.start <= name.start < handler.span.end
    if call is None or call.parent is None or call.parent.type != "expression_statement" or not inside:
        return None
    words = set(re.findall(r"\w+", handler.span.text))
    variable = next((word for word in ("signal", "stopSignal") if word not in words), None)
    if variable is None:
        return None
    start = handler.span.start
    loop = f"for (const {variable} of [{name.text}, {other}]) "
    return (Edit(Span(source, start, start), loop), Edit(name, variable))


def run_shutdown_in_thread(program: Program, act: Act) -> tuple[Edit, ...] | None:
    """Nothing deadlocks in Node's one thread."""
    return None


def bound_wait(program: Program, wait: Wait) -> tuple[Edit, ...] | None:
    """A timer that ends the process, before the statement that waits; it does not itself keep node running.

    None outside of a handler's body: what runs when the program starts would end it right then. None as well in a
    callback that runs later, when some of the time is over.
    """
    seconds, file = program.bound, _read(wait.span.source)
    if seconds is None or file is None or not _at_once(file, _bodies(program), wait.span):
        return None
    end = _semicolon(wait.span.source) or ";"
    return _beside(wait.span, f"setTimeout(() => process.exit(1), {round(seconds * 1000)}).unref(){end}", before=True)


@lru_cache(maxsize=1)
def _bodies(program: Program) -> dict[str, list[Span]]:
    """The bodies of its handlers by file, in the order they stand there."""
    found: dict[str, list[Span]] = {}
    for handler in program.handlers:
        if handler.body is not None and handler.signals:
            found.setdefault(handler.body.source.path, []).append(handler.body)
    return {path: sorted(bodies, key=_start) for path, bodies in found.items()}


def _start(span: Span) -> int:
    return span.start


def _at_once(file: File, bodies: dict[str, list[Span]], inner: Span) -> bool:
    """Whether a place in the body of one of the handlers is reached when the handler is called."""
    node = file.node_at(inner)
    while node is not None and (node.type not in _FUNCTIONS or _is_called_at_once(node)):
        node = node.parent
    later = file.span(node).start if node is not None else 0
    here = bodies.get(inner.source.path, [])
    within = here[bisect_left(here, later, key=_start) : bisect_right(here, inner.start, key=_start)]
    return any(inner.end <= body.end for body in within)


_FUNCTIONS = ("arrow_function", "function_expression", "function_declaration", "method_definition")


def _is_called_at_once(function: Node) -> bool:
    """What makes a promise runs as it is made."""
    call = function.parent.parent if function.parent is not None else None
    return call is not None and call.type == "new_expression"


def sweep_idle_connections(program: Program, wait: Wait) -> tuple[Edit, ...] | None:
    """A timer that closes idle connections again and again, before `server.close()`; Node has the method since 18.2."""
    server, dot, _ = wait.span.text.partition(".close(")
    if not dot or not re.fullmatch(r"[\w$]+(\??\.[\w$]+)*", server) or (program.runtime or 18) < 18:
        return None
    kind = next((one.name for one in program.servers if one.variable == server), "")
    http = f"{server}{_HTTP_SERVER.get(kind, '')}"
    end = _semicolon(wait.span.source) or ";"
    text = f"setInterval(() => {http}.closeIdleConnections?.(), {_SWEEP}).unref(){end}"
    return _beside(wait.span, text, before=True)


_HTTP_SERVER = {"fastify": ".server", "@nestjs/core": ".getHttpServer()"}
"""Where frameworks keep Node's own server."""
_SWEEP = 500
"""Milliseconds between two sweeps."""


def _beside(span: Span, text: str, before: bool) -> tuple[Edit, ...] | None:
    """A statement before or behind the one at a span; an arrow function's bare expression gets a block for both."""
    source = span.source
    file = _read(source)
    node = file.node_at(span) if file is not None else None
    while file is not None and node is not None and node.parent is not None:
        if node.parent.type in _BLOCKS:
            whole = file.span(node)
            between = _newline(source) + _indentation(file, node)
            if not before and _awaits_result(node):
                return None
            at, added = (whole.start, f"{text}{between}") if before else (whole.end, f"{between}{text}")
            return (Edit(Span(source, at, at), added),)
        if node.parent.type == "arrow_function" and node.parent.child_by_field_name("body") == node:
            whole = file.span(node)
            first, last = (f"{{ {text} ", " }") if before else ("{ ", f"; {text} }}")
            return (Edit(Span(source, whole.start, whole.start), first), Edit(Span(source, whole.end, whole.end), last))
        if "function" in node.type or node.parent.type == "if_statement":
            return None
        node = node.parent
    return None


def _awaits_result(node: Node) -> bool:
    """What stands behind an `await` runs only when it is over."""
    return node.type == "return_statement" or any(child.type == "await_expression" for child in node.named_children)


def _named(file: File, server: ServerCall, statement: Node) -> tuple[str | None, tuple[Edit, ...]]:
    """The variable that holds the server; a new one where the program keeps none."""
    if server.variable is not None:
        return server.variable, ()
    source, whole = server.span.source, file.span(statement)
    name = next((word for word in ("server", "httpServer") if not re.search(rf"\b{word}\b", source.text)), None)
    if name is None or statement.type != "expression_statement" or whole.start != server.span.start:
        return None, ()
    return name, (Edit(Span(source, whole.start, whole.start), f"const {name} = "),)


@lru_cache(maxsize=4)
def _read(source: Source) -> File | None:
    """Its tree, which many findings ask for one after the other."""
    from gracelint.behaviour.node.syntax import TooBigError, read_file
    from gracelint.parse.errors import ParseError

    try:
        return read_file(source)
    except (ParseError, TooBigError):
        return None


def _statement(node: Node | None) -> Node | None:
    """The statement a node stands in; None where that is no statement of a block."""
    while node is not None and node.parent is not None and node.parent.type not in _BLOCKS:
        if "function" in node.type:
            return None
        node = node.parent
    return node if node is not None and node.parent is not None else None


def _indentation(file: File, node: Node) -> str:
    text, start = file.source.text, file.span(node).start
    line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    before = text[line_start:start]
    return before[: len(before) - len(before.lstrip())]


def _unit(source: Source) -> str:
    """One step of indentation, as the first indented line has it."""
    found = re.search(r"[\r\n]([ \t]+)[^\s*]", source.text)
    return found[1] if found else "  "


def _quote(source: Source) -> str:
    return '"' if source.text.count('"') > source.text.count("'") else "'"


def _semicolon(source: Source) -> str:
    return ";" if re.search(r";[ \t]*(?://|[\r\n])", source.text + "\n") else ""


def _newline(source: Source) -> str:
    return "\r\n" if "\r\n" in source.text else "\n"
