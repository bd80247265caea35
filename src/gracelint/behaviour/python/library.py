"""The world outside of the project: what calls into the standard library and known packages do."""

from __future__ import annotations

import ast
import builtins
import sys
from functools import cache

from gracelint.behaviour.python.ends import (
    ABANDON,
    DEFAULT,
    FINAL,
    HARD,
    IGNORED,
    NORMAL,
    RAISE,
    STUCK,
    End,
    Leave,
    Point,
    Registration,
)
from gracelint.behaviour.python.values import (
    CERTAIN,
    FALSE,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
    OUTSIDE,
    TRUE,
    Bound,
    Class,
    Const,
    Error,
    Function,
    Items,
    Later,
    Name,
    Partial,
    Thing,
    Unknown,
    Value,
    items,
)
from gracelint.knowledge import table
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from gracelint.behaviour.python.machine import Machine

    Arguments = Sequence[Value]
    Keywords = dict[str, Value]
    Model = Callable[[Machine, Value, Arguments, Keywords, ast.AST], Value]

SIGNALS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 9: "SIGKILL", 10: "SIGUSR1", 12: "SIGUSR2", 13: "SIGPIPE",
           14: "SIGALRM", 15: "SIGTERM", 17: "SIGCHLD", 28: "SIGWINCH"}  # fmt: skip
_LINUX = {"os.name": "posix", "sys.platform": "linux"}
"""What containers run on."""
NUMBERS = {name: number for number, name in SIGNALS.items()}

MODELS: dict[str, Model] = {}
"""What a call of a dotted path does; filled by `models`."""
METHODS: dict[str, Model] = {}
"""What a method does, whoever's it is."""
INITS: dict[str, Model] = {}
"""What the `__init__` of a class outside of the project does to an instance."""
AWAITED: dict[str, Model] = {}
"""What awaiting a call does."""
DECORATORS: dict[str, Callable[[Machine, Value, Value, ast.expr], Value]] = {}
"""What a decorator, or what its call gave, makes of a function."""
EXITS: dict[str, Callable[[Machine, Thing, ast.expr], None]] = {}
"""What the end of a `with` does."""
STANDARD = sys.stdlib_module_names

EVENTS = ("threading.Event", "asyncio.Event", "multiprocessing.Event", "gevent.event.Event")
EXECUTORS = ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor")
POOLS = ("multiprocessing.Pool", "multiprocessing.dummy.Pool")
PROCESSES = ("multiprocessing.Process",)
THREADS = ("threading.Thread",)
_STREAMS = ("consum", "subscri", "listen", "stream", "watch", "receiv", "reader", "poll", "event", "message", "follow")
"""Parts of the names of what is iterated over for ever."""
_BATCHES = ("receive_", "get_", "fetch_", "poll", "list_", "read_")
"""Beginnings of the names of calls that give some at a time."""


# -- names ---------------------------------------------------------------------------------------------------------


@cache
def canonical(dotted: str) -> str:
    """One name for things that are the same, whichever module they are taken from."""
    same: dict[str, str] = table("python")["same"]
    head = dotted
    while head:
        if head in same:
            return canonical(same[head] + dotted[len(head) :])
        head = head.rpartition(".")[0]
    return dotted


NAMESPACES = frozenset(table("python")["namespace"])
"""Attributes in which a program keeps its own things."""


def path_of(value: Value) -> str:
    """The dotted path of a callable or object; "" where it is not known."""
    if isinstance(value, Name):
        return canonical(value.dotted)
    if isinstance(value, Thing):
        return canonical(value.kind)
    if isinstance(value, Bound):
        owner = path_of(value.receiver)
        return canonical(f"{owner}.{value.name}") if owner else f"?.{value.name}"
    if isinstance(value, Const):
        return f"builtins.{type(value.value).__name__}"
    if isinstance(value, Items):
        return f"builtins.{value.kind}"
    if isinstance(value, Class):
        return canonical(value.kind)
    if isinstance(value, Later):
        return ""
    return ""


def external_attribute(machine: Machine, owner: Name, name: str) -> Value:
    if machine.modules.is_ours(owner.dotted) and machine.modules.find(f"{owner.dotted}.{name}") is not None:
        return machine.import_module(f"{owner.dotted}.{name}", machine.module.tree)
    dotted = canonical(f"{owner.dotted}.{name}")
    if dotted == "sys.executable":
        return Const("python")
    if dotted == "sys.argv":
        return items("list", [Const(machine.module.path), *map(Const, machine.argv)])
    if dotted in _LINUX:
        return Const(_LINUX[dotted])
    head, _, last = dotted.rpartition(".")
    if last in ("value", "name") and head.removeprefix("signal.") in NUMBERS:
        signal = head.removeprefix("signal.")
        return Const(signal if last == "name" else NUMBERS[signal])
    return Name(dotted)


def signal_of(value: Value) -> str | None:
    """SIGTERM for signal.SIGTERM, 15, Signals.SIGTERM and the like."""
    if isinstance(value, Name):
        last = canonical(value.dotted).rpartition(".")[2]
        return last if value.dotted.startswith("signal.") and last.startswith("SIG") and last[3:4] != "_" else None
    if isinstance(value, Const) and isinstance(value.value, int) and not isinstance(value.value, bool):
        return SIGNALS.get(value.value)
    return None


def comparable(value: Value) -> Value:
    """Signals compare equal to their numbers."""
    name = signal_of(value) if isinstance(value, Name) else None
    return Const(NUMBERS[name]) if name in NUMBERS else value


def length_of(value: Value) -> int | None:
    """What `len()` gives, and how often a loop goes round; None where that is not known."""
    if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
        return len(value.value)
    if isinstance(value, Items):
        grows = value.open or any(isinstance(key, tuple) and key[0] == "+" for key in value.store)
        return None if grows else len(value.store)
    count = value.store.get("#count") if isinstance(value, Thing) else None
    return int(count.value) if isinstance(count, Const) else None


def truth_of(name: Name) -> bool | Unknown:
    if name.dotted in ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"):
        return False
    signal = signal_of(name)
    return True if signal or name.dotted.startswith("builtins.") else FROM_OUTSIDE


def is_exception(kind: str) -> bool:
    found = getattr(builtins, kind.removeprefix("builtins."), None) if kind.startswith("builtins.") else None
    return isinstance(found, type) and issubclass(found, BaseException)


