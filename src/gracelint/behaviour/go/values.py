"""Values that Go alone has."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.go.syntax import File
    from gracelint.behaviour.machine.values import Scope


class Func:
    """A function of the program: a declaration, a method with its receiver, or a closure."""

    __slots__ = ("env", "file", "node", "package", "receiver")

    def __init__(self, node: Node, file: File, package: Package, env: Scope | None, receiver: Any = None) -> None:
        self.node, self.file, self.package, self.env, self.receiver = node, file, package, env, receiver
