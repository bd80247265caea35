"""Compose files as services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Map
from types import MappingProxyType

from gracelint.facts.compose import DEFAULT_GRACE, Build, ComposeService
from gracelint.facts.yaml import Document, Mapping, Scalar, Sequence
from gracelint.parse.yaml import passage_of, rewrite
from gracelint.source import Located, Passage, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.yaml import Node

    Part = tuple[int, int, str | None]

NO_VARIABLES: Map[str, str] = MappingProxyType({})
NAN = float("nan")

_NAME = re.compile(r"(?:.*[.-])?(?:docker-)?compose(?:[.-].*)?\.ya?ml\Z", re.IGNORECASE)
_DEVELOPMENT = re.compile(
    r"(?:\A|[-_.])(?:dev|devel|development|debug|local|override|test|tests)(?:\Z|[-_.])", re.IGNORECASE
)


def is_compose(path: str, document: Document) -> bool:
    """Whether a document is a Compose project: by the file's name, or because its services have images or builds."""
    root = document.root
    services = root.mapping("services") if isinstance(root, Mapping) else None
    if services is None or (isinstance(root, Mapping) and root.get("kind")):
        return False
    named = _NAME.match(path.rpartition("/")[2]) is not None
    values = [value for _, value in services.items if isinstance(value, Mapping)]
    return named or any(value.get("image") or value.get("build") for value in values)


def read_compose(document: Document, environment: Map[str, str] = NO_VARIABLES) -> list[ComposeService]:
    """The services a document says enough of: those without an image or build are parts of services elsewhere.

    `environment` holds what `.env` sets. A `${VAR}` that is set nowhere and has no default stays as it is written.
    """
    root = document.root
    services = root.mapping("services") if isinstance(root, Mapping) else None
    found = []
    for key, node in services.items if services else ():
        if isinstance(node, Mapping):
            merged = _extended(node, services, (key.value,))
            if merged is not None and (merged.get("build") or merged.get("image")):
                found.append(_service(document, key, node, merged, environment))
    return found


def _service(
    document: Document, key: Scalar, own: Mapping, node: Mapping, environment: Map[str, str]
) -> ComposeService:
    def text(name: str) -> Word | None:
        scalar = node.scalar(name)
        return _interpolated(scalar, environment) if scalar else None

    pid = text("pid")
    return ComposeService(
        source=document.source,
        name=key.value,
        span=key.span,
        document=document,
        node=own,
        build=_build(node.get("build"), environment),
        image=text("image"),
        command=_command(node.get("command"), environment),
        entrypoint=_command(node.get("entrypoint"), environment),
        init=_init(node.scalar("init"), environment),
        stop_signal=text("stop_signal"),
        grace=_grace(node.scalar("stop_grace_period"), environment),
        environment=_environment(node.get("environment"), environment),
        working_dir=text("working_dir"),
        user=text("user"),
        annotations=_annotations(node),
        pid=pid.value if pid else None,
        development=_for_development(document.source.path, key.value, node),
        mounts=tuple(_mounts(node, environment)),
    )


# `extends`


def _extended(node: Mapping, services: Mapping | None, seen: tuple[str, ...]) -> Mapping | None:
    """A service laid over the one it extends; None where that one cannot be found here."""
    extends = node.get("extends")
    if extends is None or services is None:
        return node
    if isinstance(extends, Mapping):
        if extends.get("file") is not None:
            return None
        extends = extends.get("service")
    if not isinstance(extends, Scalar) or extends.value in seen or len(seen) > 20:
        return None
    base = services.get(extends.value)
    if not isinstance(base, Mapping):
        return None
    below = _extended(base, services, (*seen, extends.value))
    return _laid_over(node, below) if below is not None else None


def _laid_over(node: Mapping, below: Mapping, done: dict[tuple[int, int], Mapping] | None = None) -> Mapping:
    """Mappings merge key by key; all else replaces what lies below it, or is added (Compose merge rules).

    `done` holds what was merged before: aliases may lead to the same mappings very often.
    """
    done = {} if done is None else done
    if (id(node), id(below)) in done:
        return done[id(node), id(below)]
    items: dict[str, tuple[Scalar, Node]] = {key.value: (key, value) for key, value in below.items}
    for key, value in node.items:
        lower = items[key.value][1] if key.value in items else None
        if isinstance(value, Mapping) and isinstance(lower, Mapping):
            value = _laid_over(value, lower, done)
        elif key.value in _ADDED and isinstance(value, Sequence) and isinstance(lower, Sequence):
            value = Sequence((*lower.items, *value.items), value.source, value.start, value.end, value.flow)
        items[key.value] = (key, value)
    merged = Mapping(tuple(items.values()), node.source, node.start, node.end, node.flow)
    done[id(node), id(below)] = merged
    return merged


