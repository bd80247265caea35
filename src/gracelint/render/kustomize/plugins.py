"""Kustomize's built-in generators and transformers, written as objects: each is a field of a kustomization.

https://kubectl.docs.kubernetes.io/references/kustomize/builtins/
"""

from __future__ import annotations

from gracelint.render.kustomize.fieldspecs import Config, specs_of
from gracelint.render.tree import Leaf, at, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.render.tree import Tree

    Body = dict[str, Tree]


def as_fields(plugin: Tree) -> dict[str, Tree] | None:
    """The fields of a kustomization that a plugin stands for; None where it is none of kustomize's own."""
    kind = scalar(plugin, "kind") or ""
    if not isinstance(plugin, dict) or scalar(plugin, "apiVersion") != "builtin" or kind not in _FIELDS:
        return None
    return _FIELDS[kind][1]({key: value for key, value in plugin.items() if key not in ("apiVersion", "kind")})


def config_of(plugin: Tree) -> Config:
    """What a transformer changes: the fields it names and no others."""
    key = _FIELDS[scalar(plugin, "kind") or ""][0]
    return Config(tuple((key, spec) for spec in specs_of(at(plugin, "fieldSpecs"))), defaults=False)


def _entry(key: str) -> Callable[[Body], Body]:
    """A plugin whose body is an entry of that field's list."""
    return lambda body: {key: [_named(body)]}


def _named(body: Body) -> Body:
    """A generator's entry: `metadata` gives its name and namespace."""
    metadata = at(body, "metadata")
    inner = {str(key): value for key, value in body.items() if key != "metadata"}
    for key in ("name", "namespace"):
        value = at(metadata, key)
        if value is not None:
            inner.setdefault(key, value)
    return inner


def _renamed(key: str, source: str) -> Callable[[Body], Body]:
    """A plugin of which one value is the field's."""
    return lambda body: {key: value} if (value := body.get(source)) is not None else {}


def _listed(key: str, source: str) -> Callable[[Body], Body]:
    """A plugin of which one value is an entry of the field's list."""
    return lambda body: {key: [value]} if (value := body.get(source)) is not None else {}


def _namespace(body: Body) -> Body:
    namespace = at(body, "metadata", "namespace")
    return {"namespace": namespace} if namespace is not None else {}


def _around(body: Body) -> Body:
    pairs = (("namePrefix", body.get("prefix")), ("nameSuffix", body.get("suffix")))
    return {key: value for key, value in pairs if value is not None}


def _strategic(body: Body) -> Body:
    paths, patches = body.get("paths"), body.get("patches")
    found: list[Tree] = list(paths) if isinstance(paths, list) else []
    return {"patchesStrategicMerge": [*found, *([patches] if isinstance(patches, Leaf) else [])]}


def _json(body: Body) -> Body:
    operations = body.get("jsonOp")
    return {"patchesJson6902": [{**body, **({"patch": operations} if operations is not None else {})}]}


_FIELDS: dict[str, tuple[str, Callable[[Body], Body]]] = {
    "ConfigMapGenerator": ("", _entry("configMapGenerator")),
    "SecretGenerator": ("", _entry("secretGenerator")),
    "HelmChartInflationGenerator": ("", _entry("helmCharts")),
    "NamespaceTransformer": ("namespace", _namespace),
    "PrefixTransformer": ("namePrefix", _around),
    "SuffixTransformer": ("nameSuffix", _around),
    "PrefixSuffixTransformer": ("namePrefix", _around),
    "LabelTransformer": ("commonLabels", _renamed("commonLabels", "labels")),
    "AnnotationsTransformer": ("commonAnnotations", _renamed("commonAnnotations", "annotations")),
    "ImageTagTransformer": ("images", _listed("images", "imageTag")),
    "ReplicaCountTransformer": ("replicas", _listed("replicas", "replica")),
    "ReplacementTransformer": ("", _renamed("replacements", "replacements")),
    "PatchTransformer": ("", _entry("patches")),
    "PatchStrategicMergeTransformer": ("", _strategic),
    "PatchJson6902Transformer": ("", _json),
}
"""By kind: the key its `fieldSpecs` stand under in `configurations`, and the fields it is."""
