"""Servers that are futures: what they serve until they are told to stop, and what becomes of requests in flight."""

from __future__ import annotations

from gracelint.behaviour.machine import library, serving
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Chan, Object, Wait
from gracelint.behaviour.rust.syntax import UNIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.machine.library import Given, Row
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.rust.machine import RustMachine
    from gracelint.source import Span


def serve(machine: RustMachine, of: Object, row: Row, span: Span) -> Run:
    """Serves until its future ends, one of its signals comes or its handle stops it, and finishes its requests."""
    of.state["serving"] = span
    machine.servers.append(of)
    until = of.state.get("until")
    thread = machine.start(machine.wait_for(until, span), span) if until is not None else None
    signals = row.get("signals", {}) if not of.state.get("deaf") else {}
    heard = Chan()
    if signals:
        machine.notify(heard, signals, span)
    try:
        yield Wait(
            "serve", span, lambda: bool((thread and thread.done) or heard.queue or of.state.get("told") is not None)
        )
    finally:
        if thread is not None and not thread.done:
            machine.drop(thread)
    gently = signals[heard.queue[0]] == "drain" if heard.queue else of.state.get("told") is not False
    limit = of.state.get("limit", row.get("limit"))
    if gently:
        yield from serving.drain(machine, of, [] if limit is None else [limit], span)
    else:
        serving.drop(machine, of, span)
    return UNIT


def method(machine: RustMachine, of: Object, name: str, row: Row, given: Given) -> Any:
    """A method of a server, or of what makes one; None where it is none that a row names."""
    span = given.span
    if name in row.get("until", {}):
        at = row["until"][name]
        of.state["until"] = given.args[at] if at < len(given.args) else UNKNOWN
        result: Any = of
    elif name == row.get("limited_by"):
        seconds = given.argument(0)
        of.state["limit"] = machine.seconds(seconds) if isinstance(seconds, (int, float)) else 1.0
        result = of
    elif name == row.get("deaf"):
        of.state["deaf"] = span
        result = of
    elif name == row.get("handle"):
        result = Object("ServerHandle", span)
        result.state["server"] = of
    elif name in row.get("starts", ()):
        result = machine.future(serve(machine, of, row, span), span)
    elif name in row.get("same", ()) or row.get("builder"):
        result = of
    else:
        return None
    return [UNKNOWN, result] if name in row.get("paired", ()) else result


def stop(machine: RustMachine, of: Object, given: Given) -> Run:
    """`ServerHandle::stop(graceful)`: tells the server, and waits until it has stopped."""
    server = of.state["server"]
    server.state["told"] = given.argument(0) is not False
    span = given.span
    yield Wait("close", span, lambda: bool(server.state.get("drained") or server.state.get("dropped")))
    return UNIT


__all__ = ["NIL", "library", "method", "serve", "stop"]
