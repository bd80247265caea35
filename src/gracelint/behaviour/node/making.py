"""What the functions of Node and of libraries make: servers, connections, children, and what each is told then."""

from __future__ import annotations

from gracelint.behaviour.node import nest
from gracelint.behaviour.node.arrays import functions_in, run_callbacks
from gracelint.behaviour.node.helpers import register
from gracelint.behaviour.node.modules import find_module
from gracelint.behaviour.node.state import Frame, Text
from gracelint.behaviour.node.syntax import ENDINGS, callee_of
from gracelint.behaviour.node.values import After, Array, Closure, External, Object, Promise, Thing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine


def make(
    machine: Machine, kind: str, module: str, row: dict[str, Any], args: list[Any], node: Node, frame: Frame
) -> Any:
    span = frame.file.span(node)
    started = not row.get("start")
    alive: bool | None = started
    if kind in ("connection", "consumer", "pool"):
        alive = (None if row.get("alive") == "maybe" else bool(row.get("alive", True))) if started else False
    elif kind in ("app", "channel", "factory", "terminator", "upgrade"):
        alive = False
    options = next((value for value in args if isinstance(value, Object)), None)
    if "reads" in row and options is not None and not _is_stdin(options.props.get(row["reads"])):
        alive = False
    thing = Thing(kind, module, span, alive, row)
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
        text = _shell_text(module, args, options, node) if kind == "child" else None
        role = "worker" if kind == "worker" else "forked" if callee_of(node).endswith("fork") else "main"
        thing.data = text or peer_file(machine, args, frame, role)
    machine.add(thing, frame)
    if kind == "child" and machine.rehearsing:
        _rehearse_child(machine, thing, args, frame)
    if kind == "upgrade" or thing.name == "ws":
        machine.listening.append(([value for value in args if isinstance(value, Closure)], frame, machine.certain))
    if kind in ("app", "server"):
        thing.callbacks["route"] = functions_in(args)
    if kind == "interval":
        thing.callbacks["job"] = list(args)
    plugins = options.props.get("plugins") if options is not None else None
    if isinstance(plugins, Array) and any("DrainHttpServer" in getattr(part, "path", "") for part in plugins.items):
        thing.callbacks["drains"] = [part for part in machine.things if part.kind == "server"]
    for name in _SETTINGS:
        if options is not None and name in options.props:
            thing.settings[name] = options.props[name]
    if "signals" in row and kind != "factory" and all(stops_itself(part) for part in args):
        register(machine, {"then": "rekill"}, tuple(row["signals"]), [], [thing], None, node, frame)
    if module.startswith("@nestjs/"):
        nest.start(machine, frame)
        return Promise(frame.after, thing)
    return thing


def _rehearse_child(machine: Machine, child: Thing, args: list[Any], frame: Frame) -> None:
    """What a job does once its child process is through: `exec(command, (error, text) => …)`."""
    child.after = (*frame.after, After("ended", child.span, child))
    machine.pause(child.after)
    run_callbacks(machine, args, Frame(frame.scope, frame.file, child.after, frame.this), True)


def stops_itself(part: Any) -> bool:
    return not isinstance(part, Thing) or part.settings.get("stopOnTerminationSignals") is not False


_SETTINGS = ("keepAliveTimeout", "forceCloseConnections", "stopOnTerminationSignals")
"""Options of servers that bear on stopping."""


def _is_stdin(value: Any) -> bool:
    return isinstance(value, External) and value.path == "process.stdin"


def _is_port(args: list[Any]) -> bool:
    return bool(args) and isinstance(args[0], int)


def _shell_text(module: str, args: list[Any], options: Object | None, node: Node) -> Text | None:
    """What a shell is given to run: by `exec`, or with the option `shell`."""
    by_exec = module == "child_process" and callee_of(node).rpartition(".")[2] == "exec"
    if not args or not isinstance(args[0], str) or not (by_exec or (options and options.props.get("shell") is True)):
        return None
    rest = args[1].items if len(args) > 1 and isinstance(args[1], Array) else []
    return Text(" ".join((args[0], *rest))) if all(isinstance(word, str) for word in rest) else None


def peer_file(machine: Machine, args: list[Any], frame: Frame, role: str) -> Any:
    """The project's file that a worker thread or child process runs, with its arguments and its role."""
    words = [value for value in args[:1] if isinstance(value, str)]
    runs_node = bool(args) and isinstance(args[0], External) and args[0].path in ("process.execPath", "process.argv0")
    rest = args[1].items if len(args) > 1 and isinstance(args[1], Array) else []
    if words[:1] == ["node"] or runs_node:
        words, rest = [value for value in rest[:1] if isinstance(value, str)], rest[1:]
    if not words or (not words[0].endswith((".js", ".mjs", ".cjs", ".ts")) and not words[0].startswith((".", "/"))):
        return None
    name, files = words[0], machine.files
    # `join(__dirname, 'job.js')` is a path of the project; it may be built from a `job.ts`
    source = (
        files.read(name)
        or find_module(f"./{name}", "", files)
        or find_module(f"./{name}", frame.file.source.path, files)
    )
    if source is None or not source.path.endswith(ENDINGS):
        return None
    return source, role, tuple(str(value) for value in rest if isinstance(value, str))
