"""What a program's source does with signals. The same for every language.

A language's reader turns source files into these facts, and says with `Reaction` what the program does when a signal
arrives: the rules of blocking calls, event loops and exceptions belong to the language, the answer does not.
Times are in seconds.
"""

from __future__ import annotations

from gracelint.base.choice import Choice
from gracelint.base.record import Record, field
from gracelint.facts.verdict import Verdict, with_time
from gracelint.finding import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as Map
    from typing import Any

    from gracelint.source import Source, Span, Word


class Cause(Choice):
    """Why a program reacts to a signal as it does."""

    GRACEFUL = "graceful"
    """A handler of its own, or its framework's, ends it cleanly."""
    ONE_SHOT = "one-shot"
    """It runs to its end by itself and has no cleanup to lose."""
    NO_HANDLER = "no-handler"
    OTHER_SIGNAL_ONLY = "other-signal-only"
    """It handles SIGINT or KeyboardInterrupt, not this signal."""
    DEV_SERVER = "dev-server"
    """A development server without a handler of its own."""
    DISCARDED = "discarded"
    """SIG_IGN, an empty handler, a handler that only logs."""
    NEVER_OBSERVED = "never-observed"
    """The handler sets a flag that nothing looks at in time."""
    EXIT_BLOCKED = "exit-blocked"
    """The handler asks for the end, but a thread, an executor, a child or a broad `except` stands in its way."""
    SHUTDOWN_DEADLOCK = "shutdown-deadlock"
    OFF_MAIN_THREAD = "off-main-thread"
    ABRUPT_EXIT = "abrupt-exit"
    """The handler leaves at once: in-flight work is dropped."""
    SHUTDOWN_NOT_AWAITED = "shutdown-not-awaited"
    """The program ends while something it has told to close is still at it."""
    STILL_ALIVE = "still-alive"
    """The handler ran, but something (an interval, a listener, a re-sent signal PID 1 ignores) keeps the process."""
    KEEP_ALIVE = "keep-alive"
    """Its handler waits for connections that clients keep open."""
    UNKNOWN = "unknown"


class Reaction(Record):
    """What the program does when one signal arrives, as PID 1 and as the child of an init.

    `why` is a clause such as "the handler only sets `running`, and queue.get() blocks without a timeout".
    """

    signal: str
    as_pid_1: Verdict
    as_child: Verdict
    cause: Cause
    why: str
    span: Span | None = None
    """The place that decides: the handler, the blocking call, the loop."""
    notes: tuple[Note, ...] = ()
    delay: float | None = None
    """Longest time until the handler's wish is noticed, where that is bounded (a sleep in the loop), and the sleeps
    that follow on the way out."""
    passes: str | None = None
    """The signal that the child gets which it is passed on to, where that is another."""

    @property
    def unhandled(self) -> bool:
        return self.cause is Cause.NO_HANDLER


class Act(Record):
    """One thing a handler does. `kind` is one of: exit, interrupt, raise, hard-exit, flag, event, close,
    close-now, shutdown-here, shutdown-thread, cancel, stop-child, wait, default, log, timer, call (unresolved)."""

    kind: str
    span: Span
    target: str = ""
    """What it is done to: the flag's name, the server's variable, the callee."""
    seconds: float | None = None
    """The timer's delay, or the wait's timeout."""
    then: tuple[Act, ...] = ()
    """What happens when it is done: the callback of `server.close(cb)`, of a timer, after an `await`."""


class Handler(Record):
    signals: tuple[str, ...]
    """Signal names, in the order given; empty where they cannot be resolved."""
    span: Span
    """The registration."""
    acts: tuple[Act, ...]
    body: Span | None = None
    """The handler's own text; None for SIG_IGN, SIG_DFL, default_int_handler and the like."""
    ignores: bool = False
    """SIG_IGN."""
    main_thread: bool = True
    names: tuple[Span, ...] = ()
    """Where each of `signals` is written."""
    certain: bool = True
    """False where it stands below a condition nobody can resolve."""


class Wait(Record):
    """A place where the program waits. `seconds` is None where it waits without a limit."""

    kind: str
    """sleep, recv, accept, queue.get, join, event-wait, serve-forever, run-loop …"""
    span: Span
    seconds: float | None = None
    on_shutdown: bool = False
    """It stands on the way out: after the handler, in a `finally`, in a close callback."""


class ServerCall(Record):
    """A server the source starts or makes: the row of `knowledge/servers.toml`, and the variable that holds it."""

    name: str
    span: Span
    variable: str | None = None
    options: Map[str, float | str | bool | None] = field(default_factory=dict)
    """Keyword arguments that bear on stopping, such as `timeout_graceful_shutdown`; None where not a literal."""
    development: bool = False
    application: str | None = None
    """What it serves, where that is named as `module:name`."""


