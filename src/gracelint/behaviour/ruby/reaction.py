"""What a Ruby program does when a signal arrives, over all the ways its run can take."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.machine import ends, nothing
from gracelint.behaviour.machine.batches import unwritten
from gracelint.behaviour.machine.children import left
from gracelint.behaviour.machine.midst import broken_off, left_midway, only_says, overdue, queued, takes_its_time
from gracelint.behaviour.machine.values import Doubt, Ended
from gracelint.behaviour.machine.ways import Outcome, follow, forwarded, reaction
from gracelint.behaviour.ruby.machine import RAISED, RubyMachine
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.behaviour.machine.ends import Told
    from gracelint.behaviour.ruby.files import Sources
    from gracelint.source import Span

_HOWS = {
    "returns": "main comes to its end",
    "exit": "`exit` ends it",
    "signal": "the exception ends it",
    "raised": "an exception ends it",
    "hard": "`exit!` ends it at once",
}


class Question(Record, identity=True):
    """A program, and how it is started."""

    sources: Sources
    argv: tuple[str, ...]
    env: Mapping[str, str | None]
    at: Span
    """Where a finding about the program as a whole points."""
    effort: Effort | None


class Answer(Record):
    told: Told
    replaced: tuple[tuple[str, Span], ...]
    """The words of the command it execs."""
    forwards: tuple[tuple[str, Span], ...]
    """The words of the child that it starts, passes the signal to and waits for."""


def tell(question: Question) -> Answer:
    seen: list[Outcome] = []

    def judge(signal: str) -> tuple[Reaction, list[Outcome]]:
        def make(ways: tuple[int, ...]) -> RubyMachine:
            machine = RubyMachine(question.sources, signal, question.argv, ways)
            machine.env = question.env
            return machine

        found = follow(signal, make, lambda machine: _outcome(signal, question, machine), question.effort)
        if signal == "SIGTERM":
            seen.extend(found[1])
        return found

    def unasked(signal: str, outcomes: list[Outcome]) -> Reaction:
        if signal in RAISED:
            return judge(signal)[0]
        why = f"Ruby takes no notice of {signal} where nothing traps it"
        return reaction(signal, Verdict.IGNORED, Cause.NO_HANDLER, why)

    told = ends.tell(judge, unasked, "Ruby")
    execs = [one.machine.replaced for one in seen]
    return Answer(told, execs[0] if all(execs) and execs else (), forwarded(seen))


def _outcome(signal: str, question: Question, machine: RubyMachine) -> Outcome:
    ended = machine.ended
    if not machine.stopping:
        if ended is not None:
            missing = _unread(signal, question, machine)
            if missing is not None:
                return Outcome(missing, machine)
            why = f"it runs to its end by itself, and Ruby ends it on {signal}"
            return Outcome(reaction(signal, Verdict.CUT, Cause.ONE_SHOT, why), machine, early=True)
        raise Doubt("nobody can tell what it waits for")
    if signal in machine.ignored:
        span = machine.ignored[signal]
        return Outcome(
            reaction(signal, Verdict.IGNORED, Cause.DISCARDED, f"{machine.place(span)} ignores {signal}", span), machine
        )
    if signal in machine.system_default:
        span = machine.system_default[signal]
        why = f"{machine.place(span)} gives {signal} back to the kernel, which keeps it from PID 1"
        found = reaction(signal, Verdict.IGNORED, Cause.NO_HANDLER, why, span, as_child=Verdict.CUT)
        return Outcome(found, machine)
    if signal not in machine.registered and signal not in RAISED:
        why = f"Ruby takes no notice of {signal} where nothing traps it"
        return Outcome(reaction(signal, Verdict.IGNORED, Cause.NO_HANDLER, why), machine)
    found = _never_ends(signal, question, machine) if ended is None else _end(signal, question, machine, ended)
    if found.as_pid_1 is not Verdict.HANDLED:
        found = _unread(signal, question, machine) or found
    return Outcome(found, machine)


def _unread(signal: str, question: Question, machine: RubyMachine) -> Reaction | None:
    """What may handle the signal and was not read."""

    def unknown(why: str, span: Span | None = None) -> Reaction:
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)

    if machine.callbacks:
        path, span = machine.callbacks[0]
        return unknown(f"whether {path} calls the function that it gets in line {span.line} is not known", span)
    if signal in machine.registered:
        return None
    if question.sources.unread:
        return unknown(f"{question.sources.unread[0]} could not be read, and may handle {signal}")
    silent = table("ruby")["packages"]
    for gem, path in question.sources.gems.items():
        first = gem.partition("/")[0]
        if first not in silent["standard"] and first not in silent["silent"] and gem not in silent["standard"]:
            return unknown(f"whether {gem}, which {path} requires, handles {signal} is not known")
    if machine.unsure:
        return unknown(f"whether {machine.unsure[0]}, which the program calls, handles {signal} is not known")
    return None


def _never_ends(signal: str, question: Question, machine: RubyMachine) -> Reaction:
    main = machine.main_thread
    wait = main.wait if main is not None else None
    handler = machine.handlers.get(signal)
    span = wait.span if wait is not None else question.at
    where = machine.place(span)
    if machine.unsure:
        why = f"whether {machine.unsure[0]} comes to its end on {signal} is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    if wait is not None and wait.kind == "child":
        why = f"whether the child that {where} waits for ends on {signal} is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    if machine.swallowed is not None:
        at = machine.swallowed
        kind = "SystemExit" if handler is not None else "SignalException"
        why = f"the rescue of {machine.place(at)} catches the {kind} of {signal}, and it goes on"
        return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, at)
    if handler is None:
        why = f"main waits in {where} for what does not end on {signal}"
        return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, span)
    at = handler[1]
    if wait is not None and wait.kind in ("join", "waitgroup", "end"):
        what = "other threads do" if wait.kind == "end" else f"main, which waits in {where}, does"
        why = f"the trap of {machine.place(at)} takes {signal}, and {what} not end"
        return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, span)
    sets = any(word in at.text for word in ("=", ".stop", ".shutdown", ".quit", "<<", "push"))
    cause = Cause.NEVER_OBSERVED if sets and wait is not None and wait.at() is None else Cause.DISCARDED
    why = f"the trap of {machine.place(at)} takes {signal}, and main, which waits in {where}, does not end for it"
    return reaction(signal, Verdict.IGNORED, cause, why, at if cause is Cause.DISCARDED else span)


def _unanswered(signal: str, machine: RubyMachine, how: str) -> Reaction | None:
    """Clients of threads that Ruby has killed."""
    wait = next((one for one in machine.left_in if one.kind == "request"), None)
    if wait is None or machine.now >= machine.idle_at or not takes_its_time(machine, wait.span):
        return None
    why = f"on {signal} {how} with the connections that {machine.place(wait.span)} serves"
    return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, wait.span)


def _broken_off(signal: str, machine: RubyMachine, how: str) -> Reaction | None:
    """What main was at, where an exception takes it out of that, and nothing but a message comes of it."""
    wait = machine.broken or machine.met
    if wait is not None and wait.kind == "child":
        why = f"whether the child of {machine.place(wait.span)}, which {how} with, has something to finish"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"{why} is not in the sources", wait.span)
    if machine.cleaned_by is None or only_says(machine, machine.cleaned_by):
        return broken_off(signal, machine, how, wait)
    return None


def _end(signal: str, question: Question, machine: RubyMachine, ended: Ended) -> Reaction:
    """It ends after the signal: with all it had to do done, or without."""
    assert machine.stopped_at is not None
    took = machine.now - machine.stopped_at
    handler = machine.handlers.get(signal)
    listener = machine.listener(signal)
    at = handler[1] if handler is not None else listener or question.at
    how = _HOWS.get(ended.how, "it ends")
    serving = bool(machine.servers) or listener is not None
    if ended.how == "hard":
        machine.killed = [one for one in machine.threads if not one.main and one.told]
    killed = next((one for one in machine.killed if one.span is not None), None)
    if killed is not None and killed.span is not None:
        why = f"on {signal} {how} while the thread of {machine.place(killed.span)} is still at its cleanup"
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, killed.span)
    cut = (
        ends.lost(signal, machine, ended, how, at) or _unanswered(signal, machine, how) or nothing.lost(signal, machine)
    )
    if cut is not None:
        return cut
    cut = left_midway(signal, machine, how, "thread") or queued(signal, machine, how)
    cut = cut or left(signal, machine, how, machine.sources.project)
    cut = cut or overdue(signal, machine, machine.left_in)
    if cut is None and (handler is not None or listener is not None):
        cut = unwritten(signal, machine)
    if cut is not None:
        return cut
    if ended.how == "hard" and (machine.hooks or machine.unwinding):
        why = f"on {signal} `exit!` ends it without its at_exit blocks and `ensure`"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, ended.span)
    if handler is None or machine.broken is not None:
        cut = _broken_off(signal, machine, how) if handler is None or ended.how != "raised" else None
        if cut is not None:
            return cut
    delay = None if serving or took < 0.01 else took
    if handler is not None or listener is not None:
        if ended.how == "raised" and machine.refused is not None:
            where = machine.place(machine.refused)
            why = f"{where} asks for a lock in a trap, which raises ThreadError, and that ends it"
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, machine.refused)
        if ended.how == "raised" and machine.cleaned_by is None:
            return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, f"on {signal} {how}", ended.span or at)
        orphan = machine.orphans[0] if machine.orphans else None
        if orphan is not None and orphan.span is not None:
            why = f"whether the process that {machine.place(orphan.span)} forks, which nothing waits for, has something"
            why = f"{why} to finish is not known"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, orphan.span)
        why = f"it handles {signal} in {machine.place(at)}, and {how} once that is done"
        return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, at, (), delay)
    drained = next((one for one in machine.servers if one.state.get("drained")), None)
    others = sorted(set(machine.handlers) & {"SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"})
    if machine.cleaned_by is not None:
        span = machine.cleaned_by
        why = f"{signal} is the exception SignalException to Ruby, and {machine.place(span)} cleans up on its way"
        return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, (), delay)
    if others:
        span = machine.handlers[others[0]][1]
        why = f"it traps {' and '.join(others)}, not {signal}, on which Ruby ends it at once"
        return reaction(signal, Verdict.CUT, Cause.OTHER_SIGNAL_ONLY, why, span)
    if drained is not None:
        why = f"{signal} is an exception to Ruby, on whose way {drained.type} finishes its requests"
        return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, drained.state["serving"])
    rescued = machine.rescues.get("Interrupt")
    if rescued is not None and signal != "SIGINT":
        why = f"it rescues Interrupt, which is SIGINT alone, so Ruby ends it at once on {signal}"
        return reaction(signal, Verdict.CUT, Cause.OTHER_SIGNAL_ONLY, why, rescued)
    why = f"it does not trap {signal}, and does nothing on the way of the exception that ends it"
    return reaction(
        signal, Verdict.CUT, Cause.NO_HANDLER, why, machine.met.span if machine.met is not None else question.at
    )
