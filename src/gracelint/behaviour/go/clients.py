"""Libraries whose calls run the program's own functions: command lines, groups of actors."""

from __future__ import annotations

from gracelint.behaviour.go import concurrency, expressions
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.machine import is_expanded
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Ctx, Doubt, Err, Native, Nil, Object, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

_BEFORE = ("PersistentPreRunE", "PersistentPreRun", "PreRunE", "PreRun")
_RUNS = ("RunE", "Run", "PreRunE", "PreRun", "PostRunE", "PostRun")
_AFTER = ("PostRunE", "PostRun", "PersistentPostRunE", "PersistentPostRun")


def _add_command(_: GoMachine, of: Object, given: list[Any], __: Span) -> Any:
    for one in given:
        if isinstance(one, Object):
            of.state.setdefault("children", []).append(one)
            one.state["parent"] = of
    return NIL


def _execute(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    """Runs the command that the arguments name."""
    command = of
    for word in machine.argv[1:]:
        if is_expanded(word) and command.state.get("children"):
            raise Doubt(f"which command line {span.line} runs is only known when it runs", span)
        if word.startswith("-"):
            continue
        child = next((one for one in command.state.get("children", ()) if _use(one) == word), None)
        if child is None:
            break
        command = child
    _leave_out(machine, of, command)
    run = next((command.fields[name] for name in ("RunE", "Run") if name in command.fields), None)
    if run is None:
        if command.state.get("children") and len(machine.argv) > 1:  # by itself it says how it is used
            raise Doubt(f"which command line {span.line} runs is only known when it runs", span)
        return NIL
    context = given[0] if given and isinstance(given[0], Ctx) else command.state.get("context") or Ctx(None, span)
    command.state["context"] = context
    for name in _BEFORE:
        hook = command.fields.get(name)
        parent = command.state.get("parent")
        if hook is None and name.startswith("Persistent") and isinstance(parent, Object):
            hook = parent.fields.get(name)
        if hook is not None:
            yield from expressions.call(machine, hook, [command, []], span)
    result = yield from expressions.call(machine, run, [command, []], span)
    for name in _AFTER:
        if name in command.fields and not isinstance(result, Err):
            yield from expressions.call(machine, command.fields[name], [command, []], span)
    return result if isinstance(result, Err) else NIL


def _leave_out(machine: GoMachine, of: Object, chosen: Object) -> None:
    """Notes what the commands that are not chosen would run, unless something else names it too."""
    waiting, seen = [of], {id(chosen)}
    while waiting:
        command = waiting.pop()
        waiting += command.state.get("children", [])
        if id(command) in seen:
            continue
        seen.add(id(command))
        for name in _RUNS:
            run = command.fields.get(name)
            if isinstance(run, Func) and _is_named_once(run):
                machine.passed.add((run.file.source.path, run.node.start_byte, run.node.end_byte))


def _is_named_once(function: Func) -> bool:
    """Whether one place alone of its package names a function, beside its declaration, or it stands in that place."""
    around = function.node.parent
    if around is not None and around.type == "literal_element":
        return True
    name = function.node.child_by_field_name("name")
    if name is None or function.receiver is not None or name.text is None or name.text[:1].isupper():
        return False
    return function.package.times_named(name.text) == 2


def _use(command: Object) -> str:
    use = command.fields.get("Use", command.fields.get("Name"))
    return use.split()[0] if isinstance(use, str) and use.split() else ""


def _its_context(_: GoMachine, of: Object, __: list[Any], span: Span) -> Any:
    return of.state.setdefault("context", Ctx(None, span))


def _set_context(_: GoMachine, of: Object, given: list[Any], __: Span) -> Any:
    of.state["context"] = given[0]
    return NIL


def _run_app(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    """urfave/cli: the action of the command that the arguments name."""
    command = of
    for word in machine.argv[1:]:
        children = command.fields.get("Commands")
        child = None
        for one in children if isinstance(children, list) else ():
            if isinstance(one, Object) and _use(one) == word:
                child = one
        if isinstance(children, list) and is_expanded(word):
            raise Doubt(f"which command line {span.line} runs is only known when it runs", span)
        if child is None and not word.startswith("-"):
            break
        command = child or command
    action = command.fields.get("Action")
    if len(machine.argv) == 1 and not {"Action", "DefaultCommand"} & command.fields.keys():
        return NIL  # it says how it is used
    if not isinstance(action, Func):
        raise Doubt(f"which command line {span.line} runs is only known when it runs", span)
    context = next((one for one in given if isinstance(one, Ctx)), None) or Ctx(None, span)
    its = Object("github.com/urfave/cli/v2.Context", span)
    its.fields["Context"] = context
    parameters = action.node.child_by_field_name("parameters")
    two = parameters is not None and len(parameters.named_children) == 2
    result = yield from expressions.call(machine, action, [context, command] if two else [its], span)
    return result if isinstance(result, Err) else NIL


def _add_actor(_: GoMachine, of: Object, given: list[Any], __: Span) -> Any:
    execute, interrupt, *_rest = [*given, UNKNOWN, UNKNOWN]
    of.state.setdefault("actors", []).append((execute, interrupt))
    return NIL


def _run_group(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Run:
    """run.Group: when the first actor returns all are interrupted, and all are waited for."""
    actors = of.state.get("actors", [])
    results: list[Any] = []

    def body(execute: Any) -> Run:
        result = yield from expressions.call(machine, execute, [], span)
        results.append(result)

    for execute, _interrupt in actors:
        machine.start(body(execute), span)
    yield Wait("group", span, lambda: bool(results) or not actors)
    first = results[0] if results else NIL
    for _execute_one, interrupt in actors:
        yield from expressions.call(machine, interrupt, [first], span)
    yield Wait("waitgroup", span, lambda: len(results) == len(actors))
    return first if isinstance(first, (Err, Nil)) else NIL


def _signal_actor(machine: GoMachine, given: list[Any], span: Span) -> Any:
    """run.SignalHandler(ctx, signals…)."""
    context = Ctx(given[0] if given and isinstance(given[0], Ctx) else None, span)
    machine.listen(context, [str(one) for one in given[1:]], span)

    def execute(_: list[Any]) -> Run:
        yield Wait("context", span, lambda: context.ends(machine.now))
        return Err("github.com/oklog/run.SignalError")

    return (Native(execute), Native(lambda _: context.cancel()))


concurrency.FUNCTIONS["github.com/oklog/run.SignalHandler"] = _signal_actor
_CLI: dict[str, Callable[[GoMachine, Object, list[Any], Span], Any]] = {"Run": _run_app, "RunContext": _run_app}
METHODS: dict[str, dict[str, Callable[[GoMachine, Object, list[Any], Span], Any]]] = {
    "github.com/spf13/cobra.Command": {
        "AddCommand": _add_command,
        "Execute": _execute,
        "ExecuteContext": _execute,
        "Context": _its_context,
        "SetContext": _set_context,
    },
    "github.com/oklog/run.Group": {"Add": _add_actor, "Run": _run_group},
    "github.com/urfave/cli.App": _CLI,
    "github.com/urfave/cli/v2.App": _CLI,
    "github.com/urfave/cli/v3.Command": _CLI,
}
