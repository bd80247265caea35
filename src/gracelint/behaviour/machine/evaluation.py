"""Runs nodes: what each kind of syntax does. Each part is a generator that yields what it waits for."""

from __future__ import annotations

from functools import partial

from gracelint.behaviour.machine import interest, library, locks
from gracelint.behaviour.machine.arithmetic import binary
from gracelint.behaviour.machine.branches import each, one_of, put
from gracelint.behaviour.machine.frames import Closure, Frame, Leave
from gracelint.behaviour.machine.machine import MOST_ENDLESS, MOST_ROUNDS, receive, yielded
from gracelint.behaviour.machine.nodes import Class, Const, Field, Name, Node, walk
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    UNSET,
    Chan,
    Environment,
    Method,
    Object,
    OneOf,
    Raised,
    Scope,
    Thread,
    Unknown,
    Wait,
    Words,
    either,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine import nodes
    from gracelint.behaviour.machine.interpreter import Interpreter
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

    Evaluate = Callable[[Interpreter, Frame, Any], Run]


def span_of(frame: Frame, node: Node) -> Span:
    span: Span = frame.file.span(node.at)
    return span


def evaluate(machine: Interpreter, frame: Frame, node: Node) -> Run:
    machine.step()
    value = yield from _HOW[type(node).__name__](machine, frame, node)
    return value


def _const(_: Interpreter, __: Frame, node: nodes.Const) -> Run:
    yield from ()
    return node.value


def _name(machine: Interpreter, frame: Frame, node: nodes.Name) -> Run:
    where = frame.scope.find(node.name)
    if where is not None:
        return where.names[node.name]
    value = yield from machine.name(frame, node.name)
    return value


def _field(machine: Interpreter, frame: Frame, node: nodes.Field) -> Run:
    of = yield from evaluate(machine, frame, node.of)
    value = yield from machine.member(of, node.name)
    return value


def _index(machine: Interpreter, frame: Frame, node: nodes.Index) -> Run:
    of = yield from evaluate(machine, frame, node.of)
    key = machine.settle((yield from evaluate(machine, frame, node.key)))
    if isinstance(of, list) and isinstance(key, int) and -len(of) <= key < len(of):
        return of[key]
    if isinstance(of, Words) and isinstance(key, int):
        return machine.beyond(frame, node)
    if isinstance(of, dict) and (isinstance(key, (str, int)) or (isinstance(key, Object) and key in of)):
        return of.get(key, NIL)
    if isinstance(of, Object) and isinstance(key, str):
        other = machine.variable(key) if isinstance(of, Environment) else UNKNOWN
        return of.state.get(f"[{key}]", other)
    if isinstance(of, (list, dict)) and isinstance(key, (Unknown, Object)):
        return machine.one_of([*of.values()] if isinstance(of, dict) else of, (id(node), "key"))
    return UNKNOWN


def _set(machine: Interpreter, frame: Frame, node: nodes.Set) -> Run:
    value = yield from evaluate(machine, frame, node.value)
    yield from assign(machine, frame, node.target, value, node.new)
    return value


def assign(machine: Interpreter, frame: Frame, target: Any, value: Any, new: bool = False) -> Run:
    kind = type(target).__name__
    if kind == "Name":
        where = None if new else frame.scope.find(target.name)
        put(machine, (where or frame.scope).names, target.name, value)
    elif kind == "Field":
        of = yield from evaluate(machine, frame, target.of)
        if isinstance(of, Object):
            function = machine.find(of.package, f"{target.name}=")
            if function is not None:
                given = library.Given("", span_of(frame, target), [value], {})
                yield from machine.enter(Closure(function, None, of), given)
            put(machine, of.fields, target.name, value)
        elif isinstance(of, Class):
            put(machine, machine.values_of(of), target.name, value)
    elif kind == "Index":
        of = yield from evaluate(machine, frame, target.of)
        key = yield from evaluate(machine, frame, target.key)
        if isinstance(of, dict):
            put(machine, of, key if isinstance(key, (str, int, Object)) else UNKNOWN, value)
        elif isinstance(of, list) and isinstance(key, int) and -len(of) <= key < len(of):
            put(machine, of, key, value)
        elif isinstance(of, list) and isinstance(key, Unknown):
            of[:] = [one if isinstance(one, Object) else UNKNOWN for one in of]
        elif isinstance(of, list) and (isinstance(key, Object) or key is NIL):
            of.append(value)
        elif isinstance(of, list) and isinstance(key, str):
            # an array of PHP is both
            yield from assign(machine, frame, target.of, {**dict(enumerate(of)), key: value})
        elif isinstance(of, Environment) and isinstance(key, str):
            put(machine, machine.assigned, key, value)
        elif isinstance(of, Object) and isinstance(key, str):
            put(machine, of.state, f"[{key}]", value)
    elif kind == "List":
        items = value if isinstance(value, (list, tuple)) else [value]
        for index, one in enumerate(target.items):
            yield from assign(machine, frame, one, items[index] if index < len(items) else UNKNOWN, new)
    return None


