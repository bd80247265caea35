"""The sources of a project: what stands in them that changes what its framework does."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from gracelint.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.source import Source, Span

_FOLDERS = ("src/main/java", "src/main/kotlin", "src/main/groovy")
_ENDINGS = (".java", ".kt")
_MOST = 2_000
"""Files and folders of one project."""
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


class Found(Record, identity=True):
    """A row's mark in a source."""

    row: Mapping[str, Any]
    span: Span

    @property
    def place(self) -> str:
        return f"{self.span.source.path}:{self.span.line}"


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


def marks(files: Files, folders: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[Found]:
    """Each row whose mark stands in the sources, with the place; in comments it does not count."""
    wanted = list(rows)
    words = {word for row in wanted for word in row["words"]}
    for path in (path for folder in folders for path in sources(files, folder)):
        text = files.glance(path)
        if not any(word in text for word in words):
            continue
        source = files.read(path)
        for row in wanted:
            span = _place(source, row) if source is not None else None
            if span is not None:
                yield Found(row, span)


def _place(source: Source, row: Mapping[str, Any]) -> Span | None:
    text = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source.text)
    for word in row["words"]:
        start = text.find(word)
        while start >= 0:
            if "within" not in row or any(wait in _body(text, start) for wait in row["within"]):
                return source.span(start, start + len(word))
            start = text.find(word, start + 1)
    return None


def _body(text: str, start: int) -> str:
    """The braces that follow an annotation or a head."""
    opening = text.find("{", start)
    if opening < 0 or ";" in text[start:opening]:
        return ""
    depth = 0
    for index in range(opening, min(len(text), opening + 20_000)):
        depth += (text[index] == "{") - (text[index] == "}")
        if depth == 0:
            return text[opening:index]
    return text[opening : opening + 20_000]


def main_class(files: Files, folder: str) -> str | None:
    """The one class of a project that has a `main`, by its full name; None where there are several or none."""
    found = [path for path in sources(files, folder) if _MAIN.search(files.glance(path))]
    if len(found) != 1:
        return None
    inside = re.sub(r"^src/main/(?:java|kotlin|groovy)/", "", posixpath.relpath(found[0], folder or "."))
    name, _, ending = inside.rpartition(".")
    return name.replace("/", ".") + ("Kt" if ending == "kt" else "")


_MAIN = re.compile(r"\bpublic\s+static\s+void\s+main\s*\(|^fun\s+main\s*\(", re.M)
