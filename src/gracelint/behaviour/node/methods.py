"""Methods of what a run knows: promises, arrays, strings, and the things that keep node running."""

from __future__ import annotations

from gracelint.base import limits
from gracelint.base.record import replace
from gracelint.behaviour.node import nest
from gracelint.behaviour.node.arrays import array_method, functions_in, run_callbacks
from gracelint.behaviour.node.helpers import NUMBERS, register, signal_among, takes_a_callback, timeout_of, until_called
from gracelint.behaviour.node.making import make, stops_itself
from gracelint.behaviour.node.state import Frame, Stop, Thrown
from gracelint.behaviour.node.this import TAKEN, TAKEN_PROMISE
from gracelint.behaviour.node.values import (
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
    is_behind_what_stays,
    joined,
    spread,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine

SELF = ("server", "process", "httpServer", "http")
"""Properties of a thing that stand for the thing itself."""


STATES: dict[str, Any] = {
    "killed": False, "connected": True, "listening": True, "exitCode": None, "signalCode": None, "readyState": 1,
}  # fmt: skip
"""Properties of a thing as they are while it runs."""


STARTED = frozenset(("listening", "ready", "open", "connect", "connected", "online", "init", "load", "started"))


LISTENS = frozenset(("on", "once", "addListener", "prependListener", "prependOnceListener", "addEventListener"))


EMITS = LISTENS | {"emit", "listeners", "off", "removeListener", "removeAllListeners"}


def forked(machine: Machine) -> Thing | None:
    return next((thing for thing in machine.things if thing.kind == "cluster"), None)


def items(machine: Machine, value: Any) -> Any:
    """What a loop over the value goes through."""
    if isinstance(value, Method) and isinstance(value.owner, Thing) and _has_clients(value.owner):
        client = Thing("client", "client", value.owner.span, False)
        client.data = value.owner
        return Array([client])
    if isinstance(value, External) and value.path == "cluster.workers":
        return Array(["1"]) if forked(machine) else Array([], open=True)
    return value


def _has_clients(thing: Thing) -> bool:
    """A server of WebSockets, with or without an HTTP server of its own."""
    return thing.kind == "upgrade" or thing.name == "ws"


def call_method(machine: Machine, method: Method, args: list[Any], node: Node, frame: Frame) -> Any:
    owner, name = method.owner, method.name
    if name in ("bind", "call", "apply") and isinstance(owner, (Closure, Builtin, Method)):
        return _rebind(machine, owner, name, args, node, frame)
    if name == TAKEN:
        raise Thrown
    if name == TAKEN_PROMISE:
        return Promise(frame.after, never=True, rejected=machine.stopping)
    if isinstance(owner, Method):
        owner = owner.owner
    if isinstance(owner, Promise):
        return _promise_method(machine, owner, name, args, node, frame)
    if isinstance(owner, Array):
        return array_method(machine, owner, name, args, frame)
    if isinstance(owner, str):
        return _string_method(owner, name, args)
    if isinstance(owner, Thing):
        return _thing_method(machine, owner, name, args, node, frame)
    run_callbacks(machine, args, frame, False)
    return UNKNOWN


def _rebind(machine: Machine, owner: Any, name: str, args: list[Any], node: Node, frame: Frame) -> Any:
    this, rest = (args[0] if args else UNDEFINED), args[1:]
    if isinstance(owner, Method) and owner.name in (TAKEN, TAKEN_PROMISE):
        owner = owner.owner
    if name == "apply":
        rest = spread(rest[0]) if rest else []
    if isinstance(owner, Closure):
        owner = replace(owner, this=this if isinstance(this, (Object, Class)) else owner.this)
        if name == "bind":
            return replace(owner, bound=(*owner.bound, *rest))
    elif name == "bind":
        return Builtin(lambda m, given, at, f: m.call(owner, [*rest, *given], f, at)) if rest else owner
    return machine.call(owner, list(rest), frame, node)


def _promise_method(machine: Machine, owner: Promise, name: str, args: list[Any], node: Node, frame: Frame) -> Any:
    if owner.rejected and args and (name == "catch" or name == "finally" or len(args) > 1):
        caught = machine.task(args[-1], [UNKNOWN] if name != "finally" else [], frame, owner.after)
        return owner if name == "finally" else Promise(owner.after, caught)
    if name == "catch" or not args or owner.never:
        return owner
    machine.pay_for(len(owner.after))
    after = joined(frame.after, owner.after)
    given = [owner.value] if name == "then" else []
    if machine.stopping:
        result = _step(machine, args[0], given, frame, after)
    else:
        result = machine.task(args[0], given, frame, after)
    if isinstance(result, Promise) and result.fails is not None:
        return result
    if isinstance(result, Promise):
        return Promise(joined(after, result.after), result.value, result.never)
    if isinstance(result, External) and "(" in result.path:
        after = (*after, After("work", frame.file.span(node)))
    return Promise(after, result)


def _step(machine: Machine, function: Any, args: list[Any], frame: Frame, after: tuple[After, ...]) -> Any:
    """A callback of a promise: what it throws makes the next promise fail."""
    try:
        return machine.call(function, args, Frame(frame.scope, frame.file, after, frame.this), None)
    except Stop:
        return Promise(after, never=True)
    except Thrown:
        return Promise(after, never=True, fails=after, rejected=True)


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
    if name in ("replace", "replaceAll") and len(given) == 2 and "$" not in given[1]:
        return owner.replace(given[0], given[1], 1 if name == "replace" else -1)[: limits.EXPANDED]
    if name == "slice" and args and all(isinstance(value, int) for value in args):
        return owner[slice(*(args[:2] if len(args) > 1 else (args[0], None)))]
    return UNKNOWN


def _thing_method(machine: Machine, owner: Thing, name: str, args: list[Any], node: Node, frame: Frame) -> Any:
    row = owner.row
    if name in LISTENS:
        event = args[0] if args else UNKNOWN
        if isinstance(event, str):
            owner.callbacks.setdefault(event, []).extend(args[1:2])
            if machine.stopping and event in ("exit", "close", "message"):
                from gracelint.behaviour.node.peers import hear_late

                hear_late(machine, owner, args, frame)
            if event in STARTED and not machine.stopping:
                run_callbacks(machine, args[1:], frame, True)
            elif machine.rehearsing and owner.kind == "child":
                run_callbacks(machine, args[1:], Frame(frame.scope, frame.file, owner.after, frame.this), True)
        return owner
    if name == "then":
        return _promise_method(machine, Promise(frame.after, owner), name, args, node, frame)
    if name in ("catch", "ref", "off", "removeListener", "removeAllListeners", "setTimeout", "address", "hasRef"):
        return owner
    if name == "unref":
        if owner.kind == "timer" and machine.stopping:
            machine.loose.add(id(owner))
        owner.settings["loose"] = True
        release(machine, owner, node, frame)
        return owner
    if _has_clients(owner) and name in ("forEach", "disconnectSockets"):
        # `wss.clients.forEach((client) => client.close())`
        return _close_idle(machine, owner, args, node, frame) if machine.stopping or is_later(frame) else UNDEFINED
    if owner.kind == "client" and name in ("close", "terminate"):
        return _close_idle(machine, owner.data, args, node, frame)
    if name == "listeners" and owner.kind == "emitter":
        return Array(list(owner.callbacks.get(args[0], ()))) if args and isinstance(args[0], str) else UNKNOWN
    if name == "emit":
        if owner.kind == "upgrade" and machine.stopping:
            # clients that are told so may leave by themselves
            machine.note("log", node, frame, thing=owner)
        machine.said.update(value for value in args[:1] if isinstance(value, str) and machine.stopping)
        listeners = owner.callbacks.get(args[0], ()) if args and isinstance(args[0], str) else ()
        for function in listeners:
            machine.call(function, args[1:], frame, node)
        return True
    if owner.kind == "app" and name == "close" and machine.certain:
        # Express and Koa applications have no `close`: the call is a TypeError
        raise Thrown
    if owner.kind == "app" and name == "listen":
        return _listen(machine, owner, args, node, frame)
    if name in row.get("start", ()):
        return _start(machine, owner, args, node, frame)
    if name in row.get("close", ()):
        return close(machine, owner, row["close"][name], args, node, frame)
    if name == "Symbol.asyncDispose" and row.get("close"):
        kind = next(iter(row["close"].values()))
        found = close(machine, owner, kind, [], node, frame)
        return found if found is not owner else Promise((*frame.after, After(kind, frame.file.span(node), owner)))
    if name in row.get("kills", ()) and machine.stopping:
        machine.note("terminate", node, frame, thing=owner, target=name)
        return Promise((*frame.after, After("ended", frame.file.span(node), owner)))
    if name in row.get("drop", ()):
        machine.note("close-now", node, frame, thing=owner)
        return UNDEFINED
    if owner.kind == "server" and name in _DESTROYS:
        machine.note("close-now", node, frame, thing=owner)
        return close(machine, owner, "drained", args, node, frame)
    special = _METHODS.get(name)
    if special is not None:
        return special(machine, owner, args, node, frame)
    if name in row.get("parts", ()):
        return make(machine, row["parts"][name], owner.name, row, args, node, frame)
    if owner.kind in ("app", "server", "upgrade"):
        # routes, middleware and settings; what is called back there is work
        owner.callbacks.setdefault("route", []).extend(functions_in(args))
        return owner
    if not machine.stopping:
        if name in _CONSUMES:
            owner.callbacks.setdefault("job", []).extend(args)
        else:
            run_callbacks(machine, args, frame, False)
    else:
        after = (*frame.after, After("work", frame.file.span(node)))
        for value in args:
            if isinstance(value, (Closure, Builtin)):
                machine.task(value, [], frame, after)
    seconds = longest_wait(args)
    if name in row.get("blocks", ()) and seconds is None:
        seconds = _blocks_for(args)
    return External(f"{owner.name}.{name}()", seconds)


_CONSUMES = ("process", "run", "eachMessage", "consume", "subscribe")
"""Methods that are given what is to be done with each job."""


def _blocks_for(args: list[Any]) -> float:
    """How long a Redis command waits: `brpop(key, 5)`, `xread('BLOCK', 2000, …)`; infinity where that has no limit."""
    words = [value.upper() if isinstance(value, str) else value for value in args]
    at = words.index("BLOCK") + 1 if "BLOCK" in words else None
    if at is None and "STREAMS" in words:
        return 0.0
    given = args[-1] if at is None and args else args[at] if at is not None and at < len(args) else 0
    if isinstance(given, bool) or not isinstance(given, (int, float)) or given <= 0:
        return float("inf")
    return float(given) if at is None else given / 1000


def longest_wait(args: list[Any]) -> float | None:
    """The time a call may take, as options such as `WaitTimeSeconds` say, its own or those of a command it sends."""
    factors = table("node")["waits"]
    found = [value.seconds for value in args if isinstance(value, External) and value.seconds is not None]
    for value in args:
        for key, given in value.props.items() if isinstance(value, Object) else ():
            if key in factors and isinstance(given, (int, float)) and not isinstance(given, bool):
                found.append(given * factors[key] or float("inf"))
    return max(found, default=None)


def _listen(machine: Machine, app: Thing, args: list[Any], node: Node, frame: Frame) -> Thing:
    row = table("node")["modules"]["http"]
    server = app.data = Thing("server", app.name, frame.file.span(node), True, row)
    machine.add(server, frame)
    _close_on_abort(machine, server, args, node, frame)
    machine.listening.append((args, frame, machine.certain))
    return server


def _start(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    if owner.kind == "factory":
        if "signals" in owner.row and stops_itself(owner):
            row = {"signals": owner.row["signals"], "then": "rekill"}
            register(machine, row, tuple(row["signals"]), [], owner.callbacks.get("drains", []), None, node, frame)
        return Promise(frame.after, owner)
    owner.alive = True
    if owner.kind == "server":
        owner.span = frame.file.span(node)
        _close_on_abort(machine, owner, args, node, frame)
    owner.certain = owner.certain and machine.certain
    machine.listening.append((args, frame, machine.certain))
    for function in (*owner.callbacks.get("listening", ()), *owner.callbacks.get("ready", ())):
        machine.task(function, [], frame, frame.after)
    return owner


def _close_on_abort(machine: Machine, server: Thing, args: list[Any], node: Node, frame: Frame) -> None:
    """`server.listen({ port, signal })` is closed once the signal is aborted."""
    signal = signal_among(args)
    listens = signal.props.get("addEventListener") if signal is not None else None
    kind = server.row.get("close", {}).get("close")
    if isinstance(listens, Method) and kind is not None:
        closes = Builtin(lambda m, given, at, inner: close(m, server, kind, [], at or node, inner))
        listens.owner.callbacks.setdefault("abort", []).append(closes)


def release(machine: Machine, thing: Thing, node: Node, frame: Frame) -> None:
    if thing.kind == "timer" and machine.stopping and machine.certain:
        machine.early.add(id(thing))
    if machine.stopping or is_later(frame):
        machine.note("release", node, frame, thing=thing)
        return
    if thing.kind == "timer":
        thing.settings["cleared"] = True
    if machine.certain:
        thing.alive = False
    elif thing.alive:
        thing.alive = None


def is_later(frame: Frame) -> bool:
    """Start-up code behind an endless loop or an unsettled promise runs only when the program stops."""
    return is_behind_what_stays(frame.after)


def close(
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
        bound = After(
            "race",
            span,
            thing.data,
            parts=((After("drained", span, thing.data),), (After("timer", span, None, seconds),)),
        )
        machine.note("force", node, frame, thing=thing.data, seconds=seconds)
        return Promise((*frame.after, bound), UNDEFINED)
    if thing.settings.get("forceCloseConnections") is True and machine.stopping:
        machine.note("close-now", node, frame, thing=thing)
    if not machine.stopping and not is_later(frame):
        for part in others or [thing]:
            release(machine, part, node, frame)
    if "forced" in thing.row and args and args[0] is True and machine.stopping:
        machine.note("terminate", node, frame, thing=thing, target="close(true)")
    if thing.kind == "server" and "timeout" in thing.row:
        machine.note("force", node, frame, thing=thing, seconds=timeout_of(thing.row, args))
    own = len(machine.events)
    for part in others or [thing]:
        machine.note("close" if kind == "drained" else "release", node, frame, thing=part)
    if thing.kind == "upgrade" and thing.name == "socket.io" and isinstance(thing.data, Thing):
        machine.note("close", node, frame, thing=thing.data)
        kind, thing = "drained", thing.data
    after = (*frame.after, After(kind, span, thing))
    if thing.name == "@nestjs/core" and machine.stopping:
        hooks = machine.task(nest.stopping(), [UNDEFINED], frame, frame.after)
        after = joined(after, hooks.after)
    functions = [value for value in args if isinstance(value, (Closure, Builtin, Method))]
    is_closed = _is_closed(machine, thing, frame, own)
    error = Object({"name": "Error", "code": "ERR_SERVER_NOT_RUNNING"}) if is_closed else UNDEFINED
    for function in functions:
        machine.task(function, [error], frame, after)
    for function in thing.callbacks.get("close", ()):
        machine.task(function, [], frame, after)
    hooks = thing.callbacks.get("onClose", ())
    for function in hooks:
        if takes_a_callback(function):
            done = until_called(machine, function, [thing], node, frame)
            after = joined(after, done)
            if machine.stopping and any(part.kind == "unknown" for part in done):
                machine.note("undone", function.node, Frame(function.scope, function.file, frame.after))
            continue
        result = machine.task(function, [thing], frame, frame.after)
        if isinstance(result, Promise):
            after = joined(after, result.after)
    return thing if thing.row.get("callback") else Promise(after, UNDEFINED)


def _is_closed(machine: Machine, thing: Thing, frame: Frame, before: int) -> bool:
    """Whether a server of Node's own surely was closed before: the second time it calls back with an error."""
    if not machine.stopping or thing.kind != "server" or not {"upgrades", "raw", "sessions"} & thing.row.keys():
        return False
    return any(
        event.thing is thing and event.kind == "close" and event.certain and set(event.after) <= set(frame.after)
        for event in machine.events[:before]
    )


def _close_idle(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    machine.note("close-idle", node, frame, thing=owner)
    return UNDEFINED


def stop_child(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    """`child.kill(signal)`, `worker.terminate()`, `worker.postMessage(…)`: its end is called back."""
    if not machine.stopping and not is_later(frame):
        return UNDEFINED
    signal = next((str(value) for value in args if isinstance(value, str)), "SIGTERM")
    signal = "SIGKILL" if 9 in args else signal
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
    if owner.kind == "worker" and machine.stopping:
        machine.note("terminate", node, frame, thing=owner)
    release(machine, owner, node, frame)
    return _after_end(machine, owner, node, frame) if machine.stopping else UNDEFINED


def _send(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    if not machine.stopping or owner.kind not in ("worker", "child", "cluster"):
        return UNDEFINED
    value = args[0] if args else UNDEFINED
    machine.note("ask", node, frame, thing=owner, target="message", value=value)
    from gracelint.behaviour.node.peers import hear

    hear(machine, owner, value, node, frame)
    return _after_end(machine, owner, node, frame)


def _disconnect(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    if machine.stopping or is_later(frame):
        machine.note("disconnect", node, frame, thing=owner)
    return UNDEFINED


def _enable_shutdown_hooks(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    """Nest closes the application on a signal and then sends itself the signal again."""
    given = args[0].items if args and isinstance(args[0], Array) else []
    signals = tuple(str(value) for value in given if isinstance(value, str)) or tuple(NUMBERS)
    row = {"signals": signals, "then": "rekill"}
    register(machine, row, signals, [nest.stopping()], [owner], None, node, frame)
    return owner


def _fastify_register(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    plugin = args[0] if args else UNKNOWN
    if isinstance(plugin, External):
        row = table("node")["helpers"].get(plugin.path)
        if row is not None and row.get("plugin"):
            seconds = timeout_of(row, args)
            register(machine, row, tuple(row["signals"]), [], [owner], seconds, node, frame)
    elif isinstance(plugin, Closure):
        machine.task(plugin, [owner, args[1] if len(args) > 1 else Object()], frame, frame.after)
    return owner


def _add_hook(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    if args and args[0] in ("onClose", "preClose"):
        owner.callbacks.setdefault("onClose", []).extend(args[1:2])
    return owner


def _stoppable_stop(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    """`server.stop()` of the stoppable module."""
    if owner.data is not None and owner.data[0] == "stoppable" and owner.data[1] is not None:
        machine.note("force", node, frame, thing=owner, seconds=owner.data[1])
    return close(machine, owner, "drained", args, node, frame)


def _shutdown(machine: Machine, owner: Thing, args: list[Any], node: Node, frame: Frame) -> Any:
    """`server.shutdown()` of the http-shutdown module, which ends connections once they are idle."""
    machine.note("force", node, frame, thing=owner)
    return close(machine, owner, "drained", args, node, frame)


_DESTROYS = ("destroy", "kill", "forceShutdown")
"""What server-destroy, killable and http-shutdown give a server, to end its connections whatever is on them."""
_METHODS: dict[str, Callable[[Machine, Thing, list[Any], Node, Frame], Any]] = {
    "closeIdleConnections": _close_idle,
    "kill": stop_child,
    "destroy": stop_child,
    "terminate": _terminate,
    "postMessage": _send,
    "send": _send,
    "disconnect": _disconnect,
    "enableShutdownHooks": _enable_shutdown_hooks,
    "register": _fastify_register,
    "addHook": _add_hook,
    "stop": _stoppable_stop,
    "shutdown": _shutdown,
}
