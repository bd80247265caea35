"""What goes on beside the main thread: threads, tasks and child processes, and who waits for them."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import (
    ABANDON,
    FINAL,
    HARD,
    NORMAL,
    RAISE,
    End,
    Leave,
    Point,
    Registration,
    stuck,
)
from gracelint.behaviour.python.names import canonical, is_kind_of, is_true, path_of, text_of
from gracelint.behaviour.python.registry import CHILD, METHODS, MODELS, PROCESSES, RESULTS, THREADS, fits, may_serve
from gracelint.behaviour.python.values import (
    CERTAIN,
    FALSE,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
    OUTSIDE,
    TRUE,
    Bound,
    Const,
    Error,
    Function,
    Items,
    Later,
    Name,
    Thing,
    Unknown,
    Value,
    items,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import Any

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


def is_daemon(thing: Thing) -> bool:
    """Whether Python leaves a thread or child behind when the main thread ends: by itself or by its class."""
    own = thing.store.get("daemon")
    return is_true(own if own is not None or thing.cls is None else thing.cls.find("daemon"))


def is_logged(end: End) -> bool:
    """An ordinary exception in a callback of the event loop is logged and forgotten."""
    if end.kind != RAISE or not isinstance(end.value, Error):
        return False
    return is_kind_of(kind_of(end.value), "builtins.Exception")


def kind_of(error: Error) -> str:
    return canonical(error.cls.kind if error.cls is not None else error.dotted)


def start(
    machine: Machine, thing: Thing, target: Value | None, args: Arguments, keywords: Keywords, node: ast.AST
) -> None:
    """Walks what a thread, task or child process does beside the main thread."""
    thing.store["#target"] = target or FROM_OUTSIDE
    thing.store["#args"] = items("tuple", list(args))
    thing.store["#kwargs"] = Items("dict", dict(keywords.items()))
    machine.write(machine.world, ("child", id(thing)), thing)
    if thing not in machine.facts.children and not machine.arrived:
        machine.facts.children.append(thing)
    if target is None:
        return
    if machine.arrived and not machine.aside and thing.kind in (*THREADS, "asyncio.Task"):
        _start_after(machine, thing, node)
        return
    if machine.aside <= 3:
        _apart(machine, thing, lambda: _walk(machine, thing, node))


def rehearse(machine: Machine, timer: Thing, node: ast.AST) -> None:
    """Walks what a timer does, for where the signal may find it: one that sets itself anew is at it again and again."""
    known, mark = len(machine.facts.working), len(machine.trail)
    active, machine.active = machine.active, []
    try:
        _apart(machine, timer, lambda: _body(machine, timer, node))
    finally:
        machine.active = active
    machine.undo(mark)
    if "#again" not in timer.store:
        del machine.facts.working[known:]


def exits(machine: Machine, target: Value, node: ast.AST) -> bool:
    """Whether a function of the project ends the program by `os._exit()` on every way."""
    mark = len(machine.trail)
    ends: list[End] = []
    try:
        if isinstance(target, Function):
            machine.call(target, [], {}, node)
    except Leave as leave:
        ends = leave.ends
    finally:
        machine.undo(mark)
    return bool(ends) and all(end.kind == HARD for end in ends)


def _walk(machine: Machine, thing: Thing, node: ast.AST) -> None:
    if thing.kind in (*THREADS, "asyncio.Task"):
        machine.sides += [thing] if thing.kind in THREADS else []
        ends = machine.beside(lambda: _body(machine, thing, node))
        if all(end.kind == NORMAL and end.tag == CERTAIN for end in ends):
            thing.store["#ends"] = TRUE
        if thing.kind in THREADS:
            machine.sides.pop()
    else:
        mark, points = len(machine.trail), len(machine.facts.aside)
        ends = _body(machine, thing, node)
        if thing.kind == CHILD and all(end.kind in (NORMAL, HARD) and end.tag == CERTAIN for end in ends):
            thing.store["#ends"] = TRUE
        if _installed(machine, thing) in ("", "signal.SIG_DFL"):
            thing.store["#unguarded"] = TRUE
            machine.facts.unguarded.append((thing, machine.facts.aside[points:]))
        machine.undo(mark)


def _apart(machine: Machine, thing: Thing, walk: Callable[[], object]) -> None:
    """Does it with what stands around the main thread put aside."""
    machine.aside += 1
    off_main, machine.off_main = machine.off_main, machine.off_main or thing.kind not in ("asyncio.Task",)
    loops, machine.loops = machine.loops, []
    guards, machine.guards = machine.guards, []
    delay = machine.delay
    try:
        walk()
    finally:
        machine.aside -= 1
        machine.off_main = off_main
        machine.loops, machine.guards, machine.delay = loops, guards, delay


def _start_after(machine: Machine, thing: Thing, node: ast.AST) -> None:
    """A thread or task that starts after the signal, mostly to shut something down."""
    in_thread, machine.in_thread = machine.in_thread, machine.in_thread or thing.kind in THREADS
    loops, machine.loops = machine.loops, []
    before = so_far(machine)
    ends = _body(machine, thing, node)
    machine.in_thread, machine.loops = in_thread, loops
    alone = thing.kind == "asyncio.Task" or is_daemon(thing)
    if alone and all(end.kind in (NORMAL, RAISE) for end in ends):
        note_left_alone(machine, thing, before)
    machine.write(thing.store, "#finished", TRUE if any(end.kind in (NORMAL, RAISE) for end in ends) else FALSE)
    out = [end for end in ends if end.kind == HARD]
    passed = (machine.delay or 0) - (before[2] or 0)
    if out and thing.kind in THREADS and passed > 0:
        # It ends the program unless that has ended by then.
        machine.delay = before[2]
        machine.write(machine.world, "deadline", Const(passed))
        return
    if thing.kind == "asyncio.Task":
        out += [end for end in ends if end.kind == RAISE and not is_logged(end) and not is_cancelled(end)]
    if out and len(out) == len(ends):
        raise Leave(out)


def so_far(machine: Machine) -> tuple[int, int, float | None]:
    """How many waits and deeds there were since the signal, and how much time has passed."""
    return len(machine.leaving), len(machine.acts), machine.delay


def note_left_alone(machine: Machine, task: Thing, before: tuple[int, int, float | None]) -> None:
    """A task or daemon thread goes on beside the main one, which cuts it off unless it takes as long or waits for it.

    Only the time counts that passes after the task has woken the main task.
    """
    waits, deeds, began = before
    acts = machine.acts[deeds:]
    last = max((at for at, deed in enumerate(acts) if deed.kind in _WAKING), default=-1)
    began = acts[last].passed if last >= 0 else began
    earlier = {id(deed.node) for deed in acts[: last + 1]}
    rest = [point for point in machine.leaving[waits:] if id(point.node) not in earlier]
    slept = sum(point.limit or 0 for point in rest if point.kind in ("sleep", "child"))
    seconds = max(slept, (machine.delay or 0) - (began or 0))
    longer = any(point.limit is None and point.kind in ("sleep", *_FOR_OTHERS) for point in rest)
    longer = longer or (not seconds and any(point.kind == "wait-for" for point in rest))
    ends = bool(machine.runners) and machine.runners[-1].kind != "run_forever"
    if (seconds > 0 or longer) and (ends or task.kind != "asyncio.Task"):
        machine.left_alone.append((task, seconds, longer, len(machine.leaving)))


_WAKING = ("event", "flag", "cancel", "close")
_FOR_OTHERS = ("child", "queue.join")
"""Waits for what takes some time, however little."""


def is_cancelled(end: End) -> bool:
    return isinstance(end.value, Error) and end.value.dotted == "builtins.CancelledError"


def _body(machine: Machine, thing: Thing, node: ast.AST) -> list[End]:
    target = thing.store["#target"]
    args, keywords = thing.store["#args"], thing.store["#kwargs"]
    assert isinstance(args, Items) and isinstance(keywords, Items)
    outer, machine.side = machine.side, []
    machine.came_back = CERTAIN
    cancelling = machine.cancelling and thing not in machine.checking
    machine.cancelling = machine.cancelling and not cancelling
    machine.bodies.append(thing)
    depth, machine.depth = machine.depth, len(machine.frames)
    try:
        if isinstance(target, Later):
            machine.awaited(target, node)
        else:
            given = {key: value for key, value in keywords.store.items() if isinstance(key, str)}
            value = machine.call(target, args.values(), given, node)
            if isinstance(value, Later):
                machine.awaited(value, node)
        ends = [End(NORMAL, machine.came_back)]
    except Leave as leave:
        ends = leave.ends
    finally:
        machine.bodies.pop()
        machine.depth = depth
        machine.cancelling = machine.cancelling or cancelling
    ends = machine.merge(ends + machine.side)
    machine.side = outer
    return ends


def let_tasks_run(machine: Machine, seconds: Value | None) -> None:
    """After the signal the tasks beside the main task go on: one that comes to its end has done what it does."""
    if machine.running_tasks:
        return
    machine.running_tasks = True
    try:
        tasks = [thing for key, thing in machine.world.items() if isinstance(key, tuple) and key[0] == "child"]
        let_run(machine, [t for t in tasks if isinstance(t, Thing) and t.kind == "asyncio.Task"], seconds)
    finally:
        machine.running_tasks = False


def let_run(machine: Machine, tasks: Sequence[Thing], seconds: Value | None = None) -> None:
    for task in tasks:
        if not _still_runs(task):
            continue
        mark, node = len(machine.trail), task.node or machine.entry.tree
        if within(machine, seconds, lambda task=task, node=node: finishes(machine, task, node, keeps=True)) is True:  # type: ignore[misc]
            machine.write(task.store, "#finished", TRUE)
        else:
            machine.undo(mark)


def _still_runs(task: Thing) -> bool:
    return "#finished" not in task.store and "#cancelled" not in task.store and "#target" in task.store


def finishes(
    machine: Machine, thing: Thing, node: ast.AST, *, cancelled: bool = False, keeps: bool = False
) -> bool | Unknown:
    """Whether a thread, task or child comes to its end, as things are now; `keeps` what it does until then."""
    if "#finished" in thing.store or "#terminated" in thing.store:
        return is_true(thing.store.get("#finished", TRUE))
    target = thing.store.get("#target")
    if target is None or isinstance(target, Unknown):
        return LOST_TRACK
    if thing in machine.checking:
        return True
    if isinstance(target, (Name, Bound)) and not _is_known(target):
        return (thing.kind == "concurrent.futures.Future" and _returns(thing, path_of(target))) or LOST_TRACK
    mark = len(machine.trail)
    shared: Any = None
    machine.checking.append(thing)
    machine.aside += 1
    machine.resuming = True
    machine.cancelling = cancelled
    loops, machine.loops = machine.loops, []
    delay, machine.delay = machine.delay, 0.0
    private = thing.kind in (*PROCESSES, "concurrent.futures.ProcessPoolExecutor", RESULTS[0])
    settled, machine.settled = machine.settled, frozenset() if private else _settled(machine, thing)
    try:
        if private and machine.arrived:
            shared = _as_child_sees(machine)
        inside = len(machine.trail)
        ends = _body(machine, thing, node)
        machine.settled = settled
        changes = machine.undo(inside if private else mark)
        if keeps and ends and all(end.kind in (NORMAL, RAISE) and end.tag == CERTAIN for end in ends):
            machine.redo(changes)
        if shared is not None:
            _restore(machine, shared)
    finally:
        machine.aside -= 1
        machine.resuming = False
        heard, machine.cancelling = not machine.cancelling, False
        machine.checking.pop()
        machine.settled = settled
        machine.loops = loops
        own, machine.delay = machine.delay, delay
    if not machine.arrived and all(end.tag == OUTSIDE for end in ends):
        return FROM_OUTSIDE
    if cancelled and thing.kind == "asyncio.Task":
        from gracelint.behaviour.python.cancels import throws

        thing.store["#throws"] = throws(target, ends, heard)
    if any(end.kind in (NORMAL, RAISE, HARD) and end.tag < LOST for end in ends):
        raised = next((end.value for end in ends if end.kind == RAISE and not is_cancelled(end)), None)
        if raised is not None and thing.kind == "asyncio.Task" and machine.arrived:
            machine.write(thing.store, "#failed", raised)
        if machine.arrived and thing.kind in _AWAITED and (error := _certain_error(ends)) is not None:
            machine.write(thing.store, "#raises", error)
        if machine.arrived:
            machine.delay = None if own is None or delay is None else max(own, delay)
        return True
    if any(end.tag == LOST for end in ends):
        return LOST_TRACK
    end = next((end for end in ends if end.point is not None), None)
    machine.blocked_by = end.point if end is not None else None
    return False


_AWAITED = ("asyncio.Task", "concurrent.futures.Future")
"""What raises where its result is asked for what came out of it."""


def _certain_error(ends: list[End]) -> Error | None:
    """What a task raises on every way, and is not told to by being cancelled."""
    error = ends[0].value if ends else None
    sure = all(end.kind == RAISE and end.tag == CERTAIN and not is_cancelled(end) for end in ends)
    return error if sure and isinstance(error, Error) else None


def throw_out(things: Sequence[Thing]) -> None:
    """Asking for the results of tasks raises what the first of them raised."""
    for thing in things:
        if "#raises" in thing.store:
            raise Leave([End(RAISE, CERTAIN, thing.store["#raises"])])


def take_results(machine: Machine, mapped: Thing) -> None:
    """Whoever goes through what `executor.map()` gives waits for all of it."""
    join_point(machine, "result", mapped.node or machine.entry.tree, None, [mapped])
    throw_out([mapped])


def _settled(machine: Machine, thing: Thing) -> frozenset[tuple[int, Hashable]]:
    """What is as it is since the signal, for a thread or task that was there before."""
    if not machine.arrived or ("child", id(thing)) not in machine.world:
        return frozenset()
    written = machine.trail[machine.arrived_at :]
    machine.pay_for(len(written))
    return frozenset((id(store), key) for store, key, _ in written)


def _as_child_sees(machine: Machine) -> Any:
    """A child process has its own memory: it sees only what is shared between processes."""
    changes = machine.undo(machine.arrived_at)
    shared = {key: change for key, change in changes.items() if id(change[0]) in machine.shared_stores}
    machine.redo(shared)
    return changes


def _restore(machine: Machine, changes: Any) -> None:
    machine.undo(machine.arrived_at)
    machine.redo(changes)


def _returns(task: Thing, path: str) -> bool:
    """Whether a call of a library that an executor runs comes back by itself, as nearly all do."""
    words, last = table("python")["words"], path.rpartition(".")[2]
    named = task.store.get("#kwargs")
    is_limited = isinstance(named, Items) and any(name in named.store for name in words["timeouts"])
    return bool(path) and not may_serve(last) and (last not in words["may_wait"] or is_limited)


def _installed(machine: Machine, process: Thing) -> str:
    """What a process of the program has for SIGTERM: its own, or what it inherits."""
    own = process.store.get(("own", "SIGTERM"))
    inherited = machine.world.get(("signal", "SIGTERM"))
    if own is None and inherited is not None:
        return path_of(inherited.handler) if isinstance(inherited, Registration) else "?"
    return "" if own is None else path_of(own) or "?"


def ends_of(machine: Machine, child: Thing, name: str | None) -> Value:
    """Whether a process of the program ends of a signal; how long that takes is noted."""
    handler = child.store.get(("own", name), child.store.get("#handler", NONE))
    if name == "SIGKILL" or handler is NONE or path_of(handler) == "signal.SIG_DFL":
        return TRUE
    if name is None or not isinstance(handler, Function):
        return FALSE if path_of(handler) == "signal.SIG_IGN" else LOST_TRACK
    around, before = (machine.off_main, machine.in_child), machine.delay
    machine.off_main = machine.in_child = True
    machine.told = child, name
    try:
        answer = finishes(machine, child, child.node or handler.node)
    finally:
        machine.off_main, machine.in_child = around
        machine.told = None
    takes = None if machine.delay is None else machine.delay - (before or 0)
    machine.delay = before
    machine.write(child.store, "#takes", Const(takes))
    return Const(answer) if isinstance(answer, bool) else answer


def is_deaf(process: Thing) -> bool:
    """Whether a process of the program ignores SIGTERM, so that terminate() does nothing to it."""
    return path_of(process.store.get(("own", "SIGTERM"), NONE)) == "signal.SIG_IGN"


def _is_known(target: Name | Bound) -> bool:
    path = path_of(target)
    knowledge = table("python")
    return (
        path in MODELS
        or path.startswith("builtins.")
        or any(path in knowledge[part] for part in ("wait", "server", "consumer"))
        or (isinstance(target, Bound) and target.name in METHODS and fits(target.name, path_of(target.receiver)))
    )


def join_point(
    machine: Machine,
    kind: str,
    node: ast.AST,
    seconds: Value | None,
    things: Sequence[Thing],
    group: Thing | None = None,
    raises: str | None = None,
    fails: bool = False,
) -> Value:
    """Waits until threads, tasks or children are done, or, with `fails`, until one of them raises something.

    `raises` is what is raised where they are not in time.
    """
    point = Point(node, machine.module, kind, seconds, text_of(node))
    point.joins = tuple(things)
    if seconds is None and not things:
        return FROM_OUTSIDE

    def ready() -> bool | Unknown:
        return within(machine, seconds, done)

    def done() -> bool | Unknown:
        if group is not None and machine.arrived:
            let_run(machine, things)
        cancelled = group is not None and "#cancelled" in group.store
        answers = [_finishes_in(machine, thing, point, cancelled=cancelled) for thing in things]
        if kind == "task group" and any("#failed" in thing.store for thing in things):
            return True
        if fails and any("#raises" in thing.store for thing in things):
            return True
        if any(answer is False for answer in answers):
            return False
        return next((answer for answer in answers if isinstance(answer, Unknown)), True)

    try:
        value = machine.wait(point, ready=ready, raises=raises)
        if not machine.arrived and not machine.aside and done() is True:
            for thing in things:
                if thing.kind in (*THREADS, "asyncio.Task"):
                    machine.write(thing.store, "#finished", TRUE)
        return value
    except Leave as leave:
        is_left = machine.arrival is point and machine.thrown is not None
        things = () if is_left or any(map(is_cancelled, leave.ends)) else things
        raise
    finally:
        for thing in things:
            if thing not in machine.outlasting and not _outlasts(machine, thing, point.limit):
                machine.close(thing, "join")


def _outlasts(machine: Machine, task: Thing, seconds: float | None) -> bool:
    """Whether a task that was started on the way out takes longer than it is waited for."""
    return seconds is not None and any(one is task and takes > seconds for one, takes, *_ in machine.left_alone)


def _finishes_in(machine: Machine, thing: Thing, point: Point, *, cancelled: bool) -> bool | Unknown:
    """Whether something comes to its end; noted where a wait for it is given up before that."""
    before = machine.delay
    keeps = machine.arrived and thing.kind in THREADS
    answer = finishes(machine, thing, point.node, cancelled=cancelled, keeps=keeps)
    own = (machine.delay or 0) - (before or 0)
    if thing.kind in THREADS and point.limit is not None:
        own = max(own, _round_of(machine, thing))
    if answer is not True or not machine.arrived or point.limit is None or own <= point.limit:
        machine.outlasting.discard(thing)
        return answer
    if is_daemon(thing) or is_at_work(machine, thing):
        machine.given_up.append((thing, point.what, point.limit, own))
    machine.outlasting.add(thing)
    if thing.kind != "asyncio.Task":
        return answer
    machine.delay = before
    return False


def _round_of(machine: Machine, thread: Thing) -> float:
    """Seconds that a round takes in whose middle the signal may find a thread."""
    from gracelint.behaviour.python.midway import is_amid_work
    from gracelint.behaviour.python.work import a_round

    pauses = [pause for thing, pause in machine.facts.working if thing is thread and is_amid_work(pause)]
    loops = [pause.loops[0].node for pause in pauses if pause.loops]
    return max((a_round(loop, machine.modules.sources()) for loop in loops), default=0.0)


def is_at_work(machine: Machine, task: Thing) -> bool:
    """Whether a task has something to lose: it is begun on the way out, or the signal finds it amid its work."""
    from gracelint.behaviour.python.midway import is_half_done, left_to_do

    pauses = [pause for thing, pause in machine.facts.working if thing is task]
    lost = any(is_half_done(pause) or left_to_do(pause)[1] is not None for pause in pauses)
    return task.kind == "asyncio.Task" and (lost or task not in machine.facts.children)


def within(machine: Machine, seconds: Value | None, done: Callable[[], bool | Unknown]) -> bool | Unknown:
    """Whether something is done before a timeout: what takes longer is not, and only the timeout's time passes."""
    before = machine.delay
    answer = done()
    limit = seconds.value if isinstance(seconds, Const) and isinstance(seconds.value, (int, float)) else None
    if limit is None or answer is not True or before is None:
        return answer
    if machine.delay is None or machine.delay - before > limit:
        machine.delay = before
        return False
    return answer


