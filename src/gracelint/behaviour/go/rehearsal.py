"""A request in flight, followed into what it starts and hands on: once as if no signal came, and once with it.

What it comes to in the first run and not in the second, since the program has ended or it has given up, is lost.
"""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.requests import ANSWERS
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.midst import gives_back
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Chan, Ctx, Doubt, Lib, Method, Object, Unknown
from gracelint.behaviour.machine.ways import next_ways
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gracelint.behaviour.machine.values import Run, Thread, Wait
    from gracelint.source import Span

    Make = Callable[[tuple[int, ...]], "Rehearsal"]

_MOST_HANDLERS = 8
_MOST_WAYS = 4
"""Ways of one request."""
_AFTERWARDS = 6.0
"""Seconds that a request, and what it has started, is followed for."""
_FOR_EVER = 1000.0
_ROUNDS = 40
"""How often the request comes round after the signal, and counts nothing, before it is taken to go on like this."""
_FIELDS = ("Body", "ContentLength", "Form", "Header", "Host", "Method", "PostForm", "RemoteAddr", "TLS", "URL")
_TAKES_OVER = ("Hijack", "Upgrade", "Accept")
"""Calls by which a handler takes its connection from the server, which no longer knows of it."""
_DEFAULT = ("net/http.Handle", "net/http.HandleFunc")
_SERVE = ("net/http.ListenAndServe", "net/http.ListenAndServeTLS", "net/http.Serve")
_ALONE = ("net/http.NewServeMux", "net/http.NotFoundHandler")
_IDLE = ("time.Sleep", "log.SetFlags")


class Handler(Record, identity=True):
    function: Func
    routes: Any
    """What it was given to: a server or a mux, None for the one that net/http has, UNKNOWN for what may wrap it."""


class Lost(Record):
    """What a request does not get to."""

    how: str
    """"answer": it gives up before it; "cleanup": what it does because of the signal; "work": all else. "holds": it
    never ends, and keeps the server from its end; "may hold": unless what stands before it ends it."""
    span: Span
    start: Span
    """Of the handler, or of the goroutine that is at it."""


