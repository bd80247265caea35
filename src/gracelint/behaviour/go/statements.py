"""Statements of Go. Each runs as a generator that yields what it waits for."""

from __future__ import annotations

from functools import partial

from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.interest import ends_here, matters
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.retries import tries
from gracelint.behaviour.go.syntax import expressions as members
from gracelint.behaviour.go.syntax import statements
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine import serving
from gracelint.behaviour.machine.arithmetic import binary, equal
from gracelint.behaviour.machine.branches import each
from gracelint.behaviour.machine.machine import MOST_ENDLESS, MOST_ROUNDS, are_enough, receive, send
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Chan,
    Ctx,
    Doubt,
    OneOf,
    Scope,
    Sig,
    Unknown,
    Wait,
)
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.go.syntax import File
    from gracelint.behaviour.machine.values import Run

_MOST_COUNTED = 4096
_LIGHT = ("cancel(", "stop(", "ticker.", "timer.", "wg.", "signal.", "close(", "mu.")
"""Deferred calls that nobody misses when the program has ended."""


class Frame:
    """One call: where its text stands, and what it defers."""

    __slots__ = ("deferred", "file", "package", "passed_by", "results")

    def __init__(self, file: File, package: Package) -> None:
        self.file, self.package = file, package
        self.deferred: list[tuple[Callable[[], Run], bool]] = []
        """What it defers, and whether that counts among `machine.defers` until it runs."""
        self.results: list[str] = []
        self.passed_by: list[Node] = []
        """The returns of guards that were not taken, although nobody can tell their conditions."""


def block(machine: GoMachine, frame: Frame, node: Node | None, scope: Scope) -> Run:
    for statement in statements(node):
        flow = yield from run(machine, frame, statement, scope)
        if flow is not None:
            return flow
    return None


