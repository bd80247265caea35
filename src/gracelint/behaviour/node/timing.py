"""How long a Node program takes to end once the signal has come: at least, whatever is in flight.

A timer that was not unref'd keeps node running until it fires, and so does `server.close()` while a client keeps a
connection open.
"""

from __future__ import annotations

from gracelint.behaviour.node.syntax import string_of, text_of, walk
from gracelint.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Event
    from gracelint.behaviour.node.syntax import File
    from gracelint.behaviour.node.values import After, Thing

FOR_EVER = float("inf")


class Held(Record):
    """A server whose `close` waits for connections that their clients keep."""

    server: Thing
    seconds: float
    """The keep-alive timeout that the program sets; infinity where nothing ends the connection."""
    by: Thing | None = None
    """The program's own client that keeps one."""


def least(after: tuple[After, ...], held: Mapping[int, Held]) -> float:
    """The seconds that surely pass before something that comes after all this."""
    total = 0.0
    for part in after:
        if part.kind == "timer":
            total += part.seconds or 0.0
        elif part.kind == "race":
            total += min((least(other, held) for other in part.parts), default=0.0)
        elif part.kind in ("drained", "closed") and id(part.thing) in held:
            total += held[id(part.thing)].seconds
    return total


def end_of(machine: Machine, events: tuple[Event, ...], left: tuple[Thing, ...], held: Mapping[int, Held]) -> float:
    """The least seconds from the signal to the end of the process; infinity where nothing ends it."""
    exits = [least(event.after, held) for event in events if event.kind == "exit"]
    return min([*exits, FOR_EVER if left else _nothing_left(machine, events, held)])


def _nothing_left(machine: Machine, events: tuple[Event, ...], held: Mapping[int, Held]) -> float:
    """When the last thing is let go of."""
    let_go: dict[int, float] = {}
    for event in events:
        if event.thing is None or not event.certain or event.kind not in _LETS_GO:
            continue
        at = least(event.after, held) + (event.seconds or 0.0 if event.kind == "force" else 0.0)
        if event.kind == "close" and id(event.thing) in held:
            at += held[id(event.thing)].seconds
        let_go[id(event.thing)] = min(let_go.get(id(event.thing), FOR_EVER), at)
    times = [0.0]
    for thing in machine.things:
        if thing.alive and id(thing) in let_go:
            times.append(let_go[id(thing)])
        elif id(thing) in machine.resolved:
            times.append(least(machine.resolved[id(thing)], held))
    for timer in machine.pending:
        fires = least(timer.after, held) + (timer.data or 0.0)
        times.append(min(fires, let_go.get(id(timer), FOR_EVER)))
    return max(times)


_LETS_GO = ("close", "release", "stop-child", "ask", "disconnect", "close-now", "force")


# Connections that clients keep


def held_by_clients(machine: Machine, events: tuple[Event, ...]) -> dict[int, Held]:
    """By the `id` of a server: what keeps it from closing, where the program does nothing about it.

    A keep-alive timeout counts where the program sets one: it was chosen for clients that keep their connections.
    """
    servers = [thing for thing in machine.things if thing.kind == "server" and thing.alive is not False]
    let_go = {id(event.thing) for event in events}
    closing = any(event.kind in ("close-idle", "opaque") for event in events)
    own = [thing for thing in machine.things if thing.name == "ws" and thing.kind == "connection"]
    own = [client for client in own if id(client) not in let_go]
    found: dict[int, Held] = {}
    for server in servers:
        if is_swept(server, events):
            continue
        seconds = keep_alive(server)
        if own and not closing and any(_upgrades(thing, server) for thing in machine.things):
            found[id(server)] = Held(server, FOR_EVER, own[0])
        elif "raw" in server.row and not _ends_sockets(machine):
            found[id(server)] = Held(server, FOR_EVER)
        elif seconds is not None and not answers_close(machine):
            found[id(server)] = Held(server, seconds)
    return found


def keep_alive(server: Thing) -> float | None:
    """The keep-alive timeout that the program sets on a server, in seconds."""
    given = server.settings.get("keepAliveTimeout")
    if "keep_alive" not in server.row or isinstance(given, bool) or not isinstance(given, (int, float)):
        return None
    return given / 1000 or FOR_EVER


def default_keep_alive(server: Thing) -> float | None:
    """What it is where the program sets none."""
    found: float | None = server.row.get("keep_alive")
    return found


def _upgrades(thing: Thing, server: Thing) -> bool:
    """Whether a WebSocket server takes connections of a server over."""
    if thing.name != "ws" or thing.kind not in ("upgrade", "server"):
        return False
    return thing is server or thing.data is server or (thing.kind == "upgrade" and thing.data is None)


def _ends_sockets(machine: Machine) -> bool:
    """Whether anything in the program ends the connections of a raw server."""
    calls = (
        node.child_by_field_name("function")
        for file in machine.parsed.values()
        for node in (walk(file.root) if file is not None else ())
        if node.type == "call_expression"
    )
    names = (node.child_by_field_name("property") for node in calls if node is not None)
    return any(name is not None and text_of(name) in (*_ENDS_SOCKETS, "setTimeout") for name in names)


def is_swept(server: Thing, events: tuple[Event, ...]) -> bool:
    """Whether idle connections are closed again and again, or all of them at some time."""
    if server.settings.get("forceCloseConnections") is True:
        return True
    for event in events:
        if event.kind in ("close-now", "force") and (event.thing is server or event.thing is None):
            return True
        if event.kind == "close-idle" and any(part.kind == "timer" for part in event.after):
            return True
        if event.kind == "opaque" and event.target.rpartition(".")[2] in _ENDS_SOCKETS:
            return True
    return False


_ENDS_SOCKETS = ("destroy", "end", "terminate", "destroySoon", "resetAndDestroy")


def answers_close(machine: Machine) -> bool:
    """Whether an answer says `Connection: close`, so that its connection ends with it."""
    return any(_says_close(file) for file in machine.parsed.values() if file is not None)


def _says_close(file: File) -> bool:
    text = file.source.text.lower()
    if "connection" not in text and "shouldkeepalive" not in text:
        return False
    return any(_is_close_header(node) for node in walk(file.root))


def _is_close_header(node: Node) -> bool:
    if node.type == "assignment_expression":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        name = left.child_by_field_name("property") if left is not None else None
        is_false = right is not None and text_of(right) == "false"
        return name is not None and text_of(name) == "shouldKeepAlive" and is_false
    parts = node.named_children if node.type == "arguments" else [node.child_by_field_name(name) for name in _PAIR]
    if node.type not in ("arguments", "pair"):
        return False
    words = [(string_of(part) or text_of(part)).lower() for part in parts if part is not None]
    return words[:1] == ["connection"] and words[1:2] == ["close"]


_PAIR = ("key", "value")
