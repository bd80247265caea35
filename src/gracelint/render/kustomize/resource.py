"""Objects on their way through an overlay."""

from __future__ import annotations

from gracelint.base.record import Record, replace
from gracelint.render.tree import Leaf, at, leaf, scalar
from gracelint.source import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.render.tree import Tree

CLUSTER_WIDE = frozenset(
    """Namespace ClusterRole ClusterRoleBinding CustomResourceDefinition PersistentVolume StorageClass PriorityClass
    IngressClass ValidatingWebhookConfiguration MutatingWebhookConfiguration APIService""".split()  # noqa: SIM905
)
"""Kinds without a namespace."""


class Resource(Record, identity=True):
    tree: dict[str, Tree]
    origin: Origin
    """The document it was read from."""
    name: str
    """Its name before prefixes and suffixes: what patches, images and references call it."""
    behavior: str = "create"
    """Of a generated ConfigMap or Secret: create, merge or replace."""
    hashed: bool = False
    """In the end its name gets a hash of what it holds."""
    home: str = ""
    """Its namespace before another one was set."""
    earlier: tuple[str, ...] = ()
    """The names it had on its way, each until a prefix or suffix was added."""

    @property
    def kind(self) -> str:
        return scalar(self.tree, "kind") or ""

    @property
    def current(self) -> str:
        return scalar(self.tree, "metadata", "name") or ""

    @property
    def names(self) -> set[str]:
        """All that others may call it by."""
        return {self.name, self.current, *self.earlier}

    @property
    def namespace(self) -> str:
        return scalar(self.tree, "metadata", "namespace") or ""

    @property
    def group(self) -> str:
        return (scalar(self.tree, "apiVersion") or "").rpartition("/")[0]

    def with_tree(self, tree: Tree) -> Resource:
        assert isinstance(tree, dict)
        return replace(self, tree=tree)


def annotated(tree: dict[str, Tree]) -> Tree:
    """An object as kustomize patches it: with annotations, those that it makes notes for itself in."""
    return made(tree, ("metadata", "annotations"), lambda found: found if isinstance(found, dict) else {})


def without_empty_annotations(tree: dict[str, Tree]) -> dict[str, Tree]:
    metadata, annotations = at(tree, "metadata"), at(tree, "metadata", "annotations")
    is_empty = annotations == {} or (isinstance(annotations, Leaf) and annotations.is_null)
    if not is_empty or not isinstance(metadata, dict):
        return tree
    return {**tree, "metadata": {key: value for key, value in metadata.items() if key != "annotations"}}


def changed(tree: Tree, path: tuple[str, ...], change: Callable[[Tree | None], Tree | None]) -> Tree:
    """A tree with what stands at a path changed; `*` is every item of a list. Nothing is made that is not there."""
    if not path:
        return change(tree) or tree
    step, rest = path[0], path[1:]
    if step == "*" and isinstance(tree, list):
        return [changed(item, rest, change) if rest else change(item) or item for item in tree]
    if not isinstance(tree, dict):
        return tree
    if not rest:
        value = change(tree.get(step))
        return tree if value is None else {**tree, step: value}
    return {**tree, step: changed(tree[step], rest, change)} if step in tree else tree


def made(tree: Tree, path: tuple[str, ...], change: Callable[[Tree | None], Tree]) -> Tree:
    """A tree with what stands at a path changed, and made where it is missing."""
    if not path:
        return change(tree)
    below = tree.get(path[0]) if isinstance(tree, dict) else None
    result = dict(tree) if isinstance(tree, dict) else {}
    result[path[0]] = made(below if below is not None else {}, path[1:], change) if path[1:] else change(below)
    return result


def with_text(tree: Tree, path: tuple[str, ...], text: Callable[[str], str]) -> Tree:
    """A tree with the strings at a path rewritten; each stays where it stands."""
    return changed(
        tree,
        path,
        lambda value: leaf(text(value.value), value) if isinstance(value, Leaf) and not value.is_null else None,
    )


def pod_paths(tree: Tree) -> list[tuple[str, ...]]:
    """Where pod specs stand: below anything that has containers, as kustomize's image transformer looks for them."""
    found: list[tuple[str, ...]] = []
    _collect(tree, (), found)
    return found


def _collect(tree: Tree, path: tuple[str, ...], found: list[tuple[str, ...]]) -> None:
    if isinstance(tree, dict) and len(path) < 12:
        if any(isinstance(at(tree, key), list) for key in ("containers", "initContainers")):
            found.append(path)
        for key, value in tree.items():
            if isinstance(value, dict):
                _collect(value, (*path, key), found)
