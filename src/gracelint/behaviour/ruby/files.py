"""The files of a Ruby program: what it requires of the project, and the classes and methods they declare."""

from __future__ import annotations

import posixpath

from gracelint.behaviour.machine.sources import followed
from gracelint.behaviour.ruby.syntax import File, read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.machine.nodes import Class, Function
    from gracelint.facts.files import Files
    from gracelint.source import Source


class Sources:
    """A program's files, the entry first. `roots` are the folders that `require` looks in."""

    def __init__(self, files: Files, entry: Source, roots: tuple[str, ...]) -> None:
        self.project, self._roots = files, roots
        self.unread: list[str] = []
        self.gems: dict[str, str] = {}
        """Libraries that are required, and the file that does."""
        self.classes: dict[str, Class] = {}
        self.functions: dict[str, Function] = {}
        self.by_name: dict[str, list[Function]] = {}
        self.files = followed(entry, read_file, self._others, self.unread)
        for file in self.files.values():
            self._index(file)

    @property
    def entry(self) -> File | None:
        return next(iter(self.files.values()), None)

    def find(self, how: str, name: str, by: File) -> str | None:
        """The project's file that a require means."""
        folder = posixpath.dirname(by.source.path)
        names = [name] if name.endswith(".rb") else [f"{name}.rb", name]
        if name.startswith("/"):
            names = [one.lstrip("/") for one in names]
        folders = [folder] if how == "require_relative" else [*self._roots, folder]
        for one in folders:
            for its in names:
                path = posixpath.normpath(posixpath.join(one, its))
                if not path.startswith("..") and path.endswith(".rb") and self.project.exists(path):
                    return path
        return None

    def _others(self, file: File) -> Iterator[Source]:
        """The project's files that a file requires."""
        here = file.source.path
        for how, name in file.required:
            path = self.find(how, name, file)
            found = self.project.read(path) if path is not None else None
            if found is not None:
                yield found
            elif how == "require_relative":
                self.unread.append(f"{name}, which {here} requires,")
            elif how != "autoload":
                self.gems.setdefault(name, here)

    def _index(self, file: File) -> None:
        for name, function in file.functions.items():
            self.functions.setdefault(name, function)
            self.by_name.setdefault(name, []).append(function)
        for name, class_ in file.classes.items():
            known = self.classes.get(name)
            if known is None:
                self.classes[name] = known = class_
            elif known is not class_:
                known.bases += [base for base in class_.bases if base not in known.bases]
                known.methods.update(class_.methods)
                known.statics.update(class_.statics)
            for one in (class_.methods, class_.statics):
                for its, function in one.items():
                    self.by_name.setdefault(its, []).append(function)
