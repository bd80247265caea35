"""The classes of a Java program: those of the file, of its package and of what it imports, wherever the sources lie."""

from __future__ import annotations

import posixpath

from gracelint.behaviour.java.syntax import File, JavaClass, read_file
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.files import Files

_MOST = 400
"""Files of one run."""


class Classes:
    """Found by name, one set for each run: it has read some of them, and not others."""

    def __init__(self, files: Files, paths: tuple[str, ...]) -> None:
        self.files = files
        self._by_name: dict[str, list[str]] = {}
        for path in paths:
            self._by_name.setdefault(posixpath.basename(path).removesuffix(".java"), []).append(path)
        self._read: dict[str, File | None] = {}
        self.unread: list[str] = []

    @property
    def sources(self) -> tuple[File, ...]:
        return tuple(file for file in self._read.values() if file is not None)

    def file(self, path: str) -> File | None:
        if path not in self._read and len(self._read) < _MOST:
            source = self.files.read(path)
            try:
                self._read[path] = read_file(source) if source is not None else None
            except ParseError:
                self._read[path] = None
            if self._read[path] is None:
                self.unread.append(path)
        return self._read.get(path)

    def find(self, name: str, file: File, inside: JavaClass | None = None) -> JavaClass | None:
        """A class as a file names it: nested, in the file, imported, or in the package."""
        here = inside
        while here is not None:
            nested: JavaClass | None = here.file.classes.get(f"{here.name}.{name}")
            if nested is not None:
                return nested
            here = here.outer
        if name in file.classes:
            return file.classes[name]
        deeper = [one for key, one in file.classes.items() if key.endswith(f".{name}")]
        if deeper:
            return deeper[0]
        first, _, rest = name.partition(".")
        full = file.imports.get(first)
        for path in self._by_name.get(first, ()):
            other = self.file(path)
            if other is None or (full is not None and full != f"{other.package}.{first}"):
                continue
            return other.classes.get(name if rest else first)
        return None
