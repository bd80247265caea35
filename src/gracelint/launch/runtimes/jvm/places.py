"""From a jar or a class path in an image to the Maven or Gradle project that it is built from."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.posix import normal
from gracelint.launch.images import layers
from gracelint.launch.images.packages import commands
from gracelint.launch.runtimes.jvm.modules import Module, module_at, projects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.dockerfile import Stage
    from gracelint.launch.step import Context

_OUTPUT = re.compile(
    r"(?:^|/)(?:target|build/(?:libs|install|quarkus-app|layers|distributions|docker|classes|dependency))(?:/|$)"
)
"""Where Maven and Gradle put what they make, below the folder of the project."""


def module_of(path: str, context: Context) -> Module | None:
    """The project that makes a file or a folder of the image; None where that cannot be told."""
    image = context.image
    if image.context is None:
        return None
    if image.stage is None:
        return module_at(context.files, image.context)
    for place in places(path, context):
        folder = _folder(place)
        module = module_at(context.files, folder) if folder is not None else None
        if module is not None and not module.aggregates:
            return module
    return _only_one(context)


def places(path: str, context: Context) -> Iterator[str]:
    """The paths in the project that a file of the image comes from, built before the image or in one of its stages."""
    stage, root = context.image.stage, context.image.context
    if stage is not None and root is not None:
        target = normal(posixpath.join("/", context.working_dir, path))
        yield from _places(stage, target, context, root, set())


def _places(stage: Stage, path: str, context: Context, root: str, seen: set[tuple[int, str]]) -> Iterator[str]:
    for made, at in layers.made_in(stage, path):
        if (id(made), at) in seen or len(seen) > 64:
            continue
        seen.add((id(made), at))
        yield from layers.named_in_project(made, context.files, root, at)
        folder = _folder(at)
        if folder is not None:
            origin = layers.origin(made, context.files, root, folder or "/")
            if origin is None:
                origin = layers.folder_of_files(made, context.files, root, folder or "/")
            if isinstance(origin, str):
                origin = "" if origin == "." else origin
                yield posixpath.join(origin, at[len(folder) :].lstrip("/"))
        for jar in _extracted(made):
            yield from _places(made, jar, context, root, seen)


def _folder(path: str) -> str | None:
    """The folder of the project in whose output a path lies."""
    found = _OUTPUT.search(path)
    return path[: found.start()] if found is not None else None


def _extracted(stage: Stage) -> Iterator[str]:
    """The jars that a stage takes to pieces: `java -Djarmode=layertools -jar app.jar extract`, `jar xf app.jar`."""
    folder = layers.first_working_dir(stage)
    for item in stage.instructions:
        if item.name == "WORKDIR":
            folder = normal(posixpath.join(folder, item.value))
        if item.name != "RUN" or "jar" not in item.whole:
            continue
        here = folder
        for words in commands(item):
            if words[0] == "cd" and len(words) > 1:
                here = normal(posixpath.join(here, words[1]))
            takes = any("jarmode" in word for word in words) or posixpath.basename(words[0]) in ("jar", "unzip")
            for word in words[1:] if takes else ():
                if word.endswith(".jar"):
                    yield normal(posixpath.join(here, word))


def _only_one(context: Context) -> Module | None:
    """The one project that an image's build context or its Dockerfile's folder holds."""
    stage, files = context.image.stage, context.files
    assert stage is not None
    folders = dict.fromkeys((posixpath.dirname(stage.source.path), context.image.context or ""))
    for folder in folders:
        found = [module for one in projects(files, folder) if (module := module_at(files, one)) is not None]
        found = [module for module in found if not module.aggregates]
        if len(found) == 1:
            return found[0]
    return None
