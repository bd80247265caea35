"""The fields of a kustomization that change every object it brings: names, namespace, labels, images, replicas."""

from __future__ import annotations

import re

from gracelint.base.record import replace
from gracelint.render.kustomize.fieldspecs import at_fields, specs_of
from gracelint.render.kustomize.merge import PatchError
from gracelint.render.kustomize.resource import CLUSTER_WIDE, Resource, changed, made, pod_paths, with_text
from gracelint.render.tree import Leaf, at, leaf, scalar
from gracelint.render.values import weigh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gracelint.render.kustomize.fieldspecs import Config
    from gracelint.render.tree import Tree

_SELECTORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Service": (("spec", "selector"),),
    "ReplicationController": (("spec", "selector"),),
    "Deployment": (("spec", "selector", "matchLabels"),),
    "ReplicaSet": (("spec", "selector", "matchLabels"),),
    "DaemonSet": (("spec", "selector", "matchLabels"),),
    "StatefulSet": (("spec", "selector", "matchLabels"),),
    "PodDisruptionBudget": (("spec", "selector", "matchLabels"),),
    "NetworkPolicy": (("spec", "podSelector", "matchLabels"),),
}
_TEMPLATES: dict[str, tuple[tuple[str, ...], ...]] = {
    "ReplicationController": (("spec", "template", "metadata"),),
    "Deployment": (("spec", "template", "metadata"),),
    "ReplicaSet": (("spec", "template", "metadata"),),
    "DaemonSet": (("spec", "template", "metadata"),),
    "StatefulSet": (("spec", "template", "metadata"),),
    "Job": (("spec", "template", "metadata"),),
    "CronJob": (("spec", "jobTemplate", "metadata"), ("spec", "jobTemplate", "spec", "template", "metadata")),
}
_ALWAYS_SELECTING = ("Service", "ReplicationController", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet")
"""Kinds whose selector is made where it is missing."""
_REPLICAS = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")
_UNNAMED = ("CustomResourceDefinition", "APIService", "Namespace")
"""Kinds whose names no prefix changes."""


def applied(resource: Resource, root: dict[str, Tree], config: Config) -> Resource:
    """An object with the fields of a kustomization applied, in kustomize's order."""
    for step in (_with_namespace, _with_name, _with_labels, _with_annotations, _with_replicas, _with_images):
        resource = step(resource, root, config)
    return resource


def weight(root: dict[str, Tree]) -> int:
    """The steps that it takes to change one object."""
    return 16 + sum(weigh(root[key]) for key in _FIELDS if key in root)


_FIELDS = ("commonLabels", "labels", "commonAnnotations", "replicas", "images", "replacements")


def _with_namespace(resource: Resource, root: dict[str, Tree], config: Config) -> Resource:
    namespace = at(root, "namespace")
    if not isinstance(namespace, Leaf):
        return resource
    resource = at_fields(resource, config.of("namespace"), _always(namespace))
    if not config.defaults or (resource.kind in CLUSTER_WIDE and resource.kind != "Namespace"):
        return resource
    path = ("metadata", "name" if resource.kind == "Namespace" else "namespace")
    return resource.with_tree(made(resource.tree, path, _always(namespace)))


def _with_name(resource: Resource, root: dict[str, Tree], config: Config) -> Resource:
    prefix, suffix = scalar(root, "namePrefix") or "", scalar(root, "nameSuffix") or ""
    for key, before, after in (("namePrefix", prefix, ""), ("nameSuffix", "", suffix)):
        if before or after:
            resource = at_fields(resource, config.of(key), _around(before, after))
    if not config.defaults or not (prefix or suffix) or resource.kind in _UNNAMED:
        return resource
    renamed = resource.with_tree(changed(resource.tree, ("metadata", "name"), _around(prefix, suffix)))
    return replace(renamed, earlier=(*resource.earlier, resource.current))


def _around(before: str, after: str) -> Callable[[Tree | None], Tree | None]:
    return lambda value: leaf(f"{before}{value.value}{after}", value) if isinstance(value, Leaf) else None


def _with_labels(resource: Resource, root: dict[str, Tree], config: Config) -> Resource:
    common = at(root, "commonLabels")
    if isinstance(common, dict):
        resource = at_fields(resource, config.of("commonLabels"), _adding(common))
        if config.defaults:
            resource = _labelled(resource, common, selectors=True, templates=True)
    entries = at(root, "labels")
    for entry in entries if isinstance(entries, list) else ():
        pairs = at(entry, "pairs")
        if isinstance(pairs, dict):
            selectors = scalar(entry, "includeSelectors") == "true"
            templates = selectors or scalar(entry, "includeTemplates") == "true"
            keys = ("labels", *(("commonLabels",) if selectors else ()), *(("templateLabels",) if templates else ()))
            specs = [*config.of(*keys), *specs_of(at(entry, "fields"))]
            resource = at_fields(resource, specs, _adding(pairs))
            resource = _labelled(resource, pairs, selectors=selectors, templates=templates)
    return resource


def _labelled(resource: Resource, labels: dict[str, Tree], *, selectors: bool, templates: bool) -> Resource:
    tree: Tree = made(resource.tree, ("metadata", "labels"), _adding(labels))
    for path in _TEMPLATES.get(resource.kind, ()) if templates else ():
        if at(tree, *path[:-1]) is not None:
            tree = made(tree, (*path, "labels"), _adding(labels))
    for path in _SELECTORS.get(resource.kind, ()) if selectors else ():
        if at(tree, *path) is not None or resource.kind in _ALWAYS_SELECTING:
            tree = made(tree, path, _adding(labels))
    return resource.with_tree(tree)


def _adding(pairs: dict[str, Tree]) -> Callable[[Tree | None], Tree]:
    return lambda present: {**(present if isinstance(present, dict) else {}), **pairs}


def _with_annotations(resource: Resource, root: dict[str, Tree], config: Config) -> Resource:
    common = at(root, "commonAnnotations")
    if not isinstance(common, dict):
        return resource
    resource = at_fields(resource, config.of("commonAnnotations"), _adding(common))
    if not config.defaults:
        return resource
    tree: Tree = made(resource.tree, ("metadata", "annotations"), _adding(common))
    for path in _TEMPLATES.get(resource.kind, ()):
        if at(tree, *path[:-1]) is not None:
            tree = made(tree, (*path, "annotations"), _adding(common))
    return resource.with_tree(tree)


def _with_replicas(resource: Resource, root: dict[str, Tree], config: Config) -> Resource:
    entries = at(root, "replicas")
    for entry in entries if isinstance(entries, list) else ():
        count = at(entry, "count")
        if not isinstance(count, Leaf) or scalar(entry, "name") not in resource.names:
            continue
        resource = at_fields(resource, config.of("replicas"), _always(count))
        if config.defaults and resource.kind in _REPLICAS:
            resource = resource.with_tree(made(resource.tree, ("spec", "replicas"), _always(count)))
    return resource


def _always(value: Tree) -> Callable[[Tree | None], Tree]:
    return lambda _: value


def _with_images(resource: Resource, root: dict[str, Tree], config: Config) -> Resource:
    entries = at(root, "images")
    if not isinstance(entries, list):
        return resource
    names: set[str] = set()
    resource = _at_images(resource, config, _noting(names))
    for entry in entries:
        if scalar(entry, "name") in names:
            resource = _at_images(resource, config, _retagging(entry))
            names.add(scalar(entry, "newName") or "")
    return resource


def _at_images(resource: Resource, config: Config, change: Callable[[Tree | None], Tree | None]) -> Resource:
    resource = at_fields(resource, config.of("images"), change)
    tree: Tree = resource.tree
    for path in pod_paths(tree) if config.defaults else ():
        for key in ("containers", "initContainers"):
            tree = changed(tree, (*path, key, "*", "image"), change)
    return resource.with_tree(tree)


_IMAGE = re.compile(r"(?P<name>[^@]*?)(?P<tag>:[\w][\w.-]*)?(?P<digest>@.*)?")


def _noting(names: set[str]) -> Callable[[Tree | None], Tree | None]:
    """Takes down the names of the images, and changes none."""

    def change(value: Tree | None) -> None:
        match = _IMAGE.fullmatch(value.value) if isinstance(value, Leaf) else None
        if match is not None:
            names.add(match["name"])

    return change


def _retagging(entry: Tree) -> Callable[[Tree | None], Tree | None]:
    name, new_name = scalar(entry, "name"), scalar(entry, "newName")
    tag, digest, suffix = scalar(entry, "newTag"), scalar(entry, "digest"), scalar(entry, "tagSuffix")

    def change(value: Tree | None) -> Tree | None:
        match = _IMAGE.fullmatch(value.value) if isinstance(value, Leaf) else None
        if match is None or match["name"] != name or not isinstance(value, Leaf):
            return None
        end = (match["tag"] or "") + (match["digest"] or "")
        if digest:
            end = f"@{digest}"
        elif tag:
            end = f":{tag}"
        elif suffix and match["tag"]:
            end = match["tag"] + suffix
        like = next(
            (found for key in ("newName", "newTag", "digest") if isinstance(found := at(entry, key), Leaf)), value
        )
        return leaf((new_name or match["name"]) + end, like)

    return change


# Generated objects and references to names


def with_generated(found: list[Resource], made_here: Resource) -> list[Resource]:
    """The objects with a generated one: new, merged into one of the same name, or in its place."""
    for index, item in enumerate(found):
        if (item.kind, item.name) != (made_here.kind, made_here.name) or made_here.behavior == "create":
            continue
        data = at(made_here.tree, "data")
        old = at(item.tree, "data") if made_here.behavior == "merge" else None
        both = {**(old if isinstance(old, dict) else {}), **(data if isinstance(data, dict) else {})}
        kept = {key: value for key, value in item.tree.items() if key != "immutable"}
        fixed = {"immutable": made_here.tree["immutable"]} if "immutable" in made_here.tree else {}
        return [*found[:index], item.with_tree({**kept, "data": both, **fixed}), *found[index + 1 :]]
    return [*found, made_here]


_POD_REFERENCES = (
    ("ConfigMap", ("volumes", "*", "configMap", "name")),
    ("ConfigMap", ("volumes", "*", "projected", "sources", "*", "configMap", "name")),
    ("Secret", ("volumes", "*", "secret", "secretName")),
    ("PersistentVolumeClaim", ("volumes", "*", "persistentVolumeClaim", "claimName")),
    ("ServiceAccount", ("serviceAccountName",)),
    *(
        (kind, (containers, "*", *path))
        for containers in ("containers", "initContainers")
        for kind, path in (
            ("ConfigMap", ("envFrom", "*", "configMapRef", "name")),
            ("Secret", ("envFrom", "*", "secretRef", "name")),
            ("ConfigMap", ("env", "*", "valueFrom", "configMapKeyRef", "name")),
            ("Secret", ("env", "*", "valueFrom", "secretKeyRef", "name")),
        )
    ),
)
_REFERENCES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "StatefulSet": (("Service", ("spec", "serviceName")),),
    "HorizontalPodAutoscaler": (("", ("spec", "scaleTargetRef", "name")),),
    "ScaledObject": (("", ("spec", "scaleTargetRef", "name")),),
    "VerticalPodAutoscaler": (("", ("spec", "targetRef", "name")),),
    "Ingress": (("Service", ("spec", "rules", "*", "http", "paths", "*", "backend", "service", "name")),),
}