class Child(Record):
    """A thread, process, executor, pool or task that the program starts.

    `kind` is thread, process, executor, pool, subprocess, task, worker, cluster.
    """

    kind: str
    span: Span
    variable: str | None = None
    daemon: bool = False
    ended: bool = False
    """Terminated, joined, awaited or cancelled on the shutdown path."""


class Connection(Record):
    """A pool or client opened at start; `library` is its row in the language's knowledge table."""

    library: str
    span: Span
    variable: str | None = None
    closed: bool = False


_WORST_FIRST = (Verdict.IGNORED, Verdict.CUT, Verdict.UNKNOWN, Verdict.HANDLED)


def _urgency(stop: Stop) -> tuple[int, bool]:
    """What goes wrong where it is really run comes before what does where it is developed."""
    return _WORST_FIRST.index(stop.verdict), stop.launch is not None and (
        stop.launch.development or stop.launch.dev_server
    )


_PRONOUNS = {"it": "", "its": "'s"}


class Stop(Record):
    """One way in which the program is stopped: what arrives at it, and what becomes of it."""

    signal: str
    verdict: Verdict
    reaction: Reaction
    pid_1: bool
    kill: str
    """How it is ended if nothing else ends it: "SIGKILL after 30 s"."""
    grace: float | None = None
    launch: Any = None
    name: str = ""
    """The program's file."""

    @property
    def why(self) -> str:
        """The reaction's reason, with the program by its name."""
        first, _, rest = self.reaction.why.partition(" ")
        return f"{self.name}{_PRONOUNS[first]} {rest}" if first in _PRONOUNS else self.reaction.why

    @property
    def seen(self) -> str:
        """What an operator sees."""
        if self.verdict is Verdict.CUT:
            told = "at once" in self.reaction.why
            return "what is in flight is lost" if told else f"{self.signal} ends it at once, before any cleanup"
        if self.verdict is Verdict.IGNORED and self.launch is None:
            return f"as PID 1 of a container it would ignore {self.signal}"
        return f"{self.signal} is ignored until {self.kill}" if self.verdict is Verdict.IGNORED else self.reaction.why

    @property
    def for_metrics(self) -> bool:
        """Whether what it serves where it is cut off is metrics, by the file's name or its folder's."""
        at = self.reaction.span
        return at is not None and any(part.startswith("metrics") for part in at.source.path.split("/")[-2:])

    @property
    def deadline(self) -> str:
        """What ends it, with the part of its time that a preStop hook takes."""
        before = self.launch.budget.pre_stop if self.launch is not None else None
        return f"{self.kill}, of which preStop takes {before.value:g} s," if before and before.value > 0 else self.kill

    @property
    def notes(self) -> tuple[Note, ...]:
        """Where the program is started, and what the reaction rests on."""
        at = self.launch.command_span if self.launch is not None else None
        return ((Note(at, "started here"),) if at is not None else ()) + self.reaction.notes

    @property
    def late(self) -> bool:
        """The handler works, but what it asks for is noticed only after the grace period."""
        delay = self.reaction.delay if self.verdict is Verdict.HANDLED else None
        return self.grace is not None and delay is not None and delay > self.grace

    @property
    def takes(self) -> str:
        """The reason, with the seconds that pass until the program has ended."""
        return with_time(self.why, self.reaction.delay or 0.0)


_BUSY = 3.0
"""Seconds that a request in flight is taken to need before its connection is idle."""


_DOCKER_STOP = 8.0
"""Seconds of the 10 s of `docker stop` that are left with the usual margin."""


def _time_of(launch: Any) -> float:
    deadlines = [hop.deadline.value for hop in launch.hops if hop.deadline is not None]
    time: float = min([launch.budget.left, *deadlines]) - launch.budget.margin
    return time if launch.budget.left == launch.budget.left else float("nan")


