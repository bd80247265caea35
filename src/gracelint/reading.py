"""From paths to a project: discover → read → parse → link. The only module that knows the whole order."""

from __future__ import annotations

import os

from gracelint.base.patterns import pattern
from gracelint.finding import Finding, Severity
from gracelint.parse.errors import FragmentError, ParseError, TemplatedError
from gracelint.project import RENDERED, STDIN, Problem, Project, Request
from gracelint.source import Source
from gracelint.tree.discover import (
    DOCKERFILE,
    MANIFEST,
    OTHER,
    PROGRAM,
    Found,
    Scope,
    Skip,
    discover,
    scope_of,
)
from gracelint.tree.files import ENCRYPTED, ProjectFiles, UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeVar

    T = TypeVar("T")

    from gracelint.config import Settings
    from gracelint.facts.compose import ComposeService
    from gracelint.facts.dockerfile import Stage
    from gracelint.facts.launch import Launch
    from gracelint.facts.program import Program
    from gracelint.facts.yaml import Document
    from gracelint.launch.desk import Desk
    from gracelint.launch.link import Linked
    from gracelint.launch.near import Near
    from gracelint.parse.kubernetes import Objects
    from gracelint.parse.later import Later
    from gracelint.render.rendering import Renderer
    from gracelint.source import Span, Unit
    from gracelint.tree.index import Index


def read_project(request: Request) -> Project:
    """Reads all that the request's paths belong to. Raises ConfigError for a path that does not exist."""
    root, overlay = request.root, request.overlay
    on_disk = [path for path in request.paths if os.path.relpath(path, root) not in overlay]
    scope = scope_of(root, on_disk)
    named = {path for path in overlay if os.path.join(root, path) in request.paths}
    scope = Scope(scope.files | named, scope.folders)
    found = _found(request, scope)
    allowed = scope.__contains__ if request.isolated else None
    files = ProjectFiles(root, overlay, allowed=allowed, warm=request.warm, listing=found.listing)
    if request.warm is not None:
        request.warm.begin()
    todo = found.files
    reading = _read(request, scope, files, todo)
    linked = reading.link()
    if reading.has_spared_too_much(linked):
        reading = _read(request, scope, files, todo, all_charts=True)
        linked = reading.link()
    if request.warm is not None:
        request.warm.end()
    return reading.finish(linked, found.skipped)


def _read(
    request: Request, scope: Scope, files: ProjectFiles, todo: Sequence[tuple[str, str]], *, all_charts: bool = False
) -> Reading:
    reading = Reading(files, scope, request, _index(request, scope, todo))
    kinds = [kind for _, kind in todo]
    reading.beginnings = kinds.count(DOCKERFILE) + kinds.count(MANIFEST)
    reading.may_spare = request.narrow and not scope.folders and not all_charts
    reading.prepare(todo)
    reading.add_overlays([path for path, _ in todo])
    left = reading.put_aside(todo)
    if request.jobs > 1:
        files.fetch_all([path for path, kind in left if kind != PROGRAM and path not in reading.aside], request.jobs)
    for number, (path, kind) in enumerate(left):
        if request.progress is not None:
            request.progress(number, len(left))
        reading.add(path, kind)
    reading.add_charts()
    reading.add_built(path for path, _ in todo)
    reading.add_near()
    if request.progress is not None:
        request.progress(len(todo), len(todo))
    return reading


def _found(request: Request, scope: Scope) -> Found:
    """What there is to read: as it was before, where nothing but texts of known files has changed."""
    warm = request.warm
    if warm is not None and warm.found is not None and scope.files <= {path for path, _ in warm.found.files}:
        return warm.found
    settings = request.configuration
    found = discover(request.root, scope, excludes=settings.excludes, is_open=settings.is_open, around=request.around)
    if warm is not None:
        warm.found = found if not scope.folders else None
    return found


def _index(request: Request, scope: Scope, todo: Sequence[tuple[str, str]]) -> Index | None:
    """What is known of the files, where that is worth a look: a run for few files has read them sooner."""
    if not request.cache or request.isolated or len(todo) < WORTH_KEEPING:
        return None
    from gracelint.tree.index import index_of

    index = index_of(request.root)
    # To begin one takes a fifth of a run for everything: few such runs get it back, but the next one for a file does.
    return index if index is not None and (index.is_kept or not scope.folders) else None


