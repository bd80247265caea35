"""Async functions as TypeScript writes them for runtimes that had none."""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.behaviour.node.values import UNDEFINED, UNKNOWN, Class, Closure, Object, Promise, spread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame


def awaiter(machine: Machine, args: list[Any], node: Node | None, frame: Frame) -> Any:
    """Calls the async function that it is given last, as a method of what it is given first."""
    function = args[-1] if len(args) > 1 else UNKNOWN
    if not isinstance(function, Closure):
        return UNKNOWN
    this = args[0] if isinstance(args[0], (Object, Class)) else function.this
    given: list[Any] = [] if args[1] is UNDEFINED else spread(args[1])
    result = machine.call(replace(function, this=this), given, frame, node)
    return result if isinstance(result, Promise) else Promise(frame.after, result)


def generator(machine: Machine, args: list[Any], node: Node | None, frame: Frame) -> Any:
    """The steps of an async function for runtimes without generators, which nobody here follows."""
    at = node if node is not None else frame.file.root
    if machine.stopping:
        machine.note("opaque", at, frame, target="__generator")
    else:
        machine.unread.append(f"the async function that line {frame.file.span(at).line} is compiled from")
    return UNKNOWN
