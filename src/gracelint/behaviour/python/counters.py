"""Counters of what is in flight, which a program waits to see come down before it ends."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.work import REQUESTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gracelint.behaviour.python.machine import Machine

_RAISES = ("add", "append")
_LOWERS = ("discard", "remove", "pop", "popleft", "clear", "difference_update")
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def stays_above(machine: Machine, test: ast.expr) -> str | None:
    """The counter or collection in a condition that may never come down: it is raised, and not lowered on every way."""
    for name in dict.fromkeys(_names(test)):
        trees = [module.tree for module in machine.modules.all()]
        lowered = [function for tree in trees for function in _functions(tree) if _lowers(function, name)]
        if not any(_raises(tree, name) for tree in trees):
            continue
        if not lowered or any(_may_leave_before(function.body, name) for function in lowered):
            return name
    return None


def counts_requests(machine: Machine, test: ast.expr) -> bool:
    """Whether a condition looks at what is raised where a request begins and lowered where it ends."""
    trees = [module.tree for module in machine.modules.all()]
    functions = [function for tree in trees for function in _functions(tree)]
    return any(
        any(one.name in _BEGINS and _raises(one, name) for one in functions)
        and any(one.name in _ENDS and _lowers(one, name) for one in functions)
        for name in _names(test)
    )


_BEGINS = ("prepare", "initialize", *sorted(REQUESTS))
_ENDS = ("on_finish", "on_connection_close", *sorted(REQUESTS))
"""The functions of a tornado handler around its answer, and those that answer."""


def _names(test: ast.expr) -> Iterator[str]:
    """The variables that a condition looks at: `busy`, `self.busy > 0`, `len(jobs)`."""
    if isinstance(test, ast.Compare):
        fills = any(isinstance(operator, (ast.Lt, ast.LtE)) for operator in test.ops)
        if not fills and all(isinstance(other, ast.Constant) for other in test.comparators):
            yield from _names(test.left)
    elif isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "len" and test.args:
        yield from _names(test.args[0])
    elif isinstance(test, (ast.Name, ast.Attribute)):
        yield _last(test)


def _last(node: ast.AST) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _functions(tree: ast.AST) -> Iterable[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _raises(tree: ast.AST, name: str) -> bool:
    return any(_changes(node, name, ast.Add, _RAISES) for node in ast.walk(tree))


def _lowers(node: ast.AST, name: str) -> bool:
    return any(_changes(part, name, ast.Sub, _LOWERS) for part in ast.walk(node))


def _changes(node: ast.AST, name: str, operator: type[ast.operator], methods: Sequence[str]) -> bool:
    """`name += 1`, `name.add(x)`; also where only the method is named, as a callback."""
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, operator) and _last(node.target) == name
    if isinstance(node, ast.Delete) and operator is ast.Sub:
        return any(isinstance(target, ast.Subscript) and _last(target.value) == name for target in node.targets)
    if isinstance(node, ast.Assign) and operator is ast.Add:
        return any(isinstance(target, ast.Subscript) and _last(target.value) == name for target in node.targets)
    return isinstance(node, ast.Attribute) and node.attr in methods and _last(node.value) == name


def _may_leave_before(body: Sequence[ast.stmt], name: str) -> bool:
    """Whether a way through statements leaves the function without lowering the counter."""
    for statement in body:
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            if _lowers(statement, name):
                return _may_leave_before(statement.body, name)
        elif isinstance(statement, ast.Try):
            if any(_lowers(part, name) for part in statement.finalbody):
                return False
            if _lowers(statement, name):
                return _may_leave_before(statement.body, name)
        elif _lowers(statement, name):
            return False
        if any(isinstance(part, (ast.Return, ast.Raise)) for part in ast.walk(statement)):
            return True
    return False
