"""Texts and numbers that have to stay and that few will ask for, in a fifth of their room."""

from __future__ import annotations

from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

ROOM = 1_000_000
"""Bytes of what was unpacked last: how much that is packed cannot be told from its size."""
WORTH = 1_000
"""Bytes below which nothing is won."""


def packed_text(text: str) -> str | bytes:
    """The text itself, where it is short."""
    from zlib import compress

    return compress(text.encode("utf-8", "surrogatepass"), 1) if len(text) > WORTH else str(text)


def packed_numbers(numbers: array[int]) -> array[int] | bytes:
    """The numbers themselves, where they are few."""
    from zlib import compress

    return compress(numbers.tobytes(), 1) if len(numbers) * numbers.itemsize > WORTH else numbers


def text_of(packed: bytes) -> str:
    return _last.of(packed, _text)


def numbers_of(packed: bytes) -> array[int]:
    return _last.of(packed, _numbers)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _numbers(data: bytes) -> array[int]:
    return array("I", data)


class _Last:
    """What was asked for last. What is asked for again and again is unpacked once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bytes, object]] = {}
        self._length = 0

    def of(self, packed: bytes, read: Callable[[bytes], T]) -> T:
        known = self._known.get(id(packed))
        if known is not None:
            found: T = known[1]  # type: ignore[assignment]
            return found
        from zlib import decompress

        data = decompress(packed)
        if self._length + len(data) > ROOM:
            self._known, self._length = {}, 0
        self._length += len(data)
        made = read(data)
        self._known[id(packed)] = packed, made
        return made


_last = _Last()
