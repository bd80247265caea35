"""What a run remembers, with a trail of all that was written: ways can be walked, taken back and joined."""

from __future__ import annotations

import ast
from itertools import pairwise

from gracelint.base.limits import ELEMENTS_A_STEP, Effort
from gracelint.behaviour.python.ends import (
    FINAL,
    NORMAL,
    RAISE,
    RETURN,
    Call,
    Deed,
    End,
    Facts,
    Frame,
    Guard,
    Leave,
    Loop,
    Point,
    Registration,
    Skipped,
    TooLong,
)
from gracelint.behaviour.python.modules import Module, Modules
from gracelint.behaviour.python.values import (
    CERTAIN,
    FROM_OUTSIDE,
    MISSING,
    OUTSIDE,
    Const,
    Error,
    Function,
    Thing,
    Value,
    join,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from gracelint.behaviour.python.children import Children
    from gracelint.behaviour.python.serving import Application
    from gracelint.behaviour.python.values import Items, Store, Unknown


class State:
    """One run: what the program has set so far, where the run is, and what it found."""

    def __init__(
        self,
        modules: Modules,
        *,
        env: Mapping[str, str | None],
        argv: tuple[str, ...] = (),
        signal: str = "",
        at: int | None = None,
        pid_1: bool = True,
        effort: Effort | None,
        children: Children,
        application: Application | None = None,
        version: str = "",
        fails: bool = False,
        fed: bool = False,
    ) -> None:
        self.modules = modules
        self.application = application
        self.version = version
        """Of Python; "" where the image does not tell."""
        self.env = env
        self.argv = argv
        self.blind = ""
        """A call at start of which nobody knows what it calls."""
        self.words: Items | None = None
        """`sys.argv`, once somebody asks."""
        self.signal = signal
        self.at = at
        self.pid_1 = pid_1
        self.children = children
        self.fails = fails
        """What goes wrong where the signal arrives goes on doing so."""
        self.fed = fed
        """What it waits for where the signal arrives goes on coming."""
        self.taken_from: Thing | None = None
        """The queue that the main thread waits on."""
        self.feeders: dict[int, list[Thing]] = {}
        """By the `id` of a queue: the threads and tasks that put something into it."""
        self.puts: dict[int, dict[ast.AST, tuple[Module, ast.AST | None]]] = {}
        """By the `id` of a queue: the calls that put something into it, and the loops that make them."""
        self.piped: list[Thing] = []
        """Queues without a limit that the main thread fills for other processes."""
        self.excepting: list[ast.Try] = []
        """The statements whose `except` is walked, the innermost last."""
        self.failing: tuple[ast.Try, ...] = ()
        """Those whose body goes wrong again and again."""
        self.facts = Facts()
        self.stores: dict[str, Store] = {}
        self.trail: list[tuple[Store, Hashable, Value | None]] = []
        self.frames: list[Frame] = []
        self.depth = 0
        """How many frames belong to others than the thread or task that is walked."""
        self.loops: list[Loop] = []
        self.guards: list[Guard] = []
        self.caught: list[Error] = []
        self.side: list[End] = []
        self.steps = 0
        self.limit = 0
        self.effort = effort or Effort()
        self.active: list[ast.AST] = []
        self.world: Store = {}
        """Process-wide state: a handler for each signal, `atexit`, threads."""
        self.arrived = False
        """The signal has been delivered."""
        self.arrival: Point | None = None
        self.handling = 0
        self.handler: Registration | None = None
        self.resuming = False
        """A thread is taken up in the middle of its work: its first loop has been entered already."""
        self.settled: frozenset[tuple[int, Hashable]] = frozenset()
        """What has been written since the signal: a thread that is taken up did what comes before its wait earlier."""
        self.aside = 0
        """Walking a thread, task or child process beside the main thread."""
        self.acts: list[Deed] = []
        self.cleaned = False
        self.puts_right = False
        """What cleans up does more than to log that the program ends."""
        self.helpers = 0
        """How many functions of the project the handler called, itself included."""
        self.delay: float | None = 0.0
        self.cancel: Error | None = None
        self.doubts: list[str] = []
        self.raised_default = False
        self.runners: list[Thing] = []
        """The event loops that run, the innermost last."""
        self.runners_stopped = False
        """loop.stop() while a coroutine was to be completed."""
        self.awaiting = False
        self.pending: Registration | None = None
        """The event loop's handler, until the loop gets to run it."""
        self.off_main = False
        self.checking: list[Thing] = []
        self.cancelling = False
        self.blocked_by: Point | None = None
        self.shared_stores: set[int] = set()
        """Of objects that processes share."""
        self.arrived_at = 0
        """How long the trail was when the signal arrived."""
        self.running_tasks = False
        self.deferred: list[tuple[Hashable, Value]] = []
        """Handlers that tasks install when the main task first gives way."""
        self.bodies: list[Thing] = []
        """The threads and tasks whose bodies are walked, the innermost last."""
        self.told: tuple[Thing, str] | None = None
        """A forked child, and the signal that it hears in its next wait."""
        self.waiting_on: dict[int, list[Thing]] = {}
        """By the `id` of a task that runs on after the signal: the children whose end it waits for."""
        self.made: dict[tuple[int, int], Thing] = {}
        """What a thread or task made at a place: there again when it is taken up."""
        self.sides: list[Thing] = []
        """The threads that are walked beside the main thread, the innermost last."""
        self.held = False
        """The signal has come, but is blocked."""
        self.unheard = False
        """The handler has run, but the event loop goes on waiting."""
        self.thrown: Error | None = None
        """What came out of the handler."""
        self.broken_off = False
        """What came out of it, or the cancel of the main task, ends the wait in which the signal arrived."""
        self.given_up: list[tuple[Thing, str, float, float]] = []
        """What is not waited out: the thread, the call, how long it waits, and how long the thread takes."""
        self.outlasting: set[Thing] = set()
        """Those that a wait with a limit was not long enough for."""
        self.left_alone: list[tuple[Thing, float, bool, int]] = []
        """Tasks started on the way out: how long they take at least once all else goes on, whether they may take
        longer, and how many waits come before."""
        self.dropped: Point | None = None
        """The server whose requests in flight are lost."""
        self.waited = False
        """The wait in which the signal arrived was waited out."""
        self.unawaited = False
        """The handler is a coroutine function: what it gives is never run."""
        self.misfit = False
        """The handler cannot be called with the arguments that it gets."""
        self.timers_set: bool | Unknown = False
        self.served = False
        """The server handled the signal itself."""
        self.leaving: list[Point] = []
        """Where the main thread waits after the signal."""
        self.walked: set[ast.AST] = set()
        """Functions of the project that were called."""
        self.reached: set[ast.AST] = set()
        """The calls and branches that were come to after the signal."""
        self.called_back: set[str] = set()
        """Functions of the project that something else than a call of theirs called after the signal."""
        self.ended: set[ast.AST] = set()
        """Where children are started that this run terminates, joins or cancels after the signal."""
        self.closing: dict[ast.AST, set[str]] = {}
        """The methods called after the signal on what was made at a place."""
        self.forks = 0
        self.perhaps: dict[int, tuple[Store, set[Hashable]]] = {}
        """By the `id` of a store: the keys that are there only on some of the ways that have met."""
        self.forced = False
        """A loop was entered against its condition, because it had been before."""
        self.early = False
        """In the round of such a loop, before the wait that it was in."""
        self.rounds = 0
        self.exhausted = False
        self.came_back = CERTAIN
        """How sure it is that the last function to return does."""
        self.in_child = False
        self.in_thread = False
        """Below a thread that the handler started."""
        self.current: list[Thing] = []
        """Tasks that run beside the main task, the innermost last."""
        self.cancelled_itself: Thing | None = None
        """A task that the handler has started, and that is among those it cancels."""
        self.cancelled_at: Point | None = None
        """The wait of it that raises for that."""
        self.repeats = 0
        """How many loops of an unknown length are around."""
        self.takers: dict[int, list[Thing]] = {}
        """By the `id` of a queue: the threads that have taken a sentinel from it."""
        self.refilled: set[int] = set()
        """Queues into which a thread puts something back."""
        self.passed: set[ast.AST] = set()
        """Waits in the conditions of loops that the signal did not come into yet."""
        self.tapped: dict[int, set[ast.AST]] = {}
        """By the `id` of a queue: where something was taken from it before the signal."""
        self.queues: dict[int, Thing] = {}
        """By their `id`: the queues that threads take from."""
        self.takes: dict[int, list[tuple[ast.While | ast.For | ast.AsyncFor, ast.AST, Thing | None]]] = {}
        """By the `id` of a queue: the loops in which threads take from it, and where."""
        self.heavy = frozenset(table("python")["heavy"]["imports"])

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    @property
    def module(self) -> Module:
        return self.frames[-1].module

    def place(self, point: Point, comes_back: bool) -> None:
        """Notes what stands around a wait."""
        point.loops, point.guards, point.comes_back = tuple(self.loops), tuple(self.guards), comes_back
        frames = self.frames[self.depth :]
        point.calls = tuple(
            Call(frame.function.node, frame.call, caller.module)
            for caller, frame in pairwise(frames)
            if frame.function is not None and frame.call is not None
        )

    def frame_in(self, module: Module) -> Frame:
        """A frame to do something in that no function does, such as joining a thread at exit."""
        return Frame(module, (self.stores.get(module.name, {}),))

    def write(self, store: Store, key: Hashable, value: Value) -> None:
        if self.resuming and (id(store), key) in self.settled:
            return
        self.trail.append((store, key, store.get(key)))
        store[key] = value

    def undo(self, mark: int) -> dict[tuple[int, Hashable], tuple[Store, Value]]:
        """Takes back all writes since `mark`; what they had left behind."""
        changes: dict[tuple[int, Hashable], tuple[Store, Value]] = {}
        while len(self.trail) > mark:
            store, key, old = self.trail.pop()
            changes.setdefault((id(store), key), (store, store.get(key, MISSING)))
            if old is None:
                store.pop(key, None)
            else:
                store[key] = old
        return changes

    def redo(self, changes: dict[tuple[int, Hashable], tuple[Store, Value]]) -> None:
        for (_, key), (store, value) in reversed(changes.items()):
            if value is not MISSING:
                self.write(store, key, value)

    def fork(self, tag: int, branches: Sequence[Callable[[], list[End]]]) -> list[End]:
        """Walks several ways of which one is taken, and joins what they leave behind."""
        arrived = self.arrived
        results: list[list[End]] = []
        changes: list[dict[tuple[int, Hashable], tuple[Store, Value]]] = []
        for branch in branches:
            mark = len(self.trail)
            self.forks += 1
            try:
                ends = branch()
            finally:
                self.forks -= 1
            if self.arrived and not arrived:
                return ends
            results.append(ends)
            changes.append(self.undo(mark))
        self._join(changes, results, tag)
        kinds = [{_identity(end) for end in ends} for ends in results]
        shared = set.intersection(*kinds)
        return self.merge(
            [end if _identity(end) in shared else end.weaker(tag or OUTSIDE) for ends in results for end in ends]
        )

    def beside(self, branch: Callable[[], list[End]]) -> list[End]:
        """Walks what goes on at the same time, and keeps what it may have left behind by now."""
        mark = len(self.trail)
        ends = branch()
        changes = self.undo(mark)
        for (_, key), (store, value) in reversed(changes.items()):
            if value is MISSING:
                continue
            if store is self.world and isinstance(value, Registration):
                self.deferred.append((key, value))
            else:
                self.write(store, key, join(store.get(key), value, OUTSIDE))
        return ends

    def _join(
        self,
        changes: list[dict[tuple[int, Hashable], tuple[Store, Value]]],
        results: list[list[End]],
        tag: int,
    ) -> None:
        going = [
            change for change, ends in zip(changes, results, strict=False) if any(end.kind not in FINAL for end in ends)
        ]
        lasting = [
            change for change, ends in zip(changes, results, strict=False) if any(end.kind == NORMAL for end in ends)
        ]
        ways = lasting if len(lasting) == 1 and tag == CERTAIN else going
        for key in {key: None for change in reversed(ways) for key in reversed(change)}:
            store = next(change[key][0] for change in ways if key in change)
            values = [change[key][1] if key in change else store.get(key[1]) for change in ways]
            if any(each is None or each is MISSING for each in values):
                self.note_perhaps(store, key[1])
            value = values[0]
            for other in values[1:]:
                value = join(None if value is MISSING else value, None if other is MISSING else other, tag)
            if value is not None and value is not MISSING:
                self.write(store, key[1], value)

    def note_perhaps(self, store: Store, key: Hashable) -> None:
        """An element that is there on some ways only."""
        self.perhaps.setdefault(id(store), (store, set()))[1].add(key)

    def has_elements(self, value: Items) -> bool | Unknown:
        perhaps = self.perhaps[id(value.store)][1] if id(value.store) in self.perhaps else ()
        if any(key != "…" and key not in perhaps for key in value.store):
            return True
        return FROM_OUTSIDE if value.store else False

    def may_be_left_out(self, mark: int) -> None:
        """What was written since `mark` is done only where a loop goes round at all: it joins what was there before.

        Objects stay what they are then: what starts or registers something in a loop is taken to do so.
        """
        first: dict[tuple[int, Hashable], tuple[Store, Value | None]] = {}
        for store, key, old in self.trail[mark:]:
            first.setdefault((id(store), key), (store, old))
        for (_, key), (store, old) in first.items():
            value = store.get(key)
            if old is None:
                self.note_perhaps(store, key)
            elif isinstance(old, Const) and isinstance(value, Const):
                self.write(store, key, join(old, value, OUTSIDE))

    def left_out(self, ends: list[End], rest: Sequence[ast.stmt]) -> list[End]:
        """The same ends; an exception that goes by the last statements of main remembers what they would do first.

        In a loop it only leaves out the rest of a round.
        """
        if self.arrived and not (self.aside or self.handling or self.loops):
            for end in ends:
                call = _first_call(rest) if end.kind == RAISE and end.skipped is None else None
                end.skipped = Skipped(self.module, call) if call is not None else end.skipped
        return ends

    @staticmethod
    def merge(ends: list[End]) -> list[End]:
        """Each way once, with the best certainty."""
        best: dict[Hashable, End] = {}
        for end in ends:
            known = best.get(_identity(end))
            if known is None or end.tag < known.tag:
                best[_identity(end)] = end
        return list(best.values())

    def pay_for(self, elements: int) -> None:
        """Pays for copying a collection."""
        self.steps += elements // ELEMENTS_A_STEP
        if self.steps > self.limit and not self.effort.lets(self):
            raise TooLong

    def make(self, kind: str, node: ast.AST) -> Thing:
        """A new object; of a thread or task that is taken up again, the one that it has already made here."""
        body = self.bodies[-1] if self.bodies else None
        if body is None:
            return Thing(kind, node, self.module)
        return self.made.setdefault((id(body), id(node)), Thing(kind, node, self.module))

    def start_child(self, kind: str, node: ast.AST) -> Thing:
        """A child process; of a thread or task that is taken up again, the one that it has started here last."""
        body = self.bodies[-1] if self.bodies else None
        place = (id(body), id(node))
        if body is None or not self.resuming or place not in self.made:
            self.made[place] = Thing(kind, node, self.module)
        return self.made[place]

    def note_call(self, function: Value, node: ast.AST) -> None:
        target = function.node if isinstance(function, Function) else None
        if target is not None:
            self.walked.add(target)
        if not self.arrived:
            return
        self.reached.add(node)
        name = getattr(target, "name", "")
        named = node.func if isinstance(node, ast.Call) else None
        if name and name not in (getattr(named, "attr", ""), getattr(named, "id", "")):
            self.called_back.add(name)

    def puts_off(self, point: Point) -> bool:
        """Whether the signal comes one round later: a loop that asks first has begun nothing yet."""
        loop = self.loops[-1].node if self.loops else None
        if point.node in self.passed or not isinstance(loop, ast.While) or self.forks:
            return False
        if not any(part is point.node for part in ast.walk(loop.test)):
            return False
        self.passed.add(point.node)
        self.loops[-1].put_off = True
        return True

    def hear_cancel(self, point: Point) -> None:
        """The next wait of a task that was cancelled, if by itself, raises."""
        itself = self.cancelled_itself is not None and self.awaiting and not self.aside
        if self.aside and self.cancelling:
            self.cancelling = False
        elif itself and self.current and self.current[-1] is self.cancelled_itself:
            self.cancelled_itself, self.cancelled_at = None, point
        else:
            return
        raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])

    def doubt(self, reason: str) -> None:
        """Something that may matter to the signal and cannot be followed."""
        if reason not in self.doubts:
            self.doubts.append(reason)

    def times_out(self, error: str, *, surely: bool) -> None:
        """A wait is given up; where nobody knows whether it is, the program goes on as if it were not."""
        end = End(RAISE, CERTAIN if surely else OUTSIDE, Error(error))
        if surely:
            raise Leave([end])
        self.side.append(end)

    def act(self, kind: str, target: str = "", node: ast.AST | None = None, seconds: float | None = None) -> None:
        """Notes what a handler does."""
        if self.handling and not self.aside:
            if (
                self.handler is not None
                and node is self.handler.node
                and isinstance(node, ast.Call)
                and len(node.args) > 1
            ):
                target = ast.unparse(node.args[1])
            self.acts.append(Deed(kind, target, node, self.module, seconds, self.delay))

    def record(self, point: Point) -> None:
        if not self.arrived and not self.aside:
            point.excepting = bool(self.excepting)
            self.facts.points.append(point)

    def startup(self, kind: str, node: ast.AST) -> None:
        """Something slow before the first handler is there."""
        known = any(point.node is node for point in self.facts.startup)
        if not self.facts.registrations and not self.aside and not known:
            self.facts.startup.append(Point(node, self.module, kind, None, ""))

    def close(self, thing: Thing, method: str) -> None:
        """A child or connection is ended, as far as a method of that name ends it."""
        self.facts.closed.add(id(thing))
        if self.arrived and thing.node is not None:
            self.ended.add(thing.node)
            self.closing.setdefault(thing.node, set()).add(method)


def _first_call(statements: Sequence[ast.stmt]) -> ast.Call | None:
    done = (statement for statement in statements if not isinstance(statement, _DEFINITIONS))
    return next((part for each in done for part in ast.walk(each) if isinstance(part, ast.Call)), None)


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def _identity(end: End) -> Hashable:
    if end.kind == RAISE and isinstance(end.value, Error):
        return (RAISE, id(end.value.cls) if end.value.cls is not None else end.value.dotted)
    if end.kind == RETURN:
        value = end.value
        return (RETURN, repr(value.value) if isinstance(value, Const) else id(value))
    return (end.kind, id(end.point))
