"""Connections that clients keep open, so that they hold `server.close()`.

WebSockets, raw sockets, HTTP/2 sessions and event streams stay until one side ends them; a keep-alive connection stays
for its timeout.
"""

from __future__ import annotations

from gracelint.base.memory import fleeting
from gracelint.base.record import Record
from gracelint.behaviour.node.syntax import string_of
from gracelint.behaviour.node.timing import FOR_EVER
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Event
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.syntax import File
    from gracelint.behaviour.node.values import Thing
    from gracelint.source import Span


class Held(Record):
    """A server whose `close` waits for connections that their clients keep."""

    server: Thing
    seconds: float
    """The keep-alive timeout that the program sets; infinity where nothing ends the connection."""
    clients: str = "clients"
    """What is kept open, where that is for ever."""
    by: Span | None = None
    """Where they come from, where that is not the server itself."""
    sure: bool = True
    """Whether nothing that cannot be followed may end them."""
    kept: str = "connections that clients keep"
    """What is kept open, where that is for a time."""
    ends: str = "closes"


def held_by_clients(stopped: Stopped) -> dict[int, Held]:
    """By the `id` of a server: what keeps it from closing, where the program does nothing about it.

    A keep-alive timeout counts where the program sets one: it was chosen for clients that keep their connections.
    """
    machine, events = stopped.machine, stopped.events
    found: dict[int, Held] = {}
    for server in machine.things:
        if server.kind != "server" or server.alive is False:
            continue
        before = tuple(event for event in events if not comes_late(event, server))
        if swept(before)(server):
            continue
        seconds = keep_alive(server)
        late = frozenset(event.span for event in events if event not in before)
        for_ever = _for_ever(machine, server, before, late) or _put_away(stopped, server)
        if for_ever is not None:
            found[id(server)] = for_ever
        elif seconds is not None and not answers_close(machine):
            found[id(server)] = Held(server, seconds)
    return found


def comes_late(event: Event, server: Thing) -> bool:
    """Whether it is done only once the last client of a server has gone."""
    return any(part.kind == "drained" and part.thing is server for part in event.after)


def _for_ever(machine: Machine, server: Thing, events: tuple[Event, ...], late: frozenset[Span]) -> Held | None:
    """The clients of a server that stay until one side ends their connections, where nothing here does in time."""
    if "raw" in server.row:
        return None if _ends_sockets(machine) - late else Held(server, FOR_EVER)
    if "sessions" in server.row:
        return None if _lets_clients_go(events) else Held(server, FOR_EVER, "HTTP/2 sessions")
    sockets = next((thing for thing in machine.things if _upgrades(thing, server, events)), None)
    if sockets is not None and not _lets_clients_go(events):
        own = next((thing for thing in machine.things if thing.name == "ws" and thing.kind == "connection"), None)
        if own is None and not _waits_for_sockets(server, sockets, events):
            return Held(server, FOR_EVER, "WebSocket clients")
        if own is not None and all(event.thing is not own for event in events):
            return Held(server, FOR_EVER, "WebSocket clients", own.span)
    stream = event_stream(machine) if "upgrades" in server.row or "keep_alive" in server.row else None
    return Held(server, FOR_EVER, "event streams", stream) if stream is not None else None


def _put_away(stopped: Stopped, server: Thing) -> Held | None:
    """The requests of a server that are kept unanswered."""
    if not {"upgrades", "keep_alive"} & server.row.keys():
        return None
    from gracelint.behaviour.node.waiting import kept_requests

    kept = kept_requests(stopped.machine, stopped.ran)
    if kept is None or kept.seconds < _LONG:
        return None
    clients = f"requests in `{kept.name}`"
    return Held(server, kept.seconds, clients, kept.span, kept.sure, f"the {clients}, which are kept", "answers")


_LONG = 5.0
"""Seconds after which a request that is answered by its timer is worth a word."""


def _lets_clients_go(events: tuple[Event, ...]) -> bool:
    """Whether the clients of a server are closed one by one."""
    return any(
        event.kind == "close-idle" or (event.kind == "opaque" and _may_end_clients(event.target.rpartition(".")[2]))
        for event in events
    )


