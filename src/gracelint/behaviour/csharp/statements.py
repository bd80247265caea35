"""C#'s statements and expressions as the machine's nodes, where they differ from Java's."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.behaviour.java.statements import Body, label_of
from gracelint.behaviour.machine import nodes
from gracelint.behaviour.machine.nodes import Const, Field, Function, Name, Node, Param, Seq
from gracelint.behaviour.machine.values import NIL, UNKNOWN
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node as Tree

_DECLARING = frozenset(("variable_declarator", "foreach_statement", "catch_declaration", "declaration_pattern"))


class CsBody(Body):
    def block(self, node: Tree) -> Node:
        self.names |= declared(node)
        return self.statement(node)

    def statements(self, found: list[Tree]) -> list[Node]:
        """Local functions are there before the first statement."""
        functions = [self._local(one) for one in found if one.type == "local_function_statement"]
        made: list[Node] = []
        for index, one in enumerate(found):
            if "comment" in one.type or one.type == "local_function_statement":
                continue
            closing = _closing(one)
            if closing:
                # `using var x = …;` closes it at the end of the block
                names = [text_of(each.child_by_field_name("name")) for each in closing]
                ends = [nodes.Call(one, [], Field(one, "Dispose", Name(one, name)), {}) for name in names]
                rest = Seq(one, self.statements(found[index + 1 :]), False)
                return [*functions, *made, self.statement(one), nodes.Try(one, rest, [], Seq(one, ends, False), None)]
            made.append(self.statement(one))
        return [*functions, *made]

    def _local(self, node: Tree) -> Node:
        name = text_of(node.child_by_field_name("name"))
        closure = self._closure(node, name, params_of(node.child_by_field_name("parameters")), body_of(node))
        return nodes.Set(node, True, Name(node, name), closure)

    def _block(self, node: Tree) -> Node:
        return Seq(node, self.statements(list(node.named_children)), True)

    def _arrow_expression_clause(self, node: Tree) -> Node:
        return self.expression(node.named_children[-1])

    def _local_declaration_statement(self, node: Tree) -> Node:
        found: list[Node] = []
        for one in variables_of(node):
            value = value_of(one)
            made = self.expression(value) if value is not None else Const(one, NIL)
            found.append(nodes.Set(one, True, Name(one, text_of(one.child_by_field_name("name"))), made))
        return Seq(node, found, False)

    _variable_declaration = _local_declaration_statement

    def _using_statement(self, node: Tree) -> Node:
        opened = [child for child in node.named_children if child.type == "variable_declaration"]
        body = self.statement(node.child_by_field_name("body"))
        return Seq(node, [*(self._variable_declaration(one) for one in opened), body], True)

    def _lock_statement(self, node: Tree) -> Node:
        return nodes.Lock(node, self.statement(node.named_children[-1]), self.expression(node.named_children[0]))

    def _checked_statement(self, node: Tree) -> Node:
        return self.statement(node.named_children[-1])

    _unsafe_statement = _fixed_statement = _checked_statement

    def _for_statement(self, node: Tree) -> Node:
        start = [self.statement(one) for one in node.children_by_field_name("initializer")]
        test, step = node.child_by_field_name("condition"), node.children_by_field_name("update")
        after = Seq(node, [self.expression(one) for one in step], False) if step else None
        condition = self.expression(test) if test is not None else None
        loop = nodes.Loop(node, False, self._inside(node), label_of(node), after, condition)
        return Seq(node, [*start, loop], True)

    def _foreach_statement(self, node: Tree) -> Node:
        name = text_of(node.child_by_field_name("left"))
        over = self.expression(node.child_by_field_name("right"))
        return nodes.Each(node, self._inside(node), label_of(node), [name], over)

    def _throw_statement(self, node: Tree) -> Node:
        return nodes.Raise(node, self.expression(node.named_children[0]) if node.named_children else None)

    def _of_catch(self, node: Tree) -> Node:
        return self.statement(node.child_by_field_name("body"))

    def _try_statement(self, node: Tree) -> Node:
        catches: list[tuple[tuple[str, ...], str, Node]] = []
        final: Node | None = None
        for child in node.named_children:
            if child.type == "catch_clause":
                head = next((one for one in child.named_children if one.type == "catch_declaration"), None)
                type_ = text_of(head.child_by_field_name("type")) if head is not None else ""
                name = text_of(head.child_by_field_name("name")) if head is not None else ""
                catches.append(((type_,) if type_ else (), name, self._of_catch(child)))
            elif child.type == "finally_clause":
                final = self.statement(child.named_children[-1])
        return nodes.Try(node, self.statement(node.child_by_field_name("body")), catches, final, None)

    def _switch_statement(self, node: Tree) -> Node:
        cases: list[tuple[tuple[Node, ...], Node]] = []
        outer, self.in_switch = self.in_switch, True
        body = node.child_by_field_name("body")
        for section in body.named_children if body is not None else ():
            values = [child for child in section.named_children if child.type.endswith("_pattern")]
            rest = [child for child in section.named_children if not child.type.endswith(("_pattern", "comment"))]
            made = tuple(self.expression(one.named_children[0]) for one in values if one.named_children)
            cases.append((made, Seq(section, [self.statement(child) for child in rest], True)))
        self.in_switch = outer
        switch = nodes.Switch(node, cases, self.expression(node.child_by_field_name("value")))
        return nodes.Loop(node, False, Seq(node, [switch, nodes.Break(node, "", None)], False), "", None, None)

    # expressions

    def expression(self, node: Tree | None) -> Node:
        if node is not None and node.type == "boolean_literal":
            return Const(node, text_of(node) == "true")
        if node is not None and node.type in ("integer_literal", "real_literal"):
            text = text_of(node).rstrip("lLuUdDfFmM").replace("_", "")
            value = int(text) if is_whole(text) else UNKNOWN
            return Const(node, value)
        return super().expression(node)

    def _e_conditional_expression(self, node: Tree) -> Node:
        return self._e_ternary_expression(node)

    def _e_member_access_expression(self, node: Tree) -> Node:
        inner = node.child_by_field_name("expression")
        of = self.expression(inner) if inner is not None else Name(node, "this")
        return Field(node, text_of(node.child_by_field_name("name")).partition("<")[0], of)

    def _e_conditional_access_expression(self, node: Tree) -> Node:
        binding = node.named_children[-1]
        name = text_of(binding.child_by_field_name("name"))
        return Field(node, name, self.expression(node.child_by_field_name("condition")))

    def _e_invocation_expression(self, node: Tree) -> Node:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        args = [self.expression(one.named_children[-1]) for one in _arguments(arguments)]
        if function is not None and function.type in ("identifier", "generic_name"):
            name = text_of(function).partition("<")[0]
            callee = Name(node, name) if name in self.names else Name(node, f"{name}()")
            return nodes.Call(node, args, callee, {})
        if function is not None and text_of(function).startswith("base."):
            return nodes.Call(node, args, Name(node, f"super.{text_of(function)[5:]}()"), {})
        return nodes.Call(node, args, self.expression(function), {})

    def _e_identifier(self, node: Tree) -> Node:
        return self.variable(node, text_of(node))

    def _e_await_expression(self, node: Tree) -> Node:
        return nodes.Await(node, self.expression(node.named_children[-1]))

    def _e_prefix_unary_expression(self, node: Tree) -> Node:
        operator, operand = text_of(node)[0], self.expression(node.named_children[-1])
        if operator == "!":
            return nodes.Not(node, operand)
        return nodes.Binary(node, Const(node, 0), "-", operand) if operator == "-" else operand

    def _e_postfix_unary_expression(self, node: Tree) -> Node:
        operand = self.expression(node.named_children[0])
        operator = text_of(node)[-1]
        if operator not in "+-":
            return operand
        return nodes.Set(node, False, operand, nodes.Binary(node, operand, operator, Const(node, 1)))

    def _e_assignment_expression(self, node: Tree) -> Node:
        operator = text_of(node.child_by_field_name("operator")) or _operator(node)
        left = node.child_by_field_name("left")
        if operator == "+=" and left is not None and left.type == "member_access_expression":
            value = self.expression(node.child_by_field_name("right"))
            target = self.expression(left)
            assert isinstance(target, Field)
            return nodes.Call(node, [value], Field(node, f"{target.name}+=", target.of), {})
        return super()._e_assignment_expression(node)

    def _e_lambda_expression(self, node: Tree) -> Node:
        parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        return self._closure(node, "lambda", params_of(parameters), body)

    def _e_anonymous_method_expression(self, node: Tree) -> Node:
        parameters = next((one for one in node.named_children if one.type == "parameter_list"), None)
        return self._closure(node, "delegate", params_of(parameters), node.named_children[-1])

    def _closure(self, node: Tree, name: str, params: tuple[str, ...], body: Tree | None) -> Node:
        outer = (*self.names, *params)

        def made() -> Node:
            inner = CsBody(self.class_, outer)
            if body is not None and body.type == "block":
                return inner.block(body)
            if body is not None and body.type == "arrow_expression_clause":
                return inner.statement(body)
            return inner.expression(body) if body is not None else Seq(node, [], False)

        return nodes.Make(node, Function(name, self.class_.file, node, tuple(Param(one) for one in params), made))

    def _e_object_creation_expression(self, node: Tree) -> Node:
        type_ = text_of(node.child_by_field_name("type")).partition("<")[0]
        args = [self.expression(one.named_children[-1]) for one in _arguments(node.child_by_field_name("arguments"))]
        named: dict[str, Node] = {}
        initializer = node.child_by_field_name("initializer")
        for one in initializer.named_children if initializer is not None else ():
            if one.type == "assignment_expression":
                named[text_of(one.child_by_field_name("left"))] = self.expression(one.child_by_field_name("right"))
        return nodes.New(node, args, named, Name(node, type_))

    def _e_implicit_object_creation_expression(self, node: Tree) -> Node:
        return Const(node, UNKNOWN)


def declared(node: Tree) -> set[str]:
    """The names of all variables and local functions of a body, those of functions in it left out."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if here is not node and here.type == "local_function_statement":
            found.add(text_of(here.child_by_field_name("name")))
        if here is not node and here.type in ("lambda_expression", "local_function_statement", "class_declaration"):
            continue
        if here.type in _DECLARING:
            found.add(text_of(here.child_by_field_name("left" if here.type == "foreach_statement" else "name")))
        waiting += here.named_children
    return found - {""}


