"""What a folder's Maven or Gradle build says, with its parents and the projects of the repository it depends on."""

from __future__ import annotations

import posixpath
from functools import lru_cache

from gracelint.base.record import Record
from gracelint.launch.builds import GRADLE_FILES
from gracelint.parse.errors import ParseError
from gracelint.parse.gradle import NO_CATALOG, Catalog, Script, put_in, read_catalog, read_script, variables_of
from gracelint.parse.maven import Pom, read_pom
from gracelint.parse.maven import put_in as put_in_pom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gracelint.facts.files import Files
    from gracelint.parse.xml import Element
    from gracelint.source import Source

_MOST_PROJECTS = 200
_DEEPEST = 12
_SETTINGS = ("settings.gradle", "settings.gradle.kts")


class Module(Record, identity=True):
    """One project of a build."""

    folder: str
    tool: str
    """maven or gradle."""
    artifacts: Mapping[str, str]
    """By `group:artifact`, with the version where one is known, else "". Parents, imports and what other projects of
    the repository bring are among them; what is for tests alone is not."""
    plugins: Mapping[str, str]
    """Maven's by `group:artifact`, Gradle's by id."""
    properties: Mapping[str, str]
    names: Mapping[str, str]
    """What it calls things, as `Script.names`."""
    folders: tuple[str, ...]
    """Its own, and those of the projects it depends on."""
    source: Source
    """The build file."""
    elements: tuple[Element, ...] = ()
    """Maven's plugins as they are configured, its own first."""
    unseen: str | None = None
    """A parent that is not in the repository, and may set what this build does not."""
    aggregates: bool = False
    """It only holds other projects together."""

    def version_of(self, names: Iterable[str]) -> str:
        """The version of the first of these that has one; a `*` at the end stands for any ending."""
        for name in names:
            for known, version in (*self.artifacts.items(), *self.plugins.items()):
                if version and "$" not in version and _fits(known, name):
                    return version
        return ""

    def has(self, names: Iterable[str]) -> bool:
        """Whether it has any of these artifacts or plugins."""
        return any(_fits(known, name) for name in names for known in (*self.artifacts, *self.plugins))


def _fits(known: str, name: str) -> bool:
    return known.startswith(name[:-1]) if name.endswith("*") else known == name


@lru_cache(maxsize=256)
def module_at(files: Files, folder: str) -> Module | None:
    """The project whose build file lies in a folder; None where there is none that can be read."""
    if "pom.xml" in files.names(folder):
        return _maven(files, folder)
    return _gradle(files, folder) if any(name in files.names(folder) for name in GRADLE_FILES) else None


# Maven


@lru_cache(maxsize=512)
def _pom(files: Files, path: str) -> Pom | None:
    source = files.read(path)
    if source is None:
        return None
    try:
        return read_pom(source)
    except ParseError:
        return None


def _chain(files: Files, folder: str) -> list[Pom]:
    """A project's pom and those of its parents that are in the repository, its own first."""
    found: list[Pom] = []
    path = posixpath.join(folder, "pom.xml")
    while len(found) < _DEEPEST:
        pom = _pom(files, path)
        named = found[-1].parent if found else None
        if pom is None or (named is not None and named.name.partition(":")[2] != pom.artifact):
            return found
        found.append(pom)
        if pom.parent is None or pom.parent_path is None:
            return found
        parent = pom.parent_path if pom.parent_path.endswith(".xml") else posixpath.join(pom.parent_path, "pom.xml")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), parent))
        if path.startswith(".."):
            return found
    return found


def _maven(files: Files, folder: str) -> Module | None:
    chain = _chain(files, folder)
    if not chain:
        return None
    own = chain[0]
    properties = {
        "project.artifactId": own.artifact,
        "artifactId": own.artifact,
        "project.name": own.name or own.artifact,
        "project.version": own.version,
        "version": own.version,
        "project.basedir": folder or ".",
        "basedir": folder or ".",
        "project.build.directory": posixpath.join(folder, "target"),
        "project.build.finalName": own.final_name or f"{own.artifact}-{own.version}",
    }
    if own.parent is not None:
        properties |= {"project.parent.version": own.parent.version}
    for pom in reversed(chain):
        properties |= pom.properties
    artifacts: dict[str, str] = {}
    folders = [folder]
    for pom in reversed(chain):
        outside = pom.parent if pom is chain[-1] else None
        for one in (*((outside,) if outside is not None else ()), *pom.managed, *pom.dependencies):
            if one.scope == "test" or (one in pom.managed and one.scope != "import"):
                continue
            name = put_in_pom(one.name, properties)
            artifacts[name] = put_in_pom(one.version, properties) or artifacts.get(name, "")
    reactor = _reactor(files, chain[-1])
    for name in [*artifacts]:
        below = reactor.get(name.partition(":")[2])
        if below is None or below in folders or len(folders) > _MOST_PROJECTS:
            continue
        other = module_at(files, below)
        if other is not None:
            folders += [one for one in other.folders if one not in folders]
            artifacts = {**other.artifacts, **artifacts}
    elements = tuple(element for pom in chain for element in pom.plugins)
    plugins: dict[str, str] = {}
    for element in elements:
        name = f"{element.value('groupId') or 'org.apache.maven.plugins'}:{element.value('artifactId')}"
        plugins[name] = plugins.get(name) or put_in_pom(element.value("version"), properties)
    last = chain[-1].parent
    return Module(
        folder=folder,
        tool="maven",
        artifacts=artifacts,
        plugins=plugins,
        properties=properties,
        names=_maven_names(properties, elements),
        folders=tuple(folders),
        source=own.source,
        elements=elements,
        unseen=last.name if last is not None else None,
        aggregates=own.packaging == "pom",
    )


