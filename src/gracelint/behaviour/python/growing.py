"""Pauses that grow from round to round: `time.sleep(delay); delay = min(delay * 2, 60)`."""

from __future__ import annotations

import ast
import math

from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.streams import last_name
from gracelint.behaviour.python.values import Const
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine


_SHORT = 10
"""Seconds: Docker's grace period."""


def outgrown(signal: str, machine: Machine, point: Point) -> Reaction | None:
    """The end by a handler that is only seen once such a pause is over; None where it does not grow.

    One that grows for as long as something fails is not always that long.
    """
    seconds = most(machine, point)
    if seconds is None or seconds <= (point.limit or 0):
        return None
    if seconds == math.inf or (point.excepting and (point.limit or 0) < _SHORT <= seconds):
        grows = "grows without a bound" if seconds == math.inf else f"grows up to {seconds:g} s"
        why = f"how long `{point.what}` takes is only known when it runs: it {grows}"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, point.span)
    why = f"its handler for {signal} is seen within {seconds:g} s, when `{point.what}` returns"
    delay = (machine.delay or 0.0) - (point.limit or 0.0) + seconds
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, point.span, delay=delay)


def most(machine: Machine, point: Point) -> float | None:
    """The seconds that a pause comes to in the end, infinity where nothing bounds it; None where it does not grow."""
    if point.kind != "sleep" or not isinstance(point.node, ast.Call) or len(point.node.args) != 1:
        return None
    name = ast.unparse(point.node.args[0])
    if not isinstance(point.node.args[0], (ast.Name, ast.Attribute)):
        return None
    for loop in reversed(point.loops):
        parts = [*ast.walk(loop.node)]
        if any(_raises(part, name) for part in parts):
            bounds = [bound for part in parts for bound in _bounds(machine, point, part, name)]
            return min(bounds, default=math.inf)
    return None


def _raises(part: ast.AST, name: str) -> bool:
    """`delay *= 2`, `delay = min(delay * 2, 60)`"""
    if isinstance(part, ast.AugAssign):
        return ast.unparse(part.target) == name and isinstance(part.op, (ast.Mult, ast.Add))
    if not isinstance(part, ast.Assign) or ast.unparse(part.targets[0]) != name:
        return False
    raised = (each for each in ast.walk(part.value) if isinstance(each, ast.BinOp))
    return any(
        isinstance(each.op, (ast.Mult, ast.Add)) and name in map(ast.unparse, (each.left, each.right))
        for each in raised
    )


def _bounds(machine: Machine, point: Point, part: ast.AST, name: str) -> Iterator[float]:
    """What bounds it: the other argument of `min`, or what it is set to where it has passed that."""
    given: list[ast.expr] = []
    if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == name and isinstance(part.value, ast.Call):
        given = part.value.args if last_name(part.value.func) == "min" else []
    elif isinstance(part, ast.If) and isinstance(part.test, ast.Compare) and ast.unparse(part.test.left) == name:
        sets = (line for line in part.body if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == name)
        given = [line.value for line in sets]
    for value in given:
        number = _number(machine, point, value)
        if number is not None:
            yield number


def _number(machine: Machine, point: Point, node: ast.expr) -> float | None:
    """A number, or a name of the module's that stands for one."""
    known: object = node.value if isinstance(node, ast.Constant) else None
    named = machine.stores.get(point.module.name, {}).get(node.id) if isinstance(node, ast.Name) else None
    known = named.value if isinstance(named, Const) else known
    return float(known) if isinstance(known, (int, float)) and not isinstance(known, bool) else None
