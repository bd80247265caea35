"""What expressions come to in a run."""

from __future__ import annotations

import math

from gracelint.base import limits
from gracelint.base.numbers import is_whole
from gracelint.base.patterns import pattern
from gracelint.base.record import replace
from gracelint.behaviour.node import failing, library, names, promises
from gracelint.behaviour.node.globals import has_own, load_computed
from gracelint.behaviour.node.methods import LISTENS
from gracelint.behaviour.node.state import Frame, Stop, Text, Thrown, Undecided
from gracelint.behaviour.node.syntax import callee_of, name_of, string_of
from gracelint.behaviour.node.this import taken
from gracelint.behaviour.node.values import (
    EMITTER,
    LOST,
    MISSING,
    UNDEFINED,
    UNKNOWN,
    After,
    Arguments,
    Array,
    Builtin,
    Class,
    Closure,
    External,
    Object,
    Promise,
    Scope,
    Thing,
    equal,
    joined,
    spread,
    truthy,
)
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine


def _inner_value(machine: Machine, node: Node, frame: Frame) -> Any:
    """Parentheses, `as`, `!`, `satisfies`: the value inside."""
    return machine.value(node.named_children[0], frame) if node.named_children else UNKNOWN


def sequence(machine: Machine, node: Node, frame: Frame) -> Any:
    found = UNDEFINED
    for child in node.named_children:
        found = machine.value(child, frame)
    return found


def _identifier(machine: Machine, node: Node, frame: Frame) -> Any:
    name = text_of(node)
    found = frame.scope.get(name, MISSING)
    if machine.is_counted(name) and isinstance(found, (int, float)):
        return UNKNOWN
    if found is MISSING and machine.stopping and machine.certain and name not in library.GLOBALS:
        from gracelint.behaviour.node.mistakes import is_undeclared

        if is_undeclared(machine, node, frame):
            raise Thrown
    return library.GLOBALS.get(name, External(name)) if found is MISSING else found


def _string_literal(machine: Machine, node: Node, frame: Frame) -> Any:
    found = string_of(node)
    if found is None:
        parts = []
        for child in node.named_children:
            if child.type == "string_fragment":
                parts.append(text_of(child))
            elif child.type == "template_substitution":
                part = machine.value(child.named_children[0], frame) if child.named_children else UNKNOWN
                if not isinstance(part, (str, int, float)):
                    return UNKNOWN
                parts.append(str(part))
        return "".join(parts) if sum(map(len, parts)) <= limits.EXPANDED else UNKNOWN
    text = Text(found)
    text.span = frame.file.span(node)
    return text


def _number_literal(machine: Machine, node: Node, frame: Frame) -> Any:
    text = text_of(node).replace("_", "").rstrip("n")
    try:
        return _number(int(text, 0))
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return UNKNOWN


def _number(value: int) -> float:
    """A JavaScript number: an integer as far as it is exact."""
    if abs(value) <= limits.EXACT:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _array_literal(machine: Machine, node: Node, frame: Frame) -> Any:
    found = Array([])
    for child in node.named_children:
        if child.type == "spread_element":
            inner = machine.value(child.named_children[0], frame)
            if isinstance(inner, Array):
                machine.pay_for(len(inner.items))
                found.items += inner.items
                found.open = found.open or inner.open
            else:
                found.open = True
        elif child.type != "comment":
            found.items.append(taken(machine.value(child, frame), child))
    if not node.named_children and not machine.stopping and (name := _named_for(node)):
        machine.empty.append((name, found))
    return found


def _named_for(value: Node) -> str:
    """The name of the variable or member that a value is given to."""
    above = value.parent
    while above is not None and above.type in ("as_expression", "satisfies_expression"):
        above = above.parent
    targets = (above.child_by_field_name(field) for field in ("name", "property", "left", "key")) if above else ()
    return next((name_of(target) for target in targets if target is not None), "")


