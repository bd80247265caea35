"""What charts and overlays may cost. Each has a share that depends on no order, and on nothing else that is asked for.

The share grows with the texts that it is made of, so that whoever writes much may take long; a text that many are
made of is divided among them, and so is what all have together.
"""

from __future__ import annotations

import posixpath

from gracelint.base.record import Record
from gracelint.render.values import TooLargeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gracelint.source import Source

START = 200_000
"""Steps that all charts and overlays of a tree have together."""
OF_CHARTS = 6
"""Further steps of releases for each code point of their charts: of 320 public ones none took five, two more than 2."""
OF_OVERLAYS = 8
"""The same of overlays: no public one took three."""
_SHARED = 8
"""How many may be made of a text before they have to divide what it is worth."""


class Effort:
    """The steps that are left: of templates, of changes to objects, and one or two for each code point they make."""

    def __init__(self, start: int = START, each: int = OF_CHARTS, users: Callable[[str], int] = lambda path: 1) -> None:
        self.left = start
        self._each = each
        self._users = users
        """How many releases or overlays are made of a file."""
        self.texts: set[str] = set()
        """The paths of those that were read."""

    def read(self, *sources: Source, shared: int = _SHARED) -> None:
        """Notes a file that is rendered; the second time it adds nothing.

        As many as `shared` may be made of it before they have to divide what it is worth.
        """
        for source in sources:
            if source.path not in self.texts:
                self.texts.add(source.path)
                users = max(self._users(source.path), shared)
                self.left += self._each * len(source.text) * shared // users

    def take(self, steps: int) -> None:
        """Counts what was done already."""
        self.left -= steps

    def spend(self, steps: int) -> None:
        """Counts what is done next. Raises TooLargeError."""
        self.take(steps)
        if self.left < 0:
            raise TooLargeError


class Readers(Record, identity=True):
    """How many folders are made of which other folders and files, themselves included."""

    counts: Mapping[str, int]

    def of(self, path: str) -> int:
        """How many are made of a file: those that name it, else those of the folders it lies in."""
        return self.counts.get(path) or sum(self.counts.get(folder, 0) for folder in folders_above(path))


def readers(folders: Iterable[str], made_of: Callable[[str], Iterable[str]]) -> Readers:
    """Counts them. `made_of` tells of a folder what it takes from elsewhere."""
    counts: dict[str, int] = {}
    known: dict[str, list[str]] = {}
    for folder in folders:
        found = {folder}
        todo = [folder]
        while todo and len(found) < _MOST:
            one = todo.pop()
            if one not in known:
                known[one] = list(made_of(one))
            fresh = [each for each in known[one] if each not in found]
            found.update(fresh)
            todo += fresh
        for each in found:
            counts[each] = counts.get(each, 0) + 1
    return Readers(counts)


_MOST = 500
"""What one is made of; more is rendered of none."""


def folders_above(path: str) -> Iterator[str]:
    """The folder that a file lies in, and all above it up to the root."""
    folder = posixpath.dirname(path)
    while True:
        yield folder
        if not folder:
            return
        folder = posixpath.dirname(folder)
