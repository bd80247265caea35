"""Installing handlers, waiting for signals and sending them."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import exits
from gracelint.behaviour.python.delivery import take
from gracelint.behaviour.python.ends import HARD, KILLED, RAISE, End, Leave, Point, Registration
from gracelint.behaviour.python.models.forks import signal_forked
from gracelint.behaviour.python.models.subprocesses import forward
from gracelint.behaviour.python.names import NUMBERS, is_true, path_of, signal_of, text_of
from gracelint.behaviour.python.registry import CHILD, EXITS, PROCESSES, argument, model, receiver_of
from gracelint.behaviour.python.values import (
    CERTAIN,
    FALSE,
    FROM_OUTSIDE,
    LOST_TRACK,
    NONE,
    TRUE,
    Bound,
    Const,
    Error,
    Name,
    Partial,
    Thing,
    Unknown,
    Value,
    items,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model(*table("python")["install"])
def _register(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    row = table("python")["install"][path_of(function)]
    number = argument(args, keywords, *row["signal"]) or FROM_OUTSIDE
    handler = argument(args, keywords, *row["handler"]) or FROM_OUTSIDE
    on_loop = bool(row.get("loop"))
    if on_loop and len(args) > 2:
        handler = Partial(handler, args[2:], {})
    name = signal_of(number)
    if row.get("green"):
        if name is not None and len(args) > 1:
            _install(machine, Partial(args[1], args[2:], keywords), node, name, on_loop=True).green = True
        return NONE
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
    _install(machine, handler, node, name, on_loop=on_loop)
    return before.handler if isinstance(before, Registration) else before


def _install(machine: Machine, handler: Value, node: ast.AST, name: str, *, on_loop: bool) -> Registration:
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
    return registration


def _register_off_main(machine: Machine, handler: Value, node: ast.AST, name: str | None) -> Value:
    if machine.in_child:
        if name is not None and machine.bodies and machine.bodies[-1].kind in (CHILD, *PROCESSES):
            machine.bodies[-1].store[("own", name)] = handler
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


@model("aiohttp.web.AppRunner")
def _runner(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    runner = machine.make("aiohttp.web.AppRunner", node)
    runner.store["#handles"] = keywords.get("handle_signals", FALSE)
    if "shutdown_timeout" in keywords:
        machine.write(machine.world, ("patience", "shutdown_timeout"), keywords["shutdown_timeout"])
    return runner


@model("aiohttp.web.AppRunner.setup")
def _setup(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """With `handle_signals=True` its handlers of the event loop raise GracefulExit, a SystemExit."""
    runner = receiver_of(function)
    if runner is not None and is_true(runner.store.get("#handles")):
        for name in ("SIGINT", "SIGTERM"):
            _install(machine, Name("aiohttp.web_runner._raise_graceful_exit"), node, name, on_loop=True)
    return NONE


@model("aiohttp.web_runner._raise_graceful_exit")
def _graceful_exit(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.act("raise", "GracefulExit", node)
    raise Leave([End(RAISE, CERTAIN, Error("builtins.SystemExit"))])


@model("signal.getsignal")
def _getsignal(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    name = signal_of(args[0]) if args else None
    found = machine.world.get(
        ("signal", name), Name("signal.default_int_handler" if name == "SIGINT" else "signal.SIG_DFL")
    )
    return found.handler if isinstance(found, Registration) else found


@model("server.handler")
def _server_handler(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """A server's own handler, which the program had from `signal.getsignal()` or `signal.signal()`."""
    machine.act("call", text_of(node), node)
    machine.write(machine.world, ("over", id(getattr(function, "node", None))), TRUE)
    return NONE


