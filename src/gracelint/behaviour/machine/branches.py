"""What stays of branches of which one is taken, and nobody can tell which."""

from __future__ import annotations

from gracelint.behaviour.machine.values import UNKNOWN, UNSET, OneOf, either

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Run

_NOTHING = object()
"""What a variable has that does not exist yet."""
_TOLD = (bool, int, float, str, list, tuple, dict, OneOf)
"""Values that something known may be made of; of objects and functions the last is taken."""


def put(machine: Machine, names: Any, name: Any, value: Any) -> None:
    """Gives a variable, a field or an element another value."""
    old = _now(names, name)
    for journal in machine.current.journals if machine.current is not None else ():
        journal.setdefault((id(names), name), (names, old))
    names[name] = value


def each(machine: Machine, branches: Iterable[Callable[[], Run]], *, more: bool) -> Run:
    """Runs branches, each from where the first begins, and gives what they give.

    What they set is then one of the values that they leave: also the one before where none may be taken (`more`).
    """
    journals = machine.current.journals if machine.current is not None else []
    before: dict[tuple[int, Any], tuple[Any, Any]] = {}
    ends: list[dict[tuple[int, Any], Any]] = [{}] if more else []
    values: list[Any] = []
    try:
        for branch in branches:
            journals.append({})
            try:
                value = yield from branch()
                values.append(value)
            finally:
                journal = journals.pop()
                ends.append({key: _now(names, key[1]) for key, (names, _) in journal.items()})
                for (_, name), (names, old) in journal.items():
                    _restore(names, name, old)
                before.update(journal)
    finally:
        for key, (names, old) in before.items():
            left = _left(old, [end.get(key, old) for end in ends])
            if left is not _now(names, key[1]):
                put(machine, names, key[1], left)
    return values


def _now(names: Any, name: Any) -> Any:
    is_there = -len(names) <= name < len(names) if isinstance(names, list) else name in names
    return names[name] if is_there else _NOTHING


def _restore(names: Any, name: Any, old: Any) -> None:
    """As it was; an element of a list that has become shorter is gone."""
    there = _now(names, name) is not _NOTHING
    if old is not _NOTHING and (there or isinstance(names, dict)):
        names[name] = old
    elif old is _NOTHING and there:
        del names[name]


def _left(before: Any, values: list[Any]) -> Any:
    # a variable of the environment that is not set takes no default away
    set_ = [one for one in values if one is not before and (one is not UNSET or before is _NOTHING)]
    if not set_:
        return before
    return one_of(values) if any(isinstance(one, _TOLD) for one in set_) else set_[-1]


def one_of(values: list[Any]) -> Any:
    """What is one of some values."""
    return values[0] if all(one is values[0] for one in values) else either(values) if values else UNKNOWN
