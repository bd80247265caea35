"""`pnpm deploy`: a package of a workspace, copied with what it depends on to a folder of its own."""

from __future__ import annotations

import posixpath

from gracelint.base.posix import join
from gracelint.launch.images import layers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.files import Files

_FILTERS = ("--filter", "-F", "--filter-prod")


def deployed_from(path: str, stage: Stage, files: Files, context: str) -> str | None:
    """Where a file of the image lies in the package that a RUN of the stage deploys there."""
    for one in stage.lineage():
        for put in layers.placed(one):
            for command in put.commands if put.target is None else ():
                found = _deployed(command, put.working_dir, path)
                if found is not None:
                    folder = _package(found[0], put.working_dir, stage, files, context)
                    return None if folder is None else posixpath.normpath(join(folder, found[1]))
    return None


def _deployed(command: list[str], working_dir: str, path: str) -> tuple[str, str] | None:
    """The package that a command deploys, and the path below it, where it deploys to a folder above `path`."""
    if command[:1] != ["pnpm"] or "deploy" not in command:
        return None
    package, words, waiting = "", [], False
    for word in command[1:]:
        name, equals, value = word.partition("=")
        if waiting:
            package, waiting = word, False
        elif name in _FILTERS:
            package, waiting = value, not equals
        elif not word.startswith("-") and word != "deploy":
            words.append(word)
    target = posixpath.normpath(join(working_dir, words[-1])) if words else ""
    if not package or not target or not path.startswith(f"{target}/"):
        return None
    return package.removesuffix("...").removesuffix("^"), path[len(target) + 1 :]


def _package(name: str, working_dir: str, stage: Stage, files: Files, context: str) -> str | None:
    """The folder in the stage of a package by its name, or by `./` and its path."""
    from gracelint.behaviour.node.workspaces import packages

    if name.startswith("./"):
        return join(working_dir, name)
    root = layers.origin(stage, files, context, working_dir)
    if not isinstance(root, str):
        return None
    root = "" if root == "." else root
    folder = packages(root, files).get(name)
    return None if folder is None else join(working_dir, posixpath.relpath(folder or ".", root or "."))
