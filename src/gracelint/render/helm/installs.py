"""What is installed: a chart, and the values that somebody gives it."""

from __future__ import annotations

import posixpath

from gracelint.base.numbers import is_digits
from gracelint.base.record import Record, field
from gracelint.facts.yaml import Mapping
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.render.helm.chart import merged
from gracelint.render.values import node_at, value_of
from gracelint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as Map
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Node
    from gracelint.source import Path

VALUES_LIMIT = 50
"""Values files of one release."""


class Layer(Record, identity=True):
    """Values that are written somewhere; `at` is where they stand in those of the release."""

    root: Node
    at: Path = ()
    is_file: bool = False
    """It is a whole file, as that is written."""

    def span(self, path: Path) -> Span | None:
        """Where the value at a path of the release is written in this layer."""
        if path[: len(self.at)] != self.at:
            return None
        node = node_at(self.root, path[len(self.at) :])
        return node.span.place if node is not None else None


class Install(Record, identity=True):
    """One chart that is to be rendered. `chart` is its folder in the project."""

    chart: str
    name: str | None = None
    """Of the release; None: as the chart is called."""
    namespace: str = "default"
    layers: tuple[Layer, ...] = ()
    """Values that win over the chart's own, the strongest first."""
    set: Map[str, Any] = field(default_factory=dict)
    """Values that win over all."""
    because: str = ""
    """The object or file that asks for it: `HelmRelease shop`, `ci/small-values.yaml`; empty for the defaults alone."""

    @property
    def values(self) -> dict[str, Any]:
        values = dict(self.set)
        for layer in self.layers:
            found = value_of(layer.root)
            for key in reversed(layer.at):
                found = {str(key): found}
            values = merged(values, found if isinstance(found, dict) else {})
        return values


class Elsewhere(Record):
    """A release of a chart that is not in this repository."""

    span: Span
    reason: str


class Asked:
    """What the objects of a repository ask for."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.installs: list[Install] = []
        self.elsewhere: list[Elsewhere] = []
        self.config_maps: dict[str, Mapping] = {}
        self._layers: dict[str, Layer | None] = {}
        """Many releases may have the same file of values."""

    def chart(self, path: str | None) -> str | None:
        """The folder of a chart in this repository, from its root."""
        if path is None:
            return None
        normal = posixpath.normpath(path.lstrip("/"))
        if normal.startswith("..") or not self.files.exists(posixpath.join(normal, "Chart.yaml")):
            return None
        return "" if normal == "." else normal

    def layer(self, path: str) -> Layer | None:
        path = posixpath.normpath(path)
        if path not in self._layers:
            self._layers[path] = self._read(path)
        return self._layers[path]

    def _read(self, path: str) -> Layer | None:
        source = self.files.read(path)
        try:
            documents = read_documents(source) if source is not None else []
        except (ParseError, TemplatedError):
            return None
        root = documents[0].root if documents else None
        return Layer(root, is_file=True) if isinstance(root, Mapping) else None


def set_value(key: str, value: Any) -> dict[str, Any]:
    """`--set a.b=value` as a mapping; a number, true, false and null are what they look like."""
    made: Any = _typed(value) if isinstance(value, str) else value
    steps = [step.replace("\0", ".") for step in key.replace("\\.", "\0").split(".")]
    for step in reversed(steps[:VALUES_LIMIT]):
        made = {step: made}
    found: dict[str, Any] = made
    return found


def _typed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    return float(text) if is_digits(text) and len(text) < 16 and (text == "0" or text[0] != "0") else text


def text_at(node: Mapping | None, *path: str) -> str | None:
    scalar = node.scalar(*path) if node is not None else None
    return scalar.value if scalar is not None else None
