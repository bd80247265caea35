"""Signals: who asks for them, with tokio, signal-hook, ctrlc, nix and libc, and what they bring."""

from __future__ import annotations

from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.machine import receive
from gracelint.behaviour.machine.values import UNKNOWN, Chan, Doubt, Ended, Lib, Native, Object, Sig
from gracelint.behaviour.rust.syntax import UNIT
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.rust.machine import RustMachine
    from gracelint.source import Span

_CRATES = ("libc", "nix", "signal_hook", "signal_hook_tokio", "tokio", "rustix")
KINDS = {
    "terminate": "SIGTERM",
    "interrupt": "SIGINT",
    "hangup": "SIGHUP",
    "quit": "SIGQUIT",
    "user_defined1": "SIGUSR1",
    "user_defined2": "SIGUSR2",
    "alarm": "SIGALRM",
    "child": "SIGCHLD",
    "pipe": "SIGPIPE",
    "window_change": "SIGWINCH",
}
"""What tokio's SignalKind calls them."""


def constant(path: str) -> Any:
    """What a library's path is that calls nothing; None where it is to be called."""
    name = path.rpartition("::")[2]
    if path.partition("::")[0] in _CRATES and name.startswith("SIG") and name.isupper() and name != "SIG_IGN":
        return Sig(name) if "_" not in name else None
    if name == "TERM_SIGNALS":
        return [Sig("SIGTERM"), Sig("SIGQUIT"), Sig("SIGINT")]
    return None


def may_listen(path: str) -> bool:
    """Whether a call that nobody knows may ask for signals."""
    first = path.partition("::")[0]
    return first in ("signal_hook", "signal_hook_tokio", "nix", "ctrlc", "libc") and "sig" in path.lower()


def _listen(machine: RustMachine, signals: Any, span: Span, type_: str) -> Object:
    names = signals if isinstance(signals, list) else [signals]
    if not names or not all(isinstance(one, Sig) for one in names):
        raise Doubt(f"which signals line {span.line} listens for is only known when it runs", span)
    one = Object(type_, span)
    one.state["chan"] = chan = Chan(1, span)
    machine.notify(chan, names, span)
    return one


def _signal(machine: RustMachine, given: Given) -> Any:
    return _listen(machine, given.argument(0), given.span, "Signal")


def _signals(machine: RustMachine, given: Given) -> Any:
    return _listen(machine, given.argument(0), given.span, "Signals")


def _ctrl_c(machine: RustMachine, given: Given) -> Any:
    return machine.future(_until_ctrl_c(machine, given), given.span)


def _until_ctrl_c(machine: RustMachine, given: Given) -> Run:
    one = _listen(machine, Sig("SIGINT"), given.span, "Signal")
    yield from receive(machine, one.state["chan"], given.span, None)
    return UNIT


def _ctrlc(machine: RustMachine, given: Given) -> Any:
    row = machine.crates.outside.get("ctrlc", {})
    names = ("SIGINT", "SIGTERM", "SIGHUP") if "termination" in row.get("features", ()) else ("SIGINT",)
    machine.register(names, given.span)
    machine.actions += [(name, given.argument(0), given.span, False) for name in names]
    return UNIT


def _named(value: Any) -> Any:
    """The signal of a number: what is declared by hand has no other names."""
    numbers = table("signals")["numbers"] if isinstance(value, int) else {}
    return next((Sig(name) for name, number in numbers.items() if number == value), value)


def _act(machine: RustMachine, given: Given, action: Any) -> Any:
    signal = _named(given.argument(0))
    if not isinstance(signal, Sig):
        raise Doubt(f"which signals line {given.span.line} listens for is only known when it runs", given.span)
    machine.register((signal,), given.span)
    machine.actions.append((signal, action, given.span, True))
    return UNKNOWN


def _flag(machine: RustMachine, given: Given) -> Any:
    return _act(machine, given, Native(lambda _: _raised(given.argument(1))))


