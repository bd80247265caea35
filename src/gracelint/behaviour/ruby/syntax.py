"""Ruby as tree-sitter reads it, made into nodes for the machine."""

from __future__ import annotations

from functools import cache

from gracelint.base.memory import kept
from gracelint.base.numbers import is_whole
from gracelint.behaviour.machine import nodes
from gracelint.behaviour.machine.nodes import Class, Const, Field, Function, List, Name, Node, Param, Seq
from gracelint.behaviour.machine.values import NIL, UNKNOWN
from gracelint.behaviour.tree import TreeFile, first_error, text_of
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
_LITERALS: dict[str, Any] = {"nil": NIL, "true": True, "false": False}
_ITEMS = ("string_array", "symbol_array")
SELF = "self"
GLOBALS = "$globals"


class File(TreeFile):
    """One parsed source."""

    __slots__ = ("classes", "functions", "required")

    def __init__(self, source: Source, tree: Syntax, data: bytes) -> None:
        super().__init__(source, tree, data)
        self.functions: dict[str, Function] = {}
        """Methods at the top."""
        self.classes: dict[str, Class] = {}
        """Classes and modules by their full name."""
        self.required: list[tuple[str, str]] = []
        """`require`, `require_relative` or `load`, and what of."""


@kept
def read_file(source: Source) -> File | None:
    """Parses a source; None for a giant, or one nested too deep. Raises ParseError where the grammar gave up."""
    if len(source.text) > _LONGEST:
        return None
    data = source.text.encode("utf-8", "surrogatepass")
    tree = _parser().parse(data)
    file = File(source, tree, data)
    if file.root.has_error:
        raise ParseError("no valid Ruby", file.span(first_error(file.root)))
    try:
        Lower(file).declare(file.root, None)
    except RecursionError:
        return None
    return file


@cache
def _parser() -> Parser:
    import tree_sitter_ruby
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_ruby.language()))


def body_of(file: File) -> Node:
    """What a file does when it is loaded."""
    return Lower(file).all(file.root)


