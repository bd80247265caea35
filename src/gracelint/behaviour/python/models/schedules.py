"""`schedule`: jobs that the main thread does in its own loop, whenever they are due."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import NORMAL, End, Leave
from gracelint.behaviour.python.library import elsewhere
from gracelint.behaviour.python.names import path_of
from gracelint.behaviour.python.registry import DECORATORS, METHODS, model
from gracelint.behaviour.python.values import NONE, OUTSIDE, Items, Partial, Value, items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


def _add(machine: Machine, job: Value, args: Arguments, keywords: Keywords) -> None:
    known = machine.world.get("scheduled")
    before = known.values() if isinstance(known, Items) else []
    machine.write(machine.world, "scheduled", items("list", [*before, Partial(job, args, keywords)]))


@model("do", into=METHODS)
def _do(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """`schedule.every(10).minutes.do(job)`."""
    path = path_of(function)
    if path.startswith("schedule.") and args:
        _add(machine, args[0], args[1:], keywords)
        return NONE
    return elsewhere(machine, function, path, args, keywords, node)


def _repeat(machine: Machine, maker: Value, function: Value, node: ast.expr) -> Value:
    _add(machine, function, [], {})
    return function


DECORATORS["schedule.repeat"] = _repeat


@model("schedule.run_pending", "schedule.run_all", "schedule.Scheduler.run_pending", "schedule.Scheduler.run_all")
def _run_pending(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    scheduled = machine.world.get("scheduled")
    for job in scheduled.values() if isinstance(scheduled, Items) else ():
        arrived = machine.arrived

        def due(job: Value = job) -> list[End]:
            machine.call(job, [], {}, node)
            return [End(NORMAL)]

        ends = machine.fork(OUTSIDE, (due, lambda: [End(NORMAL)]))
        leaving = [end for end in ends if end.kind != NORMAL]
        if leaving and (len(leaving) == len(ends) or (machine.arrived and not arrived)):
            raise Leave(leaving)
        machine.side += leaving
    return NONE
