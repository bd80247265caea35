"""Schedulers and pools of libraries: jobs in threads of their own, until they are shut down."""

from __future__ import annotations

from gracelint.behaviour.machine.values import NIL, Ctx, Object, Wait

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
                of.state["running"] = of.state.get("running", 0) + 1
                yield from machine.call(what, [], given.span)
                of.state["running"] -= 1

    machine.start(run(), given.span).daemon = True
    return NIL


def _pause(machine: Machine, of: Object, span: Span) -> Run:
    until = machine.now + _EVERY
    over = lambda: bool(of.state.get("shut")) or machine.now >= until  # noqa: E731
    yield Wait("pause", span, over, at=lambda: until, node=(span.source.path, span.start))


def unschedule(machine: Machine, row: Row, given: Given) -> Run:
    """No job begins any more. `waits`: always, for the argument named, or by the context that it `gives`."""
    of = given.of
    if not isinstance(of, Object):
        return NIL
    of.state["shut"] = given.span
    waits = row.get("waits", False)
    if waits is True or (isinstance(waits, str) and waits in (*given.args, *given.named)):
        yield Wait("join", given.span, lambda: not of.state.get("running"))
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

    def run() -> Run:
        of.state["running"] = of.state.get("running", 0) + 1
        yield from machine.call(given.argument(row.get("function", "block")), [], given.span)
        of.state["running"] -= 1

    machine.start(run(), given.span).daemon = True
    return NIL


def drain(machine: Machine, row: Row, given: Given) -> Run:
    """Waits for the jobs at work, as long as its argument says."""
    of = given.of
    limit = given.argument(row.get("seconds"))
    until = machine.now + machine.seconds(limit) if isinstance(limit, (int, float)) else None
    over = lambda: not of.state.get("running") or (until is not None and machine.now >= until)  # noqa: E731
    yield Wait("join", given.span, over, at=lambda: until)
    return NIL


DOES: dict[str, Callable[[Machine, Row, Given], Any]] = {
    "schedules": schedule,
    "shuts": unschedule,
    "attends": attend,
    "submits": submit,
    "drains": drain,
}
