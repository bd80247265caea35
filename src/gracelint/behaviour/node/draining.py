"""Loops of a handler that wait until a counter of running requests or jobs has come down."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.node.doing import seconds_of
from gracelint.behaviour.node.state import Frame, Stop, Thrown
from gracelint.behaviour.node.syntax import name_of, once
from gracelint.behaviour.node.values import After, Closure, Scope
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.syntax import File
    from gracelint.behaviour.node.values import Thing


def counts_requests(machine: Machine, test: Node | None, frame: Frame) -> bool | None:
    """What a test of a counter of running requests says: True where there are some, False where there are none."""
    while test is not None and test.type == "parenthesized_expression" and test.named_children:
        test = test.named_children[0]
    if test is None or not machine.stopping:
        return None
    if test.type == "unary_expression" and text_of(test).startswith("!"):
        some = counts_requests(machine, test.child_by_field_name("argument"), frame)
        return None if some is None else not some
    if test.type == "binary_expression":
        left, right = test.child_by_field_name("left"), test.child_by_field_name("right")
        operator, number = test.child_by_field_name("operator"), text_of(right) if right is not None else ""
        some = counts_requests(machine, left, frame)
        kind = text_of(operator) if operator is not None else ""
        return _COUNTS.get((kind.replace("===", "==").replace("!==", "!="), number)) if some else None
    name = test.child_by_field_name("property") if test.type == "member_expression" else test
    if name is not None and name is not test and text_of(name) == "size":
        owner = test.child_by_field_name("object")
        return True if owner is not None and name_of(owner) in worked_off(machine) else None
    return True if name is not None and text_of(name) in machine.running - machine.counting else None


def worked_off(machine: Machine) -> frozenset[str]:
    """The sets and maps that work puts something into, and takes it out again when it is done."""
    found = [_filled_and_emptied(file) for file in machine.parsed.values() if file is not None]
    return frozenset().union(*(put for put, _ in found)) & frozenset().union(*(taken for _, taken in found))


@once
def _filled_and_emptied(file: File) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(_PUTS.findall(file.source.text)), frozenset(_TAKES.findall(file.source.text))


_PUTS = pattern(r"([\w$]{1,80})(?:\?\.|\.)(?:add|set)\(")
_TAKES = pattern(r"([\w$]{1,80})(?:\?\.|\.)delete\(")


_COUNTS = {
    (">", "0"): True, (">=", "1"): True, ("!=", "0"): True, ("==", "0"): False, ("<=", "0"): False, ("<", "1"): False,
}  # fmt: skip


def is_fed(machine: Machine, test: Node | None) -> bool | None:
    """Whether an interval or a loop that nobody has stopped keeps what a test waits for above zero; None: perhaps."""
    from gracelint.behaviour.node.statements import again

    names = {text_of(here) for here in walk(test)} & machine.running if test is not None else set()
    let_go = {id(event.thing) for event in machine.events if event.kind == "release"} | set(machine.resolved)
    for thing in list(machine.things):
        if not thing.alive or not thing.certain or id(thing) in let_go or thing.data is None:
            continue
        seen, machine.counted_up = len(machine.events), set()
        pending, floating, called = list(machine.pending), list(machine.floating), set(machine.called)
        if thing.kind == "interval" and isinstance(thing.data, tuple):
            function, args, _, file = thing.data
            machine.task(function, args, Frame(Scope(), file), ())
        elif thing.kind == "loop":
            again(machine, thing)
        del machine.events[seen:]
        machine.pending, machine.floating, machine.called = pending, floating, called
        if machine.counted_up & names:
            return _overlaps(machine, thing)
    return False


def is_filled(machine: Machine, test: Node | None) -> bool:
    """Whether an interval that nobody has stopped goes on to put something into a set that is to become empty."""
    names = {text_of(here) for here in walk(test) if here.type.endswith("identifier")} if test is not None else set()
    let_go = {id(event.thing) for event in machine.events if event.kind == "release"} | set(machine.resolved)
    for thing in machine.things:
        if thing.kind != "interval" or not thing.alive or id(thing) in let_go or not isinstance(thing.data, tuple):
            continue
        function = thing.data[0]
        if isinstance(function, Closure) and names & set(_PUTS.findall(text_of(function.node))):
            return True
    return False


def _overlaps(machine: Machine, thing: Thing) -> bool | None:
    """Whether the next job begins before the last is done; None where the source does not say how long one takes."""
    if thing.kind != "interval":
        return True
    function, _, seconds, _ = thing.data
    takes = seconds_of(machine, function) if isinstance(function, Closure) else 0.0
    return takes >= seconds if seconds and takes else None


def drained_requests(machine: Machine, node: Node, frame: Frame) -> tuple[After, ...]:
    """What has happened once the counter is zero: every server has answered its requests, or jobs are done."""
    serving = [thing for thing in machine.things if thing.kind == "server" and thing.alive]
    drained = tuple(After("drained", frame.file.span(node), thing) for thing in serving)
    return drained or (After("work", frame.file.span(node)),)


def conjuncts(test: Node | None) -> list[Node]:
    """The parts of a test that all have to hold."""
    while test is not None and test.type == "parenthesized_expression" and test.named_children:
        test = test.named_children[0]
    if test is None:
        return []
    operator = test.child_by_field_name("operator") if test.type == "binary_expression" else None
    if operator is None or text_of(operator) != "&&":
        return [test]
    return [*conjuncts(test.child_by_field_name("left")), *conjuncts(test.child_by_field_name("right"))]


def within(
    machine: Machine, limits: list[Node], body: Node, frame: Frame, node: Node, drained: tuple[After, ...]
) -> After:
    """A wait for requests that gives up after so many rounds (`i < 50`); unknown where the limit is another."""
    over = Frame(Scope(frame.scope), frame.file, (), frame.this)
    seen = len(machine.events)
    try:
        machine.execute(body, over)
    except (Stop, Thrown):
        return After("unknown", frame.file.span(node))
    finally:
        del machine.events[seen:]
    takes = sum(part.seconds or 0.0 for part in over.after if part.kind == "timer")
    numbers = [float(text_of(here)) for limit in limits for here in walk(limit) if here.type == "number"]
    span = frame.file.span(node)
    if len(limits) != 1 or len(numbers) != 1 or any(here.type == "call_expression" for here in walk(limits[0])):
        return After("unknown", span)
    return After("race", span, parts=(drained, (After("timer", span, None, numbers[0] * takes),)))
