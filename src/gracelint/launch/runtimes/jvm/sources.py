"""The sources of a Maven or Gradle project."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.files import Files
    from gracelint.launch.runtimes.jvm.modules import Module

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


def java_sources(files: Files, module: Module | None, context: str | None) -> tuple[str, ...]:
    """The sources that a program's classes are looked up in: its projects', else all of the build context."""
    if module is not None:
        own = tuple(path for folder in module.folders for path in sources(files, folder) if path.endswith(".java"))
        if own:
            return own
    return _below(files, module.folder if module is not None else context or "")


def kotlin_source(files: Files, module: Module | None, main: str) -> str | None:
    """The file of a project that a class of Kotlin comes from: `shop.MainKt` from `Main.kt`."""
    name = f"{main.rpartition('.')[2].removesuffix('Kt')}.kt"
    own = (path for folder in (module.folders if module is not None else ()) for path in sources(files, folder))
    found = [path for path in own if posixpath.basename(path) == name]
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=32)
def _below(files: Files, folder: str) -> tuple[str, ...]:
    found: list[str] = []
    waiting = [folder]
    seen = 0
    while waiting and seen < _MOST:
        place = waiting.pop()
        for name in files.names(place):
            seen += 1
            if name.endswith("/") and name not in ("test/", "node_modules/", ".git/"):
                waiting.append(posixpath.join(place, name[:-1]))
            elif name.endswith(".java"):
                found.append(posixpath.join(place, name))
    return tuple(sorted(found))


def is_compiled(stage: Stage | None) -> bool:
    """Whether a stage, or one it copies from, runs the Java compiler."""
    stages = (stage, *(stage.siblings or {}).values()) if stage is not None else ()
    return any(
        item.name == "RUN" and re.search(r"\b(?:javac|mvnw?|gradlew?|ant)\b", item.whole) is not None
        for one in stages
        for above in one.lineage()
        for item in above.instructions
    )
