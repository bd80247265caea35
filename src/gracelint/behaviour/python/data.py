"""What a program reads from JSON while it runs: from text in the source, and from files of the project."""

from __future__ import annotations

from gracelint.behaviour.python.names import path_of
from gracelint.behaviour.python.values import FROM_OUTSIDE, Const, Items, Thing, Value, items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine

_LONGEST = 100_000
"""Characters of JSON that are read."""


def loaded(machine: Machine, given: Value | None) -> Value:
    """What `json.load(file)` or `json.loads(text)` gives; not known where the text is not."""
    import json

    text = _text(machine, given)
    if text is None or len(text) > _LONGEST:
        return FROM_OUTSIDE
    machine.pay_for(len(text))
    try:
        return _value(json.loads(text.removeprefix("\ufeff")))
    except (ValueError, RecursionError):
        return FROM_OUTSIDE


def _text(machine: Machine, given: Value | None) -> str | None:
    if isinstance(given, Const):
        return given.value if isinstance(given.value, str) else None
    named = given.store.get("#first") if isinstance(given, Thing) and path_of(given) == "builtins.open" else None
    if not isinstance(named, Const) or not isinstance(named.value, str) or not named.value.endswith(".json"):
        return None
    return machine.modules.text_of_file(named.value)


def _value(data: object) -> Value:
    if isinstance(data, dict):
        return Items("dict", {key: _value(value) for key, value in data.items()})
    return items("list", list(map(_value, data))) if isinstance(data, list) else Const(data)
