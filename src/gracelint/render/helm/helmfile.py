"""The releases of a helmfile (https://helmfile.readthedocs.io): its templates, environments, bases and nested files."""

from __future__ import annotations

import posixpath
import re

from gracelint.base.record import Record, field, replace
from gracelint.facts.yaml import Mapping, Scalar, Sequence
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.render.effort import START, Effort
from gracelint.render.globs import matching
from gracelint.render.helm.chart import combined, merged
from gracelint.render.helm.installs import Asked, Elsewhere, Install, Layer, set_value, text_at
from gracelint.render.helm.loose import filled, filled_text
from gracelint.render.helm.template import TemplateError
from gracelint.render.helm.values import shown
from gracelint.render.values import TooLargeError, value_of
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Node

_MOST_ENVIRONMENTS = 10
_MOST_FILES = 200
_DEPTH = 10
_OF_TEMPLATES = 4
"""Steps for each code point of a helmfile and its files of values."""


class _World(Record, identity=True):
    """What the templates of one helmfile are told."""

    environment: str
    own: dict[str, Any] = field(default_factory=dict)
    """What is said of the environment."""
    defaults: dict[str, Any] = field(default_factory=dict)
    """What is said beside the environments, for all of them."""
    overrides: dict[str, Any] = field(default_factory=dict)
    """What the file that names this one sets."""

    @property
    def values(self) -> dict[str, Any]:
        return combined(self.overrides, combined(self.own, self.defaults))


_ENDINGS = (".yaml", ".yml", ".yaml.gotmpl", ".yml.gotmpl")


def in_helmfile(files: Files, path: str) -> tuple[list[Install], list[Elsewhere]]:
    """The releases of a helmfile in each of its environments, and those whose chart is not here."""
    reader = _Reader(files)
    for environment in _environments(files, path):
        reader.file(path, _World(environment), 0)
    installs = {_identity(install): install for install in reader.asked.installs}
    return list(installs.values()), list(dict.fromkeys(reader.asked.elsewhere))


def _identity(install: Install) -> tuple[Any, ...]:
    layers = [id(layer) if layer.is_file else repr(_value(layer.root)) for layer in install.layers]
    return install.chart, install.name, install.namespace, repr(install.set), *layers


def _environments(files: Files, path: str) -> list[str]:
    """`default`, or those that are declared where there is none of that name."""
    source = files.read(path)
    names = _ENVIRONMENTS.search(source.text) if source is not None else None
    found = re.findall(r"(?m)^  ([\w.-]+):", names[1]) if names is not None else []
    return ["default"] if not found or "default" in found else found[:_MOST_ENVIRONMENTS]


_ENVIRONMENTS = re.compile(r"(?m)^environments:[^\n]*\n((?:(?:[ #][^\n]*|\{\{[^\n]*)?\n)*)")


