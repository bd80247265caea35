"""Compose projects: which files make one, and how `include`, `extends` and overrides put them together."""

from __future__ import annotations

import posixpath
from types import MappingProxyType

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.base.record import Record, replace
from gracelint.facts.yaml import Mapping, Scalar, Sequence
from gracelint.knowledge import table
from gracelint.parse.compose.merge import alone, laid_over
from gracelint.parse.compose.service import STARTS, EnvFiles, service_of
from gracelint.parse.compose.variables import Place, interpolated, read_variables
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.tree.purpose import starting_production

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Mapping as Map
    from collections.abc import Sequence as List

    from gracelint.facts.compose import ComposeService
    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Document, Node

NO_VARIABLES: Map[str, str] = MappingProxyType({})
DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""What `docker compose up` looks for; the first one counts."""
OVERRIDES = (
    *("compose.override.yml", "compose.override.yaml", "docker-compose.override.yml"),
    "docker-compose.override.yaml",
)
_PLAIN = frozenset((*DEFAULT_FILES, *OVERRIDES))
_DEEPEST = 20
"""Files that include or extend one another."""
_MOST_INHERITED = 20_000
"""Entries, of mappings and lists, that services take over from those they extend."""
_INCLUDES = 10
"""Inclusions in one project, whatever else there is."""
_MORE_INCLUDES = 5_000
"""Further ones, divided among the projects that include any."""

_NAME = pattern(r"(?i)(?:.*[.-])?(?:docker-)?compose(?:[.-].*)?\.ya?ml\Z")


def is_compose(path: str, document: Document) -> bool:
    """Whether a document is a Compose project: by the file's name, or because its services have images or builds."""
    root = document.root
    if not isinstance(root, Mapping) or root.get("kind"):
        return False
    named = _NAME.match(path.rpartition("/")[2]) is not None
    services = root.mapping("services")
    if services is None:
        return named and isinstance(root.get("include"), Sequence)
    values = [value for _, value in services.items if isinstance(value, Mapping)]
    return named or any(value.get("image") or value.get("build") for value in values)


def read_compose(document: Document, environment: Map[str, str] = NO_VARIABLES) -> list[ComposeService]:
    """The services of one document by itself. `environment` holds what `.env` sets."""
    path = document.source.path
    shelf = _Shelf({path: [document]}, None)
    loaded = _Loading(shelf, (path,), None, environment).load()
    return list(_services(loaded, None))


def read_projects(
    documents: Map[str, list[Document]], together: tuple[tuple[str, ...], ...] = (), *, files: Files
) -> list[ComposeService]:
    """The services of all projects. `together` are lists of files that the repository starts with `-f a -f b`.

    Those that no list names are judged alone, as far as they say enough; what others include, or extend as a template,
    is judged where it is used.
    """
    shelf = _Shelf(documents, files)
    lists = dict.fromkeys((*_by_default(documents, files), *together))
    named = {path for paths in lists for path in paths}
    lists |= dict.fromkeys((path,) for path in documents if path not in named)
    including = {
        path
        for path, each in documents.items()
        if any(isinstance(one.root, Mapping) and one.root.get("include") for one in each)
    }
    room = _INCLUDES + _MORE_INCLUDES // max(sum(not including.isdisjoint(paths) for paths in lists), 1)
    projects = [_Loading(shelf, paths, files, room=room) for paths in lists]
    models = [project.load() for project in projects]
    included = {path for project in projects for path in project.included}
    templates = {template for project in projects for template in project.templates}
    order = sorted(range(len(projects)), key=lambda number: projects[number].paths[0] in included)
    found: list[ComposeService] = []
    judged: set[tuple[int, ...]] = set()
    covered: set[int] = set()
    for number in order:
        project = projects[number]
        for service in _services(models[number], files, project.paths in together):
            layers = tuple(id(node) for _, node in service.layers)
            whole = covered.issuperset(layers) if project.paths[0] in included else layers in judged
            if not whole:
                judged.add(layers)
                covered.update(layers)
                found.append(replace(service, replaced=_is_replaced(service, shelf, files)))
    found = [service for service in found if not _is_template(service, templates)]
    if not any(service.mounts for service in found):
        return found
    from gracelint.parse.compose.live import without_live

    return without_live(found)


