"""Exceptions that nobody catches: on the way out, they leave out what the program would have done last."""

from __future__ import annotations

from gracelint.behaviour.python.beside import kind_of
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.ends import FINAL, RAISE
from gracelint.behaviour.python.names import text_of
from gracelint.behaviour.python.streams import last_name
from gracelint.behaviour.python.values import CERTAIN, Error
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.reaction import Run

_ASKED_FOR = ("builtins.SystemExit", "builtins.KeyboardInterrupt")
"""What is raised to leave what comes next."""
_QUIET = frozenset(("log", "wait", "flag", "event", "exit", "interrupt", "raise"))
"""What a handler does that saves nothing."""


def uncaught(signal: str, run: Run) -> Reaction | None:
    """An exception is the only way out, and leaves out what the program does at its end."""
    machine = run.machine
    out = [end for end in run.ends if end.kind not in FINAL]
    error, skipped = (out[0].value, out[0].skipped) if out else (None, None)
    if skipped is None or not isinstance(error, Error) or any(end.kind != RAISE or end.tag != CERTAIN for end in out):
        return None
    name, what = _name(error), text_of(skipped.call)
    why, span = f"nobody catches {name}, which leaves out `{what}`", skipped.module.span(skipped.call)
    if error.dotted == "subprocess.TimeoutExpired":
        why = f"whether the child that it waits for takes so long that {name} leaves out `{what}` is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    if kind_of(error) not in _ASKED_FOR:
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    is_told = machine.thrown is None and any("#told" in child.store for child in machine.facts.children)
    saves = any(deed.kind not in _QUIET and not (is_told and deed.kind == "stop-child") for deed in machine.acts)
    if machine.cleaned or saves or not (run.endless or is_told):
        return None
    if frozenset(last_name(skipped.call.func).lower().split("_")).isdisjoint(table("python")["words"]["lasts"]):
        return None
    if machine.thrown is None:
        why = f"{name} leaves out `{what}`, and whether anything is lost with that is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)


def _name(error: Error) -> str:
    return error.cls.node.name if error.cls is not None else error.dotted.rpartition(".")[2]
