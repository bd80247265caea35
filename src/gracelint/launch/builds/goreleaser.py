"""What GoReleaser builds: images, and the binaries that images copy, with their main packages."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.memory import lru_cache
from gracelint.launch.builds.declared import RELEASES, UNKNOWN, Build, document, link_to
from gracelint.launch.builds.ko import link_to_package
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Mapping as Node
    from gracelint.facts.yaml import Node as AnyNode
    from gracelint.source import Source

_TEMPLATE = re.compile(r"\{\{[^{}]{0,200}\}\}")


def main_package(binary: str, folder: str, files: Files) -> str | None:
    """The folder of what is built to a name, as the nearest configuration above a folder says; None for none or two."""
    while True:
        for name in RELEASES:
            source = files.read(posixpath.join(folder, name))
            found = {at for its, at in _builds(source) if its == binary} if source is not None else set()
            if len(found) == 1:
                return posixpath.normpath(posixpath.join(folder, found.pop()))
        if not folder:
            return None
        folder = posixpath.dirname(folder)


def images(files: Files, path: str) -> Iterator[Build]:
    """The images of its `dockers` (from a Dockerfile) and of its `kos` (from a main package)."""
    root = document(path, files.glance(path))
    if root is None:
        return
    folder = posixpath.dirname(path)
    for kind, names in (("dockers", "image_templates"), ("dockers_v2", "images")):
        for docker in root.mappings(kind):
            file = docker.scalar("dockerfile")
            link = link_to(folder or ".", file.value if file is not None else None, None)
            yield from (Build(name, link) for name in _texts(docker.sequence(names)) if link is not None)
    places = {name.value: _place(build) for build in root.mappings("builds") if (name := build.scalar("id"))}
    for one in root.mappings("kos"):
        named, main = one.scalar("build") or one.scalar("id"), one.scalar("main")
        at = main.value if main is not None else places.get(named.value if named is not None else "")
        link = link_to_package(files, folder, at) if at is not None else None
        repositories = _texts(one.sequence("repositories")) if one.scalar("bare") is not None else []
        yield from (Build(name, link) for name in repositories if link is not None)


def _texts(nodes: tuple[AnyNode, ...]) -> list[str]:
    from gracelint.facts.yaml import Scalar

    return [_TEMPLATE.sub(UNKNOWN, node.value) for node in nodes if isinstance(node, Scalar)]


@lru_cache(maxsize=16)
def _builds(source: Source) -> tuple[tuple[str, str], ...]:
    """Each binary for Linux, and the folder of its main package."""
    from gracelint.facts.yaml import Mapping as Node

    try:
        roots = [document.root for document in read_documents(source)]
    except (ParseError, TemplatedError):
        return ()
    return tuple(one for root in roots if isinstance(root, Node) for one in _of(root))


def _of(root: Node) -> Iterator[tuple[str, str]]:
    project = root.scalar("project_name")
    for build in root.mappings("builds"):
        systems = build.get("goos")
        if systems is not None and "linux" not in systems.span.text:
            continue
        named = build.scalar("binary") or project
        at = _place(build)
        if named is not None and "{{" not in named.value + at:
            yield posixpath.basename(named.value), posixpath.dirname(at) if at.endswith(".go") else at


def _place(build: Node) -> str:
    """The main package of a build, or a file of it."""
    folder, main = build.scalar("dir"), build.scalar("main")
    return posixpath.join(folder.value if folder else ".", main.value if main else ".")
