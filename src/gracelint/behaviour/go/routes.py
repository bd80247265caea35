"""What stands between a server and what answers its requests: muxes, and what a program puts around handlers."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.go import concurrency
from gracelint.behaviour.go.syntax import ANSWERS
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Ctx, Lib, Method, Native, Object, Unknown, Wait
from gracelint.behaviour.tree import text_of
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

_DEFAULT_MUX = "net/http.DefaultServeMux"
_DEFAULT = ("net/http.Handle", "net/http.HandleFunc")
_LIMITED = "net/http.TimeoutHandler"
_LIMITS = "github.com/go-chi/chi/v5/middleware.Timeout"
_TYPES = ("http.ResponseWriter", "http.Request")


class Handler(Record, identity=True):
    function: Func
    handler: Any
    """The function, or what is around it and was given in its place."""
    routes: Any
    """What it was given to: a server or a mux, None for the one that net/http has, UNKNOWN for what may wrap it."""


def routes_of(server: Object) -> Any:
    return default(server.fields.get("Handler"))


def default(routes: Any) -> Any:
    """None for the mux that net/http has."""
    is_default = isinstance(routes, Lib) and routes.path == _DEFAULT_MUX
    return None if routes is NIL or is_default else routes


def given_to(function: Any) -> Any:
    """What a call gives handlers to."""
    if isinstance(function, Lib) and function.path in _DEFAULT:
        return None
    return default(function.of) if isinstance(function, Method) else UNKNOWN


def is_mux(routes: Any) -> bool:
    """Whether it gives requests to its handlers as they come, but for what it is told to use around them."""
    path = routes.type if isinstance(routes, Object) else routes.of if isinstance(routes, Unknown) else ""
    return routes is None or path in table("go")["routers"]["plain"]


def is_around(handler: Any) -> bool:
    """Whether a server's handler is one of the program, or a limit, that may hand requests on to a mux."""
    return answers(handler) is not None or (isinstance(handler, Object) and handler.type in (_LIMITED, _LIMITS))


def answers(value: Any) -> Func | None:
    """What answers requests: a function, or an object's ServeHTTP."""
    if isinstance(value, Object) and value.package is not None:
        method = value.package.methods.get((value.type.rpartition(".")[2], "ServeHTTP"))
        return Func(method.node, method.file, value.package, None, value) if method is not None else None
    if isinstance(value, Method) and value.name == "ServeHTTP":
        return answers(value.of)
    if not isinstance(value, Func):
        return None
    parameters = value.node.child_by_field_name("parameters")
    return value if parameters is not None and any(one in text_of(parameters) for one in ANSWERS) else None


def within(handler: Any) -> Func | None:
    """The function of the program that answers, in the end, where a handler is a limit around it."""
    while isinstance(handler, Object) and handler.type in (_LIMITED, _LIMITS):
        handler = handler.fields["handler"]
    return answers(handler)


def takes_requests(function: Func) -> bool:
    """Whether it is a handler of net/http, as `ServeHTTP` calls it."""
    text = text_of(function.node.child_by_field_name("parameters"))
    return all(one in text for one in _TYPES)


def serves(function: Any) -> Any:
    """What a call of ServeHTTP is one of."""
    if isinstance(function, Method):
        return function.of
    path = function.path.removesuffix(".ServeHTTP") if isinstance(function, Lib) else ""
    return Lib(path) if path else UNKNOWN


def serve(machine: GoMachine, handler: Any, given: list[Any], span: Span) -> Run:
    """Calls ServeHTTP: of a function of the program, of a limit around one, or of a mux."""
    function = answers(handler)
    if function is not None:
        yield from machine.call(function, given, span)
    elif isinstance(handler, Object) and handler.type in (_LIMITED, _LIMITS) and len(given) == 2:
        yield from _in_time(machine, handler, given, span)
    else:
        yield from machine.comes_to(handler, given, span)
    return NIL


def _in_time(machine: GoMachine, limit: Object, given: list[Any], span: Span) -> Run:
    """What a limit is around gets a context that ends in time; net/http's answers by itself then."""
    writer, request = given
    before = request.state.get("context") if isinstance(request, Object) else None
    context = Ctx(before if isinstance(before, Ctx) else None, span)
    until = machine.now + machine.seconds(limit.fields["limit"])
    context.deadline = until if context.deadline is None else min(until, context.deadline)
    if isinstance(request, Object):
        request = concurrency.METHODS["net/http.Request"]["WithContext"](machine, request, [context], span)
    run = serve(machine, limit.fields["handler"], [writer, request], span)
    if limit.type == _LIMITED:
        inner = machine.start(run, span)
        yield Wait("context", span, lambda: inner.done or context.ends(machine.now), at=lambda: context.deadline)
    else:
        yield from run
    context.cancel()


def _limit(kind: str, handler: Any, limit: Any, span: Span) -> Object:
    one = Object(kind, span)
    one.fields = {"handler": handler, "limit": limit}
    return one


def function(path: str) -> Callable[[GoMachine, list[Any], Span], Any] | None:
    """What a library's function gives that is put around handlers, or gives what is."""
    own = _FUNCTIONS.get(path)
    if own is not None:
        return own
    rows = table("go")["routers"]
    index = rows["around"].get(path)
    if index is not None:
        return lambda machine, given, span: given[index] if len(given) > index else UNKNOWN
    if path in rows["middlewares"]:
        return lambda machine, given, span: Native(lambda its: its[0] if its else UNKNOWN)
    return None


_FUNCTIONS: dict[str, Callable[[GoMachine, list[Any], Span], Any]] = {
    _LIMITED: lambda machine, given, span: _limit(_LIMITED, given[0], given[1], span) if len(given) > 1 else UNKNOWN,
    _LIMITS: lambda machine, given, span: Native(lambda its: _limit(_LIMITS, its[0], given[0], span)),
}
