"""Where a signal finds a program."""

from __future__ import annotations

from gracelint.behaviour.python.ends import STUCK, End, Point
from gracelint.behaviour.python.values import CERTAIN, LOST, OUTSIDE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast

    from gracelint.behaviour.python.machine import Machine

_POINTS = 6
LONG = 10.0
"""Seconds that make a single sleep a place to be found in."""


def candidates(machine: Machine, ends: list[End]) -> list[Point]:
    """The places where the program spends its life: the signal will find it at one of them."""
    points = machine.facts.points
    after = points[machine.facts.installed_at or 0 :]
    if not any(end.kind == STUCK and end.tag == CERTAIN for end in ends) and after:
        points = [*(p for p in points[: machine.facts.installed_at or 0] if _is_last(p, ends)), *after]
    seen: dict[int, Point] = {}
    for point in points:
        known = seen.get(id(point.node))
        if known is None or point.tag < known.tag:
            seen[id(point.node)] = point
    unique = list(seen.values())
    around: dict[str, set[ast.AST]] = {}
    for point in unique:
        around.setdefault(point.kind, set()).update(loop.node for loop in point.loops)
    unique = [point for point in unique if not _is_visit(point, around)]
    final = next((end.point for end in ends if end.kind == STUCK and end.tag == CERTAIN), None)
    if final is not None:
        inside = [p for p in unique if p is final or any(loop.node is final.node for loop in p.loops)]
        steady = [p for p in inside if not _is_passing(p, final)]
        return (steady or inside or [final])[:_POINTS]
    lasting = [p for p in unique if p.loops or (p.seconds is None and p.tag != LOST) or (p.limit or 0) >= LONG]
    weak = [p for p in lasting if p.tag < LOST]
    return (weak or lasting)[-_POINTS:]


def elsewhere(machine: Machine, ends: list[End]) -> list[Point]:
    """Where the program stays on ways that it may take instead of the certain one."""
    ways = [end for end in ends if end.kind == STUCK and end.tag == OUTSIDE]
    sure = candidates(machine, ends)
    found = {id(point.node): point for point in machine.facts.points if point not in sure and _is_last(point, ways)}
    return list(found.values())[:_POINTS]


def _is_last(point: Point, ends: list[End]) -> bool:
    """Whether a way of the program ends there, on which the handler that another installs is not."""
    lasts = [end.point for end in ends if end.kind == STUCK and end.point is not None]
    return any(point is last or any(loop.node is last.node for loop in point.loops) for last in lasts)


def _is_visit(point: Point, around: dict[str, set[ast.AST]]) -> bool:
    """A read that does not wait for long: select() has named what is read, or accept() has just taken its peer.

    `around` says in which loops the program waits, for each kind of wait.
    """
    if point.kind == "elsewhere" and not around.keys().isdisjoint(("select", "poll")):
        return True
    waits = {"accept": ("select", "poll"), "recv": ("select", "poll", "accept"), "read": ("select", "poll")}
    loops = {loop.node for loop in point.loops}
    return any(not loops.isdisjoint(around.get(kind, ())) for kind in waits.get(point.kind, ()))


def _is_passing(point: Point, final: Point) -> bool:
    """A wait in a retry loop within the main loop: the world outside lets it pass."""
    return point is not final and bool(point.loops) and point.loops[-1].node is not final.node and point.tag != CERTAIN


def passing(machine: Machine, ends: list[End]) -> list[Point]:
    """Where retry loops sleep that the program comes through on its way to its main loop, or again and again."""
    if not any(end.kind == STUCK and end.tag == CERTAIN for end in ends):
        return []
    lasting = {id(point.node) for point in candidates(machine, ends)}
    points = machine.facts.points[machine.facts.installed_at or 0 :]
    found = {id(point.node): point for point in points if point.kind == "sleep" and point.loops and point.excepting}
    return [point for key, point in found.items() if key not in lasting]
