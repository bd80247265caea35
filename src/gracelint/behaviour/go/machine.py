"""One run of a Go program: its goroutines, a clock of its own, and the signal that comes once it has settled.

Where a condition cannot be told the run takes one branch and notes that there is another: `reaction` runs the program
again for each.
"""

from __future__ import annotations

from gracelint.behaviour.go.values import NIL, UNKNOWN, Chan, Ctx, Ended, Goroutine, Scope, TooFarError, Wait
from gracelint.limits import DEPTH, STEPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.go.packages import Modules, Package
    from gracelint.behaviour.go.values import Object, Run
    from gracelint.source import Span

_HORIZON = 3600e9
"""Nanoseconds after the signal that are waited for the end."""
_MOST_WAKES = 400
_SETTLED = 3
"""How often the same pause comes round before the program is taken to go on like this."""


class Doubt(Exception):  # noqa: N818
    """The run comes to something that decides and cannot be told."""

    def __init__(self, why: str, span: Span | None = None) -> None:
        self.why, self.span = why, span


class Machine:
    def __init__(self, modules: Modules, main: Package, signal: str, argv: tuple[str, ...], ways: tuple[int, ...]):
        self.modules, self.main, self.signal, self.argv = modules, main, signal, argv
        self.scopes: dict[str, Scope] = {}
        self.now = 0.0
        self.steps = 0
        self.depth = 0
        self.ways = ways
        self.taken: list[tuple[int, int]] = []
        """Of each choice what was taken, and how many there were."""
        self.chosen: dict[tuple[object, bool], int] = {}
        self.goroutines: list[Goroutine] = []
        self.current: Goroutine | None = None
        self.stopped_at: float | None = None
        """When the signal came."""
        self.work = 1e9
        """Nanoseconds that a request in flight is taken to need."""
        self.servers: list[Object] = []
        self.channels: list[tuple[Chan, frozenset[str], Span]] = []
        """Registrations with signal.Notify."""
        self.contexts: list[tuple[Ctx, frozenset[str], Span]] = []
        self.registered: dict[str, Span] = {}
        """By signal name, where it was first asked for."""
        self.ignored: dict[str, Span] = {}
        self.heard: list[tuple[Any, Span]] = []
        """Functions that a library calls when the signal comes."""
        self.unsure: list[str] = []
        """Calls of libraries nobody knows, that may handle signals."""
        self.waits: list[tuple[str, Span, float | None]] = []
        """Closing calls after the signal, with their limit in seconds."""
        self.callbacks: list[tuple[str, Span]] = []
        """Calls of libraries that get functions which stop something, and may call them."""
        self.fired: dict[object, int] = {}
        self.accepted = False
        self.slept = 0.0
        self.defers = 0
        """Functions that main has deferred and that have something to do."""
        self.ended: Ended | None = None
        self.lost: Object | None = None
        """A server whose requests were dropped while it closed, or before."""

    @property
    def stopping(self) -> bool:
        return self.stopped_at is not None

    @property
    def idle_at(self) -> float:
        """When the requests that were in flight at the signal have been answered."""
        return self.stopped_at + self.work if self.stopped_at is not None else self.now

    def step(self) -> None:
        self.steps += 1
        if self.steps > STEPS or self.depth > DEPTH:
            raise TooFarError

    def choose(self, count: int, at: object) -> int:
        """One of several ways. The same place takes the same way all through a run, until the signal comes."""
        key = (at, self.stopping)
        if key not in self.chosen:
            self.chosen[key] = self._choose(count)
        return self.chosen[key]

    def _choose(self, count: int) -> int:
        index = len(self.taken)
        way = self.ways[index] if index < len(self.ways) else 0
        self.taken.append((way, count))
        return way

    def start(self, run: Run, span: Span | None, main: bool = False) -> Goroutine:
        goroutine = Goroutine(run, span, main)
        goroutine.told = self.stopping
        self.goroutines.append(goroutine)
        return goroutine

    # the clock

    def go(self, run: Run, span: Span | None) -> None:
        """Runs the program from its start to its end, or to where nothing moves any more."""
        self.start(run, span, main=True)
        try:
            while self._advance():
                pass
        except Ended as ended:
            self.ended = ended

    def finish(self) -> list[Goroutine]:
        """Goroutines that the signal has set going and that have something left that takes its time."""
        self.ended = None
        left = []
        for goroutine in [one for one in self.goroutines if not one.main]:
            try:
                moved = True
                while moved and goroutine in self.goroutines:
                    moved = self._resume(goroutine)
            except Ended:
                continue
            wait = goroutine.wait
            if goroutine in self.goroutines and goroutine.told and wait is not None and wait.kind in _WORK:
                left.append(goroutine)
        return left

    def _advance(self) -> bool:
        moved = False
        for goroutine in [*self.goroutines]:
            moved = self._resume(goroutine) or moved
        if moved:
            return True
        times = [(at, one) for one in self.goroutines if one.wait is not None and (at := one.wait.at()) is not None]
        at, next_one = min(times, key=lambda pair: pair[0], default=(None, None))
        if at is None or next_one is None or next_one.wait is None:
            return self._deliver()
        key = next_one.wait.node or next_one.wait.span
        self.fired[key] = self.fired.get(key, 0) + 1
        if not self.stopping and self.fired[key] >= _SETTLED:
            return self._deliver()
        over = self.stopped_at is not None and at > self.stopped_at + _HORIZON
        if over or sum(self.fired.values()) > _MOST_WAKES:
            return self._deliver()
        self.now = max(self.now, at)
        return True

    def _resume(self, goroutine: Goroutine) -> bool:
        wait = goroutine.wait
        value: Any = None
        if wait is not None:
            if not wait.ready():
                return False
            time = wait.at()
            if self.stopping and (time is None or time > self.now):
                goroutine.told = True
            value = wait.value()
        self.current = goroutine
        depth, self.depth = self.depth, 0
        try:
            goroutine.wait = goroutine.run.send(value)
        except StopIteration:
            self.goroutines.remove(goroutine)
            if goroutine.main:
                raise Ended("returns", goroutine.span) from None
        finally:
            self.depth = depth
        return True

    def _deliver(self) -> bool:
        """The signal comes; False where it has come already."""
        if self.stopping:
            return False
        self.stopped_at = self.now
        self.fired = {}
        if self.signal not in self.registered:
            return False
        for channel, signals, _ in self.channels:
            if self.signal in signals:
                channel.queue.append(Sig(self.signal))
        for context, signals, _ in self.contexts:
            if self.signal in signals:
                context.cancel()
        return True


