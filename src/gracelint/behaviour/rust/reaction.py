"""What a Rust program does when a signal arrives, over all the ways its run can take."""

from __future__ import annotations

import re

from gracelint.base.record import Record
from gracelint.behaviour.machine import ends, interest
from gracelint.behaviour.machine.children import left
from gracelint.behaviour.machine.left import left_alone
from gracelint.behaviour.machine.midst import broken_off, left_midway
from gracelint.behaviour.machine.values import Doubt, Ended
from gracelint.behaviour.machine.ways import Outcome, follow, forwarded, reaction
from gracelint.behaviour.rust.machine import RustMachine
from gracelint.behaviour.rust.reached import is_left_out
from gracelint.behaviour.rust.threads import kept_lock
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.behaviour.machine.ends import Told
    from gracelint.behaviour.machine.values import Thread, Wait
    from gracelint.behaviour.rust.crates import Crates
    from gracelint.source import Span

_HOWS = {
    "returns": "main returns",
    "exit": "`process::exit` ends it",
    "hard": "`abort` or `_exit` ends it",
    "raised": "a panic ends it",
}
_HARMLESS = ("SIGWINCH",)
_LISTENS = re.compile(
    r"\bctrl_c\s*\(|\bSignalKind::|\bset_handler\s*\(|\bSignals::new\b|\bsigaction\s*\(|\bflag::register|\bfn\s+signal\s*\("
)


class Question(Record, identity=True):
    """A program, and how it is started."""

    crates: Crates
    argv: tuple[str, ...]
    env: Mapping[str, str | None]
    at: Span
    """Where a finding about the program as a whole points."""
    effort: Effort | None


def tell(question: Question) -> tuple[Told, tuple[tuple[str, Span], ...]]:
    """What was seen of it, and the words of the child that it passes the signal to and waits for."""
    seen: list[Outcome] = []

    def judge(signal: str) -> tuple[Reaction, list[Outcome]]:
        def make(ways: tuple[int, ...]) -> RustMachine:
            machine = RustMachine(question.crates, signal, question.argv, ways, question.at)
            machine.env = question.env
            return machine

        found = follow(signal, make, lambda machine: _outcome(signal, question, machine), question.effort)
        if signal == "SIGTERM":
            seen.extend(found[1])
        return found

    def unasked(signal: str, outcomes: list[Outcome]) -> Reaction:
        if not outcomes:
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, "it was not followed")
        return _unheard(signal, question, outcomes[0].machine)

    return ends.tell(judge, unasked, "Rust"), forwarded(seen)


def _outcome(signal: str, question: Question, machine: RustMachine) -> Outcome:
    if not machine.stopping:
        if machine.ended is None:
            raise Doubt("nobody can tell what it waits for")
        if question.crates.unread:
            missing = f"{question.crates.unread[0]} could not be read, and may handle {signal}"
            return Outcome(reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, missing), machine, early=True)
        why = f"it has no handler for {signal}, and runs to its end by itself"
        found = reaction(signal, Verdict.IGNORED, Cause.ONE_SHOT, why, question.at, as_child=Verdict.CUT)
        return Outcome(found, machine, early=True)
    if signal in machine.ignored:
        span = machine.ignored[signal]
        return Outcome(
            reaction(signal, Verdict.IGNORED, Cause.DISCARDED, f"{machine.place(span)} ignores {signal}", span), machine
        )
    if signal not in machine.registered:
        return Outcome(_unheard(signal, question, machine), machine)
    at = machine.registered[signal]
    if machine.ended is None:
        return Outcome(_never_ends(signal, question, machine, at), machine)
    return Outcome(_end(signal, machine, at, machine.ended), machine)


def _unheard(signal: str, question: Question, machine: RustMachine) -> Reaction:
    """Nothing has asked for the signal: the default action, which PID 1 does not get."""
    why = _unread(signal, question, machine)
    if why is not None:
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why)
    child = Verdict.IGNORED if signal in _HARMLESS else Verdict.CUT
    others = sorted(set(machine.registered) & {"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"})
    serving: Span = next((one.state["serving"] for one in machine.servers), question.at)
    if others:
        span = machine.registered[others[0]]
        why = f"it handles {' and '.join(others)} in {machine.place(span)}, not {signal}"
        return reaction(signal, Verdict.IGNORED, Cause.OTHER_SIGNAL_ONLY, why, span, as_child=child)
    why = f"it has no handler for {signal}, and Rust installs none"
    return reaction(signal, Verdict.IGNORED, Cause.NO_HANDLER, why, serving, as_child=child)


