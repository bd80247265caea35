"""Functions of Node and of the libraries in `knowledge/node.toml`, as far as they bear on stopping."""

from __future__ import annotations

from gracelint.behaviour.node import failing, globals, nest, promises, timers
from gracelint.behaviour.node.arrays import functions_in, run_callbacks
from gracelint.behaviour.node.clients import names_clients
from gracelint.behaviour.node.helpers import NUMBERS, detached, helper_of, install, listen_for, signal_among
from gracelint.behaviour.node.making import make
from gracelint.behaviour.node.methods import (
    LISTENS,
    STARTED,
    close,
    forked,
    is_later,
    longest_wait,
    release,
    stop_child,
)
from gracelint.behaviour.node.state import Frame, Stop
from gracelint.behaviour.node.syntax import name_of, once, string_of
from gracelint.behaviour.node.values import (
    EMITTER,
    UNDEFINED,
    UNKNOWN,
    After,
    Builtin,
    Class,
    Closure,
    External,
    Method,
    Object,
    Pairs,
    Promise,
    Thing,
)
from gracelint.behaviour.tree import walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.syntax import File

GLOBALS: dict[str, Any] = {"undefined": UNDEFINED, "Infinity": float("inf")}


def external_member(machine: Machine, owner: External, name: str) -> Any:
    """A property of something that is not the project's."""
    if name == "default" or owner.path in ("globalThis", "global"):
        return External(name) if owner.path in ("globalThis", "global") else owner
    path = f"{owner.path}.{name}"
    if owner.path == "process.env":
        value = machine.env.get(name)
        return UNKNOWN if value is None else value
    if owner.path == "cluster.workers":
        return forked(machine) or UNKNOWN
    known = _PROPERTIES.get(path)
    return known(machine) if known else External(path)


_PROPERTIES: dict[str, Callable[[Machine], Any]] = {
    "process.argv": lambda m: m.words,
    "process.platform": lambda m: "linux",
    "process.send": lambda m: External("process.send") if m.role in ("forked", "clustered") else UNDEFINED,
    "ws.OPEN": lambda m: 1,
    "ws.WebSocket.OPEN": lambda m: 1,
    "cluster.isPrimary": lambda m: m.role != "clustered",
    "cluster.isMaster": lambda m: m.role != "clustered",
    "cluster.isWorker": lambda m: m.role == "clustered",
    "worker_threads.isMainThread": lambda m: m.role != "worker",
    "worker_threads.parentPort": lambda m: External("worker_threads.parentPort") if m.role == "worker" else None,
}


def call_external(machine: Machine, target: External, args: list[Any], node: Node, frame: Frame) -> Any:
    path = target.path
    if machine.stopping or is_later(frame):
        machine.asked.add(path)
    if machine.stopping and path in _NEEDS:
        from gracelint.behaviour.node import data

        data.need(machine, args, node, frame)
    known = _FUNCTIONS.get(path)
    if known is not None:
        return known(machine, args, node, frame)
    name = path.rpartition(".")[2]
    if name in ("get", "resolve") and root_of(path) in _CONTAINERS:
        asked = args[0] if args else UNKNOWN
        return nest.provided(machine, asked, frame) if isinstance(asked, Class) else External(f"?{path}()")
    if path.startswith("console.") or is_logging(path):
        if machine.stopping:
            machine.note("log", node, frame)
        return UNDEFINED
    if frame.after:
        machine.pause(frame.after)
    row = _COMMANDS.get(root_of(path).partition("/")[0])
    if row is not None:
        from gracelint.behaviour.node.commands import declare

        command = declare(machine, row, path, args, frame)
        if command is not None:
            return command
    found = _module_row(path)
    if found is not None:
        made = _call_module(machine, *found, args, node, frame)
        if made is not None:
            return made
    helper = helper_of(path)
    if helper is not None:
        return install(machine, helper, args, node, frame)
    if name in ("then", "finally"):
        done = After("unknown" if path.startswith("?") else "work", frame.file.span(node))
        if failing.writes(path.rpartition(".")[0]):
            failing.set_afloat(machine, done, node, frame)
        if not machine.in_job:
            machine.pause((*frame.after, done))
        for value in args[:1]:
            machine.task(value, [UNKNOWN], frame, (*frame.after, done))
        return Promise((*frame.after, done), UNKNOWN)
    if name == "catch":
        return External(f"{path}()")
    if name in LISTENS:
        if args and args[0] in STARTED and not machine.stopping:
            run_callbacks(machine, args[1:], frame, True)
        elif machine.stopping:
            later = After("work" if args and args[0] in _DONE else "unknown", frame.file.span(node))
            if args and args[0] in ("finish", "close"):
                machine.written.add(later)
            for value in args[1:]:
                machine.task(value, [UNKNOWN], frame, (*frame.after, later), certain=args[0] != "error")
        elif args and isinstance(args[0], str) and args[0] not in ENDS:
            machine.handed.append((path, frame.file.span(node), functions_in(args[1:])))
        return External(path.removesuffix(f".{name}"))
    return _unknown_call(machine, path, args, node, frame)


