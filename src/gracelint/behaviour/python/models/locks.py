"""Locks that the main thread holds while the handler runs: who wants one of them, and is waited for, waits for ever."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import Point, stuck
from gracelint.behaviour.python.names import canonical, is_false, is_true, path_of, text_of
from gracelint.behaviour.python.registry import ENTERS, EXITS, argument, limit, model, receiver_of
from gracelint.behaviour.python.values import FALSE, NONE, TRUE, Items, Thing, Value, items
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords

_LOCKS = tuple(table("python")["lock"])


@model(*_LOCKS)
def _lock(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return machine.make(path_of(function), node)


@model(*(f"{kind}.acquire" for kind in _LOCKS))
def _acquire(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    waits = not is_false(argument(args, keywords, 0, "blocking")) and limit(args, keywords, 1) is None
    if thing is not None:
        _take(machine, thing, node, waits)
    return TRUE


@model(*(f"{kind}.release" for kind in _LOCKS))
def _release(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        machine.write(thing.store, "#held", FALSE)
    return NONE


def _take(machine: Machine, thing: Thing, node: ast.AST, waits: bool = True) -> None:
    gives_way = "waits" in table("python")["lock"][canonical(thing.kind)]
    if machine.handling and waits and not gives_way and is_true(thing.store.get("#held")):
        raise stuck(Point(node, machine.module, "lock", None, text_of(node)), "handler wait")
    machine.write(thing.store, "#held", TRUE)
    holders = thing.store.setdefault("#holders", items("list", []))
    assert isinstance(holders, Items)
    if machine.aside and machine.bodies:
        holders.store[id(machine.bodies[-1])] = machine.bodies[-1]
    elif machine.arrived and waits and holders.store:
        point = Point(node, machine.module, "lock", None, text_of(node))
        point.joins = tuple(each for each in holders.values() if isinstance(each, Thing))
        machine.leaving.append(point)


def _leave(machine: Machine, thing: Thing, expression: ast.expr) -> None:
    machine.write(thing.store, "#held", FALSE)


for _kind in _LOCKS:
    ENTERS[_kind] = _take
    EXITS[_kind] = _leave