def _may_end_clients(name: str) -> bool:
    return name in ("close", *_ENDS_SOCKETS) or names_clients(name)


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


def _upgrades(thing: Thing, server: Thing, events: tuple[Event, ...]) -> bool:
    """Whether a WebSocket server takes connections of a server over, and leaves them open when it is closed."""
    if thing.name != "ws" and (thing.kind != "upgrade" or any(event.thing is thing for event in events)):
        return False
    return thing is server or (thing.kind == "upgrade" and (thing.data is None or thing.data is server))


def _waits_for_sockets(server: Thing, sockets: Thing, events: tuple[Event, ...]) -> bool:
    """Whether the server is closed once its WebSocket server is: its clients are then taken to have left."""
    return any(
        event.kind == "close" and event.thing is server and any(part.thing is sockets for part in event.after)
        for event in events
    )


@fleeting(1)
def _ends_sockets(machine: Machine) -> frozenset[Span]:
    """Where the program ends the connections of a raw server, and not only those that are broken already."""
    return frozenset(
        file.span(node)
        for file in machine.parsed.values()
        if file is not None
        for node in walk(file.root)
        if node.type == "call_expression"
        and _method_of(node) in (*_ENDS_SOCKETS, "setTimeout")
        and not _is_broken(node)
    )


def _method_of(call: Node) -> str:
    called = call.child_by_field_name("function")
    name = called.child_by_field_name("property") if called is not None else None
    return text_of(name) if name is not None else ""


def _is_broken(call: Node) -> bool:
    """Whether it stands in a listener for the error or the end of a connection."""
    here = call.parent
    while here is not None:
        given = here.child_by_field_name("arguments") if here.type == "call_expression" else None
        if given is not None and _method_of(here) in ("on", "once") and given.named_children:
            return string_of(given.named_children[0]) in ("error", "close")
        here = here.parent
    return False


def swept(events: tuple[Event, ...]) -> Callable[[Thing], bool]:
    """Whether idle connections of a server are closed again and again, or all of them at some time."""
    all_of_them = False
    servers: set[int] = set()
    for event in events:
        if event.kind in ("close-now", "force") and event.thing is not None:
            servers.add(id(event.thing))
        elif event.kind == "close-idle":
            all_of_them = all_of_them or any(part.kind == "timer" for part in event.after)
        elif event.kind in ("close-now", "force"):
            all_of_them = True
        elif event.kind == "opaque":
            all_of_them = all_of_them or event.target.rpartition(".")[2] in _ENDS_SOCKETS
    return lambda server: all_of_them or id(server) in servers or server.settings.get("forceCloseConnections") is True


def names_clients(name: str) -> bool:
    """Whether a call is named for ending connections, and says so: `closeConnections`, `disconnectSockets`."""
    return name.startswith(_ENDING) and any(whom in name for whom in _WHOM)


_ENDS_SOCKETS = ("destroy", "end", "terminate", "destroySoon", "resetAndDestroy")
_ENDING = ("close", "destroy", "disconnect", "drop", "end", "kick", "terminate")
_WHOM = ("Client", "Connection", "Peer", "Session", "Socket")


# Event streams


@fleeting(1)
def event_stream(machine: Machine) -> Span | None:
    """Where a function begins to answer with `text/event-stream` and never ends the answer."""
    for file in machine.parsed.values():
        if file is None or "text/event-stream" not in file.source.text:
            continue
        for node in walk(file.root):
            if node.type != "string" or string_of(node) != "text/event-stream" or not _is_content_type(node):
                continue
            function = _outermost_function(node)
            if function is not None and not _ends_its_answer(function, node):
                return file.span(node)
    return None


