"""Java's buffers in front of files: what is in one when the JVM ends is lost, since nothing flushes it then."""

from __future__ import annotations

from gracelint.behaviour.java.waiting import now, open_
from gracelint.behaviour.machine.values import NIL, Lib, Object

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
    below = inner if isinstance(inner, Object) else None
    of_stream = isinstance(inner, Lib) and inner.path in _STREAMS
    one.state["below"] = below
    one.state["kept"] = of_stream or type_ in _LEAVES or (below is not None and below.state.get("kept", False))
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
    flushed(machine, of)
    return now(NIL)


def flushed(machine: JavaMachine, of: Object | None) -> None:
    """Nothing is left in a buffer, and in those that it stands in front of."""
    while of is not None:
        machine.unflushed.pop(of, None)
        of = of.state.get("below")


def handed(machine: JavaMachine, given: Given) -> None:
    """A call that nobody follows may flush what it is given, and where it closes something, any buffer."""
    if given.path.rpartition(".")[2] in _FLUSHES:
        machine.unflushed.clear()
    for one in given.args:
        flushed(machine, one if isinstance(one, Object) else None)


_FLUSHES = ("flush", "close")
_METHODS: dict[str, Call] = {
    **dict.fromkeys(("write", "append", "newLine", "print", "println", "printf", "format"), _write),
    **dict.fromkeys(_FLUSHES, _flush),
    "checkError": open_,
}
_TYPES = ("BufferedWriter", "PrintWriter", "OutputStreamWriter", "BufferedOutputStream", *_LEAVES)
NEW: dict[str, Call] = dict.fromkeys(_TYPES, _new)
STATIC: dict[str, Call] = {"Files.newBufferedWriter": _new_of_path}
METHODS: dict[str, dict[str, Call]] = dict.fromkeys(_TYPES, _METHODS)
