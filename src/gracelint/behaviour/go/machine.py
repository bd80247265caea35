"""One run of a Go program: its packages, and what its runtime does with a signal.

What signal.Notify asks for goes to the channel and nowhere else. The process ends when main returns, whatever other
goroutines are doing.
"""

from __future__ import annotations

from gracelint.behaviour.go.interest import leaves_loop
from gracelint.behaviour.machine.machine import Machine
from gracelint.behaviour.machine.values import Ctx, Err, Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Modules, Package
    from gracelint.behaviour.go.syntax import File
    from gracelint.behaviour.go.values import Func
    from gracelint.behaviour.machine.values import Chan, Run, Thread
    from gracelint.source import Span


_PAUSES = ("sleep", "receive", "select")


class GoMachine(Machine):
    language = "go"
    unit = 1e-9

    program: Run
    at: Span

    def __init__(
        self, modules: Modules, main: Package, signal: str, argv: tuple[str, ...], ways: tuple[int, ...], work: float
    ) -> None:
        super().__init__(signal, argv, ways, work)
        self.modules, self.main = modules, main
        self.scopes: dict[str, Scope] = {}
        self.passed: set[tuple[str, int, int]] = set()
        """Parts, by file and place, that known conditions leave out."""
        self.taken_branches: set[tuple[str, int, int]] = set()
        self.unbuffered: list[Chan] = []
        """Channels without room that signal.Notify was given."""
        self.replaced: tuple[tuple[str, Span], ...] = ()
        """The words of the command it execs."""
        self.polled: list[Chan] = []
        """Those of them that a select with a default looks into."""

        self.entered: set[int] = set()
        """Functions that have been called."""
        self.entered_late: set[int] = set()
        """Those that have been since the signal."""
        self.given_up_at: list[tuple[File, Node, Node]] = []
        """Pauses that the signal has ended: the select, and the case that it came to."""
        self.tried: list[tuple[Span, bool]] = []
        """Loops of main since the signal, and of goroutines, which end once a call succeeds; whether main is in it."""
        self.undone: dict[int, Span] = {}
        """By function, where it was called with a context that had ended, for which it gave up."""

        self.fired_timers: list[Thread] = []
        """Those whose time came before the signal did, which may come first as well."""
        self.slept_through: dict[Span, Thread] = {}
        """Pauses before the signal, which may come in them."""

        self.works_beside = False
        """A goroutine that the signal has set going takes its time, while main may wait for requests."""
        self.greeting: dict[Thread, Span] = {}
        """Goroutines that serve a connection, count themselves first, and have not come to it yet."""
        self.connections: dict[Thread, int] = {}
        """Those that serve a connection, and how often each has read from it."""
        self.hung_up = False
        """Something else has ended the connections since the signal."""
        self.looked_at = -1
        """How many functions had been called since the signal when that was looked for last."""
        self.patience: float | None = None
        """Until when a read of theirs waits, where it has a deadline."""
        self.handed: set[Thread] = set()
        """Goroutines that a loop starts, one for each piece of its work."""
        self.at_work: dict[Span, bool] = {}
        """Of each of their pauses, whether it is in the middle of that."""

    def meets_work(self) -> bool:
        if self.signal not in self.registered or len(self.threads) < 2:
            return False
        from gracelint.behaviour.go.jobs import meets_work

        return meets_work(self)

    def begin(self) -> None:
        self.go(self.program, self.at)

    def files(self) -> Iterable[File]:
        return (file for package in self.modules.packages(self.main) for file in package.files)

    def deliver_to(self, channel: Chan) -> None:
        """Sends without blocking: nothing gets into an unbuffered channel that is only polled."""
        super().deliver_to(channel)
        if channel in self.polled and not any(thread.wait and thread.wait.ready() for thread in self.threads):
            channel.queue.clear()

    def passes(self, file: File, taken: Node | None, left_out: list[Node | None]) -> None:
        """Notes what is not run, where a known condition decides that, unless it is run another time."""

        def places(branches: list[Node | None]) -> set[tuple[str, int, int]]:
            return {(file.source.path, one.start_byte, one.end_byte) for one in branches if one}

        self.taken_branches |= places([taken])
        self.passed = (self.passed | places(left_out)) - self.taken_branches

    def resume(self, thread: Thread) -> bool:
        moved = super().resume(thread)
        wait = thread.wait
        if moved and self.stopping and thread.told and not thread.main and wait is not None:
            self.works_beside = self.works_beside or (wait.kind in _PAUSES and wait.at() is not None)
        return moved

    def goes_past(self, file: File, guard: Node) -> None:
        """A guard is passed by that nobody can tell, and that leaves."""
        if self.is_main_stopping() and leaves_loop(guard):
            self.ways_out.append(file.span(guard))

    def begins_too_late(self, function: Func, given: list[Any]) -> bool:
        """Whether main calls a function for the first time, with a context that has ended."""
        its = function.node.id
        is_new = its not in self.entered
        self.entered.add(its)
        if self.stopping:
            self.entered_late.add(its)
        over = any(isinstance(one, Ctx) and one.ends(self.now) for one in given)
        return is_new and over and self.is_main_stopping()

    def ends_undone(self, function: int, span: Span, error: Any) -> None:
        """Such a function has returned."""
        if isinstance(error, Err) and error.name.startswith("context."):
            self.undone[function] = span

    def calls(self, function: Any, given: list[Any], span: Span) -> None:
        """A library is called."""

    def comes_to(self, routes: Any, given: list[Any], span: Span) -> Run:
        """A mux is asked to answer a request."""
        yield from ()

    def call(self, function: Any, given: list[Any], span: Span) -> Run:
        from gracelint.behaviour.go.expressions import call

        return call(self, function, given, span)
