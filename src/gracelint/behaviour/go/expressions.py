"""Expressions of Go, and its calls."""

from __future__ import annotations

from gracelint.base.limits import EXPANDED
from gracelint.base.numbers import is_whole
from gracelint.behaviour.go import concurrency, library, statements
from gracelint.behaviour.go.interest import matters
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.packages import fields_of, type_name
from gracelint.behaviour.go.syntax import expressions as members
from gracelint.behaviour.go.values import ANSWER, KEYS, Func, Some, agreed, in_place_of
from gracelint.behaviour.machine.arithmetic import arithmetic, binary, equal_of_one_type
from gracelint.behaviour.machine.branches import put
from gracelint.behaviour.machine.machine import receive
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    UNSET,
    Chan,
    Ctx,
    Ended,
    Lib,
    Method,
    Native,
    Object,
    OneOf,
    Scope,
    Unknown,
)
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.go.statements import Frame
    from gracelint.behaviour.go.syntax import File
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

_FLAGS = frozenset(("flag", "github.com/spf13/pflag", "github.com/spf13/cobra"))
"""What flags are declared with."""
_WORDS: dict[str, Any] = {"nil": NIL, "true": True, "false": False, "iota": UNKNOWN}


def evaluate(machine: GoMachine, frame: Frame, node: Node | None, scope: Scope) -> Run:
    if node is None:
        return UNKNOWN
    machine.step()
    how = _BY_TYPE.get(node.type)
    if how is None:
        return UNKNOWN
    value = yield from how(machine, frame, node, scope)
    return value


def lookup(name: str, scope: Scope) -> Any:
    where = scope.find(name)
    return where.names[name] if where is not None else UNKNOWN


