"""The .NET runtime: threads, handlers of the process's end, and what SIGTERM does.

Until .NET 9 the runtime answers SIGTERM as `Environment.Exit` does: it raises ProcessExit, whose handlers run one after
the other, and ends when they have returned, whatever other threads are at. From .NET 10 on nothing of the
runtime listens to SIGTERM (dotnet/docs, compatibility/core-libraries/10.0/sigterm-signal-handler).
"""

from __future__ import annotations

from gracelint.behaviour.csharp.library import builtin, member, method
from gracelint.behaviour.java.machine import JavaMachine
from gracelint.behaviour.machine import library
from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.nodes import Class
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Ctx, Ended, Lib, Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gracelint.behaviour.csharp.packages import CsClasses
    from gracelint.behaviour.java.syntax import JavaClass
    from gracelint.behaviour.machine.frames import Frame
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.tree import TreeFile
    from gracelint.source import Span


class CsMachine(JavaMachine):
    language = "dotnet_code"
    hook_name = "its ProcessExit handler"
    runtime = "the process"
    nothing = ()

    def __init__(
        self,
        signal: str,
        ways: tuple[int, ...],
        *,
        classes: CsClasses,
        main: JavaClass,
        at: Span,
        version: tuple[int, ...],
    ) -> None:
        super().__init__(signal, (), ways, classes=classes, main=main, at=at)  # type: ignore[arg-type]
        self.version = version
        self.posix: list[tuple[str, Any, Span]] = []
        """Handlers of PosixSignalRegistration and of Console.CancelKeyPress."""
        self.unheard = False
        """Nothing listens to the signal: as PID 1 it is ignored, elsewhere it ends the process at once."""

    def files(self) -> Iterable[TreeFile]:
        return ()

    def begin(self) -> None:
        start = self.find(self.main, "Main", "statics")
        assert start is not None
        self.go(self._main(start), self.at)

    def shut(self, span: Span | None, how: str) -> None:
        """The handlers run one after the other in one thread."""
        hooks, self.ending = list(self.hooks), Ended(how, span)

        def run() -> Run:
            for what, at in hooks:
                yield from self.call(what, [UNKNOWN, UNKNOWN], at)

        if not hooks:
            self._halt()
            return
        thread = self.start(run(), hooks[0][1])
        thread.main = True
        self.shutting = [thread]

    def arrives(self) -> bool:
        own = [(what, span) for name, what, span in self.posix if name == self.signal]
        listens = self.signal == "SIGTERM" and self.version < (10,)
        if not own:
            self.unheard = not listens and self.signal != "SIGINT"
            if listens:
                self.shut(self.at, "exit")
            elif not self.unheard:
                self.ending = Ended("exit", self.at)
                self._halt()
            return True
        thread = self.start(self._answer(own, listens), own[0][1])
        thread.told, thread.daemon = True, True
        return True

    def _answer(self, own: list[tuple[Any, Span]], listens: bool) -> Run:
        """Its own handlers, and what comes of the signal unless they cancel it."""
        context = Object("PosixSignalContext", own[0][1])
        context.fields["Cancel"] = False
        for what, span in own:
            yield from self.call(what, [context] if self.signal == "SIGTERM" else [UNKNOWN, context], span)
        if context.fields["Cancel"] is not True:
            if listens:
                self.shut(self.at, "exit")
            else:
                self.halt(own[0][1])

    def member(self, of: Any, name: str) -> Run:
        found = member(self, of, name)
        if found is not None:
            yield from ()
            return found
        value = yield from super().member(of, name)
        return value

    def make(self, class_: Class, given: library.Given, init: str) -> Run:
        one = yield from super().make(class_, library.Given(given.path, given.span, given.args, {}), init)
        one.fields.update(given.named)
        return one

    def wait_for(self, value: Any, span: Span) -> Run:
        if isinstance(value, Object) and value.type == "Completion":
            value = value.state["context"]
        if isinstance(value, Ctx):
            from gracelint.behaviour.machine.machine import receive

            result = yield from receive(self, value, span, None)
            return result
        result = yield from super().wait_for(value, span)
        return result

    def _outside(self, function: Any, given: library.Given) -> str | None:
        return None

    def call(self, function: Any, given: list[Any], span: Span) -> Run:
        if isinstance(function, Closure):
            given = given[: len(function.function.params)]
        value = yield from super().call(function, given, span)
        return value

    def builtin(self, path: str, frame: Frame | None, given: library.Given) -> Run | None:
        return builtin(self, path, given)

    def method(self, of: Any, name: str, frame: Frame | None, given: library.Given) -> Run | None:
        return method(self, of, name, given)

    def name(self, frame: Frame, name: str) -> Run:
        if name == "args":
            return []
        value = yield from super().name(frame, name)
        return value if value is not NIL else Lib(name)
