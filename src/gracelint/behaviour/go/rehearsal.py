"""A request in flight, followed into what it starts and hands on: once as if no signal came, and once with it.

What it comes to in the first run and not in the second, since the program has ended or it has given up, is lost.
"""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.go import expressions, routes
from gracelint.behaviour.go.interest import leaves_loop
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.routes import Handler
from gracelint.behaviour.machine.midst import gives_back
from gracelint.behaviour.machine.values import UNKNOWN, Chan, Ctx, Doubt, Lib, Method, Object, Unknown
from gracelint.behaviour.machine.ways import next_ways
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.syntax import File
    from gracelint.behaviour.go.values import Func
    from gracelint.behaviour.machine.values import Run, Thread, Wait
    from gracelint.source import Span

    Make = Callable[[tuple[int, ...]], "Rehearsal"]

_MOST_HANDLERS = 8
_MOST_WAYS = 4
"""Ways of one request."""
_AFTERWARDS = 6.0
"""Seconds that a request, and what it has started, is followed for."""
_FOR_EVER = 1000.0
_USUAL, _LONG = 1.0, 10.0
"""Seconds that every request may take, and those that few are given."""
_ROUNDS, _TURNS = 40, 5
"""How often the request comes round after the signal, and counts nothing, before it is taken to go on like this; and
how often it lets others have their turn in a loop without a pause."""
_FIELDS = ("Body", "ContentLength", "Form", "Header", "Host", "Method", "PostForm", "RemoteAddr", "TLS", "URL")
_TAKES_OVER = ("Hijack", "Upgrade", "Accept")
"""Calls by which a handler takes its connection from the server, which no longer knows of it."""
_SERVE = ("net/http.ListenAndServe", "net/http.ListenAndServeTLS", "net/http.Serve")
_IDLE = ("time.Sleep", "log.SetFlags")


class Lost(Record):
    """What a request does not get to."""

    how: str
    """"answer": it gives up before it; "cleanup": what it does because of the signal; "work": all else. "holds": it
    never ends, and keeps the server from its end; "may hold": unless something ends it that nobody can tell. "takes":
    nothing is lost, but main's end comes only after so many seconds; "may take": unless something ends it sooner."""
    span: Span
    start: Span
    """Of the handler, or of the goroutine that is at it."""
    seconds: float = 0.0


