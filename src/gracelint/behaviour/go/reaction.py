"""What a Go program does when a signal arrives, over all the ways its run can take.

Go's rules: the runtime ends a program at once, exit 2, on SIGTERM, SIGINT, SIGQUIT and SIGHUP that nobody asked for;
PID 1 is no exception. What signal.Notify asks for goes to the channel and nowhere else. The process ends when main
returns, whatever other goroutines are doing.
"""

from __future__ import annotations

from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.machine import Doubt, Machine
from gracelint.behaviour.go.syntax import text_of, walk
from gracelint.behaviour.go.values import SECOND, Ended, Func, Goroutine, Object, TooFarError
from gracelint.facts.program import Cause, Handler, Reaction, ServerCall, Wait
from gracelint.facts.verdict import Verdict
from gracelint.finding import Note
from gracelint.knowledge import table
from gracelint.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.go.packages import Modules, Package
    from gracelint.behaviour.go.values import Run
    from gracelint.source import Span

SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH")
_FATAL = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP")
"""Those that end a Go program which has not asked for them."""
_TOO_MUCH = ("it is too large to be followed to its end", "it has more ways to its end than can be followed")
_MOST_WAYS = 128
_MOST_STEPS = 200_000


class Outcome(Record):
    """How one way through the program ends."""

    reaction: Reaction
    machine: Machine
    early: bool = False
    """It ended before the signal came."""


class Told(Record):
    """All that was seen of a program."""

    reactions: dict[str, Reaction]
    handlers: tuple[Handler, ...]
    servers: tuple[ServerCall, ...]
    waits: tuple[Wait, ...]
    drain: tuple[float, Span] | None
    long_running: bool | None


class Question(Record, identity=True):
    """A program, and how it is started."""

    modules: Modules
    main: Package
    reached: tuple[Package, ...]
    argv: tuple[str, ...]
    at: Span
    """The name of its main function."""
    work: float


def tell(question: Question) -> Told:
    first, outcomes = _judge("SIGTERM", question)
    registered = {name: span for one in outcomes for name, span in one.machine.registered.items()}
    ignored = {name for one in outcomes for name in one.machine.ignored}
    reactions = {"SIGTERM": first}
    for signal in SIGNALS[1:]:
        if first.why in _TOO_MUCH:
            reactions[signal] = _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, first.why)
            continue
        known = signal in registered or signal in ignored
        reactions[signal] = _judge(signal, question)[0] if known else _unasked(signal, question, outcomes)
    machines = [one.machine for one in outcomes if not one.early] or [one.machine for one in outcomes]
    by_span: dict[Span, list[str]] = {}
    for name, span in registered.items():
        by_span.setdefault(span, []).append(name)
    handlers = tuple(Handler(tuple(names), span, (), span) for span, names in by_span.items())
    servers = {one.state["serving"]: one for machine in machines for one in machine.servers}
    waits = {wait[1]: wait for machine in machines for wait in machine.waits}
    limits = [(wait[2], wait[1]) for wait in waits.values() if wait[0] == "close" and wait[2] is not None]
    all_early = bool(outcomes) and all(one.early for one in outcomes)
    return Told(
        reactions,
        handlers,
        tuple(ServerCall(_label(one), span) for span, one in servers.items()),
        tuple(Wait(kind, span, seconds, on_shutdown=True) for kind, span, seconds in _blocking(waits)),
        max(limits, key=lambda limit: limit[0], default=None),
        None if not outcomes else not all_early,
    )


def _blocking(waits: dict[Span, tuple[str, Span, float | None]]) -> list[tuple[str, Span, float | None]]:
    """The waits on the way out; one that closes a server within a limit bounds what others wait for it."""
    bounded = any(seconds is not None for _, _, seconds in waits.values())
    kinds = ("close",) if bounded else ("close", "join")
    return [wait for wait in waits.values() if wait[0] in kinds]


def _label(server: Object) -> str:
    return f"Go's {server.type.rpartition('/')[2]}"


def _unasked(signal: str, question: Question, outcomes: list[Outcome]) -> Reaction:
    found = [_default(signal, question, one) for one in outcomes if not one.early] or [
        one.reaction for one in outcomes if one.early
    ]
    return _agreed(signal, found)


def _judge(signal: str, question: Question) -> tuple[Reaction, list[Outcome]]:
    outcomes: list[Outcome] = []
    ways: tuple[int, ...] | None = ()
    steps = 0
    while ways is not None:
        machine = Machine(question.modules, question.main, signal, question.argv, ways)
        machine.work = question.work
        try:
            machine.go(_program(machine, question), question.at)
            outcomes.append(_outcome(signal, question, machine))
        except Doubt as doubt:
            reaction = _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, doubt.why, doubt.span)
            outcomes.append(Outcome(reaction, machine))
        except (TooFarError, RecursionError):
            reaction = _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, _TOO_MUCH[0])
            return reaction, outcomes
        steps += machine.steps
        if len(outcomes) >= _MOST_WAYS or steps > _MOST_STEPS:
            return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, _TOO_MUCH[1]), outcomes
        ways = _next(machine.taken)
    lasting = [one.reaction for one in outcomes if not one.early]
    return _agreed(signal, lasting or [one.reaction for one in outcomes]), outcomes


