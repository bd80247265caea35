"""How pieces of a program end, where it waits, and what a run of it found."""

from __future__ import annotations

import ast

from gracelint.base.record import Record
from gracelint.behaviour.python.modules import Module
from gracelint.behaviour.python.values import CERTAIN, Const, Thing, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.python.values import Function, Store
    from gracelint.source import Span, Word

NORMAL, BREAK, CONTINUE, RETURN, RAISE = "normal", "break", "continue", "return", "raise"
STUCK, HARD, DEFAULT, IGNORED, EXEC = "stuck", "hard exit", "default", "ignored", "exec"
KILLED, ABANDON = "killed", "abandon"
FINAL = frozenset((STUCK, HARD, DEFAULT, IGNORED, EXEC, KILLED, ABANDON))
"""Ends that no `except`, `finally` or loop of the program can catch."""


FED = frozenset(
    ("queue.get", "poll", "consume", "blpop", "brpop", "get_message", "start_consuming", "iterate", "loop_forever")
)
"""Kinds of waits for work that others hand out."""
AT_WORK = ("sleep", "event-wait", "subprocess", "child")
"""Kinds of waits in which somebody may stand in the middle of its work."""
LASTING = ("result", "futures", "to_thread", "wait", "gather", "await", "task group", "join", "executor")
"""Kinds of waits in which the signal may find a program, though what they wait for comes by itself."""
_LONG_SLEEP = 60
"""Seconds."""


class Point:
    """A place where a thread waits: one blocking call, or a loop that never ends."""

    __slots__ = (
        "calls",
        "comes_back",
        "excepting",
        "guards",
        "handles",
        "joins",
        "kind",
        "loops",
        "module",
        "node",
        "receiver",
        "seconds",
        "serves",
        "tag",
        "what",
    )

    def __init__(self, node: ast.AST, module: Module, kind: str, seconds: Value | None, what: str) -> None:
        self.node = node
        self.module = module
        self.kind = kind
        self.seconds = seconds
        """None: without a limit."""
        self.what = what
        """The call as a reader would name it: `queue.get()`."""
        self.loops: tuple[Loop, ...] = ()
        self.guards: tuple[Guard, ...] = ()
        self.calls: tuple[Call, ...] = ()
        """The calls of the project's functions that led there, in the same thread or task, the innermost last."""
        self.tag = CERTAIN
        """How sure it is that the program stays here."""
        self.comes_back = False
        """The world outside can end it."""
        self.serves: dict[str, Any] | None = None
        """The server's row."""
        self.receiver: Thing | None = None
        self.excepting = False
        """It comes after something went wrong."""
        self.handles: tuple[str, ...] = ()
        """Signals the server handles itself."""
        self.joins: tuple[Thing, ...] = ()
        """The threads, tasks or children it waits for."""

    @property
    def span(self) -> Span:
        if isinstance(self.node, ast.While):
            return self.module.span(self.node.test)
        if isinstance(self.node, (ast.For, ast.AsyncFor)):
            return self.module.span(self.node.iter)
        return self.module.span(self.node)

    @property
    def limit(self) -> float | None:
        """Seconds until it ends by itself; None where it does not, or where nobody knows."""
        seconds = self.seconds
        if isinstance(seconds, Const) and isinstance(seconds.value, (int, float)):
            return float(seconds.value)
        return None

    @property
    def outlasts_a_stop(self) -> bool:
        """It sleeps longer than most containers are given to stop: whoever stops it finds it there."""
        return self.kind == "sleep" and (self.limit or 0) >= _LONG_SLEEP


class Call(Record):
    """A call of a function of the project that has not come back."""

    function: ast.AST
    node: ast.AST
    module: Module
    """Where the call stands."""


class Guard:
    """A `try` or `with` around a place."""

    __slots__ = ("module", "node")

    def __init__(self, node: ast.AST, module: Module) -> None:
        self.node = node
        self.module = module


class End:
    """One way in which a piece of the program can end."""

    __slots__ = ("cause", "kind", "point", "skipped", "tag", "value")

    def __init__(self, kind: str, tag: int = CERTAIN, value: Value | None = None) -> None:
        self.kind = kind
        self.tag = tag
        self.value = value
        self.point: Point | None = None
        self.cause = ""
        self.skipped: Skipped | None = None
        """What an exception has gone by."""

    def weaker(self, tag: int) -> End:
        if tag <= self.tag:
            return self
        end = End(self.kind, tag, self.value)
        end.point, end.cause, end.skipped = self.point, self.cause, self.skipped
        return end


class Skipped(Record):
    """The first call that an exception leaves out."""

    module: Module
    call: ast.Call


