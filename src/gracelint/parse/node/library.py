"""What the functions of Node and of the libraries in `knowledge/node.toml` do, as far as it bears on stopping."""

from __future__ import annotations

from functools import cache

from gracelint.knowledge import table
from gracelint.parse.node.values import (
    UNDEFINED,
    UNKNOWN,
    After,
    Array,
    Builtin,
    Class,
    Closure,
    External,
    Method,
    Object,
    Promise,
    Thing,
)
from gracelint.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.parse.node.machine import Frame, Machine

GLOBALS: dict[str, Any] = {"undefined": UNDEFINED, "Infinity": float("inf")}
SELF = ("server", "process", "httpServer", "http")
"""Properties of a thing that stand for the thing itself."""
_STARTED = frozenset(("listening", "ready", "open", "connect", "connected", "online", "init", "load", "started"))
_SIGNALS = {
    "SIGHUP": 1, "SIGINT": 2, "SIGQUIT": 3, "SIGKILL": 9, "SIGUSR1": 10, "SIGUSR2": 12, "SIGTERM": 15, "SIGWINCH": 28,
}  # fmt: skip
_LISTENS = frozenset(("on", "once", "addListener", "prependListener", "prependOnceListener", "addEventListener"))


@cache
def _blocking() -> frozenset[str]:
    return frozenset(name for row in table("node")["modules"].values() for name in row.get("blocks", ()))


BLOCKING = _blocking()


def external_member(machine: Machine, owner: External, name: str) -> Any:
    """A property of something that is not the project's."""
    if name == "default" or owner.path in ("globalThis", "global"):
        return External(name) if owner.path in ("globalThis", "global") else owner
    path = f"{owner.path}.{name}"
    if owner.path == "process.env":
        value = machine.env.get(name)
        return UNKNOWN if value is None else value
    if owner.path == "cluster.workers":
        return _forked(machine) or UNKNOWN
    known = _PROPERTIES.get(path)
    return known(machine) if known else External(path)


def _forked(machine: Machine) -> Thing | None:
    return next((thing for thing in machine.things if thing.kind == "cluster"), None)


_PROPERTIES: dict[str, Callable[[Machine], Any]] = {
    "process.argv": lambda m: Array(["node", m.source.path, *m.argv]),
    "process.platform": lambda m: "linux",
    "process.send": lambda m: UNDEFINED,
    "cluster.isPrimary": lambda m: m.role != "clustered",
    "cluster.isMaster": lambda m: m.role != "clustered",
    "cluster.isWorker": lambda m: m.role == "clustered",
    "worker_threads.isMainThread": lambda m: m.role != "worker",
    "worker_threads.parentPort": lambda m: External("worker_threads.parentPort") if m.role == "worker" else None,
}


def items(machine: Machine, value: Any) -> Any:
    """What a loop over the value goes through."""
    if isinstance(value, Method) and isinstance(value.owner, Thing) and value.owner.kind == "upgrade":
        return Array([Thing("client", "client", value.owner.span, False)])
    if isinstance(value, External) and value.path == "cluster.workers":
        return Array(["1"]) if _forked(machine) else Array([], open=True)
    return value


def run_callbacks(machine: Machine, args: list[Any], frame: Frame, certain: bool, *given: Any) -> None:
    """Calls the functions among the arguments."""
    for value in args:
        if isinstance(value, (Closure, Builtin)):
            machine.task(value, list(given), frame, frame.after, certain)


# Calls of what is not the project's


def call_external(machine: Machine, target: External, args: list[Any], node: Node, frame: Frame) -> Any:
    path = target.path
    known = _FUNCTIONS.get(path)
    if known is not None:
        return known(machine, args, node, frame)
    name = path.rpartition(".")[2]
    if path.startswith("console.") or _is_logger(path):
        if machine.stopping:
            machine.note("log", node, frame)
        return UNDEFINED
    found = _module_row(path)
    if found is not None:
        made = _call_module(machine, path, *found, args, node, frame)
        if made is not None:
            return made
    helper = _helper(path)
    if helper is not None:
        return _install(machine, helper, args, node, frame)
    if name in ("then", "finally"):
        after = (*frame.after, After("unknown" if path.startswith("?") else "work", frame.file.span(node)))
        for value in args[:1]:
            machine.task(value, [UNKNOWN], frame, after)
        return Promise(after, UNKNOWN)
    if name == "catch":
        return External(f"{path}()")
    if name in _LISTENS:
        if args and args[0] in _STARTED and not machine.stopping:
            run_callbacks(machine, args[1:], frame, True)
        return External(path.removesuffix(f".{name}"))
    return _unknown_call(machine, path, args, node, frame)


