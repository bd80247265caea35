"""Charts that a kustomization installs with `helmCharts`."""

from __future__ import annotations

import posixpath

from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.render.helm.chart import ChartError, combined, read_chart
from gracelint.render.helm.release import Release, render
from gracelint.render.tree import Leaf, at, scalar
from gracelint.render.values import TooLargeError, parsed, read_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.render.effort import Effort
    from gracelint.render.tree import Tree
    from gracelint.source import SourceMap


def inflated(files: Files, item: Tree, folder: str, home: str, effort: Effort) -> list[tuple[str, SourceMap]] | str:
    """What the chart of an entry is rendered to; the reason where it cannot be."""
    name = scalar(item, "name") or ""
    place = posixpath.normpath(posixpath.join(folder, home, name))
    if place.startswith("..") or not files.exists(posixpath.join(place, "Chart.yaml")):
        return f"the chart {name} is not in this repository"
    try:
        release = Release(
            scalar(item, "releaseName") or "release-name",
            scalar(item, "namespace") or "default",
            _values(files, item, folder),
        )
        chart = read_chart(files, place)
        effort.read(*chart.texts())
        rendered, unread = render(files, chart, release, effort)
    except (ChartError, TooLargeError, ParseError, TemplatedError) as error:
        return f"the chart {name} cannot be rendered: {error}"
    if unread:
        return f"the chart {name} cannot be rendered: {unread[0].reason}"
    return [(each.text, each.map) for each in rendered]


def _values(files: Files, item: Tree, folder: str) -> dict[str, Any]:
    """`valuesInline` over `additionalValuesFiles` over `valuesFile`."""
    inline = _plain(at(item, "valuesInline"))
    values: dict[str, Any] = inline if isinstance(inline, dict) else {}
    listed = at(item, "additionalValuesFiles")
    paths = [entry.value for entry in listed if isinstance(entry, Leaf)] if isinstance(listed, list) else []
    for path in (*reversed(paths), scalar(item, "valuesFile")):
        source = files.read(posixpath.normpath(posixpath.join(folder, path))) if path else None
        found = read_values(source) if source is not None else None
        if isinstance(found, dict):
            values = combined(values, found)
    return values


def _plain(tree: Tree | None) -> Any:
    if isinstance(tree, dict):
        return {str(key): _plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(value) for value in tree]
    if tree is None or not tree.plain:
        return tree.value if tree is not None else None
    return parsed(tree.value)
