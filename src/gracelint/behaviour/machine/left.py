"""Threads that nothing waits for: whether they would have noticed the stop, and had something left to do."""

from __future__ import annotations

from gracelint.behaviour.machine.machine import WORK
from gracelint.behaviour.machine.values import Ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.machine import Machine
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


def _has_more(thread: Thread, works: Callable[[Any], bool]) -> bool:
    pauses = thread.wait is not None and thread.wait.kind in WORK and thread.wait.at() is not None
    return not thread.main and not thread.told and pauses and thread.body is not None and works(thread.body)


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