def _unknown_call(machine: Machine, path: str, args: list[Any], node: Node, frame: Frame) -> Any:
    if machine.stopping:
        touches = any(isinstance(value, Thing) and value.kind == "server" for value in args)
        if path.startswith("?") or touches:
            machine.note("opaque", node, frame, target=path)
        after = (*frame.after, After("work", frame.file.span(node)))
        for value in args:
            if isinstance(value, (Closure, Builtin)):
                machine.task(value, [], frame, after)
    else:
        if not _is_harmless(path):
            machine.foreign.append(path)
        run_callbacks(machine, args, frame, False)
    return External(f"{path}()")


_HARMLESS = frozenset(table("node")["harmless"])


def _is_harmless(path: str) -> bool:
    root = path.split("(")[0]
    return root in _HARMLESS or root.partition(".")[0] in _HARMLESS


def _is_logger(path: str) -> bool:
    parts = path.replace("()", "").lower().split(".")
    return len(parts) > 1 and (parts[-2] in ("logger", "log") or parts[0] in ("pino", "winston", "bunyan", "debug"))


def _module_row(path: str) -> tuple[str, dict[str, Any], str] | None:
    """The module of `knowledge/node.toml` a path belongs to, its row, and the export."""
    modules = table("node")["modules"]
    at = len(path)
    while at > 0:
        if path[:at] in modules:
            return path[:at], modules[path[:at]], path[at + 1 :]
        at = path.rfind(".", 0, at)
    return None


def _call_module(
    machine: Machine,
    path: str,
    module: str,
    row: dict[str, Any],
    export: str,
    args: list[Any],
    node: Node,
    frame: Frame,
) -> Any:
    """Makes what the export makes, or closes what the module has made; None where it is another function."""
    kind = row["makes"].get(export)
    if kind is not None:
        thing = _make(machine, kind, module, row, args, node, frame)
        if kind in ("connection", "consumer") and export:
            for value in args:
                if isinstance(value, Closure):
                    machine.task(value, [None, thing], frame, frame.after)
        return thing
    name = export.rpartition(".")[2]
    mine = [thing for thing in machine.things if thing.name == module]
    if name in row.get("close", ()) and mine and "(" not in export:
        return _close(machine, mine[0], row["close"][name], args, node, frame, mine)
    if name in row.get("start", ()) and mine:
        for thing in mine:
            thing.alive = True
        run_callbacks(machine, args, frame, True)
        return Promise(frame.after, mine[0])
    return None


def _make(
    machine: Machine, kind: str, module: str, row: dict[str, Any], args: list[Any], node: Node, frame: Frame
) -> Any:
    span = frame.file.span(node)
    started = not row.get("start")
    alive: bool | None = started
    if kind in ("connection", "consumer"):
        alive = (None if row.get("alive") == "maybe" else bool(row.get("alive", True))) if started else False
    elif kind in ("app", "factory", "terminator", "upgrade"):
        alive = False
    thing = Thing(kind, module, span, alive, row)
    options = next((value for value in args if isinstance(value, Object)), None)
    if kind in ("terminator", "upgrade"):
        inside = options.props.get("server") if options else None
        thing.data = next((v for v in (inside, *args) if isinstance(v, Thing)), None)
        if kind == "upgrade" and thing.data is None and ((options and "port" in options.props) or _is_port(args)):
            thing.kind, thing.alive = "server", True
        if kind == "terminator":
            option, seconds = row["timeout"]
            given = options.props.get(option) if options else None
            thing.row = row | {"seconds": given / 1000 if isinstance(given, (int, float)) else seconds}
    if kind in ("worker", "child"):
        thing.data = _peer_file(machine, args, frame, "worker" if kind == "worker" else "main")
    machine.add(thing, frame)
    if module.startswith("@nestjs/"):
        return Promise(frame.after, thing)
    return thing


def _is_port(args: list[Any]) -> bool:
    return bool(args) and isinstance(args[0], int)


def _peer_file(machine: Machine, args: list[Any], frame: Frame, role: str) -> Any:
    """The project's file that a worker thread or child process runs, with its arguments and its role."""
    words = [value for value in args[:1] if isinstance(value, str)]
    runs_node = bool(args) and isinstance(args[0], External) and args[0].path in ("process.execPath", "process.argv0")
    rest = args[1].items if len(args) > 1 and isinstance(args[1], Array) else []
    if words[:1] == ["node"] or runs_node:
        words, rest = [value for value in rest[:1] if isinstance(value, str)], rest[1:]
    if not words or not words[0].endswith((".js", ".mjs", ".cjs", ".ts")):
        return None
    from gracelint.parse.node.modules import find_module

    name = words[0]
    source = machine.files.read(name) or find_module(f"./{name}", frame.file.source.path, machine.files)
    return (source, role, tuple(str(value) for value in rest if isinstance(value, str))) if source else None


# Methods


