"""YAML and JSON text as trees of placed nodes, by the C core of ruamel.yaml.

A file is split into its documents before any of it is parsed: those of a kind that cannot matter are never parsed, and
one that is broken hides no other.
"""

from __future__ import annotations

from types import MappingProxyType

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.base.record import Record, replace
from gracelint.facts.yaml import Document, Mapping, Scalar, Sequence
from gracelint.knowledge import table
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Map
    from typing import Any

    from gracelint.facts.yaml import Node

MAX_DEPTH = 200
MAX_MERGED = 100_000
"""Entries that merge keys may add to one document: chained merges grow with the square of the text."""
MAX_ALIASED = 400_000
"""Nodes that aliases may stand for in one document. Kubernetes and Compose (go-yaml) refuse not much more."""

NO_KINDS: Map[str, Map[str, Any]] = MappingProxyType({})
NOT_HELD: Map[int, Mapping] = MappingProxyType({})


class Stream(Record):
    """What one file holds: its documents, and what is wrong with the others."""

    documents: tuple[Document, ...]
    problems: tuple[ParseError | TemplatedError, ...] = ()
    later: tuple[tuple[int, int, int], ...] = ()
    """ConfigMaps, not parsed: how many documents stand before, and from where to where."""


def may_matter(text: str) -> bool:
    """Whether a file can hold a Kubernetes object or a Compose project at all: a test before anything is read."""
    return "kind" in text or "services" in text or "include:" in text


def holds_objects(text: str) -> bool:
    """Whether all that a file says it says to Kubernetes: each of its documents names a version and a kind."""
    chunks = [chunk for chunk in _chunks(text) if _CONTENT.search(text, *chunk)]
    return bool(chunks) and all(_TOP_KIND.search(text, *chunk) and _VERSION.search(text, *chunk) for chunk in chunks)


def read_stream(source: Source, kinds: Map[str, Map[str, Any]] = NO_KINDS, *, whole: bool = True) -> Stream:
    """The documents that can matter: Compose projects, and objects of the kinds in `knowledge/workloads.toml`.

    `kinds` are the user's own rows of that table. Not `whole`: ConfigMaps are left for later.
    """
    documents: list[Document] = []
    problems: list[ParseError | TemplatedError] = []
    later: list[tuple[int, int, int]] = []
    for start, end in _chunks(source.text):
        if not _relevant(source, start, end, kinds):
            continue
        if not whole and _is_config_map(source, start, end, kinds):
            later.append((len(documents), start, end))
            continue
        try:
            documents.extend(read_part(source, start, end, last_wins=source.map is not None))
        except ParseError as error:
            if not _is_minor(source, start, end):
                problems.append(error)
        except TemplatedError as error:
            if _is_minor(source, start, end):
                continue
            # Actions reach over documents (`{{ if }}` … `{{ end }}`): none of the file is what it seems.
            first = _action(source.text, 0, len(source.text))
            return Stream((), (TemplatedError(source.span(*first)) if first else error,))
    return Stream(tuple(documents), tuple(problems), tuple(later))


def length_read(text: str, kinds: Map[str, Map[str, Any]]) -> int:
    """Code points of the documents that `read_stream` parses."""
    source = Source("", text)
    return sum(end - start for start, end in _chunks(text) if _relevant(source, start, end, kinds))


def read_documents(source: Source, last_wins: bool = False) -> list[Document]:
    """All documents, whatever they say; a key that is set twice is an error, or the last one holds.

    Raises ParseError or TemplatedError for the first document that cannot be read.
    """
    return list(each_document(source, last_wins))


def each_document(source: Source, last_wins: bool = False) -> Iterator[Document]:
    """As `read_documents`, one by one: the tree of a whole file takes ten times the room of its text."""
    for start, end in _chunks(source.text):
        yield from read_part(source, start, end, last_wins)


def read_part(
    source: Source, start: int, end: int, last_wins: bool = False, held: Map[int, Mapping] = NOT_HELD
) -> list[Document]:
    """The documents of a stretch of text. Mappings that are `held`, by where they begin, get their entries again."""
    try:
        found = _found(source, start, end, last_wins, held)
    except ParseError as error:
        action = _action(source.text, start, end)
        if action is None:
            raise
        raise TemplatedError(source.span(*action)) from error
    return [replace(found[0], part=(start, end))] if len(found) == 1 else found