def with_references(found: list[Resource], config: Config) -> list[Resource]:
    """Objects that call others of their namespace by their names, with the names those have now."""
    renamed: dict[str, dict[tuple[str, str], str]] = {}
    for item in found:
        for name in item.names:
            if item.current != name:
                renamed.setdefault(item.namespace, {})[item.kind, name] = item.current
    return [referring(item, renamed[item.namespace], config) if item.namespace in renamed else item for item in found]


def referring(item: Resource, renamed: dict[tuple[str, str], str], config: Config) -> Resource:
    """An object that calls others by the names that kinds and names lead to."""
    for reference in config.references:
        item = at_fields(item, [reference.at], _each_renamed(reference.kind, renamed))
    tree: Tree = item.tree
    for kind, path in _REFERENCES.get(item.kind, ()):
        target = kind or scalar(tree, *path[:-1], "kind") or ("Deployment" if item.kind == "ScaledObject" else "")
        tree = with_text(tree, path, _renaming(target, renamed))
    for pod in pod_paths(tree):
        for kind, path in _POD_REFERENCES:
            tree = with_text(tree, (*pod, *path), _renaming(kind, renamed))
    return item.with_tree(tree)


def _each_renamed(kind: str, renamed: dict[tuple[str, str], str]) -> Callable[[Tree | None], Tree | None]:
    name = _renaming(kind, renamed)
    return lambda value: leaf(name(value.value), value) if isinstance(value, Leaf) else None


