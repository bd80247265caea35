"""The properties of JVM frameworks: application files with their profiles, environment, system properties, arguments.

Names are compared as the frameworks bind them, without case, dots, dashes and underscores: `server.shutdown` is set by
`SERVER_SHUTDOWN`, too (Spring Boot: relaxed binding; MicroProfile Config: environment mapping).
"""

from __future__ import annotations

import re

from gracelint.base.record import Record
from gracelint.source import Located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gracelint.source import Source

    Values = dict[str, Located[str | None]]

_PLACEHOLDER = re.compile(r"\$\{([^${}:]+)(?::([^${}]*))?\}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)", re.S)
_LINE = re.compile(r"[ \t\f]*(?![#!\s])((?:\\.|[^\s=:\\])+)[ \t\f]*[=: ]?[ \t\f]*((?:[^\\\r\n]|\\\r?\n|\\.)*)")
_MOST = 2_000
"""Values of one file."""


class Properties(Record, identity=True):
    """`values` by plain name; a value of None is set to something that is not known here."""

    values: Mapping[str, Located[str | None]]
    unread: str | None = None
    """Why values that are not here may be set all the same."""
    remote: str | None = None
    """As `unread`, by a server of configurations that it asks."""

    def get(self, name: str) -> Located[str | None] | None:
        return self.values.get(plain(name))


class _Part(Record, identity=True):
    """What holds under a condition: the profile expression of a document, else ""."""

    condition: str
    values: Mapping[str, Located[str | None]]


def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read_properties(
    files: Iterable[Source],
    *,
    profiles: str,
    env: Mapping[str, str | None],
    system: Mapping[str, Located[str | None]],
    arguments: Mapping[str, Located[str | None]],
) -> Properties:
    """What holds of application files, the strongest last, and of what is stronger than they are.

    `profiles` is the framework's way: "spring" (documents and files for a profile) or "quarkus" (`%prod.` in front).
    """
    environment = {plain(key): Located(value) for key, value in env.items()}
    given = {plain(key): value for key, value in (*system.items(), *arguments.items())}
    above: Values = {**environment, **given}
    parts: list[tuple[str, _Part]] = []
    unread = None
    for source in files:
        found = _read(source)
        if found is None:
            unread = unread or f"{source.path} cannot be read"
        parts += [(_profile_of(source.path), part) for part in found or ()]
    plain_parts = [part for named, part in parts if not named and not part.condition]
    base: Values = {}
    for part in plain_parts:
        base |= part.values
    active, unsure = _active(profiles, base, above)
    values = _of_profiles(parts, active) if profiles == "spring" else _with_prefix(base, active)
    values |= above
    if unsure:
        unread = unread or unsure
    resolved = {key: Located(_resolved(value.value, values), value.span) for key, value in values.items()}
    remote = "its configuration server may set what its files do not" if _is_imported(values) else None
    return Properties(resolved, unread, remote)


def _active(profiles: str, base: Values, above: Values) -> tuple[list[str], str | None]:
    """The profiles that are active, the strongest last; and why there may be others."""
    name = "springprofilesactive" if profiles == "spring" else "quarkusprofile"
    given = above.get(name) or base.get(name)
    if given is None:
        return (["default"] if profiles == "spring" else ["prod"]), None
    value = _resolved(given.value, {**base, **above})
    if value is None or "$" in value or "@" in value:
        return [], "which profile is active is only known when it runs"
    return [part.strip() for part in value.split(",") if part.strip()], None


def _of_profiles(parts: list[tuple[str, _Part]], active: list[str]) -> Values:
    values: Values = {}
    for named, part in parts:
        if not named and (not part.condition or _holds(part.condition, active)):
            values |= part.values
    for profile in active:
        for named, part in parts:
            if named == profile and (not part.condition or _holds(part.condition, active)):
                values |= part.values
    return values


def _with_prefix(base: Values, active: list[str]) -> Values:
    """Quarkus' values: `%prod.quarkus.shutdown.timeout` holds in that profile alone."""
    values = {key: value for key, value in base.items() if not key.startswith("%")}
    for profile in active:
        prefix = f"%{plain(profile)}."
        values |= {key[len(prefix) :]: value for key, value in base.items() if key.startswith(prefix)}
    return values


