"""What functions do, and how long that takes, as their text says."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.behaviour.node.state import Frame, Thrown
from gracelint.behaviour.node.syntax import FUNCTIONS, name_of
from gracelint.behaviour.node.values import UNKNOWN, Closure, External
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine

DEEPEST = 4
"""Calls from a job into the functions that do it."""


def value_of(machine: Machine, node: Node, frame: Frame) -> object:
    """What an expression stands for, asked beside the run of the program, in which an error would end something."""
    try:
        return machine.value(node, frame)
    except Thrown:
        return UNKNOWN


def callee(machine: Machine, call: Node, frame: Frame) -> object:
    called = call.child_by_field_name("function")
    return function_of(machine, called, frame) if called is not None else None


def function_of(machine: Machine, node: Node, frame: Frame) -> object:
    """What a function that is called or handed on stands for, where nothing has to be run to know that."""
    return value_of(machine, node, frame) if node.type in _READ else None


_READ = ("identifier", "member_expression", "arrow_function", "function_expression")


def seconds_of(machine: Machine, job: Closure, depth: int = 0) -> float:
    """How long a function sleeps, as the numbers in it and in what it calls say."""
    longest = 0.0
    frame = Frame(job.scope, job.file, (), job.this)
    for node in walk(job.node):
        if node.type != "call_expression":
            continue
        if _is_sleep(node):
            longest = max(longest, _number(node, 1))
            continue
        done = callee(machine, node, frame)
        if isinstance(done, External) and done.path.startswith("timers/promises."):
            longest = max(longest, _number(node, 0))
        elif isinstance(done, Closure):
            at = sleeps_for(done)
            longest = max(longest, _number(node, at) if at is not None else 0.0)
            if at is None and depth < DEEPEST and done.node != job.node:
                longest = max(longest, seconds_of(machine, done, depth + 1))
    return longest


def _number(call: Node, at: int) -> float:
    """The seconds that a call's argument says in milliseconds."""
    given = call.child_by_field_name("arguments")
    found = given.named_children[at : at + 1] if given is not None else []
    text = text_of(found[0]).replace("_", "") if found and found[0].type == "number" else ""
    return int(text) / 1000 if is_whole(text) and len(text) < 10 else 0.0


def sleeps_for(function: Closure) -> int | None:
    """Which parameter of a function is the time that it sleeps: `(ms) => new Promise((r) => setTimeout(r, ms))`."""
    names = _parameters(function.node)
    for node in walk(function.node):
        given = node.child_by_field_name("arguments")
        if node.type == "call_expression" and _is_sleep(node) and given is not None and len(given.named_children) > 1:
            time = text_of(given.named_children[1])
            if time in names:
                return names.index(time)
    return None


def _is_sleep(call: Node) -> bool:
    """Whether a call is a `setTimeout` that settles the promise it stands in."""
    called, given = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if called is None or text_of(called) != "setTimeout" or given is None or not given.named_children:
        return False
    here = call.parent
    while here is not None and here.type != "new_expression":
        names = _parameters(here) if here.type in FUNCTIONS else []
        if names and any(text_of(part) == names[0] for part in walk(given.named_children[0])):
            return True
        here = here.parent
    return False


def _parameters(function: Node) -> list[str]:
    single = function.child_by_field_name("parameter")
    several = function.child_by_field_name("parameters")
    found = [single] if single is not None else several.named_children if several is not None else []
    return [text_of(part.child_by_field_name("pattern") or part) for part in found if part.type != "comment"]


def inside(node: Node) -> Iterator[Node]:
    """What a function or a loop's body does itself, without the functions that stand in it."""
    waiting = [*reversed(node.named_children)]
    while waiting:
        here = waiting.pop()
        if here.type not in FUNCTIONS:
            yield here
            waiting.extend(reversed(here.named_children))


def does_work(machine: Machine, function: object, depth: int = 0) -> bool:
    """Whether what a timer calls is more than putting something right that ends with the program."""
    if not isinstance(function, Closure):
        return True
    frame = Frame(function.scope, function.file, (), function.this)
    for node in walk(function.node):
        called = node.child_by_field_name("function") if node.type == "call_expression" else None
        if called is None or name_of(called) in _PUTS_RIGHT:
            continue
        done = callee(machine, node, frame)
        if not isinstance(done, Closure) or depth >= DEEPEST or does_work(machine, done, depth + 1):
            return True
    return False


_PUTS_RIGHT = frozenset(table("node")["puts_right"])
