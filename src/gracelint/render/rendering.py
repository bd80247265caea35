"""All that a project's charts and overlays come to."""

from __future__ import annotations

import posixpath

from gracelint.base.memory import ROOM, kept, lru_cache
from gracelint.base.record import Record
from gracelint.finding import Note
from gracelint.parse.yaml import KUSTOMIZATIONS, each_document, read_documents
from gracelint.render.effort import OF_CHARTS, OF_OVERLAYS, START, Effort, Readers, folders_above, readers
from gracelint.source import Source, Span, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from gracelint.config import Settings
    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Document, Node
    from gracelint.render.helm.chart import Chart
    from gracelint.render.helm.installs import Install, Layer
    from gracelint.render.helm.release import Parsed, Unread
    from gracelint.source import Path

CHART = "Chart.yaml"
MAX_RELEASES = 2_000
MAX_OVERLAYS = 5_000


class Unseen(Record):
    """What cannot be judged, and why. One for each chart, release or overlay."""

    at: Span
    reason: str
    notes: tuple[Note, ...] = ()
    broken: bool = False
    """Whether the file itself is wrong, and not only out of reach."""


class Rendering(Record, identity=True):
    sources: tuple[Source, ...] = ()
    """Manifests, each with the places it comes from."""
    unseen: tuple[Unseen, ...] = ()


