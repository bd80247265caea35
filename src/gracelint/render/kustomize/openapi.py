"""Merge keys of custom resources, from the schema that `openapi: {path: …}` of a kustomization names."""

from __future__ import annotations

from gracelint.render.tree import at, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as Map

    from gracelint.render.kustomize.merge import ListKeys
    from gracelint.render.tree import Tree

_MOST_FIELDS = 20_000
_MAX_DEPTH = 25


class Schema:
    """The merge keys of every type of a schema, found when first asked for."""

    def __init__(self, tree: Tree) -> None:
        found = at(tree, "definitions")
        self._definitions: Map[str, Tree] = found if isinstance(found, dict) else {}
        self._keys: dict[str, dict[tuple[str, ...], str]] = {}

    def keys_of(self, api_version: str, kind: str) -> ListKeys | None:
        """How lists of a type are merged; None where the schema does not know the type."""
        for name, definition in self._definitions.items():
            if _is_of(definition, api_version, kind):
                if name not in self._keys:
                    self._keys[name] = self._collected(definition)
                keys = self._keys[name]
                return lambda path, items: (keys[path],) if path in keys else None
        return None

    def _collected(self, definition: Tree) -> dict[tuple[str, ...], str]:
        found: dict[tuple[str, ...], str] = {}
        left: list[tuple[Tree, tuple[str, ...]]] = [(definition, ())]
        for _ in range(_MOST_FIELDS):
            if not left:
                break
            field, path = left.pop()
            target = (scalar(field, "$ref") or "").removeprefix("#/definitions/")
            field = self._definitions.get(target, field)
            items, properties = at(field, "items"), at(field, "properties")
            if len(path) > _MAX_DEPTH:
                continue
            if items is not None:
                left.append((items, path))
            for name, below in properties.items() if isinstance(properties, dict) else ():
                key = scalar(below, "x-kubernetes-patch-merge-key")
                if key is not None and "merge" in (scalar(below, "x-kubernetes-patch-strategy") or "merge"):
                    found[(*path, str(name))] = key
                left.append((below, (*path, str(name))))
        return found


def _is_of(definition: Tree, api_version: str, kind: str) -> bool:
    group, _, version = api_version.rpartition("/")
    entries = at(definition, "x-kubernetes-group-version-kind")
    return any(
        (scalar(entry, "group") or "", scalar(entry, "version"), scalar(entry, "kind")) == (group, version, kind)
        for entry in (entries if isinstance(entries, list) else ())
    )
