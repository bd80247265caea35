"""gevent: greenlets, which go on beside the main one and are dropped when that ends, and their pools."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import join_point, start
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import GREENLET, argument, limit, model, receiver_of
from gracelint.behaviour.python.values import NONE, TRUE, Thing, Value
from gracelint.behaviour.python.waits import block
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords

_POOLS = ("gevent.pool.Pool", "gevent.pool.Group")


@model("gevent.spawn", "gevent.Greenlet.spawn", "gevent.spawn_raw", *(f"{pool}.spawn" for pool in _POOLS))
def _spawn(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    greenlet = Thing(GREENLET, node, machine.module)
    greenlet.store["daemon"] = TRUE
    if any(isinstance(loop.node, ast.While) for loop in machine.loops):
        greenlet.store["#again"] = TRUE
    pool = receiver_of(function)
    if pool is not None and pool.kind in _POOLS:
        machine.write(pool.store, ("task", len(pool.store)), greenlet)
    start(machine, greenlet, args[0] if args else None, args[1:], keywords, node)
    return greenlet


@model(*_POOLS)
def _pool(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Thing(path_of(function), node, machine.module)


@model(*(f"{owner}.{method}" for owner in (GREENLET, *_POOLS) for method in ("join", "get")))
def _join(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    seconds = limit(args, keywords, 1 if path_of(function).endswith("get") else 0)
    return join_point(machine, "join", node, seconds, _greenlets([receiver_of(function)]))


@model("gevent.joinall", "gevent.wait")
def _join_all(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    listed = argument(args, keywords, 0, "greenlets" if path_of(function).endswith("all") else "objects")
    greenlets = _greenlets(machine.elements(listed) or [] if listed is not None else [])
    if not greenlets:
        return block(machine, function, table("python")["wait"][path_of(function)], args, keywords, node)
    return join_point(machine, "join", node, limit(args, keywords, 1), greenlets)


@model("gevent.killall", "gevent.kill", *(f"{owner}.kill" for owner in (GREENLET, *_POOLS)))
def _kill(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Raises GreenletExit in each of them, which only a `finally` takes."""
    owner = receiver_of(function)
    listed = machine.elements(args[0]) if args and owner is None else None
    machine.act("cancel", text_of(node), node)
    for greenlet in _greenlets(listed if listed is not None else [owner, *args[:1]]):
        machine.close(greenlet, "end")
        if machine.arrived and "#finished" not in greenlet.store:
            machine.write(greenlet.store, "#terminated", TRUE)
    return NONE


def _greenlets(values: Iterable[Value | None]) -> list[Thing]:
    """Those among values, and those of pools."""
    found: list[Thing] = []
    for value in values:
        if isinstance(value, Thing) and value.kind == GREENLET:
            found.append(value)
        elif isinstance(value, Thing):
            found += [each for each in value.store.values() if isinstance(each, Thing) and each.kind == GREENLET]
    return found
