"""Trees of YAML that are let go as soon as they have said what they say, and read again when somebody asks for more.

A tree takes ten times the room of its text. Facts hold a few mappings of it; these stay, without their entries.
"""

from __future__ import annotations

from gracelint.facts.yaml import Mapping
from gracelint.parse.yaml import read_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Mapping as Map
    from typing import Any

    from gracelint.facts.yaml import Document, Entries
    from gracelint.parse.kubernetes import Objects
    from gracelint.source import Source

ROOM = 300_000
"""Code points of the documents that are unfolded at once."""


def fold(document: Document, held: Iterable[Mapping]) -> None:
    """Lets go of all below the mappings of a document that somebody holds.

    Where nodes are shared it stays: they are known by what they are.
    """
    root = document.root
    if isinstance(root, Mapping) and document.part is not None and not document.shared:
        _Fold(document.source, *document.part, {mapping.start: mapping for mapping in (root, *held)}).close()


def drawn(documents: Iterable[Document], kinds: Map[str, Map[str, Any]]) -> dict[int, Objects]:
    """What documents say, by `id()`. Their trees are let go."""
    from gracelint.parse.kubernetes import objects_of

    found: dict[int, Objects] = {}
    for document in documents:
        said = found[id(document)] = objects_of(document, kinds)
        if not any(workload.misplaced for workload in said.workloads):
            fold(document, mappings_of(said))
    return found


def mappings_of(objects: Objects) -> Iterator[Mapping]:
    """The parts of a document's tree that its objects hold."""
    for workload in objects.workloads:
        yield from (workload.node, workload.pod)
        for one in workload.containers:
            yield one.node
            for held in (one.readiness, one.liveness, one.startup, one.pre_stop):
                if held is not None:
                    yield held.node
    yield from (item.node for kind, item in objects.others if kind == "ConfigMap")


class _Fold:
    """One document. It is read again as a whole."""

    __slots__ = ("_end", "_held", "_source", "_start")

    def __init__(self, source: Source, start: int, end: int, held: dict[int, Mapping]) -> None:
        self._source, self._start, self._end, self._held = source, start, end, tuple(held.values())

    def of(self, mapping: Mapping) -> Entries:
        held = {one.start: one for one in self._held}
        # Of keys that are set twice the last one holds: where that was an error, there is no tree.
        read_part(self._source, self._start, self._end, last_wins=True, held=held)
        _open.add(self)
        entries = mapping.entries
        assert isinstance(entries, tuple)
        return entries

    @property
    def length(self) -> int:
        return self._end - self._start

    def close(self) -> None:
        for mapping in self._held:
            mapping.fill(self)


class _Unfolded:
    """The documents that are unfolded, the oldest first; those are closed for which there is no room."""

    __slots__ = ("_documents", "_length")

    def __init__(self) -> None:
        self._documents: dict[_Fold, None] = {}
        self._length = 0

    def add(self, document: _Fold) -> None:
        self._documents[document] = None
        self._length += document.length
        while self._length > ROOM and len(self._documents) > 1:
            oldest = next(iter(self._documents))
            del self._documents[oldest]
            self._length -= oldest.length
            oldest.close()


_open = _Unfolded()
