"""What one process keeps of a project between two readings of it: texts and what they say, launches and findings.

A text is the same object while its file is the same, and what was read in it holds as long as that. What was worked out
from several files holds while every question that was put to them has the same answer. Of each thing that is as it was
before the one from before is kept, so that what stands on it is seen to be the same by looking no further.
"""

from __future__ import annotations

import os

from gracelint.base.limits import Effort
from gracelint.base.memory import lru_cache
from gracelint.base.record import Record
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any, TypeVar

    from gracelint.facts.files import Files
    from gracelint.tree.discover import Found

    T = TypeVar("T")
    X = TypeVar("X")
    F = TypeVar("F", bound=Callable[..., Any])


class Warm:
    """One for each root."""

    def __init__(self) -> None:
        self.found: Found | None = None
        """What there is to read, until `look_again`."""
        self.keys: dict[str, tuple[str, ...]] | None = None
        """By which keys files are joined, likewise."""
        self._texts: dict[str, tuple[object, object]] = {}
        self._said: dict[tuple[str, str], tuple[Source, object]] = {}
        self._before: dict[Hashable, Any] = {}
        self._now: dict[Hashable, Any] = {}
        """What was worked out in the reading before and in this one."""
        self._is_whole = False

    def look_again(self) -> None:
        """Files may have come, gone or changed on the disk."""
        self.found = self.keys = None

    def begin(self) -> None:
        """Another reading begins: what the last one did not come across is let go, if it came to its end."""
        self._before, self._now = (self._now if self._is_whole else self._before | self._now), {}
        self._is_whole = False

    def end(self) -> None:
        """The reading has come across all there is."""
        self._is_whole = True

    def text(self, path: str, stamp: object, read: Callable[[], T]) -> T:
        """A file's text: the one of before if it stands for the same bytes, as `stamp` says."""
        known = self._texts.get(path)
        if known is not None and known[0] == stamp:
            found: T = known[1]  # type: ignore[assignment]
            return found
        made = read()
        self._texts[path] = stamp, made
        return made

    def said(self, what: str, source: Source, read: Callable[[], X]) -> X:
        """What a source says, read once."""
        known = self._said.get((what, source.path))
        if known is not None and known[0] is source:
            found: X = known[1]  # type: ignore[assignment]
            return found
        made = read()
        self._said[what, source.path] = source, made
        return made

    def again(self, name: Hashable, value: T) -> T:
        """A value, or what had that name in the reading before, if that is the same."""
        known: T | None = self._before.get(name)
        kept = known if known is not None and is_same(known, value) else value
        self._now[name] = kept
        return kept

    def made(self, name: Hashable, given: object, files: Files, make: Callable[[Files], X]) -> X:
        """What `make` returned in the reading before, if it was given the same and files answer it as they did then."""
        for known in self._before.get(name, ()):
            if is_same(known[0], given) and known[1].is_answered_by(unnoted(files)):
                self._now.setdefault(name, []).append(known)
                note(files, known[1])
                found: X = known[2]
                return found
        asked = Asked(unnoted(files), self)
        note(files, asked.answers)
        value = make(asked)
        self._now.setdefault(name, []).append((given, asked.answers, value))
        return value

    def found_in(self, subject: object, given: tuple[Any, ...], look: Callable[..., T]) -> T:
        """What rules find in a subject; not looked for again in one that is as it was before, by the same rules."""
        name = ("found", id(subject))
        known = self._before.get(name)
        if known is None or known[0] is not subject or not is_same(known[1], given):
            known = (subject, given, look(subject, *given))
        self._now[name] = known
        found: T = known[2]
        return found


class Answers:
    """What files answered, by question and path, with all that others had asked in whose answers it was found."""

    __slots__ = ("_compared", "_same", "known", "others")

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], object] = {}
        self.others: list[Answers] = []
        self._compared: Files | None = None
        self._same = False

    def is_answered_by(self, files: Files) -> bool:
        """Whether files say the same. Files are asked once for all that share these answers."""
        if self._compared is not files:
            self._same = all(
                getattr(files, question)(path) == answer for (question, path), answer in self.known.items()
            )
            self._same = self._same and all(other.is_answered_by(files) for other in self.others)
            self._compared = files
        return self._same


