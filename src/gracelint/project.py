"""A project as the rules see it, and what a run asks for."""

from __future__ import annotations

import os

from gracelint.base.record import Record, field
from gracelint.config import Configuration, Place, locate
from gracelint.finding import Finding
from gracelint.source import Source
from gracelint.tree.discover import UNMARKED_LIMIT, Scope, Skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gracelint.facts.compose import ComposeService
    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.kubernetes import Workload
    from gracelint.facts.launch import Launch
    from gracelint.facts.program import Program
    from gracelint.tree.warm import Warm

STDIN = "-"
EVERYWHERE = Scope(frozenset(), ("",))


class Problem(Record):
    """A finding of the engine's own: a file that cannot be judged."""

    rule: str
    finding: Finding


class Request(Record):
    """What a run is about. Paths are absolute."""

    root: str
    paths: tuple[str, ...]
    """What is reported on."""
    configuration: Configuration
    working_dir: str = ""
    """The folder that the paths people see are relative to; the root where it is empty."""
    around: int | None = None
    """How many folder entries are looked at around the paths; None for the whole project, 0 for nothing else."""
    isolated: bool = False
    """Whether nothing but the paths is read even where they point elsewhere."""
    jobs: int = 1
    """How many files are read at once."""
    overlay: Mapping[str, str] = field(default_factory=dict)
    """Texts that stand in for files: standard input, or fixes not yet written."""
    progress: Callable[[int, int], None] | None = None
    """Called with the number of files read, and of all."""
    narrow: bool = False
    """Whether only launches are followed that bear on the paths: enough for a report on them, and for no other."""
    only_judged: bool = False
    """Whether overlays leave out objects that no rule speaks of: nothing is lost but what fixes are compared by."""
    cache: bool = False
    """Whether what is known of unchanged files is kept between runs."""
    warm: Warm | None = None
    """What this process has read of the project before."""
    anywhere: bool = False
    """Whether fixes may change what was not asked for: somebody looks at them before they are made."""


class Project(Record, identity=True):
    request: Request
    scope: Scope
    sources: tuple[Source, ...]
    """Every file that was read, by path."""
    stages: tuple[Stage, ...]
    launches: tuple[Launch, ...]
    workloads: tuple[Workload, ...]
    programs: tuple[Program, ...]
    services: tuple[ComposeService, ...]
    problems: tuple[Problem, ...]
    skipped: tuple[Skip, ...]
    errors: tuple[str, ...]
    """Internal errors: each is a bug in gracelint."""
    rendered: tuple[Source, ...] = ()
    """What charts and overlays come to."""

    @property
    def fixable(self) -> Scope:
        """Where fixes may change something."""
        return EVERYWHERE if self.request.anywhere else self.scope

    def reports_on(self, path: str) -> bool:
        """Whether a file was asked for, and no setting leaves it out."""
        return path in self.scope and not self.request.configuration.excludes(path)

    def renders(self, source: Source) -> bool:
        """Whether rendered text has to do with what is reported on: its template, its chart or overlay, its values."""
        folder = source.unit.path if source.unit is not None else ""
        if source.path in self.scope or folder in self.scope:
            return True
        below = (path for path in self.scope.files if path.startswith(f"{folder}/" if folder else ""))
        return any(path.endswith(("Chart.yaml", "values.yaml", *RENDERED)) for path in below)

    def concerns(self, launch: Launch) -> bool:
        """Whether a launch has to do with what is reported on."""
        hops = (hop.span.source.path for hop in launch.hops if hop.span)
        stage = (launch.stage.source.path,) if launch.stage else ()
        return any(path in self.scope for path in (launch.origin.source.path, *stage, *hops))


def place_of(paths: Iterable[str], working_dir: str) -> Place:
    """The root of the project that absolute paths belong to.

    Where nothing marks a root, nobody knows how far the project goes: then it is what lies nearby in the working
    folder, or beside the paths if they lie elsewhere.
    """
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in paths]
    common = os.path.commonpath(folders) if folders else working_dir
    place = locate(common)
    if place is not None:
        return place
    if common == working_dir or common.startswith(working_dir.rstrip("/") + "/"):
        return Place(working_dir, around=UNMARKED_LIMIT)
    return Place(common, around=UNMARKED_LIMIT if set(folders) == {common} else 0)


RENDERED = ("Chart.yaml", "kustomization.yaml", "kustomization.yml", "Kustomization")
"""Files whose folder is rendered."""
