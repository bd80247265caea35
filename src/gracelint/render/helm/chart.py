"""Charts as they lie in a folder, and how their values come together (https://helm.sh/docs/topics/charts/)."""

from __future__ import annotations

import posixpath

from gracelint.base.memory import lru_cache
from gracelint.base.record import Record
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.render.helm.functions.versions import satisfies
from gracelint.render.helm.ignored import Ignored, ignored_in
from gracelint.render.helm.template import TemplateError
from gracelint.render.values import TooLargeError, read_values
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set
    from typing import Any

    from gracelint.facts.files import Files

    Known = Mapping[str, list[str]]
    """The folders of the charts in a repository, by their names."""

MAX_CHARTS = 50
"""Charts of one release, subcharts included, however many others there are."""
MORE_CHARTS = 10_000
"""Further ones, divided among the charts of a repository."""
MAX_FILES = 20_000
"""Files below one chart."""
_MOST_OF_A_NAME = 20
"""Charts of one name that a dependency is looked for among."""


class ChartError(Exception):
    """A chart that cannot be read. `span` is where that shows, if it shows in a file."""

    def __init__(self, reason: str, span: Span | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.span = span


class Dependency(Record, identity=True):
    """An entry of `dependencies`."""

    name: str
    alias: str | None
    conditions: tuple[str, ...]
    tags: tuple[str, ...]
    imports: tuple[Any, ...]
    repository: str
    version: str = ""


class Chart(Record, identity=True):
    """One chart, read; `root` is its folder in the project."""

    root: str
    name: str
    """As values and templates call it: the alias, where a dependency gives it one."""
    about: dict[str, Any]
    """Chart.yaml."""
    source: Source
    """Chart.yaml's text."""
    values: dict[str, Any]
    values_source: Source | None
    templates: tuple[tuple[str, Source], ...]
    """Path below the chart, and text."""
    parts: tuple[tuple[Chart, Dependency | None], ...]
    """Subcharts, each with the dependency that asks for it."""
    missing: tuple[Dependency, ...]
    """Dependencies that are not here."""
    ignored: Ignored
    """What lies in its folder and is no part of it."""

    @property
    def library(self) -> bool:
        return self.about.get("type") == "library"

    def texts(self) -> Iterator[Source]:
        """Its values and templates, and those of its subcharts."""
        yield from (
            text for text in (self.values_source, *(source for _, source in self.templates)) if text is not None
        )
        for part, _ in self.parts:
            yield from part.texts()


def read_chart(files: Files, root: str, known: Known | None = None) -> Chart:
    """Reads a chart and what lies in its `charts/`. Raises ChartError.

    `known` are charts of the same repository, among which a dependency may be that was not fetched.
    """
    return _Loader(files, known or {}).chart(root, None, (), None)


def depends_on(files: Files, root: str, known: Known) -> Iterator[str]:
    """The folders outside of a chart from which it takes its dependencies. Raises ChartError."""
    return _Loader(files, known).beside(root)


class _Loader:
    def __init__(self, files: Files, known: Known) -> None:
        self._files = files
        self._known = known
        self._left = MAX_CHARTS + MORE_CHARTS // max(sum(map(len, known.values())), 20)
        self._names = 0

    def chart(self, root: str, dependency: Dependency | None, above: tuple[str, ...], ignored: Ignored | None) -> Chart:
        """`ignored` is what the chart leaves out in whose `charts/` it lies."""
        self._left -= 1
        if self._left < 0 or root in above:
            raise ChartError("its subcharts lead to each other, or are too many")
        source = self._files.read(posixpath.join(root, "Chart.yaml"))
        if source is None:
            raise ChartError("there is no Chart.yaml")
        about = _about(source)
        ignored = ignored or ignored_in(self._files, root)
        values_path = posixpath.join(root, "values.yaml")
        values_source = None if ignored.leaves_out(values_path) else self._files.read(values_path)
        parts, missing = self._parts(root, self._dependencies(root, about), (*above, root), ignored)
        alias = dependency.alias if dependency is not None else None
        return Chart(
            root=root,
            name=alias or str(about.get("name", posixpath.basename(root))),
            about=about,
            source=source,
            values=_mapping(values_source) if values_source is not None else {},
            values_source=values_source,
            templates=tuple(self._templates(root, ignored)),
            parts=tuple(parts),
            missing=tuple(missing),
            ignored=ignored,
        )

    def beside(self, root: str) -> Iterator[str]:
        source = self._files.read(posixpath.join(root, "Chart.yaml"))
        about = _about(source) if source is not None and "dependencies" in source.text else {}
        for dependency in self._dependencies(root, about):
            place = self._beside(root, dependency)
            if place is not None:
                yield place

    def _dependencies(self, root: str, about: dict[str, Any]) -> list[Dependency]:
        listed = about.get("dependencies")
        if not listed:
            old = self._files.read(posixpath.join(root, "requirements.yaml"))
            listed = _mapping(old).get("dependencies") if old is not None else None
        entries = listed if isinstance(listed, list) else []
        return [_dependency(entry) for entry in entries if isinstance(entry, dict) and entry.get("name")]

    def _parts(
        self, root: str, asked: list[Dependency], above: tuple[str, ...], ignored: Ignored
    ) -> tuple[list[tuple[Chart, Dependency | None]], list[Dependency]]:
        folder = posixpath.join(root, "charts")
        here: dict[str, str] = {}
        for name in self._files.names(folder):
            path = posixpath.join(folder, name.rstrip("/"))
            chart_path = posixpath.join(path, "Chart.yaml")
            about = self._files.read(chart_path) if name.endswith("/") else None
            if about is not None and not ignored.leaves_out(chart_path):
                here[str(_about(about).get("name"))] = path
        parts: list[tuple[Chart, Dependency | None]] = []
        missing = []
        for dependency in asked:
            inner = here.get(dependency.name)
            place = inner or self._beside(root, dependency)
            if place is None:
                missing.append(dependency)
            else:
                parts.append((self.chart(place, dependency, above, ignored if inner else None), dependency))
        named = {dependency.name for dependency in asked}
        parts += [(self.chart(path, None, above, ignored), None) for name, path in here.items() if name not in named]
        return parts, missing

    def _beside(self, root: str, dependency: Dependency) -> str | None:
        """Where a `file://` dependency lies in the project."""
        if not dependency.repository.startswith("file://"):
            return self._same(root, dependency)
        place = posixpath.normpath(posixpath.join(root, dependency.repository.removeprefix("file://")))
        return place if self._files.exists(posixpath.join(place, "Chart.yaml")) else None

    def _same(self, root: str, dependency: Dependency) -> str | None:
        """The only other chart of that name in the repository whose version is one of those that are asked for."""
        folders = [each for each in self._known.get(dependency.name, []) if each != root][:_MOST_OF_A_NAME]
        fitting = [each for each in folders if self._fits(each, dependency)]
        return fitting[0] if len(fitting) == 1 else None

    def _fits(self, folder: str, dependency: Dependency) -> bool:
        source = self._files.read(posixpath.join(folder, "Chart.yaml"))
        about = _about(source) if source is not None else {}
        try:
            fits = satisfies(dependency.version or "*", about.get("version"))
        except TemplateError:
            return False
        return fits and about.get("name") == dependency.name

    def _templates(self, root: str, ignored: Ignored) -> Iterator[tuple[str, Source]]:
        for path in self._below(posixpath.join(root, "templates")):
            if posixpath.basename(path) == "NOTES.txt" or ignored.leaves_out(path):
                continue
            source = self._files.read(path)
            if source is not None:
                yield posixpath.relpath(path, root or "."), source

    def _below(self, folder: str) -> Iterator[str]:
        for name in self._files.names(folder):
            self._names += 1
            if self._names > MAX_FILES:
                raise ChartError("it has too many files")
            path = posixpath.join(folder, name)
            if name.endswith("/"):
                yield from self._below(path.rstrip("/"))
            else:
                yield path


@lru_cache(1_000)
def _about(source: Source) -> dict[str, Any]:
    """A Chart.yaml: many charts may depend on one. Raises ChartError."""
    return _mapping(source)


def _mapping(source: Source) -> dict[str, Any]:
    """A YAML file that holds a mapping, or nothing. Raises ChartError."""
    try:
        value = read_values(source)
    except ParseError as error:
        raise ChartError(f"{posixpath.basename(source.path)}: {error.message}", error.span) from error
    except TemplatedError as error:
        raise ChartError(f"{posixpath.basename(source.path)} is a template itself", error.span) from error
    except TooLargeError as error:
        raise ChartError(f"{posixpath.basename(source.path)} is {error}", source.span(0, 0)) from error
    if value is not None and not isinstance(value, dict):
        raise ChartError(f"{posixpath.basename(source.path)} holds no mapping", source.span(0, 0))
    return value or {}


def _dependency(entry: dict[str, Any]) -> Dependency:
    tags, imports = entry.get("tags"), entry.get("import-values")
    return Dependency(
        name=str(entry["name"]),
        alias=str(entry["alias"]) if entry.get("alias") else None,
        conditions=tuple(part.strip() for part in str(entry.get("condition") or "").split(",") if part.strip()),
        tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
        imports=tuple(imports) if isinstance(imports, list) else (),
        repository=str(entry.get("repository") or ""),
        version=str(entry.get("version") or ""),
    )


# Values


class Scoped(Record, identity=True):
    """A chart with the values it gets, and the subcharts that are switched on."""

    chart: Chart
    values: dict[str, Any]
    path: tuple[str, ...]
    """Where its values stand in those of the release."""
    parts: tuple[Scoped, ...]
    top: str
    """The name of the chart that is installed."""

    def all(self) -> Iterator[Scoped]:
        yield self
        for part in self.parts:
            yield from part.all()


def scoped(chart: Chart, given: dict[str, Any]) -> Scoped:
    """The chart with its values: what is given wins over its own; nil takes a key away."""
    return _scoped(chart, given, (), chart.name)


def _scoped(chart: Chart, given: dict[str, Any], path: tuple[str, ...], top: str, twice: bool = False) -> Scoped:
    """`twice`: a chart above lists its dependencies, so that Helm put the chart's own values into that one's before."""
    inner_charts = frozenset(part.name for part, _ in chart.parts)
    values = combined(given, _without_nil(chart.values, inner_charts) if twice else chart.values, inner_charts)
    parts = []
    for part, dependency in chart.parts:
        if dependency is not None and not _wanted(dependency, values):
            continue
        own = values.get(part.name)
        own = dict(own) if isinstance(own, dict) else {}
        shared, its = values.get("global"), own.get("global")
        own["global"] = combined(dict(shared) if isinstance(shared, dict) else {}, its if isinstance(its, dict) else {})
        inner = _scoped(part, own, (*path, part.name), top, twice or dependency is not None)
        values[part.name] = inner.values
        parts.append(inner)
        for wanted in dependency.imports if dependency is not None else ():
            values = _with_import(values, inner.values, wanted)
    return Scoped(chart, values, path, tuple(parts), top)


def combined(winner: dict[str, Any], other: dict[str, Any], kept: Set[str] = frozenset()) -> dict[str, Any]:
    """Both mappings, deeply: the winner's values count, and a nil of the winner takes away what the other says.

    Below the keys in `kept`, which are other charts' values, a nil stays, for their values to be taken away.
    """
    result = dict(winner)
    for key, value in other.items():
        if key not in winner:
            result[key] = value
        elif winner[key] is None:
            del result[key]
        elif isinstance(value, dict) and isinstance(winner[key], dict):
            result[key] = (merged if key in kept else combined)(winner[key], value)
    return result


def merged(winner: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both mappings, deeply: the winner's values count, nil among them."""
    result = {**other, **winner}
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(winner.get(key), dict):
            result[key] = merged(winner[key], value)
    return result


def _without_nil(values: dict[str, Any], kept: Set[str] = frozenset()) -> dict[str, Any]:
    return {
        key: _without_nil(value) if isinstance(value, dict) and key not in kept else value
        for key, value in values.items()
        if value is not None
    }


def _wanted(dependency: Dependency, values: dict[str, Any]) -> bool:
    """Whether conditions and tags switch a subchart on; the first condition that is set decides."""
    for condition in dependency.conditions:
        value = _at(values, condition)
        if isinstance(value, bool):
            return value
    switches = values.get("tags")
    set_tags = [switches[tag] for tag in dependency.tags if tag in switches] if isinstance(switches, dict) else []
    return any(value is True for value in set_tags) if set_tags else True


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values


def _with_import(values: dict[str, Any], inner: dict[str, Any], wanted: Any) -> dict[str, Any]:
    """`import-values`: a name of the subchart's `exports`, or a pair of `child` and `parent`."""
    if isinstance(wanted, dict):
        found, place = _at(inner, str(wanted.get("child"))), str(wanted.get("parent", "."))
    else:
        found, place = _at(inner, f"exports.{wanted}"), "."
    if not isinstance(found, dict):
        return values
    for key in reversed([key for key in place.split(".") if key]):
        found = {key: found}
    return merged(values, found)
