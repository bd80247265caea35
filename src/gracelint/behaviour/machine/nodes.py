"""What the machine runs: the few kinds of syntax that programs of every blocking language are made of.

Each is an expression; a statement's value is that of its last part. `at` is the front end's own node, of which its
file gives the place.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gracelint.source import Source, Span

    class File:
        """What a front end calls a file."""

        source: Source

        def span(self, node: Any) -> Span: ...


class Node:
    __slots__ = ("at",)
    order: tuple[str, ...] = ()
    """Its parts, in the order of the alphabet, as they are given."""

    def __init__(self, at: Any, *parts: Any) -> None:
        self.at = at
        for name, part in zip(self.order, parts, strict=True):
            setattr(self, name, part)

    def parts(self) -> list[Node]:
        """The nodes right below, in order; bodies of functions are not below."""
        found: list[Node] = []
        for name in self.order:
            _put_nodes(getattr(self, name), found)
        return found


def _put_nodes(part: Any, found: list[Node]) -> None:
    if isinstance(part, Node):
        found.append(part)
    elif isinstance(part, (list, tuple)):
        for one in part:
            _put_nodes(one, found)
    elif isinstance(part, dict):
        for one in part.values():
            _put_nodes(one, found)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in order."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting += reversed(here.parts())


class Const(Node):
    """A value that stands in the text: a number, a text, nil; UNKNOWN for what nobody needs to know."""

    order = ("value",)
    __slots__ = order
    value: Any


class Name(Node):
    """A variable, function, class or library by its name as it is written."""

    order = ("name",)
    __slots__ = order
    name: str


class Field(Node):
    """A member of a value, or of a library: `of.name`."""

    order = ("name", "of")
    __slots__ = order
    of: Node
    name: str


class Index(Node):
    order = ("key", "of")
    __slots__ = order
    of: Node
    key: Node


class Set(Node):
    """Gives a Name, Field, Index or List of them a value; `new` declares it in the innermost scope."""

    order = ("new", "target", "value")
    __slots__ = order
    target: Node
    value: Node
    new: bool


class Call(Node):
    """Calls what `callee` is. `named` are keyword arguments; a block or trailing function is named `block`."""

    order = ("args", "callee", "named")
    __slots__ = order
    callee: Node
    args: list[Node]
    named: dict[str, Node]


class New(Node):
    """An object of a class."""

    order = ("args", "named", "type")
    __slots__ = order
    type: Node
    args: list[Node]
    named: dict[str, Node]


class Spread(Node):
    """`*args` in a call or a list."""

    order = ("value",)
    __slots__ = order
    value: Node


class Not(Node):
    order = ("value",)
    __slots__ = order
    value: Node


class Binary(Node):
    """Two operands with + - * / % < <= > >= == !=."""

    order = ("left", "operator", "right")
    __slots__ = order
    operator: str
    left: Node
    right: Node


class Both(Node):
    order = ("left", "right")
    __slots__ = order
    left: Node
    right: Node


class Either(Node):
    """The left if it holds, else the right; `nil`: if it is not nil."""

    order = ("left", "nil", "right")
    __slots__ = order
    left: Node
    right: Node
    nil: bool


class Seq(Node):
    """One after the other; `scoped` where names declared in it end with it."""

    order = ("body", "scoped")
    __slots__ = order
    body: list[Node]
    scoped: bool


class If(Node):
    order = ("other", "test", "then")
    __slots__ = order
    test: Node
    then: Node | None
    other: Node | None


class Loop(Node):
    """While `test` holds, or for ever where there is none; `after`: the test follows the body."""

    order = ("after", "body", "label", "step", "test")
    __slots__ = order
    test: Node | None
    body: Node
    step: Node | None
    label: str
    after: bool


class Each(Node):
    """The body for each item of a list, a range, a channel or a queue; `names` get the item, or its parts."""

    order = ("body", "label", "names", "over")
    __slots__ = order
    names: list[str]
    over: Node
    body: Node
    label: str


class Return(Node):
    order = ("value",)
    __slots__ = order
    value: Node | None


class Break(Node):
    order = ("label", "value")
    __slots__ = order
    label: str
    value: Node | None


class Continue(Node):
    """The next round; in a block (`Function.block`) its end."""

    order = ("label", "value")
    __slots__ = order
    label: str
    value: Node | None


class Raise(Node):
    """Raises an object of a class; without a value what was caught last."""

    order = ("value",)
    __slots__ = order
    value: Node | None


class Try(Node):
    """`catches` are the classes' names as written (none: all that errors inherit from), a variable and a body."""

    order = ("body", "catches", "final", "other")
    __slots__ = order
    body: Node
    catches: list[tuple[tuple[str, ...], str, Node]]
    other: Node | None
    final: Node | None


class Lock(Node):
    """Runs its body while it holds the lock of a value."""

    order = ("body", "value")
    __slots__ = order
    body: Node
    value: Node


class Switch(Node):
    """The body of the first case one of whose values equals the value; () is the default."""

    order = ("cases", "value")
    __slots__ = order
    value: Node | None
    cases: list[tuple[tuple[Node, ...], Node]]


class Make(Node):
    """A closure: a function together with the scope it stands in."""

    order = ("function",)
    __slots__ = order
    function: Function


class List(Node):
    order = ("items",)
    __slots__ = order
    items: list[Node]


class Map(Node):
    order = ("items",)
    __slots__ = order
    items: list[tuple[Node, Node]]


class Await(Node):
    """Waits for a task or future, and is its value."""

    order = ("value",)
    __slots__ = order
    value: Node


class Select(Node):
    """Waits for the first of several tasks or futures; the others are dropped. Each: what, a variable, a body."""

    order = ("ways",)
    __slots__ = order
    ways: list[tuple[Node, str, Node]]


class Param:
    """`kind` is empty, "rest", "named", "block" or "keywords"."""

    __slots__ = ("default", "kind", "name")

    def __init__(self, name: str, kind: str = "", default: Node | None = None) -> None:
        self.name, self.kind, self.default = name, kind, default


class Function:
    """A function of the program. Its body is only made when it is first asked for.

    `block`: a return in it leaves the function that it stands in, `Continue` ends it. `task`: calling it makes a task.
    """

    __slots__ = ("_body", "_made", "at", "block", "captures", "file", "name", "params", "task", "telling")

    def __init__(
        self,
        name: str,
        file: Any,
        at: Any,
        params: tuple[Param, ...],
        body: Callable[[], Node],
        *,
        block: bool = False,
        task: bool = False,
    ) -> None:
        self.name, self.file, self.at, self.params = name, file, at, params
        self._made: Node | None = None
        self._body, self.block, self.task = body, block, task
        self.captures: Any = None
        """What a closure names of where it stands, in languages where it must."""
        self.telling: list[tuple[Node, str]] | None = None
        """The parts of its body that may bear on the end, once they were looked for."""

    @property
    def body(self) -> Node:
        if self._made is None:
            self._made = self._body()
        return self._made


class Class:
    """A class, module, struct or trait: `bases` by the names it gives them, what it mixes in first."""

    __slots__ = ("bases", "fields", "file", "methods", "name", "statics", "values")

    def __init__(self, name: str, file: Any, bases: list[str] | None = None) -> None:
        self.name, self.file = name, file
        self.bases = bases or []
        self.methods: dict[str, Function] = {}
        self.statics: dict[str, Function] = {}
        self.fields: dict[str, Node | None] = {}
        """What an object of it starts with."""
        self.values: dict[str, Any] = {}
        """What it holds itself: constants, static fields."""
