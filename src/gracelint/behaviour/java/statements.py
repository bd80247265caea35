"""Java's statements and expressions as the machine's nodes."""

from __future__ import annotations

import re

from gracelint.behaviour.machine import nodes
from gracelint.behaviour.machine.nodes import Const, Field, Function, Name, Node, Param, Seq
from gracelint.behaviour.machine.values import NIL, UNKNOWN
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node as Tree

    from gracelint.behaviour.java.syntax import JavaClass

_DECLARING = (
    "variable_declarator",
    "resource",
    "enhanced_for_statement",
    "catch_formal_parameter",
    "instanceof_expression",
)
_NUMBER = re.compile(r"[0-9_]{1,15}")
_ARITHMETIC = frozenset(("+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!="))


class Body:
    """Makes nodes of one body; `names` are the variables it has from outside."""

    def __init__(self, class_: JavaClass, names: tuple[str, ...]) -> None:
        self.class_ = class_
        self.names = set(names)
        self.loop = ""
        """The label of the loop that is being read."""
        self.in_switch = False

    def block(self, node: Tree) -> Node:
        self.names |= _declared(node)
        return self.statement(node)

    def synchronized(self, node: Tree) -> Node:
        """The body of a method that holds the lock of its object or class."""
        return nodes.Lock(node, self.block(node), Name(node, "this"))

    def assigned(self, at: Tree, params: tuple[Param, ...]) -> Node:
        """A record's constructor: each component is kept."""
        this = Name(at, "this")
        return Seq(at, [nodes.Set(at, False, Field(at, one.name, this), Name(at, one.name)) for one in params], False)

    def static_start(self, at: Any, parts: list[tuple[Tree, str]]) -> Node:
        """What a class does when it is first used."""
        found: list[Node] = []
        for node, name in parts:
            value = node.child_by_field_name("value") if name else None
            if not name:
                found.append(self.block(node.named_children[0]))
            elif value is not None:
                found.append(nodes.Set(node, False, self._static(node, self.class_, name), self.expression(value)))
        return Seq(at, found, False)

    # statements

    def statement(self, node: Tree | None) -> Node:
        if node is None:
            return Seq(None, [], False)
        how = getattr(self, f"_{node.type}", None)
        if how is not None:
            found: Node = how(node)
            return found
        if node.type.endswith(("comment", "declaration")) and node.type != "local_variable_declaration":
            return Seq(node, [], False)
        return self.expression(node)

    def _all(self, node: Tree) -> list[Node]:
        return [self.statement(child) for child in node.named_children if "comment" not in child.type]

    def _block(self, node: Tree) -> Node:
        return Seq(node, self._all(node), True)

    _constructor_body = _block

    def _expression_statement(self, node: Tree) -> Node:
        return self.expression(node.named_children[0])

    def _local_variable_declaration(self, node: Tree) -> Node:
        found: list[Node] = []
        for one in node.children_by_field_name("declarator"):
            value = one.child_by_field_name("value")
            made = self.expression(value) if value is not None else Const(one, NIL)
            found.append(nodes.Set(one, True, Name(one, text_of(one.child_by_field_name("name"))), made))
        return Seq(node, found, False)

    def _explicit_constructor_invocation(self, node: Tree) -> Node:
        arguments = self._arguments(node.child_by_field_name("arguments"))
        which = text_of(node.child_by_field_name("constructor"))
        return nodes.Call(node, arguments, Name(node, f"{which}(...)"), {})

    def _if_statement(self, node: Tree) -> Node:
        other = node.child_by_field_name("alternative")
        return nodes.If(
            node,
            self.statement(other) if other is not None else None,
            self.expression(node.child_by_field_name("condition")),
            self.statement(node.child_by_field_name("consequence")),
        )

    def _labeled_statement(self, node: Tree) -> Node:
        label, inner = node.named_children[0], node.named_children[-1]
        made = self.statement(inner)
        for one in (made, *(made.body if isinstance(made, Seq) else ())):
            if isinstance(one, (nodes.Loop, nodes.Each)):
                one.label = text_of(label)
                break
        return made

    def _while_statement(self, node: Tree) -> Node:
        test = self.expression(node.child_by_field_name("condition"))
        return nodes.Loop(node, False, self._inside(node), label_of(node), None, _endless(test))

    def _do_statement(self, node: Tree) -> Node:
        test = self.expression(node.child_by_field_name("condition"))
        return nodes.Loop(node, True, self._inside(node), label_of(node), None, _endless(test))

    def _inside(self, loop: Tree) -> Node:
        """A loop's body."""
        outer = self.loop, self.in_switch
        self.loop, self.in_switch = label_of(loop), False
        made = self.statement(loop.child_by_field_name("body"))
        self.loop, self.in_switch = outer
        return made

    def _for_statement(self, node: Tree) -> Node:
        start = [self.statement(one) for one in node.children_by_field_name("init")]
        test = node.child_by_field_name("condition")
        step = [self.expression(one) for one in node.children_by_field_name("update")]
        loop = nodes.Loop(
            node,
            False,
            self._inside(node),
            label_of(node),
            Seq(node, step, False) if step else None,
            _endless(self.expression(test)) if test is not None else None,
        )
        return Seq(node, [*start, loop], True)

    def _enhanced_for_statement(self, node: Tree) -> Node:
        name = text_of(node.child_by_field_name("name"))
        over = self.expression(node.child_by_field_name("value"))
        return nodes.Each(node, self._inside(node), label_of(node), [name], over)

    def _return_statement(self, node: Tree) -> Node:
        return nodes.Return(node, self.expression(node.named_children[0]) if node.named_children else None)

    def _yield_statement(self, node: Tree) -> Node:
        return self.expression(node.named_children[0])

    def _break_statement(self, node: Tree) -> Node:
        return nodes.Break(node, text_of(node.named_children[0]) if node.named_children else "", None)

    def _continue_statement(self, node: Tree) -> Node:
        own = self.loop if self.in_switch else ""
        return nodes.Continue(node, text_of(node.named_children[0]) if node.named_children else own, None)

    def _throw_statement(self, node: Tree) -> Node:
        return nodes.Raise(node, self.expression(node.named_children[0]))

    def _synchronized_statement(self, node: Tree) -> Node:
        body = self.statement(node.child_by_field_name("body"))
        return nodes.Lock(node, body, self.expression(node.named_children[0]))

    def _try_statement(self, node: Tree) -> Node:
        catches: list[tuple[tuple[str, ...], str, Node]] = []
        final: Node | None = None
        for child in node.named_children:
            if child.type == "catch_clause":
                parameter = child.named_children[0]
                types = next((one for one in parameter.named_children if one.type == "catch_type"), None)
                names = tuple(text_of(one) for one in types.named_children) if types is not None else ()
                catches.append((names, text_of(parameter.child_by_field_name("name")), self._of_catch(child)))
            elif child.type == "finally_clause":
                final = self.statement(child.named_children[-1])
        body = self.statement(node.child_by_field_name("body"))
        return nodes.Try(node, body, catches, final, None)

    def _of_catch(self, node: Tree) -> Node:
        return self.statement(node.child_by_field_name("body"))

    def _try_with_resources_statement(self, node: Tree) -> Node:
        opened: list[Node] = []
        closed: list[Node] = []
        for one in node.child_by_field_name("resources").named_children:  # type: ignore[union-attr]
            name, value = one.child_by_field_name("name"), one.child_by_field_name("value")
            if name is not None and value is not None:
                opened.append(nodes.Set(one, True, Name(one, text_of(name)), self.expression(value)))
            what = Name(one, text_of(name)) if name is not None else self.expression(one.named_children[0])
            closed.insert(0, nodes.Call(one, [], Field(one, "close", what), {}))
        inner = nodes.Try(node, self.statement(node.child_by_field_name("body")), [], Seq(node, closed, False), None)
        tried = self._try_statement(node)
        assert isinstance(tried, nodes.Try)
        tried.body = Seq(node, [*opened, inner], True)
        return tried

    def _switch_expression(self, node: Tree) -> Node:
        cases: list[tuple[tuple[Node, ...], Node]] = []
        waiting: list[Node] = []
        outer, self.in_switch = self.in_switch, True
        body = node.child_by_field_name("body")
        for group in body.named_children if body is not None else ():
            labels = [child for child in group.named_children if child.type == "switch_label"]
            values = [self._case(one) for label in labels for one in label.named_children]
            rest = [child for child in group.named_children if child.type != "switch_label"]
            waiting += values
            if not rest:
                continue
            is_default = any(text_of(label).startswith("default") for label in labels)
            made = Seq(group, [self.statement(child) for child in rest], True)
            cases.append(((() if is_default else tuple(waiting)), made))
            waiting = []
        self.in_switch = outer
        switch = nodes.Switch(node, cases, self.expression(node.child_by_field_name("condition")))
        if body is None or not any(group.type == "switch_block_statement_group" for group in body.named_children):
            return switch
        # a `break` leaves the switch
        return nodes.Loop(node, False, Seq(node, [switch, nodes.Break(node, "", None)], False), "", None, None)

    _switch_statement = _switch_expression

    def _case(self, node: Tree) -> Node:
        return Const(node, text_of(node)) if node.type == "identifier" else self.expression(node)

    # expressions

    def expression(self, node: Tree | None) -> Node:
        if node is None:
            return Const(None, UNKNOWN)
        if node.type.endswith("_literal") or node.type in ("true", "false"):
            return Const(node, _literal(node))
        how = getattr(self, f"_e_{node.type}", None)
        if how is not None:
            found: Node = how(node)
            return found
        return Seq(node, [*self._inner(node), Const(node, UNKNOWN)], False)

    def _inner(self, node: Tree) -> list[Node]:
        return [self.expression(child) for child in node.named_children if not child.type.endswith(("comment", "type"))]

    def _e_identifier(self, node: Tree) -> Node:
        return self.variable(node, text_of(node))

    def variable(self, node: Tree, name: str) -> Node:
        """A variable, or a field of the class or of one it stands in."""
        if name in self.names:
            return Name(node, name)
        here: JavaClass | None = self.class_
        this: Node = Name(node, "this")
        while here is not None:
            if name in here.shared:
                return self._static(node, here, name)
            if name in here.own:
                return Field(node, name, this)
            this, here = Field(node, "$outer", this), here.outer
        return Name(node, name)

    def _static(self, node: Tree, class_: JavaClass, name: str) -> Node:
        return Field(node, name, Name(node, class_.name))

    def _e_this(self, node: Tree) -> Node:
        return Name(node, "this")

    _e_super = _e_this

    def _e_field_access(self, node: Tree) -> Node:
        field = text_of(node.child_by_field_name("field"))
        inner = node.child_by_field_name("object")
        if field == "this":
            outside = self.class_.outer is not None and text_of(inner) != self.class_.name.rpartition(".")[2]
            return Field(node, "$outer", Name(node, "this")) if outside else Name(node, "this")
        return Field(node, field, self.expression(inner))

    def _e_array_access(self, node: Tree) -> Node:
        key = self.expression(node.child_by_field_name("index"))
        return nodes.Index(node, key, self.expression(node.child_by_field_name("array")))

    def _e_parenthesized_expression(self, node: Tree) -> Node:
        return self.expression(node.named_children[-1])

    def _e_cast_expression(self, node: Tree) -> Node:
        return self.expression(node.child_by_field_name("value"))

    def _e_ternary_expression(self, node: Tree) -> Node:
        return nodes.If(
            node,
            self.expression(node.child_by_field_name("alternative")),
            self.expression(node.child_by_field_name("condition")),
            self.expression(node.child_by_field_name("consequence")),
        )

    def _e_switch_expression(self, node: Tree) -> Node:
        return self._switch_expression(node)

    def _e_unary_expression(self, node: Tree) -> Node:
        operand = self.expression(node.child_by_field_name("operand"))
        operator = text_of(node.child_by_field_name("operator"))
        if operator == "!":
            return nodes.Not(node, operand)
        return nodes.Binary(node, Const(node, 0), "-", operand) if operator == "-" else operand

    def _e_update_expression(self, node: Tree) -> Node:
        operator = "+" if "++" in text_of(node) else "-"
        target = self.expression(node.named_children[0])
        return nodes.Set(node, False, target, nodes.Binary(node, target, operator, Const(node, 1)))

    def _e_binary_expression(self, node: Tree) -> Node:
        left = self.expression(node.child_by_field_name("left"))
        right = self.expression(node.child_by_field_name("right"))
        operator = text_of(node.child_by_field_name("operator"))
        if operator == "&&":
            return nodes.Both(node, left, right)
        if operator == "||":
            return nodes.Either(node, left, False, right)
        if operator in _ARITHMETIC:
            return nodes.Binary(node, left, operator, right)
        return Seq(node, [left, right, Const(node, UNKNOWN)], False)

    def _e_instanceof_expression(self, node: Tree) -> Node:
        value = self.expression(node.child_by_field_name("left"))
        name = node.child_by_field_name("name")
        set_ = [nodes.Set(node, True, Name(node, text_of(name)), value)] if name is not None else [value]
        return Seq(node, [*set_, Const(node, UNKNOWN)], False)

    def _e_assignment_expression(self, node: Tree) -> Node:
        target = node.child_by_field_name("left")
        operator = text_of(node.child_by_field_name("operator"))
        value = self.expression(node.child_by_field_name("right"))
        made = self.expression(target)
        if isinstance(made, Name) and made.name not in self.names:
            made = Field(node, made.name, Name(node, "this"))
        if operator != "=":
            value = nodes.Binary(node, made, operator[:-1], value)
        return nodes.Set(node, False, made, value)

    def _arguments(self, node: Tree | None) -> list[Node]:
        return self._inner(node) if node is not None else []

    def _e_method_invocation(self, node: Tree) -> Node:
        name = text_of(node.child_by_field_name("name"))
        inner = node.child_by_field_name("object")
        arguments = self._arguments(node.child_by_field_name("arguments"))
        if inner is None:
            return nodes.Call(node, arguments, Name(node, f"{name}()"), {})
        if inner.type == "super":
            return nodes.Call(node, arguments, Name(node, f"super.{name}()"), {})
        return nodes.Call(node, arguments, Field(node, name, self.expression(inner)), {})

    def _e_method_reference(self, node: Tree) -> Node:
        of, *rest = [child for child in node.named_children if child.type != "type_arguments"]
        if not rest:
            return Const(node, UNKNOWN)
        return Field(node, text_of(rest[-1]), self.expression(of))

    def _e_type_identifier(self, node: Tree) -> Node:
        return Name(node, text_of(node))

    _e_scoped_type_identifier = _e_type_identifier

    def _e_lambda_expression(self, node: Tree) -> Node:
        parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        names = [text_of(parameters)] if parameters is not None and parameters.type == "identifier" else []
        for child in parameters.named_children if parameters is not None and not names else ():
            names.append(text_of(child.child_by_field_name("name")) if child.type != "identifier" else text_of(child))
        return self._closure(node, "lambda", tuple(names), body)

    def _closure(self, node: Tree, name: str, params: tuple[str, ...], body: Tree | None) -> Node:
        outer = (*self.names, *params)

        def made() -> Node:
            inner = Body(self.class_, outer)
            if body is None or body.type == "block":
                return inner.block(body) if body is not None else Seq(node, [], False)
            return inner.expression(body)

        return nodes.Make(node, Function(name, self.class_.file, node, tuple(Param(one) for one in params), made))

    def _e_object_creation_expression(self, node: Tree) -> Node:
        type_ = re.sub(r"<.*>", "", text_of(node.child_by_field_name("type")), flags=re.S)
        arguments = self._arguments(node.child_by_field_name("arguments"))
        body = next((child for child in node.named_children if child.type == "class_body"), None)
        if body is None:
            return nodes.New(node, arguments, {}, Name(node, type_))
        methods = {
            text_of(one.child_by_field_name("name")): self._closure(
                one, text_of(one.child_by_field_name("name")), _parameters(one), one.child_by_field_name("body")
            )
            for one in body.named_children
            if one.type == "method_declaration"
        }
        if type_ == "Thread" and "run" in methods:
            return nodes.New(node, [methods["run"]], {}, Name(node, type_))
        if len(methods) == 1 and len(body.named_children) == 1:
            return next(iter(methods.values()))
        return nodes.Map(node, [(Const(node, name), made) for name, made in methods.items()])

    def _e_array_initializer(self, node: Tree) -> Node:
        return nodes.List(node, self._inner(node))

    def _e_array_creation_expression(self, node: Tree) -> Node:
        value = node.child_by_field_name("value")
        return self.expression(value) if value is not None else Const(node, UNKNOWN)