_WORK = frozenset(("sleep", "close", "waitgroup", "request", "run"))
"""Waits that stand for something that is still to be done."""


class Sig(str):
    """A signal, by its name."""

    __slots__ = ()


def sleep(machine: Machine, span: Span, nanoseconds: Any, node: object) -> Run:
    seconds = nanoseconds if isinstance(nanoseconds, (int, float)) else 1e9
    until = machine.now + float(seconds)
    yield Wait("sleep", span, lambda: machine.now >= until, at=lambda: until, node=node)
    return NIL


def context_ends(machine: Machine, context: Any) -> bool:
    return isinstance(context, Ctx) and context.ends(machine.now)


def receive(machine: Machine, channel: Any, span: Span, node: object) -> Run:
    """`<-channel`."""
    if isinstance(channel, Ctx):
        value = yield Wait("context", span, lambda: channel.ends(machine.now), at=lambda: channel.deadline, node=node)
        return value
    if not isinstance(channel, Chan):
        if channel is NIL:
            yield Wait("for ever", span, lambda: False, node=node)
        raise Doubt(f"line {span.line} waits for a channel that nobody can tell", span)
    value = yield Wait(
        "receive",
        span,
        lambda: channel.ready(machine.now),
        lambda: channel.take(machine.now),
        at=lambda: channel.at,
        node=node,
    )
    return value


def send(machine: Machine, channel: Any, value: Any, span: Span) -> Run:
    """`channel <- value`: with room at once, else once it is taken."""
    if not isinstance(channel, Chan):
        return NIL
    room = max(channel.room, 1)
    yield Wait("send", span, lambda: len(channel.queue) < room, lambda: channel.queue.append(value))
    if channel.room == 0:
        yield Wait("send", span, lambda: value not in channel.queue)
    return NIL


def is_known(value: Any) -> bool:
    return value is not UNKNOWN and not isinstance(value, type(UNKNOWN))
