"""Schedulers and pools of libraries: jobs in threads of their own, until they are shut down."""

from __future__ import annotations

from gracelint.behaviour.machine.values import NIL, Ctx, Doubt, Object, Raised, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.library import Given, Row
    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

_EVERY = 1.0
"""Seconds between two rounds of a job: how often it comes does not matter to a stop, how long it takes does."""


def schedule(machine: Machine, row: Row, given: Given) -> Any:
    """Takes a job, which is at work from time to time until it is shut down."""
    of = given.of if isinstance(given.of, Object) else Object(given.path, given.span)
    what = given.argument(row.get("function", "block"))

    def run() -> Run:
        while not of.state.get("shut"):
            yield from _pause(machine, of, given.span)
            if not of.state.get("shut"):
                machine.step()
                try:
                    yield from _job(machine, of, what, given.span)
                except Raised as error:
                    if error.types[0] in _ENDING:
                        raise

    machine.start(run(), given.span).daemon = True
    return NIL


_ENDING = ("SystemExit", "killed")
"""What a scheduler does not rescue when a job raises it."""


def _job(machine: Machine, of: Object, what: Any, span: Span) -> Run:
    """One that is at work until it returns, raises or is killed."""
    thread = machine.current
    of.state.setdefault("running", []).append(thread)
    try:
        yield from machine.call(what, [], span)
    finally:
        of.state["running"].remove(thread)


def _pause(machine: Machine, of: Object, span: Span) -> Run:
    until = machine.now + _EVERY
    over = lambda: bool(of.state.get("shut")) or machine.now >= until  # noqa: E731
    yield Wait("pause", span, over, at=lambda: until, node=(span.source.path, span.start))


def unschedule(machine: Machine, row: Row, given: Given) -> Run:
    """No job begins any more. `waits`: for the argument named, or by the context that it `gives`."""
    of = given.of
    if not isinstance(of, Object):
        return NIL
    of.state["shut"] = given.span
    waits = row.get("waits", "")
    limit = given.named.get(waits, waits in given.args)
    if limit not in (False, NIL):
        yield from _join(machine, of, given.span, limit)
    of.state["over"] = True
    if row.get("gives") != "context":
        return NIL
    context = Ctx(None, given.span)

    def close() -> Run:
        yield Wait("join", given.span, lambda: not of.state.get("running"))
        context.cancel()

    machine.start(close(), given.span)
    return context


def attend(machine: Machine, _: Row, given: Given) -> Run:
    """Waits until the scheduler is shut down."""
    of = given.of
    yield Wait("join", given.span, lambda: isinstance(of, Object) and bool(of.state.get("over")))
    return NIL


def submit(machine: Machine, row: Row, given: Given) -> Any:
    """A pool takes a job, which is at work at once, unless it was shut down."""
    of = given.of if isinstance(given.of, Object) else Object(given.path, given.span)
    if of.state.get("shut"):
        return NIL

    job = _job(machine, of, given.argument(row.get("function", "block")), given.span)
    machine.start(job, given.span).daemon = True
    return NIL


def drain(machine: Machine, row: Row, given: Given) -> Run:
    """Waits for the jobs at work, as long as its argument says."""
    limit = given.argument(row.get("seconds"), NIL)
    yield from _join(machine, given.of, given.span, True if limit is NIL else limit)
    return NIL


def _join(machine: Machine, of: Object, span: Span, limit: Any) -> Run:
    """Waits for the jobs at work: so many seconds, or for ever where the limit is True."""
    is_number = isinstance(limit, (int, float)) and limit is not True
    if of.state.get("running") and not is_number and limit is not True:
        raise Doubt(f"how long line {span.line} waits is only known when it runs", span)
    until = machine.now + machine.seconds(limit) if is_number else None
    over = lambda: not of.state.get("running") or (until is not None and machine.now >= until)  # noqa: E731
    yield Wait("join", span, over, at=lambda: until)
    left = [one.wait for one in of.state.get("running", ()) if one.wait is not None and one.wait.kind == "sleep"]
    machine.given_up += [(one, span, machine.seconds(limit)) for one in left if machine.stopping]


DOES: dict[str, Callable[[Machine, Row, Given], Any]] = {
    "schedules": schedule,
    "shuts": unschedule,
    "attends": attend,
    "submits": submit,
    "drains": drain,
}
