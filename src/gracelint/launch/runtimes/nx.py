"""Nx: what its builds write to `dist/…` is made of the project that its project.json describes."""

from __future__ import annotations

import posixpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_OUTPUT = "dist/"
_PLACES = ("{workspaceRoot}/", "./")
_MOST_FOLDERS = 8


def entry_of(path: str, project: Callable[[str], dict[str, Any]]) -> str | None:
    """The source of `dist/apps/shop/main.js`: the `main` of the project in `apps/shop`.

    Paths are from the workspace's root; `project` reads a project.json.
    """
    for folder in _projects(path):
        targets = project(f"{folder}/project.json").get("targets")
        for target in targets.values() if isinstance(targets, dict) else ():
            options = target.get("options") if isinstance(target, dict) else None
            output, main = (_path(options, key, folder) for key in ("outputPath", "main"))
            if not main or not path.startswith(f"{output}/"):
                continue
            made = posixpath.splitext(path[len(output) + 1 :])[0]
            if made in ("main", posixpath.splitext(posixpath.relpath(main, folder))[0]):
                return main
    return None


def is_built_to(path: str, exists: Callable[[str], bool]) -> bool:
    """Whether a path of the workspace is one that a build of a project here writes."""
    return any(exists(f"{folder}/project.json") for folder in _projects(f"{path}/."))


def _projects(path: str) -> Iterator[str]:
    """The folders whose project may write a file: `apps/shop` for `dist/apps/shop/main.js`."""
    folder = posixpath.dirname(path.removeprefix(_OUTPUT)) if path.startswith(_OUTPUT) else ""
    for _ in range(_MOST_FOLDERS):
        if not folder:
            return
        yield folder
        folder = posixpath.dirname(folder)


def _path(options: object, key: str, folder: str) -> str:
    value = options.get(key) if isinstance(options, dict) else None
    if not isinstance(value, str):
        return ""
    for place in _PLACES:
        value = value.removeprefix(place)
    return posixpath.normpath(value.replace("{projectRoot}", folder))
