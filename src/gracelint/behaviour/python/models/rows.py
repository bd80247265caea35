"""Calls of libraries whose row in `knowledge/python.toml` says all: what they run, set, give, start and build."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import Point
from gracelint.behaviour.python.library import elsewhere
from gracelint.behaviour.python.models.event_loop import run_beside
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import HANDLE, HANDLES, METHODS, model, receiver_of
from gracelint.behaviour.python.values import (
    FROM_OUTSIDE,
    NONE,
    TRUE,
    Bound,
    Const,
    Function,
    Later,
    Thing,
    Value,
    items,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model(*table("python")["call"])
def _call(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    row = table("python")["call"][path_of(function)]
    at: int = row["function"]
    soon = bool(row.get("soon"))
    if "after" in row and not machine.arrived and len(args) > at and _sets_itself_anew(args[at], function):
        machine.write(machine.world, "timer set anew", TRUE)
    elif path_of(function) in HANDLES and not machine.arrived and not machine.aside and len(args) > at:
        return _handle(machine, args[at], node)
    if len(args) <= at or (soon and (not machine.arrived or (machine.aside and not row.get("thread")))):
        return NONE
    given = [FROM_OUTSIDE] if row.get("gives") else args[at + 1 :]
    if "after" in row:
        return _set_timer(machine, row, args[at], given, _seconds(args[row["after"]], node, row["after"]), node)
    value = _run(machine, row, args[at], given, {} if row.get("gives") else keywords, node)
    return NONE if soon else value


def _handle(machine: Machine, called: Value, node: ast.AST) -> Value:
    """A call that the event loop has put off, which may be cancelled before its time."""
    handle = Thing(HANDLE, node, machine.module)
    handle.store["#target"] = called
    machine.write(machine.world, ("timer", id(node)), handle)
    return handle


def _sets_itself_anew(called: Value, timer: Value) -> bool:
    """Whether a function that a timer calls sets such a timer itself."""
    name = path_of(timer).rpartition(".")[2]
    node = called.node if isinstance(called, Function) else None
    return node is not None and any(isinstance(part, ast.Attribute) and part.attr == name for part in ast.walk(node))


def _run(
    machine: Machine, row: dict[str, Any], called: Value, given: Arguments, keywords: Keywords, node: ast.AST
) -> Value:
    value = machine.call(called, given, keywords, node)
    if row.get("awaits") and isinstance(value, Later):
        run_beside(machine, Thing("asyncio.Task", node, machine.module), value, node)
    return value


def _set_timer(
    machine: Machine, row: dict[str, Any], called: Value, given: Arguments, seconds: Value, node: ast.AST
) -> Value:
    """A timer of the event loop: what it changes comes so much later, and a process that it kills ends then."""
    if path_of(called) in ("os._exit", "os.abort") and isinstance(seconds, Const):
        machine.facts.drain = (float(seconds.value), node, machine.module)
        machine.write(machine.world, "deadline", seconds)
        return NONE
    mark = len(machine.trail)
    try:
        _run(machine, row, called, given, {}, node)
    finally:
        if len(machine.trail) > mark:
            timer = Point(node, machine.module, "sleep", seconds, text_of(node))
            machine.leaving.append(timer)
            machine.spend(timer)
    return NONE


def _seconds(given: Value, node: ast.AST, at: int) -> Value:
    """The seconds of a timer, of a point in time those that are added: `loop.time() + 5`, `timedelta(seconds=5)`."""
    if isinstance(given, Const) and isinstance(given.value, (int, float)):
        return given
    written = node.args[at] if isinstance(node, ast.Call) and at < len(node.args) else None
    if isinstance(written, ast.BinOp) and isinstance(written.op, ast.Add):
        written = written.right
    elif isinstance(written, ast.Call) and ast.unparse(written.func).endswith("timedelta"):
        written = next((word.value for word in written.keywords if word.arg == "seconds"), None)
    known = isinstance(written, ast.Constant) and isinstance(written.value, (int, float))
    return Const(written.value) if known else FROM_OUTSIDE  # type: ignore[union-attr]


@model(*table("python")["set"])
def _set(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    store = thing.store if thing is not None else None if isinstance(function, Bound) else machine.world
    if store is not None and args:
        machine.write(store, table("python")["set"][path_of(function)]["field"], args[0])
    return NONE


@model(*table("python")["give"])
def _give(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    row = table("python")["give"][path_of(function)]
    return Const(row["value"]) if "value" in row else FROM_OUTSIDE


@model(*table("python")["daemon"])
def _daemon(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """A server and the daemon thread that runs it."""
    thread = Thing("threading.Thread", node, machine.module)
    thread.store["daemon"] = TRUE
    kind = table("python")["daemon"][path_of(function)]["kind"]
    return items("tuple", [Thing(kind, node, machine.module), thread])


@model("build", into=METHODS)
def _build(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """The end of a chain such as `Application.builder().token(…).build()`."""
    path = path_of(function)
    for start, row in table("python")["builder"].items():
        if path.startswith(f"{start}."):
            return Thing(row["build"], node, machine.module)
    return elsewhere(machine, function, path, args, keywords, node)
