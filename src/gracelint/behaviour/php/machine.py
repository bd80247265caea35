"""One run of a PHP program: what its names mean, and what the runtime does with a signal.

PHP installs no handlers: what is not asked for meets the kernel's default, which PID 1 never sees. A function given to
pcntl_signal is called where the program lets it: after each instruction with pcntl_async_signals or ticks, else in
pcntl_signal_dispatch. The call it arrives in returns early (sleep, select) or is started again (waitpid): SA_RESTART.
"""

from __future__ import annotations

from gracelint.behaviour.machine import library
from gracelint.behaviour.machine.evaluation import assign, evaluate
from gracelint.behaviour.machine.frames import Closure, Frame, Leave
from gracelint.behaviour.machine.interpreter import Interpreter
from gracelint.behaviour.machine.nodes import Call, Class, Field, Index, Name, walk
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Ended,
    Environment,
    Lib,
    Method,
    Object,
    Raised,
    Scope,
    Sig,
)
from gracelint.behaviour.php import builtins, generators
from gracelint.behaviour.php.syntax import YIELD, Shared, body_of, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gracelint.behaviour.machine.nodes import Function
    from gracelint.behaviour.machine.values import Run, Thread
    from gracelint.behaviour.php.files import Sources
    from gracelint.behaviour.php.syntax import File
    from gracelint.source import Span

EXIT = "exit"
_RETURNING = frozenset(("sleep", "select", "accept", "loop", "sigwait"))
"""Waits that a signal with a handler ends before their time."""
_ABOVE = {"Throwable": (), "Exception": ("Throwable",), "Error": ("Throwable",), EXIT: ()}


