"""What a Go program does when a signal arrives, over all the ways its run can take.

Go's rules: the runtime ends a program at once, exit 2, on SIGTERM, SIGINT, SIGQUIT and SIGHUP that nobody asked for;
PID 1 is no exception. What signal.Notify asks for goes to the channel and nowhere else. The process ends when main
returns, whatever other goroutines are doing.
"""

from __future__ import annotations

from gracelint.base.record import Record, replace
from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.streams import endless_stream
from gracelint.behaviour.go.syntax import FUNCTIONS, statements
from gracelint.behaviour.go.values import Func
from gracelint.behaviour.machine import ends
from gracelint.behaviour.machine.left import left_alone
from gracelint.behaviour.machine.values import Doubt, Ended, TooFarError
from gracelint.behaviour.machine.ways import TOO_MUCH, Outcome, agreed, follow, forwarded, reaction
from gracelint.behaviour.tree import text_of, walk
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from tree_sitter import Node

    from gracelint.base.limits import Effort
    from gracelint.behaviour.go.packages import Modules, Package
    from gracelint.behaviour.go.syntax import File
    from gracelint.behaviour.machine.ends import Told
    from gracelint.behaviour.machine.values import Run, Thread
    from gracelint.source import Span

    M = TypeVar("M", bound=GoMachine)

Words = tuple[tuple[str, "Span"], ...]
_FATAL = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP")
"""Those that end a Go program which has not asked for them."""


class Question(Record, identity=True):
    """A program, and how it is started."""

    modules: Modules
    main: Package
    reached: tuple[Package, ...]
    argv: tuple[str, ...]
    env: Mapping[str, str | None]
    at: Span
    """The name of its main function."""
    work: float
    effort: Effort | None


class Answer(Record):
    told: Told
    replaced: Words
    """The words of the command it execs."""
    forwards: Words
    """The words of the child that it starts, passes the signal to and waits for."""


def tell(question: Question) -> Answer:
    seen: list[Outcome] = []

    def judge(signal: str) -> tuple[Reaction, list[Outcome]]:
        found = _judge(signal, question)
        if signal == "SIGTERM":
            seen.extend(found[1])
        return found

    told = ends.tell(judge, lambda signal, outcomes: _unasked(signal, question, outcomes), "Go")
    execs = [one.machine.replaced for one in seen]
    return Answer(told, execs[0] if all(execs) and execs else (), forwarded(seen))


def _unasked(signal: str, question: Question, outcomes: list[Outcome]) -> Reaction:
    found = [_default(signal, question, one) for one in outcomes if not one.early] or [
        one.reaction for one in outcomes if one.early
    ]
    return agreed(signal, found)


def _judge(signal: str, question: Question) -> tuple[Reaction, list[Outcome]]:
    def make(ways: tuple[int, ...]) -> GoMachine:
        return _machine(GoMachine, signal, question, ways)

    found, outcomes = follow(signal, make, lambda machine: _outcome(signal, question, machine), question.effort)
    if found.as_pid_1 is Verdict.HANDLED and any(one.machine.works_beside and _serves(one.machine) for one in outcomes):
        found = _when_idle(signal, question, found)
    if found.as_pid_1 is Verdict.HANDLED:
        seen = [one.machine for one in outcomes if not one.early][:_MOST_REHEARSED]
        found = next((its for one in seen if (its := _left_by_requests(signal, question, one, found))), found)
    return found, outcomes


def _serves(machine: GoMachine) -> bool:
    return bool(machine.servers or machine.connections)


def _when_idle(signal: str, question: Question, found: Reaction) -> Reaction:
    """What it comes to where no request is in flight: main waits for none, and for nobody who is at work meanwhile."""
    idle = replace(question, work=0.0)

    def make(ways: tuple[int, ...]) -> GoMachine:
        return _machine(GoMachine, signal, idle, ways)

    its, _ = follow(signal, make, lambda machine: _outcome(signal, idle, machine), question.effort)
    return its if its.as_pid_1 is not Verdict.HANDLED else found


_MOST_REHEARSED = 2
"""Ways to a good end that requests are followed on: large programs have many, and take as long on each."""


