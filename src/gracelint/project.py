"""A project as the rules see it: discover → read → parse → link. The only module that knows the whole order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from gracelint.config import Configuration, Place, locate
from gracelint.discover import (
    DOCKERFILE,
    MANIFEST,
    OTHER,
    PROGRAM,
    UNMARKED_LIMIT,
    Scope,
    Skip,
    discover,
    scope_of,
)
from gracelint.facts.dockerfile import Stage
from gracelint.files import ProjectFiles, UnreadableError
from gracelint.finding import Finding
from gracelint.internal import internal_error
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.record import Record, field
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.config import Settings
    from gracelint.facts.compose import ComposeService
    from gracelint.facts.kubernetes import Workload
    from gracelint.facts.launch import Launch
    from gracelint.facts.program import Program
    from gracelint.facts.yaml import Document
    from gracelint.launch.link import Linked
    from gracelint.parse.later import Later
    from gracelint.render.rendering import Renderer, Rendering

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
        return any(path.endswith(("Chart.yaml", "values.yaml", *_RENDERED)) for path in below)

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


def read_project(request: Request) -> Project:
    """Reads all that the request's paths belong to. Raises ConfigError for a path that does not exist."""
    root, overlay = request.root, request.overlay
    on_disk = [path for path in request.paths if os.path.relpath(path, root) not in overlay]
    scope = scope_of(root, on_disk)
    named = {path for path in overlay if os.path.join(root, path) in request.paths}
    scope = Scope(scope.files | named, scope.folders)
    found = discover(root, scope, excludes=request.configuration.excludes, around=request.around)
    files = ProjectFiles(root, overlay, allowed=scope.__contains__ if request.isolated else None)
    reading = _Reading(files, scope, request.configuration)
    todo = found.files
    if request.jobs > 1:
        files.fetch_all([path for path, kind in todo if kind != PROGRAM], request.jobs)
    reading.add_overlays([path for path, _ in todo])
    for number, (path, kind) in enumerate(todo):
        if request.progress is not None:
            request.progress(number, len(todo))
        reading.add(path, kind)
    reading.add_charts()
    reading.add_built(path for path, _ in todo)
    if request.progress is not None:
        request.progress(len(todo), len(todo))
    return reading.finish(request, found.skipped)


