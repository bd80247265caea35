"""Who installs which chart with which values: the settings, Flux, Argo CD, helmfile, or nobody but its own defaults."""

from __future__ import annotations

import posixpath

from gracelint.facts.yaml import Mapping, Scalar
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.render.helm.chart import merged
from gracelint.render.helm.installs import VALUES_LIMIT, Asked, Elsewhere, Install, Layer, set_value, text_at
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from gracelint.config import Settings
    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Document


def asked_for(files: Files, documents: Iterable[Document]) -> tuple[list[Install], list[Elsewhere]]:
    """The releases that objects of the repository name, and those whose chart is not here."""
    asked = Asked(files)
    readers = {
        "HelmRelease": _helm_release,
        "Application": _application,
        "ApplicationSet": _application_set,
        "HelmChart": _helm_chart,
    }
    roots = [(one.kind, one.root) for one in documents if isinstance(one.root, Mapping)]
    for kind, root in roots:
        if kind == "ConfigMap" and (name := text_at(root, "metadata", "name")) is not None:
            asked.config_maps[name] = root
    for kind, root in roots:
        if kind in readers:
            readers[kind](asked, root)
    return asked.installs, asked.elsewhere


def applied_folders(files: Files, documents: Iterable[Document]) -> Iterator[str]:
    """The folders that Flux's Kustomizations and Argo CD's Applications apply, from the repository's root."""
    for document in documents:
        may_apply = document.kind in ("Kustomization", "Application", "ApplicationSet")
        for path in _applied(files, document.root) if may_apply and isinstance(document.root, Mapping) else ():
            folder = posixpath.normpath(path.lstrip("/"))
            yield "" if folder == "." else folder


def _applied(files: Files, root: Mapping) -> Iterator[str]:
    kind, version = text_at(root, "kind"), text_at(root, "apiVersion") or ""
    if kind == "Kustomization" and version.startswith("kustomize.toolkit.fluxcd.io/"):
        path = text_at(root, "spec", "path")
        yield from [path] if path is not None else []
    elif kind in ("Application", "ApplicationSet"):
        from gracelint.render.helm.application_sets import applications

        for application in applications(files, root) if kind == "ApplicationSet" else (root,):
            for source in argo_sources(application):
                path = text_at(source, "path")
                yield from [path] if path is not None else []


def _helm_release(asked: Asked, root: Mapping) -> None:
    """Flux (https://fluxcd.io/flux/components/helm/helmreleases/)."""
    name = text_at(root, "metadata", "name") or ""
    spec = root.mapping("spec", "chart", "spec")
    wanted = spec.scalar("chart") if spec is not None else root.scalar("spec", "chartRef", "name")
    kind = text_at(spec, "sourceRef", "kind") if spec is not None else text_at(root, "spec", "chartRef", "kind")
    if wanted is None:
        return
    place = asked.chart(wanted.value) if kind in (None, "GitRepository", "Bucket") else None
    if place is None:
        where = f"{kind} {text_at(spec, 'sourceRef', 'name') or wanted.value}" if kind else "another place"
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
    layers += [layer for path in reversed(files[:VALUES_LIMIT]) if (layer := asked.layer(path)) is not None]
    asked.installs.append(
        Install(
            chart=place,
            name=text_at(root, "spec", "releaseName") or name,
            namespace=text_at(root, "spec", "targetNamespace") or text_at(root, "metadata", "namespace") or "default",
            layers=tuple(layers),
            because=f"HelmRelease {name}",
        )
    )


def _referred(asked: Asked, root: Mapping) -> list[Layer]:
    """`valuesFrom`: ConfigMaps of this repository, the last one strongest."""
    spec = root.mapping("spec")
    layers: list[Layer] = []
    for entry in spec.mappings("valuesFrom") if spec is not None else ():
        found = asked.config_maps.get(text_at(entry, "name") or "") if text_at(entry, "kind") == "ConfigMap" else None
        written = found.scalar("data", text_at(entry, "valuesKey") or "values.yaml") if found is not None else None
        if written is not None and entry.get("targetPath") is None:
            layers = [*_written(written), *layers]
    return layers


