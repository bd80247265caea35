"""What a round of a loop does: whether it may take longer than a moment."""

from __future__ import annotations

import ast
import builtins

from gracelint.behaviour.python.names import STANDARD
from gracelint.behaviour.python.streams import functions, last_name
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.modules import Module
    from gracelint.behaviour.python.streams import Generator

_DEEP = 4
"""Functions that call one another."""


def work_of(machine: Machine, loop: ast.AST) -> ast.expr | None:
    """The first thing in a round, or in what it calls by name, of which nobody knows how long it takes."""
    own: dict[str, list[tuple[Module, Generator]]] = {}
    modules = tuple(machine.modules.all())
    for module in modules:
        for function in functions(module.tree):
            own.setdefault(function.name, []).append((module, function))
    home = next((module for module in modules if any(part is loop for part in ast.walk(module.tree))), None)
    body: list[ast.stmt] = getattr(loop, "body", [])
    return next(_long(home, body, own, 0), None) if home is not None else None


def _long(
    module: Module, body: list[ast.stmt], own: dict[str, list[tuple[Module, Generator]]], depth: int
) -> Iterator[ast.expr]:
    imported = _imported(module.tree)
    for part in (part for line in body for part in ast.walk(line)):
        if isinstance(part, ast.While) and depth:
            yield part.test
        if not isinstance(part, ast.Call):
            continue
        name = last_name(part.func)
        for where, function in own.get(name, ()) if depth < _DEEP else ():
            yield from _long(where, function.body, own, depth + 1)
        if name not in own and not _is_brief(part, imported):
            yield part


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


def _imported(tree: ast.Module) -> dict[str, str]:
    """The modules that names come from."""
    found: dict[str, str] = {}
    for part in ast.walk(tree):
        if isinstance(part, ast.Import):
            found |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in part.names}
        elif isinstance(part, ast.ImportFrom) and not part.level:
            found |= {alias.asname or alias.name: part.module or "" for alias in part.names}
    return found