class Rehearsal(GoMachine):
    """A run with one request that came just before the signal; `stops` tells whether the signal comes at all."""

    index = 0
    stops = True

    answering: list[Handler]
    its: set[Thread]
    """The request, what it has started, and what has taken something of what it handed on."""

    def prepare(self, index: int, *, stops: bool) -> None:
        self.index, self.stops = index, stops
        self.answering, self.its = [], set()
        self.served: list[Any] = []
        """What servers that nothing can shut down give requests to."""
        self.marked: list[Chan] = []
        self.request: Thread | None = None
        self.handler: Handler | None = None
        self.writer = Unknown("net/http.ResponseWriter")
        self.context: Ctx | None = None
        self.taken_over = False
        self.rounds = 0
        """How often the request has come to the same pause since the signal."""
        self.had: Wait | None = None
        """What it waited in before."""
        self.did: dict[Span, tuple[Thread, bool]] = {}
        """Calls of libraries since: by which thread, and whether they answer."""

    # what it starts and hands on

    def calls(self, function: Any, given: list[Any], span: Span) -> None:
        if self.request is None:
            routes = function.of if isinstance(function, Method) else None if _is_default(function) else UNKNOWN
            if isinstance(function, Lib) and function.path in _SERVE:
                self.served += [_default(given[-1])] if given else []
            self.answering += [Handler(its, routes) for one in given if (its := _handler(one)) is not None]
        elif self.current in self.its:
            name = function.path if isinstance(function, Lib) else getattr(function, "name", "")
            self.taken_over = self.taken_over or name.rpartition(".")[2] in _TAKES_OVER
            answers = self.writer in given or (isinstance(function, Method) and function.of is self.writer)
            self.did.setdefault(span, (self.current, answers))

    def start(self, run: Run, span: Span | None, main: bool = False) -> Thread:
        thread = super().start(run, span, main)
        if self.current in self.its:
            self.its.add(thread)
        return thread

    def resume(self, thread: Thread) -> bool:
        wait = thread.wait
        if wait is not None and any(one.queue for one in wait.takes if one in self.marked):
            self.its.add(thread)
        moved = super().resume(thread)
        if moved and self.stopping and thread is self.request and thread.wait is not None:
            self._rest(thread.wait)
        if thread in self.its and thread.wait is not None and thread.wait.kind == "send":
            self.marked += thread.wait.sends
        return moved

    def _rest(self, wait: Wait) -> None:
        """What the request comes round by is stopped once nothing has come of it so often: all else comes sooner."""
        before, self.had = self.had, wait
        self.rounds = self.rounds + 1 if before is not None and before.node == wait.node else 0
        is_counting = self.counted_at is not None and self.wakes - self.counted_at < _ROUNDS
        if before is None or self.rounds < _ROUNDS or is_counting:
            return
        for one in wait.takes:
            if isinstance(one, Chan) and (one.every is not None or one not in before.takes):
                one.at = one.every = None

    # the request

    def meets_work(self) -> bool:
        return self.request is not None or super().meets_work()

    def _deliver(self) -> bool:
        if self.stopping:
            return False
        if self.request is None:
            return self._begin()
        if self.stops:
            return super()._deliver()
        self.stopped_at, self.fired, self.wakes = self.now, {}, 0
        return True

    def _advance(self) -> bool:
        is_over = not self.stops and self.stopped_at is not None and self.now > self.stopped_at + _AFTERWARDS
        return not is_over and super()._advance()

    def _begin(self) -> bool:
        known = {one.function.node.id: one for one in (*self.answering, *self._handlers_of_servers())}
        self.answering = [*known.values()]
        if self.index >= min(len(self.answering), _MOST_HANDLERS):
            return False
        self.handler = self.answering[self.index]
        self.current = None
        self.request = self.start(self._answer(self.handler), self.handler.function.file.span(self._head()))
        self.its.add(self.request)
        return True

    def _head(self) -> Any:
        assert self.handler is not None
        node = self.handler.function.node
        return node.child_by_field_name("name") or node.child_by_field_name("parameters") or node

    def _handlers_of_servers(self) -> Iterator[Handler]:
        for server in self.servers:
            its = _handler(server.fields.get("Handler"))
            if its is not None:
                yield Handler(its, server)

    def _answer(self, handler: Handler) -> Run:
        context, is_known = Ctx(None, self.at), True
        for server in self.servers:
            base = server.fields.get("BaseContext")
            if base is not None and self._is_served_by(server):
                value = yield from expressions.call(self, base, [UNKNOWN], self.at)
                is_known = is_known and isinstance(value, Ctx)
                context = Ctx(value, self.at) if isinstance(value, Ctx) else context
        request = Object("net/http.Request", self.at)
        request.fields = {name: Unknown(f"net/http.Request.{name}") for name in _FIELDS}
        request.state["context"] = context
        self.context = context if is_known else None
        parameters = handler.function.node.child_by_field_name("parameters")
        types = [text_of(one) for one in parameters.named_children] if parameters is not None else []
        given = [request if "http.Request" in one else self.writer for one in types]
        yield from expressions.call(self, handler.function, given, self.at)

    def _is_served_by(self, server: Object) -> bool:
        """Whether a server answers the request, as far as can be told."""
        assert self.handler is not None
        is_other = server.type == "net/http.Server" and (_routes(server) is None or _is_alone(_routes(server)))
        is_elsewhere = any(one is self.handler.routes for one in (*map(_routes, self.servers), *self.served))
        return not (is_other and is_elsewhere) or self._is_straight_from(server)

    def _is_straight_from(self, server: Object) -> bool:
        """Whether a server is known to give the request to its handler as it comes."""
        assert self.handler is not None
        its, routes = _routes(server), self.handler.routes
        return routes is server or (its is routes and (its is None or _is_alone(its)))

    @property
    def is_straight(self) -> bool:
        return any(map(self._is_straight_from, self.servers))

    @property
    def idle_at(self) -> float:
        if self.request is None or self.stopped_at is None:
            return super().idle_at
        if self.request.done or self.taken_over:
            return self.now
        at = self.request.wait.at() if self.request.wait is not None else None
        return max(at, self.now + 0.01) if at is not None else self.now + _FOR_EVER

    def idle_of(self, server: Object) -> float:
        return self.idle_at if self.handler is None or self._is_served_by(server) else self.now


