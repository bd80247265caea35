"""What a PHP program does when a signal arrives, over all the ways its run can take."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.machine import ends, nothing
from gracelint.behaviour.machine.batches import unwritten
from gracelint.behaviour.machine.children import left
from gracelint.behaviour.machine.midst import broken_off, only_says
from gracelint.behaviour.machine.values import Doubt, Ended
from gracelint.behaviour.machine.ways import Outcome, follow, reaction
from gracelint.behaviour.php.machine import PhpMachine
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.behaviour.machine.ends import Told
    from gracelint.behaviour.php.files import Sources
    from gracelint.source import Span

_HOWS = {
    "returns": "the script comes to its end",
    "exit": "`exit` ends it",
    "raised": "an exception that nothing catches ends it",
}


class Question(Record, identity=True):
    """A program, and how it is started."""

    sources: Sources
    argv: tuple[str, ...]
    env: Mapping[str, str | None]
    pcntl: bool | None
    """Whether the image has the extension; None where that cannot be told."""
    at: Span
    effort: Effort | None


def tell(question: Question) -> tuple[Told, tuple[tuple[str, Span], ...]]:
    """What was seen of it, and the words of the command it execs."""
    execs: list[tuple[tuple[str, Span], ...]] = []

    def judge(signal: str) -> tuple[Reaction, list[Outcome]]:
        def make(ways: tuple[int, ...]) -> PhpMachine:
            machine = PhpMachine(question.sources, signal, question.argv, ways, question.pcntl)
            machine.env = question.env
            return machine

        found = follow(signal, make, lambda machine: _outcome(signal, question, machine), question.effort)
        execs.extend(one.machine.replaced for one in found[1])
        return found

    def unasked(signal: str, outcomes: list[Outcome]) -> Reaction:
        found = [_default(signal, question, one.machine) for one in outcomes if one.machine.stopping]
        return found[0] if found else judge(signal)[0]

    told = ends.tell(judge, unasked, "PHP")
    return told, execs[0] if all(execs) and execs else ()


def _outcome(signal: str, question: Question, machine: PhpMachine) -> Outcome:
    ended = machine.ended
    if not machine.stopping:
        if machine.missing is not None and machine.pcntl is False:
            place = machine.place(machine.missing)
            why = f"{place} calls pcntl, which the image does not have: it ends there with an error"
            return Outcome(reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, machine.missing), machine)
        if ended is not None:
            missing = _unread(signal, question, machine)
            if missing is not None:
                return Outcome(missing, machine)
            why = f"it runs to its end by itself, and has no handler for {signal}"
            return Outcome(reaction(signal, Verdict.IGNORED, Cause.ONE_SHOT, why), machine, early=True)
        raise Doubt("nobody can tell what it waits for")
    if signal in machine.ignored:
        span = machine.ignored[signal]
        why = f"{machine.place(span)} ignores {signal}"
        return Outcome(reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, span), machine)
    if signal not in machine.registered:
        return Outcome(_default(signal, question, machine), machine)
    found = _never_ends(signal, question, machine) if ended is None else _end(signal, machine, ended)
    if machine.pcntl is None and machine.missing is not None and found.as_pid_1 is Verdict.HANDLED:
        why = f"whether the image has pcntl, which {machine.place(machine.missing)} calls, is not known"
        found = reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, machine.missing)
    return Outcome(found, machine)


def _default(signal: str, question: Question, machine: PhpMachine) -> Reaction:
    """What becomes of a signal that nothing asks for: the kernel keeps it from PID 1, and ends a child."""
    missing = _unread(signal, question, machine)
    if missing is not None:
        return missing
    as_child = Verdict.IGNORED if signal == "SIGWINCH" else Verdict.CUT
    others = sorted(set(machine.handlers) & {"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"})
    if others:
        span = machine.handlers[others[0]][1]
        why = f"it handles {' and '.join(others)}, not {signal}"
        return reaction(signal, Verdict.IGNORED, Cause.OTHER_SIGNAL_ONLY, why, span, as_child=as_child)
    if machine.pcntl is False:
        why = f"it has no handler for {signal}, and the image has no pcntl to install one with"
    else:
        why = f"it has no handler for {signal}"
    main = machine.main_thread
    at = main.wait.span if main is not None and main.wait is not None else question.at
    return reaction(signal, Verdict.IGNORED, Cause.NO_HANDLER, why, at, as_child=as_child)


def _unread(signal: str, question: Question, machine: PhpMachine) -> Reaction | None:
    """What may handle the signal and was not read."""
    if question.pcntl is False:
        return None

    def unknown(why: str, span: Span | None = None) -> Reaction:
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)

    if question.sources.unread:
        return unknown(f"{question.sources.unread[0]} could not be read, and may handle {signal}")
    silent = tuple(table("php")["packages"]["silent"])
    for name, path in question.sources.foreign.items():
        if not name.startswith(silent):
            return unknown(f"whether {name}, which {path} uses, handles {signal} is not known")
    if machine.unsure:
        return unknown(f"whether {machine.unsure[0]}, which the program calls, handles {signal} is not known")
    return None


def _never_ends(signal: str, question: Question, machine: PhpMachine) -> Reaction:
    main = machine.main_thread
    wait = main.wait if main is not None else None
    span = wait.span if wait is not None else question.at
    where = machine.place(span)
    at = machine.handlers[signal][1] if signal in machine.handlers else machine.registered.get(signal, question.at)
    if machine.unsure:
        why = f"whether {machine.unsure[0]} comes to its end on {signal} is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    if machine.swallowed is not None:
        why = (
            f"the catch of {machine.place(machine.swallowed)} takes the exception of {signal}'s handler, and it goes on"
        )
        return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, machine.swallowed)
    if signal in machine.pending:
        if wait is not None and wait.kind == "child" and machine.asynchronous:
            why = f"the wait in {where} is started again, so the handler of {machine.place(at)} is never called"
        elif machine.asynchronous:
            why = f"the call in {where} does not return, so the handler of {machine.place(at)} is never called"
        else:
            why = (
                f"the handler of {machine.place(at)} is never called: there is neither pcntl_async_signals(true) nor "
                f"pcntl_signal_dispatch() on the way"
            )
        return reaction(signal, Verdict.IGNORED, Cause.NEVER_OBSERVED, why, at)
    if wait is not None and wait.kind == "child":
        why = f"whether the child that {where} waits for ends on {signal} is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    why = f"the handler of {machine.place(at)} takes {signal}, and the script goes on in {where}"
    return reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, at)


def _end(signal: str, machine: PhpMachine, ended: Ended) -> Reaction:
    """It ends after the signal: with all it had to do done, or without."""
    assert machine.stopped_at is not None
    took = machine.now - machine.stopped_at
    at = machine.handlers[signal][1] if signal in machine.handlers else machine.registered[signal]
    how = _HOWS.get(ended.how, "it ends")
    cut = ends.lost(signal, machine, ended, how, at) or nothing.lost(signal, machine)
    if cut is not None:
        return cut
    if ended.how == "raised" and machine.cleaned_by is None:
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, f"on {signal} {how}", ended.span or at)
    if machine.skipped:
        why = f"on {signal} {how}, and `finally` does not run"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, ended.span or at)
    if ended.how in ("exit", "returns") and (machine.cleaned_by is None or only_says(machine, machine.cleaned_by)):
        cut = broken_off(signal, machine, how, machine.broken)
        if cut is not None:
            return cut
    lost = left(signal, machine, how, machine.sources.project) or unwritten(signal, machine)
    if lost is not None:
        return lost
    if machine.forked is not None:
        why = f"on {signal} {how}, whatever the processes that {machine.place(machine.forked)} forks are doing"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, machine.forked)
    why = f"it handles {signal} in {machine.place(at)}, and {how} once that is done"
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, at, (), took if took >= 0.01 else None)
