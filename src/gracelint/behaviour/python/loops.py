"""How the machine goes round loops."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.delivery import deliver
from gracelint.behaviour.python.ends import BREAK, CONTINUE, FINAL, NORMAL, RAISE, STUCK, End, Leave, Loop, Point, stuck
from gracelint.behaviour.python.expressions import compared
from gracelint.behaviour.python.objects import length_of, like_others
from gracelint.behaviour.python.values import (
    CERTAIN,
    ELEMENTS,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
    OUTSIDE,
    Error,
    Function,
    Later,
    Thing,
    Unknown,
    Value,
    same,
)
from gracelint.behaviour.python.waits import child_ended, endless_iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.values import Store

_ROUNDS = 4
"""Most turns of a loop."""


def run_while(machine: Machine, node: ast.While) -> list[End]:
    def enter() -> bool | Unknown:
        resuming = machine.resuming
        truth = machine.truth(machine.eval(node.test))
        machine.forced = truth is False and resuming and machine.resuming
        return machine.forced or truth

    drains = machine.arrived and not machine.aside and not machine.handling
    ends = go_round(machine, node, enter, lambda: machine.block(node.body), node.orelse)
    counter = _stays_above(machine, node.test) if drains else None
    machine.facts.counted |= drains and counter is None and _counts_requests(machine, node.test)
    if counter is not None:
        machine.doubt(f"whether `{counter}` ever comes down is only known when it runs")
        end = End(STUCK, LOST)
        end.point, end.cause = Point(node, machine.module, "loop", None, "loop"), "loop"
        ends.append(end)
    return ends


def _stays_above(machine: Machine, test: ast.expr) -> str | None:
    from gracelint.behaviour.python.counters import stays_above

    return stays_above(machine, test)


def _counts_requests(machine: Machine, test: ast.expr) -> bool:
    from gracelint.behaviour.python.counters import counts_requests

    return counts_requests(machine, test)


def run_for(machine: Machine, node: ast.For | ast.AsyncFor) -> list[End]:
    iterable = _iterator(machine, machine.eval(node.iter), node)
    if isinstance(iterable, Later):
        return _for_generator(machine, node, iterable)
    if isinstance(iterable, Thing) and "#call" in iterable.store:
        return _for_calls(machine, node, iterable)
    following = _method(machine, iterable, node, "next")
    if following is not None:
        return _for_iterator(machine, node, following)
    known = machine.elements(iterable)
    if known is not None and len(known) <= ELEMENTS:
        return _for_each(machine, node, known)
    endless = endless_iterable(machine, iterable, node)
    is_filled = known is not None or bool(length_of(iterable))

    def enter() -> bool | Unknown:
        if endless is not None and endless.kind == "signals":
            return _received(machine, endless, iterable)
        if endless is not None:
            outer, machine.awaiting = machine.awaiting, isinstance(node, ast.AsyncFor)
            try:
                if machine.arrived and any(child_ended(machine, child) is True for child in endless.joins):
                    return False
                machine.wait(endless, ready=lambda: LOST_TRACK if _may_end(endless) else False, comes_back=True)
            finally:
                machine.awaiting = outer
            if endless.limit and not machine.fed:
                return False if machine.arrived else FROM_OUTSIDE
            return True if endless.tag == CERTAIN else Unknown(endless.tag)
        return True if is_filled and machine.rounds == 1 else FROM_OUTSIDE

    def body() -> list[End]:
        store = iterable.store if isinstance(iterable, Thing) else {}
        machine.assign(node.target, store.get("#received") or store.get("#each") or like_others(iterable))
        return machine.block(node.body)

    before, machine.rounds, machine.exhausted = machine.delay, 0, False
    mark, arrived = len(machine.trail), machine.arrived
    machine.repeats += 1
    try:
        ends = go_round(machine, node, enter, body, node.orelse, finite=endless is None)
    finally:
        machine.repeats -= 1
    if not is_filled and endless is None and arrived == machine.arrived:
        machine.may_be_left_out(mark)
    if machine.exhausted and machine.arrived and before is not None and machine.delay is not None:
        count = length_of(iterable) or 1
        machine.delay += (machine.delay - before) / machine.rounds * max(count - machine.rounds, 0)
    return ends


def _may_end(endless: Point) -> bool:
    """Whether something endless may end after all: the reader lost track, or the child that gives it was told to."""
    return bool(endless.tag) or any("#signalled" in thing.store for thing in endless.joins)


def _iterator(machine: Machine, iterable: Value, node: ast.For | ast.AsyncFor) -> Value:
    """What a class of the project gives to go through."""
    method = _method(machine, iterable, node, "iter")
    made = machine.call(method, [], {}, node.iter) if method is not None else iterable
    return made if isinstance(made, Later) or _method(machine, made, node, "next") is not None else iterable


def _method(machine: Machine, iterable: Value, node: ast.For | ast.AsyncFor, name: str) -> Function | None:
    """`__iter__` or `__next__` of a class of the project, or what they are called in an `async for`."""
    full = f"__a{name}__" if isinstance(node, ast.AsyncFor) else f"__{name}__"
    method = iterable.cls.find(full) if isinstance(iterable, Thing) and iterable.cls is not None else None
    return method.bind(iterable) if isinstance(method, Function) and method.node not in machine.active else None


def _for_iterator(machine: Machine, node: ast.For | ast.AsyncFor, following: Function) -> list[End]:
    """A loop over an iterator of the project: `__next__` is called until it raises StopIteration."""
    item: Value = FROM_OUTSIDE

    def enter() -> bool | Unknown:
        nonlocal item
        outer, machine.side = machine.side, []
        try:
            item = machine.awaited(machine.call(following, [], {}, node.iter), node)
        except Leave as leave:
            machine.side = outer + [end for end in machine.side if not _is_exhausted(end)]
            others = [end for end in leave.ends if not _is_exhausted(end)]
            if len(others) == len(leave.ends):
                raise
            machine.side += others
            return False
        stops = [end.tag for end in machine.side if _is_exhausted(end)]
        machine.side = outer + [end for end in machine.side if not _is_exhausted(end)]
        return Unknown(min(stops)) if stops else True

    def body() -> list[End]:
        machine.assign(node.target, item)
        return machine.block(node.body)

    return go_round(machine, node, enter, body, node.orelse)


def _is_exhausted(end: End) -> bool:
    stops = ("builtins.StopIteration", "builtins.StopAsyncIteration")
    return end.kind == RAISE and isinstance(end.value, Error) and end.value.dotted in stops


def _received(machine: Machine, point: Point, receiver: Value) -> bool:
    """Waits for the next signal of `open_signal_receiver`: only one comes."""
    assert isinstance(receiver, Thing)
    if machine.rounds > 1 and machine.arrived:
        if "scope cancelled" in machine.world:
            raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
        raise stuck(point, "wait")
    machine.give_way(lambda: machine.wait(point, ready=lambda: "#received" in receiver.store))
    return True


def _for_calls(machine: Machine, node: ast.For | ast.AsyncFor, iterable: Thing) -> list[End]:
    """`for item in iter(queue.get, None)`: calls until the sentinel comes."""
    item: Value = FROM_OUTSIDE

    def enter() -> bool | Unknown:
        nonlocal item
        item = machine.call(iterable.store["#call"], [], {}, node.iter)
        is_last = machine.truth(compared(ast.Eq(), item, iterable.store["#sentinel"]))
        return not is_last if isinstance(is_last, bool) else is_last

    def body() -> list[End]:
        machine.assign(node.target, item)
        return machine.block(node.body)

    return go_round(machine, node, enter, body, node.orelse)


def _for_each(machine: Machine, node: ast.For | ast.AsyncFor, values: list[Value]) -> list[End]:
    """A loop over values that are known."""
    loop = Loop(node, machine.module)
    loop.exits = OUTSIDE
    machine.loops.append(loop)
    ends: list[End] = []
    try:
        for value in values:
            arrived = machine.arrived
            machine.assign(node.target, value)
            step = machine.block(node.body)
            if machine.arrived and not arrived:
                ends = []
            ends += [
                End(NORMAL, end.tag) if end.kind == BREAK else end for end in step if end.kind not in (NORMAL, CONTINUE)
            ]
            if not any(end.kind in (NORMAL, CONTINUE) for end in step):
                return machine.merge(ends)
    finally:
        machine.loops.pop()
    return machine.merge(ends + machine.block(node.orelse))


def _for_generator(machine: Machine, node: ast.For | ast.AsyncFor, generator: Later) -> list[End]:
    """The body runs wherever the project's generator yields."""
    ends: list[End] = []

    def on_yield(value: Value) -> Value:
        frames, machine.frames = machine.frames, machine.frames[: machine.frames.index(frame) + 1]
        try:
            machine.assign(node.target, value)
            step = machine.block(node.body)
        finally:
            machine.frames = frames
        leaving = [end for end in step if end.kind not in (NORMAL, CONTINUE)]
        if len(leaving) == len(step):
            ends.extend(leaving)
            raise Leave([End(RAISE, CERTAIN, Error("builtins.GeneratorExit"))])
        machine.side.extend(End(RAISE, end.tag or OUTSIDE, Error("builtins.GeneratorExit")) for end in leaving)
        ends.extend(end.weaker(OUTSIDE) for end in leaving)
        return NONE

    frame = machine.frame
    try:
        machine.invoke(generator.function, generator.args, generator.keywords, generator.node, on_yield=on_yield)
        ends.append(End(NORMAL))
    except Leave as leave:
        ends += [end for end in leave.ends if not is_generator_exit(end)]
    return machine.merge([End(NORMAL, end.tag) if end.kind == BREAK else end for end in ends])