def _is_default(function: Any) -> bool:
    """Whether a function gives what it gets to the mux that net/http has."""
    return isinstance(function, Lib) and function.path in _DEFAULT


def _routes(server: Object) -> Any:
    return _default(server.fields.get("Handler"))


def _default(routes: Any) -> Any:
    return None if routes is NIL else routes


def _is_alone(routes: Any) -> bool:
    path = routes.type if isinstance(routes, Object) else routes.of if isinstance(routes, Unknown) else ""
    return path in _ALONE


def _handler(value: Any) -> Func | None:
    """What answers requests: a function, or an object's ServeHTTP."""
    if isinstance(value, Object) and value.package is not None:
        method = value.package.methods.get((value.type.rpartition(".")[2], "ServeHTTP"))
        return Func(method.node, method.file, value.package, None, value) if method is not None else None
    if not isinstance(value, Func):
        return None
    parameters = value.node.child_by_field_name("parameters")
    return value if parameters is not None and any(one in text_of(parameters) for one in ANSWERS) else None


def lost(machine: GoMachine, make: Make) -> Lost | None:
    """What a request that is in flight at the signal loses, by a run of the program that has ended well.

    Raises what a run does that is too long or too deep to be followed.
    """
    ways = tuple(way for way, _ in machine.taken)
    for index in range(_MOST_HANDLERS):
        found, is_last = _lost_by(index, ways, make)
        if found is not None:
            return found
        if is_last:
            return None
    return None


def _lost_by(index: int, ways: tuple[int, ...], make: Make) -> tuple[Lost | None, bool]:
    taken: tuple[int, ...] | None = ways
    for _ in range(_MOST_WAYS):
        assert taken is not None
        undisturbed = _run(index, taken, make, stops=False)
        if undisturbed is None or undisturbed.request is None:
            return None, undisturbed is not None
        stopped = _run(index, taken, make, stops=True)
        found = _missing(undisturbed, stopped) if stopped is not None else None
        if found is not None:
            return found, False
        taken = next_ways(undisturbed.taken)
        if taken is None or len(taken) <= len(ways):
            return None, False
    return None, False


def _run(index: int, ways: tuple[int, ...], make: Make, *, stops: bool) -> Rehearsal | None:
    machine = make(ways)
    machine.prepare(index, stops=stops)
    try:
        machine.begin()
    except Doubt:
        return None
    return machine


def _missing(undisturbed: Rehearsal, stopped: Rehearsal) -> Lost | None:
    assert undisturbed.request is not None
    assert stopped.request is not None
    assert stopped.stopped_at is not None
    assert stopped.handler is not None
    wait = undisturbed.request.wait
    is_held = stopped.ended is None or stopped.now >= stopped.stopped_at + _FOR_EVER
    if is_held:
        waits = not undisturbed.request.done and wait is not None and _is_for_its_client(wait, undisturbed.context)
        holds = waits and not stopped.request.done and wait is not None and not stopped.taken_over
        how = "holds" if stopped.is_straight else "may hold"
        return Lost(how, wait.span, wait.span) if holds and wait is not None else None
    cleaning = next((one for one in stopped.finish() if one in stopped.its), None)
    if cleaning is not None and cleaning.wait is not None and cleaning.span is not None:
        return Lost("cleanup", cleaning.wait.span, cleaning.span)
    midway = {one.span for one in stopped.its if not one.done}
    for span, (thread, answers) in undisturbed.did.items():
        if span in stopped.did or gives_back(span.text) or span.text.startswith(_IDLE) or thread.span is None:
            continue
        is_answer = answers and thread is undisturbed.request and thread.done
        if is_answer or (thread.span in midway and (thread is not undisturbed.request or thread.done)):
            return Lost("answer" if is_answer else "work", span, thread.span)
    return None


def _is_for_its_client(wait: Wait, context: Ctx | None) -> bool:
    """Whether a request waits for its client to go, and nothing unknown may end its wait."""
    return context in wait.takes and not any(isinstance(one, Unknown) for one in wait.takes)
