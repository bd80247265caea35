"""asyncio: the loop, its tasks, and what awaits them."""

from __future__ import annotations

import ast
from functools import partial

from gracelint.behaviour.python.beside import (
    finishes,
    is_at_work,
    is_logged,
    join_point,
    note_left_alone,
    run_loop,
    so_far,
    start,
    throw_out,
    wakes_by_itself,
    within,
)
from gracelint.behaviour.python.ends import HARD, NORMAL, RAISE, End, Leave, Point, stuck
from gracelint.behaviour.python.models.threads import submit
from gracelint.behaviour.python.names import is_none, is_true, path_of, text_of
from gracelint.behaviour.python.registry import AWAITED, EXITS, argument, at_most, model, receiver_of
from gracelint.behaviour.python.values import (
    CERTAIN,
    FALSE,
    FROM_OUTSIDE,
    NONE,
    TRUE,
    Bound,
    Const,
    Error,
    Function,
    Items,
    Later,
    Name,
    Partial,
    Thing,
    Unknown,
    Value,
    items,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model("asyncio.run", "asyncio.loop.run_until_complete", "asyncio.loop.run_forever")
def _run(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Runs the event loop: the main task, and whatever has been created beside it."""
    last = path_of(function).rpartition(".")[2]

    def body() -> Value:
        if last == "run_forever":
            point = Point(node, machine.module, "run-loop", None, text_of(node))
            runner = machine.runners[-1]
            loop = receiver_of(function)
            stores = [runner.store] if loop is None else [runner.store, loop.store]
            machine.give_way(lambda: machine.wait(point, ready=lambda: any("#stopped" in store for store in stores)))
        elif args:
            given = args[0]
            if isinstance(given, (Function, Partial, Name, Bound)):
                given = machine.call(given, args[1:], {}, node)
            return machine.awaited(given, node)
        return NONE

    return run_loop(machine, {"run": "asyncio.run"}.get(last, last), node, body, receiver_of(function))


@model("asyncio.Runner", "asyncio.loop", "asyncio.TaskGroup")
def _loop(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    path = path_of(function)
    if path == "asyncio.loop":
        known = machine.world.get("loop")
        if isinstance(known, Thing):
            return known
        loop = Thing(path, node, machine.module)
        machine.write(machine.world, "loop", loop)
        return loop
    return Thing(path, node, machine.module)


@model("asyncio.loop.stop")
def _stop_loop(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.act("close", "loop", node)
    if machine.runners and machine.arrived:
        machine.write(machine.runners[-1].store, "#stopped", TRUE)
    loop = receiver_of(function)
    wakes = ("called", "call_soon_threadsafe") in machine.world or wakes_by_itself(machine)
    if machine.arrived and loop is not None and wakes:
        machine.write(loop.store, "#stopped", TRUE)  # it runs in a thread, which wakes up for it, or for a timer
    return NONE


@model("asyncio.loop.call_soon_threadsafe", "asyncio.loop.call_soon", "asyncio.run_coroutine_threadsafe")
def _call_soon(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not args:
        return NONE
    if machine.arrived and path_of(function).endswith("threadsafe"):
        machine.write(machine.world, ("called", "call_soon_threadsafe"), TRUE)
    if isinstance(args[0], Later):
        return _task(machine, function, args[:1], {}, node)
    try:
        machine.call(args[0], args[1:], {}, node)
    except Leave as leave:
        if machine.arrived or not all(map(is_logged, leave.ends)):
            raise
    return NONE


@model("asyncio.create_task")
def _task(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    coroutine = args[0] if args else FROM_OUTSIDE
    if isinstance(coroutine, Thing) and coroutine.kind == "asyncio.Task":
        return coroutine
    entering = machine.world.get("entering")
    made = machine.world.get(("made", id(entering), id(node))) if isinstance(entering, Later) else None
    if isinstance(made, Thing):
        return made
    thing = Thing("asyncio.Task", node, machine.module)
    if isinstance(entering, Later):
        machine.write(machine.world, ("made", id(entering), id(node)), thing)
    if isinstance(coroutine, Later):
        if machine.handling and not machine.aside:
            machine.act("call", text_of(node), node)
            run_beside(machine, thing, coroutine, node)
        else:
            if any(isinstance(loop.node, (ast.While, ast.AsyncFor)) for loop in machine.loops):
                thing.store["#again"] = TRUE
            start(machine, thing, coroutine, [], {}, node)
    group = receiver_of(function)
    if group is not None and group.kind == "asyncio.TaskGroup":
        machine.write(group.store, ("task", id(node)), thing)
    return thing


@model("sanic.Sanic.add_task")
def _add_task(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """A task of the server's loop, or a function of the application that makes one."""
    given = args[0] if args else FROM_OUTSIDE
    made = (
        machine.call(given, [receiver_of(function) or FROM_OUTSIDE], {}, node) if isinstance(given, Function) else given
    )
    return _task(machine, function, [made], {}, node)


@model("asyncio.TaskGroup.start_soon")
def _start_soon(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """anyio and trio take the function and its arguments."""
    return _task(machine, function, [Later(args[0], args[1:], {}, node)], {}, node) if args else NONE


@model(
    "asyncio.TaskGroup.cancel_scope.cancel",
    "asyncio.TaskGroup.cancel_scope",
    "anyio.CancelScope.cancel",
    "trio.CancelScope.cancel",
)
def _cancel_group(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    owner = function
    while isinstance(owner, Bound):
        owner = owner.receiver
    if isinstance(owner, Thing):
        machine.act("cancel", text_of(node), node)
        machine.write(owner.store, "#cancelled", TRUE)
        machine.write(machine.world, "scope cancelled", TRUE)
    return NONE


def run_beside(machine: Machine, thing: Thing, coroutine: Later, node: ast.AST) -> None:
    """A coroutine that the handler starts, mostly to shut everything down."""
    outer, machine.side = machine.side, []
    machine.current.append(thing)
    before = so_far(machine)
    try:
        machine.awaited(coroutine, node)
        note_left_alone(machine, thing, before)
        ends = [End(NORMAL)]
    except Leave as leave:
        ends = leave.ends
    finally:
        machine.current.pop()
        machine.side = outer
    machine.write(thing.store, "#finished", TRUE)
    out = [end for end in ends if end.kind == HARD or (end.kind == RAISE and _leaves_loop(end))]
    if out and len(out) == len(ends):
        raise Leave(out)


def _leaves_loop(end: End) -> bool:
    return isinstance(end.value, Error) and end.value.dotted in ("builtins.SystemExit", "builtins.KeyboardInterrupt")


@model("asyncio.current_task")
def _current_task(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if machine.current:
        return machine.current[-1]
    if machine.runners and not machine.aside:
        return machine.runners[-1].store["#main"]
    return FROM_OUTSIDE


@model("asyncio.all_tasks")
def _all_tasks(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    tasks = [
        v for key, v in machine.world.items() if isinstance(key, tuple) and key[0] == "child" and isinstance(v, Thing)
    ]
    runner = machine.runners[-1] if machine.runners else None
    main = [runner.store["#main"]] if runner is not None and runner.kind != "run_forever" else []
    return items("list", [*main, *(task for task in tasks if task.kind == "asyncio.Task"), *machine.current])


@model("asyncio.Task.cancel")
def cancel(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None:
        return NONE
    machine.close(thing, "end")
    machine.act("cancel", text_of(node), node)
    if thing in machine.current:
        machine.cancelled_itself = thing
    if "#main" in thing.store:
        if machine.arrived:
            machine.cancel = Error("builtins.CancelledError")
        return TRUE
    if "#finished" in thing.store and "#cancelled" not in thing.store:
        return FALSE
    machine.write(thing.store, "#cancelled", TRUE)
    answer = finishes(machine, thing, node, cancelled=True)
    if answer is True:
        machine.write(thing.store, "#finished", TRUE)
    return TRUE


@model("asyncio.Future")
def _future(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return machine.make("asyncio.Future", node)


@model("asyncio.Future.set_result", "asyncio.Future.set_exception", "asyncio.Future.cancel")
def _set_future(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        assert isinstance(function, Bound)
        machine.act("event", text_of(node), node)
        machine.write(thing.store, ("called", function.name), TRUE)
    return NONE


@model("asyncio.Future.done")
def _future_done(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    return Const(thing is not None and any(("called", name) in thing.store for name in ("set_result", "cancel")))


@model(
    "asyncio.gather", "asyncio.wait", "asyncio.as_completed", "asyncio.wait_for", "asyncio.shield", "asyncio.to_thread"
)
def _later(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if path_of(function) in ("asyncio.gather", "asyncio.wait", "asyncio.shield", "asyncio.wait_for"):
        args = [_as_task(machine, value, node) for value in args]
    return Later(function, args, keywords, node)


def _as_task(machine: Machine, value: Value, node: ast.AST) -> Value:
    if isinstance(value, Later):
        thing = Thing("asyncio.Task", value.node, machine.module)
        if machine.arrived:
            thing.store["#target"] = value
            thing.store["#args"], thing.store["#kwargs"] = items("tuple", []), Items("dict", {})
        else:
            start(machine, thing, value, [], {}, value.node)
        return thing
    if isinstance(value, Items):
        return items(value.kind, [_as_task(machine, each, node) for each in value.values()])
    return value


@model("asyncio.gather", "asyncio.wait", "asyncio.shield", into=AWAITED)
def _await_all(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    things = [value for value in args if isinstance(value, Thing)]
    for value in args:
        if isinstance(value, Items):
            things += [each for each in value.values() if isinstance(each, Thing)]
    things = [thing for thing in things if thing.kind == "asyncio.Task" and "#main" not in thing.store]
    first = "FIRST_COMPLETED" in path_of(keywords.get("return_when", NONE))
    seconds = keywords.get("timeout")
    if seconds is None and not first and machine.current and machine.current[-1] in things:
        _await_itself(machine, path_of(function), machine.current[-1], node)
    if first and things:
        point = Point(node, machine.module, "wait", seconds, text_of(node))
        point.joins = tuple(things)
        machine.wait(point, ready=lambda: _any_finished(machine, things, node))
        return _split(machine, things, Const(0.0), node)
    if machine.arrived and any(
        isinstance(value, Unknown) or (isinstance(value, Items) and value.open) for value in args
    ):
        machine.leaving.append(Point(node, machine.module, "gather", seconds, text_of(node)))
    raises = path_of(function) != "asyncio.wait" and not is_true(keywords.get("return_exceptions"))
    try:
        join_point(machine, "gather", node, seconds, things, fails=raises)
    except Leave as leave:
        shielded = path_of(function) == "asyncio.shield"
        if machine.arrived and not shielded and any(_is_cancel(end) for end in leave.ends):
            for thing in things:
                cancel(machine, Bound(thing, "cancel"), [], {}, node)
        raise
    throw_out(things if raises else ())
    for thing in [thing for thing in things if raises and "#cancelled" in thing.store]:
        from gracelint.behaviour.python.cancels import await_cancelled

        await_cancelled(machine, thing, node)
    return _split(machine, things, seconds, node) if path_of(function) == "asyncio.wait" else FROM_OUTSIDE


def _await_itself(machine: Machine, path: str, task: Thing, node: ast.AST) -> None:
    """A task that waits for itself never goes on: cancelled before, wait() throws it out and gather() does not."""
    if path == "asyncio.wait" and "#cancelled" in task.store:
        raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
    raise stuck(Point(node, machine.module, "gather", None, text_of(node)), "handler wait")


def _split(machine: Machine, things: list[Thing], seconds: Value | None, node: ast.AST) -> Value:
    """What `asyncio.wait()` gives: the tasks that are done so many seconds from now, and those that are not."""
    if not machine.arrived or not things:
        return items("tuple", [Items("set", {"…": FROM_OUTSIDE}), Items("set", {"…": FROM_OUTSIDE})])
    done = [thing for thing in things if within(machine, seconds, partial(finishes, machine, thing, node)) is True]
    return items("tuple", [items("set", done), items("set", [thing for thing in things if thing not in done])])


def _is_cancel(end: End) -> bool:
    return end.kind == RAISE and isinstance(end.value, Error) and end.value.dotted == "builtins.CancelledError"


def _any_finished(machine: Machine, things: list[Thing], node: ast.AST) -> bool | Unknown:
    """Whether one of them comes to its end: the first, for the others are not waited for."""
    before, answers, taken = machine.delay, [], []
    for thing in things:
        machine.delay = before
        answers.append(finishes(machine, thing, node))
        if answers[-1] is True:
            taken.append(machine.delay)
    known = [seconds for seconds in taken if seconds is not None]
    machine.delay = min(known, default=None) if taken else before
    if taken:
        return True
    return next((answer for answer in answers if isinstance(answer, Unknown)), False)


@model("asyncio.wait_for", into=AWAITED)
def _wait_for(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    seconds = argument(args, keywords, 1, "timeout")
    if seconds is None or is_none(seconds):
        return machine.awaited(args[0], node) if args else NONE
    seconds = at_most(seconds)
    thing = args[0] if args and isinstance(args[0], Thing) else None
    point = Point(node, machine.module, "wait-for", seconds, text_of(node))
    target = thing.store.get("#target") if thing is not None else None
    child = receiver_of(target.function) if isinstance(target, Later) else None
    if child is not None and child.kind == "asyncio.Process":
        point.joins = (child,)

    def ready() -> bool | Unknown:
        if not machine.arrived or thing is None:
            return False
        before = machine.delay
        answer = within(machine, seconds, lambda: finishes(machine, thing, node))
        if answer is False and is_at_work(machine, thing):
            _note_given_up(machine, thing, point, before)
        return answer

    try:
        value = machine.wait(point, ready=ready, raises="builtins.TimeoutError")
    except Leave:
        if thing is not None and machine.arrived:
            machine.write(thing.store, "#cancelled", TRUE)
        raise
    if thing is not None and machine.arrived and "#cancelled" not in thing.store:
        machine.write(thing.store, "#finished", TRUE)
    throw_out([thing] if thing is not None else ())
    if thing is not None and "#cancelled" in thing.store:
        from gracelint.behaviour.python.cancels import await_cancelled

        await_cancelled(machine, thing, node)
    return value


def _note_given_up(machine: Machine, task: Thing, point: Point, before: float | None) -> None:
    """What takes longer than it is waited for is cancelled."""
    finishes(machine, task, point.node)
    own, machine.delay = (machine.delay or 0) - (before or 0), before
    if point.limit is not None and own > point.limit:
        machine.given_up.append((task, point.what, point.limit, own))


@model("asyncio.to_thread", into=AWAITED)
def _to_thread(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if machine.aside and machine.cancelling:
        machine.cancelling = False
        raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
    if machine.arrived and args and not any(name in keywords for name in _ABANDONS):
        return _run_in_thread(machine, args, keywords, node)
    task = submit(
        machine, Bound(Thing("asyncio.loop", node, machine.module), "run_in_executor"), [NONE, *args], keywords, node
    )
    if isinstance(task, Thing):
        join_point(machine, "to_thread", node, None, [task])
    return FROM_OUTSIDE


_ABANDONS = ("abandon_on_cancel", "cancellable")
"""Arguments of anyio and trio with which a thread that is cancelled is left behind."""


def _run_in_thread(machine: Machine, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """What a thread does on the way out while the event loop waits for it."""
    off_main, machine.off_main = machine.off_main, True
    outer, machine.awaiting = machine.awaiting, False
    try:
        return machine.call(args[0], args[1:], keywords, node)
    finally:
        machine.off_main, machine.awaiting = off_main, outer


def _leave_group(machine: Machine, thing: Thing, expression: ast.AST) -> None:
    """Waits for all tasks; one that fails cancels the others, and the group fails with it."""
    tasks = [task for key, task in thing.store.items() if isinstance(task, Thing) and isinstance(key, tuple)]
    join_point(machine, "task group", expression, None, tasks, group=thing)
    failed = next((task.store["#failed"] for task in tasks if "#failed" in task.store), None)
    if isinstance(failed, Error):
        for task in tasks:
            if machine.arrived and "#failed" not in task.store:
                cancel(machine, Bound(task, "cancel"), [], {}, expression)
        raise Leave([End(RAISE, CERTAIN, Error("builtins.ExceptionGroup", inner=failed))])


EXITS["asyncio.TaskGroup"] = _leave_group