def go_round(
    machine: Machine,
    node: ast.AST,
    enter: Callable[[], bool | Unknown],
    body: Callable[[], list[End]],
    orelse: list[ast.stmt],
    finite: bool = False,
) -> list[End]:
    """What becomes of a loop, be it one of the source or of a library that it calls."""
    loop = Loop(node, machine.module)
    points = len(machine.facts.points)
    machine.loops.append(loop)
    ends: list[End] = []
    looping = True
    try:
        for _ in range(_ROUNDS):
            arrived = machine.arrived
            mark = len(machine.trail)
            machine.rounds += 1
            truth = enter()
            forced, machine.forced = machine.forced, False
            machine.early = forced
            if machine.arrived and not arrived:
                ends = []
            if truth is False:
                return machine.merge(ends + machine.block(orelse))
            loop.unsure = isinstance(truth, Unknown)
            if isinstance(truth, Unknown):
                ends.append(End(NORMAL, truth.tag))
            step = body()
            machine.early = False
            if machine.arrived and not arrived:
                ends = []
            ends += [
                End(NORMAL, end.tag) if end.kind == BREAK else end for end in step if end.kind not in (NORMAL, CONTINUE)
            ]
            looping = any(end.kind in (NORMAL, CONTINUE) for end in step)
            if not looping:
                return machine.merge(ends)
            again, loop.put_off = forced or loop.put_off, False
            if not again and not _changed(machine, mark) and arrived == machine.arrived:
                break
    except Leave as leave:
        return machine.merge(ends + leave.ends)
    finally:
        machine.loops.pop()
    return _endless(machine, loop, ends, points, finite)


