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
ROOMY = 100_000
"""Code points, of all charts of a tree, that are worth several times as much where several are made of them."""


class Effort:
    """The steps that are left: of templates, of changes to objects, and one or two for each code point they make."""

    def __init__(
        self,
        start: int = START,
        each: int = OF_CHARTS,
        users: Callable[[str], int] = lambda path: 1,
        roomy: float | None = None,
    ) -> None:
        """`roomy`: the share of `ROOMY` that what is read has; None where that is not counted."""
        self.left = start
        self._each = each
        self._roomy = roomy
        self._length = 0
        self._users = users
        """How many releases or overlays are made of a file."""
        self._known: set[str] = set()

    def read(self, *sources: Source) -> None:
        """Notes a file that is rendered; the second time it adds nothing."""
        fresh = {source.path: source for source in sources if source.path not in self._known}
        self._known.update(fresh)
        shared: float = _SHARED
        if self._roomy is not None:
            self._length += sum(len(source.text) for source in fresh.values())
            shared = min(shared, 1 + self._roomy / max(self._length, 1))
        for path, source in fresh.items():
            self.left += int(self._each * len(source.text) * shared / max(self._users(path), shared))

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
