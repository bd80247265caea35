"""Requests that are kept in a collection until something answers them: they hold `server.close()`."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.base.record import Record
from gracelint.behaviour.node.syntax import FUNCTIONS, NAMES, name_of, once
from gracelint.behaviour.node.timing import FOR_EVER
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.syntax import File
    from gracelint.source import Span

    Ran = frozenset[tuple[str, int]]


class Kept(Record):
    """Where a request is put away without an answer."""

    name: str
    """The collection."""
    span: Span
    seconds: float
    """When its own timer answers it; infinity where it has none."""
    sure: bool = True
    """Whether nothing but other requests may answer it."""


def kept_requests(machine: Machine, ran: Ran) -> Kept | None:
    """A request that is put away, and that neither the handlers of the signal nor a timer of the program answers."""
    files = [file for file in machine.parsed.values() if file is not None]
    for file in files:
        for kept in _put_away(file):
            others = _by(files, _users(files, kept.name), ran)
            if others.isdisjoint(("stop", "soon")):
                return Kept(kept.name, kept.span, kept.seconds, "unknown" not in others)
    return None


def puts_requests_away(machine: Machine) -> bool:
    """Whether a program keeps requests to answer them later."""
    return any(_put_away(file) for file in machine.parsed.values() if file is not None)


@once
def _put_away(file: File) -> list[Kept]:
    """The requests of a file that are put into a collection, and not answered where they are."""
    if not any(word in file.source.text for word in _PUTS):
        return []
    found = []
    for node in walk(file.root):
        name, value = _put(node)
        kept = _request_of(value, node) if name and value is not None else None
        if kept is None:
            continue
        function, response = kept
        seconds = _answered_after(function, response, node)
        if seconds is not None:
            found.append(Kept(name, file.span(node), seconds))
    return found


def _put(node: Node) -> tuple[str, Node | None]:
    """The collection that something is put into, and what: `waiting.set(id, res)`, `waiters.push({ res })`."""
    called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if node.type == "call_expression" and called is not None and given is not None and given.named_children:
        owner = called.child_by_field_name("object")
        is_put = called.type == "member_expression" and name_of(called) in _METHODS and owner is not None
        return (name_of(owner), given.named_children[-1]) if is_put and owner is not None else ("", None)
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if node.type == "assignment_expression" and left is not None and left.type == "subscript_expression":
        owner = left.child_by_field_name("object")
        return (name_of(owner), right) if owner is not None else ("", None)
    return "", None


def _request_of(value: Node, put: Node) -> tuple[Node, str] | None:
    """The handler whose response, or what it waits for, is put away, and the name of that."""
    names = {text_of(part) for part in walk(value) if part.type in _MENTIONS}
    executor = None
    for function in _functions_around(put):
        given = _parameters(function)
        response = next((name for name in given[1:] if name in names and name in _RESPONSES), None)
        if response is not None:
            return function, response
        if executor is not None and _REQUESTS & {*given}:
            return function, executor
        if executor is None and given and given[0] in names and _is_executor(function):
            executor = given[0]
    return None


def _functions_around(node: Node) -> Iterator[Node]:
    here = node.parent
    while here is not None:
        if here.type in _FUNCTIONS:
            yield here
        here = here.parent


def _parameters(function: Node) -> list[str]:
    several, single = function.child_by_field_name("parameters"), function.child_by_field_name("parameter")
    found = [single] if single is not None else several.named_children if several is not None else []
    return [text_of(part.child_by_field_name("pattern") or part) for part in found if part.type != "comment"]


def _is_executor(function: Node) -> bool:
    """Whether it is that of a promise that is awaited, or given back."""
    made = function.parent.parent if function.parent is not None else None
    return made is not None and made.type == "new_expression" and text_of(made).startswith("new Promise")


def _answered_after(function: Node, response: str, put: Node) -> float | None:
    """When a timer of the handler answers a request that is put away; None where it may be answered in another way."""
    from gracelint.behaviour.node.clients import other_ways

    others = [(part.start_byte, part.end_byte) for part in other_ways(function, put)]
    seconds = FOR_EVER
    for node in walk(function):
        if any(begin <= node.start_byte < end for begin, end in others):
            continue
        if _hands_on(node, response):
            return None
        if node.type not in NAMES[:1] or text_of(node) != response or _is_in(node, put) or _is_parameter(node):
            continue
        if _only_says(node):
            continue
        after = _timer_around(node, function)
        if after is None:
            return None
        seconds = min(seconds, after)
    return seconds


def _hands_on(node: Node, response: str) -> bool:
    """Whether somebody else is sent what is to be done, who is to say when it is: `worker.postMessage({ id })`"""
    called = node.child_by_field_name("function") if node.type == "call_expression" else None
    owner = called.child_by_field_name("object") if called is not None else None
    return called is not None and owner is not None and name_of(called) in _SENDS and text_of(owner) != response


def _is_in(node: Node, outer: Node) -> bool:
    return outer.start_byte <= node.start_byte < outer.end_byte


def _is_parameter(node: Node) -> bool:
    return node.parent is not None and (node.parent.type in ("formal_parameters", *_FUNCTIONS, "required_parameter"))


def _only_says(response: Node) -> bool:
    """Whether it is only forgotten again, written to, or listened to."""
    above = response.parent
    if above is None:
        return True
    if above.type == "arguments":
        called = above.parent.child_by_field_name("function") if above.parent is not None else None
        return called is not None and name_of(called) in ("delete", "indexOf", "has", "includes", "filter")
    while above is not None and above.type in ("member_expression", "call_expression"):
        name = name_of(above) if above.type == "member_expression" else ""
        if name and name not in _SAYS:
            return False
        above = above.parent
    return True


def _timer_around(node: Node, function: Node) -> float | None:
    """The seconds after which a timer's function, in which something stands, is called."""
    here = node.parent
    while here is not None and here.id != function.id:
        call = here.parent.parent if here.type in _FUNCTIONS and here.parent is not None else None
        called = call.child_by_field_name("function") if call is not None else None
        given = call.child_by_field_name("arguments") if call is not None else None
        if called is not None and given is not None and text_of(called) == "setTimeout":
            text = text_of(given.named_children[-1]).replace("_", "")
            return int(text) / 1000 if is_whole(text) else None
        here = here.parent
    return None