def _unread(signal: str, question: Question, machine: RustMachine) -> str | None:
    """What may handle the signal and was not read."""
    crates = question.crates
    if crates.unread:
        return f"{crates.unread[0]} could not be read, and may handle {signal}"
    silent = table("rust")["packages"]["silent"]
    loud = next((one for one in machine.unsure if one.partition("::")[0] not in silent), None)
    if loud is not None:
        return f"whether {loud}, which the program calls, handles {signal} is not known"
    for name in crates.outside:
        if name in silent:
            continue
        used = re.compile(rf"\b{re.escape(name)}::|\buse\s+{re.escape(name)}\b|\bextern\s+crate\s+{re.escape(name)}\b")
        file = next((one for one in crates.sources.values() if used.search(one.source.text)), None)
        if file is not None:
            return f"whether the crate {name}, which {file.source.path} uses, handles {signal} is not known"
    seen = {(one.source.path, one.line) for one in machine.registered.values()}
    for file in crates.sources.values():
        for match in _LISTENS.finditer(file.source.text):
            span = file.source.span(match.start(), match.end())
            near = any(path == span.source.path and abs(line - span.line) < 12 for path, line in seen)
            if (
                not near
                and not is_left_out(machine, span)
                and "//" not in file.source.text[: match.start()].rpartition("\n")[2]
            ):
                return f"whether {machine.place(span)}, which asks for signals, is reached cannot be told"
    return None


def _never_ends(signal: str, question: Question, machine: RustMachine, at: Span) -> Reaction:
    main = machine.main_thread
    wait = main.wait if main is not None else None
    span = wait.span if wait is not None else at
    where = machine.place(span)

    def unknown(why: str) -> Reaction:
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)

    if machine.unsure:
        return unknown(f"whether {machine.unsure[0]} comes to its end on {signal} is not known")
    if machine.idle:
        path, place = next((path, place) for place, path in machine.idle.items())
        what = path or "the future"
        return unknown(f"whether {what}, which {machine.place(place)} waits for, ends on {signal} is not known")
    child = next((one.wait for one in machine.threads if one.wait is not None and one.wait.kind == "child"), None)
    if child is not None:
        return unknown(f"whether the child that {machine.place(child.span)} waits for ends on {signal} is not known")
    waits = {one.wait.kind for one in machine.threads if one.wait is not None}
    if machine.blurred and "receive" in waits:
        return unknown(f"whether {where} ends once the senders of its channel are dropped is not known")
    if question.crates.unread:
        return unknown(f"{question.crates.unread[0]} could not be read, and may end it")
    told = any(one.told for one in machine.threads)
    stuck = wait is not None and wait.kind in ("join", "blocking", "close", "timeout")
    if stuck:
        why = f"main waits in {where} for what does not end on {signal}"
        return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, span)
    if wait is not None and wait.kind == "receive" and told:
        return unknown(f"whether anything reaches {where}, where main waits, on {signal} cannot be told")
    flag = not told and wait is not None
    cause = Cause.NEVER_OBSERVED if flag and any(on for *_, on in machine.actions) else Cause.DISCARDED
    why = f"{machine.place(at)} takes {signal}, and main, which waits in {where}, does not end for it"
    return reaction(signal, Verdict.IGNORED, cause, why, at)


def _interrupted(machine: RustMachine, main: Thread) -> Wait | None:
    """What main waits in while another thread, or a handler on top of it, ends the program."""
    if main is not machine.current:
        return main.wait
    return main.below[0][1] if main.below else None


def _end(signal: str, machine: RustMachine, at: Span, ended: Ended) -> Reaction:
    """It ends after the signal: with all it had to do done, or without."""
    assert machine.stopped_at is not None
    took = machine.now - machine.stopped_at
    how = _HOWS.get(ended.how, "it ends")
    place = ended.span if ended.how != "returns" and ended.span is not None else at
    held = machine.droppable() if ended.how in ("exit", "hard") else []
    slept = machine.slept
    untold = machine.untold[0] if machine.untold else None
    cut = ends.lost(signal, machine, ended, how, at)
    if cut is not None and cut.cause is Cause.SHUTDOWN_NOT_AWAITED and untold is not None:
        why = f"what {machine.place(untold)} waits for on {signal} cannot be told"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, untold)
    if cut is not None:
        return cut
    main = machine.main_thread
    broken = [("it drops a future", wait) for wait in machine.dropped]
    interrupted = _interrupted(machine, main) if ended.how in ("exit", "hard") and main is not None else None
    if interrupted is not None:
        broken.append((how, interrupted))
    for what, wait in broken:
        cut = broken_off(signal, machine, what, wait)
        if cut is not None:
            return cut
    cut = left_midway(signal, machine, how, "thread or task") or left(signal, machine, how, machine.crates.files)
    if cut is not None:
        return cut
    alone = left_alone(machine, interest.works_after_loop(machine))
    if alone is not None and alone.span is not None:
        why = (
            f"on {signal} {how} while the thread of {machine.place(alone.span)}, which nothing joins, is to end itself"
        )
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, alone.span)
    if ended.how == "raised":
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, f"on {signal} {how}", place)
    if held:
        why = f"on {signal} {how}, and `{held[0].type}::drop`, which cleans up, does not run"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, place)
    kept = kept_lock(machine)
    if kept is not None:
        why = f"whether the lock that {machine.place(kept)} takes is ever free on {signal} cannot be told"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, kept)
    why = f"it handles {signal} in {machine.place(at)}, and {how} once that is done"
    delay = None if machine.servers or max(slept, took) < 0.01 else max(slept, took)
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, at, (), delay)
