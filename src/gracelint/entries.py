"""Programs that are entry points by themselves, though no container here is known to start them."""

from __future__ import annotations

import posixpath
from collections.abc import Container, Iterable, Iterator

from gracelint.base.internal import internal_error
from gracelint.base.limits import Effort
from gracelint.base.record import replace
from gracelint.parse.errors import ParseError
from gracelint.tree.discover import NODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.program import Program
    from gracelint.source import Source
    from gracelint.tree.files import ProjectFiles

_ASIDE = frozenset(("test", "tests", "doc", "docs", "example", "examples", "script", "scripts", "tool", "tools"))
"""Folders of programs that run on a developer's machine."""
_MOST = 10
"""Entry points judged in one folder; one with more is a collection of scripts."""
_STAYING = ("while", "for", "serve", "run", "loop", "listen", "consum", "start", "forever", "join")
"""A program that stays has one of these words in it."""


def entries(
    paths: Iterable[str], scope: Container[str], files: ProjectFiles, known: Iterable[Program], errors: list[str]
) -> Iterator[Program]:
    """The long-running programs that `paths` are or name, as far as they lie in `scope` and are part of none `known`.

    Whether a file is one does not depend on what else is asked for. Takes down internal errors.
    """
    covered = {source.path for program in known for source in program.sources}
    found = {source.path: source for path in paths if (source := _entry(path, files)) is not None}
    crowded: dict[str, bool] = {}
    for path, source in found.items():
        folder = posixpath.dirname(path)
        if path not in scope or path in covered or not _ASIDE.isdisjoint(folder.split("/")):
            continue
        if path.endswith(".py") and crowded.setdefault(folder, _is_crowded(folder, files)):
            continue
        try:
            program = _read(source, files)
        except ParseError:
            continue
        except Exception as error:
            errors.append(internal_error(f"reading {path}", error))
            continue
        if program.long_running:
            yield replace(program, entry=True)


def _entry(path: str, files: ProjectFiles) -> Source | None:
    """The source file that starts a program: the file itself, or what a package.json names."""
    if posixpath.basename(path) == "package.json":
        return _main_of(path, files)
    return files.read(path) if path.endswith(".py") and _starts(path, files) else None


def _starts(path: str, files: ProjectFiles) -> bool:
    text = files.glance(path)
    return "__main__" in text and any(word in text for word in _STAYING)


def _is_crowded(folder: str, files: ProjectFiles) -> bool:
    names = (name for name in files.names(folder) if name.endswith(".py"))
    return sum(_starts(posixpath.join(folder, name), files) for name in names) > _MOST


def _main_of(path: str, files: ProjectFiles) -> Source | None:
    from gracelint.parse.package import read_package

    source = files.read(path)
    try:
        package = read_package(source) if source else None
    except ParseError:
        return None
    if package is None or package.main is None or not package.plain("start"):
        return None
    return files.read(posixpath.normpath(posixpath.join(posixpath.dirname(path), package.main.value)))


def _read(source: Source, files: ProjectFiles) -> Program:
    if source.path.endswith(NODE):
        from gracelint.behaviour.node import read_node

        return read_node(source, files=files, effort=Effort(0))
    from gracelint.behaviour.python import read_python

    return read_python(source, files=files, effort=Effort(0))
