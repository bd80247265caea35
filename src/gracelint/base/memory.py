"""Remembering what functions return, as `functools` does, which takes longer to import than a Dockerfile to read."""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import cache, lru_cache
    from typing import Any, TypeVar

    from gracelint.source import Source

    T = TypeVar("T")
    F = TypeVar("F", bound=Callable[..., Any])
    __all__ = ["cache", "lru_cache"]
else:
    try:
        from _functools import _lru_cache_wrapper
    except ImportError:  # an interpreter without CPython's
        from functools import cache, lru_cache
    else:

        def cache(function):
            """Remembers every answer."""
            return lru_cache(maxsize=None)(function)

        def lru_cache(maxsize):
            """Remembers the last answers that were asked for."""

            def remembering(function):
                remembered = _lru_cache_wrapper(function, maxsize, False, tuple)
                remembered.__wrapped__, remembered.__module__ = function, function.__module__
                return remembered

            return remembering


def fleeting(maxsize: int) -> Callable[[F], F]:
    """As `lru_cache`, for answers that hold on to a program's trees: they are let go with it."""

    def remembering(function: F) -> F:
        remembered: Any = lru_cache(maxsize)(function)
        _fleeting.append(remembered.cache_clear)
        return remembered  # type: ignore[no-any-return]

    return remembering


_fleeting: list[Callable[[], object]] = []
"""What lets go of such answers."""

ROOM = 300_000
"""Code points of the files whose trees are kept; a syntax tree takes twenty to eighty bytes for each."""


class Trees:
    """The syntax trees of the files of any language that were asked for last: other programs import them as well."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._length = 0
        self._known: dict[tuple[Callable[[Source], Any], Source], Any] = {}

    def of(self, source: Source, parse: Callable[[Source], T]) -> T:
        """The tree of a file. Raises what `parse` raises."""
        asked = (parse, source)
        if asked in self._known:
            tree: T = self._known.pop(asked)
        else:
            tree = parse(source)
            if len(source.text) > self._room:
                return tree
            self._length += len(source.text)
        self._known[asked] = tree
        while self._length > self._room:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._length -= len(oldest[1].text)
        return tree


_trees = Trees(ROOM)


def kept(parse: Callable[[Source], T]) -> Callable[[Source], T]:
    """Makes a parser give the same tree again as long as there is room for it."""
    return lambda source: _trees.of(source, parse)


class Leftovers:
    """What runs of programs leave behind: knots of objects, which Python only frees when it looks for them.

    A run of gracelint does not look: that takes longer than most runs. It does once they take much room, and then not
    among what was there before the first program.
    """

    def __init__(self) -> None:
        self._has_begun = False
        self._left = 0

    def begin(self) -> int:
        """Called before a program is followed; returns what `end` wants."""
        if not self._has_begun and not gc.isenabled():
            self._has_begun = True
            gc.freeze()
            if sys.getallocatedblocks() > _LEFT_AT_ONCE:
                give_back()
        return sys.getallocatedblocks()

    def end(self, begun: int) -> None:
        """Called when nothing else holds on to the program's runs any more. Frees them, if it is worth it."""
        for forget in _fleeting:
            forget()
        self._left += max(sys.getallocatedblocks() - begun, 0)
        if self._left > _LEFT_AT_ONCE and not gc.isenabled():
            self._left = 0
            gc.collect()
            give_back()


def give_back() -> None:
    """Gives what was freed back to the system, which the C library does not do by itself where it is in pieces."""
    from ctypes import CDLL

    try:
        CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):  # other C libraries have no such call, and other systems no such name
        pass


_LEFT_AT_ONCE = 200_000
"""Pieces of memory, of which one takes about a hundred bytes."""
leftovers = Leftovers()
