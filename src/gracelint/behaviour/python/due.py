"""Timers whose time has not come at the end: what a daemon one, or an event loop's, was set for is never done."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import is_daemon
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.registry import HANDLE, TIMERS
from gracelint.behaviour.python.streams import last_name
from gracelint.behaviour.python.values import Function, Thing
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine

_NO_WORK = ("Timer", "start", "set", "cancel", "stop", "shutdown", "exit", "_exit", "kill", "abort", "raise_signal")
"""What calls one of these sets itself anew, or ends something: a watchdog has nothing to do where that ends anyway."""


def due(signal: str, machine: Machine, ended: Reaction) -> Reaction:
    """The same end, or what a timer would have done after it."""
    timers = (thing for thing in machine.world.values() if isinstance(thing, Thing) and thing.kind in (*TIMERS, HANDLE))
    timer = next(filter(_is_left, timers), None)
    if timer is None:
        return ended
    from gracelint.behaviour.python.account import span_of

    name = getattr(getattr(timer.store.get("#target"), "node", None), "name", "the function")
    why = f"whether anything is lost is not known: `{name}()`, for which a timer is set, is never called"
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span_of(timer), delay=machine.delay)


def _is_left(timer: Thing) -> bool:
    if (timer.kind in TIMERS and not is_daemon(timer)) or "#terminated" in timer.store or "#finished" in timer.store:
        return False
    target = timer.store.get("#target")
    if not isinstance(target, Function):
        return False
    calls = [part for part in ast.walk(target.node) if isinstance(part, ast.Call)]
    return bool(calls) and not any(last_name(call.func) in _NO_WORK for call in calls)
