"""Builds a kustomization (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/)."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.record import Record, replace
from gracelint.facts.yaml import Mapping, Scalar
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import KUSTOMIZATIONS, read_documents
from gracelint.render.effort import Effort
from gracelint.render.kustomize import transform
from gracelint.render.kustomize.fieldspecs import Config
from gracelint.render.kustomize.hashes import with_hashes
from gracelint.render.kustomize.merge import PatchError, is_native, json_patch, native_keys, no_keys, strategic
from gracelint.render.kustomize.openapi import Schema
from gracelint.render.kustomize.plugins import as_fields, config_of
from gracelint.render.kustomize.resource import Resource, annotated, without_empty_annotations
from gracelint.render.tree import Leaf, at, scalar, text_of, tree_of, unplaced
from gracelint.render.values import TooLargeError, weigh
from gracelint.source import Origin, Source, SourceMap, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Document
    from gracelint.render.kustomize.merge import ListKeys
    from gracelint.render.tree import Tree

MAX_FOLDERS = 500
"""Kustomizations that one overlay may pull in."""
MAX_DEPTH = 30


class Built(Record, identity=True):
    """One object of an overlay, as it is applied."""

    source: Source
    """The file it was read from."""
    text: str
    map: SourceMap


class Unread(Record):
    """Something that an overlay pulls in and that is not here, or cannot be built."""

    span: Span
    reason: str
    broken: bool = False
    """Whether the file is no YAML at all."""


class Overlay(Record, identity=True):
    """What a kustomization comes to."""

    objects: tuple[Built, ...]
    unread: tuple[Unread, ...]
    pulled: frozenset[str]
    """The folders and files it builds upon."""


def build(
    files: Files,
    folder: str,
    effort: Effort | None = None,
    wanted: Callable[[str], bool] | None = None,
    read: Callable[[Source], Iterable[Document]] = read_documents,
) -> Overlay:
    """Builds the kustomization of a folder. One that is too large comes to nothing, and says so.

    `wanted` says of a kind whether its objects are written out; None stands for all. `read` says what a file holds.
    """
    builder = _Builder(files, effort or Effort(), read, lambda kind: wanted is None or wanted(kind))
    objects = []
    try:
        for resource in builder.outermost(folder):
            if not builder.shows(scalar(resource.tree, "kind") or ""):
                continue
            text, places = text_of(resource.tree, resource.origin, builder.effort)
            objects.append(Built(resource.origin.source, text, places))
    except TooLargeError as error:
        source = kustomization_in(files, folder)
        objects, builder.unread = [], [Unread(source.span(0, 0), str(error))] if source is not None else []
    return Overlay(tuple(objects), tuple(builder.unread), frozenset(builder.pulled))


def kustomization_in(files: Files, folder: str) -> Source | None:
    """The kustomization of a folder, if it has one."""
    for name in KUSTOMIZATIONS:
        source = files.read(posixpath.join(folder, name))
        if source is not None:
            return source
    return None


def pulls_in(files: Files, folder: str) -> tuple[frozenset[str], bool]:
    """The folders that a kustomization builds upon, as it names them, and whether it is a component."""
    source = kustomization_in(files, folder)
    try:
        documents = read_documents(source, last_wins=True) if source is not None else []
    except (ParseError, TemplatedError):
        return frozenset(), False
    root = documents[0].root if documents else None
    if not isinstance(root, Mapping):
        return frozenset(), False
    entries = [item for key in ("resources", "bases", "components") for item in root.sequence(key)]
    named = (item.value for item in entries if isinstance(item, Scalar) and not is_remote(item.value))
    kind = root.scalar("kind")
    folders = frozenset(path for name in named if (path := _joined(folder, name)) is not None)
    return folders, kind is not None and kind.value == "Component"


def is_remote(reference: str) -> bool:
    """Whether a resource lies elsewhere: a URL, or `github.com/owner/name` and its like."""
    first = reference.split("/", 1)[0]
    return "://" in reference or reference.startswith("git@") or "?ref=" in reference or bool(_HOST.fullmatch(first))


_DEFINITION = "CustomResourceDefinition"
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.(?:com|org|io|dev|net)(?::[0-9]+)?")


class _Builder:
    def __init__(
        self,
        files: Files,
        effort: Effort,
        read: Callable[[Source], Iterable[Document]],
        shows: Callable[[str], bool],
    ) -> None:
        self.effort = effort
        self._documents_of = read
        self.shows = shows
        """Of a kind, whether its objects are written out."""
        self._known: dict[tuple[str, bool], Leaf] = {}
        self.unread: list[Unread] = []
        self.pulled: set[str] = set()
        self.variables: list[Tree] = []
        self.config = Config()
        """Of what was built so far of the kustomization at hand: bases tell those that build upon them."""
        self._schema: Schema | None = None
        self._files = files
        self._folders = 0

    def outermost(self, folder: str) -> list[Resource]:
        """The resources of the kustomization that is asked for. Raises TooLargeError."""
        found = self.folder(folder, ())
        self.effort.spend(len(found) * (1 + len(self.variables)))
        found = with_hashes(found, self.config, self.effort)
        found = transform.with_variables(found, self.variables, self.config)
        return [one.with_tree(without_empty_annotations(one.tree)) for one in found]

    def folder(self, folder: str, above: tuple[str, ...], given: list[Resource] | None = None) -> list[Resource]:
        """The resources of a kustomization; of a component those `given` to it, changed."""
        source = kustomization_in(self._files, folder)
        if source is None:
            return given or []
        self._folders += 1
        if folder in above or self._folders > MAX_FOLDERS or len(above) > MAX_DEPTH:
            self.unread.append(Unread(source.span(0, 0), "its kustomizations lead to each other, or are too many"))
            return given or []
        root = self._document(source)
        if root is None:
            return given or []
        try:
            return self._built(root, source, folder, (*above, folder), list(given or []))
        except PatchError as error:
            self.unread.append(Unread(source.span(0, 0), str(error)))
            return given or []

    def _built(
        self, root: dict[str, Tree], source: Source, folder: str, above: tuple[str, ...], found: list[Resource]
    ) -> list[Resource]:
        self._read(source)
        before, self.config = self.config, Config()
        for entry in [*_strings(at(root, "resources")), *_strings(at(root, "bases"))]:
            found += self._pulled_in(entry, folder, above)
        found = self._generated(root, source, folder, found)
        for entry in _strings(at(root, "components")):
            found = self._component(entry, folder, above, found)
        for item in _items(at(root, "helmCharts")):
            found += self._chart(item, root, folder, source)
        for plugin, where in self._plugins(root, "generators", source, folder):
            found = self._plugged(plugin, where, folder, source, found)
        self.variables += _items(at(root, "vars"))
        config = self._configured(root, folder, self.config)
        found = self._patched(root, source, folder, found)
        found = self._transformed(found, root, folder, config)
        for plugin, where in self._plugins(root, "transformers", source, folder):
            found = self._plugged(plugin, where, folder, source, found)
        self.config = before.and_of(config)
        return transform.with_references(found, config)

    def _read(self, source: Source) -> None:
        self.effort.read(source)
        self.effort.spend(len(source.text))

    def _transformed(self, found: list[Resource], root: dict[str, Tree], folder: str, config: Config) -> list[Resource]:
        self.effort.spend(len(found) * transform.weight(root))
        found = [transform.applied(resource, root, config) for resource in found]
        return transform.replaced(found, root, lambda path: self._tree_in(posixpath.join(folder, path)))

    def _configured(self, root: dict[str, Tree], folder: str, config: Config) -> Config:
        for entry in _strings(at(root, "configurations")):
            for tree in self._trees_at(entry, folder):
                config = config.with_file(tree)
        schema = at(root, "openapi", "path")
        for tree in self._trees_at(schema, folder) if isinstance(schema, Leaf) else ():
            self._schema = Schema(tree)
        return config

    def _trees_at(self, entry: Leaf, folder: str) -> list[Tree]:
        path = None if is_remote(entry.value) else _joined(folder, entry.value)
        if path is None or not self._files.exists(path):
            self._miss(entry, f"{entry.value} is not in this repository")
            return []
        return self._tree_in(path)

    # Plugins

    def _plugins(self, root: dict[str, Tree], key: str, source: Source, folder: str) -> Iterator[tuple[Tree, Span]]:
        """Generators or transformers: written in place, in a file, or as the objects of another kustomization."""
        for entry in _strings(at(root, key)):
            path = _joined(folder, entry.value)
            if "\n" in entry.value:
                trees = list(_inline(entry))
            elif path is not None and kustomization_in(self._files, path) is not None:
                self.pulled.add(path)
                trees = [resource.tree for resource in self.folder(path, ())]
            else:
                trees = self._trees_at(entry, folder)
            for tree in trees:
                yield tree, _place(entry, source)

    def _plugged(self, plugin: Tree, where: Span, folder: str, source: Source, found: list[Resource]) -> list[Resource]:
        fields = as_fields(plugin)
        if fields is None:
            kind = scalar(plugin, "kind") or "it"
            self.unread.append(Unread(where, f"{kind} is a plugin that is not built into kustomize"))
            return found
        for item in _items(at(fields, "helmCharts")):
            found = [*found, *self._chart(item, fields, folder, source)]
        found = self._generated(fields, source, folder, found)
        found = self._patched(fields, source, folder, found)
        return self._transformed(found, fields, folder, config_of(plugin))

    def _pulled_in(self, entry: Leaf, folder: str, above: tuple[str, ...]) -> list[Resource]:
        if is_remote(entry.value):
            self._miss(entry, f"{entry.value} lies outside of this repository")
            return []
        path = _joined(folder, entry.value)
        if path is None or not self._files.exists(path):
            self._miss(entry, f"there is no {entry.value}")
            return []
        self.pulled.add(path)
        if self._files.names(path) or kustomization_in(self._files, path) is not None:
            if kustomization_in(self._files, path) is None:
                self._miss(entry, f"{entry.value} has no kustomization")
                return []
            return self.folder(path, above)
        source = self._files.read(path)
        return self._objects(source) if source is not None else []

    def _chart(self, item: Tree, root: dict[str, Tree], folder: str, source: Source) -> list[Resource]:
        """An entry of `helmCharts`, if its chart lies where kustomize would put it."""
        from gracelint.render.kustomize.charts import inflated

        home = scalar(root, "helmGlobals", "chartHome") or "charts"
        made = inflated(self._files, item, folder, home, self.effort)
        if isinstance(made, str):
            self.unread.append(Unread(_place(item, source), made))
            return []
        resources = []
        for text, places in made:
            rendered = Source(source.path, text, map=places)
            resources += self._objects(rendered)
        return resources

    def _component(self, entry: Leaf, folder: str, above: tuple[str, ...], found: list[Resource]) -> list[Resource]:
        path = None if is_remote(entry.value) else _joined(folder, entry.value)
        if path is None or kustomization_in(self._files, path) is None:
            self._miss(entry, f"{entry.value} is not in this repository")
            return found
        self.pulled.add(path)
        return self.folder(path, above, found)

    def _miss(self, entry: Leaf, reason: str) -> None:
        if entry.origin is not None:
            self.unread.append(Unread(entry.origin.span, reason))

    def _objects(self, source: Source) -> list[Resource]:
        found: list[Resource] = []
        self._read(source)
        try:
            for document in self._documents_of(source):
                if isinstance(document.root, Mapping):
                    place = document.root.span.place
                    tree = self._tree_of(document)
                    found += _flattened(tree, Origin(place.source, place.start, place.end))
        except ParseError as error:
            self.unread.append(Unread(error.span, error.message, broken=True))
            return []
        except TemplatedError as error:
            self.unread.append(Unread(error.span, "this is a template"))
            return []
        return found

    def _tree_of(self, document: Document) -> Tree:
        """Definitions of resources are large, and from most of what they say nothing is ever taken."""
        if document.kind != _DEFINITION or self.shows(_DEFINITION):
            return tree_of(document.root)
        return unplaced(document.root, self._known)

    def _document(self, source: Source) -> dict[str, Tree] | None:
        try:
            documents = read_documents(source, last_wins=True)
            tree = tree_of(documents[0].root) if documents else None
        except ParseError as error:
            self.unread.append(Unread(error.span, error.message, broken=True))
            return None
        except (TemplatedError, TooLargeError):
            self.unread.append(Unread(source.span(0, 0), "this is no kustomization that can be read"))
            return None
        return tree if isinstance(tree, dict) else None

    def _tree_in(self, path: str) -> list[Tree]:
        """The documents of a file that the kustomization names."""
        normal = posixpath.normpath(path)
        source = self._files.read(normal)
        if source is None:
            return []
        self.pulled.add(normal)
        self._read(source)
        try:
            return [tree_of(document.root) for document in read_documents(source)]
        except (ParseError, TemplatedError, TooLargeError):
            self.unread.append(Unread(source.span(0, 0), "it cannot be read"))
            return []

    # Generators

    def _generated(self, root: dict[str, Tree], source: Source, folder: str, found: list[Resource]) -> list[Resource]:
        for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for item in _items(at(root, key)):
                made = self._map(item, kind, at(root, "generatorOptions"), source, folder)
                self.effort.spend(4 * len(found))
                if made is not None:
                    found = transform.with_generated(found, made)
        return found

    def _map(self, item: Tree, kind: str, general: Tree | None, source: Source, folder: str) -> Resource | None:
        name = at(item, "name")
        if not isinstance(item, dict) or not isinstance(name, Leaf):
            return None
        data: dict[str, Tree] = {}
        for entry in _strings(at(item, "files")):
            key, equals, path = entry.value.partition("=")
            path = path if equals else key
            text = self._files.read(posixpath.normpath(posixpath.join(folder, path)))
            if text is not None:
                self.effort.read(text)
                origin = Origin(text, 0, len(text.text), True)
                data[key if equals else posixpath.basename(path)] = Leaf(text.text, False, origin)
        for entry in _strings(at(item, "literals")):
            key, _, value = entry.value.partition("=")
            is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            data[key] = Leaf(value[1:-1] if is_quoted else value, False, entry.origin)
        for entry in [*_strings(at(item, "envs")), *_strings([at(item, "env") or []])]:
            text = self._files.read(posixpath.normpath(posixpath.join(folder, entry.value)))
            for line in text.text.removeprefix("\ufeff").splitlines() if text is not None else ():
                key, _, value = line.lstrip().partition("=")
                if key and not key.startswith("#"):
                    data[key] = Leaf(value, False, entry.origin)
        metadata: dict[str, Tree] = {"name": name}
        if isinstance(at(item, "namespace"), Leaf):
            metadata["namespace"] = item["namespace"]
        options = (at(item, "options"), general)
        for key in ("labels", "annotations"):
            pairs = [at(option, key) for option in reversed(options)]
            both = {name: value for some in pairs if isinstance(some, dict) for name, value in some.items()}
            metadata |= {key: both} if both else {}
        tree: dict[str, Tree] = {
            "apiVersion": Leaf("v1", False),
            "kind": Leaf(kind, False),
            "metadata": metadata,
            "data": data,
        }
        if any(scalar(option, "immutable") == "true" for option in options):
            tree["immutable"] = Leaf("true", True)
        if kind == "Secret":
            tree["type"] = Leaf(scalar(item, "type") or "Opaque", False)
        origin = name.origin or Origin(source, 0, 0)
        hashed = all(scalar(option, "disableNameSuffixHash") != "true" for option in options)
        home = scalar(item, "namespace") or ""
        return Resource(tree, origin, name.value, scalar(item, "behavior") or "create", hashed, home)

    # Patches

    def _patched(self, root: dict[str, Tree], source: Source, folder: str, found: list[Resource]) -> list[Resource]:
        for entry in _strings(at(root, "patchesStrategicMerge")):
            for patch in self._patches(entry, folder):
                found = self._merge(found, patch, None, entry)
        for item in _items(at(root, "patchesJson6902")):
            found = self._patch(found, item, source, folder)
        for item in _items(at(root, "patches")):
            found = self._patch(found, item, source, folder)
        return found

    def _patches(self, entry: Leaf, folder: str) -> list[Tree]:
        """A patch that is written in place, or the documents of a file."""
        if "\n" in entry.value or ": " in entry.value:
            return list(_inline(entry))
        if is_remote(entry.value):
            self._miss(entry, f"{entry.value} lies outside of this repository")
            return []
        path = _joined(folder, entry.value)
        if path is None or not self._files.exists(path):
            self._miss(entry, f"there is no {entry.value}")
            return []
        return self._tree_in(path)

    def _patch(self, found: list[Resource], item: Tree, source: Source, folder: str) -> list[Resource]:
        text, path, target = at(item, "patch"), at(item, "path"), at(item, "target")
        entry = text if isinstance(text, Leaf) else path if isinstance(path, Leaf) else None
        if entry is None:
            return found
        self.effort.spend(len(entry.value))
        patches = list(_inline(entry)) if entry is text else self._patches(entry, folder)
        for patch in patches:
            try:
                if isinstance(patch, list):
                    found = self._json_patched(found, patch, target)
                else:
                    found = self._merge(found, patch, target, entry)
            except PatchError as error:
                self._miss(entry, f"this patch cannot be applied: {error}")
        return found

    def _keys(self, item: Resource) -> ListKeys:
        """A schema of one's own takes the place of Kubernetes': other types have no keys then."""
        version = scalar(item.tree, "apiVersion") or ""
        if self._schema is not None:
            return self._schema.keys_of(version, item.kind) or no_keys
        return native_keys if is_native(version) else no_keys

    def _merge(self, found: list[Resource], patch: Tree, target: Tree | None, entry: Leaf) -> list[Resource]:
        self.effort.spend(4 * len(found))
        chosen = {id(item) for item in found if _is_meant(item, target, patch, self.effort)}
        if not chosen and target is None and not self.unread:
            self._miss(entry, f"no object is called {scalar(patch, 'kind')} {scalar(patch, 'metadata', 'name')}")
        result: list[Resource] = []
        for item in found:
            if id(item) not in chosen:
                result.append(item)
                continue
            self.effort.spend(weigh(patch))
            merged = strategic(item.tree, transform.without_identity(patch), self._keys(item))
            if isinstance(merged, dict):
                result.append(item.with_tree(merged))
        return result

    def _json_patched(self, found: list[Resource], patch: Tree, target: Tree | None) -> list[Resource]:
        self.effort.spend(4 * len(found))
        return [
            item.with_tree(json_patch(annotated(item.tree), patch, self.effort))
            if target is not None and _is_meant(item, target, None, self.effort)
            else item
            for item in found
        ]


def _is_meant(item: Resource, target: Tree | None, patch: Tree | None, effort: Effort) -> bool:
    """Whether a patch is for an object: its `target` says so, else the patch's own kind and name."""
    if target is None:
        if scalar(patch, "kind") != item.kind or scalar(patch, "metadata", "name") not in item.names:
            return False
        namespace = scalar(patch, "metadata", "namespace")
        group = (scalar(patch, "apiVersion") or "").rpartition("/")[0]
        return (
            namespace is None or namespace in (item.namespace, item.home, "") or not item.namespace
        ) and group == item.group
    tests = (
        ("kind", {item.kind}),
        ("group", {item.group}),
        ("version", {(scalar(item.tree, "apiVersion") or "").rpartition("/")[2]}),
        ("name", item.names),
        ("namespace", {item.namespace, item.home}),
    )
    for key, values in tests:
        wanted = scalar(target, key)
        if wanted and not any(_fits(wanted, text, effort) for text in values):
            return False
    labels, annotations = at(item.tree, "metadata", "labels"), at(item.tree, "metadata", "annotations")
    return transform.selects(scalar(target, "labelSelector"), labels) and transform.selects(
        scalar(target, "annotationSelector"), annotations
    )


