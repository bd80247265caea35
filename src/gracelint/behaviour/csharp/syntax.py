"""C# as tree-sitter reads it, with places in code points."""

from __future__ import annotations

from functools import cache

from gracelint.base.memory import kept
from gracelint.behaviour.tree import TreeFile, first_error
from gracelint.parse.errors import ParseError
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Parser

_LONGEST = 1_000_000
"""Code points. What is longer is generated."""


@kept
def read_file(source: Source) -> TreeFile | None:
    """Parses a source; None for a generated giant. Raises ParseError with the place where the grammar gave up."""
    if len(source.text) > _LONGEST:
        return None
    data = source.text.encode("utf-8", "surrogatepass")
    tree = _parser().parse(data)
    file = TreeFile(source, tree, data)
    if file.root.has_error:
        raise ParseError("no valid C#", file.span(first_error(file.root)))
    return file


@cache
def _parser() -> Parser:
    import tree_sitter_c_sharp
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_c_sharp.language()))
