"""Values that Go alone has."""

from __future__ import annotations

from gracelint.behaviour.go.syntax import expressions as members
from gracelint.behaviour.machine.values import NIL, UNKNOWN, UNSET, Chan, Object, Unknown
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.go.syntax import File
    from gracelint.behaviour.machine.values import Scope


ANSWER = Unknown("error")
"""An error, or none, that says whether something is there."""


KEYS = (str, int, Chan, Object)
"""What a map is told apart by: the last two are equal to themselves alone."""


class Some(list):  # type: ignore[type-arg]
    """Elements of a slice: nobody can tell whether there are more."""

    __slots__ = ()


class Func:
    """A function of the program: a declaration, a method with its receiver, or a closure."""

    __slots__ = ("env", "file", "node", "package", "receiver")

    def __init__(self, node: Node, file: File, package: Package, env: Scope | None, receiver: Any = None) -> None:
        self.node, self.file, self.package, self.env, self.receiver = node, file, package, env, receiver


def in_place_of(value: Any, passed_by: list[Node]) -> Node | None:
    """What a guard returns in the place of an environment variable that is not set."""
    if value is not UNSET:
        return None
    ways = [members(one.named_children[0] if one.named_children else None) for one in passed_by]
    return next((one[0] for one in ways if len(one) == 1 and one[0].type in _PLAIN), None)


_PLAIN = ("identifier", "interpreted_string_literal", "raw_string_literal", "int_literal", "true", "false")


def agreed(value: Any, passed_by: list[Node]) -> Any:
    """What a function returns: unknown where a guard that was passed by returns something else, and no error."""
    values = value if isinstance(value, tuple) else (value,)
    told = list(values)
    for node in passed_by:
        others = members(node.named_children[0] if node.named_children else None)
        if len(others) != len(values) or (len(values) > 1 and values[-1] is NIL and others[-1].type != "nil"):
            continue
        for index, other in enumerate(others):
            if _differs(values[index], other):
                told[index] = UNKNOWN
            elif isinstance(values[index], list):
                told[index] = Some(values[index])
    return tuple(told) if isinstance(value, tuple) else told[0]


def _differs(value: Any, other: Node) -> bool:
    """Whether an expression may be something else than a truth value, or a literal is another one."""
    if isinstance(value, bool):
        return other.type != str(value).lower()
    if isinstance(value, str):
        return other.type.endswith("string_literal") and text_of(other)[1:-1] != value
    return isinstance(value, int) and other.type == "int_literal" and text_of(other) != str(value)
