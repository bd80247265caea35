"""How the machine walks each kind of statement: the ways in which it can end."""

from __future__ import annotations

import ast

from gracelint.behaviour.python import library
from gracelint.behaviour.python.ends import (
    BREAK,
    CONTINUE,
    FINAL,
    NORMAL,
    RAISE,
    RETURN,
    STUCK,
    End,
    Frame,
    Guard,
    Leave,
    Loop,
    Point,
    stuck,
)
from gracelint.behaviour.python.expressions import calculate, compared
from gracelint.behaviour.python.values import (
    CERTAIN,
    ELEMENTS,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    MISSING,
    NONE,
    OUTSIDE,
    Class,
    Const,
    Error,
    Function,
    Items,
    Later,
    ModuleValue,
    Name,
    Thing,
    Unknown,
    Value,
    same,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.values import Store

_ROUNDS = 4
"""Most turns of a loop."""


def _expression(machine: Machine, node: ast.Expr) -> list[End]:
    machine.eval(node.value)
    return [End(NORMAL)]


def _assign(machine: Machine, node: ast.Assign) -> list[End]:
    value = machine.eval(node.value)
    if isinstance(value, Const) and isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if names and any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node.value)):
            value = FROM_OUTSIDE
    for target in node.targets:
        machine.assign(target, value)
    return [End(NORMAL)]


def _ann_assign(machine: Machine, node: ast.AnnAssign) -> list[End]:
    if node.value is not None:
        machine.assign(node.target, machine.eval(node.value))
    return [End(NORMAL)]


def _aug_assign(machine: Machine, node: ast.AugAssign) -> list[End]:
    value = machine.eval(node.value)
    target = node.target
    if machine.handling and isinstance(value, Const) and isinstance(known := machine.eval(target), Const):
        machine.assign(target, calculate(node.op, known.value, value.value))
    elif isinstance(node.op, (ast.BitOr, ast.BitAnd)) and isinstance(value, Const) and isinstance(value.value, bool):
        old = machine.truth(machine.eval(target))
        new = (
            value
            if isinstance(node.op, ast.BitOr) is value.value
            else (Const(old) if isinstance(old, bool) else FROM_OUTSIDE)
        )
        machine.assign(target, new)
    elif isinstance(value, Items):
        old_value = machine.eval(target)
        if isinstance(old_value, Items):
            machine.pay_for(len(value.store))
            for item in value.values():
                machine.write(old_value.store, ("+", len(old_value.store)), item)
    else:
        machine.assign(target, Unknown(max(OUTSIDE, value.tag if isinstance(value, Unknown) else OUTSIDE)))
    return [End(NORMAL)]


def _return(machine: Machine, node: ast.Return) -> list[End]:
    return [End(RETURN, CERTAIN, machine.eval(node.value) if node.value else NONE)]


def _raise(machine: Machine, node: ast.Raise) -> list[End]:
    if node.exc is None:
        return [End(RAISE, CERTAIN, machine.caught[-1] if machine.caught else Error("builtins.RuntimeError"))]
    value = machine.eval(node.exc)
    return [End(RAISE, CERTAIN, machine.as_error(value))]


def _if(machine: Machine, node: ast.If) -> list[End]:
    truth = machine.truth(machine.eval(node.test))
    if isinstance(truth, bool):
        return machine.block(node.body if truth else node.orelse)
    return machine.fork(truth.tag, (lambda: machine.block(node.body), lambda: machine.block(node.orelse)))


def _while(machine: Machine, node: ast.While) -> list[End]:
    def enter() -> bool | Unknown:
        resuming = machine.resuming
        truth = machine.truth(machine.eval(node.test))
        machine.forced = truth is False and resuming and machine.resuming
        return machine.forced or truth

    return _loop(machine, node, enter, lambda: machine.block(node.body), node.orelse)


