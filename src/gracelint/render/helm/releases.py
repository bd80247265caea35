"""Who installs which chart with which values: the settings, Flux, Argo CD, helmfile, or nobody but its own defaults."""

from __future__ import annotations

import posixpath

from gracelint.facts.yaml import Mapping, Scalar
from gracelint.numbers import is_digits
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.record import Record, field
from gracelint.render.helm.chart import combined
from gracelint.render.values import node_at, value_of
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Mapping as Map
    from typing import Any

    from gracelint.config import Settings
    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Document, Node
    from gracelint.source import Path

_VALUES_LIMIT = 50
"""Values files of one release."""


class Layer(Record, identity=True):
    """Values that are written somewhere; `at` is where they stand in those of the release."""

    root: Node
    at: Path = ()

    def span(self, path: Path) -> Span | None:
        """Where the value at a path of the release is written in this layer."""
        if path[: len(self.at)] != self.at:
            return None
        node = node_at(self.root, path[len(self.at) :])
        return node.span if node is not None else None


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
            values = combined(values, found if isinstance(found, dict) else {})
        return values


class Elsewhere(Record):
    """A release of a chart that is not in this repository."""

    span: Span
    reason: str


class _Asked:
    """What the objects of a repository ask for."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.installs: list[Install] = []
        self.elsewhere: list[Elsewhere] = []
        self.config_maps: dict[str, Mapping] = {}

    def chart(self, path: str | None) -> str | None:
        """The folder of a chart in this repository, from its root."""
        if path is None:
            return None
        normal = posixpath.normpath(path.lstrip("/"))
        if normal.startswith("..") or not self.files.exists(posixpath.join(normal, "Chart.yaml")):
            return None
        return "" if normal == "." else normal

    def layer(self, path: str) -> Layer | None:
        source = self.files.read(posixpath.normpath(path))
        try:
            documents = read_documents(source) if source is not None else []
        except (ParseError, TemplatedError):
            return None
        return Layer(documents[0].root) if documents and isinstance(documents[0].root, Mapping) else None


def asked_for(files: Files, documents: Iterable[Document]) -> tuple[list[Install], list[Elsewhere]]:
    """The releases that objects of the repository name, and those whose chart is not here."""
    asked = _Asked(files)
    readers = {
        "HelmRelease": _helm_release,
        "Application": _application,
        "ApplicationSet": _application_set,
        "HelmChart": _helm_chart,
    }
    roots = [document.root for document in documents if isinstance(document.root, Mapping)]
    for root in roots:
        name = _text(root, "metadata", "name")
        if name is not None and _text(root, "kind") == "ConfigMap":
            asked.config_maps[name] = root
    for root in roots:
        reader = readers.get(_text(root, "kind") or "")
        if reader is not None:
            reader(asked, root)
    return asked.installs, asked.elsewhere


def in_helmfile(files: Files, path: str) -> tuple[list[Install], list[Elsewhere]]:
    """The releases of a helmfile (https://helmfile.readthedocs.io), and those whose chart is not here."""
    asked = _Asked(files)
    source = files.read(path)
    try:
        documents = read_documents(source) if source is not None else []
    except TemplatedError as error:
        return [], [Elsewhere(error.span, "this helmfile is a template, and the releases in it are not seen")]
    except ParseError:
        return [], []
    for document in documents:
        for entry in document.root.mappings("releases") if isinstance(document.root, Mapping) else ():
            _helmfile_release(asked, entry, posixpath.dirname(path))
    return asked.installs, asked.elsewhere


def _helmfile_release(asked: _Asked, entry: Mapping, folder: str) -> None:
    name, wanted = _text(entry, "name") or "", entry.scalar("chart")
    if wanted is None:
        return
    local = wanted.value.startswith((".", "/")) or asked.chart(posixpath.join(folder, wanted.value)) is not None
    place = asked.chart(posixpath.join(folder, wanted.value)) if local else None
    if place is None:
        reason = f"the release `{name}` installs the chart {wanted.value}, which is not here"
        asked.elsewhere.append(Elsewhere(wanted.span, reason))
        return
    layers: list[Layer] = []
    for item in entry.sequence("values"):
        if isinstance(item, Mapping):
            layers.insert(0, Layer(item))
        elif isinstance(item, Scalar):
            layer = asked.layer(posixpath.join(folder, item.value))
            layers = [layer, *layers] if layer is not None else layers
    values: dict[str, Any] = {}
    for pair in entry.mappings("set"):
        key, value = _text(pair, "name"), _text(pair, "value")
        if key is not None and value is not None:
            values = combined(values, set_value(key, value))
    namespace = _text(entry, "namespace") or "default"
    asked.installs.append(Install(place, name, namespace, tuple(layers), values, f"the helmfile's release {name}"))


def applied_folders(documents: Iterable[Document]) -> Iterator[str]:
    """The folders that Flux's Kustomizations and Argo CD's Applications apply, from the repository's root."""
    for document in documents:
        root = document.root
        if not isinstance(root, Mapping):
            continue
        kind, version = _text(root, "kind"), _text(root, "apiVersion") or ""
        if kind == "Kustomization" and version.startswith("kustomize.toolkit.fluxcd.io/"):
            path = _text(root, "spec", "path")
        else:
            path = _text(root, "spec", "source", "path") if kind == "Application" else None
        if path is not None:
            folder = posixpath.normpath(path.lstrip("/"))
            yield "" if folder == "." else folder


def _text(node: Mapping | None, *path: str) -> str | None:
    scalar = node.scalar(*path) if node is not None else None
    return scalar.value if scalar is not None else None


def _helm_release(asked: _Asked, root: Mapping) -> None:
    """Flux (https://fluxcd.io/flux/components/helm/helmreleases/)."""
    name = _text(root, "metadata", "name") or ""
    spec = root.mapping("spec", "chart", "spec")
    wanted = spec.scalar("chart") if spec is not None else root.scalar("spec", "chartRef", "name")
    kind = _text(spec, "sourceRef", "kind") if spec is not None else _text(root, "spec", "chartRef", "kind")
    if wanted is None:
        return
    place = asked.chart(wanted.value) if kind in (None, "GitRepository", "Bucket") else None
    if place is None:
        where = f"{kind} {_text(spec, 'sourceRef', 'name') or wanted.value}" if kind else "another place"
        asked.elsewhere.append(
            Elsewhere(
                wanted.span, f"HelmRelease `{name}` installs the chart {wanted.value} of {where}, which is not here"
            )
        )
        return
    inline = root.mapping("spec", "values")
    files = [] if spec is None else [item.value for item in spec.sequence("valuesFiles") if isinstance(item, Scalar)]
    layers = [Layer(inline)] if inline is not None else []
    layers += _referred(asked, root)
    layers += [layer for path in reversed(files[:_VALUES_LIMIT]) if (layer := asked.layer(path)) is not None]
    asked.installs.append(
        Install(
            chart=place,
            name=_text(root, "spec", "releaseName") or name,
            namespace=_text(root, "spec", "targetNamespace") or _text(root, "metadata", "namespace") or "default",
            layers=tuple(layers),
            because=f"HelmRelease {name}",
        )
    )


def _referred(asked: _Asked, root: Mapping) -> list[Layer]:
    """`valuesFrom`: ConfigMaps of this repository, the last one strongest."""
    spec = root.mapping("spec")
    layers: list[Layer] = []
    for entry in spec.mappings("valuesFrom") if spec is not None else ():
        found = asked.config_maps.get(_text(entry, "name") or "") if _text(entry, "kind") == "ConfigMap" else None
        written = found.scalar("data", _text(entry, "valuesKey") or "values.yaml") if found is not None else None
        if written is not None and entry.get("targetPath") is None:
            layers = [*_written(written), *layers]
    return layers


def _application_set(asked: _Asked, root: Mapping) -> None:
    """Its template, where that names one chart; folders of a generator are judged as they lie here."""
    template = root.mapping("spec", "template")
    if template is not None:
        _application(asked, template)


def _application(asked: _Asked, root: Mapping) -> None:
    """Argo CD (https://argo-cd.readthedocs.io/en/stable/user-guide/helm/)."""
    name = _text(root, "metadata", "name") or ""
    name = "" if "{{" in name else name
    single = root.mapping("spec", "source")
    spec = root.mapping("spec")
    for node in (*([single] if single is not None else []), *(spec.mappings("sources") if spec is not None else ())):
        remote, path = node.scalar("chart"), node.scalar("path")
        place = asked.chart(path.value if path is not None else None)
        if remote is not None and "{{" not in remote.value:
            repository = _text(node, "repoURL") or "another place"
            reason = f"Application `{name}` installs the chart {remote.value} of {repository}, which is not here"
            asked.elsewhere.append(Elsewhere(remote.span, reason))
        elif place is not None:
            asked.installs.append(_argo_install(asked, node, place, name, root))


def _argo_install(asked: _Asked, node: Mapping, place: str, name: str, root: Mapping) -> Install:
    helm = node.mapping("helm")
    layers: list[Layer] = []
    values: dict[str, Any] = {}
    if helm is not None:
        for parameter in helm.mappings("parameters"):
            key, value = _text(parameter, "name"), _text(parameter, "value")
            if key is not None and value is not None:
                values = combined(values, set_value(key, value))
        inline = helm.mapping("valuesObject")
        written = helm.scalar("values")
        if inline is not None:
            layers.append(Layer(inline))
        elif written is not None:
            layers += _written(written)
        files = [item.value for item in helm.sequence("valueFiles") if isinstance(item, Scalar)][:_VALUES_LIMIT]
        for path in reversed(files):
            layer = asked.layer(path.lstrip("/") if path.startswith("/") else posixpath.join(place, path))
            layers += [layer] if layer is not None else []
    return Install(
        chart=place,
        name=_text(helm, "releaseName") or name or None,
        namespace=_text(root, "spec", "destination", "namespace") or "default",
        layers=tuple(layers),
        set=values,
        because=f"Application {name}",
    )


def _written(scalar: Scalar) -> list[Layer]:
    """Values in a block of text: what is in it has no place of its own."""
    try:
        documents = read_documents(Source("", scalar.value))
    except (ParseError, TemplatedError):
        return []
    return [Layer(document.root) for document in documents[:1] if isinstance(document.root, Mapping)]


def _helm_chart(asked: _Asked, root: Mapping) -> None:
    """k3s' helm-controller (https://docs.k3s.io/helm)."""
    chart = root.scalar("spec", "chart")
    if (
        chart is not None
        and _text(
            root,
            "apiVersion",
        )
        == "helm.cattle.io/v1"
    ):
        name = _text(root, "metadata", "name") or ""
        asked.elsewhere.append(
            Elsewhere(chart.span, f"HelmChart `{name}` installs the chart {chart.value}, which is not here")
        )


def set_value(key: str, value: Any) -> dict[str, Any]:
    """`--set a.b=value` as a mapping; a number, true, false and null are what they look like."""
    made: Any = _typed(value) if isinstance(value, str) else value
    steps = [step.replace("\0", ".") for step in key.replace("\\.", "\0").split(".")]
    for step in reversed(steps[:_VALUES_LIMIT]):
        made = {step: made}
    found: dict[str, Any] = made
    return found


def _typed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    return float(text) if is_digits(text) and len(text) < 16 and (text == "0" or text[0] != "0") else text


def from_settings(files: Files, settings: Iterable[Settings]) -> list[Install]:
    """The releases that `[[charts]]` names."""
    asked = _Asked(files)
    installs = []
    for each in settings:
        for entry in each.charts:
            place = asked.chart(posixpath.join(each.folder, entry.path))
            if place is None:
                continue
            paths = [posixpath.join(each.folder, path) for path in reversed(entry.values[:_VALUES_LIMIT])]
            values: dict[str, Any] = {}
            for key, value in entry.set.items():
                values = combined(values, set_value(key, value))
            installs.append(
                Install(
                    chart=place,
                    name=entry.release,
                    namespace=entry.namespace,
                    layers=tuple(layer for path in paths if (layer := asked.layer(path)) is not None),
                    set=values,
                    because=", ".join(entry.values) or "the settings",
                )
            )
    return installs


def defaults_of(files: Files, chart: str, *, alone: bool) -> Iterator[Install]:
    """What is judged of a chart: its own values where nothing renders it (`alone`), and those in its `ci/`."""
    asked = _Asked(files)
    if alone:
        yield Install(chart)
    folder = posixpath.join(chart, "ci")
    for name in files.names(folder)[:_VALUES_LIMIT]:
        if name.endswith(("-values.yaml", "-values.yml")) or name in ("values.yaml", "values.yml"):
            layer = asked.layer(posixpath.join(folder, name))
            if layer is not None:
                yield Install(chart, layers=(layer,), because=posixpath.join(folder, name))
