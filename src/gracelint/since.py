"""What a change has brought: the findings of the tree it started from are known."""

from __future__ import annotations

import os
from collections import Counter

from gracelint.base.record import Record, field, replace
from gracelint.baseline import Known, known_in, without
from gracelint.config import ConfigError
from gracelint.engine import lint
from gracelint.engine.reported import Report
from gracelint.project import Request
from gracelint.reading import read_project
from gracelint.report.places import printable
from gracelint.selection import select
from gracelint.tree.history import tree_before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gracelint.engine.reported import Reported
    from gracelint.source import Source


class Older(Record):
    """What was found before the change."""

    known: Counter[Known] = field(default_factory=Counter)
    gone: Mapping[str, str] = field(default_factory=dict)
    """The files with findings that are not there any more: their paths, by their text."""
    files: frozenset[str] = frozenset()


def without_older(revision: str, request: Request) -> Callable[[Report], Report]:
    """Leaves out of reports what is found in the revision that the present tree branched off from `revision`.

    Raises ConfigError where git does not know it.
    """
    older = _older(revision, request)

    def brought(report: Report) -> Report:
        fresh = without(_moved(older, report), report)
        return replace(fresh, older=len(report.findings) - len(fresh.findings))

    return brought


def _older(revision: str, request: Request) -> Older:
    with tree_before(request.root, revision) as folder:
        paths = [os.path.join(folder, os.path.relpath(path, request.root)) for path in request.paths]
        older = replace(
            request,
            root=folder,
            working_dir="",
            paths=tuple(path for path in paths if os.path.exists(path)),
            configuration=request.configuration.at(folder),
            overlay={},
            progress=None,
            cache=False,
            warm=None,
        )
        if not older.paths:
            return Older()
        try:
            report = lint(read_project(older), select(older.configuration))
        except ConfigError as error:
            told = str(error).replace(f"{folder}/", "")
            raise ConfigError(f"--diff-base: the settings of {revision} are wrong: {told}") from error
    sources = {source.path: source for source in map(_home, report.findings)}
    gone = {
        source.text: path for path, source in sources.items() if not os.path.lexists(os.path.join(request.root, path))
    }
    return Older(known_in(report), gone, report.judged)


def _moved(older: Older, report: Report) -> Counter[Known]:
    """What is known, with the present paths of files that were moved as they are."""
    names: dict[str, str] = {}
    for source in map(_home, report.findings):
        former = older.gone.get(source.text)
        if former is not None and source.path not in older.files:
            names.setdefault(printable(former), printable(source.path))
    known: Counter[Known] = Counter()
    for (rule, path, line), count in older.known.items():
        known[rule, names.get(path, path), line] += count
    return known


def _home(reported: Reported) -> Source:
    return (reported.home or reported.finding.at).source