def _machine(kind: type[M], signal: str, question: Question, ways: tuple[int, ...]) -> M:
    machine = kind(question.modules, question.main, signal, question.argv, ways, question.work)
    machine.env, machine.effort = question.env, question.effort or machine.effort
    machine.entry = question.main.functions["main"].file.source.path
    machine.program, machine.at = _program(machine, question), question.at
    return machine


def _program(machine: GoMachine, question: Question) -> Run:
    for package in reversed(question.reached):
        for declared in package.inits:
            function = Func(declared.node, declared.file, package, None)
            yield from expressions.enter(machine, function, [], question.at)
    main = question.main.functions["main"]
    yield from expressions.enter(machine, Func(main.node, main.file, question.main, None), [], question.at)


def _left_by_requests(signal: str, question: Question, machine: GoMachine, found: Reaction) -> Reaction | None:
    """What a request that is in flight, and what it has started or handed on, does not get to."""
    if not machine.servers:
        return None
    from gracelint.behaviour.go import rehearsal
    from gracelint.behaviour.go.requests import left_behind

    awaited: set[Span] = set()
    try:
        its = rehearsal.lost(machine, lambda ways: _machine(rehearsal.Rehearsal, signal, question, ways), awaited)
    except (TooFarError, RecursionError):
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, TOO_MUCH[0])
    span = left_behind(question.reached)
    if span is not None and span not in awaited:
        why = f"the goroutine that a request starts in {machine.place(span)} is lost when main returns"
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, span)
    if its is None:
        return None
    if its.how == "takes":
        return replace(found, delay=max(its.seconds, found.delay or 0.0))
    start, place = machine.place(its.start), machine.place(its.span)
    if its.how == "holds":
        why = f"the server waits for the request of {start}, which {place} holds until its client goes"
        return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, its.span)
    if its.how == "may hold":
        why = f"whether anything but its client ends the request that {place} holds is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, its.span)
    if its.how == "may take":
        why = f"whether the request of {start} ends before its {its.seconds:.3g} s are over is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, its.span)
    if its.how == "answer":
        why = f"on {signal} the request of {start} gives up before it comes to its answer in {place}"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, its.span)
    if its.how == "cleanup":
        why = f"on {signal} main returns while {start}, which works for a request, is still at its cleanup in {place}"
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, its.span)
    why = f"on {signal} main returns before {start}, which works for a request, comes to {place}"
    return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, its.span)


def _outcome(signal: str, question: Question, machine: GoMachine) -> Outcome:
    ended = machine.ended
    if not machine.stopping:
        if ended is not None and (ended.failed or ended.how in ("panic", "fatal")) and ended.span is not None:
            why = f"whether it gets past {machine.place(ended.span)}, where it gives up, is not known"
            return Outcome(reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, ended.span), machine, early=True)
        if ended is not None:
            # a run that ends by itself is not the one that a stop meets
            why = f"it runs to its end by itself, and the Go runtime ends it at once on {signal}"
            return Outcome(reaction(signal, Verdict.CUT, Cause.ONE_SHOT, why), machine, early=True)
        raise Doubt("nobody can tell what it waits for")
    if signal not in machine.registered:
        empty = Outcome(reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, ""), machine)
        found = _default(signal, question, empty)
        is_final = bool(question.modules.unread) and found.as_pid_1 is Verdict.UNKNOWN
        return Outcome(found, machine, final=is_final)
    at = machine.registered[signal]
    found = _never_ends(signal, machine, at) if ended is None else _end(signal, machine, at, ended)
    if found.as_pid_1 is not Verdict.HANDLED and machine.callbacks:
        path, span = machine.callbacks[0]
        why = f"whether {path} calls the function that it gets in line {span.line} is not known"
        found = reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    return Outcome(found, machine)


