"""Remembering what functions return, as `functools` does, which takes longer to import than a Dockerfile to read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import cache, lru_cache
    from typing import Any, TypeVar

    from gracelint.source import Source

    T = TypeVar("T")
    __all__ = ["cache", "lru_cache"]
else:

    def cache(function):
        """Remembers every answer."""
        return lru_cache(maxsize=None)(function)

    def lru_cache(maxsize):
        """Remembers the last answers that were new."""

        def remembering(function):
            answers = {}

            def remembered(*asked):
                try:
                    return answers[asked]
                except KeyError:
                    pass
                answer = function(*asked)
                if maxsize is not None and len(answers) >= maxsize:
                    answers.pop(next(iter(answers)), None)
                answers[asked] = answer
                return answer

            remembered.__wrapped__, remembered.cache_clear = function, answers.clear
            return remembered

        return remembering


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
