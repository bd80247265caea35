"""One service of a Compose project, its definitions already merged."""

from __future__ import annotations

import posixpath

from gracelint.base.limits import VARIABLES
from gracelint.base.patterns import pattern
from gracelint.facts.compose import DEFAULT_GRACE, Build, ComposeService
from gracelint.facts.yaml import Document, Mapping, Scalar, Sequence
from gracelint.parse.compose.merge import RESET
from gracelint.parse.compose.variables import Places, interpolated, read_variables
from gracelint.parse.compose.words import split
from gracelint.parse.expansion import OTHER_VARIABLES
from gracelint.source import Located, Word
from gracelint.tree.purpose import is_for_development

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Map

    from gracelint.facts.files import Files
    from gracelint.facts.yaml import Node
    from gracelint.source import Source

NAN = float("nan")

_DEVELOPMENT = pattern(r"(?i)(?:\A|[-_.])(?:dev|devel|development|debug|local|override|tests?|mocks?)(?:\Z|[-_.])")
STARTS = ("command", "entrypoint", "build", "image")
"""Keys by which a file says what is started."""


def service_of(
    key: Scalar,
    node: Mapping,
    layers: tuple[tuple[Document, Mapping], ...],
    places: Places,
    files: EnvFiles | None = None,
    missing: str | None = None,
) -> ComposeService:
    """What a merged definition says. `files` holds those of `env_file`."""

    def text(name: str) -> Word | None:
        scalar = node.scalar(name)
        return interpolated(scalar, places) if scalar else None

    pid = text("pid")
    document, own = next(layer for layer in layers if layer[0].source is key.source)
    return ComposeService(
        source=key.source,
        name=key.value,
        span=key.span,
        document=document,
        node=own,
        build=_build(node.get("build"), places),
        image=text("image"),
        command=_command(node.get("command"), places),
        entrypoint=_command(node.get("entrypoint"), places),
        init=_init(node.scalar("init"), places),
        stop_signal=text("stop_signal"),
        grace=_grace(node.scalar("stop_grace_period"), places),
        environment=_environment(node, places, files),
        working_dir=text("working_dir"),
        user=text("user"),
        annotations=_annotations(node, places),
        pid=pid.value if pid else None,
        development=_for_development(key.value, node, layers),
        mounts=tuple(_mounts(node, places)),
        layers=layers,
        missing=missing,
    )


def _build(node: Node | None, places: Places) -> Build | None:
    if isinstance(node, Scalar):
        return Build(_path(node, places)) if not node.is_null else None
    if not isinstance(node, Mapping):
        return None

    def text(name: str, default: str) -> str:
        scalar = node.scalar(name)
        return interpolated(scalar, places).value if scalar else default

    inline, context = node.scalar("dockerfile_inline"), node.scalar("context")
    return Build(
        context=_path(context, places) if context else _resolved(".", node.source.path, places),
        dockerfile=text("dockerfile", "Dockerfile"),
        target=text("target", "") or None,
        inline=interpolated(inline, places).passage if inline else None,
        arguments=_texts(node.get("args"), places),
        contexts=_texts(node.get("additional_contexts"), places),
    )


def _texts(node: Node | None, places: Places) -> dict[str, str]:
    return {name: word.value for name, word in _pairs(node, places).items() if word is not None}


def _path(scalar: Scalar, places: Places) -> str:
    return _resolved(interpolated(scalar, places).value, scalar.source.path, places)


def _resolved(path: str, file: str, places: Places) -> str:
    """A path that a file gives, from the project's root; a URL as it is."""
    if "://" in path or path.startswith("git@"):
        return path
    return posixpath.normpath(posixpath.join(places[file].folder, path))


def _command(node: Node | None, places: Places) -> tuple[Word, ...] | None:
    """A list as it is; a string split into words. An empty one is not none: it takes the image's away."""
    if isinstance(node, Sequence):
        return tuple(
            interpolated(item, places) if isinstance(item, Scalar) else Word("", item.span) for item in node.items
        )
    if not isinstance(node, Scalar) or node.is_null:
        return None
    line = interpolated(node, places)
    words = split(line.passage) if line.passage is not None else None
    return (line,) if words is None else words


def _init(scalar: Scalar | None, places: Places) -> Located[bool] | None:
    if scalar is None:
        return None
    text = interpolated(scalar, places).value.lower()
    if text in ("true", "yes", "y", "on", "1"):
        return Located(True, scalar.span)
    return Located(False, scalar.span) if text in ("false", "no", "n", "off", "0") else None


_DURATION = pattern(r"(?:(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(?:us|µs|ms|ns|s|m|h|d|w))+")
_PART = pattern(r"(?<![0-9.])([0-9.]+)([a-zµ]+)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def _grace(scalar: Scalar | None, places: Places) -> Located[float]:
    if scalar is None:
        return Located(DEFAULT_GRACE)
    text = interpolated(scalar, places).value
    if text == "0":
        return Located(0.0, scalar.span)
    if not _DURATION.fullmatch(text):
        return Located(NAN, scalar.span)
    return Located(sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text)), scalar.span)


