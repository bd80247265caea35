"""Pipes that a program writes to itself: a handler, or the interpreter (`set_wakeup_fd`), wakes a loop that reads."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import Point
from gracelint.behaviour.python.library import elsewhere
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import model, receiver_of
from gracelint.behaviour.python.values import FROM_OUTSIDE, NONE, Bound, Const, Error, Function, Thing, Value, items
from gracelint.behaviour.python.waits import block
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model("os.pipe", "os.pipe2")
def _pipe(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    reader, writer = Thing("os.pipe.reader", node, machine.module), Thing("os.pipe.writer", node, machine.module)
    writer.store["#peer"] = reader
    return items("tuple", [reader, writer])


@model("socket.socketpair", "multiprocessing.Pipe")
def _pair(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    kind = "socket.socket" if path_of(function) == "socket.socketpair" else _CONNECTION
    one, other = Thing(kind, node, machine.module), Thing(kind, node, machine.module)
    one.store["#peer"], other.store["#peer"] = other, one
    machine.shared_stores.update((id(one.store), id(other.store)))
    return items("tuple", [one, other])


@model("socket.socket.fileno")
def _fileno(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """The socket stands for its number."""
    return receiver_of(function) or FROM_OUTSIDE


@model("os.write", "socket.socket.send", "socket.socket.sendall")
@model("multiprocessing.connection.Connection.send", "multiprocessing.connection.Connection.send_bytes")
def _write(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    peer = _peer(function, args)
    if peer is None or not args:
        return elsewhere(machine, function, path_of(function), args, keywords, node)
    if machine.arrived:
        machine.act("event", text_of(node), node)
        machine.write(peer.store, "#written", args[-1])
    return FROM_OUTSIDE


@model("socket.socket.shutdown")
def _shut(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Of one direction or both: what is no longer read ends here, what is no longer written at the other end."""
    end, how = receiver_of(function), args[0] if args else FROM_OUTSIDE
    number = how.value if isinstance(how, Const) else _DIRECTIONS.get(path_of(how).rpartition(".")[2])
    if end is not None and machine.arrived and number in (0, 2):
        machine.act("event", text_of(node), node)
        machine.write(end.store, "#written", Const(b""))
    if number == 0:
        return NONE
    return _close(machine, function, args, keywords, node)


_DIRECTIONS = {"SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2}


@model("os.close", "socket.socket.close", "multiprocessing.connection.Connection.close")
def _close(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Whoever waits at the other end reads that there is no more."""
    peer = _peer(function, args)
    if peer is not None and machine.arrived:
        machine.act("event", text_of(node), node)
        machine.write(peer.store, "#written", Const(b"") if peer.kind != _CONNECTION else _NO_MORE)
    return elsewhere(machine, function, path_of(function), args, keywords, node)


_CONNECTION = "multiprocessing.connection.Connection"
_NO_MORE = Error("builtins.EOFError")


def _peer(function: Value, args: Arguments) -> Thing | None:
    """The other end of the pipe that is spoken of."""
    end = receiver_of(function) if isinstance(function, Bound) else args[0] if args else None
    peer = end.store.get("#peer") if isinstance(end, Thing) else None
    return peer if isinstance(peer, Thing) else None


@model("os.read")
def _read(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    end = args[0] if args else None
    if not isinstance(end, Thing) or end.kind != "os.pipe.reader":
        return block(machine, function, table("python")["wait"]["os.read"], args, keywords, node)
    point = Point(node, machine.module, "read", None, text_of(node))
    machine.wait(point, ready=lambda: "#written" in end.store, comes_back=True)
    return end.store.get("#written", FROM_OUTSIDE)


@model("signal.set_wakeup_fd")
def _wakeup(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    peer = args[0].store.get("#peer") if args and isinstance(args[0], Thing) else None
    if isinstance(peer, Thing):
        machine.write(machine.world, "wakeup", peer)
    else:
        machine.doubt("signals are read from a file descriptor")
    return NONE


@model("select.poll.register", "select.epoll.register")
def _register_number(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    poll = receiver_of(function)
    if poll is not None and args and isinstance(args[0], Thing):
        machine.write(poll.store, ("registered", id(args[0])), args[0])
    return NONE


@model("selectors.DefaultSelector.register")
def _register(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    selector, watched = receiver_of(function), _watched(machine, args[0], node) if args else None
    if selector is not None and watched is not None:
        key = Thing("selectors.SelectorKey", node, machine.module)
        key.store["fileobj"] = watched
        if len(args) > 2:
            key.store["data"] = args[2]
        machine.write(selector.store, ("registered", id(watched)), key)
    return FROM_OUTSIDE


def _watched(machine: Machine, given: Value, node: ast.AST) -> Thing | None:
    """What is watched, itself or by the `fileno()` that the program has written for it."""
    own = given.cls.find("fileno") if isinstance(given, Thing) and given.cls is not None else None
    value = machine.call(own, [given], {}, node) if isinstance(own, Function) else given
    return value if isinstance(value, Thing) else None
