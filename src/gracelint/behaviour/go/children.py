"""Child processes of a Go program: how long they run, what tells them to end, and who waits for them.

A child ends by itself, or runs until it is told to end: which is not in the program's sources. SIGKILL, which the end
of a context means without a Cancel, leaves it no time (https://pkg.go.dev/os/exec#Cmd).
"""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Ctx, Doubt, Object, Sig, Wait
from gracelint.behaviour.machine.ways import reaction
from gracelint.facts.program import Cause
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.machine.values import Run
    from gracelint.facts.program import Reaction
    from gracelint.source import Span

_STOPS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGKILL")
_HANDLES = pattern(r"(?m)^[ \t]{0,20}trap\b|\bSIGTERM\b")


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


def _words_of(command: Object) -> tuple[str, ...]:
    """The words of a command line; empty where they are not known."""
    words = tuple(_words(command.fields.get("_given", [])))
    return words if all(isinstance(one, str) for one in words) else ()


def _start(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Any:
    of.state["lasts"] = not machine.stopping and machine.choose(2, span) == 1
    machine.asked_once.discard((span, False))
    if of.state["lasts"]:
        of.span = span
        machine.children.append(of)
    return NIL


def _wait(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Run:
    if of.state.get("lasts"):
        context = next((one for one in of.fields.get("_given", ()) if isinstance(one, Ctx)), None)

        def ready() -> bool:
            return "told" in of.state or (context is not None and context.ends(machine.now))

        yield Wait("child", span, ready)
        if "told" not in of.state:
            yield from _cancel(machine, of, span)
        if of.state.get("told") != "SIGKILL":
            machine.awaited = of
    of.state["over"] = True
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
    command = of.state["of"]
    if isinstance(given[0], Sig) and str(given[0]) in _STOPS and "over" not in command.state:
        command.state.setdefault("told", str(given[0]))
    return NIL


def _kill(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Any:
    return _signal(machine, of, [Sig("SIGKILL")], span)


def _wait_process(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    yield from _wait(machine, of.state["of"], given, span)
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


def left(signal: str, machine: GoMachine, how: str) -> Reaction | None:
    """What becomes of the children of a program that ends; None where none is left."""
    for child in machine.children:
        assert child.span is not None
        place, told = machine.place(child.span), child.state.get("told")
        is_killed = told == "SIGKILL"
        if "over" in child.state and not is_killed:
            continue
        name = next((one for one in _words_of(child)[:2] if _has_handler(machine, one)), None)
        cause = Cause.ABRUPT_EXIT if is_killed else Cause.SHUTDOWN_NOT_AWAITED
        by = "SIGKILL ends" if is_killed else "nothing waits for"
        machine.half_way = name is not None
        if name is not None:
            why = f"on {signal} {how}, and `{name}` of {place}, which {by}, does not get to its own handler's end"
            return reaction(signal, Verdict.CUT, cause, why, child.span)
        why = f"whether the child of {place}, which {by}, has something to finish is not in the sources"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, child.span)
    awaited = machine.awaited
    words = _words_of(awaited) if awaited is not None else ()
    if awaited is None or awaited.span is None or posixpath.basename((*words, "")[0]) in table("one_shots")["commands"]:
        return None
    span = awaited.span
    machine.forwards = tuple((one, span) for one in words)
    why = f"whether the child of {machine.place(span)}, which is waited for, ends on {signal} is not known"
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)


def _has_handler(machine: GoMachine, word: str) -> bool:
    """Whether the project has one script of a name, and that handles the signal."""
    files = machine.modules.files
    paths = [one for one in files.listed("") if posixpath.basename(one) == posixpath.basename(word)]
    return len(paths) == 1 and _HANDLES.search(files.glance(paths[0])) is not None


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
