"""`os.fork()`: the child goes on beside its parent, which signals it and waits for it by its number."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import ends_of, finishes, start
from gracelint.behaviour.python.ends import Point, Registration, stuck
from gracelint.behaviour.python.library import elsewhere
from gracelint.behaviour.python.names import path_of, text_of
from gracelint.behaviour.python.registry import CHILD, model
from gracelint.behaviour.python.values import (
    FROM_OUTSIDE,
    LOST,
    NONE,
    TRUE,
    Const,
    Function,
    Thing,
    Unknown,
    Value,
    items,
)
from gracelint.behaviour.python.waits import block
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords

_MOST = 3
"""Children that are told apart."""
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


@model("os.fork")
def _fork(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    body = machine.frame.function.node.body if machine.frame.function is not None else machine.module.tree.body
    own = _child_part(body, node) if isinstance(body, list) else None
    if own is None:
        return elsewhere(machine, function, "os.fork", args, keywords, node)
    known = _children(machine)
    if len(known) >= _MOST:
        return known[-1]
    thing = Thing(CHILD, node, machine.module)
    inherited = machine.world.get(("signal", machine.signal or "SIGTERM"))
    if any(isinstance(loop.node, ast.While) for loop in machine.loops):
        thing.store["#again"] = TRUE
    thing.store["#handler"] = inherited.handler if isinstance(inherited, Registration) else NONE
    made = ast.parse("def child():\n    pass").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.body = [ast.Global(sorted(machine.frame.globals)), *own] if machine.frame.globals else own
    in_child, machine.in_child = machine.in_child, True
    try:
        start(machine, thing, Function(made, machine.module, machine.frame.scopes, {}), [], {}, node)
    finally:
        machine.in_child = in_child
    return thing


def _children(machine: Machine) -> list[Thing]:
    return [thing for thing in machine.world.values() if isinstance(thing, Thing) and thing.kind == CHILD]


def _child_part(body: Sequence[ast.stmt], node: ast.AST) -> list[ast.stmt] | None:
    """The statements that only the child comes to; None where they are not told by a simple `if`."""
    for index, statement in enumerate(body):
        if not any(part is node for part in ast.walk(statement)):
            continue
        rest = body[index + 1 :]
        if isinstance(statement, ast.If) and any(part is node for part in ast.walk(statement.test)):
            return _of_the_child(statement, None, rest)
        blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        inner = [block for block in blocks if any(part is node for each in block for part in ast.walk(each))]
        if inner:
            return _child_part(inner[0], node)
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            return None
        name = statement.targets[0].id
        tests = (each for each in enumerate(rest) if isinstance(each[1], ast.If) and _is_about(each[1].test, name))
        at, test = next(tests, (0, None))
        return _of_the_child(test, name, rest[at + 1 :]) if isinstance(test, ast.If) else None
    return None


def _is_about(test: ast.expr, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(test))


def _of_the_child(branch: ast.If, name: str | None, rest: Sequence[ast.stmt]) -> list[ast.stmt] | None:
    """`if pid == 0:` is the child's; after `if pid: … return` all that follows is."""
    test = branch.test
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    compared = test.ops[0] if isinstance(test, ast.Compare) and _is_zero(test.comparators[0]) else None
    if negated or isinstance(compared, ast.Eq):
        leaves = isinstance(branch.body[-1], _LEAVES)
        return list(branch.body) if leaves else [*branch.body, *rest]
    if isinstance(compared, (ast.Gt, ast.NotEq)) or isinstance(test, (ast.Name, ast.Call)):
        if branch.orelse:
            return list(branch.orelse)
        return list(rest) if isinstance(branch.body[-1], _LEAVES) and rest else None
    return None


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


def signal_forked(machine: Machine, child: Thing, name: str | None, node: ast.AST) -> None:
    """`os.kill(pid, signal.SIGTERM)`: whether the child ends of it."""
    if not machine.arrived or machine.bodies:
        return
    machine.close(child, "end")
    machine.act("stop-child", text_of(node), node)
    machine.write(child.store, "#ended", ends_of(machine, child, name))


def _point(machine: Machine, awaited: Sequence[Thing], node: ast.AST) -> Point:
    point = Point(node, machine.module, "os.wait", None, text_of(node))
    point.joins = tuple(awaited)
    return point


@model("os.wait", "os.waitpid")
def _wait(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    path = path_of(function)
    if len(args) > 1 and path_of(args[1]) == "os.WNOHANG":
        if machine.arrived and not machine.aside and machine.loops and not machine.loops[-1].hit:
            machine.leaving.append(_point(machine, _children(machine), node))
        return items("tuple", [FROM_OUTSIDE, FROM_OUTSIDE])
    children = _children(machine)
    if not children or machine.aside:
        return block(machine, function, table("python")["wait"][path], args, keywords, node)
    named = args[0] if args and isinstance(args[0], Thing) else None
    awaited = [named] if named is not None else children
    point = _point(machine, awaited, node)

    def gone() -> list[Thing]:
        return [child for child in awaited if child.store.get("#ended") is not None and "#reaped" not in child.store]

    def ready() -> bool | Unknown:
        if not machine.arrived:
            return False
        answers = [machine.truth(child.store["#ended"]) for child in gone()]
        told = [child for child in awaited if "#ended" in child.store]
        if not told:
            answers = [finishes(machine, child, node) for child in awaited if "#reaped" not in child.store]
        if True in answers:
            return True
        return next((answer for answer in answers if isinstance(answer, Unknown)), False)

    if machine.arrived and all("#reaped" in child.store for child in awaited):
        raise stuck(point, "wait", LOST)
    machine.wait(point, ready=ready, comes_back=True)
    if not machine.arrived:
        return items("tuple", [named or FROM_OUTSIDE, FROM_OUTSIDE])
    first = next((child for child in gone() if machine.truth(child.store["#ended"]) is True), None)
    if first is None:
        return items("tuple", [named or FROM_OUTSIDE, FROM_OUTSIDE])
    machine.write(first.store, "#reaped", TRUE)
    takes = first.store.get("#takes", Const(0))
    if machine.delay is not None and isinstance(takes, Const):
        machine.delay = None if takes.value is None else max(machine.delay, takes.value)
    return items("tuple", [first, Const(0)])
