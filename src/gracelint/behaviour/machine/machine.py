"""One run of a program that blocks: its threads, a clock of its own, and the signal that comes once it has settled.

Where a condition cannot be told the run takes one branch and notes that there is another: `ways` runs the program again
for each. A language says what its runtime does with the signal (`arrives`), and what it holds open (`finished`).
"""

from __future__ import annotations

from gracelint.base.limits import DEPTH, ELEMENTS_A_STEP, MOST_NESTED, STEPS, Effort
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    UNSET,
    Chan,
    Ctx,
    Doubt,
    Ended,
    Err,
    Nil,
    Object,
    OneOf,
    Raised,
    Sig,
    Thread,
    TooFarError,
    Unknown,
    Wait,
    Words,
    Yielded,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.tree import TreeFile
    from gracelint.source import Span

_HORIZON = 3600.0
"""Seconds after the signal that are waited for the end."""
_SOON = 60.0
"""Seconds after the signal that are waited for what has not come round yet, however often other pauses do."""
_MOST_WAKES = 400
"""Pauses that a program is followed through; fewer of them where each takes it many steps."""
MOST_ROUNDS, MOST_ENDLESS = 40, 10
"""Rounds of a loop that never waits before the others have their turn. One that has no condition counts nothing there:
what ends it comes from elsewhere."""
_MOST_COUNTED = 8
_SETTLED = 3
"""How often the same pause comes round before the program is taken to go on like this."""
_PATIENCE = 40
"""Pauses after that, for work to come round again."""
_WORKS = 0.01
"""Seconds that the work of a loop takes at least beside its pauses."""
WORK = frozenset(("sleep", "close", "waitgroup", "request", "run"))
"""Waits that stand for something that is still to be done."""


