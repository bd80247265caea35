"""Child processes of a Go program, and the program that takes its place (https://pkg.go.dev/os/exec#Cmd).

The end of a command's context kills it, but for a Cancel of its own.
"""

from __future__ import annotations

from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine import children
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Ctx, Doubt, Object, Sig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span


def _command(machine: GoMachine, given: list[Any], span: Span) -> Any:
    command, process, pid = (Object(one, span) for one in ("os/exec.Cmd", "os.Process", "os.Pid"))
    command.fields |= {"_given": given, "Process": process}
    process.state["of"] = pid.state["of"] = command
    process.fields["Pid"] = pid
    return command


def _words(given: list[Any]) -> Iterator[Any]:
    for one in given:
        if isinstance(one, list):
            yield from _words(one)
        elif not isinstance(one, Ctx):
            yield one


def _start(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Any:
    children.begin(machine, of, [*_words(of.fields.get("_given", []))], span)
    return NIL


def _wait(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Run:
    context = next((one for one in of.fields.get("_given", ()) if isinstance(one, Ctx)), None)
    yield from children.wait(machine, of, span, context, lambda: _cancel(machine, of, span))
    return NIL


def _cancel(machine: GoMachine, of: Object, span: Span) -> Run:
    """Its context has ended."""
    cancel = of.fields.get("Cancel")
    if isinstance(cancel, Func):
        yield from expressions.call(machine, cancel, [], span)
    of.state.setdefault("told", "SIGKILL" if cancel is None else "")


def _run(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    _start(machine, of, given, span)
    yield from _wait(machine, of, given, span)
    return NIL


def _output(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    yield from _run(machine, of, given, span)
    return (UNKNOWN, NIL)


def _signal(_: GoMachine, of: Object, given: list[Any], __: Span) -> Any:
    if given and isinstance(given[0], Sig) and "of" in of.state:
        children.tell(of.state["of"], str(given[0]))
    return NIL


def _kill(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Any:
    return _signal(machine, of, [Sig("SIGKILL")], span)


def _wait_process(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    yield from _wait(machine, of.state.get("of", of), given, span)
    return (UNKNOWN, NIL)


def _kill_pid(machine: GoMachine, given: list[Any], span: Span) -> Any:
    if len(given) > 1 and isinstance(given[0], Object) and given[0].type == "os.Pid":
        return _signal(machine, given[0], [given[1]], span)
    return NIL


def _exec(machine: GoMachine, given: list[Any], span: Span) -> Any:
    words = tuple(_words(given[1:2]))
    path = given[0] if isinstance(given[0], str) else words[0] if words else UNKNOWN
    if all(isinstance(one, str) for one in (path, *words)):
        machine.replaced = tuple((str(one), span) for one in (path, *words[1:]))
    raise Doubt(f"what comes of the program that line {span.line} execs is only known when it runs", span)


FUNCTIONS: dict[str, Callable[[GoMachine, list[Any], Span], Any]] = {
    "os/exec.Command": _command,
    "os/exec.CommandContext": _command,
    "os/exec.LookPath": lambda machine, given, span: (given[0], NIL),
    "syscall.Exec": _exec,
    "syscall.Kill": _kill_pid,
    "golang.org/x/sys/unix.Exec": _exec,
    "golang.org/x/sys/unix.Kill": _kill_pid,
}
METHODS: dict[str, dict[str, Callable[[GoMachine, Object, list[Any], Span], Any]]] = {
    "os/exec.Cmd": {"Start": _start, "Wait": _wait, "Run": _run, "Output": _output, "CombinedOutput": _output},
    "os.Process": {"Signal": _signal, "Kill": _kill, "Wait": _wait_process},
}
