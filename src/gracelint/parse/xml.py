"""XML as build files have it: elements with their text, their children and their places."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.parse.errors import ParseError, TooLargeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.source import Source, Span

_LARGEST = 2_000_000
"""Characters of a file."""
_DEEPEST = 100


class Element(Record, identity=True):
    """`name` is without its namespace; `text` is what stands between its tags outside of its children, trimmed."""

    name: str
    attributes: dict[str, str]
    text: str
    children: tuple[Element, ...]
    span: Span
    """The element from its first tag to the last."""

    def all(self, *path: str) -> Iterator[Element]:
        """The elements at a path below this one."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.all(*path[1:])

    def first(self, *path: str) -> Element | None:
        return next(self.all(*path), None)

    def value(self, *path: str) -> str:
        """The text of the first element at a path; empty where there is none."""
        found = self.first(*path)
        return found.text if found is not None else ""


class _Open:
    """An element whose end is not read yet."""

    __slots__ = ("attributes", "children", "name", "start", "texts")

    def __init__(self, name: str, attributes: dict[str, str], start: int) -> None:
        self.name, self.attributes, self.start = name, attributes, start
        self.texts: list[str] = []
        self.children: list[Element] = []


def read_xml(source: Source) -> Element:
    """The root element.

    Raises ParseError where the text is no XML, or declares entities: those can grow without end.
    """
    from xml.parsers.expat import ExpatError, ParserCreate

    whole = source.span(0, len(source.text))
    if len(source.text) > _LARGEST:
        raise TooLargeError("too large", whole)
    data = source.text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")
    shift = len(source.text) - len(source.text.removeprefix("\ufeff"))
    plain = len(data) == len(source.text) - shift
    parser = ParserCreate("utf-8", namespace_separator=" ")
    waiting: list[_Open] = []
    roots: list[Element] = []

    before = [0, 0]
    """Bytes so far, and the code points they are: places come in order."""

    def offset() -> int:
        index: int = parser.CurrentByteIndex
        if plain:
            return shift + index
        if index > before[0]:
            before[1] += len(data[before[0] : index].decode("utf-8", "surrogatepass"))
            before[0] = index
        return shift + before[1]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(waiting) >= _DEEPEST:
            raise TooLargeError("too deep", whole)
        waiting.append(_Open(name.rpartition(" ")[2], attributes, offset()))

    def end(_: str) -> None:
        done = waiting.pop()
        close = source.text.find(">", offset())
        span = source.span(done.start, close + 1 if close >= 0 else len(source.text))
        text = "".join(done.texts).strip()
        element = Element(done.name, done.attributes, text, tuple(done.children), span)
        (waiting[-1].children if waiting else roots).append(element)

    def characters(text: str) -> None:
        if waiting:
            waiting[-1].texts.append(text)

    def entity(*_: object) -> None:
        raise TooLargeError("declares entities", whole)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = characters, entity
    try:
        parser.Parse(data, True)
    except (ExpatError, ValueError) as error:
        raise ParseError("no valid XML", whole) from error
    if not roots:
        raise ParseError("no valid XML", whole)
    return roots[0]
