"""What a round of a loop does: whether it may take longer than a moment."""

from __future__ import annotations

import ast
import builtins

from gracelint.base.memory import fleeting
from gracelint.behaviour.python.names import STANDARD
from gracelint.behaviour.python.streams import functions, last_name
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.ends import Loop
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.modules import Module
    from gracelint.behaviour.python.streams import Generator

_DEEP = 4
"""Functions that call one another."""


def work_of(machine: Machine, loop: Loop) -> ast.expr | None:
    """The first thing in a round, or in what it calls by name, of which nobody knows how long it takes."""
    body: list[ast.stmt] = getattr(loop.node, "body", [])
    return _Search(tuple(machine.modules.all())).first(loop.module, body, 0)


class _Search:
    """Functions of one name are only looked into once at each depth."""

    def __init__(self, modules: tuple[Module, ...]) -> None:
        self._own = _functions(modules)
        self._seen: set[tuple[str, int]] = set()

    def first(self, module: Module, body: list[ast.stmt], depth: int) -> ast.expr | None:
        imported = _imported(module.tree)
        for part in (part for line in body for part in ast.walk(line)):
            if isinstance(part, ast.While) and depth:
                return part.test
            if not isinstance(part, ast.Call):
                continue
            name = last_name(part.func)
            found = self._in_functions(name, depth + 1) if depth < _DEEP else None
            if found is not None:
                return found
            if name not in self._own and not _is_brief(part, imported):
                return part
        return None

    def _in_functions(self, name: str, depth: int) -> ast.expr | None:
        if (name, depth) in self._seen:
            return None
        self._seen.add((name, depth))
        for module, function in self._own.get(name, ()):
            found = self.first(module, function.body, depth)
            if found is not None:
                return found
        return None


@fleeting(1)
def _functions(modules: tuple[Module, ...]) -> dict[str, list[tuple[Module, Generator]]]:
    own: dict[str, list[tuple[Module, Generator]]] = {}
    for module in modules:
        for function in functions(module.tree):
            own.setdefault(function.name, []).append((module, function))
    return own


def _is_brief(call: ast.Call, imported: dict[str, str]) -> bool:
    """Whether a call out of the project takes no more than a moment: most of the standard library does."""
    words = table("python")["words"]
    name, root = last_name(call.func), _root(call.func)
    top = imported.get(root, "").partition(".")[0]
    if top:
        return top in STANDARD and top not in words["far"]
    if isinstance(call.func, ast.Name):
        return hasattr(builtins, name) or name[:1].isupper()
    return name in words["brief"] or name in words["collections"] or name in words["looks"] or hasattr(str, name)


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


@fleeting(64)
def _imported(tree: ast.Module) -> dict[str, str]:
    """The modules that names come from."""
    found: dict[str, str] = {}
    for part in ast.walk(tree):
        if isinstance(part, ast.Import):
            found |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in part.names}
        elif isinstance(part, ast.ImportFrom) and not part.level:
            found |= {alias.asname or alias.name: part.module or "" for alias in part.names}
    return found