def _is_template(service: ComposeService, templates: set[tuple[str, str]]) -> bool:
    """Whether others extend a service of a file that `docker compose up` does not start by itself."""
    path = service.source.path
    return (path, service.name) in templates and posixpath.basename(path) not in DEFAULT_FILES


def _is_replaced(service: ComposeService, shelf: _Shelf, files: Files) -> bool:
    """Whether a plain file's service is not what production starts: what is for that stands beside it or its image."""
    if any(posixpath.basename(document.source.path) not in _PLAIN for document, _ in service.layers):
        return False
    folders = [posixpath.dirname(service.source.path)]
    if service.build is not None and service.build.inline is None:
        dockerfile = posixpath.join(service.build.context, service.build.dockerfile)
        folders.append(posixpath.dirname(posixpath.normpath(dockerfile)))
    paths = [
        posixpath.join(folder, name)
        for folder in dict.fromkeys(folders)
        for name in starting_production(files.names(folder))
    ]
    laid_over = [
        node
        for path in paths
        if _NAME.match(posixpath.basename(path))
        for document in shelf.of(path)
        if isinstance(document.root, Mapping) and (node := document.root.mapping("services", service.name)) is not None
    ]
    return bool(paths) and all(any(node.get(key) for key in STARTS) for node in laid_over)


def _by_default(documents: Map[str, List[Document]], files: Files) -> Iterator[tuple[str, ...]]:
    """For each folder the files that `docker compose up` takes: what `.env` says, else a file and its override."""
    for folder in dict.fromkeys(posixpath.dirname(path) for path in documents):
        names = _environment(files, folder, NO_VARIABLES).get("COMPOSE_FILE", "")
        separator = ";" if ";" in names else ":"
        chosen = [posixpath.normpath(posixpath.join(folder, name)) for name in names.split(separator) if name]
        if chosen and all(path in documents or files.exists(path) for path in chosen):
            yield tuple(chosen)
            continue
        bases = [path for name in DEFAULT_FILES if (path := posixpath.join(folder, name)) in documents]
        overrides = [path for name in OVERRIDES if (path := posixpath.join(folder, name)) in documents]
        if bases:
            yield (*bases[:1], *overrides[:1])


def _environment(files: Files, folder: str, above: Map[str, str], paths: List[str] | None = None) -> Map[str, str]:
    """What the `.env` of a folder sets, or the files named in its place; what is set `above` counts more.

    Where the repository leaves `.env` to its users, it is what they copy.
    """
    found: dict[str, str] = {}
    own = posixpath.join(folder, ".env")
    if paths is None and not files.exists(own):
        copied = (path for name in table("compose")["templates"] if files.exists(path := posixpath.join(folder, name)))
        own = next(copied, own)

    def known(name: str) -> str | None:
        return above.get(name, found.get(name))

    for path in [own] if paths is None else paths:
        source = files.read(path)
        if source is not None:
            found |= read_variables(source.text, known)
    return {**found, **above}


class _Part(Record, identity=True):
    """A service as far as it is put together."""

    key: Scalar
    node: Mapping
    layers: tuple[tuple[Document, Mapping], ...]
    missing: str | None = None


class _Model(Record, identity=True):
    parts: Map[str, _Part]
    places: Map[str, Place]


def _services(model: _Model, files: Files | None, uppermost: bool = False) -> Iterator[ComposeService]:
    """Those that say enough; the others are parts of services elsewhere.

    A service of several files stands in the first of them or, for files that a command puts together, in the last.
    """
    variables = EnvFiles(files) if files is not None else None
    for part in model.parts.values():
        if _says_enough(part, files) or part.missing:
            layers = part.layers[::-1] if uppermost else part.layers
            key = _key_of(layers[0]) or part.key
            yield service_of(key, part.node, part.layers, model.places, variables, part.missing)


