"""Events and values that threads, tasks and processes share."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import Point, stuck
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import AWAITED, EVENTS, limit, model, receiver_of
from gracelint.behaviour.python.values import (
    FALSE,
    FROM_OUTSIDE,
    NONE,
    TRUE,
    Bound,
    Const,
    Later,
    Thing,
    Unknown,
    Value,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model(*EVENTS)
def _event(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = machine.make(path_of(function), node)
    thing.store.setdefault("#set", FALSE)
    if thing.kind.startswith("multiprocessing."):
        machine.shared_stores.add(id(thing.store))
    return thing


@model(*(f"{kind}.{method}" for kind in EVENTS for method in ("set", "clear")))
def _set_event(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        assert isinstance(function, Bound)
        if _waits_for_itself(machine, thing):
            raise stuck(Point(node, machine.module, "event-set", None, text_of(node)), "handler wait")
        machine.write(thing.store, "#set", TRUE if function.name == "set" else FALSE)
        machine.act("event", text_of(node), node)
    return NONE


def _waits_for_itself(machine: Machine, event: Thing) -> bool:
    """Whether the handler sets an event between processes in whose `wait()` it came: that has to wake up first."""
    waited = event.store.get("#waited")
    found = machine.handling and not machine.aside and event.kind.startswith("multiprocessing.") and machine.arrival
    return bool(found) and isinstance(waited, Const) and waited.value is machine.arrival.node  # type: ignore[union-attr]


@model(*(f"{kind}.is_set" for kind in EVENTS), *(f"{kind}.isSet" for kind in EVENTS))
def _is_set(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    return FROM_OUTSIDE if thing is None else thing.store.get("#set", FALSE)


@model(*(f"{kind}.wait" for kind in EVENTS if not kind.startswith("asyncio")))
def _wait_event(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    point = Point(node, machine.module, "event-wait", limit(args, keywords, 0), text_of(node))

    def ready() -> bool | Unknown:
        return FROM_OUTSIDE if thing is None else machine.truth(thing.store.get("#set", FALSE))

    if thing is not None and not machine.aside:
        thing.store["#waited"] = Const(node)
    machine.wait(point, ready=ready)
    state = ready()
    return Const(state) if isinstance(state, bool) else state


@model("asyncio.Event.wait")
def _later_wait(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Later(function, args, keywords, node)


AWAITED["asyncio.Event.wait"] = _wait_event


@model("multiprocessing.Value", "multiprocessing.sharedctypes.Value", "multiprocessing.get_context.Value")
def _shared_value(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing("multiprocessing.Value", node, machine.module)
    thing.store["value"] = args[1] if len(args) > 1 else FROM_OUTSIDE
    machine.shared_stores.add(id(thing.store))
    return thing