def _may_end_it(path: str) -> bool:
    """Whether a module's own function is named for ending the program (`app.quit` of electron), not a client's."""
    return path.endswith((".exit", ".quit")) and "(" not in path


def _unknown_call(machine: Machine, path: str, args: list[Any], node: Node, frame: Frame) -> Any:
    for value in args:
        if isinstance(value, Pairs):
            value.fresh = False
    if machine.stopping:
        touches = any(isinstance(value, Thing) and value.kind == "server" for value in args)
        if path.startswith("?") or touches or names_clients(path.rpartition(".")[2]) or _may_end_it(path):
            machine.note("opaque", node, frame, target=path.lstrip("?"))
        after = (*frame.after, After("work", frame.file.span(node)))
        for value in args:
            if isinstance(value, (Closure, Builtin)):
                machine.task(value, [], frame, after)
    else:
        if not _is_harmless(path):
            machine.foreign.append(path)
            machine.handed.append((path, frame.file.span(node), functions_in(args)))
        if root_of(path) in _QUEUES:
            queue = machine.add(Thing("channel", root_of(path), frame.file.span(node), False), frame)
            queue.callbacks["job"] = list(args)
        _call_back(machine, path, args, node, frame)
    signal = signal_among(args)
    if signal is not None:
        machine.signalled.append(signal)
    return External(f"{path}()", longest_wait(args), signal)


def _call_back(machine: Machine, path: str, args: list[Any], node: Node, frame: Frame) -> None:
    """Calls the functions that a library was given; while a job is rehearsed, once the library has taken its time."""
    later = frame
    if machine.rehearsing and (failing.writes(path) or not (machine.in_job or _calls_at_once(path))):
        from gracelint.behaviour.node.answers import is_answered

        is_answered(machine, args, frame.after)
        later = Frame(frame.scope, frame.file, (*frame.after, After("work", frame.file.span(node))), frame.this)
        if any(isinstance(value, Closure) for value in args):
            machine.pause(later.after)
    run_callbacks(machine, args, later, False)


def _calls_at_once(path: str) -> bool:
    """Whether a library calls the functions that it is given before it comes back."""
    name = path.removesuffix("()").rpartition(".")[2]
    return name in _AT_ONCE or name.endswith("Sync") or (_is_harmless(path) and root_of(path) not in _CALLS_LATER)


_AT_ONCE = frozenset(table("node")["at_once"])
_CALLS_LATER = frozenset(table("node")["calls_later"])


_NEEDS = frozenset(table("node")["needs"])
ENDS = STARTED | frozenset(table("node")["answers"]["fails"]) | {"finish", "close", "end", "drain", "exit"}
"""Events that begin no work."""
_DONE = ("finish", "close", "end", "drain")
"""What a stream says once it is through with what it was given."""
_COMMANDS: dict[str, dict[str, Any]] = table("node")["commands"]
_HARMLESS = frozenset(table("node")["harmless"])


def _is_harmless(path: str) -> bool:
    root = path.split("(")[0]
    module = root.partition(".")[0]
    package = "/".join(module.split("/")[: 2 if module.startswith("@") else 1])
    return not _HARMLESS.isdisjoint((root, module, package))


def root_of(path: str) -> str:
    """The library a call is one of."""
    return path.split("(")[0].partition(".")[0]


def is_logging(path: str) -> bool:
    """`logger.info`, `app.log.error`, `winston.createLogger().warn`"""
    parts = path.replace("()", "").lower().split(".")
    if len(parts) < 2 or parts[-1] not in _LEVELS:
        return False
    return parts[0] in _LOGGERS or parts[-2].rpartition("/")[2] in ("logger", "log", "console")


