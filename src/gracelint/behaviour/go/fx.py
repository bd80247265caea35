"""go.uber.org/fx: an application is made of constructors, and starts and stops what they hook into its lifecycle."""

from __future__ import annotations

from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.packages import fields_of, type_name
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Chan, Ctx, Doubt, Object, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.go.syntax import File
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

_FX = "go.uber.org/fx"
_SIGNALS = ("SIGTERM", "SIGINT")
_STOP_TIMEOUT = 15.0
"""fx.DefaultTimeout: https://pkg.go.dev/go.uber.org/fx#pkg-constants."""


def _option(kind: str) -> Callable[..., Any]:
    def made(machine: GoMachine, given: list[Any], span: Span) -> Any:
        one = Object(f"{_FX}.Option", span)
        one.state[kind] = given
        return one

    return made


def _parts(options: list[Any], kind: str) -> Iterator[Any]:
    for one in options:
        if isinstance(one, Object):
            yield from one.state.get(kind, ())
            yield from _parts(one.state.get("options", []), kind)


def _new(machine: GoMachine, given: list[Any], span: Span) -> Any:
    app = Object(f"{_FX}.App", span)
    app.state["options"] = given
    return app


def _begin(machine: GoMachine, app: Object, given: list[Any], span: Span) -> Run:
    """Runs what is invoked, with what it needs, then the hooks of the start."""
    options = app.state.get("options", [])
    lifecycle = Object(f"{_FX}.Lifecycle", span)
    app.state["lifecycle"] = lifecycle
    made: dict[str, Any] = {f"{_FX}.Lifecycle": lifecycle}
    makers = {name: one for one in _parts(options, "makes") if isinstance(one, Func) for name in _results(one)}
    for one in _parts(options, "invokes"):
        yield from _built(machine, one, makers, made, span)
    hooks: list[Object] = lifecycle.state.get("hooks", [])
    files = (file for package in machine.modules.packages(machine.main) for file in package.files)
    if sum(file.source.text.count("OnStop:") for file in files) > len(hooks):
        raise Doubt(f"whether line {span.line} starts all that has a hook is not known", span)
    for hook in hooks:
        yield from _called(machine, hook, "OnStart", Ctx(None, span), span)
    return NIL


def _built(machine: GoMachine, function: Any, makers: dict[str, Func], made: dict[str, Any], span: Span) -> Run:
    """Calls a function with what its parameters are made by."""
    if not isinstance(function, Func):
        return UNKNOWN
    given: list[Any] = []
    for type_ in _parameters(function):
        one = yield from _needed(machine, function.file, function.package, type_, makers, made, span)
        given.append(one)
    value = yield from expressions.call(machine, function, given, span)
    return value


def _needed(
    machine: GoMachine,
    file: File,
    package: Package,
    type_: Node | None,
    makers: dict[str, Func],
    made: dict[str, Any],
    span: Span,
) -> Run:
    """What a parameter gets; of a struct that embeds fx.In what each of its fields gets."""
    machine.step()
    name = _path(file, package, type_)
    if name in makers and name not in made:
        made[name] = UNKNOWN
        result = yield from _built(machine, makers[name], makers, made, span)
        made.update(zip(_results(makers[name]), result if isinstance(result, tuple) else (result,), strict=False))
    declared = package.types.get(type_name(type_))
    fields = fields_of(declared)
    if declared is None or name in made or not any(embedded and one == "In" for one, _, embedded in fields):
        return made.get(name, UNKNOWN)
    struct = Object(name, span, package)
    for field, its, _ in fields:
        struct.fields[field] = yield from _needed(machine, declared.file, package, its, makers, made, span)
    return struct


def _parameters(function: Func) -> list[Node | None]:
    """The type of each parameter."""
    parameters = function.node.child_by_field_name("parameters")
    found: list[Node | None] = []
    for one in parameters.named_children if parameters is not None else ():
        found += [one.child_by_field_name("type")] * max(len(one.children_by_field_name("name")), 1)
    return found


def _results(function: Func) -> list[str]:
    result = function.node.child_by_field_name("result")
    if result is None:
        return []
    types = [one.child_by_field_name("type") for one in result.named_children]
    return [_path(function.file, function.package, one) for one in (types if "list" in result.type else [result])]


def _path(file: File, package: Package, type_: Node | None) -> str:
    """A type's name with the path of its package, without `*`."""
    operand, _, name = type_name(type_).rpartition(".")
    return f"{file.imports.get(operand, operand) if operand else package.path}.{name}"


def _append(machine: GoMachine, lifecycle: Object, given: list[Any], span: Span) -> Any:
    lifecycle.state.setdefault("hooks", []).extend(one for one in given if isinstance(one, Object))
    return NIL


def _hook(*names: str) -> Callable[..., Any]:
    def made(machine: GoMachine, given: list[Any], span: Span) -> Any:
        hook = Object(f"{_FX}.Hook", span)
        hook.fields.update(zip(names, given, strict=False))
        return hook

    return made


def _called(machine: GoMachine, hook: Object, name: str, context: Ctx, span: Span) -> Run:
    function = hook.fields.get(name)
    if function is not None and function is not NIL:
        given = [context] if not isinstance(function, Func) or _parameters(function) else []
        yield from expressions.call(machine, function, given, span)


def _end(machine: GoMachine, app: Object, given: list[Any], span: Span) -> Run:
    context = next((one for one in given if isinstance(one, Ctx)), None)
    if context is None:
        context = Ctx(None, span)
        context.deadline = machine.now + _STOP_TIMEOUT
    lifecycle = app.state.get("lifecycle")
    for hook in reversed(lifecycle.state.get("hooks", [])) if lifecycle is not None else ():
        yield from _called(machine, hook, "OnStop", context, span)
    return NIL


def _done(machine: GoMachine, app: Object, given: list[Any], span: Span) -> Any:
    channel = Chan(1, span)
    machine.notify(channel, _SIGNALS, span)
    return channel


def _run(machine: GoMachine, app: Object, given: list[Any], span: Span) -> Run:
    yield from _begin(machine, app, [], span)
    context = machine.listen(Ctx(None, span), _SIGNALS, span)
    yield Wait("context", span, lambda: context.ends(machine.now))
    yield from _end(machine, app, [], span)
    return NIL


FUNCTIONS: dict[str, Callable[[GoMachine, list[Any], Span], Any]] = {
    f"{_FX}.New": _new,
    f"{_FX}.Provide": _option("makes"),
    f"{_FX}.Invoke": _option("invokes"),
    f"{_FX}.Options": _option("options"),
    f"{_FX}.Module": _option("options"),
    f"{_FX}.Annotate": lambda machine, given, span: given[0] if given else UNKNOWN,
    f"{_FX}.StartHook": _hook("OnStart"),
    f"{_FX}.StopHook": _hook("OnStop"),
    f"{_FX}.StartStopHook": _hook("OnStart", "OnStop"),
}
METHODS: dict[str, dict[str, Callable[[GoMachine, Object, list[Any], Span], Any]]] = {
    f"{_FX}.App": {"Run": _run, "Start": _begin, "Stop": _end, "Done": _done, "Wait": _done},
    f"{_FX}.Lifecycle": {"Append": _append},
}