def _for(machine: Machine, node: ast.For | ast.AsyncFor) -> list[End]:
    iterable = machine.eval(node.iter)
    if isinstance(iterable, Later):
        return _for_generator(machine, node, iterable)
    if isinstance(iterable, Thing) and "#call" in iterable.store:
        return _for_calls(machine, node, iterable)
    known = machine.elements(iterable)
    if known is not None and len(known) <= ELEMENTS:
        return _for_each(machine, node, known)
    endless = library.endless_iterable(machine, iterable, node)
    is_filled = known is not None or bool(library.length_of(iterable))

    def enter() -> bool | Unknown:
        if endless is not None and endless.kind == "signals":
            return _received(machine, endless, iterable)
        if endless is not None:
            outer, machine.awaiting = machine.awaiting, isinstance(node, ast.AsyncFor)
            try:
                machine.wait(endless, ready=lambda: LOST_TRACK if endless.tag else False, comes_back=True)
            finally:
                machine.awaiting = outer
            return True if endless.tag == CERTAIN else Unknown(endless.tag)
        return True if is_filled and machine.rounds == 1 else FROM_OUTSIDE

    def body() -> list[End]:
        signal = iterable.store.get("#received") if isinstance(iterable, Thing) else None
        machine.assign(node.target, signal or FROM_OUTSIDE)
        return machine.block(node.body)

    before, machine.rounds, machine.exhausted = machine.delay, 0, False
    ends = _loop(machine, node, enter, body, node.orelse, finite=endless is None)
    if machine.exhausted and machine.arrived and before is not None and machine.delay is not None:
        count = library.length_of(iterable) or 1
        machine.delay += (machine.delay - before) / machine.rounds * max(count - machine.rounds, 0)
    return ends


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

    return _loop(machine, node, enter, body, node.orelse)


def _for_each(machine: Machine, node: ast.For | ast.AsyncFor, values: list[Value]) -> list[End]:
    """A loop over values that are known."""
    loop = Loop(node)
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
        machine.assign(node.target, value)
        frames, machine.frames = machine.frames, machine.frames[: machine.frames.index(frame) + 1]
        try:
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
        ends += [end for end in leave.ends if not _is_generator_exit(end)]
    return machine.merge([End(NORMAL, end.tag) if end.kind == BREAK else end for end in ends])


def _loop(
    machine: Machine,
    node: ast.While | ast.For | ast.AsyncFor,
    enter: Callable[[], bool | Unknown],
    body: Callable[[], list[End]],
    orelse: list[ast.stmt],
    finite: bool = False,
) -> list[End]:
    loop = Loop(node)
    points = len(machine.facts.points)
    machine.loops.append(loop)
    ends: list[End] = []
    began_after = machine.arrived
    looping = True
    try:
        for _ in range(_ROUNDS):
            arrived = machine.arrived
            mark = len(machine.trail)
            machine.rounds += 1
            truth = enter()
            forced, machine.forced = machine.forced, False
            if machine.arrived and not arrived:
                ends = []
            if truth is False:
                return machine.merge(ends + machine.block(orelse))
            if isinstance(truth, Unknown):
                ends.append(End(NORMAL, truth.tag))
            step = body()
            if machine.arrived and not arrived:
                ends = []
            ends += [
                End(NORMAL, end.tag) if end.kind == BREAK else end for end in step if end.kind not in (NORMAL, CONTINUE)
            ]
            looping = any(end.kind in (NORMAL, CONTINUE) for end in step)
            if not looping:
                return machine.merge(ends)
            if not forced and not _changed(machine, mark) and arrived == machine.arrived:
                break
    except Leave as leave:
        return machine.merge(ends + leave.ends)
    finally:
        machine.loops.pop()
    return _endless(machine, loop, ends, points, finite, began_after)


def _endless(machine: Machine, loop: Loop, ends: list[End], points: int, finite: bool, began_after: bool) -> list[End]:
    """What becomes of a loop that went round without a certain way out."""
    ends = machine.merge(ends)
    outside = [end for end in ends if end.kind not in FINAL and end.kind != RAISE]
    if loop.hit and not finite:
        lost = any(end.tag == LOST for end in outside)
        end = End(STUCK, LOST if lost else CERTAIN)
        end.point, end.cause = machine.arrival, "loop"
        return machine.merge([other for other in ends if other.kind in FINAL] + [end])
    if finite:
        machine.exhausted = True
        return machine.merge([*ends, End(NORMAL)])
    if outside:
        for point in machine.facts.points[points:]:
            point.tag = max(point.tag, min(end.tag for end in outside))
        return ends
    point = Point(loop.node, machine.module, "loop", None, "loop")
    if len(machine.facts.points) == points or machine.arrived:
        machine._record(point)
        if not machine.arrived and machine.at == id(loop.node):
            loop.hit = True
            machine.loops.append(loop)
            try:
                library.deliver(machine, point)
                return _again(machine, loop)
            except Leave as leave:
                return leave.ends
            finally:
                machine.loops.pop()
    end = End(STUCK)
    end.point, end.cause = point, "loop"
    return machine.merge([*ends, end])


