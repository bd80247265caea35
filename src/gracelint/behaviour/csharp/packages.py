"""The classes of a C# program, wherever its project's sources lie, and its entry: a Main, or top-level statements."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.csharp.statements import CsBody, body_of, params_of, value_of, variables_of
from gracelint.behaviour.csharp.syntax import read_file
from gracelint.behaviour.java.syntax import CONSTRUCTOR, STATIC, JavaClass
from gracelint.behaviour.machine.nodes import Function, Node, Param, Seq, Set
from gracelint.behaviour.tree import text_of
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node as Tree

    from gracelint.behaviour.tree import TreeFile
    from gracelint.facts.files import Files

_TYPES = ("class_declaration", "struct_declaration", "record_declaration", "interface_declaration")
_MOST = 400
"""Files of one run."""
PROGRAM = "<Program>"
"""The class that top-level statements make."""


class Unit(Record, identity=True):
    """One file of a run, with classes of its own."""

    file: TreeFile
    classes: dict[str, JavaClass]
    imports: dict[str, str]

    @property
    def source(self) -> Any:
        return self.file.source

    def span(self, node: Tree) -> Any:
        return self.file.span(node)


class CsClasses:
    """All of them: a namespace is not told from another."""

    def __init__(self, files: Files, paths: tuple[str, ...]) -> None:
        self.unread: list[str] = []
        self._units: list[Unit] = []
        for path in paths[:_MOST]:
            source = files.read(path)
            try:
                file = read_file(source) if source is not None else None
            except ParseError:
                file = None
            if file is None:
                self.unread.append(path)
                continue
            unit = Unit(file, {}, {})
            self._units.append(unit)
            _declare_all(file.root, unit, None)

    @property
    def sources(self) -> tuple[Unit, ...]:
        return tuple(self._units)

    @property
    def entries(self) -> list[JavaClass]:
        """The classes that the program may start with."""
        classes = [class_ for unit in self._units for class_ in unit.classes.values()]
        top = [class_ for class_ in classes if class_.name == PROGRAM]
        return top or [class_ for class_ in classes if "Main" in class_.statics]

    def find(self, name: str, file: Any, inside: JavaClass | None = None) -> JavaClass | None:
        short = name.partition("<")[0].rpartition(".")[2]
        found = [
            class_ for unit in self._units for key, class_ in unit.classes.items() if key.rpartition(".")[2] == short
        ]
        return found[0] if len(found) == 1 or (found and all(one.name == found[0].name for one in found)) else None


def _declare_all(node: Tree, unit: Unit, outer: JavaClass | None) -> None:
    top: list[Tree] = []
    for child in node.named_children:
        if child.type in _TYPES:
            _declare(child, unit, outer)
        elif child.type in ("namespace_declaration", "file_scoped_namespace_declaration"):
            body = child.child_by_field_name("body")
            _declare_all(body if body is not None else child, unit, outer)
        elif child.type == "global_statement":
            top += child.named_children
    if top:
        class_ = JavaClass(PROGRAM, unit, [], None)  # type: ignore[arg-type]
        unit.classes[PROGRAM] = class_

        def start() -> Node:
            body = CsBody(class_, ("args",))
            from gracelint.behaviour.csharp.statements import declared

            for one in top:
                body.names |= declared(one)
                if one.type == "local_function_statement":
                    body.names.add(text_of(one.child_by_field_name("name")))
            return Seq(top[0], body.statements(top), False)

        class_.statics["Main"] = Function("Main", unit, top[0], (Param("args"),), start)


def _declare(node: Tree, unit: Unit, outer: JavaClass | None) -> None:
    name = text_of(node.child_by_field_name("name"))
    name = f"{outer.name}.{name}" if outer is not None else name
    bases = next((one for one in node.named_children if one.type == "base_list"), None)
    names = [text_of(one).partition("<")[0] for one in bases.named_children] if bases is not None else []
    class_ = unit.classes.get(name) or JavaClass(name, unit, names, outer)  # type: ignore[arg-type]
    unit.classes[name] = class_
    static_parts: list[tuple[Tree, str]] = []
    body = node.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        static = any(one.type == "modifier" and text_of(one) in ("static", "const") for one in child.named_children)
        if child.type in _TYPES:
            _declare(child, unit, class_)
        elif child.type == "field_declaration":
            for one in variables_of(child):
                _field(class_, one, text_of(one.child_by_field_name("name")), value_of(one), static, static_parts)
        elif child.type == "property_declaration":
            value = child.child_by_field_name("value")
            value = None if value is not None and value.type == "arrow_expression_clause" else value
            _field(class_, child, text_of(child.child_by_field_name("name")), value, static, static_parts)
        elif child.type in ("method_declaration", "constructor_declaration"):
            _method(class_, child, static)
    if static_parts:

        def start() -> Node:
            made = CsBody(class_, ())
            parts = [
                Set(one, False, made._static(one, class_, key), made.expression(value))
                for one, key in static_parts
                if (value := _start_of(one)) is not None
            ]
            return Seq(node, parts, False)

        class_.statics[STATIC] = Function(STATIC, unit, node, (), start)


def _start_of(node: Tree) -> Tree | None:
    return value_of(node) if node.type == "variable_declarator" else node.child_by_field_name("value")


def _field(
    class_: JavaClass, node: Tree, name: str, value: Tree | None, static: bool, parts: list[tuple[Tree, str]]
) -> None:
    (class_.shared if static else class_.own).add(name)
    if static:
        parts.append((node, name))
    else:
        class_.fields[name] = CsBody(class_, ()).expression(value) if value is not None else None


def _method(class_: JavaClass, node: Tree, static: bool) -> None:
    name = CONSTRUCTOR if node.type == "constructor_declaration" else text_of(node.child_by_field_name("name"))
    body = body_of(node)
    if body is None:
        return
    names = params_of(node.child_by_field_name("parameters"))
    function = Function(
        name, class_.file, node, tuple(Param(one) for one in names), lambda: CsBody(class_, names).block(body)
    )
    functions = class_.statics if static else class_.methods
    known = functions.get(name)
    if known is None or len(text_of(known.at)) < len(text_of(node)):
        functions[name] = function