def _maven_names(properties: Mapping[str, str], elements: Iterable[Element]) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in elements:
        for way in (
            ("configuration", "mainClass"),
            ("configuration", "archive", "manifest", "mainClass"),
            ("configuration", "container", "mainClass"),
            ("executions", "execution", "configuration", "archive", "manifest", "mainClass"),
            ("executions", "execution", "configuration", "transformers", "transformer", "mainClass"),
            (
                "executions",
                "execution",
                "configuration",
                "transformers",
                "transformer",
                "manifestEntries",
                "Main-Class",
            ),
        ):
            if value := element.value(*way):
                found.setdefault("main", put_in_pom(value, properties))
    for name in ("exec.mainClass", "start-class", "main.class", "mainClass"):
        if name in properties:
            found.setdefault("main", put_in_pom(properties[name], properties))
    return found


@lru_cache(maxsize=64)
def _reactor(files: Files, top: Pom) -> Mapping[str, str]:
    """The folders of a build's projects, by their artifacts."""
    found: dict[str, str] = {}
    waiting = [top]
    while waiting and len(found) < _MOST_PROJECTS:
        pom = waiting.pop()
        folder = posixpath.dirname(pom.source.path)
        found.setdefault(pom.artifact, folder)
        for name in pom.modules:
            below = posixpath.normpath(posixpath.join(folder, name))
            path = below if below.endswith(".xml") else posixpath.join(below, "pom.xml")
            other = _pom(files, path) if not path.startswith("..") else None
            if other is not None and other.artifact not in found:
                waiting.append(other)
    return found


def projects(files: Files, folder: str) -> Iterator[str]:
    """The folders of a Maven build's projects, or of Gradle's that its settings include, from the top."""
    pom = _pom(files, posixpath.join(folder, "pom.xml"))
    if pom is not None:
        yield from _reactor(files, pom).values()
        return
    yield folder
    settings = _first(files, folder, _SETTINGS)
    if settings is not None:
        import re

        for name in re.findall(r"[\"'](:?[\w.-]+(?::[\w.-]+)*)[\"']", settings.text)[:_MOST_PROJECTS]:
            below = posixpath.join(folder, name.lstrip(":").replace(":", "/"))
            if any(script in files.names(below) for script in GRADLE_FILES):
                yield below


# Gradle


def _first(files: Files, folder: str, names: Iterable[str]) -> Source | None:
    present = files.names(folder)
    return next((files.read(posixpath.join(folder, name)) for name in names if name in present), None)


def _root(files: Files, folder: str) -> str:
    """The folder of the build that a project belongs to: the nearest that has settings."""
    place = folder
    while True:
        if any(name in files.names(place) for name in _SETTINGS):
            return place
        if not place:
            return folder
        place = posixpath.dirname(place)


def _gradle(files: Files, folder: str, depth: int = 0) -> Module | None:
    root = _root(files, folder)
    source = _first(files, folder, GRADLE_FILES)
    if source is None:
        return None
    above = _first(files, root, GRADLE_FILES) if root != folder else None
    settings = _first(files, root, _SETTINGS)
    variables = _gradle_properties(files, {root: None, folder: None})
    for one in (settings, above, source):
        variables |= variables_of(one) if one is not None else {}
    catalog: Catalog = NO_CATALOG
    if "gradle/" in files.names(root):
        catalog = read_catalog(files.read(posixpath.join(root, "gradle/libs.versions.toml")))
    script = read_script(source, variables, catalog)
    artifacts, plugins = dict(script.artifacts), dict(script.plugins)
    for one in (above, settings):
        if one is not None:
            _add_from_above(read_script(one, variables, catalog), one, artifacts, plugins)
    folders = [folder]
    for name in script.projects[:_MOST_PROJECTS]:
        below = posixpath.join(root, name.lstrip(":").replace(":", "/"))
        other = _gradle(files, below, depth + 1) if depth < _DEEPEST and below not in folders else None
        if other is not None:
            folders += [one for one in other.folders if one not in folders]
            artifacts = {**other.artifacts, **artifacts}
    own = [name for name in plugins if name.split(".")[0] in ("buildlogic", "convention", "my", "conventions")]
    return Module(
        folder=folder,
        tool="gradle",
        artifacts={name: put_in(version, variables) for name, version in artifacts.items()},
        plugins=plugins,
        properties=variables,
        names=script.names,
        folders=tuple(folders),
        source=source,
        unseen=f"the plugin {own[0]}" if own else None,
        aggregates=not script.plugins and not script.artifacts and folder == root,
    )


def _add_from_above(script: Script, source: Source, artifacts: dict[str, str], plugins: dict[str, str]) -> None:
    """What the root says for all projects; else it gives only versions to what a project names itself."""
    shared = "subprojects" in source.text or "allprojects" in source.text
    for name, version in script.plugins.items():
        if name in plugins or (shared and "apply false" not in source.text):
            plugins[name] = plugins.get(name) or version
    for name, version in script.artifacts.items():
        if name in artifacts or shared or name.endswith(("-dependencies", "-bom", "-gradle-plugin")):
            artifacts[name] = artifacts.get(name) or version
    # `id("org.springframework.boot") version "…" apply false` gives the version that projects apply it with
    for name in plugins:
        plugins[name] = plugins[name] or script.plugins.get(name, "")


def _gradle_properties(files: Files, folders: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for folder in folders:
        if "gradle.properties" in files.names(folder):
            for line in files.glance(posixpath.join(folder, "gradle.properties")).splitlines():
                name, equals, value = line.partition("=")
                if equals and not name.lstrip().startswith("#"):
                    found[name.strip()] = value.strip()
    return found
