"""Java as tree-sitter reads it: files with their classes, and function bodies as the machine's nodes."""

from __future__ import annotations

import re
from functools import cache

from gracelint.base.memory import kept
from gracelint.behaviour.java.statements import Body
from gracelint.behaviour.machine.nodes import Class, Function, Param
from gracelint.behaviour.tree import TreeFile, first_error, text_of
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node as Tree
    from tree_sitter import Parser
    from tree_sitter import Tree as Syntax

    from gracelint.source import Source

_LONGEST = 1_000_000
"""Code points. What is longer is generated."""
_TYPES = frozenset(
    (
        "class_declaration",
        "interface_declaration",
        "enum_declaration",
        "record_declaration",
        "annotation_type_declaration",
    )
)
CONSTRUCTOR = "<init>"
STATIC = "<clinit>"


class File(TreeFile):
    """One parsed source."""

    __slots__ = ("classes", "imports", "package")

    def __init__(self, source: Source, tree: Syntax, data: bytes) -> None:
        super().__init__(source, tree, data)
        self.package = ""
        self.imports: dict[str, str] = {}
        """Full names by simple ones; static members too."""
        self.classes: dict[str, JavaClass] = {}
        """Nested ones as `Outer.Inner`."""


class JavaClass(Class):
    """`outer` is the class it stands in; `shared` are the names of its static fields, `own` of the others.

    Those of an enum have `constants` besides.
    """

    __slots__ = ("constants", "outer", "own", "shared")

    def __init__(self, name: str, file: File, bases: list[str], outer: JavaClass | None) -> None:
        super().__init__(name, file, bases)
        self.outer = outer
        self.own: set[str] = set()
        self.shared: set[str] = set()
        self.constants: list[str] = []


@kept
def read_file(source: Source) -> File | None:
    """A file with its classes; None for a generated giant. Raises ParseError where the grammar gave up.

    All runs share it: what changes while a program runs is the machine's.
    """
    if len(source.text) > _LONGEST:
        return None
    data = source.text.encode("utf-8", "surrogatepass")
    file = File(source, _parser().parse(data), data)
    root = file.root
    if root.has_error:
        at = len(data[: first_error(root).start_byte].decode("utf-8", "ignore"))
        raise ParseError("no valid Java", source.span(at, at))
    for child in root.named_children:
        text = text_of(child)
        if child.type == "package_declaration":
            file.package = text.removeprefix("package").strip(" ;\n")
        elif child.type == "import_declaration":
            full = re.sub(r"^import\s+(?:static\s+)?", "", text).strip(" ;\n")
            file.imports[full.rpartition(".")[2]] = full
    for child in root.named_children:
        if child.type in _TYPES:
            _declare(child, file, None)
    return file


@cache
def _parser() -> Parser:
    import tree_sitter_java
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_java.language()))


def plain_type(node: Tree | None) -> str:
    """A type's name without its arguments."""
    return re.sub(r"<.*>|\[\]|@\w+\s*", "", text_of(node), flags=re.S).strip()


def _declare(node: Tree, file: File, outer: JavaClass | None) -> None:
    name = text_of(node.child_by_field_name("name"))
    name = f"{outer.name}.{name}" if outer is not None else name
    bases = [plain_type(child) for child in _children(node.child_by_field_name("superclass"))]
    interfaces = node.child_by_field_name("interfaces")
    bases += [plain_type(child) for one in _children(interfaces) for child in one.named_children]
    class_ = JavaClass(name, file, bases, outer)
    file.classes[name] = class_
    parameters = node.child_by_field_name("parameters")
    if node.type == "record_declaration" and parameters is not None:
        params = _params(parameters)
        class_.own |= {param.name for param in params}
        class_.methods[CONSTRUCTOR] = Function(
            CONSTRUCTOR, file, node, params, lambda: Body(class_, ()).assigned(node, params)
        )
    fill(class_, node.child_by_field_name("body"))


def fill(class_: JavaClass, body: Tree | None) -> None:
    """Gives a class what its body declares."""
    static_parts: list[tuple[Tree, str]] = []
    members = [
        one for child in _children(body) for one in (_children(child) if "declarations" in child.type else [child])
    ]
    for child in members:
        modifiers = next((text_of(one) for one in child.children if one.type == "modifiers"), "")
        static = re.search(r"\bstatic\b", modifiers) is not None or (body is not None and body.type == "interface_body")
        if child.type in _TYPES:
            _declare(child, class_.file, class_)
        elif child.type in ("field_declaration", "constant_declaration"):
            for one in child.children_by_field_name("declarator"):
                name, value = text_of(one.child_by_field_name("name")), one.child_by_field_name("value")
                (class_.shared if static else class_.own).add(name)
                if static:
                    static_parts.append((one, name))
                else:
                    class_.fields[name] = Body(class_, ()).expression(value) if value is not None else None
        elif child.type == "enum_constant":
            class_.constants.append(text_of(child.child_by_field_name("name")))
            class_.shared.add(class_.constants[-1])
        elif child.type == "static_initializer":
            static_parts.append((child, ""))
        elif child.type in ("method_declaration", "constructor_declaration", "compact_constructor_declaration"):
            _method(class_, child, static and child.type == "method_declaration" and "static" in modifiers)
    if static_parts:
        class_.statics[STATIC] = Function(
            STATIC, class_.file, body, (), lambda: Body(class_, ()).static_start(body, static_parts)
        )


def _method(class_: JavaClass, node: Tree, static: bool) -> None:
    is_method = node.type == "method_declaration"
    name = text_of(node.child_by_field_name("name")) if is_method else CONSTRUCTOR
    body = node.child_by_field_name("body")
    if body is None:
        return
    params = _params(node.child_by_field_name("parameters"))
    names = tuple(param.name for param in params)
    modifiers = next((text_of(one) for one in node.children if one.type == "modifiers"), "")
    how = Body.synchronized if "synchronized" in modifiers.split() else Body.block
    function = Function(name, class_.file, node, params, lambda: how(Body(class_, names), body))
    functions = class_.statics if static else class_.methods
    # of overloads the one with the longest body counts: the others mostly call it
    known = functions.get(name)
    if known is None or len(text_of(known.at)) < len(text_of(node)):
        functions[name] = function


def _params(node: Tree | None) -> tuple[Param, ...]:
    found = []
    for child in _children(node):
        if child.type == "formal_parameter":
            found.append(Param(text_of(child.child_by_field_name("name"))))
        elif child.type == "spread_parameter":
            declarator = next((one for one in child.named_children if one.type == "variable_declarator"), None)
            if declarator is not None:
                found.append(Param(text_of(declarator.child_by_field_name("name")), "rest"))
    return tuple(found)


def _children(node: Tree | None) -> list[Tree]:
    return [child for child in node.named_children if "comment" not in child.type] if node is not None else []
