"""The Java virtual machine: threads, shutdown hooks, and what SIGTERM does.

SIGTERM, SIGINT and SIGHUP start all shutdown hooks at once, each in a thread of its own; when the last has returned the
process ends (exit 128 + signal), whatever other threads are at. `System.exit` does the same from inside, and waits for
ever where it is called in a hook (java.lang.Runtime).
"""

from __future__ import annotations

from gracelint.behaviour.java.library import builtin, method
from gracelint.behaviour.java.syntax import CONSTRUCTOR, STATIC, JavaClass
from gracelint.behaviour.machine import ends, library, nothing, ways
from gracelint.behaviour.machine.frames import Closure, Frame
from gracelint.behaviour.machine.interpreter import Interpreter
from gracelint.behaviour.machine.nodes import Class
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Ended, Lib, Method, Object, Raised, Scope, Thread
from gracelint.facts.program import Cause
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gracelint.behaviour.java.packages import Classes
    from gracelint.behaviour.machine.nodes import Call, Function, Node
    from gracelint.behaviour.machine.values import Run, Wait
    from gracelint.behaviour.tree import TreeFile
    from gracelint.facts.program import Reaction
    from gracelint.source import Span

SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")
_MOST = {"Integer": 2**31 - 1, "Long": 2**63 - 1}
_ABOVE = ("RuntimeException", "Exception", "Throwable")
_CALLED = ("run", "call", "handle", "accept", "execute", "get", "apply", "start")
"""Of a functional object what a library calls."""