def is_kind_of(kind: str, base: str) -> bool:
    """Whether an exception outside of the project is a kind of another."""
    if base == "builtins.BaseException":
        return True
    top = getattr(builtins, base.removeprefix("builtins."), None) if base.startswith("builtins.") else None
    if kind == "builtins.CancelledError":
        return False
    if kind.startswith("builtins."):
        own = getattr(builtins, kind.removeprefix("builtins."), None)
        return isinstance(own, type) and isinstance(top, type) and issubclass(own, top)
    return base == "builtins.Exception"


def class_attributes(cls: Class, node: ast.ClassDef) -> None:
    """Enumerations and dataclasses need no more than their attributes."""


def dataclass_fields(cls: Class, thing: Thing, args: Arguments, keywords: Keywords) -> None:
    """What the written `__init__` of a dataclass would do."""
    names = [
        part.target.id
        for part in cls.node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    ]
    for name, value in (
        *zip(names, args, strict=False),
        *((key, value) for key, value in keywords.items() if key in names),
    ):
        thing.store[name] = value
    for name in names:
        default = cls.store.get(name)
        if name not in thing.store and isinstance(default, Thing) and default.kind == "dataclasses.field":
            factory = default.store.get("default_factory")
            made = path_of(factory) if factory is not None else ""
            if made:
                thing.store[name] = Thing(made, default.node, default.module)
            elif "default" in default.store:
                thing.store[name] = default.store["default"]


def parameter_default(value: Value | None) -> Value:
    if value is None:
        return FROM_OUTSIDE
    if isinstance(value, Thing) and value.kind in ("typer.Option", "typer.Argument"):
        default = value.store.get("default", FROM_OUTSIDE)
        return default if not (isinstance(default, Const) and default.value is Ellipsis) else FROM_OUTSIDE
    return value


# -- calls ---------------------------------------------------------------------------------------------------------


