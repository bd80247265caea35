"""One run of a Rust program: what its names mean, what it waits for, and what becomes of a signal.

The standard library knows no signals: what no crate has asked for keeps its default action, which PID 1 does not get.
What tokio, signal-hook or ctrlc have taken once is theirs for good. When main returns the process ends, with all other
threads, and tokio's tasks; only its blocking tasks are waited for. `process::exit` runs no `Drop`.
"""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.behaviour.machine import library
from gracelint.behaviour.machine.evaluation import evaluate
from gracelint.behaviour.machine.frames import Closure, Frame
from gracelint.behaviour.machine.interpreter import Interpreter
from gracelint.behaviour.machine.nodes import Class, Function, Node
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Ctx,
    Ended,
    Lib,
    Method,
    Object,
    Scope,
    Sig,
    Thread,
    Unknown,
    Wait,
)
from gracelint.behaviour.rust import builtins, channels, owners, servers
from gracelint.behaviour.rust.crates import Module, Variant
from gracelint.behaviour.rust.syntax import UNIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.rust.crates import Crates
    from gracelint.behaviour.rust.reached import Reach
    from gracelint.behaviour.tree import TreeFile
    from gracelint.source import Span

_RENAMED = (
    ("core::", "std::"),
    ("alloc::", "std::"),
    ("tokio::time::Duration", "std::time::Duration"),
    ("tokio::time::Instant", "std::time::Instant"),
    ("actix_web::rt::", "tokio::"),
    ("actix_rt::", "tokio::"),
    ("futures_util::", "futures::"),
    ("tokio_util::sync::CancellationToken", "CancellationToken"),
)


_WORK = 2.5
"""Seconds that a request in flight is taken to need, as in what was measured."""


