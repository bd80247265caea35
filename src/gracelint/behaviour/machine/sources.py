"""The files of a program, from the one that is started on: each names others."""

from __future__ import annotations

from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from gracelint.source import Source

    File = TypeVar("File")

_MOST_FILES = 300


def followed(
    entry: Source, read: Callable[[Source], File | None], others: Callable[[File], Iterable[Source]], unread: list[str]
) -> dict[str, File]:
    """All files that `entry` leads to, by path, the entry first. `unread` gets what says which could not be read.

    Raises ParseError for the entry alone.
    """
    files: dict[str, File] = {}
    waiting = [entry]
    while waiting:
        here = waiting.pop()
        if here.path in files:
            continue
        if len(files) >= _MOST_FILES:
            unread.append(f"{here.path} (behind {_MOST_FILES} other files)")
            continue
        try:
            file = read(here)
        except ParseError as error:
            if not files:
                raise
            unread.append(f"{here.path} (line {error.span.line})")
            continue
        if file is None:
            unread.append(here.path)
            continue
        files[here.path] = file
        waiting += others(file)
    return files
