"""JavaScript and TypeScript as tree-sitter reads them, with places in code points."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache

from gracelint.base.memory import kept
from gracelint.base.patterns import pattern
from gracelint.base.record import Record, field
from gracelint.behaviour.tree import continued, first_error, text_of, walk
from gracelint.parse.errors import ParseError
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from re import Match
    from typing import Any, TypeVar

    from tree_sitter import Node, Parser, Tree

    T = TypeVar("T")

ENDINGS = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx")
_LONGEST = 1_000_000
"""Code points. What is longer is a bundle, not a source."""


class TooBigError(Exception):
    """The program is too big or too deeply nested to be followed to its end."""


class File(Record, identity=True):
    """One parsed source."""

    source: Source
    tree: Tree
    _continued: list[int]
    """The offsets of the bytes that begin no code point."""
    found: dict[object, Any] = field(default_factory=dict)
    """What was looked for in the whole of it, by what looks."""

    @property
    def root(self) -> Node:
        """A new one each time: a node that is asked for its children keeps them, as long as it is kept itself."""
        return self.tree.root_node

    def span(self, node: Node) -> Span:
        return self.source.span(self._offset(node.start_byte), self._offset(node.end_byte))

    def node_at(self, span: Span) -> Node | None:
        """The smallest node that covers a span."""
        return self.root.named_descendant_for_byte_range(self._byte(span.start), self._byte(span.end))

    def _offset(self, byte: int) -> int:
        return byte - bisect_right(self._continued, byte)

    def _byte(self, offset: int) -> int:
        continued = self._continued
        return offset + bisect_right(range(len(continued)), offset, key=lambda number: continued[number] - number)


def once(look: Callable[[File], T]) -> Callable[[File], T]:
    """Makes what goes through all of a file do so for the first of those that ask."""

    def looking(file: File) -> T:
        if look not in file.found:
            file.found[look] = look(file)
        known: T = file.found[look]
        return known

    return looking


@kept
def read_file(source: Source) -> File:
    """Parses a source. Raises ParseError with the place where the grammar gave up, TooBigError for a bundle."""
    text = source.text
    if len(text) > _LONGEST:
        raise TooBigError
    data = _modern(text).encode("utf-8", "surrogatepass")
    kind = "tsx" if source.path.endswith(".tsx") else "typescript" if source.path.endswith(_TYPED) else "javascript"
    file = File(source, _parser(kind).parse(data), continued(data))
    if file.root.has_error:
        broken = first_error(file.root)
        raise ParseError("no valid JavaScript" if kind == "javascript" else "no valid TypeScript", file.span(broken))
    return file


_TYPED = (".ts", ".mts", ".cts")


def _modern(text: str) -> str:
    """`__awaiter(this, void 0, void 0, function* () { yield x; })` with `async function` and `await`, at their places.

    That is what TypeScript, Babel and swc make of async functions for runtimes without. It is left as it is where a
    generator of another kind stands beside.
    """
    if not any(name in text for name in _ASYNC) or len(_GENERATOR.findall(text)) != len(_WRAPPED.findall(text)):
        return text
    return _YIELD.sub("await", _WRAPPED.sub(_async, text))


def _async(found: Match[str]) -> str:
    return f"{found[1] or '('}async function".ljust(len(found[0]) - 1) + "("


_ASYNC = ("__awaiter(", "_asyncToGenerator(", "_async_to_generator(")
_WRAPPED = pattern(
    r"(?:(__awaiter\((?:\w{1,20}|void 0), ?(?:arguments|void 0|\[[^\[\]]{0,200}\]), ?)void 0, ?"
    r"|_async(?:ToGenerator|_to_generator)\()function ?\* ?\("
)
_GENERATOR = pattern(r"\bfunction ?\*")
_YIELD = pattern(r"\byield\b")


@cache
def _parser(kind: str) -> Parser:
    from tree_sitter import Language, Parser

    if kind == "javascript":
        import tree_sitter_javascript

        return Parser(Language(tree_sitter_javascript.language()))
    import tree_sitter_typescript

    tsx = kind == "tsx"
    return Parser(
        Language(tree_sitter_typescript.language_tsx() if tsx else tree_sitter_typescript.language_typescript())
    )


def string_of(node: Node) -> str | None:
    """The value of a string literal, or of a template without substitutions; None for other nodes."""
    if node.type not in ("string", "template_string"):
        return None
    parts = []
    for child in node.named_children:
        if child.type == "string_fragment":
            parts.append(text_of(child))
        elif child.type == "escape_sequence":
            parts.append(_ESCAPES.get(text_of(child)[1:], text_of(child)[1:]))
        elif child.type == "template_substitution":
            return None
    return "".join(parts)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b"}


def callee_of(node: Node) -> str:
    """The text of the function that is called, by way of `await` and `new`."""
    while node.type == "await_expression" and node.named_children:
        node = node.named_children[0]
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    return text_of(function) if function is not None else text_of(node)[:40]


def name_of(target: Node) -> str:
    """The last name of a variable or member: `timer` of `this.timer`."""
    return text_of(target.child_by_field_name("property") or target)


def given_first(call: Node) -> Node | None:
    """What a call is given first; of a list with one item, that: `jobs` of `all([...jobs])`."""
    here = call.child_by_field_name("arguments")
    here = here.named_children[0] if here is not None and here.named_children else None
    while here is not None and here.type in ("array", "spread_element") and len(here.named_children) == 1:
        here = here.named_children[0]
    return here


NAMES = ("identifier", "property_identifier", "private_property_identifier")
FUNCTIONS = (
    "function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "generator_function",
    "generator_function_declaration",
    "class_declaration",
    "class",
)


def is_caught(node: Node) -> bool:
    """Whether an error in it is caught in the same function."""
    here = node.parent
    while here is not None and here.type not in FUNCTIONS:
        if here.type == "try_statement" and here.child_by_field_name("handler") is not None:
            return True
        here = here.parent
    return False


def never_resolves(executor: Node) -> bool:
    """`new Promise((resolve, reject) => …)` that does not touch its `resolve`."""
    single, several = executor.child_by_field_name("parameter"), executor.child_by_field_name("parameters")
    first = (
        single or next((child for child in several.named_children if child.type != "comment"), None)
        if several
        else single
    )
    if first is None:
        return True
    name = text_of(first.child_by_field_name("pattern") or first)
    body = executor.child_by_field_name("body")
    return body is not None and not any(here.type == "identifier" and text_of(here) == name for here in walk(body))