class Asked:
    """Files that remember what they were asked. Implements `facts.files.Files`."""

    def __init__(self, files: Files, warm: Warm) -> None:
        self.name = files.name
        self.warm = warm
        self.answers = Answers()
        self.files = files

    def read(self, path: str) -> Source | None:
        return self._noted("read", path, self.files.read)

    def glance(self, path: str) -> str:
        return self._noted("glance", path, self.files.glance)

    def exists(self, path: str) -> bool:
        return self._noted("exists", path, self.files.exists)

    def names(self, folder: str) -> tuple[str, ...]:
        return self._noted("names", folder, self.files.names)

    def listed(self, folder: str) -> tuple[str, ...]:
        return self._noted("listed", folder, self.files.listed)

    def _noted(self, question: str, path: str, ask: Callable[[str], T]) -> T:
        answer = self.answers.known[question, path] = ask(path)
        return answer


def unnoted(files: Files) -> Files:
    """The files that are asked behind those that note it."""
    return files.files if isinstance(files, Asked) else files


def note(files: Files, answers: Answers) -> None:
    """Has files that note what they were asked note what others were."""
    if isinstance(files, Asked):
        files.answers.others.append(answers)


def once(look: Callable[..., T]) -> Callable[..., T]:
    """Has what many launches look for in the same files looked for once; all of them note what was asked for it."""

    def looking(files: Files, *given: Hashable) -> T:
        known = _looked_for(unnoted(files))
        if (look, given) not in known:
            asked = Asked(files.files, files.warm) if isinstance(files, Asked) else None
            answers = asked.answers if asked is not None else None
            known[look, given] = answers, look(asked or files, *given)
        found: T
        answers, found = known[look, given]
        if answers is not None:
            note(files, answers)
        return found

    return looking


@lru_cache(1)
def _looked_for(files: Files) -> dict[tuple[Callable[..., Any], tuple[Hashable, ...]], tuple[Answers | None, Any]]:
    """In one run."""
    return {}


class Function:
    """A function of one text that notes what it was asked and what it said."""

    def __init__(self, function: Callable[[str], Any]) -> None:
        self._function = function
        self.said: dict[str, Any] = {}

    def __call__(self, text: str) -> Any:
        if text not in self.said:
            self.said[text] = self._function(text)
        return self.said[text]

    def is_as(self, other: Callable[[str], Any]) -> bool:
        """Whether another function says the same to all that was asked."""
        return all(is_same(other(text), answer) for text, answer in self.said.items())


def kept_warm(read: F) -> F:
    """Makes a reader of programs keep what it returned, where `files` can tell whether it still holds."""

    def reading(source: Any, *given: Any, files: Files, effort: Effort | None = None, **named: Any) -> Any:
        effort = effort or Effort()
        if not isinstance(files, Asked):
            return read(source, *given, files=files, effort=effort, **named)
        name = (read.__module__, source.path if isinstance(source, Source) else source)
        named = {key: Function(value) if callable(value) else value for key, value in named.items()}

        def make(asked: Files) -> tuple[Any, int]:
            return read(source, *given, files=asked, effort=effort, **named), before - effort.left

        before = effort.left
        found, taken = files.warm.made(name, (source, given, named, before, effort.launches), files, make)
        effort.take(taken - (before - effort.left))
        return found

    return reading  # type: ignore[return-value]


def is_same(one: Any, other: Any) -> bool:
    """Whether two values say the same of the same texts."""
    try:
        return _is_same(one, other)
    except RecursionError:
        return False


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other) or kind is Source:
        return False
    if kind is tuple or kind is list:
        return len(one) == len(other) and all(map(_is_same, one, other))
    if kind is dict:
        return list(one) == list(other) and all(map(_is_same, one.values(), other.values()))
    if kind is Function:
        return bool(one.is_as(other))
    if not isinstance(one, Record):
        return bool(one == other)
    for key in kind.__match_args__:
        mine, its = getattr(one, key), getattr(other, key)
        if mine is not its and not _is_same(mine, its):
            return False
    return True


def stamp_of(path: str) -> tuple[int, ...] | None:
    """Size, times and number of a file; nothing where there is none, and None where that cannot be told."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