class Lower:
    """Makes nodes of one file. `block` is the block that a `break` leaves, where it stands in one."""

    def __init__(self, file: File, module: str = "", block: Any = None) -> None:
        self.file, self.module, self.block = file, module, block

    # declarations

    def declare(self, tree: Tree, owner: Class | None, static: bool = False) -> None:
        """Notes the classes and methods below, without what their bodies do."""
        for child in tree.named_children:
            kind = child.type
            if kind in ("class", "module"):
                self._class(child, owner)
            elif kind == "method" or (kind == "singleton_method" and owner is not None):
                function = self.function(child, owner)
                if owner is None:
                    self.file.functions[function.name] = function
                else:
                    (owner.statics if static or kind == "singleton_method" else owner.methods)[function.name] = function
            elif kind == "singleton_class" and owner is not None:
                self.declare(child.child_by_field_name("body") or child, owner, static=True)
            elif kind == "call" and self._word(child) in ("require", "require_relative", "load", "autoload"):
                self._require(child)
            elif kind == "call" and owner is not None:
                self._in_class(child, owner)
            elif kind == "identifier" and owner is not None and text_of(child) == "module_function":
                owner.statics = owner.methods
            elif kind not in ("assignment", "comment"):
                self.declare(child, owner, static)

    def _class(self, tree: Tree, owner: Class | None) -> None:
        name = text_of(tree.child_by_field_name("name"))
        full = f"{owner.name}::{name}" if owner is not None else name
        above = tree.child_by_field_name("superclass")
        found = self.file.classes.setdefault(full, Class(full, self.file))
        if above is not None and above.named_children:
            found.bases.append(text_of(above.named_children[0]))
        body = tree.child_by_field_name("body")
        if body is not None:
            Lower(self.file, full).declare(body, found)

    def _in_class(self, tree: Tree, owner: Class) -> None:
        word, arguments = self._word(tree), tree.child_by_field_name("arguments")
        names = [text_of(one) for one in (arguments.named_children if arguments is not None else ())]
        if word in ("include", "prepend"):
            owner.bases += names
        elif word == "extend" and names == [SELF]:
            owner.statics = owner.methods
        elif word in ("attr_reader", "attr_accessor", "attr_writer"):
            for name in [one.lstrip(":") for one in names]:
                at = tree
                field = Field(at, f"@{name}", Name(at, SELF))
                if word != "attr_writer":
                    owner.methods[name] = Function(name, self.file, at, (), _lazy(field))
                if word != "attr_reader":
                    new = nodes.Set(at, False, field, Name(at, "value"))
                    owner.methods[f"{name}="] = Function(f"{name}=", self.file, at, (Param("value"),), _lazy(new))
        elif word in ("private", "public", "protected", "module_function", "private_class_method"):
            self.declare(arguments if arguments is not None else tree, owner, word == "private_class_method")
            if word == "module_function":
                owner.statics = owner.methods

    def _require(self, tree: Tree) -> None:
        arguments = tree.child_by_field_name("arguments")
        given = arguments.named_children[-1] if arguments is not None and arguments.named_children else None
        text = text_of(given)
        if given is not None and given.type == "string" and "#{" not in text:
            self.file.required.append((self._word(tree), text[1:-1]))
        elif "__dir__" in text or "__FILE__" in text or "File." in text:
            parts = [one[1:-1] for one in _strings(given)]
            self.file.required.append(("require_relative", "/".join(parts)))

    def _word(self, tree: Tree) -> str:
        return text_of(tree.child_by_field_name("method")) if tree.child_by_field_name("receiver") is None else ""

    def function(self, tree: Tree, owner: Class | None) -> Function:
        name = text_of(tree.child_by_field_name("name"))
        module = owner.name if owner is not None else self.module
        return Function(
            name,
            self.file,
            tree,
            self._params(tree.child_by_field_name("parameters")),
            lambda: Lower(self.file, module).body(tree.child_by_field_name("body")),
        )

    def _params(self, tree: Tree | None) -> tuple[Param, ...]:
        kinds = {
            "splat_parameter": "rest",
            "keyword_parameter": "named",
            "hash_splat_parameter": "keywords",
            "block_parameter": "block",
        }
        found = []
        for child in tree.named_children if tree is not None else ():
            name = child.child_by_field_name("name")
            default = child.child_by_field_name("value")
            found.append(
                Param(
                    text_of(name if name is not None else child),
                    kinds.get(child.type, ""),
                    self.node(default) if default is not None else None,
                )
            )
        return tuple(found)

    # bodies

    def body(self, tree: Tree | None) -> Node:
        """The body of a method, a block or `begin`, with what it rescues and ensures."""
        if tree is None:
            return Const(self.file.root, NIL)
        parts = ("rescue", "else", "ensure")
        if not any(child.type in parts for child in tree.named_children):
            return self.all(tree) if tree.type in _BODIES else self.node(tree)
        main = [self.node(one) for one in tree.named_children if one.type not in (*parts, "comment")]
        catches = [self._rescue(one) for one in tree.named_children if one.type == "rescue"]
        other = next((one for one in tree.named_children if one.type == "else"), None)
        final = next((one for one in tree.named_children if one.type == "ensure"), None)
        made: Node = nodes.Try(
            tree,
            Seq(tree, main, False),
            catches,
            self.all(final) if final is not None else None,
            self.all(other) if other is not None else None,
        )
        if any(one.type == "retry" for child in tree.named_children if child.type == "rescue" for one in _walk(child)):
            made = nodes.Loop(tree, False, Seq(tree, [nodes.Break(tree, "retry", made)], False), "retry", None, None)
        return made

    def _rescue(self, tree: Tree) -> tuple[tuple[str, ...], str, Node]:
        classes = tree.child_by_field_name("exceptions")
        names = tuple(text_of(one) for one in classes.named_children) if classes is not None else ()
        variable = tree.child_by_field_name("variable")
        name = text_of(variable.named_children[0]) if variable is not None and variable.named_children else ""
        body = tree.child_by_field_name("body")
        return names, name, Seq(tree, [self.all(body)] if body is not None else [], False)

    def all(self, tree: Tree) -> Node:
        return Seq(tree, [self.node(one) for one in tree.named_children if one.type not in _SILENT], False)

    def node(self, tree: Tree | None) -> Node:
        if tree is None:
            return Const(self.file.root, NIL)
        how = _BY_TYPE.get(tree.type)
        if how is not None:
            return how(self, tree)
        if tree.type in _LITERALS:
            return Const(tree, _LITERALS[tree.type])
        return Const(tree, UNKNOWN)

    def _of(self, tree: Tree, field: str) -> Node:
        return self.node(tree.child_by_field_name(field))

    def name(self, tree: Tree) -> Node:
        return Name(tree, text_of(tree))

    def variable(self, tree: Tree) -> Node:
        text = text_of(tree)
        of = SELF if text.startswith("@") and not text.startswith("@@") else GLOBALS
        return Field(tree, text, Name(tree, of))

    def number(self, tree: Tree) -> Node:
        text = text_of(tree).replace("_", "").lower()
        try:
            return Const(tree, int(text, 0) if tree.type == "integer" else float(text))
        except ValueError:
            return Const(tree, UNKNOWN)

    def string(self, tree: Tree) -> Node:
        if any(one.type == "interpolation" for one in tree.named_children):
            parts = [self.all(one) for one in tree.named_children if one.type == "interpolation"]
            return Seq(tree, [*parts, Const(tree, UNKNOWN)], False)
        return Const(tree, "".join(text_of(one) for one in tree.named_children))

    def symbol(self, tree: Tree) -> Node:
        return Const(tree, text_of(tree).lstrip(":").rstrip(":").strip("\"'"))

    def array(self, tree: Tree) -> Node:
        if tree.type in _ITEMS:
            return List(tree, [Const(one, text_of(one)) for one in tree.named_children])
        return List(tree, self._items(tree))

    def _items(self, tree: Tree) -> list[Node]:
        return [self.node(one) for one in tree.named_children if one.type != "comment"]

    def pairs(self, tree: Tree) -> Node:
        return nodes.Map(tree, [self._pair(one) for one in tree.named_children if one.type == "pair"])

    def _pair(self, tree: Tree) -> tuple[Node, Node]:
        key, value = tree.child_by_field_name("key"), tree.child_by_field_name("value")
        its = self.symbol(key) if key is not None and key.type == "hash_key_symbol" else self.node(key)
        return its, self.node(value) if value is not None else Name(tree, text_of(key))

    def assignment(self, tree: Tree) -> Node:
        left, right = tree.child_by_field_name("left"), tree.child_by_field_name("right")
        value = List(tree, self._items(right)) if right is not None and right.type in _LISTS else self.node(right)
        if left is not None and left.type == "constant":
            target: Node = Field(left, text_of(left), Name(left, GLOBALS))
        else:
            target = self.target(left)
        return nodes.Set(tree, False, target, value)

    def target(self, tree: Tree | None) -> Node:
        if tree is not None and tree.type == "left_assignment_list":
            return List(tree, [self.target(one) for one in tree.named_children])
        if tree is not None and tree.type == "call":
            return Field(tree, text_of(tree.child_by_field_name("method")), self._of(tree, "receiver"))
        if tree is not None and tree.type == "element_reference":
            return self.index(tree)
        return self.node(tree)

    def operator_assignment(self, tree: Tree) -> Node:
        left = self.target(tree.child_by_field_name("left"))
        right = self._of(tree, "right")
        operator = text_of(tree.child_by_field_name("operator"))[:-1]
        if operator == "||":
            first = Const(tree, NIL) if isinstance(left, Name) else left
            return nodes.Set(tree, False, left, nodes.Either(tree, first, False, right))
        if operator == "&&":
            return nodes.Set(tree, False, left, nodes.Both(tree, left, right))
        return nodes.Set(tree, False, left, nodes.Binary(tree, left, operator, right))

    def index(self, tree: Tree) -> Node:
        parts = tree.named_children
        return nodes.Index(tree, self.node(parts[1] if len(parts) > 1 else None), self.node(parts[0]))

    # calls

    def call(self, tree: Tree) -> Node:
        receiver, method = tree.child_by_field_name("receiver"), tree.child_by_field_name("method")
        word = text_of(method) if method is not None else "call"
        block = tree.child_by_field_name("block")
        endless = receiver is not None and word == "each" and text_of(receiver).rstrip(")").endswith("..")
        if ((receiver is None and word == "loop") or endless) and block is not None:
            inner = Lower(self.file, self.module).body(block.child_by_field_name("body"))
            again = nodes.Loop(tree, False, inner, "", None, None)
            if endless:
                return again
            return nodes.Try(tree, again, [(("StopIteration",), "", Seq(tree, [], False))], None, None)
        if receiver is None and word in ("raise", "fail"):
            return self._raise(tree)
        if receiver is None and word in ("lambda", "proc") and block is not None:
            return self.closure(block)
        of = self.node(receiver) if receiver is not None else Name(tree, SELF)
        args, named = self._arguments(tree.child_by_field_name("arguments"))
        if block is not None:
            named["block"] = self.closure(block)
        made: Node = nodes.Call(tree, args, Field(tree, word, of), named)
        if text_of(tree.child_by_field_name("operator")) == "&.":
            made = nodes.Both(tree, of, made)
        return made

    def _arguments(self, tree: Tree | None) -> tuple[list[Node], dict[str, Node]]:
        args: list[Node] = []
        named: dict[str, Node] = {}
        for one in tree.named_children if tree is not None else ():
            if one.type == "pair":
                key, value = one.child_by_field_name("key"), one.child_by_field_name("value")
                name = text_of(key).strip(":\"'")
                named[name] = self.node(value) if value is not None else Name(one, name)
            elif one.type == "block_argument":
                named["block"] = self.node(one.named_children[0] if one.named_children else None)
            elif one.type == "splat_argument":
                args.append(nodes.Spread(one, self.node(one.named_children[0])))
            elif one.type not in ("comment", "hash_splat_argument"):
                args.append(self.node(one))
        return args, named

    def _raise(self, tree: Tree) -> Node:
        args, _ = self._arguments(tree.child_by_field_name("arguments"))
        return nodes.Raise(tree, args[0] if args else None)

    def closure(self, tree: Tree) -> Node:
        """A block, or the body of a lambda, whose `return` is its own end."""
        found: list[Function] = []

        def body() -> Node:
            its = tree.child_by_field_name("body")
            if its is not None and its.type in ("block", "do_block"):
                its = its.child_by_field_name("body")
            return Lower(self.file, self.module, found[0]).body(its)

        parameters = tree.child_by_field_name("parameters")
        is_block = tree.type != "lambda"
        found.append(Function("block", self.file, tree, self._params(parameters), body, block=is_block))
        return nodes.Make(tree, found[0])

    def binary(self, tree: Tree) -> Node:
        left, right = self._of(tree, "left"), self._of(tree, "right")
        operator = text_of(tree.child_by_field_name("operator"))
        if operator in ("&&", "and"):
            return nodes.Both(tree, left, right)
        if operator in ("||", "or"):
            return nodes.Either(tree, left, False, right)
        if operator == "<<":
            return nodes.Call(tree, [right], Field(tree, "push", left), {})
        return nodes.Binary(tree, left, operator, right)

    def unary(self, tree: Tree) -> Node:
        operand = self._of(tree, "operand")
        operator = text_of(tree.child_by_field_name("operator"))
        if operator in ("!", "not"):
            return nodes.Not(tree, operand)
        return nodes.Binary(tree, Const(tree, 0), "-", operand) if operator == "-" else Const(tree, UNKNOWN)

    def scope(self, tree: Tree) -> Node:
        return Name(tree, text_of(tree).removeprefix("::"))

    def yields(self, tree: Tree) -> Node:
        args, named = self._arguments(tree.named_children[0] if tree.named_children else None)
        return nodes.Call(tree, args, Name(tree, "yield"), named)

    def super(self, tree: Tree) -> Node:
        return nodes.Call(tree, [], Name(tree, "super"), {})

    # control

    def conditional(self, tree: Tree) -> Node:
        then, other = tree.child_by_field_name("consequence"), tree.child_by_field_name("alternative")
        test = self._of(tree, "condition")
        if tree.type == "unless":
            test = nodes.Not(tree, test)
        return nodes.If(
            tree, self.node(other) if other is not None else None, test, self.node(then) if then is not None else None
        )

    def modifier(self, tree: Tree) -> Node:
        test, body = self._of(tree, "condition"), tree.child_by_field_name("body")
        if tree.type in ("unless_modifier", "until_modifier"):
            test = nodes.Not(tree, test)
        if tree.type in ("if_modifier", "unless_modifier"):
            return nodes.If(tree, None, test, self.node(body))
        after = body is not None and body.type == "begin"
        return nodes.Loop(tree, after, self.node(body), "", None, test)

    def loop(self, tree: Tree) -> Node:
        test = self._of(tree, "condition")
        inner = Lower(self.file, self.module)
        if tree.type == "until":
            test = nodes.Not(tree, test)
        return nodes.Loop(tree, False, inner._of(tree, "body"), "", None, test)

    def each(self, tree: Tree) -> Node:
        over = tree.child_by_field_name("value")
        names = [text_of(one) for one in _walk(tree.child_by_field_name("pattern")) if one.type == "identifier"]
        inner = Lower(self.file, self.module)
        value = self.node(over.named_children[0] if over is not None and over.named_children else None)
        return nodes.Each(tree, inner._of(tree, "body"), "", names, value)

    def case(self, tree: Tree) -> Node:
        cases: list[tuple[tuple[Node, ...], Node]] = []
        for one in tree.named_children:
            if one.type in ("when", "in_clause"):
                patterns = [part for part in one.named_children if part.type == "pattern"]
                values = tuple(map(self._option, patterns))
                body = one.child_by_field_name("body")
                cases.append(
                    (values or (Const(one, UNKNOWN),), self.all(body) if body is not None else Const(one, NIL))
                )
            elif one.type == "else":
                cases.append(((), self.all(one)))
        value = tree.child_by_field_name("value")
        return nodes.Switch(tree, cases, self.node(value) if value is not None else None)

    def _option(self, pattern: Tree) -> Node:
        tree = pattern.named_children[0] if pattern.named_children else None
        return Const(pattern, UNKNOWN) if tree is not None and tree.type == "range" else self.node(tree)

    def range(self, tree: Tree) -> Node:
        first, last = (tree.child_by_field_name(name) for name in ("begin", "end"))
        if first is None or last is None:
            return Const(tree, UNKNOWN)
        end = self.node(last)
        if text_of(tree.child_by_field_name("operator")) == "...":
            end = nodes.Binary(tree, end, "-", Const(tree, 1))
        return nodes.Call(tree, [end], Field(tree, "upto", self.node(first)), {})

    def leave(self, tree: Tree) -> Node:
        args, _ = self._arguments(tree.named_children[0] if tree.named_children else None)
        value = List(tree, args) if len(args) > 1 else args[0] if args else None
        if tree.type == "return":
            return nodes.Return(tree, value)
        if tree.type == "break":
            return nodes.Break(tree, self.block or "", value)
        return nodes.Continue(tree, "retry" if tree.type == "retry" else "", value)

    def rescue_modifier(self, tree: Tree) -> Node:
        return nodes.Try(tree, self._of(tree, "body"), [((), "", self._of(tree, "handler"))], None, None)

    def reopened(self, tree: Tree) -> Node:
        """A class's body runs when its file is loaded."""
        body = tree.child_by_field_name("body")
        if body is None:
            return Const(tree, NIL)
        calls = [one for one in body.named_children if one.type in ("call", "assignment", "class", "module")]
        return Seq(
            tree, [Lower(self.file, self.module).node(one) for one in calls if not self._is_declared(one)], False
        )

    def _is_declared(self, tree: Tree) -> bool:
        return tree.type == "call" and self._word(tree) in _DECLARING


