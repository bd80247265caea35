"""One run of a Ruby program: what its names mean, and what the interpreter does with a signal.

Ruby's handler of SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 raises SignalException (of SIGINT: Interrupt) in
the main thread, as PID 1 too. A block given to `trap` runs on top of the main thread; the call it waits in goes on.
When main has ended at_exit blocks run, then all other threads are killed, with their `ensure`.
"""

from __future__ import annotations

from gracelint.behaviour.machine import interest, library
from gracelint.behaviour.machine.evaluation import evaluate
from gracelint.behaviour.machine.frames import Closure, Frame, Leave
from gracelint.behaviour.machine.interpreter import Interpreter
from gracelint.behaviour.machine.left import left_alone
from gracelint.behaviour.machine.machine import WORK
from gracelint.behaviour.machine.nodes import Class, Try
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Ended,
    Lib,
    Method,
    Object,
    Raised,
    Scope,
    Thread,
    Unknown,
    Wait,
)
from gracelint.behaviour.ruby import builtins, methods
from gracelint.behaviour.ruby.syntax import GLOBALS, SELF, body_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gracelint.behaviour.machine.nodes import Function
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.ruby.files import Sources
    from gracelint.behaviour.ruby.syntax import File
    from gracelint.source import Span

RAISED = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2")
"""Signals that are exceptions where nothing traps them."""
_KILLED = "killed"
_ABOVE = {
    "Interrupt": ("SignalException", "Exception"),
    "SignalException": ("Exception",),
    "SystemExit": ("Exception",),
    "Exception": (),
    _KILLED: (),
}
_OF_NIL = frozenset(
    """! != !~ & <=> == === =~ ^ | __id__ __send__ as_json blank? class clone define_singleton_method display dup
    enum_for eql? equal? extend freeze frozen? hash in? inspect instance_eval instance_exec instance_of?
    instance_variable_get instance_variable_set instance_variables is_a? itself kind_of? method methods nil? object_id
    presence present? public_send rationalize respond_to? send singleton_class tap then to_a to_c to_enum to_f to_h to_i
    to_json to_param to_query to_r to_s to_yaml try try! yield_self""".split()  # noqa: SIM905
)
"""Methods that nil has, ActiveSupport's among them."""
_LENDS = frozenset(("open", "chdir", "mktmpdir", "flock", "realtime", "measure", "transaction"))
"""What calls its block once, with something that it gives back afterwards."""
_BESIDES = {
    "ClosedQueueError": ("StopIteration", "IndexError"),
    "Timeout::Error": ("RuntimeError",),
}


