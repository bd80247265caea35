"""Reads C# programs without a host, and what the services of a host do with the token that tells them to stop."""

from __future__ import annotations

from gracelint.again import remembered
from gracelint.behaviour.csharp.machine import CsMachine
from gracelint.behaviour.csharp.packages import CsClasses
from gracelint.behaviour.machine import ends, ways
from gracelint.facts.program import Cause, Program, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.tree.warm import kept_warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.facts.files import Files
    from gracelint.source import Span

__all__ = ["read_csharp"]


@kept_warm
@remembered
def read_csharp(
    version: str,
    *,
    files: Files,
    paths: tuple[str, ...],
    env: Mapping[str, str | None] | None = None,
    effort: Effort | None = None,
) -> Program | str:
    """The console program of a project built for a version of .NET; a text says why there is none."""
    try:
        return _read(files, paths, version, env or {}, effort)
    except RecursionError:
        return "its sources are too large to be followed"


def _read(
    files: Files, paths: tuple[str, ...], version: str, env: Mapping[str, str | None], effort: Effort | None
) -> Program | str:
    classes = CsClasses(files, paths)
    if len(classes.entries) != 1:
        return "it has no Main" if not classes.entries else "it has more than one Main"
    main = classes.entries[0]
    start = main.statics["Main"]
    at = main.file.span(start.at.child_by_field_name("name") or start.at)
    numbers = tuple(int(part) for part in version.split(".")[:1])

    def judge(signal: str) -> tuple[Reaction, list[ways.Outcome]]:
        def make(taken: tuple[int, ...]) -> CsMachine:
            fresh = CsClasses(files, paths)
            machine = CsMachine(signal, taken, classes=fresh, main=fresh.entries[0], at=at, version=numbers)
            machine.env = env
            return machine

        return ways.follow(signal, make, lambda machine: _outcome(signal, machine, at), effort)

    told = ends.tell(judge, lambda signal, _: _unasked(signal, at), ".NET")
    sources = tuple(unit.source for unit in classes.sources)
    return told.program("csharp", main.file.source, at, sources, classes.unread)


def _unasked(signal: str, at: Span) -> Reaction:
    if signal == "SIGINT":
        return ways.reaction(signal, Verdict.CUT, Cause.NO_HANDLER, "the runtime ends it at once on SIGINT", at)
    return ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"what .NET does on {signal} is not known", at)


def _outcome(signal: str, machine: CsMachine, at: Span) -> ways.Outcome:
    if machine.stopping:
        return ways.Outcome(_reaction(signal, machine, at), machine)
    if machine.outside:
        why = f"whether {machine.outside} goes on when Main has returned is not in the project"
        return ways.Outcome(ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, at), machine)
    why = "it has no handler for SIGTERM, and runs to its end by itself"
    return ways.Outcome(ways.reaction(signal, Verdict.CUT, Cause.ONE_SHOT, why, at), machine, early=True)


def _reaction(signal: str, machine: CsMachine, at: Span) -> Reaction:
    unsure = f"what {machine.unsure[0]} does on {signal} is not in the project" if machine.unsure else None
    unsure = unsure or (f"{machine.classes.unread[0]} could not be read" if machine.classes.unread else None)
    handled = signal in machine.registered
    if not handled and unsure is not None:
        return ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, unsure)
    if machine.unheard:
        late = " (ProcessExit is not raised on SIGTERM from .NET 10 on)" if machine.hooks else ""
        why = f"it has no handler for {signal}, and from .NET 10 on neither has the runtime{late}"
        return ways.reaction(signal, Verdict.IGNORED, Cause.NO_HANDLER, why, at, as_child=Verdict.CUT)
    if machine.ended is None:
        return _goes_on(signal, machine, at)
    if not handled:
        why = f"it has no handler for {signal}, so the .NET runtime ends it at once, exit 143"
        return ways.reaction(signal, Verdict.CUT, Cause.NO_HANDLER, why, at)
    lost = machine.what_is_lost()
    if lost is not None:
        return lost
    if unsure is not None:
        return ways.reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, unsure)
    why = f"its handler for {signal} finishes"
    span = machine.registered.get(signal, at)
    return ways.reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=machine.took())


def _goes_on(signal: str, machine: CsMachine, at: Span) -> Reaction:
    """The process does not end."""
    if machine.hung is not None:
        why = f"its ProcessExit handler calls Environment.Exit in {machine.place(machine.hung)}, which waits for it"
        return ways.reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, machine.hung)
    waiting = next((one.wait for one in machine.shutting if not one.done and one.wait is not None), None)
    if waiting is not None:
        why = f"its handler waits for ever in {machine.place(waiting.span)}: `{ends.line(waiting.span.text)}`"
        return ways.reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, waiting.span)
    span = machine.registered.get(signal, at)
    why = f"its handler for {signal} in {machine.place(span)} cancels the signal, and nothing ends the process"
    return ways.reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, span)
