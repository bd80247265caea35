"""Child processes of other programs."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.ends import Point, stuck
from gracelint.behaviour.python.names import NUMBERS, is_true, path_of, signal_of, text_of
from gracelint.behaviour.python.registry import AWAITED, EXITS, PROPERTIES, argument, limit, model, receiver_of
from gracelint.behaviour.python.values import (
    FROM_OUTSIDE,
    LOST_TRACK,
    NONE,
    OUTSIDE,
    TRUE,
    Bound,
    Const,
    Later,
    Thing,
    Unknown,
    Value,
    items,
)
from gracelint.behaviour.python.waits import child_ended, child_lasts, child_of, command_of, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


@model("subprocess.Popen")
def _popen(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = child_of(machine, "subprocess.Popen", node, args)
    argv = argument(args, keywords, 0, "args")
    shell = is_true(keywords.get("shell"))
    if argv is not None:
        words = words_of(machine, argv, node, shell)
        thing.store["#words"] = Const(words)
    if not machine.arrived:
        machine.facts.children.append(thing)
    return thing


@model("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", into=AWAITED)
@model("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell")
def _spawn(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """A child that is waited for in an event loop, where signals are heard meanwhile."""
    if not machine.awaiting:
        return Later(function, args, keywords, node)
    shell = path_of(function).endswith("_shell")
    thing = machine.start_child("asyncio.Process", node)
    argv = (args[0] if args else FROM_OUTSIDE) if shell else items("list", list(args))
    thing.store["#words"] = Const(words_of(machine, argv, node, shell))
    if not machine.arrived:
        machine.facts.children.append(thing)
    return thing


@model("asyncio.Process.wait", "asyncio.Process.communicate", into=AWAITED)
@model("asyncio.Process.wait", "asyncio.Process.communicate")
def _await_child(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not machine.awaiting:
        return Later(function, args, keywords, node)
    value = _wait_child(machine, function, [], {}, node)
    if (
        machine.aside
        and not machine.arrived
        and machine.children.runs_on(command_of(receiver_of(function))) is not False
    ):
        machine.came_back = OUTSIDE
    return value


@model("subprocess.Popen.wait", "subprocess.Popen.communicate")
def _wait_child(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    assert isinstance(function, Bound)
    point = Point(
        node, machine.module, "child", limit(args, keywords, 0 if function.name == "wait" else 1), text_of(node)
    )
    if thing is not None:
        point.joins = (thing,)
        machine.close(thing, "end")
        for task in machine.bodies if machine.arrived else ():
            machine.waiting_on.setdefault(id(task), []).append(thing)
    if machine.handling and _holds_lock(machine.arrival, thing) and point.seconds is None:
        raise stuck(point, "handler wait")
    gives_up = point.seconds is not None
    lasts = child_lasts(machine, point, command_of(thing))

    def ready() -> bool | Unknown:
        ended = child_ended(machine, thing)
        sent = thing.store.get("#signalled") if thing is not None else None
        name = sent.value if isinstance(sent, Const) else None
        if ended is True and machine.children.outlasts(command_of(thing), name, point.limit):
            return False
        return LOST_TRACK if ended is False and lasts is None and machine.arrived and not machine.handling else ended

    value = machine.wait(
        point,
        ready=ready,
        comes_back=lasts is not True,
        raises="subprocess.TimeoutExpired" if gives_up else None,
    )
    return _code(machine, thing) if function.name == "wait" and thing is not None else value


def _code(machine: Machine, thing: Thing) -> Value:
    """What a child that was signalled, and has nothing to say to that, ends with."""
    signalled = thing.store.get("#signalled")
    if not isinstance(signalled, Const) or not machine.children.is_idle(command_of(thing)):
        return FROM_OUTSIDE
    return Const(-NUMBERS[signalled.value]) if signalled.value in NUMBERS else FROM_OUTSIDE


def _holds_lock(arrival: Point | None, thing: Thing | None) -> bool:
    """Whether the signal came in `Popen.wait()`, which keeps a lock that the handler's own `wait()` then waits for."""
    if arrival is None or thing is None or arrival.kind != "child" or arrival.seconds is not None:
        return False
    called = arrival.node.func if isinstance(arrival.node, ast.Call) else None
    return thing in arrival.joins and isinstance(called, ast.Attribute) and called.attr == "wait"


@model("shlex.split")
def _split(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    text = argument(args, keywords, 0, "s")
    words = words_of(machine, text, node) if isinstance(text, Const) and not keywords.keys() - {"s"} else None
    return FROM_OUTSIDE if words is None else items("list", [Const(word.value) for word in words])


def _is_there(machine: Machine, thing: Thing) -> bool:
    """Whether a child runs at the signal: the main thread waits for it, or it runs until it is told to stop."""
    if machine.arrival is None:
        return False
    return thing in machine.arrival.joins or machine.children.runs_on(command_of(thing)) is True


@model("subprocess.Popen.poll")
def _poll_child(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    ended = child_ended(machine, thing)
    if thing is not None and "#signalled" not in thing.store and _is_there(machine, thing):
        return NONE
    if thing is None or ended is False:
        return FROM_OUTSIDE
    if machine.handling == 0:
        machine.write(thing.store, "#awaited", TRUE)
    return Const(0) if ended is True else LOST_TRACK


def _returncode(machine: Machine, attribute: Bound) -> Value:
    """None while the child runs."""
    thing = attribute.receiver
    if not isinstance(thing, Thing) or thing.kind not in ("subprocess.Popen", "asyncio.Process"):
        return attribute
    return NONE if "#signalled" not in thing.store and _is_there(machine, thing) else attribute


PROPERTIES["returncode"] = _returncode


@model("subprocess.Popen.terminate", "subprocess.Popen.kill", "subprocess.Popen.send_signal")
@model("asyncio.Process.terminate", "asyncio.Process.kill", "asyncio.Process.send_signal")
def _signal_popen(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    assert isinstance(function, Bound)
    name = {"terminate": "SIGTERM", "kill": "SIGKILL"}.get(function.name) or (signal_of(args[0]) if args else None)
    if thing is not None:
        forward(machine, thing, name, node)
    return NONE


def forward(machine: Machine, thing: Thing, name: str | None, node: ast.AST) -> None:
    machine.close(thing, "end")
    machine.write(thing.store, "#signalled", Const(name))
    if machine.arrived:
        machine.act("stop-child", text_of(node), node)
        at_first = LOST_TRACK if machine.excepting else Const(name)
        machine.write(thing.store, "#told", thing.store.get("#told", at_first))
        if machine.handling:
            machine.write(thing.store, "#forwarded", TRUE)


def _leave_popen(machine: Machine, thing: Thing, expression: ast.AST) -> None:
    _wait_child(machine, Bound(thing, "wait"), [], {}, expression)


EXITS["subprocess.Popen"] = _leave_popen