def _next(taken: list[tuple[int, int]]) -> tuple[int, ...] | None:
    for index in range(len(taken) - 1, -1, -1):
        way, count = taken[index]
        if way + 1 < count:
            return (*(one for one, _ in taken[:index]), way + 1)
    return None


def _program(machine: Machine, question: Question) -> Run:
    for package in reversed(question.reached):
        for declared in package.inits:
            function = Func(declared.node, declared.file, package, None)
            yield from expressions.enter(machine, function, [], question.at)
    main = question.main.functions["main"]
    yield from expressions.enter(machine, Func(main.node, main.file, question.main, None), [], question.at)


def _agreed(signal: str, found: list[Reaction]) -> Reaction:
    """What all ways have in common."""
    unknown = next((one for one in found if one.as_pid_1 is Verdict.UNKNOWN), None)
    if unknown is not None:
        return unknown
    verdicts = {one.as_pid_1 for one in found}
    if len(verdicts) == 1:
        return found[0]
    places = sorted({one.span.line for one in found if one.span is not None})
    where = f" in line {places[0]}" if places else ""
    why = f"what it does on {signal}{where} depends on its settings, which are only known when it runs"
    return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, next((one.span for one in found if one.span), None))


def _reaction(
    signal: str,
    verdict: Verdict,
    cause: Cause,
    why: str,
    span: Span | None = None,
    notes: tuple[Note, ...] = (),
    delay: float | None = None,
) -> Reaction:
    return Reaction(signal, verdict, verdict, cause, why, span, notes, delay)


def _outcome(signal: str, question: Question, machine: Machine) -> Outcome:
    ended = machine.ended
    if not machine.stopping:
        if ended is not None:
            # a run that ends by itself is not the one that a stop meets
            why = f"it runs to its end by itself, and the Go runtime ends it at once on {signal}"
            return Outcome(_reaction(signal, Verdict.CUT, Cause.ONE_SHOT, why), machine, early=True)
        raise Doubt("nobody can tell what it waits for")
    if signal not in machine.registered:
        empty = Outcome(_reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, ""), machine)
        return Outcome(_default(signal, question, empty), machine)
    at = machine.registered[signal]
    reaction = _never_ends(signal, machine, at) if ended is None else _end(signal, machine, at, ended)
    if reaction.as_pid_1 is not Verdict.HANDLED and machine.callbacks:
        path, span = machine.callbacks[0]
        why = f"whether {path} calls the function that it gets in line {span.line} is not known"
        reaction = _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    return Outcome(reaction, machine)


def _default(signal: str, question: Question, outcome: Outcome) -> Reaction:
    """What the runtime does with a signal that the program has not asked for."""
    machine = outcome.machine
    if signal in machine.ignored:
        span = machine.ignored[signal]
        return _reaction(signal, Verdict.IGNORED, Cause.DISCARDED, f"{_place(machine, span)} ignores {signal}", span)
    if signal not in _FATAL:
        why = f"the Go runtime takes no notice of {signal} where no channel asks for it"
        return _reaction(signal, Verdict.IGNORED, Cause.NO_HANDLER, why)
    missing = _unread(signal, question, machine)
    if missing is not None:
        return missing
    others = sorted(set(machine.registered) & {"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"})
    if others:
        why = f"it handles {' and '.join(others)}, not {signal}, on which the Go runtime ends it at once, exit 2"
        return _reaction(signal, Verdict.CUT, Cause.OTHER_SIGNAL_ONLY, why, machine.registered[others[0]])
    serving: Span = next((one.state["serving"] for one in machine.servers), question.at)
    why = f"it has no handler for {signal}, so the Go runtime ends it at once, exit 2"
    return _reaction(signal, Verdict.CUT, Cause.NO_HANDLER, why, serving)


def _unread(signal: str, question: Question, machine: Machine) -> Reaction | None:
    """What may handle the signal and was not read."""

    def unknown(why: str, span: Span | None = None) -> Reaction:
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)

    if question.modules.unread:
        return unknown(f"{question.modules.unread[0]} could not be read, and may handle {signal}")
    seen = {span for _, _, span in (*machine.channels, *machine.contexts)} | {*machine.registered.values()}
    for package in question.reached:
        for file in package.files:
            if "os/signal" not in file.imports.values():
                continue
            for node in walk(file.root):
                if node.type == "call_expression" and text_of(node).startswith(("signal.Notify", "signal.Ignore")):
                    span = file.span(node)
                    if span not in seen:
                        where = _place(machine, span)
                        return unknown(f"whether {where}, which asks for signals, is reached cannot be told", span)
    silent = table("go")["packages"]["silent"]
    loud = next((path for path in machine.unsure if not path.startswith(tuple(silent))), None)
    if loud is not None:
        return unknown(f"whether {loud}(), which the program calls, handles {signal} is not known")
    for package in question.reached:
        for file in package.files:
            for path in (*file.imports.values(), *file.blank):
                if "." not in path.partition("/")[0] or any(
                    path == one or path.startswith(f"{one}/") for one in silent
                ):
                    continue
                if question.modules.is_own(path) and question.modules.find(path) is not None:
                    continue
                return unknown(f"whether {path}, which {file.source.path} imports, handles {signal} is not known")
    return None


