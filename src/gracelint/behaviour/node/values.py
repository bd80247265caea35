"""What a JavaScript expression is known to be before the program runs.

Strings, numbers, booleans and None (for `null`) stand for themselves.
"""

from __future__ import annotations

from operator import attrgetter

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.syntax import File
    from gracelint.source import Span


class _Name(Record):
    name: str


UNKNOWN = _Name("unknown")
"""A value nobody can tell: a parameter, a result, an environment variable that is set elsewhere."""
EMITTER = "[emitter]"
"""The property that holds the listeners of an object whose class extends EventEmitter."""
UNDEFINED = _Name("undefined")
LOST = _Name("lost")
"""`this` of a class's method that was taken from its object: asking it for anything is a TypeError."""
MISSING = _Name("missing")
"""No variable of that name."""


class After(Record):
    """Something that has to happen first.

    `kind` is drained, closed, timer, race, loop, disconnected, ended, answered, work, blocked (for ever) or unknown.

    `drained` is a server that has answered what was in flight, `closed` another thing that was closed, `ended` a worker
    or child, `answered` one that has sent a message back, `loop` a loop that has come to its end, `work` a call of a
    library whose time is its own.
    """

    kind: str
    span: Span
    thing: Thing | None = None
    seconds: float | None = None
    parts: tuple[tuple[After, ...], ...] = ()
    """Of a race: what each of its promises waits for."""


_kind = attrgetter("kind")
STAYS = frozenset(("loop", "unknown"))


def is_behind_what_stays(after: tuple[After, ...]) -> bool:
    """Whether something comes after an endless loop or an unsettled promise; asked of chains of any length."""
    return not STAYS.isdisjoint(map(_kind, after))


def joined(first: tuple[After, ...], more: tuple[After, ...]) -> tuple[After, ...]:
    """What has to happen before both, each thing once."""
    if more[: len(first)] == first:
        return more
    if first[: len(more)] == more:
        return first
    return tuple(dict.fromkeys((*first, *more)))


class Promise(Record, identity=True):
    after: tuple[After, ...]
    value: Any = UNDEFINED
    never: bool = False
    """Nothing settles it."""
    stuck: bool = False
    """Nothing ever resolves it, so that what awaits it hangs."""
    fails: tuple[After, ...] | None = None
    """What comes before it is rejected, where nothing resolves it: a timeout."""
    rejected: bool = False
    """It fails: what awaits it throws."""
    maybe: bool = False
    """It may wait for more: for what stands in a branch nobody can decide."""


class Afloat(Record):
    """Something begun whose end nobody waits for."""

    span: Span
    rest: tuple[After, ...]
    """What it still waits for."""
    before: tuple[After, ...]
    """What it came after."""
    certain: bool = True


class External(Record):
    """A module or value that is not the project's own, by its path: `http`, `http.createServer`, `axios.get()`."""

    path: str
    seconds: float | None = None
    """How long it takes at most when awaited, where an argument says (long polling); infinity for ever."""
    signal: Any = None
    """The AbortSignal among its arguments, which ends it."""


def as_key(value: Any) -> str | None:
    """The name of a property that a value gives: a text's, a number's, `Symbol.asyncDispose`."""
    if isinstance(value, External) and value.path.startswith("Symbol."):
        return value.path
    return str(value) if isinstance(value, (str, int)) else None


class Builtin(Record, identity=True):
    """A function the interpreter knows: called with arguments, the frame and the call's node."""

    call: Callable[..., Any]


class Class(Record, identity=True):
    node: Node
    scope: Scope
    file: File
    parent: Any = None
    methods: dict[str, Any] = {}  # noqa: RUF012
    statics: dict[str, Any] = {}  # noqa: RUF012


class Closure(Record, identity=True):
    node: Node
    scope: Scope
    file: File
    this: Any = UNDEFINED
    bound: tuple[Any, ...] = ()


class Generator(Record, identity=True):
    """What a generator function gives when it is called."""

    closure: Closure
    args: tuple[Any, ...]


class Method(Record, identity=True):
    """A method of a thing, of an array, of a promise: its owner and its name."""

    owner: Any
    name: str


class Scope:
    """Variables by name, and the scope around."""

    __slots__ = ("names", "parent")

    def __init__(self, parent: Scope | None = None) -> None:
        self.names: dict[str, Any] = {}
        self.parent = parent

    def find(self, name: str) -> Scope | None:
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope

    def get(self, name: str, default: Any = UNKNOWN) -> Any:
        scope = self.find(name)
        return scope.names[name] if scope is not None else default

    def assign(self, name: str, value: Any) -> None:
        (self.find(name) or self).names[name] = value


