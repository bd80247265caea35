"""What single calls of the standard library do to the machine."""

from __future__ import annotations

import ast

from gracelint.parse.python.ends import (
    ABANDON,
    EXEC,
    FINAL,
    HARD,
    KILLED,
    NORMAL,
    RAISE,
    End,
    Leave,
    Point,
    Registration,
    Served,
    stuck,
)
from gracelint.parse.python.library import (
    AWAITED,
    EVENTS,
    EXECUTORS,
    EXITS,
    INITS,
    METHODS,
    MODELS,
    NUMBERS,
    POOLS,
    PROCESSES,
    canonical,
    child_of,
    comparable,
    elsewhere,
    environment,
    finishes,
    is_false,
    is_none,
    is_true,
    join_point,
    length_of,
    path_of,
    signal_of,
    start,
    text_of,
    words_of,
)
from gracelint.parse.python.values import (
    CERTAIN,
    FALSE,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
    TRUE,
    Bound,
    Class,
    Const,
    Error,
    Function,
    Items,
    Later,
    ModuleValue,
    Name,
    Partial,
    Super,
    Thing,
    Unknown,
    Value,
    derives,
    items,
)
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gracelint.parse.python.library import Model
    from gracelint.parse.python.machine import Machine

    Arguments = Sequence[Value]
    Keywords = dict[str, Value]


def model(*paths: str, into: dict[str, Model] = MODELS) -> Callable[[Model], Model]:
    def register(function: Model) -> Model:
        for path in paths:
            into[path] = function
        return function

    return register


def argument(args: Arguments, keywords: Keywords, position: int, name: str) -> Value | None:
    return args[position] if len(args) > position else keywords.get(name)


def receiver_of(function: Value) -> Thing | None:
    return function.receiver if isinstance(function, Bound) and isinstance(function.receiver, Thing) else None


# -- signals -------------------------------------------------------------------------------------------------------


