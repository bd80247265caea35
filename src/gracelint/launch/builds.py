"""What the repository itself builds: image names and the Dockerfiles that its build files give for them."""

from __future__ import annotations

import posixpath

from gracelint.launch.names import Link, repository_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gracelint.facts.files import Files


def builds(files: Files, dockerfiles: Iterable[str]) -> dict[str, Link]:
    """Image name → Dockerfile."""
    return skaffold_links(files) if files.exists("skaffold.yaml") else {}


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
