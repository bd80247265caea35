"""What charts and overlays add to a reading: the manifests they come to, and what of them cannot be seen."""

from __future__ import annotations

from gracelint.finding import Finding
from gracelint.parse.later import named
from gracelint.parse.yaml import matters
from gracelint.project import Problem
from gracelint.render.rendering import Renderer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.launch.link import Linked
    from gracelint.reading import Reading
    from gracelint.render.rendering import Rendering


def add_overlays(reading: Reading, paths: Sequence[str]) -> None:
    """Builds the kustomizations among the files, and learns which files are parts of something."""
    reading.renderer = _renderer(reading, paths)
    try:
        for overlay in reading.renderer.overlays():
            _add(reading, overlay)
    except Exception as error:
        reading.broke("building the kustomizations", error)


def add_charts(reading: Reading) -> None:
    """Renders the charts as the objects read so far install them, and says which of those are not here.

    Where only files of some charts were asked for, other charts are spared, as long as that can make no difference.
    """
    names = named([one for one in reading.documents if one.kind == "HelmRelease"])
    reading.read_later(lambda part: part.may_be_among(names), keep=True)
    renderer = reading.renderer or _renderer(reading, ())
    try:
        for overlay in renderer.asked_for(reading.documents):
            _add(reading, overlay)
        only = renderer.charts_of(reading.scope.files) if reading.may_spare else None
        reading.has_spared = only is not None
        reading.alone = renderer.alone(only or ())
        for release in renderer.charts(list(reading.documents), reading.settings(), only):
            first, before = len(reading.later), len(reading.documents)
            _add(reading, release)
            reading.read_mounted(first, before)
    except Exception as error:
        reading.broke("rendering the charts", error)
    reading.problems = [problem for problem in reading.problems if not _is_rendered(problem, renderer)]
    if reading.request.only_judged:  # else a fix may edit them
        reading.files.forget_all(renderer.is_part)


def _is_rendered(problem: Problem, renderer: Renderer) -> bool:
    """Whether a template that is told of as unread was put in by those of a chart, wherever it lies."""
    return problem.rule == "templated-manifest" and problem.finding.at.source.path in renderer.used


def meets_other_charts(reading: Reading, linked: Linked | None) -> bool:
    """Whether what other charts come to may bear on what is reported: an image built here or a program, run by both.

    Objects of one release are joined with no others (`launch.units`).
    """
    from gracelint.aside import leads_on

    if linked is None:
        return bool(reading.errors)
    if any("/" not in path for path in reading.stages):  # it may be what an image of any name is built from
        return True
    return leads_on(reading, linked) or any(launch.stage is not None for launch in linked.launches)


def _renderer(reading: Reading, paths: Sequence[str]) -> Renderer:
    settings = map(reading.configuration.of, {path[: path.rfind("/") + 1] for path in paths})
    kinds = {kind: row for each in settings for kind, row in each.workload_kinds.items()}
    wanted = (lambda kind: matters(kind, kinds)) if reading.request.only_judged else None
    return Renderer(reading.files, paths, reading.configuration.of("").assume.kubernetes_version, wanted, kinds)


def _add(reading: Reading, rendering: Rendering) -> None:
    for source in rendering.sources:
        before = _length(reading)
        reading.read_manifest(source, None)
        if not reading.request.only_judged or _length(reading) > before:
            reading.rendered.append(source)
            if reading.is_large:
                source.pack()
    reading.pack()
    for unseen in rendering.unseen:
        rule = "syntax-error" if unseen.broken else "unread-manifest"
        reading.problems.append(Problem(rule, Finding(unseen.reason, unseen.at, unseen.notes)))


def _length(reading: Reading) -> int:
    """How much the manifests read so far say."""
    said = len(reading.documents) + len(reading.later) + len(reading.problems)
    return said + sum(map(len, reading.compose.values()))