def _found(source: Source, start: int, end: int, last_wins: bool, held: Map[int, Mapping]) -> list[Document]:
    text = source.text[start:end]
    try:
        return list(_compose(source, text, start, last_wins, held))
    except ParseError:
        masked = _masked(text, source.path.endswith(".json"))
        if masked == text:
            raise
        return list(_compose(source, masked, start, last_wins, held, masked=True))


# The C core is libyaml 0.1.7, for which `[8080:80]` and `{url: http://x/?y}` are errors; libyaml 0.2 and go-yaml take
# them. In a second reading such a `:` or `?` is another character.
_INNER = pattern(r"""(?<=[^\s,\[\]{}'":?])(?::(?=[^\s,\[\]{}])|\?)""")
_MASK = {":": "\ue03a", "?": "\ue03f"}
_UNMASK = {ord(mask): char for char, mask in _MASK.items()}


# JSON writes a character beyond U+FFFF as two escapes, of which YAML takes neither. What matters never holds one.
_PAIR = pattern(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


def _masked(text: str, is_json: bool) -> str:
    if is_json:
        text = _PAIR.sub(r"\\ufffd\\ufffd", text)
    if any(mask in text for mask in _MASK.values()):
        return text
    return _INNER.sub(lambda match: _MASK[match[0]], text)


# Which documents


_MARKER = pattern(r"(?m)^---(?=[ \t\r\n]|\Z)")
_TOP_KIND = pattern(r"""(?m)(?:^|(?<=\ufeff))["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z]\w*)["']?[ \t]*(?:#.*)?\r?$""")
_VERSION = pattern(r"(?m)^apiVersion[ \t]*:[ \t]*[^\s#]")
_CONTENT = pattern(r"(?m)^(?!---)[^\s#]")
_ANY_KIND = pattern(r"""\bkind["']?\s*:\s*["']?(\w*)""")
_SERVICES = pattern(r"""(?m)(?:^|(?<=\ufeff))["']?services["']?[ \t]*:|[{,]\s*["']?services["']?\s*:""")
_INCLUDE = pattern(r"(?m)^include[ \t]*:")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Where the documents of a stream stand. A `---` at the start of a line ends all before it (YAML 9.1.2)."""
    start = 1 if text.startswith("\ufeff") else 0
    if "---" in text and not text.startswith("%") and "\n%" not in text:
        for marker in _MARKER.finditer(text, start):
            if marker.start() > start:
                yield start, marker.start()
            start = marker.start()
    yield start, len(text)


def _relevant(source: Source, start: int, end: int, kinds: Map[str, Map[str, Any]]) -> bool:
    if source.path.rpartition("/")[2] in KUSTOMIZATIONS:
        return True
    text = source.text
    if _may_be_key("kind", text, start, end):
        found = _TOP_KIND.search(text, start, end)
        if found:
            return matters(found[1], kinds)
        if any(matters(match[1], kinds) for match in _ANY_KIND.finditer(text, start, end)):
            return True
    if _may_be_key("services", text, start, end) and _SERVICES.search(text, start, end) is not None:
        return True
    return "compose" in source.path and _INCLUDE.search(text, start, end) is not None


def _may_be_key(name: str, text: str, start: int, end: int) -> bool:
    """Whether a key may be called so: patterns, which look at each line, take long in a lock file of a megabyte."""
    at = text.find(name, start, end)
    while at >= 0:
        before, behind = text[max(at - 1, start) : at], at + len(name)
        is_whole = not before.isalnum() and before not in ("_", "/")
        if is_whole and text[behind : min(behind + _NEAR, end)].lstrip("\"'").lstrip()[:1] in ("", ":"):
            return True
        at = text.find(name, behind, end)
    return False


_NEAR = 40
"""Characters behind a word that are looked at; where they are all blank, a colon may follow."""


def _is_minor(source: Source, start: int, end: int) -> bool:
    """Whether nothing is judged where a document cannot be read: others look it up, or it is none for Kubernetes.

    What stands deeper than at the margin is an object only beside the version of its API: JSON with comments in it, for
    one, may say `kind` of whatever it likes.
    """
    found = _TOP_KIND.search(source.text, start, end)
    if found is not None:
        return found[1] in table("workloads")["minor"]
    named = source.path.rpartition("/")[2] in KUSTOMIZATIONS or _SERVICES.search(source.text, start, end) is not None
    return not named and source.text.find("apiVersion", start, end) < 0


def _is_config_map(source: Source, start: int, end: int, kinds: Map[str, Map[str, Any]]) -> bool:
    found = _TOP_KIND.search(source.text, start, end)
    if found is None or found[1] != "ConfigMap" or "ConfigMap" in kinds:
        return False
    is_alone = "kind" not in source.text[found.end() : end] or not _TOP_KIND.search(source.text, found.end(), end)
    return is_alone and source.path.rpartition("/")[2] not in KUSTOMIZATIONS


def matters(kind: str, kinds: Map[str, Map[str, Any]]) -> bool:
    """Whether objects of a kind bear on stopping."""
    return not kind or kind in _kinds() or kind in kinds or kind.endswith("List")


@lru_cache(1)
def _kinds() -> frozenset[str]:
    known = table("workloads")
    return frozenset((*(row["kind"] for row in known["workload"]), *known["related"], *known["minor"]))


_ACTION = pattern(r"\{[{%]")
_ACTION_OUTSIDE = pattern(r"(?m)^[ \t-]*(?:[^\s#'\":]{1,200}:[ \t]+)?(\{[{%])")


# A name in braces that a script replaces: as YAML it is a mapping, with text behind it that cannot be there.
_PLACEHOLDER = pattern(r"[:-][ \t]+(\{[A-Z][A-Z0-9_]*\})[^\s,\]}:#]")


def _action(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The template action that most likely broke a document: one outside a scalar, else the first."""
    outside = _ACTION_OUTSIDE.search(text, start, end)
    placeholder = _PLACEHOLDER.search(text, start, end)
    if placeholder is not None:
        return placeholder.span(1)
    action = outside or _ACTION.search(text, start, end)
    return _whole_action(text, action.end() - 2, end) if action else None


def _whole_action(text: str, start: int, end: int) -> tuple[int, int] | None:
    closing = text.find("%}" if text.startswith("{%", start) else "}}", start, end)
    return (start, closing + 2) if closing >= 0 else None


# Nodes


class _Open:
    """A collection whose end has not come yet. `end` is where its last child ends."""

    __slots__ = ("anchor", "children", "end", "flow", "mapping", "start", "tag")

    def __init__(self, mapping: bool, start: int, flow: bool, anchor: str | None, tag: str | None) -> None:
        self.mapping, self.start, self.end, self.flow, self.anchor = mapping, start, start, flow, anchor
        self.tag = tag
        self.children: list[Node] = []


class _Composer:
    """The state of one document."""

    __slots__ = ("aliased", "anchors", "held", "last_wins", "masked", "merged", "sizes", "source", "total")

    def __init__(self, source: Source, last_wins: bool, masked: bool, held: Map[int, Mapping]) -> None:
        self.source, self.last_wins, self.masked, self.held = source, last_wins, masked, held
        self.anchors: dict[str, Node | None] = {}
        self.aliased: list[Node] = []
        self.merged = self.total = 0
        self.sizes: dict[int, int] = {}


def _compose(
    source: Source, text: str, start: int, last_wins: bool, held: Map[int, Mapping], masked: bool = False
) -> Iterator[Document]:
    """The documents of a text that stands at `start`: marks are off by one where a byte order mark is part of it."""
    from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        yield from _documents(source, CParser(text).get_event, start, last_wins, held, masked)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _broken(source, start + mark.index if mark else start, error.problem, error.context) from error
    except (YAMLError, UnicodeEncodeError) as error:
        raise _unprintable(source, start, start + len(text)) from error


def _documents(
    source: Source, next_event: Any, base: int, last_wins: bool, held: Map[int, Mapping], masked: bool
) -> Iterator[Document]:
    """Composes without recursion."""
    from ruamel.yaml import events

    scalar_event, mapping_start, mapping_end = events.ScalarEvent, events.MappingStartEvent, events.MappingEndEvent
    sequence_start, sequence_end, alias_event = events.SequenceStartEvent, events.SequenceEndEvent, events.AliasEvent
    composer, stack = _Composer(source, last_wins, masked, held), list[_Open]()
    node: Node
    words = _shared_words()
    while True:
        event = next_event()
        kind = type(event)
        if kind is scalar_event:
            end = event.end_mark.index + base
            if event.style or event.tag or event.anchor or masked:
                node = _scalar(composer, event, event.start_mark.index + base, end)
                end = node.end
            else:
                start, value = event.start_mark.index + base, event.value
                node = Scalar(words.setdefault(value, value), source, start, end - start)
        elif kind is mapping_start or kind is sequence_start:
            stack.append(_opened(composer, event, base, kind is mapping_start, len(stack)))
            continue
        elif kind is mapping_end or kind is sequence_end:
            node = _close(composer, stack.pop(), event.end_mark.index + base)
            end = node.end
        elif kind is alias_event:
            end = event.end_mark.index + base
            node = _alias(composer, event.anchor, event.start_mark.index + base, end)
        elif kind is events.DocumentStartEvent:
            composer = _Composer(source, last_wins, masked, held)
            continue
        elif kind is events.StreamEndEvent:
            return
        else:
            continue
        if stack:
            stack[-1].children.append(node)
            stack[-1].end = end
        else:
            said = node.scalar("kind") if isinstance(node, Mapping) else None
            yield Document(source, node, node.span, _shared(composer.aliased), said.value if said is not None else "")


_words: dict[str, str] = {}
_MOST_WORDS = 10_000


def _shared_words() -> dict[str, str]:
    """Texts of scalars by themselves: most keys and many values stand in a project hundreds of times."""
    if len(_words) > _MOST_WORDS:
        _words.clear()
    return _words


def _scalar(composer: _Composer, event: Any, start: int, end: int) -> Scalar:
    value, style, tag, anchor = event.value, event.style or "", event.tag, event.anchor
    if composer.masked:
        value = value.translate(_UNMASK)
    if tag or anchor:
        start = min(_after_properties(composer.source.text, start), end)
    if style in ("|", ">"):
        end = _without_empty_lines(composer.source.text, start, end)
    if tag:
        tag = "str" if tag == "!" else tag.removeprefix("tag:yaml.org,2002:")
    node = Scalar(value, composer.source, start, end - start, style, tag)
    if anchor:
        composer.anchors[anchor] = node
    return node


def _opened(composer: _Composer, event: Any, base: int, mapping: bool, depth: int) -> _Open:
    start, anchor = event.start_mark.index + base, event.anchor
    if depth == MAX_DEPTH:
        raise ParseError(f"nested deeper than {MAX_DEPTH} levels", Span(composer.source, start, start + 1))
    if anchor or event.tag:
        start = _after_properties(composer.source.text, start)
    if anchor:
        composer.anchors[anchor] = None
    return _Open(mapping, start, bool(event.flow_style), anchor, event.tag or None)


def _close(composer: _Composer, opened: _Open, end: int) -> Node:
    source = composer.source
    if not opened.flow or source.text[end - 1 : end] not in ("}", "]"):
        # A block ends where its last node does; its end event stands at whatever comes next.
        end = max(opened.end, opened.start)
    node: Node
    if opened.mapping:
        entries, known = _entries(composer, opened), composer.held.get(opened.start)
        if known is not None:
            known.fill(entries)
        node = known or Mapping(entries, source, opened.start, end, opened.flow, opened.tag)
    else:
        node = Sequence(tuple(opened.children), source, opened.start, end, opened.flow, opened.tag)
    if opened.anchor:
        composer.anchors[opened.anchor] = node
    return node


def _entries(composer: _Composer, opened: _Open) -> tuple[tuple[Scalar, Node], ...]:
    keys, values = opened.children[::2], opened.children[1::2]
    known = [key for key in keys if isinstance(key, Scalar)]
    if len(known) < len(keys):
        raise _complex_key(next(key for key in keys if not isinstance(key, Scalar)))
    names = {key.value for key in known}
    if len(names) == len(known) and "<<" not in names:
        return tuple(zip(known, values, strict=True))
    return _merged(composer, known, values)


def _merged(composer: _Composer, keys: list[Scalar], values: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
    items: list[tuple[Scalar, Node]] = []
    merges: list[Node] = []
    for key, value in zip(keys, values, strict=True):
        if key.value == "<<" and not key.style:
            merges.append(value)
        else:
            items.append((key, value))
    names = {key.value for key, _ in items}
    if len(names) < len(items):
        if not composer.last_wins:
            raise _duplicate(items)
        items = list({key.value: (key, value) for key, value in items}.values())
    for merge in merges:
        for base in merge.items if isinstance(merge, Sequence) else (merge,):
            if not isinstance(base, Mapping):
                raise ParseError("a merge key (`<<`) takes a mapping or a list of mappings", merge.span)
            inherited = [(key, value) for key, value in base.items if key.value not in names]
            composer.merged += len(base.items)
            if composer.merged > MAX_MERGED:
                raise ParseError(f"merge keys expand to more than {MAX_MERGED:,} entries", merge.span)
            names.update(key.value for key, _ in inherited)
            items.extend(inherited)
    return tuple(items)


def _alias(composer: _Composer, name: str, start: int, end: int) -> Node:
    span = Span(composer.source, start, end)
    if name not in composer.anchors:
        raise ParseError(f"`*{name}` stands for nothing: no `&{name}` comes before it", span)
    node = composer.anchors[name]
    if node is None:
        raise ParseError(f"`*{name}` stands inside `&{name}` itself", span)
    composer.aliased.append(node)
    composer.total += _size(node, composer.sizes)
    if composer.total > MAX_ALIASED:
        raise ParseError(f"aliases stand for more than {MAX_ALIASED:,} nodes", span)
    return node


def _size(node: Node, known: dict[int, int]) -> int:
    """How many nodes a node is, each counted as often as it stands there."""
    if isinstance(node, Scalar):
        return 1
    if id(node) not in known:
        below = node.items if isinstance(node, Sequence) else [part for pair in node.items for part in pair]
        known[id(node)] = 1 + sum(_size(part, known) for part in below)
    return known[id(node)]


def _shared(aliased: list[Node]) -> frozenset[int]:
    seen: set[int] = set()
    left = list(aliased)
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            left.extend(node.items)
        elif isinstance(node, Mapping):
            for pair in node.items:
                left.extend(pair)
    return frozenset(seen)


_PROPERTIES = pattern(r"(?:[&!][^\s,\[\]{}]*(?:(?<=[ \t])#[^\r\n]*|\s)*)+")


def _after_properties(text: str, start: int) -> int:
    """Marks point at a node's `&anchor` and `!tag`; the node itself comes after them."""
    found = _PROPERTIES.match(text, start)
    return found.end() if found else start


_LINE_END = pattern(r"\r\n|\r|\n")


def _without_empty_lines(text: str, start: int, end: int) -> int:
    """The end of the last line of a block scalar that holds anything."""
    last = end
    while last > start + 1 and text[last - 1] in " \t\r\n":
        last -= 1
    newline = _LINE_END.search(text, last, end)
    return newline.start() if newline else end


# What is wrong


def _broken(source: Source, at: int, problem: str | None, context: str | None) -> ParseError:
    at = min(at, len(source.text))
    span = Span(source, at, min(at + 1, len(source.text)))
    if source.text[at : at + 1] == "\t":
        return ParseError("a tab cannot indent YAML: use spaces", span)
    return ParseError(", ".join(part for part in (problem, context) if part) or "cannot be read as YAML", span)


_UNPRINTABLE = pattern("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _unprintable(source: Source, start: int, end: int) -> ParseError:
    found = _UNPRINTABLE.search(source.text, start, end)
    if found is None:
        return _broken(source, start, None, None)
    return ParseError(f"U+{ord(found[0]):04X} is no character YAML allows", source.span(*found.span()))


def _complex_key(key: Node) -> ParseError | TemplatedError:
    """`{{ x }}` reads as a mapping whose key is `{ x }`."""
    source, start = key.source, key.start - 1
    action = _whole_action(source.text, start, len(source.text)) if source.text.startswith("{{", start) else None
    return TemplatedError(source.span(*action)) if action else ParseError("a key that is not a plain text", key.span)


def _duplicate(items: list[tuple[Scalar, Node]]) -> ParseError:
    first: dict[str, Span] = {}
    for key, _ in items:
        if key.value in first:
            return ParseError(f"`{key.value}` is set twice: first on line {first[key.value].line}", key.span)
        first[key.value] = key.span
    raise AssertionError("no key stands twice")
