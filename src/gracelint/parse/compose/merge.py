"""How Compose lays one definition of a service over another, key by key.

Nodes keep their places, so that each fact of the merged service stands where a person wrote it.
"""

from __future__ import annotations

from gracelint.base.memory import lru_cache
from gracelint.facts.yaml import Mapping, Scalar, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.yaml import Node

RESET, OVERRIDE = "!reset", "!override"

_REPLACED = frozenset(("command", "entrypoint", "healthcheck.test"))
"""Lists that are not added to what lies below them."""
_COLLECTED = frozenset(
    (
        *("annotations", "environment", "labels", "env_file", "label_file", "dns", "dns_opt", "dns_search", "sysctls"),
        *("tmpfs", "extra_hosts", "build.args", "build.labels", "build.additional_contexts", "build.extra_hosts"),
        "deploy.labels",
    )
)
"""Written as a list, a mapping or one value: all their entries count, and of two with one name the upper."""

_Done = dict[tuple[int, int, str], Mapping]


def laid_over(upper: Mapping, lower: Mapping) -> Mapping:
    """One definition of a service over another, `!reset` and `!override` carried out."""
    return _mapping(upper, lower, "", {})


def alone(node: Mapping) -> Mapping:
    """A definition with nothing below it: what it resets is not there."""
    if not _resets(node.source.text):
        return node
    return laid_over(node, Mapping((), node.source, node.start, node.end))


@lru_cache(8)
def _resets(text: str) -> bool:
    """Whether anything in a file is reset; each of its services asks."""
    return RESET in text


def _mapping(upper: Mapping, lower: Mapping, path: str, done: _Done) -> Mapping:
    """`done` holds what was merged before: aliases may lead to the same mappings very often."""
    if (id(upper), id(lower), path) in done:
        return done[id(upper), id(lower), path]
    items: dict[str, tuple[Scalar, Node]] = {key.value: (key, value) for key, value in lower.items}
    for key, value in upper.items:
        below = items.get(key.value)
        merged = _merged(value, below[1] if below else None, f"{path}.{key.value}" if path else key.value, done)
        if merged is None:
            items.pop(key.value, None)
        else:
            items[key.value] = below if below is not None and merged is below[1] else (key, merged)
    found = Mapping(tuple(items.values()), upper.source, upper.start, upper.end, upper.flow)
    done[id(upper), id(lower), path] = found
    return found


def _merged(upper: Node, lower: Node | None, path: str, done: _Done) -> Node | None:
    """What a key has; None where it is gone."""
    if upper.explicit_tag == RESET:
        return None
    if upper.explicit_tag == OVERRIDE or path in _REPLACED:
        return upper
    if lower is None:
        resets = isinstance(upper, Mapping) and path not in _COLLECTED and _resets(upper.source.text)
        return _mapping(upper, _nothing(upper), path, done) if resets else upper  # type: ignore[arg-type]
    if path == "build":
        upper, lower = _build(upper), _build(lower)
    if path in _COLLECTED:
        return Sequence((*_entries(lower), *_entries(upper)), upper.source, upper.start, upper.end)
    if isinstance(upper, Mapping) and isinstance(lower, Mapping):
        return _mapping(upper, lower, path, done)
    if isinstance(upper, Sequence) and isinstance(lower, Sequence):
        return Sequence((*lower.items, *upper.items), upper.source, upper.start, upper.end, upper.flow)
    return lower if isinstance(upper, Scalar) and upper.is_null else upper


def _nothing(node: Node) -> Mapping:
    return Mapping((), node.source, node.start, node.end)


def _build(node: Node) -> Node:
    """`build: folder` as the mapping it stands for."""
    if not isinstance(node, Scalar) or node.is_null:
        return node
    key = Scalar("context", node.source, node.start, 0)
    return Mapping(((key, node),), node.source, node.start, node.end)


def _entries(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Sequence):
        return node.items
    return () if isinstance(node, Scalar) and node.is_null else (node,)
