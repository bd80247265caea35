"""Paths in a container, by their names alone."""

from __future__ import annotations

import posixpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4_096
"""Characters that Linux takes for a path."""


def join(folder: str, *paths: str) -> str:
    """As `posixpath.join` does, which is several times as slow, and would be asked a hundred times a Dockerfile."""
    for path in paths:
        if path.startswith("/") or not folder:
            folder = path
        else:
            folder = folder + path if folder.endswith("/") else f"{folder}/{path}"
    return folder


def normal(path: str) -> str:
    """A path without dots and doubled slashes; also without the two leading ones that POSIX leaves to the system."""
    if path[:1] not in ("", ".") and path[-1] != "/" and "/." not in path and "//" not in path:
        return path
    found = posixpath.normpath(path)
    return found[1:] if found.startswith("//") else found


def upwards(folder: str) -> Iterator[str]:
    """A folder and all those above it, up to the root, or to where a relative path begins."""
    here = normal(folder)
    if len(here) > LONGEST:
        return
    while True:
        yield here
        above = posixpath.dirname(here)
        if above == here or here == ".":
            return
        here = above
