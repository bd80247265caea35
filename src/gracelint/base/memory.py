"""Remembering what functions return, as `functools` does, which takes longer to import than a Dockerfile to read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functools import cache, lru_cache

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
