"""How the models of calls are registered, and how they get at their arguments."""

from __future__ import annotations

from gracelint.behaviour.python.library import MODELS
from gracelint.behaviour.python.values import Bound, Thing, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gracelint.behaviour.python.library import Model

    Arguments = Sequence[Value]
    Keywords = dict[str, Value]


def model(*paths: str, into: dict[str, Model] = MODELS) -> Callable[[Model], Model]:
    def register(function: Model) -> Model:
        for path in paths:
            into[path] = function
        return function

    return register


def argument(args: Arguments, keywords: Keywords, position: int, name: str) -> Value | None:
    return args[position] if len(args) > position else keywords.get(name)


def receiver_of(function: Value) -> Thing | None:
    return function.receiver if isinstance(function, Bound) and isinstance(function.receiver, Thing) else None
