"""Child processes of std::process and tokio::process, and the signals that nix and libc send to them."""

from __future__ import annotations

from gracelint.behaviour.machine import children
from gracelint.behaviour.machine.values import UNKNOWN, Doubt, Object, Sig
from gracelint.behaviour.rust.syntax import UNIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.rust.machine import RustMachine

TYPES = ("Command", "tokio::Command")
_WAITS = ("wait", "wait_with_output", "status", "output")
_BEGIN = ("spawn", "status", "output")


def method(machine: RustMachine, of: Object, name: str, given: Given) -> Any:
    """A method of a command or of its child, which stand for each other."""
    words: list[Any] = of.state.setdefault("line", [*of.fields["_given"]])
    if name in ("arg", "args"):
        more = given.argument(0)
        words += more if name == "args" and isinstance(more, list) else [more]
        return of
    if name in _BEGIN:
        children.begin(machine, of, words, given.span)
    if name in ("kill", "start_kill"):
        children.tell(of, "SIGKILL")
    if name in _WAITS:
        run = _wait(machine, of, given)
        return machine.future(run, given.span) if of.type == TYPES[1] else run
    if name == "id":
        pid = Object("Pid", given.span)
        pid.state["of"] = of
        return pid
    return UNKNOWN if name == "try_wait" else of


def _wait(machine: RustMachine, of: Object, given: Given) -> Run:
    yield from children.wait(machine, of, given.span)
    return UNKNOWN


def _kill(machine: RustMachine, given: Given) -> Any:
    pid, signal = given.argument(0), given.argument(1)
    if not isinstance(pid, Object) or pid.type != "Pid" or not isinstance(signal, Sig):
        raise Doubt(f"what {given.path} does in line {given.span.line} is not known", given.span)
    children.tell(pid.state["of"], str(signal))
    return UNIT


FUNCTIONS: dict[str, Callable[[RustMachine, Given], Any]] = {
    "nix::sys::signal::kill": _kill,
    "nix::sys::signal::killpg": _kill,
    "libc::kill": _kill,
    "nix::unistd::Pid::from_raw": lambda _, given: given.argument(0),
}
