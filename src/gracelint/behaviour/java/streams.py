"""Java's buffers in front of files: what is in one when the JVM ends is lost, since nothing flushes it then."""

from __future__ import annotations

from gracelint.behaviour.java.waiting import now
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Lib, Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Call, Given
    from gracelint.behaviour.machine.values import Run

_STREAMS = ("System.out", "System.err")
_LEAVES = ("FileOutputStream", "FileWriter")
_DIRECT = ("FileOutputStream",)
"""What has no buffer of its own."""


def _new(machine: JavaMachine, _: Any, given: Given) -> Run:
    type_ = given.path.removesuffix(".new").rpartition(".")[2]
    one, inner = Object(type_, given.span), given.argument(0)
    below = (
        inner.path in _STREAMS
        if isinstance(inner, Lib)
        else isinstance(inner, Object) and inner.state.get("kept", False)
    )
    one.state["kept"] = below or type_ in _LEAVES
    one.state["lines"] = type_ == "PrintWriter" and given.argument(1) is True
    return now(one)


def _new_of_path(machine: JavaMachine, _: Any, given: Given) -> Run:
    one = Object("BufferedWriter", given.span)
    one.state["kept"] = True
    return now(one)


def _write(machine: JavaMachine, of: Object, given: Given) -> Run:
    name = given.path.rpartition(".")[2]
    if (
        of.state.get("kept")
        and of.type not in _DIRECT
        and not (of.state.get("lines") and name in ("println", "printf"))
    ):
        machine.unflushed[of] = given.span
    return now(of)


def _flush(machine: JavaMachine, of: Object, given: Given) -> Run:
    machine.unflushed.pop(of, None)
    return now(NIL)


def _of_printer(machine: JavaMachine, of: Object, given: Given) -> Run:
    return now(UNKNOWN)


_METHODS: dict[str, Call] = {
    **dict.fromkeys(("write", "append", "newLine", "print", "println", "printf", "format"), _write),
    **dict.fromkeys(("flush", "close"), _flush),
    "checkError": _of_printer,
}
_TYPES = ("BufferedWriter", "PrintWriter", "OutputStreamWriter", "BufferedOutputStream", *_LEAVES)
NEW: dict[str, Call] = dict.fromkeys(_TYPES, _new)
STATIC: dict[str, Call] = {"Files.newBufferedWriter": _new_of_path}
METHODS: dict[str, dict[str, Call]] = dict.fromkeys(_TYPES, _METHODS)