def label_of(loop: Tree) -> str:
    return f"#{loop.start_byte}"


def _endless(test: Node) -> Node | None:
    return None if isinstance(test, Const) and test.value is True else test


def _literal(node: Tree) -> Any:
    text = text_of(node)
    if node.type in ("true", "false"):
        return node.type == "true"
    if node.type == "null_literal":
        return NIL
    if node.type == "string_literal":
        return text.strip('"') if "\\" not in text and '"""' not in text else UNKNOWN
    number = text.rstrip("lLdDfF").replace("_", "")
    if node.type == "decimal_integer_literal" and _NUMBER.fullmatch(number):
        return int(number)
    if node.type == "decimal_floating_point_literal" and re.fullmatch(r"[0-9]{1,15}\.[0-9]{0,15}", number):
        return float(number)
    return UNKNOWN


def _parameters(method: Tree) -> tuple[str, ...]:
    node = method.child_by_field_name("parameters")
    children = node.named_children if node is not None else []
    return tuple(text_of(one.child_by_field_name("name")) for one in children if one.type == "formal_parameter")


def _declared(node: Tree) -> set[str]:
    """The names of all variables that a body declares, whatever block they are in."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if here.type in ("class_body", "lambda_expression") and here is not node:
            continue
        if here.type in _DECLARING:
            name = here.child_by_field_name("name")
            found |= {text_of(name)} if name is not None else set()
        waiting += here.named_children
    return found
