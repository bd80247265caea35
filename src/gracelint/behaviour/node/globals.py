"""JavaScript's own functions, Node's for paths, and what compilers put around `require`."""

from __future__ import annotations

from gracelint.behaviour.node.arrays import item_at
from gracelint.behaviour.node.methods import forked, items
from gracelint.behaviour.node.values import (
    UNDEFINED,
    UNKNOWN,
    Array,
    Builtin,
    Closure,
    External,
    Method,
    Object,
    Pairs,
    Thing,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame


def _object_keys(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    value = args[0] if args else UNKNOWN
    if isinstance(value, External):
        return (
            Array(items(machine, value).items, open=True) if value.path == "cluster.workers" else Array([], open=True)
        )
    return Array(list(value.props), value.open) if isinstance(value, Object) else Array([], open=True)


def _object_values(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    value = args[0] if args else UNKNOWN
    if isinstance(value, External) and value.path == "cluster.workers" and (thing := forked(machine)):
        return Array([thing])
    return Array(list(value.props.values()), value.open) if isinstance(value, Object) else Array([], open=True)


def _object_entries(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    value = args[0] if args else UNKNOWN
    if isinstance(value, Object):
        return Array([Array([key, item]) for key, item in value.props.items()], value.open)
    return Array([], open=True)


def _from_entries(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    given = args[0] if args else UNKNOWN
    pairs = given.items if isinstance(given, Array) else []
    found = Object({str(key): value for pair in pairs for key, value in (_pair(pair),) if isinstance(key, (str, int))})
    if not isinstance(given, Array) or given.open or len(found.props) < len(pairs):
        found.cloud()
    return found


def _pair(value: Any) -> tuple[Any, Any]:
    return item_at(value, 0), item_at(value, 1)


def load_computed(machine: Machine, name: Any, node: Node, frame: Frame) -> Any:
    """The exports of the module that a value names."""
    if isinstance(name, str):
        return machine.load(name, frame)
    machine.unread.append(f"what line {frame.file.span(node).line} of {frame.file.source.path} loads")
    return External("?require()")


def has_own(owner: Any, name: Any) -> Any:
    """Whether an object has a property of its own."""
    if not isinstance(owner, Object) or not isinstance(name, str):
        return UNKNOWN
    return True if name in owner.props else UNKNOWN if owner.open else False


def _array_from(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    given = args[0] if args else UNKNOWN
    if isinstance(given, Object) and "length" in given.props:
        # `Array.from({ length: 4 }, () => new Worker(file))`: one stands for all that are made
        length = given.props["length"]
        counts = len(args) == 1 and isinstance(length, int) and 0 < length <= _MOST
        given = Array([UNDEFINED] * (length if counts else 1))
    if not isinstance(given, Array):
        return Array([], open=True)
    given = Array(list(given.items), given.open)
    return machine.call(Method(given, "map"), [args[1]], frame, node) if len(args) > 1 else given


_MOST = 64


def _map(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    given = args[0] if args else None
    if isinstance(given, Array):
        return Pairs(list(given.items), given.open)
    return Pairs([], open=True, fresh=given is None)


def _url(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`new URL('./worker.js', import.meta.url)`: a file beside this one."""
    beside = len(args) > 1 and isinstance(args[1], External) and args[1].path.startswith("import.meta")
    return args[0] if beside and isinstance(args[0], str) else External("URL")


def _join(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return "/".join(args) if args and all(isinstance(part, str) for part in args) else UNKNOWN


def _define_property(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`Object.defineProperty(exports, "stop", { get: function () { return x.stop; } })`, as compilers write it."""
    owner, name, how = (*args, UNKNOWN, UNKNOWN, UNKNOWN)[:3]
    if isinstance(owner, Object) and isinstance(name, str) and isinstance(how, Object):
        getter = how.props.get("get")
        owner.props[str(name)] = (
            machine.call(getter, [], frame, node) if isinstance(getter, Closure) else how.props.get("value", UNKNOWN)
        )
    return owner


def _assign(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    owner = args[0] if args else UNKNOWN
    for other in args[1:]:
        if isinstance(owner, Thing) and isinstance(other, Object):
            owner.settings |= other.props
        if isinstance(owner, Object):
            owner.take(other)
    return owner


def _interop(machine: Machine, args: list[Any], node: Node | None, frame: Frame) -> Any:
    """`__importDefault(require('express'))`, as compilers write it."""
    module = args[0] if args else UNKNOWN
    if not isinstance(module, Object) or "__esModule" in module.props or "default" in module.props:
        return module
    return Object({**module.props, "default": module})


def _export_star(machine: Machine, args: list[Any], node: Node | None, frame: Frame) -> Any:
    module, exports = (*args, UNKNOWN, UNKNOWN)[:2]
    if isinstance(module, Object) and isinstance(exports, Object):
        exports.props |= {key: value for key, value in module.props.items() if key != "default"}
    return UNDEFINED


def _awaiter(machine: Machine, args: list[Any], node: Node | None, frame: Frame) -> Any:
    from gracelint.behaviour.node.compiled import awaiter

    return awaiter(machine, args, node, frame)


def _generator(machine: Machine, args: list[Any], node: Node | None, frame: Frame) -> Any:
    from gracelint.behaviour.node.compiled import generator

    return generator(machine, args, node, frame)


INTEROP: dict[str, Builtin] = {
    **dict.fromkeys(table("node")["interop"], Builtin(_interop)),
    **dict.fromkeys(table("node")["export_star"], Builtin(_export_star)),
    "__awaiter": Builtin(_awaiter),
    "__generator": Builtin(_generator),
}
"""What compilers put into a module, by name."""


def _number(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    value = args[0] if args else UNKNOWN
    if isinstance(value, (int, float)):
        return value
    try:
        return float(value) if isinstance(value, str) else UNKNOWN
    except ValueError:
        return UNKNOWN


def _string(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return str(args[0]) if args and isinstance(args[0], (str, int)) else UNKNOWN


def from_json(machine: Machine, text: str) -> Any:
    from gracelint.behaviour.node import data

    return data.from_json(machine, text)


def _parse_json(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    from gracelint.behaviour.node.data import parse_json

    return parse_json(machine, args)


def _read_text(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    from gracelint.behaviour.node.data import read_text

    return read_text(machine, args)


def _same(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    return args[0] if args else UNDEFINED


DEEDS: dict[str, Callable[[Machine, list[Any], Node, Frame], Any]] = {
    "keys": _object_keys,
    "values": _object_values,
    "entries": _object_entries,
    "define": _define_property,
    "assign": _assign,
    "list": _array_from,
    "map": _map,
    "url": _url,
    "from-entries": _from_entries,
    "has-own": lambda m, a, n, f: has_own(*(*a, UNKNOWN, UNKNOWN)[:2]),
    "json": _parse_json,
    "text": _read_text,
    "same": _same,
    "join": _join,
    "awaiter": _awaiter,
    "generator": _generator,
    "number": _number,
    "string": _string,
    "unknown": lambda m, a, n, f: UNKNOWN,
}
