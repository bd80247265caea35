"""What an expression can be worth to somebody who reads a program without running it."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.modules import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from typing import Any

    Store = dict[Hashable, "Value"]

ELEMENTS = 12
"""Most elements that are looked at one by one."""
CERTAIN, OUTSIDE, LOST = 0, 1, 2
"""How sure something is: it happens; the world outside decides (input, time, a peer); the reader lost track."""


class Value:
    __slots__ = ()


class Unknown(Value):
    """A value nobody knows, and why."""

    __slots__ = ("tag",)

    def __init__(self, tag: int) -> None:
        self.tag = tag


FROM_OUTSIDE = Unknown(OUTSIDE)
LOST_TRACK = Unknown(LOST)


class Const(Value):
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


NONE, TRUE, FALSE = Const(None), Const(True), Const(False)
MISSING = Const(object())
"""Stands for a name that is not there."""


class Name(Value):
    """Something that is not in the project, by its full dotted name: `signal.SIGTERM`, `builtins.print`."""

    __slots__ = ("dotted",)

    def __init__(self, dotted: str) -> None:
        self.dotted = dotted


class ModuleValue(Value):
    """A module of the project."""

    __slots__ = ("module", "store")

    def __init__(self, module: Module, store: Store) -> None:
        self.module = module
        self.store = store


class Function(Value):
    __slots__ = ("defaults", "module", "node", "owner", "receiver", "scopes", "wrapper")

    def __init__(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        module: Module,
        scopes: tuple[Store, ...],
        defaults: dict[str, Value],
        owner: Class | None = None,
        receiver: Value | None = None,
        wrapper: str = "",
    ) -> None:
        self.node = node
        self.module = module
        self.scopes = scopes
        self.defaults = defaults
        self.owner = owner
        self.receiver = receiver
        self.wrapper = wrapper
        """property, staticmethod, classmethod, contextmanager, cached or nothing."""

    def bind(self, receiver: Value) -> Function:
        return self.copy(receiver=receiver)

    def copy(
        self, *, receiver: Value | None = None, wrapper: str | None = None, owner: Class | None = None
    ) -> Function:
        return Function(
            self.node,
            self.module,
            self.scopes,
            self.defaults,
            owner or self.owner,
            receiver or self.receiver,
            self.wrapper if wrapper is None else wrapper,
        )


class Partial(Value):
    """A callable with some of its arguments."""

    __slots__ = ("args", "function", "keywords")

    def __init__(self, function: Value, args: Sequence[Value], keywords: dict[str, Value]) -> None:
        self.function = function
        self.args = args
        self.keywords = keywords


class Class(Value):
    """A class of the project."""

    __slots__ = ("bases", "module", "node", "store")

    def __init__(self, node: ast.ClassDef, module: Module, bases: tuple[Value, ...]) -> None:
        self.node = node
        self.module = module
        self.bases = bases
        self.store: Store = {}

    def lineage(self) -> Iterator[Value]:
        """The class and its bases, depth first, each once."""
        seen: set[int] = set()
        waiting: list[Value] = [self]
        while waiting:
            here = waiting.pop()
            if id(here) in seen:
                continue
            seen.add(id(here))
            yield here
            if isinstance(here, Class):
                waiting += reversed(here.bases)

    def find(self, name: str) -> Value | None:
        """An attribute of the class or of its project bases."""
        stores = (each.store for each in self.lineage() if isinstance(each, Class))
        return next((store[name] for store in stores if name in store), None)

    @property
    def kind(self) -> str:
        """The first base outside of the project, by its dotted name; "" for a class that has none."""
        names = (each.dotted for each in self.lineage() if isinstance(each, Name))
        return next((name for name in names if name != "builtins.object"), "")


class Thing(Value):
    """An object: an instance of a project class, or of something outside, which `kind` names."""

    __slots__ = ("cls", "kind", "module", "node", "store")

    def __init__(self, kind: str, node: ast.AST | None, module: Module | None, cls: Class | None = None) -> None:
        self.kind = kind
        self.node = node
        self.module = module
        self.cls = cls
        self.store: Store = {}


class Super(Value):
    """`super()`: an object as the bases of a class see it."""

    __slots__ = ("owner", "receiver")

    def __init__(self, receiver: Thing, owner: Class) -> None:
        self.receiver = receiver
        self.owner = owner


class Bound(Value):
    """A method of an object that is not the project's."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Value, name: str) -> None:
        self.receiver = receiver
        self.name = name


class Items(Value):
    """A list, tuple, set or dict display. `store["…"]` is there where it may hold more than is known."""

    __slots__ = ("kind", "store")

    def __init__(self, kind: str, store: Store) -> None:
        self.kind = kind
        self.store = store

    @property
    def open(self) -> bool:
        return "…" in self.store

    def values(self) -> list[Value]:
        return [value for key, value in self.store.items() if key != "…"]


class Later(Value):
    """A coroutine or generator that has not run: what to call when somebody awaits or iterates it."""

    __slots__ = ("args", "function", "keywords", "node")

    def __init__(self, function: Value, args: Sequence[Value], keywords: dict[str, Value], node: ast.AST) -> None:
        self.function = function
        self.args = args
        self.keywords = keywords
        self.node = node


class Error(Value):
    """An exception: of the project (`cls`) or by its dotted name."""

    __slots__ = ("cls", "dotted", "inner")

    def __init__(self, dotted: str, cls: Class | None = None, inner: Error | None = None) -> None:
        self.dotted = dotted
        self.cls = cls
        self.inner = inner
        """What an exception group holds."""


class MoreArguments(list[Value]):
    """What a function is called with, where it may be more than what is listed."""

    __slots__ = ()


def items(kind: str, values: Sequence[Value]) -> Items:
    return Items(kind, dict(enumerate(values)))


def same(left: Value | None, right: Value | None) -> bool:
    if left is right:
        return True
    if isinstance(left, Const) and isinstance(right, Const):
        return type(left.value) is type(right.value) and bool(left.value == right.value)
    if isinstance(left, Name) and isinstance(right, Name):
        return left.dotted == right.dotted
    if isinstance(left, Unknown) and isinstance(right, Unknown):
        return left.tag == right.tag
    if isinstance(left, Function) and isinstance(right, Function):
        return left.node is right.node and left.receiver is right.receiver
    if isinstance(left, Bound) and isinstance(right, Bound):
        return left.name == right.name and left.receiver is right.receiver
    return False


def join(left: Value | None, right: Value | None, tag: int) -> Value:
    """What a name is worth after two ways met; an object wins over None, for it is there when it matters."""
    if same(left, right) and left is not None:
        return left
    for one, other in ((left, right), (right, left)):
        if (one is None or (isinstance(one, Const) and one.value is None)) and isinstance(
            other, (Thing, Function, Bound, Class, ModuleValue, Items, Name, Partial)
        ):
            return other
    if isinstance(left, Thing) and isinstance(right, Thing) and are_alike(left, right):
        return left
    return LOST_TRACK if LOST in (tag, *(v.tag for v in (left, right) if isinstance(v, Unknown))) else FROM_OUTSIDE


def are_alike(left: Thing, right: Thing) -> bool:
    """Whether two children run the same command: one that is started again stands for the one before it."""
    commands = [each.store.get("#words") for each in (left, right)]
    words = [each.value for each in commands if isinstance(each, Const) and each.value]
    if left.kind != right.kind or len(words) < 2:
        return False
    return [word.value for word in words[0]] == [word.value for word in words[1]]


def derives(cls: Class, base: Class) -> bool:
    """Whether a class is another or has it among its bases."""
    return any(each is base for each in cls.lineage())
