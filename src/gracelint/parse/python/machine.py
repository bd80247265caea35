"""An abstract run of a program, with a signal that arrives while it waits.

The machine walks the statements in the order Python would, follows calls into the project, and keeps what it can know
of variables and objects. Where a condition is not known it walks both ways and joins what they leave behind. Calls that
leave the project are answered by `library`. A first run without a signal finds the places where the program waits; one
with `at` set delivers the signal at one of them, runs the handler that is installed by then, and goes on: how the
program's main thread ends from there is its reaction.
"""

from __future__ import annotations

import ast
import builtins

from gracelint.knowledge import table
from gracelint.parse.python import commands, library, models  # noqa: F401 - they fill library's tables
from gracelint.parse.python.ends import (
    BREAK,
    CONTINUE,
    FINAL,
    NORMAL,
    RAISE,
    RETURN,
    STUCK,
    Deed,
    End,
    Facts,
    Guard,
    Leave,
    Loop,
    Point,
    Registration,
    TooLong,
    stuck,
)
from gracelint.parse.python.modules import Module, Modules
from gracelint.parse.python.values import (
    CERTAIN,
    FALSE,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
    OUTSIDE,
    TRUE,
    Bound,
    Class,
    Const,
    Error,
    Function,
    Items,
    Later,
    ModuleValue,
    Name,
    Partial,
    Super,
    Thing,
    Unknown,
    Value,
    derives,
    items,
    join,
    same,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from gracelint.parse.python.children import Children
    from gracelint.parse.python.values import Store

STEPS = 60_000
"""How far one run goes."""
_DEPTH = 40
_ROUNDS = 4
_ELEMENTS = 12


class Frame:
    __slots__ = ("function", "globals", "module", "nonlocals", "on_yield", "owner", "scopes", "self_")

    def __init__(self, module: Module, scopes: tuple[Store, ...], function: Function | None = None) -> None:
        self.module = module
        self.scopes = scopes
        self.function = function
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.on_yield: Callable[[Value], Value] | None = None


_MISSING = Const(object())


class Machine:
    def __init__(
        self,
        modules: Modules,
        *,
        env: Mapping[str, str | None],
        argv: tuple[str, ...] = (),
        signal: str = "",
        at: int | None = None,
        pid_1: bool = True,
        limit: int,
        children: Children,
    ) -> None:
        self.modules = modules
        self.env = env
        self.argv = argv
        self.signal = signal
        self.at = at
        self.pid_1 = pid_1
        self.children = children
        self.facts = Facts()
        self.stores: dict[str, Store] = {}
        self.trail: list[tuple[Store, Hashable, Value | None]] = []
        self.frames: list[Frame] = []
        self.loops: list[Loop] = []
        self.guards: list[Guard] = []
        self.caught: list[Error] = []
        self.side: list[End] = []
        self.steps = 0
        self.limit = limit
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
        self.aside = 0
        """Walking a thread, task or child process beside the main thread."""
        self.acts: list[Deed] = []
        self.cleaned = False
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
        self.unheard = False
        """The handler has run, but the event loop goes on waiting."""
        self.thrown: Error | None = None
        """What came out of the handler."""
        self.dropped: Point | None = None
        """The server whose requests in flight are lost."""
        self.waited = False
        """The wait in which the signal arrived was waited out."""
        self.misfit = False
        """The handler cannot be called with the arguments that it gets."""
        self.timers_set = False
        self.served = False
        """The server handled the signal itself."""
        self.leaving: list[Point] = []
        """Where the main thread waits after the signal."""
        self.ended: set[ast.AST] = set()
        """Where children are started that this run terminates, joins or cancels after the signal."""
        self.closing: dict[ast.AST, set[str]] = {}
        """The methods called after the signal on what was made at a place."""
        self.forks = 0
        self.forced = False
        """A loop was entered against its condition, because it had been before."""
        self.rounds = 0
        self.exhausted = False
        self.came_back = CERTAIN
        """How sure it is that the last function to return does."""
        self.in_child = False
        self.in_thread = False
        """Below a thread that the handler started."""
        self.current: list[Thing] = []
        """Tasks that run beside the main task, the innermost last."""
        self.heavy = frozenset(table("python")["heavy"]["imports"])

    # -- running ---------------------------------------------------------------------------------------------

    def run(self, entry: Module, call: str | None) -> list[End]:
        """All the ways in which the program's main thread can end."""
        self.entry = entry
        store = self.load(entry, "__main__" if call is None else entry.name)
        if not isinstance(store, list):
            ends = [End(NORMAL)]
            if call is not None:
                self.frames.append(Frame(entry, ()))
                function: Value = ModuleValue(entry, store)
                try:
                    for part in call.split("."):
                        function = self.attribute(function, part, entry.tree)
                    self.call(function, [], {}, entry.tree)
                except Leave as leave:
                    ends = leave.ends
                self.frames.pop()
        else:
            ends = store
        ends = self.merge(ends + self.side)
        self.side = []
        return library.finish(self, ends)

    def load(self, module: Module, name: str) -> Store | list[End]:
        """Runs a module's top level; its globals, or the ways it ended where it did not come back."""
        if module.name in self.stores:
            return self.stores[module.name]
        store: Store = {"__name__": Const(name), "__file__": Const(module.path), "__doc__": NONE}
        self.stores[module.name] = store
        self.frames.append(Frame(module, (store,)))
        try:
            ends = self.block(module.tree.body)
        finally:
            self.frames.pop()
        if any(end.kind == NORMAL for end in ends):
            self.side += [end for end in ends if end.kind != NORMAL]
            return store
        return ends

    def block(self, body: Sequence[ast.stmt]) -> list[End]:
        ends: list[End] = []
        tag = CERTAIN
        for statement in body:
            arrived = self.arrived
            step = self.statement(statement)
            if self.arrived and not arrived:
                ends, tag = [], CERTAIN
            ends += [end for end in step if end.kind != NORMAL]
            normal = [end.tag for end in step if end.kind == NORMAL]
            if not normal:
                return self.merge(ends)
            tag = max(tag, min(normal))
        return [*self.merge(ends), End(NORMAL, tag)]

    def statement(self, node: ast.stmt) -> list[End]:
        self.steps += 1
        if self.steps > self.limit:
            raise TooLong
        outer, self.side = self.side, []
        arrived = self.arrived
        try:
            run = _STATEMENTS.get(type(node))
            ends = [End(NORMAL)] if run is None else run(self, node)
        except Leave as leave:
            ends = leave.ends
        ends = ends + self.side
        self.side = [] if self.arrived and not arrived else outer
        return ends

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

    def beside(self, branch: Callable[[], list[End]]) -> None:
        """Walks what goes on at the same time, and keeps what it may have left behind by now."""
        mark = len(self.trail)
        self.forks += 1
        branch()
        self.forks -= 1
        changes = self.undo(mark)
        for (_, key), (store, value) in reversed(changes.items()):
            if value is not _MISSING:
                self.write(store, key, join(store.get(key), value, OUTSIDE))

    def undo(self, mark: int) -> dict[tuple[int, Hashable], tuple[Store, Value]]:
        """Takes back all writes since `mark`; what they had left behind."""
        changes: dict[tuple[int, Hashable], tuple[Store, Value]] = {}
        while len(self.trail) > mark:
            store, key, old = self.trail.pop()
            changes.setdefault((id(store), key), (store, store.get(key, _MISSING)))
            if old is None:
                store.pop(key, None)
            else:
                store[key] = old
        return changes

    def redo(self, changes: dict[tuple[int, Hashable], tuple[Store, Value]]) -> None:
        for (_, key), (store, value) in reversed(changes.items()):
            if value is not _MISSING:
                self.write(store, key, value)

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
            value = values[0]
            for other in values[1:]:
                value = join(None if value is _MISSING else value, None if other is _MISSING else other, tag)
            if value is not None and value is not _MISSING:
                self.write(store, key[1], value)

    def write(self, store: Store, key: Hashable, value: Value) -> None:
        self.trail.append((store, key, store.get(key)))
        store[key] = value

    @staticmethod
    def merge(ends: list[End]) -> list[End]:
        """Each way once, with the best certainty."""
        best: dict[Hashable, End] = {}
        for end in ends:
            known = best.get(_identity(end))
            if known is None or end.tag < known.tag:
                best[_identity(end)] = end
        return list(best.values())

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    @property
    def module(self) -> Module:
        return self.frames[-1].module

    def doubt(self, reason: str) -> None:
        """Something that may matter to the signal and cannot be followed."""
        if reason not in self.doubts:
            self.doubts.append(reason)

    # -- statements ------------------------------------------------------------------------------------------

    def _expression(self, node: ast.Expr) -> list[End]:
        self.eval(node.value)
        return [End(NORMAL)]

    def _assign(self, node: ast.Assign) -> list[End]:
        value = self.eval(node.value)
        if isinstance(value, Const) and isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if names and any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node.value)):
                value = FROM_OUTSIDE
        for target in node.targets:
            self.assign(target, value)
        return [End(NORMAL)]

    def _ann_assign(self, node: ast.AnnAssign) -> list[End]:
        if node.value is not None:
            self.assign(node.target, self.eval(node.value))
        return [End(NORMAL)]

    def _aug_assign(self, node: ast.AugAssign) -> list[End]:
        value = self.eval(node.value)
        target = node.target
        if self.handling and isinstance(value, Const) and isinstance(known := self.eval(target), Const):
            self.assign(target, _calculate(node.op, known.value, value.value))
        elif (
            isinstance(node.op, (ast.BitOr, ast.BitAnd)) and isinstance(value, Const) and isinstance(value.value, bool)
        ):
            old = self.truth(self.eval(target))
            new = (
                value
                if isinstance(node.op, ast.BitOr) is value.value
                else (Const(old) if isinstance(old, bool) else FROM_OUTSIDE)
            )
            self.assign(target, new)
        elif isinstance(value, Items):
            old_value = self.eval(target)
            if isinstance(old_value, Items):
                for item in value.values():
                    self.write(old_value.store, ("+", len(old_value.store)), item)
        else:
            self.assign(target, Unknown(max(OUTSIDE, value.tag if isinstance(value, Unknown) else OUTSIDE)))
        return [End(NORMAL)]

    def _return(self, node: ast.Return) -> list[End]:
        return [End(RETURN, CERTAIN, self.eval(node.value) if node.value else NONE)]

    def _raise(self, node: ast.Raise) -> list[End]:
        if node.exc is None:
            return [End(RAISE, CERTAIN, self.caught[-1] if self.caught else Error("builtins.RuntimeError"))]
        value = self.eval(node.exc)
        return [End(RAISE, CERTAIN, self.as_error(value))]

    def _if(self, node: ast.If) -> list[End]:
        truth = self.truth(self.eval(node.test))
        if isinstance(truth, bool):
            return self.block(node.body if truth else node.orelse)
        return self.fork(truth.tag, (lambda: self.block(node.body), lambda: self.block(node.orelse)))

    def _while(self, node: ast.While) -> list[End]:
        def enter() -> bool | Unknown:
            resuming = self.resuming
            truth = self.truth(self.eval(node.test))
            self.forced = truth is False and resuming and self.resuming
            return self.forced or truth

        return self._loop(node, enter, lambda: self.block(node.body), node.orelse)

    def _for(self, node: ast.For | ast.AsyncFor) -> list[End]:
        iterable = self.eval(node.iter)
        if isinstance(iterable, Later):
            return self._for_generator(node, iterable)
        if isinstance(iterable, Thing) and "#call" in iterable.store:
            return self._for_calls(node, iterable)
        known = self.elements(iterable)
        if known is not None and len(known) <= _ELEMENTS:
            return self._for_each(node, known)
        endless = library.endless_iterable(self, iterable, node)
        is_filled = known is not None or bool(library.length_of(iterable))

        def enter() -> bool | Unknown:
            if endless is not None:
                outer, self.awaiting = self.awaiting, isinstance(node, ast.AsyncFor)
                try:
                    self.wait(endless, ready=lambda: LOST_TRACK if endless.tag else False, comes_back=True)
                finally:
                    self.awaiting = outer
                return True if endless.tag == CERTAIN else Unknown(endless.tag)
            return True if is_filled and self.rounds == 1 else FROM_OUTSIDE

        def body() -> list[End]:
            self.assign(node.target, FROM_OUTSIDE)
            return self.block(node.body)

        before, self.rounds, self.exhausted = self.delay, 0, False
        ends = self._loop(node, enter, body, node.orelse, finite=endless is None)
        if self.exhausted and self.arrived and before is not None and self.delay is not None:
            count = library.length_of(iterable) or 1
            self.delay += (self.delay - before) / self.rounds * max(count - self.rounds, 0)
        return ends

    def _for_calls(self, node: ast.For | ast.AsyncFor, iterable: Thing) -> list[End]:
        """`for item in iter(queue.get, None)`: calls until the sentinel comes."""
        item: Value = FROM_OUTSIDE

        def enter() -> bool | Unknown:
            nonlocal item
            item = self.call(iterable.store["#call"], [], {}, node.iter)
            is_last = self.truth(_compared(ast.Eq(), item, iterable.store["#sentinel"]))
            return not is_last if isinstance(is_last, bool) else is_last

        def body() -> list[End]:
            self.assign(node.target, item)
            return self.block(node.body)

        return self._loop(node, enter, body, node.orelse)

    def _for_each(self, node: ast.For | ast.AsyncFor, values: list[Value]) -> list[End]:
        """A loop over values that are known."""
        loop = Loop(node)
        loop.exits = OUTSIDE
        self.loops.append(loop)
        ends: list[End] = []
        try:
            for value in values:
                arrived = self.arrived
                self.assign(node.target, value)
                step = self.block(node.body)
                if self.arrived and not arrived:
                    ends = []
                ends += [
                    End(NORMAL, end.tag) if end.kind == BREAK else end
                    for end in step
                    if end.kind not in (NORMAL, CONTINUE)
                ]
                if not any(end.kind in (NORMAL, CONTINUE) for end in step):
                    return self.merge(ends)
        finally:
            self.loops.pop()
        return self.merge(ends + self.block(node.orelse))

    def _for_generator(self, node: ast.For | ast.AsyncFor, generator: Later) -> list[End]:
        """The body runs wherever the project's generator yields."""
        ends: list[End] = []

        def on_yield(value: Value) -> Value:
            self.assign(node.target, value)
            frames, self.frames = self.frames, self.frames[: self.frames.index(frame) + 1]
            try:
                step = self.block(node.body)
            finally:
                self.frames = frames
            leaving = [end for end in step if end.kind not in (NORMAL, CONTINUE)]
            if len(leaving) == len(step):
                ends.extend(leaving)
                raise Leave([End(RAISE, CERTAIN, Error("builtins.GeneratorExit"))])
            self.side.extend(End(RAISE, end.tag or OUTSIDE, Error("builtins.GeneratorExit")) for end in leaving)
            ends.extend(end.weaker(OUTSIDE) for end in leaving)
            return NONE

        frame = self.frame
        try:
            self.invoke(generator.function, generator.args, generator.keywords, generator.node, on_yield=on_yield)
            ends.append(End(NORMAL))
        except Leave as leave:
            ends += [end for end in leave.ends if not _is_generator_exit(end)]
        return self.merge([End(NORMAL, end.tag) if end.kind == BREAK else end for end in ends])

    def _loop(
        self,
        node: ast.While | ast.For | ast.AsyncFor,
        enter: Callable[[], bool | Unknown],
        body: Callable[[], list[End]],
        orelse: list[ast.stmt],
        finite: bool = False,
    ) -> list[End]:
        loop = Loop(node)
        points = len(self.facts.points)
        self.loops.append(loop)
        ends: list[End] = []
        began_after = self.arrived
        looping = True
        try:
            for _ in range(_ROUNDS):
                arrived = self.arrived
                mark = len(self.trail)
                self.rounds += 1
                truth = enter()
                forced, self.forced = self.forced, False
                if self.arrived and not arrived:
                    ends = []
                if truth is False:
                    return self.merge(ends + self.block(orelse))
                if isinstance(truth, Unknown):
                    ends.append(End(NORMAL, truth.tag))
                step = body()
                if self.arrived and not arrived:
                    ends = []
                ends += [
                    End(NORMAL, end.tag) if end.kind == BREAK else end
                    for end in step
                    if end.kind not in (NORMAL, CONTINUE)
                ]
                looping = any(end.kind in (NORMAL, CONTINUE) for end in step)
                if not looping:
                    return self.merge(ends)
                if not forced and not self._changed(mark) and arrived == self.arrived:
                    break
        except Leave as leave:
            return self.merge(ends + leave.ends)
        finally:
            self.loops.pop()
        return self._endless(loop, ends, points, finite, began_after)

    def _endless(self, loop: Loop, ends: list[End], points: int, finite: bool, began_after: bool) -> list[End]:
        """What becomes of a loop that went round without a certain way out."""
        ends = self.merge(ends)
        outside = [end for end in ends if end.kind not in FINAL and end.kind != RAISE]
        if loop.hit and not finite:
            lost = any(end.tag == LOST for end in outside)
            end = End(STUCK, LOST if lost else CERTAIN)
            end.point, end.cause = self.arrival, "loop"
            return self.merge([other for other in ends if other.kind in FINAL] + [end])
        if finite:
            self.exhausted = True
            return self.merge([*ends, End(NORMAL)])
        if outside:
            for point in self.facts.points[points:]:
                point.tag = max(point.tag, min(end.tag for end in outside))
            return ends
        point = Point(loop.node, self.module, "loop", None, "loop")
        if len(self.facts.points) == points or self.arrived:
            self._record(point)
            if not self.arrived and self.at == id(loop.node):
                loop.hit = True
                self.loops.append(loop)
                try:
                    library.deliver(self, point)
                    return self._again(loop)
                except Leave as leave:
                    return leave.ends
                finally:
                    self.loops.pop()
        end = End(STUCK)
        end.point, end.cause = point, "loop"
        return self.merge([*ends, end])

    def _again(self, loop: Loop) -> list[End]:
        """A busy loop after the signal arrived at its head."""
        node = loop.node
        assert isinstance(node, (ast.While, ast.For, ast.AsyncFor))
        loop.hit = False
        ends = self._while(node) if isinstance(node, ast.While) else self._for(node)
        certain = [end for end in ends if end.tag == CERTAIN]
        if certain:
            return ends
        end = End(STUCK, LOST if any(other.tag == LOST for other in ends) else CERTAIN)
        end.point, end.cause = self.arrival, "loop"
        return [end]

    def _changed(self, mark: int) -> bool:
        """Whether the writes since `mark` left anything different from what was there."""
        first: dict[tuple[int, Hashable], tuple[Store, Value | None]] = {}
        for store, key, old in self.trail[mark:]:
            first.setdefault((id(store), key), (store, old))
        return any(not same(store.get(key), old) for (_, key), (store, old) in first.items())

    def _try(self, node: ast.Try) -> list[End]:
        self.guards.append(Guard(node, self.module))
        try:
            ends = self.block(node.body)
        finally:
            self.guards.pop()
        arrived = self.arrived
        passed = [end for end in ends if end.kind not in (NORMAL, RAISE)]
        branches: list[tuple[int, Callable[[], list[End]]]] = []
        normal = next((end for end in ends if end.kind == NORMAL), None)
        if normal is not None:
            branches.append((normal.tag, lambda: self.block(node.orelse)))
        used: set[int] = set()
        for end in ends:
            if end.kind != RAISE:
                continue
            error = end.value if isinstance(end.value, Error) else Error("?")
            handler = self.handler_for(node, error)
            if handler is None:
                passed.append(end)
                continue
            used.add(id(handler))
            branches.append((end.tag, lambda handler=handler, error=error: self._except(handler, error)))  # type: ignore[misc]
        if normal is not None and not arrived:
            for handler in node.handlers:
                if id(handler) not in used and self._is_ordinary(handler):
                    branches.append((OUTSIDE, lambda handler=handler: self._except(handler, Error("?"))))  # type: ignore[misc]
        results = passed + self._take(branches)
        return self._finally(node, results)

    def _take(self, branches: list[tuple[int, Callable[[], list[End]]]]) -> list[End]:
        """The ways that go on after a `try`: what is certain decides, the rest is walked aside."""
        if len(branches) == 1:
            tag, branch = branches[0]
            return [end.weaker(tag) for end in branch()]
        if not branches:
            return []
        certain = [branch for tag, branch in branches if tag == CERTAIN]
        if len(certain) == 1:
            ends: list[End] = []
            for tag, branch in branches:
                if tag == CERTAIN:
                    continue
                arrived, mark = self.arrived, len(self.trail)
                step = branch()
                if self.arrived and not arrived:
                    return step
                self._keep_registrations(self.undo(mark))
                ends += [end.weaker(tag) for end in step if end.kind != NORMAL]
            arrived = self.arrived
            step = certain[0]()
            return step if self.arrived and not arrived else self.merge(ends + step)
        return self.fork(OUTSIDE, [branch for _, branch in branches])

    def _keep_registrations(self, changes: dict[tuple[int, Hashable], tuple[Store, Value]]) -> None:
        """What only a rare way does is left out, but a name that it alone defines stays defined."""
        for (_, key), (store, value) in reversed(changes.items()):
            if key not in store and value is not _MISSING and store is not self.world:
                self.write(store, key, value)

    def _except(self, handler: ast.ExceptHandler, error: Error) -> list[End]:
        if self.arrived and self.handling == 0 and not self.aside:
            self.cleaned = self.cleaned or not _is_empty(handler.body)
        if handler.name:
            self.write(self.frame.scopes[-1], handler.name, error)
        self.caught.append(error)
        try:
            return self.block(handler.body)
        finally:
            self.caught.pop()

    def _finally(self, node: ast.Try, results: list[End]) -> list[End]:
        results = self.merge(results)
        alive = [end for end in results if end.kind not in FINAL]
        if not node.finalbody or not alive:
            return results
        if self.arrived and self.handling == 0 and not self.aside:
            self.cleaned = self.cleaned or not _is_empty(node.finalbody)
        arrived = self.arrived
        last = self.block(node.finalbody)
        if self.arrived and not arrived:
            results = [end for end in results if end.kind not in FINAL]
        if any(end.kind == NORMAL for end in last):
            return self.merge(results + [end for end in last if end.kind != NORMAL])
        return self.merge([end for end in results if end.kind in FINAL] + last)

    def handler_for(self, node: ast.Try, error: Error) -> ast.ExceptHandler | None:
        """The clause that catches an exception."""
        if error.inner is not None and not isinstance(node, ast.Try):
            error = error.inner
        for handler in node.handlers:
            if handler.type is None:
                return handler
            types = self.eval(handler.type)
            if any(self.catches(each, error) for each in (types.values() if isinstance(types, Items) else [types])):
                return handler
        return None

    def catches(self, type_: Value, error: Error) -> bool:
        if isinstance(type_, Class):
            return error.cls is not None and derives(error.cls, type_)
        dotted = library.canonical(type_.dotted) if isinstance(type_, Name) else ""
        kind = library.canonical(error.cls.kind if error.cls is not None else error.dotted)
        return bool(dotted) and (kind == dotted or library.is_kind_of(kind, dotted))

    def _is_ordinary(self, handler: ast.ExceptHandler) -> bool:
        """Whether anything that goes wrong may end up in this clause, unlike `except KeyboardInterrupt`."""
        if handler.type is None:
            return True
        text = ast.unparse(handler.type)
        return not any(name in text for name in ("KeyboardInterrupt", "SystemExit", "CancelledError", "GeneratorExit"))

    def as_error(self, value: Value) -> Error:
        if isinstance(value, Error):
            return value
        if isinstance(value, Class):
            return Error(value.kind, value)
        if isinstance(value, Thing):
            return Error(value.kind, value.cls)
        if isinstance(value, Name):
            return Error(value.dotted)
        return Error("?")

    def _with(self, node: ast.With | ast.AsyncWith) -> list[End]:
        return self._with_items(node, list(node.items))

    def _with_items(self, node: ast.With | ast.AsyncWith, rest: list[ast.withitem]) -> list[End]:
        if not rest:
            return self.block(node.body)
        item = rest[0]
        context = self.eval(item.context_expr)
        if (
            isinstance(context, Later)
            and isinstance(context.function, Function)
            and context.function.wrapper == "contextmanager"
        ):
            return self._with_generator(node, item, context, rest[1:])
        entered = self._enter(context, node)
        if item.optional_vars is not None:
            self.assign(item.optional_vars, entered)
        self.guards.append(Guard(item.context_expr, self.module))
        try:
            ends = self._with_items(node, rest[1:])
        finally:
            self.guards.pop()
        outer, self.awaiting = self.awaiting, isinstance(node, ast.AsyncWith)
        try:
            return library.leave_context(self, context, ends, node, item.context_expr)
        finally:
            self.awaiting = outer

    def _enter(self, context: Value, node: ast.AST) -> Value:
        if isinstance(context, Thing) and context.cls is not None:
            for name in ("__enter__", "__aenter__"):
                method = context.cls.find(name)
                if isinstance(method, Function):
                    return self.awaited(self.call(method.bind(context), [], {}, node), node)
        if isinstance(context, Thing) and context.kind == "contextlib.closing":
            return context.store.get("#thing", FROM_OUTSIDE)
        return context

    def _with_generator(
        self, node: ast.With | ast.AsyncWith, item: ast.withitem, context: Later, rest: list[ast.withitem]
    ) -> list[End]:
        """`with` a function decorated with contextmanager: the body runs where it yields."""
        inner: list[End] = []
        frame = self.frame

        def on_yield(value: Value) -> Value:
            frames, self.frames = self.frames, self.frames[: self.frames.index(frame) + 1]
            try:
                if item.optional_vars is not None:
                    self.assign(item.optional_vars, value)
                inner.extend(self._with_items(node, rest))
            finally:
                self.frames = frames
            raised = [end for end in inner if end.kind in FINAL or end.kind == RAISE]
            if len(raised) == len(inner):
                raise Leave(raised)
            self.side.extend(raised)
            return NONE

        try:
            self.invoke(context.function, context.args, context.keywords, context.node, on_yield=on_yield)
        except Leave as leave:
            return leave.ends
        kept = [end for end in inner if end.kind not in FINAL and end.kind != RAISE]
        return kept or [End(NORMAL)]

    def _match(self, node: ast.Match) -> list[End]:
        subject = self.eval(node.subject)
        branches: list[Callable[[], list[End]]] = []
        exhaustive = False
        for case in node.cases:
            verdict = self._matches(case, subject)
            if verdict is False:
                continue
            branches.append(lambda body=case.body: self.block(body))  # type: ignore[misc]
            if verdict is True:
                exhaustive = True
                break
        if not exhaustive:
            branches.append(lambda: [End(NORMAL)])
        return branches[0]() if len(branches) == 1 else self.fork(OUTSIDE, branches)

    def _matches(self, case: ast.match_case, subject: Value) -> bool | None:
        pattern = case.pattern
        if case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
            return True
        if case.guard is None and isinstance(pattern, ast.MatchValue) and isinstance(subject, (Const, Name)):
            value = self.eval(pattern.value)
            value = library.comparable(value)
            return same(value, library.comparable(subject)) if isinstance(value, Const) else None
        return None

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[End]:
        value: Value = self.function(node)
        for decorator in reversed(node.decorator_list):
            value = library.decorate(self, decorator, value)
        self._bind(node.name, value)
        return [End(NORMAL)]

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Function:
        arguments = node.args
        defaults: dict[str, Value] = {}
        positional = [*arguments.posonlyargs, *arguments.args]
        for argument, default in zip(
            positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=False
        ):
            defaults[argument.arg] = self.eval(default)
        for argument, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False):
            if keyword_default is not None:
                defaults[argument.arg] = self.eval(keyword_default)
        return Function(node, self.module, self.frame.scopes, defaults)

    def _class(self, node: ast.ClassDef) -> list[End]:
        cls = Class(
            node, self.module, tuple(self.eval(base) for base in node.bases if not isinstance(base, ast.Starred))
        )
        frame = Frame(self.module, (*self.frame.scopes, cls.store), self.frame.function)
        self.frames.append(frame)
        try:
            self.block(node.body)
        finally:
            self.frames.pop()
        for name, value in list(cls.store.items()):
            if isinstance(value, Function):
                # A class body is no scope to its methods.
                scopes = tuple(scope for scope in value.scopes if scope is not cls.store)
                method = value.copy(owner=cls)
                method.scopes = scopes
                cls.store[name] = method
        library.class_attributes(cls, node)
        self._bind(node.name, cls)
        return [End(NORMAL)]

    def _import(self, node: ast.Import) -> list[End]:
        for alias in node.names:
            if alias.asname:
                self._bind(alias.asname, self.import_module(alias.name, node))
            else:
                self.import_module(alias.name, node)
                self._bind(alias.name.split(".")[0], self.import_module(alias.name.split(".")[0], node))
        return [End(NORMAL)]

    def _import_from(self, node: ast.ImportFrom) -> list[End]:
        base = self._absolute(node)
        module = self.import_module(base, node)
        for alias in node.names:
            if alias.name == "*":
                self._import_all(module)
                continue
            self._bind(alias.asname or alias.name, self.attribute(module, alias.name, node))
        return [End(NORMAL)]

    def _import_all(self, module: Value) -> None:
        if isinstance(module, ModuleValue):
            for key, value in list(module.store.items()):
                if isinstance(key, str) and not key.startswith("_"):
                    self._bind(key, value)
        elif isinstance(module, Name):
            self.write(self.frame.scopes[0], "*", module)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.name.split(".")
        keep = len(parts) - node.level + (1 if self.module.is_package else 0)
        return ".".join([*parts[: max(keep, 0)], *([node.module] if node.module else [])])

    def import_module(self, name: str, node: ast.AST) -> Value:
        """Runs a module and its packages, once; a Name for what is not in the project."""
        if name.partition(".")[0] in self.heavy:
            self.startup("import", node)
        parent: Value | None = None
        parts = name.split(".")
        for index in range(len(parts)):
            dotted = ".".join(parts[: index + 1])
            module = self.modules.find(dotted)
            if module is None:
                continue
            found = self.load(module, dotted)
            if isinstance(found, list):
                raise Leave(found)
            value = ModuleValue(module, found)
            if isinstance(parent, ModuleValue):
                self.write(parent.store, parts[index], value)
            parent = value
        if self.modules.find(name) is not None and parent is not None:
            return parent
        if self.modules.is_ours(name) and not self.modules.is_folder(name):
            self.modules.unread.setdefault(name)
        return Name(name)

    def _delete(self, node: ast.Delete) -> list[End]:
        return [End(NORMAL)]

    def _global(self, node: ast.Global) -> list[End]:
        self.frame.globals.update(node.names)
        return [End(NORMAL)]

    def _nonlocal(self, node: ast.Nonlocal) -> list[End]:
        self.frame.nonlocals.update(node.names)
        return [End(NORMAL)]

    def _break(self, node: ast.Break) -> list[End]:
        return [End(BREAK)]

    def _continue(self, node: ast.Continue) -> list[End]:
        return [End(CONTINUE)]

    def _assert(self, node: ast.Assert) -> list[End]:
        self.eval(node.test)
        return [End(NORMAL)]

    def _bind(self, name: str, value: Value) -> None:
        frame = self.frame
        if name in frame.globals:
            self.write(self.stores[self.module.name], name, value)
        elif name in frame.nonlocals:
            scope = next((scope for scope in reversed(frame.scopes[:-1]) if name in scope), frame.scopes[-1])
            self.write(scope, name, value)
        else:
            self.write(frame.scopes[-1], name, value)
        if self.handling and not self.aside and (name in frame.globals or name in frame.nonlocals):
            self.act("flag", name)

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, value)
        elif isinstance(target, ast.Attribute):
            owner = self.eval(target.value)
            if isinstance(owner, (Thing, Class, ModuleValue)):
                self.write(owner.store, target.attr, value)
                if self.handling and not self.aside:
                    self.act("flag", target.attr, target)
            elif self.handling and isinstance(owner, (Unknown, Bound)):
                self.doubt(f"the handler sets `{ast.unparse(target)}`, which is not in the project")
        elif isinstance(target, ast.Subscript):
            owner = self.eval(target.value)
            key = self.eval(target.slice)
            if isinstance(owner, (Items, Thing)):
                self.write(owner.store, key.value if isinstance(key, Const) and _hashable(key.value) else "…", value)
                if self.handling and not self.aside:
                    self.act("flag", ast.unparse(target), target)
        elif isinstance(target, (ast.Tuple, ast.List)):
            known = self.elements(value)
            starred = any(isinstance(part, ast.Starred) for part in target.elts)
            spare: Value = value if isinstance(value, Unknown) else FROM_OUTSIDE
            for index, part in enumerate(target.elts):
                exact = known is not None and not starred and len(known) == len(target.elts)
                self.assign(part, known[index] if exact and known is not None else spare)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value)

    # -- expressions -----------------------------------------------------------------------------------------

    def eval(self, node: ast.expr) -> Value:
        self.steps += 1
        if self.steps > self.limit:
            raise TooLong
        evaluate = _EXPRESSIONS.get(type(node))
        return FROM_OUTSIDE if evaluate is None else evaluate(self, node)

    def _constant(self, node: ast.Constant) -> Value:
        return Const(node.value)

    def _name(self, node: ast.Name) -> Value:
        return self.lookup(node.id)

    def lookup(self, name: str) -> Value:
        frame = self.frame
        if name not in frame.globals:
            for scope in reversed(frame.scopes):
                if name in scope:
                    return scope[name]
        store = self.stores.get(frame.module.name, {})
        if name in store:
            return store[name]
        if hasattr(builtins, name):
            return Name(f"builtins.{name}")
        star = store.get("*")
        if isinstance(star, Name):
            return Name(f"{star.dotted}.{name}")
        return LOST_TRACK

    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.eval(node.value), node.attr, node)

    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:
        if isinstance(owner, ModuleValue):
            return self._module_attribute(owner, name, node)
        if isinstance(owner, Name):
            return library.external_attribute(self, owner, name)
        if isinstance(owner, Thing):
            return self._thing_attribute(owner, name, node)
        if isinstance(owner, Super):
            for base in owner.owner.bases:
                found = base.find(name) if isinstance(base, Class) else None
                if isinstance(found, Function):
                    return found.bind(owner.receiver)
            return Bound(owner.receiver, name)
        if isinstance(owner, Class):
            found = owner.find(name)
            if isinstance(found, Function):
                return found.bind(owner) if found.wrapper == "classmethod" else found
            if found is not None:
                return found
            return Name(f"{owner.kind}.{name}") if owner.kind else LOST_TRACK
        return Bound(owner, name)

    def _module_attribute(self, owner: ModuleValue, name: str, node: ast.AST) -> Value:
        if name in owner.store:
            return owner.store[name]
        if owner.module.is_package and self.modules.find(f"{owner.module.name}.{name}") is not None:
            return self.import_module(f"{owner.module.name}.{name}", node)
        star = owner.store.get("*")
        return Name(f"{star.dotted}.{name}") if isinstance(star, Name) else LOST_TRACK

    def _thing_attribute(self, owner: Thing, name: str, node: ast.AST) -> Value:
        if name in owner.store:
            return owner.store[name]
        found = owner.cls.find(name) if owner.cls is not None else None
        if isinstance(found, Function):
            if found.wrapper == "property":
                return self.call(found.bind(owner), [], {}, node)
            if found.wrapper == "staticmethod":
                return found
            return found.bind(owner.cls if found.wrapper == "classmethod" and owner.cls else owner)
        if found is not None:
            return found
        return Bound(owner, name)

    def _call(self, node: ast.Call) -> Value:
        function = self.eval(node.func)
        args: list[Value] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                args += self.elements(self.eval(argument.value)) or [FROM_OUTSIDE]
            else:
                args.append(self.eval(argument))
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.eval(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            elif isinstance(value, Items):
                keywords |= {key: item for key, item in value.store.items() if isinstance(key, str) and key != "…"}
        return self.call(function, args, keywords, node)

    def call(self, function: Value, args: Sequence[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
        if isinstance(function, Function):
            return self.invoke(function, args, keywords, node)
        if isinstance(function, Partial):
            return self.call(function.function, [*function.args, *args], {**function.keywords, **keywords}, node)
        if isinstance(function, Class):
            return self.instantiate(function, args, keywords, node)
        if isinstance(function, Thing) and function.cls is not None:
            method = function.cls.find("__call__")
            if isinstance(method, Function):
                return self.invoke(method.bind(function), args, keywords, node)
        return library.call(self, function, args, keywords, node)

    def instantiate(self, cls: Class, args: Sequence[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
        thing = Thing(cls.kind, node, self.module, cls)
        if library.is_exception(cls.kind):
            return Error(cls.kind, cls)
        init = cls.find("__init__")
        if isinstance(init, Function):
            self.invoke(init.bind(thing), args, keywords, node)
        else:
            library.initialise(self, thing, args, keywords, node)
            library.dataclass_fields(cls, thing, args, keywords)
        return thing

    def invoke(
        self,
        function: Value,
        args: Sequence[Value],
        keywords: dict[str, Value],
        node: ast.AST,
        *,
        on_yield: Callable[[Value], Value] | None = None,
        awaited: bool = False,
    ) -> Value:
        if not isinstance(function, Function):
            return self.call(function, args, keywords, node)
        target = function.node
        if on_yield is None and (
            (isinstance(target, ast.AsyncFunctionDef) and not awaited)
            or (not awaited and self.modules.is_generator(target))
        ):
            return Later(function, args, keywords, node)
        if target in self.active or len(self.active) > _DEPTH:
            return FROM_OUTSIDE
        if self.handling and not self.aside:
            self.helpers += 1
        scope = self._arguments(function, args, keywords)
        awaiting, self.awaiting = self.awaiting, False
        frame = Frame(function.module, (*function.scopes, scope), function)
        frame.on_yield = on_yield
        self.frames.append(frame)
        self.active.append(target)
        try:
            if isinstance(target, ast.Lambda):
                return self.eval(target.body)
            ends = self.block(target.body)
        finally:
            self.frames.pop()
            self.active.pop()
            self.awaiting = awaiting
        returned = [end for end in ends if end.kind in (RETURN, NORMAL)]
        if not returned:
            raise Leave(ends)
        self.side += [end for end in ends if end.kind not in (RETURN, NORMAL)]
        self.came_back = min(end.tag for end in returned)
        value = returned[0].value or NONE
        for end in returned[1:]:
            value = join(value, end.value or NONE, max(end.tag, OUTSIDE))
        return value

    def _arguments(self, function: Function, args: Sequence[Value], keywords: dict[str, Value]) -> Store:
        arguments = function.node.args
        positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        values = [function.receiver, *args] if function.receiver is not None else list(args)
        scope: Store = {}
        for name in (*positional, *(argument.arg for argument in arguments.kwonlyargs)):
            scope[name] = library.parameter_default(function.defaults.get(name))
        scope.update(zip(positional, values, strict=False))
        named = {name: value for name, value in keywords.items() if name in scope}
        scope.update(named)
        if arguments.vararg is not None:
            scope[arguments.vararg.arg] = items("tuple", values[len(positional) :])
        if arguments.kwarg is not None:
            rest: Store = {name: value for name, value in keywords.items() if name not in named}
            scope[arguments.kwarg.arg] = Items("dict", rest)
        return scope

    def awaited(self, value: Value, node: ast.AST) -> Value:
        """What `await value` gives."""
        if isinstance(value, Later):
            if isinstance(value.function, Function):
                return self.invoke(value.function, value.args, value.keywords, value.node, awaited=True)
            answer = library.await_external
            return self._awaiting(lambda: answer(self, value))
        if isinstance(value, Thing):
            return self._awaiting(lambda: library.await_thing(self, value, node))
        return value

    def _awaiting(self, wait: Callable[[], Value]) -> Value:
        """Waits in a way that lets the event loop go on."""
        outer, self.awaiting = self.awaiting, True
        try:
            return wait()
        finally:
            self.awaiting = outer

    def _await(self, node: ast.Await) -> Value:
        return self.awaited(self.eval(node.value), node)

    def _yield(self, node: ast.Yield) -> Value:
        value = self.eval(node.value) if node.value else NONE
        on_yield = self.frame.on_yield
        return FROM_OUTSIDE if on_yield is None else on_yield(value)

    def _yield_from(self, node: ast.YieldFrom) -> Value:
        value = self.eval(node.value)
        if isinstance(value, Later) and self.frame.on_yield is not None:
            return self.invoke(value.function, value.args, value.keywords, value.node, on_yield=self.frame.on_yield)
        return FROM_OUTSIDE

    def _bool_op(self, node: ast.BoolOp) -> Value:
        stop = isinstance(node.op, ast.Or)
        tag = CERTAIN
        value: Value = FROM_OUTSIDE
        for index, part in enumerate(node.values):
            if tag and index:
                mark, arrived = len(self.trail), self.arrived
                value = self.eval(part)
                if not (self.arrived and not arrived):
                    changes = self.undo(mark)
                    self.redo(changes)
            else:
                value = self.eval(part)
            truth = self.truth(value)
            if truth is stop:
                return value if not tag else Const(stop) if tag < LOST else value
            if isinstance(truth, Unknown):
                tag = max(tag, truth.tag)
        if tag == CERTAIN:
            return value
        return Unknown(tag)

    def _unary(self, node: ast.UnaryOp) -> Value:
        value = self.eval(node.operand)
        if isinstance(node.op, ast.Not):
            truth = self.truth(value)
            return Const(not truth) if isinstance(truth, bool) else truth
        if isinstance(node.op, ast.USub) and isinstance(value, Const) and isinstance(value.value, (int, float)):
            return Const(-value.value)
        return Unknown(value.tag) if isinstance(value, Unknown) else FROM_OUTSIDE

    def _bin_op(self, node: ast.BinOp) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        if isinstance(left, Const) and isinstance(right, Const):
            return _calculate(node.op, left.value, right.value)
        if isinstance(left, Items) and isinstance(right, Items) and isinstance(node.op, ast.Add):
            return items(left.kind, [*left.values(), *right.values()])
        return LOST_TRACK if any(isinstance(v, Unknown) and v.tag == LOST for v in (left, right)) else FROM_OUTSIDE

    def _compare(self, node: ast.Compare) -> Value:
        left = self.eval(node.left)
        result: Value = TRUE
        for operator, comparator in zip(node.ops, node.comparators, strict=False):
            right = self.eval(comparator)
            answer = _compared(operator, left, right)
            if isinstance(answer, Const) and not answer.value:
                return FALSE
            if isinstance(answer, Unknown):
                result = answer
            left = right
        return result

    def _if_exp(self, node: ast.IfExp) -> Value:
        truth = self.truth(self.eval(node.test))
        if isinstance(truth, bool):
            return self.eval(node.body if truth else node.orelse)
        return join(self.eval(node.body), self.eval(node.orelse), truth.tag)

    def _tuple(self, node: ast.Tuple | ast.List | ast.Set) -> Value:
        values: list[Value] = []
        is_open = False
        for element in node.elts:
            if isinstance(element, ast.Starred):
                known = self.elements(self.eval(element.value))
                values += known or []
                is_open = is_open or known is None
            else:
                values.append(self.eval(element))
        made = items(type(node).__name__.lower(), values)
        if is_open:
            made.store["…"] = FROM_OUTSIDE
        return made

    def _dict(self, node: ast.Dict) -> Value:
        store: Store = {}
        for key, value_node in zip(node.keys, node.values, strict=False):
            value = self.eval(value_node)
            name = self.eval(key) if key is not None else None
            if isinstance(name, Const) and _hashable(name.value):
                store[name.value] = value
            elif isinstance(name, Name):
                store[("key", name.dotted)] = value
            else:
                store["…"] = value
        return Items("dict", store)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        return self._generate(node.elt, node.generators, "list")

    def _dict_comprehension(self, node: ast.DictComp) -> Value:
        self._generate(node.value, node.generators, "list")
        return Items("dict", {"…": FROM_OUTSIDE})

    def _generate(self, element: ast.expr, generators: list[ast.comprehension], kind: str) -> Value:
        scope: Store = {}
        frame = Frame(self.module, (*self.frame.scopes, scope), self.frame.function)
        self.frames.append(frame)
        values: list[Value] = []
        try:
            is_open = self._each(element, generators, values)
        finally:
            self.frames.pop()
        made = items(kind, values)
        if is_open:
            made.store["…"] = FROM_OUTSIDE
        return made

    def _each(self, element: ast.expr, generators: list[ast.comprehension], values: list[Value]) -> bool:
        if not generators:
            values.append(self.eval(element))
            return False
        first = generators[0]
        known = self.elements(self.eval(first.iter))
        is_open = known is None or len(known) > _ELEMENTS
        for value in [FROM_OUTSIDE] if known is None else known[:_ELEMENTS]:
            self.assign(first.target, value)
            truths = [self.truth(self.eval(test)) for test in first.ifs]
            if any(truth is False for truth in truths):
                continue
            is_open = self._each(element, generators[1:], values) or is_open
        return is_open

    def _subscript(self, node: ast.Subscript) -> Value:
        owner = self.eval(node.value)
        key = self.eval(node.slice)
        return library.subscript(self, owner, key)

    def _slice(self, node: ast.Slice) -> Value:
        thing = Thing("slice", node, self.module)
        thing.store["lower"] = self.eval(node.lower) if node.lower else NONE
        thing.store["upper"] = self.eval(node.upper) if node.upper else NONE
        return thing

    def _joined(self, node: ast.JoinedStr) -> Value:
        parts: list[str] = []
        for part in node.values:
            value = self.eval(part.value if isinstance(part, ast.FormattedValue) else part)
            if not isinstance(value, Const):
                return FROM_OUTSIDE
            parts.append(str(value.value))
        return Const("".join(parts)) if sum(map(len, parts)) < 4096 else FROM_OUTSIDE

    def _lambda(self, node: ast.Lambda) -> Value:
        return self.function(node)

    def _named(self, node: ast.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.assign(node.target, value)
        return value

    def _starred(self, node: ast.Starred) -> Value:
        return self.eval(node.value)

    def elements(self, value: Value) -> list[Value] | None:
        """The elements of something iterable, where they are all known."""
        if isinstance(value, Items) and not value.open:
            if value.kind == "dict":
                return [Name(key[1]) if isinstance(key, tuple) else Const(key) for key in value.store]
            return value.values()
        if isinstance(value, Const) and isinstance(value.value, str) and len(value.value) <= _ELEMENTS:
            return [Const(char) for char in value.value]
        return None

    def truth(self, value: Value) -> bool | Unknown:
        if isinstance(value, Const):
            return bool(value.value)
        if isinstance(value, Unknown):
            return value
        if isinstance(value, Items):
            return True if value.values() else (FROM_OUTSIDE if value.open else False)
        if isinstance(value, Thing):
            if value.cls is not None:
                return self._truth_of_instance(value)
            return True if value.kind.rpartition(".")[2][:1].isupper() else FROM_OUTSIDE
        if isinstance(value, Bound):
            receiver: Value = value
            while isinstance(receiver, Bound):
                receiver = receiver.receiver
            return receiver if isinstance(receiver, Unknown) else FROM_OUTSIDE
        if isinstance(value, Name):
            return library.truth_of(value)
        return True

    def _truth_of_instance(self, thing: Thing) -> bool | Unknown:
        for name in ("__bool__", "__len__"):
            method = thing.cls.find(name) if thing.cls is not None else None
            if isinstance(method, Function) and method.node not in self.active:
                return self.truth(self.call(method.bind(thing), [], {}, method.node))
        return True

    # -- waiting ---------------------------------------------------------------------------------------------

    def wait(
        self,
        point: Point,
        *,
        ready: Callable[[], bool | Unknown] | None = None,
        raises: str | None = None,
        comes_back: bool = False,
        deaf: bool = False,
        value: Value = FROM_OUTSIDE,
    ) -> Value:
        """One blocking call.

        `ready` tells whether what it waits for is there; `raises` is what a timeout raises; `comes_back` waits end when
        the world outside sends something; `deaf` ones let no handler run before they end.
        """
        point.loops, point.guards, point.comes_back = tuple(self.loops), tuple(self.guards), comes_back
        if self.aside and self.cancelling:
            self.cancelling = False
            raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
        self.resuming, resuming = False, self.resuming
        if self.pending is not None and self.awaiting and not self.aside:
            registration, self.pending = self.pending, None
            library.run_handler(self, registration, point)
        is_ready = ready() if ready is not None else False
        if not self.arrived:
            return self._wait_before(point, is_ready, ready, raises, comes_back, deaf, value)
        if self.handling == 0 or self.aside:
            return self._wait_after(point, is_ready, raises, value, resuming)
        self.act("wait", point.what, point.node, point.limit)
        self.leaving.append(point)
        if is_ready is True:
            return value
        if point.seconds is None:
            raise stuck(point, "handler wait", is_ready.tag if isinstance(is_ready, Unknown) else CERTAIN)
        self._spend(point)
        return value

    def _wait_before(
        self,
        point: Point,
        is_ready: bool | Unknown,
        ready: Callable[[], bool | Unknown] | None,
        raises: str | None,
        comes_back: bool,
        deaf: bool,
        value: Value,
    ) -> Value:
        if is_ready is True:
            return value
        if self.aside:
            self.facts.aside.append(point)
            if point.seconds is None and not comes_back and is_ready is False:
                raise stuck(point, "wait")
            return value
        self._record(point)
        if self.at == id(point.node):
            if deaf:
                self.arrived, self.arrival = True, point
                raise stuck(point, "deaf", CERTAIN if not comes_back else LOST)
            library.deliver(self, point)
            if self.served:
                return value
            is_ready = ready() if ready is not None and not self.unheard else False
            if isinstance(is_ready, Unknown) and is_ready.tag == OUTSIDE:
                is_ready = False
            return self._wait_after(point, is_ready, raises, value, False)
        if point.seconds is None and not comes_back:
            if is_ready is False:
                raise stuck(point, "wait")
            point.tag = is_ready.tag
        return value

    def _wait_after(
        self, point: Point, is_ready: bool | Unknown, raises: str | None, value: Value, resuming: bool
    ) -> Value:
        if point is not self.arrival and not self.aside:
            self.leaving.append(point)
        if is_ready is True:
            return value
        if point.seconds is None:
            raise stuck(point, "wait", is_ready.tag if isinstance(is_ready, Unknown) else CERTAIN)
        self._spend(point)
        if raises is not None:
            raise Leave([End(RAISE, CERTAIN, Error(raises))])
        return value

    def _spend(self, point: Point) -> None:
        """Time that passes between the signal and the end."""
        limit = point.limit
        if limit is None and self.aside and not self.loops:
            return
        if limit is None or self.delay is None:
            self.delay = None
        elif point.kind == "sleep" or point is self.arrival or self.aside:
            self.delay += limit
        self.waited = self.waited or point is self.arrival

    def _record(self, point: Point) -> None:
        if not self.arrived and not self.aside:
            self.facts.points.append(point)

    def startup(self, kind: str, node: ast.AST) -> None:
        """Something slow before the first handler is there."""
        known = any(point.node is node for point in self.facts.startup)
        if not self.facts.registrations and not self.aside and not known:
            self.facts.startup.append(Point(node, self.module, kind, None, ""))

    def frame_in(self, module: Module) -> Frame:
        """A frame to do something in that no function does, such as joining a thread at exit."""
        return Frame(module, (self.stores.get(module.name, {}),))

    def close(self, thing: Thing, method: str) -> None:
        """A child or connection is ended, as far as a method of that name ends it."""
        self.facts.closed.add(id(thing))
        if self.arrived and thing.node is not None:
            self.ended.add(thing.node)
            self.closing.setdefault(thing.node, set()).add(method)

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
            self.acts.append(Deed(kind, target, node, self.module, seconds))


def _identity(end: End) -> Hashable:
    if end.kind == RAISE and isinstance(end.value, Error):
        return (RAISE, id(end.value.cls) if end.value.cls is not None else end.value.dotted)
    if end.kind == RETURN:
        value = end.value
        return (RETURN, repr(value.value) if isinstance(value, Const) else id(value))
    return (end.kind, id(end.point))


def _is_generator_exit(end: End) -> bool:
    return end.kind == RAISE and isinstance(end.value, Error) and end.value.dotted == "builtins.GeneratorExit"


def _is_empty(body: list[ast.stmt]) -> bool:
    return all(isinstance(node, (ast.Pass, ast.Continue, ast.Break, ast.Raise)) for node in body)


def _hashable(value: object) -> bool:
    return isinstance(value, (str, bytes, int, float, bool, type(None)))


def _may_be_one(operator: ast.cmpop, left: Thing, right: Thing) -> bool:
    """Whether two objects may be equal, or what two calls gave may be the same object."""
    return isinstance(operator, (ast.Eq, ast.NotEq)) or left.cls is None or right.cls is None


def _calculate(operator: ast.operator, left: object, right: object) -> Value:
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    texts = isinstance(left, str) and isinstance(right, str)
    try:
        if isinstance(operator, ast.Add) and (numbers or (texts and len(left) + len(right) < 4096)):  # type: ignore[arg-type]
            return Const(left + right)  # type: ignore[operator]
        if not numbers or abs(left) > 1e15 or abs(right) > 1e15:  # type: ignore[arg-type]
            return FROM_OUTSIDE
        if isinstance(operator, ast.Sub):
            return Const(left - right)  # type: ignore[operator]
        if isinstance(operator, ast.Mult):
            return Const(left * right)  # type: ignore[operator]
        if isinstance(operator, ast.Div):
            return Const(left / right)  # type: ignore[operator]
        if isinstance(operator, ast.FloorDiv):
            return Const(left // right)  # type: ignore[operator]
    except (ArithmeticError, TypeError):
        pass
    return FROM_OUTSIDE


def _compared(operator: ast.cmpop, left: Value, right: Value) -> Value:
    if isinstance(left, Name) and left.dotted == "sys.version_info" and isinstance(right, Items):
        return Const(isinstance(operator, (ast.Gt, ast.GtE)))
    unknown = [value for value in (left, right) if isinstance(value, (Unknown, Bound))]
    if unknown:
        return LOST_TRACK if any(isinstance(v, Unknown) and v.tag == LOST for v in unknown) else FROM_OUTSIDE
    equal = isinstance(operator, (ast.Eq, ast.Is))
    if equal or isinstance(operator, (ast.NotEq, ast.IsNot)):
        if (
            isinstance(left, Thing)
            and isinstance(right, Thing)
            and left is not right
            and _may_be_one(operator, left, right)
        ):
            return FROM_OUTSIDE
        left, right = library.comparable(left), library.comparable(right)
        return Const(same(left, right) is equal)
    if isinstance(operator, (ast.In, ast.NotIn)):
        if isinstance(right, Items) and not right.open:
            keys = [Const(key) for key in right.store] if right.kind == "dict" else right.values()
            if all(isinstance(value, (Const, Name)) for value in (left, *keys)):
                found = any(same(library.comparable(left), library.comparable(key)) for key in keys)
                return Const(found is isinstance(operator, ast.In))
        return FROM_OUTSIDE
    if isinstance(left, Const) and isinstance(right, Const):
        try:
            if isinstance(operator, ast.Lt):
                return Const(left.value < right.value)
            if isinstance(operator, ast.LtE):
                return Const(left.value <= right.value)
            if isinstance(operator, ast.Gt):
                return Const(left.value > right.value)
            if isinstance(operator, ast.GtE):
                return Const(left.value >= right.value)
        except TypeError:
            pass
    return FROM_OUTSIDE


_STATEMENTS: dict[type[ast.AST], Callable[..., list[End]]] = {
    ast.Expr: Machine._expression,
    ast.Assign: Machine._assign,
    ast.AnnAssign: Machine._ann_assign,
    ast.AugAssign: Machine._aug_assign,
    ast.Return: Machine._return,
    ast.Raise: Machine._raise,
    ast.If: Machine._if,
    ast.While: Machine._while,
    ast.For: Machine._for,
    ast.AsyncFor: Machine._for,
    ast.Try: Machine._try,
    ast.With: Machine._with,
    ast.AsyncWith: Machine._with,
    ast.Match: Machine._match,
    ast.FunctionDef: Machine._define,
    ast.AsyncFunctionDef: Machine._define,
    ast.ClassDef: Machine._class,
    ast.Import: Machine._import,
    ast.ImportFrom: Machine._import_from,
    ast.Delete: Machine._delete,
    ast.Global: Machine._global,
    ast.Nonlocal: Machine._nonlocal,
    ast.Break: Machine._break,
    ast.Continue: Machine._continue,
    ast.Assert: Machine._assert,
}
if hasattr(ast, "TryStar"):
    _STATEMENTS[ast.TryStar] = Machine._try

_EXPRESSIONS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Constant: Machine._constant,
    ast.Name: Machine._name,
    ast.Attribute: Machine._attribute,
    ast.Call: Machine._call,
    ast.Await: Machine._await,
    ast.Yield: Machine._yield,
    ast.YieldFrom: Machine._yield_from,
    ast.BoolOp: Machine._bool_op,
    ast.UnaryOp: Machine._unary,
    ast.BinOp: Machine._bin_op,
    ast.Compare: Machine._compare,
    ast.IfExp: Machine._if_exp,
    ast.Tuple: Machine._tuple,
    ast.List: Machine._tuple,
    ast.Set: Machine._tuple,
    ast.Dict: Machine._dict,
    ast.ListComp: Machine._comprehension,
    ast.SetComp: Machine._comprehension,
    ast.GeneratorExp: Machine._comprehension,
    ast.DictComp: Machine._dict_comprehension,
    ast.Subscript: Machine._subscript,
    ast.Slice: Machine._slice,
    ast.JoinedStr: Machine._joined,
    ast.Lambda: Machine._lambda,
    ast.NamedExpr: Machine._named,
    ast.Starred: Machine._starred,
}
