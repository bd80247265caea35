"""Clients of message brokers that say with a callback that they are closed."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.names import path_of
from gracelint.behaviour.python.registry import AWAITED, model, receiver_of
from gracelint.behaviour.python.values import FALSE, NONE, TRUE, Bound, Later, Thing, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model("nats.connect")
def _connect(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    client = Thing(path_of(function), node, machine.module)
    _open(client, keywords)
    return client


@model("nats.aio.client.Client.connect")
def _connect_later(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    client = receiver_of(function)
    if client is not None:
        _open(client, keywords)
    return NONE


def _open(client: Thing, keywords: Keywords) -> None:
    client.store["is_closed"] = client.store["is_draining"] = FALSE
    client.store["is_connected"] = TRUE
    client.store["#closed"] = keywords.get("closed_cb", NONE)


_ENDS = [f"{client}.{method}" for client in ("nats.connect", "nats.aio.client.Client") for method in ("drain", "close")]


@model(*_ENDS)
def _later(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Later(function, args, keywords, node)


@model(*_ENDS, into=AWAITED)
def _close(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """Both end the connection, and then call `closed_cb`; `drain()` lets the handlers of messages end before."""
    client = receiver_of(function)
    if client is None or not isinstance(function, Bound):
        return NONE
    machine.close(client, function.name)
    machine.write(client.store, "is_closed", TRUE)
    closed = client.store.get("#closed", NONE)
    if closed is not NONE:
        machine.awaited(machine.call(closed, [], {}, node), node)
    return NONE