_ADDED = frozenset(("environment", "labels", "annotations", "volumes", "ports", "expose", "profiles"))


# Values


def _build(node: Node | None, environment: Map[str, str]) -> Build | None:
    if isinstance(node, Scalar):
        return Build(_interpolated(node, environment).value) if node.tag != "null" else None
    if not isinstance(node, Mapping):
        return None

    def text(name: str, default: str) -> str:
        scalar = node.scalar(name)
        return _interpolated(scalar, environment).value if scalar else default

    inline = node.scalar("dockerfile_inline")
    return Build(
        context=text("context", "."),
        dockerfile=text("dockerfile", "Dockerfile"),
        target=text("target", "") or None,
        inline=_interpolated(inline, environment).passage if inline else None,
        arguments={name: word.value for name, word in _pairs(node.get("args"), environment) if word is not None},
    )


def _command(node: Node | None, environment: Map[str, str]) -> tuple[Word, ...] | None:
    """A list as it is; a string split into words. An empty one is not none: it takes the image's away."""
    if isinstance(node, Sequence):
        return tuple(
            _interpolated(item, environment) if isinstance(item, Scalar) else Word("", item.span) for item in node.items
        )
    if not isinstance(node, Scalar) or node.tag == "null":
        return None
    line = _interpolated(node, environment)
    words = _split(line.passage) if line.passage is not None else None
    return (line,) if words is None else words


def _init(scalar: Scalar | None, environment: Map[str, str]) -> Located[bool] | None:
    if scalar is None:
        return None
    text = _interpolated(scalar, environment).value.lower()
    if text in ("true", "yes", "y", "on", "1"):
        return Located(True, scalar.span)
    return Located(False, scalar.span) if text in ("false", "no", "n", "off", "0") else None


_DURATION = re.compile(r"(?:\d{1,12}(?:\.\d{1,12})?(?:us|µs|ms|ns|s|m|h|d|w))+")
_PART = re.compile(r"([\d.]+)([a-zµ]+)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def _grace(scalar: Scalar | None, environment: Map[str, str]) -> Located[float]:
    if scalar is None:
        return Located(DEFAULT_GRACE)
    text = _interpolated(scalar, environment).value.replace(" ", "")
    if text == "0":
        return Located(0.0, scalar.span)
    if not _DURATION.fullmatch(text):
        return Located(NAN, scalar.span)
    return Located(sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text)), scalar.span)


def _environment(node: Node | None, environment: Map[str, str]) -> dict[str, Word | None]:
    return dict(_pairs(node, environment))


def _pairs(node: Node | None, environment: Map[str, str]) -> Iterator[tuple[str, Word | None]]:
    """`KEY: value` or `- KEY=value`; a key alone takes its value from wherever Compose runs."""
    if isinstance(node, Mapping):
        for key, value in node.items:
            known = isinstance(value, Scalar) and value.tag != "null"
            yield key.value, _interpolated(value, environment) if known and isinstance(value, Scalar) else None
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar):
                word = _interpolated(item, environment)
                name, equals, text = word.value.partition("=")
                yield name, Word(text, word.span) if equals else None


def _annotations(node: Mapping) -> dict[str, Word]:
    found = [pair for key in ("labels", "annotations") for pair in _pairs(node.get(key), NO_VARIABLES)]
    return {name: word for name, word in found if word is not None and name.startswith("gracelint/")}


def _for_development(path: str, name: str, node: Mapping) -> bool:
    profiles = [item.value for item in node.sequence("profiles") if isinstance(item, Scalar)]
    names = (path.rpartition("/")[2], name, *profiles)
    return any(_DEVELOPMENT.search(text) for text in names)


def _mounts(node: Mapping, environment: Map[str, str]) -> Iterator[tuple[str, str]]:
    """Bind mounts of a path beside the Compose file; named volumes and paths elsewhere hold nothing of the project."""
    for item in node.sequence("volumes"):
        if isinstance(item, Scalar):
            host, _, rest = _interpolated(item, environment).value.partition(":")
            target = rest.partition(":")[0]
        elif isinstance(item, Mapping) and (kind := item.scalar("type")) and kind.value == "bind":
            outside, inside = item.scalar("source"), item.scalar("target")
            host = _interpolated(outside, environment).value if outside else ""
            target = _interpolated(inside, environment).value if inside else ""
        else:
            continue
        if host.startswith(".") and target.startswith("/"):
            yield host, target