def _application_set(asked: Asked, root: Mapping) -> None:
    from gracelint.render.helm.application_sets import applications

    for application in applications(asked.files, root):
        _application(asked, application)


def _application(asked: Asked, root: Mapping) -> None:
    """Argo CD (https://argo-cd.readthedocs.io/en/stable/user-guide/helm/)."""
    name = text_at(root, "metadata", "name") or ""
    for node in argo_sources(root):
        remote, path = node.scalar("chart"), node.scalar("path")
        place = asked.chart(path.value if path is not None else None)
        if remote is not None and "{{" not in remote.value:
            repository = text_at(node, "repoURL") or "another place"
            reason = f"Application `{name}` installs the chart {remote.value} of {repository}, which is not here"
            asked.elsewhere.append(Elsewhere(remote.span, reason))
        elif place is not None:
            asked.installs.append(_argo_install(asked, node, place, name, root))
        else:
            for named in (remote, path):
                if named is not None and "{{" in named.value:
                    reason = "nothing in this repository says what this installs, and it is not judged"
                    asked.elsewhere.append(Elsewhere(named.span, reason))


def argo_sources(root: Mapping) -> Iterator[Mapping]:
    """The `source` and `sources` of an Application."""
    single, spec = root.mapping("spec", "source"), root.mapping("spec")
    yield from [single] if single is not None else []
    yield from spec.mappings("sources") if spec is not None else ()


def _argo_install(asked: Asked, node: Mapping, place: str, name: str, root: Mapping) -> Install:
    helm = node.mapping("helm")
    layers: list[Layer] = []
    values: dict[str, Any] = {}
    if helm is not None:
        for parameter in helm.mappings("parameters"):
            key, value = text_at(parameter, "name"), text_at(parameter, "value")
            if key is not None and value is not None:
                values = merged(values, set_value(key, value))
        inline = helm.mapping("valuesObject")
        written = helm.scalar("values")
        if inline is not None:
            layers.append(Layer(inline))
        elif written is not None:
            layers += _written(written)
        files = [item.value for item in helm.sequence("valueFiles") if isinstance(item, Scalar)][:VALUES_LIMIT]
        for path in reversed(files):
            layer = asked.layer(path.lstrip("/") if path.startswith("/") else posixpath.join(place, path))
            layers += [layer] if layer is not None else []
    return Install(
        chart=place,
        name=text_at(helm, "releaseName") or (None if "{{" in name else name or None),
        namespace=text_at(root, "spec", "destination", "namespace") or "default",
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


def _helm_chart(asked: Asked, root: Mapping) -> None:
    """k3s' helm-controller (https://docs.k3s.io/helm)."""
    chart = root.scalar("spec", "chart")
    if (
        chart is not None
        and text_at(
            root,
            "apiVersion",
        )
        == "helm.cattle.io/v1"
    ):
        name = text_at(root, "metadata", "name") or ""
        asked.elsewhere.append(
            Elsewhere(chart.span, f"HelmChart `{name}` installs the chart {chart.value}, which is not here")
        )


def from_settings(files: Files, settings: Iterable[Settings]) -> list[Install]:
    """The releases that `[[charts]]` names."""
    asked = Asked(files)
    installs = []
    for each in settings:
        for entry in each.charts:
            place = asked.chart(posixpath.join(each.folder, entry.path))
            if place is None:
                continue
            paths = [posixpath.join(each.folder, path) for path in reversed(entry.values[:VALUES_LIMIT])]
            values: dict[str, Any] = {}
            for key, value in entry.set.items():
                values = merged(values, set_value(key, value))
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
    asked = Asked(files)
    if alone:
        yield Install(chart)
    folder = posixpath.join(chart, "ci")
    for name in files.names(folder)[:VALUES_LIMIT]:
        if name.endswith(("-values.yaml", "-values.yml")) or name in ("values.yaml", "values.yml"):
            layer = asked.layer(posixpath.join(folder, name))
            if layer is not None:
                yield Install(chart, layers=(layer,), because=posixpath.join(folder, name))
