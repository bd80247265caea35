"""Context managers that are entered by calls: `contextlib.ExitStack` and its kind."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import is_at_work
from gracelint.behaviour.python.ends import ABANDON, NORMAL, RAISE, End, Leave
from gracelint.behaviour.python.leaving import leave_context
from gracelint.behaviour.python.names import canonical, text_of
from gracelint.behaviour.python.registry import ENTERED, ENTERS, EXITS, argument, model, receiver_of
from gracelint.behaviour.python.statements import enter
from gracelint.behaviour.python.values import (
    CERTAIN,
    FROM_OUTSIDE,
    NONE,
    Const,
    Error,
    Function,
    Items,
    Later,
    Partial,
    Thing,
    Value,
    items,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords

_STACKS = ("contextlib.ExitStack", "contextlib.AsyncExitStack")


def _named(*names: str) -> list[str]:
    return [f"{stack}.{name}" for stack in _STACKS for name in names]


def _push(machine: Machine, stack: Thing, value: Value) -> None:
    known = stack.store.get("#stack")
    before = known.values() if isinstance(known, Items) else []
    machine.write(stack.store, "#stack", items("list", [*before, value]))


@model(*_named("enter_async_context"))
def _enter_async(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """What is awaited then is the entering, not the task or the like that a context gives."""
    given = _enter(machine, function, args, keywords, node)
    if not isinstance(given, (Thing, Later)):
        return given
    entering = Thing(ENTERED, node, machine.module)
    entering.store["#value"] = given
    return entering


@model(*_named("enter_context"))
def _enter(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    stack, context = receiver_of(function), argument(args, keywords, 0, "cm")
    if stack is None or context is None:
        return FROM_OUTSIDE
    _push(machine, stack, context)
    if _is_generator(context):
        return _up_to_yield(machine, context)
    return enter(machine, context, node)


def _is_generator(context: Value) -> bool:
    return (
        isinstance(context, Later)
        and isinstance(context.function, Function)
        and context.function.wrapper == "contextmanager"
    )


def _up_to_yield(machine: Machine, context: Value) -> Value:
    """What a generator gives; the rest of it runs when the stack is left."""
    assert isinstance(context, Later)
    given: list[Value] = []

    def on_yield(value: Value) -> Value:
        given.append(value)
        raise Leave([End(ABANDON)])

    machine.write(machine.world, "entering", context)
    try:
        machine.invoke(context.function, context.args, context.keywords, context.node, on_yield=on_yield)
    except Leave as leave:
        rest = [end for end in leave.ends if end.kind != ABANDON]
        if rest and not given:
            raise
    finally:
        machine.write(machine.world, "entering", NONE)
    return given[0] if given else FROM_OUTSIDE


def _from_yield(machine: Machine, context: Value) -> None:
    """The rest of a generator, which goes on with the tasks that it made before."""
    assert isinstance(context, Later)

    def on_yield(value: Value) -> Value:
        machine.write(machine.world, "entering", NONE)
        return NONE

    machine.write(machine.world, "entering", context)
    machine.invoke(context.function, context.args, context.keywords, context.node, on_yield=on_yield)


@model(*_named("callback", "push_async_callback", "push", "push_async_exit"))
def _callback(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    stack = receiver_of(function)
    if stack is not None and args:
        _push(machine, stack, Partial(args[0], args[1:], keywords))
    return args[0] if args else NONE


@model(*_named("close", "aclose"))
def _close(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    stack = receiver_of(function)
    if stack is not None and isinstance(node, ast.expr):
        _leave(machine, stack, node)
    return NONE


def _leave(machine: Machine, stack: Thing, expression: ast.expr) -> None:
    """The last that was entered is left first."""
    entered = stack.store.get("#stack")
    machine.write(stack.store, "#stack", items("list", []))
    for context in reversed(entered.values() if isinstance(entered, Items) else []):
        if isinstance(context, Partial):
            machine.awaited(machine.call(context.function, context.args, context.keywords, expression), expression)
        elif _is_generator(context):
            _from_yield(machine, context)
        else:
            ends = leave_context(machine, context, [End(NORMAL)], expression, expression)
            leaving = [end for end in ends if end.kind != NORMAL and end.kind != RAISE]
            if leaving and len(leaving) == len(ends):
                raise Leave(leaving)


for _kind in _STACKS:
    EXITS[_kind] = _leave


def _begin(machine: Machine, timeout: Thing, expression: ast.expr) -> None:
    timeout.store["#began"], timeout.store["#waits"] = Const(machine.delay), Const(len(machine.leaving))


def _end(machine: Machine, timeout: Thing, expression: ast.expr) -> None:
    """What takes longer than it is given is cancelled; no wait in it is longer than that."""
    began, waits, given = (timeout.store.get(key) for key in ("#began", "#waits", "#first"))
    if not machine.arrived or machine.aside or not (isinstance(began, Const) and isinstance(waits, Const)):
        return
    if not isinstance(given, Const) or not isinstance(given.value, (int, float)):
        return
    inside = machine.leaving[waits.value :]
    for wait in inside:
        if wait.seconds is None:
            wait.seconds = given
    takes = None if began.value is None or machine.delay is None else machine.delay - began.value
    if takes is None or takes <= given.value:
        return
    tasks = [task for wait in inside for task in wait.joins]
    if not tasks or any(is_at_work(machine, task) for task in tasks):
        machine.given_up.append((timeout, text_of(expression), given.value, takes))
    machine.delay = began.value + given.value
    if canonical(timeout.kind) in _QUIET:
        return
    raise Leave([End(RAISE, CERTAIN, Error("builtins.TimeoutError"))])


_QUIET = ("anyio.move_on_after", "trio.move_on_after")
"""What says nothing where the time is over."""

for _kind in ("asyncio.timeout", "async_timeout.timeout", "anyio.fail_after", "trio.fail_after", *_QUIET):
    ENTERS[_kind], EXITS[_kind] = _begin, _end
