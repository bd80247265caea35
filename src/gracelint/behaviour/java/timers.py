"""java.util.Timer, and what a timer or a pool writes at times and nothing on the way out does."""

from __future__ import annotations

from gracelint.behaviour.java.jobs import TASKS, functions
from gracelint.behaviour.java.waiting import now, number
from gracelint.behaviour.machine.values import Object, Wait
from gracelint.behaviour.machine.ways import reaction
from gracelint.facts.program import Cause
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Call, Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.facts.program import Reaction


def _new(machine: JavaMachine, _: Any, given: Given) -> Run:
    one = Object("Timer", given.span)
    one.state["daemon"] = True in [arg for arg in given.args if isinstance(arg, bool)]
    return now(one)


def _schedule(machine: JavaMachine, of: Object, given: Given) -> Run:
    """A task after a delay, and again after each period where there is one."""
    first, period = (number(given.argument(at), 0.001) for at in (1, 2))
    node = (given.span.source.path, given.span.start)

    def run() -> Run:
        seconds = first or 0.0
        while True:
            machine.step()
            until = machine.now + seconds
            over = lambda until=until: machine.now >= until or bool(of.state.get("cancelled"))  # noqa: E731
            yield Wait("pause", given.span, over, at=lambda until=until: until, node=node)  # type: ignore[misc]
            if of.state.get("cancelled"):
                return
            yield from machine.call(given.argument(0), [], given.span)
            if period is None:
                return
            seconds = period

    thread = machine.start(run(), given.span)
    thread.daemon, thread.body = of.state["daemon"], given.argument(0)
    if period is not None:
        machine.rounds.append((given.argument(0), given.span))
    yield from ()


def _cancel(machine: JavaMachine, of: Object, given: Given) -> Run:
    of.state["cancelled"] = True
    return now()


NEW: dict[str, Call] = {"Timer": _new}
METHODS: dict[str, dict[str, Call]] = {
    "Timer": {"schedule": _schedule, "scheduleAtFixedRate": _schedule, "cancel": _cancel}
}


def unwritten(signal: str, machine: JavaMachine) -> Reaction | None:
    """The reaction of a program that writes something out at times, and does not once more."""
    if not machine.rounds:
        return None
    from gracelint.behaviour.machine.remainder import WRITES

    for task, span in machine.rounds:
        names = [one.name for one in functions(machine, task) if one.name not in TASKS]
        name = next((one for one in names if WRITES.match(one)), None)
        if name is not None and machine.called_late.isdisjoint(names):
            why = f"whether anything is lost is not known: on {signal} nothing calls `{name}`"
            why = f"{why}, as {machine.place(span)} does at times"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    return None
