"""Servers that a program starts, or that start it: their order of events around the application that they serve."""

from __future__ import annotations

import ast

from gracelint.base.record import Record
from gracelint.behaviour.python.beside import finishes, run_loop
from gracelint.behaviour.python.ends import KILLED, NORMAL, End, Leave, Point, Registration, Served
from gracelint.behaviour.python.names import NUMBERS, is_false, is_true, path_of, text_of
from gracelint.behaviour.python.values import (
    FROM_OUTSIDE,
    NONE,
    Bound,
    Class,
    Const,
    Function,
    Items,
    Later,
    ModuleValue,
    Thing,
    Unknown,
    Value,
    items,
)
from gracelint.behaviour.python.waits import seconds_of
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.modules import Module
    from gracelint.behaviour.python.registry import Arguments, Keywords
    from gracelint.behaviour.python.values import Store
    from gracelint.source import Source

STARTUP, SHUTDOWN, LIFESPAN = "startup", "shutdown", "lifespan"


class Application(Record):
    """An application that a server's command line names."""

    expression: str
    """What it serves, in the words of its module: `app`, `create_app()`; "" where the module is all there is."""
    call: str
    """The row of `server` in `knowledge/python.toml` that the command line is like."""
    handles: tuple[str, ...] = ()
    """The signals that the server handles in this process."""
    handlers: str = "after"
    """Whether they are installed `first`, `after` the application is loaded, or `elsewhere`: in a process of which this
    one is told by other means."""
    pid_1: bool = True
    """Whether this process is PID 1 if the server is."""
    deadline: float | None = None
    """Seconds after which the server kills this process."""
    configuration: Source | None = None
    """The server's configuration file."""
    hooks: Mapping[str, Sequence[str]] = {}
    """The functions in it that the server calls: in its `arbiter`, at the start of a `worker`, and `leaving` one."""
    swallows: tuple[str, ...] = ()
    """The exceptions that this process catches while it answers a request."""


def run_application(machine: Machine, entry: Module, application: Application) -> list[End]:
    """The life of a process in which a server serves an application of the project."""
    row = {**table("python")["server"][application.call], "handles": list(application.handles)}
    row |= {"told": application.handlers == "elsewhere", "handlers": application.handlers}
    node = entry.tree.body[-1] if entry.tree.body else entry.tree
    point = Point(node, entry, "serve", None, row["server"])
    point.serves, point.handles = row, tuple(application.handles)
    try:
        if application.handlers == "first":
            _install(machine, point)
        machine.frames.append(machine.frame_in(entry))
        try:
            own = _configured(machine, application)
            _call_hooks(machine, own, application.hooks.get("arbiter", ()), node)
            if any(isinstance(key, tuple) and key[0] == "child" for key in machine.world):
                machine.doubt(f"what {row['server']}'s own process starts beside its workers is not followed")
            module = machine.import_module(entry.name, node)
            app = _evaluate(machine, module, application.expression, node)
            _call_hooks(machine, own, application.hooks.get("worker", ()), node)
            around(
                machine, app, row, point, lambda: machine.wait(point, ready=lambda: is_over(machine, point), value=NONE)
            )
            _call_hooks(machine, own, application.hooks.get("leaving", ()), node)
        finally:
            machine.frames.pop()
    except Leave as leave:
        return machine.merge(leave.ends + machine.side)
    return [End(NORMAL)]


def _configured(machine: Machine, application: Application) -> Store:
    """What the server's configuration file defines."""
    source = application.configuration
    if source is None:
        return {}
    from gracelint.behaviour.python.modules import Module

    found = machine.load(Module(source, f"{source.path}:configuration", source.path), "__config__")
    if isinstance(found, list):
        raise Leave(found)
    return found


def _call_hooks(machine: Machine, own: Store, names: Sequence[str], node: ast.AST) -> None:
    for name in names:
        hook = own.get(name)
        if isinstance(hook, Function):
            given = len(hook.node.args.args)
            machine.call(hook, [FROM_OUTSIDE] * given, {}, node)


def _evaluate(machine: Machine, module: Value, expression: str, node: ast.AST) -> Value:
    if not expression or not isinstance(module, ModuleValue):
        return module
    try:
        tree = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return NONE
    return machine.eval(tree)