def _exit_if(machine: RustMachine, given: Given) -> Any:
    def act(_: list[Any]) -> Any:
        if _is_raised(given.argument(2)):
            raise Ended("exit", given.span)
        return UNIT

    return _act(machine, given, Native(act))


def _register(machine: RustMachine, given: Given) -> Any:
    return _act(machine, given, given.argument(1))


def _disposition(machine: RustMachine, given: Given) -> Any:
    """`signal` and `sigaction` of nix and libc."""
    action = given.argument(1)
    if isinstance(action, Object) and action.type.endswith("SigAction"):
        action = action.state["given"].argument(0)
    path = action.path if isinstance(action, Lib) else ""
    signal = _named(given.argument(0))
    if path.endswith(("SigIgn", "SIG_IGN")) and isinstance(signal, Sig):
        machine.ignored[signal] = given.span
        return UNKNOWN
    handler = action.fields.get("0") if isinstance(action, Object) else action
    if isinstance(handler, Closure):
        return _act(machine, given, handler)
    raise Doubt(f"what line {given.span.line} does on signals is only known when it runs", given.span)


def _sig_action(machine: RustMachine, given: Given) -> Any:
    one = Object("SigAction", given.span)
    one.state["given"] = given
    return one


def _handler(machine: RustMachine, given: Given) -> Any:
    one = Object("SigHandler", given.span)
    one.fields["0"] = given.argument(0)
    return one


def _raised(flag: Any) -> Any:
    if isinstance(flag, Object) and flag.type == "Cell":
        flag.state["value"] = True
    return UNIT


def _is_raised(flag: Any) -> bool:
    return isinstance(flag, Object) and flag.state.get("value") is True


def _forever(_: RustMachine, of: Object, given: Given) -> Any:
    one = Object("Forever", given.span)
    one.state["chan"] = of.state["chan"]
    return one


def _next_signal(machine: RustMachine, of: Object, given: Given) -> Run:
    value = yield from receive(machine, of.state["chan"], given.span, None)
    return value


def _signal_list(machine: RustMachine, of: Object, given: Given) -> Run:
    value = yield from receive(machine, of.state["chan"], given.span, None)
    return [value]


def _pending_signals(machine: RustMachine, of: Object, given: Given) -> Any:
    found, of.state["chan"].queue = of.state["chan"].queue, []
    return found


def _close(_: RustMachine, of: Object, __: Given) -> Any:
    of.state["chan"].closed = True
    return UNIT


FUNCTIONS: dict[str, Callable[[RustMachine, Given], Any]] = {
    "tokio::signal::unix::signal": _signal,
    "tokio::signal::ctrl_c": _ctrl_c,
    "Signals::new": _signals,
    "ctrlc::set_handler": _ctrlc,
    "ctrlc::try_set_handler": _ctrlc,
    "signal_hook::flag::register": _flag,
    "signal_hook::flag::register_conditional_shutdown": _exit_if,
    "signal_hook::low_level::register": _register,
    "signal_hook_registry::register": _register,
    "nix::sys::signal::signal": _disposition,
    "nix::sys::signal::sigaction": _disposition,
    "libc::signal": _disposition,
    "SigAction::new": _sig_action,
    "SigHandler::Handler": _handler,
}
METHODS: dict[tuple[str, str], Callable[[RustMachine, Object, Given], Any]] = {
    ("Signals", "forever"): _forever,
    ("Forever", "next"): _next_signal,
    ("Signals", "wait"): _signal_list,
    ("Signals", "pending"): _pending_signals,
    ("Signals", "handle"): lambda _, of, __: of,
    ("Signals", "close"): _close,
}
FUTURES: dict[tuple[str, str], Callable[[RustMachine, Object, Given], Run]] = {
    ("Signal", "recv"): _next_signal,
    ("Signals", "next"): _next_signal,
}