def call_method(machine: Machine, method: Method, args: list[Any], node: Node, frame: Frame) -> Any:
    owner, name = method.owner, method.name
    if name in ("bind", "call", "apply") and isinstance(owner, (Closure, Builtin, Method)):
        return _rebind(machine, owner, name, args, node, frame)
    if isinstance(owner, Method):
        owner = owner.owner
    if isinstance(owner, Promise):
        return _promise_method(machine, owner, name, args, node, frame)
    if isinstance(owner, Array):
        return _array_method(machine, owner, name, args, frame)
    if isinstance(owner, str):
        return _string_method(owner, name, args)
    if isinstance(owner, Thing):
        return _thing_method(machine, owner, name, args, node, frame)
    run_callbacks(machine, args, frame, False)
    return UNKNOWN


def _rebind(machine: Machine, owner: Any, name: str, args: list[Any], node: Node, frame: Frame) -> Any:
    this, rest = (args[0] if args else UNDEFINED), args[1:]
    if name == "apply":
        rest = rest[0].items if rest and isinstance(rest[0], Array) else []
    if isinstance(owner, Closure):
        owner = replace(owner, this=this if isinstance(this, (Object, Class)) else owner.this)
        if name == "bind":
            return replace(owner, bound=(*owner.bound, *rest))
    elif name == "bind":
        return Builtin(lambda m, given, at, f: m.call(owner, [*rest, *given], f, at)) if rest else owner
    return machine.call(owner, list(rest), frame, node)


def _promise_method(machine: Machine, owner: Promise, name: str, args: list[Any], node: Node, frame: Frame) -> Any:
    if name == "catch" or not args or owner.never:
        return owner
    after = (*frame.after, *(part for part in owner.after if part not in frame.after))
    result = machine.task(args[0], [owner.value] if name == "then" else [], frame, after)
    if isinstance(result, Promise):
        return Promise((*after, *(p for p in result.after if p not in after)), result.value, result.never)
    if isinstance(result, External) and "(" in result.path:
        after = (*after, After("work", frame.file.span(node)))
    return Promise(after, result)


def _array_method(machine: Machine, owner: Array, name: str, args: list[Any], frame: Frame) -> Any:
    if name in ("forEach", "map", "flatMap"):
        results = [
            machine.call(args[0], [item, index], frame, None) for index, item in enumerate(owner.items[:64]) if args
        ]
        if owner.open and args:
            machine.task(args[0], [UNKNOWN], frame, frame.after, certain=False)
        return Array(results, owner.open) if name != "forEach" else UNDEFINED
    if name in ("push", "unshift"):
        owner.items += args
        owner.open = owner.open or not machine.certain
        return len(owner.items)
    if name in ("filter", "slice", "reverse", "sort", "concat"):
        more = [item for value in args if isinstance(value, Array) for item in value.items] if name == "concat" else []
        return Array([*owner.items, *more], owner.open or name in ("filter", "slice"))
    if name == "includes" and args and isinstance(args[0], str) and not owner.open:
        known = all(isinstance(item, (str, int, float)) for item in owner.items)
        return True if args[0] in owner.items else False if known else UNKNOWN
    if name == "join" and all(isinstance(item, str) for item in owner.items):
        return (args[0] if args and isinstance(args[0], str) else ",").join(owner.items)
    run_callbacks(machine, args, frame, False, UNKNOWN)
    return UNKNOWN


def _string_method(owner: str, name: str, args: list[Any]) -> Any:
    given = [value for value in args if isinstance(value, str)]
    if name in ("startsWith", "endsWith", "includes") and len(given) == 1:
        found: bool = {"startsWith": owner.startswith, "endsWith": owner.endswith}.get(name, owner.__contains__)(
            given[0]
        )
        return found
    if name in ("toLowerCase", "toUpperCase", "trim", "toString"):
        return {"toLowerCase": owner.lower, "toUpperCase": owner.upper, "trim": owner.strip}.get(name, owner.__str__)()
    if name == "split" and len(given) == 1 and given[0]:
        return Array(list(owner.split(given[0])))
    return UNKNOWN