class _Reading:
    """Collects what the files say; one bad file costs the others nothing."""

    def __init__(self, files: ProjectFiles, scope: Scope, configuration: Configuration) -> None:
        self.files = files
        self.scope = scope
        self.configuration = configuration
        self.stages: list[Stage] = []
        self.documents: list[Document] = []
        self.later: list[tuple[int, Later]] = []
        """What is not parsed yet, and how many documents stand before it."""
        self.entries: list[str] = []
        self.compose: dict[str, list[Document]] = {}
        self.services: list[ComposeService] = []
        self.built: set[str] = set()
        """Dockerfiles that builds name."""
        self.problems: list[Problem] = []
        self.skipped: list[Skip] = []
        self.errors: list[str] = []
        self.folders: dict[str, None] = {}
        self.renderer: Renderer | None = None
        self.rendered: list[Source] = []

    def add_overlays(self, paths: list[str]) -> None:
        """Builds the kustomizations among the files, and learns which files are parts of something."""
        if not any(path[path.rfind("/") + 1 :] in _RENDERED or "helmfile" in path for path in paths):
            return
        from gracelint.render.rendering import Renderer

        self.renderer = Renderer(self.files, paths, self.configuration.of("").assume.kubernetes_version)
        try:
            self._add_rendered(self.renderer.overlays())
        except Exception as error:
            self.errors.append(internal_error("building the kustomizations", error))

    def add_charts(self) -> None:
        """Renders the charts as the objects read so far install them, and says which of those are not here."""
        if self.renderer is None and not any(map(_installs, self.documents)):
            return
        from gracelint.render.rendering import Renderer

        self._read_later(all_of_them=True)
        renderer = self.renderer or Renderer(self.files, (), self.configuration.of("").assume.kubernetes_version)
        try:
            self._add_rendered(renderer.asked_for(self.documents))
            self._add_rendered(renderer.charts(self.documents, self._settings()))
        except Exception as error:
            self.errors.append(internal_error("rendering the charts", error))

    def _add_rendered(self, rendering: Rendering) -> None:
        self.rendered += rendering.sources
        for source in rendering.sources:
            self._read_manifest(source, None)
        for unseen in rendering.unseen:
            rule = "syntax-error" if unseen.broken else "unread-manifest"
            self.problems.append(Problem(rule, Finding(unseen.reason, unseen.at, unseen.notes)))

    def add(self, path: str, kind: str) -> None:
        self.folders[path[: path.rfind("/") + 1]] = None
        try:
            self._read(path, kind)
        except UnreadableError as error:
            at = error.source.span(error.offset, error.offset)
            self.problems.append(Problem("unreadable-file", Finding(f"this file {error.reason}", at)))
        except (ParseError, TemplatedError) as error:
            self._note(error)
        except Exception as error:
            self.errors.append(internal_error(f"reading {path}", error))

    def _read(self, path: str, kind: str) -> None:
        if kind == PROGRAM:
            self.entries.append(path)
            return
        text = self.files.load(path)
        if text is None:
            if path in self.scope.files:
                raise UnreadableError(_ELSEWHERE, Source(path, ""))
            self.skipped.append(Skip(path, _ELSEWHERE))
            return
        source = text.source
        if kind in (OTHER, DOCKERFILE):
            kind = self._closer_look(kind, source)
        if kind == DOCKERFILE:
            self._read_dockerfile(source)
        elif (kind == MANIFEST or path == STDIN) and not (self.renderer and self.renderer.is_part(path)):
            self._read_manifest(source, text.invalid_at)
        elif kind == OTHER:
            self.files.forget(path)

    def _closer_look(self, kind: str, source: Source) -> str:
        """Whether a file that is named, or has the name of something to do with Dockerfiles, is one."""
        from gracelint.parse.dockerfile import is_likely_text, is_usual_name

        if kind == OTHER or not is_usual_name(source.path):
            return DOCKERFILE if source.path in self.built or is_likely_text(source.text) else OTHER
        return kind

    def _read_dockerfile(self, source: Source) -> None:
        from gracelint.parse.dockerfile import read_dockerfile

        try:
            self.stages += read_dockerfile(source)
        except ParseError as error:
            if not any(action in error.span.text for action in ("{%", "{{")):
                raise
            self.problems.append(Problem("templated-manifest", Finding(_TEMPLATED_DOCKERFILE, error.span)))

    def _read_manifest(self, source: Source, invalid_at: int | None) -> None:
        from gracelint.parse.yaml import may_matter

        if not may_matter(source.text):
            if source.map is None:
                self.files.forget(source.path)
            return
        if invalid_at is not None:
            raise UnreadableError("is not UTF-8, which YAML requires", source, invalid_at)
        from gracelint.parse.compose import is_compose
        from gracelint.parse.yaml import read_stream

        stream = read_stream(source, self.configuration.of(source.path).workload_kinds, whole=False)
        if stream.later:
            self._put_off(source, stream.later)
        elif not stream.documents and not stream.problems and source.map is None:
            self.files.forget(source.path)
        for document in stream.documents:
            if is_compose(source.path, document):
                self.compose.setdefault(source.path, []).append(document)
            else:
                self.documents.append(document)
        for problem in stream.problems:
            self._note(problem)

    def _put_off(self, source: Source, parts: Iterable[tuple[int, int, int]]) -> None:
        from gracelint.parse.later import Later

        self.later += [(len(self.documents) + before, Later(source, start, end)) for before, start, end in parts]

    def _read_later(self, *, all_of_them: bool = False) -> None:
        """Parses what was put off, as far as the other documents may name it, and puts it in its place among them."""
        if not self.later:
            return
        from gracelint.parse.later import mounted

        names = None if all_of_them else mounted(self.documents)
        documents: list[Document] = []
        done = 0
        for before, later in self.later:
            documents += self.documents[done:before]
            done = max(done, before)
            if later.may_be_among(names):
                documents += later.read()
        self.documents = documents + self.documents[done:]
        self.later = []

    def _note(self, problem: ParseError | TemplatedError) -> None:
        if problem.span.source.map is not None:
            self.problems.append(Problem("unread-manifest", Finding(_NO_MANIFEST, problem.span)))
        elif isinstance(problem, TemplatedError):
            self.problems.append(Problem("templated-manifest", Finding(_TEMPLATED, problem.span)))
        else:
            self.problems.append(Problem("syntax-error", Finding(problem.message, problem.span)))

    def add_built(self, known: Iterable[str]) -> None:
        """Reads the Dockerfiles that Compose or the configuration names and whose own names do not give them away."""
        read = set(known)
        paths = [path for settings in self._settings() for path in settings.image_files().values()]
        self._read_projects()
        for service in self.services:
            if service.build is not None and service.build.inline is None:
                paths.append(os.path.join(service.build.context, service.build.dockerfile))
        self.built = set(map(os.path.normpath, paths))
        for path in sorted(self.built - read):
            if self.files.exists(path):
                self.add(path, DOCKERFILE)

    def _read_projects(self) -> None:
        if not self.compose:
            return
        from gracelint.parse.compose import read_projects

        try:
            together: tuple[tuple[str, ...], ...] = ()
            if len(self.compose) > 1:
                from gracelint.launch.builds.declared import compose_lists

                together = compose_lists(self.files, self.compose)
            self.services = read_projects(self.compose, self.files, together)
        except Exception as error:
            self.errors.append(internal_error("reading the Compose files", error))

    def _settings(self) -> list[Settings]:
        """Those that hold for any of the files, and at the root."""
        found = [self.configuration.of(path) for path in ("", *self.folders)]
        return list({id(settings): settings for settings in found}.values())

    def finish(self, request: Request, skipped: tuple[Skip, ...]) -> Project:
        linked = self._link()
        programs = tuple(self._programs(linked))
        return Project(
            request=request,
            scope=self.scope,
            sources=tuple(self.files.loaded()),
            stages=_judged(linked.launches) if linked else (),
            launches=tuple(linked.launches) if linked else (),
            workloads=tuple(linked.workloads) if linked else (),
            programs=programs,
            services=tuple(self.services),
            problems=tuple(self.problems),
            skipped=tuple(sorted((*skipped, *self.skipped), key=lambda skip: skip.path)),
            errors=tuple(self.errors),
            rendered=tuple(self.rendered),
        )

    def _programs(self, linked: Linked | None) -> list[Program]:
        """Those that a container starts, then those that nothing is known to start."""
        programs = list(linked.programs) if linked else []
        if self.entries:
            from gracelint.entries import entries

            programs += entries(self.entries, self.scope, self.files, programs, self.errors)
        return programs

    def _link(self) -> Linked | None:
        try:
            self._read_later()
            if not (self.stages or self.documents or self.services):
                return None
            from gracelint.launch.link import link

            manifests = None
            if self.documents:
                from gracelint.parse.kubernetes import read_manifests

                kinds = {kind: row for settings in self._settings() for kind, row in settings.workload_kinds.items()}
                manifests = read_manifests(self.documents, kinds)
            linked = link(self.stages, manifests, self.services, self.files, self.configuration)
            self.errors += [internal_error(f"following {origin.name}", error) for origin, error in linked.broken]
            return linked
        except Exception as error:
            self.errors.append(internal_error("joining the files", error))
            return None


def _judged(launches: Iterable[Launch]) -> tuple[Stage, ...]:
    """The stages that run somewhere, and those they inherit from; build stages never get a signal."""
    stages = {id(stage): stage for launch in launches if launch.stage for stage in launch.stage.lineage()}
    return tuple(sorted(stages.values(), key=lambda stage: (stage.source.path, stage.index)))


def _installs(document: Document) -> bool:
    from gracelint.facts.yaml import Mapping

    kind = document.root.scalar("kind") if isinstance(document.root, Mapping) else None
    return kind is not None and kind.value in _INSTALLERS


_RENDERED = ("Chart.yaml", "kustomization.yaml", "kustomization.yml", "Kustomization")
_INSTALLERS = ("HelmRelease", "HelmChart", "Application", "ApplicationSet")
_NO_MANIFEST = "what this is rendered to is no manifest, and is not judged"
_ELSEWHERE = "leads out of the project, or is no file"
_TEMPLATED_DOCKERFILE = "this is a template, not a Dockerfile: lint what is rendered from it"
_TEMPLATED = "this is a template, not a manifest: render it first (`helm template … | gracelint check -`)"