def run_loop(machine: Machine, kind: str, node: ast.AST, body: Callable[[], Value], loop: Thing | None = None) -> Value:
    """Runs an event loop until its main task is done."""
    runner = Thing(kind, node, machine.module)
    if loop is not None:
        runner.store["#loop"] = loop
    main = Thing("asyncio.Task", node, machine.module)
    main.store["#main"] = TRUE
    runner.store["#main"] = main
    machine.runners.append(runner)
    outer, machine.side = machine.side, []
    value: Value = NONE
    try:
        value = body()
        ends = [End(NORMAL)]
    except Leave as leave:
        ends = leave.ends
    finally:
        machine.runners.pop()
    ends = machine.merge(ends + machine.side)
    machine.side = outer
    return _loop_ended(machine, runner, ends, value, node)


def _loop_ended(machine: Machine, runner: Thing, ends: list[End], value: Value, node: ast.AST) -> Value:
    thrown = runner.store.get("#exit")
    if runner.kind == "asyncio.run" and machine.arrived and any(end.kind in (NORMAL, RAISE) for end in ends):
        _cancel_rest(machine, node)
    if thrown is not None and any(end.kind in (NORMAL, RAISE, ABANDON) for end in ends):
        rest = [end for end in ends if end.kind in FINAL and end.kind != ABANDON]
        raise Leave([*rest, End(RAISE, CERTAIN, thrown)])
    leaving = [end for end in ends if end.kind != NORMAL]
    if len(leaving) == len(ends):
        raise Leave(leaving)
    machine.side += leaving
    return value


def _cancel_rest(machine: Machine, node: ast.AST) -> None:
    """asyncio.run() cancels the tasks that are left and waits for them."""
    tasks = [thing for key, thing in machine.world.items() if isinstance(key, tuple) and key[0] == "child"]
    for task in tasks:
        if isinstance(task, Thing) and task.kind == "asyncio.Task" and "#finished" not in task.store:
            task.store["#unwound"] = TRUE
            answer = finishes(machine, task, node, cancelled=True)
            if answer is not True:
                point = Point(
                    task.node or node, task.module or machine.module, "task", None, text_of(task.node or node)
                )
                raise stuck(point, "exit blocked", answer.tag if isinstance(answer, Unknown) else CERTAIN)


def wakes_by_itself(machine: Machine) -> bool:
    """Whether an event loop has a timer now and then: a task pauses or gives up a wait, a callback sets itself anew.

    What a thread waits for wakes no loop.
    """
    elsewhere = {id(point) for thing, point in machine.facts.working if thing.kind != "asyncio.Task"}
    pauses = any(point.seconds is not None and id(point) not in elsewhere for point in machine.facts.aside)
    return pauses or "timer set anew" in machine.world