def _default(signal: str, question: Question, outcome: Outcome) -> Reaction:
    """What the runtime does with a signal that the program has not asked for."""
    machine = outcome.machine
    if signal in machine.ignored:
        span = machine.ignored[signal]
        return reaction(signal, Verdict.IGNORED, Cause.DISCARDED, f"{machine.place(span)} ignores {signal}", span)
    if signal not in _FATAL:
        why = f"the Go runtime takes no notice of {signal} where no channel asks for it"
        return reaction(signal, Verdict.IGNORED, Cause.NO_HANDLER, why)
    missing = _unread(signal, question, machine)
    if missing is not None:
        return missing
    reads = _reading(machine)
    if reads is not None:
        why = f"whether what {machine.place(reads)} reads to its end ever ends is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, reads)
    others = sorted(set(machine.registered) & {"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"})
    if others:
        why = f"it handles {' and '.join(others)}, not {signal}, on which the Go runtime ends it at once, exit 2"
        return reaction(signal, Verdict.CUT, Cause.OTHER_SIGNAL_ONLY, why, machine.registered[others[0]])
    serving: Span = next((one.state["serving"] for one in machine.servers), question.at)
    why = f"it has no handler for {signal}, so the Go runtime ends it at once, exit 2"
    return reaction(signal, Verdict.CUT, Cause.NO_HANDLER, why, serving)


def _reading(machine: GoMachine) -> Span | None:
    """The loop that main is in, where all it does is to take its input until there is no more: `err == io.EOF`."""
    wait = machine.main_thread.wait if machine.main_thread is not None and not machine.servers else None
    return wait.span if wait is not None and wait.kind == "loop" and "io.EOF" in wait.span.text else None


def _is_left_out(machine: GoMachine, package: Package, file: File, node: Node) -> bool:
    """Whether known conditions leave out a part: itself, or every place that names the function around it."""
    if _lies_in(machine, file, node):
        return True
    function = node
    while function.parent is not None and function.type != "function_declaration":
        function = function.parent
    name = function.child_by_field_name("name")
    if name is None or not machine.passed:
        return False
    named = [
        (other, part)
        for other in package.files
        for part in walk(other.root)
        if part.type == "identifier" and part.text == name.text and (other is not file or part.id != name.id)
    ]
    return bool(named) and all(_lies_in(machine, other, part) for other, part in named)


def _is_later(machine: GoMachine, file: File, node: Node) -> bool:
    """Whether main waits before a place, in the same function and in no loop, or in one without a way out."""
    main = machine.main_thread
    wait = main.wait if main is not None else None
    function = node.parent
    while function is not None and function.type not in FUNCTIONS:
        function = function.parent
    if wait is None or function is None or wait.span.source is not file.source:
        return False

    def holds(part: Node) -> bool:
        its = file.span(part)
        return its.start <= wait.span.start and wait.span.end <= its.end

    kinds = ("for_statement", *FUNCTIONS)
    around = [one for one in walk(function) if one.type in kinds and one != function and holds(one)]
    if not holds(function) or any(one.type != "for_statement" for one in around):
        return False
    if not around:
        return wait.kind in ("serve", "accept") and wait.span.end <= file.span(node).start
    return _is_endless(around[0]) and around[0].end_byte <= node.start_byte


def _is_endless(loop: Node) -> bool:
    """Whether a loop has no condition, and nothing in it that may leave it."""
    return len(loop.named_children) == 1 and not any(one.type in _LEAVING for one in walk(loop))


_LEAVING = ("break_statement", "return_statement", "goto_statement")


def _lies_in(machine: GoMachine, file: File, node: Node) -> bool:
    at = file.source.path
    return any(path == at and start <= node.start_byte < end for path, start, end in machine.passed)


def _unread(signal: str, question: Question, machine: GoMachine) -> Reaction | None:
    """What may handle the signal and was not read."""

    def unknown(why: str, span: Span | None = None) -> Reaction:
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)

    if question.modules.unread:
        return unknown(f"{question.modules.unread[0]} could not be read, and may handle {signal}")
    seen = {span for _, _, span in (*machine.channels, *machine.contexts)} | machine.asked_at
    for package in question.reached:
        for file in package.files:
            if "os/signal" not in file.imports.values():
                continue
            for node in walk(file.root):
                if node.type == "call_expression" and text_of(node).startswith(("signal.Notify", "signal.Ignore")):
                    span = file.span(node)
                    if not (
                        span in seen or _is_left_out(machine, package, file, node) or _is_later(machine, file, node)
                    ):
                        where = machine.place(span)
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