def _renaming(kind: str, renamed: dict[tuple[str, str], str]) -> Callable[[str], str]:
    return lambda name: renamed.get((kind, name), name)


# Patches and selectors


def without_identity(patch: Tree) -> Tree:
    """A patch without the name that says what it is for: a prefix may have changed it."""
    if not isinstance(patch, dict):
        return patch
    metadata = at(patch, "metadata")
    rest = {key: value for key, value in patch.items() if key not in ("apiVersion", "kind", "metadata")}
    if isinstance(metadata, dict):
        rest["metadata"] = {key: value for key, value in metadata.items() if key not in ("name", "namespace")}
    return rest


_REQUIREMENT = re.compile(r"\s*(!?)([\w./-]+)(?:\s*(==?|!=)\s{0,40}([\w.-]*)|\s+(in|notin)\s*\(([^)]*)\))?\s*(?:,|$)")


def selects(selector: str | None, labels: Tree | None) -> bool:
    """Whether a label selector such as `app=web,tier in (front)` takes a set of labels."""
    if not selector:
        return True
    position = 0
    while position < len(selector):
        match = _REQUIREMENT.match(selector, position)
        if match is None or match.end() == position:
            raise PatchError(f"{selector!r} is no label selector")
        position = match.end()
        if not _required(match, scalar(labels, match[2])):
            return False
    return True