def _never_ends(signal: str, machine: Machine, at: Span) -> Reaction:
    main = next((one for one in machine.goroutines if one.main), None)
    wait = main.wait if main is not None else None
    if machine.unsure:
        why = f"whether {machine.unsure[0]}() comes to its end on {signal} is not known"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, wait.span if wait is not None else at)
    if wait is not None and wait.kind == "child":
        why = f"whether the child that {_place(machine, wait.span)} waits for ends on {signal} is not known"
        return _reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, wait.span)
    heard = any(one.told for one in machine.goroutines) or machine.waits
    read = not any(signal in names and channel.queue for channel, names, _ in machine.channels)
    if not read and not heard:
        why = f"{_place(machine, at)} takes {signal} from the Go runtime, and nothing ever reads the channel"
        return _reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, at)
    if wait is None or wait.kind in ("serve", "accept", "for ever", "sleep", "loop", "receive", "select", "context"):
        what = f"{_place(machine, wait.span)}, where main waits," if wait is not None else "main"
        if wait is not None and wait.kind == "sleep":
            what = f"main, which sleeps in {_place(machine, wait.span)},"
        why = f"{signal} is taken by {_place(machine, at)}, and {what} does not end for it"
        return _reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, wait.span if wait is not None else at)
    why = f"main waits in {_place(machine, wait.span)} for what does not end on {signal}"
    return _reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, wait.span)


def _end(signal: str, machine: Machine, at: Span, ended: Ended) -> Reaction:
    """It ends after the signal: with all it had to do done, or without."""
    assert machine.stopped_at is not None
    now = machine.now
    took = (now - machine.stopped_at) / SECOND
    hows = {"returns": "main returns", "exit": "os.Exit ends the program", "fatal": "log.Fatal ends the program"}
    how = hows.get(ended.how, "a panic ends the program")
    place = ended.span if ended.how != "returns" and ended.span is not None else at
    left = machine.finish()
    machine.now = now
    closing = next((one for one in left if one.wait is not None and one.wait.kind == "close"), None)
    busy = next((one for one in machine.servers if not one.state.get("drained")), None)
    if machine.lost is not None:
        span = machine.lost.state["cut_by"]
        why = f"{_place(machine, span)} closes the server with the requests that are being answered"
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    if closing is not None and closing.wait is not None and now < machine.idle_at:
        span = closing.wait.span
        why = f"`{_line(span.text)}` waits for the requests in flight, and {how} without waiting for it"
        notes = (Note(ended.span, "the program ends here"),) if ended.how != "returns" and ended.span else ()
        return _reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, span, notes)
    if busy is not None and now < machine.idle_at:
        short = busy.state.get("short")
        if short is not None:
            why = f"`{_line(short.text)}` gives requests {took:.3g} s, and {how} with those that need longer"
            return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, short)
        why = f"on {signal} {how} with the requests that are being answered"
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, place)
    work = next((one for one in machine.goroutines if one.wait is not None and one.wait.kind == "request"), None)
    if work is not None and work.span is not None and now < machine.idle_at:
        why = f"on {signal} {how} with the connections that {_place(machine, work.span)} serves"
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, place)
    pending = next((one for one in left if one is not closing), None)
    if pending is not None and pending.wait is not None:
        span = pending.wait.span
        why = f"on {signal} {how} while {_place(machine, span)} is still at its cleanup"
        return _reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, span)
    if ended.how == "panic":
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, f"on {signal} {how}", place)
    if ended.how in ("exit", "fatal") and _deferred(machine):
        why = f"on {signal} {how}, and what main defers does not run"
        return _reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, place)
    why = f"it handles {signal} in {_place(machine, at)}, and {how} once that is done"
    slept = machine.slept / SECOND
    return _reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, at, (), slept or None)


def _deferred(machine: Machine) -> bool:
    """Whether another goroutine than the one that leaves has functions deferred that nothing will run."""
    main: Goroutine | None = next((one for one in machine.goroutines if one.main), None)
    return main is not None and main is not machine.current and machine.defers > 0


def _place(machine: Machine, span: Span) -> str:
    """A line, and its file where that is not the one of main."""
    other = span.source.path != machine.main.functions["main"].file.source.path
    return f"line {span.line} of {span.source.path}" if other else f"line {span.line}"


def _line(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= 60 else f"{first[:59]}…"
