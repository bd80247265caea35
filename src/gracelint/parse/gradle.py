"""Gradle's build scripts, in Groovy and Kotlin, and version catalogs: the plugins, artifacts and names they state.

The scripts are programs; only what is written down plainly in them is read.
"""

from __future__ import annotations

import re

from gracelint.base.memory import lru_cache
from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gracelint.source import Source

_QUOTED = r"""["']([^"'\n]*)["']"""
_S = r"\s{0,40}"
"""Space: runs without an end would be tried at each of their places."""
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|(?<![:\"'])//[^\n]*|(\"[^\"\n]*\"|'[^'\n]*')", re.S)
"""A comment, or a text, which may hold what looks like the beginning of one: `'**/*.java'`."""
_PLUGIN = re.compile(rf"\bid{_S}\(?{_S}{_QUOTED}{_S}\)?(?:{_S}version{_S}\(?{_S}(?:{_QUOTED}|([\w.]+)))?")
_APPLIED = re.compile(rf"\bapply{_S}\(?{_S}plugin{_S}[:=]{_S}{_QUOTED}")
_ALIAS = re.compile(r"\balias\s{0,40}\(\s{0,40}libs\.plugins\.([\w.]+)\s{0,40}\)")
_PLAIN = re.compile(r"^\s{0,40}`?(application|java|war|groovy|org\.springframework\.boot)`?\s{0,40}$", re.M)
_ARTIFACT = re.compile(r"""["']([\w.-]+:[\w.-]+)(?::([^"'\n:@]*))?(?:@\w+)?["']""")
_LIBRARY = re.compile(r"\blibs\.(?!plugins\b|versions\b|bundles\b)([a-zA-Z][\w.]*)")
_BUNDLE = re.compile(r"\blibs\.bundles\.([\w.]+)")
_TEST = re.compile(r"\s{0,40}(?:test|androidTest|integrationTest|kapt|annotationProcessor|testFixtures)\w*\b")
_PROJECT = re.compile(rf"\bproject{_S}\({_S}(?:path{_S}[:=]{_S})?{_QUOTED}")
_TYPED = re.compile(r"\bprojects\.([a-zA-Z][\w.]*)")
_SET = re.compile(
    rf"(?:\b(?:def|val|var|const|String)\s+|\bset{_S}\({_S}['\"]|\bext(?:ra)?{_S}\[{_S}['\"]|\bext\.|^{_S}|[{{;]{_S})"
    rf"([A-Za-z_][\w.-]*)['\"]?{_S}(?:\]{_S}=|=|,|:{_S}String{_S}=){_S}{_QUOTED}",
    re.M,
)
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][\w.]*)\}?")
_NAMES = {
    "main": re.compile(rf"\bmainClass(?:Name)?(?:\.set)?{_S}[=(]+{_S}{_QUOTED}"),
    "archive": re.compile(rf"\barchiveFileName(?:\.set)?{_S}[=(]+{_S}{_QUOTED}"),
    "base": re.compile(rf"\b(?:archivesBaseName|archiveBaseName(?:\.set)?){_S}[=(]+{_S}{_QUOTED}"),
    "application": re.compile(rf"\bapplicationName{_S}={_S}{_QUOTED}"),
    "image": re.compile(rf"\bto{_S}\{{[^}}]{{0,500}}?\bimage{_S}={_S}{_QUOTED}|\bto\.image{_S}={_S}{_QUOTED}"),
    "from": re.compile(rf"\bfrom{_S}\{{[^}}]{{0,500}}?\bimage{_S}={_S}{_QUOTED}|\bfrom\.image{_S}={_S}{_QUOTED}"),
    "entrypoint": re.compile(
        rf"\bentrypoint{_S}=(?!=)[ \t]{{0,40}}((?:\[|[\w.]{{0,40}}\()[^\[\]()]{{0,500}}[\])]|[^\n]{{1,300}})"
    ),
    "extra": re.compile(rf"\bextraDirectories\b[^=]{{0,200}}?=[^\"'\n]{{0,100}}{_QUOTED}"),
    "packed": re.compile(rf"\bimageName(?:\.set)?{_S}[=(]+{_S}{_QUOTED}"),
}
_LARGEST = 1_000_000


class Script(Record, identity=True):
    """One build script. Versions are as written, variables put in where they are known; "" where none stands there."""

    plugins: Mapping[str, str]
    artifacts: Mapping[str, str]
    """By `group:artifact`."""
    projects: tuple[str, ...]
    """The other projects of the build that it depends on, as `:common`."""
    names: Mapping[str, str]
    """What it calls things: main, archive, base, application, image, from, packed, extra, and entrypoint as written."""
    source: Source


class Catalog(Record):
    """`libs.versions.toml`: by the names that scripts call them by."""

    libraries: Mapping[str, tuple[str, str]]
    plugins: Mapping[str, tuple[str, str]]
    bundles: Mapping[str, tuple[str, ...]]


NO_CATALOG = Catalog({}, {}, {})


class _Written(Record, identity=True):
    """What stands in a script, before variables and catalog say what it means."""

    variables: Mapping[str, str]
    plain: tuple[str, ...]
    """Plugins without a version."""
    plugins: tuple[tuple[str, str, str], ...]
    """Name, version, and the variable that holds the version."""
    aliases: tuple[str, ...]
    lines: tuple[tuple[list[tuple[str, str]], list[str], list[str]], ...]
    """Artifacts, libraries and bundles of each line that has any."""
    names: Mapping[str, str]
    projects: tuple[str, ...]