def params_of(node: Tree | None) -> tuple[str, ...]:
    if node is None:
        return ()
    if node.type in ("implicit_parameter", "identifier"):
        return (text_of(node),)
    return tuple(text_of(one.child_by_field_name("name")) for one in node.named_children if one.type == "parameter")


def body_of(node: Tree) -> Tree | None:
    """A method's block, or what stands behind its arrow."""
    return node.child_by_field_name("body")


def variables_of(node: Tree) -> list[Tree]:
    found = [child for child in node.named_children if child.type == "variable_declarator"]
    for child in node.named_children:
        if child.type == "variable_declaration":
            found += variables_of(child)
    return found


def value_of(declarator: Tree) -> Tree | None:
    """What a variable starts with."""
    name = declarator.child_by_field_name("name")
    rest = [child for child in declarator.named_children if child != name and child.type != "bracketed_argument_list"]
    return rest[-1] if rest else None


def _arguments(node: Tree | None) -> list[Tree]:
    return [one for one in node.named_children if one.type == "argument"] if node is not None else []


def _closing(node: Tree) -> list[Tree]:
    first = node.children[0] if node.children else None
    if (
        node.type != "local_declaration_statement"
        or first is None
        or "using" not in text_of(node).split("=")[0].split()
    ):
        return []
    return variables_of(node)


def _operator(node: Tree) -> str:
    return next((text_of(child) for child in node.children if not child.is_named), "=")