_QUEUES = frozenset(table("node")["queues"])
_CONTAINERS = frozenset(table("node")["containers"])
_LEVELS = frozenset(table("node")["levels"])
_LOGGERS = frozenset(table("node")["loggers"])


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
    machine: Machine, module: str, row: dict[str, Any], export: str, args: list[Any], node: Node, frame: Frame
) -> Any:
    """Makes what the export makes, or closes what the module has made; None where it is another function."""
    kind = row["makes"].get(export)
    if kind is not None:
        thing = make(machine, kind, module, row, args, node, frame)
        if kind in ("connection", "consumer") and export:
            paused = len(machine.pauses)
            for value in args:
                if isinstance(value, Closure):
                    machine.task(value, [None, thing], frame, frame.after)
            del machine.pauses[paused:]  # a job's, not the start's
        return thing
    name = export.rpartition(".")[2]
    mine = [thing for thing in machine.things if thing.name == module]
    if name in row.get("close", ()) and mine and "(" not in export:
        return close(machine, mine[0], row["close"][name], args, node, frame, mine)
    if name in row.get("start", ()) and mine:
        for thing in mine:
            thing.alive = True
        run_callbacks(machine, args, frame, True)
        return Promise(frame.after, mine[0])
    return None


def _process_on(machine: Machine, args: list[Any], node: Node, frame: Frame, once: bool = False) -> Any:
    event = args[0] if args else UNKNOWN
    function = args[1] if len(args) > 1 else UNKNOWN
    if isinstance(event, str):
        if event in NUMBERS or event.startswith("SIG"):
            span = getattr(event, "span", None)
            function = detached(function, node)
            listen_for(machine, (str(event),), (span,) if span else (), function, node, frame, once)
        elif event in ("exit", "beforeExit"):
            if isinstance(function, Closure) and machine.certain:
                machine.at_exit.append((str(event), function))
        else:
            machine.listeners.setdefault(str(event), []).append(function)
            if machine.role == "forked" and event in ("message", "disconnect") and not once:
                _keep_channel(machine, node, frame)
    elif event is UNKNOWN or isinstance(event, External):
        listen_for(machine, (), (), function, node, frame, once)
    return External("process")


def _keep_channel(machine: Machine, node: Node, frame: Frame) -> None:
    """A process that was forked lives as long as it listens for messages, until `process.disconnect()`."""
    if not any(thing.kind == "port" for thing in machine.things):
        machine.add(Thing("port", "process", frame.file.span(node), True), frame)


def _process_exit(machine: Machine, args: list[Any], node: Node | None, frame: Frame) -> Any:
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
        return stop_child(machine, target.owner, args[1:], node, frame)
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
    gone = [str(value) for value in args if isinstance(value, str)] or list(NUMBERS)
    machine.removed.extend(gone)
    if not machine.stopping and machine.certain and not is_later(frame):
        functions = args[1:2]
        machine.registrations[:] = [
            known
            for known in machine.registrations
            if not set(known.signals) & set(gone) or (functions and known.function is not functions[0])
        ]
    return External("process")


