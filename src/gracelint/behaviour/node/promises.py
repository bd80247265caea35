"""Promises: what settles them, what comes after several of them, and functions that are called again once one is."""

from __future__ import annotations

from gracelint.behaviour.node import failing
from gracelint.behaviour.node.syntax import callee_of, given_first, name_of, never_resolves
from gracelint.behaviour.node.this import TAKEN, TAKEN_PROMISE
from gracelint.behaviour.node.values import (
    UNDEFINED,
    UNKNOWN,
    After,
    Array,
    Builtin,
    Closure,
    External,
    Method,
    Object,
    Promise,
    Thing,
    joined,
    truthy,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame


def comes_round(machine: Machine, node: Node, frame: Frame) -> bool:
    """Whether a function that is under way is called once more by what it has awaited: `poll().then(() => next())`.

    One that a timer calls again goes round by that timer.
    """
    known = any(function == node for function, _ in machine.timer_stack)
    if machine.stopping and not known:
        return False
    at = max(at for at, under_way in enumerate(machine.stack) if under_way == node)
    before, timers = machine.entered[at]
    return len(machine.timer_stack) == timers and any(part not in before for part in frame.after)


def new_promise(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """A promise is settled after what comes before the call of `resolve`."""
    settled: list[tuple[tuple[After, ...], Any]] = []
    span = frame.file.span(node)
    later = Thing("promise", "promise", span, False)

    def resolve(machine: Machine, given: list[Any], at: Node | None, inner: Frame) -> Any:
        if machine.stopping:
            machine.settle(later, inner.after)
            machine.early |= {id(part.thing) for after, _ in settled for part in after if part.kind == "timer"}
        settled.append((inner.after, given[0] if given else UNDEFINED))
        return UNDEFINED

    failed: list[tuple[After, ...]] = []
    refused: list[tuple[After, ...]] = []

    def reject(machine: Machine, given: list[Any], at: Node | None, inner: Frame) -> Any:
        failed.append(inner.after)
        if machine.stopping and machine.certain and _comes_first(inner.after, frame.after):
            refused.append(inner.after)
        return UNDEFINED

    if args:
        machine.task(args[0], [Builtin(resolve), Builtin(reject)], frame, frame.after)
        machine.call_back()
    if not settled:
        if refused:
            return Promise(refused[0], never=True, fails=refused[0], rejected=True)
        if args and isinstance(args[0], Closure) and never_resolves(args[0].node):
            return Promise(frame.after, never=True, stuck=True, fails=failed[0] if failed else None)
        return Promise((*frame.after, After("unknown", span, later)))
    after, value = settled[0]
    if isinstance(value, Promise):
        after, value = (*after, *value.after), value.value
    return Promise(after, value)


def _comes_first(after: tuple[After, ...], before: tuple[After, ...]) -> bool:
    """Whether nothing else can settle a promise earlier: it is not a time limit that comes to its end."""
    return all(part.kind in ("drained", "closed", "ended") for part in after if part not in before)


def _promise_all(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    after = dict.fromkeys(frame.after)
    values = []
    parts = args[0].items if args and isinstance(args[0], Array) else [UNKNOWN]
    if args and args[0] is UNKNOWN and machine.stopping:
        after[After("unknown", frame.file.span(node))] = None
    if machine.stopping and _are_jobs(machine, node):
        span = frame.file.span(node)
        after[After("work", span, Thing("jobs", "jobs", span, False))] = None
    timers = [
        [part for part in value.after if part.kind == "timer" and part not in after]
        for value in parts
        if isinstance(value, Promise)
    ]
    failed = next((value for value in parts if isinstance(value, Promise) and value.rejected), None)
    if failed is not None and callee_of(node) == "Promise.all" and (failed.fails or machine.stopping):
        fails = failed.fails or tuple(part for part in failed.after if part not in frame.after)
        for value in parts:
            if isinstance(value, Promise):
                failing.leave(machine, value, True, node, frame)
        return Promise((*frame.after, *fails), never=True, fails=fails, rejected=True)
    # they run side by side: the longest counts
    longest = max(timers, key=lambda branch: sum(part.seconds or 0.0 for part in branch), default=[])
    after |= dict.fromkeys(longest)
    for value in parts:
        if isinstance(value, Promise):
            machine.pay_for(len(value.after))
            after |= dict.fromkeys(part for part in value.after if part.kind != "timer")
            values.append(value.value)
            continue
        values.append(value)
        if isinstance(value, External) and "(" in value.path:
            after[After("unknown" if value.path.startswith("?") else "work", frame.file.span(node))] = None
    return Promise(tuple(after), Array(values, open=not (args and isinstance(args[0], Array) and not args[0].open)))


def _are_jobs(machine: Machine, call: Node) -> bool:
    """Whether all that is waited for stands in a set that work puts it into, and takes it out of: `[...jobs]`"""
    here = given_first(call)
    if here is None or here.type not in ("identifier", "member_expression"):
        return False
    from gracelint.behaviour.node.draining import worked_off

    return name_of(here) in worked_off(machine)


def _promise_race(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    parts = args[0].items if args and isinstance(args[0], Array) else []
    later = [_awaited_of(value) for value in parts]
    if later and all(later):
        first = Thing("race", "race", frame.file.span(node), False)
        machine.races.append((first, tuple(id(thing) for thing in later)))
        return Promise((*frame.after, After("unknown", frame.file.span(node), first)), UNKNOWN)
    if any(not isinstance(value, Promise) or not value.never for value in parts):
        # a promise that nothing settles never is the first; one that only fails is by its time
        parts = [value for value in parts if not isinstance(value, Promise) or not value.never or value.fails]
    waits = tuple(
        tuple(a for a in (value.fails or value.after) if a not in frame.after)
        if isinstance(value, Promise)
        else (After("work", frame.file.span(node)),)
        for value in parts
    )
    return Promise((*frame.after, After("race", frame.file.span(node), parts=waits)), UNKNOWN)


def _with_resolvers(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`const { promise, resolve } = Promise.withResolvers()`"""
    kept: list[Any] = []
    executor = Builtin(lambda m, pair, at, f: kept.extend(pair))
    promise = new_promise(machine, [executor], node, frame)
    return Object({"promise": promise, "resolve": kept[0], "reject": kept[1]})


def _awaited_of(value: Any) -> Thing | None:
    """What settles a promise later: a signal, a `resolve` that is kept, a loop that comes to its end."""
    last = value.after[-1] if isinstance(value, Promise) and value.after else None
    return last.thing if last is not None and last.kind in ("unknown", "loop") else None


def _promise_resolve(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return args[0] if args and isinstance(args[0], Promise) else Promise(frame.after, args[0] if args else UNDEFINED)


def _promisify(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    function = args[0] if args else UNKNOWN
    if isinstance(function, External) and function.path == "setTimeout":
        return External("timers/promises.setTimeout")

    if isinstance(function, Method) and function.name == TAKEN:
        # `promisify(server.close)` is to be bound to its server
        return Method(_promisify(machine, [function.owner], node, frame), TAKEN_PROMISE)

    def call(machine: Machine, given: list[Any], at: Node | None, frame: Frame) -> Any:
        where = at if at is not None else frame.file.root
        executor = Builtin(lambda m, pair, _, f: m.call(function, [*given, _calls_back(*pair)], f, where))
        return new_promise(machine, [executor], where, frame)

    return Builtin(call) if isinstance(function, (Closure, Method, Builtin)) else External("promisified")


def _callbackify(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    function = args[0] if args else UNKNOWN

    def call(machine: Machine, given: list[Any], at: Node | None, frame: Frame) -> Any:
        where = at if at is not None else frame.file.root
        result = machine.call(function, given[:-1], frame, where)
        after = frame.after
        if isinstance(result, Promise):
            after = joined(after, result.after)
        elif isinstance(result, External) and "(" in result.path:
            after = (*after, After("work", frame.file.span(where)))
        for callback in given[-1:]:
            machine.task(callback, [None, UNKNOWN], frame, after)
        return UNDEFINED

    return Builtin(call)


def _calls_back(resolve: Any, reject: Any) -> Builtin:
    """The callback of Node's own kind that settles a promise: an error comes first."""
    return Builtin(
        lambda m, given, at, f: (
            m.call(reject, given[:1], f, at) if given and truthy(given[0]) else m.call(resolve, given[1:], f, at)
        )
    )


DEEDS: dict[str, Callable[[Machine, list[Any], Node, Frame], Any]] = {
    "all": _promise_all,
    "race": _promise_race,
    "resolve": _promise_resolve,
    "resolvers": _with_resolvers,
    "promisify": _promisify,
    "callbackify": _callbackify,
}
