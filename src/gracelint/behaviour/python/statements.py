"""How the machine walks each kind of statement: the ways in which it can end."""

from __future__ import annotations

import ast

from gracelint.behaviour.python import bodies
from gracelint.behaviour.python.ends import BREAK, CONTINUE, FINAL, NORMAL, RAISE, RETURN, End, Frame, Guard, Leave
from gracelint.behaviour.python.expressions import calculate
from gracelint.behaviour.python.leaving import leave_context
from gracelint.behaviour.python.library import decorate
from gracelint.behaviour.python.loops import run_for, run_while
from gracelint.behaviour.python.names import canonical, comparable
from gracelint.behaviour.python.objects import cloud
from gracelint.behaviour.python.registry import ENTERS
from gracelint.behaviour.python.values import (
    CERTAIN,
    FROM_OUTSIDE,
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
    if machine.arrived:
        machine.reached.add(node)
    truth = machine.truth(machine.eval(node.test))
    if isinstance(truth, bool):
        return machine.block(node.body if truth else node.orelse)
    return machine.fork(truth.tag, (lambda: machine.block(node.body), lambda: machine.block(node.orelse)))


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
    handlers = [handler for handler in node.handlers if _is_ordinary(machine, handler)]
    if node in machine.failing and handlers:
        ways = [lambda handler=handler: _except(machine, handler, Error("?"), node) for handler in handlers]
        return _finally(machine, node, machine.fork(OUTSIDE, ways) if len(ways) > 1 else ways[0]())
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
        branches.append((end.tag, lambda handler=handler, error=error: _except(machine, handler, error, node)))  # type: ignore[misc]
    if normal is not None and not arrived:
        for handler in node.handlers:
            if id(handler) not in used and _is_ordinary(machine, handler):
                branches.append((OUTSIDE, lambda handler=handler: _except(machine, handler, Error("?"), node)))  # type: ignore[misc]
    if normal is not None and arrived:
        for handler in node.handlers:
            if id(handler) not in used and _is_told_of_the_end(handler):
                branches.append((OUTSIDE, lambda handler=handler: _except(machine, handler, Error("?"), node)))  # type: ignore[misc]
    if normal is None and not arrived and any(end.kind in _LEAVES for end in passed):
        for handler in node.handlers:
            if id(handler) in used or not _is_ordinary(machine, handler):
                continue
            step = _walk_aside(machine, lambda handler=handler: _except(machine, handler, Error("?"), node))  # type: ignore[misc]
            if machine.arrived:
                return _finally(machine, node, step)
            passed += [end.weaker(OUTSIDE) for end in step]
    results = passed + _take(machine, branches)
    return _finally(machine, node, results)


_LEAVES = (RETURN, BREAK, CONTINUE)


def _walk_aside(machine: Machine, branch: Callable[[], list[End]]) -> list[End]:
    """A rare way: how it ends counts, and what it leaves behind is taken back, unless the signal arrives on it."""
    arrived, mark = machine.arrived, len(machine.trail)
    step = branch()
    if arrived or not machine.arrived:
        _keep_registrations(machine, machine.undo(mark))
    return step


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
            arrived = machine.arrived
            step = _walk_aside(machine, branch)
            if machine.arrived and not arrived:
                return step
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


def _except(machine: Machine, handler: ast.ExceptHandler, error: Error, node: ast.Try) -> list[End]:
    if machine.arrived and machine.handling == 0 and not machine.aside:
        _note_cleanup(machine, handler.body)
    if handler.name:
        machine.write(machine.frame.scopes[-1], handler.name, error)
    machine.caught.append(error)
    machine.excepting.append(node)
    try:
        return machine.block(handler.body)
    finally:
        machine.caught.pop()
        machine.excepting.pop()


def _finally(machine: Machine, node: ast.Try, results: list[End]) -> list[End]:
    results = machine.merge(results)
    alive = [end for end in results if end.kind not in FINAL]
    if not node.finalbody or not alive:
        return results
    if machine.arrived and machine.handling == 0 and not machine.aside:
        _note_cleanup(machine, node.finalbody)
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


def _is_told_of_the_end(handler: ast.ExceptHandler) -> bool:
    """Whether a clause leaves a loop where there is no more: `except queue.Empty: break`."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {getattr(one, "attr", getattr(one, "id", "")) for one in types}
    return not names.isdisjoint(_NO_MORE) and isinstance(handler.body[-1], (ast.Break, ast.Return))


_NO_MORE = ("Empty", "QueueEmpty", "IndexError", "KeyError", "StopIteration", "StopAsyncIteration", "WouldBlock")


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
    if isinstance(context, Thing) and canonical(context.kind) in ENTERS:
        ENTERS[canonical(context.kind)](machine, context, item.context_expr)
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
        return leave_context(machine, context, ends, node, item.context_expr)
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
    fits = _fits(machine, case.pattern, subject)
    return fits if case.guard is None or fits is False else None


def _fits(machine: Machine, pattern: ast.pattern, subject: Value) -> bool | None:
    """Whether a value is what a pattern asks for; None where that is not known."""
    if isinstance(pattern, ast.MatchAs):
        return True if pattern.pattern is None else _fits(machine, pattern.pattern, subject)
    if isinstance(pattern, ast.MatchOr):
        answers = [_fits(machine, each, subject) for each in pattern.patterns]
        return True if True in answers else None if None in answers else False
    if not isinstance(pattern, (ast.MatchValue, ast.MatchSingleton)) or not isinstance(subject, (Const, Name)):
        return None
    given = Const(pattern.value) if isinstance(pattern, ast.MatchSingleton) else machine.eval(pattern.value)
    value = comparable(given)
    return same(value, comparable(subject)) if isinstance(value, Const) else None


def _define(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[End]:
    value: Value = machine.function(node)
    for decorator in reversed(node.decorator_list):
        value = decorate(machine, decorator, value)
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
    for target in node.targets:
        owner = machine.eval(target.value) if isinstance(target, ast.Subscript) else None
        if isinstance(owner, Items) and owner.kind != "dict":
            cloud(machine, owner.store)
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
    holds = machine.truth(machine.eval(node.test))
    return [End(NORMAL)] if holds is not False else [End(RAISE, CERTAIN, Error("builtins.AssertionError"))]


def _note_cleanup(machine: Machine, body: list[ast.stmt]) -> None:
    from gracelint.behaviour.python.midway import first_act

    machine.cleaned = machine.cleaned or not _is_empty(body)
    machine.puts_right = machine.puts_right or first_act(body) is not None


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
    ast.While: run_while,
    ast.For: run_for,
    ast.AsyncFor: run_for,
    ast.Try: _try,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Match: _match,
    ast.FunctionDef: _define,
    bodies.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    bodies.AsyncFunctionDef: _define,
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
