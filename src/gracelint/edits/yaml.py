"""Edits of YAML and JSON: entries of mappings, in the style of the text around them.

What stands in a document more than once, by an anchor or a merge key, is never edited: the change would show elsewhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from collections.abc import Mapping as Map

from gracelint.base.numbers import is_digits
from gracelint.base.patterns import pattern
from gracelint.facts.kubernetes import Workload
from gracelint.facts.yaml import Document, Mapping, Scalar, Sequence
from gracelint.finding import Edit
from gracelint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.compose import ComposeService
    from gracelint.facts.kubernetes import Container
    from gracelint.facts.launch import Launch
    from gracelint.facts.yaml import Node

    Tree = str | int | bool | Map[str, "Tree"] | list["Tree"]
    Entry = tuple[Scalar, Node]
    Edits = tuple[Edit, ...]

_BEFORE_LIFECYCLE = ("startupProbe", "livenessProbe", "readinessProbe", "ports", "args", "command", "image", "name")
_BEFORE_PROBE = ("ports", "args", "command", "image", "name")
_BEFORE_INIT = ("image", "build")
_BEFORE_GRACE = ("stop_signal", "init", "command", "entrypoint", "build", "image")


_HOMES = {
    "lifecycle": _BEFORE_LIFECYCLE,
    "readinessProbe": _BEFORE_PROBE,
    "livenessProbe": _BEFORE_PROBE,
    "startupProbe": _BEFORE_PROBE,
    "stop_signal": _BEFORE_INIT,
    "init": _BEFORE_INIT,
}


def set_grace(subject: Launch | Workload, seconds: float) -> Edits | None:
    """The grace period of a pod (or of a Compose service, for a launch of one), in whole seconds."""
    if not isinstance(subject, Workload):
        if subject.service is not None:
            return set_stop_grace(subject.service, seconds)
        if subject.workload is None:
            return None
        subject = subject.workload
    return set_entry(subject.document, subject.pod, "terminationGracePeriodSeconds", math.ceil(seconds))


def make_room(workload: Workload, seconds: float) -> Edits | None:
    """What raises the grace period of a pod to some seconds; nothing where it holds them, None where nobody knows."""
    if workload.grace.value >= seconds:
        return ()
    return set_grace(workload, seconds) if workload.grace.value == workload.grace.value else None


def set_stop_grace(service: ComposeService, seconds: float) -> Edits | None:
    text = f"{math.ceil(seconds)}s"
    return set_entry(*service.holder("stop_grace_period"), "stop_grace_period", text, after=_BEFORE_GRACE)


def set_init(service: ComposeService) -> Edits | None:
    return set_entry(*service.holder("init"), "init", True, after=_BEFORE_INIT)


def set_pre_stop(workload: Workload, container: Container, handler: Map[str, Tree]) -> Edits | None:
    """Puts a preStop hook where there is none."""
    lifecycle = container.node.get("lifecycle")
    if isinstance(lifecycle, Mapping):
        return set_entry(workload.document, lifecycle, "preStop", handler)
    tree: Tree = {"preStop": handler}
    return set_entry(workload.document, container.node, "lifecycle", tree, after=_BEFORE_LIFECYCLE)


def set_readiness_probe(workload: Workload, container: Container, probe: Map[str, Tree]) -> Edits | None:
    return set_entry(workload.document, container.node, "readinessProbe", probe, after=_BEFORE_PROBE)


def set_entry(
    document: Document, mapping: Mapping, key: str, value: Tree, after: tuple[str, ...] | None = None
) -> Edits | None:
    """Gives a key a value: a scalar's text is replaced, a missing entry is put in.

    A new entry comes behind the first key of `after` that is there, else at the end; at the start without `after`.
    """
    if id(mapping) in document.shared:
        return None
    own = _own(mapping)
    entry = _entry(own, key)
    if entry is not None:
        return _replaced(document, entry, value)
    if not own:
        return _into_empty(document, mapping, key, value)
    place = _Place(document, mapping, own)
    if mapping.flow:
        return place.in_flow(key, value, after)
    return place.at_start(key, value) if after is None else place.behind(key, value, after)


def replace_entry(document: Document, mapping: Mapping, key: str, new_key: str, value: Tree) -> Edits | None:
    """Puts another entry in the place of one; None where comments would be lost."""
    own = _own(mapping)
    entry = _entry(own, key)
    if entry is None or id(mapping) in document.shared or id(entry[1]) in document.shared:
        return None
    span = Span(document.source, entry[0].start, entry[1].end)
    if "#" in span.text:
        return None
    place = _Place(document, mapping, own)
    in_flow = mapping.flow or getattr(entry[1], "flow", False)
    return (Edit(span, place.flow_entry(new_key, value) if in_flow else place.block_entry(new_key, value)),)


def remove_entry(document: Document, mapping: Mapping, key: str) -> Edits | None:
    """Takes an entry out, with its line; None for the only one."""
    own = _own(mapping)
    entry = _entry(own, key)
    if entry is None or len(own) < 2 or id(mapping) in document.shared or id(entry[1]) in document.shared:
        return None
    if mapping.flow:
        return (Edit(_with_comma(document, own, entry), ""),)
    text = document.source.text
    start, end = _line_start(text, entry[0].start), _Place(document, mapping, own).end_of(entry)
    if end is None or text[start : entry[0].start].strip():
        return None
    return (Edit(Span(document.source, start, _NEWLINE.match(text, end).end()), ""),)  # type: ignore[union-attr]


def move_entry(document: Document, place: Mapping, key: str, home: Mapping | None, below: str | None) -> Edits | None:
    """Takes an entry to where it belongs, `below` an entry that is made for it; None where that cannot be done."""
    value = place.get(key)
    if value is None or home is None or home.get(below or key) is not None or "#" in value.span.text:
        return None
    tree = copy_of(document, value)
    gone = remove_entry(document, place, key)
    if tree is None or gone is None:
        return None
    after = _BEFORE_GRACE if key == "stop_grace_period" else _HOMES.get(below or key)
    added = set_entry(document, home, below or key, {key: tree} if below else tree, after=after)
    return (*gone, *added) if added is not None else None


def sleep_hook(launch: Launch, seconds: float) -> Map[str, Tree] | None:
    """A preStop handler that waits, in the form this cluster and image have; None where neither is known to."""
    if (launch.assume.kubernetes_version or (0, 0)) >= (1, 30):
        return {"sleep": {"seconds": math.ceil(seconds)}}
    return {"exec": {"command": ["sleep", str(math.ceil(seconds))]}} if launch.image.has("sleep") else None


def copy_of(document: Document, node: Node) -> Tree | None:
    """What a node says, to be written somewhere else; None where it is reached by an alias."""
    if id(node) in document.shared:
        return None
    if isinstance(node, Scalar):
        return int(node.value) if node.tag == "int" and is_digits(node.value) else node.value
    pairs: list[tuple[str, Tree | None]]
    if isinstance(node, Sequence):
        pairs = [("", copy_of(document, item)) for item in node.items]
    else:
        pairs = [(key.value, copy_of(document, value)) for key, value in node.items]
    known = {key: tree for key, tree in pairs if tree is not None}
    values = [tree for _, tree in pairs if tree is not None]
    if len(values) < len(pairs):
        return None
    return known if isinstance(node, Mapping) else values


# Places


class _Place:
    """A mapping and how text is written there."""

    __slots__ = ("document", "indent", "mapping", "own", "text")

    def __init__(self, document: Document, mapping: Mapping, own: list[Entry]) -> None:
        self.document, self.mapping, self.own, self.text = document, mapping, own, document.source.text
        start = _line_start(self.text, mapping.start)
        self.indent = " " * (mapping.start - start)

    def at_start(self, key: str, value: Tree) -> Edits | None:
        """Above the first entry and the comments that belong to it; in a list item, below the first entry."""
        first = self.own[0][0].start
        start = _line_start(self.text, first)
        if self.text[start:first].strip():
            return self.behind(key, value, (self.own[0][0].value,))
        while start > 0:
            above = _line_start(self.text, start - 1)
            if not self.text[above:start].lstrip().startswith("#"):
                break
            start = above
        return self._insert(start, f"{self.indent}{self.block_entry(key, value)}{self._newline()}")

    def behind(self, key: str, value: Tree, after: tuple[str, ...]) -> Edits | None:
        at = self.end_of(self._sibling(after))
        if at is None:
            return None
        return self._insert(at, f"{self._newline()}{self.indent}{self.block_entry(key, value)}")

    def in_flow(self, key: str, value: Tree, after: tuple[str, ...] | None) -> Edits | None:
        sibling = self._sibling(after or ())
        if sibling is None:
            return None
        before = self.text[self.mapping.start + 1 : self.own[0][0].start]
        separator = before if "\n" in before and not before.strip() else " "
        return self._insert(sibling[1].end, f",{separator}{self.flow_entry(key, value)}")

    def block_entry(self, key: str, value: Tree) -> str:
        lines = _block(key, value, _step(self.document, self.mapping))
        return f"{self._newline()}{self.indent}".join(lines)

    def flow_entry(self, key: str, value: Tree) -> str:
        quoted = self.text.startswith('"', self.own[0][0].start)
        return f"{json.dumps(key) if quoted else key}: {_flow(value, quoted)}"

    def _sibling(self, after: tuple[str, ...]) -> Entry | None:
        """The entry to stand behind; where aliases stand, nobody knows where they end."""
        usable = [entry for entry in self.own if id(entry[1]) not in self.document.shared]
        found = (entry for name in after for entry in usable if entry[0].value == name)
        return next(found, usable[-1] if usable else None)

    def end_of(self, entry: Entry | None) -> int | None:
        """The end of the last line of a block entry and of the comments indented below it."""
        if entry is None:
            return None
        text, column = self.text, len(self.indent)
        end = _line_end(text, entry[1].end)
        if _ends_in_newlines(entry[1], at_end=end == len(text)) or not _REST.fullmatch(text, entry[1].end, end):
            return None
        while comment := _COMMENT_LINE.match(text, end):
            if len(comment[1]) <= column:
                break
            end = comment.end()
        return end

    def _newline(self) -> str:
        found = _NEWLINE.search(self.text)
        return found[0] if found and found[0] else "\n"

    def _insert(self, at: int, text: str) -> Edits:
        return (Edit(Span(self.document.source, at, at), text),)


_NEWLINE = pattern(r"\r\n|\r|\n|\Z")
_REST = pattern(r"[ \t]*(?:#[^\r\n]*)?")
_COMMENT_LINE = pattern(r"(?:\r\n|\r|\n)( *)#[^\r\n]*")


def _own(mapping: Mapping) -> list[Entry]:
    """The entries that stand in the mapping itself, not those that a merge key brings."""
    if mapping.flow:
        return [entry for entry in mapping.items if mapping.start < entry[0].start < mapping.end]
    text = mapping.source.text
    column = mapping.start - _line_start(text, mapping.start)
    return [
        (key, value)
        for key, value in mapping.items
        if mapping.start <= key.start < mapping.end and key.start - _line_start(text, key.start) == column
    ]


def _entry(own: list[Entry], key: str) -> Entry | None:
    return next((entry for entry in own if entry[0].value == key), None)


def _replaced(document: Document, entry: Entry, value: Tree) -> Edits | None:
    """Puts a scalar in the place of another, or of nothing."""
    key, old = entry
    if not isinstance(old, Scalar) or id(old) in document.shared or old.style in ("|", ">") or old.explicit_tag:
        return None
    if isinstance(value, (Map, list)):
        return None
    text = _flow(value, quoted=document.source.text.startswith('"', key.start) and old.style == '"')
    if isinstance(value, str) and old.style in ("'", '"') and text == value:
        text = f"{old.style}{value}{old.style}"
    if old.start < old.end:
        return (Edit(old.span, text),)
    return (Edit(old.span, f" {text}"),) if document.source.text[old.start - 1] == ":" else None


def _into_empty(document: Document, mapping: Mapping, key: str, value: Tree) -> Edits | None:
    if not mapping.flow or mapping.items or document.source.text[mapping.start + 1 : mapping.end - 1].strip():
        return None
    quoted = document.source.text[: mapping.start].rstrip(": \t\r\n").endswith('"')
    entry = f"{json.dumps(key) if quoted else key}: {_flow(value, quoted)}"
    return (Edit(mapping.span, f"{{{entry}}}"),)


def _with_comma(document: Document, own: list[Entry], entry: Entry) -> Span:
    index = own.index(entry)
    if index + 1 < len(own):
        return Span(document.source, entry[0].start, own[index + 1][0].start)
    return Span(document.source, own[index - 1][1].end, entry[1].end)


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1 or (1 if text.startswith("\ufeff") else 0)


def _line_end(text: str, at: int) -> int:
    found = _NEWLINE.search(text, at)
    return found.start() if found else len(text)


def _ends_in_newlines(node: Node, at_end: bool) -> bool:
    """Whether a block scalar ends here that what follows would change: `|+`, or `|` at the end of a file."""
    while not isinstance(node, Scalar):
        if not node.items:
            return False
        last = node.items[-1]
        node = last[1] if isinstance(last, tuple) else last
    header = _NEWLINE.split(node.span.text, maxsplit=1)[0] if node.style in ("|", ">") else "-"
    return "+" in header or (at_end and "-" not in header)


def _step(document: Document, mapping: Mapping) -> int:
    """How far the file indents: here, else around it from the inside out."""
    for outer in (mapping, *reversed([*_around(document.root, mapping)])):
        for key, value in _own(outer) if not outer.flow else ():
            if isinstance(value, Mapping) and not value.flow and value.start > key.start:
                text = document.source.text
                width = value.start - _line_start(text, value.start) - (key.start - _line_start(text, key.start))
                if width > 0:
                    return width
    return 2


def _around(root: Node, inner: Mapping) -> Iterator[Mapping]:
    """The mappings that a mapping stands in, from the outside in."""
    node: Node | None = root
    while node is not None and node is not inner:
        children = node.items if isinstance(node, Sequence) else []
        if isinstance(node, Mapping):
            yield node
            children = [value for _, value in node.items]
        node = next((child for child in children if child.start <= inner.start < child.end), None)


# Text


def _block(key: str, value: Tree, step: int) -> list[str]:
    if not isinstance(value, Map):
        return [f"{key}: {_flow(value, quoted=False)}"]
    below = [line for name, item in value.items() for line in _block(name, item, step)]
    return [f"{key}:", *(" " * step + line for line in below)]


def _flow(value: Tree, quoted: bool) -> str:
    """On one line; `quoted` as JSON has it. Strings of a list are always quoted: they are words of commands."""
    if isinstance(value, Map):
        items = (f"{json.dumps(key) if quoted else key}: {_flow(item, quoted)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(item, quoted=quoted or isinstance(item, str)) for item in value)}]"
    if isinstance(value, str) and not quoted and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


_PLAIN = pattern(r"[A-Za-z_/][\w./-]*|[0-9]+s")
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