def _thing_method(machine: Machine, owner: Thing, name: str, args: list[Any], node: Node, frame: Frame) -> Any:
    row = owner.row
    if name in _LISTENS:
        event = args[0] if args else UNKNOWN
        if isinstance(event, str):
            owner.callbacks.setdefault(event, []).extend(args[1:2])
            if event in _STARTED and not machine.stopping:
                run_callbacks(machine, args[1:], frame, True)
        return owner
    if name == "then":
        return _promise_method(machine, Promise(frame.after, owner), name, args, node, frame)
    if name in ("catch", "ref", "off", "removeListener", "removeAllListeners", "setTimeout", "address", "hasRef"):
        return owner
    if name == "unref":
        _release(machine, owner, node, frame)
        return owner
    if owner.kind == "upgrade" and name in ("forEach", "disconnectSockets"):
        # `wss.clients.forEach((client) => client.close())`
        return _close_idle(machine, owner, args, node, frame) if machine.stopping else UNDEFINED
    if name == "emit":
        listeners = owner.callbacks.get(args[0], ()) if args and isinstance(args[0], str) else ()
        for function in listeners:
            machine.call(function, args[1:], frame, node)
        return True
    if owner.kind == "app" and name == "close":
        from gracelint.parse.node.machine import Thrown

        # Express and Koa applications have no `close`: the call is a TypeError
        if machine.certain:
            raise Thrown
    if owner.kind == "app" and name == "listen":
        return _listen(machine, owner, args, node, frame)
    if name in row.get("start", ()):
        return _start(machine, owner, args, node, frame)
    if name in row.get("close", ()):
        return _close(machine, owner, row["close"][name], args, node, frame)
    if name in row.get("drop", ()):
        machine.note("close-now", node, frame, thing=owner)
        return UNDEFINED
    special = _METHODS.get(name)
    if special is not None:
        return special(machine, owner, args, node, frame)
    if name in row.get("parts", ()):
        return _make(machine, row["parts"][name], owner.name, row, args, node, frame)
    if owner.kind in ("app", "server", "upgrade"):
        # routes, middleware and settings; what is called back there is work
        return owner
    if not machine.stopping:
        if name not in ("process", "run", "eachMessage", "consume", "subscribe"):
            run_callbacks(machine, args, frame, False)
    else:
        after = (*frame.after, After("work", frame.file.span(node)))
        for value in args:
            if isinstance(value, (Closure, Builtin)):
                machine.task(value, [], frame, after)
    return External(f"{owner.name}.{name}()")


def _listen(machine: Machine, app: Thing, args: list[Any], node: Node, frame: Frame) -> Thing:
    row = table("node")["modules"]["http"]
    server = Thing("server", app.name, frame.file.span(node), True, row)
    machine.add(server, frame)
    run_callbacks(machine, args, frame, True)
    return server