def serve(
    machine: Machine,
    function: Value,
    path: str,
    row: dict[str, Any],
    args: Arguments,
    keywords: Keywords,
    node: ast.AST,
) -> Value:
    """A server's blocking call."""
    if row.get("later") and not machine.awaiting:
        return Later(function, args, keywords, node)
    chosen = keywords.get(row.get("by", ""))
    if chosen is not None and not (isinstance(chosen, Const) and chosen.value == row["itself"]):
        return _serve_by(machine, chosen, row, node)
    receiver = function.receiver if isinstance(function, Bound) and isinstance(function.receiver, Thing) else None
    if not machine.arrived and not machine.handling:
        machine.facts.servers.append(Served(node, machine.module, _told(row, keywords, receiver), row))
    seconds = seconds_of(machine, row, args, keywords, receiver)
    point = Point(node, machine.module, "serve", seconds, text_of(node))
    point.receiver = receiver
    handles = list(row.get("handles", ()))
    if _reloads(row, keywords):
        row = {**row, "reload_cuts": True}
        handles = ["SIGTERM", "SIGINT"]
    unless = keywords.get(row.get("unless", ""))
    if unless is not None and not is_true(unless):
        handles = []
    cls = receiver.cls if receiver is not None and row["server"] == "uvicorn" else None
    if cls is not None and (cls.find("install_signal_handlers") or cls.find("capture_signals")):
        handles = []
        if not cls.find("capture_signals"):
            machine.doubt("uvicorn asks for `install_signal_handlers` in versions below 0.29 alone")
    point.serves = row
    point.handles = tuple(handles)
    stops = tuple(row.get("stops", ()))
    trigger = keywords.get("shutdown_trigger")

    def ready() -> bool | Unknown:
        if trigger is not None:
            return _pulled(machine, trigger, node)
        if receiver is None or is_over(machine, point):
            return is_over(machine, point)
        if is_true(receiver.store.get(row.get("flag", "should_exit"))):
            return True
        is_stopped = any(("called", stop) in receiver.store for stop in stops)
        if is_stopped and row.get("leaves") and machine.arrived:
            machine.dropped = point
        return is_stopped

    app = _application(machine, row, args, keywords, receiver)
    return around(machine, app, row, point, lambda: machine.wait(point, ready=ready, value=NONE))


def _serve_by(machine: Machine, chosen: Value, row: dict[str, Any], node: ast.AST) -> Value:
    """Serves by another server, which the call names, or by a class of the project that starts one."""
    if isinstance(chosen, Class):
        adapter = machine.call(chosen, [], {}, node)
        return machine.call(machine.attribute(adapter, "run", node), [FROM_OUTSIDE], {}, node)
    path = row["others"].get(chosen.value) if isinstance(chosen, Const) else None
    if path is not None:
        return serve(machine, NONE, path, table("python")["server"][path], [], {}, node)
    machine.doubt(f"which server {row['server']} starts is not known")
    return machine.wait(Point(node, machine.module, "serve", None, text_of(node)), value=NONE)


def _told(row: dict[str, Any], keywords: Keywords, receiver: Thing | None) -> Keywords:
    """What a server is told by its call, or by the settings that it is made of."""
    settings, name = receiver.store.get("#first") if receiver is not None else None, row.get("unbounded")
    given = settings.store.get(name) if isinstance(settings, Thing) and name is not None else None
    return keywords if given is None or name is None else {name: given, **keywords}


def _pulled(machine: Machine, trigger: Value, node: ast.AST) -> bool | Unknown:
    """Whether the coroutine whose end stops the server comes to its end."""
    task = Thing("asyncio.Task", node, machine.module)
    task.store["#target"], task.store["#args"] = trigger, items("tuple", [])
    task.store["#kwargs"] = Items("dict", {})
    return finishes(machine, task, node)


def _application(
    machine: Machine, row: dict[str, Any], args: Arguments, keywords: Keywords, receiver: Thing | None
) -> Value:
    """What is served: an object, or the one that `"module:name"` means."""
    if row.get("own") and receiver is not None:
        return receiver
    if "app" not in row:
        return NONE
    if receiver is not None:
        config = receiver.store.get("#first")
        found = config.store.get("#first", NONE) if isinstance(config, Thing) else NONE
    else:
        found = args[0] if args else keywords.get(row["app"], NONE)
    if not isinstance(found, Const) or not isinstance(found.value, str) or ":" not in found.value:
        return found
    name, _, expression = found.value.partition(":")
    if machine.modules.find(name) is None:
        return NONE
    module = machine.import_module(name, machine.module.tree)
    if not isinstance(module, ModuleValue):
        return NONE
    machine.frames.append(machine.frame_in(module.module))
    try:
        app = _evaluate(machine, module, expression, machine.module.tree)
        is_factory = is_true(keywords.get("factory")) and isinstance(app, Function)
        return machine.call(app, [], {}, machine.module.tree) if is_factory else app
    finally:
        machine.frames.pop()


