"""MSBuild's project files: what a .csproj says of what it builds."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.record import Record
from gracelint.parse.xml import Element, read_xml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.source import Source

_FRAMEWORK = re.compile(r"net(?:coreapp)?([0-9]{1,2}\.[0-9])")
_PROPERTY = re.compile(r"\$\(([A-Za-z0-9_.]{1,100})\)")
_ABOVE = re.compile(r"OfFileAbove\([^']{0,200}(?:'[^']{0,200}',\s?)?'([A-Za-z0-9_.-]{1,100}\.(?:props|targets))'")


class Project(Record, identity=True):
    assembly: str
    """The name of what it builds: `Shop.Api` makes Shop.Api.dll."""
    sdk: str
    frameworks: tuple[str, ...]
    """Versions such as 8.0; empty where none is named here."""
    executable: bool | None
    """None where that is the SDK's default."""
    packages: tuple[str, ...]
    references: tuple[str, ...]
    """The project files it refers to, by their paths from the root."""
    properties: Mapping[str, str]
    imports: tuple[tuple[str, bool], ...]
    """As `imports`."""
    source: Source


def read_project(source: Source) -> Project:
    """Raises ParseError where the text is no XML."""
    root = read_xml(source)
    properties = properties_of(root)
    folder = posixpath.dirname(source.path)
    name = posixpath.basename(source.path).rpartition(".")[0]
    assembly = properties.get("AssemblyName", name)
    output = properties.get("OutputType")
    items = list(root.all("ItemGroup"))
    references = [one.attributes.get("Include", "") for item in items for one in item.all("ProjectReference")]
    sdk = root.attributes.get("Sdk") or next((one.attributes.get("Name", "") for one in root.all("Sdk")), "")
    return Project(
        assembly=name if "$(" in assembly else assembly,
        sdk=sdk,
        frameworks=frameworks(properties),
        executable=None if output is None else output.lower() in ("exe", "winexe"),
        packages=tuple(one.attributes.get("Include", "") for item in items for one in item.all("PackageReference"))
        + tuple(one.attributes.get("Include", "") for item in items for one in item.all("FrameworkReference")),
        references=tuple(
            posixpath.normpath(posixpath.join(folder, path.replace("\\", "/")))
            for path in references
            if "$(" not in path
        ),
        properties=properties,
        imports=imports(root),
        source=source,
    )


def properties_of(root: Element) -> dict[str, str]:
    """Those without a condition, first come; then the others."""
    found: dict[str, str] = {}
    groups = sorted(root.all("PropertyGroup"), key=lambda group: "Condition" in group.attributes)
    for group in groups:
        for one in group.children:
            found.setdefault(one.name, one.text)
    return found


def imports(root: Element) -> tuple[tuple[str, bool], ...]:
    """Files whose properties are taken in: by their paths from the file's folder, or, where that is said, by the name
    that the nearest one in a folder above has."""
    found: list[tuple[str, bool]] = []
    for one in root.all("Import"):
        named = one.attributes.get("Project", "").replace("\\", "/")
        above = _ABOVE.search(named)
        path = named.replace("$(MSBuildThisFileDirectory)", "").replace("$(MSBuildProjectDirectory)/", "")
        if above is not None:
            found.append((above[1], True))
        elif path and "$(" not in path:
            found.append((path, False))
    return tuple(found)


def frameworks(properties: Mapping[str, str]) -> tuple[str, ...]:
    """The versions of .NET it is built for."""
    text = properties.get("TargetFramework") or properties.get("TargetFrameworks") or ""
    for _ in range(3):
        text = _PROPERTY.sub(lambda name: properties.get(name[1], ""), text[:1000])
    return tuple(_FRAMEWORK.findall(text))