def _start(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    owner.alive = True
    if owner.kind == "server":
        owner.span = frame.file.span(node)
    owner.certain = owner.certain and machine.certain
    run_callbacks(machine, args, frame, True)
    for function in (*owner.callbacks.get("listening", ()), *owner.callbacks.get("ready", ())):
        machine.task(function, [], frame, frame.after)
    return owner


def _release(machine: Machine, thing: Thing, node: Node, frame: Frame) -> None:
    if machine.stopping or _is_later(frame):
        machine.note("release", node, frame, thing=thing)
    elif machine.certain:
        thing.alive = False
    elif thing.alive:
        thing.alive = None


def _is_later(frame: Frame) -> bool:
    """Start-up code behind an endless loop or an unsettled promise runs only when the program stops."""
    return any(part.kind in ("loop", "unknown") for part in frame.after)


def _close(
    machine: Machine,
    thing: Thing,
    kind: str,
    args: list[Any],
    node: Node,
    frame: Frame,
    others: list[Thing] | None = None,
) -> Any:
    """`thing.close(callback)`: what follows comes after everything in flight is done."""
    span = frame.file.span(node)
    if thing.kind == "terminator" and isinstance(thing.data, Thing):
        seconds = thing.row["seconds"]
        machine.note("close", node, frame, thing=thing.data)
        bound = After("race", span, thing.data, parts=((After("drained", span, thing.data),), (_timer(span, seconds),)))
        machine.note("force", node, frame, thing=thing.data, seconds=seconds)
        return Promise((*frame.after, bound), UNDEFINED)
    if not machine.stopping and not _is_later(frame):
        for part in others or [thing]:
            _release(machine, part, node, frame)
    if thing.kind == "server" and "timeout" in thing.row:
        machine.note("force", node, frame, thing=thing, seconds=_timeout(thing.row, args))
    for part in others or [thing]:
        machine.note("close" if kind == "drained" else "release", node, frame, thing=part)
    if thing.kind == "upgrade" and thing.name == "socket.io" and isinstance(thing.data, Thing):
        machine.note("close", node, frame, thing=thing.data)
        kind, thing = "drained", thing.data
    after = (*frame.after, After(kind, span, thing))
    functions = [value for value in args if isinstance(value, (Closure, Builtin, Method))]
    for function in (*functions, *thing.callbacks.get("close", ())):
        machine.task(function, [UNDEFINED], frame, after)
    hooks = thing.callbacks.get("onClose", ())
    for function in hooks:
        machine.task(function, [thing], frame, frame.after)
    return thing if thing.row.get("callback") else Promise(after, UNDEFINED)


def _timer(span: Any, seconds: float | None) -> After:
    return After("timer", span, None, seconds)


def _close_idle(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    machine.note("close-idle", node, frame, thing=owner)
    return UNDEFINED


def _stop_child(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    """`child.kill(signal)`, `worker.terminate()`, `worker.postMessage(…)`: its end is called back."""
    if not machine.stopping:
        return UNDEFINED
    signal = next((str(value) for value in args if isinstance(value, str)), "SIGTERM")
    kind = "ask" if owner.kind == "worker" else "stop-child"
    machine.note(kind, node, frame, thing=owner, target=signal)
    return _after_end(machine, owner, node, frame)


def _after_end(machine: Machine, owner: Thing, node: Node, frame: Frame) -> Promise:
    after = (*frame.after, After("ended", frame.file.span(node), owner))
    for event in ("exit", "close"):
        for function in owner.callbacks.get(event, ()):
            machine.task(function, [owner if owner.kind == "cluster" else 0, 0], frame, after)
    return Promise(after, UNDEFINED)


def _terminate(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    _release(machine, owner, node, frame)
    return _after_end(machine, owner, node, frame) if machine.stopping else UNDEFINED


def _send(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    if not machine.stopping or owner.kind not in ("worker", "child", "cluster"):
        return UNDEFINED
    machine.note("ask", node, frame, thing=owner, target="message", value=args[0] if args else UNDEFINED)
    return _after_end(machine, owner, node, frame)


def _disconnect(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    if machine.stopping:
        machine.note("disconnect", node, frame, thing=owner)
    return UNDEFINED


def _enable_shutdown_hooks(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    """Nest closes the application on a signal and then sends itself the signal again."""
    given = args[0].items if args and isinstance(args[0], Array) else []
    signals = tuple(str(value) for value in given if isinstance(value, str)) or tuple(_SIGNALS)
    row = {"signals": signals, "then": "rekill"}
    _register(machine, row, signals, [], [owner], None, node, frame)
    return owner


def _fastify_register(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    plugin = args[0] if args else UNKNOWN
    if isinstance(plugin, External):
        row = table("node")["helpers"].get(plugin.path)
        if row is not None and row.get("plugin"):
            seconds = _timeout(row, args)
            _register(machine, row, tuple(row["signals"]), [], [owner], seconds, node, frame)
    elif isinstance(plugin, Closure):
        machine.task(plugin, [owner, args[1] if len(args) > 1 else Object()], frame, frame.after)
    return owner


def _add_hook(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    if args and args[0] == "onClose":
        owner.callbacks.setdefault("onClose", []).extend(args[1:2])
    return owner


def _stoppable_stop(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    """`server.stop()` of the stoppable module."""
    if owner.data is not None and owner.data[0] == "stoppable" and owner.data[1] is not None:
        machine.note("force", node, frame, thing=owner, seconds=owner.data[1])
    return _close(machine, owner, "drained", args, node, frame)


_METHODS: dict[str, Callable[[Machine, Thing, list[Any], Node, Frame], Any]] = {
    "closeIdleConnections": _close_idle,
    "kill": _stop_child,
    "destroy": _stop_child,
    "terminate": _terminate,
    "postMessage": _send,
    "send": _send,
    "disconnect": _disconnect,
    "enableShutdownHooks": _enable_shutdown_hooks,
    "register": _fastify_register,
    "addHook": _add_hook,
    "stop": _stoppable_stop,
}


# Helpers that install handlers


@cache
def _helpers() -> dict[str, dict[str, Any]]:
    found = {}
    for key, row in table("node")["helpers"].items():
        module = row.get("module", key)
        call = row.get("call", "")
        found[f"{module}.{call}" if call else module] = row
    return found


def _helper(path: str) -> dict[str, Any] | None:
    return _helpers().get(path)


def _install(machine: Machine, row: dict[str, Any], args: list[Any], node: Node, frame: Frame) -> Any:
    options = next((value for value in args if isinstance(value, Object)), Object())
    signals = tuple(row["signals"])
    chosen = options.props.get(row.get("option", ""))
    if isinstance(chosen, str):
        signals = tuple(chosen.split())
    elif isinstance(chosen, Array):
        signals = tuple(str(value) for value in chosen.items if isinstance(value, str))
    one = options.props.get(row.get("one", ""))
    if isinstance(one, str):
        signals = (str(one),)
    functions = []
    for place in row.get("callbacks", ()):
        value = options.props.get(place) if isinstance(place, str) else args[place] if place < len(args) else None
        if isinstance(value, (Closure, Builtin, Method)):
            functions.append(value)
    servers = [value for value in args if isinstance(value, Thing) and value.kind == "server"]
    _register(machine, row, signals, functions, servers, _timeout(row, args), node, frame)
    if "registers" in row:
        return Object({row["registers"]: Builtin(lambda m, given, at, f: functions.extend(given))})
    return External("helper()")


def _timeout(row: dict[str, Any], args: list[Any]) -> float | None:
    if "timeout" not in row:
        return None
    option, seconds = row["timeout"]
    options = next((value for value in args if isinstance(value, Object)), None)
    given = options.props.get(option) if options else None
    return given / 1000 if isinstance(given, (int, float)) and not isinstance(given, bool) else float(seconds)


def _register(
    machine: Machine,
    row: dict[str, Any],
    signals: tuple[str, ...],
    functions: list[Any],
    servers: list[Thing],
    seconds: float | None,
    node: Node,
    frame: Frame,
) -> None:
    """Installs a handler that does what the helper's row says."""
    home = frame

    def run(machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Any:
        from gracelint.parse.node.machine import Frame

        after = frame.after
        inner = Frame(home.scope, home.file, after)
        if seconds and row["then"] == "exit":
            late = Frame(home.scope, home.file, (*after, _timer(home.file.span(node), seconds)))
            machine.note("exit", node, late)
        elif seconds:
            for server in servers:
                machine.note("force", node, inner, thing=server, seconds=seconds)
        for function in functions:
            result = machine.task(function, args, inner, after)
            if isinstance(result, Promise) and not row.get("sync"):
                after = (*after, *(part for part in result.after if part not in after))
        inner = Frame(home.scope, home.file, after)
        for server in servers:
            machine.note("close", node, inner, thing=server)
            after = (*after, After("drained", home.file.span(node), server))
        inner = Frame(home.scope, home.file, after)
        if row["then"] == "exit":
            machine.note("exit", node, inner)
        elif row["then"] == "rekill":
            machine.removed.extend(signals)
            machine.note("rekill", node, inner)
        return UNDEFINED

    _listen_for(machine, signals, (), Builtin(run), node, frame)


def _listen_for(
    machine: Machine,
    signals: tuple[str, ...],
    names: tuple[Any, ...],
    function: Any,
    node: Node,
    frame: Frame,
    once: bool = False,
) -> None:
    from gracelint.parse.node.machine import Registration

    span = frame.file.span(node)
    machine.registrations.append(Registration(signals, names, function, span, machine.certain, frame.after, once))


# Node's own functions


def _process_on(machine: Machine, args: list[Any], node: Node, frame: Frame, once: bool = False) -> Any:
    event = args[0] if args else UNKNOWN
    function = args[1] if len(args) > 1 else UNKNOWN
    if isinstance(event, str):
        if event in _SIGNALS or event.startswith("SIG"):
            span = getattr(event, "span", None)
            _listen_for(machine, (str(event),), (span,) if span else (), function, node, frame, once)
        elif event not in ("exit", "beforeExit"):
            machine.listeners.setdefault(str(event), []).append(function)
    elif event is UNKNOWN or isinstance(event, External):
        _listen_for(machine, (), (), function, node, frame, once)
    return External("process")


def _process_exit(machine: Machine, args: list[Any], node: Node | None, frame: Frame) -> Any:
    from gracelint.parse.node.machine import Stop

    machine.note("exit", node if node is not None else frame.file.root, frame)
    if machine.certain:
        raise Stop
    return UNDEFINED


def _process_kill(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    target = args[0] if args else UNKNOWN
    signal = args[1] if len(args) > 1 else "SIGTERM"
    if isinstance(target, External) and target.path == "process.pid":
        if signal != machine.signal and any(signal in known.signals for known in machine.registrations):
            return _process_emit(machine, [signal], node, frame)
        machine.note("rekill", node, frame, target=signal if isinstance(signal, str) else "")
    elif isinstance(target, Method) and isinstance(target.owner, Thing):
        return _stop_child(machine, target.owner, args[1:], node, frame)
    elif machine.stopping:
        machine.note("opaque", node, frame, target="process.kill")
    return UNDEFINED


def _process_emit(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    if machine.stopping and args and isinstance(args[0], str):
        for known in machine.registrations:
            if args[0] in known.signals:
                machine.task(known.function, args, frame, frame.after, known.certain)
    return True


def _remove_listener(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    gone = [str(value) for value in args if isinstance(value, str)] or list(_SIGNALS)
    machine.removed.extend(gone)
    if not machine.stopping and machine.certain and not _is_later(frame):
        functions = args[1:2]
        machine.registrations[:] = [
            known
            for known in machine.registrations
            if not set(known.signals) & set(gone) or (functions and known.function is not functions[0])
        ]
    return External("process")


def _set_timeout(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
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
    if not machine.stopping:
        machine.add(thing, frame)
    machine.timer_stack.append((key, thing))
    try:
        machine.task(function, args[2:], frame, (*frame.after, After("timer", span, thing, seconds)))
    finally:
        machine.timer_stack.pop()
    return thing


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


def _set_interval(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    given = args[1] if len(args) > 1 else 0
    seconds = given / 1000 if isinstance(given, (int, float)) else None
    machine.run_timers.add((frame.file.source.path, node.start_byte))
    thing = machine.add(Thing("interval", "setInterval", frame.file.span(node), True), frame)
    thing.data = (args[0] if args else UNKNOWN, args[2:], seconds, frame.file)
    return thing


def _soon(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    function = args[0] if args else UNKNOWN
    if isinstance(function, Closure) and function.node in machine.stack:
        return rearm(machine, function, args[1:], 0.0, "setImmediate", frame.file.span(node), frame)
    machine.task(function, args[1:], frame, frame.after)
    return UNDEFINED


def _clear(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    if args and isinstance(args[0], Thing):
        _release(machine, args[0], node, frame)
    elif args and args[0] is UNKNOWN and machine.stopping:
        machine.note("opaque", node, frame, target="clearInterval")
    return UNDEFINED


def _promise_all(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    after = list(frame.after)
    values = []
    parts = args[0].items if args and isinstance(args[0], Array) else [UNKNOWN]
    for value in parts:
        if isinstance(value, Promise):
            after.extend(part for part in value.after if part not in after)
            values.append(value.value)
            continue
        values.append(value)
        if isinstance(value, External) and "(" in value.path:
            after.append(After("unknown" if value.path.startswith("?") else "work", frame.file.span(node)))
    return Promise(tuple(after), Array(values, open=not (args and isinstance(args[0], Array))))


def _promise_race(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    parts = args[0].items if args and isinstance(args[0], Array) else []
    waits = tuple(
        tuple(a for a in value.after if a not in frame.after)
        if isinstance(value, Promise)
        else (After("work", frame.file.span(node)),)
        for value in parts
    )
    return Promise((*frame.after, After("race", frame.file.span(node), parts=waits)), UNKNOWN)


def _promise_resolve(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return args[0] if args and isinstance(args[0], Promise) else Promise(frame.after, args[0] if args else UNDEFINED)


def _promisify(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    function = args[0] if args else UNKNOWN
    if isinstance(function, External) and function.path == "setTimeout":
        return External("timers/promises.setTimeout")

    def call(machine: Machine, given: list[Any], at: Node | None, frame: Frame) -> Any:
        where = at if at is not None else frame.file.root
        executor = Builtin(lambda m, pair, _, f: m.call(function, [*given, _without_error(pair[0])], f, where))
        return machine.new_promise([executor], where, frame)

    return Builtin(call) if isinstance(function, (Closure, Method, Builtin)) else External("promisified")


def _without_error(resolve: Any) -> Builtin:
    return Builtin(lambda m, given, at, f: m.call(resolve, given[1:], f, at))


def _sleep(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    given = args[0] if args else 0
    seconds = given / 1000 if isinstance(given, (int, float)) else None
    machine.run_timers.add((frame.file.source.path, node.start_byte))
    return Promise((*frame.after, After("timer", frame.file.span(node), None, seconds)), UNDEFINED)


def _sync_child(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    if not machine.stopping:
        machine.add(Thing("sync-child", "child process", frame.file.span(node), False), frame)
    return External("child_process.execSync()")


def _once(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`await once(emitter, event)`"""
    emitter, event = (*args, UNKNOWN, UNKNOWN)[:2]
    span = frame.file.span(node)
    if isinstance(emitter, External) and emitter.path == "process" and isinstance(event, str):
        later = Thing("signal", str(event), span, False)

        def resolve(machine: Machine, given: list[Any], at: Node | None, inner: Frame) -> Any:
            machine.resolved.setdefault(id(later), inner.after)
            return UNDEFINED

        _listen_for(machine, (str(event),), (), Builtin(resolve), node, frame, once=True)
        return Promise((*frame.after, After("unknown", span, later)))
    if isinstance(emitter, Thing) and isinstance(event, str):
        if event in _STARTED:
            return Promise(frame.after)
        kind = "drained" if emitter.kind == "server" and event == "close" else "ended"
        return Promise((*frame.after, After(kind, span, emitter)))
    return Promise((*frame.after, After("unknown", span)))


def _fork(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    forked = _forked(machine)
    if forked is not None and not machine.stopping:
        return forked
    thing = Thing("cluster", "cluster", frame.file.span(node), True)
    thing.data = (machine.source, "clustered", machine.argv)
    thing.callbacks["exit"] = list(machine.listeners.get("cluster.exit", ()))
    return machine.add(thing, frame)


def _cluster_on(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    event = args[0] if args else UNKNOWN
    machine.listeners.setdefault(f"cluster.{event}", []).extend(args[1:2])
    if event == "exit":
        for thing in machine.things:
            if thing.kind == "cluster":
                thing.callbacks.setdefault("exit", []).extend(args[1:2])
    return External("cluster")


def _cluster_disconnect(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    if machine.stopping:
        machine.note("disconnect", node, frame, thing=_forked(machine))
        after = (*frame.after, After("disconnected", frame.file.span(node)))
        for value in args:
            machine.task(value, [], frame, after)
    return UNDEFINED


def _object_keys(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    value = args[0] if args else UNKNOWN
    if isinstance(value, External):
        return (
            Array(items(machine, value).items, open=True) if value.path == "cluster.workers" else Array([], open=True)
        )
    return Array(list(value.props), value.open) if isinstance(value, Object) else Array([], open=True)


def _object_values(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    value = args[0] if args else UNKNOWN
    if isinstance(value, External) and value.path == "cluster.workers" and (thing := _forked(machine)):
        return Array([thing])
    return Array(list(value.props.values()), value.open) if isinstance(value, Object) else Array([], open=True)


def _object_entries(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    value = args[0] if args else UNKNOWN
    if isinstance(value, Object):
        return Array([Array([key, item]) for key, item in value.props.items()], value.open)
    return Array([], open=True)


def _array_from(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return args[0] if args and isinstance(args[0], Array) else Array([], open=True)


def _number(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    value = args[0] if args else UNKNOWN
    if isinstance(value, (int, float)):
        return value
    try:
        return float(value) if isinstance(value, str) else UNKNOWN
    except ValueError:
        return UNKNOWN


def _string(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return str(args[0]) if args and isinstance(args[0], (str, int)) else UNKNOWN


def _same(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return args[0] if args else UNDEFINED


def _abort_controller(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    emitter = Thing("emitter", "AbortSignal", frame.file.span(node), False)
    signal = Object({"aborted": False})
    signal.props["addEventListener"] = signal.props["on"] = Method(emitter, "on")

    def abort(machine: Machine, given: list[Any], at: Node | None, frame: Frame) -> Any:
        signal.props["aborted"] = True
        if at is not None:
            # whatever was given the signal comes to its end
            machine.note("opaque", at, frame, target="abort")
        return machine.call(Method(emitter, "emit"), ["abort"], frame, at)

    return Object({"signal": signal, "abort": Builtin(abort)})


def _emitter(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return Thing("emitter", "EventEmitter", frame.file.span(node), False)


def _stoppable(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`stoppable(server, grace)` gives the server back, with a `stop` method."""
    if args and isinstance(args[0], Thing):
        grace = args[1] / 1000 if len(args) > 1 and isinstance(args[1], (int, float)) else None
        args[0].data = ("stoppable", grace)
        return args[0]
    return UNKNOWN


def _port_on(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """A worker thread's `parentPort.on('message', …)` keeps it alive until `parentPort.close()`."""
    event = str(args[0]) if args and isinstance(args[0], str) else ""
    machine.listeners.setdefault(f"port.{event}", []).extend(args[1:2])
    if event == "message" and not any(thing.kind == "port" for thing in machine.things):
        machine.add(Thing("port", "parentPort", frame.file.span(node), True), frame)
    return External("worker_threads.parentPort")


def _port_close(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    for thing in machine.things:
        if thing.kind == "port":
            _release(machine, thing, node, frame)
    return UNDEFINED


_FUNCTIONS: dict[str, Callable[[Machine, list[Any], Node, Frame], Any]] = {
    "process.on": _process_on,
    "process.addListener": _process_on,
    "process.prependListener": _process_on,
    "process.once": lambda m, a, n, f: _process_on(m, a, n, f, True),
    "process.prependOnceListener": lambda m, a, n, f: _process_on(m, a, n, f, True),
    "process.off": _remove_listener,
    "process.removeListener": _remove_listener,
    "process.removeAllListeners": _remove_listener,
    "process.exit": _process_exit,
    "process.reallyExit": _process_exit,
    "process.abort": _process_exit,
    "process.emit": _process_emit,
    "child_process.execSync": _sync_child,
    "child_process.spawnSync": _sync_child,
    "child_process.execFileSync": _sync_child,
    "process.kill": _process_kill,
    "process.nextTick": _soon,
    "queueMicrotask": _soon,
    "setImmediate": _soon,
    "setTimeout": _set_timeout,
    "timers.setTimeout": _set_timeout,
    "setInterval": _set_interval,
    "timers.setInterval": _set_interval,
    "clearTimeout": _clear,
    "clearInterval": _clear,
    "timers/promises.setTimeout": _sleep,
    "timers/promises.scheduler.wait": _sleep,
    "Promise.all": _promise_all,
    "Promise.allSettled": _promise_all,
    "Promise.race": _promise_race,
    "Promise.any": _promise_race,
    "Promise.resolve": _promise_resolve,
    "util.promisify": _promisify,
    "events.once": _once,
    "cluster.fork": _fork,
    "cluster.on": _cluster_on,
    "cluster.once": _cluster_on,
    "cluster.disconnect": _cluster_disconnect,
    "Object.keys": _object_keys,
    "Object.values": _object_values,
    "Object.entries": _object_entries,
    "Object.freeze": _same,
    "Array.from": _array_from,
    "Set": _array_from,
    "Number": _number,
    "parseInt": _number,
    "parseFloat": _number,
    "String": _string,
    "Boolean": lambda m, a, n, f: UNKNOWN,
    "stoppable": _stoppable,
    "AbortController": _abort_controller,
    "events": _emitter,
    "events.EventEmitter": _emitter,
    "worker_threads.parentPort.on": _port_on,
    "worker_threads.parentPort.once": _port_on,
    "worker_threads.parentPort.close": _port_close,
}
