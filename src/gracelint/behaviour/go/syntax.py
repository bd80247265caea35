"""Go as tree-sitter reads it, with places in code points."""

from __future__ import annotations

from functools import cache

from gracelint.base.memory import kept
from gracelint.base.numbers import is_digits
from gracelint.base.patterns import pattern
from gracelint.behaviour.tree import TreeFile, first_error, text_of, walk
from gracelint.parse.errors import ParseError
from gracelint.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

_LONGEST = 1_000_000
"""Code points. What is longer is generated."""


class File(TreeFile):
    """One parsed source."""

    __slots__ = ("blank", "imports", "package")

    def __init__(self, source: Source, tree: Tree, data: bytes) -> None:
        super().__init__(source, tree, data)
        self.package = _package(tree.root_node)
        self.imports, self.blank = _imports(tree.root_node)
        """Import paths by the name they have in this file; and those imported for their effect alone, or with a dot."""


_NEW_VALUE = pattern(r"\bnew\((?=[\w.*\[\]]{1,60}[({]|[\"0-9])")
"""`new` with a value, as Go 1.26 has it: the grammar only knows it with a type."""


@kept
def read_file(source: Source) -> File | None:
    """Parses a source; None for a generated giant. Raises ParseError with the place where the grammar gave up."""
    text = source.text
    if len(text) > _LONGEST:
        return None
    data = text.encode("utf-8", "surrogatepass")
    tree = _parser().parse(data)
    if tree.root_node.has_error and _NEW_VALUE.search(text):
        data = _NEW_VALUE.sub("neW(", text).encode("utf-8", "surrogatepass")
        tree = _parser().parse(data)
    file = File(source, tree, data)
    if file.root.has_error:
        raise ParseError("no valid Go", file.span(first_error(file.root)))
    return file


FUNCTIONS = ("function_declaration", "method_declaration", "func_literal")
ANSWERS = ("http.ResponseWriter", "gin.Context", "echo.Context", "fiber.Ctx")
"""Of the types of what a function is given that answers requests."""


@cache
def _parser() -> Parser:
    import tree_sitter_go
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_go.language()))


def _package(root: Node) -> str:
    clause = next((child for child in root.named_children if child.type == "package_clause"), None)
    return text_of(clause.named_children[0]) if clause is not None and clause.named_children else ""


def _imports(root: Node) -> tuple[dict[str, str], tuple[str, ...]]:
    named: dict[str, str] = {}
    blank: list[str] = []
    for child in root.named_children:
        if child.type != "import_declaration":
            continue
        for spec in walk(child):
            path = spec.child_by_field_name("path") if spec.type == "import_spec" else None
            if path is None:
                continue
            target = text_of(path).strip('"`')
            name = spec.child_by_field_name("name")
            if name is None:
                named[usual_name(target)] = target
            elif name.type == "package_identifier":
                named[text_of(name)] = target
            else:
                blank.append(target)
    return named, tuple(blank)


def usual_name(path: str) -> str:
    """The name a package most likely has: its last part, without a version, `go-` and `.v3`."""
    parts = path.split("/")
    if len(parts) > 1 and parts[-1][:1] == "v" and is_digits(parts[-1][1:]):
        parts.pop()
    name = parts[-1].partition(".")[0]
    return name.removeprefix("go-").removesuffix("-go").replace("-", "")


def statements(block: Node | None) -> list[Node]:
    """The statements of a block, a case or a file; the grammar has a node of its own around them in newer versions."""
    found: list[Node] = []
    for child in block.named_children if block is not None else ():
        if child.type == "statement_list":
            found += child.named_children
        elif child.type != "comment":
            found.append(child)
    return [node for node in found if node.type != "comment"]


def expressions(node: Node | None) -> list[Node]:
    """The members of an expression list, or the one expression."""
    if node is None:
        return []
    if node.type in ("expression_list", "argument_list"):
        return [child for child in node.named_children if child.type != "comment"]
    return [node]