def call(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """What a call that leaves the project gives, and what it does."""
    path = path_of(function)
    model = MODELS.get(path)
    if model is None and isinstance(function, Bound):
        model = METHODS.get(function.name)
        owner = path_of(function.receiver)
        if model is not None and not fits(function.name, owner):
            model = None
    if model is not None:
        return model(machine, function, args, keywords, node)
    knowledge = table("python")
    if path in knowledge["server"]:
        from gracelint.behaviour.python.serving import serve

        return serve(machine, function, path, knowledge["server"][path], args, keywords, node)
    if path in knowledge["consumer"] and not knowledge["consumer"][path].get("iterates"):
        return consume(machine, function, knowledge["consumer"][path], args, keywords, node)
    if path in knowledge["wait"]:
        row = knowledge["wait"][path]
        if row.get("later"):
            return Later(function, args, keywords, node)
        return block(machine, function, row, args, keywords, node)
    return elsewhere(machine, function, path, args, keywords, node)


def elsewhere(
    machine: Machine, function: Value, path: str, args: Arguments, keywords: Keywords, node: ast.AST
) -> Value:
    """A call that nothing is known of."""
    if isinstance(function, Bound):
        _stop(machine, function, node, args, keywords)
    top = path.split(".")[0]
    last = path.rpartition(".")[2]
    if machine.handling and not machine.aside:
        quiet = top in table("python")["words"]["harmless"] or (
            isinstance(function, Bound)
            and last in ("info", "warning", "debug", "error", "exception", "critical", "flush", "write")
        )
        machine.act("log" if quiet else "call", text_of(node), node)
        if not quiet and (isinstance(function, Unknown) or top not in STANDARD):
            machine.doubt(f"what `{text_of(node)}` in the handler does is not in the project")
    if any(isinstance(value, (Function, Partial, Bound)) for value in args) and any(
        word in last.lower() for word in ("signal", "shutdown", "sigterm", "graceful", "terminat")
    ):
        machine.doubt(f"`{text_of(node)}` may install a handler")
        machine.write(machine.world, ("signal", "SIGTERM"), LOST_TRACK)
    if (
        last in table("python")["words"]["may_serve"]
        and top not in STANDARD
        and not machine.handling
        and not machine.aside
    ):
        point = Point(node, machine.module, "call", None, text_of(node))
        point.tag = LOST
        point.guards = tuple(machine.guards)
        machine.facts.maybe.append(point)
    if (
        last in table("python")["words"]["may_wait"]
        and top not in STANDARD
        and (not machine.handling or machine.aside)
        and path not in table("python")["consumer"]
        and _may_block(path, last, args)
    ):
        _wait_elsewhere(machine, node, args, keywords)
    if isinstance(function, Unknown):
        return function
    if (
        machine.handling
        and not machine.aside
        and last in ("write", "send", "sendall", "sendto")
        and not _is_standard_stream(path, args)
    ):
        machine.doubt(f"`{text_of(node)}` in the handler may wake the loop")
    if top in machine.heavy and not machine.handling:
        machine.startup("import", node)
    knowledge = table("python")
    if path in knowledge["heavy"]["calls"]:
        machine.startup("call", node)
    if not path or path.startswith("?"):
        receiver: Value = function
        while isinstance(receiver, Bound):
            receiver = receiver.receiver
        return receiver if isinstance(receiver, Unknown) else FROM_OUTSIDE
    if is_exception(path):
        return Error(path)
    thing = Thing(path, node, machine.module)
    first = args[0] if args else keywords.get("app", keywords.get("config"))
    if isinstance(first, (Thing, Const)):
        thing.store["#first"] = first
    if path in knowledge["connection"]:
        machine.facts.connections.append((path, thing))
    if top == "dataclasses" or path in ("typer.Option", "typer.Argument"):
        thing.store.update(keywords)
        if args:
            thing.store["default"] = args[0]
    return thing


def _is_standard_stream(path: str, args: Arguments) -> bool:
    return path.startswith(("sys.", "logging")) or bool(args and isinstance(args[0], Const) and args[0].value in (1, 2))


def _may_block(path: str, last: str, args: Arguments) -> bool:
    """Whether a method that nothing more is known of may wait for the world: `get()` may, `get(key)` does not."""
    if last in ("get", "pop", "next", "take", "event", "join"):
        return not args and not path.startswith(("os.environ", "builtins."))
    return not path.startswith(("builtins.", "os.path", "json", "pathlib", "yaml"))


def _wait_elsewhere(machine: Machine, node: ast.AST, args: Arguments, keywords: Keywords) -> None:
    """A call out of the project that may wait: for how long, if at all, is not known."""
    given = next((keywords[name] for name in table("python")["words"]["timeouts"] if name in keywords), None)
    seconds: Value | None = FROM_OUTSIDE if given is not None else None
    if isinstance(given, Const) and isinstance(given.value, (int, float)) and given.value > 0:
        milliseconds = any(name in keywords for name in ("timeout_ms", "timeout_millis", "block"))
        seconds = Const(given.value / 1000 if milliseconds else given.value)
    elif given is None and len(args) == 1 and isinstance(args[0], Const) and isinstance(args[0].value, float):
        seconds = args[0]
    point = Point(node, machine.module, "elsewhere", seconds, text_of(node))
    machine.wait(point, ready=lambda: LOST_TRACK, comes_back=True)


def initialise(machine: Machine, thing: Thing, args: Arguments, keywords: Keywords, node: ast.AST) -> None:
    """The `__init__` of the base class outside of the project."""
    model = INITS.get(canonical(thing.kind))
    if model is not None:
        model(machine, thing, args, keywords, node)


def _stop(machine: Machine, function: Bound, node: ast.AST, args: Arguments, keywords: Keywords) -> None:
    """A method that makes a server's blocking call return."""
    receiver = function.receiver
    if isinstance(receiver, Thing):
        machine.close(receiver, function.name)
        machine.write(receiver.store, ("called", function.name), TRUE)
        if machine.arrived:
            machine.write(receiver.store, ("called after", function.name), args[0] if args else TRUE)


# -- waiting -------------------------------------------------------------------------------------------------------


def block(
    machine: Machine, function: Value, row: dict[str, Any], args: Arguments, keywords: Keywords, node: ast.AST
) -> Value:
    """A blocking call of the table."""
    receiver = function.receiver if isinstance(function, Bound) else None
    seconds = seconds_of(machine, row, args, keywords, receiver)
    if row["kind"] == "queue.get" and (is_false(keywords.get("block")) or (args and is_false(args[0]))):
        return FROM_OUTSIDE
    point = Point(node, machine.module, row["kind"], seconds, text_of(node))
    comes_back = bool(row.get("returns"))
    lasts: bool | None = True
    if row.get("child"):
        machine.facts.children.append(child_of(machine, "subprocess", node, args))
        shell = is_true(keywords.get("shell")) or row["kind"] == "os.system"
        lasts = child_lasts(machine, point, words_of(machine, args[0], node, shell) if args else None)
        comes_back = lasts is not True
        point.tag = LOST if lasts is None and not machine.arrived else CERTAIN
    if isinstance(receiver, Thing) and row.get("by_socket") and ("called after", "close") in receiver.store:
        raise Leave([End(RAISE, CERTAIN, Error("builtins.OSError"))])
    value: Value = FROM_OUTSIDE
    if row["kind"] == "accept":
        value = items("tuple", [Thing("socket.socket", node, machine.module), FROM_OUTSIDE])
    ready = None
    if isinstance(receiver, Thing) and row["kind"] in (
        "queue.get",
        "recv",
        "accept",
        "condition.wait",
        "queue.join",
        "select",
        "poll",
    ):

        def ready() -> bool | Unknown:
            if _written(args, receiver):
                return True
            if row["kind"] == "queue.join" and ("called", "task_done") in receiver.store:
                # Somebody takes from the queue, and says so.
                return True
            return _woken(receiver)

    elif row["kind"] == "select":

        def ready() -> bool | Unknown:
            return bool(_written(args, None))

    elif lasts is None:

        def ready() -> bool | Unknown:
            return machine.arrived and LOST_TRACK

    value = machine.wait(
        point, ready=ready, raises=row.get("raises"), comes_back=comes_back, deaf=bool(row.get("deaf")), value=value
    )
    if isinstance(receiver, Thing) and row.get("by_socket") and ("called after", "close") in receiver.store:
        # The call is taken up again after the handler, and finds its socket closed.
        raise Leave([End(RAISE, CERTAIN, Error("builtins.OSError"))])
    if machine.arrived and (written := _written(args, receiver)):
        return _read_ready(row, receiver, written)
    return _timed_out(row, function, receiver, value) if machine.arrived else value


def _written(args: Arguments, receiver: Value | None) -> list[Thing]:
    """The ends of pipes that something has been written to: among what is selected, or what is read."""
    if not isinstance(receiver, Thing):
        listed = args[0].values() if args and isinstance(args[0], Items) else []
    else:
        listed = [receiver, *(v for k, v in receiver.store.items() if isinstance(k, tuple) and k[0] == "registered")]
    ends = [thing for thing in listed if isinstance(thing, Thing)]
    return [end for end in ends if "#written" in _end_of(end).store]


def _end_of(thing: Thing) -> Thing:
    end = thing.store.get("fileobj")
    return end if isinstance(end, Thing) else thing


def _read_ready(row: dict[str, Any], receiver: Value | None, written: list[Thing]) -> Value:
    if row["kind"] not in ("select", "poll"):
        return written[0].store["#written"]
    if receiver is None:
        return items("tuple", [items("list", written), items("list", []), items("list", [])])
    return items("list", [items("tuple", [key, FROM_OUTSIDE]) for key in written])


def child_lasts(machine: Machine, point: Point, words: tuple[Word, ...] | None) -> bool | None:
    """Whether a child that is waited for runs until it is stopped; sets the time that one takes that does not."""
    lasts = machine.children.runs_on(words)
    seconds = machine.children.seconds(words)
    if point.seconds is None and seconds is not None:
        point.seconds = Const(seconds)
    elif point.seconds is None and lasts is False:
        point.seconds = Const(0)
    if lasts is None and not machine.arrived:
        machine.facts.maybe.append(point)
    return lasts


def _timed_out(row: dict[str, Any], function: Value, receiver: Value | None, value: Value) -> Value:
    """What a call gives when nothing comes any more, or only what was put there after the signal."""
    if isinstance(receiver, Thing) and row["kind"] == "queue.get":
        return receiver.store.get(("called after", "put"), receiver.store.get(("called after", "put_nowait"), value))
    if row.get("none"):
        return NONE
    if row.get("empty"):
        three = row["kind"] == "select" and isinstance(function, Name)
        return items("tuple", [items("list", []) for _ in range(3)]) if three else items("list", [])
    return value


def _woken(receiver: Thing) -> bool | Unknown:
    """Something was put into a queue, or a socket was closed, after the signal."""
    for method in ("put", "put_nowait", "notify", "notify_all", "set", "close", "shutdown", "send"):
        if ("called after", method) in receiver.store:
            return True if method != "shutdown" else LOST_TRACK
    return False


def seconds_of(
    machine: Machine, row: dict[str, Any], args: Arguments, keywords: Keywords, receiver: Value | None
) -> Value | None:
    if row.get("by_socket"):
        found: Value | None = receiver.store.get("timeout") if isinstance(receiver, Thing) else None
        found = found or machine.world.get("socket timeout")
        return None if found is None or is_none(found) else found
    position = row.get("seconds")
    given: Value | None = args[position] if isinstance(position, int) and len(args) > position else None
    if given is None and "keyword" in row:
        given = keywords.get(row["keyword"])
    if given is None or is_none(given):
        return Const(0) if row.get("instant") else None
    if isinstance(given, Const) and isinstance(given.value, (int, float)):
        if given.value < 0 or (given.value == 0 and row.get("zero")):
            return None
        return Const(given.value * row.get("unit", 1))
    return given


def consume(
    machine: Machine, function: Value, row: dict[str, Any], args: Arguments, keywords: Keywords, node: ast.AST
) -> Value:
    """A consumer's own loop."""
    receiver = function.receiver if isinstance(function, Bound) and isinstance(function.receiver, Thing) else None
    seconds = seconds_of(machine, row, args, keywords, receiver) if "keyword" in row else None
    point = Point(node, machine.module, row["kind"], seconds, text_of(node))
    stops = tuple(row.get("stops", ()))

    def ready() -> bool | Unknown:
        return receiver is not None and any(("called", stop) in receiver.store for stop in stops)

    return machine.wait(point, ready=ready, value=NONE)


def _is_made(path: str) -> bool:
    """Whether an object comes out of a constructor, by the look of its name, and not out of a call such as `get()`."""
    return path.rpartition(".")[2][:1].isupper()


def endless_iterable(machine: Machine, iterable: Value, node: ast.For | ast.AsyncFor) -> Point | None:
    """The wait that iterating over something is, where it has no end of its own."""
    path = path_of(iterable)
    if path.endswith(".open_signal_receiver") and isinstance(iterable, Thing):
        return Point(node.iter, machine.module, "signals", None, f"for … in {text_of(node.iter)}")
    row = table("python")["consumer"].get(path)
    point = Point(node.iter, machine.module, "iterate", None, f"for … in {text_of(node.iter)}")
    point.comes_back = True
    if row is not None:
        return point
    if path in ("itertools.count", "itertools.repeat", "itertools.cycle"):
        point.seconds = Const(0)
        return point
    if path == "builtins.iter":
        return point
    top = path.split(".")[0]
    last = path.rpartition(".")[2].lower()
    streams = any(word in last for word in _STREAMS) and not last.startswith(_BATCHES)
    if isinstance(iterable, Thing) and iterable.cls is None and top not in STANDARD and streams:
        point.tag = OUTSIDE
        return point
    if isinstance(node, ast.AsyncFor):
        point.tag = OUTSIDE
        return point
    return None


# -- the signal ----------------------------------------------------------------------------------------------------


def deliver(machine: Machine, point: Point) -> None:
    """The signal arrives while the main thread waits at `point`."""
    machine.arrived = True
    machine.arrival = point
    machine.arrived_at = len(machine.trail)
    for loop in machine.loops:
        loop.hit = True
    installed = machine.world.get(("signal", machine.signal))
    server = installed.server if isinstance(installed, Registration) else None
    if _is_blocked(machine) and machine.signal not in point.handles:
        machine.held = True
        if any(machine.signal in other.handles for other in machine.facts.aside):
            machine.doubt(f"{machine.signal} is blocked, and what the thread that waits for it does is not followed")
        return
    if machine.signal in point.handles and _takes_it(machine, point, server):
        machine.served = True
        if point.receiver is not None:
            for stop in ("stop", "shutdown"):
                machine.write(point.receiver.store, ("called", stop), TRUE)
        machine.write(machine.world, "served", TRUE)
        return
    take(machine, point)


def take(machine: Machine, point: Point) -> None:
    """What is installed for the signal is done with it, where the main thread is."""
    installed = machine.world.get(("signal", machine.signal))
    server = installed.server if isinstance(installed, Registration) else None
    if server is not None:
        while isinstance(installed, Registration) and installed.server is not None:
            # A server that gives the signal on, once it has ended, to the handler it found: another server's.
            machine.write(machine.world, ("over", id(installed.server.node)), TRUE)
            installed = installed.before if (installed.server.serves or {}).get("reraises") else None
        if isinstance(installed, Registration) and path_of(installed.handler) not in (
            "signal.SIG_DFL",
            "signal.SIG_IGN",
        ):
            machine.handler = installed
            run_handler(machine, installed, point)
        return
    if isinstance(installed, Unknown):
        raise Leave([End(DEFAULT, installed.tag or LOST)])
    registration = installed if isinstance(installed, Registration) else None
    kind = path_of(registration.handler) if registration is not None else ""
    if registration is not None and (kind == "signal.SIG_IGN" or is_number(registration.handler, 1)):
        machine.handler = registration
        raise Leave([End(IGNORED)])
    if registration is None or kind == "signal.SIG_DFL" or is_number(registration.handler, 0):
        if machine.signal == "SIGINT" and registration is None:
            throw(machine, [End(RAISE, CERTAIN, Error("builtins.KeyboardInterrupt"))], point)
        raise Leave([End(DEFAULT)])
    machine.handler = registration
    wakeup = machine.world.get("wakeup")
    if isinstance(wakeup, Thing):
        machine.write(wakeup.store, "#written", Const(bytes([NUMBERS.get(machine.signal, 15)])))
    if registration.loop and not registration.green and not machine.awaiting:
        machine.pending = registration
        return
    run_handler(machine, registration, point)


def _is_blocked(machine: Machine) -> bool:
    return is_true(machine.world.get(("masked", machine.signal)))


def _takes_it(machine: Machine, point: Point, server: Point | None) -> bool:
    """Whether the call itself takes the signal: a server by its own handler or otherwise, sigwait() what is blocked."""
    if point.serves is None:
        return _is_blocked(machine)
    return server is point or bool(point.serves.get("told") or point.serves.get("reload_cuts"))


def run_handler(machine: Machine, registration: Registration, point: Point) -> None:
    outer, machine.side = machine.side, []
    machine.handling += 1
    ends = [End(NORMAL)]
    number = Const(NUMBERS.get(machine.signal, 15))
    try:
        arguments: list[Value] = [] if registration.loop else [number, FROM_OUTSIDE]
        machine.frames.append(machine.frame_in(registration.module))
        if not _takes(registration.handler, len(arguments)):
            machine.misfit = True
            raise Leave([End(RAISE, CERTAIN, Error("builtins.TypeError"))])
        value = machine.call(registration.handler, arguments, {}, registration.node)
        if isinstance(value, Later) and isinstance(value.function, Function):
            machine.unawaited = True
    except Leave as leave:
        ends = leave.ends
    finally:
        machine.handling -= 1
        machine.frames.pop()
    ends = machine.merge(ends + machine.side)
    machine.side = outer
    if registration.loop:
        ends = [end for end in ends if not _is_logged(end)] or [End(NORMAL)]
    leaving = [end for end in ends if end.kind != NORMAL]
    if len(leaving) == len(ends):
        throw(machine, leaving, point)
    machine.side += [end.weaker(OUTSIDE) for end in leaving]
    machine.unheard = not registration.loop and machine.awaiting and not _wakes(machine)
    if machine.cancel is not None and machine.runners:
        error, machine.cancel = machine.cancel, None
        raise Leave([End(RAISE, CERTAIN, error)])
    runner = machine.runners[-1] if machine.runners else None
    if runner is not None and "#stopped" in runner.store and runner.kind != "run_forever":
        machine.runners_stopped = True
        throw(machine, [End(RAISE, CERTAIN, Error("builtins.RuntimeError"))], point)


def _wakes(machine: Machine) -> bool:
    """Whether an event loop that waits takes notice of what a handler of `signal.signal` did.

    It does if the handler says so, if any handler is the loop's own (set_wakeup_fd), or when a timer comes due.
    """
    return (
        ("called", "call_soon_threadsafe") in machine.world
        or any(registration.loop for registration in machine.facts.registrations)
        or any(point.seconds is not None for point in machine.facts.aside)
    )


def _takes(handler: Value, count: int) -> bool:
    """Whether a function of the project can be called with so many arguments."""
    if not isinstance(handler, Function):
        return True
    arguments = handler.node.args
    taken = [*arguments.posonlyargs, *arguments.args][1 if handler.receiver is not None else 0 :]
    needed = len(taken) - len(arguments.defaults)
    return needed <= count and (count <= len(taken) or arguments.vararg is not None)


def _is_logged(end: End) -> bool:
    """An ordinary exception in a callback of the event loop is logged and forgotten."""
    if end.kind != RAISE or not isinstance(end.value, Error):
        return False
    return is_kind_of(_kind_of(end.value), "builtins.Exception")


def _kind_of(error: Error) -> str:
    return canonical(error.cls.kind if error.cls is not None else error.dotted)


def throw(machine: Machine, ends: list[End], point: Point) -> None:
    """An exception comes out of the handler where the main thread waits.

    In an event loop it comes out of the loop itself: asyncio.run() then cancels the main task, and run_until_complete()
    leaves the coroutines where they are.
    """
    raised = next((end for end in ends if end.kind == RAISE), None)
    if raised is not None:
        machine.thrown = raised.value if isinstance(raised.value, Error) else None
        if point.serves is not None and machine.thrown is not None:
            if _kind_of(machine.thrown) in point.serves.get("catches", ()):
                machine.write(machine.world, ("over", id(point.node)), TRUE)
                return
            if point.serves.get("drops") or point.serves.get("handlers") == "first":
                machine.dropped = point  # a worker of gunicorn runs the request in the thread that gets the signal
    if raised is None or not machine.runners:
        raise Leave(ends)
    runner = machine.runners[-1]
    assert raised.value is not None
    machine.write(runner.store, "#exit", raised.value)
    if runner.kind == "asyncio.run":
        raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
    raise Leave([End(ABANDON, CERTAIN)])


# -- threads, tasks and children -----------------------------------------------------------------------------------


def start(
    machine: Machine, thing: Thing, target: Value | None, args: Arguments, keywords: Keywords, node: ast.AST
) -> None:
    """Walks what a thread, task or child process does beside the main thread."""
    thing.store["#target"] = target or FROM_OUTSIDE
    thing.store["#args"] = items("tuple", list(args))
    thing.store["#kwargs"] = Items("dict", dict(keywords.items()))
    machine.write(machine.world, ("child", id(thing)), thing)
    if thing not in machine.facts.children and not machine.arrived:
        machine.facts.children.append(thing)
    if target is None:
        return
    if machine.arrived and not machine.aside and thing.kind in (*THREADS, "asyncio.Task"):
        _start_after(machine, thing, node)
        return
    if machine.aside > 3:
        return
    machine.aside += 1
    off_main, machine.off_main = machine.off_main, machine.off_main or thing.kind not in ("asyncio.Task",)
    loops, machine.loops = machine.loops, []
    guards, machine.guards = machine.guards, []
    try:
        if thing.kind in THREADS:
            machine.sides.append(thing)
            machine.beside(lambda: _body(machine, thing, node))
            machine.sides.pop()
        elif thing.kind == "asyncio.Task":
            machine.beside(lambda: _body(machine, thing, node))
        else:
            mark = len(machine.trail)
            _body(machine, thing, node)
            machine.undo(mark)
    finally:
        machine.aside -= 1
        machine.off_main = off_main
        machine.loops, machine.guards = loops, guards


def _start_after(machine: Machine, thing: Thing, node: ast.AST) -> None:
    """A thread or task that starts after the signal, mostly to shut something down."""
    in_thread, machine.in_thread = machine.in_thread, machine.in_thread or thing.kind in THREADS
    loops, machine.loops = machine.loops, []
    ends = _body(machine, thing, node)
    machine.in_thread, machine.loops = in_thread, loops
    machine.write(thing.store, "#finished", TRUE if any(end.kind in (NORMAL, RAISE) for end in ends) else FALSE)
    out = [end for end in ends if end.kind == HARD]
    if thing.kind == "asyncio.Task":
        out += [end for end in ends if end.kind == RAISE and not _is_logged(end) and not _is_cancelled(end)]
    if out and len(out) == len(ends):
        raise Leave(out)


def _is_cancelled(end: End) -> bool:
    return isinstance(end.value, Error) and end.value.dotted == "builtins.CancelledError"


def _body(machine: Machine, thing: Thing, node: ast.AST) -> list[End]:
    target = thing.store["#target"]
    args, keywords = thing.store["#args"], thing.store["#kwargs"]
    assert isinstance(args, Items) and isinstance(keywords, Items)
    outer, machine.side = machine.side, []
    machine.came_back = CERTAIN
    machine.bodies.append(thing)
    try:
        if isinstance(target, Later):
            machine.awaited(target, node)
        else:
            given = {key: value for key, value in keywords.store.items() if isinstance(key, str)}
            value = machine.call(target, args.values(), given, node)
            if isinstance(value, Later):
                machine.awaited(value, node)
        ends = [End(NORMAL, machine.came_back)]
    except Leave as leave:
        ends = leave.ends
    finally:
        machine.bodies.pop()
    ends = machine.merge(ends + machine.side)
    machine.side = outer
    return ends


def let_tasks_run(machine: Machine, seconds: Value | None) -> None:
    """After the signal the tasks beside the main task go on: one that comes to its end has done what it does."""
    if machine.running_tasks:
        return
    machine.running_tasks = True
    try:
        tasks = [thing for key, thing in machine.world.items() if isinstance(key, tuple) and key[0] == "child"]
        _let_run(machine, [t for t in tasks if isinstance(t, Thing) and t.kind == "asyncio.Task"], seconds)
    finally:
        machine.running_tasks = False


def _let_run(machine: Machine, tasks: Sequence[Thing], seconds: Value | None = None) -> None:
    for task in tasks:
        if not _still_runs(task):
            continue
        mark, node = len(machine.trail), task.node or machine.entry.tree
        if within(machine, seconds, lambda task=task, node=node: finishes(machine, task, node, keeps=True)) is True:  # type: ignore[misc]
            machine.write(task.store, "#finished", TRUE)
        else:
            machine.undo(mark)


def _still_runs(task: Thing) -> bool:
    return "#finished" not in task.store and "#cancelled" not in task.store and "#target" in task.store


def finishes(
    machine: Machine, thing: Thing, node: ast.AST, *, cancelled: bool = False, keeps: bool = False
) -> bool | Unknown:
    """Whether a thread, task or child comes to its end, as things are now; `keeps` what it does until then."""
    if "#finished" in thing.store or "#terminated" in thing.store:
        return is_true(thing.store.get("#finished", TRUE))
    target = thing.store.get("#target")
    if target is None or isinstance(target, Unknown):
        return LOST_TRACK
    if thing in machine.checking:
        return True
    if isinstance(target, (Name, Bound)) and not _is_known(target):
        return LOST_TRACK
    mark = len(machine.trail)
    shared: Any = None
    machine.checking.append(thing)
    machine.aside += 1
    machine.resuming = True
    machine.cancelling = cancelled
    loops, machine.loops = machine.loops, []
    delay, machine.delay = machine.delay, 0.0
    private = thing.kind in (*PROCESSES, "concurrent.futures.ProcessPoolExecutor")
    try:
        if private and machine.arrived:
            shared = _as_child_sees(machine)
        inside = len(machine.trail)
        ends = _body(machine, thing, node)
        changes = machine.undo(inside if private else mark)
        if keeps and ends and all(end.kind in (NORMAL, RAISE) and end.tag == CERTAIN for end in ends):
            machine.redo(changes)
        if shared is not None:
            _restore(machine, shared)
    finally:
        machine.aside -= 1
        machine.resuming = False
        machine.cancelling = False
        machine.checking.pop()
        machine.loops = loops
        own, machine.delay = machine.delay, delay
    if not machine.arrived and all(end.tag == OUTSIDE for end in ends):
        return FROM_OUTSIDE
    if any(end.kind in (NORMAL, RAISE, HARD) and end.tag < LOST for end in ends):
        raised = next((end.value for end in ends if end.kind == RAISE and not _is_cancelled(end)), None)
        if raised is not None and thing.kind == "asyncio.Task" and machine.arrived:
            machine.write(thing.store, "#failed", raised)
        if machine.arrived:
            machine.delay = None if own is None or delay is None else max(own, delay)
        return True
    if any(end.tag == LOST for end in ends):
        return LOST_TRACK
    end = next((end for end in ends if end.point is not None), None)
    machine.blocked_by = end.point if end is not None else None
    return False


def _as_child_sees(machine: Machine) -> Any:
    """A child process has its own memory: it sees only what is shared between processes."""
    changes = machine.undo(machine.arrived_at)
    shared = {key: change for key, change in changes.items() if id(change[0]) in machine.shared_stores}
    machine.redo(shared)
    return changes


def _restore(machine: Machine, changes: Any) -> None:
    machine.undo(machine.arrived_at)
    machine.redo(changes)


def _is_known(target: Name | Bound) -> bool:
    path = path_of(target)
    knowledge = table("python")
    return (
        path in MODELS
        or path.startswith("builtins.")
        or any(path in knowledge[part] for part in ("wait", "server", "consumer"))
        or (isinstance(target, Bound) and target.name in METHODS and fits(target.name, path_of(target.receiver)))
    )


def join_point(
    machine: Machine,
    kind: str,
    node: ast.AST,
    seconds: Value | None,
    things: Sequence[Thing],
    group: Thing | None = None,
) -> Value:
    """Waits until threads, tasks or children are done."""
    point = Point(node, machine.module, kind, seconds, text_of(node))
    point.joins = tuple(things)
    if seconds is None and not things:
        return FROM_OUTSIDE

    def ready() -> bool | Unknown:
        return within(machine, seconds, done)

    def done() -> bool | Unknown:
        if group is not None and machine.arrived:
            _let_run(machine, things)
        cancelled = group is not None and "#cancelled" in group.store
        answers = [finishes(machine, thing, node, cancelled=cancelled) for thing in things]
        if kind == "task group" and any("#failed" in thing.store for thing in things):
            return True
        if any(answer is False for answer in answers):
            return False
        return next((answer for answer in answers if isinstance(answer, Unknown)), True)

    try:
        return machine.wait(point, ready=ready)
    finally:
        for thing in things:
            machine.close(thing, "join")


def within(machine: Machine, seconds: Value | None, done: Callable[[], bool | Unknown]) -> bool | Unknown:
    """Whether something is done before a timeout: what takes longer is not, and only the timeout's time passes."""
    before = machine.delay
    answer = done()
    limit = seconds.value if isinstance(seconds, Const) and isinstance(seconds.value, (int, float)) else None
    if limit is None or answer is not True or before is None:
        return answer
    if machine.delay is None or machine.delay - before > limit:
        machine.delay = before
        return False
    return answer


def finish(machine: Machine, ends: list[End]) -> list[End]:
    """What Python does when the main thread is through: joins threads and executors, then atexit, then children."""
    alive = [end for end in ends if end.kind not in FINAL]
    if not alive:
        return ends
    lingering = [
        thing
        for key, thing in machine.world.items()
        if isinstance(key, tuple) and key[0] == "child" and _lingers(thing)
    ]
    out: list[End] = [end for end in ends if end.kind in FINAL]
    for thing in lingering:
        assert isinstance(thing, Thing) and thing.node is not None
        try:
            machine.frames.append(machine.frame_in(thing.module or machine.entry))
            _join_at_exit(machine, thing)
        except Leave as leave:
            stopped = [end for end in leave.ends if end.kind in FINAL]
            if stopped:
                return out + stopped
        finally:
            machine.frames.pop()
    if machine.arrived:
        stopped = _run_exit_hooks(machine)
        if stopped:
            return out + stopped
    return ends


def _run_exit_hooks(machine: Machine) -> list[End]:
    """Calls what `atexit` holds; the ways in which that does not come to an end."""
    hooks = machine.world.get("atexit")
    if not isinstance(hooks, Items) or not hooks.store:
        return []
    machine.cleaned = True
    machine.frames.append(machine.frame_in(machine.entry))
    try:
        for hook in reversed(hooks.values()):
            if isinstance(hook, Partial):
                machine.call(hook.function, hook.args, hook.keywords, machine.entry.tree)
    except Leave as leave:
        return [end for end in leave.ends if end.kind in FINAL]
    finally:
        machine.frames.pop()
    return []


def _lingers(thing: Value) -> bool:
    return (
        isinstance(thing, Thing)
        and (thing.kind in (*THREADS, *PROCESSES, *EXECUTORS, "threading.Timer") or "#default" in thing.store)
        and not is_true(_daemon_of(thing))
        and "#finished" not in thing.store
        and "#terminated" not in thing.store
    )


def _daemon_of(thing: Thing) -> Value | None:
    own = thing.store.get("daemon")
    return own if own is not None or thing.cls is None else thing.cls.find("daemon")


def _join_at_exit(machine: Machine, thing: Thing) -> None:
    kind = "exit"
    node = thing.node
    assert node is not None
    point = Point(node, thing.module or machine.module, kind, None, text_of(node))
    point.joins = (thing,)

    def ready() -> bool | Unknown:
        if thing.kind == "threading.Timer":
            return _timer_ends(machine, thing, point)
        if thing.kind in EXECUTORS:
            tasks = [task for task in thing.store.values() if isinstance(task, Thing)]
            answers = [finishes(machine, task, node) for task in tasks]
        else:
            answers = [finishes(machine, thing, node)]
        if any(answer is False for answer in answers):
            return False
        return next((answer for answer in answers if isinstance(answer, Unknown)), True)

    try:
        machine.wait(point, ready=ready)
    except Leave as leave:
        for end in leave.ends:
            if end.kind == STUCK and machine.arrived:
                end.cause = "exit blocked"
        raise


def _timer_ends(machine: Machine, thing: Thing, point: Point) -> bool | Unknown:
    """Whether a timer that sets itself again and again comes to an end; the wait for its next turn counts."""
    machine.timers_set = False
    answer = finishes(machine, thing, point.node)
    if machine.arrived:
        pause = Point(point.node, point.module, "sleep", thing.store.get("#interval"), point.what)
        machine.spend(pause)
    return False if machine.timers_set else answer


def leave_context(machine: Machine, context: Value, ends: list[End], node: ast.AST, expression: ast.expr) -> list[End]:
    """What a context manager does when its body is left."""
    alive = [end for end in ends if end.kind not in FINAL]
    if not alive or not isinstance(context, Thing):
        return ends
    kind = canonical(context.kind)
    raised = [end for end in alive if end.kind == RAISE]
    if kind == "contextlib.suppress":
        types = context.store.get("#types")
        known = types.values() if isinstance(types, Items) else []
        caught = [end for end in raised if _is_caught(machine, known, end)]
        return machine.merge([end for end in ends if end not in caught] + [End(NORMAL, end.tag) for end in caught])
    if machine.arrived and not machine.handling and not machine.aside:
        own = context.cls is not None and (context.cls.find("__exit__") or context.cls.find("__aexit__"))
        machine.cleaned = machine.cleaned or (own is not None and own is not False)
    arrived = machine.arrived
    machine.close(context, "with")
    try:
        if context.cls is not None:
            for name in ("__exit__", "__aexit__"):
                method = context.cls.find(name)
                if isinstance(method, Function):
                    value = machine.awaited(
                        machine.call(method.bind(context), [FROM_OUTSIDE, FROM_OUTSIDE, FROM_OUTSIDE], {}, node), node
                    )
                    if raised and isinstance(value, Const) and value.value is True:
                        return machine.merge([end for end in ends if end not in raised] + [End(NORMAL)])
        exits = EXITS.get(kind)
        if exits is not None:
            exits(machine, context, expression)
    except Leave as leave:
        if machine.arrived and not arrived:
            return leave.ends
        return machine.merge([end for end in ends if end.kind in FINAL] + leave.ends)
    return ends


def _is_caught(machine: Machine, types: list[Value], end: End) -> bool:
    error = end.value
    return isinstance(error, Error) and any(machine.catches(each, error) for each in types)


def decorate(machine: Machine, decorator: ast.expr, function: Value) -> Value:
    """A function under a decorator. One that is not in the project leaves it as it is."""
    value = machine.eval(decorator)
    path = path_of(value)
    if path in DECORATORS:
        return DECORATORS[path](machine, value, function, decorator)
    if isinstance(function, Function):
        last = path.rpartition(".")[2]
        if path in ("builtins.staticmethod", "builtins.classmethod", "builtins.property", "functools.cached_property"):
            return function.copy(wrapper="property" if "property" in last else last)
        if path in ("contextlib.contextmanager", "contextlib.asynccontextmanager"):
            return function.copy(wrapper="contextmanager")
    if path == "atexit.register":
        machine.call(value, [function], {}, decorator)
        return function
    if isinstance(value, (Function, Partial, Class)):
        made = machine.call(value, [function], {}, decorator)
        return function if isinstance(made, Unknown) else made
    return function


def await_external(machine: Machine, later: Later) -> Value:
    """`await` of a call that leaves the project."""
    path = path_of(later.function)
    knowledge = table("python")
    awaited = AWAITED.get(path)
    if awaited is not None:
        return awaited(machine, later.function, later.args, later.keywords, later.node)
    if path in knowledge["wait"]:
        return block(machine, later.function, knowledge["wait"][path], later.args, later.keywords, later.node)
    if path in knowledge["server"]:
        from gracelint.behaviour.python.serving import serve

        return serve(machine, later.function, path, knowledge["server"][path], later.args, later.keywords, later.node)
    if isinstance(later.function, (Name, Bound)) and path and path.split(".")[0] not in STANDARD:
        return elsewhere(machine, later.function, path, later.args, later.keywords, later.node)
    return FROM_OUTSIDE


def await_thing(machine: Machine, thing: Thing, node: ast.AST) -> Value:
    if thing.kind == "asyncio.Task":
        join_point(machine, "await", node, None, [thing])
        if "#cancelled" in thing.store and not is_true(thing.store.get("#swallowed")):
            raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
        return FROM_OUTSIDE
    if thing.kind == "asyncio.Future":
        point = Point(node, machine.module, "future", None, text_of(node))
        return machine.wait(
            point,
            ready=lambda: any(("called", name) in thing.store for name in ("set_result", "set_exception", "cancel")),
        )
    if thing.kind == "concurrent.futures.Future":
        join_point(machine, "await", node, None, [thing])
        return FROM_OUTSIDE
    if machine.aside and machine.cancelling and isinstance(node, ast.Await):
        machine.cancelling = False
        raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
    return thing


def subscript(machine: Machine, owner: Value, key: Value) -> Value:
    path = path_of(owner)
    if path == "os.environ":
        return environment(machine, key, FROM_OUTSIDE)
    if path in ("signal.Signals", "signal.Signals.__members__") and isinstance(key, Const):
        return Name(f"signal.{key.value}")
    if isinstance(owner, Items):
        name = key.value if isinstance(key, Const) else ("key", key.dotted) if isinstance(key, Name) else "…"
        if isinstance(name, (str, int, float, bool, bytes, type(None), tuple)) and name in owner.store:
            return owner.store[name]
        machine.pay_for(len(owner.store))
        values = owner.values()
        if isinstance(name, int) and name < 0 and -name <= len(values) and not owner.open:
            return values[name]
        if isinstance(key, Thing) and key.kind == "slice" and not owner.open:
            return _sliced(owner, key)
        return FROM_OUTSIDE
    if isinstance(owner, Unknown):
        return owner
    if isinstance(owner, Thing) and isinstance(key, Const):
        return owner.store.get(key.value, FROM_OUTSIDE)
    return FROM_OUTSIDE


def _sliced(owner: Items, key: Thing) -> Value:
    low, high = (key.store[name] for name in ("lower", "upper"))
    if all(isinstance(part, Const) and isinstance(part.value, (int, type(None))) for part in (low, high)):
        return items(owner.kind, owner.values()[low.value : high.value])  # type: ignore[attr-defined]
    return FROM_OUTSIDE


def environment(machine: Machine, key: Value, default: Value) -> Value:
    """An environment variable, where the files set it."""
    if not isinstance(key, Const) or not isinstance(key.value, str):
        return FROM_OUTSIDE
    if ("env", key.value) in machine.world:
        return machine.world["env", key.value]
    if key.value not in machine.env:
        return default
    value = machine.env[key.value]
    return FROM_OUTSIDE if value is None else Const(value)


def fits(name: str, owner: str) -> bool:
    """Whether a method's name says enough about an object of which nothing else is known."""
    if name in (
        "append",
        "extend",
        "insert",
        "pop",
        "remove",
        "clear",
        "items",
        "values",
        "keys",
        "get",
        "copy",
        "update",
        "add",
        "setdefault",
    ):
        return owner in ("builtins.list", "builtins.dict", "builtins.set", "builtins.tuple")
    return True


# -- helpers -------------------------------------------------------------------------------------------------------


def text_of(node: ast.AST) -> str:
    """A call as a reader would name it: `queue.get()`."""
    if isinstance(node, ast.Await):
        node = node.value
    try:
        if isinstance(node, ast.Call):
            inside = ", ".join(ast.unparse(argument) for argument in (*node.args, *node.keywords))
            return f"{ast.unparse(node.func)}({inside if len(inside) <= 20 else '…'})"
        if isinstance(node, ast.expr):
            text = ast.unparse(node)
            return text if len(text) <= 40 else f"{text[:39]}…"
    except (RecursionError, ValueError):
        pass
    return "the loop"


def child_of(machine: Machine, kind: str, node: ast.AST, args: Arguments) -> Thing:
    thing = Thing(kind, node, machine.module)
    if args:
        thing.store["#argv"] = args[0]
    return thing


def is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def is_true(value: Value | None) -> bool:
    return isinstance(value, Const) and bool(value.value)


def is_false(value: Value | None) -> bool:
    return isinstance(value, Const) and not value.value and value.value is not None


def is_number(value: Value, number: int) -> bool:
    return isinstance(value, Const) and value.value == number and value.value is not False


def words_of(machine: Machine, argv: Value, node: ast.AST, shell: bool = False) -> tuple[Word, ...] | None:
    """A command line in the source, where all its words are known."""
    span = machine.module.span(node)
    if isinstance(argv, Const) and isinstance(argv.value, str):
        if shell:
            return (Word("/bin/sh", span), Word("-c", span), Word(argv.value, span))
        import shlex

        try:
            return tuple(Word(word, span) for word in shlex.split(argv.value))
        except ValueError:
            return None
    known = machine.elements(argv)
    if known is None:
        return None
    texts = [value.value if isinstance(value, Const) and isinstance(value.value, str) else None for value in known]
    if any(text is None for text in texts) or not texts:
        return None
    return tuple(Word(text, span) for text in texts if text is not None)