class Machine:
    language = ""
    """The table of knowledge/ that says what libraries do."""
    unit = 1.0
    """Seconds of a plain number that a library gets."""
    entry = ""
    """The path of the file the program starts in."""

    def __init__(self, signal: str, argv: tuple[str, ...], ways: tuple[int, ...], work: float = 1.0) -> None:
        self.signal, self.argv, self.ways = signal, argv, ways
        self.work = work
        """Seconds that a request in flight is taken to need."""
        self.env: Mapping[str, str | None] = {}
        """The variables of its launch; None stands for what is only known when it runs."""
        self.assigned: dict[str, Any] = {}
        """Those that it has set itself."""
        self.now = 0.0
        self.steps = self.limit = 0
        self.effort = Effort()
        self.depth = 0
        self.nested: dict[int, list[int]] = {}
        """For each call of a function that is under way, by the function's `id`, after how many wakes it came."""
        self.taken: list[tuple[int, int]] = []
        """Of each choice what was taken, and how many there were."""
        self.chosen: dict[tuple[object, bool], int] = {}
        self.asked_once: set[object] = set()
        """Choices that no round of a loop has come to again, and that the time of the signal does not make."""
        self.half_way = False
        """It ends with work half done."""
        self.threads: list[Thread] = []
        self.current: Thread | None = None
        self.stopped_at: float | None = None
        """When the signal came."""
        self.registered: dict[str, Span] = {}
        """By signal name, where it was first asked for."""
        self.asked_at: set[Span] = set()
        """Where signals were asked for, whether they still are or not."""
        self.ignored: dict[str, Span] = {}
        self.channels: list[tuple[Chan, frozenset[str], Span]] = []
        """Queues that get the signals they ask for."""
        self.contexts: list[tuple[Ctx, frozenset[str], Span]] = []
        """What the signals cancel."""
        self.handlers: dict[str, tuple[Any, Span]] = {}
        """Functions by the signal that calls them."""
        self.hooks: list[tuple[Any, Span]] = []
        """Functions that the runtime calls on the way out."""
        self.servers: list[Object] = []
        self.unsure: list[str] = []
        """Calls of libraries nobody knows, that may handle signals."""
        self.waits: list[tuple[str, Span, float | None]] = []
        """Closing calls after the signal, with their limit in seconds."""
        self.callbacks: list[tuple[str, Span]] = []
        """Calls of libraries that get functions which stop something, and may call them."""
        self.class_values: dict[int, dict[str, Any]] = {}
        """By class: its constants and static fields, which a run may change."""
        self.monitors: dict[int, Object] = {}
        """Of classes, which have a lock of their own."""
        self.fired: dict[object, int] = {}
        """How often each pause has come to its end, before the signal or since."""
        self.wakes = 0
        """All of these together."""
        self.come_to: dict[object, set[object]] = {}
        """By place, what a condition has compared since the signal, or which items a loop has come to."""
        self.new_at: dict[object, int] = {}
        """By place, after how many wakes that was something new."""
        self.counted_at: int | None = None
        """After how many wakes something new has decided whether a loop goes on."""
        self.ways_out: list[Span] = []
        """Guards that would leave a loop of main, and that it has passed by since the signal."""
        self.accepted = False
        self.slept = 0.0
        """Seconds that main has slept since the signal."""
        self.defers = 0
        """Functions that main has deferred, that have something to do, and that have not run yet."""
        self.ended: Ended | None = None
        self.lost: Object | None = None
        """A server whose requests were dropped while it closed, or before."""
        self.broken: Wait | None = None
        """What main waited in when a handler raised into it."""
        self.dropped: list[Wait] = []
        """What tasks waited in that were dropped since the signal."""
        self.left_in: list[Wait] = []
        """What other threads waited in when main ended, where the language ends them then."""
        self.given_up: list[tuple[Wait, Span, float]] = []
        """What jobs waited in when a pool was no longer waited for: where, and after how many seconds."""
        self.half_done: dict[Span, bool] = {}
        """Of each pause, whether it stands in the middle of work."""
        self.queues: list[Chan] = []
        """Those that something was taken from before the signal came."""
        self.backlog: list[Chan] = []
        """Those of them that held more of what the program itself had put there."""
        self.one_jobs: dict[Span, bool] = {}
        """Of each pause, whether a thread that does one thing and ends is in the middle of it."""
        self.children: list[Object] = []
        """Commands that run until they are told to end."""
        self.awaited: Object | None = None
        """One that the program has told to end, and waited for."""
        self.forwards: tuple[tuple[str, Span], ...] = ()
        """The words of the child that it passes the signal to and waits for."""
        self.worked = False
        """It has been in one that does."""

    @property
    def stopping(self) -> bool:
        return self.stopped_at is not None

    def is_main_stopping(self) -> bool:
        return self.stopping and self.current is not None and self.current.main

    @property
    def idle_at(self) -> float:
        """When the requests that were in flight at the signal have been answered."""
        return self.stopped_at + self.work if self.stopped_at is not None else self.now

    def idle_of(self, server: Object) -> float:
        """The same of one server."""
        return self.idle_at

    @property
    def main_thread(self) -> Thread | None:
        return next((one for one in self.threads if one.main), None)

    def place(self, span: Span) -> str:
        """A line, and its file where that is not the one the program starts in."""
        other = span.source.path != self.entry
        return f"line {span.line} of {span.source.path}" if other else f"line {span.line}"

    def begin(self) -> None:
        """Runs the program: `go`, with what the language does before main."""
        raise NotImplementedError

    def arrives(self) -> bool:
        """What the runtime does with the signal; False where nothing of the program hears of it."""
        if self.signal not in self.registered:
            return False
        for channel, signals, _ in self.channels:
            if self.signal in signals:
                self.deliver_to(channel)
        for context, signals, _ in self.contexts:
            if self.signal in signals:
                context.cancel()
        return True

    def files(self) -> Iterable[TreeFile]:
        """The program's files that were read."""
        return ()

    def command_line(self) -> list[Any]:
        """The words that it is started with; from the first that a shell expands nobody can tell them."""
        known = next((index for index, word in enumerate(self.argv) if is_expanded(word)), len(self.argv))
        if known == len(self.argv):
            return Words(self.argv)
        return [word if index < known else UNKNOWN for index, word in enumerate(self.argv)]

    def variable(self, name: Any) -> Any:
        """An environment variable."""
        if not isinstance(name, str):
            return UNKNOWN
        if name in self.assigned:
            return self.assigned[name]
        if name not in self.env:
            return UNSET
        value = self.env[name]
        return UNKNOWN if value is None else value

    def deliver_to(self, channel: Chan) -> None:
        """The signal goes into the channel that it was asked for in."""
        channel.queue.append(Sig(self.signal))

    def listener(self, signal: str) -> Span | None:
        """The place of a library's call that listens for a signal by itself."""
        return next((span for _, signals, span in self.contexts if signal in signals), None)

    def register(self, signals: Iterable[str], span: Span) -> None:
        self.asked_at.add(span)
        for name in signals:
            self.registered.setdefault(name, span)
            self.ignored.pop(name, None)

    def notify(self, channel: Chan, signals: Iterable[str], span: Span) -> None:
        """A channel hears of these signals."""
        names = frozenset(signals)
        self.channels.append((channel, names, span))
        self.register(names, span)

    def listen(self, context: Ctx, signals: Iterable[str], span: Span) -> Ctx:
        """A context that ends when one of the signals comes."""
        names = tuple(signals)
        self.contexts.append((context, frozenset(names), span))
        self.register(names, span)
        return context

    def call(self, function: Any, given: list[Any], span: Span) -> Run:
        """Calls a value of the program or of a library: for libraries that get functions."""
        raise NotImplementedError

    def finished(self, thread: Thread) -> None:
        """A thread has come to its end: main's ends the process, unless the language waits for others."""
        if thread.main:
            raise Ended("returns", thread.span)

    def seconds(self, value: Any) -> float:
        """What a number that a library gets means; a second where it is none."""
        value = self.settle(value)
        known = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(value) * self.unit if known else 1.0

    def step(self) -> None:
        self.steps += 1
        if self.depth > DEPTH or (self.steps > self.limit and not self.effort.lets(self)):
            raise TooFarError

    def goes_deeper(self, function: int, given: Iterable[Any]) -> bool:
        """Whether a function is within itself once more than is followed: for data alone, without a wait."""
        calls = self.nested.get(function, [])
        within = len(calls) >= MOST_NESTED and calls[0] == self.wakes
        return within and all(isinstance(one, _DATA) for one in given)

    def notes(self, place: object, value: object) -> None:
        """What a condition compares, or a loop comes to."""
        if self.stopping and value not in (known := self.come_to.setdefault(place, set())):
            known.add(value)
            self.new_at[place] = self.wakes

    def counts(self, places: Iterable[object]) -> None:
        """What is noted in these places decides whether a loop goes on."""
        if self.stopping and any(self.new_at.get(one) == self.wakes for one in places):
            self.counted_at = self.wakes

    def completes(self, began: float) -> None:
        """A loop runs to its end by itself: a signal that comes at its start waits for all of it."""
        if self.stopped_at is not None and self.is_main_stopping() and began < self.stopped_at:
            self.slept = max(self.slept, self.now - began + _WORKS)

    def pay_for(self, elements: int) -> None:
        """Pays for copying a collection."""
        self.steps += elements // ELEMENTS_A_STEP

    def choose(self, count: int, at: object) -> int:
        """One of several ways. The same place takes the same way all through a run, until the signal comes."""
        key = (at, self.stopping)
        if key in self.chosen:
            self.asked_once.discard(key)
            return self.chosen[key]
        self.asked_once.add(key)
        self.chosen[key] = self._choose(count)
        return self.chosen[key]

    def settle(self, value: Any) -> Any:
        """A value that matters: of one of several each is followed on a way of its own."""
        if not isinstance(value, OneOf):
            return value
        if value.first.chosen is None:
            value.first.chosen = self._choose(len(value.options))
        return value.options[value.first.chosen]

    def one_of(self, items: list[Any], at: object) -> Any:
        """One of a collection by a key nobody can tell: one of each kind, where all are of the program's own making."""
        kinds: dict[Any, Any] = {}
        for one in items:
            function = getattr(one, "function", None) or getattr(one, "node", None)
            kinds.setdefault(_kind_of(one) if function is None else id(function), one)
        if None in kinds or not 0 < len(kinds) <= _MOST_KINDS or len({type(one) for one in kinds.values()}) > 1:
            return UNKNOWN
        return [*kinds.values()][self.choose(len(kinds), at) if len(kinds) > 1 else 0]

    def _choose(self, count: int) -> int:
        index = len(self.taken)
        way = self.ways[index] if index < len(self.ways) else 0
        self.taken.append((way, count))
        return way

    def start(self, run: Run, span: Span | None, main: bool = False) -> Thread:
        thread = Thread(run, span, main)
        thread.told = self.stopping
        self.threads.append(thread)
        return thread

    def take(self, channel: Chan) -> Any:
        """What comes next out of a queue."""
        if not self.stopping and channel.queue and channel not in self.queues:
            self.queues.append(channel)
        return channel.take(self.now)

    def interrupt(self, thread: Thread, run: Run, *, wakes: bool = False) -> None:
        """Runs a handler on top of what a thread does; `wakes`: the call it waits in returns early then."""
        if thread.wait is not None:
            thread.wait.over = wakes
        thread.below.append((thread.run, thread.wait))
        thread.run, thread.wait, thread.told = run, None, True

    def drop(self, thread: Thread, *, kept: bool = False) -> None:
        """Ends a task at the place it waits at; `kept`: what it waited for goes on all the same."""
        if thread in self.threads:
            self.threads.remove(thread)
        if self.stopping and not kept and not thread.done and thread.wait is not None:
            self.dropped.append(thread.wait)
        if not thread.done and thread is not self.current:
            thread.run.close()
        thread.done = True

    # the clock

    def go(self, run: Run, span: Span | None) -> None:
        """Runs the program from its start to its end, or to where nothing moves any more."""
        self.start(run, span, main=True)
        try:
            while self._advance():
                pass
        except Ended as ended:
            self.ended = ended

    def finish(self) -> list[Thread]:
        """Threads that the signal has set going and that have something left that takes its time."""
        self.ended = None
        moved = True
        over: list[Thread] = []
        while moved:
            moved = False
            for thread in [one for one in self.threads if not one.main and one not in over]:
                try:
                    moved = self.resume(thread) or moved
                except Ended:
                    over.append(thread)
        others = [one for one in self.threads if not one.main and one not in over]
        return [one for one in others if one.told and one.wait is not None and one.wait.kind in WORK]

    def _advance(self) -> bool:
        moved = False
        for thread in [*self.threads]:
            moved = self.resume(thread) or moved
        if moved:
            return True
        if not self.stopping and self.meets_work():
            return self._deliver()
        times = [(at, one) for one in self.threads if one.wait is not None and (at := one.wait.at()) is not None]
        at, next_one = min(times, key=lambda pair: pair[0], default=(None, None))
        if at is None or next_one is None or next_one.wait is None:
            return self._deliver()
        key = _place_of(next_one.wait)
        self.fired[key] = self.fired.get(key, 0) + 1
        self.wakes += 1
        if not self.stopping and not self._comes_to_work() and self.fired[key] >= _SETTLED:
            return self._deliver()
        over = self.stopped_at is not None and at > self.stopped_at + _HORIZON
        most = _MOST_WAKES if not self.stopping or self.steps < STEPS // 2 else _MOST_WAKES // 4
        if over or (self.wakes > most and not self.comes_to_more()):
            return self._deliver()
        self.now = max(self.now, at)
        return True

    def meets_work(self) -> bool:
        """Whether accepted work is under way now that would not come again: the signal comes into it."""
        return False

    def comes_to_more(self) -> bool:
        """Whether it does, after so many pauses, what it has not done before: it counts, or waits for longer."""
        if self.stopped_at is None or self.now > self.stopped_at + _SOON:
            return False
        if self.counted_at is not None and self.wakes - self.counted_at < _PATIENCE:
            return True
        soon = self.stopped_at + _SOON
        times = ((one.wait, one.wait.at()) for one in self.threads if one.wait is not None)
        return any(at is not None and at < soon and self.fired.get(_place_of(its), 0) < _SETTLED for its, at in times)

    def _comes_to_work(self) -> bool:
        """Whether it has been at work before and is not now: a signal that comes at a bad time finds it there."""
        pauses = [one.wait for one in self.threads if one.wait is not None and one.wait.kind == "sleep"]
        if not pauses and not self.worked:
            return False
        from gracelint.behaviour.machine.midst import is_half_done

        under_way = any(is_half_done(self, pause) for pause in pauses)
        self.worked = self.worked or under_way
        return self.worked and not under_way and self.wakes < _PATIENCE

    def held_up(self) -> Span | None:
        """Where a lock is waited for that no pause of main can free: by main, or by what main may wait for."""
        main = [one.wait for one in self.threads if one.main and one.wait is not None]
        if not all(one.at() is None for one in main):
            return None
        return next((one.wait.span for one in self.threads if one.wait is not None and one.wait.kind == "lock"), None)

    def resume(self, thread: Thread) -> bool:
        """Lets a thread go on to its next wait; False where it has to wait still."""
        wait = thread.wait
        value: Any = None
        thrown, thread.thrown = thread.thrown, None
        if thrown is not None:
            thread.told = True
        elif wait is not None:
            if not wait.over and not wait.ready():
                return False
            time = wait.at()
            if self.stopping and wait.kind not in ("lock", "send") and (time is None or time > self.now):
                thread.told = True
            value = wait.value()
        self.current = thread
        depth, self.depth = self.depth, 0
        try:
            thread.wait = thread.run.send(value) if thrown is None else thread.run.throw(thrown)
        except StopIteration as stop:
            if thread.below:
                thread.run, thread.wait = thread.below.pop()
                return True
            self._done(thread, stop.value)
        except Raised as error:
            # a handler raises into what it interrupts
            if not thread.below:
                if thread.main:
                    raise Ended("raised", error.span) from None
                self._done(thread, NIL)
                return True
            thread.run, thread.wait = thread.below.pop()
            thread.thrown = error
            self.broken = thread.wait if thread.main else self.broken
        finally:
            self.depth = depth
        return True

    def _done(self, thread: Thread, value: Any) -> None:
        thread.done, thread.value = True, value
        if thread in self.threads:
            self.threads.remove(thread)
        self.finished(thread)

    def _deliver(self) -> bool:
        """The signal comes; False where it has come already."""
        if self.stopping:
            return False
        self.stopped_at = self.now
        self.backlog = [one for one in self.queues if one.queue and all(map(_is_piece_of_work, one.queue))]
        self.fired, self.wakes = {}, 0
        return self.arrives()


