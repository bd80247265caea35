"""What a class's method loses when it is taken from its object: it no longer knows whose it is.

`const { stop } = worker`, `hooks.push(worker.stop)` and `promisify(server.close)` hand over the function alone.
"""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.behaviour.node.values import LOST, Class, Closure, Method, Object, Thing
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node


TAKEN, TAKEN_PROMISE = "taken", "taken promise"
"""A method of a thing without the thing: called, it throws, or gives a promise that is rejected."""


def taken(value: Any, node: Node | None, this: Any = LOST) -> Any:
    """The value of an expression that is handed on rather than called; `this` is what it then belongs to."""
    if node is None or node.type != "member_expression":
        return value
    name = node.child_by_field_name("property")
    return loosened(value, text_of(name) if name is not None else "", this)


def loosened(value: Any, name: str, this: Any = LOST) -> Any:
    if isinstance(value, Method) and isinstance(value.owner, Thing):
        return Method(value, TAKEN) if _needs_itself(value.owner) and value.name == "close" else value
    if not isinstance(value, Closure) or value.node.type != "method_definition":
        return value
    owner = value.this
    if not isinstance(owner, Object) or owner.cls is None or name in owner.props or _may_be_bound(owner.cls):
        return value
    return replace(value, this=this)


def _needs_itself(thing: Thing) -> bool:
    """A server of Node's own, whose methods are those of a class."""
    return thing.kind == "server" and ("upgrades" in thing.row or "raw" in thing.row)


def _may_be_bound(cls: Any) -> bool:
    """Whether `autoBind(this)`, or a decorator, may bind its methods, or its parent is not the project's."""
    while isinstance(cls, Class):
        around = cls.node.parent if cls.node.parent is not None else cls.node
        text = text_of(around if around.type == "export_statement" else cls.node)
        if "bind" in text.lower() or "@" in text:
            return True
        cls = cls.parent
    return cls is not None
