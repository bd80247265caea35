"""Child processes of a program: how long they run, what tells them to end, and who waits for them.

A child ends by itself, or runs until it is told to end: which is not in the program's sources. SIGKILL leaves it no
time, and neither does the end of the program, which as PID 1 takes all with it.
"""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.base.record import replace
from gracelint.behaviour.machine.values import Ctx, Object, Wait
from gracelint.behaviour.machine.ways import reaction
from gracelint.facts.program import Cause
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Run
    from gracelint.facts.files import Files
    from gracelint.facts.program import Reaction
    from gracelint.source import Span

_STOPS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGKILL")
_HANDLES = pattern(r"(?m)^[ \t]{0,20}trap\b|\bSIGTERM\b")


def begin(machine: Machine, child: Object, words: list[Any], span: Span) -> None:
    """A command starts; words that are no texts are not known."""
    child.state["words"] = tuple(words) if all(isinstance(one, str) for one in words) else ()
    child.state["lasts"] = not machine.stopping and machine.choose(2, span) == 1
    machine.asked_once.discard((span, False))
    if child.state["lasts"]:
        child.span = span
        machine.children.append(child)


def wait(
    machine: Machine, child: Object, span: Span, context: Ctx | None = None, cancel: Callable[[], Run] | None = None
) -> Run:
    """Waits for its end; `cancel` is what tells it to end when its context has."""
    if child.state.get("lasts"):
        yield Wait("child", span, lambda: "told" in child.state or (context is not None and context.ends(machine.now)))
        if "told" not in child.state and cancel is not None:
            yield from cancel()
        if child.state.get("told") != "SIGKILL":
            machine.awaited = child
    child.state["over"] = True


def tell(child: Object, signal: str) -> None:
    """Sends it a signal."""
    if signal in _STOPS and "over" not in child.state:
        child.state.setdefault("told", signal)


def left(signal: str, machine: Machine, how: str, files: Files) -> Reaction | None:
    """What becomes of the children of a program that ends; None where none is left."""
    for child in machine.children:
        assert child.span is not None
        place, is_killed = machine.place(child.span), child.state.get("told") == "SIGKILL"
        if "over" in child.state and not is_killed:
            continue
        name = next((one for one in child.state["words"][:2] if _has_handler(files, one)), None)
        cause = Cause.ABRUPT_EXIT if is_killed else Cause.SHUTDOWN_NOT_AWAITED
        by = "SIGKILL ends" if is_killed else "nothing waits for"
        machine.half_way = name is not None
        if name is not None:
            why = f"on {signal} {how}, and `{name}` of {place}, which {by}, does not get to its own handler's end"
            return reaction(signal, Verdict.CUT, cause, why, child.span)
        why = f"whether the child of {place}, which {by}, has something to finish is not in the sources"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, child.span)
    awaited = machine.awaited
    words = awaited.state["words"] if awaited is not None else ()
    if awaited is None or awaited.span is None or posixpath.basename((*words, "")[0]) in table("one_shots")["commands"]:
        return None
    span = awaited.span
    machine.forwards = tuple((one, span) for one in words)
    why = f"whether the child of {machine.place(span)}, which is waited for, ends on {signal} is not known"
    found = reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    told = awaited.state.get("told", signal)
    return found if told == signal else replace(found, passes=told)


def _has_handler(files: Files, word: str) -> bool:
    """Whether the project has one script of a name, and that handles the signal."""
    paths = [one for one in files.listed("") if posixpath.basename(one) == posixpath.basename(word)]
    return len(paths) == 1 and _HANDLES.search(files.glance(paths[0])) is not None