def _fits(pattern: str, text: str, effort: Effort) -> bool:
    """Target names are whole regular expressions."""
    if re.fullmatch(r"[\w./-]*", pattern):
        return pattern == text or ("." in pattern and bool(re.fullmatch(pattern, text)))
    from gracelint.render.helm.functions.patterns import Pattern, price
    from gracelint.render.helm.template import TemplateError

    whole = f"^(?:{pattern})$" if "|" in pattern else f"^{pattern}$"
    try:
        effort.spend(price(whole, text))
        return Pattern(whole).search(text)
    except TemplateError as error:
        raise PatchError(f"{pattern!r} is no pattern") from error


def _flattened(tree: Tree, origin: Origin) -> Iterator[Resource]:
    """The object, or those of a List."""
    if not isinstance(tree, dict):
        return
    items = at(tree, "items")
    if (scalar(tree, "kind") or "").endswith("List") and isinstance(items, list):
        for item in items:
            yield from _flattened(item, origin)
        return
    name, namespace = scalar(tree, "metadata", "name") or "", scalar(tree, "metadata", "namespace") or ""
    yield Resource(tree, origin, name, home=namespace)


def _inline(entry: Leaf) -> Iterator[Tree]:
    """A patch in the kustomization itself: its places are lines of that block."""
    source = Source("", entry.value)
    try:
        documents = read_documents(source)
        trees = [tree_of(document.root) for document in documents]
    except (ParseError, TemplatedError) as error:
        raise PatchError("a patch that is no YAML") from error
    for tree in trees:
        yield _moved(tree, entry, source)