def _required(match: re.Match[str], value: str | None) -> bool:
    if match[3] is not None:
        return (value == match[4]) == (match[3] != "!=")
    if match[5] is not None:
        listed = {text.strip() for text in match[6].split(",")}
        return (value in listed) == (match[5] == "in")
    return (value is None) == bool(match[1])


# Variables and replacements


def with_variables(found: list[Resource], declared: list[Tree], config: Config) -> list[Resource]:
    """The objects with `$(NAME)` of `vars` filled in, in the places that kustomize looks at."""
    values: dict[str, str] = {}
    for item in declared:
        words = _in_small_letters(item)
        name, asked = scalar(words, "name"), at(words, "objref")
        target = next((one for one in found if _is_selected(one, asked)), None)
        value = _at_path(target.tree, scalar(words, "fieldref", "fieldpath") or "metadata.name") if target else None
        if name is not None and isinstance(value, Leaf):
            values[name] = value.value
    if not values:
        return found

    def filled(text: str) -> str:
        return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)

    def change(value: Tree | None) -> Tree | None:
        return leaf(filled(value.value), value) if isinstance(value, Leaf) else None

    return [at_fields(_with_filled(one, filled), config.of("varReference"), change) for one in found]


def _in_small_letters(tree: Tree) -> Tree:
    """A declaration with its keys as the documentation writes them: `objref`, `fieldref.fieldpath` in any case."""
    if not isinstance(tree, dict):
        return tree
    return {str(key).lower(): _in_small_letters(value) for key, value in tree.items()}


_VARIABLE = re.compile(r"\$\(([\w.-]+)\)")
_VARIABLE_PATHS = (("command", "*"), ("args", "*"), ("env", "*", "value"))


def _with_filled(one: Resource, filled: Callable[[str], str]) -> Resource:
    tree: Tree = one.tree
    for pod in pod_paths(tree):
        for containers in ("containers", "initContainers"):
            for path in _VARIABLE_PATHS:
                tree = with_text(tree, (*pod, containers, "*", *path), filled)
    return one.with_tree(tree)