def stuck(point: Point, cause: str, tag: int = CERTAIN) -> Leave:
    end = End(STUCK, tag)
    end.point, end.cause = point, cause
    return Leave([end])


class Leave(Exception):  # noqa: N818 - it is control flow, not an error
    """Raised by an expression that does not come back, with all the ways it may end."""

    def __init__(self, ends: list[End]) -> None:
        super().__init__()
        self.ends = ends


class TooLong(Exception):  # noqa: N818
    """The program is larger than anybody wants to follow."""


class Loop:
    __slots__ = ("exits", "hit", "module", "node", "put_off", "unsure", "waits")

    def __init__(self, node: ast.AST, module: Module) -> None:
        self.node = node
        self.module = module
        self.hit = False
        """The signal arrived inside it."""
        self.waits = False
        self.put_off = False
        """The signal comes into its condition once it has gone round."""
        self.unsure = False
        """Whether its condition holds was not known when it last came round."""
        self.exits = CERTAIN
        """How it may end without a signal: CERTAIN here means that it cannot."""


class Frame:
    __slots__ = ("call", "function", "globals", "module", "nonlocals", "on_yield", "owner", "scopes", "self_")

    def __init__(
        self,
        module: Module,
        scopes: tuple[Store, ...],
        function: Function | None = None,
        call: ast.AST | None = None,
    ) -> None:
        self.module = module
        self.scopes = scopes
        self.function = function
        self.call = call
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.on_yield: Callable[[Value], Value] | None = None


class Registration(Value):
    """What is installed for a signal: a handler, or `SIG_IGN`, `SIG_DFL`."""

    __slots__ = (
        "before",
        "certain",
        "green",
        "handler",
        "loop",
        "main_thread",
        "module",
        "names",
        "node",
        "server",
        "signals",
    )

    def __init__(self, handler: Value, node: ast.AST, module: Module) -> None:
        self.handler = handler
        self.node = node
        self.module = module
        self.signals: list[str] = []
        self.names: list[ast.AST] = []
        self.loop = False
        """Called by the event loop, between callbacks."""
        self.main_thread = True
        self.certain = True
        self.before: Value | None = None
        """What a server found installed."""
        self.green = False
        """It runs beside the main thread, which goes on waiting."""
        self.server: Point | None = None
        """Where the server waits whose own handler it is."""


class Deed:
    """One thing a handler did."""

    __slots__ = ("kind", "module", "node", "passed", "seconds", "target")

    def __init__(
        self,
        kind: str,
        target: str,
        node: ast.AST | None,
        module: Module,
        seconds: float | None,
        passed: float | None,
    ) -> None:
        self.kind = kind
        self.target = target
        self.node = node
        self.module = module
        self.seconds = seconds
        self.passed = passed
        """The time since the signal."""


class Served(Record):
    """A server that the source starts, and its row in the table."""

    node: ast.AST
    module: Module
    keywords: dict[str, Value]
    row: dict[str, Any]


class Facts:
    """What a run without a signal comes across, in order."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        """Where the main thread waits."""
        self.aside: list[Point] = []
        """Where threads, tasks and children wait."""
        self.maybe: list[Point] = []
        """Calls out of the project that may be the program's main loop."""
        self.registrations: list[Registration] = []
        self.installed_at: int | None = None
        """How many waits come before the first handler."""
        self.servers: list[Served] = []
        self.children: list[Thing] = []
        self.handed: list[tuple[Thing, Thing]] = []
        """Pools and executors, each with something that it is given to do."""
        self.connections: list[tuple[str, Thing]] = []
        self.closed: set[int] = set()
        self.beside: list[tuple[Thing, Point]] = []
        """Servers in threads, each with its thread."""
        self.listening: list[tuple[Thing, Point, dict[str, Any]]] = []
        """Servers that go on beside the main thread without one of their own, where they start, and their rows."""
        self.counted = False
        """Since the signal the program has waited until its counter of requests came down."""
        self.working: list[tuple[Thing, Point]] = []
        """Threads, tasks and processes that wait for work which others hand out, or pause, and where."""
        self.unguarded: list[tuple[Thing, list[Point]]] = []
        """Processes that SIGTERM ends at once, and where they wait."""
        self.takers: list[tuple[Thing, Point, Registration]] = []
        """Threads that wait for a signal with `sigwait()`, where, and for which."""
        self.startup: list[Point] = []
        self.replaced_by: tuple[Word, ...] | None = None
        self.forwards_to: tuple[Word, ...] | None = None
        self.drain: tuple[float, ast.AST, Module] | None = None
