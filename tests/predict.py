"""What gracelint says of a folder, for the tests that compare it with what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gracelint.config import Configuration, Settings
from gracelint.facts.verdict import Verdict
from gracelint.project import Request
from gracelint.reading import read_project

if TYPE_CHECKING:
    from pathlib import Path

    from gracelint.facts.launch import Launch


def launches(folder: Path) -> tuple[Launch, ...]:
    """The launches of a project: a manifest's or a Compose file's where there is one, else the Dockerfile's."""
    project = read_project(
        Request(str(folder), (str(folder),), Configuration(str(folder), fixed=Settings(exclude=("case.json",))))
    )
    assert not project.errors, "\n".join(project.errors)
    outer = tuple(launch for launch in project.launches if launch.origin.kind != "dockerfile")
    found = outer or project.launches
    assert found, "no launch was found"
    return found


def verdict(found: tuple[Launch, ...]) -> Verdict:
    """The verdict all launches have; unknown where they differ."""
    verdicts = {launch.verdict for launch in found}
    return verdicts.pop() if len(verdicts) == 1 else Verdict.UNKNOWN