class _Reader:
    def __init__(self, files: Files) -> None:
        self.asked = Asked(files)
        self._files = files
        self._left = _MOST_FILES
        self._effort = Effort(START, _OF_TEMPLATES)
        """The steps that are left for its templates, and for what releases take over from one another."""

    def file(self, path: str, world: _World, depth: int) -> _World:
        """Reads one helmfile; what it says of its environments holds for what comes after it."""
        source = self._files.read(path)
        self._left -= 1
        if source is None or depth > _DEPTH or self._left < 0:
            return world
        for part in _parts(source):
            try:
                world = self._part(part, path, world, depth)
            except TemplateError as error:
                at = error.origin.span.place if error.origin is not None else part.span(0, 0).place
                reason = f"this helmfile cannot be filled in, and its releases are not seen: {error.reason}"
                self.asked.elsewhere.append(Elsewhere(at, reason))
            except (ParseError, TemplatedError) as error:
                reason = "this helmfile cannot be read, and its releases are not seen"
                self.asked.elsewhere.append(Elsewhere(error.span.place, reason))
        return world

    def _part(self, part: Source, path: str, world: _World, depth: int) -> _World:
        """A part up to `---`: its environments are read first, as its templates may use their values."""
        folder = posixpath.dirname(path)
        if "{{" in part.text:
            head = _ENVIRONMENTS.search(part.text)
            if head is not None:
                world = self._with_environments(self._document(_cut(part, head), world, folder), folder, world)
        root = self._document(part, world, folder)
        for entry in root.sequence("bases") if root is not None else ():
            if isinstance(entry, Scalar):
                world = self.file(posixpath.normpath(posixpath.join(folder, entry.value)), world, depth + 1)
        world = self._with_environments(root, folder, world)
        for entry in root.sequence("helmfiles") if root is not None else ():
            named = entry.value if isinstance(entry, Scalar) else None
            given: dict[str, Any] = {}
            if isinstance(entry, Mapping):
                named = text_at(entry, "path")
                given = self._together(entry.sequence("values"), {}, folder, world)
            for inner in self._nested(named, folder):
                self.file(inner, _World(world.environment, overrides=given), depth + 1)
        if root is not None:
            templates = root.mapping("templates")
            for release in root.mappings("releases"):
                self._release(_inheriting(release, templates), folder, world)
        return world

    def _nested(self, named: str | None, folder: str) -> Iterator[str]:
        if named is None or "://" in named or "::" in named:
            return
        path = posixpath.normpath(posixpath.join(folder, named))
        yield from matching(self._files, path)
        for name in matching(self._files, posixpath.join(path, "*")) if self._files.names(path) else ():
            if name.endswith(_ENDINGS):
                yield name

    def _document(self, part: Source, world: _World, folder: str) -> Mapping | None:
        documents = read_documents(self._made(part, self._dot(world), folder))
        root = documents[0].root if documents else None
        return root if isinstance(root, Mapping) else None

    def _made(self, source: Source, dot: dict[str, Any], folder: str) -> Source:
        self._effort.read(source)
        return filled(source, dot, self._functions(folder), self._effort)

    def _with_environments(self, root: Mapping | None, folder: str, world: _World) -> _World:
        if root is None:
            return world
        environments = root.mapping("environments")
        chosen = environments.mapping(world.environment) if environments is not None else None
        world = replace(world, defaults=self._together(root.sequence("values"), world.defaults, folder, world))
        if chosen is None:
            return world
        return replace(world, own=self._together(chosen.sequence("values"), world.own, folder, world))

    def _together(self, entries: Iterable[Node], values: dict[str, Any], folder: str, world: _World) -> dict[str, Any]:
        """Values over those that are there."""
        for layer in self._layers(entries, folder, world, None):
            found = _value(layer.root)
            values = merged(found, values) if isinstance(found, dict) else values
        return values

    def _dot(self, world: _World, release: dict[str, Any] | None = None) -> dict[str, Any]:
        dot = {
            "Values": world.values,
            "StateValues": world.values,
            "Environment": {"Name": world.environment, "Values": world.values, "KubeContext": ""},
            "Namespace": (release or {}).get("Namespace", ""),
            "HelmfileCommand": "template",
        }
        return {**dot, "Release": release} if release is not None else dot

    def _functions(self, folder: str) -> dict[str, Callable[..., Any]]:
        """What helmfile gives to templates beside Helm's own functions. Nothing is run, and no variable is read."""

        def read(name: Any) -> str:
            source = self._files.read(posixpath.normpath(posixpath.join(folder, shown(name))))
            if source is None:
                raise TemplateError(f"readFile: there is no {shown(name)}")
            return source.text

        def is_file(name: Any) -> bool:
            return self._files.read(posixpath.normpath(posixpath.join(folder, shown(name)))) is not None

        def refused(name: str) -> Callable[..., Any]:
            def refuse(*_: Any) -> Any:
                raise TemplateError(f"`{name}` can only be known when it is run")

            return refuse

        return {
            **{name: refused(name) for name in ("exec", "envExec", "fetchSecretValue", "expandSecretRefs")},
            "readFile": read,
            "isFile": is_file,
            "isDir": lambda name: bool(self._files.names(posixpath.normpath(posixpath.join(folder, shown(name))))),
            "requiredEnv": lambda name: shown(name),
            "get": _get,
            "getOrNil": lambda path, tree: _get(path, None, tree),
        }

    # Releases

    def _release(self, entry: Mapping, folder: str, world: _World) -> None:
        name, namespace = text_at(entry, "name") or "", text_at(entry, "namespace") or ""
        written = entry.scalar("chart")
        about = {
            "Name": name,
            "Namespace": namespace,
            "Chart": written.value if written is not None else "",
            "Labels": _value(labels) if (labels := entry.mapping("labels")) is not None else {},
        }
        entry = self._filled(entry, self._dot(world, about), folder)
        wanted = entry.scalar("chart")
        if wanted is None or text_at(entry, "installed") == "false" or not _is_on(entry, world.values):
            return
        local = posixpath.join(folder, wanted.value)
        place = self.asked.chart(posixpath.normpath(local)) if "://" not in wanted.value else None
        if place is None:
            reason = f"the release `{name}` installs the chart {wanted.value}, which is not here"
            self.asked.elsewhere.append(Elsewhere(wanted.span.place, reason))
            return
        values: dict[str, Any] = {}
        for pair in entry.mappings("set"):
            key, value = text_at(pair, "name"), text_at(pair, "value")
            several = [item.value for item in pair.sequence("values") if isinstance(item, Scalar)]
            if key is not None and several:
                values = merged(set_value(key, several), values)
            elif key is not None and value is not None:
                values = merged(set_value(key, value), values)
        layers = tuple(self._layers(entry.sequence("values"), folder, world, about))
        at = "" if world.environment == "default" else f" in {world.environment}"
        because = f"the helmfile's release {name}{at}"
        self.asked.installs.append(Install(place, name, namespace or "default", layers[::-1], values, because))

    def _filled(self, node: Mapping, dot: dict[str, Any], folder: str) -> Mapping:
        """A release whose own texts are templates: `values/{{ .Release.Name }}.yaml`."""
        found = _with_texts(node, dot, self._functions(folder), self._effort)
        assert isinstance(found, Mapping)
        return found

    def _layers(
        self, entries: Iterable[Node], folder: str, world: _World, release: dict[str, Any] | None
    ) -> Iterator[Layer]:
        """Values written in place or in files, the weakest first."""
        for entry in entries:
            if isinstance(entry, Mapping):
                yield Layer(entry)
            elif isinstance(entry, Scalar):
                for path in matching(self._files, posixpath.normpath(posixpath.join(folder, entry.value))):
                    layer = self._layer(path, world, release)
                    if layer is not None:
                        yield layer

    def _layer(self, path: str, world: _World, release: dict[str, Any] | None) -> Layer | None:
        if not path.endswith(".gotmpl"):
            return self.asked.layer(path)
        source = self._files.read(path)
        if source is None:
            return None
        root = self._document(source, world, posixpath.dirname(path)) if release is None else None
        if release is not None:
            documents = read_documents(self._made(source, self._dot(world, release), posixpath.dirname(path)))
            found = documents[0].root if documents else None
            root = found if isinstance(found, Mapping) else None
        return Layer(root) if root is not None else None