class Reading:
    """Collects what the files say; one bad file costs the others nothing."""

    def __init__(self, files: ProjectFiles, scope: Scope, request: Request, index: Index | None = None) -> None:
        self.files = files
        self.scope = scope
        self.request = request
        self.configuration = request.configuration
        self.index = index
        self.aside: dict[str, tuple[str, ...]] = {}
        """Files that are not read, and the keys by which they are joined with others."""
        self.desk: Desk | None = None
        self.stages: dict[str, list[Stage] | None] = {}
        """By Dockerfile; None for one that is read when it is asked for."""
        self.kinds: dict[str, Mapping[str, Any]] = {}
        """The users' own kinds of workloads."""
        self.documents: list[Document] = []
        self.drawn: dict[int, Objects] = {}
        """What documents say whose trees were let go, by `id()`."""
        self.later: list[tuple[int, Later]] = []
        """What is not parsed yet, and how many documents stand before it."""
        self.entries: list[str] = []
        self.compose: dict[str, list[Document]] = {}
        self.services: list[ComposeService] = []
        self.manifests: set[str] = set()
        """Files that were read for what they say to Kubernetes or Compose, be it nothing."""
        self.objects: set[str] = set()
        """Files that were asked for and hold Kubernetes objects that do not matter: no program reads those."""
        self.built: set[str] = set()
        """Dockerfiles that builds name."""
        self.problems: list[Problem] = []
        self.skipped: list[Skip] = []
        self.errors: list[str] = []
        self.folders: dict[str, None] = {}
        self.renderer: Renderer | None = None
        self.rendered: list[Source] = []
        self._unfolded: list[Document] = []
        """Documents whose trees are kept."""
        self._kept = 0
        """Code points of the documents whose trees are kept."""
        self.beginnings = 1
        """Files in which launches may begin, as far as names tell."""
        self.may_spare = False
        """Whether charts may be left out that are made of none of the files that were asked for."""
        self.has_spared = False
        self.alone: tuple[str, ...] = ()
        """Folders of charts of which nothing is made that was left out."""

    def prepare(self, todo: Sequence[tuple[str, str]]) -> None:
        """Learns what the settings above the files to read say of them."""
        self.folders = dict.fromkeys([path[: path.rfind("/") + 1] for path, _ in todo])
        self.kinds = {kind: row for settings in self.settings() for kind, row in settings.workload_kinds.items()}

    def put_aside(self, todo: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Leaves files unread of which the index knows that nothing in them bears on what is reported.

        Returns the others, and all Dockerfiles.
        """
        index = self.index
        if index is None or any(map(_has_own_rows, map(self.configuration.of, self.folders))):
            self.index = None
            return todo
        overlay = self.request.overlay
        known = index.look([path for path, kind in todo if kind in (MANIFEST, DOCKERFILE) and path not in overlay])
        parts = filter(self.renderer.is_part, known) if self.renderer is not None else ()
        for path in (*self.scope.files, *parts):
            known.pop(path, None)
        idle = {path for path, keys in known.items() if keys == NOTHING}
        self.files.forget_all(idle.__contains__)
        if not self.request.narrow or self.scope.folders or self.renderer is not None or len(known) < len(todo) // 2:
            return [item for item in todo if item[0] not in idle]
        self.aside = {path: keys for path, keys in known.items() if path not in idle}
        return [item for item in todo if item[0] not in known or (item[1] == DOCKERFILE and item[0] not in idle)]

    def add_near(self) -> None:
        """Reads those files, of the ones put aside, that bear on what is reported, or on what does."""
        if not self.aside:
            return
        from gracelint.aside import needed

        self._read_aside(sorted(needed(self, self.aside)))

    def _is_part(self, path: str) -> bool:
        return self.renderer is not None and self.renderer.is_part(path)

    def add_overlays(self, paths: list[str]) -> None:
        """Builds the kustomizations among the files, and learns which files are parts of something."""
        if any("helmfile" in path or path.endswith(RENDERED) for path in paths):
            from gracelint.rendered import add_overlays

            add_overlays(self, paths)

    def add_charts(self) -> None:
        """Renders the charts as the objects read so far install them, and says which of those are not here."""
        if self.renderer is not None or any(map(installs, self.documents)):
            from gracelint.rendered import add_charts

            add_charts(self)

    def add(self, path: str, kind: str) -> None:
        self.folders[path[: path.rfind("/") + 1]] = None
        if path in self.aside:
            self.stages[path] = None
            return
        try:
            self._read(path, kind)
        except UnreadableError as error:
            if error.reason == ENCRYPTED:
                self.skipped.append(Skip(path, error.reason))
                return
            at = error.source.span(error.offset, error.offset)
            self.problems.append(Problem("unreadable-file", Finding(f"this file {error.reason}", at)))
        except (ParseError, TemplatedError) as error:
            self._note(error)
        except Exception as error:
            self.broke(f"reading {path}", error)

    def _read(self, path: str, kind: str) -> None:
        if kind == PROGRAM:
            self.entries.append(path)
            return
        is_part = kind == MANIFEST and self._is_part(path)
        text = self.files.peek(path) if is_part else self.files.load(path)
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
        elif (kind == MANIFEST or path == STDIN) and not is_part:
            self.manifests.add(path)
            self.read_manifest(source, text.invalid_at)
            self.pack()
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
            self.stages[source.path] = self._said("stages", source, lambda: read_dockerfile(source))
        except ParseError as error:
            if not any(action in error.span.text for action in ("{%", "{{")):
                raise
            self.problems.append(Problem("templated-manifest", Finding(_TEMPLATED_DOCKERFILE, error.span)))

    def read_manifest(self, source: Source, invalid_at: int | None) -> None:
        from gracelint.parse.yaml import may_matter

        if not may_matter(source.text):
            if source.map is None:
                self._let_go(source)
            return
        if invalid_at is not None:
            raise UnreadableError("is not UTF-8, which YAML requires", source, invalid_at)
        from gracelint.parse.compose import is_compose
        from gracelint.parse.yaml import read_stream

        kinds = self.configuration.of(source.path).workload_kinds
        stream = self._said(f"documents {kinds}", source, lambda: read_stream(source, kinds, whole=False))
        if stream.later:
            self._put_off(source, stream.later)
        elif not stream.documents and not stream.problems and source.map is None:
            self._let_go(source)
        for document in stream.documents:
            if is_compose(source.path, document):
                self.compose.setdefault(source.path, []).append(document)
            else:
                self.documents.append(document)
                self._draw(document)
        for problem in stream.problems:
            self._note(problem)

    def _said(self, what: str, source: Source, read: Callable[[], T]) -> T:
        warm = self.request.warm if source.map is None else None
        return read() if warm is None else warm.said(what, source, read)

    def objects_of(self, document: Document, kinds: Mapping[str, Mapping[str, Any]]) -> Objects:
        """What a document says."""
        from gracelint.parse.kubernetes import objects_of

        if id(document) in self.drawn:
            return self.drawn[id(document)]
        what = f"objects {document.root.span.start} {kinds}"
        return self._said(what, document.source, lambda: objects_of(document, kinds))

    @property
    def is_large(self) -> bool:
        """Whether there is so much to read, and only once, that further trees and texts would take too much room."""
        return self._kept > LARGE and self.request.warm is None

    def pack(self) -> None:
        """Puts away the texts that were read."""
        if self.is_large:
            self.files.pack()

    def _draw(self, document: Document) -> None:
        """Takes what a document says, and lets go of its tree, which is far larger."""
        self._unfolded.append(document)
        self._kept += document.root.end - document.root.start
        if self.is_large:
            from gracelint.parse.folding import drawn

            self.drawn |= drawn(self._unfolded, self.kinds)
            self._unfolded = []

    def _let_go(self, source: Source) -> None:
        from gracelint.parse.yaml import holds_objects

        path = source.path
        if path in self.scope.files and holds_objects(source.text):
            self.objects.add(path)
        self.files.forget(path)
        if self.index is not None and path not in self.request.overlay:
            self.index.learn(path, NOTHING)

    def _put_off(self, source: Source, parts: Iterable[tuple[int, int, int]]) -> None:
        from gracelint.parse.later import Later

        self.later += [(len(self.documents) + before, Later(source, start, end)) for before, start, end in parts]

    def read_later(self, wanted: Callable[[Later], bool], first: int = 0, *, keep: bool = False) -> None:
        """Parses, of what was put off from a place on, what is `wanted`, and puts it in its place among the documents.

        The rest is kept for later still, or let go.
        """
        if len(self.later) <= first:
            return
        done = self.later[first][0]
        documents, left = self.documents[:done], self.later[:first]
        for before, later in self.later[first:]:
            documents += self.documents[done:before]
            done = max(done, before)
            if wanted(later):
                read = later.read()
                documents += read
                for document in read:
                    self._draw(document)
            elif keep:
                left.append((len(documents), later))
        self.documents, self.later = documents + self.documents[done:], left

    def read_mounted(self, first: int = 0, documents: int = 0) -> None:
        """Parses, of what was put off from a place on, what may be mounted by what is applied together with it."""
        if len(self.later) == first:
            return
        from gracelint.parse.later import mounted

        by_unit: dict[Unit | None, list[Document]] = {part.source.unit: [] for _, part in self.later[first:]}
        for document in self.documents[documents:]:
            if document.source.unit in by_unit:
                by_unit[document.source.unit].append(document)
        names = {unit: mounted(each) for unit, each in by_unit.items()}
        self.read_later(lambda part: part.may_be_among(names[part.source.unit]), first)

    def _note(self, problem: ParseError | TemplatedError) -> None:
        from gracelint.tree.purpose import is_template

        if problem.span.source.map is not None:
            self.problems.append(Problem("unread-manifest", Finding(_NO_MANIFEST, problem.span)))
        elif isinstance(problem, TemplatedError):
            self.problems.append(Problem("templated-manifest", Finding(_TEMPLATED, problem.span)))
        elif is_template(problem.span.source.path) or _is_at_placeholder(problem.span):
            self.problems.append(Problem("templated-manifest", Finding(_OTHER_TEMPLATE, problem.span)))
        else:
            severity = Severity.INFO if isinstance(problem, FragmentError) else None
            self.problems.append(Problem("syntax-error", Finding(problem.message, problem.span, severity=severity)))

    def add_built(self, known: Iterable[str]) -> None:
        """Reads the Dockerfiles that Compose or the configuration names and whose own names do not give them away."""
        read = set(known)
        paths = [path for settings in self.settings() for path in settings.image_files().values()]
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
            given, warm = (self.compose, together), self.request.warm
            if warm is None:
                self.services = read_projects(*given, files=self.files)
            else:
                made = warm.made("services", given, self.files, lambda asked: read_projects(*given, files=asked))
                self.services = [warm.again(("service", one.source.path, one.name), one) for one in made]
        except Exception as error:
            self.broke("reading the Compose files", error)

    def broke(self, doing: str, error: Exception) -> None:
        from gracelint.base.internal import internal_error

        self.errors.append(internal_error(doing, error))

    def settings(self) -> list[Settings]:
        """Those that hold for any of the files, and at the root."""
        found = [self.configuration.of(path) for path in ("", *self.folders)]
        return list({id(settings): settings for settings in found}.values())

    def finish(self, linked: Linked | None, skipped: tuple[Skip, ...]) -> Project:
        programs = tuple(self._programs(linked))
        return Project(
            request=self.request,
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

    def _near(self) -> Near | None:
        from gracelint.aside import near

        return near(self)

    def has_spared_too_much(self, linked: Linked | None) -> bool:
        """Whether charts that were not rendered may bear on what is reported after all."""
        if not self.has_spared:
            return False
        from gracelint.rendered import meets_other_charts

        return meets_other_charts(self, linked)

    def link(self) -> Linked | None:
        """Joins what was read."""
        self.renderer = None  # what charts and overlays were made from is large
        near = self._near() if self.request.narrow else None
        documents, later = (list(self.documents), list(self.later)) if near is not None else ([], [])
        linked = self._linked(near)
        if near is None or linked is None or linked.is_whole:
            return linked
        from gracelint.aside import leads_on

        if leads_on(self, linked):
            # Whatever else leads to the same files is told of there: all has to be followed.
            self.documents, self.later, self.desk = documents, later, None
            self._read_aside(sorted(self.aside))
            linked = self._linked(None)
        return linked

    def _linked(self, near: Near | None) -> Linked | None:
        try:
            later = [part for _, part in self.later]
            self.read_mounted()
            manifests = None
            if self.documents:
                from gracelint.parse.kubernetes import read_manifests

                manifests = read_manifests(self.documents, self.kinds, self.objects_of)
            if self.index is not None:
                from gracelint.aside import learn

                learn(self, self.index, manifests, later)
            if not (self.documents or self.services or any(self.stages.values())):
                return None
            from gracelint.launch.link import link

            self.documents, self._unfolded = [], []  # those live on that a fact stands in
            linked = link(self.the_desk(), manifests, self.services, near, self._images_aside())
            for origin, error in linked.broken:
                self.broke(f"following {origin.name}", error)
            return linked
        except Exception as error:
            self.broke("joining the files", error)
            return None

    def _read_aside(self, paths: Sequence[str]) -> None:
        for path in paths:
            del self.aside[path]
            if path not in self.stages:
                self.add(path, MANIFEST)
            elif self.stages[path] is None:
                self.add(path, DOCKERFILE)
        if paths:
            from gracelint.aside import sort

            sort(self)

    def the_desk(self) -> Desk:
        if self.desk is None:
            from gracelint.launch.desk import Desk, Stages

            stages, warm = Stages(self.stages, self._stages_of, self.aside), self.request.warm
            given = (self.files, self.configuration, warm, self.beginnings, self.pack)
            self.desk = Desk(stages, self.services, *given)
        return self.desk

    def _stages_of(self, path: str) -> list[Stage]:
        """Those of a Dockerfile that was put aside."""
        from gracelint.parse.dockerfile import read_dockerfile

        source = self.files.read(path)
        try:
            return read_dockerfile(source) if source is not None else []
        except ParseError:
            return []

    def _images_aside(self) -> Iterator[tuple[str, str]]:
        if self.aside:
            from gracelint.launch.near import Aside

            yield from Aside(self.aside).images()


def _judged(launches: Iterable[Launch]) -> tuple[Stage, ...]:
    """The stages that run somewhere, and those they inherit from; build stages never get a signal."""
    stages = {id(stage): stage for launch in launches if launch.stage for stage in launch.stage.lineage()}
    return tuple(sorted(stages.values(), key=lambda stage: (stage.source.path, stage.index)))


def installs(document: Document) -> bool:
    return document.kind in _INSTALLERS


def _is_at_placeholder(span: Span) -> bool:
    """Whether the line where reading ended, or one of the two before, is for something else to be put in."""
    text, start = span.source.text, span.start
    for _ in range(3):
        start = text.rfind("\n", 0, max(start, 0))
    end = text.find("\n", span.start)
    return _PLACEHOLDER.search(text[start + 1 : end if end >= 0 else len(text)]) is not None


def _has_own_rows(settings: Settings) -> bool:
    """Whether settings change what files of their folders mean, so that it cannot be kept apart from them."""
    return bool(settings.workload_kinds)


NOTHING: tuple[str, ...] = ("nothing",)
WORTH_KEEPING = 500
"""Files to look at from which on an index saves more than it costs."""
LARGE = 1_000_000
"""Code points of documents from which on trees and texts are put away; a tree takes ten bytes for each."""
_INSTALLERS = ("HelmRelease", "HelmChart", "Application", "ApplicationSet")
_NO_MANIFEST = "what this is rendered to is no manifest, and is not judged"
_ELSEWHERE = "leads out of the project, or is no file"
_TEMPLATED_DOCKERFILE = "this is a template, not a Dockerfile: lint what is rendered from it"
_PLACEHOLDER = pattern(
    r"(?m)^[ \t]*(?:(?:<[A-Z][A-Z0-9_]*>|%%[A-Z0-9_]+%%|@[A-Z][A-Z0-9_]*@|</?[#%].*)[ \t]*\r?$"
    r"|[^\s\[][^\n\[]*\[[^\n\]\"']*\$\{[A-Za-z_]\w*\})"
)
"""A line that only says what something else puts there: `<ANNOTATIONS>`, `<#if tls>`."""
_OTHER_TEMPLATE = "this is a template, and cannot be read as it stands: lint what is made from it"
_TEMPLATED = "this is a template, not a manifest: render it first (`helm template … | gracelint check -`)"
