"""Files and folders of a project by a pattern: `*` and `?` within a name, `**` for any number of folders."""

from __future__ import annotations

import fnmatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.files import Files

_MOST_NAMES = 20_000
"""Names that one pattern is held against."""


def matching(files: Files, pattern: str, *, folders: bool = False) -> list[str]:
    """The paths that a pattern fits, in order: files, or only folders. Nothing above the root fits."""
    steps = [step for step in pattern.split("/") if step not in ("", ".")]
    if ".." in steps:
        return []
    left = [_MOST_NAMES]
    return sorted(dict.fromkeys(_below(files, "", steps, folders, left)))


def _below(files: Files, folder: str, steps: list[str], folders: bool, left: list[int]) -> Iterator[str]:
    if not steps:
        return
    step, rest = steps[0], steps[1:]
    if step == "**":
        yield from _below(files, folder, rest, folders, left)
    plain = not any(char in step for char in "*?[")
    for name in _named(files, folder, step) if plain else files.names(folder):
        left[0] -= 1
        if left[0] < 0:
            return
        bare, is_folder = name.rstrip("/"), name.endswith("/")
        if step == "**":
            if is_folder and not bare.startswith("."):
                yield from _below(files, f"{folder}{name}", steps, folders, left)
        elif fnmatch.fnmatchcase(bare, step):
            if not rest and is_folder == folders:
                yield f"{folder}{bare}"
            elif rest and is_folder:
                yield from _below(files, f"{folder}{name}", rest, folders, left)


def _named(files: Files, folder: str, name: str) -> list[str]:
    return [found for found in (name, f"{name}/") if found in files.names(folder)]