class PhpMachine(Interpreter):
    language = "php"
    whole_quotients = False
    errors = ("Throwable",)
    nothing = ("Error",)

    def __init__(
        self, sources: Sources, signal: str, argv: tuple[str, ...], ways: tuple[int, ...], pcntl: bool | None
    ) -> None:
        super().__init__(signal, argv, ways)
        self.sources, self.pcntl = sources, pcntl
        self.top = Scope()
        """Global variables."""
        self.loaded: set[str] = set()
        self.asynchronous = False
        self.blocked: set[str] = set()
        self.pending: list[str] = []
        """Signals that have arrived and whose handlers were not called yet."""
        self.cleaned_by: Span | None = None
        self.swallowed: Span | None = None
        self.replaced: tuple[Any, ...] = ()
        """The words of pcntl_exec."""
        self.selected = False
        """What is read from was listened to before."""
        self.ready = False
        """A select has returned since a connection was accepted."""
        self.clients = 0
        """Connections that were accepted after that."""
        self.forked: Span | None = None
        """It has children of its own."""
        self.skipped = False
        """`exit` has passed over a `finally`."""
        self.generators: dict[int, bool] = {}
        self.missing: Span | None = None
        """Where it calls pcntl, which the image has not."""

    def files(self) -> Iterable[File]:
        return self.sources.files.values()

    def begin(self) -> None:
        assert self.sources.entry is not None
        self.entry = self.sources.entry.source.path
        words = self.command_line()
        words.insert(0, self.entry)
        self.top.names |= {"$argv": words, "$argc": len(words)}
        self.asynchronous = any(file.ticks for file in self.sources.files.values())
        self.go(self._program(), None)

    def _program(self) -> Run:
        entry = self.sources.entry
        assert entry is not None
        how: tuple[str, Span | None] = ("returns", None)
        try:
            yield from self.load(entry)
        except Raised as error:
            how = ("exit" if error.types[0] == EXIT else "raised", error.span)
        except Leave:
            pass
        for hook, span in self.hooks:
            self.note(span)
            yield from self._hook(hook, span)
        raise Ended(*how)

    def _hook(self, hook: Any, span: Span) -> Run:
        try:
            yield from self.call(hook, [], span)
        except (Raised, Leave):
            return NIL
        return NIL

    def load(self, file: File) -> Run:
        if file.source.path in self.loaded:
            return True
        self.loaded.add(file.source.path)
        try:
            yield from evaluate(self, Frame(file, self.top), body_of(file))
        except Leave as leave:
            return leave.value
        return True

    # signals

    def arrives(self) -> bool:
        main = self.main_thread
        if main is None:
            return False
        if self.signal in self.blocked:
            self.pending.append(self.signal)
            return True
        if self.signal not in self.handlers:
            return super().arrives()
        self.pending.append(self.signal)
        if main.wait is not None and main.wait.kind in _RETURNING:
            main.wait.over = True
        return True

    def resume(self, thread: Thread) -> bool:
        wait = thread.wait
        ready = wait is None or wait.over or wait.ready()
        if thread.main and self.asynchronous and self.pending and ready and not thread.below:
            for function, span in self._free_handlers():
                self.interrupt(thread, self._handler(function, span), wakes=True)
        return super().resume(thread)

    def dispatch(self) -> Run:
        """pcntl_signal_dispatch: calls what waits for it."""
        for function, span in self._free_handlers():
            yield from self.call(function, [Sig(self.signal)], span)
        return True

    def _free_handlers(self) -> list[tuple[Any, Span]]:
        """Those of the signals that wait for them and are not blocked."""
        free = [one for one in self.pending if one in self.handlers and one not in self.blocked]
        self.pending = [one for one in self.pending if one not in free]
        return [self.handlers[one] for one in free]

    def _handler(self, function: Any, span: Span) -> Run:
        yield from self.call(function, [Sig(self.signal), UNKNOWN], span)
        return NIL

    def note(self, span: Span) -> None:
        if self.stopping and self.cleaned_by is None:
            self.cleaned_by = span

    def caught(self, error: Raised, span: Span) -> None:
        if self.stopping:
            self.swallowed = span

    def unwound(self, span: Span) -> None:
        self.note(span)

    def unwinds(self, way: BaseException) -> bool:
        if isinstance(way, Raised) and way.types[0] == EXIT:
            self.skipped = self.stopping
            return False
        return super().unwinds(way)

    def is_error(self, error: Raised, name: str, frame: Frame) -> bool:
        if error.types[0] == EXIT:
            return False
        found = {"Throwable"}
        for one in (short(one) for one in error.types):
            found |= {one, *_ABOVE.get(one, ("Error",) if one.endswith("Error") else ("Exception",))}
        return short(name) in found

    # names

    def name(self, frame: Frame, name: str) -> Run:
        yield from ()
        if name == "$this":
            return frame.this
        if name == "$_SERVER":
            server = Environment(name)
            server.state |= {f"[{one}]": self.top.names[f"${one}"] for one in ("argv", "argc")}
            return server
        if name == "$_ENV":
            return Environment(name)
        if name[:1] == "$":
            return NIL
        if name in ("self", "static", "parent"):
            return self._relative(frame, name)
        if name.startswith("SIG") and name[3:4].isupper():
            return Sig(name)
        if name in self.top.names:
            return self.top.names[name]
        known = builtins.CONSTANTS.get(name)
        if known is not None:
            return known
        class_ = self.class_named(name, frame.file)
        if class_ is not None:
            return class_
        function = self.sources.functions.get(short(name))
        if function is not None:
            return Closure(function)
        path: str = frame.file.uses.get(name, name)
        return Lib(path if path[:1].isupper() else short(path))

    def _relative(self, frame: Frame, name: str) -> Any:
        here = frame.this.package if isinstance(frame.this, Object) else frame.this
        if name == "parent" and isinstance(here, Class):
            above = self.class_named(here.bases[0], here.file) if here.bases else None
            return Method(frame.this, "parent") if above is None else _Parent(above, frame.this)
        return here

    def member(self, of: Any, name: str) -> Run:
        yield from ()
        if isinstance(of, _Parent):
            function = self.find(of.above, name) or self.find(of.above, name, "statics")
            return Closure(function, None, of.this) if function is not None else Method(UNKNOWN, name)
        if isinstance(of, Object):
            if name in of.fields:
                return of.fields[name]
            function = self.find(of.package, name) or self.find(of.package, name, "statics")
            return Closure(function, None, of) if function is not None else Method(of, name)
        if isinstance(of, Class):
            for class_ in self.line(of):
                values = self.values_of(class_)
                if name in values:
                    return values[name]
            function = self.find(of, name, "statics") or self.find(of, name)
            return Closure(function, None, of) if function is not None else Method(of, name)
        if isinstance(of, Lib):
            return Lib(f"{of.path}::{name}")
        return Method(of, name)

    def class_named(self, name: str, file: Any) -> Class | None:
        return self.sources.classes.get(short(name))

    def functions_named(self, name: str) -> list[Function]:
        return self.sources.by_name.get(name, [])

    def constructor(self, class_: Class) -> str:
        return "__construct"

    def join(self, path: str, name: str) -> str:
        return f"{path}::{name}"

    def truth(self, value: Any) -> bool | None:
        if isinstance(value, (int, float, str, list, dict)):
            return bool(value) and value != "0"
        return super().truth(value)

    def captured(self, function: Function, frame: Frame) -> Scope:
        """What a closure sees of the scope it stands in: nothing but what it names, shared or copied."""
        shared, copied = function.captures
        if shared is None:
            return Scope(frame.scope)
        scope = Scope(builtins.shared(frame.scope, {one: one for one in shared}))
        for name in copied:
            where = frame.scope.find(name)
            scope.names[name] = where.names[name] if where is not None else NIL
        return scope

    def _bind(self, frame: Frame, function: Function, given: library.Given) -> Run:
        yield from super()._bind(frame, function, given)
        caller, nodes = given.by or (None, [])
        names: dict[str, str] = {}
        fields: dict[str, tuple[dict[str, Any], str]] = {}
        for param, node in zip(function.params, nodes, strict=False):
            if not isinstance(param, Shared) or caller is None:
                continue
            if isinstance(node, Name):
                names[param.name] = node.name
            elif isinstance(node, (Field, Index)):
                place = yield from self._place(caller, node)
                if place is not None:
                    fields[param.name] = place
                else:
                    yield from assign(self, caller, node, UNKNOWN)
        if caller is not None and (names or fields):
            for name in (*names, *fields):
                del frame.scope.names[name]
            frame.scope.parent = builtins.shared(caller.scope, names, frame.scope.parent, fields)

    def _place(self, frame: Frame, node: Field | Index) -> Run:
        """What holds a property or an entry of an array, and its name there; None where nobody can tell that."""
        of = yield from evaluate(self, frame, node.of)
        if isinstance(node, Index):
            key = yield from evaluate(self, frame, node.key)
            return (of, key) if isinstance(of, dict) and isinstance(key, (str, int)) else None
        if isinstance(of, Object):
            return of.fields, node.name
        classes = self.line(of) if isinstance(of, Class) else []
        return next(((its, node.name) for one in classes if node.name in (its := self.values_of(one))), None)

    def foreign(self, path: str, given: library.Given) -> Run:
        generators.keep(given)
        value = yield from super().foreign(path, given)
        return value

    def apply(self, function: Any, given: library.Given, frame: Frame | None) -> Run:
        value = yield from builtins.callable_of(self, function, frame)
        if isinstance(value, Closure) and self._yields(value.function):
            generator = Object("Generator", given.span)
            generator.state["yields"] = self.enter(value, given)
            return generator
        result = yield from super().apply(value, given, frame)
        return result

    def _yields(self, function: Function) -> bool:
        """Whether calling a function makes a generator, which runs as something loops over it."""
        if id(function) not in self.generators:
            calls = (one.callee for one in walk(function.body) if isinstance(one, Call))
            self.generators[id(function)] = any(isinstance(one, Name) and one.name == YIELD for one in calls)
        return self.generators[id(function)]

    def iterated(self, over: Any, span: Span) -> Run:
        """The generator of a class that is an IteratorAggregate; one that was begun by hand is not told."""
        if isinstance(over, Object) and "item" in over.state:
            raise generators.asked(over)
        function = self.find(over.package, "getIterator") if isinstance(over, Object) else None
        if function is None:
            return over
        value = yield from self.call(Closure(function, None, over), [], span)
        return value

    def items(self, over: Any, names: int) -> Any:
        if isinstance(over, dict) and names == 1:
            return [*over.values()]
        if isinstance(over, list) and names == 2:
            return [*enumerate(over)]
        return super().items(over, names)

    def new(self, type_: Any, given: library.Given, frame: Frame) -> Run:
        if isinstance(type_, str):
            type_ = self.class_named(type_, frame.file) or Lib(type_)
        value = yield from super().new(type_, given, frame)
        return value

    def builtin(self, path: str, frame: Frame | None, given: library.Given) -> Run | None:
        return builtins.function(self, path, frame, given)

    def method(self, of: Any, name: str, frame: Frame | None, given: library.Given) -> Run | None:
        if isinstance(of, Lib):
            return builtins.function(self, f"{of.path}::{name}", frame, given)
        if isinstance(of, Object) and "yields" in of.state:
            return generators.method(of, name, given)
        return None


class _Parent:
    __slots__ = ("above", "this")

    def __init__(self, above: Class, this: Any) -> None:
        self.above, self.this = above, this