class Program(Record, identity=True):
    """What a program does when it is told to stop, in the same words for every language."""

    language: str
    """python, node, go, java, csharp, ruby, php or rust."""
    source: Source
    """The entry file."""
    span: Span
    """Where a finding about the program as a whole points: its main loop, server call or first statement."""
    long_running: bool | None
    """None where that cannot be told."""
    sources: tuple[Source, ...] = ()
    """The project's files it reaches by imports, the entry first."""
    handlers: tuple[Handler, ...] = ()
    """Functions and settings that react to signals, in the order they are installed."""
    servers: tuple[ServerCall, ...] = ()
    """Calls that serve requests."""
    waits: tuple[Wait, ...] = ()
    """What it waits for on its way out."""
    children: tuple[Child, ...] = ()
    """Processes, threads and workers it starts."""
    connections: tuple[Connection, ...] = ()
    """Pools and clients it opens."""
    startup: tuple[Wait, ...] = ()
    """Heavy imports and blocking work before the first handler is installed."""
    cleans_up_on_interrupt: bool = False
    """It has `except KeyboardInterrupt` or a `finally` that a raised exit would run."""
    reactions: Map[str, Reaction] = field(default_factory=dict)
    """By signal name, for SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH."""
    drain_seconds: float | None = None
    """A bound the source itself sets: a fallback timer, `server.stop(10)`."""
    drain_span: Span | None = None
    """The text that sets that bound."""
    unread: tuple[str, ...] = ()
    """What could not be followed: dynamic imports, missing modules of the project."""
    reached: bool = False
    """A launch starts it."""
    entry: bool = False
    """It is an entry point by itself (`if __name__ == "__main__"`, a `main` in package.json)."""
    launches: tuple[object, ...] = ()
    """The `Launch` objects that start it, once they are made."""
    replaced_by: tuple[Word, ...] | None = None
    """The command line it execs in its own place; the way of the signal goes on there."""
    forwards_to: tuple[Word, ...] | None = None
    """The command line of the one child it starts, hands its signals to and waits for."""
    runtime: int | None = None
    """The major version of the runtime it is started with, where that is known: Node 18."""
    loses_nothing: bool = False
    """It was read whole, opens nothing, writes nothing but its output, and has no request that takes any time."""
    drain_by_default: bool = False
    """`drain_seconds` is its server's default: nobody has written it."""

    @property
    def name(self) -> str:
        """The entry file's name."""
        return self.source.path.rpartition("/")[2]

    @property
    def stops(self) -> tuple[Stop, ...]:
        """How each launch stops it, the worst first; where nothing launches it, as PID 1 with SIGTERM."""
        found = tuple(stop for launch in self.launches if (stop := self._stop(launch)) is not None)
        found = tuple(sorted(found, key=_urgency))
        if found or self.launches or "SIGTERM" not in self.reactions:
            return found
        reaction = self.reactions["SIGTERM"]
        return (Stop("SIGTERM", reaction.as_pid_1, reaction, True, "SIGKILL", name=self.name),)

    @property
    def held(self) -> tuple[Stop, Wait] | None:
        """The stop that has too little time for the connections its clients keep, and the wait for them."""
        waits = [wait for wait in self.waits if wait.kind == "keep-alive" and wait.seconds is not None]
        for stop in self.stops:
            if stop.verdict is not Verdict.HANDLED or stop.grace is None or stop.launch is None:
                continue
            if stop.late and stop.reaction.cause is not Cause.KEEP_ALIVE:
                continue
            for wait in waits:
                if (wait.seconds or 0.0) + _BUSY + stop.launch.assume.margin > stop.grace:
                    return stop, wait
        return None

    @property
    def bound(self) -> float | None:
        """Whole seconds after which each stop can be given up before SIGKILL comes.

        None where that is not known, or is less than a request and the connection it came by need.
        """
        times = [_time_of(launch) for launch in self.launches] or [_DOCKER_STOP]
        kept = [wait.seconds for wait in self.waits if wait.kind == "keep-alive" and wait.seconds is not None]
        least = min(times) if all(time == time for time in times) else 0.0
        return float(int(least)) if least >= max(kept, default=0.0) + _BUSY else None

    def stop_because(self, *causes: Cause) -> Stop | None:
        """The first of its stops that goes wrong for one of these causes, and not for a signal sent in error."""
        stops = (stop for stop in self.stops if stop.verdict is not Verdict.HANDLED)
        wrong = (stop for stop in stops if stop.reaction.cause in causes)
        return next((stop for stop in wrong if not self._is_told_wrong(stop)), None)

    def _is_told_wrong(self, stop: Stop) -> bool:
        """Whether it has a handler for SIGTERM, and is sent another signal that it has none for."""
        usual = self.reactions.get("SIGTERM")
        return stop.signal != "SIGTERM" and usual is not None and usual.as_pid_1 is Verdict.HANDLED

    def _stop(self, launch: Any) -> Stop | None:
        is_this = (
            hop
            for hop in launch.hops
            if (hop.kind.value == "program" and hop.name == self.name)
            or hop.details.get("application") == self.source.path
        )
        # a hop in front of the program that keeps the signal away is what is reported of that launch
        hop = next((hop for hop in is_this if hop is launch.decisive), None)
        if launch.is_told_as_dev_server:
            return None
        if hop is None or launch.one_shot or hop.signal not in self.reactions:
            return None
        reaction = self.reactions[hop.signal]
        verdict = reaction.as_pid_1 if hop.pid_1 else reaction.as_child
        left = launch.budget.left
        known = left if left == left else None
        return Stop(hop.signal, verdict, reaction, hop.pid_1, launch.kill, known, launch, self.name)
