"""What a program does, remembered for the next time it is started: for most nothing depends on the words after them.

A reader is given command line and environment as they are, in a form that notes what of them is looked at. Its answer
holds for every other start of the same file for which that is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from gracelint.base.limits import Effort
from gracelint.base.memory import leftovers
from gracelint.base.record import Record
from gracelint.source import Source
from gracelint.tree.warm import Asked, Function, is_same, note, unnoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from gracelint.facts.files import Files

    F = TypeVar("F", bound=Callable[..., Any])

MOST = 20
"""Different answers of one program that are remembered."""


class Words(Sequence[str]):
    """A command line that notes whether it was looked at. No tuple: `str.join` reads those behind their backs."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self._words = words
        self.is_seen = False

    @property
    def words(self) -> tuple[str, ...]:
        self.is_seen = True
        return self._words

    def __getitem__(self, at: Any) -> Any:
        return self.words[at]

    def __len__(self) -> int:
        return len(self.words)

    def __eq__(self, other: object) -> bool:
        return self.words == (other.words if isinstance(other, Words) else other)

    def __hash__(self) -> int:
        return hash(self.words)

    def __add__(self, more: tuple[str, ...]) -> tuple[str, ...]:
        return (*self.words, *more)

    def are_as_in(self, other: tuple[str, ...]) -> bool:
        """Whether all that was looked at is the same in another command line."""
        return not self.is_seen or self._words == other


class Variables(Mapping[str, "str | None"]):
    """An environment that notes which variables were looked at."""

    def __init__(self, all_of_them: Mapping[str, str | None]) -> None:
        self._all = all_of_them
        self.seen: dict[str, str | None] = {}
        """What was asked for, and what it was; None as well where there is no such variable."""
        self.known: dict[str, bool] = {}
        self.is_seen = False
        """Whether somebody went through all of them."""

    def __getitem__(self, name: str) -> str | None:
        self.known[name] = name in self._all
        self.seen[name] = self._all.get(name)
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        self.is_seen = True
        return iter(self._all)

    def __len__(self) -> int:
        self.is_seen = True
        return len(self._all)

    def __bool__(self) -> bool:
        return True

    def are_as_in(self, other: Mapping[str, str | None]) -> bool:
        """Whether all that was looked at is the same in another environment."""
        if self.is_seen:
            return dict(self._all) == dict(other)
        return all(
            other.get(name) == value and (name in other) == self.known[name] for name, value in self.seen.items()
        )


class Measured:
    """Files that know how much was read of them. Implements `facts.files.Files`."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.name = files.name
        self._lengths: dict[str, int] = {}

    def exists(self, path: str) -> bool:
        return self.files.exists(path)

    def glance(self, path: str) -> str:
        return self.files.glance(path)

    def names(self, folder: str) -> tuple[str, ...]:
        return self.files.names(folder)

    def listed(self, folder: str) -> tuple[str, ...]:
        return self.files.listed(folder)

    def read(self, path: str) -> Source | None:
        source = self.files.read(path)
        if source is not None:
            self.add(source)
        return source

    def add(self, source: Source) -> None:
        self._lengths[source.path] = len(source.text)

    def length(self) -> int:
        """Code points."""
        return sum(self._lengths.values())


class Spent(Record):
    """What a reading took out of its launch's room."""

    before: int
    taken: int
    all_of_it: bool
    """It came to no end."""
    launches: int

    def is_as_in(self, effort: Effort) -> bool:
        """Whether the reading comes to the same with another effort: among more launches a text is worth less."""
        if effort.launches != self.launches:
            return effort.launches < self.launches and not (self.taken or self.all_of_it)
        return effort.left == self.before if self.all_of_it else effort.left >= self.taken


def remembered(read: F) -> F:
    """Makes a reader of programs give its answer again where command line and environment make no difference to it."""

    def reading(
        source: Any,
        *given: Any,
        files: Files,
        argv: tuple[str, ...] | None = None,
        env: Any = None,
        effort: Effort | None = None,
        **named: Any,
    ) -> Any:
        effort = effort or Effort()
        functions = {name: value for name, value in named.items() if callable(value)}
        asked = (source, given, {name: value for name, value in named.items() if name not in functions})
        known = _answers(_itself(files)).setdefault((read.__module__, getattr(source, "path", source)), [])
        for question, words, variables, noted, answers, spent, program in known:
            same_start = words.are_as_in(argv or ()) and variables.are_as_in(env or {}) and is_same(question, asked)
            if (
                same_start
                and spent.is_as_in(effort)
                and all(noted[name].is_as(function) for name, function in functions.items())
            ):
                if answers is not None:
                    note(files, answers)
                effort.take(spent.taken)
                return program
        begun = leftovers.begin()
        words, variables = Words(argv or ()), Variables(env or {})
        noted = {name: Function(function) for name, function in functions.items()}
        measured = Measured(unnoted(files))
        if isinstance(source, Source):
            measured.add(source)
        noting = Asked(measured, files.warm) if isinstance(files, Asked) else measured
        own, before = Effort(above=effort, length=measured.length), effort.left
        start: dict[str, object] = {} if argv is None else {"argv": words}
        start |= {} if env is None else {"env": variables}
        answers = noting.answers if isinstance(noting, Asked) else None
        if answers is not None:
            note(files, answers)
        program = read(source, *given, files=noting, **{**start, **named, **noted}, effort=own)
        if len(known) < MOST:
            spent = Spent(before, before - effort.left, own.is_spent, effort.launches)
            known.append((asked, words, variables, noted, answers, spent, program))
        del own  # it knows the runs
        leftovers.end(begun)
        return program

    return reading  # type: ignore[return-value]


@lru_cache(1)
def _answers(files: Files) -> dict[tuple[str, str], list[Any]]:
    """Those of one run, by reader and file."""
    return {}


def _itself(files: Files) -> Files:
    while isinstance(files, (Asked, Measured)):
        files = files.files
    return files
