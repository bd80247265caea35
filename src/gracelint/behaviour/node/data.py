"""What a program reads while it runs: JSON text, and files of the project."""

from __future__ import annotations

import posixpath

from gracelint.behaviour.node.values import UNKNOWN, Array, External, Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.node.machine import Machine


_LONGEST = 100_000
"""Characters of JSON that are read."""


def from_json(machine: Machine, text: str) -> Any:
    """What JSON text stands for; unknown where it is none, or too much of it."""
    import json

    if len(text) > _LONGEST:
        return UNKNOWN
    try:
        found = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return UNKNOWN
    machine.pay_for(len(text))
    return _value(found)


def _value(data: Any) -> Any:
    if isinstance(data, dict):
        return Object({key: _value(value) for key, value in data.items()})
    return Array([_value(value) for value in data]) if isinstance(data, list) else data


def parse_json(machine: Machine, args: list[Any]) -> Any:
    return from_json(machine, args[0]) if args and isinstance(args[0], str) else External("JSON.parse()")


def read_text(machine: Machine, args: list[Any]) -> Any:
    """`fs.readFileSync(path)` of a file of the project: where the entry's folder is the working directory, or above."""
    name = args[0] if args else UNKNOWN
    if not isinstance(name, str) or not name.endswith(".json"):
        return External("fs.readFileSync()")
    folder = posixpath.dirname(machine.source.path)
    for base in dict.fromkeys(("", folder, posixpath.dirname(folder))):
        path = posixpath.normpath(posixpath.join(base, name))
        source = machine.files.read(path) if machine.files.exists(path) else None
        if source is not None:
            return source.text
    return External("fs.readFileSync()")