def _environment(node: Mapping, places: Places, files: EnvFiles | None) -> dict[str, Word | None]:
    """What `environment` sets, over what the files of `env_file` set."""
    own = {
        name: word if word is not None else _inherited(name, node, places)
        for name, word in _pairs(node.get("environment"), places).items()
    }
    own = {name: word for name, word in own.items() if not _is_left_to_the_caller(name, word)}
    found: dict[str, Word | None] = {}
    for file, raw in _env_files(node.get("env_file")):
        source = files.read(_path(file, places)) if files is not None else None
        if source is None:
            found[OTHER_VARIABLES] = None
            continue
        before = places[file.source.path].environment

        def known(name: str, before: Map[str, str] = before) -> str | None:
            word = own.get(name) or found.get(name)
            return before.get(name, word.value if word else None)

        for name, value in read_variables(source.text, known, raw).items():
            found[name] = Word(value, file.span)
    return {**found, **own}


_OPTIONS = ("OPT", "ARG", "FLAG")


def _is_left_to_the_caller(name: str, word: Word | None) -> bool:
    """Options that are only passed on from where Compose runs, as `docker run -e` may pass some to any image."""
    passed_on = word is None or word.value in (f"${name}", f"${{{name}}}")
    return passed_on and any(part in name for part in _OPTIONS)


class EnvFiles:
    """The `env_file`s of one project: the services that come first read theirs, as far as all of it can be followed."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._left = VARIABLES

    def read(self, path: str) -> Source | None:
        source = self._files.read(path)
        self._left -= len(source.text) if source is not None else 0
        return source if self._left >= 0 else None


def _env_files(node: Node | None) -> Iterator[tuple[Scalar, bool]]:
    """The paths of `env_file`, and whether their values are taken as they are."""
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Mapping) and (path := item.scalar("path")):
            form = item.scalar("format")
            yield path, form is not None and form.value == "raw"
        elif isinstance(item, Scalar) and not item.is_null:
            yield item, False


def _inherited(name: str, node: Mapping, places: Places) -> Word | None:
    """A variable that takes its value from wherever Compose runs: from `.env`, as far as the files tell."""
    at = node.get("environment") or node
    value = places[at.source.path].environment.get(name)
    return None if value is None else Word(value, at.span)


def _pairs(node: Node | None, places: Places) -> dict[str, Word | None]:
    """`KEY: value` or `- KEY=value`, the last of a name counts; None for a key alone."""
    found: dict[str, Word | None] = {}
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Mapping):
            for key, value in item.items:
                if value.explicit_tag == RESET:
                    found.pop(key.value, None)
                    continue
                known = isinstance(value, Scalar) and not value.is_null
                found[key.value] = interpolated(value, places) if known and isinstance(value, Scalar) else None
        elif isinstance(item, Scalar) and not item.is_null:
            word = interpolated(item, places)
            name, equals, text = word.value.partition("=")
            found[name] = Word(text, word.span) if equals else None
    return found


def _annotations(node: Mapping, places: Places) -> dict[str, Word]:
    found = [pair for key in ("labels", "annotations") for pair in _pairs(node.get(key), places).items()]
    return {name: word for name, word in found if word is not None and name.startswith("gracelint/")}


def _for_development(name: str, node: Mapping, layers: tuple[tuple[Document, Mapping], ...]) -> bool:
    """Whether names say so: the service's, its profiles', or those of the files that say what it starts."""
    profiles = [item.value for item in node.sequence("profiles") if isinstance(item, Scalar)]
    paths = [
        document.source.path
        for number, (document, own) in enumerate(layers)
        if not number or any(own.get(key) for key in STARTS)
    ]
    names = (*(path.rpartition("/")[2] for path in paths), name, *profiles)
    return any(map(_DEVELOPMENT.search, names)) or any(map(is_for_development, paths))


def _mounts(node: Mapping, places: Places) -> Iterator[tuple[str, str]]:
    """Bind mounts of a path beside the Compose file; named volumes and paths elsewhere hold nothing of the project.

    Of two on one path in the container, the last counts.
    """
    found: dict[str, str | None] = {}
    for item in node.sequence("volumes"):
        if isinstance(item, Scalar):
            host, _, rest = interpolated(item, places).value.partition(":")
            target = rest.partition(":")[0]
        elif isinstance(item, Mapping):
            kind, outside, inside = item.scalar("type"), item.scalar("source"), item.scalar("target")
            host = interpolated(outside, places).value if outside and kind and kind.value == "bind" else ""
            target = interpolated(inside, places).value if inside else ""
        else:
            continue
        if target.startswith("/"):
            found[target] = _resolved(host, item.source.path, places) if host.startswith(".") else None
    yield from ((host, target) for target, host in found.items() if host is not None)
