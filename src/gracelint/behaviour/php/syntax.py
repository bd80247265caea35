"""PHP as tree-sitter reads it, made into nodes for the machine. Variables keep their `$`."""

from __future__ import annotations

import re
from functools import cache

from gracelint.base.memory import kept
from gracelint.behaviour.machine import nodes
from gracelint.behaviour.machine.nodes import Class, Const, Field, Function, List, Name, Node, Param, Seq
from gracelint.behaviour.machine.values import NIL, UNKNOWN
from gracelint.behaviour.tree import TreeFile, first_error, text_of, walk
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node as Tree
    from tree_sitter import Parser
    from tree_sitter import Tree as Syntax

    from gracelint.source import Source

_LONGEST = 1_000_000
_MOST_PLACES = 1_000
"""Of a list that values are taken from by number; a larger number counts as this one."""
_TAKEN = "foreach"
"""Not the name of a variable: what `foreach` takes out before it is put into several."""
YIELD = "yield"
_TYPES = ("class_declaration", "trait_declaration", "interface_declaration", "enum_declaration")
_TICKS = re.compile(r"declare\s*\([^()]*\bticks\s*=[^()]*\)")


class Shared(Param):
    """`&$name`: the caller's own variable."""

    __slots__ = ()


class File(TreeFile):
    """One parsed source. `ticks`: signals are looked at between its statements."""

    __slots__ = ("classes", "functions", "mentioned", "namespace", "required", "ticks", "uses")

    def __init__(self, source: Source, tree: Syntax, data: bytes) -> None:
        super().__init__(source, tree, data)
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, Class] = {}
        """By the last part of their names."""
        self.required: list[Tree] = []
        self.namespace = ""
        self.uses: dict[str, str] = {}
        """Full names by the name they have in this file."""
        self.mentioned: dict[str, None] = {}
        """Full names of the classes it speaks of."""
        self.ticks = _TICKS.search(source.text) is not None


@kept
def read_file(source: Source) -> File | None:
    """Parses a source; None for a giant, or one nested too deep. Raises ParseError where the grammar gave up."""
    if len(source.text) > _LONGEST:
        return None
    # the grammar knows no list of directives
    text = _TICKS.sub(lambda found: found[0][:0] + "declare(ticks=1)".ljust(len(found[0])), source.text)
    data = text.encode("utf-8", "surrogatepass")
    tree = _parser().parse(data)
    file = File(source, tree, data)
    if file.root.has_error:
        raise ParseError("no valid PHP", file.span(first_error(file.root)))
    try:
        _declare(file, file.root)
    except RecursionError:
        return None
    return file


@cache
def _parser() -> Parser:
    import tree_sitter_php
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_php.language_php()))


def body_of(file: File) -> Node:
    """What a file does when it is included."""
    return Lower(file).all(file.root)


def short(name: str) -> str:
    return name.rpartition("\\")[2]


# declarations


def _declare(file: File, root: Tree) -> None:
    lower = Lower(file)
    for tree in walk(root):
        kind = tree.type
        if kind == "namespace_definition":
            file.namespace = text_of(tree.child_by_field_name("name"))
        elif kind == "namespace_use_declaration":
            _use(file, tree)
        elif kind in _TYPES:
            _class(lower, tree)
        elif kind == "function_definition":
            function = lower.function(tree)
            file.functions[function.name] = function
        elif kind in _REQUIRES:
            file.required.append(tree)
        elif kind in ("object_creation_expression", "scoped_call_expression", "class_constant_access_expression"):
            first = tree.named_children[0] if tree.named_children else None
            if first is not None and first.type in ("name", "qualified_name"):
                file.mentioned[_full(file, text_of(first))] = None
    for class_ in file.classes.values():
        file.mentioned.update(dict.fromkeys(_full(file, base) for base in class_.bases))


def _full(file: File, name: str) -> str:
    if name.startswith("\\"):
        return name[1:]
    first, rest = name.partition("\\")[0], name.partition("\\")[2]
    if first in file.uses:
        return f"{file.uses[first]}\\{rest}" if rest else file.uses[first]
    return f"{file.namespace}\\{name}" if file.namespace else name


