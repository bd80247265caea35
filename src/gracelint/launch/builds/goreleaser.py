"""The main packages of the binaries that GoReleaser builds, and that images then copy."""

from __future__ import annotations

import posixpath

from gracelint.base.memory import lru_cache
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Mapping as Node
    from gracelint.source import Source

_NAMES = (".goreleaser.yaml", ".goreleaser.yml", "goreleaser.yaml", "goreleaser.yml")


def main_package(binary: str, folder: str, files: Files) -> str | None:
    """The folder of what is built to a name, as the nearest configuration above a folder says; None for none or two."""
    while True:
        for name in _NAMES:
            source = files.read(posixpath.join(folder, name))
            found = {at for its, at in _builds(source) if its == binary} if source is not None else set()
            if len(found) == 1:
                return posixpath.normpath(posixpath.join(folder, found.pop()))
        if not folder:
            return None
        folder = posixpath.dirname(folder)


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
        folder, main = build.scalar("dir"), build.scalar("main")
        at = posixpath.join(folder.value if folder else ".", main.value if main else ".")
        if named is not None and "{{" not in named.value + at:
            yield posixpath.basename(named.value), posixpath.dirname(at) if at.endswith(".go") else at
