"""What the handler throws comes out of a server: the requests in flight are lost, or it goes on serving."""

from __future__ import annotations

from gracelint.behaviour.python.beside import kind_of
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.dropped import daemon_requests, serves_in_threads
from gracelint.behaviour.python.names import is_kind_of
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.values import Error
    from gracelint.source import Span


def out_of_a_server(signal: str, machine: Machine, point: Point, left: Point, span: Span) -> Reaction | None:
    """What becomes of the requests of the server that the main thread has `left`; None where they are answered."""
    error = machine.thrown
    row = left.serves or {}
    server, is_socketserver = row.get("server", "the server"), bool(row.get("deadlock"))
    thrown = "the handler's exception" if machine.handler is not None else "KeyboardInterrupt"
    what = f"{thrown} leaves `{left.what}` at once: {server} drops the requests in flight"
    if error is None:
        what = f"`{left.what}` returns before its requests are done: {server} drops those in flight"
    application = machine.application
    if application is not None and application.deadline and _is_swallowed(error, application.swallows):
        why = f"{server} catches the handler's exception while it answers a request, and kills its worker"
        why = f"{why} after {application.deadline:g} s"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span, delay=application.deadline)
    in_threads, daemonic = serves_in_threads(left), daemon_requests(point)
    if is_socketserver and in_threads and not daemonic:
        return None
    if is_socketserver and not in_threads and error is not None and is_kind_of(kind_of(error), "builtins.Exception"):
        why = f"{server} catches the handler's exception while it answers a request, and goes on serving"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"{why}; between requests it ends", span)
    interrupts = is_socketserver and not in_threads
    if machine.cleaned and not daemonic and not interrupts and not row.get("development"):
        return reaction(signal, Verdict.UNKNOWN, Cause.ABRUPT_EXIT, what, span, delay=machine.delay)
    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, what, span, delay=machine.delay)


def _is_swallowed(error: Error | None, names: tuple[str, ...]) -> bool:
    return error is not None and kind_of(error) in names
