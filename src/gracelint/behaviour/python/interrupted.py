"""What the handler's exception, or its cancel of the main task, breaks off where the main thread stands."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.account import BRIEF, own_seconds
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.ends import FED
from gracelint.behaviour.python.midway import goes_on, is_half_done, is_idle, is_put_back, left_out, puts_right
from gracelint.behaviour.python.names import text_of
from gracelint.behaviour.python.rounds import work_of
from gracelint.behaviour.python.streams import last_name
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine

_FOR_WORK = ("result", "futures", "to_thread", "pool")
"""Kinds of waits for work that the program has handed to others, and goes on with."""
_OFTEN = 2.0
"""Seconds of a pause between rounds that are not much longer than the rounds may be."""


def interrupted(signal: str, machine: Machine, point: Point) -> Reaction | None:
    """The end amid work; None where nothing is broken off, or something puts that right."""
    if not machine.broken_off or ("masked", signal) in machine.world:
        return None
    what = "the handler's exception" if machine.thrown is not None else "the handler, which cancels the main task,"
    is_closed = machine.puts_right and is_put_back(point)
    if is_closed and puts_right(point):
        return None
    if is_half_done(point):
        why = f"{what} ends it in the middle of the work around `{point.what}`"
        return _lost(signal, why, point, sure=not is_closed)
    rest = goes_on(point) if point.kind in _FOR_WORK else None
    if rest is None:
        return None if is_closed else _amid_its_round(signal, machine, what, point)
    why = f"{what} ends it in `{point.what}`, before what that waits for comes to `{text_of(rest)}`"
    seconds = max((own_seconds(machine, thing) or 0.0 for thing in point.joins), default=0.0)
    return _lost(signal, why, point, sure=seconds >= BRIEF and not is_idle(rest) and not is_closed)


def _amid_its_round(signal: str, machine: Machine, what: str, point: Point) -> Reaction | None:
    """Where work is handed out, the signal may also come while it is done, however long that takes."""
    is_short = point.kind in ("sleep", "event-wait") and point.limit is not None and point.limit < _OFTEN
    if not is_short and point.kind not in (*FED, "elsewhere"):
        return None
    call = work_of(machine, point.loops[-1]) if point.loops else None
    if call is None:
        return None
    why = f"whether {what} comes into `{text_of(call)}` is only known when it runs"
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"{why}: what that has begun is lost then", point.span)


def _lost(signal: str, why: str, point: Point, *, sure: bool) -> Reaction:
    if sure:
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, point.span)
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"whether anything is lost is not known: {why}", point.span)


def given_up(signal: str, machine: Machine, ended: Reaction) -> Reaction:
    """The same end; unknown where a function leaves its loop for the handler's flag, and with that what comes after."""
    flags = {deed.target.removesuffix(".set()").rpartition(".")[2] for deed in machine.acts if deed.kind in _FLAGS}
    branches = [part for part in machine.reached if isinstance(part, ast.If)] if flags else []
    for branch in sorted(branches, key=lambda part: (part.lineno, part.col_offset)):
        named = {last_name(part) for part in ast.walk(branch.test) if isinstance(part, (ast.Name, ast.Attribute))}
        if flags.isdisjoint(named) or not isinstance(branch.body[-1], ast.Return):
            continue
        module = next((each for each in machine.modules.all() if _holds(each.tree, branch)), None)
        rest = left_out(module.tree, branch) if module is not None else None
        if module is not None and rest is not None:
            why = f"whether anything is lost is not known: told to stop amid its loop, it leaves out `{text_of(rest)}`"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, module.span(branch.test))
    return ended


_FLAGS = ("flag", "event")


def _holds(tree: ast.AST, node: ast.AST) -> bool:
    return any(part is node for part in ast.walk(tree))
