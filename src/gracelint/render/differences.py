"""In what two manifests differ."""

from __future__ import annotations

from gracelint.facts.yaml import Mapping, Scalar, Sequence
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.render.values import value_of
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.yaml import Node

MANY = 1_000_000
"""More than any two manifests differ in: they do not hold the same documents."""


def count(one: Source, other: Source) -> int:
    """In how many places two streams differ; what is there in one alone is one place, however much it holds."""
    try:
        old, new = read_documents(one), read_documents(other)
    except (ParseError, TemplatedError):
        return MANY
    if len(old) != len(new):
        return MANY
    return sum(1 for a, b in zip(old, new, strict=True) for _ in unlike(a.root, b.root, ""))


def unlike(one: Node, other: Node, path: str) -> Iterator[str]:
    """A line for each difference, below a path such as `.spec.replicas`."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        values = {key.value: value for key, value in other.items}
        for key, value in one.items:
            if key.value not in values:
                yield f"{path}.{key.value}: only in ours"
            else:
                yield from unlike(value, values.pop(key.value), f"{path}.{key.value}")
        yield from (f"{path}.{name}: only in theirs" for name in values)
    elif isinstance(one, Sequence) and isinstance(other, Sequence):
        if len(one.items) != len(other.items):
            yield f"{path}: {len(one.items)} items, theirs {len(other.items)}"
        for index, (a, b) in enumerate(zip(one.items, other.items)):  # noqa: B905 (a difference was told)
            yield from unlike(a, b, f"{path}[{index}]")
    elif isinstance(one, Scalar) and isinstance(other, Scalar):
        if (one.value, one.tag == "str") != (other.value, other.tag == "str") and not _are_one_number(one, other):
            yield f"{path}: {one.value!r}, theirs {other.value!r}"
    else:
        yield f"{path}: not of the same type"


def _are_one_number(one: Scalar, other: Scalar) -> bool:
    """Whether both are the same number: 0755 and 493."""
    return {one.tag, other.tag} <= {"int", "float"} and bool(value_of(one) == value_of(other))
