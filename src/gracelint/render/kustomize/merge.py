"""How patches change objects: strategic merge (as kubectl and kustomize do it) and JSON Patch (RFC 6902)."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.render.tree import Leaf, at, scalar
from gracelint.render.values import TooLargeError, weigh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from gracelint.render.effort import Effort
    from gracelint.render.tree import Tree

    ListKeys: TypeAlias = "Callable[[tuple[str, ...], list[Tree]], tuple[str, ...] | None]"
    """By the path of a list without its items, and the items of the patch: the keys that tell its items apart."""


class PatchError(Exception):
    """A patch that cannot be applied, as kustomize would say."""


_MERGE_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "containers": (("name",),),
    "initContainers": (("name",),),
    "ephemeralContainers": (("name",),),
    "volumes": (("name",),),
    "env": (("name",),),
    "imagePullSecrets": (("name",),),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "hostAliases": (("ip",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "ownerReferences": (("uid",),),
    "conditions": (("type",),),
    "secrets": (("name",),),
    "resourceClaims": (("name",),),
    "schedulingGates": (("name",),),
}
"""Kubernetes' `patchMergeKey` per list, the first that all items of the patch have (k8s.io/api, struct tags)."""
_PROTOCOL = "TCP"
"""The default that is part of a port's key."""
_NATIVE_GROUPS = frozenset(
    ("", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io")
)
MAX_DEPTH = 150


def strategic(target: Tree, patch: Tree, keys: ListKeys) -> Tree | None:
    """The target with a strategic merge patch applied; None where the patch deletes it.

    A list without keys is replaced whole.
    """
    return _merged(target, patch, keys, ())


def is_native(api_version: str | None) -> bool:
    """Whether an object's type is one of Kubernetes' own, whose lists have known keys."""
    group = (api_version or "").rpartition("/")[0]
    return group in _NATIVE_GROUPS


def _merged(target: Tree | None, patch: Tree, keys: ListKeys, path: tuple[str, ...]) -> Tree | None:
    if len(path) > MAX_DEPTH:
        raise TooLargeError
    if isinstance(patch, Leaf):
        if isinstance(target, Leaf) and (target.value, target.plain) == (patch.value, patch.plain):
            return target  # said again, as the name by which a list's item is found
        return None if patch.is_null else patch
    if isinstance(patch, list):
        return _without_directives(patch, len(path))
    directive = scalar(patch, "$patch")
    if directive == "delete":
        return None
    rest = {key: value for key, value in patch.items() if key not in ("$patch", "$retainKeys")}
    if directive == "replace" or not isinstance(target, dict):
        return _without_directives(rest, len(path))
    result = dict(target)
    for key, value in rest.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            gone = {item.value for item in value if isinstance(item, Leaf)} if isinstance(value, list) else set()
            kept = result.get(name)
            if isinstance(kept, list):
                result[name] = [item for item in kept if not (isinstance(item, Leaf) and item.value in gone)]
        elif not key.startswith("$setElementOrder/"):
            mine, below = result.get(key), (*path, str(key))
            merged = (
                _merged_lists(mine, value, keys, below)
                if isinstance(mine, list) and isinstance(value, list)
                else _merged(mine, value, keys, below)
            )
            if merged is None:
                result.pop(key, None)
            else:
                result[key] = merged
    return result


def _merged_lists(target: list[Tree], patch: list[Tree], keys_of: ListKeys, path: tuple[str, ...]) -> Tree | None:
    if path[-1] == "finalizers" and keys_of is native_keys:
        known = {item.value for item in target if isinstance(item, Leaf)}
        return [*target, *(item for item in patch if isinstance(item, Leaf) and item.value not in known)]
    items = [item for item in patch if not (isinstance(item, dict) and set(item) == {"$patch"})]
    if any(scalar(item, "$patch") == "replace" for item in patch if isinstance(item, dict) and set(item) == {"$patch"}):
        return _without_directives(items, len(path))
    keys = keys_of(path, items)
    if keys is None:
        return _without_directives(items, len(path))
    rest: list[Tree] = list(target)
    first: list[Tree] = []
    for item in items:
        wanted = _identity(item, keys)
        index = next((i for i, mine in enumerate(rest) if _identity(mine, keys) == wanted), None)
        merged = _merged(rest.pop(index) if index is not None else None, item, keys_of, path)
        first += [merged] if merged is not None else []
    return [*first, *rest]


def native_keys(path: tuple[str, ...], items: list[Tree]) -> tuple[str, ...] | None:
    """How Kubernetes' own types merge their lists."""
    for keys in _MERGE_KEYS.get(path[-1], ()):
        if all(isinstance(item, dict) and keys[0] in item for item in items):
            return keys
    return None


def no_keys(path: tuple[str, ...], items: list[Tree]) -> None:
    """Of a custom resource whose schema is not known: every list is replaced whole."""


def _identity(item: Tree, keys: tuple[str, ...]) -> tuple[str | None, ...]:
    return tuple(scalar(item, key) or (_PROTOCOL if key == "protocol" else None) for key in keys)


def _without_directives(tree: Tree, depth: int = 0) -> Tree:
    """What a patch puts in where nothing was."""
    if depth > MAX_DEPTH:
        raise TooLargeError
    if isinstance(tree, dict):
        return {
            key: _without_directives(value, depth + 1)
            for key, value in tree.items()
            if not key.startswith("$") and not (isinstance(value, Leaf) and value.is_null)
        }
    if isinstance(tree, list):
        return [
            _without_directives(item, depth + 1)
            for item in tree
            if not (isinstance(item, dict) and scalar(item, "$patch") is not None)
        ]
    return tree


def json_patch(target: Tree, operations: Tree, effort: Effort) -> Tree:
    """The target with a JSON Patch applied. Raises PatchError where kustomize would."""
    if not isinstance(operations, list):
        raise PatchError("a JSON Patch is a list of operations")
    for operation in operations:
        effort.spend(_PRICE)
        target = _operated(target, operation, effort)
    return target


_PRICE = 32
"""Steps of one operation."""


def _operated(target: Tree, operation: Tree, effort: Effort) -> Tree:
    name, path = scalar(operation, "op"), scalar(operation, "path")
    if name is None or path is None or (path and not path.startswith("/")):
        raise PatchError("an operation needs `op` and `path`")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    value = at(operation, "value")
    if name in ("move", "copy"):
        source = [
            step.replace("~1", "/").replace("~0", "~") for step in (scalar(operation, "from") or "").split("/")[1:]
        ]
        value = _found(target, source)
        effort.spend(weigh(value))
        if name == "move":
            target = _changed(target, source, None, "remove", effort)
    if name == "test":
        return target
    if name not in ("add", "replace", "remove", "move", "copy"):
        raise PatchError(f"there is no operation {name!r}")
    if value is None and name != "remove":
        raise PatchError(f"{name} {path}: it has no value")
    return _changed(target, steps, value, "add" if name in ("move", "copy") else name, effort)


def _found(tree: Tree | None, steps: list[str]) -> Tree | None:
    for step in steps:
        tree = at(tree, int(step) if isinstance(tree, list) and is_whole(step) else step)
    return tree


def _changed(tree: Tree, steps: list[str], value: Tree | None, name: str, effort: Effort) -> Tree:
    if not steps:
        return value if value is not None else tree
    effort.spend(0 if isinstance(tree, Leaf) else len(tree) // 16)
    step, rest = steps[0], steps[1:]
    if isinstance(tree, dict):
        return _changed_mapping(tree, step, rest, value, name, effort)
    if isinstance(tree, list):
        return _changed_list(tree, step, rest, value, name, effort)
    raise PatchError(f"{step!r} is below what is no mapping and no list")


def _changed_mapping(
    tree: dict[str, Tree], step: str, rest: list[str], value: Tree | None, name: str, effort: Effort
) -> Tree:
    result = dict(tree)
    if rest:
        if step not in result:
            raise PatchError(f"there is no {step!r}")
        result[step] = _changed(result[step], rest, value, name, effort)
    elif name == "remove":
        if result.pop(step, None) is None:
            raise PatchError(f"there is no {step!r}")
    elif value is not None:
        result[step] = value
    return result


def _changed_list(tree: list[Tree], step: str, rest: list[str], value: Tree | None, name: str, effort: Effort) -> Tree:
    result = list(tree)
    if step == "-" and not rest and name == "add" and value is not None:
        return [*result, value]
    if not is_whole(step) or int(step) > len(result) - (name != "add" or bool(rest)):
        raise PatchError(f"a list of {len(result)} has no item {step!r}")
    index = int(step)
    if rest:
        result[index] = _changed(result[index], rest, value, name, effort)
    elif name == "remove":
        del result[index]
    elif value is not None and name == "add":
        result.insert(index, value)
    elif value is not None:
        result[index] = value
    return result