def _kind_of(one: Any) -> Any:
    """What tells an object of the program's own classes from its like; None of all other values."""
    package = getattr(one, "package", None)
    if package is None:
        return None
    told = ((name, type(its), its) for name, its in one.fields.items() if isinstance(its, (bool, int, float, str)))
    return id(package), one.type, frozenset(told)


def _is_piece_of_work(value: Any) -> bool:
    """Whether the program has made it: what comes from outside may come again."""
    return is_known(value) and not isinstance(value, (Nil, Sig, Err, bool))


def _place_of(wait: Wait) -> object:
    return wait.node or wait.span


_MOST_KINDS = 4
"""Of objects that a key nobody can tell may stand for; by kind each is followed on a way of its own."""
_DATA = (str, int, float, list, tuple, dict, Unknown, Nil, Object)


def is_expanded(word: str) -> bool:
    """Whether a shell puts something else in a word's place."""
    return "$" in word or "`" in word


def sleep(machine: Machine, span: Span, seconds: float, node: object) -> Run:
    until = machine.now + seconds
    # one that grows has settled once it grows no more
    yield Wait("sleep", span, lambda: machine.now >= until, at=lambda: until, node=(node, seconds))
    return NIL


def are_enough(machine: Machine, rounds: int, start: float) -> bool:
    """Whether so many rounds of a loop that counts stand for all of them: they have taken no time."""
    return rounds >= _MOST_COUNTED and machine.now == start