class RustMachine(Interpreter):
    language = "rust"
    eager_tasks = False
    errors = ()

    def __init__(self, crates: Crates, signal: str, argv: tuple[str, ...], ways: tuple[int, ...], at: Span) -> None:
        super().__init__(signal, argv, ways, _WORK)
        self.crates, self.at = crates, at
        self.entry = at.source.path
        self.constants: dict[int, Any] = {}
        self.actions: list[tuple[str, Any, Span, bool]] = []
        """Functions that signals call, and whether on top of main."""
        self.main_frame: Frame | None = None
        self.blocking: list[Thread] = []
        self.idle: dict[Span, str] = {}
        """Futures of libraries nobody knows that were waited for beside others."""
        self.untold: list[Span] = []
        """Where it waits on the way out for what nobody can tell."""
        self.moves: dict[int, tuple[str, ...]] = {}
        """By closure: the names that it takes over."""
        self.taken_branches: set[int] = set()
        self.left_out: dict[int, tuple[Node, Module]] = {}
        """Branches that no known condition has ever let the program into."""
        self.reach: Reach | None = None
        """What was found of the functions, once that was asked for."""
        self.asked = 0
        """How often."""
        self.blurred: list[Span] = []
        """Places after which nobody can tell who still holds the end of a channel."""

    def meets_work(self) -> bool:
        if self.signal not in self.registered or len(self.threads) < 2:
            return False
        from gracelint.behaviour.machine.midst import meets_one_job

        return meets_one_job(self)

    def passes(self, frame: Frame, taken: Node | None, left_out: list[Node | None]) -> None:
        self.taken_branches.add(id(taken))
        self.left_out.pop(id(taken), None)
        for one in left_out:
            if one is None or id(one) in self.taken_branches:
                continue
            if id(one) in self.left_out:
                # decided once more, in another round or call: a later one may decide otherwise
                self.taken_branches.add(id(one))
                del self.left_out[id(one)]
            else:
                self.left_out[id(one)] = one, frame.file

    def captured(self, function: Function, frame: Frame) -> Scope:
        if id(function) not in self.moves:
            self.moves[id(function)] = owners.moved(function)
        scope = Scope(frame.scope)
        for name in self.moves[id(function)]:
            where = frame.scope.find(name)
            if where is not None:
                scope.names[name] = where.names[name]
        return scope

    def files(self) -> Iterable[TreeFile]:
        return self.crates.sources.values()

    def begin(self) -> None:
        self.go(self._program(), self.at)

    def _program(self) -> Run:
        start = self.crates.start
        assert start is not None
        value = yield from self.call(Closure(start), [], self.at)
        if start.name == self.crates.launched:
            value = yield from self.wait_for(value, self.at)
            value = yield from self.call(Method(value, "launch"), [], self.at)
        yield from self.wait_for(value, self.at)
        for one in reversed([*self.droppable()]):
            function = self.find(one.package, "drop")
            if function is not None:
                yield from self.call(Closure(function, None, one), [], self.at)
        waiting = [*self.blocking]
        if any(not one.done for one in waiting):
            yield Wait("blocking", waiting[0].span or self.at, lambda: all(one.done for one in waiting))
        raise Ended("returns", self.at)

    def droppable(self) -> list[Object]:
        """What main holds that does something when it is dropped."""
        held: list[Object] = []
        scope: Scope | None = self.main_frame.scope if self.main_frame is not None else None
        while scope is not None:
            # a struct without fields is its own value
            values = (Object(one.name, None, one) if isinstance(one, Class) else one for one in scope.names.values())
            held += [one for one in values if isinstance(one, Object) and isinstance(one.package, Class)]
            scope = scope.parent
        return [one for one in held if one.package.values.get("$drop")]

    def arrives(self) -> bool:
        main = self.main_thread
        if self.signal in self.ignored or not super().arrives():
            return False
        for signal, function, span, on_main in self.actions:
            if signal != self.signal:
                continue
            if on_main and main is not None:
                self.interrupt(main, self.call(function, [Sig(signal)], span))
            else:
                self.start(self.call(function, [], span), span)
        return True

    def finished(self, thread: Thread) -> None:
        """What a task holds is dropped with it, the ends of channels too."""
        super().finished(thread)
        if thread.body is not None:
            for one in owners.senders_of(self, thread):
                channels.dropped(one)
        if self.stopping and thread.body is not None:
            self.blurred.append(thread.span or self.at)

    # names

    def name(self, frame: Frame, name: str) -> Run:
        if name[:1] == "$" or name.endswith("!"):
            return Lib(name)
        module = frame.file
        found = self.crates.find(name, module)
        if isinstance(found, Node):
            if id(found) not in self.constants:
                self.constants[id(found)] = yield from evaluate(self, Frame(module, Scope()), found)
            return self.constants[id(found)]
        return self.meant(found, module)

    def meant(self, found: Any, module: Module) -> Any:
        """The value of what a name was found to mean."""
        if isinstance(found, Function):
            return Closure(found)
        if isinstance(found, Variant) or not isinstance(found, str):
            return UNKNOWN if found is None else found
        if found == "None":
            return NIL
        head, mark, rest = found.partition("::")
        where = module.items.get(head) if isinstance(module, Module) else None
        if isinstance(where, Class) and mark:
            return Lib(f"{where.name}::{rest}")
        path = self.renamed(found)
        if not mark:
            full = (self.renamed(f"{one}::{found}") for one in module.globs)
            path = next((one for one in full if builtins.is_known(self, one)), path)
        constant = builtins.constant(path)
        return constant if constant is not None else Lib(path)

    def renamed(self, path: str) -> str:
        path = path.lstrip("?")
        for old, new in _RENAMED:
            if path.startswith(old):
                return new + path[len(old) :]
        return path

    def join(self, path: str, name: str) -> str:
        return f"{path}::{name}"

    def class_named(self, name: str, file: Any) -> Class | None:
        found = self.crates.find(name, file)
        return found if isinstance(found, Class) else None

    def functions_named(self, name: str) -> list[Function]:
        return self.crates.by_name.get(name, [])

    def meaning(self, path: str, file: Any) -> Function | str | None:
        if "::" not in path or not isinstance(file, Module):
            return None
        found = self.crates.find(path, file)
        if isinstance(found, Function):
            return found
        if not isinstance(found, str) or found.startswith("?"):
            return None
        if found == path and path.partition("::")[0] not in ("std", *self.crates.outside):
            return None
        type_, _, name = self.renamed(found).rpartition("::")
        type_ = type_.rpartition("::")[2]
        return f"{type_}::{name}" if type_[:1].isupper() else None

    def member(self, of: Any, name: str) -> Run:
        if isinstance(of, Object) and of.type == "Cell" and name not in builtins.CELL:
            of = of.state["value"]
        if isinstance(of, (list, tuple)) and is_whole(name):
            return of[int(name)] if int(name) < len(of) else UNKNOWN
        if isinstance(of, Lib):
            return Method(of, name)
        if isinstance(of, Object) and of.package is None and name in of.fields:
            return of.fields[name]
        added = self.crates.foreign.get(of.type.rpartition("::")[2]) if isinstance(of, Object) else None
        if added is not None and name in added.methods:
            return Closure(added.methods[name], None, of)
        value = yield from super().member(of, name)
        return value

    # calls

    def apply(self, function: Any, given: library.Given, frame: Frame | None) -> Run:
        if isinstance(function, Class):
            one = Object(function.name, given.span, function)
            one.fields = {str(index): value for index, value in enumerate(given.args)}
            return one
        if isinstance(function, Variant):
            one = Object(function, given.span)
            one.fields = {str(index): value for index, value in enumerate(given.args)}
            return one
        value = yield from super().apply(function, given, frame)
        return value

    def enter(self, closure: Closure, given: library.Given) -> Run:
        params = closure.function.params
        if closure.this is not NIL and params and params[0].name == "self":
            given = library.Given(given.path, given.span, [closure.this, *given.args], given.named)
            closure = Closure(closure.function, closure.scope)
        value = yield from super().enter(closure, given)
        for one in owners.given_over(self, closure.function, given.args):
            channels.dropped(one)
        return value

    def _bind(self, frame: Frame, function: Function, given: library.Given) -> Run:
        if function is self.crates.start:
            self.main_frame = frame
        yield from super()._bind(frame, function, given)

    def builtin(self, path: str, frame: Frame | None, given: library.Given) -> Run | None:
        return builtins.function(self, path, frame, given)

    def method(self, of: Any, name: str, frame: Frame | None, given: library.Given) -> Run | None:
        return builtins.method(self, of, name, given)

    def foreign(self, path: str, given: library.Given) -> Run:
        """A call of a library nobody knows. In a task it makes a future, which waits once it is awaited."""
        yield from ()
        run = super().foreign(path, given)
        if given.named.get("$task") is True:
            future = self.future(run, given.span)
            future.state["of"] = path
            return future
        value = yield from run
        return value

    def first_of(self, value: Any, span: Span) -> Run:
        path = value.of if isinstance(value, Unknown) else value.state.get("of") if isinstance(value, Object) else None
        if path is not None:
            self.idle[span] = path
            yield Wait("for ever", span, lambda: False)
        result = yield from self.wait_for(value, span)
        return result

    def future(self, run: Run, span: Span) -> Object:
        """What runs once it is awaited."""
        one = Object("future", span)
        one.state["lazy"] = run
        return one

    def spawn(self, value: Any, span: Span) -> Object:
        """A task of its own for a future."""
        one = Object("JoinHandle", span)
        one.state["thread"] = thread = self.start(self.wait_for(value, span), span)
        thread.body = value
        return one

    def wait_for(self, value: Any, span: Span) -> Run:
        if isinstance(value, list):
            results: list[Any] = []
            for one in value:
                result = yield from self.wait_for(one, span)
                results.append(result)
            return results
        if isinstance(value, Object) and value.state.get("thread") is None and value.state.get("lazy") is None:
            row = library.rows(self, "types").get(value.type, {})
            if "awaited" in row:
                value = yield from servers.serve(self, value, row, span)
                return value
            if value.type == "Oneshot":
                value = yield from builtins.receive_once(self, value, span)
                return value
        if isinstance(value, Ctx):
            return UNIT
        if isinstance(value, Unknown) and self.stopping:
            self.untold.append(span)
        value = yield from super().wait_for(value, span)
        return value
