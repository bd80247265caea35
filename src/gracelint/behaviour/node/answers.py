"""What a request sets going that its answer does not wait for, as a rehearsal of its handler shows."""

from __future__ import annotations

from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.timing import flat, time_of
from gracelint.behaviour.node.values import UNKNOWN, After, Builtin, Closure, Method, Object, Promise, Scope
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine

    Pause = tuple[After, ...]

_PARAMETERS = 4
"""`(error, request, response, next)`"""


class Answer(Object):
    """What a handler is given: the request, the response, a socket, a context, or what goes on to the next handler."""

    __slots__ = ("given",)

    def __init__(self, given: list[Pause]) -> None:
        super().__init__()
        self.open = True
        self.given = given
        """What each answer comes after."""
        self.props |= dict.fromkeys(_ANSWERS, Builtin(self._end))
        self.props |= dict.fromkeys(_SAYS, Builtin(lambda machine, args, at, frame: self))
        self.props |= dict.fromkeys(_HEARS, Builtin(self._listen))

    def _end(self, machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Any:
        self.given.append(frame.after)
        for function in args:
            if isinstance(function, Closure):
                machine.task(function, [], frame, frame.after)
        return self

    def _listen(self, machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Any:
        if args and args[0] not in _FAILS:
            for function in args[1:]:
                machine.task(function, [Answer(self.given)], frame, frame.after)
        return self


_ROWS = table("node")["answers"]
_ANSWERS: tuple[str, ...] = tuple(_ROWS["ends"])
_SAYS: tuple[str, ...] = tuple(_ROWS["says"])
_HEARS: tuple[str, ...] = tuple(_ROWS["hears"])
_FAILS = frozenset(_ROWS["fails"])
_BY_CALL = frozenset(_ROWS["by_call"])


def is_answered(machine: Machine, values: Iterable[Any], after: Pause) -> None:
    """Takes down that something else is given the answer, and ends it when it is through."""
    for value in values:
        if isinstance(value, Answer):
            value.given.append(after)


def any_of(values: Iterable[Any]) -> Any:
    """What a request may find in a table: a function calls all that stand there."""
    found = list(values)
    functions = [value for value in found if isinstance(value, (Closure, Builtin, Method))]
    if functions:

        def call(machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Any:
            results = [machine.call(function, args, frame, at) for function in functions[:_MOST]]
            return next((value for value in results if isinstance(value, Promise)), UNKNOWN)

        return Builtin(call)
    objects = [value for value in found if isinstance(value, Object) and not isinstance(value, Answer)]
    if not objects or len(objects) < len(found):
        return UNKNOWN
    merged = Object({key: any_of(one.props[key] for one in objects if key in one.props) for key in objects[0].props})
    merged.open = True
    return merged


_MOST = 64


def left_behind(machine: Machine, function: Closure, library: str) -> list[Pause]:
    """What a handler waits for that its answer does not; without an answer, all of it is waited for."""
    given: list[Pause] = []
    machine.pauses = []
    result = machine.task(function, [Answer(given) for _ in range(_PARAMETERS)], Frame(Scope(), function.file), ())
    if isinstance(result, Promise) and (not given or library not in _BY_CALL):
        given.append(result.after)
    return [pause for pause in machine.pauses if given and not any(_is_within(pause, answer) for answer in given)]


def _is_within(pause: Pause, answer: Pause) -> bool:
    """Whether one is over by the time of the other."""
    before = flat(answer)
    rest = [part for part in flat(pause) if part not in before]
    takes, lasts = time_of(pause), time_of(answer)
    in_time = takes is not None and lasts is not None and takes <= lasts
    return not rest or (in_time and all(part.kind == "timer" for part in rest))
