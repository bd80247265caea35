"""Streams to write to that are ended: what is still written when `end()` has come back."""

from __future__ import annotations

from gracelint.behaviour.node import failing
from gracelint.behaviour.node.helpers import until_called
from gracelint.behaviour.node.values import UNKNOWN, After, Builtin, Closure, External, Generator, Object, Promise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame

_HOOKS = ("_final", "_flush")
_LAST = ("finish", "close")
"""The events of a stream that has written everything."""


def prepare(machine: Machine, stream: Object, frame: Frame) -> None:
    """Gives an instance of a class of the project the `end` that it inherits."""
    hook = next((found for name in _HOOKS if isinstance(found := machine.member(stream, name, frame), Closure)), None)
    if hook is not None:
        _give_end(stream, hook)


def made(args: list[Any]) -> Object | None:
    """`new Writable({ write, final })`; None where nothing is done at its end."""
    options = args[0] if args else None
    found = [options.props.get(name.lstrip("_")) for name in _HOOKS] if isinstance(options, Object) else []
    hook = next((part for part in found if isinstance(part, Closure)), None)
    if hook is None:
        return None
    stream = Object()
    stream.open = True
    _give_end(stream, hook)
    return stream


def _give_end(stream: Object, hook: Closure) -> None:
    listeners: list[Any] = []

    def end(machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Any:
        where = at if at is not None else frame.file.root
        after = until_called(machine, hook, [], where, frame)
        for part in after:
            if part not in frame.after:
                failing.set_afloat(machine, part, where, frame)
        for function in (*(value for value in args if isinstance(value, (Closure, Builtin))), *listeners):
            machine.task(function, [], frame, after)
        return stream

    def listen(machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Any:
        if args and args[0] in _LAST:
            listeners.extend(args[1:2])
            return stream
        return machine.call(UNKNOWN, args, frame, at)

    stream.props |= {"end": Builtin(end), "on": Builtin(listen), "once": Builtin(listen)}


def readable(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`Readable.from(rows())` is read as long as the generator function goes on."""
    if args and isinstance(args[0], Generator) and not machine.stopping and not machine.rehearsing:
        from gracelint.behaviour.node.iterating import source_of

        source = source_of(machine, args[0])
        if source is not None:
            source.settings["steps"], source.alive = True, None
            machine.add(source, frame)
    return External("stream.Readable.from()")


def finished(machine: Machine, node: Node, frame: Frame) -> Promise:
    """`await finished(stream)` comes after what the stream has still to write, where nothing else is under way."""
    afloat = {part for begun in machine.floating for part in begun.rest}
    done = afloat if len(afloat) == 1 else (After("work", frame.file.span(node)),)
    return Promise((*frame.after, *done))