def _moved(tree: Tree, entry: Leaf, source: Source) -> Tree:
    """The tree with places in the file the text was taken from."""
    if isinstance(tree, dict):
        return {str(key): _moved(value, entry, source) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_moved(item, entry, source) for item in tree]
    return replace(tree, origin=_outer_place(tree, entry))


def _outer_place(inner: Leaf, entry: Leaf) -> Origin | None:
    if entry.origin is None or inner.origin is None:
        return entry.origin
    outer = entry.origin.source
    text, start = outer.text, entry.origin.start
    line = inner.origin.source.position(inner.origin.start)[0] - 1 + text.startswith(("|", ">"), start)
    position = start
    if line:
        line += outer.position(start)[0]
        if line > len(outer.line_starts):
            return entry.origin
        position = outer.line_starts[line - 1]
    end = text.find("\n", position)
    found = text.find(inner.value, position, end if end >= 0 else len(text)) if inner.value else -1
    if found < 0:
        return Origin(entry.origin.source, position, end if end >= 0 else len(text))
    return Origin(entry.origin.source, found, found + len(inner.value), True)


def _joined(folder: str, path: str) -> str | None:
    """A path from a folder of the project; None where it leads out of it."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    if joined.startswith(("../", "/")) or joined == "..":
        return None
    return "" if joined == "." else joined


def _items(tree: Tree | None) -> list[Tree]:
    return tree if isinstance(tree, list) else []


def _strings(tree: Tree | None) -> Iterable[Leaf]:
    return [item for item in _items(tree) if isinstance(item, Leaf)]


def _place(tree: Tree, source: Source) -> Span:
    """Where the first scalar of a tree stands."""
    if isinstance(tree, Leaf):
        return tree.origin.span if tree.origin is not None else source.span(0, 0)
    for item in tree.values() if isinstance(tree, dict) else tree:
        return _place(item, source)
    return source.span(0, 0)