def _use(file: File, tree: Tree) -> None:
    prefix = next((text_of(one) + "\\" for one in tree.named_children if one.type == "namespace_name"), "")
    for clause in walk(tree):
        if clause.type == "namespace_use_clause":
            alias = clause.child_by_field_name("alias")
            path = prefix + text_of(clause.named_children[0]).lstrip("\\")
            file.uses[text_of(alias) if alias is not None else short(path)] = path


def _class(lower: Lower, tree: Tree) -> None:
    name = text_of(tree.child_by_field_name("name"))
    _fill(lower, tree, lower.file.classes.setdefault(name, Class(name, lower.file, _bases(tree))))


def _anonymous(lower: Lower, tree: Tree) -> Class:
    class_ = Class("class@anonymous", lower.file, _bases(tree))
    _fill(lower, tree, class_)
    return class_


def _bases(tree: Tree) -> list[str]:
    clauses = [one for one in tree.named_children if one.type in ("base_clause", "class_interface_clause")]
    return [text_of(one) for clause in clauses for one in clause.named_children]


def _fill(lower: Lower, tree: Tree, found: Class) -> None:
    """The members of a class."""
    body = tree.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        is_static = any(one.type == "static_modifier" for one in child.named_children)
        if child.type == "method_declaration":
            function = lower.function(child)
            (found.statics if is_static else found.methods)[function.name] = function
            if function.name == "__construct":
                _promoted(child, found)
        elif child.type == "use_declaration":
            found.bases += [text_of(one) for one in child.named_children if one.type in ("name", "qualified_name")]
        elif child.type == "property_declaration":
            for one in child.named_children:
                if one.type == "property_element":
                    its = text_of(one.child_by_field_name("name")).lstrip("$")
                    default = one.child_by_field_name("default_value")
                    if is_static:
                        found.values[f"${its}"] = _constant(lower.node(default))
                    else:
                        found.fields[its] = lower.node(default) if default is not None else None
        elif child.type == "const_declaration":
            for one in child.named_children:
                if one.type == "const_element" and len(one.named_children) > 1:
                    found.values[text_of(one.named_children[0])] = _constant(lower.node(one.named_children[1]))


def _constant(node: Node) -> Any:
    if isinstance(node, List):
        return [_constant(one) for one in node.items]
    return node.value if isinstance(node, Const) else UNKNOWN


def _promoted(tree: Tree, class_: Class) -> None:
    parameters = tree.child_by_field_name("parameters")
    for one in parameters.named_children if parameters is not None else ():
        if one.type == "property_promotion_parameter":
            class_.fields[text_of(one.child_by_field_name("name")).lstrip("$")] = None