class Rehearsal(GoMachine):
    """A run with one request that came just before the signal; `stops` tells whether the signal comes at all."""

    index = 0
    stops = True

    answering: list[Handler]
    its: set[Thread]
    """The request, what it has started, and what has taken something of what it handed on."""

    def prepare(self, index: int, been: set[int], *, stops: bool, comes_through: bool) -> None:
        self.index, self.stops, self.comes_through = index, stops, comes_through
        self.been = been
        """The functions that other requests have come through."""
        self.answering, self.its = [], set()
        self.loose: list[Handler] = []
        """What was given to something that is around it: others may come through there to it."""
        self.around: list[tuple[Any, Any]] = []
        """Muxes, and what they use around their handlers."""
        self.mounted: list[tuple[Any, Any]] = []
        """Muxes, and those that they hand requests on to."""
        self.root: Any = UNKNOWN
        """The handler of a server that the request comes through, if there is one before its own."""
        self.arrived = False
        """It has come through there to the mux."""
        self.veiled = False
        """Nobody can tell what that uses around it."""
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
        self.ways_past: list[Node] = []
        """Guards of loops that the request has gone past, although they may end it."""
        self.did: dict[Span, tuple[Thread, bool]] = {}
        """Calls of libraries since: by which thread, and whether they answer."""

    # what it starts and hands on

    def calls(self, function: Any, given: list[Any], span: Span) -> None:
        if self.request is None:
            self._gives(function, given)
        elif self.current in self.its:
            name = function.path if isinstance(function, Lib) else getattr(function, "name", "")
            self.taken_over = self.taken_over or name.rpartition(".")[2] in _TAKES_OVER
            answers = self.writer in given or (isinstance(function, Method) and function.of is self.writer)
            self.did.setdefault(span, (self.current, answers))

    def _gives(self, function: Any, given: list[Any]) -> None:
        to = routes.given_to(function)
        if isinstance(function, Lib) and function.path in _SERVE:
            self.served += [routes.default(given[-1])] if given else []
        is_around = isinstance(function, Lib) and routes.function(function.path) is not None
        if isinstance(function, Method) and function.name == "Use":
            self.around += [(to, one) for one in given]
            return
        found = self.loose if is_around else self.answering
        found += [Handler(its, one, to) for one in given if (its := routes.within(one)) is not None]
        self.mounted += [
            (to, one) for one in given if not is_around and isinstance(one, Unknown) and routes.is_mux(one)
        ]

    def begins_too_late(self, function: Func, given: list[Any]) -> bool:
        if self.current in self.its and not any(self.handler is one for one in self.loose):
            self.been.add(function.node.id)
        return super().begins_too_late(function, given)

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

    def goes_past(self, file: File, guard: Node) -> None:
        super().goes_past(file, guard)
        if self.current in self.its and leaves_loop(guard):
            self.ways_past.append(guard)

    def _rest(self, wait: Wait) -> None:
        """What the request comes round by is stopped once nothing has come of it so often: all else comes sooner."""
        before, self.had = self.had, wait
        self.rounds = self.rounds + 1 if before is not None and before.node == wait.node else 0
        is_counting = self.counted_at is not None and self.wakes - self.counted_at < _ROUNDS
        if before is None or is_counting or self.rounds < (_ROUNDS if wait.kind != "loop" else _TURNS):
            return
        if wait.kind in ("sleep", "loop"):
            wait.ready, wait.at = (lambda: False), (lambda: None)
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
        known = {_key(one.function): one for one in (*self.answering, *self._handlers_of_servers())}
        loose = {_key(one.function): one for one in self.loose}
        found = [*known.values(), *(one for key, one in loose.items() if key not in known and key[0] not in self.been)]
        if self.index >= min(len(found), _MOST_HANDLERS):
            return False
        self.handler = found[self.index]
        self.root = self._root() if self.comes_through else UNKNOWN
        self.current = None
        self.request = self.start(self._answer(self.handler), self.handler.function.file.span(self._head()))
        self.its.add(self.request)
        return True

    def _root(self) -> Any:
        """What a request comes through before it comes to its handler, where that is known."""
        assert self.handler is not None
        its = self.handler.routes
        if not routes.takes_requests(self.handler.function) or any(its is one for one in self.servers):
            return UNKNOWN
        straight = next((one for one in self.servers if self._leads_to_it(routes.routes_of(one))), None)
        if straight is not None:
            return straight.fields.get("Handler") if self._used(routes.routes_of(straight)) else UNKNOWN
        around = [one for server in self.servers if routes.is_around(one := server.fields.get("Handler"))]
        return around[0] if len(around) == 1 else UNKNOWN

    def _leads_to_it(self, mux: Any) -> bool:
        """Whether a mux gives the request to its handler, or to the mux that does."""
        assert self.handler is not None
        its = self.handler.routes
        return routes.is_mux(mux) and (mux is its or any(mux is one and its is inner for one, inner in self.mounted))

    def _used(self, mux: Any) -> list[Any]:
        """What a mux, and the one that it hands the request on to, use around the handler: from outside to inside."""
        assert self.handler is not None
        inner = [one for of, one in self.around if of is self.handler.routes]
        return [one for of, one in self.around if of is mux] + inner if mux is not self.handler.routes else inner

    def comes_to(self, mux: Any, given: list[Any], span: Span) -> Run:
        mux = routes.default(mux)
        if self.handler is None or self.root is UNKNOWN or self.arrived or self.current not in self.its:
            return
        if not self._leads_to_it(mux) and self.handler.routes is not UNKNOWN:
            return
        self.arrived = True
        answering = self.handler.handler
        for one in reversed(self._used(mux)):
            answering = yield from expressions.call(self, one, [answering], span)
        if not routes.is_around(answering):
            self.veiled, answering = True, self.handler.handler
        yield from routes.serve(self, answering, given, span)

    def _head(self) -> Any:
        assert self.handler is not None
        node = self.handler.function.node
        return node.child_by_field_name("name") or node.child_by_field_name("parameters") or node

    def _handlers_of_servers(self) -> Iterator[Handler]:
        for server in self.servers:
            handler = server.fields.get("Handler")
            its = routes.within(handler)
            if its is not None:
                yield Handler(its, handler, server)

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
        if routes.takes_requests(handler.function):
            begins = handler.handler if self.root is UNKNOWN else self.root
            yield from routes.serve(self, begins, [self.writer, request], self.at)
            return
        parameters = handler.function.node.child_by_field_name("parameters")
        types = [text_of(one) for one in parameters.named_children] if parameters is not None else []
        given = [request if "http.Request" in one else self.writer for one in types]
        yield from expressions.call(self, handler.function, given, self.at)

    def _is_served_by(self, server: Object) -> bool:
        """Whether a server answers the request, as far as can be told."""
        assert self.handler is not None
        if self._is_straight_from(server) or (self.root is not UNKNOWN and server.fields.get("Handler") is self.root):
            return True
        is_other = server.type == "net/http.Server" and routes.is_mux(routes.routes_of(server))
        is_elsewhere = any(one is self.handler.routes for one in (*map(routes.routes_of, self.servers), *self.served))
        return not (is_other and (is_elsewhere or self.root is not UNKNOWN))

    def _is_straight_from(self, server: Object) -> bool:
        """Whether a server is known to give the request to its handler as it comes."""
        assert self.handler is not None
        mux = routes.routes_of(server)
        return self.handler.routes is server or (self._leads_to_it(mux) and not self._used(mux))

    @property
    def is_straight(self) -> bool:
        """Whether all that is between a server and the handler is known."""
        assert self.handler is not None
        has_come = self.arrived and not self.veiled and self.handler.routes is not UNKNOWN
        return has_come or any(map(self._is_straight_from, self.servers))

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


