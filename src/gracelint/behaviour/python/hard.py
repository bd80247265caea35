"""Ends that leave everything as it is: `os._exit()` knows no `finally`, no atexit, no threads and no executors."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.account import account
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.midway import is_half_done
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.ends import End, Point
    from gracelint.behaviour.python.machine import Machine


def at_once(signal: str, point: Point, machine: Machine, end: End) -> Reaction:
    """os._exit(): no `finally`, no atexit, no flush."""
    span = end.point.span if end.point is not None else point.span
    cleans = any(_cleans(guard.node) for guard in point.guards) or "atexit" in machine.world
    if is_half_done(point):
        why = f"the handler leaves at once with os._exit(), in the middle of the work around `{point.what}`"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    ended = account(signal, machine, hard=True)
    if ended is not None:
        return ended
    own = [deed for deed in machine.acts if deed.kind not in ("hard-exit", "log", "wait", "flag")]
    row = point.serves or {}
    drained = machine.served and not (row.get("reload_cuts") or row.get("drops_always"))
    does_own = drained or bool(own) or _works(machine)
    drops = bool(row) and not drained
    if drops or cleans or not does_own:
        lost = "requests in flight are dropped" if drops else "the program's cleanup is lost"
        why = f"the handler leaves at once with os._exit(): {lost}"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    if drained:
        server = row.get("server", "the server")
        why = f"{server} handles {signal}, and the handler that it found ends the program"
        return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=machine.delay or None)
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, f"its handler for {signal} ends it", span)


def _works(machine: Machine) -> bool:
    """The handler waits for something before it leaves: a flush, a drain."""
    return machine.helpers > 1 or any(deed.kind == "wait" for deed in machine.acts)


def _cleans(guard: ast.AST) -> bool:
    if isinstance(guard, ast.Try):
        return bool(guard.finalbody)
    return True