def around(machine: Machine, app: Value, row: dict[str, Any], point: Point, wait: Callable[[], Value]) -> Value:
    """The server's own events around its wait: its handlers, the application's startup and shutdown."""
    if machine.aside:
        if machine.sides and not machine.arrived:
            machine.facts.beside.append((machine.sides[-1], point))
        if not machine.arrived:
            _install(machine, point)
        return wait()
    before = {name: machine.world.get(("signal", name)) for name in point.handles}
    if row.get("handlers", "after") != "first":
        _install(machine, point)

    def body() -> Value:
        return _hooked(machine, app, point, wait) if row.get("lifespan") else wait()

    if row.get("loop") and not machine.runners:
        value = run_loop(machine, "asyncio.run", point.node, lambda: machine.give_way(body))
    else:
        value = machine.give_way(body) if row.get("loop") else body()
    if row.get("reraises"):
        _raise_again(machine, point, before)
    return value


def is_over(machine: Machine, point: Point) -> bool:
    """Whether the server has been asked to end: by its own handler, or by an exception that it takes for that."""
    return ("over", id(point.node)) in machine.world


def _install(machine: Machine, point: Point) -> None:
    """The server's handlers: they hold until something installs its own."""
    if machine.off_main:
        return
    for name in point.handles:
        handler = Thing("server.handler", point.node, point.module)
        registration = Registration(handler, point.node, point.module)
        registration.server = point
        registration.before = machine.world.get(("signal", name))
        machine.write(machine.world, ("signal", name), registration)


def _raise_again(machine: Machine, point: Point, before: dict[str, Value | None]) -> None:
    """A server that puts the handlers back that it found, and gives them the signal once it has ended."""
    if not machine.arrived or not machine.served or machine.arrival is not point:
        return
    for name, value in before.items():
        if value is not None:
            machine.write(machine.world, ("signal", name), value)
    installed = before.get(machine.signal)
    handler = installed.handler if isinstance(installed, Registration) and installed.server is None else None
    if isinstance(handler, Function):
        machine.handling += 1
        try:
            machine.call(handler, [Const(NUMBERS.get(machine.signal, 15)), NONE], {}, point.node)
        finally:
            machine.handling -= 1
    elif handler is None and machine.signal != "SIGINT":
        machine.raised_default = True
        if not machine.pid_1:
            raise Leave([End(KILLED)])


def _hooked(machine: Machine, app: Value, point: Point, wait: Callable[[], Value]) -> Value:
    """The wait between what the application has for its startup and for its shutdown."""
    owner = app
    while isinstance(owner, Thing) and isinstance(owner.store.get("#first"), Thing) and not _hooks(owner, LIFESPAN):
        if any(_hooks(owner, event) for event in (STARTUP, SHUTDOWN)):
            break
        owner = owner.store["#first"]
    for hook in _hooks(owner, STARTUP) + _hooks(machine.world, STARTUP):
        _call(machine, hook, owner, point)
    value = _within(machine, _hooks(owner, LIFESPAN), owner, point, wait)
    for hook in _hooks(owner, SHUTDOWN) + _hooks(machine.world, SHUTDOWN):
        _call(machine, hook, owner, point)
    return value


def _hooks(owner: Value | dict[Any, Value], event: str) -> list[Value]:
    if isinstance(owner, Class):
        # the settings of an arq worker
        hook = owner.find(f"on_{event}")
        return [hook] if isinstance(hook, Function) else []
    store = owner.store if isinstance(owner, Thing) else owner
    found = store.get(("hook", event)) if isinstance(store, dict) else None
    return found.values() if isinstance(found, Items) else []


def _call(machine: Machine, hook: Value, owner: Value, point: Point) -> None:
    """A hook that fails is logged, or ends the server: neither keeps it from ending."""
    given: Sequence[Value] = [owner]
    machine.awaited(machine.call(hook, given, {}, point.node), point.node)


def _within(machine: Machine, lifespans: list[Value], owner: Value, point: Point, wait: Callable[[], Value]) -> Value:
    if not lifespans:
        return wait()
    value: Value = NONE

    def on_yield(_: Value) -> Value:
        nonlocal value
        frames, machine.frames = machine.frames, machine.frames[: machine.frames.index(frame) + 1]
        try:
            value = _within(machine, lifespans[1:], owner, point, wait)
        finally:
            machine.frames = frames
        return NONE

    frame = machine.frame
    made = lifespans[0]
    if isinstance(made, Function):
        machine.invoke(made, [owner], {}, point.node, on_yield=on_yield)
        return value
    return wait()


def add_hook(machine: Machine, owner: Thing | None, event: str, hook: Value) -> None:
    store = owner.store if owner is not None else machine.world
    known = store.get(("hook", event))
    before = known.values() if isinstance(known, Items) else []
    machine.write(store, ("hook", event), items("list", [*before, hook]))


def _reloads(row: dict[str, Any], keywords: Keywords) -> bool:
    """A development server that starts itself again as a child, whenever a file changes."""
    wanted = is_true(keywords.get(row.get("reload", ""))) or is_true(keywords.get("use_reloader"))
    return wanted and "reload" in row and not is_false(keywords.get("use_reloader"))


__all__ = ["Application", "add_hook", "around", "path_of", "run_application", "serve"]