def replaced(found: list[Resource], root: dict[str, Tree], read: Callable[[str], list[Tree]]) -> list[Resource]:
    """The objects with values copied from one to the other, as `replacements` say."""
    for item in _replacements(root, read):
        source = next((one for one in found if _is_selected(one, at(item, "source"))), None)
        if source is None:
            continue
        value = _at_path(source.tree, scalar(item, "source", "fieldPath") or "metadata.name")
        value = _part(value, at(item, "source", "options"))
        targets = at(item, "targets")
        for target in targets if isinstance(targets, list) and isinstance(value, Leaf) else ():
            assert isinstance(value, Leaf)
            found = [_put(one, target, value) for one in found]
    return found


def _replacements(root: dict[str, Tree], read: Callable[[str], list[Tree]]) -> Iterator[Tree]:
    items = at(root, "replacements")
    for item in items if isinstance(items, list) else ():
        path = scalar(item, "path")
        for document in read(path) if path else ():
            yield from document if isinstance(document, list) else [document]
        if path is None:
            yield item


def _is_selected(one: Resource, selector: Tree | None) -> bool:
    tests = (
        ("kind", {one.kind}),
        ("name", one.names),
        ("namespace", {one.namespace, one.home}),
        ("group", {one.group}),
    )
    return isinstance(selector, dict) and all(
        scalar(selector, key) is None or scalar(selector, key) in values for key, values in tests
    )


def _put(one: Resource, target: Tree, value: Leaf) -> Resource:
    rejected = at(target, "reject")
    if not _is_selected(one, at(target, "select")) or any(
        _is_selected(one, item) for item in (rejected if isinstance(rejected, list) else ())
    ):
        return one
    options = at(target, "options")
    paths = at(target, "fieldPaths")
    tree: Tree = one.tree
    for path in paths if isinstance(paths, list) else ():
        if isinstance(path, Leaf):
            tree = _put_at(tree, _steps(path.value), value, options, scalar(options, "create") == "true")
    return one.with_tree(tree)


def _steps(path: str) -> list[str]:
    """`spec.containers.[name=app].env.0`, with dots escaped or in brackets."""
    parts = re.findall(r"\[[^\]]*\]|(?:\\.|[^.\[])+", path)
    return [
        part.strip("[]") if part.startswith("[") and "=" not in part else part.replace("\\.", ".") for part in parts
    ]


def _put_at(tree: Tree, steps: list[str], value: Leaf, options: Tree | None, create: bool) -> Tree:
    if not steps:
        return _spliced(tree, value, options)
    step, rest = steps[0], steps[1:]
    if isinstance(tree, list):
        return [
            _put_at(item, rest, value, options, create) if _is_item(item, number, step) else item
            for number, item in enumerate(tree)
        ]
    if not isinstance(tree, dict) or (step not in tree and not create):
        return tree
    return {**tree, step: _put_at(tree.get(step, {}), rest, value, options, create)}


def _is_item(item: Tree, number: int, step: str) -> bool:
    if step == "*":
        return True
    if step.startswith("["):
        key, _, wanted = step.strip("[]").partition("=")
        return scalar(item, key) == wanted
    return step == str(number)


def _at_path(tree: Tree | None, path: str) -> Tree | None:
    for step in _steps(path):
        if isinstance(tree, list):
            tree = next((item for number, item in enumerate(tree) if _is_item(item, number, step)), None)
        else:
            tree = at(tree, step)
    return tree


def _part(value: Tree | None, options: Tree | None) -> Tree | None:
    delimiter = scalar(options, "delimiter")
    if not delimiter or not isinstance(value, Leaf):
        return value
    parts, index = value.value.split(delimiter), _index(options)
    return leaf(parts[index], value) if 0 <= index < len(parts) else None


def _index(options: Tree | None) -> int:
    text = scalar(options, "index") or "0"
    return int(text) if re.fullmatch("-?[0-9]{1,6}", text) else 0


def _spliced(tree: Tree, value: Leaf, options: Tree | None) -> Tree:
    delimiter = scalar(options, "delimiter")
    if not delimiter or not isinstance(tree, Leaf):
        return value
    parts, index = tree.value.split(delimiter), _index(options)
    if index < 0:
        parts.insert(0, value.value)
    elif index >= len(parts):
        parts.append(value.value)
    else:
        parts[index] = value.value
    return leaf(delimiter.join(parts), value)
