"""Rust as tree-sitter reads it, made into nodes for the machine.

`Ok(x)` and `Some(x)` are x, None is nil, `()` an empty tuple; references, boxes and counted pointers are what they
point to. Macros are trees of tokens to the grammar: what stands in `select!` is parsed by itself, and keeps its place.
"""

from __future__ import annotations

import re
from functools import cache

from gracelint.base.memory import kept
from gracelint.base.numbers import is_whole
from gracelint.behaviour.machine import nodes
from gracelint.behaviour.machine.nodes import Call, Const, Field, Function, Name, Node, Param, Seq, Set
from gracelint.behaviour.machine.values import NIL, UNKNOWN
from gracelint.behaviour.rust.tokens import bytes_of, parts_of, text_of_at
from gracelint.behaviour.tree import TreeFile, first_error, text_of
from gracelint.parse.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node as Tree
    from tree_sitter import Parser

    from gracelint.behaviour.rust.crates import Module
    from gracelint.source import Source

_LONGEST = 1_000_000
_DEEPEST = 40
"""Macros in macros."""
_ELSEWHERE = re.compile(
    r'cfg\(\s*(?:test\b|windows\b|not\(\s*unix\s*\)|target_os\s*=\s*"(?:windows|macos|wasi)"|target_family\s*=\s*"w)'
)
_PANICS = ("panic", "todo", "unimplemented", "unreachable")
_BLOCKS = ("block", "unsafe_block", "const_block", "gen_block", "try_block")
UNIT = ()


class At:
    """A place of the file, also of what is parsed by itself."""

    __slots__ = ("end_byte", "start_byte")

    def __init__(self, start_byte: int, end_byte: int) -> None:
        self.start_byte, self.end_byte = start_byte, end_byte


@kept
def read_file(source: Source) -> TreeFile | None:
    """Parses a source; None for a generated giant. Raises ParseError with the place where the grammar gave up."""
    if len(source.text) > _LONGEST:
        return None
    data = source.text.encode("utf-8", "surrogatepass")
    tree = _parser().parse(data)
    if tree.root_node.has_error and b"${" in data:
        data = _MADE_NAME.sub(lambda found: b"_" * len(found[0]), data)
        tree = _parser().parse(data)
    file = TreeFile(source, tree, data)
    if file.root.has_error:
        raise ParseError("no valid Rust", file.span(first_error(file.root)))
    return file


_MADE_NAME = re.compile(rb"\$\{[ \t]{0,20}\w{1,60}\([^(){}\n]{0,200}\)[ \t]{0,20}\}")
"""`${concat(set_, $field)}` in a macro, which the grammar does not know."""


@cache
def _parser() -> Parser:
    import tree_sitter_rust
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_rust.language()))


def elsewhere(attribute: Tree) -> bool:
    """Whether an attribute keeps what it stands at out of a Linux build."""
    return _ELSEWHERE.search(text_of(attribute)) is not None


def path_of(node: Tree | None) -> str:
    """A path as it is written, without type arguments."""
    if node is None:
        return ""
    if node.type in ("generic_function", "generic_type", "generic_type_with_turbofish"):
        return path_of(node.child_by_field_name("function") or node.child_by_field_name("type"))
    if node.type in ("scoped_identifier", "scoped_type_identifier"):
        above = node.child_by_field_name("path")
        name = text_of(node.child_by_field_name("name"))
        return f"{path_of(above)}::{name}" if above is not None else name
    if node.type in ("bracketed_type", "qualified_type", "reference_type", "dynamic_type", "abstract_type"):
        return path_of(node.named_children[0]) if node.named_children else ""
    return text_of(node)


