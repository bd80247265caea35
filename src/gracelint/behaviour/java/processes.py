"""Child processes of a Java program (java.lang.Process): `destroy` is SIGTERM, `destroyForcibly` is SIGKILL."""

from __future__ import annotations

from gracelint.behaviour.java.waiting import now, open_, time_of
from gracelint.behaviour.machine import children
from gracelint.behaviour.machine.values import UNKNOWN, Object, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Call, Given
    from gracelint.behaviour.machine.values import Run


def _new(machine: JavaMachine, _: Any, given: Given) -> Run:
    return _command(machine, Object("ProcessBuilder", given.span), given)


def _command(machine: JavaMachine, of: Object, given: Given) -> Run:
    of.state["words"] = given.args[0] if given.args and isinstance(given.args[0], list) else [*given.args]
    return now(of)


def _start(machine: JavaMachine, of: Object, given: Given) -> Run:
    return _begin(machine, of.state["words"], given)


def _exec(machine: JavaMachine, _: Any, given: Given) -> Run:
    """Of one text the words between its spaces."""
    first = given.argument(0)
    words = first if isinstance(first, list) else first.split() if isinstance(first, str) else [UNKNOWN]
    return _begin(machine, words, given)


def _begin(machine: JavaMachine, words: list[Any], given: Given) -> Run:
    child = Object("Process", given.span)
    children.begin(machine, child, words, given.span)
    return now(child)


def _wait(machine: JavaMachine, of: Object, given: Given) -> Run:
    """Until it has ended, or for a time: one that was told to end has done so by then."""
    seconds = time_of(given) if given.args else None
    if seconds is not None and of.state.get("lasts") and "told" not in of.state:
        until = machine.now + seconds
        yield Wait("child", given.span, lambda: "told" in of.state or machine.now >= until, at=lambda: until)
        if "told" not in of.state:
            return False
    yield from children.wait(machine, of, given.span)
    return True if given.args else UNKNOWN


def _destroy(machine: JavaMachine, of: Object, given: Given) -> Run:
    children.tell(of, "SIGKILL" if given.path.endswith("Forcibly") else "SIGTERM")
    return now(of)


def _is_alive(machine: JavaMachine, of: Object, given: Given) -> Run:
    return now(of.state.get("lasts") is True and "told" not in of.state and "over" not in of.state)


def _same(machine: JavaMachine, of: Object, given: Given) -> Run:
    return now(of)


_SETS = ("directory", "inheritIO", "redirectError", "redirectErrorStream", "redirectInput", "redirectOutput")
_GIVES = (
    "exitValue",
    "pid",
    "info",
    "getInputStream",
    "getErrorStream",
    "getOutputStream",
    "inputReader",
    "errorReader",
)
NEW: dict[str, Call] = {"ProcessBuilder": _new}
METHODS: dict[str, dict[str, Call]] = {
    "ProcessBuilder": {"start": _start, "command": _command, "environment": open_, **dict.fromkeys(_SETS, _same)},
    "Process": {
        "waitFor": _wait,
        "destroy": _destroy,
        "destroyForcibly": _destroy,
        "isAlive": _is_alive,
        "toHandle": _same,
        **dict.fromkeys(_GIVES, open_),
    },
    "Runtime": {"exec": _exec},
}