def for_ever(span: Span, kind: str = "for ever", node: object = None) -> Wait:
    return Wait(kind, span, lambda: False, node=node)


def receive(machine: Machine, channel: Any, span: Span, node: object) -> Run:
    """Takes from a channel, once there is something or it is closed; of a context: once it has ended."""
    if isinstance(channel, Ctx):
        value = yield Wait("context", span, lambda: channel.ends(machine.now), at=lambda: channel.deadline, node=node)
        return value
    if not isinstance(channel, Chan):
        if channel is NIL:
            yield for_ever(span, node=node)
        raise Doubt(f"line {span.line} waits for a channel that nobody can tell", span)
    wait = Wait(
        "receive",
        span,
        lambda: channel.ready(machine.now),
        lambda: machine.take(channel),
        at=lambda: channel.at,
        node=node,
    )
    wait.takes = (channel,)
    value = yield wait
    return value


def send(machine: Machine, channel: Any, value: Any, span: Span) -> Run:
    """Sends to a channel: with room at once, else once it is taken."""
    if not isinstance(channel, Chan):
        return NIL
    room = max(channel.room, 1)
    wait = Wait("send", span, lambda: len(channel.queue) < room, lambda: channel.queue.append(value))
    wait.sends = (channel,)
    yield wait
    if channel.room == 0:
        yield Wait("send", span, lambda: value not in channel.queue)
    return NIL


def yielded(run: Run, sent: Any = None) -> Run:
    """Lets a generator go on to what it yields next, with what it is sent; None at its end."""
    try:
        found = run.send(sent)
        while not isinstance(found, Yielded):
            try:
                value = yield found
            except Raised as error:
                found = run.throw(error)
            else:
                found = run.send(value)
    except StopIteration:
        return None
    return found


def is_known(value: Any) -> bool:
    return value is not UNKNOWN and not isinstance(value, Unknown)
