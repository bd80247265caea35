"""Fields that a kustomization names beside those that kustomize changes by itself: `configurations` and plugins.

https://github.com/kubernetes-sigs/kustomize/tree/master/examples/transformerconfigs
"""

from __future__ import annotations

import re

from gracelint.base.record import Record
from gracelint.render.kustomize.resource import changed, made
from gracelint.render.tree import at, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gracelint.render.kustomize.resource import Resource
    from gracelint.render.tree import Tree


class FieldSpec(Record):
    """A field of some kinds of objects. An empty group, version or kind fits all."""

    path: tuple[str, ...]
    """Keys, and `*` for every item of a list."""
    group: str = ""
    version: str = ""
    kind: str = ""
    create: bool = False
    """Whether the field is made where it is missing."""

    def fits(self, resource: Resource) -> bool:
        group, _, version = (scalar(resource.tree, "apiVersion") or "").rpartition("/")
        pairs = ((self.group, group), (self.version, version), (self.kind, resource.kind))
        return all(wanted in ("", found) for wanted, found in pairs)


class Reference(Record):
    """A field that calls an object of a kind by its name."""

    kind: str
    at: FieldSpec


class Config(Record):
    """Fields by what changes them. Without `defaults` nothing else is changed: plugins name all that they change."""

    fields: tuple[tuple[str, FieldSpec], ...] = ()
    """Each with the key of `configurations` that it stands under: `namePrefix`, `commonLabels`, `images`, …"""
    references: tuple[Reference, ...] = ()
    defaults: bool = True

    def of(self, *keys: str) -> list[FieldSpec]:
        return [spec for key, spec in self.fields if key in keys]

    def with_file(self, tree: Tree) -> Config:
        """With what a file of `configurations` adds."""
        fields = [*self.fields]
        for key in _KEYS:
            fields += [(key, spec) for spec in specs_of(at(tree, key))]
        references = [*self.references]
        entries = at(tree, "nameReference")
        for entry in entries if isinstance(entries, list) else ():
            kind = scalar(entry, "kind") or ""
            references += [Reference(kind, spec) for spec in specs_of(at(entry, "fieldSpecs"))]
        return Config(tuple(fields), tuple(references), self.defaults)

    def and_of(self, other: Config) -> Config:
        """Both, each field once."""
        fields = dict.fromkeys((*self.fields, *other.fields))
        return Config(tuple(fields), tuple(dict.fromkeys((*self.references, *other.references))), self.defaults)


_KEYS = (
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "images",
    "replicas",
    "varReference",
)


def specs_of(tree: Tree | None) -> tuple[FieldSpec, ...]:
    """What a list of `fieldSpecs` says."""
    return tuple(
        FieldSpec(
            path_of(path),
            scalar(item, "group") or "",
            scalar(item, "version") or "",
            scalar(item, "kind") or "",
            scalar(item, "create") == "true",
        )
        for item in (tree if isinstance(tree, list) else ())
        if (path := scalar(item, "path")) is not None
    )


def path_of(text: str) -> tuple[str, ...]:
    r"""`spec/containers[]/image` as steps; a slash in a key is written `\/`."""
    steps: list[str] = []
    for part in re.split(r"(?<!\\)/", text.strip("/")):
        name = part.replace("\\/", "/")
        steps += [name.removesuffix("[]"), "*"] if name.endswith("[]") else [name]
    return tuple(steps)


def at_fields(resource: Resource, specs: Iterable[FieldSpec], change: Callable[[Tree | None], Tree | None]) -> Resource:
    """An object with what stands at the fields changed."""
    tree: Tree = resource.tree
    for spec in specs:
        if not spec.fits(resource):
            continue
        if spec.create and "*" not in spec.path:
            tree = made(tree, spec.path, lambda value: change(value) or value or {})
        else:
            tree = changed(tree, spec.path, _each(change))
    return resource.with_tree(tree)


def _each(change: Callable[[Tree | None], Tree | None]) -> Callable[[Tree | None], Tree | None]:
    """The change, for a field that is there and for every item where it is a list."""

    def present(value: Tree | None) -> Tree | None:
        if isinstance(value, list):
            return [change(item) or item for item in value]
        return change(value) if value is not None else None

    return present
