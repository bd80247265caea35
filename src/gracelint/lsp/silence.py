"""The comment that silences a finding, put where it holds and does no harm."""

from __future__ import annotations

import re

from gracelint.facts.yaml import Mapping, Scalar
from gracelint.parse.errors import ParseError
from gracelint.source import Source, Span
from gracelint.suppress import comments
from gracelint.tree.discover import NODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.yaml import Node

_NO_COMMENTS = (".json", ".lock", ".md")
_TWINS = (*NODE, ".jsx", ".tsx")
_UNINDENTED = re.compile(r"(^|/)([Mm]akefile|GNUmakefile)$|\.(mk|conf|ini|service)$")
"""Where a comment with space in front is something else: a recipe's line, a continued value."""


def silencing(span: Span, rule: str) -> tuple[int, str] | None:
    """Where to insert what, so that a rule is silent about a place; None where no comment can do that."""
    source = span.source
    if source.path.endswith(_NO_COMMENTS):
        return None
    line = _first_line(source, span.line)
    text = source.line_span(line)
    start = text.start + source.text.startswith("\ufeff", text.start)
    indent = "" if _UNINDENTED.search(source.path) else text.text[: len(text.text) - len(text.text.lstrip("\ufeff \t"))]
    marker = "//" if source.path.endswith(_TWINS) else "#"
    comment = f"{indent.lstrip(chr(0xFEFF))}{marker} gracelint: ignore[{rule}]{_newline(source)}"
    return (start, comment) if _holds(span, rule, start, comment) else None


def _first_line(source: Source, line: int) -> int:
    """The line where the instruction or command of a line begins."""
    if source.path.endswith((".yaml", ".yml", ".py", *_TWINS)):
        return line
    first = line
    while line > 1:
        line -= 1
        above = source.line_span(line).text
        if above.rstrip().endswith(("\\", "`")):
            first = line
        elif not above.lstrip().startswith("#"):
            break
    return first


def _newline(source: Source) -> str:
    first = source.line_starts[1] if len(source.line_starts) > 1 else 0
    return "\r\n" if source.text[:first].endswith("\r\n") else "\n"


def _holds(span: Span, rule: str, at: int, comment: str) -> bool:
    """Whether the comment reaches the place, and leaves the file what it is."""
    source = span.source
    after = Source(source.path, source.text[:at] + comment + source.text[at:])
    moved = after.span(span.start + len(comment), span.end + len(comment))
    if not any(item.rule == rule and item.covers(moved) for item in comments(after)):
        return False
    if source.path.endswith(".py"):
        return _compiles(after.text) or not _compiles(source.text)
    if source.path.endswith((".yaml", ".yml")):
        return _said(after) == _said(source) is not None
    return True


def _compiles(text: str) -> bool:
    from ast import parse

    try:
        parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _said(source: Source) -> list[tuple[str, str]] | None:
    """The scalars of the documents that matter, but for texts in which a comment may be one; None if it is broken."""
    from gracelint.parse.yaml import read_stream

    try:
        stream = read_stream(source)
    except ParseError:
        return None
    if stream.problems:
        return None
    found, seen = [], set()
    left: list[Node] = [document.root for document in stream.documents]
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            found.append(("" if node.style == "|" else node.value, node.style))
        elif isinstance(node, Mapping):
            left += [each for item in node.items for each in item]
        else:
            left += node.items
    return found
