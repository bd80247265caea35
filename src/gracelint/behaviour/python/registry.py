"""Which code answers a call that no row of `knowledge/python.toml` can: each of `models` fills these tables."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.between import as_pause
from gracelint.behaviour.python.names import is_none
from gracelint.behaviour.python.values import Bound, Thing, Value
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from gracelint.behaviour.python.machine import Machine

    Arguments = Sequence[Value]
    Keywords = dict[str, Value]
    Model = Callable[[Machine, Value, Arguments, Keywords, ast.AST], Value]

MODELS: dict[str, Model] = {}
"""What a call of a dotted path does; filled by `models`."""
METHODS: dict[str, Model] = {}
"""What a method does, whoever's it is."""
INITS: dict[str, Model] = {}
"""What the `__init__` of a class outside of the project does to an instance."""
AWAITED: dict[str, Model] = {}
"""What awaiting a call does."""
PROPERTIES: dict[str, Callable[[Machine, Bound], Value]] = {}
"""What an attribute holds of which only its name is known."""
DECORATORS: dict[str, Callable[[Machine, Value, Value, ast.expr], Value]] = {}
"""What a decorator, or what its call gave, makes of a function."""
ENTERS: dict[str, Callable[[Machine, Thing, ast.expr], None]] = {}
"""What the begin of a `with` does."""
EXITS: dict[str, Callable[[Machine, Thing, ast.expr], None]] = {}
"""What the end of a `with` does."""

EVENTS = ("threading.Event", "asyncio.Event", "multiprocessing.Event", "gevent.event.Event")
EXECUTORS = ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor")
POOLS = ("multiprocessing.Pool", "multiprocessing.dummy.Pool")
RESULTS = tuple(f"{pool}.AsyncResult" for pool in POOLS)
CHILD = "os.Child"
"""A process that `os.fork()` made."""
ENTERED = "contextlib.entered"
"""What `enter_async_context` returns where the context gives something that could be awaited itself."""
SPAWNED: dict[str, dict[str, Any]] = table("python")["spawn"]
PROCESSES = tuple(path for path, row in SPAWNED.items() if "process" in row)
HANDLE, HANDLES = "asyncio.TimerHandle", ("asyncio.loop.call_later", "asyncio.loop.call_at")
"""What an event loop gives for a call that it has put off, and what puts calls off."""
TIMERS = tuple(path for path, row in SPAWNED.items() if "interval" in row)
GREENLET = "gevent.Greenlet"
THREADS = (*(path for path in SPAWNED if path not in (*PROCESSES, *TIMERS)), GREENLET)


def fits(name: str, owner: str) -> bool:
    """Whether a method's name says enough about an object of which nothing else is known."""
    is_collection = owner in ("builtins.list", "builtins.dict", "builtins.set", "builtins.tuple")
    return is_collection or name not in table("python")["words"]["collections"]


def model(*paths: str, into: dict[str, Model] = MODELS) -> Callable[[Model], Model]:
    def register(function: Model) -> Model:
        for path in paths:
            into[path] = function
        return function

    return register


def argument(args: Arguments, keywords: Keywords, position: int, name: str) -> Value | None:
    return args[position] if len(args) > position else keywords.get(name)


def limit(args: Arguments, keywords: Keywords, position: int) -> Value | None:
    """The argument `timeout`; None where there is none, or None is given."""
    given = argument(args, keywords, position, "timeout")
    return None if given is None or is_none(given) else at_most(given)


def at_most(seconds: Value) -> Value:
    """What is left until a deadline, by the most that it can be; of a number between bounds, what it is worth."""
    if isinstance(seconds, Thing) and seconds.kind == "time.left":
        return seconds.store["#most"]
    return as_pause(seconds)


def may_serve(name: str) -> bool:
    """Whether a function of which only its name is known may be the program's main loop."""
    return any(
        name == word or (word[-1] == "_" and name.startswith(word)) for word in table("python")["words"]["may_serve"]
    )


def receiver_of(function: Value) -> Thing | None:
    return function.receiver if isinstance(function, Bound) and isinstance(function.receiver, Thing) else None