def _endless(machine: Machine, loop: Loop, ends: list[End], points: int, finite: bool) -> list[End]:
    """What becomes of a loop that went round without a certain way out."""
    ends = machine.merge(ends)
    outside = [end for end in ends if end.kind not in FINAL and end.kind != RAISE]
    if loop.hit and not finite:
        looks = loop.unsure and _looks_at(machine, loop.node)
        lost = looks or any(end.tag == LOST for end in outside)
        lost = lost or (bool(outside) and _asks_for_a_flag(machine, loop.node))
        lost = lost or (any(end.kind == RAISE for end in ends) and _is_left_for_a_flag(machine, loop.node))
        end = End(STUCK, LOST if lost else CERTAIN)
        end.point, end.cause = machine.arrival, "loop"
        return machine.merge([other for other in ends if other.kind in FINAL] + [end])
    if finite:
        machine.exhausted = True
        return machine.merge([*ends, End(NORMAL)])
    if machine.aside and not machine.arrived and not outside and _is_woken(loop.node):
        return [*ends, End(NORMAL, OUTSIDE)]
    if outside:
        for point in machine.facts.points[points:]:
            point.tag = max(point.tag, min(end.tag for end in outside))
        return ends
    point = Point(loop.node, machine.module, "loop", None, "loop")
    if len(machine.facts.points) == points or machine.arrived:
        machine.record(point)
        if not machine.arrived and machine.at == id(loop.node):
            loop.hit = True
            machine.loops.append(loop)
            try:
                deliver(machine, point)
                return _again(machine, loop)
            except Leave as leave:
                return leave.ends
            finally:
                machine.loops.pop()
    end = End(STUCK)
    end.point, end.cause = point, "loop"
    return machine.merge([*ends, end])


