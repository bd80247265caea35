"""Threads that nothing waits for: whether they would have noticed the stop, and had something left to do."""

from __future__ import annotations

from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.machine import WORK
from gracelint.behaviour.machine.nodes import Call, Field, Loop, Name, Seq
from gracelint.behaviour.machine.values import Ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.interpreter import Interpreter
    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.nodes import Function, Node
    from gracelint.behaviour.machine.values import Thread

_MOST_TURNS = 8


def left_alone(machine: Machine, works: Callable[[Any], bool]) -> Thread | None:
    """A thread that pauses in a loop when the process ends, which the stop would end, and that does something after it.

    `works` says the last of a thread's body. It is run on to see the rest: to be asked when nothing else is to come.
    """
    current, depth = machine.current, machine.depth
    try:
        return next((one for one in [*machine.threads] if _has_more(one, works) and _ends(machine, one)), None)
    finally:
        machine.current, machine.depth = current, depth


def works(machine: Interpreter) -> Callable[[Any], bool]:
    """Whether calls follow the loop of a function."""
    return lambda body: isinstance(body, Closure) and _works_after_loop(machine, body.function)


def _has_more(thread: Thread, works: Callable[[Any], bool]) -> bool:
    pauses = thread.wait is not None and thread.wait.kind in WORK and thread.wait.at() is not None
    return not thread.main and not thread.told and pauses and thread.body is not None and works(thread.body)


def _works_after_loop(machine: Interpreter, function: Function) -> bool:
    """Whether calls follow a loop that has a condition, in a function or the only one it calls."""
    lines = [_unwrapped(one) for one in (function.body.body if isinstance(function.body, Seq) else [function.body])]
    loops = [index for index, one in enumerate(lines) if isinstance(one, Loop) and one.test is not None]
    if loops:
        return any(map(_calls, lines[loops[-1] + 1 :]))
    callee = (
        lines[0].callee if len(lines) == 1 and isinstance(lines[0], Call) else lines[0] if len(lines) == 1 else None
    )
    named = machine.functions_named(callee.name) if isinstance(callee, (Name, Field)) else []
    return len(named) == 1 and named[0] is not function and _works_after_loop(machine, named[0])


def _unwrapped(node: Node) -> Node:
    return node.body[0] if isinstance(node, Seq) and len(node.body) == 1 else node


def _calls(node: Node) -> bool:
    return isinstance(node, (Call, Name, Field))


def _ends(machine: Machine, thread: Thread) -> bool:
    for _ in range(_MOST_TURNS):
        if thread.done:
            return True
        if thread.wait is None or (thread.wait.at() is None and not thread.wait.ready()):
            return False
        thread.wait.over = True
        try:
            machine.resume(thread)
        except Ended:
            return False
    return False
