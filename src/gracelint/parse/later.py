"""ConfigMaps, of which most matter to nobody: one is parsed when a manifest that mounts ConfigMaps has its name.

What is compared are the names in the texts: all that may be one, so that nothing is missed.
"""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gracelint.facts.yaml import Document
    from gracelint.source import Source

_NAME = pattern(r"""\b(?:name|generateName)["']?\s*:(?:\s+|(?=["']))["']?([^\s"',}]*)""")
_ODD = pattern(r"""(?m)<<|^[ \t]*\?\s|[&*]\w|!!|\bname["']?\s*:\s*(?:[|>!{\[#]|["'][^"'\n]*\\|["']?\{\{)""")
"""Where a name may be written in other ways, or come from elsewhere in the document."""


class Later(Record, identity=True):
    """A document that is not parsed yet."""

    source: Source
    start: int
    end: int

    def may_be_among(self, names: frozenset[str] | None) -> bool:
        """Whether it may have one of the names; None stands for all."""
        if names is None:
            return True
        own = self.names() if names else frozenset()
        return own is None or not names.isdisjoint(own)

    def names(self) -> frozenset[str] | None:
        """Names among which is its own; None where it cannot be told without parsing it."""
        return _names(self.source.text[self.start : self.end])

    def read(self) -> list[Document]:
        try:
            return read_part(self.source, self.start, self.end)
        except (ParseError, TemplatedError):
            return []


def mounted(documents: Iterable[Document]) -> frozenset[str] | None:
    """Names among which are those of all ConfigMaps that the documents mount; None where they cannot be told."""
    return named(documents, "configMap")


def named(documents: Iterable[Document], by: str = "ConfigMap") -> frozenset[str] | None:
    """The same of those that they name at all, with a word that they do it by."""
    found: set[str] = set()
    for source in {id(document.source): document.source for document in documents}.values():
        text = source.text
        if by not in text and "\\" not in text:
            continue
        names = _names(text)
        if names is None:
            return None
        found |= names
    return frozenset(found)


def _names(text: str) -> frozenset[str] | None:
    return None if _ODD.search(text) else frozenset(_NAME.findall(text))
