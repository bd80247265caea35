"""What skaffold builds: images from Dockerfiles, and from JVM projects by jib or buildpacks."""

from __future__ import annotations

import posixpath

from gracelint.launch.builds.declared import Build, document, link_to
from gracelint.launch.images.names import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Mapping as Node

_MOST_FILES = 100
_BUILDERS = ("docker", "kaniko", "jib", "buildpacks", "ko", "bazel", "custom")


def artifacts(files: Files, path: str) -> Iterator[Build]:
    """The builds of a skaffold.yaml and of those that it requires."""
    waiting, seen = [path], {path}
    while waiting:
        here = waiting.pop()
        root = document(here, files.glance(here))
        if root is None:
            continue
        folder = posixpath.dirname(here)
        build = root.mapping("build")
        for artifact in build.mappings("artifacts") if build is not None else ():
            image, link = artifact.scalar("image"), _link(files, folder, artifact)
            if image is not None and link is not None:
                yield Build(image.value, link)
        for required in root.mappings("requires"):
            named = required.scalar("path")
            other = posixpath.normpath(posixpath.join(folder, named.value)) if named is not None else here
            other = other if other.endswith((".yaml", ".yml")) else posixpath.join(other, "skaffold.yaml")
            if other not in seen and len(seen) < _MOST_FILES and files.exists(other):
                seen.add(other)
                waiting.append(other)


def _link(files: Files, folder: str, artifact: Node) -> Link | None:
    context = artifact.scalar("context")
    place = posixpath.join(folder, context.value if context else ".")
    builder = next((name for name in _BUILDERS if artifact.key(name) is not None), "docker")
    if builder in ("docker", "kaniko"):
        file, target = artifact.scalar(builder, "dockerfile"), artifact.scalar(builder, "target")
        return link_to(place, file.value if file else None, target.value if target else None)
    if builder in ("bazel", "custom"):
        return None
    if builder == "ko":
        from gracelint.launch.builds.ko import link_to_package

        main, base = artifact.scalar("ko", "main"), artifact.scalar("ko", "dir")
        return link_to_package(files, posixpath.join(place, base.value if base else "."), main.value if main else ".")
    from gracelint.launch.runtimes.jvm.modules import module_at

    project = artifact.scalar("jib", "project")
    place = posixpath.normpath(posixpath.join(place, (project.value if project else "").lstrip(":").replace(":", "/")))
    module = module_at(files, "" if place == "." else place)
    return Link(module.source.path, "built", module.folder) if module is not None else None