def _never_ends(signal: str, machine: GoMachine, at: Span) -> Reaction:
    main = machine.main_thread
    wait = main.wait if main is not None else None
    if machine.unsure:
        why = f"whether {machine.unsure[0]}() comes to its end on {signal} is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, wait.span if wait is not None else at)
    child = next((one.wait for one in machine.threads if one.wait is not None and one.wait.kind == "child"), None)
    if child is not None:
        why = f"whether the child that {machine.place(child.span)} waits for ends on {signal} is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, child.span)
    client = next((one.wait for one in machine.threads if one.wait is not None and one.wait.kind == "client"), None)
    if client is not None:
        why = f"whether the client that {machine.place(client.span)} reads from goes is only known when it runs"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, client.span)
    heard = any(one.told for one in machine.threads) or machine.waits
    read = not any(signal in names and channel.queue for channel, names, _ in machine.channels)
    if not read and not heard:
        why = f"{machine.place(at)} takes {signal} from the Go runtime, and nothing ever reads the channel"
        return reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, at)
    if wait is None or wait.kind in ("serve", "accept", "for ever", "sleep", "loop", "receive", "select", "context"):
        what = f"{machine.place(wait.span)}, where main waits," if wait is not None else "main"
        if wait is not None and wait.kind == "sleep":
            what = f"main, which sleeps in {machine.place(wait.span)},"
        why = f"{signal} is taken by {machine.place(at)}, and {what} does not end for it"
        return reaction(signal, Verdict.IGNORED, Cause.DISCARDED, why, wait.span if wait is not None else at)
    why = f"main waits in {machine.place(wait.span)} for what does not end on {signal}"
    return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, wait.span)


def _end(signal: str, machine: GoMachine, at: Span, ended: Ended) -> Reaction:
    """It ends after the signal: with all it had to do done, or without."""
    hows = {"returns": "main returns", "exit": "os.Exit ends the program", "fatal": "log.Fatal ends the program"}
    how = hows.get(ended.how, "a panic ends the program")
    woken = _woken(machine)
    cut = ends.lost(signal, machine, ended, how, at)
    if cut is not None:
        return _unless_counted(signal, machine, cut)
    if woken is not None and woken.span is not None:
        why = f"on {signal} {how} before the goroutine of {machine.place(woken.span)} gets to what it does at its end"
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, woken.span)
    if machine.undone:
        span = next(iter(machine.undone.values()))
        why = f"`{ends.line(span.text)}` gets a context that ends on {signal}, and gives up before it has done its work"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)
    place = ended.span if ended.how != "returns" and ended.span is not None else at
    if ended.how == "panic":
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, f"on {signal} {how}", place)
    if ended.how in ("exit", "fatal") and machine.defers > 0:
        why = f"on {signal} {how}, and what main defers does not run"
        return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, place)
    main = machine.main_thread
    from gracelint.behaviour.go.jobs import left_at_work
    from gracelint.behaviour.machine.midst import broken_off, left_midway, queued

    if ended.how == "exit" and main is not None and main is not machine.current:
        cut = broken_off(signal, machine, how, main.wait)
        if cut is not None:
            return cut
    cut = left_midway(signal, machine, how, "goroutine") or queued(signal, machine, how)
    if cut is not None:
        return cut
    given = left_at_work(machine)
    if given is not None and given.wait is not None:
        where = machine.place(given.wait.span)
        why = f"on {signal} {how} in the middle of the work of {where}: nothing waits for its goroutine"
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, given.wait.span)
    alone = left_alone(machine, _works_after_loop)
    if alone is not None and alone.span is not None:
        why = (
            f"on {signal} {how} while the goroutine of {machine.place(alone.span)}, which nothing waits for, is to end"
        )
        return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, alone.span)
    if machine.children:
        from gracelint.behaviour.machine.children import left

        lost = left(signal, machine, how, machine.modules.files)
        if lost is not None:
            return lost
    closing = next((span for kind, span, seconds in machine.waits if kind == "close" and seconds is None), None)
    stream = endless_stream(machine.modules.packages(machine.main)) if closing is not None else None
    if closing is not None and stream is not None:
        why = f"{machine.place(closing)} waits for the answer of {machine.place(stream)}, a stream that never ends"
        return reaction(signal, Verdict.IGNORED, Cause.EXIT_BLOCKED, why, closing)
    kept = _given_up(signal, machine) or _kept_back(signal, machine) or _yet_to_write(signal, machine, how)
    if kept is not None:
        return kept
    why = f"it handles {signal} in {machine.place(at)}, and {how} once that is done"
    assert machine.stopped_at is not None
    took = machine.slept if machine.servers else max(machine.slept, machine.now - machine.stopped_at)
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, at, (), took if took >= 0.01 else None)


