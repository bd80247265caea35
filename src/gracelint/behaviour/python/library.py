"""The world outside of the project: what calls into the standard library and known packages do."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import is_cancelled, join_point, throw_out
from gracelint.behaviour.python.ends import RAISE, End, Leave, Point
from gracelint.behaviour.python.leaving import use
from gracelint.behaviour.python.names import STANDARD, canonical, is_exception, path_of, text_of
from gracelint.behaviour.python.queues import feed, put
from gracelint.behaviour.python.registry import AWAITED, DECORATORS, ENTERED, INITS, METHODS, MODELS, fits, may_serve
from gracelint.behaviour.python.serving import serve
from gracelint.behaviour.python.values import (
    CERTAIN,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
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
)
from gracelint.behaviour.python.waits import block, consume, may_block, wait_elsewhere
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


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
    if top not in STANDARD:
        machine.early = False
    last = path.rpartition(".")[2]
    knowledge = table("python")
    words = knowledge["words"]
    if machine.handling and not machine.aside:
        quiet = top in words["harmless"] or (isinstance(function, Bound) and last in words["quiet"])
        machine.act("log" if quiet else "call", text_of(node), node)
        makes = isinstance(function, Name) and last[:1].isupper()
        known = isinstance(function, Bound) and _is_told(function, knowledge["listener"])
        if not quiet and not makes and not known and (isinstance(function, Unknown) or top not in STANDARD):
            machine.doubt(f"what `{text_of(node)}` in the handler does is not in the project")
    if any(isinstance(value, (Function, Partial, Bound)) for value in args) and any(
        word in last.lower() for word in words["handlers"]
    ):
        machine.doubt(f"`{text_of(node)}` may install a handler")
        machine.write(machine.world, ("signal", "SIGTERM"), LOST_TRACK)
    if may_serve(last) and top not in STANDARD and not machine.handling and not machine.aside:
        point = Point(node, machine.module, "call", None, text_of(node))
        point.tag = LOST
        point.guards = tuple(machine.guards)
        machine.facts.maybe.append(point)
    if (
        last in words["may_wait"]
        and top not in STANDARD
        and (not machine.handling or machine.aside)
        and path not in knowledge["consumer"]
        and may_block(path, last, args)
    ):
        wait_elsewhere(machine, node, args, keywords)
    if isinstance(function, Unknown):
        if isinstance(node, ast.Call) and _chooses(node.func):
            machine.blind = machine.blind or text_of(node)
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
    if isinstance(first, (Thing, Const, Items)):
        thing.store["#first"] = first
    if path == "multiprocessing.Queue":
        machine.shared_stores.add(id(thing.store))
    if path in knowledge["listener"] and not machine.arrived:
        thing.store["#host"] = keywords.get("host", args[1] if len(args) > 1 else NONE)
        _listen(machine, function, thing, knowledge["listener"][path], node)
    if path in knowledge["connection"]:
        machine.facts.connections.append((path, thing))
    limit = knowledge["consumer"].get(path, {}).get("seconds")
    if isinstance(limit, str) and limit in keywords:
        thing.store["#seconds"] = keywords[limit]
    if top == "dataclasses" or path in ("typer.Option", "typer.Argument", "uvicorn.Config"):
        thing.store.update(keywords)
        if args:
            thing.store["default"] = args[0]
    return thing


def _chooses(function: ast.expr) -> bool:
    """Whether a call is of one of several functions: `TABLE[key]()`, `getattr(module, name)()`, or by a name."""
    return isinstance(function, (ast.IfExp, ast.Subscript, ast.Call, ast.Name))


def _listen(machine: Machine, function: Value, made: Thing, row: dict[str, Any], node: ast.AST) -> None:
    """A server starts beside what goes on; one that routes nothing has nothing in flight."""
    starter = function.receiver if isinstance(function, Bound) and isinstance(function.receiver, Thing) else None
    served = starter.store.get("#first") if starter is not None else None
    if isinstance(served, Items) and not served.store:
        return
    thing = starter if starter is not None and isinstance(function, Bound) and function.name == "start" else made
    if starter is not None:
        thing.store["#starter"] = starter
    machine.facts.listening.append((thing, Point(node, machine.module, "serve", None, text_of(node)), row))


def _is_told(function: Bound, listeners: dict[str, dict[str, Any]]) -> bool:
    """Whether it is a method by which a server that a call started is told to end."""
    starts = f"{path_of(function.receiver)}."
    rows = (row for path, row in listeners.items() if path.startswith(starts) or starts == f"{path}.")
    return any(function.name in (*row["closes"], *row.get("refuses", ())) for row in rows)


def _is_standard_stream(path: str, args: Arguments) -> bool:
    return path.startswith(("sys.", "logging")) or bool(args and isinstance(args[0], Const) and args[0].value in (1, 2))


def initialise(machine: Machine, thing: Thing, args: Arguments, keywords: Keywords, node: ast.AST) -> None:
    """The `__init__` of the base class outside of the project."""
    model = INITS.get(canonical(thing.kind))
    if model is not None:
        model(machine, thing, args, keywords, node)


def _stop(machine: Machine, function: Bound, node: ast.AST, args: Arguments, keywords: Keywords) -> None:
    """A method that makes a server's blocking call return."""
    receiver = function.receiver
    if isinstance(receiver, Thing):
        use(machine, receiver, function.name)
        machine.close(receiver, function.name)
        machine.write(receiver.store, ("called", function.name), TRUE)
        if machine.arrived and not machine.early:
            machine.write(receiver.store, ("called after", function.name), args[0] if args else TRUE)
            put(machine, receiver, function.name)
        elif not machine.arrived:
            feed(machine, receiver, function.name, node)


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
        if path in ("functools.cache", "functools.lru_cache"):
            return function.copy(wrapper="cached")
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
        return serve(machine, later.function, path, knowledge["server"][path], later.args, later.keywords, later.node)
    if isinstance(later.function, (Name, Bound)) and path and path.split(".")[0] not in STANDARD:
        return elsewhere(machine, later.function, path, later.args, later.keywords, later.node)
    return FROM_OUTSIDE


def _await_task(machine: Machine, task: Thing, node: ast.AST) -> None:
    """Who is cancelled takes along what it awaits."""
    try:
        join_point(machine, "await", node, None, [task])
    except Leave as leave:
        if machine.arrived and any(map(is_cancelled, leave.ends)):
            from gracelint.behaviour.python.models.event_loop import cancel

            cancel(machine, Bound(task, "cancel"), [], {}, node)
        raise


def await_thing(machine: Machine, thing: Thing, node: ast.AST) -> Value:
    if thing.kind == "asyncio.Task":
        _await_task(machine, thing, node)
        throw_out([thing])
        if "#cancelled" in thing.store:
            from gracelint.behaviour.python.cancels import await_cancelled

            await_cancelled(machine, thing, node)
        return FROM_OUTSIDE
    if thing.kind == "asyncio.Future":
        point = Point(node, machine.module, "future", None, text_of(node))
        return machine.wait(
            point,
            ready=lambda: any(("called", name) in thing.store for name in ("set_result", "set_exception", "cancel")),
        )
    if thing.kind == ENTERED:
        return thing.store["#value"]
    if thing.kind == "concurrent.futures.Future":
        join_point(machine, "to_thread", node, None, [thing])
        return FROM_OUTSIDE
    if machine.aside and machine.cancelling and isinstance(node, ast.Await):
        machine.cancelling = False
        raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
    return thing
