"""The sources of a Maven or Gradle project."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.files import Files

_FOLDERS = ("src/main/java", "src/main/kotlin", "src/main/groovy")
_ENDINGS = (".java", ".kt")
_MOST = 2_000
"""Files and folders of one project."""


@lru_cache(maxsize=128)
def sources(files: Files, folder: str) -> tuple[str, ...]:
    """The paths of a project's own sources, tests left out."""
    found: list[str] = []
    waiting = [posixpath.join(folder, name) for name in _FOLDERS if files.exists(posixpath.join(folder, name))]
    seen = 0
    while waiting and seen < _MOST:
        place = waiting.pop()
        for name in files.names(place):
            seen += 1
            if name.endswith("/"):
                waiting.append(posixpath.join(place, name[:-1]))
            elif name.endswith(_ENDINGS):
                found.append(posixpath.join(place, name))
    return tuple(sorted(found))


def main_class(files: Files, folder: str) -> str | None:
    """The one class of a project that has a `main`, by its full name; None where there are several or none."""
    found = [path for path in sources(files, folder) if _MAIN.search(files.glance(path))]
    if len(found) != 1:
        return None
    inside = re.sub(r"^src/main/(?:java|kotlin|groovy)/", "", posixpath.relpath(found[0], folder or "."))
    name, _, ending = inside.rpartition(".")
    return name.replace("/", ".") + ("Kt" if ending == "kt" else "")


_MAIN = re.compile(r"\bpublic\s+static\s+void\s+main\s*\(|^fun\s+main\s*\(", re.M)
