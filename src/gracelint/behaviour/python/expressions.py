"""What each kind of expression is worth."""

from __future__ import annotations

import ast

from gracelint.base.limits import EXACT
from gracelint.behaviour.python.between import KIND, calculated
from gracelint.behaviour.python.ends import (
    Frame,
)
from gracelint.behaviour.python.names import canonical, comparable, is_result, path_of
from gracelint.behaviour.python.objects import joined, key_of, like_others, put, subscript
from gracelint.behaviour.python.registry import PROPERTIES
from gracelint.behaviour.python.values import (
    CERTAIN,
    ELEMENTS,
    FALSE,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
    TRUE,
    Bound,
    Const,
    Items,
    Later,
    MoreArguments,
    Name,
    Thing,
    Unknown,
    Value,
    items,
    join,
    same,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.values import Store


def _constant(machine: Machine, node: ast.Constant) -> Value:
    if isinstance(node.value, int) and abs(node.value) > EXACT:
        return FROM_OUTSIDE
    return Const(node.value)


def _name(machine: Machine, node: ast.Name) -> Value:
    return machine.lookup(node.id)


def _attribute(machine: Machine, node: ast.Attribute) -> Value:
    value = machine.attribute(machine.eval(node.value), node.attr, node)
    if isinstance(value, Bound) and value.name in PROPERTIES:
        return PROPERTIES[value.name](machine, value)
    return value


def _call(machine: Machine, node: ast.Call) -> Value:
    function = machine.eval(node.func)
    args: list[Value] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            known = machine.elements(machine.eval(argument.value))
            args = [*args, *known] if known is not None else MoreArguments([*args, FROM_OUTSIDE])
        else:
            args.append(machine.eval(argument))
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = machine.eval(keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif isinstance(value, Items):
            machine.pay_for(len(value.store))
            keywords |= {key: item for key, item in value.store.items() if isinstance(key, str)}
        else:
            keywords["…"] = FROM_OUTSIDE
    return machine.call(function, args, keywords, node)


def _await(machine: Machine, node: ast.Await) -> Value:
    return machine.awaited(machine.eval(node.value), node)


def _yield(machine: Machine, node: ast.Yield) -> Value:
    value = machine.eval(node.value) if node.value else NONE
    on_yield = machine.frame.on_yield
    return FROM_OUTSIDE if on_yield is None else on_yield(value)


def _yield_from(machine: Machine, node: ast.YieldFrom) -> Value:
    value = machine.eval(node.value)
    if isinstance(value, Later) and machine.frame.on_yield is not None:
        return machine.invoke(value.function, value.args, value.keywords, value.node, on_yield=machine.frame.on_yield)
    return FROM_OUTSIDE


def _bool_op(machine: Machine, node: ast.BoolOp) -> Value:
    stop = isinstance(node.op, ast.Or)
    tag = CERTAIN
    value: Value = FROM_OUTSIDE
    for index, part in enumerate(node.values):
        if tag and index:
            mark, arrived = len(machine.trail), machine.arrived
            value = machine.eval(part)
            if not (machine.arrived and not arrived):
                changes = machine.undo(mark)
                machine.redo(changes)
        else:
            value = machine.eval(part)
        truth = machine.truth(value)
        if truth is stop:
            return value if not tag else Const(stop) if tag < LOST else value
        if isinstance(truth, Unknown):
            tag = max(tag, truth.tag)
    if tag == CERTAIN:
        return value
    return Unknown(tag)


def _unary(machine: Machine, node: ast.UnaryOp) -> Value:
    value = machine.eval(node.operand)
    if isinstance(node.op, ast.Not):
        truth = machine.truth(value)
        return Const(not truth) if isinstance(truth, bool) else truth
    if isinstance(node.op, ast.USub) and isinstance(value, Const) and isinstance(value.value, (int, float)):
        return Const(-value.value)
    return Unknown(value.tag) if isinstance(value, Unknown) else FROM_OUTSIDE


def _bin_op(machine: Machine, node: ast.BinOp) -> Value:
    left, right = machine.eval(node.left), machine.eval(node.right)
    if isinstance(left, Const) and isinstance(right, Const):
        return calculate(node.op, left.value, right.value)
    if (clock := on_the_clock(node.op, left, right)) is not None:
        return clock
    if (number := calculated(machine, node, left, right)) is not None:
        return number
    if isinstance(left, Items) and isinstance(right, Items) and isinstance(node.op, (ast.Add, ast.BitOr, ast.Sub)):
        return joined(machine, left, right, node.op)
    return LOST_TRACK if any(isinstance(v, Unknown) and v.tag == LOST for v in (left, right)) else FROM_OUTSIDE


_CLOCKS = ("time.monotonic", "time.time", "time.perf_counter", "asyncio.loop.time")


def on_the_clock(operator: ast.operator, left: Value, right: Value) -> Value | None:
    """`time.monotonic() + 5` is a deadline; what is left until then, or of 5 s when some have passed, is 5 at most.

    None where it is no such thing.
    """
    is_now = isinstance(right, Thing) and canonical(right.kind) in _CLOCKS
    if isinstance(operator, ast.Sub) and isinstance(left, Const) and isinstance(right, Thing):
        return _left(right, left) if right.kind == "time.passed" else None
    if not isinstance(left, Thing):
        return None
    if isinstance(operator, ast.Add) and canonical(left.kind) in _CLOCKS and isinstance(right, Const):
        deadline = Thing("time.deadline", left.node, left.module)
        deadline.store["#most"] = right
        return deadline
    if not isinstance(operator, ast.Sub) or not is_now:
        return None
    if left.kind == "time.deadline":
        return _left(left, left.store["#most"])
    return Thing("time.passed", left.node, left.module) if canonical(left.kind) in _CLOCKS else None


def _left(clock: Thing, most: Value) -> Thing:
    rest = Thing("time.left", clock.node, clock.module)
    rest.store["#most"] = most
    return rest


def _compare(machine: Machine, node: ast.Compare) -> Value:
    left = machine.eval(node.left)
    result: Value = TRUE
    for operator, comparator in zip(node.ops, node.comparators, strict=False):
        right = machine.eval(comparator)
        answer = compared(operator, left, right)
        if isinstance(answer, Const) and not answer.value:
            return FALSE
        if isinstance(answer, Unknown):
            result = answer
        left = right
    return result


def _if_exp(machine: Machine, node: ast.IfExp) -> Value:
    truth = machine.truth(machine.eval(node.test))
    if isinstance(truth, bool):
        return machine.eval(node.body if truth else node.orelse)
    return join(machine.eval(node.body), machine.eval(node.orelse), truth.tag)


def _tuple(machine: Machine, node: ast.Tuple | ast.List | ast.Set) -> Value:
    values: list[Value] = []
    is_open = False
    for element in node.elts:
        if isinstance(element, ast.Starred):
            known = machine.elements(machine.eval(element.value))
            values += known or []
            is_open = is_open or known is None
        else:
            values.append(machine.eval(element))
    made = items(type(node).__name__.lower(), values)
    if is_open:
        made.store["…"] = FROM_OUTSIDE
    return made


def _dict(machine: Machine, node: ast.Dict) -> Value:
    store: Store = {}
    for key, value_node in zip(node.keys, node.values, strict=False):
        value = machine.eval(value_node)
        if key is not None:
            put(store, key_of(machine.eval(key)), value)
        elif isinstance(value, Items) and value.kind == "dict":
            machine.pay_for(len(value.store))
            for name, item in value.store.items():
                put(store, name, item)
        else:
            put(store, "…", FROM_OUTSIDE)
    return Items("dict", store)


def _comprehension(machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
    return _generate(machine, node.elt, node.generators, "list")


def _dict_comprehension(machine: Machine, node: ast.DictComp) -> Value:
    pair = ast.copy_location(ast.Tuple([node.key, node.value], ast.Load()), node)
    made = _generate(machine, pair, node.generators, "list")
    store: Store = {}
    for each in made.values():
        key, value = each.values() if isinstance(each, Items) else (FROM_OUTSIDE, FROM_OUTSIDE)
        store[key_of(key)] = value
    return Items("dict", {**store, "…": FROM_OUTSIDE} if made.open else store)


def _generate(machine: Machine, element: ast.expr, generators: list[ast.comprehension], kind: str) -> Items:
    scope: Store = {}
    frame = Frame(machine.module, (*machine.frame.scopes, scope), machine.frame.function)
    machine.frames.append(frame)
    values: list[Value] = []
    try:
        is_open = _each(machine, element, generators, values)
    finally:
        machine.frames.pop()
    made = items(kind, values)
    if is_open:
        made.store["…"] = FROM_OUTSIDE
    return made


def _each(machine: Machine, element: ast.expr, generators: list[ast.comprehension], values: list[Value]) -> bool:
    if not generators:
        values.append(machine.eval(element))
        return False
    first = generators[0]
    iterable = machine.eval(first.iter)
    known = machine.elements(iterable)
    is_open = known is None or len(known) > ELEMENTS
    machine.repeats += is_open
    try:
        given = [like_others(iterable)] if known is None else known[:ELEMENTS]
        return _elements(machine, element, generators, values, given) or is_open
    finally:
        machine.repeats -= is_open


def _elements(
    machine: Machine,
    element: ast.expr,
    generators: list[ast.comprehension],
    values: list[Value],
    given: list[Value],
) -> bool:
    first = generators[0]
    is_open = False
    for value in given:
        machine.assign(first.target, value)
        truths = [machine.truth(machine.eval(test)) for test in first.ifs]
        if any(truth is False for truth in truths):
            continue
        is_open = is_open or any(truth is not True for truth in truths)
        is_open = _each(machine, element, generators[1:], values) or is_open
    return is_open


def _subscript(machine: Machine, node: ast.Subscript) -> Value:
    owner = machine.eval(node.value)
    key = machine.eval(node.slice)
    return subscript(machine, owner, key)


def _slice(machine: Machine, node: ast.Slice) -> Value:
    thing = Thing("slice", node, machine.module)
    thing.store["lower"] = machine.eval(node.lower) if node.lower else NONE
    thing.store["upper"] = machine.eval(node.upper) if node.upper else NONE
    return thing


def _joined(machine: Machine, node: ast.JoinedStr) -> Value:
    parts: list[str] = []
    for part in node.values:
        value = machine.eval(part.value if isinstance(part, ast.FormattedValue) else part)
        if not isinstance(value, Const):
            return FROM_OUTSIDE
        parts.append(str(value.value))
    return Const("".join(parts)) if sum(map(len, parts)) < 4096 else FROM_OUTSIDE


def _lambda(machine: Machine, node: ast.Lambda) -> Value:
    return machine.function(node)


def _named(machine: Machine, node: ast.NamedExpr) -> Value:
    value = machine.eval(node.value)
    machine.assign(node.target, value)
    return value


def _starred(machine: Machine, node: ast.Starred) -> Value:
    return machine.eval(node.value)


def _may_be_one(operator: ast.cmpop, left: Thing, right: Thing) -> bool:
    """Whether two objects may be equal, or what two calls gave may be the same object. Members of an Enum are not."""
    if left.kind == right.kind == "enum.auto":
        return False
    return isinstance(operator, (ast.Eq, ast.NotEq)) or left.cls is None or right.cls is None


def _may_be(value: Value, constant: Value) -> bool:
    """Whether something outside of the project, such as what a call has given, may equal a constant.

    What stands for something the program made or opened is never None; what was looked for may be.
    """
    if not isinstance(constant, Const):
        return False
    if constant.value is None:
        found = path_of(value).rpartition(".")[2].startswith(tuple(table("python")["words"]["may_find_none"]))
        return found and isinstance(value, Thing) and is_result(value)
    if isinstance(value, Name):
        return not value.dotted.startswith("builtins.")
    return isinstance(value, Thing) and is_result(value)


_MOST_POWER = 64


def calculate(operator: ast.operator, left: object, right: object) -> Value:
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    texts = isinstance(left, str) and isinstance(right, str)
    try:
        if numbers and (abs(left) > EXACT or abs(right) > EXACT):  # type: ignore[arg-type]
            return FROM_OUTSIDE
        if isinstance(operator, ast.Add) and (numbers or (texts and len(left) + len(right) < 4096)):  # type: ignore[arg-type]
            return Const(left + right)  # type: ignore[operator]
        if not numbers:
            return FROM_OUTSIDE
        if isinstance(operator, ast.Sub):
            return Const(left - right)  # type: ignore[operator]
        if isinstance(operator, ast.Mult):
            return Const(left * right)  # type: ignore[operator]
        if isinstance(operator, ast.Div):
            return Const(left / right)  # type: ignore[operator]
        if isinstance(operator, ast.FloorDiv):
            return Const(left // right)  # type: ignore[operator]
        if isinstance(operator, ast.Pow) and 0 <= right <= _MOST_POWER:  # type: ignore[operator]
            return Const(left**right)  # type: ignore[operator]
    except (ArithmeticError, TypeError):
        pass
    return FROM_OUTSIDE


def _is_open(value: Value) -> bool:
    """A number that is not known."""
    return isinstance(value, Thing) and value.kind in (KIND, "time.passed", "time.left")


def compared(operator: ast.cmpop, left: Value, right: Value) -> Value:
    if isinstance(left, Name) and left.dotted == "sys.version_info" and isinstance(right, Items):
        return Const(isinstance(operator, (ast.Gt, ast.GtE)))
    unknown = [value for value in (left, right) if isinstance(value, (Unknown, Bound)) or _is_open(value)]
    if unknown:
        return LOST_TRACK if any(isinstance(v, Unknown) and v.tag == LOST for v in unknown) else FROM_OUTSIDE
    if isinstance(left, Thing) and left.kind == "os.Child" and isinstance(right, Const):
        return Const(isinstance(operator, (ast.Gt, ast.GtE, ast.NotEq, ast.IsNot)))
    equal = isinstance(operator, (ast.Eq, ast.Is))
    if equal or isinstance(operator, (ast.NotEq, ast.IsNot)):
        if (
            isinstance(left, Thing)
            and isinstance(right, Thing)
            and left is not right
            and _may_be_one(operator, left, right)
        ):
            return FROM_OUTSIDE
        left, right = comparable(left), comparable(right)
        if _may_be(left, right) or _may_be(right, left):
            return FROM_OUTSIDE
        return Const(same(left, right) is equal)
    if isinstance(operator, (ast.In, ast.NotIn)):
        if isinstance(right, Items) and not right.open:
            keys = [Const(key) for key in right.store] if right.kind == "dict" else right.values()
            if isinstance(left, Thing) and any(key is left for key in keys):
                return Const(isinstance(operator, ast.In))
            left, keys = comparable(left), [comparable(key) for key in keys]
            if all(isinstance(value, (Const, Name)) for value in (left, *keys)) and not any(
                _may_be(left, key) or _may_be(key, left) for key in keys
            ):
                return Const(any(same(left, key) for key in keys) is isinstance(operator, ast.In))
        left = comparable(left)
        if isinstance(left, Const) and isinstance(right, Const):
            try:
                return Const((left.value in right.value) is isinstance(operator, ast.In))
            except (TypeError, ValueError):
                pass
        return FROM_OUTSIDE
    if isinstance(left, Const) and isinstance(right, Const):
        try:
            if isinstance(operator, ast.Lt):
                return Const(left.value < right.value)
            if isinstance(operator, ast.LtE):
                return Const(left.value <= right.value)
            if isinstance(operator, ast.Gt):
                return Const(left.value > right.value)
            if isinstance(operator, ast.GtE):
                return Const(left.value >= right.value)
        except TypeError:
            pass
    return FROM_OUTSIDE


EXPRESSIONS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.BinOp: _bin_op,
    ast.Compare: _compare,
    ast.IfExp: _if_exp,
    ast.Tuple: _tuple,
    ast.List: _tuple,
    ast.Set: _tuple,
    ast.Dict: _dict,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _dict_comprehension,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.NamedExpr: _named,
    ast.Starred: _starred,
}