class Lower:
    """Makes nodes of one file."""

    def __init__(self, file: File) -> None:
        self.file = file

    def function(self, tree: Tree) -> Function:
        name = text_of(tree.child_by_field_name("name"))
        body = tree.child_by_field_name("body")
        params, promoted = self._params(tree.child_by_field_name("parameters"))

        def made() -> Node:
            first = [
                nodes.Set(tree, False, Field(tree, one.lstrip("$"), Name(tree, "$this")), Name(tree, one))
                for one in promoted
            ]
            return Seq(tree, [*first, self.node(body) if body is not None else Const(tree, UNKNOWN)], False)

        return Function(name, self.file, tree, params, made)

    def closure(self, tree: Tree) -> Node:
        body = tree.child_by_field_name("body")
        params, _ = self._params(tree.child_by_field_name("parameters"))
        is_arrow = tree.type == "arrow_function"

        def made() -> Node:
            its = self.node(body)
            return nodes.Return(tree, its) if is_arrow else its

        function = Function("closure", self.file, tree, params, made)
        shared: list[str] = []
        copied: list[str] = []
        clause = next((one for one in tree.named_children if one.type == "anonymous_function_use_clause"), None)
        for one in clause.named_children if clause is not None else ():
            if one.type == "by_ref":
                shared.append(text_of(one.named_children[0]))
            else:
                copied.append(text_of(one))
        function.captures = (None if is_arrow else tuple(shared), tuple(copied))
        return nodes.Make(tree, function)

    def _params(self, tree: Tree | None) -> tuple[tuple[Param, ...], list[str]]:
        found: list[Param] = []
        promoted: list[str] = []
        for one in tree.named_children if tree is not None else ():
            name = text_of(one.child_by_field_name("name"))
            if not name:
                continue
            default = one.child_by_field_name("default_value")
            kind = "rest" if one.type == "variadic_parameter" else ""
            made = Shared if not kind and one.child_by_field_name("reference_modifier") is not None else Param
            found.append(made(name, kind, self.node(default) if default is not None else None))
            if one.type == "property_promotion_parameter":
                promoted.append(name)
        return tuple(found), promoted

    # parts

    def all(self, tree: Tree) -> Node:
        return Seq(tree, [self.node(one) for one in tree.named_children if one.type not in _SILENT], False)

    def node(self, tree: Tree | None) -> Node:
        if tree is None:
            return Const(self.file.root, NIL)
        how = _BY_TYPE.get(tree.type)
        return how(self, tree) if how is not None else Const(tree, UNKNOWN)

    def of(self, tree: Tree, field: str) -> Node:
        return self.node(tree.child_by_field_name(field))

    def inner(self, tree: Tree) -> Node:
        return self.node(tree.named_children[0] if tree.named_children else None)

    def variable(self, tree: Tree) -> Node:
        return Name(tree, text_of(tree))

    def word(self, tree: Tree) -> Node:
        text = text_of(tree).lstrip("\\")
        if text.lower() in _WORDS:
            return Const(tree, _WORDS[text.lower()])
        if text in ("die", "exit"):
            return self.exit(tree)
        return Const(tree, self.file.source.path) if text == "__FILE__" else Name(tree, text)

    def constants(self, tree: Tree) -> Node:
        named = [one.named_children for one in tree.named_children if one.type == "const_element"]
        args = [[Const(one[0], text_of(one[0])), self.node(one[-1])] for one in named]
        return Seq(tree, [nodes.Call(tree, one, Name(tree, "define"), {}) for one in args], False)

    def number(self, tree: Tree) -> Node:
        text = text_of(tree).replace("_", "").lower()
        try:
            return Const(tree, int(text, 0) if tree.type == "integer" else float(text))
        except ValueError:
            return Const(tree, UNKNOWN)

    def string(self, tree: Tree) -> Node:
        if any(one.type not in ("string_content", "escape_sequence") for one in tree.named_children):
            return Seq(tree, [*[self.node(one) for one in tree.named_children], Const(tree, UNKNOWN)], False)
        return Const(tree, "".join(text_of(one) for one in tree.named_children).replace("\\\\", "\\"))

    def array(self, tree: Tree) -> Node:
        items = [one for one in tree.named_children if one.type == "array_element_initializer"]
        if any(len(one.named_children) == 2 for one in items):
            pairs = [one.named_children for one in items if len(one.named_children) == 2]
            return nodes.Map(tree, [(self.node(key), self.node(value)) for key, value in pairs])
        return List(tree, [self._item(one) for one in items])

    def _item(self, tree: Tree) -> Node:
        is_spread = bool(tree.named_children) and tree.named_children[0].type == "variadic_unpacking"
        return nodes.Spread(tree, self.inner(tree.named_children[0])) if is_spread else self.inner(tree)

    def targets(self, tree: Tree) -> Node:
        """A list by the places of its values: holes take one, and numbers say theirs. Names are not looked up."""
        parts: list[list[Tree]] = [[]]
        for one in tree.children:
            if one.type == ",":
                parts.append([])
            elif one.is_named:
                parts[-1].append(one)
        items: list[Node] = []
        hole = Const(tree, UNKNOWN)
        for number, (*keys, target) in ((number, part) for number, part in enumerate(parts) if part):
            key = self.node(keys[0]) if keys else None
            place = key.value if isinstance(key, Const) and isinstance(key.value, int) else number + len(keys)
            items += [hole] * (min(place, _MOST_PLACES) + 1 - len(items))
            items[min(place, _MOST_PLACES)] = self.node(target)
        return List(tree, items)

    def assignment(self, tree: Tree) -> Node:
        left, right = tree.child_by_field_name("left"), self.of(tree, "right")
        if left is not None and left.type == "array_creation_expression":
            return nodes.Set(tree, False, List(left, [self.inner(one) for one in left.named_children]), right)
        return nodes.Set(tree, False, self.node(left), right)

    def augmented(self, tree: Tree) -> Node:
        left, right = self.of(tree, "left"), self.of(tree, "right")
        operator = text_of(tree.child_by_field_name("operator"))[:-1]
        if operator == "??":
            return nodes.Set(tree, False, left, nodes.Either(tree, left, True, right))
        return nodes.Set(tree, False, left, nodes.Binary(tree, left, "+" if operator == "." else operator, right))

    def update(self, tree: Tree) -> Node:
        target = self.of(tree, "argument")
        operator = "+" if "++" in text_of(tree) else "-"
        return nodes.Set(tree, False, target, nodes.Binary(tree, target, operator, Const(tree, 1)))

    def binary(self, tree: Tree) -> Node:
        left, right = self.of(tree, "left"), self.of(tree, "right")
        operator = text_of(tree.child_by_field_name("operator")).lower()
        if operator in ("&&", "and"):
            return nodes.Both(tree, left, right)
        if operator in ("||", "or"):
            return nodes.Either(tree, left, False, right)
        if operator == "??":
            return nodes.Either(tree, left, True, right)
        if operator == "instanceof":
            return Const(tree, UNKNOWN)
        operator = {"===": "==", "!==": "!=", "<>": "!=", ".": "+"}.get(operator, operator)
        return nodes.Binary(tree, left, operator, right)

    def unary(self, tree: Tree) -> Node:
        operator = text_of(tree)[:1]
        value = self.of(tree, "argument")
        if operator == "!":
            return nodes.Not(tree, value)
        return nodes.Binary(tree, Const(tree, 0), "-", value) if operator == "-" else value

    def cast(self, tree: Tree) -> Node:
        name = _CASTS.get(text_of(tree.child_by_field_name("type")).lower())
        value = self.of(tree, "value")
        return nodes.Call(tree, [value], Name(tree, name), {}) if name is not None else value

    def index(self, tree: Tree) -> Node:
        parts = tree.named_children
        return nodes.Index(tree, self.node(parts[1]) if len(parts) > 1 else Const(tree, NIL), self.node(parts[0]))

    def member(self, tree: Tree) -> Node:
        return Field(tree, text_of(tree.child_by_field_name("name")), self.of(tree, "object"))

    def static(self, tree: Tree) -> Node:
        return Field(tree, text_of(tree.child_by_field_name("name")), self.of(tree, "scope"))

    def constant(self, tree: Tree) -> Node:
        of, name = tree.named_children[0], text_of(tree.named_children[-1])
        return self.node(of) if name == "class" else Field(tree, name, self.node(of))

    # calls

    def call(self, tree: Tree) -> Node:
        callee = self.node(tree.child_by_field_name("function"))
        return self._called(tree, callee)

    def method(self, tree: Tree) -> Node:
        of = tree.child_by_field_name("object")
        of = of if of is not None else tree.child_by_field_name("scope")
        made = self._called(tree, Field(tree, text_of(tree.child_by_field_name("name")), self.node(of)))
        return nodes.Both(tree, self.node(of), made) if tree.type.startswith("nullsafe") else made

    def _called(self, tree: Tree, callee: Node) -> Node:
        arguments = tree.child_by_field_name("arguments")
        if arguments is not None and any(one.type == "variadic_placeholder" for one in arguments.named_children):
            return callee
        args, named = self._arguments(arguments)
        return nodes.Call(tree, args, callee, named)

    def _arguments(self, tree: Tree | None) -> tuple[list[Node], dict[str, Node]]:
        args: list[Node] = []
        named: dict[str, Node] = {}
        for one in tree.named_children if tree is not None else ():
            if one.type != "argument" or not one.named_children:
                continue
            name, value = one.child_by_field_name("name"), self.node(one.named_children[-1])
            if name is not None:
                named[text_of(name)] = value
            elif one.named_children[0].type == "variadic_unpacking":
                args.append(nodes.Spread(one, self.inner(one.named_children[0])))
            else:
                args.append(value)
        return args, named

    def new(self, tree: Tree) -> Node:
        first = tree.named_children[0] if tree.named_children else None
        if first is not None and first.type == "anonymous_class":
            arguments = next((one for one in first.named_children if one.type == "arguments"), None)
            args, named = self._arguments(arguments)
            return nodes.New(tree, args, named, Const(first, _anonymous(self, first)))
        arguments = next((one for one in tree.named_children if one.type == "arguments"), None)
        args, named = self._arguments(arguments)
        return nodes.New(tree, args, named, self.inner(tree))

    def yields(self, tree: Tree) -> Node:
        first = tree.named_children[0] if tree.named_children else None
        if first is not None and first.type != "array_element_initializer":
            handed = nodes.Call(tree, [Name(tree, _TAKEN)], Name(tree, YIELD), {})
            return nodes.Each(tree, handed, "", [_TAKEN], self.node(first))  # yield from
        args = [self.node(one) for one in first.named_children] if first is not None else []
        return nodes.Call(tree, args, Name(tree, YIELD), {})

    def exit(self, tree: Tree) -> Node:
        if tree.type == "exit_statement" and tree.named_children:
            return Seq(tree, [self.inner(tree), nodes.Call(tree, [], Name(tree, "exit"), {})], False)
        return nodes.Call(tree, [], Name(tree, "exit"), {})

    def require(self, tree: Tree) -> Node:
        return nodes.Call(tree, [Const(tree, tree.id)], Name(tree, "require"), {})

    def globals(self, tree: Tree) -> Node:
        names: list[Node] = [Const(one, text_of(one)) for one in tree.named_children]
        return nodes.Call(tree, names, Name(tree, "global"), {})

    # control

    def conditional(self, tree: Tree) -> Node:
        then, other = tree.child_by_field_name("body"), tree.children_by_field_name("alternative")
        made: Node | None = None
        for one in reversed(other):
            body = one.child_by_field_name("body")
            its = self.node(body) if body is not None else self.node(one)
            made = nodes.If(one, made, self.of(one, "condition"), its) if one.type == "else_if_clause" else its
        test = self.of(tree, "condition")
        if tree.type == "conditional_expression" and then is None:
            return nodes.Either(tree, test, False, made or Const(tree, NIL))
        return nodes.If(tree, made, test, self.node(then))

    def loop(self, tree: Tree) -> Node:
        test = tree.child_by_field_name("condition")
        step = tree.child_by_field_name("update")
        body = self.of(tree, "body")
        if tree.child_by_field_name("body") is None:
            # `for (…):` has its statements right below
            fields = ("initialize", "condition", "update")
            own = [one for name in fields for one in tree.children_by_field_name(name)]
            body = Seq(tree, [self.node(one) for one in tree.named_children if one not in own], False)
        made = nodes.Loop(
            tree,
            tree.type == "do_statement",
            body,
            "",
            self.node(step) if step is not None else None,
            self.node(test) if test is not None else None,
        )
        start = tree.child_by_field_name("initialize")
        return Seq(tree, [self.node(start), made], False) if start is not None else made

    def each(self, tree: Tree) -> Node:
        body = tree.child_by_field_name("body")
        parts = [one for one in tree.named_children if one != body and one.type != "comment"]
        target = parts[1] if len(parts) > 1 else None
        over = self.node(parts[0] if parts else None)
        if target is not None and target.type in ("list_literal", "array_creation_expression"):
            taken = nodes.Set(target, False, self.targets(target), Name(target, _TAKEN))
            return nodes.Each(tree, Seq(tree, [taken, self.node(body)], False), "", [_TAKEN], over)
        names = [text_of(one) for one in walk(target) if one.type == "variable_name"] if target is not None else []
        if target is not None and target.type != "pair":
            names = names[:1]
        return nodes.Each(tree, self.node(body), "", names, over)

    def attempt(self, tree: Tree) -> Node:
        catches = []
        final = None
        for one in tree.named_children:
            if one.type == "catch_clause":
                types = one.child_by_field_name("type")
                names = tuple(text_of(it) for it in types.named_children) if types is not None else ()
                body = Seq(one, [self.of(one, "body")], False)
                catches.append((names, text_of(one.child_by_field_name("name")), body))
            elif one.type == "finally_clause":
                final = Seq(one, [self.of(one, "body")], False)
        return nodes.Try(tree, self.of(tree, "body"), catches, final, None)

    def switch(self, tree: Tree) -> Node:
        body = tree.child_by_field_name("body")
        cases: list[tuple[tuple[Node, ...], Node]] = []
        waiting: list[Node] = []
        for one in body.named_children if body is not None else ():
            if one.type not in ("case_statement", "default_statement"):
                continue
            value = one.child_by_field_name("value")
            if value is not None:
                waiting.append(self.node(value))
            statements = [it for it in one.named_children if it != value and it.type not in _SILENT]
            if statements or one.type == "default_statement":
                its = [self.node(it) for it in statements if it.type != "break_statement"]
                cases.append((() if one.type == "default_statement" else tuple(waiting), Seq(one, its, False)))
                waiting = []
        return nodes.Switch(tree, cases, self.of(tree, "condition"))

    def match(self, tree: Tree) -> Node:
        body = tree.child_by_field_name("body")
        cases: list[tuple[tuple[Node, ...], Node]] = []
        for one in body.named_children if body is not None else ():
            options = one.child_by_field_name("conditional_expressions")
            values = tuple(self.node(it) for it in options.named_children) if options is not None else ()
            cases.append((values, self.of(one, "return_expression")))
        return nodes.Switch(tree, cases, self.of(tree, "condition"))

    def leave(self, tree: Tree) -> Node:
        if tree.type == "return_statement":
            return nodes.Return(tree, self.inner(tree))
        if tree.type == "break_statement":
            return nodes.Break(tree, "", None)
        return nodes.Continue(tree, "", None)

    def throw(self, tree: Tree) -> Node:
        return nodes.Raise(tree, self.inner(tree))