def _key(function: Func) -> tuple[int, int]:
    return function.node.id, id(function.env)


def lost(machine: GoMachine, make: Make, awaited: set[Span]) -> Lost | None:
    """What a request that is in flight at the signal loses, by a run of the program that has ended well.

    Notes which goroutines of requests have come to their end. Raises what a run does that is too long or too deep to be
    followed.
    """
    longest: Lost | None = None
    for found in _found(tuple(way for way, _ in machine.taken), make, awaited):
        if found.how != "takes":
            return found
        if longest is None or found.seconds > longest.seconds:
            longest = found
    return longest


def _found(ways: tuple[int, ...], make: Make, awaited: set[Span]) -> Iterator[Lost]:
    """What each request loses on each of its ways."""
    been: set[int] = set()
    for index in range(_MOST_HANDLERS):
        taken: tuple[int, ...] | None = ways
        comes_through = True
        for _ in range(_MOST_WAYS):
            if taken is None or len(taken) < len(ways):
                break
            undisturbed = _run(index, taken, make, been, stops=False, comes_through=comes_through)
            if undisturbed is not None and undisturbed.root is not UNKNOWN and not undisturbed.arrived:
                comes_through = False
                undisturbed = _run(index, taken, make, been, stops=False, comes_through=False)
            if undisturbed is None:
                break
            if undisturbed.request is None:
                return
            stopped = _run(index, taken, make, been, stops=True, comes_through=comes_through)
            if stopped is not None and stopped.ended is not None:
                awaited |= {one.span for one in stopped.its if one.done and one.span is not None}
            found = _missing(undisturbed, stopped, len(ways)) if stopped is not None else None
            if found is not None:
                yield found
            taken = next_ways(undisturbed.taken)


def _run(
    index: int, ways: tuple[int, ...], make: Make, been: set[int], *, stops: bool, comes_through: bool
) -> Rehearsal | None:
    machine = make(ways)
    machine.prepare(index, been, stops=stops, comes_through=comes_through)
    try:
        machine.begin()
    except Doubt:
        return None
    return machine


def _missing(undisturbed: Rehearsal, stopped: Rehearsal, ways: int) -> Lost | None:
    assert undisturbed.request is not None
    assert stopped.request is not None
    assert stopped.handler is not None
    if stopped.stopped_at is None:
        return None  # the request has ended the program by itself
    wait = undisturbed.request.wait
    is_open = bool(undisturbed.ways_past) or len(undisturbed.taken) > ways
    is_held = stopped.ended is None or stopped.now >= stopped.stopped_at + _FOR_EVER
    if is_held:
        is_over = undisturbed.request.done or stopped.request.done or stopped.taken_over
        if is_over or wait is None or wait.kind == "loop":
            # a loop without a pause reads what its client has sent, and ends with it
            return None
        is_sure = not is_open and stopped.is_straight and _is_endless(wait, undisturbed.context)
        return Lost("holds" if is_sure else "may hold", wait.span, wait.span)
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
    took = stopped.now - stopped.stopped_at
    is_open = is_open or not stopped.is_straight
    if stopped.request.span is None or took <= _USUAL or (is_open and took < _LONG):
        return None
    return Lost("may take" if is_open else "takes", stopped.request.span, stopped.request.span, took)


def _is_endless(wait: Wait, context: Ctx | None) -> bool:
    """Whether a request waits for its client to go, and nothing unknown may end that; or only pauses."""
    is_its = any(isinstance(one, Ctx) and _comes_from(one, context) for one in wait.takes)
    return wait.kind == "sleep" or (is_its and not any(isinstance(one, Unknown) for one in wait.takes))


def _comes_from(one: Ctx, context: Ctx | None) -> bool:
    """Whether a context is that of a request, or one made from it."""
    here: Ctx | None = one
    while here is not None and here is not context:
        here = here.parent
    return here is not None and one.deadline is None