def _is_content_type(node: Node) -> bool:
    """The value of a header that is set: `{'Content-Type': …}`, `res.setHeader('Content-Type', …)`, `reply.type(…)`."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "pair":
        key = parent.child_by_field_name("key")
        return key is not None and (string_of(key) or text_of(key)).lower() == "content-type"
    if parent.type != "arguments" or parent.parent is None:
        return False
    function = parent.parent.child_by_field_name("function")
    name = function.child_by_field_name("property") if function is not None else None
    first = string_of(parent.named_children[0]) or ""
    return first.lower() == "content-type" or (name is not None and text_of(name) in ("type", "contentType"))


def _outermost_function(node: Node) -> Node | None:
    found, here = None, node.parent
    while here is not None:
        if here.type in _FUNCTIONS:
            found = here
        here = here.parent
    return found


def _ends_its_answer(function: Node, start: Node) -> bool:
    """Whether anything in it may end the answer: `res.end()`, a pipe, a loop over what is sent."""
    others = [(part.start_byte, part.end_byte) for part in other_ways(function, start)]
    for node in walk(function):
        if any(begin <= node.start_byte < end for begin, end in others):
            continue
        if node.type == "for_in_statement":
            return True
        called = node.child_by_field_name("function") if node.type == "call_expression" else None
        name = called.child_by_field_name("property") if called is not None else None
        owner = called.child_by_field_name("object") if called is not None else None
        if name is None or owner is None:
            continue
        # `res.status(404).end()` answers another request
        if text_of(name) in _ENDS_ANSWERS and owner.type != "call_expression":
            return True
    return False


def other_ways(function: Node, start: Node) -> Iterator[Node]:
    """What another request than that of a node is answered with: `if (req.url !== '/events') return res.end()`."""
    here = start
    while here != function and here.parent is not None:
        above = here.parent
        if above.type == "if_statement":
            ways = (above.child_by_field_name("consequence"), above.child_by_field_name("alternative"))
            yield from (way for way in ways if way is not None and way != here)
        elif above.type == "switch_body":
            yield from (case for case in above.named_children if case != here)
        if above.type == "statement_block":
            place = above.named_children.index(here)
            yield from (part for part in above.named_children[:place] if _always_leaves(_consequence(part)))
            if _always_leaves(here if here.type != "if_statement" else _consequence(here)):
                yield from above.named_children[place + 1 :]
        here = above


def _consequence(node: Node) -> Node | None:
    """What an `if` without an `else` does."""
    alone = node.type == "if_statement" and node.child_by_field_name("alternative") is None
    return node.child_by_field_name("consequence") if alone else None


def _always_leaves(node: Node | None) -> bool:
    """Whether a statement ends with `return` or `throw`."""
    while node is not None and node.type == "statement_block" and node.named_children:
        node = node.named_children[-1]
    return node is not None and node.type in ("return_statement", "throw_statement")


_ENDS_ANSWERS = ("end", "destroy", "pipe", "pipeTo", "close")
_FUNCTIONS = ("function_declaration", "function_expression", "arrow_function", "method_definition")


# Keep-alive


@fleeting(1)
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


# Connections that are destroyed


def destroys_all(machine: Machine, span: Span) -> bool:
    """Whether a loop destroys, whatever is on it, every connection of a collection that connections are put into."""
    file = machine.parsed.get(span.source.path)
    if file is None:
        return False
    here = file.node_at(span)
    while here is not None and here.type in _BETWEEN:
        here = here.parent
    if here is None or here.type not in ("for_in_statement", "arguments"):
        return False
    over = here.child_by_field_name("right") if here.type == "for_in_statement" else None
    if here.type == "arguments" and here.parent is not None:
        called = here.parent.child_by_field_name("function")
        name = called.child_by_field_name("property") if called is not None else None
        over = called.child_by_field_name("object") if called is not None and name is not None else None
        over = over if name is not None and text_of(name) == "forEach" else None
    if over is None or over.type not in ("identifier", "member_expression"):
        return False
    text = file.source.text
    serves = "connection" in text or "createServer" in text
    return serves and any(f"{text_of(over)}.{word}(" in text for word in ("add", "push", "set"))


_BETWEEN = frozenset(
    (
        "arrow_function",
        "call_expression",
        "expression_statement",
        "identifier",
        "member_expression",
        "property_identifier",
        "statement_block",
    )
)