def _object_literal(machine: Machine, node: Node, frame: Frame) -> Any:
    found = Object()
    for child in node.named_children:
        if child.type == "pair":
            key = machine.key(child.child_by_field_name("key"), frame)
            inside = child.child_by_field_name("value")
            value = taken(machine.value(inside, frame), inside, found)
            if key is None:
                found.cloud()
            else:
                found.props[key] = value
        elif child.type == "shorthand_property_identifier":
            found.props[text_of(child)] = _identifier(machine, child, frame)
        elif child.type == "method_definition":
            name = machine.key(child.child_by_field_name("name"), frame)
            if name is not None:
                found.props[name] = Closure(child, frame.scope, frame.file, found)
        elif child.type == "spread_element":
            inner = machine.value(child.named_children[0], frame)
            machine.pay_for(len(inner.props) if isinstance(inner, Object) else 0)
            found.take(inner)
    return found


def _function_literal(machine: Machine, node: Node, frame: Frame) -> Any:
    this = frame.this if node.type == "arrow_function" else UNDEFINED
    return Closure(node, frame.scope, frame.file, this)


def class_value(machine: Machine, node: Node, frame: Frame) -> Any:
    heritage = next((child for child in node.named_children if child.type == "class_heritage"), None)
    parent = None
    if heritage is not None and heritage.named_children:
        clause = heritage.named_children[0]
        inner = clause.child_by_field_name("value") if clause.type == "extends_clause" else clause
        parent = machine.value(inner, frame)
    found = Class(node, frame.scope, frame.file, parent, {}, {})
    machine.classes.append(found)
    body = node.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        static = any(part.type == "static" for part in child.children)
        if child.type == "method_definition":
            name = machine.key(child.child_by_field_name("name"), frame)
            if name is not None:
                closure = Closure(child, frame.scope, frame.file, found if static else UNDEFINED)
                (found.statics if static else found.methods)[name] = closure
        elif static and child.type in ("field_definition", "public_field_definition"):
            field = child.child_by_field_name("property") or child.child_by_field_name("name")
            name = machine.key(field, frame)
            if name is not None:
                found.statics[name] = machine.value(child.child_by_field_name("value"), frame)
    return found


def _this(machine: Machine, node: Node, frame: Frame) -> Any:
    return frame.this


def _unary(machine: Machine, node: Node, frame: Frame) -> Any:
    operator = node.child_by_field_name("operator")
    argument = node.child_by_field_name("argument")
    kind = text_of(operator) if operator is not None else ""
    if kind == "typeof" and argument is not None and argument.type == "identifier":
        return _type_of(frame.scope.get(text_of(argument)))
    value = machine.value(argument, frame)
    if kind == "!":
        truth = truthy(value)
        return UNKNOWN if truth is None else not truth
    if kind in "+-" and isinstance(value, (int, float)):
        return value if kind == "+" else -value
    if kind == "void":
        failing.dropped(machine, value, node, frame)
        return UNDEFINED
    if kind == "typeof":
        return _type_of(value)
    return UNKNOWN


def _binary(machine: Machine, node: Node, frame: Frame) -> Any:
    operator = node.child_by_field_name("operator")
    kind = text_of(operator) if operator is not None else ""
    left = machine.value(node.child_by_field_name("left"), frame)
    right = node.child_by_field_name("right")
    if kind in ("&&", "||", "??"):
        return _logical(machine, kind, left, right, node, frame)
    other = machine.value(right, frame)
    if kind in ("===", "==", "!==", "!="):
        if _asks_for_entry(left) or _asks_for_entry(other):
            return (frame.file.source.path == machine.source.path) is (kind in ("===", "=="))
        same = equal(left, other)
        return UNKNOWN if same is None else same if kind in ("===", "==") else not same
    if kind == "in":
        return has_own(other, left)
    return _arithmetic(kind, left, other)


def _logical(machine: Machine, kind: str, left: Any, right: Node | None, node: Node, frame: Frame) -> Any:
    truth = truthy(left)
    if kind == "??":
        truth = True if left is not None and left is not UNDEFINED and left is not UNKNOWN else truth
        truth = False if left is None or left is UNDEFINED else truth
    if truth is None:
        with Undecided(machine, node.child_by_field_name("left"), frame):
            other = machine.value(right, frame)
        # `process.env.TIMEOUT_MS || 10000`: the number the program itself takes for granted
        is_default = kind != "&&" and (isinstance(other, (int, float)) or (isinstance(other, str) and is_whole(other)))
        return other if is_default and not isinstance(other, bool) else UNKNOWN
    if kind == "&&":
        return machine.value(right, frame) if truth else left
    return left if truth else machine.value(right, frame)


