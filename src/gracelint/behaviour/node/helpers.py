"""Library functions that install signal handlers: the `helpers` of `knowledge/node.toml`."""

from __future__ import annotations

from functools import cache

from gracelint.behaviour.node.state import Frame, Registration
from gracelint.behaviour.node.this import taken
from gracelint.behaviour.node.values import (
    UNDEFINED,
    After,
    Array,
    Builtin,
    Closure,
    External,
    Method,
    Object,
    Promise,
    Thing,
    joined,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine

NUMBERS = {
    "SIGHUP": 1, "SIGINT": 2, "SIGQUIT": 3, "SIGKILL": 9, "SIGUSR1": 10, "SIGUSR2": 12, "SIGTERM": 15, "SIGWINCH": 28,
}  # fmt: skip


@cache
def _helpers() -> dict[str, dict[str, Any]]:
    found = {}
    for key, row in table("node")["helpers"].items():
        module = row.get("module", key)
        call = row.get("call", "")
        found[f"{module}.{call}" if call else module] = row
    return found


def helper_of(path: str) -> dict[str, Any] | None:
    return _helpers().get(path)


def install(machine: Machine, row: dict[str, Any], args: list[Any], node: Node, frame: Frame) -> Any:
    options = next((value for value in args if isinstance(value, Object)), Object())
    signals = tuple(row["signals"])
    one = options.props.get(row.get("one", ""))
    if isinstance(one, str):
        signals = (str(one),)
    chosen = options.props.get(row.get("option", ""))
    if isinstance(chosen, str):
        signals = tuple(chosen.split())
    elif isinstance(chosen, Array):
        chosen_signals = tuple(str(value) for value in chosen.items if isinstance(value, str))
        signals = (*signals, *chosen_signals) if row.get("adds") else chosen_signals
    delay = _seconds(row["delay"], options) if "delay" in row else None
    functions = []
    for place in row.get("callbacks", ()):
        value = options.props.get(place) if isinstance(place, str) else args[place] if place < len(args) else None
        if isinstance(value, (Closure, Builtin, Method)):
            functions.append(value)
    servers = [value for value in args if isinstance(value, Thing) and value.kind == "server"]
    register(machine, row, signals, functions, servers, timeout_of(row, args), node, frame, delay)
    if row.get("gives") and servers:
        return servers[0]
    if "registers" in row:
        return Object({row["registers"]: Builtin(lambda m, given, at, f: functions.extend(given))})
    return External("helper()")


def timeout_of(row: dict[str, Any], args: list[Any]) -> float | None:
    if "timeout" not in row:
        return None
    return _seconds(row["timeout"], next((value for value in args if isinstance(value, Object)), None))


def _seconds(setting: list[Any], options: Object | None) -> float:
    """An option in milliseconds, or what it is by default."""
    option, seconds = setting
    given = options.props.get(option) if options else None
    return given / 1000 if isinstance(given, (int, float)) and not isinstance(given, bool) else float(seconds)


def register(
    machine: Machine,
    row: dict[str, Any],
    signals: tuple[str, ...],
    functions: list[Any],
    servers: list[Thing],
    seconds: float | None,
    node: Node,
    frame: Frame,
    delay: float | None = None,
) -> None:
    """Installs a handler that does what the helper's row says, `delay` seconds after the signal."""
    home = frame

    def run(machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Any:
        after = frame.after
        if delay:
            after = (*after, After("timer", home.file.span(node), None, delay))
        inner = Frame(home.scope, home.file, after)
        if seconds and row["then"] == "exit":
            late = Frame(home.scope, home.file, (*after, After("timer", home.file.span(node), None, seconds)))
            machine.note("exit", node, late)
        elif seconds:
            for server in servers:
                machine.note("force", node, inner, thing=server, seconds=seconds)
        for function in functions:
            if row.get("calls_back") and takes_arguments(function):
                after = until_called(machine, function, [], node, Frame(home.scope, home.file, after))
                continue
            result = machine.task(function, args, inner, after)
            if isinstance(result, Promise) and not row.get("sync"):
                after = joined(after, result.after)
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

    listen_for(machine, signals, (), Builtin(run), node, frame)


def takes_arguments(function: Any) -> bool:
    node = function.node if isinstance(function, Closure) else None
    given = node.child_by_field_name("parameters") if node is not None else None
    single = node is not None and node.child_by_field_name("parameter") is not None
    return single or bool(given is not None and given.named_children)


def takes_a_callback(function: Any) -> bool:
    """Whether a hook of one argument takes a second, to call when it is done."""
    node = function.node if isinstance(function, Closure) else None
    given = node.child_by_field_name("parameters") if node is not None else None
    if node is None or given is None or any(child.type == "async" for child in node.children):
        return False
    return sum(child.type != "comment" for child in given.named_children) == 2


def until_called(machine: Machine, function: Any, given: list[Any], node: Node, frame: Frame) -> tuple[After, ...]:
    """What has happened once a function has called the callback that it was given last."""
    done: list[tuple[After, ...]] = []

    def call_back(machine: Machine, args: list[Any], at: Node | None, inner: Frame) -> Any:
        done.append(inner.after)
        return UNDEFINED

    machine.task(function, [*given, Builtin(call_back)], frame, frame.after)
    return done[0] if done else (*frame.after, After("unknown", frame.file.span(node)))


def detached(function: Any, call: Node) -> Any:
    """What a listener is called as: a class's method that is given as `app.stop` has `this` of the emitter.

    A method that the object keeps as its own was bound to it, or is an arrow function.
    """
    given = call.child_by_field_name("arguments")
    listener = given.named_children[1] if given is not None and len(given.named_children) > 1 else None
    return taken(function, listener, _as_process()) if isinstance(function, Closure) else function


def _as_process() -> Object:
    """`this` of a listener of `process`, which has none of the object's fields."""
    return Object({name: External(f"process.{name}") for name in ("exit", "kill", "pid", "env", "on", "once")})


def listen_for(
    machine: Machine,
    signals: tuple[str, ...],
    names: tuple[Any, ...],
    function: Any,
    node: Node,
    frame: Frame,
    once: bool = False,
) -> None:
    span = frame.file.span(node)
    machine.registrations.append(
        Registration(signals, names, function, span, machine.certain, frame.after, once, machine.asking)
    )


def signal_among(args: list[Any]) -> Any:
    """The AbortSignal that is given by itself or as the option `signal`."""
    given = [value.props.get("signal", value) for value in args if isinstance(value, Object)]
    return next((value for value in given if isinstance(value, Object) and "aborted" in value.props), None)