class RubyMachine(Interpreter):
    language = "ruby"
    bare_calls = True
    errors = ("StandardError",)
    nothing = ("NoMethodError", "NameError")
    answers = _OF_NIL

    def __init__(
        self,
        sources: Sources,
        signal: str,
        argv: tuple[str, ...],
        ways: tuple[int, ...],
    ) -> None:
        super().__init__(signal, argv, ways)
        self.sources = sources
        self.globals = Object("globals")
        self.this = Object("main")
        self.loaded: set[str] = set()
        self.system_default: dict[str, Span] = {}
        self.killed_in: list[Wait] = []
        """What threads waited in that the program killed since the signal."""
        self.cleaned_by: Span | None = None
        """What ran because of the signal: a rescue, an ensure, an at_exit block."""
        self.met: Wait | None = None
        """What main waits for when the signal comes as an exception."""
        self.swallowed: Span | None = None
        """A rescue that caught the signal's exception, or that of `exit`."""
        self.refused: Span | None = None
        """Where a trap asks for a lock."""
        self.rescues: dict[str, Span] = {}
        """Where classes of exceptions are rescued, on the way that was taken."""
        self.killed: list[Thread] = []
        """Threads that were at their cleanup when main ended."""
        self.replaced: tuple[Any, ...] = ()
        """The words of `exec`."""
        self.tasks: dict[str, tuple[Any, list[str]]] = {}
        """Of rake: by name, the block and what comes before."""
        self.forked: list[Object] = []
        """Processes that run a block of the program."""
        self.orphans: list[Object] = []
        """Those of them that are still at work where main has ended after the signal."""
        self.spawns = False
        """It has started commands besides."""

    def meets_work(self) -> bool:
        if self.signal not in self.registered or len(self.threads) < 2:
            return False
        from gracelint.behaviour.machine.midst import meets_one_job

        return meets_one_job(self)

    def files(self) -> Iterable[File]:
        return self.sources.files.values()

    def begin(self) -> None:
        assert self.sources.entry is not None
        self.entry = self.sources.entry.source.path
        self.go(self._program(), None)

    def _program(self) -> Run:
        entry = self.sources.entry
        assert entry is not None
        how: tuple[str, Span | None] = ("returns", None)
        try:
            yield from self.load(entry)
            if self.tasks:
                yield from builtins.run_tasks(self)
        except Raised as error:
            kinds = {"SystemExit": "exit", "SignalException": "signal", "Interrupt": "signal"}
            how = (kinds.get(error.types[0], "raised"), error.span)
        except Leave:
            pass
        for hook, span in reversed(self.hooks):
            self.note(span)
            yield from self._hook(hook, span)
        others = [one for one in self.threads if not one.main]
        alone = left_alone(self, interest.works_after_loop(self)) if self.stopping else None
        left = [one.wait for one in others if one.wait is not None] if self.stopping else []
        self.left_in = [*self.killed_in, *left]
        self.orphans = [one for one in self.forked if not one.state["thread"].done] if self.stopping else []
        for one in others:
            one.thrown = Raised((_KILLED,), NIL, one.span)
        self.killed = [one for one in others if one.told and (one.wait is None or one.wait.kind in WORK)]
        self.killed += [alone] if alone is not None else []
        if others and entry is not None:
            span = entry.span(entry.root)
            yield Wait("end", span, lambda: all(one.done for one in others))
        raise Ended(*how)

    def _hook(self, hook: Any, span: Span) -> Run:
        try:
            yield from self.call(hook, [], span)
        except (Raised, Leave):
            return NIL
        return NIL

    def load(self, file: File) -> Run:
        """Runs a file once."""
        if file.source.path in self.loaded:
            return False
        self.loaded.add(file.source.path)
        yield from evaluate(self, Frame(file, Scope(), self.this), body_of(file))
        return True

    def start(self, run: Run, span: Span | None, main: bool = False) -> Thread:
        return super().start(run if main else self._guarded(run), span, main)

    def _guarded(self, run: Run) -> Run:
        """A thread: `exit` in it ends the process, by way of main; another error is the value that `join` raises."""
        try:
            value = yield from run
        except Raised as error:
            main = self.main_thread
            if error.types[0] == "SystemExit" and main is not None:
                main.thrown = error
            return error if error.types[0] not in _ABOVE else NIL
        except Leave:
            return NIL
        return value

    # signals

    @property
    def in_trap(self) -> bool:
        return self.current is not None and bool(self.current.below)

    def arrives(self) -> bool:
        main = self.main_thread
        if self.signal in self.ignored or self.signal in self.system_default or main is None:
            return False
        handler = self.handlers.get(self.signal)
        if handler is None and self.listener(self.signal) is not None:
            return super().arrives()
        if handler is not None:
            self.interrupt(main, self._handler(*handler))
            return True
        if self.signal not in RAISED:
            return False
        self.met = main.wait
        type_ = "Interrupt" if self.signal == "SIGINT" else "SignalException"
        main.thrown = Raised((type_, *_ABOVE[type_]), Object(type_), None)
        return True

    def _handler(self, function: Any, span: Span) -> Run:
        try:
            yield from self.call(function, [UNKNOWN], span)
        except Leave as leave:
            main = self.main_thread
            if leave.kind == "throw" and main is not None:
                main.thrown = leave  # it goes up from where main stands
        return NIL

    def note(self, span: Span) -> None:
        """Something of the program's own runs on the way out."""
        if self.stopping and self.cleaned_by is None:
            self.cleaned_by = span

    def entered(self, frame: Frame, node: Try) -> None:
        super().entered(frame, node)
        for names, _, body in node.catches:
            self.rescues.update(dict.fromkeys(names, frame.file.span(body.at)))

    def caught(self, error: Raised, span: Span) -> None:
        ends = error.types[0] in ("SignalException", "Interrupt", "SystemExit")
        if self.stopping and (ends or self.broken is not None):
            self.note(span)
            self.swallowed = span if ends else self.swallowed

    def unwound(self, span: Span) -> None:
        self.note(span)

    def is_error(self, error: Raised, name: str, frame: Frame) -> bool:
        if error.types[0] == _KILLED:
            return False
        return name.removeprefix("::") in self._ancestors(error.types)

    def _ancestors(self, types: tuple[str, ...]) -> set[str]:
        found: set[str] = set()
        for one in types:
            found |= {one, *_ABOVE.get(one, ("StandardError", "Exception")), *_BESIDES.get(one, ())}
        if types and types[0] in _ABOVE:
            found -= {"StandardError"}
        return found

    # names

    def truth(self, value: Any) -> bool | None:
        return isinstance(value, methods.Pushed) or super().truth(value)

    def name(self, frame: Frame, name: str) -> Run:
        if name == SELF:
            return frame.this
        if name == GLOBALS:
            return self.globals
        if name == "yield":
            return frame.block
        if name == "__FILE__":
            return frame.file.source.path
        if name[:1].isupper():
            if name in self.globals.fields:
                return self.globals.fields[name]
            class_ = self.class_named(name, frame.file)
            return class_ if class_ is not None else builtins.constant(self, name)
        span = frame.file.span(frame.file.root) if name not in self.sources.by_name else None
        function = yield from self.member(frame.this, name)
        if isinstance(function, (Closure, Lib, Method)):
            value = yield from self.apply(function, library.Given(name, span or _span(function, frame), [], {}), frame)
            return value
        return function

    def member(self, of: Any, name: str) -> Run:
        if name[:1] in "@$" or (of is self.globals and name[:1].isupper()):
            if name in ("$0", "$PROGRAM_NAME"):
                return self.entry
            fields = self.values_of(of) if isinstance(of, Class) else of.fields if isinstance(of, Object) else {}
            return fields.get(name, NIL)
        if of is self.this or (isinstance(of, Object) and of.package is not None):
            function = self.find(of.package, name) or self.sources.functions.get(name)
            if function is not None:
                return Closure(function, None, of)
            if name in of.fields:
                return of.fields[name]
            return Lib(name) if of is self.this or self._is_kernel(name) else Method(of, name)
        if isinstance(of, Class):
            values = self.values_of(of)
            if name in values:
                return values[name]
            function = self.find(of, name, "statics")
            if function is not None:
                return Closure(function, None, of)
            return Lib(name) if name != "new" and self._is_kernel(name) else Method(of, name)
        if of is NIL:
            return Method(of, name) if self.stopping and not self._is_kernel(name) else Lib(name)
        value = yield from super().member(of, name)
        return value

    def _is_kernel(self, name: str) -> bool:
        return name in builtins.KERNEL or name in library.rows(self, "functions") or name in self.sources.functions

    def class_named(self, name: str, file: Any) -> Class | None:
        own = self.sources.classes
        found = own.get(name.removeprefix("::"))
        if found is not None:
            return found
        ending = f"::{name}"
        return next((class_ for full, class_ in own.items() if full.endswith(ending)), None)

    def functions_named(self, name: str) -> list[Function]:
        return self.sources.by_name.get(name, [])

    def constructor(self, class_: Class) -> str:
        return "initialize"

    def same(self, value: Any, other: Any) -> bool | None:
        if isinstance(other, (Class, Lib)) or isinstance(value, Unknown):
            return None
        return super().same(value, other)

    def apply(self, function: Any, given: library.Given, frame: Frame | None) -> Run:
        if isinstance(function, str) and given.args:
            # `&:join`: a block that calls this method of what it gets
            its = yield from self.member(given.args[0], function)
            value = yield from self.apply(its, library.Given("", given.span, given.args[1:], given.named), frame)
            return value
        value = yield from super().apply(function, given, frame)
        return value

    def foreign(self, path: str, given: library.Given) -> Run:
        block = given.named.get("block")
        if isinstance(block, Closure) and path.rpartition(".")[2] in _LENDS:
            value = yield from self.call(block, [UNKNOWN], given.span)
            return value
        value = yield from super().foreign(path, given)
        return value

    def builtin(self, path: str, frame: Frame | None, given: library.Given) -> Run | None:
        return methods.array(self, given) if path == "Array.new" else builtins.function(self, path, frame, given)

    def method(self, of: Any, name: str, frame: Frame | None, given: library.Given) -> Run | None:
        return methods.method(self, of, name, frame, given)


def _span(function: Any, frame: Frame) -> Span:
    at = function.function.at if isinstance(function, Closure) else frame.file.root
    file = function.function.file if isinstance(function, Closure) else frame.file
    span: Span = file.span(at)
    return span