def arguments(machine: Interpreter, frame: Frame, node: Any) -> Run:
    args: list[Any] = []
    named: dict[str, Any] = {}
    for one in node.args:
        value = yield from evaluate(machine, frame, one)
        if type(one).__name__ == "Spread":
            args += value if isinstance(value, list) else [UNKNOWN]
            machine.pay_for(len(args))
        else:
            args.append(value)
    for name, one in node.named.items():
        named[name] = yield from evaluate(machine, frame, one)
    return args, named


def _call(machine: Interpreter, frame: Frame, node: nodes.Call) -> Run:
    function = yield from evaluate(machine, frame, node.callee)
    if machine.nothing and machine.stopping and isinstance(function, Method) and function.of is NIL:
        machine.meets_nothing(frame, node)
    args, named = yield from arguments(machine, frame, node)
    by = frame, node.args
    given = library.Given(getattr(node.callee, "name", ""), span_of(frame, node), args, named, by=by)
    try:
        value = yield from machine.apply(function, given, frame)
    except Leave as leave:
        # `break` in a block ends the call that the block was given to
        block = named.get("block")
        if leave.kind != "break" or not isinstance(block, Closure) or leave.to is not block.function:
            raise
        value = leave.value
    return value


def _new(machine: Interpreter, frame: Frame, node: nodes.New) -> Run:
    type_ = yield from evaluate(machine, frame, node.type)
    args, named = yield from arguments(machine, frame, node)
    value = yield from machine.new(type_, library.Given("", span_of(frame, node), args, named), frame)
    return value


def _inner(machine: Interpreter, frame: Frame, node: nodes.Spread) -> Run:
    value = yield from evaluate(machine, frame, node.value)
    value = yield from machine.iterated(value, span_of(frame, node))
    if not isinstance(value, Object) or "yields" not in value.state:
        return value
    found: list[Any] = []
    while (item := (yield from yielded(value.state["yields"]))) is not None:
        machine.step()
        found.append(item.value)
    return found


def _not(machine: Interpreter, frame: Frame, node: nodes.Not) -> Run:
    value = yield from evaluate(machine, frame, node.value)
    truth = machine.truth(value)
    return UNKNOWN if truth is None else not truth


def _binary(machine: Interpreter, frame: Frame, node: nodes.Binary) -> Run:
    left = yield from evaluate(machine, frame, node.left)
    right = yield from evaluate(machine, frame, node.right)
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        machine.notes(id(node), (left, right))
    return binary("//" if node.operator == "/" and machine.whole_quotients else node.operator, left, right)


def _passes_by(machine: Interpreter, frame: Frame, branch: Node | None) -> bool:
    """Whether a branch is a guard, which is not taken then."""
    way = interest.way_out(branch)
    if way is not None and way not in frame.home.passed_by:
        frame.home.passed_by.append(way)
    if way is not None and frame.loops and type(way).__name__ in ("Break", "Return") and machine.is_main_stopping():
        machine.ways_out.append(span_of(frame, way))
    return way is not None


def _both(machine: Interpreter, frame: Frame, node: nodes.Both) -> Run:
    left = yield from evaluate(machine, frame, node.left)
    truth = machine.truth(left)
    if truth is False:
        return left
    if truth is None and not interest.matters(machine, frame, node.right):
        if _passes_by(machine, frame, node.right):
            return left
        (right,) = yield from _each_of(machine, frame, [node.right], more=True)
        return right if machine.truth(right) is False else UNKNOWN
    if truth is None and machine.choose(2, (id(node), "and")) == 1:
        return False
    right = yield from evaluate(machine, frame, node.right)
    return right


