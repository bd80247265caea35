"""Nest's lifecycle: the hooks of the project's providers, which the application calls when it starts and stops."""

from __future__ import annotations

from gracelint.behaviour.node.state import Event
from gracelint.behaviour.node.values import UNDEFINED, UNKNOWN, Builtin, Class, Object, Promise, Thing, joined
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame

_STARTING = ("onModuleInit", "onApplicationBootstrap")
_STOPPING = ("onModuleDestroy", "beforeApplicationShutdown", "onApplicationShutdown")


def start(machine: Machine, frame: Frame) -> None:
    """Makes the providers, and calls the hooks of the start."""
    for cls in machine.classes:
        if any(hook in cls.methods for hook in (*_STARTING, *_STOPPING)) or _is_provided(cls):
            provided(machine, cls, frame)
        for decorator in _scheduled(cls):
            machine.add(Thing("interval", _SCHEDULE, cls.file.span(decorator), True), frame)
    _call(machine, _STARTING, [], frame)


def _is_provided(cls: Class) -> bool:
    """A class that Nest makes by itself, as its decorator says."""
    around = cls.node.parent if cls.node.parent is not None else cls.node
    parts = (*around.named_children, *cls.node.named_children)
    return any(part.type == "decorator" and _decorates_with(part) in _PROVIDED for part in parts)


_PROVIDED = ("Injectable", "Controller", "Module", "Resolver", "WebSocketGateway", "Processor")


def _scheduled(cls: Class) -> list[Node]:
    """The decorators of the methods that are called again and again: `@Cron('0 * * * *')`."""
    body = cls.node.child_by_field_name("body")
    parts = [part for child in (body.named_children if body is not None else ()) for part in (child, *child.children)]
    return [part for part in parts if part.type == "decorator" and _decorates_with(part) in ("Cron", "Interval")]


def _decorates_with(decorator: Node) -> str:
    return text_of(decorator).lstrip("@").split("(")[0]


_SCHEDULE = "@nestjs/schedule"


def stopping() -> Builtin:
    """What `app.close()` and the shutdown hooks call."""

    def run(machine: Machine, args: list[Any], at: Node | None, frame: Frame) -> Promise:
        for thing in machine.things:
            if thing.name == _SCHEDULE and machine.stopping:
                machine.events.append(Event("release", thing.span, frame.after, machine.certain, thing))
        return Promise(_call(machine, _STOPPING, args[:1], frame), UNDEFINED)

    return Builtin(run)


def provided(machine: Machine, cls: Class, frame: Frame, depth: int = 0) -> Object:
    """The one instance that dependency injection makes of a class, with those that its constructor is typed with."""
    from gracelint.behaviour.node.expressions import construct

    known = next((instance for instance in machine.providers if instance.cls is cls), None)
    if known is not None:
        return known
    asked = _asked_for(cls) if depth < _DEEP else []
    given = [provided(machine, found, frame, depth + 1) if found is not None else UNKNOWN for found in asked]
    made = construct(machine, cls, [*given, *[UNKNOWN] * 16], frame)
    machine.providers.append(made)
    return made


_DEEP = 8
"""Instances that ask for each other in turn."""


def _asked_for(cls: Class) -> list[Class | None]:
    """The project's classes that a constructor's parameters are typed with."""
    constructor = cls.methods.get("constructor")
    parameters = constructor.node.child_by_field_name("parameters") if constructor is not None else None
    found: list[Class | None] = []
    for child in parameters.named_children if parameters is not None else ():
        if child.type == "comment":
            continue
        annotation = child.child_by_field_name("type")
        named = annotation.named_children[0] if annotation is not None and annotation.named_children else None
        value = cls.scope.get(text_of(named)) if named is not None and named.type == "type_identifier" else None
        found.append(value if isinstance(value, Class) else None)
    return found


def _call(machine: Machine, hooks: tuple[str, ...], args: list[Any], frame: Frame) -> tuple[Any, ...]:
    """Calls the hooks of all providers; what has happened once they are done."""
    after = frame.after
    for hook in hooks:
        for provider in machine.providers:
            if provider.cls is None or hook not in provider.cls.methods:
                continue
            result = machine.task(machine.member(provider, hook, frame), list(args), frame, frame.after)
            if isinstance(result, Promise):
                after = joined(after, result.after)
    return after
