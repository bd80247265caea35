"""How much of a file is followed. What goes beyond is told as unknown: "too large to be followed".

Text can make a reader do far more work than it is long: values that double, calls that fan out, walks that never
arrive. Each reader therefore counts what it does, and copying a value is work like any other.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Run(Protocol):
        """One run of a program: the steps it has taken, and how many it may take before it asks again."""

        steps: int
        limit: int


STEPS = 60_000
"""Statements and expressions that one run of a program evaluates."""
ROOM = 120_000
"""Steps of the programs of one tree beyond those that each is worth: divided among the files that may start some, and
among the launches of each, so that a share depends on no order and not on what else is linted."""
WORTH = 3_000
"""Steps that all runs of a program take together, or as many as there is room for its launch, if that is less."""
WORTH_EACH = 2
"""Further ones for each code point of its sources: of 600 programs, public ones among them, three took more."""
SHARED = 200_000
"""Code points that count for all launches of a file together, beyond those of a text that all of them may read: nobody
knows, before it is followed, whose text one is."""
MODULE = 20
"""Steps that a module costs before anything in it is evaluated."""
PORTION = 1_000
"""Steps that are taken out of the room at once."""
DEPTH = 40
"""Calls within calls."""
MOST_NESTED = 4
"""Of a function within itself, where it only goes through data within data."""
ELEMENTS_A_STEP = 4
"""Elements of a list, or of another collection, that are copied at the price of one step."""
EXPANDED = 4_096
"""Characters of a text that others were put into; one that is written down may be longer."""
WORDS = 1_000
"""Words of a command line beyond those that are written down: `set -- "$@" "$@"` doubles them."""
PROCESSES = 3_000
"""Processes that one launch starts, or may start, one after the other or side by side."""
VARIABLES = 1_000_000
"""Code points of `env_file`s that the services of one Compose project read, counted each time."""
EXACT = 2**53
"""Beyond it an integer is told from its neighbours by nobody who counts seconds, ports or signals."""
FIELDS = 50_000_000
"""Code points that Python reads for the fields of all f-strings of one file."""
TOKENS = 300_000
"""Words and signs of one file in Python, whose syntax tree takes 300 bytes for each."""


class Effort:
    """The steps that are left for the programs of one launch, beyond those that they are worth; or for one of them."""

    def __init__(
        self,
        room: int = ROOM,
        *,
        above: Effort | None = None,
        length: Callable[[], int] = lambda: 0,
        launches: int = 1,
    ) -> None:
        self._room = room
        self._above = above
        """That of its launch, whose room it takes from."""
        self._length = length
        self.launches: int = 1 << (launches - 1).bit_length() if above is None else above.launches
        """How many may read the same texts, each in its own way. A power of two: an answer holds for as many only."""
        self._granted = min(WORTH, ROOM // self.launches)
        self._runs: list[Run] = []
        self.is_spent = False
        """A run was ended because there is no room left."""

    @property
    def left(self) -> int:
        return self._room if self._above is None else self._above.left

    def share(self, length: int) -> int:
        """How many code points of a text, or of several, count for one of the launches that may read it."""
        return min(length, (length + SHARED) // self.launches)

    def take(self, steps: int) -> bool:
        """Takes steps out of the room, if it has as many."""
        if self._above is not None:
            return self._above.take(steps)
        if self._room < steps:
            return False
        self._room -= steps
        return True

    def lets(self, run: Run) -> bool:
        """Whether a run that has come to its limit may go on; it is given its next one then."""
        if not any(one is run for one in self._runs):
            self._runs.append(run)
        others = sum(one.steps for one in self._runs if one is not run)
        while run.steps <= STEPS:
            limit = self._granted + WORTH_EACH * self.share(self._length()) - others
            if run.steps <= limit:
                run.limit = min(STEPS, limit)
                return True
            if not self.take(PORTION):
                self.is_spent = True
                return False
            self._granted += PORTION
        return False
