"""Maven's pom.xml: what one file says by itself. Parents are looked up elsewhere."""

from __future__ import annotations

import re

from gracelint.base.record import Record
from gracelint.parse.xml import Element, read_xml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.source import Source

_PROPERTY = re.compile(r"\$\{([^${}]+)\}")
_DEEPEST = 5
_LONGEST = 1_000


class Artifact(Record):
    """`name` is `group:artifact`. Properties are not put in."""

    name: str
    version: str
    scope: str


class Pom(Record, identity=True):
    artifact: str
    name: str
    version: str
    parent: Artifact | None
    parent_path: str | None
    """Where the parent may lie, from this file's folder; None where it says that it lies elsewhere."""
    packaging: str
    properties: Mapping[str, str]
    dependencies: tuple[Artifact, ...]
    managed: tuple[Artifact, ...]
    """What dependencyManagement imports or gives a version."""
    modules: tuple[str, ...]
    final_name: str
    plugins: tuple[Element, ...]
    """Those of the build and of its profiles, as they are configured here."""
    source: Source


def read_pom(source: Source) -> Pom:
    """Raises ParseError where the text is no XML."""
    root = read_xml(source)
    parent = root.first("parent")
    path = parent.first("relativePath") if parent is not None else None
    profiles = list(root.all("profiles", "profile"))
    properties: dict[str, str] = {}
    for place in (root, *profiles):
        for item in (child for one in place.all("properties") for child in one.children):
            properties.setdefault(item.name, item.text)
    plugins = [
        plugin
        for place in (root, *profiles)
        for way in (("plugins",), ("pluginManagement", "plugins"))
        for plugin in place.all("build", *way, "plugin")
    ]
    return Pom(
        artifact=root.value("artifactId"),
        name=root.value("name"),
        version=root.value("version") or (parent.value("version") if parent is not None else ""),
        parent=_artifact(parent) if parent is not None else None,
        parent_path="../pom.xml" if path is None else path.text or None,
        packaging=root.value("packaging") or "jar",
        properties=properties,
        dependencies=tuple(_artifact(one) for one in root.all("dependencies", "dependency")),
        managed=tuple(_artifact(one) for one in root.all("dependencyManagement", "dependencies", "dependency")),
        modules=tuple(one.text for place in (root, *profiles) for one in place.all("modules", "module") if one.text),
        final_name=root.value("build", "finalName"),
        plugins=tuple(plugins),
        source=source,
    )


def _artifact(element: Element) -> Artifact:
    name = f"{element.value('groupId')}:{element.value('artifactId')}"
    return Artifact(name, element.value("version"), element.value("scope"))


def put_in(text: str, properties: Mapping[str, str], depth: int = 0, done: dict[str, str] | None = None) -> str:
    """A text with the properties that are known put in. `done` holds those that were put together before."""
    kept = {} if done is None else done

    def value(match: re.Match[str]) -> str:
        name = match[1]
        known = properties.get(name)
        if known is None or depth > _DEEPEST or len(known) > _LONGEST:
            return match[0]
        if name not in kept:
            kept[name] = match[0]
            kept[name] = put_in(known, properties, depth + 1, kept)
        return kept[name]

    return _PROPERTY.sub(value, text)[:_LONGEST] if "${" in text else text
