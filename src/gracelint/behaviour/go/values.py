"""The values of a Go program that bear on its end, and what a goroutine can wait for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.go.syntax import File
    from gracelint.source import Span

    Run = Generator["Wait", Any, Any]

SECOND = 1e9


class Unknown:
    """A value nobody can tell. `of` names the library it came from."""

    __slots__ = ("of",)

    def __init__(self, of: str = "") -> None:
        self.of = of


UNKNOWN = Unknown()


class Nil:
    __slots__ = ()


NIL = Nil()


class Err:
    """An error that is not nil; `name` is its variable's, as net/http.ErrServerClosed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Lib:
    """A member of a library's package: `net/http.ListenAndServe`."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class Func:
    """A function of the program: a declaration, a method with its receiver, or a closure."""

    __slots__ = ("env", "file", "node", "package", "receiver")

    def __init__(self, node: Node, file: File, package: Package, env: Scope | None, receiver: Any = None) -> None:
        self.node, self.file, self.package, self.env, self.receiver = node, file, package, env, receiver


class Native:
    """A function that a library hands out, such as the cancel of a context."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[list[Any]], Any]) -> None:
        self.call = call


class Method:
    """A library's method together with what it is called on."""

    __slots__ = ("name", "of")

    def __init__(self, of: Any, name: str) -> None:
        self.of, self.name = of, name


class Scope:
    __slots__ = ("names", "parent")

    def __init__(self, parent: Scope | None = None) -> None:
        self.names: dict[str, Any] = {}
        self.parent = parent

    def find(self, name: str) -> Scope | None:
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope


class Object:
    """A struct of the program or of a library; pointers to it are the same object."""

    __slots__ = ("fields", "package", "span", "state", "type")

    def __init__(self, type_: str, span: Span | None = None, package: Package | None = None) -> None:
        self.type, self.span, self.package = type_, span, package
        self.fields: dict[str, Any] = {}
        self.state: dict[str, Any] = {}


class Chan:
    __slots__ = ("at", "closed", "every", "queue", "room", "signals", "span")

    def __init__(self, room: int = 0, span: Span | None = None) -> None:
        self.room, self.span = room, span
        self.queue: list[Any] = []
        self.closed = False
        self.signals: set[str] = set()
        """What signal.Notify sends to it."""
        self.at: float | None = None
        """A timer's next tick."""
        self.every: float | None = None

    def ready(self, now: float) -> bool:
        return bool(self.queue) or self.closed or (self.at is not None and self.at <= now)

    def take(self, now: float) -> Any:
        if self.queue:
            return self.queue.pop(0)
        if self.at is not None and self.at <= now:
            self.at = now + self.every if self.every is not None else None
            return UNKNOWN
        return NIL


class Ctx:
    __slots__ = ("children", "deadline", "done", "group", "parent", "signals", "span")

    def __init__(self, parent: Ctx | None = None, span: Span | None = None) -> None:
        self.parent, self.span = parent, span
        self.done = Chan()
        self.done.closed = parent is not None and parent.done.closed
        self.deadline: float | None = parent.deadline if parent is not None else None
        self.signals: set[str] = set()
        self.children: list[Ctx] = []
        if parent is not None:
            parent.children.append(self)

    def cancel(self) -> Nil:
        waiting = [self]
        while waiting:
            here = waiting.pop()
            here.done.closed = True
            waiting += here.children
        return NIL

    def ends(self, now: float) -> bool:
        return self.done.closed or (self.deadline is not None and self.deadline <= now)


class Wait:
    """What a goroutine waits for: `ready` says whether it is over, `at` when time alone ends it."""

    __slots__ = ("at", "kind", "node", "ready", "span", "value")

    def __init__(
        self,
        kind: str,
        span: Span,
        ready: Callable[[], bool],
        value: Callable[[], Any] = lambda: NIL,
        at: Callable[[], float | None] = lambda: None,
        node: object = None,
    ) -> None:
        self.kind, self.span, self.ready, self.value, self.at, self.node = kind, span, ready, value, at, node


class Goroutine:
    __slots__ = ("main", "name", "run", "span", "told", "wait")

    def __init__(self, run: Run, span: Span | None, main: bool = False) -> None:
        self.run, self.span, self.main = run, span, main
        self.wait: Wait | None = None
        self.told = False
        """Something the signal brought about has woken it."""


class Ended(Exception):  # noqa: N818
    """The process has ended: `how` is returns, exit, fatal or panic."""

    def __init__(self, how: str, span: Span | None) -> None:
        self.how, self.span = how, span


class TooFarError(Exception):
    """The program is too big to be followed to its end."""