@model("signal.pause")
def _pause(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    point = Point(node, machine.module, "pause", None, text_of(node))
    return machine.wait(point, ready=lambda: machine.arrival is point and not machine.held)


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
        if machine.sides:
            machine.facts.takers.append((machine.sides[-1], point, registration))
    number = Const(NUMBERS.get(machine.signal, 15))
    return machine.wait(point, ready=lambda: _taken(machine, point), value=number)


def _taken(machine: Machine, point: Point) -> bool:
    """Whether this call has the signal: it came while the call waited, or was held back until then."""
    if machine.held and machine.signal in point.handles:
        machine.held = False
        machine.served = machine.served or not machine.aside
        return True
    return machine.arrival is point and machine.served


@model("signal.sigtimedwait")
def _sigtimedwait(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    point = Point(node, machine.module, "sigwait", args[1] if len(args) > 1 else FROM_OUTSIDE, text_of(node))
    known = machine.elements(args[0]) if args else None
    point.handles = tuple(name for name in map(signal_of, known or ()) if name)
    machine.wait(point, ready=lambda: _taken(machine, point))
    if machine.arrived:
        return Thing("signal.struct_siginfo", node, machine.module) if machine.served else NONE
    return FROM_OUTSIDE


@model("signal.pthread_sigmask", "signal.sigprocmask")
def _mask(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    how = path_of(args[0]).rpartition(".")[2] if args else ""
    known = machine.elements(args[1]) if len(args) > 1 else None
    before = [name for name in NUMBERS if _is_blocked(machine, name)]
    every = len(args) > 1 and path_of(args[1]).startswith("signal.valid_signals")
    named = set(NUMBERS) if every else {name for name in map(signal_of, known or ()) if name}
    if known is None and not every:
        machine.doubt("which signals are blocked is only known when it runs")
    after = {"SIG_BLOCK": {*before, *named}, "SIG_UNBLOCK": {*before} - named, "SIG_SETMASK": named}.get(how, {*before})
    for name in NUMBERS:
        if (name in after) is not (name in before) and not machine.aside:
            machine.write(machine.world, ("masked", name), TRUE if name in after else FALSE)
    if machine.held and machine.signal not in after and machine.arrival is not None:
        machine.held = False
        take(machine, machine.arrival)
    return items("set", [Name(f"signal.{name}") for name in before])


def _is_blocked(machine: Machine, name: str) -> bool:
    blocked = machine.world.get(("masked", name))
    return isinstance(blocked, Const) and bool(blocked.value)


@model("anyio.open_signal_receiver", "trio.open_signal_receiver")
def _receive(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Within it signals wait to be iterated over."""
    known = machine.world.get(("receiver", id(node)))
    receiver = known if isinstance(known, Thing) else Thing(path_of(function), node, machine.module)
    machine.write(machine.world, ("receiver", id(node)), receiver)
    for value in args:
        name = signal_of(value)
        if name is not None and not machine.arrived:
            handler = Partial(Name("signal.received"), [receiver, value], {})
            _install(machine, handler, node, name, on_loop=True)
    return receiver


@model("signal.received")
def _received(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    receiver = args[0]
    assert isinstance(receiver, Thing)
    machine.act("event", "the receiver", node)
    machine.write(receiver.store, "#received", args[1])
    return NONE


def _close_receiver(machine: Machine, thing: Thing, expression: ast.expr) -> None:
    """Python's default is back."""
    for key, value in list(machine.world.items()):
        if isinstance(value, Registration) and value.node is thing.node and not machine.aside:
            machine.write(machine.world, key, Registration(Name("signal.SIG_DFL"), value.node, value.module))


EXITS["trio.open_signal_receiver"] = EXITS["anyio.open_signal_receiver"] = _close_receiver


@model("signal.signalfd")
def _wakeup(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.doubt("signals are read from a file descriptor")
    return NONE


@model("signal.alarm", "signal.setitimer")
def _alarm(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not machine.arrived:
        return NONE
    installed = machine.world.get(("signal", "SIGALRM"))
    seconds = argument(args, keywords, 0 if path_of(function) == "signal.alarm" else 1, "seconds") or FROM_OUTSIDE
    known = isinstance(seconds, Const) and isinstance(seconds.value, (int, float))
    if known and isinstance(installed, Registration) and exits(machine, installed.handler, node):
        machine.write(machine.world, "deadline", seconds)
    else:
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
    group = path == "os.killpg" or _is_zero(args[0]) if args else False
    if group and machine.handling and installed is machine.handler and name == machine.signal and machine.handler:
        machine.doubt(f"`{text_of(node)}` sends {name} to the program itself, too, and so calls the handler again")
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
    if isinstance(target, Thing) and target.kind == CHILD:
        signal_forked(machine, target, name, node)
        return
    receiver = target.receiver if isinstance(target, Bound) else None
    if isinstance(receiver, Thing) and machine.arrived:
        forward(machine, receiver, name, node)
    elif machine.handling:
        machine.doubt(f"which process `{text_of(node)}` signals is only known when it runs")
        machine.act("stop-child", "", node)