def _unless_counted(signal: str, machine: GoMachine, cut: Reaction) -> Reaction:
    """What cuts requests off, but where it may wait until their number is none, or tells its clients to go."""
    from gracelint.behaviour.go.connections import counted, polled_late, takes_leave

    waits = [one.wait for one in machine.threads if one.wait is not None]
    client = next((one.span for one in waits if one.kind == "client"), None)
    if client is not None and any(one.kind == "waitgroup" for one in waits):
        why = f"whether the client that {machine.place(client)} reads from goes is only known when it runs"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, client)
    serves = any(one.kind == "request" for one in waits)
    farewell = takes_leave(machine) if serves else None
    if farewell is not None:
        why = f"whether all are answered that {machine.place(farewell)} takes leave of is only known when it runs"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, farewell)
    span = (polled_late(machine) or counted(machine)) if cut.cause is Cause.ABRUPT_EXIT else None
    if span is None:
        return cut
    why = f"whether {machine.place(span)} waits for what is in flight cannot be told"
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)


def _given_up(signal: str, machine: GoMachine) -> Reaction | None:
    """What the signal has broken off, and may have to be done anew; or what was to succeed first."""
    joins = any(kind == "join" for kind, _, _ in machine.waits)
    tried = next((span for span, is_main in machine.tried if is_main or joins), None)
    if tried is not None:
        why = f"whether {machine.place(tried)}, which tries until it succeeds, ever does is not known"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, tried)
    if not machine.given_up_at:
        return None
    from gracelint.behaviour.go.abandoned import abandoned

    span = abandoned(machine)
    if span is None:
        return None
    why = f"whether what {machine.place(span)} gives up on {signal} is done anew is not in the sources"
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)


def _kept_back(signal: str, machine: GoMachine) -> Reaction | None:
    """What it has gathered and does not write on its way out."""
    from gracelint.behaviour.go.gathered import unflushed, unwritten

    rows = unwritten(machine)
    if rows is not None:
        why = f"whether anything is lost is not known: on {signal} nothing writes what is in `{rows[0]}`"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, f"{why} of {machine.place(rows[1])}", rows[1])
    buffer = unflushed(machine)
    if buffer is None:
        return None
    why = f"whether anything is lost is not known: nothing flushes the buffer of {machine.place(buffer)}"
    return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, buffer)


def _yet_to_write(signal: str, machine: GoMachine, how: str) -> Reaction | None:
    """What goroutines and timers would have written later."""
    from gracelint.behaviour.go.pending import pending

    found = pending(machine)
    if found is None:
        return None
    thread, name, is_open = found
    place = machine.place(thread.span or machine.at)
    if is_open:
        why = f"whether anything is lost is not known: on {signal} nothing calls `{name}` as {place} does in its time"
        return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, thread.span)
    why = f"on {signal} {how} before the time of {place} has come, and nothing calls `{name}`"
    return reaction(signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, thread.span)


def _woken(machine: GoMachine) -> Thread | None:
    """A goroutine that main has only just told to end, and that writes something out before it does."""
    from gracelint.behaviour.machine.remainder import has_remainder

    for thread in machine.threads:
        wait = thread.wait
        if thread.main or wait is None or wait.kind not in ("receive", "select") or not wait.ready():
            continue
        writes = isinstance(thread.body, Func) and _works_after_loop(thread.body, _WRITES)
        if (writes and wait.kind == "receive") or has_remainder(machine, wait):
            return thread
    return None


_WRITES = (".Flush(", ".Close(", ".Commit(", ".Sync(", ".Write", ".Save(")


def _works_after_loop(function: Func, words: tuple[str, ...] = ("",)) -> bool:
    """Whether calls follow a loop that has a condition, one with any of the words."""
    lines = statements(function.node.child_by_field_name("body"))
    loops = [index for index, one in enumerate(lines) if one.type == "for_statement" and len(one.named_children) > 1]
    after = lines[loops[-1] + 1 :] if loops else []
    return any(one.type == "expression_statement" and any(word in text_of(one) for word in words) for one in after)