def _ternary(machine: Machine, node: Node, frame: Frame) -> Any:
    test = node.child_by_field_name("condition")
    truth = truthy(machine.value(test, frame))
    then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    if truth is not None:
        return machine.value(then if truth else other, frame)
    with Undecided(machine, test, frame):
        found = [machine.value(part, frame) for part in (then, other)]
    return next((value for value in found if isinstance(value, Thing)), UNKNOWN)


def _assignment(machine: Machine, node: Node, frame: Frame) -> Any:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    kind = text_of(operator) if operator is not None and node.type == "augmented_assignment_expression" else ""
    if kind in ("??=", "||=", "&&="):
        value = _logical(machine, kind[:2], machine.value(left, frame), right, node, frame)
    else:
        value = machine.value(right, frame)
        if left is not None and left.type == "identifier":
            value = taken(value, right)
        value = _arithmetic(kind[:-1], machine.value(left, frame), value) if kind and machine.counting else value
        value = UNKNOWN if kind and not machine.counting else value
        if kind == "+=" and left is not None:
            machine.counted_up.add(text_of(left.child_by_field_name("property") or left))
    if left is not None and left.type == "identifier" and machine.stopping:
        from gracelint.behaviour.node.mistakes import is_constant

        if is_constant(machine, left, frame):
            raise Thrown
    if left is not None:
        names.bind(machine, left, value, frame)
        if machine.stopping:
            machine.note("flag", node, frame, target=text_of(left))
    return value


def _update(machine: Machine, node: Node, frame: Frame) -> Any:
    argument = node.child_by_field_name("argument")
    operator = node.child_by_field_name("operator")
    if argument is not None and operator is not None and text_of(operator) == "++":
        machine.counted_up.add(text_of(argument.child_by_field_name("property") or argument))
    old = machine.value(argument, frame) if machine.counting else UNKNOWN
    if argument is not None and operator is not None and isinstance(old, (int, float)):
        new = old + (1 if text_of(operator) == "++" else -1)
        names.bind(machine, argument, new, frame)
        return new if node.children[0].type == text_of(operator) else old
    if argument is not None and argument.type == "identifier":
        frame.scope.assign(text_of(argument), UNKNOWN)
    return UNKNOWN


def _member_expression(machine: Machine, node: Node, frame: Frame) -> Any:
    given = node.child_by_field_name("object")
    owner = machine.value(given, frame)
    name = machine.property_name(node, frame)
    if owner is LOST:
        raise Thrown
    if node.child_by_field_name("optional_chain") is None and failing.must_fail(machine, owner, given):
        raise Thrown
    if isinstance(owner, External) and owner.path == "cluster.workers":
        return library.external_member(machine, owner, name or "1")
    if name is None and machine.rehearsing and isinstance(owner, Object):
        from gracelint.behaviour.node.answers import any_of

        return any_of(owner.props.values())
    return machine.member(owner, name, frame) if name is not None else UNKNOWN


def _await_expression(machine: Machine, node: Node, frame: Frame) -> Any:
    value = machine.value(node.named_children[0], frame) if node.named_children else UNDEFINED
    if not machine.stopping and isinstance(value, (External, Promise, Thing)):
        machine.awaited.append((callee_of(node), frame.file.span(node), len(machine.registrations)))
    return _settle(machine, value, node, frame)


