"""Methods of JavaScript's arrays, sets and maps."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.behaviour.node import failing
from gracelint.behaviour.node.values import (
    UNDEFINED,
    UNKNOWN,
    Array,
    Builtin,
    Closure,
    External,
    Object,
    Pairs,
    Promise,
    equal,
    truthy,
)
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame

_MOST = 64
"""Items a function is called with."""


def run_callbacks(machine: Machine, args: list[Any], frame: Frame, certain: bool, *given: Any) -> None:
    """Calls the functions among the arguments."""
    for value in args:
        if isinstance(value, (Closure, Builtin)):
            machine.task(value, list(given), frame, frame.after, certain)


def functions_in(args: list[Any]) -> list[Closure]:
    """The functions among arguments, and in objects and lists among them."""
    found: list[Closure] = []
    for value in args:
        if isinstance(value, Closure):
            found.append(value)
        elif isinstance(value, (Object, Array)):
            inside = value.props.values() if isinstance(value, Object) else value.items
            found += [part for part in inside if isinstance(part, Closure)]
    return found


def item_at(value: Any, index: int) -> Any:
    """What stands at a place of a list."""
    if not isinstance(value, Array) or value.open:
        return UNKNOWN
    return value.items[index] if index < len(value.items) else UNDEFINED


def rest_of(pattern: Node, value: Any, start: int) -> Any:
    """What `[…, ...rest]` leaves of a list, and `{…, ...rest}` of an object."""
    if pattern.type == "array_pattern":
        known = isinstance(value, Array) and not value.open
        return Array(list(value.items[start:]) if known else [], open=not known)
    named = [part.named_children[0] if part.named_children else part for part in pattern.named_children[:-1]]
    return value.without({text_of(name) for name in named}) if isinstance(value, Object) else UNKNOWN


def put(owner: Array, name: str | None, value: Any) -> None:
    """`owner[name] = value`"""
    if name == "length" and value == 0:
        owner.items, owner.open = [], False
    elif name is not None and is_whole(name) and not owner.open and int(name) < len(owner.items):
        owner.items[int(name)] = value
    else:
        owner.items, owner.open = [*owner.items, value], True


def array_method(machine: Machine, owner: Array, name: str, args: list[Any], frame: Frame) -> Any:
    if isinstance(owner, Pairs):
        return _map_method(machine, owner, name, args, frame)
    if name in ("forEach", "map", "flatMap"):
        return _each(machine, owner, name, args, frame)
    if name in ("values", "keys"):
        return owner
    if name == "entries":
        return Array([Array([index, item]) for index, item in enumerate(owner.items)], owner.open)
    if name == "reduce" and len(args) > 1 and not owner.open:
        found = args[1]
        for index, item in enumerate(owner.items[:_MOST]):
            found = machine.call(args[0], [found, item, index], frame, None)
        return found
    if name == "splice" and args == [0] and machine.certain:  # all that is in it
        taken = Array(owner.items, owner.open)
        owner.items, owner.open = [], False
        return taken
    if name in ("splice", "delete", "clear"):
        owner.open = True
        return UNKNOWN
    if name in ("push", "unshift", "add"):
        owner.items[:] = [*args, *owner.items] if name == "unshift" else [*owner.items, *args]
        owner.open = owner.open or not machine.certain
        return len(owner.items)
    known = _METHODS.get(name)
    if known is not None:
        machine.pay_for(len(owner.items))
        return known(machine, owner, args, frame)
    run_callbacks(machine, args, frame, False, UNKNOWN)
    return UNKNOWN


def _each(machine: Machine, owner: Array, name: str, args: list[Any], frame: Frame) -> Any:
    results = [
        machine.call(args[0], [item, index], frame, None) for index, item in enumerate(owner.items[:_MOST]) if args
    ]
    if owner.open and args and not owner.items:
        machine.task(args[0], [UNKNOWN], frame, frame.after, certain=False)
    if name != "forEach":
        return Array(results, owner.open or len(owner.items) > _MOST)
    for value in results if machine.stopping else ():
        if isinstance(value, Promise) and isinstance(args[0], Closure):
            failing.leave(machine, value, failing.goes_on(args[0]), args[0].node, frame)
    return UNDEFINED


def _slice(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    if owner.open or not all(isinstance(value, int) for value in args[:2]):
        return Array(list(owner.items), open=True)
    return Array(owner.items[slice(*(args[:2] if len(args) > 1 else (args[0] if args else 0, None)))])


def _filter(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    answers = _answers(machine, owner, args, frame)
    if owner.open or answers is None or None in answers:
        return Array(list(owner.items), open=True)
    return Array([item for item, answer in zip(owner.items, answers, strict=True) if answer])


def _answers(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> list[bool | None] | None:
    """What a function says of each item; None where it cannot be asked."""
    if not args or len(owner.items) > _MOST:
        return None
    if isinstance(args[0], External) and args[0].path == "Boolean":
        return [truthy(item) for item in owner.items]
    if not isinstance(args[0], Closure):
        return None
    return [truthy(machine.call(args[0], [item, index], frame, None)) for index, item in enumerate(owner.items)]


def _find(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    answers = _answers(machine, owner, args, frame)
    if owner.open or not answers:
        return UNKNOWN
    first = next((index for index, answer in enumerate(answers) if answer is not False), None)
    if machine.rehearsing and first is not None and not answers[first]:
        return _any_of(item for item, answer in zip(owner.items, answers, strict=True) if answer is not False)
    return UNDEFINED if first is None else owner.items[first] if answers[first] else UNKNOWN


def _any_of(values: Iterable[Any]) -> Any:
    from gracelint.behaviour.node.answers import any_of

    return any_of(values)


def _some(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    answers = _answers(machine, owner, args, frame)
    if not answers or True in answers:
        return True if answers else UNKNOWN
    return UNKNOWN if owner.open or None in answers else False


def _every(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    answers = _answers(machine, owner, args, frame)
    if not answers or False in answers:
        return False if answers else UNKNOWN
    return UNKNOWN if owner.open or None in answers else True


def _includes(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    same = [equal(item, args[0]) for item in owner.items] if args else []
    if True in same:
        return True
    return UNKNOWN if owner.open or None in same or not same else False


def _index_of(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    same = [equal(item, args[0]) for item in owner.items] if args else []
    first = next((index for index, answer in enumerate(same) if answer is not False), None)
    if owner.open or not same or (first is not None and same[first] is None):
        return UNKNOWN
    return -1 if first is None else first


def _at(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    index = args[0] if args else 0
    if owner.open or not isinstance(index, int):
        return UNKNOWN
    return owner.items[index] if -len(owner.items) <= index < len(owner.items) else UNDEFINED


def _take(machine: Machine, owner: Array, index: int) -> Any:
    """Takes an item away. Of a list that was empty at start nobody knows whether it still is then."""
    if machine.stopping and not owner.open and not owner.items:
        return UNDEFINED
    if machine.stopping or not machine.certain or owner.open or not owner.items:
        owner.open = owner.open or bool(owner.items)
        return UNKNOWN
    return owner.items.pop(index)


def _concat(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    found = Array(list(owner.items), owner.open)
    for value in args:
        more = value.items if isinstance(value, Array) else [value]
        machine.pay_for(len(more))
        found.items += more
        found.open = found.open or value is UNKNOWN or (isinstance(value, Array) and value.open)
    return found


def _reverse(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    if not owner.open:
        owner.items.reverse()
    return owner


def _sort(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    """Nobody asks in which order: what is at which place is not known any more."""
    owner.open = owner.open or len(owner.items) > 1
    return owner


def _join(machine: Machine, owner: Array, args: list[Any], frame: Frame) -> Any:
    if owner.open or not all(isinstance(item, str) for item in owner.items):
        return UNKNOWN
    return (args[0] if args and isinstance(args[0], str) else ",").join(owner.items)


def _map_method(machine: Machine, owner: Pairs, name: str, args: list[Any], frame: Frame) -> Any:
    pairs = [item for item in owner.items if isinstance(item, Array)]
    is_open = owner.open and (not owner.fresh or machine.stopping or bool(frame.after))
    unsure = not all(isinstance(pair.items[0], (str, int, float)) for pair in pairs)
    if name == "set" and len(args) > 1:
        owner.fresh = owner.fresh and machine.certain
        owner.items = [*(pair for pair in pairs if pair.items[0] != args[0]), Array(list(args[:2]))]
        return owner
    if name == "get" and args:
        if machine.rehearsing and not isinstance(args[0], str):
            return _any_of(pair.items[1] for pair in pairs)
        if unsure:
            return UNKNOWN
        absent = UNKNOWN if is_open or not isinstance(args[0], str) else UNDEFINED
        return next((pair.items[1] for pair in pairs if pair.items[0] == args[0]), absent)
    if name == "has" and args and isinstance(args[0], str) and (pairs or not is_open):
        return True if args[0] in [pair.items[0] for pair in pairs] else UNKNOWN if is_open or unsure else False
    if name in ("delete", "clear"):
        owner.open, owner.fresh = True, False
    if name in ("keys", "values"):
        return Array([pair.items[name == "values"] for pair in pairs], owner.open)
    if name == "entries":
        return Array(list(pairs), owner.open)
    if name == "forEach" and args:
        for pair in pairs[:64]:
            machine.call(args[0], [pair.items[1], pair.items[0]], frame, None)
        if owner.open:
            machine.task(args[0], [UNKNOWN, UNKNOWN], frame, frame.after, certain=False)
        return UNDEFINED
    return UNKNOWN


_METHODS: dict[str, Callable[[Machine, Array, list[Any], Frame], Any]] = {
    "slice": _slice,
    "filter": _filter,
    "find": _find,
    "some": _some,
    "every": _every,
    "includes": _includes,
    "has": _includes,
    "indexOf": _index_of,
    "at": _at,
    "shift": lambda m, owner, args, frame: _take(m, owner, 0),
    "pop": lambda m, owner, args, frame: _take(m, owner, -1),
    "concat": _concat,
    "reverse": _reverse,
    "sort": _sort,
    "join": _join,
}