def _is_woken(node: ast.AST) -> bool:
    """`while not items: condition.wait()`: what others do ends it."""
    if not isinstance(node, ast.While) or isinstance(node.test, ast.Constant) or len(node.body) != 1:
        return False
    return any(isinstance(part, ast.Attribute) and part.attr == "wait" for part in ast.walk(node.body[0]))


def _looks_at(machine: Machine, node: ast.AST) -> bool:
    """Whether the condition of a loop is about something that the handler has set."""
    return isinstance(node, ast.While) and _names_a_flag(machine, node.test)


def _asks_for_a_flag(machine: Machine, node: ast.AST) -> bool:
    """Whether a loop asks in its body for something that the handler has set, and may leave."""
    tests = [
        part.test if isinstance(part, ast.If) else part.subject
        for part in ast.walk(node)
        if isinstance(part, (ast.If, ast.Match))
    ]
    return any(_names_a_flag(machine, test) for test in tests)


def _is_left_for_a_flag(machine: Machine, node: ast.AST) -> bool:
    """Whether a function that a loop calls asks for something that the handler has set, and raises."""
    from gracelint.behaviour.python.streams import last_name

    known = {getattr(function, "name", ""): function for function in machine.walked}
    waiting, seen = [node], {node}
    while waiting and len(seen) < _CALLS:
        for part in ast.walk(waiting.pop()):
            function = known.get(last_name(part.func)) if isinstance(part, ast.Call) else None
            if function is not None and function not in seen:
                seen.add(function)
                waiting.append(function)
            if isinstance(part, ast.If) and _names_a_flag(machine, part.test) and isinstance(part.body[-1], ast.Raise):
                return True
    return False


_CALLS = 20
"""Functions that are looked at."""


def _names_a_flag(machine: Machine, test: ast.expr) -> bool:
    flags = {deed.target.partition("[")[0].rpartition(".")[2] for deed in machine.acts if deed.kind == "flag"}
    return any(getattr(part, "attr", getattr(part, "id", "")) in flags for part in ast.walk(test))


def _again(machine: Machine, loop: Loop) -> list[End]:
    """A busy loop after the signal arrived at its head."""
    node = loop.node
    assert isinstance(node, (ast.While, ast.For, ast.AsyncFor))
    loop.hit = False
    ends = run_while(machine, node) if isinstance(node, ast.While) else run_for(machine, node)
    certain = [end for end in ends if end.tag == CERTAIN]
    if certain:
        return ends
    end = End(STUCK, LOST if any(other.tag == LOST for other in ends) else CERTAIN)
    end.point, end.cause = machine.arrival, "loop"
    return [end]


def _changed(machine: Machine, mark: int) -> bool:
    """Whether the writes since `mark` left anything different from what was there."""
    first: dict[tuple[int, Hashable], tuple[Store, Value | None]] = {}
    for store, key, old in machine.trail[mark:]:
        first.setdefault((id(store), key), (store, old))
    return any(not same(store.get(key), old) for (_, key), (store, old) in first.items())


def is_generator_exit(end: End) -> bool:
    return end.kind == RAISE and isinstance(end.value, Error) and end.value.dotted == "builtins.GeneratorExit"