def _settle(machine: Machine, value: Any, node: Node, frame: Frame) -> Any:
    """What `await` gives, and what then has to have happened."""
    if isinstance(value, Promise):
        if value.rejected:
            raise Thrown
        if value.never:
            if value.stuck and machine.stopping:
                machine.note("stuck", node, frame)
            raise Stop
        machine.pay_for(len(frame.after) + len(value.after))
        frame.after = joined(frame.after, value.after)
        machine.pause(tuple(part for part in frame.after if not (machine.in_job and part.kind == "work")))
        return value.value
    if isinstance(value, External) and "(" in value.path:
        kind = "unknown" if value.path.startswith("?") else "work"
        if value.seconds is not None:
            kind = "blocked" if value.seconds == float("inf") else "timer"
        frame.after = (*frame.after, After(kind, frame.file.span(node), None, value.seconds))
        if not machine.rehearsing or failing.writes(value.path):
            machine.pause(frame.after)
    if value is UNKNOWN and machine.stopping:
        frame.after = (*frame.after, After("unknown", frame.file.span(node)))
    return value


def _new_expression(machine: Machine, node: Node, frame: Frame) -> Any:
    target = machine.value(node.child_by_field_name("constructor"), frame)
    args = _arguments(machine, node, frame)
    if isinstance(target, Class):
        return construct(machine, target, args, frame)
    if isinstance(target, External):
        if target.path == "Promise":
            return promises.new_promise(machine, args, node, frame)
        if target.path in _STREAMS:
            from gracelint.behaviour.node.streams import made

            return made(args) or library.call_external(machine, target, args, node, frame)
        return library.call_external(machine, target, args, node, frame)
    return UNKNOWN


def construct(machine: Machine, target: Class, args: list[Any], frame: Frame) -> Object:
    found = Object(cls=target)
    chain: list[Class] = []
    here: Any = target
    while isinstance(here, Class) and len(chain) < 16:
        chain.append(here)
        here = here.parent
    if here is not None and not isinstance(here, Class):
        found.open = True
        if isinstance(here, External) and here.path in _EMITTERS:
            found.props[EMITTER] = Thing("emitter", "EventEmitter", target.file.span(target.node), False)
    for cls in reversed(chain):
        inner = Frame(Scope(cls.scope), cls.file, frame.after, found)
        body = cls.node.child_by_field_name("body")
        for child in body.named_children if body is not None else ():
            if child.type in ("field_definition", "public_field_definition") and not any(
                part.type == "static" for part in child.children
            ):
                name = child.child_by_field_name("property") or child.child_by_field_name("name")
                key = machine.key(name, inner)
                if key is not None:
                    found.props[key] = machine.value(child.child_by_field_name("value"), inner)
                    if isinstance(found.props[key], Thing):
                        found.props[key].variable = f"this.{key}"
        if "constructor" in cls.methods and cls is next((c for c in chain if "constructor" in c.methods), None):
            constructor = cls.methods["constructor"]
            _bind_parameter_properties(constructor.node, args, found)
            machine.call(replace(constructor, this=found), args, frame, None)
    if isinstance(here, External) and here.path in _STREAMS:
        from gracelint.behaviour.node.streams import prepare

        prepare(machine, found, frame)
    return found


_STREAMS = ("stream.Writable", "stream.Duplex", "stream.Transform")
_EMITTERS = ("events", "events.EventEmitter", "eventemitter3", "eventemitter3.EventEmitter")


def _call_expression(machine: Machine, node: Node, frame: Frame) -> Any:
    function = node.child_by_field_name("function")
    if function is not None and function.type == "import":
        args = _arguments(machine, node, frame)
        return Promise(frame.after, load_computed(machine, args[0] if args else UNKNOWN, node, frame))
    if function is not None and function.type == "super":
        _arguments(machine, node, frame)
        return UNDEFINED
    target = machine.value(function, frame)
    args = _arguments(machine, node, frame)
    if target is UNDEFINED and machine.stopping and _has_no_such(machine, node, frame):
        raise Thrown
    if isinstance(target, Closure):
        machine.run_timers.add((frame.file.source.path, node.start_byte))
    return machine.call(target, args, frame, node)


_CALLED_OR_ASKED = pattern(r"\?\.|\(")