def _lazy(node: Node) -> Callable[[], Node]:
    return lambda: node


def _walk(tree: Tree | None) -> list[Tree]:
    waiting = [tree] if tree is not None else []
    found = []
    while waiting:
        here = waiting.pop()
        found.append(here)
        waiting.extend(reversed(here.named_children))
    return found


def _strings(tree: Tree | None) -> list[str]:
    return [text_of(one) for one in _walk(tree) if one.type == "string" and not is_whole(text_of(one))]


_DECLARING = ("attr_reader", "attr_accessor", "attr_writer", "include", "extend", "prepend", "private", "public")
_SILENT = ("comment", "method", "singleton_method", "heredoc_body", "empty_statement")
_LISTS = ("right_assignment_list", "array")
_BODIES = ("body_statement", "block_body", "then", "do", "else", "ensure", "begin", "program")
_BY_TYPE: dict[str, Callable[[Lower, Any], Node]] = {
    **dict.fromkeys(("identifier", "constant", "self"), Lower.name),
    **dict.fromkeys(("instance_variable", "class_variable", "global_variable"), Lower.variable),
    **dict.fromkeys(("integer", "float"), Lower.number),
    **dict.fromkeys(("string", "bare_string", "chained_string"), Lower.string),
    **dict.fromkeys(("simple_symbol", "delimited_symbol", "hash_key_symbol"), Lower.symbol),
    **dict.fromkeys(("array", "string_array", "symbol_array"), Lower.array),
    **dict.fromkeys(("if", "elsif", "unless", "conditional"), Lower.conditional),
    **dict.fromkeys(("if_modifier", "unless_modifier", "while_modifier", "until_modifier"), Lower.modifier),
    **dict.fromkeys(("while", "until"), Lower.loop),
    **dict.fromkeys(("return", "break", "next", "retry", "redo"), Lower.leave),
    **dict.fromkeys(("then", "do", "else", "parenthesized_statements", "program", "begin_block"), Lower.all),
    **dict.fromkeys(("begin", "body_statement", "block_body"), Lower.body),
    **dict.fromkeys(("class", "module"), Lower.reopened),
    **dict.fromkeys(("case", "case_match"), Lower.case),
    "hash": Lower.pairs,
    "assignment": Lower.assignment,
    "operator_assignment": Lower.operator_assignment,
    "element_reference": Lower.index,
    "call": Lower.call,
    "range": Lower.range,
    "lambda": Lower.closure,
    "binary": Lower.binary,
    "unary": Lower.unary,
    "scope_resolution": Lower.scope,
    "yield": Lower.yields,
    "super": Lower.super,
    "for": Lower.each,
    "rescue_modifier": Lower.rescue_modifier,
}
