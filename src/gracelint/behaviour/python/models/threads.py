"""Threads, timers, processes, executors and pools."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import ends_of, exits, is_deaf, join_point, rehearse, start, throw_out
from gracelint.behaviour.python.ends import RAISE, End, Point, Registration, stuck
from gracelint.behaviour.python.names import canonical, is_false, is_none, is_true, path_of, text_of
from gracelint.behaviour.python.registry import (
    EXECUTORS,
    EXITS,
    INITS,
    POOLS,
    PROCESSES,
    RESULTS,
    SPAWNED,
    THREADS,
    TIMERS,
    argument,
    limit,
    model,
    receiver_of,
)
from gracelint.behaviour.python.streams import last_name
from gracelint.behaviour.python.values import (
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
    TRUE,
    Bound,
    Const,
    Error,
    Function,
    Items,
    Name,
    Thing,
    Value,
    items,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model(*SPAWNED)
def _thread(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    _init_thread(machine, thing, args, keywords, node)
    return thing


def _count(machine: Machine, thing: Thing) -> None:
    """One that is made in a loop of an unknown length stands for many."""
    if machine.repeats:
        thing.store["#many"] = TRUE


def _init_thread(machine: Machine, thing: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    assert isinstance(thing, Thing)
    _count(machine, thing)
    row = SPAWNED.get(canonical(thing.kind), SPAWNED["threading.Thread"])
    target = argument(args, keywords, *row["target"])
    given = argument(args, keywords, *row["args"])
    if "interval" in row:
        thing.store["#interval"] = argument(args, keywords, *row["interval"]) or FROM_OUTSIDE
    if target is not None and not is_none(target):
        thing.store["#given"] = target
    thing.store["#arguments"] = given if given is not None else items("tuple", [])
    thing.store["#keywords"] = keywords.get("kwargs", Items("dict", {}))
    daemon = keywords.get("daemon")
    if daemon is not None and not is_none(daemon):
        thing.store["daemon"] = daemon
    return NONE


@model(*(f"{kind}.__init__" for kind in SPAWNED))
def _super_init(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None and args and isinstance(args[0], Thing):
        thing, args = args[0], args[1:]
    return NONE if thing is None else _init_thread(machine, thing, args, keywords, node)


for _kind in SPAWNED:
    INITS[_kind] = _init_thread


@model(*(f"{kind}.start" for kind in SPAWNED), *(f"{kind}.run" for kind in THREADS if kind in SPAWNED))
def _start(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None:
        return NONE
    kind = canonical(thing.kind)
    if kind in TIMERS:
        _start_timer(machine, thing, node)
        return NONE
    target = thing.store.get("#given")
    run = thing.cls.find("run") if thing.cls is not None else None
    if isinstance(run, Function):
        target = run.bind(thing)
    given, named = thing.store.get("#arguments"), thing.store.get("#keywords")
    thing.kind = kind
    if any(isinstance(loop.node, (ast.While, ast.AsyncFor)) for loop in machine.loops):
        thing.store["#again"] = TRUE
    in_child, machine.in_child = machine.in_child, machine.in_child or kind in PROCESSES
    if kind in PROCESSES and "#inherits" not in thing.store:
        thing.store["#inherits"] = machine.world.get(("signal", "SIGTERM"), NONE)
    if kind in PROCESSES:
        thing.store["#target"] = target or FROM_OUTSIDE
    if isinstance(function, Bound) and machine.handling and not machine.aside:
        machine.act(
            "shutdown-thread" if isinstance(target, Bound) and target.name == "shutdown" else "call",
            text_of(node),
            node,
        )
    try:
        start(
            machine,
            thing,
            target,
            given.values() if isinstance(given, Items) else [FROM_OUTSIDE],
            {k: v for k, v in named.store.items() if isinstance(k, str)} if isinstance(named, Items) else {},
            node,
        )
    finally:
        machine.in_child = in_child
    return NONE


def _start_timer(machine: Machine, thing: Thing, node: ast.AST) -> None:
    """A timer bounds the time that a stop can take, if what it does ends the process."""
    target = thing.store.get("#given")
    interval = thing.store.get("#interval")
    at_work = machine.bodies[-1] if machine.bodies else None
    if at_work is not None and at_work.kind in TIMERS and isinstance(target, Function) and not machine.arrived:
        own = at_work.store.get("#target")
        at_work.store["#again"] = TRUE if isinstance(own, Function) and own.node is target.node else NONE
        return
    if machine.timers_set is not True:
        machine.timers_set = LOST_TRACK if machine.forks else True
    if isinstance(target, Function) and target.node in machine.active and not machine.aside:
        thing.store["#target"], thing.store["#args"], thing.store["#kwargs"] = (
            target,
            items("tuple", []),
            Items("dict", {}),
        )
        machine.write(machine.world, ("child", id(node)), thing)
    elif isinstance(target, Function) and not machine.arrived and not machine.in_child:
        given = thing.store.get("#arguments")
        thing.store["#target"], thing.store["#kwargs"] = target, Items("dict", {})
        thing.store["#args"] = given if isinstance(given, Items) else items("tuple", [])
        thing.store["#may have fired"] = TRUE
        machine.write(machine.world, ("child", id(thing)), thing)
        if not machine.aside:
            rehearse(machine, thing, node)
    if (
        machine.arrived
        and target is not None
        and isinstance(interval, Const)
        and (path_of(target) in ("os._exit", "os.kill", "os.abort") or exits(machine, target, node))
    ):
        machine.facts.drain = (float(interval.value), node, machine.module)
        machine.write(machine.world, "deadline", interval)


@model(*(f"{kind}.join" for kind in SPAWNED))
def _join(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None:
        return NONE
    machine.close(thing, "end")
    if ("child", id(thing)) not in machine.world:
        return NONE
    join_point(machine, "join", node, limit(args, keywords, 0), [thing])
    return NONE


@model(*(f"{kind}.{method}" for kind in PROCESSES for method in ("terminate", "kill")))
def _terminate(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None:
        return NONE
    machine.act("stop-child", text_of(node), node)
    machine.close(thing, "end")
    inherited = NONE if ("own", "SIGTERM") in thing.store else thing.store.get("#inherits")
    assert isinstance(function, Bound)
    if function.name == "terminate" and is_deaf(thing):
        return NONE
    if function.name == "terminate" and isinstance(thing.store.get(("own", "SIGTERM")), Function) and machine.arrived:
        _tell(machine, thing)
        return NONE
    if function.name == "terminate" and isinstance(inherited, Registration):
        machine.doubt("the child inherits the handler of its parent, so terminate() may not end it")
        machine.write(thing.store, "#finished", LOST_TRACK)
    else:
        machine.write(thing.store, "#terminated", TRUE)
    return NONE


def _tell(machine: Machine, process: Thing) -> None:
    """A process with a handler of its own ends by that, which takes its time."""
    machine.write(process.store, "#finished", ends_of(machine, process, "SIGTERM"))
    takes = process.store.get("#takes")
    if isinstance(takes, Const) and machine.delay is not None:
        machine.delay = None if takes.value is None else max(machine.delay, takes.value)


@model("threading.main_thread", "threading.current_thread", "threading.currentThread")
def _main_thread(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return FROM_OUTSIDE if machine.off_main else Name("threading.the_main_thread")


@model(*EXECUTORS)
def _executor(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    machine.write(machine.world, ("child", id(thing)), thing)
    if not machine.arrived:
        machine.facts.children.append(thing)
    return thing


@model(*(f"{kind}.{method}" for kind in EXECUTORS for method in ("submit", "map")), "asyncio.loop.run_in_executor")
def submit(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    path = path_of(function)
    executor = receiver_of(function)
    offset = 1
    if path.endswith("run_in_executor"):
        executor = args[0] if args and isinstance(args[0], Thing) else None
        offset = 2
    task = Thing("concurrent.futures.Future", node, machine.module)
    target = args[offset - 1] if len(args) >= offset else None
    process = executor is not None and executor.kind.endswith("ProcessPoolExecutor")
    task.kind = executor.kind if process and executor is not None else "concurrent.futures.Future"
    around = next((loop.node for loop in reversed(machine.loops) if isinstance(loop.node, ast.While)), None)
    if executor is not None and around is not None:
        task.store["#loop"] = Const(around)
    if executor is not None:
        task.store["#executor"] = executor
        if machine.repeats or ("task", id(node)) in executor.store:
            executor.store["#many"] = TRUE
    if target is None:
        return task
    rest = list(args[offset:])
    if path.endswith(".map"):
        rest = [FROM_OUTSIDE for _ in rest]
        task.store["#mapped"] = TRUE
    task.store["#target"], task.store["#args"] = target, items("tuple", rest)
    task.store["#kwargs"] = Items("dict", dict(keywords.items()))
    if executor is not None:
        machine.facts.handed.append((executor, task))
        machine.write(executor.store, ("task", id(node)), task)
    else:
        # The loop's default executor is joined at exit.
        task.store["#default"] = TRUE
        machine.write(machine.world, ("child", id(node)), task)
    return task


def _shutdown_executor(machine: Machine, thing: Thing, expression: ast.AST) -> None:
    machine.close(thing, "end")
    tasks = [task for task in thing.store.values() if isinstance(task, Thing)]
    join_point(machine, "executor", expression, None, tasks)
    machine.write(thing.store, "#terminated", TRUE)


@model(*(f"{kind}.shutdown" for kind in EXECUTORS))
def _shutdown(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    wait = argument(args, keywords, 0, "wait")
    if thing is not None and machine.arrived and is_true(keywords.get("cancel_futures")):
        machine.write(thing.store, "#cancelled", TRUE)
    if thing is not None and not is_false(wait):
        _shutdown_executor(machine, thing, node)
    return NONE


for _kind in EXECUTORS:
    EXITS[_kind] = _shutdown_executor


@model("concurrent.futures.Future.result", "concurrent.futures.Future.exception")
def _result(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        join_point(machine, "result", node, limit(args, keywords, 0), [thing], raises="builtins.TimeoutError")
        throw_out([thing] if path_of(function).endswith(".result") else ())
        executor = thing.store.get("#executor")
        if isinstance(executor, Thing) and "#cancelled" in executor.store and "#many" in executor.store:
            machine.doubt(f"whether `{text_of(node)}` raises CancelledError is only known when it runs")
            machine.side.append(End(RAISE, LOST, Error("concurrent.futures.CancelledError")))
    return FROM_OUTSIDE


@model("concurrent.futures.wait", "concurrent.futures.as_completed")
def _wait_futures(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    known = machine.elements(args[0]) if args else None
    things = [value for value in known or [] if isinstance(value, Thing)]
    join_point(machine, "futures", node, limit(args, keywords, 1), things)
    return FROM_OUTSIDE


@model(*POOLS)
def _pool(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    if thing.kind == "multiprocessing.Pool" and argument(args, keywords, 1, "initializer") is None:
        thing.store["#inherits"] = machine.world.get(("signal", machine.signal or "SIGTERM"), NONE)
        machine.write(machine.world, "pool", thing)
    initializer = argument(args, keywords, 1, "initializer")
    if isinstance(initializer, Function) and _ignores_the_end(initializer.node):
        thing.store["#deaf"] = TRUE
    if not machine.arrived:
        machine.facts.children.append(thing)
    return thing


def _ignores_the_end(initializer: ast.AST) -> bool:
    """`signal.signal(signal.SIGTERM, signal.SIG_IGN)`."""
    calls = (part for part in ast.walk(initializer) if isinstance(part, ast.Call) and len(part.args) == 2)
    return any([last_name(one) for one in call.args] == ["SIGTERM", "SIG_IGN"] for call in calls)


@model(
    *(
        f"{kind}.{method}"
        for kind in POOLS
        for method in ("map", "starmap", "apply", "imap", "imap_unordered", "close", "apply_async", "map_async")
    )
)
def _pool_work(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    assert isinstance(function, Bound)
    pool = receiver_of(function)
    if pool is not None and args:
        pool.store["#work"] = task = _task_of(machine, function, args[0], node)
        machine.facts.handed.append((pool, task))
    if pool is not None and args and function.name.endswith("_async"):
        result = _task_of(machine, function, args[0], node)
        result.kind = f"{pool.kind}.AsyncResult"
        return result
    if function.name in ("map", "starmap", "apply"):
        point = Point(node, machine.module, "pool", Const(0), text_of(node))
        machine.wait(point)
    if function.name.startswith("imap") and len(args) > 1:
        return args[1]
    return FROM_OUTSIDE


@model(*(f"{kind}.{method}" for kind in RESULTS for method in ("get", "wait")))
def _result_of_pool(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        join_point(machine, "result", node, limit(args, keywords, 0), [thing])
    return FROM_OUTSIDE


def _task_of(machine: Machine, function: Bound, target: Value, node: ast.AST) -> Thing:
    """What a pool's workers do for each item."""
    task = Thing("multiprocessing.Process", node, machine.module)
    task.store["#target"], task.store["#args"] = target, items("tuple", [FROM_OUTSIDE])
    task.store["#kwargs"] = Items("dict", {})
    if function.name in ("map", "starmap", "apply"):
        task.store["#awaited"] = TRUE
    return task


@model(*(f"{kind}.{method}" for kind in POOLS for method in ("terminate", "join")))
def _pool_end(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        machine.close(thing, "end")
        assert isinstance(function, Bound)
        if function.name == "terminate":
            _terminate_pool(machine, thing, node)
        elif machine.arrived and "#terminated" not in thing.store:
            machine.write(thing.store, "#joined", TRUE)
    return NONE


def _terminate_pool(machine: Machine, thing: Thing, node: ast.AST) -> None:
    """terminate() sends SIGTERM to workers, which inherited the handler of their parent."""
    machine.close(thing, "end")
    if machine.arrived and "#deaf" in thing.store:
        raise stuck(Point(node, machine.module, "deaf pool", None, text_of(node)), "pool")
    inherits = machine.arrived and isinstance(thing.store.get("#inherits"), Registration)
    thrown = machine.thrown.dotted if machine.thrown is not None else "builtins.SystemExit"
    if inherits and thrown not in ("builtins.SystemExit", "builtins.KeyboardInterrupt"):
        raise stuck(Point(node, machine.module, "pool", None, text_of(node)), "pool")
    machine.write(thing.store, "#terminated", TRUE)


for _kind in POOLS:
    EXITS[_kind] = _terminate_pool
