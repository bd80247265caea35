"""Timers, and what else keeps node running until it is told to stop."""

from __future__ import annotations

from gracelint.behaviour.node.arrays import functions_in
from gracelint.behaviour.node.helpers import signal_among
from gracelint.behaviour.node.methods import release
from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.syntax import name_of
from gracelint.behaviour.node.values import UNDEFINED, UNKNOWN, After, Closure, Object, Promise, Thing
from gracelint.behaviour.tree import text_of
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine


def set_timeout(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    function = args[0] if args else UNKNOWN
    given = args[1] if len(args) > 1 else 0
    seconds = given / 1000 if isinstance(given, (int, float)) else None
    machine.run_timers.add((frame.file.source.path, node.start_byte))
    span = frame.file.span(node)
    key = function.node if isinstance(function, Closure) else None
    if isinstance(function, Closure) and (
        key in machine.stack or any(known == key for known, _ in machine.timer_stack)
    ):
        return rearm(machine, function, args[2:], seconds, "setTimeout", span, frame)
    thing = Thing("timer", "setTimeout", span, bool(seconds and seconds >= 3600))
    thing.callbacks["fires"] = [function]
    if not machine.stopping:
        machine.add(thing, frame)
    else:
        _pend(machine, thing, seconds, frame)
    after = (*frame.after, After("timer", span, thing, seconds))
    machine.pause(after)
    machine.timer_stack.append((key, thing))
    try:
        machine.task(function, args[2:], frame, after)
    finally:
        machine.timer_stack.pop()
    return thing


def _pend(machine: Machine, timer: Thing, seconds: float | None, frame: Frame) -> None:
    if machine.certain and seconds:
        timer.after, timer.data = frame.after, seconds
        machine.pending.append(timer)


def rearm(
    machine: Machine, function: Closure, args: list[Any], seconds: float | None, name: str, span: Any, frame: Frame
) -> Thing:
    """A function that has itself called again: it goes round until it no longer does."""
    thing = next((thing for known, thing in machine.timer_stack if known == function.node), None)
    if thing is None:
        thing = machine.add(Thing("interval", name, span, True), frame)
    thing.kind, thing.alive = "interval", True
    thing.data = (function, args, seconds, function.file)
    return thing


def set_interval(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    given = args[1] if len(args) > 1 else 0
    seconds = given / 1000 if isinstance(given, (int, float)) else None
    machine.run_timers.add((frame.file.source.path, node.start_byte))
    thing = machine.add(Thing("interval", "setInterval", frame.file.span(node), True), frame)
    thing.data = (args[0] if args else UNKNOWN, args[2:], seconds, frame.file)
    if machine.rehearsing and isinstance(args[0], Closure) and "clearInterval" in text_of(args[0].node):
        # it looks again until something is done
        after = (*frame.after, After("timer", thing.span, None, seconds))
        machine.pause(after)
        machine.task(args[0], args[2:], frame, after)
    return thing


def watch(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`fs.watch` and `fs.watchFile` keep node running unless they are told not to."""
    options = next((value for value in args if isinstance(value, Object)), Object())
    alive = options.props.get("persistent") is not False
    thing = Thing("watcher", "file watcher", frame.file.span(node), alive, table("node")["watcher"])
    thing.callbacks["job"] = functions_in(args)
    return machine.add(thing, frame)


def unwatch(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    for thing in machine.things:
        if thing.kind == "watcher":
            release(machine, thing, node, frame)
    return UNDEFINED


def soon(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    function = args[0] if args else UNKNOWN
    if isinstance(function, Closure) and function.node in machine.stack:
        return rearm(machine, function, args[1:], 0.0, "setImmediate", frame.file.span(node), frame)
    machine.task(function, args[1:], frame, frame.after)
    return UNDEFINED


def clear(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    if machine.stopping:
        given = node.child_by_field_name("arguments")
        machine.cleared.update(name_of(part) for part in (given.named_children if given is not None else ()))
    if args and isinstance(args[0], Thing):
        release(machine, args[0], node, frame)
    elif args and args[0] is UNKNOWN and machine.stopping:
        machine.note("opaque", node, frame, target="clearInterval")
    return UNDEFINED


def sleep(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    given = args[0] if args else 0
    seconds = given / 1000 if isinstance(given, (int, float)) else None
    machine.run_timers.add((frame.file.source.path, node.start_byte))
    span = frame.file.span(node)
    options = next((value for value in args if isinstance(value, Object)), None)
    timer = Thing("timer", "setTimeout", span, False)
    if (signal := signal_among(args)) is not None:
        if machine.stopping and signal.props["aborted"] is True:
            return Promise(frame.after, rejected=True)
        machine.abortable.append((signal, timer))
    if options is not None and options.props.get("ref") is False:
        machine.loose.add(id(timer))
    elif machine.stopping:
        _pend(machine, timer, seconds, frame)
    return Promise((*frame.after, After("timer", span, timer, seconds)), UNDEFINED)


DEEDS: dict[str, Callable[[Machine, list[Any], Node, Frame], Any]] = {
    "soon": soon,
    "timer": set_timeout,
    "interval": set_interval,
    "watch": watch,
    "unwatch": unwatch,
    "clear": clear,
    "sleep": sleep,
}
