"""Calls of a program's functions, and the ways out of them."""

from __future__ import annotations

from gracelint.behaviour.machine.values import NIL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.machine.nodes import Function, Node
    from gracelint.behaviour.machine.values import Raised, Scope


class Closure:
    """A function with where it stands: `home` is the call whose `return` a block shares."""

    __slots__ = ("function", "home", "scope", "this")

    def __init__(self, function: Function, scope: Scope | None = None, this: Any = NIL, home: Any = None) -> None:
        self.function, self.scope, self.this, self.home = function, scope, this, home


class Frame:
    """One call. `home` is itself, or of a block the frame that a return in it leaves."""

    __slots__ = ("block", "caught", "file", "home", "loops", "passed_by", "scope", "this")

    def __init__(self, file: Any, scope: Scope, this: Any = NIL, home: Frame | None = None) -> None:
        self.file, self.scope, self.this = file, scope, this
        self.home: Frame = home or self
        self.block: Any = NIL
        """The block that the call got."""
        self.loops = 0
        """Loops of its own that it is in."""
        self.caught: Raised | None = None
        self.passed_by: list[Node] = []
        """The ways out of guards that were not taken, although nobody can tell their conditions."""


class Leave(Exception):  # noqa: N818
    """A way out of where the program is: return, break or continue."""

    def __init__(self, kind: str, to: Any, value: Any) -> None:
        self.kind, self.to, self.value = kind, to, value
