"""Servers: what they serve until they are closed, and what becomes of requests in flight."""

from __future__ import annotations

from gracelint.behaviour.machine.machine import Machine
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Ctx, Err, Object, Raised, Unknown, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span


def method(machine: Machine, of: Object, row: dict[str, Any], name: str, given: list[Any], span: Span) -> Run:
    """A method of a type that has a row."""
    value: Any = UNKNOWN
    if name in row.get("serve", ()):
        value = yield from serve(machine, of, span, row, given[0] if given else None)
    elif name in row.get("drain", ()):
        value = yield from drain(machine, of, given, span)
    elif name in row.get("drop", ()):
        value = drop(machine, of, span)
    elif name in row.get("until_context", ()):
        context = next((one for one in given if isinstance(one, Ctx)), None)
        if context is None:
            yield Wait("for ever", span, lambda: False)
        else:
            its = context
            yield Wait("run", span, lambda: its.ends(machine.now), at=lambda: its.deadline)
        value = NIL
    elif name in row.get("on_drain", ()) and given:
        of.state.setdefault("on_drain", []).append(given[0])
        value = NIL
    elif name in row.get("accept", ()):
        value = yield from _accept(machine, of, span, row)
    elif name in row.get("receives", {}):
        value = yield from _receive(machine, of, span, row["receives"][name])
    elif name in row.get("timed", ()):
        of.state["timed"] = span
    elif name in row.get("child", ()):
        yield from child(machine, span)
        value = NIL
    elif name in row.get("same", ()):
        value = of
    return value


def serve(machine: Machine, of: Object, span: Span, row: dict[str, Any], listener: Any = None) -> Run:
    """Serves until it or its listener is closed. Most return at once then, while requests are still being answered."""
    of.state["serving"] = span
    accepts = listener.state if isinstance(listener, Object) else {}
    if of not in machine.servers:
        machine.servers.append(of)
    waits = bool(row.get("serve_waits"))
    over = ("drained", "dropped") if waits else ("closing", "dropped")
    try:
        yield Wait("serve", span, lambda: any(of.state.get(one) for one in over) or "dropped" in accepts)
    except Raised:
        if row.get("drains_when_raised"):
            # its own `ensure` waits for the requests in flight
            yield Wait("close", span, lambda: machine.now >= machine.idle_at, at=lambda: machine.idle_at)
            of.state["drained"] = span
        raise
    error = row.get("closed", f"{of.type} closed")
    return NIL if waits or not error else Err(error)


def drain(machine: Machine, of: Object, given: list[Any], span: Span) -> Run:
    """Closes the listeners and waits for the requests in flight, as long as its context or time allows."""
    of.state["closing"] = span
    for function in of.state.get("on_drain", ()):
        machine.start(machine.call(function, [], span), span)
    context = next((one for one in given if isinstance(one, Ctx)), None)
    limit = next((one for one in given if isinstance(one, (int, float)) and not isinstance(one, bool)), None)
    until = (
        machine.now + machine.seconds(limit) if limit is not None else context.deadline if context is not None else None
    )
    if machine.stopping:
        unknown = any(isinstance(one, Unknown) for one in given) or (context is not None and context.done.closed)
        seconds = until - machine.now if until is not None else None
        machine.waits.append(("unknown" if unknown and seconds is None else "close", span, seconds))
    if of.state.get("serving") is None or not machine.stopping:
        of.state["drained"] = span
        return NIL

    def times() -> float:
        return machine.idle_of(of) if until is None else min(machine.idle_of(of), until)

    def gives_up() -> bool:
        return (until is not None and machine.now >= until) or (context is not None and context.ends(machine.now))

    yield Wait("close", span, lambda: machine.now >= machine.idle_of(of) or gives_up(), at=times)
    if machine.now >= machine.idle_of(of):
        of.state["drained"] = span
        return NIL
    of.state["short"] = span
    return Err("context.DeadlineExceeded")


def drop(machine: Machine, of: Object, span: Span) -> Any:
    """Closes it with all that is in flight."""
    if machine.stopping and of.state.get("serving") and not of.state.get("drained") and machine.now < machine.idle_at:
        machine.lost = machine.lost or of
        of.state["cut_by"] = span
    of.state["dropped"] = span
    return NIL


def child(machine: Machine, span: Span) -> Run:
    """A child process may end by itself, or run until it is told to end: which is not in the sources."""
    if not machine.stopping and machine.choose(2, span) == 1:
        yield Wait("child", span, lambda: False)


def _accept(machine: Machine, of: Object, span: Span, row: dict[str, Any]) -> Run:
    if not of.state.get("accepted"):
        of.state["accepted"] = True
        machine.accepted = True
        return Object(row["accepted"], span) if "accepted" in row else (Unknown("net.Conn"), NIL)
    machine.accepted = False
    yield Wait("accept", span, lambda: bool(of.state.get("dropped")))
    if "raises" in row:
        raise Raised(tuple(row["raises"]), UNKNOWN, span)
    return (NIL, Err("net.ErrClosed"))


def _receive(machine: Machine, of: Object, span: Span, results: int) -> Run:
    """Waits for what somebody outside sends, until it is closed, or for the time that it is given."""
    if of.state.get("timed"):
        return UNKNOWN
    yield Wait("accept", span, lambda: bool(of.state.get("dropped")))
    return (*[NIL] * (results - 1), Err("net.ErrClosed"))


def request(machine: Machine, span: Span, run: Run) -> Run:
    """What serves a connection: it has its request to answer first."""
    yield from answers(machine, span)
    value = yield from run
    return value


def answers(machine: Machine, span: Span) -> Run:
    """Answers the request in flight."""
    yield Wait(
        "request",
        span,
        lambda: machine.stopping and machine.now >= machine.idle_at,
        at=lambda: machine.idle_at if machine.stopping else None,
    )