class Renderer:
    """Renders what lies in a project. First `overlays`, which say which files are parts; then `charts`."""

    def __init__(
        self,
        files: Files,
        paths: Iterable[str],
        kubernetes: tuple[int, int] | None,
        wanted: Callable[[str], bool] | None = None,
        kinds: Mapping[str, Any] | None = None,
    ) -> None:
        self._files = files
        self._kinds = kinds or {}
        """The user's own kinds of workloads."""
        self._wanted = wanted
        """Of a kind, whether overlays are to show its objects; None where they show all."""
        self._kubernetes = kubernetes
        paths = list(paths)
        self._charts: list[str] = [posixpath.dirname(path) for path in paths if posixpath.basename(path) == CHART]
        self._chart_folders = frozenset(self._charts)
        self._by_name: dict[str, list[str]] = {}
        self._known_users: dict[str, set[str]] | None = None
        for chart in self._charts:
            self._by_name.setdefault(posixpath.basename(chart), []).append(chart)
        folders = [posixpath.dirname(path) for path in paths if posixpath.basename(path) in KUSTOMIZATIONS]
        self._overlays = list(dict.fromkeys(folders))
        self._helmfiles = [path for path in paths if is_helmfile(path)]
        self._parts: set[str] = set()
        self._built: set[str] = set()
        self._makers = Readers({})
        """How many overlays are made of a folder or file."""
        self._room = START // max(len(self._charts) + len(self._overlays), 1)
        """The steps of each chart or overlay beyond those that its own text is worth."""
        self.used: set[str] = set()
        """Files that charts were made of: templates, values, and what templates put in."""
        self._too_large: set[str] = set()
        """Charts that were followed to the limit once; no other release of them is rendered."""

    def is_part(self, path: str) -> bool:
        """Whether a file is part of a chart or overlay, and so no manifest of its own."""
        if path in self._parts or is_helmfile(path) or posixpath.basename(path) in (CHART, *KUSTOMIZATIONS):
            return True
        return any(
            path.startswith(posixpath.join(chart, folder)) for chart in self._above(path) for folder in _CHART_FOLDERS
        )

    def _above(self, path: str) -> Iterator[str]:
        return (folder for folder in folders_above(path) if folder in self._chart_folders)

    # Overlays

    def overlays(self) -> Iterator[Rendering]:
        """The kustomizations that no other one builds upon, one by one."""
        from gracelint.render.kustomize.build import pulls_in

        pulled: dict[str, frozenset[str]] = {}
        components: set[str] = set()
        for folder in self._overlays[:MAX_OVERLAYS]:
            pulled[folder], is_component = pulls_in(self._files, folder)
            components |= {folder} if is_component else set()
        below = components.union(*pulled.values())
        self._makers = readers(pulled, lambda path: pulled.get(path, ()))
        yield from self._build(folder for folder in pulled if folder not in below)

    def _build(self, folders: Iterable[str]) -> Iterator[Rendering]:
        from gracelint.render.kustomize.build import build

        unseen: list[Unseen] = []
        known = kept(read_documents)  # many overlays build upon the same files

        def read(source: Source) -> Iterable[Document]:
            return known(source) if len(source.text) <= ROOM else each_document(source)

        for folder in folders:
            self._built.add(folder)
            effort = Effort(self._room, OF_OVERLAYS, self._makers.of)
            overlay = build(self._files, folder, effort, self._wanted, read)
            self._parts |= overlay.pulled
            unit = Unit("kustomization", folder)
            unseen += [Unseen(problem.span, problem.reason, broken=problem.broken) for problem in overlay.unread]
            yield Rendering(
                tuple(Source(item.source.path, item.text, map=item.map, unit=unit) for item in overlay.objects)
            )
        yield Rendering((), tuple(dict.fromkeys(unseen)))

    def asked_for(self, documents: Iterable[Document]) -> Iterator[Rendering]:
        """The overlays that Flux or Argo CD apply although others build upon them."""
        from gracelint.render.helm.releases import applied_folders

        known = set(self._overlays)
        folders = dict.fromkeys(
            folder for folder in applied_folders(self._files, documents) if folder in known - self._built
        )
        return self._build(folders)

    # Charts

    def charts_of(self, paths: Iterable[str]) -> frozenset[str] | None:
        """The charts that are made of any of the files; None where one of them is no part of a chart."""
        above = [frozenset(self._above(path)) for path in paths]
        if not all(above):
            return None
        users = self._users()
        found: set[str] = set()
        todo = set().union(*above)
        while todo:
            chart = todo.pop()
            found.add(chart)
            todo |= {*users.get(chart, ()), *self._above(chart)} - found
        return frozenset(found)

    def alone(self, charts: Iterable[str]) -> tuple[str, ...]:
        """The folders of those charts that all that is made of them are among."""
        known = frozenset(charts)
        made_of = ((chart, self.charts_of([posixpath.join(chart, CHART)])) for chart in known)
        return tuple(
            sorted(posixpath.join(chart, "") for chart, users in made_of if users is not None and users <= known)
        )

    def _users(self) -> dict[str, set[str]]:
        """By chart, those that take it from where it lies."""
        if self._known_users is None:
            self._known_users = {}
            for chart in self._charts:
                for used in self._taken(chart):
                    self._known_users.setdefault(used, set()).add(chart)
        return self._known_users

    def _taken(self, chart: str) -> list[str]:
        from gracelint.render.helm.chart import ChartError, depends_on

        try:
            return list(depends_on(self._files, chart, self._by_name))
        except ChartError:
            return []

    def charts(
        self,
        documents: Iterable[Document],
        settings: Iterable[Settings] = (),
        only: frozenset[str] | None = None,
    ) -> Iterator[Rendering]:
        """The releases that settings and objects ask for, and the defaults of the charts that nobody installs.

        One by one: what they come to is large, and little of it matters. `only` are the folders of the charts that
        are rendered; None stands for all.
        """
        from gracelint.render.helm.helmfile import in_helmfile
        from gracelint.render.helm.releases import asked_for, defaults_of, from_settings

        installs, elsewhere = asked_for(self._files, documents)
        installs = [*from_settings(self._files, settings), *installs]
        for path in self._helmfiles:
            more, missing = in_helmfile(self._files, path)
            installs += more
            elsewhere += missing
        installed = {install.chart for install in installs}
        inner = self._inner_charts()
        for folder in self._charts:
            if folder not in inner and (only is None or folder in only):
                installs += defaults_of(self._files, folder, alone=folder not in installed)
        unseen = [Unseen(item.span, item.reason) for item in elsewhere]
        charts: dict[str, Chart | Unseen | None] = {}
        parsed: dict[str, Parsed] = {}
        efforts = self._efforts(installs[:MAX_RELEASES])
        installs = [install for install in installs[:MAX_RELEASES] if only is None or install.chart in only]
        last = {install.chart: install for install in installs}
        for install in installs:
            if install.chart not in charts:
                charts[install.chart] = self._chart(install.chart)
                problem = charts[install.chart]
                unseen += [problem] if isinstance(problem, Unseen) else []
            chart = charts[install.chart]
            if chart is None or isinstance(chart, Unseen) or chart.library or chart.root in self._too_large:
                continue
            effort = efforts(install)
            effort.read(*chart.texts())
            made, missed = self._release(chart, install, effort, parsed.setdefault(install.chart, {}))
            self.used |= effort.texts
            yield Rendering(tuple(made))
            unseen += missed
            if last[install.chart] is install:  # syntax trees are far larger than what they make
                del charts[install.chart], parsed[install.chart]
        yield Rendering((), _worst(unseen))

    def _efforts(self, installs: Sequence[Install]) -> Callable[[Install], Effort]:
        """What each release may cost: its chart's text counts for all releases of it together, its values besides."""
        of_charts = readers(self._charts, self._taken)
        releases: dict[str, int] = {}
        given: dict[str, int] = {}
        for install in installs:
            releases[install.chart] = releases.get(install.chart, 0) + 1
            for source in _given(install):
                given[source.path] = given.get(source.path, 0) + 1

        def effort(install: Install) -> Effort:
            count = releases[install.chart]
            made = Effort(self._room // count, OF_CHARTS, lambda path: given.get(path) or count * of_charts.of(path))
            made.read(*_given(install), shared=1)
            return made

        return effort

    def _inner_charts(self) -> set[str]:
        """Charts that lie in another one's `charts/`."""
        charts = set(self._charts)
        return {
            chart
            for chart in self._charts
            if any(_inside(chart, above) for above in self._above(chart) if above in charts)
        }

    def _chart(self, root: str) -> Chart | Unseen | None:
        from gracelint.render.helm.chart import ChartError, read_chart

        try:
            return read_chart(self._files, root, self._by_name)
        except ChartError as error:
            source = self._files.read(posixpath.join(root, CHART))
            if source is None:
                return None
            notes = (Note(error.span, error.reason),) if error.span is not None else ()
            return Unseen(source.span(0, 0), f"this chart cannot be read: {error.reason}", notes)

    def _release(
        self, chart: Chart, install: Install, effort: Effort, parsed: Parsed
    ) -> tuple[list[Source], list[Unseen]]:
        from gracelint.base.record import replace
        from gracelint.render.helm.release import NEWEST, Release, render
        from gracelint.render.values import TooLargeError

        unseen: list[Unseen] = []
        name = install.name or chart.name
        given = effort.left
        try:
            release = Release(name, install.namespace, install.values, self._kubernetes or NEWEST, self._kinds)
            rendered, unread = render(self._files, chart, release, effort, parsed)
        except TooLargeError as error:
            self._too_large.add(chart.root)
            return [], [Unseen(chart.source.span(0, 0), f"the chart `{chart.name}` is {error}")]
        unit = Unit("chart", chart.root, name, install.because)
        value_at = _finder(chart, install)
        sources = [
            Source(item.template.path, item.text, map=replace(item.map, value_at=value_at), unit=unit)
            for item in rendered
        ]
        if effort.left < given // 2 and any(problem.reason == str(TooLargeError()) for problem in unread):
            self._too_large.add(chart.root)
        problem = _missed(chart, len(rendered), unread)
        return sources, [*unseen, *([problem] if problem is not None else [])]


def _given(install: Install) -> list[Source]:
    """The files in which the values of a release stand."""
    sources = {layer.root.source.path: layer.root.source for layer in install.layers}
    return [source for path, source in sources.items() if path]


def is_helmfile(path: str) -> bool:
    """Whether a file lists releases for helmfile, by its name."""
    folder, _, name = path.removesuffix(".gotmpl").rpartition("/")
    if not name.endswith((".yaml", ".yml")):
        return False
    return name in ("helmfile.yaml", "helmfile.yml") or folder.rpartition("/")[2] == "helmfile.d"


_CHART_FOLDERS = ("templates/", "charts/", "crds/", "ci/", "values.yaml", "Chart.lock")


def _inside(chart: str, above: str) -> bool:
    return chart != above and chart.startswith(posixpath.join(above, "charts/"))


def _missed(chart: Chart, rendered: int, unread: Sequence[Unread]) -> Unseen | None:
    """What of a chart is not judged: templates that could not be rendered, and charts that are not here."""
    reasons = []
    if unread:
        count = f"{len(unread)} of {len(unread) + rendered} templates"
        reasons.append(f"{count} of the chart `{chart.name}` cannot be rendered, and what they make is not judged")
    if chart.missing:
        names = list(dict.fromkeys(f"`{dependency.name}`" for dependency in chart.missing))
        are = "is" if len(names) == 1 else "are"
        named = " and ".join(names)
        reasons.append(f"{named}, which `{chart.name}` depends on, cannot be found here and {are} not judged")
    if not reasons:
        return None
    notes = tuple(dict.fromkeys(Note(problem.span, _reason(problem, chart)) for problem in unread))[:10]
    return Unseen(_name_span(chart), "; ".join(reasons), notes)


def _reason(problem: Unread, chart: Chart) -> str:
    """Why a template could not be rendered; where it asks for a value of a chart that is not here, that too."""
    asked = (dependency.alias or dependency.name for dependency in chart.missing)
    missing = next((name for name in asked if f".Values.{name}." in problem.span.text), None)
    return problem.reason if missing is None else f"{problem.reason}: the values of `{missing}` are not here"


def _worst(unseen: Iterable[Unseen]) -> tuple[Unseen, ...]:
    """One for each place: of a chart that is rendered several times, the release of which most is missing."""
    found: dict[Span, Unseen] = {}
    for item in unseen:
        known = found.get(item.at)
        if known is None or len(item.notes) > len(known.notes):
            found[item.at] = item
    return tuple(found.values())


def _name_span(chart: Chart) -> Span:
    """The line of Chart.yaml that names the chart."""
    start = chart.source.text.find("\nname:") + 1
    return chart.source.line_span(chart.source.position(start)[0])


def _finder(chart: Chart, install: Install) -> Any:
    """Where a value of the release is written: in the strongest layer that has it."""
    own = list(_own_values(chart, ()))

    def layers() -> Iterator[Layer]:
        from gracelint.render.helm.installs import Layer

        yield from install.layers
        for source, at in own:
            root = _root(source)
            if root is not None:
                yield Layer(root, at)

    def find(path: Path) -> Span | None:
        for candidate in (path, *([path[1:]] if len(path) > 1 and path[1] == "global" else [])):
            if _is_set(install.set, candidate):
                return None
            for layer in layers():
                span = layer.span(candidate)
                if span is not None:
                    return span if span.source.path else None
        return None

    return find


@lru_cache(20)
def _root(source: Source) -> Node | None:
    """The tree of a values file. A finding asks for it, of which there are few: all of them together are large."""
    documents = read_documents(source, last_wins=True)
    return documents[0].root if documents else None


def _is_set(values: Any, path: Path) -> bool:
    """Whether a value is given by a name alone (`--set`), which has no place that can be shown."""
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


def _own_values(chart: Chart, at: Path) -> Iterator[tuple[Source, Path]]:
    """The values files of a chart and its subcharts, and where what they say stands in the values of the release."""
    if chart.values_source is not None:
        yield chart.values_source, at
    for part, _ in chart.parts:
        yield from _own_values(part, (*at, part.name))