class Object:
    """An object literal, a module's exports or an instance of one of the project's classes."""

    __slots__ = ("cls", "open", "props")

    def __init__(self, props: dict[str, Any] | None = None, cls: Class | None = None) -> None:
        self.props = props if props is not None else {}
        self.cls = cls
        self.open = False
        """It may have properties nobody knows of."""

    def take(self, other: Any) -> None:
        """`{...other}` and `Object.assign`."""
        if not isinstance(other, Object):
            self.cloud()
            return
        if other.open:
            self.cloud()
        self.props |= other.props

    def without(self, names: Collection[str]) -> Object:
        """Its other properties; a computed name may be any of them."""
        found = Object({key: value for key, value in self.props.items() if key not in names})
        if self.open or any(name.startswith("[") for name in names):
            found.cloud()
        return found

    def cloud(self) -> None:
        """Properties nobody can name are set: what it has may be another value by now; what runs stays what it was."""
        self.open = True
        self.props |= {key: UNKNOWN for key, value in self.props.items() if not keeps(value)}


class Array:
    __slots__ = ("items", "open")

    def __init__(self, items: list[Any], open: bool = False) -> None:
        self.items = items
        self.open = open
        """It may have items nobody knows of, anywhere: what stands at which place is not known."""


class Arguments(list["Any"]):
    """What a function is called with, where it may be more than what is listed."""

    __slots__ = ()


def spread(value: Any) -> list[Any]:
    """The arguments that `...value` becomes."""
    if isinstance(value, Array) and not value.open:
        return list(value.items)
    return Arguments([UNKNOWN])


class Pairs(Array):
    """A `Map`: each item is an Array of a key and its value."""

    __slots__ = ("fresh",)

    def __init__(self, items: list[Any], open: bool = False, fresh: bool = False) -> None:
        super().__init__(items, open)
        self.fresh = fresh
        """Made empty, so that while the program starts nothing is in it but what that has put there."""


class Thing:
    """What a program opens and has to let go of: a server, an interval, a worker, a connection."""

    __slots__ = (
        "after",
        "alive",
        "callbacks",
        "certain",
        "data",
        "kind",
        "name",
        "row",
        "settings",
        "span",
        "variable",
    )

    def __init__(self, kind: str, name: str, span: Span, alive: bool | None, row: dict[str, Any] | None = None) -> None:
        self.kind = kind
        """server, app, interval, timer, worker, child, cluster, connection, loop, stdin, part"""
        self.name = name
        self.span = span
        self.alive = alive
        """Whether it keeps node running; None where that depends."""
        self.row = row or {}
        self.variable: str | None = None
        self.certain = True
        self.after: tuple[After, ...] = ()
        self.callbacks: dict[str, list[Any]] = {}
        self.data: Any = None
        self.settings: dict[str, Any] = {}
        """Properties the program sets on it: `server.keepAliveTimeout = 65000`."""


def keeps(value: Any) -> bool:
    """Whether it is followed also where it is not certain that it is there."""
    return isinstance(value, (Thing, Closure, Method, Builtin))


def truthy(value: Any) -> bool | None:
    """JavaScript's truth of a value; None where it is not known."""
    if value is UNKNOWN or (isinstance(value, External) and ("(" in value.path or value.path.startswith("?"))):
        return None
    if value is UNDEFINED or value is None or value is False or value == "" or value == 0:
        return False
    return True if not isinstance(value, External) else None


def equal(left: Any, right: Any) -> bool | None:
    """Whether two values are the same; None where that is not known."""
    known = (str, int, float, bool, type(None))
    if (isinstance(left, known) or left is UNDEFINED) and (isinstance(right, known) or right is UNDEFINED):
        if left in (None, UNDEFINED) and right in (None, UNDEFINED):
            return True
        return (type(left) is type(right) and left == right) or (
            isinstance(left, str) and isinstance(right, str) and str(left) == str(right)
        )
    return None


def name_of(thing: Thing) -> str:
    what = {
        "interval": f"the {thing.name}",
        "server": "the listening server",
        "connection": f"the {thing.name} connection",
        "consumer": f"the {thing.name} consumer",
        "pool": f"the {thing.name} pool",
        "channel": f"the {thing.name} jobs",
        "worker": "the worker thread",
        "child": "the child process",
        "cluster": "the cluster's workers",
        "loop": "the loop",
        "port": "the message port",
    }.get(thing.kind, f"the {thing.name}")
    return f"{what} in line {thing.span.line}"