def _either(machine: Interpreter, frame: Frame, node: nodes.Either) -> Run:
    left = yield from evaluate(machine, frame, node.left)
    if left is UNSET:
        right = yield from evaluate(machine, frame, node.right)
        return right
    truth = (None if left is UNKNOWN else left is not NIL) if node.nil else machine.truth(left)
    if truth:
        return left
    if truth is None and not interest.matters(machine, frame, node.right):
        if _passes_by(machine, frame, node.right):
            return left
        (right,) = yield from _each_of(machine, frame, [node.right], more=True)
        return right if machine.truth(right) and not node.nil else UNKNOWN
    if truth is None and machine.choose(2, (id(node), "or")) == 0:
        return left
    right = yield from evaluate(machine, frame, node.right)
    return right


def _seq(machine: Interpreter, frame: Frame, node: nodes.Seq) -> Run:
    value: Any = NIL
    outer = frame.scope
    if node.scoped:
        frame.scope = Scope(outer)
    try:
        for one in node.body:
            value = yield from evaluate(machine, frame, one)
    finally:
        frame.scope = outer
    return value


def _each_of(machine: Interpreter, frame: Frame, branches: list[Node], *, more: bool) -> Run:
    runs = [partial(evaluate, machine, frame, one) for one in branches]
    values = yield from each(machine, runs, more=more)
    return values


def _truth(machine: Interpreter, frame: Frame, test: Node, *parts: Node | None) -> Run:
    """Whether a condition holds on which parts depend; None where nobody can tell."""
    value = yield from evaluate(machine, frame, test)
    if isinstance(value, OneOf) and any(part is not None and interest.matters(machine, frame, part) for part in parts):
        value = machine.settle(value)
    if machine.stopping:
        if isinstance(value, (int, float)):
            machine.notes(id(test), value)
        if any(_decides(machine, frame, part) for part in parts):
            machine.counts(map(id, walk(test)))
    return machine.truth(value)


def _decides(machine: Interpreter, frame: Frame, part: Node | None) -> bool:
    return part is not None and (interest.way_out(part) is not None or interest.matters(machine, frame, part))


def _if(machine: Interpreter, frame: Frame, node: nodes.If) -> Run:
    truth = yield from _truth(machine, frame, node.test, node.then, node.other)
    if truth is None:
        branches = [one for one in (node.then, node.other) if one is not None]
        if any(interest.matters(machine, frame, one) for one in branches):
            truth = machine.choose(2, id(node)) == 0
        elif _passes_by(machine, frame, node.then):
            truth = False
        elif _passes_by(machine, frame, node.other):
            truth = True
        else:
            values = yield from _each_of(machine, frame, branches, more=len(branches) == 1)
            return either(values) if len(values) > 1 else UNKNOWN
    elif node.then is not None:
        machine.passes(frame, node.then if truth else node.other, [node.other if truth else node.then])
    branch = node.then if truth else node.other
    if branch is None:
        return NIL
    result = yield from evaluate(machine, frame, branch)
    return result


def _round(machine: Interpreter, frame: Frame, body: Node, label: str) -> Run:
    """One round of a loop: whether it goes on, and with what value it ends if not."""
    frame.loops += 1
    try:
        yield from evaluate(machine, frame, body)
    except Leave as leave:
        if leave.kind == "return" or leave.to not in ("", label):
            raise
        if leave.kind == "break":
            return False, leave.value
    finally:
        frame.loops -= 1
    return True, NIL


def _loop(machine: Interpreter, frame: Frame, node: nodes.Loop) -> Run:
    rounds = 0
    steady: int | None = None
    stopping = machine.stopping
    while True:
        machine.step()
        truth: bool | None = True
        if node.test is not None and not (node.after and rounds == 0):
            truth = yield from _truth(machine, frame, node.test, node)
        if truth is None:
            # of a loop that matters nobody can tell how often it runs: once, or for ever, which the signal may change
            if node.step is not None:
                truth = rounds == 0
            elif steady is None or stopping is not machine.stopping:
                stopping = machine.stopping
                steady = machine.choose(2, id(node)) if interest.matters(machine, frame, node) else 0
                truth = rounds == 0 or steady == 1
            else:
                truth = steady == 1
        if truth is False:
            return NIL
        before = machine.now
        going, value = yield from _round(machine, frame, node.body, node.label)
        if not going:
            return value
        if node.step is not None:
            yield from evaluate(machine, frame, node.step)
        rounds = rounds + 1 if machine.now == before else 1
        endless = steady == 1 or node.test is None or (isinstance(node.test, Const) and node.test.value is True)
        if rounds % (MOST_ENDLESS if endless else MOST_ROUNDS) == 0:
            # it never waits: the others have their turn, and it looks again later
            until = machine.now + 0.1
            yield _pause(machine, span_of(frame, node), until, id(node))