class Lower:
    """Makes nodes of one file. `owner` is what `Self` stands for, `base` where a piece of a macro begins."""

    def __init__(self, module: Module, owner: str = "", base: int = 0, tasks: bool = False, depth: int = 0) -> None:
        self.module, self.owner, self.base, self.tasks, self.depth = module, owner, base, tasks, depth

    def at(self, tree: Tree) -> At:
        return At(self.base + tree.start_byte, self.base + tree.end_byte)

    def function(self, tree: Tree) -> Function:
        head = next((text_of(one) for one in tree.children if one.type == "function_modifiers"), "")
        name = text_of(tree.child_by_field_name("name"))
        body = tree.child_by_field_name("body")
        return self._function(tree, name, tree.child_by_field_name("parameters"), body, "async" in head.split())

    def _function(self, tree: Tree, name: str, parameters: Tree | None, body: Tree | None, task: bool) -> Function:
        inner = Lower(self.module, self.owner, self.base, self.tasks if name == "|" else task, self.depth)
        inner.tasks = inner.tasks or task
        params: list[Param] = []
        patterns: list[tuple[str, Tree]] = []
        for one in parameters.named_children if parameters is not None else ():
            if one.type == "attribute_item" or "comment" in one.type:
                continue
            pattern = one.child_by_field_name("pattern") or one
            if one.type == "self_parameter":
                params.append(Param("self"))
                continue
            its = _plain(pattern)
            params.append(Param(its or f"${len(params)}"))
            if its is None:
                patterns.append((f"${len(params) - 1}", pattern))

        def made() -> Node:
            binds = [inner.bind(pattern, Name(inner.at(pattern), its)) for its, pattern in patterns]
            if body is None:
                return Const(inner.at(tree), UNKNOWN)
            inside = inner.statements(body.named_children) if body.type == "block" else [inner.expression(body)]
            return Seq(inner.at(tree), [*binds, *inside], False)

        return Function(name, self.module, self.at(tree), tuple(params), made, task=task)

    def bind(self, pattern: Tree, value: Node) -> Node:
        """A value gets the names of a pattern; whether it fits is the value of that."""
        name = _plain(pattern)
        if name is not None:
            return Set(self.at(pattern), True, Name(self.at(pattern), name), value)
        return self._fits(pattern, value)

    def _fits(self, pattern: Tree, value: Node) -> Node:
        at = self.at(pattern)
        return Call(at, [value, Const(at, pattern)], Name(at, "$fits"), {})

    def _call(self, tree: Tree, name: str, *args: Node) -> Node:
        return Call(self.at(tree), list(args), Name(self.at(tree), name), {})

    # statements

    def _block(self, tree: Tree) -> Node:
        body = self.statements(tree.named_children)
        return Seq(self.at(tree), body, True)

    def statements(self, trees: Iterable[Tree]) -> list[Node]:
        found: list[Node] = []
        skip = ends = False
        last: Tree | None = None
        for one in trees:
            kind = one.type
            if "comment" in kind or kind in ("label", "empty_statement"):
                continue
            if kind in ("attribute_item", "inner_attribute_item"):
                skip = skip or elsewhere(one)
                continue
            if skip:
                skip = False
                continue
            last = one
            ends = kind == "expression_statement" and text_of(one).endswith(";")
            found.append(self._statement(one))
        if last is None or ends or not (last.type == "expression_statement" or _is_expression(last)):
            at = At(self.base, self.base) if last is None else self.at(last)
            found.append(Const(at, UNIT))
        return found

    def _statement(self, tree: Tree) -> Node:
        kind, at = tree.type, self.at(tree)
        if kind == "expression_statement":
            return self.expression(tree.named_children[0]) if tree.named_children else Const(at, UNIT)
        if kind == "let_declaration":
            return self._let(tree)
        if kind == "function_item":
            function = self.function(tree)
            return Set(at, True, Name(at, function.name), nodes.Make(at, function))
        if kind in ("const_item", "static_item"):
            name, value = text_of(tree.child_by_field_name("name")), tree.child_by_field_name("value")
            return Set(at, True, Name(at, name), self.expression(value))
        if not _is_expression(tree):
            self.module.declare([tree])
            return Const(at, UNIT)
        return self.expression(tree)

    def _let(self, tree: Tree) -> Node:
        at = self.at(tree)
        pattern, value = tree.child_by_field_name("pattern"), tree.child_by_field_name("value")
        other = tree.child_by_field_name("alternative")
        made = self.expression(value) if value is not None else Const(at, UNKNOWN)
        if pattern is None:
            return made
        if other is None:
            return self.bind(pattern, made)
        return nodes.If(at, self.expression(other), self._fits(pattern, made), Const(at, UNIT))

    # expressions

    def expression(self, tree: Tree | None) -> Node:
        if tree is None:
            return Const(At(self.base, self.base), UNIT)
        how: Callable[[Tree], Node] | None = getattr(self, f"_e_{tree.type}", None)
        if how is not None:
            return how(tree)
        if tree.type in _BLOCKS:
            inner = next((one for one in tree.named_children if one.type == "block"), None)
            return self.expression(inner) if inner is not None else self._labelled(tree)
        return Const(self.at(tree), UNKNOWN)

    def _labelled(self, tree: Tree) -> Node:
        label = _label(tree)
        if not label:
            return self._block(tree)
        at = self.at(tree)
        return nodes.Loop(at, False, Seq(at, [nodes.Break(at, label, self._block(tree))], False), label, None, None)

    def _inner(self, tree: Tree) -> Node:
        inside = [one for one in tree.named_children if one.type != "mutable_specifier" and "comment" not in one.type]
        return self.expression(inside[-1]) if inside else Const(self.at(tree), UNIT)

    _e_parenthesized_expression = _inner

    def _e_reference_expression(self, tree: Tree) -> Node:
        return self.expression(tree.child_by_field_name("value"))

    def _e_type_cast_expression(self, tree: Tree) -> Node:
        return self.expression(tree.child_by_field_name("value"))

    def _e_identifier(self, tree: Tree) -> Node:
        return Name(self.at(tree), self._own(path_of(tree)))

    _e_self = _e_scoped_identifier = _e_generic_function = _e_identifier

    def _own(self, path: str) -> str:
        first, mark, rest = path.partition("::")
        return f"{self.owner}{mark}{rest}" if first == "Self" and self.owner else path

    def _e_unit_expression(self, tree: Tree) -> Node:
        return Const(self.at(tree), UNIT)

    def _e_integer_literal(self, tree: Tree) -> Node:
        match = re.match(r"[0-9_]+", text_of(tree))
        text = match[0].replace("_", "") if match is not None else ""
        return Const(self.at(tree), int(text) if is_whole(text) and "x" not in text_of(tree)[:2] else UNKNOWN)

    def _e_float_literal(self, tree: Tree) -> Node:
        match = re.fullmatch(r"([0-9]{1,100}(?:\.[0-9]{0,100})?)(?:f32|f64)?", text_of(tree).replace("_", ""))
        return Const(self.at(tree), float(match[1]) if match is not None else UNKNOWN)

    def _e_boolean_literal(self, tree: Tree) -> Node:
        return Const(self.at(tree), text_of(tree) == "true")

    def _e_string_literal(self, tree: Tree) -> Node:
        return Const(self.at(tree), text_of(tree).strip('b"'))

    def _e_negative_literal(self, tree: Tree) -> Node:
        return Const(self.at(tree), UNKNOWN)

    def _field(self, tree: Tree) -> Field:
        value = self.expression(tree.child_by_field_name("value"))
        return Field(self.at(tree), text_of(tree.child_by_field_name("field")), value)

    def _e_field_expression(self, tree: Tree) -> Node:
        return self._call(tree, "$read", self._field(tree))

    def _e_call_expression(self, tree: Tree) -> Node:
        function, arguments = tree.child_by_field_name("function"), tree.child_by_field_name("arguments")
        given = arguments.named_children if arguments is not None else []
        args = [self.expression(one) for one in given if "comment" not in one.type and one.type != "attribute_item"]
        if function is not None and function.type == "generic_function":
            function = function.child_by_field_name("function")
        named: dict[str, Node] = {"$task": Const(self.at(tree), True)} if self.tasks else {}
        callee = self._field(function) if function is not None and _is_field(function) else self.expression(function)
        return Call(self.at(tree), args, callee, named)

    def _e_await_expression(self, tree: Tree) -> Node:
        return nodes.Await(self.at(tree), self.expression(tree.named_children[0]))

    def _e_try_expression(self, tree: Tree) -> Node:
        at = self.at(tree)
        its = Name(at, "$tried")
        leave = nodes.If(at, None, self._call(tree, "$failed", its), nodes.Return(at, its))
        value = Set(at, True, its, self.expression(tree.named_children[0]))
        return Seq(at, [value, leave, its], True)

    def _e_closure_expression(self, tree: Tree) -> Node:
        task = any(one.type == "async" for one in tree.children)
        parameters, body = tree.child_by_field_name("parameters"), tree.child_by_field_name("body")
        return nodes.Make(self.at(tree), self._function(tree, "|", parameters, body, task))

    def _e_async_block(self, tree: Tree) -> Node:
        body = next((one for one in tree.named_children if one.type == "block"), None)
        function = self._function(tree, "async", None, body, True)
        return Call(self.at(tree), [], nodes.Make(self.at(tree), function), {})

    def _e_if_expression(self, tree: Tree) -> Node:
        other = tree.child_by_field_name("alternative")
        test, then = tree.child_by_field_name("condition"), tree.child_by_field_name("consequence")
        otherwise = self.expression(other.named_children[0]) if other is not None and other.named_children else None
        made = nodes.If(self.at(tree), otherwise, self.expression(test), self.expression(then))
        return Seq(self.at(tree), [made], True)

    def _e_let_condition(self, tree: Tree) -> Node:
        pattern = tree.child_by_field_name("pattern")
        value = self.expression(tree.child_by_field_name("value"))
        return self._fits(pattern, value) if pattern is not None else value

    def _e_let_chain(self, tree: Tree) -> Node:
        parts = [self.expression(one) for one in tree.named_children]
        made = parts[0]
        for one in parts[1:]:
            made = nodes.Both(self.at(tree), made, one)
        return made

    def _e_match_expression(self, tree: Tree) -> Node:
        at = self.at(tree)
        its = Name(at, "$matched")
        cases: list[tuple[tuple[Node, ...], Node]] = []
        body = tree.child_by_field_name("body")
        skip = False
        for arm in body.named_children if body is not None else ():
            inner = arm.child_by_field_name("pattern") if arm.type == "match_arm" else None
            if arm.type == "attribute_item":
                skip = elsewhere(arm)
                continue
            if inner is None or skip:
                skip = False
                continue
            guard = inner.child_by_field_name("condition")
            pattern = inner.named_children[0] if inner.named_children else inner
            test: Node = self._fits(pattern, its)
            if guard is not None:
                test = nodes.Both(self.at(guard), test, self.expression(guard))
            value = self.expression(arm.child_by_field_name("value"))
            cases.append(((test,), Seq(self.at(arm), [self._fits(pattern, its), value], True)))
        value = self.expression(tree.child_by_field_name("value"))
        return Seq(at, [Set(at, True, its, value), nodes.Switch(at, cases, None)], True)

    def _e_loop_expression(self, tree: Tree) -> Node:
        body = self.expression(tree.child_by_field_name("body"))
        return nodes.Loop(self.at(tree), False, body, _label(tree), None, None)

    def _e_while_expression(self, tree: Tree) -> Node:
        test = self.expression(tree.child_by_field_name("condition"))
        body = self.expression(tree.child_by_field_name("body"))
        return Seq(self.at(tree), [nodes.Loop(self.at(tree), False, body, _label(tree), None, test)], True)

    def _e_for_expression(self, tree: Tree) -> Node:
        at, pattern = self.at(tree), tree.child_by_field_name("pattern")
        value = tree.child_by_field_name("value")
        body = [self.expression(tree.child_by_field_name("body"))]
        if value is not None and value.type == "range_expression" and value.children[-1].type == "..":
            names = [self.bind(pattern, Const(at, UNKNOWN))] if pattern is not None else []
            return nodes.Loop(at, False, Seq(at, [*names, *body], True), _label(tree), None, None)
        over = self._call(tree, "$each", self.expression(value))
        if pattern is not None:
            body.insert(0, self.bind(pattern, Name(at, "$item")))
        return Seq(at, [nodes.Each(at, Seq(at, body, True), _label(tree), ["$item"], over)], True)

    def _e_return_expression(self, tree: Tree) -> Node:
        return nodes.Return(self.at(tree), self._inner(tree))

    def _e_break_expression(self, tree: Tree) -> Node:
        value = next((one for one in tree.named_children if one.type != "label"), None)
        return nodes.Break(self.at(tree), _label(tree), self.expression(value))

    def _e_continue_expression(self, tree: Tree) -> Node:
        return nodes.Continue(self.at(tree), _label(tree), None)

    def _e_assignment_expression(self, tree: Tree) -> Node:
        left = tree.child_by_field_name("left")
        value = self.expression(tree.child_by_field_name("right"))
        return self._assign(tree, left, value)

    def _assign(self, tree: Tree, left: Tree | None, value: Node) -> Node:
        if left is not None and left.type == "unary_expression" and text_of(left).startswith("*"):
            return self._call(tree, "$put", self._inner(left), value)
        target = self._field(left) if left is not None and _is_field(left) else self.expression(left)
        if type(target).__name__ in ("Name", "Field", "Index", "List"):
            return Set(self.at(tree), False, target, value)
        return value

    def _e_compound_assignment_expr(self, tree: Tree) -> Node:
        left, operator = tree.child_by_field_name("left"), text_of(tree.child_by_field_name("operator"))
        right = self.expression(tree.child_by_field_name("right"))
        value = nodes.Binary(self.at(tree), self.expression(left), operator.rstrip("="), right)
        return self._assign(tree, left, value)

    def _e_unary_expression(self, tree: Tree) -> Node:
        inner = self._inner(tree)
        operator = text_of(tree)[:1]
        if operator == "!":
            return nodes.Not(self.at(tree), inner)
        if operator == "*":
            return self._call(tree, "$get", inner)
        return nodes.Binary(self.at(tree), Const(self.at(tree), 0), "-", inner)

    def _e_binary_expression(self, tree: Tree) -> Node:
        at, operator = self.at(tree), text_of(tree.child_by_field_name("operator"))
        left = self.expression(tree.child_by_field_name("left"))
        right = self.expression(tree.child_by_field_name("right"))
        if operator == "&&":
            return nodes.Both(at, left, right)
        if operator == "||":
            return nodes.Either(at, left, False, right)
        return nodes.Binary(at, left, operator, right)

    def _e_range_expression(self, tree: Tree) -> Node:
        closed = any(one.type == "..=" for one in tree.children)
        ends = [self.expression(one) for one in tree.named_children]
        return self._call(tree, "$range", Const(self.at(tree), closed), *ends)

    def _e_array_expression(self, tree: Tree) -> Node:
        return nodes.List(self.at(tree), [self.expression(one) for one in tree.named_children])

    _e_tuple_expression = _e_array_expression

    def _e_index_expression(self, tree: Tree) -> Node:
        of, key = tree.named_children[:2]
        if key.type == "range_expression" and key.children[-1].type == ".." and key.named_children:
            return self._call(tree, "$slice", self.expression(of), self.expression(key.named_children[0]))
        return nodes.Index(self.at(tree), self.expression(key), self.expression(of))

    def _e_struct_expression(self, tree: Tree) -> Node:
        named: dict[str, Node] = {}
        args: list[Node] = []
        body = tree.child_by_field_name("body")
        for one in body.named_children if body is not None else ():
            if one.type == "field_initializer":
                name = text_of(one.child_by_field_name("field"))
                named[name] = self.expression(one.child_by_field_name("value"))
            elif one.type == "shorthand_field_initializer":
                name = text_of(one.named_children[-1])
                named[name] = Name(self.at(one), name)
            elif one.type == "base_field_initializer":
                args.append(self._inner(one))
        type_ = Name(self.at(tree), self._own(path_of(tree.child_by_field_name("name"))))
        return Call(self.at(tree), [type_, *args], Name(self.at(tree), "$struct"), named)

    # macros

    def _e_macro_invocation(self, tree: Tree) -> Node:
        at, name = self.at(tree), path_of(tree.child_by_field_name("macro")).rpartition("::")[2]
        tokens = next((one for one in tree.children if one.type == "token_tree"), None)
        if tokens is None or self.depth > _DEEPEST:
            return Const(at, UNKNOWN)
        if name in ("select", "select_biased"):
            return self._select(tree, tokens)
        if name in ("join", "try_join"):
            return self._call(tree, "$join", *(self.piece(part) for part in parts_of(tokens, ",")))
        if name in ("pin", "pin_mut"):
            first = tokens.children[1] if len(tokens.children) > 2 else None
            if first is not None and text_of(first) == "let":
                return Seq(at, self._pieces(tokens.children[1:-1]), False)
            return next((self.piece(part) for part in parts_of(tokens, ",")), Const(at, UNIT))
        if name == "vec":
            return nodes.List(at, [self.piece(part) for part in parts_of(tokens, ",")])
        if name == "matches":
            parts = [*parts_of(tokens, ",")]
            if len(parts) > 1 and (pattern := self._pattern(parts[1])) is not None:
                return pattern[0]._fits(pattern[1], self.piece(parts[0]))
        if name in _PANICS:
            return nodes.Raise(at, Const(at, UNKNOWN))
        if name == "bail":
            return nodes.Return(at, self._call(tree, "Err", Const(at, UNKNOWN)))
        if name in ("anyhow", "eyre"):
            return self._call(tree, "Err", Const(at, UNKNOWN))
        return self._call(tree, f"{name}!")

    def _select(self, tree: Tree, tokens: Tree) -> Node:
        """`pattern = future, if condition => body`, one after the other."""
        at = self.at(tree)
        ways: list[tuple[Node, str, Node]] = []
        here: list[Tree] = []
        children = tokens.children[1:-1]
        index = 0
        while index < len(children):
            one = children[index]
            index += 1
            if text_of(one) == ";":
                here = []
                continue
            if one.type != "=>":
                here.append(one)
                continue
            body: list[Tree] = []
            if index < len(children) and text_of(children[index])[:1] == "{":
                body = [children[index]]
                index += 1
                index += index < len(children) and text_of(children[index]) == ","
            else:
                while index < len(children) and text_of(children[index]) != ",":
                    body.append(children[index])
                    index += 1
                index += 1
            if text_of(here[0]) not in ("else", "complete", "default") if here else False:
                ways.append(self._way(here, body))
            here = []
        return Seq(at, [nodes.Select(at, ways)], True) if ways else Const(at, UNKNOWN)

    def _way(self, head: list[Tree], body: list[Tree]) -> tuple[Node, str, Node]:
        equals = next((i for i, one in enumerate(head) if text_of(one) == "="), 0)
        comma = next((i for i, one in enumerate(head) if text_of(one) == "," and text_of_at(head, i + 1) == "if"), None)
        at = At(self.base + head[0].start_byte, self.base + head[-1].end_byte)
        way = self.piece(head[equals + 1 : comma])
        if comma is not None:
            never = Call(at, [], Name(at, "$pending"), {})
            way = nodes.If(at, never, self.piece(head[comma + 2 :]), way)
        done = self.piece(body)
        pattern = self._pattern(head[:equals])
        if pattern is None:
            return way, "", done
        its, tree = pattern
        return way, "$selected", Seq(at, [its.must(tree, Name(at, "$selected")), done], True)

    def must(self, pattern: Tree, value: Node) -> Node:
        return Call(self.at(pattern), [value, Const(self.at(pattern), pattern)], Name(self.at(pattern), "$must"), {})

    def _pattern(self, trees: list[Tree]) -> tuple[Lower, Tree] | None:
        if not trees:
            return None
        text = b"let " + bytes_of(trees) + b" = x;"
        root = _parser().parse(text).root_node
        tree = root.named_children[0].child_by_field_name("pattern") if root.named_children else None
        if tree is None or root.has_error:
            return None
        return Lower(self.module, self.owner, self.base + trees[0].start_byte - 4, self.tasks, self.depth + 1), tree

    def piece(self, trees: list[Tree]) -> Node:
        """The expression that some tokens are."""
        made = self._pieces(trees)
        return made[0] if made else Const(At(self.base, self.base), UNKNOWN)

    def _pieces(self, trees: list[Tree]) -> list[Node]:
        if not trees:
            return []
        root = _parser().parse(bytes_of(trees) + b";").root_node
        if root.has_error:
            return [self._call(trees[0], "unread!")]
        inner = Lower(self.module, self.owner, self.base + trees[0].start_byte, self.tasks, self.depth + 1)
        return [inner._statement(one) for one in root.named_children if one.type != "empty_statement"]

    def text(self, tree: Tree, text: str) -> Node:
        """The expression of a text that stands in a node."""
        root = _parser().parse(f"{text};".encode()).root_node
        if root.has_error or not root.named_children:
            return Const(self.at(tree), UNKNOWN)
        return Lower(self.module, self.owner, tree.start_byte, False, self.depth + 1)._statement(root.named_children[0])


def _plain(pattern: Tree) -> str | None:
    """The name of a pattern that is one."""
    if pattern.type in ("mut_pattern", "ref_pattern", "reference_pattern") and pattern.named_children:
        return _plain(pattern.named_children[-1])
    name = text_of(pattern)
    return name if pattern.type == "identifier" and not name[:1].isupper() else None


def _is_field(tree: Tree | None) -> bool:
    return tree is not None and tree.type == "field_expression"


def _label(tree: Tree) -> str:
    label = next((one for one in tree.named_children if one.type == "label"), None)
    return text_of(label).lstrip("'").rstrip(":")


def _is_expression(tree: Tree) -> bool:
    return not tree.type.endswith(("_item", "_declaration", "_definition")) and tree.type != "empty_statement"


__all__ = ["NIL", "UNIT", "At", "Lower", "elsewhere", "path_of", "read_file"]