def _name(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    yield from ()
    name = text_of(node)
    where = scope.find(name)
    if where is not None:
        return where.names[name]
    value = yield from global_value(machine, frame.package, name)
    if value is not None:
        return value
    if name in frame.file.imports:
        return Lib(frame.file.imports[name])
    return _WORDS.get(name, Lib(name) if name in library.BUILTINS else UNKNOWN)


def global_value(machine: GoMachine, package: Package, name: str) -> Run:
    """A package's function or variable; None where it has none of that name."""
    values: dict[str, Any] = machine.scopes.setdefault(package.path, Scope()).names
    if name in values:
        return values[name]
    function = package.functions.get(name)
    if function is not None:
        return Func(function.node, function.file, package, None)
    declared = package.variables.get(name)
    if declared is None:
        return None
    values[name] = UNKNOWN
    frame = statements.Frame(declared.file, package)
    value = declared.node.child_by_field_name("value")
    names = [text_of(one) for one in declared.node.children_by_field_name("name")]
    if value is None:
        values[name] = zero(machine, declared.file, package, declared.node.child_by_field_name("type"))
        return values[name]
    found: list[Any] = []
    for one in members(value):
        result = yield from evaluate(machine, frame, one, Scope())
        found.append(result)
    if len(found) == 1 and len(names) > 1 and isinstance(found[0], tuple):
        found = list(found[0])
    for one_name, result in zip(names, found, strict=False):
        values[one_name] = result
    return values[name]


def zero(machine: GoMachine, file: File, package: Package, node: Node | None) -> Any:
    """The zero value of a type, where it is one to call methods on or a flag."""
    if node is None:
        return UNKNOWN
    if node.type in ("pointer_type", "interface_type", "channel_type", "function_type", "slice_type", "map_type"):
        return NIL if node.type in ("pointer_type", "channel_type") else [] if node.type == "slice_type" else UNKNOWN
    name = text_of(node)
    if name == "bool":
        return False
    if name in ("int", "int32", "int64", "uint32", "uint64"):
        return 0
    if name == "error":
        return NIL
    return made(machine, file, package, type_name(node), None)


def made(machine: GoMachine, file: File, package: Package, name: str, span: Span | None) -> Any:
    """A new object of a type, as it is named in a file."""
    operand, _, member = name.rpartition(".")
    if operand in file.imports:
        path = file.imports[operand]
        own = machine.modules.find(path) if machine.modules.is_own(path) else None
        return Object(f"{path}.{member}", span, own if own is not None and member in own.types else None)
    if not operand and name in package.types:
        return Object(f"{package.path}.{name}", span, package)
    return UNKNOWN


def assign(machine: GoMachine, frame: Frame, target: Node, value: Any, scope: Scope) -> Run:
    if target.type == "identifier":
        name = text_of(target)
        where = scope.find(name)
        if where is not None:
            put(machine, where.names, name, value)
        elif name in frame.package.variables:
            yield from global_value(machine, frame.package, name)
            put(machine, machine.scopes[frame.package.path].names, name, value)
    elif target.type == "selector_expression":
        of = yield from evaluate(machine, frame, target.child_by_field_name("operand"), scope)
        field = target.child_by_field_name("field")
        if isinstance(of, Object) and field is not None:
            put(machine, of.fields, text_of(field), value)
        elif isinstance(of, Lib) and machine.modules.is_own(of.path) and field is not None:
            put(machine, machine.scopes.setdefault(of.path, Scope()).names, text_of(field), value)
    elif target.type == "index_expression":
        of = yield from evaluate(machine, frame, target.child_by_field_name("operand"), scope)
        key = yield from evaluate(machine, frame, target.child_by_field_name("index"), scope)
        is_in_list = isinstance(of, list) and isinstance(key, int) and 0 <= key < len(of)
        if of is NIL and machine.is_main_stopping():
            from gracelint.behaviour.go.absent import panic

            panic(machine, frame.file.span(target))
        if is_in_list or (isinstance(of, dict) and isinstance(key, KEYS)):
            put(machine, of, key, value)
        elif isinstance(of, dict) and isinstance(key, Unknown):
            put(machine, of, UNKNOWN, value)  # one stands for all whose keys nobody can tell
    elif target.type in ("unary_expression", "parenthesized_expression") and target.named_children:
        yield from assign(machine, frame, target.named_children[-1], value, scope)
    return None


def _selector(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    of = yield from evaluate(machine, frame, node.child_by_field_name("operand"), scope)
    field = node.child_by_field_name("field")
    operand = text_of(node.child_by_field_name("operand"))
    if of is NIL and operand in frame.package.variables and scope.find(operand) is None and not _is_called(node):
        _fails(machine, frame, node.named_children[0])
    value = yield from member(machine, of, text_of(field) if field is not None else "")
    return value


def _is_called(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "call_expression"


def member(machine: GoMachine, of: Any, name: str) -> Run:
    """A field, a method, or what a package exports."""
    if isinstance(of, Lib):
        if "/" in of.path or "." not in of.path:
            package = (machine.main.path == of.path and machine.main) or machine.modules.find(of.path)
            if package:
                value = yield from global_value(machine, package, name)
                return UNKNOWN if value is None else value
        if of.path == "os" and name == "Args":
            return machine.command_line()
        return library.exported(of.path, name)
    if isinstance(of, Object):
        if name in of.fields:
            return of.fields[name]
        value = _of_object(machine, of, name, 0)
        if value is not None:
            return value
        return UNKNOWN if of.package is not None and _has_field(of, name) else Method(of, name)
    if isinstance(of, Unknown):
        return Method(of, name) if of.of else UNKNOWN
    return Method(of, name)


def _of_object(machine: GoMachine, of: Object, name: str, depth: int) -> Any:
    """A method of an object's type, or of one embedded in it; or a field's zero value."""
    if of.package is None or depth > 4:
        return None
    type_ = of.type.rpartition(".")[2]
    method = of.package.methods.get((type_, name))
    if method is not None:
        return Func(method.node, method.file, of.package, None, of)
    declared = of.package.types.get(type_)
    for field, its_type, embedded in fields_of(declared):
        assert declared is not None
        if field == name and name not in of.fields:
            value = zero(machine, declared.file, of.package, its_type)
            if isinstance(value, Object):
                of.fields[name] = value
                return value
            return NIL if machine.stopping and _is_absent(of, name, its_type) else UNKNOWN
        if embedded:
            inner = of.fields.get(field)
            if inner is None:
                inner = made(machine, declared.file, of.package, type_name(its_type), None)
                of.fields[field] = inner
            if isinstance(inner, Object):
                if name in inner.fields:
                    return inner.fields[name]
                value = _of_object(machine, inner, name, depth + 1)
                if value is None and inner.package is None and library.has_method(inner, name):
                    value = Method(inner, name)
                if value is not None:
                    return value
            elif isinstance(inner, (Ctx, Chan)) and name in ("Done", "Err"):
                return Method(inner, name)
    return None


def _is_absent(of: Object, name: str, type_: Node) -> bool:
    from gracelint.behaviour.go.absent import is_absent

    return is_absent(of, name, type_)


def _has_field(of: Object, name: str) -> bool:
    declared = of.package.types.get(of.type.rpartition(".")[2]) if of.package is not None else None
    return any(field == name for field, _, _ in fields_of(declared))


def _call(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    late = yield from prepare(machine, frame, node, scope)
    value = yield from late()
    return value


def prepare(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    """Evaluates what is called and its arguments; what is returned makes the call, now or later."""
    if node.type != "call_expression":
        return lambda: evaluate(machine, frame, node, scope)
    callee = node.child_by_field_name("function")
    span = frame.file.span(node)
    function = yield from evaluate(machine, frame, callee, scope)
    if isinstance(function, Method) and function.of is NIL and machine.is_main_stopping():
        from gracelint.behaviour.go.absent import dies

        dies(machine, function.name, frame.package, span)
    given: list[Any] = []
    nodes = members(node.child_by_field_name("arguments"))
    if isinstance(function, Lib) and function.path in ("make", "new"):
        value = _make(machine, frame, nodes, function.path, span)
        return lambda: _constant(value)
    for one in nodes:
        value = yield from evaluate(machine, frame, one, scope)
        given.append(value)
    if len(given) == 1 and isinstance(given[0], tuple):
        given = list(given[0])
    spread = nodes and nodes[-1].type == "variadic_argument"
    if spread and isinstance(given[-1], list):
        given = [*given[:-1], *given[-1]]
    if function is UNKNOWN and len(given) == 1 and text_of(callee) in frame.package.types:
        return lambda: _constant(given[0])
    if isinstance(function, Lib) and function.path.startswith("sync/atomic."):
        return lambda: concurrency.atomic(machine, frame, function.path, nodes, given, scope)
    if not _FLAGS.isdisjoint(frame.file.imports.values()):
        from gracelint.behaviour.go import flags

        flag = flags.declared(function, given)
        if flag is not None:
            its = flags.value(machine, flag)
            target = nodes[0].child_by_field_name("operand") if flag.by_address else None
            if target is not None:
                yield from assign(machine, frame, target, its, scope)
            return lambda: _constant(its)
    if isinstance(function, (Lib, Unknown, Method)) and not library.is_known(function):
        for one in nodes:
            # whoever gets an address may write there
            if one.type == "unary_expression" and text_of(one).startswith("&"):
                yield from _forget(machine, frame, one, scope)
    name = text_of(callee) if callee is not None else ""
    return lambda: call(machine, function, given, span, name)


def _forget(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    operand = node.child_by_field_name("operand")
    if operand is None or operand.type != "identifier":
        return None
    known = lookup(text_of(operand), scope)
    if isinstance(known, (bool, int, float, str)):
        yield from assign(machine, frame, operand, UNKNOWN, scope)
    return None


def _constant(value: Any) -> Run:
    yield from ()
    return value


def call(machine: GoMachine, function: Any, given: list[Any], span: Span, name: str = "") -> Run:
    machine.step()
    if isinstance(function, Native):
        value = function.call(given)
        if hasattr(value, "send"):
            value = yield from value
        return value
    if isinstance(function, Func):
        value = yield from enter(machine, function, given, span)
        return value
    if isinstance(function, (Lib, Method, Unknown)):
        value = yield from library.call(machine, function, given, span, name)
        return value
    return UNKNOWN


def enter(machine: GoMachine, function: Func, given: list[Any], span: Span) -> Run:
    """Runs a function of the program, and what it defers."""
    body = function.node.child_by_field_name("body")
    if body is None:
        return UNKNOWN
    frame = statements.Frame(function.file, function.package)
    if machine.goes_deeper(function.node.id, given) and not matters(machine, frame, body):
        return UNKNOWN
    scope = Scope(function.env)
    receiver = function.node.child_by_field_name("receiver")
    if receiver is not None and function.receiver is not None:
        scope.names.update({name: function.receiver for name, _ in _parameters(receiver)})
    left = list(given)
    for name, variadic in _parameters(function.node.child_by_field_name("parameters")):
        scope.names[name] = left if variadic else left.pop(0) if left else UNKNOWN
    result = function.node.child_by_field_name("result")
    if result is not None and result.type == "parameter_list":
        frame.results = [name for name, _ in _parameters(result) if name != "_"]
        scope.names.update({name: NIL if name == "err" else UNKNOWN for name in frame.results})
    machine.depth += 1
    machine.step()
    too_late = machine.begins_too_late(function, given)
    machine.nested.setdefault(function.node.id, []).append(machine.wakes)
    try:
        flow = yield from statements.block(machine, frame, body, scope)
    except Ended as ended:
        if ended.how != "panic":
            raise
        yield from _late(machine, frame)
        raise
    finally:
        machine.nested[function.node.id].pop()
    yield from _late(machine, frame)
    machine.depth -= 1
    if flow is None or flow[0] != "return":
        return NIL
    value = flow[1]
    if too_late:
        machine.ends_undone(function.node.id, span, value[-1] if isinstance(value, tuple) and value else value)
    other = in_place_of(value, frame.passed_by)
    if other is not None:
        value = yield from evaluate(machine, frame, other, scope)
    return agreed(value, frame.passed_by)


def _late(machine: GoMachine, frame: statements.Frame) -> Run:
    """What a call defers runs as it ends."""
    for late, heavy in reversed(frame.deferred):
        machine.defers -= heavy
        yield from late()


def _parameters(node: Node | None) -> list[tuple[str, bool]]:
    found = []
    for child in node.named_children if node is not None else ():
        for name in child.children_by_field_name("name"):
            found.append((text_of(name), child.type == "variadic_parameter_declaration"))
        if not child.children_by_field_name("name"):
            found.append(("_", False))
    return found


def _make(machine: GoMachine, frame: Frame, nodes: list[Node], how: str, span: Span) -> Any:
    of = nodes[0] if nodes else None
    if of is None:
        return UNKNOWN
    if how == "new":
        return made(machine, frame.file, frame.package, type_name(of), span)
    declared = frame.package.types.get(text_of(of))
    if declared is not None:
        of = declared.node.child_by_field_name("type") or of
    if of.type == "channel_type":
        size = text_of(nodes[1]) if len(nodes) > 1 else "0"
        return Chan(int(size) if is_whole(size) else 1, span)
    if of.type == "slice_type" and text_of(nodes[1] if len(nodes) > 1 else None) not in ("", "0"):
        return Some()
    return [] if of.type == "slice_type" else {} if of.type == "map_type" else UNKNOWN


def _literal(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    """A composite literal."""
    type_ = node.child_by_field_name("type")
    body = node.child_by_field_name("body")
    elements = [child for child in (body.named_children if body is not None else ()) if child.type != "comment"]
    values: list[Any] = []
    keyed: dict[Any, Any] = {}
    is_struct = type_ is not None and type_.type in ("type_identifier", "qualified_type", "generic_type")
    for element in elements:
        parts = element.named_children
        if element.type == "keyed_element":
            key, given = parts[0].named_children[0], parts[-1].named_children[0] if parts[-1].named_children else None
            value = yield from _element(machine, frame, given, type_, scope)
            if is_struct:
                keyed[text_of(key)] = value
            else:
                its = yield from evaluate(machine, frame, key, scope)
                keyed[its if isinstance(its, (str, int)) else text_of(key)] = value
        else:
            value = yield from _element(machine, frame, parts[0] if parts else None, type_, scope)
            values.append(value)
    if not is_struct:
        of_keys = type_ is not None and type_.type == "map_type"
        return {**keyed} if of_keys else Some([*values, *keyed.values()]) if keyed else values
    made_one = made(machine, frame.file, frame.package, type_name(type_), frame.file.span(node))
    if isinstance(made_one, Object):
        made_one.fields.update(keyed)
        declared = made_one.package.types.get(made_one.type.rpartition(".")[2]) if made_one.package else None
        made_one.fields.update({field[0]: value for field, value in zip(fields_of(declared), values, strict=False)})
        library.literal(machine, made_one)
        return made_one
    declared = frame.package.types.get(type_name(type_))
    return values if values else UNKNOWN


def _element(machine: GoMachine, frame: Frame, node: Node | None, type_: Node | None, scope: Scope) -> Run:
    if node is not None and node.type == "literal_value" and type_ is not None:
        element = type_.child_by_field_name("element") or type_.child_by_field_name("value")
        one = (
            made(machine, frame.file, frame.package, type_name(element), frame.file.span(node))
            if element is not None
            else None
        )
        if isinstance(one, Object):
            declared = one.package.types.get(one.type.rpartition(".")[2]) if one.package is not None else None
            positional = iter(fields_of(declared))
            for child in node.named_children:
                parts = child.named_children
                name = text_of(parts[0]) if child.type == "keyed_element" else next(positional, ("", None, False))[0]
                its = parts[-1] if child.type == "keyed_element" and parts else child
                value = yield from evaluate(machine, frame, its.named_children[0] if its.named_children else its, scope)
                one.fields[name] = value
            return one
        return UNKNOWN
    value = yield from evaluate(machine, frame, node, scope)
    return value


def _closure(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    yield from ()
    return Func(node, frame.file, frame.package, scope)


def _unary(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    operand = node.child_by_field_name("operand")
    value = yield from evaluate(machine, frame, operand, scope)
    operator = text_of(node)[:1]
    if text_of(node).startswith("<-"):
        value = yield from receive(machine, value, frame.file.span(node), node.id)
        return value
    if operator == "!":
        return not value if isinstance(value, bool) else UNKNOWN
    if operator == "-":
        is_group = isinstance(value, Object) and value.type == "os.Pid"
        return -value if isinstance(value, (int, float)) else value if is_group else UNKNOWN
    return value


def _binary(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    left_node, right_node = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator_node = node.child_by_field_name("operator")
    operator = text_of(operator_node).replace("/", "//") if operator_node is not None else ""
    left = yield from evaluate(machine, frame, left_node, scope)
    if operator in ("&&", "||"):
        if left is (operator == "||"):
            return left
        right = yield from evaluate(machine, frame, right_node, scope)
        if right is (operator == "||"):
            return right
        return right if isinstance(left, bool) and isinstance(right, bool) else UNKNOWN
    right = yield from evaluate(machine, frame, right_node, scope)
    if isinstance(left, OneOf) or isinstance(right, OneOf):
        return binary(operator, left, right)
    are_numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    if are_numbers:
        machine.notes(node.id, (left, right))
    if operator in ("==", "!="):
        same = equal_of_one_type(left, right)
        if operator == "==" and (left is UNSET or right is UNSET):
            return UNKNOWN
        if same is None and ANSWER not in (left, right) and (left is NIL or right is NIL):
            same = _no_error(left_node if right is NIL else right_node)
        return UNKNOWN if same is None else same is (operator == "==")
    if isinstance(left, str) and isinstance(right, str) and operator == "+":
        return left + right if len(left) + len(right) <= EXPANDED else UNKNOWN
    if right == 0 and operator in ("//", "%") and isinstance(left, int) and isinstance(right, int):
        _fails(machine, frame, node)
    if are_numbers:
        return arithmetic(operator, left, right)
    return UNSET if left is UNSET or right is UNSET else UNKNOWN


def _no_error(node: Node | None) -> bool | None:
    """Of an error nobody can tell it is taken that there is none."""
    return True if node is not None and "err" in text_of(node).lower() else None


def _number(_: GoMachine, __: Frame, node: Node, ___: Scope) -> Run:
    yield from ()
    text = text_of(node).replace("_", "").lower()
    try:
        return int(text, 0) if node.type == "int_literal" else float(text)
    except ValueError:
        return UNKNOWN


def _string(_: GoMachine, __: Frame, node: Node, ___: Scope) -> Run:
    yield from ()
    return text_of(node)[1:-1]


def _inner(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    child = node.child_by_field_name("operand") or (node.named_children[0] if node.named_children else None)
    value = yield from evaluate(machine, frame, child, scope)
    return value


def _place(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    from gracelint.behaviour.go import places

    value = yield from (places.index if node.type == "index_expression" else places.part)(machine, frame, node, scope)
    return value


def _fails(machine: GoMachine, frame: Frame, node: Node) -> None:
    from gracelint.behaviour.go.places import fails

    fails(machine, frame, node)


def _converted(machine: GoMachine, frame: Frame, node: Node, scope: Scope) -> Run:
    value = yield from evaluate(machine, frame, node.child_by_field_name("operand"), scope)
    return value


_BY_TYPE: dict[str, Callable[[GoMachine, Frame, Node, Scope], Run]] = {
    "identifier": _name,
    "nil": lambda m, f, n, s: _constant(NIL),
    "true": lambda m, f, n, s: _constant(True),
    "false": lambda m, f, n, s: _constant(False),
    "selector_expression": _selector,
    "call_expression": _call,
    "composite_literal": _literal,
    "func_literal": _closure,
    "unary_expression": _unary,
    "binary_expression": _binary,
    "int_literal": _number,
    "float_literal": _number,
    "interpreted_string_literal": _string,
    "raw_string_literal": _string,
    "parenthesized_expression": _inner,
    "variadic_argument": _inner,
    "literal_element": _inner,
    "type_assertion_expression": _inner,
    "type_instantiation_expression": _inner,
    "type_conversion_expression": _converted,
    "index_expression": _place,
    "slice_expression": _place,
}