def _pause(machine: Interpreter, span: Span, until: float, node: int) -> Wait:
    return Wait("loop", span, lambda: machine.now >= until, at=lambda: until, node=node)


def _each(machine: Interpreter, frame: Frame, node: nodes.Each) -> Run:
    over = yield from evaluate(machine, frame, node.over)
    over = yield from machine.iterated(over, span_of(frame, node))
    if isinstance(over, Chan):
        while True:
            machine.step()
            item = yield from receive(machine, over, span_of(frame, node.over), id(node))
            if item is NIL and over.closed and not over.queue:
                return NIL
            going, value = yield from _item(machine, frame, node, item)
            if not going:
                return value
    if isinstance(over, Object) and "yields" in over.state:
        while True:
            machine.step()
            item = yield from yielded(over.state["yields"])
            if item is None:
                return NIL
            pair = item.value if len(node.names) == 1 else (item.key, item.value)
            going, value = yield from _item(machine, frame, node, pair)
            if not going:
                return value
    items = machine.items(over, len(node.names))
    if items is None:
        # nobody can tell what is in it, nor how often it is asked for more
        items = [UNKNOWN]
        if not interest.matters(machine, frame, node.body):
            yield from each(machine, [partial(_item, machine, frame, node, UNKNOWN)], more=True)
            return over
    for index, item in enumerate(items):
        machine.step()
        machine.notes(id(node), index)
        machine.counts((id(node),))
        going, value = yield from _item(machine, frame, node, item)
        if not going:
            return value
    return over


def _item(machine: Interpreter, frame: Frame, node: nodes.Each, item: Any) -> Run:
    values = [item] if len(node.names) == 1 else list(item) if isinstance(item, (list, tuple)) else []
    for index, name in enumerate(node.names):
        frame.scope.names[name] = values[index] if index < len(values) else UNKNOWN
    going = yield from _round(machine, frame, node.body, node.label)
    return going


def _leave(machine: Interpreter, frame: Frame, node: Any) -> Run:
    value: Any = NIL
    if node.value is not None:
        value = yield from evaluate(machine, frame, node.value)
    kind = type(node).__name__.lower()
    raise Leave(kind, frame.home if kind == "return" else node.label, value)


def _raise(machine: Interpreter, frame: Frame, node: nodes.Raise) -> Run:
    if node.value is None and frame.caught is not None:
        raise frame.caught
    value: Any = UNKNOWN
    if node.value is not None:
        value = yield from evaluate(machine, frame, node.value)
    raise machine.raised(value, span_of(frame, node))


def _try(machine: Interpreter, frame: Frame, node: nodes.Try) -> Run:
    depth = machine.depth
    machine.entered(frame, node)
    try:
        try:
            value = yield from evaluate(machine, frame, node.body)
        except Raised as error:
            caught = next((one for one in node.catches if catches(machine, frame, one[0], error)), None)
            if caught is None:
                raise
            machine.depth = depth
            machine.mistake = None
            machine.caught(error, span_of(frame, caught[2]))
            frame.caught = error
            if caught[1]:
                yield from assign(machine, frame, Name(node.at, caught[1]), error.value)
            value = yield from evaluate(machine, frame, caught[2])
        else:
            if node.other is not None:
                value = yield from evaluate(machine, frame, node.other)
    except GeneratorExit:
        raise
    except BaseException as way:
        if node.final is not None and machine.unwinds(way):
            machine.depth = depth
            if isinstance(way, Raised):
                machine.unwound(span_of(frame, node.final))
            yield from evaluate(machine, frame, node.final)
        raise
    if node.final is not None:
        yield from evaluate(machine, frame, node.final)
    return value


def catches(machine: Interpreter, frame: Frame, names: tuple[str, ...], error: Raised) -> bool:
    return any(machine.is_error(error, name, frame) for name in names or machine.errors)