def _again(machine: Machine, loop: Loop) -> list[End]:
    """A busy loop after the signal arrived at its head."""
    node = loop.node
    assert isinstance(node, (ast.While, ast.For, ast.AsyncFor))
    loop.hit = False
    ends = _while(machine, node) if isinstance(node, ast.While) else _for(machine, node)
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


def _try(machine: Machine, node: ast.Try) -> list[End]:
    machine.guards.append(Guard(node, machine.module))
    try:
        ends = machine.block(node.body)
    finally:
        machine.guards.pop()
    arrived = machine.arrived
    passed = [end for end in ends if end.kind not in (NORMAL, RAISE)]
    branches: list[tuple[int, Callable[[], list[End]]]] = []
    normal = next((end for end in ends if end.kind == NORMAL), None)
    if normal is not None:
        branches.append((normal.tag, lambda: machine.block(node.orelse)))
    used: set[int] = set()
    for end in ends:
        if end.kind != RAISE:
            continue
        error = end.value if isinstance(end.value, Error) else Error("?")
        handler = handler_for(machine, node, error)
        if handler is None:
            passed.append(end)
            continue
        used.add(id(handler))
        branches.append((end.tag, lambda handler=handler, error=error: _except(machine, handler, error)))  # type: ignore[misc]
    if normal is not None and not arrived:
        for handler in node.handlers:
            if id(handler) not in used and _is_ordinary(machine, handler):
                branches.append((OUTSIDE, lambda handler=handler: _except(machine, handler, Error("?"))))  # type: ignore[misc]
    results = passed + _take(machine, branches)
    return _finally(machine, node, results)


def _take(machine: Machine, branches: list[tuple[int, Callable[[], list[End]]]]) -> list[End]:
    """The ways that go on after a `try`: what is certain decides, the rest is walked aside."""
    if len(branches) == 1:
        tag, branch = branches[0]
        return [end.weaker(tag) for end in branch()]
    if not branches:
        return []
    certain = [branch for tag, branch in branches if tag == CERTAIN]
    if len(certain) == 1:
        ends: list[End] = []
        for tag, branch in branches:
            if tag == CERTAIN:
                continue
            arrived, mark = machine.arrived, len(machine.trail)
            step = branch()
            if machine.arrived and not arrived:
                return step
            _keep_registrations(machine, machine.undo(mark))
            ends += [end.weaker(tag) for end in step if end.kind != NORMAL]
        arrived = machine.arrived
        step = certain[0]()
        return step if machine.arrived and not arrived else machine.merge(ends + step)
    return machine.fork(OUTSIDE, [branch for _, branch in branches])


def _keep_registrations(machine: Machine, changes: dict[tuple[int, Hashable], tuple[Store, Value]]) -> None:
    """What only a rare way does is left out, but a name that it alone defines stays defined."""
    for (_, key), (store, value) in reversed(changes.items()):
        if key not in store and value is not MISSING and store is not machine.world:
            machine.write(store, key, value)


def _except(machine: Machine, handler: ast.ExceptHandler, error: Error) -> list[End]:
    if machine.arrived and machine.handling == 0 and not machine.aside:
        machine.cleaned = machine.cleaned or not _is_empty(handler.body)
    if handler.name:
        machine.write(machine.frame.scopes[-1], handler.name, error)
    machine.caught.append(error)
    try:
        return machine.block(handler.body)
    finally:
        machine.caught.pop()


def _finally(machine: Machine, node: ast.Try, results: list[End]) -> list[End]:
    results = machine.merge(results)
    alive = [end for end in results if end.kind not in FINAL]
    if not node.finalbody or not alive:
        return results
    if machine.arrived and machine.handling == 0 and not machine.aside:
        machine.cleaned = machine.cleaned or not _is_empty(node.finalbody)
    arrived = machine.arrived
    last = machine.block(node.finalbody)
    if machine.arrived and not arrived:
        results = [end for end in results if end.kind not in FINAL]
    if any(end.kind == NORMAL for end in last):
        return machine.merge(results + [end for end in last if end.kind != NORMAL])
    return machine.merge([end for end in results if end.kind in FINAL] + last)


