"""Reads Java programs: the class with `main`, the project's own classes, and what they do with signals."""

from __future__ import annotations

from gracelint.again import remembered
from gracelint.base.record import replace
from gracelint.behaviour.java import timers
from gracelint.behaviour.java.machine import SIGNALS, JavaMachine
from gracelint.behaviour.java.packages import Classes
from gracelint.behaviour.machine import ends, ways
from gracelint.behaviour.machine.children import left
from gracelint.behaviour.machine.ends import Told
from gracelint.facts.program import Cause, Program, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.source import Word
from gracelint.tree.warm import kept_warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.facts.files import Files
    from gracelint.source import Span

__all__ = ["read_java"]


@kept_warm
@remembered
def read_java(
    path: str,
    name: str,
    *,
    files: Files,
    paths: tuple[str, ...],
    argv: tuple[str, ...],
    env: Mapping[str, str | None] | None = None,
    effort: Effort | None = None,
) -> Program | str:
    """The program of a class; a text says why there is none. `paths` are the sources its classes are looked up in."""
    try:
        return _read(path, name, files, paths, argv, env or {}, effort)
    except RecursionError:
        return f"{path} is too large to be followed"


def _read(
    path: str,
    name: str,
    files: Files,
    paths: tuple[str, ...],
    argv: tuple[str, ...],
    env: Mapping[str, str | None],
    effort: Effort | None,
) -> Program | str:
    classes = Classes(files, paths)
    file = classes.file(path)
    if file is None:
        return f"{path} cannot be read"
    main = file.classes.get(name)
    start = (main.statics.get("main") or main.methods.get("main")) if main is not None else None
    if main is None or start is None:
        return f"{path} has no main"
    node = start.at.child_by_field_name("name")
    at = file.span(node if node is not None else start.at)
    seen: dict[str, object] = {}
    forwards: list[tuple[str, Span]] = []

    def judge(signal: str) -> tuple[Reaction, list[ways.Outcome]]:
        def make(taken: tuple[int, ...]) -> JavaMachine:
            fresh = Classes(files, paths)
            own = fresh.file(path)
            assert own is not None
            seen.update({one.source.path: one.source for one in fresh.sources})
            machine = JavaMachine(signal, argv, taken, classes=fresh, main=own.classes[name], at=at)
            machine.env = env
            return machine

        found = ways.follow(signal, make, lambda machine: _outcome(signal, machine, at), effort)
        if signal == "SIGTERM":
            forwards.extend(ways.forwarded(found[1]))
        return found

    told: Told = ends.tell(judge, lambda signal, _: _unasked(signal, at), "Java")
    program = told.program("java", file.source, at, (file.source,), classes.unread)
    return replace(program, forwards_to=tuple(Word(text, span) for text, span in forwards) or None)


def _unasked(signal: str, at: Span) -> Reaction:
    if signal in SIGNALS:
        why = f"it has no shutdown hook, so the JVM ends at once on {signal}"
        return ways.reaction(signal, Verdict.CUT, Cause.NO_HANDLER, why, at)
    if signal in ("SIGQUIT", "SIGWINCH"):
        return ways.reaction(signal, Verdict.IGNORED, Cause.DISCARDED, f"the JVM goes on after {signal}", at)
    return ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"what the JVM does on {signal} is not known", at)


def _outcome(signal: str, machine: JavaMachine, at: Span) -> ways.Outcome:
    if not machine.stopping:
        if machine.outside:
            why = f"whether {machine.outside} goes on when main has returned is not in the project"
            return ways.Outcome(ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why), machine)
        why = f"it {'has no shutdown hook, and ' if not machine.hooks else ''}runs to its end by itself"
        return ways.Outcome(ways.reaction(signal, Verdict.CUT, Cause.ONE_SHOT, why, at), machine, early=True)
    return ways.Outcome(_reaction(signal, machine, at), machine)


def _reaction(signal: str, machine: JavaMachine, at: Span) -> Reaction:
    unsure = f"what {machine.unsure[0]} does on {signal} is not in the project" if machine.unsure else None
    unsure = unsure or (f"{machine.classes.unread[0]} could not be read" if machine.classes.unread else None)
    handler = machine.handlers.get(signal)
    if machine.ended is None:
        return _goes_on(signal, machine, handler, at)
    if not machine.hooks and handler is None:
        if unsure is not None:
            return ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, unsure)
        why = f"it has no shutdown hook, so the JVM ends at once on {signal}, exit {128 + _NUMBERS[signal]}"
        return ways.reaction(signal, Verdict.CUT, Cause.NO_HANDLER, why, at)
    lost = machine.what_is_lost() or _left(signal, machine)
    if lost is not None:
        return lost
    if unsure is not None:
        return ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, unsure)
    kept = timers.unwritten(signal, machine)
    if kept is not None:
        return kept
    span = handler[1] if handler is not None else machine.hooks[0][1]
    why = f"its handler for {signal} ends it" if handler is not None else f"its shutdown hook finishes on {signal}"
    return ways.reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=machine.took())


def _left(signal: str, machine: JavaMachine) -> Reaction | None:
    """What becomes of its children: main may have waited on for one when the hooks had returned."""
    for child in machine.orphans:
        child.state.pop("over", None)
        machine.awaited = None if machine.awaited is child else machine.awaited
    return left(signal, machine, "the JVM ends", machine.classes.files)


_NUMBERS: Mapping[str, int] = {"SIGTERM": 15, "SIGINT": 2, "SIGHUP": 1}


def _goes_on(signal: str, machine: JavaMachine, handler: object, at: Span) -> Reaction:
    """The process does not end."""
    if machine.hung is not None:
        why = f"its shutdown hook calls System.exit in {machine.place(machine.hung)}, which waits for the hook itself"
        return ways.reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, machine.hung)
    waiting = next((one.wait for one in machine.shutting if not one.done and one.wait is not None), None)
    if waiting is not None and waiting.kind == "child":
        why = f"whether the child that {machine.place(waiting.span)} waits for ends on {signal} is not known"
        return ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, waiting.span)
    if waiting is not None:
        why = f"its shutdown hook waits for ever in {machine.place(waiting.span)}: `{ends.line(waiting.span.text)}`"
        return ways.reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, waiting.span)
    span = machine.registered.get(signal, at)
    why = f"its handler for {signal} in {machine.place(span)} replaces the JVM's own, and does not end the process"
    return ways.reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, span)