@model("signal.signal", "asyncio.loop.add_signal_handler")
def _register(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    number = argument(args, keywords, 0, "signalnum") or keywords.get("sig") or FROM_OUTSIDE
    handler = argument(args, keywords, 1, "handler") or keywords.get("callback") or FROM_OUTSIDE
    on_loop = isinstance(function, Bound)
    if on_loop and len(args) > 2:
        handler = Partial(handler, args[2:], {})
    name = signal_of(number)
    if machine.off_main:
        return _register_off_main(machine, handler, node, name)
    if name is None:
        machine.doubt(f"which signal `{text_of(node)}` handles is only known when it runs")
        for each in NUMBERS if machine.world is not None else ():
            machine.write(machine.world, ("signal", each), LOST_TRACK)
        return NONE
    before = machine.world.get(("signal", name), Name("signal.SIG_DFL"))
    if name in ("SIGKILL", "SIGSTOP"):
        return NONE
    registration = next((r for r in machine.facts.registrations if r.node is node and r.handler is handler), None)
    if registration is None:
        registration = Registration(handler, node, machine.module)
        registration.loop = on_loop
        machine.facts.registrations.append(registration)
    if name not in registration.signals:
        registration.signals.append(name)
        if isinstance(node, ast.Call) and node.args:
            registration.names.append(node.args[0])
    if not machine.aside and machine.facts.installed_at is None:
        machine.facts.installed_at = len(machine.facts.points)
    registration.certain = registration.certain and not machine.forks
    if machine.handling and path_of(handler) == "signal.SIG_DFL":
        machine.act("default", name, node)
    machine.write(machine.world, ("signal", name), handler if isinstance(handler, Unknown) else registration)
    return before.handler if isinstance(before, Registration) else before


def _register_off_main(machine: Machine, handler: Value, node: ast.AST, name: str | None) -> Value:
    if machine.in_child:
        return NONE
    registration = Registration(handler, node, machine.module)
    registration.main_thread = False
    registration.signals = [name] if name else []
    if not any(known.node is node for known in machine.facts.registrations):
        machine.facts.registrations.append(registration)
    raise Leave([End(RAISE, CERTAIN, Error("builtins.ValueError"))])


@model("asyncio.loop.remove_signal_handler")
def _unregister(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    name = signal_of(args[0]) if args else None
    if name is not None:
        machine.write(machine.world, ("signal", name), Registration(Name("signal.SIG_DFL"), node, machine.module))
    return TRUE


@model("signal.getsignal")
def _getsignal(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    name = signal_of(args[0]) if args else None
    found = machine.world.get(
        ("signal", name), Name("signal.default_int_handler" if name == "SIGINT" else "signal.SIG_DFL")
    )
    return found.handler if isinstance(found, Registration) else found


@model("signal.pause")
def _pause(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    point = Point(node, machine.module, "pause", None, text_of(node))
    return machine.wait(point, ready=lambda: machine.arrival is point)


@model("signal.sigwait", "signal.sigwaitinfo")
def _sigwait(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    point = Point(node, machine.module, "sigwait", None, text_of(node))
    known = machine.elements(args[0]) if args else None
    names = [signal_of(value) for value in known] if known is not None else list(NUMBERS)
    point.handles = tuple(name for name in names if name)
    if known is not None and not machine.arrived:
        registration = Registration(Name("signal.sigwait"), node, machine.module)
        registration.signals = list(point.handles)
        machine.facts.registrations.append(registration)
    number = Const(NUMBERS.get(machine.signal, 15))
    return machine.wait(point, ready=lambda: machine.arrival is point and machine.served, value=number)


@model("signal.sigtimedwait")
def _sigtimedwait(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    point = Point(node, machine.module, "sigwait", args[1] if len(args) > 1 else FROM_OUTSIDE, text_of(node))
    known = machine.elements(args[0]) if args else None
    point.handles = tuple(name for name in map(signal_of, known or ()) if name)
    machine.wait(point, ready=lambda: machine.arrival is point and machine.served)
    if machine.arrived:
        return Thing("signal.struct_siginfo", node, machine.module) if machine.arrival is point else NONE
    return FROM_OUTSIDE


@model("signal.pthread_sigmask", "signal.sigprocmask")
def _mask(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    how = path_of(args[0]).rpartition(".")[2] if args else ""
    known = machine.elements(args[1]) if len(args) > 1 else None
    for name in (signal_of(value) for value in known or ()):
        if name and how in ("SIG_BLOCK", "SIG_SETMASK"):
            machine.write(machine.world, ("masked", name), TRUE)
        elif name and how == "SIG_UNBLOCK" and ("masked", name) in machine.world:
            machine.doubt(f"whether {name} is blocked is only known when it runs")
    return FROM_OUTSIDE


@model("anyio.open_signal_receiver", "trio.open_signal_receiver", "gevent.signal_handler", "gevent.signal")
def _receive(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Handlers of other event loops."""
    for name in (signal_of(value) for value in args):
        if name is not None:
            machine.write(machine.world, ("signal", name), LOST_TRACK)
    machine.doubt(f"what comes of the signal that `{text_of(node)}` takes is not followed")
    return FROM_OUTSIDE


@model("signal.set_wakeup_fd", "signal.signalfd")
def _wakeup(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.doubt("signals are read from a file descriptor")
    return NONE


@model("signal.alarm", "signal.setitimer")
def _alarm(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if machine.arrived:
        machine.doubt(f"what happens when `{text_of(node)}` rings is not followed")
    return NONE


@model("signal.Signals")
def _signals(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    name = signal_of(args[0]) if args else None
    return Name(f"signal.{name}") if name else FROM_OUTSIDE


@model("signal.default_int_handler")
def _interrupt(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.act("interrupt", "", node)
    raise Leave([End(RAISE, CERTAIN, Error("builtins.KeyboardInterrupt"))])


@model("os.kill", "signal.raise_signal", "os.killpg", "signal.pthread_kill")
def _kill(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    path = path_of(function)
    name = signal_of(args[-1]) if args else None
    itself = path == "signal.raise_signal" or (
        bool(args)
        and (
            path_of(args[0]) in ("os.getpid", "os.getpgrp", "os.getpgid", "threading.main_thread.ident")
            or _is_zero(args[0])
        )
    )
    if not itself:
        _signal_child(machine, args[0] if args else FROM_OUTSIDE, name, node)
        return NONE
    if name is None or not machine.arrived:
        return NONE
    if name == "SIGKILL":
        machine.act("hard-exit", name, node)
        machine.raised_default = True
        if machine.pid_1:
            return NONE
        raise Leave([End(HARD)])
    installed = machine.world.get(("signal", name))
    if isinstance(installed, Registration) and path_of(installed.handler) not in ("signal.SIG_DFL", "signal.SIG_IGN"):
        if machine.handling < 3 and name != machine.signal:
            machine.call(installed.handler, [Const(NUMBERS[name]), FROM_OUTSIDE], {}, node)
        return NONE
    if installed is None and name == "SIGINT":
        return _interrupt(machine, function, args, keywords, node)
    machine.act("default", name, node)
    machine.raised_default = True
    if not machine.pid_1 and path_of(getattr(installed, "handler", NONE)) != "signal.SIG_IGN":
        raise Leave([End(KILLED)])
    return NONE


def _is_zero(value: Value) -> bool:
    return isinstance(value, Const) and value.value == 0 and value.value is not False


def _signal_child(machine: Machine, target: Value, name: str | None, node: ast.AST) -> None:
    """`os.kill(child.pid, signal)`."""
    receiver = target.receiver if isinstance(target, Bound) else None
    if isinstance(receiver, Thing) and machine.arrived:
        _forward(machine, receiver, name, node)
    elif machine.handling:
        machine.doubt(f"which process `{text_of(node)}` signals is only known when it runs")
        machine.act("stop-child", "", node)


# -- leaving -------------------------------------------------------------------------------------------------------


@model("sys.exit", "builtins.exit", "builtins.quit")
def _exit(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.act("exit", "", node)
    raise Leave([End(RAISE, CERTAIN, Error("builtins.SystemExit"))])


@model("os._exit", "os.abort")
def _hard_exit(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.act("hard-exit", "", node)
    point = Point(node, machine.module, "exit", None, text_of(node))
    end = End(HARD)
    end.point = point
    raise Leave([end])


@model("os.execv", "os.execve", "os.execvp", "os.execvpe", "os.execl", "os.execle", "os.execlp", "os.execlpe")
def _exec(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    listed = path_of(function).startswith("os.execv")
    argv: Value = args[1] if listed and len(args) > 1 else items("list", args[1:])
    if path_of(function) in ("os.execle", "os.execlpe"):
        argv = items("list", args[1:-1])
    words = words_of(machine, argv, node)
    file = args[0] if args else FROM_OUTSIDE
    if words and isinstance(file, Const) and isinstance(file.value, str):
        words = (Word(file.value, words[0].span), *words[1:])
    if machine.facts.replaced_by is None and not machine.aside:
        machine.facts.replaced_by = words
    point = Point(node, machine.module, "exec", None, text_of(node))
    end = End(EXEC)
    end.point = point
    raise Leave([end])


@model("atexit.register")
def _atexit(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args:
        hooks = machine.world.get("atexit")
        known = hooks.values() if isinstance(hooks, Items) else []
        machine.write(machine.world, "atexit", items("list", [*known, Partial(args[0], args[1:], keywords)]))
    return args[0] if args else NONE


# -- events --------------------------------------------------------------------------------------------------------


@model(*EVENTS)
def _event(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    thing.store["#set"] = FALSE
    if thing.kind.startswith("multiprocessing."):
        machine.shared_stores.add(id(thing.store))
    return thing


@model(*(f"{kind}.{method}" for kind in EVENTS for method in ("set", "clear")))
def _set_event(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        assert isinstance(function, Bound)
        machine.write(thing.store, "#set", TRUE if function.name == "set" else FALSE)
        machine.act("event", text_of(node), node)
    return NONE


@model(*(f"{kind}.is_set" for kind in EVENTS), *(f"{kind}.isSet" for kind in EVENTS))
def _is_set(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    return FROM_OUTSIDE if thing is None else thing.store.get("#set", FALSE)


@model(*(f"{kind}.wait" for kind in EVENTS if not kind.startswith("asyncio")))
def _wait_event(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    seconds = argument(args, keywords, 0, "timeout")
    point = Point(
        node, machine.module, "event-wait", None if seconds is None or is_none(seconds) else seconds, text_of(node)
    )

    def ready() -> bool | Unknown:
        return FROM_OUTSIDE if thing is None else machine.truth(thing.store.get("#set", FALSE))

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


# -- threads, processes, executors ---------------------------------------------------------------------------------


@model("threading.Thread", "threading.Timer", "multiprocessing.Process")
def _thread(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    _init_thread(machine, thing, args, keywords, node)
    return thing


def _init_thread(machine: Machine, thing: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    assert isinstance(thing, Thing)
    kind = canonical(thing.kind)
    if kind == "threading.Timer":
        target = argument(args, keywords, 1, "function")
        given = argument(args, keywords, 2, "args")
        thing.store["#interval"] = argument(args, keywords, 0, "interval") or FROM_OUTSIDE
    else:
        target = argument(args, keywords, 1, "target")
        given = argument(args, keywords, 3, "args")
    if target is not None and not is_none(target):
        thing.store["#given"] = target
    thing.store["#arguments"] = given if given is not None else items("tuple", [])
    thing.store["#keywords"] = keywords.get("kwargs", Items("dict", {}))
    daemon = keywords.get("daemon")
    if daemon is not None and not is_none(daemon):
        thing.store["daemon"] = daemon
    return NONE


@model(*(f"{kind}.__init__" for kind in ("threading.Thread", "multiprocessing.Process", "threading.Timer")))
def _super_init(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None and args and isinstance(args[0], Thing):
        thing, args = args[0], args[1:]
    return NONE if thing is None else _init_thread(machine, thing, args, keywords, node)


for _kind in ("threading.Thread", "multiprocessing.Process", "threading.Timer"):
    INITS[_kind] = _init_thread


@model("threading.Thread.start", "threading.Timer.start", "multiprocessing.Process.start", "threading.Thread.run")
def _start(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None:
        return NONE
    kind = canonical(thing.kind)
    if kind == "threading.Timer":
        _start_timer(machine, thing, node)
        return NONE
    target = thing.store.get("#given")
    run = thing.cls.find("run") if thing.cls is not None else None
    if isinstance(run, Function):
        target = run.bind(thing)
    given, named = thing.store.get("#arguments"), thing.store.get("#keywords")
    thing.kind = kind
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
    machine.timers_set = True
    if isinstance(target, Function) and target.node in machine.active and not machine.aside:
        thing.store["#target"], thing.store["#args"], thing.store["#kwargs"] = (
            target,
            items("tuple", []),
            Items("dict", {}),
        )
        machine.write(machine.world, ("child", id(node)), thing)
    if (
        machine.arrived
        and target is not None
        and isinstance(interval, Const)
        and path_of(target) in ("os._exit", "os.kill", "os.abort")
    ):
        machine.facts.drain = (float(interval.value), node, machine.module)
        machine.write(machine.world, "deadline", interval)


@model("threading.Thread.join", "multiprocessing.Process.join", "threading.Timer.join")
def _join(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None:
        return NONE
    machine.close(thing, "end")
    if ("child", id(thing)) not in machine.world:
        return NONE
    seconds = argument(args, keywords, 0, "timeout")
    join_point(machine, "join", node, None if seconds is None or is_none(seconds) else seconds, [thing])
    return NONE


@model("multiprocessing.Process.terminate", "multiprocessing.Process.kill")
def _terminate(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None:
        return NONE
    machine.act("stop-child", text_of(node), node)
    machine.close(thing, "end")
    inherited = thing.store.get("#inherits")
    assert isinstance(function, Bound)
    if function.name == "terminate" and isinstance(inherited, Registration):
        machine.doubt("the child inherits the handler of its parent, so terminate() may not end it")
        machine.write(thing.store, "#finished", LOST_TRACK)
    else:
        machine.write(thing.store, "#terminated", TRUE)
    return NONE


@model("threading.main_thread", "threading.current_thread", "threading.currentThread")
def _main_thread(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return FROM_OUTSIDE if machine.off_main else Name("threading.the_main_thread")


@model("threading.Thread.is_alive", "multiprocessing.Process.is_alive")
def _is_alive(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return FROM_OUTSIDE


@model("threading.Thread.setDaemon")
def _set_daemon(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None and args:
        machine.write(thing.store, "daemon", args[0])
    return NONE


@model(*EXECUTORS)
def _executor(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    machine.write(machine.world, ("child", id(thing)), thing)
    if not machine.arrived:
        machine.facts.children.append(thing)
    return thing


@model(*(f"{kind}.{method}" for kind in EXECUTORS for method in ("submit", "map")), "asyncio.loop.run_in_executor")
def _submit(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
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
    if target is None:
        return task
    rest = list(args[offset:])
    if path.endswith(".map"):
        rest = [FROM_OUTSIDE for _ in rest]
    task.store["#target"], task.store["#args"], task.store["#kwargs"] = target, items("tuple", rest), Items("dict", {})
    if executor is not None:
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
    if thing is not None and not is_false(wait):
        _shutdown_executor(machine, thing, node)
    return NONE


for _kind in EXECUTORS:
    EXITS[_kind] = _shutdown_executor


@model("concurrent.futures.Future.result", "concurrent.futures.Future.exception")
def _result(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    seconds = argument(args, keywords, 0, "timeout")
    if thing is not None:
        join_point(machine, "result", node, None if seconds is None or is_none(seconds) else seconds, [thing])
    return FROM_OUTSIDE


@model("concurrent.futures.wait", "concurrent.futures.as_completed")
def _wait_futures(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    known = machine.elements(args[0]) if args else None
    seconds = argument(args, keywords, 1, "timeout")
    things = [value for value in known or [] if isinstance(value, Thing)]
    join_point(machine, "futures", node, None if seconds is None or is_none(seconds) else seconds, things)
    return FROM_OUTSIDE


@model(*POOLS)
def _pool(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    if thing.kind == "multiprocessing.Pool" and argument(args, keywords, 1, "initializer") is None:
        thing.store["#inherits"] = machine.world.get(("signal", machine.signal or "SIGTERM"), NONE)
        machine.write(machine.world, "pool", thing)
    if not machine.arrived:
        machine.facts.children.append(thing)
    return thing


@model(
    *(
        f"{kind}.{method}"
        for kind in POOLS
        for method in ("map", "starmap", "apply", "imap", "imap_unordered", "close", "apply_async", "map_async")
    )
)
def _pool_work(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    assert isinstance(function, Bound)
    if function.name in ("map", "starmap", "apply"):
        point = Point(node, machine.module, "pool", Const(0), text_of(node))
        machine.wait(point)
    return FROM_OUTSIDE


@model(*(f"{kind}.{method}" for kind in POOLS for method in ("terminate", "join")))
def _pool_end(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        machine.close(thing, "end")
        assert isinstance(function, Bound)
        if function.name == "terminate":
            _terminate_pool(machine, thing, node)
    return NONE


def _terminate_pool(machine: Machine, thing: Thing, node: ast.AST) -> None:
    """terminate() sends SIGTERM to workers, which inherited the handler of their parent."""
    machine.close(thing, "end")
    inherits = machine.arrived and isinstance(thing.store.get("#inherits"), Registration)
    thrown = machine.thrown.dotted if machine.thrown is not None else "builtins.SystemExit"
    if inherits and thrown not in ("builtins.SystemExit", "builtins.KeyboardInterrupt"):
        raise stuck(Point(node, machine.module, "pool", None, text_of(node)), "pool")
    machine.write(thing.store, "#terminated", TRUE)


for _kind in POOLS:
    EXITS[_kind] = _terminate_pool


# -- subprocess ----------------------------------------------------------------------------------------------------


@model("subprocess.Popen")
def _popen(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = child_of(machine, "subprocess.Popen", node, args)
    argv = argument(args, keywords, 0, "args")
    shell = is_true(keywords.get("shell"))
    if argv is not None:
        words = words_of(machine, argv, node, shell)
        thing.store["#words"] = Const(words)
    if not machine.arrived:
        machine.facts.children.append(thing)
    return thing


@model("subprocess.Popen.wait", "subprocess.Popen.communicate")
def _wait_child(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    assert isinstance(function, Bound)
    seconds = argument(args, keywords, 0 if function.name == "wait" else 1, "timeout")
    point = Point(
        node, machine.module, "child", None if seconds is None or is_none(seconds) else seconds, text_of(node)
    )
    if thing is not None:
        point.joins = (thing,)
        machine.close(thing, "end")

    if machine.handling and _holds_lock(machine.arrival, thing) and seconds is None:
        raise stuck(point, "handler wait")
    words = _words_of(thing)
    runs_on = machine.children.runs_on(words)
    if runs_on is None and not machine.arrived:
        machine.facts.maybe.append(point)
    return machine.wait(
        point,
        ready=lambda: _child_ended(machine, thing),
        comes_back=runs_on is not True,
        raises="subprocess.TimeoutExpired",
    )


def _holds_lock(arrival: Point | None, thing: Thing | None) -> bool:
    """Whether the signal came in `Popen.wait()`, which keeps a lock that the handler's own `wait()` then waits for."""
    if arrival is None or thing is None or arrival.kind != "child" or arrival.seconds is not None:
        return False
    called = arrival.node.func if isinstance(arrival.node, ast.Call) else None
    return thing in arrival.joins and isinstance(called, ast.Attribute) and called.attr == "wait"


def _words_of(thing: Thing | None) -> tuple[Word, ...] | None:
    words = thing.store.get("#words") if thing is not None else None
    return words.value if isinstance(words, Const) else None


def _child_ended(machine: Machine, thing: Thing | None) -> bool | Unknown:
    """Whether a child is gone, as far as that is the program's doing."""
    signalled = thing.store.get("#signalled") if thing is not None else None
    if not isinstance(signalled, Const):
        return False
    ends = machine.children.ends_on(_words_of(thing), signalled.value)
    return LOST_TRACK if ends is None else ends


@model("subprocess.Popen.poll")
def _poll_child(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    ended = _child_ended(machine, thing)
    if thing is None or ended is False:
        return FROM_OUTSIDE
    if machine.handling == 0:
        machine.write(thing.store, "#awaited", TRUE)
    return Const(0) if ended is True else LOST_TRACK


@model("subprocess.Popen.terminate", "subprocess.Popen.kill", "subprocess.Popen.send_signal")
def _signal_popen(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    assert isinstance(function, Bound)
    name = {"terminate": "SIGTERM", "kill": "SIGKILL"}.get(function.name) or (signal_of(args[0]) if args else None)
    if thing is not None:
        _forward(machine, thing, name, node)
    return NONE


def _forward(machine: Machine, thing: Thing, name: str | None, node: ast.AST) -> None:
    machine.close(thing, "end")
    machine.write(thing.store, "#signalled", Const(name))
    if machine.arrived:
        machine.act("stop-child", text_of(node), node)
        if machine.handling:
            machine.write(thing.store, "#forwarded", TRUE)


def _leave_popen(machine: Machine, thing: Thing, expression: ast.AST) -> None:
    _wait_child(machine, Bound(thing, "wait"), [], {}, expression)


EXITS["subprocess.Popen"] = _leave_popen


# -- asyncio -------------------------------------------------------------------------------------------------------


@model("asyncio.run", "asyncio.loop.run_until_complete", "asyncio.loop.run_forever")
def _run(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Runs the event loop: the main task, and whatever has been created beside it."""
    last = path_of(function).rpartition(".")[2]
    if machine.off_main and machine.arrived is False and machine.aside:
        pass
    loop = receiver_of(function)
    runner = Thing({"run": "asyncio.run"}.get(last, last), node, machine.module)
    if loop is not None:
        runner.store["#loop"] = loop
    main = Thing("asyncio.Task", node, machine.module)
    main.store["#main"] = TRUE
    runner.store["#main"] = main
    machine.runners.append(runner)
    outer, machine.side = machine.side, []
    value: Value = NONE
    try:
        if last == "run_forever":
            point = Point(node, machine.module, "run-loop", None, text_of(node))
            machine._awaiting(lambda: machine.wait(point, ready=lambda: "#stopped" in runner.store))
        elif args:
            given = args[0]
            if isinstance(given, (Function, Partial, Name, Bound)):
                given = machine.call(given, args[1:], {}, node)
            value = machine.awaited(given, node)
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
            answer = finishes(machine, task, node, cancelled=True)
            if answer is not True:
                point = Point(
                    task.node or node, task.module or machine.module, "task", None, text_of(task.node or node)
                )
                raise stuck(point, "exit blocked", answer.tag if isinstance(answer, Unknown) else CERTAIN)


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
    return NONE


@model("asyncio.loop.call_soon_threadsafe", "asyncio.loop.call_soon", "asyncio.run_coroutine_threadsafe")
def _call_soon(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not args:
        return NONE
    if machine.arrived and path_of(function).endswith("threadsafe"):
        machine.write(machine.world, ("called", "call_soon_threadsafe"), TRUE)
    if isinstance(args[0], Later):
        return _task(machine, function, args[:1], {}, node)
    if machine.arrived:
        machine.call(args[0], args[1:], {}, node)
    return NONE


@model("tornado.ioloop.IOLoop.add_callback_from_signal", "tornado.ioloop.IOLoop.add_callback")
def _add_callback(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if machine.arrived and args:
        machine.call(args[0], args[1:], keywords, node)
    return NONE


@model("asyncio.loop.call_later", "asyncio.loop.call_at")
def _call_later(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if machine.arrived and len(args) > 1 and not machine.aside:
        machine.call(args[1], args[2:], {}, node)
    return NONE


@model("asyncio.create_task")
def _task(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    coroutine = args[0] if args else FROM_OUTSIDE
    if isinstance(coroutine, Thing) and coroutine.kind == "asyncio.Task":
        return coroutine
    thing = Thing("asyncio.Task", node, machine.module)
    if isinstance(coroutine, Later):
        if machine.handling:
            machine.act("call", text_of(node), node)
            _run_beside(machine, thing, coroutine, node)
        else:
            start(machine, thing, coroutine, [], {}, node)
    group = receiver_of(function)
    if group is not None and group.kind == "asyncio.TaskGroup":
        machine.write(group.store, ("task", id(node)), thing)
    return thing


@model("asyncio.TaskGroup.start_soon")
def _start_soon(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """anyio and trio take the function and its arguments."""
    return _task(machine, function, [Later(args[0], args[1:], {}, node)], {}, node) if args else NONE


def _run_beside(machine: Machine, thing: Thing, coroutine: Later, node: ast.AST) -> None:
    """A coroutine that the handler starts, mostly to shut everything down."""
    outer, machine.side = machine.side, []
    machine.current.append(thing)
    try:
        machine.awaited(coroutine, node)
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
    main = [machine.runners[-1].store["#main"]] if machine.runners else []
    return items("list", [*main, *(task for task in tasks if task.kind == "asyncio.Task"), *machine.current])


@model("asyncio.Task.cancel")
def _cancel(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is None:
        return NONE
    machine.close(thing, "end")
    machine.act("cancel", text_of(node), node)
    if "#main" in thing.store:
        if machine.arrived:
            machine.cancel = Error("builtins.CancelledError")
        return TRUE
    machine.write(thing.store, "#cancelled", TRUE)
    answer = finishes(machine, thing, node, cancelled=True)
    if answer is True:
        machine.write(thing.store, "#finished", TRUE)
    return TRUE


@model("asyncio.Task.add_done_callback", "asyncio.Task.set_name")
def _nothing(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return NONE


@model("asyncio.Future")
def _future(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Thing("asyncio.Future", node, machine.module)


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
        if machine.handling:
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
    if first and things:
        point = Point(node, machine.module, "wait", seconds, text_of(node))
        point.joins = tuple(things)
        return _pair(machine.wait(point, ready=lambda: _any_finished(machine, things, node)))
    try:
        join_point(machine, "gather", node, seconds, things)
    except Leave as leave:
        if machine.arrived and any(_is_cancel(end) for end in leave.ends):
            for thing in things:
                _cancel(machine, Bound(thing, "cancel"), [], {}, node)
        raise
    raises = path_of(function) == "asyncio.gather" and not is_true(keywords.get("return_exceptions"))
    if raises and any("#cancelled" in thing.store for thing in things):
        raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
    return _pair(FROM_OUTSIDE) if path_of(function) == "asyncio.wait" else FROM_OUTSIDE


def _pair(value: Value) -> Value:
    return items("tuple", [Items("set", {"…": FROM_OUTSIDE}), Items("set", {"…": FROM_OUTSIDE})])


def _is_cancel(end: End) -> bool:
    return end.kind == RAISE and isinstance(end.value, Error) and end.value.dotted == "builtins.CancelledError"


def _any_finished(machine: Machine, things: list[Thing], node: ast.AST) -> bool | Unknown:
    answers = [finishes(machine, thing, node) for thing in things]
    if any(answer is True for answer in answers):
        return True
    return next((answer for answer in answers if isinstance(answer, Unknown)), False)


@model("asyncio.wait_for", into=AWAITED)
def _wait_for(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    seconds = argument(args, keywords, 1, "timeout")
    if seconds is None or is_none(seconds):
        return machine.awaited(args[0], node) if args else NONE
    thing = args[0] if args and isinstance(args[0], Thing) else None
    point = Point(node, machine.module, "wait-for", seconds, text_of(node))

    def ready() -> bool | Unknown:
        return machine.arrived and thing is not None and finishes(machine, thing, node)

    return machine.wait(point, ready=ready, raises="builtins.TimeoutError")


@model("asyncio.to_thread", into=AWAITED)
def _to_thread(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    task = _submit(
        machine, Bound(Thing("asyncio.loop", node, machine.module), "run_in_executor"), [NONE, *args], {}, node
    )
    if isinstance(task, Thing):
        join_point(machine, "to_thread", node, None, [task])
    return FROM_OUTSIDE


def _leave_group(machine: Machine, thing: Thing, expression: ast.AST) -> None:
    """Waits for all tasks; one that fails cancels the others, and the group fails with it."""
    tasks = [task for task in thing.store.values() if isinstance(task, Thing)]
    join_point(machine, "task group", expression, None, tasks)
    failed = next((task.store["#failed"] for task in tasks if "#failed" in task.store), None)
    if isinstance(failed, Error):
        raise Leave([End(RAISE, CERTAIN, Error("builtins.ExceptionGroup", inner=failed))])


EXITS["asyncio.TaskGroup"] = _leave_group


# -- servers -------------------------------------------------------------------------------------------------------


@model("shutdown", into=METHODS)
def _shutdown_server(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """`server.shutdown()` waits for serve_forever(): in the thread that runs it, for ever."""
    thing = receiver_of(function)
    if thing is None:
        return _generic_stop(machine, function, args, keywords, node)
    machine.close(thing, "end")
    point = machine.arrival
    serves_itself = (
        point is not None and point.serves is not None and point.serves.get("deadlock") and point.receiver is thing
    )
    machine.write(thing.store, ("called", "shutdown"), TRUE)
    if machine.arrived:
        machine.write(thing.store, ("called after", "shutdown"), TRUE)
    if serves_itself and machine.handling and not machine.in_thread:
        machine.act("shutdown-here", text_of(node), node)
        raise stuck(Point(node, machine.module, "shutdown", None, text_of(node)), "deadlock")
    machine.act("close", text_of(node), node)
    return NONE


def _generic_stop(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if machine.handling and not machine.aside:
        machine.act("call", text_of(node), node)
        machine.doubt(f"what `{text_of(node)}` in the handler does is not in the project")
    return FROM_OUTSIDE


@model("grpc.server.stop", "grpc.aio.server.stop")
def _stop_grpc(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    seconds = argument(args, keywords, 0, "grace")
    if thing is not None:
        machine.close(thing, "end")
        machine.write(thing.store, ("called", "stop"), TRUE)
        machine.act("close", text_of(node), node)
        if (
            machine.arrived
            and isinstance(seconds, Const)
            and isinstance(seconds.value, (int, float))
            and machine.dropped is None
        ):
            machine.facts.drain = (float(seconds.value), node, machine.module)
    waiter = Thing("threading.Event", node, machine.module)
    waiter.store["#set"] = TRUE
    return waiter


@model("django.core.management.execute_from_command_line", "django.core.management.call_command")
def _django(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    from gracelint.knowledge import table

    if path_of(function).endswith("call_command"):
        words = [value.value if isinstance(value, Const) else "" for value in args]
    else:
        words = list(machine.argv)
    command = next((word for word in words if isinstance(word, str) and not word.startswith("-")), "help")
    if command in table("python")["django"]["one_shot"]:
        return NONE
    if command in ("runserver", "runserver_plus", "testserver"):
        reloads = "--noreload" not in words
        row = {"server": "django", "development": True, "drops": True, "reload_cuts": reloads, "options": words}
        point = Point(node, machine.module, "serve", None, f"manage.py {command}")
        point.serves = row
        point.handles = ("SIGTERM", "SIGINT") if reloads else ()
        if not machine.arrived:
            machine.facts.servers.append(Served(node, machine.module, {}, row))
        return machine.wait(point, ready=lambda: False, value=NONE)
    found = _management_command(machine, command, node)
    if found is None:
        machine.doubt(f"the command `{command}` of manage.py is not in the project")
        point = Point(node, machine.module, "call", None, f"manage.py {command}")
        point.tag = LOST
        machine.facts.maybe.append(point)
        return NONE
    cls = machine.attribute(found, "Command", node)
    thing = machine.call(cls, [], {}, node)
    rest = [word for word in words[words.index(command) + 1 :] if isinstance(word, str)]
    options = _options_of(machine, thing, rest, node)
    return machine.call(machine.attribute(thing, "handle", node), [], options, node)


def _options_of(machine: Machine, command: Value, words: list[str], node: ast.AST) -> Keywords:
    """What a command's own `add_arguments` makes of its words."""
    from gracelint.parse.python.commands import parse_words

    method = command.cls.find("add_arguments") if isinstance(command, Thing) and command.cls is not None else None
    if not isinstance(method, Function):
        return {}
    parser = Thing("argparse.ArgumentParser", node, machine.module)
    machine.call(method.bind(command), [parser], {}, node)
    parsed = parse_words(machine, parser, words, node)
    return {name: value for name, value in parsed.store.items() if isinstance(name, str)}


def _management_command(machine: Machine, command: str, node: ast.AST) -> Value | None:
    for package in machine.modules.packages():
        name = f"{package}.management.commands.{command}"
        if machine.modules.find(name) is not None:
            return machine.import_module(name, node)
    return None


# -- the rest of the standard library ------------------------------------------------------------------------------


@model("functools.partial")
def _partial(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Partial(args[0], args[1:], keywords) if args else FROM_OUTSIDE


@model("functools.wraps", "functools.lru_cache", "functools.cache")
def _identity(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Name("functools.identity")


@model("functools.identity")
def _same(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return args[0] if args else FROM_OUTSIDE


@model("contextlib.suppress", "contextlib.closing")
def _context(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    thing.store["#types"] = items("tuple", list(args))
    if args:
        thing.store["#thing"] = args[0]
    return thing


@model("builtins.getattr")
def _getattr(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) > 1 and isinstance(args[1], Const) and isinstance(args[1].value, str):
        found = machine.attribute(args[0], args[1].value, node)
        if isinstance(found, Name) and found.dotted.startswith("signal.SIG") and signal_of(found) is None:
            return args[2] if len(args) > 2 else found
        return found
    return FROM_OUTSIDE


@model("builtins.setattr")
def _setattr(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) == 3 and isinstance(args[0], (Thing, Class, ModuleValue)) and isinstance(args[1], Const):
        machine.write(args[0].store, args[1].value, args[2])
        machine.act("flag", str(args[1].value), node)
    return NONE


@model("builtins.hasattr")
def _hasattr(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) == 2 and isinstance(args[0], Name) and args[0].dotted == "signal" and isinstance(args[1], Const):
        return Const(signal_of(Name(f"signal.{args[1].value}")) in NUMBERS)
    return FROM_OUTSIDE


@model("builtins.bool")
def _bool(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    truth = machine.truth(args[0]) if args else False
    return Const(truth) if isinstance(truth, bool) else truth


@model("builtins.len")
def _len(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    length = length_of(args[0]) if args else None
    return FROM_OUTSIDE if length is None else Const(length)


@model("builtins.int", "builtins.float", "builtins.str")
def _convert(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    value = comparable(args[0]) if args else Const("")
    if not isinstance(value, Const):
        return value if isinstance(value, Unknown) else FROM_OUTSIDE
    kind = {"int": int, "float": float, "str": str}[path_of(function).rpartition(".")[2]]
    try:
        return Const(kind(value.value)) if len(str(value.value)) < 400 else FROM_OUTSIDE
    except (ValueError, TypeError, OverflowError):
        return FROM_OUTSIDE


@model("builtins.max", "builtins.min")
def _extreme(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    numbers = [value.value for value in args if isinstance(value, Const) and isinstance(value.value, (int, float))]
    if len(numbers) != len(args) or not numbers:
        return FROM_OUTSIDE
    return Const(max(numbers) if path_of(function).endswith("max") else min(numbers))


@model("builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted", "builtins.reversed")
def _collect(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not args:
        return items(path_of(function).rpartition(".")[2], [])
    known = machine.elements(args[0])
    return FROM_OUTSIDE if known is None else items("list", known)


@model("builtins.dict")
def _dict(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args:
        return FROM_OUTSIDE
    return Items("dict", dict(keywords.items()))


@model("builtins.dict.update")
def _update(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not isinstance(function, Bound) or not isinstance(function.receiver, Items):
        return NONE
    store = function.receiver.store
    given = args[0].store if args and isinstance(args[0], Items) and args[0].kind == "dict" else {}
    for key, value in (*given.items(), *keywords.items()):
        machine.write(store, key, value)
        machine.act("flag", str(key), node)
    if args and not given:
        machine.write(store, "…", FROM_OUTSIDE)
    return NONE


@model("collections.deque")
def _deque(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    known = machine.elements(args[0]) if args else []
    made = items("list", known or [])
    if known is None:
        made.store["…"] = FROM_OUTSIDE
    return made


@model("socket.socketpair", "os.pipe")
def _pair_of(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    kind = "socket.socket" if path_of(function) == "socket.socketpair" else "os.pipe"
    return items("tuple", [Thing(kind, node, machine.module) for _ in range(2)])


@model("builtins.range")
def _range(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    bounds = [value.value for value in args if isinstance(value, Const) and isinstance(value.value, int)]
    if len(bounds) == len(args) == 1 and 0 <= bounds[0] <= 4:
        return items("list", [Const(number) for number in range(bounds[0])])
    thing = Thing("builtins.range", node, machine.module)
    if len(bounds) == len(args) and bounds:
        low, high, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        thing.store["#count"] = Const(max((high - low) / step, 0) if step else 0)
    return thing


@model("builtins.super")
def _super(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    current = machine.frame.function
    receiver = current.receiver if current is not None else None
    if current is None or current.owner is None or not isinstance(receiver, Thing):
        return Name("builtins.super")
    return Super(receiver, current.owner)


@model("builtins.isinstance")
def _isinstance(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) != 2:
        return FROM_OUTSIDE
    types = args[1].values() if isinstance(args[1], Items) else [args[1]]
    value = args[0]
    if isinstance(value, Error) and value.dotted != "?":
        return Const(any(machine.catches(each, value) for each in types))
    if isinstance(value, Thing) and value.cls is not None and all(isinstance(each, Class) for each in types):
        return Const(any(isinstance(each, Class) and derives(value.cls, each) for each in types))
    return FROM_OUTSIDE


@model("builtins.callable")
def _callable(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    value = args[0] if args else NONE
    if isinstance(value, (Function, Partial, Class)):
        return TRUE
    if isinstance(value, Const) or path_of(value) in ("signal.SIG_DFL", "signal.SIG_IGN"):
        return FALSE
    return FROM_OUTSIDE


@model("builtins.iter")
def _iter(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) != 2:
        return args[0] if args else FROM_OUTSIDE
    thing = Thing("builtins.iter", node, machine.module)
    thing.store["#call"], thing.store["#sentinel"] = args
    return thing


@model("platform.system")
def _system(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Const("Linux")


@model("throw", into=METHODS)
def _throw(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args and isinstance(function, Bound) and isinstance(function.receiver, (Items, Later)):
        machine.act("raise", text_of(node), node)
        raise Leave([End(RAISE, CERTAIN, machine.as_error(args[0]))])
    return FROM_OUTSIDE


@model("cancel", into=METHODS)
def _cancel_all(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    gathered = function.receiver if isinstance(function, Bound) else NONE
    if not isinstance(gathered, Later):
        return elsewhere(machine, function, path_of(function), args, keywords, node)
    for task in gathered.args:
        if isinstance(task, Thing) and task.kind == "asyncio.Task":
            _cancel(machine, Bound(task, "cancel"), [], {}, node)
    return TRUE


@model("threading.Timer.cancel")
def _cancel_timer(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        machine.write(thing.store, "#terminated", TRUE)
    return NONE


@model("builtins.issubclass", "builtins.any", "builtins.all")
def _outside(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    path = path_of(function)
    known = machine.elements(args[0]) if args else None
    if path in ("builtins.any", "builtins.all") and known is not None:
        truths = [machine.truth(value) for value in known]
        stop = path == "builtins.any"
        if any(truth is stop for truth in truths):
            return Const(stop)
        return Const(not stop) if all(isinstance(truth, bool) for truth in truths) else FROM_OUTSIDE
    return FROM_OUTSIDE


@model("builtins.exec", "builtins.eval", "builtins.__import__", "runpy.run_path")
def _dynamic(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.modules.unread.setdefault(text_of(node))
    machine.doubt(f"`{text_of(node)}` runs code that nobody can read")
    return LOST_TRACK


@model("importlib.import_module", "runpy.run_module")
def _import(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args and isinstance(args[0], Const) and isinstance(args[0].value, str) and not args[0].value.startswith("."):
        return machine.import_module(args[0].value, node)
    machine.modules.unread.setdefault(text_of(node))
    machine.doubt(f"`{text_of(node)}` imports a module that is only known when it runs")
    return LOST_TRACK


@model("os.environ.get", "os.getenv")
def _getenv(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    default = argument(args, keywords, 1, "default") or NONE
    return environment(machine, args[0] if args else FROM_OUTSIDE, default)


@model("socket.socket.settimeout")
def _settimeout(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None and args:
        machine.write(thing.store, "timeout", args[0])
    return NONE


@model("socket.setdefaulttimeout")
def _default_timeout(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args:
        machine.write(machine.world, "socket timeout", args[0])
    return NONE


@model("builtins.list.append", "builtins.set.add", "builtins.list.insert", "builtins.list.appendleft")
def _append(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if isinstance(function, Bound) and isinstance(function.receiver, Items) and args:
        store = function.receiver.store
        key = ("+", id(node), len([1 for known in store if isinstance(known, tuple) and known[:2] == ("+", id(node))]))
        if key[2] < 4:
            machine.write(store, key, args[-1])
        machine.act("flag", text_of(node), node)
    return NONE


@model("builtins.list.extend", "builtins.set.update")
def _extend(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if isinstance(function, Bound) and isinstance(function.receiver, Items) and args:
        known = machine.elements(args[0])
        if known is None:
            machine.write(function.receiver.store, "…", FROM_OUTSIDE)
        for index, value in enumerate(known or ()):
            machine.write(function.receiver.store, ("+", id(node), index), value)
    return NONE


@model("builtins.dict.get", "builtins.dict.pop", "builtins.dict.setdefault")
def _dict_get(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if isinstance(function, Bound) and isinstance(function.receiver, Items) and args and isinstance(args[0], Const):
        store = function.receiver.store
        key = args[0].value
        if key in store:
            return store[key]
        return FROM_OUTSIDE if function.receiver.open else (args[1] if len(args) > 1 else NONE)
    return FROM_OUTSIDE


@model("builtins.dict.items", "builtins.dict.values", "builtins.dict.keys")
def _dict_views(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not isinstance(function, Bound) or not isinstance(function.receiver, Items) or function.receiver.open:
        return FROM_OUTSIDE
    store = function.receiver.store
    keys: list[Value] = [Name(key[1]) if isinstance(key, tuple) else Const(key) for key in store]
    values = list(store.values())
    if function.name == "keys":
        return items("list", keys)
    if function.name == "values":
        return items("list", values)
    return items("list", [items("tuple", pair) for pair in zip(keys, values, strict=False)])


@model(
    "builtins.list.pop",
    "builtins.list.clear",
    "builtins.list.remove",
    "builtins.dict.clear",
    "builtins.set.discard",
)
def _shrink(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if isinstance(function, Bound) and isinstance(function.receiver, Items):
        machine.write(function.receiver.store, "…", FROM_OUTSIDE)
    return FROM_OUTSIDE


@model("builtins.str.lower", "builtins.str.upper", "builtins.str.strip", "builtins.str.split")
def _text_method(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if (
        not isinstance(function, Bound)
        or not isinstance(function.receiver, Const)
        or not isinstance(function.receiver.value, str)
    ):
        return FROM_OUTSIDE
    text = function.receiver.value
    if function.name == "split":
        if (
            all(isinstance(value, Const) and isinstance(value.value, (str, type(None))) for value in args)
            and len(args) < 2
        ):
            try:
                return items("list", [Const(part) for part in text.split(*(value.value for value in args))])  # type: ignore[attr-defined]
            except ValueError:
                return FROM_OUTSIDE
        return FROM_OUTSIDE
    return Const({"lower": text.lower, "upper": text.upper, "strip": text.strip}[function.name]())


@model("builtins.enumerate", "builtins.zip")
def _enumerate(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    known = [machine.elements(value) for value in args]
    if not known or any(values is None for values in known):
        return FROM_OUTSIDE
    lists: list[list[Value]] = [values for values in known if values is not None]
    if path_of(function) == "builtins.enumerate":
        lists.insert(0, [Const(index) for index in range(len(lists[0]))])
    return items("list", [items("tuple", pair) for pair in zip(*lists, strict=False)])


@model("builtins.map")
def _map(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    known = machine.elements(args[1]) if len(args) == 2 else None
    if known is None:
        return FROM_OUTSIDE
    return items("list", [machine.call(args[0], [value], {}, node) for value in known])
