"""Which Dockerfile builds an image of a given name."""

from __future__ import annotations

import posixpath
import re

from gracelint.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gracelint.facts.files import Files


class Link(Record):
    """A Dockerfile, and how it was found: `how` is declared (configuration), built (Compose, Skaffold) or named."""

    dockerfile: str
    how: str
    context: str | None = None
    target: str | None = None


def find_dockerfile(
    reference: str,
    dockerfiles: Iterable[str],
    root_name: str,
    declared: Mapping[str, str],
    built: Mapping[str, Link],
) -> Link | None:
    """The Dockerfile that builds an image, or None: two candidates are no link."""
    repository = repository_of(reference)
    name = posixpath.basename(repository)
    for key in (reference, repository, name):
        if key in declared:
            return Link(posixpath.normpath(declared[key]), "declared")
    for key in (reference, repository):
        if key in built:
            return built[key]
    for match in (_by_folder, _by_ancestor, _by_ending):
        found = [path for path in dockerfiles if match(path, name, repository, root_name)]
        if found:
            return Link(found[0], "named") if len(found) == 1 else None
    return None


def repository_of(reference: str) -> str:
    """`registry:5000/team/api:1.4@sha256:…` → `registry:5000/team/api`."""
    name = reference.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return head + slash + tail.partition(":")[0]


def _own_names(path: str, root_name: str) -> set[str]:
    folder, _, file = path.rpartition("/")
    names = {posixpath.basename(folder) if folder else root_name}
    for ending in (".dockerfile", ".containerfile"):
        if file.lower().endswith(ending):
            names = {file[: -len(ending)]}
    for beginning in ("Dockerfile.", "Containerfile.", "Dockerfile-", "Dockerfile_"):
        if file.startswith(beginning):
            names = {file[len(beginning) :]}
    return names


def _by_folder(path: str, name: str, repository: str, root_name: str) -> bool:
    return name in _own_names(path, root_name)


def _by_ancestor(path: str, name: str, repository: str, root_name: str) -> bool:
    """src/cartservice/src/Dockerfile builds `cartservice`."""
    return name in path.split("/")[:-1]


def _by_ending(path: str, name: str, repository: str, root_name: str) -> bool:
    """team/shop-api is built in api/, as Compose names its images; public images without a team are not ours."""
    if "/" not in repository:
        return False
    return any(len(own) > 2 and re.search(rf"[-_]{re.escape(own)}$", name) for own in _own_names(path, root_name))


def skaffold_links(files: Files) -> dict[str, Link]:
    """Image name → Dockerfile, as the skaffold.yaml in the project's root has it."""
    source = files.read("skaffold.yaml")
    if source is None:
        return {}
    from gracelint.facts.yaml import Mapping as Node
    from gracelint.parse.errors import ParseError, TemplatedError
    from gracelint.parse.yaml import read_documents

    try:
        documents = read_documents(source)
    except (ParseError, TemplatedError):
        return {}
    links = {}
    for document in documents:
        build = document.root.mapping("build") if isinstance(document.root, Node) else None
        for artifact in build.mappings("artifacts") if build else ():
            image, context = artifact.scalar("image"), artifact.scalar("context")
            folder = posixpath.normpath(context.value) if context else "."
            named = artifact.scalar("docker", "dockerfile")
            target = artifact.scalar("docker", "target")
            path = posixpath.normpath(posixpath.join(folder, named.value if named else "Dockerfile"))
            if image is not None:
                link = Link(path, "built", "" if folder == "." else folder, target.value if target else None)
                links[repository_of(image.value)] = link
    return links