def _parts(source: Source) -> Iterator[Source]:
    """The documents of a helmfile; each is filled in by itself. Their places are those of the file."""
    start = 0
    for match in re.finditer(r"(?m)^---[ \t]*$", source.text):
        yield _padded(source, start, match.start())
        start = match.end()
    yield _padded(source, start, len(source.text))


def _padded(source: Source, start: int, end: int) -> Source:
    """A part of a file, with spaces for what stands before it, so that places stay what they are."""
    if start == 0 and end == len(source.text):
        return source
    before = re.sub(r"[^\n]", " ", source.text[:start])
    return Source(source.path, before + source.text[start:end])


def _cut(part: Source, match: re.Match[str]) -> Source:
    return _padded(part, match.start(), match.end())


def _value(node: Node) -> Any:
    try:
        return value_of(node)
    except TooLargeError:
        return {}


def _inheriting(release: Mapping, templates: Mapping | None) -> Mapping:
    """A release with what the templates it names say: `inherit: [{template: default}]`."""
    items = list(release.items)
    for entry in release.mappings("inherit"):
        template = templates.mapping(text_at(entry, "template") or "") if templates is not None else None
        for key, value in template.items if template is not None else ():
            at = next((index for index, (mine, _) in enumerate(items) if mine.value == key.value), None)
            if at is None:
                items.append((key, value))
                continue
            mine, own = items[at]
            if isinstance(own, Sequence) and isinstance(value, Sequence):  # the release's values come after
                items[at] = (mine, replace(own, items=(*value.items, *own.items)))
    return replace(release, entries=tuple(items))


def _is_on(entry: Mapping, values: dict[str, Any]) -> bool:
    """`condition: redis.enabled`, which is off where the value is missing."""
    condition = text_at(entry, "condition")
    return condition is None or _get(condition, False, values) in (True, "true")


def _get(path: Any, *rest: Any) -> Any:
    """helmfile's `get "a.b" default values`; without a default a missing key is an error."""
    *default, tree = rest or ({},)
    for key in shown(path).split("."):
        if not isinstance(tree, dict) or key not in tree:
            if not default:
                raise TemplateError(f"get: no value for {shown(path)}")
            return default[0]
        tree = tree[key]
    return tree


def _with_texts(node: Node, dot: dict[str, Any], also: dict[str, Callable[..., Any]], effort: Effort) -> Node:
    effort.take(1)
    if effort.left < 0:
        raise TemplateError(str(TooLargeError()))
    if isinstance(node, Mapping):
        return replace(node, entries=tuple((key, _with_texts(value, dot, also, effort)) for key, value in node.items))
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_with_texts(item, dot, also, effort) for item in node.items))
    return replace(node, value=filled_text(node.value, dot, also, effort)) if "{{" in node.value else node
