"""What a run is made of: frames, events, and the ways out of a function."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.node.syntax import File
from gracelint.behaviour.node.values import UNDEFINED, After, Scope, Thing, joined
from gracelint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine


class Stop(Exception):  # noqa: N818
    """The program has called `process.exit`."""


class Thrown(Exception):  # noqa: N818
    """A `throw` that is sure to happen."""


class Text(str):
    """A string that knows the literal it was written as."""

    span: Span | None = None


class Registration(Record, identity=True):
    """One call that installs a signal handler."""

    signals: tuple[str, ...]
    """Empty where they cannot be told."""
    names: tuple[Span, ...]
    function: Any
    span: Span
    certain: bool
    after: tuple[After, ...]
    once: bool = False
    asked: Span | None = None
    """The condition nobody can decide that it stands behind, the outermost."""


class Event(Record, identity=True):
    """Something the program does that bears on stopping."""

    kind: str
    """exit, close, close-idle, close-now, force, release, stop-child, ask, answer, disconnect, rekill, flag, log, …"""
    span: Span
    after: tuple[After, ...]
    certain: bool
    thing: Thing | None = None
    seconds: float | None = None
    target: str = ""
    value: Any = None
    """The message that is sent, or sent back."""


class Frame:
    """One function call."""

    __slots__ = ("after", "file", "scope", "this")

    def __init__(self, scope: Scope, file: File, after: tuple[After, ...] = (), this: Any = UNDEFINED) -> None:
        self.scope = scope
        self.file = file
        self.after = after
        self.this = this


class Undecided:
    """While it lasts, what is run stands behind a condition nobody can decide."""

    __slots__ = ("after", "asking", "certain", "frame", "machine", "node")

    def __init__(self, machine: Machine, node: Node | None, frame: Frame) -> None:
        self.machine, self.node, self.frame = machine, node, frame

    def __enter__(self) -> None:
        machine = self.machine
        self.certain, self.asking, self.after = machine.certain, machine.asking, self.frame.after
        machine.certain = False
        machine.undecided += 1
        if machine.asking is None and self.node is not None:
            machine.asking = self.frame.file.span(self.node)

    def __exit__(self, *_: object) -> None:
        self.machine.certain, self.machine.asking = self.certain, self.asking
        self.machine.passed += self.frame.after != self.after
        # of a job that is tried out, the longest way counts
        self.frame.after = joined(self.after, self.frame.after) if self.machine.rehearsing else self.after
