"""`schedule` and `sched`: jobs that the main thread does itself, whenever they are due."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import NORMAL, End, Leave, Point
from gracelint.behaviour.python.library import elsewhere
from gracelint.behaviour.python.loops import go_round
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import DECORATORS, METHODS, argument, model, receiver_of
from gracelint.behaviour.python.values import FROM_OUTSIDE, NONE, OUTSIDE, Items, Partial, Thing, Value, items
from gracelint.behaviour.python.waits import block
from gracelint.knowledge import table

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


def _queue(machine: Machine, value: Value, function: Value, node: ast.AST) -> Value:
    """Who calls a task puts it into a queue, for a consumer to run it."""
    return FROM_OUTSIDE


DECORATORS["huey.Huey.task"] = _queue


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


@model("sched.scheduler.enter", "sched.scheduler.enterabs")
def _enter(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """`scheduler.enter(5, 1, job, (name,))`."""
    scheduler = receiver_of(function)
    job = argument(args, keywords, 2, "action")
    if scheduler is None or job is None:
        return NONE
    given = machine.elements(argument(args, keywords, 3, "argument") or NONE)
    seconds = argument(args, keywords, 0, "delay") if path_of(function).endswith("enter") else FROM_OUTSIDE
    due = items("tuple", [seconds or FROM_OUTSIDE, Partial(job, given or [], {})])
    machine.write(scheduler.store, "#due", items("list", [*_due(scheduler), due]))
    return Thing("sched.Event", node, machine.module)


def _due(scheduler: Thing) -> list[Value]:
    due = scheduler.store.get("#due")
    return due.values() if isinstance(due, Items) else []


@model("sched.scheduler.run")
def _run(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Waits for each job and does it, until none is left."""
    scheduler = receiver_of(function)
    if scheduler is None or not _due(scheduler):
        return block(machine, function, table("python")["wait"]["sched.scheduler.run"], args, keywords, node)

    def turn() -> list[End]:
        due = _due(scheduler)
        machine.write(scheduler.store, "#due", items("list", []))
        for entry in due:
            assert isinstance(entry, Items)
            seconds, job = entry.values()
            machine.wait(Point(node, machine.module, "sched", seconds, text_of(node)))
            machine.call(job, [], {}, node)
        return [End(NORMAL)]

    ends = go_round(machine, node, lambda: bool(_due(scheduler)), turn, [])
    if all(end.kind != NORMAL for end in ends):
        raise Leave(ends)
    machine.side += [end for end in ends if end.kind != NORMAL]
    return NONE