@lru_cache(maxsize=256)
def _written(source: Source) -> _Written:
    """Read once: that of the root is read for each of its projects."""
    text = _COMMENT.sub(lambda found: found[1] or " ", source.text[:_LARGEST])
    lines = (
        (_ARTIFACT.findall(line), _LIBRARY.findall(line), _BUNDLE.findall(line))
        for line in re.split(r"\n(?!\s{0,40}[\"'])", text)
        if not _TEST.match(line)
    )
    names = {
        key: next(filter(None, found.groups()))
        for key, pattern in _NAMES.items()
        if (found := pattern.search(text)) is not None and any(found.groups())
    }
    typed = [":" + ":".join(_dashed(part) for part in name.split(".")) for name in _TYPED.findall(text)]
    return _Written(
        variables=dict(_SET.findall(text)),
        plain=(*_APPLIED.findall(text), *_PLAIN.findall(text)),
        plugins=tuple(_PLUGIN.findall(text)),
        aliases=tuple(_ALIAS.findall(text)),
        lines=tuple(line for line in lines if any(line)),
        names=names,
        projects=(*_PROJECT.findall(text), *typed),
    )


def read_script(source: Source, variables: Mapping[str, str], catalog: Catalog) -> Script:
    """`variables` are those of gradle.properties and of the scripts above."""
    written = _written(source)
    known = {**variables, **written.variables}
    plugins = dict.fromkeys(written.plain, "")
    for name, version, variable in written.plugins:
        plugins[name] = put_in(version, known) or known.get(variable, "") or plugins.get(name, "")
    for alias in written.aliases:
        name, version = catalog.plugins.get(_key(alias), ("", ""))
        plugins[name] = version
    artifacts: dict[str, str] = {}
    for stated, libraries, bundles in written.lines:
        for name, version in stated:
            artifacts[name] = put_in(version, known) or artifacts.get(name, "")
        wanted = [_key(alias) for alias in libraries]
        wanted += [alias for bundle in bundles for alias in catalog.bundles.get(_key(bundle), ())]
        for alias in wanted:
            # `libs.spring.boot.get().version` names the library and what is asked of it
            parts = alias.split("-")
            named = next(
                filter(None, (catalog.libraries.get("-".join(parts[:n])) for n in range(len(parts), 0, -1))), None
            )
            if named is not None:
                artifacts[named[0]] = named[1] or artifacts.get(named[0], "")
    names = {key: put_in(name, known) for key, name in written.names.items()}
    return Script(plugins, artifacts, written.projects, names, source)


def variables_of(source: Source) -> Mapping[str, str]:
    """What a script sets plainly, and the version of the project itself."""
    return _written(source).variables


def put_in(text: str, variables: Mapping[str, str]) -> str:
    """A text with the variables that are known put in."""

    def value(match: re.Match[str]) -> str:
        name = match[1].removeprefix("project.").removeprefix("rootProject.")
        return variables.get(name, match[0])

    return _VARIABLE.sub(value, text) if "$" in text else text


def read_catalog(source: Source | None) -> Catalog:
    """An empty one where there is none, or where it is no TOML."""
    if source is None:
        return NO_CATALOG
    from gracelint.toml import TOMLDecodeError, loads

    try:
        tables = loads(source.text.removeprefix("\ufeff"))
    except (TOMLDecodeError, RecursionError):
        return NO_CATALOG
    versions = {key: _version(value, {}) for key, value in _mapping(tables.get("versions")).items()}
    libraries: dict[str, tuple[str, str]] = {}
    for alias, row in _mapping(tables.get("libraries")).items():
        if isinstance(row, str):
            group, _, rest = row.partition(":")
            name, _, version = rest.partition(":")
            libraries[_key(alias)] = (f"{group}:{name}", version)
        elif isinstance(row, dict):
            module = row.get("module") or f"{row.get('group')}:{row.get('name')}"
            libraries[_key(alias)] = (str(module), _version(row.get("version"), versions))
    plugins: dict[str, tuple[str, str]] = {}
    for alias, row in _mapping(tables.get("plugins")).items():
        if isinstance(row, str):
            name, _, version = row.partition(":")
            plugins[_key(alias)] = (name, version)
        elif isinstance(row, dict):
            plugins[_key(alias)] = (str(row.get("id", "")), _version(row.get("version"), versions))
    bundles = {
        _key(alias): tuple(_key(str(item)) for item in row)
        for alias, row in _mapping(tables.get("bundles")).items()
        if isinstance(row, list)
    }
    return Catalog(libraries, plugins, bundles)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _version(value: object, versions: Mapping[str, str]) -> str:
    if isinstance(value, dict):
        if "ref" in value:
            return versions.get(str(value["ref"]), "")
        value = value.get("strictly") or value.get("require") or value.get("prefer") or ""
    return value if isinstance(value, str) else ""


def _key(alias: str) -> str:
    return re.sub(r"[._]", "-", alias)


def _dashed(name: str) -> str:
    """`sharedKernel`, as a script calls the project shared-kernel."""
    return re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower()
