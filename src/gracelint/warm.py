"""What one process keeps of a project between two readings of it: texts and what they say, and what there is.

A text is the same object while its file is the same, and what was read in it holds as long as that. Joins are made
anew each time.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from gracelint.discover import Found
    from gracelint.source import Source

    T = TypeVar("T")
    X = TypeVar("X")


class Warm:
    """One for each root."""

    def __init__(self) -> None:
        self.found: Found | None = None
        """What there is to read, until `look_again`."""
        self.keys: dict[str, tuple[str, ...]] | None = None
        """By which keys files are joined, likewise."""
        self._texts: dict[str, tuple[object, object]] = {}
        self._said: dict[tuple[str, str], tuple[Source, object]] = {}

    def look_again(self) -> None:
        """Files may have come, gone or changed on the disk."""
        self.found = self.keys = None

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


def stamp_of(path: str) -> tuple[int, ...] | None:
    """Size, times and number of a file; None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
