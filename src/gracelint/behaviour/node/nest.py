"""Nest's lifecycle: the hooks of the project's providers, which the application calls when it starts and stops."""

from __future__ import annotations

from gracelint.behaviour.node.syntax import text_of
from gracelint.behaviour.node.values import UNDEFINED, UNKNOWN, Builtin, Object, Promise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame
    from gracelint.behaviour.node.values import Class

_STARTING = ("onModuleInit", "onApplicationBootstrap")
_STOPPING = ("onModuleDestroy", "beforeApplicationShutdown", "onApplicationShutdown")


def start(machine: Machine, frame: Frame) -> None:
    """Makes the providers, and calls the hooks of the start."""
    for cls in machine.classes:
        if any(hook in cls.methods for hook in (*_STARTING, *_STOPPING)) or _is_provided(cls):
            machine.providers.append(_made(machine, cls, frame))
    _call(machine, _STARTING, [], frame)


def _is_provided(cls: Class) -> bool:
    """A class that Nest makes by itself, as its decorator says."""
    around = cls.node.parent if cls.node.parent is not None else cls.node
    parts = (*around.named_children, *cls.node.named_children)
    return any(part.type == "decorator" and text_of(part).lstrip("@").split("(")[0] in _PROVIDED for part in parts)


_PROVIDED = ("Injectable", "Controller", "Module", "Resolver", "WebSocketGateway", "Processor")


def stopping() -> Builtin:
    """What `app.close()` and the shutdown hooks call."""

    def run(machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Promise:
        return Promise(_call(machine, _STOPPING, args[:1], frame), UNDEFINED)

    return Builtin(run)


def _made(machine: Machine, cls: Class, frame: Frame) -> Object:
    from gracelint.behaviour.node.expressions import construct

    return construct(machine, cls, [UNKNOWN] * 16, frame)


def _call(machine: Machine, hooks: tuple[str, ...], args: list[Any], frame: Frame) -> tuple[Any, ...]:
    """Calls the hooks of all providers; what has happened once they are done."""
    after = frame.after
    for hook in hooks:
        for provider in machine.providers:
            if provider.cls is None or hook not in provider.cls.methods:
                continue
            result = machine.task(machine.member(provider, hook, frame), list(args), frame, frame.after)
            if isinstance(result, Promise):
                after = (*after, *(part for part in result.after if part not in after))
    return after
