"""What is done on the way out: the end of a `with`, threads that Python joins, `atexit`."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import finishes, is_daemon, is_deaf
from gracelint.behaviour.python.ends import FINAL, NORMAL, RAISE, STUCK, End, Leave, Point
from gracelint.behaviour.python.names import canonical, text_of
from gracelint.behaviour.python.registry import EXECUTORS, EXITS, PROCESSES, THREADS
from gracelint.behaviour.python.values import (
    CERTAIN,
    FROM_OUTSIDE,
    LOST_TRACK,
    TRUE,
    Const,
    Error,
    Function,
    Items,
    Partial,
    Thing,
    Unknown,
    Value,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine


def finish(machine: Machine, ends: list[End]) -> list[End]:
    """What Python does when the main thread is through: joins threads and executors, then atexit, then children."""
    alive = [end for end in ends if end.kind not in FINAL]
    if not alive:
        return ends
    lingering = [
        thing
        for key, thing in machine.world.items()
        if isinstance(key, tuple) and key[0] == "child" and _lingers(thing)
    ]
    out: list[End] = [end for end in ends if end.kind in FINAL]
    for thing in lingering:
        assert isinstance(thing, Thing) and thing.node is not None
        try:
            machine.frames.append(machine.frame_in(thing.module or machine.entry))
            _join_at_exit(machine, thing)
        except Leave as leave:
            stopped = [end for end in leave.ends if end.kind in FINAL]
            if stopped:
                return out + stopped
        finally:
            machine.frames.pop()
    if machine.arrived:
        stopped = _run_exit_hooks(machine)
        if stopped:
            return out + stopped
    return ends


def _run_exit_hooks(machine: Machine) -> list[End]:
    """Calls what `atexit` holds; the ways in which that does not come to an end."""
    hooks = machine.world.get("atexit")
    if not isinstance(hooks, Items) or not hooks.store:
        return []
    machine.cleaned = machine.puts_right = True
    machine.frames.append(machine.frame_in(machine.entry))
    try:
        for hook in reversed(hooks.values()):
            if isinstance(hook, Partial):
                machine.call(hook.function, hook.args, hook.keywords, machine.entry.tree)
    except Leave as leave:
        return [end for end in leave.ends if end.kind in FINAL]
    finally:
        machine.frames.pop()
    return []


def _lingers(thing: Value) -> bool:
    return (
        isinstance(thing, Thing)
        and (thing.kind in (*THREADS, *PROCESSES, *EXECUTORS, "threading.Timer") or "#default" in thing.store)
        and (not is_daemon(thing) or is_deaf(thing))
        and "#finished" not in thing.store
        and "#terminated" not in thing.store
    )


def _join_at_exit(machine: Machine, thing: Thing) -> None:
    kind = "exit"
    node = thing.node
    assert node is not None
    point = Point(node, thing.module or machine.module, kind, None, text_of(node))
    point.joins = (thing,)

    def ready() -> bool | Unknown:
        if thing.kind == "threading.Timer":
            return _timer_ends(machine, thing, point)
        if thing.kind in EXECUTORS:
            tasks = [task for task in thing.store.values() if isinstance(task, Thing)]
            answers = [finishes(machine, task, node) for task in tasks]
        else:
            answers = [finishes(machine, thing, node, keeps=machine.arrived and thing.kind in THREADS)]
        if any(answer is False for answer in answers):
            return False
        return next((answer for answer in answers if isinstance(answer, Unknown)), True)

    try:
        machine.wait(point, ready=ready)
    except Leave as leave:
        for end in leave.ends:
            if end.kind == STUCK and machine.arrived:
                end.cause = "exit blocked"
        raise


def _timer_ends(machine: Machine, thing: Thing, point: Point) -> bool | Unknown:
    """Whether a timer that sets itself again and again comes to an end; the wait for its next turn counts."""
    machine.timers_set = False
    before = machine.delay
    answer = finishes(machine, thing, point.node)
    if "#may have fired" in thing.store and machine.timers_set is False:
        machine.delay = before
        return True
    if machine.arrived:
        pause = Point(point.node, point.module, "sleep", thing.store.get("#interval"), point.what)
        machine.spend(pause)
    if machine.timers_set is False:
        return answer
    return False if machine.timers_set is True else LOST_TRACK


def leave_context(machine: Machine, context: Value, ends: list[End], node: ast.AST, expression: ast.expr) -> list[End]:
    """What a context manager does when its body is left."""
    alive = [end for end in ends if end.kind not in FINAL]
    if not alive or not isinstance(context, Thing):
        return ends
    kind = canonical(context.kind)
    raised = [end for end in alive if end.kind == RAISE]
    if kind == "contextlib.suppress":
        types = context.store.get("#types")
        known = types.values() if isinstance(types, Items) else []
        caught = [end for end in raised if _is_caught(machine, known, end)]
        return machine.merge([end for end in ends if end not in caught] + [End(NORMAL, end.tag) for end in caught])
    if machine.arrived and not machine.handling and not machine.aside:
        own = context.cls is not None and (context.cls.find("__exit__") or context.cls.find("__aexit__"))
        cleans = own is not None and own is not False
        machine.cleaned, machine.puts_right = machine.cleaned or cleans, machine.puts_right or cleans
    arrived = machine.arrived
    machine.close(context, "with")
    try:
        use(machine, context, "with")
        if context.cls is not None:
            for name in ("__exit__", "__aexit__"):
                method = context.cls.find(name)
                if isinstance(method, Function):
                    value = machine.awaited(
                        machine.call(method.bind(context), [FROM_OUTSIDE, FROM_OUTSIDE, FROM_OUTSIDE], {}, node), node
                    )
                    if raised and isinstance(value, Const) and value.value is True:
                        return machine.merge([end for end in ends if end not in raised] + [End(NORMAL)])
        exits = EXITS.get(kind)
        if exits is not None:
            exits(machine, context, expression)
    except Leave as leave:
        if machine.arrived and not arrived:
            return leave.ends
        return machine.merge([end for end in ends if end.kind in FINAL] + leave.ends)
    return ends


def use(machine: Machine, thing: Thing, method: str) -> None:
    """What is used after it was closed on the way out raises an exception."""
    row = table("python")["closed"].get(thing.kind)
    if row is None or not machine.arrived or machine.early:
        return
    if method in row["methods"] and "#closed" in thing.store:
        raise Leave([End(RAISE, CERTAIN, Error(row["raises"]))])
    if method in row["closes"]:
        machine.write(thing.store, "#closed", TRUE)


def _is_caught(machine: Machine, types: list[Value], end: End) -> bool:
    error = end.value
    return isinstance(error, Error) and any(machine.catches(each, error) for each in types)