# `$VAR`, `${VAR:-default}` and `$$`


_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<operator>:?[-?+])?)"
)


def _interpolated(scalar: Scalar, environment: Map[str, str]) -> Word:
    passage = passage_of(scalar)
    if "$" not in scalar.value:
        return Word(scalar.value, scalar.span, passage)
    if passage is None:
        return Word(scalar.value, scalar.span)
    text = rewrite(passage, _parts(scalar.value, environment))
    return Word(text.text, scalar.span, text)


def _parts(text: str, environment: Map[str, str]) -> Iterator[Part]:
    offset = 0
    for match in _VARIABLE.finditer(text):
        if match.start() < offset:
            continue
        end = _closing_brace(text, match.end()) if match["braced"] else match.end()
        if end < 0:
            continue
        yield offset, match.start(), None
        yield match.start(), end, _value(match, text[match.end() : end - 1], environment)
        offset = end
    yield offset, len(text), None


def _value(match: re.Match[str], word: str, environment: Map[str, str], depth: int = 0) -> str | None:
    """What a variable stands for; None where nobody says."""
    if match["escaped"]:
        return "$"
    value = environment.get(match["named"] or match["braced"])
    operator = match["operator"] or ""
    if operator.endswith("+"):
        return _text(word, environment, depth) if value or (value is not None and operator == "+") else ""
    if operator.endswith("-") and not value and not (value == "" and operator == "-"):
        return _text(word, environment, depth)
    return value


def _text(word: str, environment: Map[str, str], depth: int) -> str | None:
    """A default, which may hold variables itself."""
    if "$" not in word or depth > 10:
        return word
    pieces: list[str] = []
    offset = 0
    for match in _VARIABLE.finditer(word):
        if match.start() < offset:
            continue
        end = _closing_brace(word, match.end()) if match["braced"] else match.end()
        value = _value(match, word[match.end() : end - 1], environment, depth + 1) if end > 0 else None
        if value is None:
            return None
        pieces += [word[offset : match.start()], value]
        offset = end
    return "".join((*pieces, word[offset:]))


def _closing_brace(text: str, start: int) -> int:
    """Where the `}` after a name ends, nested `${…}` skipped; -1 without one."""
    depth = 1
    for match in re.compile(r"\$\{|\}").finditer(text, start):
        depth += 1 if match[0] == "${" else -1
        if depth == 0:
            return match.end()
    return -1


# Words of a string


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |'(?P<single>[^']*)'
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |(?P<escape>\\.)
    |(?P<verbatim>`(?:[^`\\]|\\.)*`|\$\((?:[^()\\]|\\.)*\))
    |(?P<stop>[;&|<>])
    |(?P<text>(?:[^\s'"`\\;&|<>()$]|\$(?!\()|[^\S \t\r\n])+)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _split(line: Passage) -> tuple[Word, ...] | None:
    """Splits as Compose does (go-shellwords): quotes and backslashes, and an end at any of `; & | < >`.

    None where Compose refuses the text.
    """
    words: list[Word] = []
    parts: list[Part] = []
    start = offset = 0
    while offset < len(line.text):
        token = _TOKEN.match(line.text, offset)
        if token is None:
            return None
        kind = token.lastgroup
        if kind in ("space", "stop"):
            descriptor = token[0] == ">" and line.text[start:offset].isdigit()
            if offset > start and not descriptor:
                words.append(_joined(line, start, offset, parts))
            if kind == "stop":
                return tuple(words)
            start, parts = token.end(), []
        elif kind in ("double", "escape"):
            parts += _unescaped(line.text, *token.span(kind))
        elif kind is not None:
            parts.append((*token.span(kind), None))
        offset = token.end()
    if offset > start:
        words.append(_joined(line, start, offset, parts))
    return tuple(words)


def _joined(line: Passage, start: int, end: int, parts: list[Part]) -> Word:
    passage = rewrite(line, parts)
    return Word(passage.text, line.span(start, end), passage)


def _unescaped(text: str, start: int, end: int) -> Iterator[Part]:
    for match in _ESCAPE.finditer(text, start, end):
        yield start, match.start(), None
        yield *match.span(), {"t": "\t", "n": "\n"}.get(match[1], match[1])
        start = match.end()
    yield start, end, None