def _has_no_such(machine: Machine, call: Node, frame: Frame) -> bool:
    """Whether a method is called that its object surely does not have."""
    function = call.child_by_field_name("function")
    if function is None or function.type != "member_expression" or call.child_by_field_name("optional_chain"):
        return False
    name, given = function.child_by_field_name("property"), function.child_by_field_name("object")
    if name is None or given is None or _CALLED_OR_ASKED.search(text_of(function)):
        return False
    from gracelint.behaviour.node.mistakes import lacks

    return lacks(machine, machine.value(given, frame), text_of(name), frame)


def _arguments(machine: Machine, node: Node, frame: Frame) -> list[Any]:
    given = node.child_by_field_name("arguments")
    found: list[Any] = []
    callee = callee_of(node)
    by_process = callee.startswith("process.")  # `helpers.detached` says whose its listeners are
    this = Object() if callee.rpartition(".")[2] in _CALL_WITH_THEIR_OWN else LOST
    for child in given.named_children if given is not None and given.type == "arguments" else ():
        if child.type == "spread_element":
            inner_items = spread(machine.value(child.named_children[0], frame))
            machine.pay_for(len(inner_items))
            found = (Arguments if isinstance(inner_items, Arguments) else type(found))([*found, *inner_items])
        elif child.type != "comment":
            value = machine.value(child, frame)
            found.append(value if by_process else taken(value, child, this))
    return found


_CALL_WITH_THEIR_OWN = frozenset(("setTimeout", "setInterval", "setImmediate", *LISTENS))
"""Functions that call what they are given with a `this` of their own."""


def _type_of(value: Any) -> Any:
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (Closure, Builtin, Class)):
        return "function"
    return "undefined" if value is UNDEFINED else UNKNOWN


def _asks_for_entry(value: Any) -> bool:
    """`require.main === module`, or the module's own address compared with the script's: true in the entry alone."""
    return isinstance(value, External) and value.path in _ENTRY


_ENTRY = ("require.main", "require.main.filename", "process.mainModule", "import.meta.url", "import.meta.filename")


def _arithmetic(kind: str, left: Any, right: Any) -> Any:
    if kind == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right if len(left) + len(right) <= limits.EXPANDED else UNKNOWN
    if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
        return UNKNOWN
    try:
        result = _OPERATORS[kind](left, right)
        return _number(result) if isinstance(result, int) and not isinstance(result, bool) else result
    except (KeyError, ArithmeticError, ValueError):
        return UNKNOWN


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _bind_parameter_properties(node: Node, args: list[Any], this: Object) -> None:
    """TypeScript's `constructor(private readonly server: Server)`."""
    parameters = node.child_by_field_name("parameters")
    for index, child in enumerate(parameters.named_children if parameters is not None else ()):
        if any(part.type in ("accessibility_modifier", "readonly") for part in child.children):
            pattern = child.child_by_field_name("pattern")
            if pattern is not None:
                this.props[text_of(pattern)] = args[index] if index < len(args) else UNKNOWN


EXPRESSIONS: dict[str, Callable[[Machine, Node, Frame], Any]] = {
    "identifier": _identifier,
    "string": _string_literal,
    "template_string": _string_literal,
    "number": _number_literal,
    "true": lambda m, n, f: True,
    "false": lambda m, n, f: False,
    "null": lambda m, n, f: None,
    "undefined": lambda m, n, f: UNDEFINED,
    "this": _this,
    "array": _array_literal,
    "object": _object_literal,
    "arrow_function": _function_literal,
    "function_expression": _function_literal,
    "function": _function_literal,
    "generator_function": _function_literal,
    "class": class_value,
    "parenthesized_expression": _inner_value,
    "as_expression": _inner_value,
    "satisfies_expression": _inner_value,
    "non_null_expression": _inner_value,
    "type_assertion": lambda m, n, f: m.value(n.named_children[-1], f),
    "sequence_expression": sequence,
    "unary_expression": _unary,
    "binary_expression": _binary,
    "ternary_expression": _ternary,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _assignment,
    "update_expression": _update,
    "member_expression": _member_expression,
    "subscript_expression": _member_expression,
    "await_expression": _await_expression,
    "new_expression": _new_expression,
    "call_expression": _call_expression,
    "meta_property": lambda m, n, f: External(text_of(n)),
}