def _says_enough(part: _Part, files: Files | None) -> bool:
    """Whether it names its image, or what that is built from: a `build` of options alone is put over another one."""
    build = part.node.get("build")
    if part.node.get("image") or not isinstance(build, Mapping):
        return bool(part.node.get("image") or build)
    folder = posixpath.dirname(part.layers[0][0].source.path)
    here = files is None or files.exists(posixpath.join(folder, "Dockerfile"))
    return here or not {key.value for key, _ in build.items}.isdisjoint(_SOURCES)


_SOURCES = ("context", "dockerfile", "dockerfile_inline")


def _key_of(layer: tuple[Document, Mapping]) -> Scalar | None:
    document, node = layer
    services = document.root.mapping("services") if isinstance(document.root, Mapping) else None
    return _keys(services).get(id(node)) if services else None


@lru_cache(maxsize=4)
def _keys(services: Mapping) -> dict[int, Scalar]:
    """The names of services, by the `id` of what stands behind them."""
    return {id(value): key for key, value in reversed(services.items)}


class _Shelf:
    """The documents of Compose files: those that were read already, and others when they are asked for."""

    def __init__(self, documents: Map[str, list[Document]], files: Files | None) -> None:
        self._documents = dict(documents)
        self._files = files

    def of(self, path: str) -> list[Document]:
        if path not in self._documents:
            self._documents[path] = self._read(path)
        return self._documents[path]

    def variables(self, folder: str, above: Map[str, str], paths: List[str] | None) -> Map[str, str]:
        return _environment(self._files, folder, above, paths) if self._files is not None else above

    def _read(self, path: str) -> list[Document]:
        source = self._files.read(path) if self._files is not None else None
        try:
            documents = read_documents(source) if source is not None else []
        except (ParseError, TemplatedError):
            return []
        return [document for document in documents if isinstance(document.root, Mapping)]