def handler_for(machine: Machine, node: ast.Try, error: Error) -> ast.ExceptHandler | None:
    """The clause that catches an exception."""
    if error.inner is not None and not isinstance(node, ast.Try):
        error = error.inner
    for handler in node.handlers:
        if handler.type is None:
            return handler
        types = machine.eval(handler.type)
        if any(machine.catches(each, error) for each in (types.values() if isinstance(types, Items) else [types])):
            return handler
    return None


def _is_ordinary(machine: Machine, handler: ast.ExceptHandler) -> bool:
    """Whether anything that goes wrong may end up in this clause, unlike `except KeyboardInterrupt`."""
    if handler.type is None:
        return True
    text = ast.unparse(handler.type)
    return not any(name in text for name in ("KeyboardInterrupt", "SystemExit", "CancelledError", "GeneratorExit"))


def _with(machine: Machine, node: ast.With | ast.AsyncWith) -> list[End]:
    return _with_items(machine, node, list(node.items))


def _with_items(machine: Machine, node: ast.With | ast.AsyncWith, rest: list[ast.withitem]) -> list[End]:
    if not rest:
        return machine.block(node.body)
    item = rest[0]
    context = machine.eval(item.context_expr)
    if (
        isinstance(context, Later)
        and isinstance(context.function, Function)
        and context.function.wrapper == "contextmanager"
    ):
        return _with_generator(machine, node, item, context, rest[1:])
    entered = enter(machine, context, node)
    if item.optional_vars is not None:
        machine.assign(item.optional_vars, entered)
    machine.guards.append(Guard(item.context_expr, machine.module))
    try:
        ends = _with_items(machine, node, rest[1:])
    finally:
        machine.guards.pop()
    outer, machine.awaiting = machine.awaiting, isinstance(node, ast.AsyncWith)
    try:
        return library.leave_context(machine, context, ends, node, item.context_expr)
    finally:
        machine.awaiting = outer


def enter(machine: Machine, context: Value, node: ast.AST) -> Value:
    if isinstance(context, Thing) and context.cls is not None:
        for name in ("__enter__", "__aenter__"):
            method = context.cls.find(name)
            if isinstance(method, Function):
                return machine.awaited(machine.call(method.bind(context), [], {}, node), node)
    if isinstance(context, Thing) and context.kind == "contextlib.closing":
        return context.store.get("#thing", FROM_OUTSIDE)
    return context


def _with_generator(
    machine: Machine, node: ast.With | ast.AsyncWith, item: ast.withitem, context: Later, rest: list[ast.withitem]
) -> list[End]:
    """`with` a function decorated with contextmanager: the body runs where it yields."""
    inner: list[End] = []
    frame = machine.frame

    def on_yield(value: Value) -> Value:
        frames, machine.frames = machine.frames, machine.frames[: machine.frames.index(frame) + 1]
        try:
            if item.optional_vars is not None:
                machine.assign(item.optional_vars, value)
            inner.extend(_with_items(machine, node, rest))
        finally:
            machine.frames = frames
        raised = [end for end in inner if end.kind in FINAL or end.kind == RAISE]
        if len(raised) == len(inner):
            raise Leave(raised)
        machine.side.extend(raised)
        return NONE

    try:
        machine.invoke(context.function, context.args, context.keywords, context.node, on_yield=on_yield)
    except Leave as leave:
        return leave.ends
    kept = [end for end in inner if end.kind not in FINAL and end.kind != RAISE]
    return kept or [End(NORMAL)]


def _match(machine: Machine, node: ast.Match) -> list[End]:
    subject = machine.eval(node.subject)
    branches: list[Callable[[], list[End]]] = []
    exhaustive = False
    for case in node.cases:
        verdict = _matches(machine, case, subject)
        if verdict is False:
            continue
        branches.append(lambda body=case.body: machine.block(body))  # type: ignore[misc]
        if verdict is True:
            exhaustive = True
            break
    if not exhaustive:
        branches.append(lambda: [End(NORMAL)])
    return branches[0]() if len(branches) == 1 else machine.fork(OUTSIDE, branches)


