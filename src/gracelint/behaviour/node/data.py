"""What a program reads while it runs: JSON text, and files of the project."""

from __future__ import annotations

import posixpath

from gracelint.behaviour.node.syntax import FUNCTIONS, callee_of, is_caught, once, string_of
from gracelint.behaviour.node.values import UNKNOWN, Array, External, Object
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame
    from gracelint.behaviour.node.syntax import File


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
    sources = (machine.files.read(path) for path in _places(machine, name) if machine.files.exists(path))
    return next((source.text for source in sources if source is not None), External("fs.readFileSync()"))


def _places(machine: Machine, name: str) -> Iterator[str]:
    folder = posixpath.dirname(machine.source.path)
    for base in dict.fromkeys(("", folder, posixpath.dirname(folder))):
        yield posixpath.normpath(posixpath.join(base, name))


def need(machine: Machine, args: list[Any], node: Node, frame: Frame) -> None:
    """Takes down a file that is needed, where the project does not have it and nothing here writes it.

    Whether an image or a volume brings it is not known here.
    """
    name: Any = args[0] if args else UNKNOWN
    given = node.child_by_field_name("arguments")
    if given is None or not given.named_children or not isinstance(name, str) or name.startswith(_BROUGHT):
        return
    if not machine.certain or is_caught(node):
        return
    parts = name.lstrip("/").split("/")
    inside = ("/".join(parts[at:]) for at in range(len(parts)) if name.startswith("/"))
    if any(machine.files.exists(path) for path in (*_places(machine, name), *inside)):
        return
    if any(thing.kind in ("child", "sync-child") for thing in machine.things) or machine.unread:
        return
    texts, around = {text_of(given.named_children[0]), str(name)}, _function(node)
    files = [file for file in machine.parsed.values() if file is not None]
    calls = [call for file in files for text, call in _given(file) if text in texts]
    if any(part.kind == "drained" for part in frame.after):  # a server that is closed takes its socket with it
        calls = [call for call in calls if not callee_of(call).endswith(".listen")]
    if all(_function(call) == around and call.end_byte > node.start_byte for call in calls):
        machine.absent.append((str(name), frame.file.span(node)))


@once
def _given(file: File) -> list[tuple[str, Node]]:
    """What calls are given, as it is written there, that do not just need a file that is there already."""
    found: list[tuple[str, Node]] = []
    for node in walk(file.root):
        given = node.child_by_field_name("arguments") if node.type in ("call_expression", "new_expression") else None
        if given is not None and callee_of(node).rpartition(".")[2] not in _NEEDS:
            found += ((string_of(part) or text_of(part), node) for part in given.named_children)
    return found


def _function(node: Node) -> Node | None:
    here = node.parent
    while here is not None and here.type not in FUNCTIONS:
        here = here.parent
    return here


_NEEDS = frozenset(path.rpartition(".")[2] for path in table("node")["needs"])
_BROUGHT = ("/proc/", "/sys/", "/etc/", "/dev/", "/usr/", "/run/", "/var/run/")
"""Where an image, the kernel or the cluster puts files."""
