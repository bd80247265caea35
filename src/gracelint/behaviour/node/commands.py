"""Commands of a program that its first words choose, as libraries for command lines declare them."""

from __future__ import annotations

import re

from gracelint.behaviour.node.arrays import run_callbacks
from gracelint.behaviour.node.values import UNKNOWN, Arguments, Array, Closure, External, Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame

_DEFAULT = "$0"
"""Stands before the words of a command that runs where none is named."""


def declare(machine: Machine, row: dict[str, Any], path: str, args: list[Any], frame: Frame) -> Any:
    """`program.command('work <topic>')`, with what it does, or `.action(work)` behind it; None for other calls."""
    owner, _, name = path.rpartition(".")
    if name == "command" and args:
        spec, handler = _declared(args, row)
        words = _words(spec, args, machine.argv)
        if words is None:
            return None
        if row["handler"] == "action":
            outer = [word for word in _of(owner) if word != _DEFAULT]
            return External(f"{path.split('.')[0]}.command({' '.join([*words[:-1], *outer, words[-1]])})")
        _run(machine, words, handler, frame)
        return External(f"{path}()")
    if name in _ALIASES and row["handler"] == "action" and args and _of(owner):
        return External(f"{path.split('.')[0]}.command({' '.join(_renamed(_of(owner), args, machine.argv))})")
    if name == "action" and row["handler"] == "action" and args:
        _run(machine, _of(owner), args[0], frame)
        return External(f"{path}()")
    return None


_ALIASES = ("alias", "aliases")


def _renamed(words: list[str], args: list[Any], given: Sequence[str]) -> list[str]:
    """The words of a command, with the alias in the place of its name where the command line has that."""
    names = [name for value in args for name in (value.items if isinstance(value, Array) else [value])]
    used = [name for name in names if isinstance(name, str) and name in given]
    return [*words[:-1], *used[:1]] if used else words


def _declared(args: list[Any], row: dict[str, Any]) -> tuple[Any, Any]:
    """What names a command, and its function: the fourth argument, or both in an object or a module."""
    if isinstance(args[0], Object):
        spec, others = (args[0].props.get(key) for key in ("command", "aliases"))
        names = [*_listed(spec), *_listed(others)] if others is not None else None
        return spec if names is None else Array(names), args[0].props.get("handler", UNKNOWN)
    at = row["handler"]
    return args[0], args[at] if isinstance(at, int) and len(args) > at else UNKNOWN


def _words(spec: Any, args: list[Any], given: Sequence[str]) -> list[str] | None:
    """The name of a command behind the mark of a default; None where it cannot be told."""
    names = _listed(spec)
    if not names or not all(isinstance(name, str) and name.split() for name in names):
        return None
    first = [part for name in names for part in name.split()[0].split("|")]
    options = [value for value in args[1:] if isinstance(value, Object)]
    is_default = _DEFAULT in first or any(value.props.get("isDefault") is True for value in options)
    names = [name for name in first if name != _DEFAULT]
    named = next((name for name in names if name in given), names[0] if names else "")
    return [_DEFAULT, named] if is_default else [named]


def _listed(spec: Any) -> list[Any]:
    return spec.items if isinstance(spec, Array) and not spec.open else [spec]


def _of(owner: str) -> list[str]:
    """The words of the command that a chain of calls began with."""
    found = re.match(r"[^(]*\.command\(([^)]+)\)", owner)
    return found[1].split() if found else []


def _run(machine: Machine, words: list[str], function: Any, frame: Frame) -> None:
    """Runs what a command does where it is the one that the command line names."""
    chosen = _is_chosen(machine, words, frame)
    if chosen is None or not isinstance(function, Closure):
        run_callbacks(machine, [function], frame, False)
    elif chosen:
        machine.task(function, Arguments([]), frame, frame.after)


def _is_chosen(machine: Machine, words: list[str], frame: Frame) -> bool | None:
    """Whether the command line names a command; None where it may."""
    given = [word for word in machine.argv if not word.startswith("-")]
    named = [word for word in words if word != _DEFAULT]
    if machine.words.open:
        return None
    if not named or not given:
        alone = not given or ".command(" not in frame.file.source.text
        return alone or None if not named else _DEFAULT in words
    if given[: len(named)] == named:
        return True
    may_be = _DEFAULT in words or named[-1] in given or "alias" in frame.file.source.text
    return None if may_be else False