# Who may answer


@once
def _named(file: File) -> dict[str, list[Node]]:
    """Where each name stands."""
    found: dict[str, list[Node]] = {}
    for node in walk(file.root):
        if node.type in NAMES:
            found.setdefault(text_of(node), []).append(node)
    return found


def _users(files: list[File], name: str) -> Iterator[tuple[File, Node]]:
    """Where functions use a collection, other than to forget a request or to keep one."""
    for file in files:
        for node in _named(file).get(name, ()):
            owner = node.parent if node.type != "identifier" else node
            above = owner.parent if owner is not None else None
            if above is None or next(_functions_around(node), None) is None:
                continue
            forgets = above.type == "member_expression" and name_of(above) in _FORGETS
            is_set = above.type == "assignment_expression" and above.child_by_field_name("left") == owner
            if not forgets and not is_set:
                yield file, node


def _by(files: list[File], users: Iterable[tuple[File, Node]], ran: Ran) -> set[str]:
    """Who comes to any of these places: the handlers of a signal, a timer soon, other requests; unknown."""
    found, places, seen = set[str](), [*users], set[tuple[str, int]]()
    for file, node in places:
        functions = list(_functions_around(node))
        who = _directly(file, node, functions, ran)
        key = (file.source.path, functions[-1].start_byte) if functions else None
        if who is not None:
            found.add(who)
        if who is not None or key is None or key in seen:
            continue
        seen.add(key)
        name = functions[-1].child_by_field_name("name")
        calls = [] if name is None or len(seen) > _MOST else list(_calls(files, text_of(name)))
        if (
            calls
            and _goes_round(functions[-1])
            and any(next(_functions_around(call), None) is None for _, call in calls)
        ):
            found.add("soon")
        elif not calls:
            found.add("unknown")
        else:
            places += calls
    return found


def _directly(file: File, node: Node, functions: list[Node], ran: Ran) -> str | None:
    """Who comes to a place, as far as the functions around it say."""
    if any((file.source.path, one.start_byte) in ran for one in functions):
        return "stop"
    if any(map(_is_given_to_a_timer, (*functions[-1:], node))):
        return "soon"
    if any(map(_takes_requests, functions)):
        return "request"
    is_handed_on = node.parent is not None and node.parent.type == "arguments"
    return "unknown" if is_handed_on or not functions else None


def _calls(files: list[File], name: str) -> Iterator[tuple[File, Node]]:
    return ((file, node) for file in files for node in _named(file).get(name, ()) if not _is_declared(node))


def _goes_round(function: Node) -> bool:
    """Whether it is a loop that gives way, as of a worker that the start sets going."""
    kinds = {part.type for part in walk(function)}
    return "await_expression" in kinds and not kinds.isdisjoint(("while_statement", "for_statement"))


def _is_given_to_a_timer(function: Node) -> bool:
    call = function.parent.parent if function.parent is not None else None
    called = call.child_by_field_name("function") if call is not None else None
    return called is not None and text_of(called) in _TIMERS


def _takes_requests(function: Node) -> bool:
    given = _parameters(function)
    return bool(_REQUESTS & {*given[:1]}) or bool(_RESPONSES & {*given[1:]})


def _is_declared(name: Node) -> bool:
    above = name.parent
    return above is not None and above.type in (*_FUNCTIONS, "import_specifier", "export_specifier", "pair")


_ROWS = table("node")["answers"]
_RESPONSES = frozenset(_ROWS["responses"])
_REQUESTS = frozenset(_ROWS["requests"])
_SAYS = frozenset((*_ROWS["says"], *_ROWS["hears"], "write", "flushHeaders", "setHeader", "statusCode", "socket"))
_METHODS = ("set", "add", "push", "unshift")
_PUTS = (*(f".{name}(" for name in _METHODS), "] =")
_FORGETS = ("delete", "clear", "size", "length", *_METHODS)
_SENDS = ("postMessage", "send", "publish", "emit", "enqueue", "dispatch")
_TIMERS = ("setTimeout", "setInterval", "setImmediate", "process.nextTick", "queueMicrotask")
_FUNCTIONS = tuple(kind for kind in FUNCTIONS if "class" not in kind)
_MENTIONS = ("identifier", "shorthand_property_identifier")
_MOST = 64
"""Functions, from where a collection is used to what calls them."""
