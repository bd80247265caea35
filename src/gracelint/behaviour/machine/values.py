"""Values that bear on a program's end, and what its threads can wait for. Times are in seconds."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from typing import Any

    from gracelint.source import Span

    Run = Generator["Wait", Any, Any]


class Unknown:
    """A value nobody can tell. `of` names the library it came from."""

    __slots__ = ("of",)

    def __init__(self, of: str = "") -> None:
        self.of = of


UNKNOWN = Unknown()
UNSET = Unknown()
"""An environment variable that no file sets. What a program names to be taken instead is taken."""


class OneOf(Unknown):
    """One of some plain values: which, nobody can tell. `first` is the one that it was made of, option for option."""

    __slots__ = ("chosen", "first", "options")

    def __init__(self, options: tuple[Any, ...], first: OneOf | None = None) -> None:
        super().__init__()
        self.options = options
        self.first: OneOf = first or self
        self.chosen: int | None = None
        """Of the first: which one is followed, once that matters."""

    def left(self) -> tuple[Any, ...]:
        """What it may be yet."""
        chosen = self.first.chosen
        return self.options if chosen is None else (self.options[chosen],)


_MOST_OPTIONS = 4


def either(values: Iterable[Any]) -> Any:
    """What is one of some values: unknown where any of them is no plain one."""
    found: list[Any] = []
    for value in values:
        for one in value.left() if isinstance(value, OneOf) else (value,):
            if not isinstance(one, (bool, int, float, str)) or isinstance(one, Sig):
                return UNKNOWN
            found += [] if any(type(one) is type(its) and one == its for its in found) else [one]
    return found[0] if len(found) == 1 else OneOf(tuple(found)) if 0 < len(found) <= _MOST_OPTIONS else UNKNOWN


def made_of(how: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """What comes of two values, at least one of which is one of several."""
    firsts = {id(one.first): one.first for one in (left, right) if isinstance(one, OneOf)}
    if len(firsts) > 1:
        return either(how(its, other) for its in left.left() for other in right.left())
    (first,) = firsts.values()
    lefts, rights = (one.left() if isinstance(one, OneOf) else (one,) * len(first.left()) for one in (left, right))
    options = tuple(map(how, lefts, rights))
    one = either(options)
    return OneOf(options, first) if isinstance(one, OneOf) else one


class Nil:
    __slots__ = ()


NIL = Nil()


class Sig(str):
    """A signal, by its name."""

    __slots__ = ()


class Err:
    """An error that is not nil; `name` is its variable's, as net/http.ErrServerClosed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Lib:
    """A member of a library: `net/http.ListenAndServe`."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class Words(list):  # type: ignore[type-arg]
    """All the words of a command line: there are no more."""

    __slots__ = ()


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
    """An object of the program or of a library; whatever points to it has the same one.

    `package` is where a program's own type is declared, None for a library's.
    """

    __slots__ = ("fields", "package", "span", "state", "type")

    def __init__(self, type_: str, span: Span | None = None, package: Any = None) -> None:
        self.type, self.span, self.package = type_, span, package
        self.fields: dict[str, Any] = {}
        self.state: dict[str, Any] = {}


class Environment(Object):
    """What a language has the environment variables in."""

    __slots__ = ()


class Chan:
    """A queue between threads: Go's channel, a blocking queue. A timer's has a time `at` which it ticks."""

    __slots__ = ("at", "closed", "every", "queue", "room", "signals", "span")

    def __init__(self, room: int = 0, span: Span | None = None) -> None:
        self.room, self.span = room, span
        self.queue: list[Any] = []
        self.closed = False
        self.signals: set[str] = set()
        """What is sent to it when they come."""
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
    """What is cancelled, and all made from it: Go's context, .NET's CancellationToken."""

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
    """What a thread waits for: `ready` says whether it is over, `at` when time alone ends it."""

    __slots__ = ("at", "kind", "node", "over", "ready", "sends", "span", "takes", "value")

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
        self.over = False
        """A signal has ended it before its time."""
        self.takes: tuple[Any, ...] = ()
        """The channels that it takes from."""
        self.sends: tuple[Any, ...] = ()
        """Those that it sends to."""


class Yielded:
    """What a generator of the program hands to whatever loops over it."""

    __slots__ = ("key", "value")

    def __init__(self, key: Any, value: Any) -> None:
        self.key, self.value = key, value


class Thread:
    """A thread of the program, main or another: a generator that yields what it waits for.

    A handler that interrupts it runs on top of it: `below` keeps what it did and waited for.
    """

    __slots__ = (
        "below",
        "body",
        "daemon",
        "done",
        "journals",
        "main",
        "name",
        "run",
        "span",
        "thrown",
        "told",
        "value",
        "wait",
    )

    def __init__(self, run: Run, span: Span | None, main: bool = False) -> None:
        self.run, self.span, self.main = run, span, main
        self.wait: Wait | None = None
        self.body: Any = None
        """What it was started for, where that is known: a function of the program, a future."""
        self.name: Any = None
        """What stands for it to the program: a thread's object, a forked process."""
        self.below: list[tuple[Run, Wait | None]] = []
        self.journals: list[dict[tuple[int, Any], tuple[Any, Any]]] = []
        """Of each branch it is in that nobody can tell to be taken, what that has set, and what was there before."""
        self.thrown: BaseException | None = None
        """What is raised where it stands as soon as it has its turn."""
        self.daemon = False
        """The process does not wait for it."""
        self.done = False
        self.value: Any = NIL
        self.told = False
        """Something the signal brought about has woken it."""


class Raised(Exception):  # noqa: N818
    """An exception of the program; `value` is its object, `type` its class by name, with those it inherits from."""

    def __init__(self, types: tuple[str, ...], value: Any, span: Span | None) -> None:
        self.types, self.value, self.span = types, value, span


class Ended(Exception):  # noqa: N818
    """The process has ended: `how` is returns, exit, fatal, panic or a word of the language.

    `failed` tells that it has said so with a status other than 0.
    """

    def __init__(self, how: str, span: Span | None, *, failed: bool = False) -> None:
        self.how, self.span, self.failed = how, span, failed


class Doubt(Exception):  # noqa: N818
    """The run comes to something that decides and cannot be told."""

    def __init__(self, why: str, span: Span | None = None) -> None:
        self.why, self.span = why, span


class TooFarError(Exception):
    """The program is too big to be followed to its end."""