def run(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    machine.step()
    how = _BY_TYPE.get(node.type)
    if how is not None:
        flow = yield from how(machine, frame, node, scope)
        return flow
    return None


def _expression(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    for child in node.named_children:
        yield from expressions.evaluate(machine, frame, child, scope)
    return None


def _block(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    flow = yield from block(machine, frame, node, Scope(scope))
    return flow


def _short(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    names = members(node.child_by_field_name("left"))
    values = yield from _values(machine, frame, node.child_by_field_name("right"), scope, len(names))
    for name, value in zip(names, values, strict=False):
        if text_of(name) != "_":
            scope.names[text_of(name)] = value
    return None


def _values(machine: GoMachine, frame: Frame, node: Node | None, scope: Scope, count: int) -> Run:
    """The values of a list of expressions, as many as there are names."""
    values: list[Any] = []
    for child in members(node):
        value = yield from expressions.evaluate(machine, frame, child, scope)
        values.append(value)
    if len(values) == 1 and count > 1:
        value = values[0]
        values = list(value) if isinstance(value, tuple) else [value, *[UNKNOWN] * (count - 1)]
    values = [value[0] if isinstance(value, tuple) and value and count == len(values) else value for value in values]
    return [*values, *[UNKNOWN] * (count - len(values))]


def _assign(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    targets = members(node.child_by_field_name("left"))
    values = yield from _values(machine, frame, node.child_by_field_name("right"), scope, len(targets))
    operator = node.child_by_field_name("operator")
    sign = text_of(operator).removesuffix("=").replace("/", "//")
    for target, value in zip(targets, values, strict=False):
        new = value
        if sign:
            before = yield from expressions.evaluate(machine, frame, target, scope)
            new = binary(sign, before, value)
        yield from expressions.assign(machine, frame, target, new, scope)
    return None


def _var(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    specs = [
        child for one in node.named_children for child in (one, *one.named_children) if child.type.endswith("_spec")
    ]
    for spec in specs:
        names = [text_of(name) for name in spec.children_by_field_name("name")]
        value = spec.child_by_field_name("value")
        if value is None:
            of = spec.child_by_field_name("type")
            for name in names:
                scope.names[name] = expressions.zero(machine, frame.file, frame.package, of)
            continue
        values = yield from _values(machine, frame, value, scope, len(names))
        scope.names.update(zip(names, values, strict=False))
    return None


def _increase(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    target = node.named_children[0]
    value = yield from expressions.evaluate(machine, frame, target, scope)
    step = 1 if node.type == "inc_statement" else -1
    yield from expressions.assign(machine, frame, target, binary("+", value, step), scope)
    return None


def _return(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    values: list[Any] = []
    for child in members(node.named_children[0] if node.named_children else None):
        value = yield from expressions.evaluate(machine, frame, child, scope)
        values.append(value)
    if not values and frame.results:
        values = [expressions.lookup(name, scope) for name in frame.results]
    return ("return", values[0] if len(values) == 1 else tuple(values) if values else NIL)


def _leave(_: GoMachine, __: Frame, node: Node, ___: Scope) -> Run:
    yield from ()
    label = text_of(node.named_children[0]) if node.named_children else ""
    return (node.type.removesuffix("_statement"), label)


def _go(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    call = node.named_children[0]
    late = yield from expressions.prepare(machine, frame, call, scope)
    span = frame.file.span(node)
    if machine.accepted:
        machine.accepted = False
        body = yield from _body(machine, frame, call, scope)
        if body is not None and ".Add(1)" in text_of(body.node):
            thread = machine.start(late(), span)
            machine.greeting[thread] = span
        else:
            thread = machine.start(serving.request(machine, span, late()), span)
        machine.connections[thread] = 0
    else:
        thread = machine.start(late(), span)
        thread.body = yield from _body(machine, frame, call, scope)
        if _is_one_of_many(node):
            machine.handed.add(thread)
    return None


def _is_one_of_many(start: Node) -> bool:
    """Whether a loop with an end starts a goroutine for each of its rounds."""
    here = start.parent
    while here is not None and here.type not in ("for_statement", "func_literal", "function_declaration"):
        here = here.parent
    return here is not None and here.type == "for_statement" and len(here.named_children) > 1


def _body(machine: GoMachine, frame: Frame, call: Node, scope: Scope) -> Run:
    """The program's function that a `go` statement calls."""
    callee = call.child_by_field_name("function")
    if callee is None or callee.type not in ("func_literal", "identifier", "selector_expression"):
        return None
    function = yield from expressions.evaluate(machine, frame, callee, scope)
    return function if isinstance(function, Func) else None


def _defer(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    late = yield from expressions.prepare(machine, frame, node.named_children[0], scope)
    of_main = machine.current is not None and machine.current.main
    heavy = of_main and not text_of(node.named_children[0]).startswith(_LIGHT)
    machine.defers += heavy
    frame.deferred.append((late, heavy))
    return None


def _if(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    scope = Scope(scope)
    start = node.child_by_field_name("initializer")
    if start is not None:
        yield from run(machine, frame, start, scope)
    condition = node.child_by_field_name("condition")
    then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    truth = known = yield from _truth(machine, frame, condition, scope, then, other)
    if truth is None:
        unknown = _compared_with_nil(condition)
        truth = yield from _either(machine, frame, then, other, scope, unknown)
        if not isinstance(truth, bool):
            return truth
    is_main = machine.current is not None and machine.current.main
    if machine.stopping or not is_main:
        machine.tried += [(span, is_main) for span in tries(frame.file, node)]
    branch, left_out = (then, other) if truth else (other, then)
    machine.passes(frame.file, branch, [left_out] if known is not None else [])
    if branch is None:
        return None
    flow = yield from run(machine, frame, branch, scope)
    return flow


def _truth(machine: GoMachine, frame: Frame, condition: Node | None, scope: Scope, *parts: Node | None) -> Run:
    """Whether a condition holds on which parts depend; None where nobody can tell."""
    value = yield from expressions.evaluate(machine, frame, condition, scope)
    if isinstance(value, OneOf) and any(part is not None and matters(machine, frame, part) for part in parts):
        value = machine.settle(value)
    if condition is not None and machine.stopping and any(_decides(machine, frame, part) for part in parts):
        machine.counts(one.id for one in walk(condition))
    return value if isinstance(value, bool) else None


def _decides(machine: GoMachine, frame: Frame, part: Node | None) -> bool:
    return part is not None and (ends_here(part) or matters(machine, frame, part))


def _compared_with_nil(condition: Node | None) -> frozenset[str]:
    """`x` of `x != nil`."""
    right = condition.child_by_field_name("right") if condition is not None else None
    left = condition.child_by_field_name("left") if condition is not None else None
    return frozenset([text_of(left)]) if left is not None and right is not None and right.type == "nil" else frozenset()


def _either(
    machine: GoMachine, frame: Frame, then: Node | None, other: Node | None, scope: Scope, unknown: frozenset[str]
) -> Run:
    """Which branch to take where a condition cannot be told; what bears on nothing is run, one after the other."""
    interesting = [
        branch for branch in (then, other) if branch is not None and matters(machine, frame, branch, unknown)
    ]
    if interesting:
        return machine.choose(2, interesting[0].id) == 0
    for branch, truth in ((then, False), (other, True)):
        if branch is not None and ends_here(branch):
            _passes_by(frame, branch)
            machine.goes_past(frame.file, branch)
            return truth
    runs = [partial(run, machine, frame, branch, scope) for branch in (then, other) if branch is not None]
    yield from each(machine, runs, more=len(runs) == 1)
    return None


def _for(machine: GoMachine, frame: Frame, node: Node, scope: Scope, label: str = "") -> Run:
    scope = Scope(scope)
    body = node.child_by_field_name("body")
    clause = next((child for child in node.named_children if child is not body and child.type != "comment"), None)
    if clause is not None and clause == body:
        clause = None
    if clause is not None and clause.type == "range_clause":
        flow = yield from _range(machine, frame, node, clause, body, scope, label)
        return flow
    condition: Node | None = clause
    update: Node | None = None
    if clause is not None and clause.type == "for_clause":
        start = clause.child_by_field_name("initializer")
        condition, update = clause.child_by_field_name("condition"), clause.child_by_field_name("update")
        if start is not None:
            yield from run(machine, frame, start, scope)
    rounds, steady, began = 0, 0, machine.now
    while True:
        machine.step()
        truth: bool | None = True
        if condition is not None:
            truth = yield from _truth(machine, frame, condition, scope, node)
        if truth is None:
            # of a loop that matters and counts nothing nobody can tell how often it runs: once, or for ever
            if rounds == 0 and update is None:
                steady = machine.choose(2, node.id) if matters(machine, frame, node) else 0
            truth = rounds == 0 or steady == 1
        if truth is False:
            if update is not None:
                machine.completes(began)
            return None
        before = machine.now
        flow = yield from block(machine, frame, body, Scope(scope))
        if flow is not None:
            if flow[0] in ("break", "continue") and flow[1] in ("", label):
                if flow[0] == "break":
                    return None
            else:
                return flow
        if update is not None:
            yield from run(machine, frame, update, scope)
        rounds = rounds + 1 if machine.now == before else 1
        if rounds % (MOST_ENDLESS if condition is None or steady == 1 else MOST_ROUNDS) == 0:
            # it never waits: the others have their turn, and it looks again later
            span = frame.file.span(node)
            until = machine.now + 0.1
            yield _pause(machine, span, until, node.id)


def _pause(machine: GoMachine, span: Any, until: float, node: int) -> Wait:
    return Wait("loop", span, lambda: machine.now >= until, at=lambda: until, node=node)


def _range(
    machine: GoMachine, frame: Frame, node: Node, clause: Node, body: Node | None, scope: Scope, label: str
) -> Run:
    over = yield from expressions.evaluate(machine, frame, clause.child_by_field_name("right"), scope)
    names = [text_of(name) for name in members(clause.child_by_field_name("left"))]
    items: list[Any] | None = None
    counted, start = False, machine.now
    if isinstance(over, OneOf) and matters(machine, frame, node):
        over = machine.settle(over)
    if isinstance(over, (list, tuple)):
        items = [*enumerate(over)]
    elif isinstance(over, dict):
        items = [*over.items()]
    elif isinstance(over, int) and not isinstance(over, bool):
        items = [(index, UNKNOWN) for index in range(min(over, _MOST_COUNTED))]
        counted = True
    elif not isinstance(over, Chan):
        items = [(UNKNOWN, UNKNOWN)]
        if body is not None and not matters(machine, frame, body):
            yield from each(machine, [partial(block, machine, frame, body, Scope(scope))], more=True)
            return None
    rounds = 0
    while items is None or rounds < len(items):
        machine.step()
        machine.notes(node.id, rounds)
        machine.counts((node.id,))
        if counted and are_enough(machine, rounds, start):
            return None
        inner = Scope(scope)
        if items is None:
            assert isinstance(over, Chan)
            channel = over
            value = yield from receive(machine, channel, frame.file.span(clause), node.id)
            if value is NIL and channel.closed and not channel.queue:
                return None
            inner.names.update(dict.fromkeys(names[:1], value))
        else:
            inner.names.update(zip(names, items[rounds], strict=False))
        rounds += 1
        flow = yield from block(machine, frame, body, inner)
        if flow is not None:
            if flow[0] in ("break", "continue") and flow[1] in ("", label):
                if flow[0] == "break":
                    return None
            else:
                return flow
    return None


def _labeled(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    label, inner = text_of(node.named_children[0]), node.named_children[-1]
    if inner.type == "for_statement":
        flow = yield from _for(machine, frame, inner, scope, label)
    else:
        flow = yield from run(machine, frame, inner, scope)
        if flow is not None and flow == ("break", label):
            return None
    return flow


def _passes_by(frame: Frame, branch: Node | None) -> None:
    """A branch that nobody can tell to be taken is not: what it returns is another result of the function."""
    frame.passed_by += [one for one in statements(branch)[-1:] if one.type == "return_statement"]


def _switch(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    scope = Scope(scope)
    start, over = node.child_by_field_name("initializer"), node.child_by_field_name("value")
    if start is not None:
        yield from run(machine, frame, start, scope)
    value: Any = True
    if over is not None:
        value = yield from expressions.evaluate(machine, frame, over, scope)
    cases = [child for child in node.named_children if child.type in ("expression_case", "type_case", "default_case")]
    chosen: Node | None = None
    unsure: list[Node] = []
    for case in cases:
        if case.type != "expression_case":
            if case.type == "type_case":
                unsure.append(case)
            continue
        for option in members(case.child_by_field_name("value")):
            its = yield from expressions.evaluate(machine, frame, option, scope)
            same = its if over is None else equal(value, its)
            if same is True and not unsure:
                chosen = case
            elif not isinstance(same, bool) and case not in unsure:
                unsure.append(case)
        if chosen is not None:
            break
    default = next((case for case in cases if case.type == "default_case"), None)
    if chosen is None and unsure:
        options: list[Node | None] = [*unsure, default]
        interesting = [one for one in options if one is not None and matters(machine, frame, one)]
        if not interesting:
            yield from _any_case(machine, frame, options, scope)
            return None
        chosen = options[machine.choose(len(options), node.id)]
    elif chosen is None:
        chosen = default
    machine.passes(frame.file, chosen, [] if unsure else [case for case in cases if case is not chosen])
    if chosen is None:
        return None
    flow = yield from _case(machine, frame, chosen, Scope(scope))
    return None if flow == ("break", "") else flow


def _any_case(machine: GoMachine, frame: Frame, options: list[Node | None], scope: Scope) -> Run:
    """What bears on nothing is run, one after the other, but for what leaves more than the switch."""
    for one in options:
        _passes_by(frame, one)
    ends = [last for one in options for last in statements(one)[-1:] if _leaves(last)]
    for last in ends:
        machine.goes_past(frame.file, last)
    cases = [one for one in options if one is not None and not any(map(_leaves, statements(one)[-1:]))]
    runs = [partial(_case, machine, frame, one, Scope(scope)) for one in cases]
    yield from each(machine, runs, more=None in options)


def _leaves(statement: Node) -> bool:
    return statement.type != "break_statement" and ends_here(statement)


def _case(machine: GoMachine, frame: Frame, case: Node, scope: Scope) -> Run:
    skipped = case.children_by_field_name("value") + case.children_by_field_name("type")
    skipped += case.children_by_field_name("communication")
    for statement in [one for one in statements(case) if one not in skipped]:
        flow = yield from run(machine, frame, statement, scope)
        if flow is not None:
            return flow
    return None


def _select(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    cases = [child for child in node.named_children if child.type in ("communication_case", "default_case")]
    ways: list[tuple[Node, Any]] = []
    default: Node | None = None
    for case in cases:
        communication = case.child_by_field_name("communication")
        if communication is None:
            default = case
            continue
        target = _channel_of(communication)
        channel: Any = NIL
        if target is not None:
            channel = yield from expressions.evaluate(machine, frame, target, scope)
        ways.append((case, channel))
    span = frame.file.span(node)
    unknown = next((one for _, one in ways if isinstance(one, Unknown)), None)
    if unknown is not None and len(ways) == 1 and default is None:
        raise Doubt(f"line {span.line} waits for a channel that nobody can tell", span)

    def ready() -> list[tuple[Node, Any]]:
        return [way for way in ways if _is_ready(machine, way)]

    def at() -> float | None:
        times = [time for _, one in ways if (time := _time(one)) is not None]
        return min(times, default=None)

    if default is not None:
        # whoever polls lets the others go on
        machine.polled += [one for _, one in ways if one in machine.unbuffered and one not in machine.polled]
        if not ready():
            flow = yield from _case(machine, frame, default, Scope(scope))
            return None if flow == ("break", "") else flow
    else:
        wait = Wait("select", span, lambda: bool(ready()), at=at, node=node.id)
        wait.takes = tuple(one for case, one in ways if isinstance(one, (Chan, Ctx, Unknown)) and not _sends(case))
        yield wait
    case, channel = max(ready(), key=lambda way: _is_news(machine, way[1]))
    its = _time(channel)
    if default is None and machine.stopping and machine.current is not None and (its is None or its > machine.now):
        # a timer may have been due in the same moment
        machine.current.told = True
        machine.given_up_at.append((frame.file, node, case))
    inner = Scope(scope)
    communication = case.child_by_field_name("communication")
    assert communication is not None
    if communication.type == "send_statement":
        yield from _send(machine, frame, communication, inner)
    else:
        value = machine.take(channel) if isinstance(channel, Chan) else NIL
        names = members(communication.child_by_field_name("left"))
        for index, name in enumerate(names):
            open_ = not (isinstance(channel, Chan) and channel.closed and value is NIL)
            inner.names[text_of(name)] = value if index == 0 else open_
    flow = yield from _case(machine, frame, case, inner)
    return None if flow == ("break", "") else flow


def _is_news(machine: GoMachine, channel: Any) -> int:
    """What the signal has brought about comes before a timer that is due as well."""
    if isinstance(channel, Chan):
        return 2 if any(isinstance(one, Sig) for one in channel.queue) else 1 if channel.at is None else 0
    return 2


def _time(channel: Any) -> float | None:
    if isinstance(channel, Chan):
        return channel.at
    return channel.deadline if isinstance(channel, Ctx) else None


def _is_ready(machine: GoMachine, way: tuple[Node, Any]) -> bool:
    case, channel = way
    if _sends(case):
        return isinstance(channel, Chan) and (
            len(channel.queue) < channel.room or (channel.room == 0 and _is_awaited(machine, channel))
        )
    if isinstance(channel, Ctx):
        return channel.ends(machine.now)
    return isinstance(channel, Chan) and channel.ready(machine.now)


def _sends(case: Node) -> bool:
    communication = case.child_by_field_name("communication")
    return communication is not None and communication.type == "send_statement"


def _is_awaited(machine: GoMachine, channel: Chan) -> bool:
    """Whether a goroutine stands ready to take what is sent to a channel without room."""
    waits = (one.wait for one in machine.threads if one.wait is not None)
    return not channel.queue and any(channel in wait.takes and not wait.ready() for wait in waits)


def _channel_of(communication: Node) -> Node | None:
    if communication.type == "send_statement":
        return communication.child_by_field_name("channel")
    right = communication.child_by_field_name("right") or communication
    while right.type in ("expression_statement", "expression_list", "receive_statement", "parenthesized_expression"):
        right = right.named_children[-1]
    return right.child_by_field_name("operand")


def _send(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    channel = yield from expressions.evaluate(machine, frame, node.child_by_field_name("channel"), scope)
    value = yield from expressions.evaluate(machine, frame, node.child_by_field_name("value"), scope)
    if isinstance(channel, Chan) and channel.closed and machine.stopping:
        from gracelint.behaviour.go.absent import panic

        panic(machine, frame.file.span(node))
    yield from send(machine, channel, value, frame.file.span(node))
    return None


_BY_TYPE: dict[str, Callable[[GoMachine, Frame, Node, Scope], Run]] = {
    "expression_statement": _expression,
    "block": _block,
    "short_var_declaration": _short,
    "assignment_statement": _assign,
    "var_declaration": _var,
    "const_declaration": _var,
    "inc_statement": _increase,
    "dec_statement": _increase,
    "return_statement": _return,
    "break_statement": _leave,
    "continue_statement": _leave,
    "go_statement": _go,
    "defer_statement": _defer,
    "if_statement": _if,
    "for_statement": _for,
    "labeled_statement": _labeled,
    "expression_switch_statement": _switch,
    "type_switch_statement": _switch,
    "select_statement": _select,
    "send_statement": _send,
    "receive_statement": _expression,
}