class JavaMachine(Interpreter):
    language = "java_code"
    hook_name = "its shutdown hook"
    runtime = "the JVM"
    errors = ("Exception",)
    nothing: tuple[str, ...] = ("NullPointerException", *_ABOVE)

    def __init__(
        self, signal: str, argv: tuple[str, ...], ways: tuple[int, ...], *, classes: Classes, main: JavaClass, at: Span
    ) -> None:
        super().__init__(signal, argv, ways)
        self.classes, self.main, self.at = classes, main, at
        self.entry = main.file.source.path
        self.loaded: set[JavaClass] = set()
        """Classes that have been used."""
        self.shutting: list[Thread] = []
        """The threads of the shutdown hooks, once they run."""
        self.halted_at: float | None = None
        """When the last of them has returned: the process ends. What would have gone on is followed all the same."""
        self.cut_off: Thread | None = None
        """A thread that was still at it when the process ended."""
        self.answered: set[int] = set()
        """Threads that had heard of the stop by then."""
        self.calls = self.calls_before = 0
        """Calls so far, and before the thread that runs had its turn."""
        self.hung: Span | None = None
        """Where a hook calls System.exit."""
        self.ending = Ended("returns", at)
        self.outside = ""
        """The first call of a library nobody knows."""
        self.busy: list[Object] = []
        """Servers that had requests in flight when the process ended."""
        self.thread_objects: dict[int, Object] = {}
        self.interrupted: set[int] = set()
        """Threads whose next wait ends with an InterruptedException."""
        self.tasks_given_up: dict[Wait, Thread] = {}
        """By what they waited in, the tasks of a pool that was no longer waited for."""
        self.at_work: dict[Span, bool] = {}
        """Of each pause of a pool's task, whether it is in the middle of its work."""
        self.unflushed: dict[Object, Span] = {}
        """What was written last into buffers that have not been flushed since."""
        self.called_late: set[str] = set()
        """The program's functions that were called between the signal and the end."""
        self.asked_late: set[str] = set()
        """The methods of others that were."""
        self.rounds: list[tuple[Any, Span]] = []
        """What a timer or a pool does again and again, and where it was told to."""
        self.orphans: list[Object] = []
        """Children that had not ended when it did."""
        self.stood_in: list[Wait] = []
        """What threads waited in when the process ended."""
        self.left_in_buffer: Span | None = None
        """The first of them when the process ended."""
        self.uncaught: Span | None = None
        """What a hook has raised, and caught nothing of."""
        self.broken_off: list[tuple[Wait, Span]] = []
        """What threads waited in that were interrupted after the signal, and by which call."""

    def files(self) -> Iterable[TreeFile]:
        return self.classes.sources

    # the program

    def begin(self) -> None:
        start = self.find(self.main, "main", "statics") or self.find(self.main, "main")
        assert start is not None
        self.go(self._main(start), self.at)

    def _main(self, start: Function) -> Run:
        yield from self._load(self.main)
        yield from self.enter(
            Closure(start, None, self.main), library.Given("main", self.at, [self.command_line()], {})
        )

    def start(self, run: Run, span: Span | None, main: bool = False) -> Thread:
        return super().start(self._to_its_end(run), span, main)

    def _to_its_end(self, run: Run) -> Run:
        """A thread ends with an exception that it does not catch."""
        try:
            value = yield from run
        except Raised as error:
            self.uncaught = error.span if self.current in self.shutting else self.uncaught
            return NIL
        return value

    def meets_work(self) -> bool:
        if not self.hooks:
            return False
        from gracelint.behaviour.java.jobs import meets_work

        return meets_work(self)

    def comes_to_more(self) -> bool:
        return self.halted_at is None and super().comes_to_more()

    def finished(self, thread: Thread) -> None:
        """The process ends with its last thread that is no daemon; hooks run then, too."""
        if self.halted_at is not None:
            late = self.now > self.halted_at or (id(thread) not in self.answered and self.calls > self.calls_before)
            self.cut_off = self.cut_off or (thread if late else None)
            return
        if thread in self.shutting:
            if all(one.done for one in self.shutting):
                self._halt()
            return
        if not self.shutting and not any(not one.daemon for one in self.threads):
            self.shut(thread.span, "returns")

    def shut(self, span: Span | None, how: str) -> None:
        """Starts the hooks; without any the process ends at once."""
        self.ending = Ended(how, span)
        hooks = [self.start(self._hook(what, at), at) for what, at in self.hooks]
        for thread in hooks:
            thread.main = True
        self.shutting = hooks
        if not hooks:
            self._halt()

    def _hook(self, what: Any, at: Span) -> Run:
        value = yield from self.call(what, [], at)
        return value

    def _halt(self) -> None:
        """The end; where the signal was heard, the program is followed for a while, to see what it would have done."""
        self.ended = self.ending
        heard = self.hooks or self.signal in self.handlers or self.signal in self.registered
        if not self.stopping or self.halted_at is not None or not heard:
            raise self.ending
        self.halted_at = self.now
        self.left_in_buffer = next(iter(self.unflushed.values()), None)
        self.orphans = [one for one in self.children if "over" not in one.state]
        self.stood_in = [one.wait for one in self.threads if one.wait is not None and one not in self.shutting]
        over = [wait for wait, task in self.tasks_given_up.items() if task.done]
        self.given_up = [one for one in self.given_up if one[0] not in over]
        self.busy = [one for one in self.servers if not one.state.get("drained")]
        self.answered = {id(one) for one in self.threads if one.told}

    def arrives(self) -> bool:
        handler = self.handlers.get(self.signal)
        if handler is not None:
            self.start(self.call(handler[0], [UNKNOWN], handler[1]), handler[1]).told = True
            return True
        if self.signal in SIGNALS:
            self.shut(self.at, "exit")
        return True

    def took(self) -> float | None:
        """Seconds from the signal to the end, beyond those that requests in flight need."""
        assert self.halted_at is not None
        assert self.stopped_at is not None
        took = self.slept if self.servers else max(self.slept, self.halted_at - self.stopped_at)
        return took if took >= 0.01 else None

    def halt(self, span: Span) -> None:
        """`Runtime.halt`: at once, whatever hooks and threads are at."""
        if self.halted_at is None:
            self.ending = Ended("hard", span)
            self._halt()

    def what_is_lost(self) -> Reaction | None:
        """What the end cuts off: requests in flight, or a thread that was on its way out."""
        assert self.ended is not None
        for one in self.busy:
            one.state.pop("drained", None)
        end, self.now = self.now, self.halted_at if self.halted_at is not None else self.now
        lost = ends.lost(self.signal, self, self.ended, f"{self.runtime} ends", self.at)
        self.now = end
        lost = lost or nothing.lost(self.signal, self) or self._raised_in_hook() or self._unflushed()
        lost = lost or self._never_unwound()
        if lost is None:
            lost = self._left_half_done()
        if lost is not None or self.cut_off is None:
            return lost
        span = self.hooks[0][1] if self.hooks else self.at
        name = self._thread_name(self.cut_off)
        why = f"{self.hook_name} does not wait for {name}, and {self.runtime} ends before that is done"
        return ways.reaction(self.signal, Verdict.CUT, Cause.SHUTDOWN_NOT_AWAITED, why, span)

    def gives_up(self, tasks: list[Thread], span: Span, seconds: float) -> None:
        """A pool is no longer waited for, with some of its tasks still at work."""
        for one in tasks:
            if not one.done and one.wait is not None and one.wait.kind == "sleep":
                self.given_up.append((one.wait, span, seconds))
                self.tasks_given_up[one.wait] = one

    def _raised_in_hook(self) -> Reaction | None:
        if self.uncaught is None:
            return None
        why = f"{self.hook_name} ends with the exception of {self.place(self.uncaught)}, and does nothing after it"
        return ways.reaction(self.signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, self.uncaught)

    def _never_unwound(self) -> Reaction | None:
        from gracelint.behaviour.java.jobs import never_unwound

        found = next(((its, wait.span) for wait in self.stood_in if (its := never_unwound(self, wait))), None)
        if found is None:
            return None
        (name, is_open), span = found
        why = f"{self.runtime} ends while a thread waits in {self.place(span)}, and what calls `{name}` at its end"
        why = f"{why} never runs"
        if is_open:
            why = f"whether `{name}` does more than {self.hook_name} is not known: {why}"
            return ways.reaction(self.signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
        return ways.reaction(self.signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)

    def _unflushed(self) -> Reaction | None:
        span = self.left_in_buffer
        if span is None:
            return None
        why = f"`{ends.line(span.text)}` of {self.place(span)} writes into a buffer that nothing flushes"
        why = f"{why} before {self.runtime} ends on {self.signal}"
        return ways.reaction(self.signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)

    def meets_nothing(self, frame: Frame, node: Call) -> None:
        if self.halted_at is None:
            super().meets_nothing(frame, node)

    def beyond(self, frame: Frame, node: Node) -> Any:
        if self.stopping and self.nothing and self.halted_at is None:
            self.fails(("ArrayIndexOutOfBoundsException", "IndexOutOfBoundsException", *_ABOVE), frame, node)
        return super().beyond(frame, node)

    def _left_half_done(self) -> Reaction | None:
        from gracelint.behaviour.java.jobs import gives_it_back
        from gracelint.behaviour.machine.midst import gives_too_little, is_half_done

        short = gives_too_little(self.signal, self, f"{self.runtime} ends", [one for one, _, _ in self.given_up])
        if short is not None:
            return short
        half_done = (pair for pair in self.broken_off if is_half_done(self, pair[0]))
        found = next((pair for pair in half_done if not gives_it_back(self, pair[0])), None)
        if found is None:
            return None
        wait, span = found
        why = f"`{ends.line(span.text)}` ends a thread in the middle of the work of {self.place(wait.span)}"
        return ways.reaction(self.signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, span)

    def _thread_name(self, thread: Thread) -> str:
        return "main" if thread.span is self.at else f"the thread of {self.place(thread.span or self.at)}"

    # names

    def name(self, frame: Frame, name: str) -> Run:
        if name == "this":
            return frame.this
        if name.endswith("(...)"):
            return Lib("java.constructor")
        if name.endswith("()"):
            found = yield from self._function(frame, name[:-2])
            return found
        if isinstance(frame.this, Object) and name in frame.this.fields:
            return frame.this.fields[name]
        class_ = self.classes.find(name, frame.file, self._class(frame))
        if class_ is not None:
            yield from self._load(class_)
            return class_
        full = frame.file.imports.get(name, name)
        static = full.rpartition(".")[0].rpartition(".")[2]
        return Lib(f"{static}.{name}" if static[:1].isupper() else name)

    def member(self, of: Any, name: str) -> Run:
        if isinstance(of, Lib) and name == "MAX_VALUE" and of.path in _MOST:
            return _MOST[of.path]
        value = yield from super().member(of, name)
        return value

    def _class(self, frame: Frame) -> JavaClass | None:
        this = frame.this.package if isinstance(frame.this, Object) else frame.this
        return this if isinstance(this, JavaClass) else None

    def _function(self, frame: Frame, name: str) -> Run:
        """A method that is called without an object: the class's own, inherited, or of a class around it."""
        if name.startswith("super."):
            name = name[len("super.") :]
            class_ = self._class(frame)
            for base in class_.bases if class_ is not None else ():
                above = self.class_named(base, frame.file)
                function = self.find(above, name) if above is not None else None
                if function is not None:
                    return Closure(function, None, frame.this)
            return Method(UNKNOWN, name)
        this: Any = frame.this
        here = self._class(frame)
        while here is not None:
            function = self.find(here, name)
            if function is not None and isinstance(this, Object):
                return Closure(function, None, this)
            function = self.find(here, name, "statics")
            if function is not None:
                return Closure(function, None, here)
            this = this.fields.get("$outer", NIL) if isinstance(this, Object) else this
            here = here.outer
        full = frame.file.imports.get(name)
        if full is not None:
            class_ = self.classes.find(full.rpartition(".")[0].rpartition(".")[2], frame.file)
            function = self.find(class_, name, "statics")
            if class_ is not None and function is not None:
                yield from self._load(class_)
                return Closure(function, None, class_)
            return Lib(".".join(full.split(".")[-2:]))
        return Method(frame.this, name)

    def _load(self, class_: JavaClass) -> Run:
        """What a class does when it is first used."""
        if class_ in self.loaded:
            return
        self.loaded.add(class_)
        for name in class_.constants:
            self.values_of(class_)[name] = one = Object(class_.name, self.at, class_)
            one.state["constant"] = name
            one.fields |= dict.fromkeys(class_.own, UNKNOWN)
        for name in class_.shared:
            self.values_of(class_).setdefault(name, NIL)
        start = class_.statics.get(STATIC)
        if start is not None:
            yield from self.enter(Closure(start, None, class_), library.Given(STATIC, self.at, [], {}))

    def class_named(self, name: str, file: Any) -> Class | None:
        return self.classes.find(name, file)

    def functions_named(self, name: str) -> list[Function]:
        bare = name.removesuffix("()").removeprefix("super.")
        return [
            one
            for file in self.classes.sources
            for class_ in file.classes.values()
            for one in (class_.methods.get(bare), class_.statics.get(bare))
            if one is not None
        ]

    def constructor(self, class_: Class) -> str:
        return CONSTRUCTOR

    def make(self, class_: Class, given: library.Given, init: str) -> Run:
        one = Object(class_.name, given.span, class_)
        frame = Frame(class_.file, Scope(), one)
        if self.current_this is not NIL:
            one.fields["$outer"] = self.current_this
        for above in reversed(self.line(class_)):
            for name, node in above.fields.items():
                one.fields[name] = NIL
                if node is not None:
                    from gracelint.behaviour.machine.evaluation import evaluate

                    one.fields[name] = yield from evaluate(self, frame, node)
        function = self.find(class_, init)
        if function is not None:
            yield from self.enter(Closure(function, None, one), given)
        return one

    current_this: Any = NIL

    def new(self, type_: Any, given: library.Given, frame: Frame) -> Run:
        if isinstance(type_, Class):
            self.current_this = frame.this if isinstance(frame.this, Object) else NIL
        value = yield from super().new(type_, given, frame)
        return value

    def join(self, path: str, name: str) -> str:
        return f"{path}.{name}"

    def same(self, value: Any, other: Any) -> bool | None:
        """A case names the constant of an enum alone."""
        constant = value.state.get("constant") if isinstance(value, Object) else None
        return constant == other if constant is not None and isinstance(other, str) else super().same(value, other)

    # calls

    def call(self, function: Any, given: list[Any], span: Span) -> Run:
        if isinstance(function, Object) and function.package is not None:
            for name in _CALLED:
                own = self.find(function.package, name)
                if own is not None:
                    value = yield from self.enter(Closure(own, None, function), library.Given(name, span, given, {}))
                    return value
        if isinstance(function, dict):
            function = next((function[name] for name in _CALLED if name in function), UNKNOWN)
        if isinstance(function, Object) and function.type == "Thread":
            function = function.state.get("runs", UNKNOWN)
            value = yield from self.call(function, given, span)
            return value
        value = yield from self.apply(function, library.Given("", span, given, {}), None)
        return value

    def resume(self, thread: Thread) -> bool:
        self.calls_before = self.calls
        return super().resume(thread)

    def enter(self, closure: Closure, given: library.Given) -> Run:
        if self.stopping and self.halted_at is None:
            self.called_late.add(closure.function.name)
        return super().enter(closure, given)

    def apply(self, function: Any, given: library.Given, frame: Frame | None) -> Run:
        self.calls += 1
        outside = self._outside(function, given)
        if isinstance(function, (Lib, Method)) and self.stopping and self.halted_at is None:
            self.asked_late.add((function.name if isinstance(function, Method) else function.path).rpartition(".")[2])
        if outside is None:
            return super().apply(function, given, frame)
        return self._foreign(outside, given)

    def _outside(self, function: Any, given: library.Given) -> str | None:
        """The library's method that is called where the class's own one of that name takes other arguments."""
        if not isinstance(function, Closure) or not isinstance(function.this, Object) or function.scope is not None:
            return None
        params = function.function.params
        if len(given.args) == len(params) or any(param.kind for param in params) or function.this.package is None:
            return None
        bases = [
            one for one in self.types(function.this.package) if self.class_named(one, function.function.file) is None
        ]
        return f"{bases[0]}.{function.function.name}" if bases and function.function.name != CONSTRUCTOR else None

    def _foreign(self, path: str, given: library.Given) -> Run:
        yield from self.foreign(path, given)
        return UNKNOWN

    def foreign(self, path: str, given: library.Given) -> Run:
        if not self.stopping and not self.is_silent(path) and "." in path:
            self.outside = self.outside or path
        if self.unflushed:
            from gracelint.behaviour.java.streams import handed

            handed(self, given)
        return super().foreign(path, given)

    def builtin(self, path: str, frame: Frame | None, given: library.Given) -> Run | None:
        return builtin(self, path, given)

    def method(self, of: Any, name: str, frame: Frame | None, given: library.Given) -> Run | None:
        return method(self, of, name, given)
