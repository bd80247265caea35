"""What a run is made of: frames, events, and the ways out of a function."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.node.syntax import File
from gracelint.behaviour.node.values import UNDEFINED, After, Scope, Thing
from gracelint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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


class Event(Record, identity=True):
    """Something the program does that bears on stopping."""

    kind: str
    """exit, close, close-idle, close-now, force, release, stop-child, ask, disconnect, rekill, flag, log, opaque"""
    span: Span
    after: tuple[After, ...]
    certain: bool
    thing: Thing | None = None
    seconds: float | None = None
    target: str = ""
    value: Any = None
    """The message that is sent."""


class Frame:
    """One function call."""

    __slots__ = ("after", "file", "scope", "this")

    def __init__(self, scope: Scope, file: File, after: tuple[After, ...] = (), this: Any = UNDEFINED) -> None:
        self.scope = scope
        self.file = file
        self.after = after
        self.this = this