def _holds(condition: str, active: list[str]) -> bool:
    """Whether a profile expression such as `prod | staging` or `!dev` holds."""
    return any(
        all(
            (part.strip(" ()").lstrip("!") in active and "!" not in part) or _is_not(part, active)
            for part in one.split("&")
        )
        for one in re.split(r"[|,]", condition)
    )


def _is_not(part: str, active: list[str]) -> bool:
    name = part.strip(" ()")
    return name.startswith("!") and name[1:].strip() not in active


def _profile_of(path: str) -> str:
    """The profile that a file is for: `application-prod.yml`."""
    name = path.rpartition("/")[2].rpartition(".")[0]
    return name.partition("-")[2]


def _is_imported(values: Values) -> bool:
    """Whether a server of configurations is asked."""
    found = values.get("springconfigimport")
    text = found.value or "" if found is not None else ""
    return any(f"{kind}:" in text for kind in ("configserver", "vault", "consul", "zookeeper"))


def _resolved(value: str | None, values: Mapping[str, Located[str | None]], depth: int = 0) -> str | None:
    """A value with placeholders put in; None where one is not known."""
    if value is None or "${" not in value:
        return value
    if depth > 5 or len(value) > _MOST:
        return None
    unknown = False

    def put(match: re.Match[str]) -> str:
        nonlocal unknown
        found = values.get(plain(match[1]))
        text = found.value if found is not None else match[2]
        unknown = unknown or text is None
        return text or ""

    text = _PLACEHOLDER.sub(put, value)
    return None if unknown or text == value else _resolved(text, values, depth + 1)


# Files


def _read(source: Source) -> list[_Part] | None:
    return list(_lines(source)) if source.path.endswith(".properties") else _yaml(source)


def _lines(source: Source) -> Iterator[_Part]:
    """The documents of a .properties file: `#---` and `!---` are between them."""
    values: Values = {}
    for match in re.finditer(r"^[#!]---[ \t]*$|^" + _LINE.pattern, source.text, re.M):
        if match[1] is None:
            yield _part(values)
            values = {}
            continue
        if len(values) < _MOST:
            text = _ESCAPE.sub(_unescaped, match[2].replace("\\\r\n", "").replace("\\\n", "")).strip()
            values[_key(match[1])] = Located(text, source.span(*match.span()))
    yield _part(values)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]


def _key(name: str) -> str:
    """The plain name; Quarkus' profile stays in front of it."""
    if name.startswith(("%", '"%')):
        profile, _, rest = name.strip('"').lstrip("%").partition(".")
        return f"%{plain(profile)}.{plain(rest)}"
    return plain(name)


def _part(values: Values) -> _Part:
    condition = values.get("springconfigactivateonprofile") or values.get("springprofiles")
    return _Part((condition.value or "") if condition is not None else "", values)


def _yaml(source: Source) -> list[_Part] | None:
    from gracelint.parse.errors import ParseError, TemplatedError
    from gracelint.parse.yaml import read_documents

    try:
        documents = read_documents(source)
    except (ParseError, TemplatedError):
        return None
    return [_part(_flat(document.root)) for document in documents]


def _flat(root: object) -> Values:
    """Scalars by their path. What aliases repeat is read once: it may be exponential."""
    from gracelint.facts.yaml import Mapping as Node
    from gracelint.facts.yaml import Scalar, Sequence

    values: Values = {}
    waiting = [("", root)]
    seen = set()
    while waiting and len(values) < _MOST:
        path, node = waiting.pop()
        if isinstance(node, Scalar):
            values.setdefault(_key(path), Located(node.value, node.span))
        elif isinstance(node, Sequence):
            texts = [item.value for item in node.items if isinstance(item, Scalar)]
            if texts:
                values.setdefault(_key(path), Located(",".join(texts), node.span))
        elif isinstance(node, Node) and id(node) not in seen:
            seen.add(id(node))
            waiting += [(f"{path}.{key.value}".lstrip("."), value) for key, value in node.items]
    return values
