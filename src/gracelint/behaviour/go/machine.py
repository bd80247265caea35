"""One run of a Go program: its packages, and what its runtime does with a signal.

What signal.Notify asks for goes to the channel and nowhere else. The process ends when main returns, whatever other
goroutines are doing.
"""

from __future__ import annotations

from gracelint.behaviour.machine.machine import Machine
from gracelint.behaviour.machine.values import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.go.packages import Modules, Package
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span


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
        """Parts, by file and place, that the arguments of the command line leave out."""

    def begin(self) -> None:
        self.go(self.program, self.at)

    def call(self, function: Any, given: list[Any], span: Span) -> Run:
        from gracelint.behaviour.go.expressions import call

        return call(self, function, given, span)
