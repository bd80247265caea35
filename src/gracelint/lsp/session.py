"""One project that has open files: what the engine says of it as it stands in the editor. Knows no protocol."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from gracelint.base.record import Record, field, replace
from gracelint.config import Configuration, Place
from gracelint.engine import lint
from gracelint.engine.reported import Report, Reported
from gracelint.finding import Applicability
from gracelint.fixing.fixer import Change, fix, mend
from gracelint.fixing.harm import Version
from gracelint.project import Project, Request, place_of
from gracelint.reading import read_project
from gracelint.selection import Selection, select
from gracelint.tree.warm import Warm

Configure = Callable[[str], Configuration]
"""The settings below a root, with what the command line makes of them."""
Progress = Callable[[int, int], None]


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """A reading that nobody waits for any more."""


class Reading(Record, identity=True):
    """A project as it was read once, and what was found in it."""

    project: Project
    selection: Selection
    report: Report
    mended: dict[Reported, tuple[Change, ...] | str] = field(default_factory=dict)
    """What fixes come to, each worked out when it is asked for."""
    first: list[Version] = field(default_factory=list)

    def fix(self, reported: Reported) -> tuple[Change, ...] | str:
        """What a finding's fix changes once it has proved right, or why it is not made."""
        known = self.mended.get(reported)
        if known is None:
            known = self.mended[reported] = mend(self._version(), reported)
        return known

    def fix_all(self, path: str) -> tuple[Change, ...]:
        """What the safe fixes of all findings in a file change."""
        request = self.project.request
        only = replace(request, paths=(os.path.join(request.root, path),), progress=None)
        return fix(only, self.selection).changes

    def _version(self) -> Version:
        if not self.first:
            request = replace(self.project.request, progress=None)
            self.first.append(Version.judged(replace(self.project, request=request), self.selection, self.report))
        return self.first[0]


class Session:
    """The files that are open in one project, and the last reading of them."""

    def __init__(self, place: Place, working_dir: str, configure: Configure) -> None:
        self.root = place.root
        self.open: dict[str, str] = {}
        """Each open file with its text as it stands in the editor."""
        self.reading: Reading | None = None
        self._warm = Warm()
        self._around = place.around
        self._working_dir = working_dir
        self._configure = configure

    def update(self, path: str, text: str | None) -> None:
        """Takes the text of an open file; None where it was closed. The path is relative to the root."""
        if path not in self.open or text is None:
            self._warm.look_again()
        if text is None:
            self.open.pop(path, None)
        else:
            self.open[path] = text

    def look_again(self) -> None:
        """Files may have come, gone or changed on the disk."""
        self._warm.look_again()

    def read(self, texts: Mapping[str, str], progress: Progress | None = None) -> Reading:
        """Reads the project with these texts in the place of files. Raises ConfigError, and what `progress` raises."""
        configuration = self._configure(self.root)
        request = Request(
            root=self.root,
            working_dir=self._working_dir,
            paths=tuple(os.path.join(self.root, path) for path in texts),
            configuration=configuration,
            around=self._around,
            overlay=texts,
            progress=progress,
            warm=self._warm,
            anywhere=True,
        )
        selection = select(configuration)
        project = read_project(request)
        return Reading(project, selection, lint(project, selection))

    def findings(self, path: str) -> list[Reported]:
        """What the last reading found in a file."""
        if self.reading is None:
            return []
        return [reported for reported in self.reading.report.findings if reported.path == path]


def place_for(path: str, folders: tuple[str, ...]) -> tuple[Place, str]:
    """The project that an open file belongs to, and the folder that its paths are shown from."""
    above = [folder for folder in folders if path.startswith(folder.rstrip("/") + "/")]
    working_dir = max(above, key=len, default=os.path.dirname(path))
    return place_of((path,), working_dir), working_dir


def is_applied(reported: Reported) -> bool:
    """Whether a finding has a fix that can be applied by itself."""
    fix = reported.finding.fix
    return fix is not None and bool(fix.edits) and fix.applicability is not Applicability.MANUAL