def _matches(machine: Machine, case: ast.match_case, subject: Value) -> bool | None:
    pattern = case.pattern
    if case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
        return True
    if case.guard is None and isinstance(pattern, ast.MatchValue) and isinstance(subject, (Const, Name)):
        value = machine.eval(pattern.value)
        value = library.comparable(value)
        return same(value, library.comparable(subject)) if isinstance(value, Const) else None
    return None


def _define(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[End]:
    value: Value = machine.function(node)
    for decorator in reversed(node.decorator_list):
        value = library.decorate(machine, decorator, value)
    machine.bind(node.name, value)
    return [End(NORMAL)]


def _class(machine: Machine, node: ast.ClassDef) -> list[End]:
    cls = Class(
        node, machine.module, tuple(machine.eval(base) for base in node.bases if not isinstance(base, ast.Starred))
    )
    frame = Frame(machine.module, (*machine.frame.scopes, cls.store), machine.frame.function)
    machine.frames.append(frame)
    try:
        machine.block(node.body)
    finally:
        machine.frames.pop()
    for name, value in list(cls.store.items()):
        if isinstance(value, Function):
            # A class body is no scope to its methods.
            scopes = tuple(scope for scope in value.scopes if scope is not cls.store)
            method = value.copy(owner=cls)
            method.scopes = scopes
            cls.store[name] = method
    library.class_attributes(cls, node)
    machine.bind(node.name, cls)
    return [End(NORMAL)]


def _import(machine: Machine, node: ast.Import) -> list[End]:
    for alias in node.names:
        if alias.asname:
            machine.bind(alias.asname, machine.import_module(alias.name, node))
        else:
            machine.import_module(alias.name, node)
            machine.bind(alias.name.split(".")[0], machine.import_module(alias.name.split(".")[0], node))
    return [End(NORMAL)]


def _import_from(machine: Machine, node: ast.ImportFrom) -> list[End]:
    base = _absolute(machine, node)
    module = machine.import_module(base, node)
    for alias in node.names:
        if alias.name == "*":
            _import_all(machine, module)
            continue
        machine.bind(alias.asname or alias.name, machine.attribute(module, alias.name, node))
    return [End(NORMAL)]


def _import_all(machine: Machine, module: Value) -> None:
    if isinstance(module, ModuleValue):
        for key, value in list(module.store.items()):
            if isinstance(key, str) and not key.startswith("_"):
                machine.bind(key, value)
    elif isinstance(module, Name):
        machine.write(machine.frame.scopes[0], "*", module)


def _absolute(machine: Machine, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = machine.module.name.split(".")
    keep = len(parts) - node.level + (1 if machine.module.is_package else 0)
    return ".".join([*parts[: max(keep, 0)], *([node.module] if node.module else [])])


def _delete(machine: Machine, node: ast.Delete) -> list[End]:
    return [End(NORMAL)]


def _global(machine: Machine, node: ast.Global) -> list[End]:
    machine.frame.globals.update(node.names)
    return [End(NORMAL)]


def _nonlocal(machine: Machine, node: ast.Nonlocal) -> list[End]:
    machine.frame.nonlocals.update(node.names)
    return [End(NORMAL)]


def _break(machine: Machine, node: ast.Break) -> list[End]:
    return [End(BREAK)]


def _continue(machine: Machine, node: ast.Continue) -> list[End]:
    return [End(CONTINUE)]


def _assert(machine: Machine, node: ast.Assert) -> list[End]:
    machine.eval(node.test)
    return [End(NORMAL)]


def _is_generator_exit(end: End) -> bool:
    return end.kind == RAISE and isinstance(end.value, Error) and end.value.dotted == "builtins.GeneratorExit"


def _is_empty(body: list[ast.stmt]) -> bool:
    return all(isinstance(node, (ast.Pass, ast.Continue, ast.Break, ast.Raise)) for node in body)


STATEMENTS: dict[type[ast.AST], Callable[..., list[End]]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _ann_assign,
    ast.AugAssign: _aug_assign,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.If: _if,
    ast.While: _while,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.Try: _try,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Match: _match,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Delete: _delete,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Assert: _assert,
}
if hasattr(ast, "TryStar"):
    STATEMENTS[ast.TryStar] = _try