def _switch(machine: Interpreter, frame: Frame, node: nodes.Switch) -> Run:
    value: Any = True
    if node.value is not None:
        value = yield from evaluate(machine, frame, node.value)
    chosen: Node | None = None
    unsure: list[Node] = []
    default: Node | None = None
    is_sure = False
    for values, body in node.cases:
        if not values:
            default = body
        for one in values:
            its = yield from evaluate(machine, frame, one)
            same = machine.truth(its) if node.value is None else machine.same(value, its)
            if same and not unsure:
                chosen = body
            elif same is not False and body not in unsure:
                unsure.append(body)
            if same:
                is_sure = True
                break
        if chosen is not None:
            machine.passes(frame, chosen, [body for _, body in node.cases if body is not chosen])
        if is_sure:
            break
    if chosen is None and unsure:
        options: list[Node | None] = [*unsure] if is_sure else [*unsure, default]
        interesting = [one for one in options if one is not None and interest.matters(machine, frame, one)]
        if interesting:
            chosen = options[machine.choose(len(options), id(node))]
        else:
            taken = [one for one in options if not _passes_by(machine, frame, one)] or options[-1:]
            branches = [one for one in taken if one is not None]
            values = yield from _each_of(machine, frame, branches, more=len(branches) < len(taken))
            return one_of(values) if len(branches) == len(taken) else UNKNOWN
    elif chosen is None:
        chosen = default
    if chosen is None:
        return NIL
    value = yield from evaluate(machine, frame, chosen)
    return value


def _lock(machine: Interpreter, frame: Frame, node: nodes.Lock) -> Run:
    value = yield from evaluate(machine, frame, node.value)
    body = evaluate(machine, frame, node.body)
    value = yield from locks.held(machine, machine.monitor(value), span_of(frame, node.value), body)
    return value


def _make(machine: Interpreter, frame: Frame, node: nodes.Make) -> Run:
    yield from ()
    return Closure(node.function, machine.captured(node.function, frame), frame.this, frame.home)


def _list(machine: Interpreter, frame: Frame, node: nodes.List) -> Run:
    found: list[Any] = []
    for one in node.items:
        value = yield from evaluate(machine, frame, one)
        if type(one).__name__ == "Spread" and isinstance(value, list):
            found += value
            machine.pay_for(len(found))
        else:
            found.append(value)
    return found


def _map(machine: Interpreter, frame: Frame, node: nodes.Map) -> Run:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.items:
        key = yield from evaluate(machine, frame, key_node)
        value = yield from evaluate(machine, frame, value_node)
        if isinstance(key, (str, int)):
            found[key] = value
    return found


def _await(machine: Interpreter, frame: Frame, node: nodes.Await) -> Run:
    value = yield from evaluate(machine, frame, node.value)
    result = yield from machine.wait_for(value, span_of(frame, node))
    return result


def _select(machine: Interpreter, frame: Frame, node: nodes.Select) -> Run:
    """The first of several that is done; what the others do ends there."""
    span = span_of(frame, node)
    threads: list[Thread] = []
    for way, _, _ in node.ways:
        value = yield from evaluate(machine, frame, way)
        threads.append(machine.start(machine.first_of(value, span), span))
    try:
        yield Wait("select", span, lambda: any(one.done for one in threads))
    finally:
        index = next((index for index, one in enumerate(threads) if one.done), 0)
        for one, (way, _, _) in zip(threads, node.ways, strict=False):
            # a variable outlives the select, and so does what it stands for
            machine.drop(one, kept=isinstance(way, (Name, Field)))
    _, name, body = node.ways[index]
    if name:
        frame.scope.names[name] = threads[index].value
    result = yield from evaluate(machine, frame, body)
    return result


_HOW: dict[str, Evaluate] = {
    "Const": _const,
    "Name": _name,
    "Field": _field,
    "Index": _index,
    "Set": _set,
    "Call": _call,
    "New": _new,
    "Spread": _inner,
    "Not": _not,
    "Binary": _binary,
    "Both": _both,
    "Either": _either,
    "Seq": _seq,
    "If": _if,
    "Loop": _loop,
    "Each": _each,
    "Return": _leave,
    "Break": _leave,
    "Continue": _leave,
    "Raise": _raise,
    "Try": _try,
    "Lock": _lock,
    "Switch": _switch,
    "Make": _make,
    "List": _list,
    "Map": _map,
    "Await": _await,
    "Select": _select,
}