class _Loading:
    """One project while it is put together."""

    def __init__(
        self,
        shelf: _Shelf,
        paths: tuple[str, ...],
        files: Files | None,
        environment: Map[str, str] = NO_VARIABLES,
        room: int = 0,
    ) -> None:
        self.paths = paths
        self.included: set[str] = set()
        self.templates: set[tuple[str, str]] = set()
        self._inherited = 0
        """How many entries have been taken over from extended services."""
        self._shelf = shelf
        self._folder = posixpath.dirname(paths[0])
        self._environment = _environment(files, self._folder, environment) if files is not None else environment
        self._places: dict[str, Place] = {}
        self._left = room
        """Inclusions that may still be followed."""

    def load(self) -> _Model:
        return _Model(self._load(self.paths, self._folder, self._environment, ()), self._places)

    def _load(
        self, paths: Iterable[str], folder: str, environment: Map[str, str], above: tuple[str, ...]
    ) -> dict[str, _Part]:
        """The services of files that are merged one over the other."""
        model: dict[str, _Part] = {}
        for path in paths:
            self._places[path] = Place(folder, environment)
            for document in self._shelf.of(path):
                own = self._own(document)
                for name, part in self._include(document, folder, environment, (*above, path)).items():
                    own[name] = _over(own[name], part) if name in own else part
                for name in own:
                    own[name] = self._extended(name, own, folder, ())
                for name, part in own.items():
                    model[name] = _over(part, model[name]) if name in model else _cleaned(part)
        return model

    def _own(self, document: Document) -> dict[str, _Part]:
        services = document.root.mapping("services") if isinstance(document.root, Mapping) else None
        return {
            key.value: _Part(key, node, ((document, node),))
            for key, node in (services.items if services else ())
            if isinstance(node, Mapping)
        }

    def _include(
        self, document: Document, folder: str, environment: Map[str, str], above: tuple[str, ...]
    ) -> dict[str, _Part]:
        found: dict[str, _Part] = {}
        entries = document.root.sequence("include") if isinstance(document.root, Mapping) else ()
        for entry in entries if len(above) < _DEEPEST else ():
            self._left -= 1
            if self._left < 0:
                break
            paths = [posixpath.normpath(posixpath.join(folder, path)) for path in self._texts(entry, "path")]
            if not paths or paths[0] in above:
                continue
            chosen = self._texts(entry, "project_directory") if isinstance(entry, Mapping) else []
            below = posixpath.normpath(posixpath.join(folder, chosen[0])) if chosen else posixpath.dirname(paths[0])
            below = "" if below == "." else below
            named = self._texts(entry, "env_file") if isinstance(entry, Mapping) else []
            env_files = [posixpath.normpath(posixpath.join(folder, path)) for path in named] or None
            variables = self._shelf.variables(below, environment, env_files)
            found |= self._load(paths, below, variables, above)
            self.included |= set(paths)
        return found

    def _texts(self, node: Node, key: str) -> list[str]:
        """A value, or a list of values, of an entry that may be written as this value alone."""
        value = node.get(key) if isinstance(node, Mapping) else node
        items = value.items if isinstance(value, Sequence) else (value,)
        return [interpolated(item, self._places).value for item in items if isinstance(item, Scalar)]

    def _extended(self, name: str, own: dict[str, _Part], folder: str, above: tuple[tuple[str, str], ...]) -> _Part:
        """A service laid over the one it extends, in this file or another. `folder` is what its paths start from."""
        part = own[name]
        extends = part.node.get("extends")
        if extends is None or part.missing is not None:
            return part
        base = self._base(part, extends, own, folder, above)
        if not isinstance(base, str):
            self._inherited += sum(_length(value) for _, value in base.node.items)
            base = base if self._inherited <= _MOST_INHERITED else "a chain that is too large to be followed"
        if isinstance(base, str):
            return _Part(part.key, alone(part.node), part.layers, base)
        node = _without(laid_over(part.node, _without(base.node, "extends")), "extends")
        return _Part(part.key, node, part.layers, base.missing)

    def _base(
        self, part: _Part, extends: Node, own: dict[str, _Part], folder: str, above: tuple[tuple[str, str], ...]
    ) -> _Part | str:
        """What a service extends, or what is said of it where it cannot be found."""
        named = self._texts(extends, "service")
        file = self._texts(extends, "file") if isinstance(extends, Mapping) else []
        path = posixpath.normpath(posixpath.join(folder, file[0])) if file else part.key.source.path
        name = named[0] if named else ""
        story = f"`{name}`" + (f" of {path}" if file else "")
        if not name or (path, name) in above or len(above) > _DEEPEST:
            return story
        if file and path != part.key.source.path:
            folder = posixpath.dirname(path)
            self._places.setdefault(path, Place(folder, self._places[part.key.source.path].environment))
            own = {key: value for document in self._shelf.of(path) for key, value in self._own(document).items()}
            self.templates.add((path, name))
        return self._extended(name, own, folder, (*above, (path, name))) if name in own else story


def _length(node: Node) -> int:
    return 1 if isinstance(node, Scalar) else 1 + len(node.items)


def _over(upper: _Part, lower: _Part) -> _Part:
    layers = (*lower.layers, *upper.layers)
    return _Part(lower.key, laid_over(upper.node, lower.node), layers, upper.missing or lower.missing)


def _cleaned(part: _Part) -> _Part:
    node = alone(part.node)
    return part if node is part.node else _Part(part.key, node, part.layers, part.missing)


def _without(node: Mapping, key: str) -> Mapping:
    if node.get(key) is None:
        return node
    items = tuple(item for item in node.items if item[0].value != key)
    return Mapping(items, node.source, node.start, node.end, node.flow)