_CASTS = {"int": "intval", "integer": "intval", "float": "floatval", "double": "floatval", "bool": "boolval"}
_WORDS: dict[str, Any] = {"null": NIL, "true": True, "false": False}
_REQUIRES = ("require_expression", "require_once_expression", "include_expression", "include_once_expression")
_SILENT = ("comment", "php_tag", "text_interpolation", "function_definition", "namespace_use_declaration", *_TYPES)
_BY_TYPE: dict[str, Callable[[Lower, Any], Node]] = {
    **dict.fromkeys(("program", "compound_statement", "colon_block", "sequence_expression"), Lower.all),
    **dict.fromkeys(("expression_statement", "parenthesized_expression", "argument", "else_clause"), Lower.inner),
    **dict.fromkeys(("echo_statement", "print_intrinsic", "error_suppression_expression"), Lower.inner),
    **dict.fromkeys(("declare_statement", "namespace_definition"), Lower.all),
    **dict.fromkeys(("name", "qualified_name", "relative_scope", "boolean", "null"), Lower.word),
    **dict.fromkeys(("integer", "float"), Lower.number),
    **dict.fromkeys(("string", "encapsed_string"), Lower.string),
    **dict.fromkeys(("member_access_expression", "nullsafe_member_access_expression"), Lower.member),
    **dict.fromkeys(("member_call_expression", "nullsafe_member_call_expression"), Lower.method),
    **dict.fromkeys(("anonymous_function", "anonymous_function_creation_expression", "arrow_function"), Lower.closure),
    **dict.fromkeys(("if_statement", "conditional_expression"), Lower.conditional),
    **dict.fromkeys(("while_statement", "do_statement", "for_statement"), Lower.loop),
    **dict.fromkeys(("return_statement", "break_statement", "continue_statement"), Lower.leave),
    **dict.fromkeys(_REQUIRES, Lower.require),
    "variable_name": Lower.variable,
    "array_creation_expression": Lower.array,
    "list_literal": Lower.targets,
    "assignment_expression": Lower.assignment,
    "reference_assignment_expression": Lower.assignment,
    "augmented_assignment_expression": Lower.augmented,
    "update_expression": Lower.update,
    "binary_expression": Lower.binary,
    "unary_op_expression": Lower.unary,
    "cast_expression": Lower.cast,
    "subscript_expression": Lower.index,
    "scoped_property_access_expression": Lower.static,
    "class_constant_access_expression": Lower.constant,
    "const_declaration": Lower.constants,
    "yield_expression": Lower.yields,
    "function_call_expression": Lower.call,
    "scoped_call_expression": Lower.method,
    "object_creation_expression": Lower.new,
    "exit_statement": Lower.exit,
    "global_declaration": Lower.globals,
    "foreach_statement": Lower.each,
    "try_statement": Lower.attempt,
    "switch_statement": Lower.switch,
    "match_expression": Lower.match,
    "throw_expression": Lower.throw,
    "throw_statement": Lower.throw,
}