def _pipeline(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """A pipeline that is given a signal runs until it is aborted."""
    signal = signal_among(args)
    if signal is None or machine.stopping:
        return _unknown_call(machine, "stream.pipeline", args, node, frame)
    from gracelint.behaviour.node.aborting import is_rescued

    thing = machine.add(Thing("loop", "pipeline", frame.file.span(node), True), frame)
    thing.settings["uncaught"] = not is_rescued(node)
    machine.abortable.append((signal, thing))
    machine.abortable += [(signal, source) for source in machine.things if "steps" in source.settings]
    return Promise((*frame.after, After("loop", thing.span, thing)))


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
            machine.settle(later, inner.after)
            return UNDEFINED

        listen_for(machine, (str(event),), (), Builtin(resolve), node, frame, once=True)
        return Promise((*frame.after, After("unknown", span, later)))
    if event == "abort" and signal_among([emitter]) is not None:
        later = Thing("signal", "abort", span, False)
        machine.abortable.append((emitter, later))
        return Promise((*frame.after, After("unknown", span, later)))
    if isinstance(emitter, Thing) and isinstance(event, str):
        if event in STARTED:
            return Promise(frame.after)
        kind = "drained" if emitter.kind == "server" and event == "close" else "ended"
        if emitter.kind != "emitter":
            return Promise((*frame.after, After(kind, span, emitter)))
    own = emitter.props.get(EMITTER) if isinstance(emitter, Object) else emitter
    if not isinstance(own, Thing) or not isinstance(event, str):
        return Promise((*frame.after, After("unknown", span)))
    if not _may_emit(machine, event):
        return Promise(frame.after, never=True, stuck=True)
    said = Thing("event", str(event), span, False)

    def settle(machine: Machine, given: list[Any], at: Node | None, inner: Frame) -> Any:
        if machine.stopping and machine.certain:
            machine.settle(said, inner.after)
        return UNDEFINED

    own.callbacks.setdefault(str(event), []).append(Builtin(settle))
    return Promise((*frame.after, After("unknown", span, said)))


def _may_emit(machine: Machine, event: str) -> bool:
    """Whether any emitter of the program may say that, as far as the program itself lets it."""
    files = [file for file in machine.parsed.values() if file is not None]
    texts = (name for file in files for name in _emitted(file))
    return bool(machine.unread) or any(name in (event, None) for name in texts)


@once
def _emitted(file: File) -> frozenset[str | None]:
    """The events that `emit` is called with; None for one that is computed, and where it is handed on."""
    found: set[str | None] = set()
    for node in walk(file.root):
        if node.type == "member_expression" and name_of(node) == "emit":
            around = node.parent
            given = around.child_by_field_name("arguments") if around is not None else None
            found.add(string_of(given.named_children[0]) if given is not None and given.named_children else None)
    return frozenset(found)


def _on_events(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`for await (… of on(process, 'SIGTERM'))` waits for the signal as `once` does."""
    emitter = args[0] if args else UNKNOWN
    if isinstance(emitter, External) and emitter.path == "process":
        return _once(machine, args, node, frame)
    return _unknown_call(machine, "events.on", args, node, frame)


def _fork(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    before = forked(machine)
    if before is not None and not machine.stopping:
        return before
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
        machine.note("disconnect", node, frame, thing=forked(machine))
        after = (*frame.after, After("disconnected", frame.file.span(node)))
        for value in args:
            machine.task(value, [], frame, after)
    return UNDEFINED


def _controller(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    from gracelint.behaviour.node.aborting import controller

    return controller(machine, args, node, frame)


def _any_signal(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    from gracelint.behaviour.node.aborting import any_of

    return any_of(machine, args, node, frame)


def _emitter(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return Thing("emitter", "EventEmitter", frame.file.span(node), False)


def _stoppable(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`stoppable(server, grace)` gives the server back, with a `stop` method."""
    if args and isinstance(args[0], Thing):
        grace = args[1] / 1000 if len(args) > 1 and isinstance(args[1], (int, float)) else None
        args[0].data = ("stoppable", grace)
        return args[0]
    return UNKNOWN


def _express_ws(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`expressWs(app)` gives the application back, among others, and leaves WebSocket clients to the program."""
    row = table("node")["modules"]["ws"]
    sockets = machine.add(Thing("upgrade", "ws", frame.file.span(node), False, row), frame)
    return Object({"app": args[0] if args else UNKNOWN, "getWss": Builtin(lambda m, given, at, f: sockets)})


def _port_on(machine: Machine, args: list[Any], node: Node, frame: Frame, once: bool = False) -> Any:
    """A worker thread's `parentPort.on('message', …)` keeps it alive until `parentPort.close()`."""
    event = str(args[0]) if args and isinstance(args[0], str) else ""
    machine.listeners.setdefault(f"port.{event}", []).extend(args[1:2])
    if event == "message" and not any(thing.kind == "port" for thing in machine.things):
        machine.add(Thing("port", "parentPort", frame.file.span(node), True), frame).settings["once"] = once
    return External("worker_threads.parentPort")


def _port_close(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    for thing in machine.things:
        if thing.kind == "port":
            release(machine, thing, node, frame)
    return UNDEFINED


def _answer(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    if machine.stopping:
        machine.note("answer", node, frame, value=args[0] if args else UNDEFINED)
        run_callbacks(machine, args[1:], frame, True)
    return UNDEFINED


def _readable(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    from gracelint.behaviour.node.streams import readable

    return readable(machine, args, node, frame)


def _finished(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Promise:
    from gracelint.behaviour.node.streams import finished

    return finished(machine, node, frame)


_DEEDS: dict[str, Callable[[Machine, list[Any], Node, Frame], Any]] = {
    "listen": _process_on,
    "listen-once": lambda m, a, n, f: _process_on(m, a, n, f, True),
    "unlisten": _remove_listener,
    "emit": _process_emit,
    "exit": _process_exit,
    "kill": _process_kill,
    "sync-child": _sync_child,
    "pipeline": _pipeline,
    "once": _once,
    "events": _on_events,
    "fork": _fork,
    "cluster-listen": _cluster_on,
    "cluster-disconnect": _cluster_disconnect,
    "stoppable": _stoppable,
    "express-ws": _express_ws,
    "abort-controller": _controller,
    "any-signal": _any_signal,
    "emitter": _emitter,
    "port-listen": _port_on,
    "port-listen-once": lambda m, a, n, f: _port_on(m, a, n, f, True),
    "port-close": _port_close,
    "answer": _answer,
    "finished": _finished,
    "readable": _readable,
    **globals.DEEDS,
    **promises.DEEDS,
    **timers.DEEDS,
}
_FUNCTIONS = {path: deed for name, deed in _DEEDS.items() for path in table("node")["calls"][name]}
