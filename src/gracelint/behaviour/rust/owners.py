"""Which ends of channels go with a thread or task: what it took over, and neither gave away nor kept elsewhere."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.nodes import Call, Field, Function, Make, Name, walk
from gracelint.behaviour.machine.values import Object
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.behaviour.machine.nodes import Node
    from gracelint.behaviour.machine.values import Thread
    from gracelint.behaviour.rust.machine import RustMachine

_DEEPEST = 4
WORD = pattern(r"[A-Za-z_]\w*")


def senders_of(machine: RustMachine, thread: Thread) -> list[Object]:
    """The senders that are dropped where a thread or task ends."""
    body = thread.body
    called: Any = body.state.get("called") if isinstance(body, Object) else (body, [])
    if called is None or not isinstance(called[0], Closure):
        return []
    closure, args = called
    function: Function = closure.function
    held = [*_captured(closure), *zip((one.name for one in function.params), args, strict=False)]
    return [value for name, value in held if _is_sender(value) and _stays(machine, function, name, 0)]


def given_over(machine: RustMachine, function: Function, args: list[Any]) -> list[Object]:
    """The senders that a function takes by value, and that end with its call."""
    senders = [pair for pair in zip(function.params, args, strict=False) if _is_sender(pair[1])]
    if not senders or function.task or function.block:
        return []
    head = function.file.span(function.at).text.partition("{")[0]
    return [
        value
        for one, value in senders
        if _BY_VALUE.search(head.partition(f"{one.name}:")[2]) is not None and _stays(machine, function, one.name, 0)
    ]


_BY_VALUE = pattern(r"^\s*(?:[\w:]{1,60}::)?\w{0,40}Sender\b")


def _is_sender(value: Any) -> bool:
    return isinstance(value, Object) and "sends" in value.state


def _captured(closure: Closure) -> Iterator[tuple[str, Any]]:
    """What a closure or block that moves took over of where it stands; others borrow it."""
    if closure.scope is not None:
        yield from (
            (name, closure.scope.names[name]) for name in moved(closure.function) if name in closure.scope.names
        )


def moved(function: Function) -> tuple[str, ...]:
    """The names that a closure or block takes over from where it stands, if it moves them."""
    if not function.file.span(function.at).text.startswith(("move", "async move")):
        return ()
    own = {one.name for one in function.params}
    return tuple(sorted({one.name for one in _within(function.body) if isinstance(one, Name)} - own))


def _within(node: Node) -> Iterator[Node]:
    """A node and all below, what stands in closures too."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting += [here.function.body] if isinstance(here, Make) else here.parts()


def _stays(machine: RustMachine, function: Function, name: str, depth: int) -> bool:
    """Whether all that a function does with a variable is to call its methods, or to give it to one that does so."""
    return depth < _DEEPEST and all(_is_used(machine, function, use, name, depth) for use in _uses(function.body, name))


def _uses(node: Node, name: str) -> Iterator[Node]:
    """The nodes right above each use of a variable, and macros that may use it."""
    for here in walk(node):
        if isinstance(here, Call) and isinstance(here.callee, Name) and here.callee.name.endswith("!"):
            yield here
        below = _within(here.function.body) if isinstance(here, Make) else here.parts()
        if any(isinstance(one, Name) and one.name == name for one in below):
            yield here


def _is_used(machine: RustMachine, function: Function, use: Node, name: str, depth: int) -> bool:
    if isinstance(use, Field):
        return use.name in table("rust")["language"]["of_senders"]
    if not isinstance(use, Call) or not isinstance(use.callee, Name):
        return False
    if use.callee.name.endswith("!"):
        return use.callee.name != "unread!" and name not in WORD.findall(function.file.span(use.at).text)
    found = machine.crates.find(use.callee.name, function.file)
    if not isinstance(found, Function) or found.task:
        return False
    places = [index for index, one in enumerate(use.args) if isinstance(one, Name) and one.name == name]
    return all(
        index < len(found.params) and _stays(machine, found, found.params[index].name, depth + 1) for index in places
    )
