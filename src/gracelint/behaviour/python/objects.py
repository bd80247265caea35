"""What is known of collections, environment variables and the fields of objects."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.names import is_result, path_of
from gracelint.behaviour.python.values import (
    FROM_OUTSIDE,
    Class,
    Const,
    Function,
    Items,
    MoreArguments,
    Name,
    Thing,
    Unknown,
    Value,
    items,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords
    from gracelint.behaviour.python.values import Store


def length_of(value: Value) -> int | None:
    """What `len()` gives, and how often a loop goes round; None where that is not known."""
    if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
        return len(value.value)
    if isinstance(value, Items):
        grows = value.open or any(isinstance(key, tuple) and key[0] == "+" for key in value.store)
        return None if grows else len(value.store)
    count = value.store.get("#count") if isinstance(value, Thing) else None
    return int(count.value) if isinstance(count, Const) else None


def dataclass_fields(cls: Class, thing: Thing, args: Arguments, keywords: Keywords) -> None:
    """What the written `__init__` of a dataclass would do."""
    names = [
        part.target.id
        for part in cls.node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    ]
    for name, value in (
        *zip(names, args, strict=False),
        *((key, value) for key, value in keywords.items() if key in names),
    ):
        thing.store[name] = value
    for name in names:
        default = cls.store.get(name)
        if name not in thing.store and isinstance(default, Thing) and default.kind == "dataclasses.field":
            factory = default.store.get("default_factory")
            made = path_of(factory) if factory is not None else ""
            if made:
                thing.store[name] = Thing(made, default.node, default.module)
            elif "default" in default.store:
                thing.store[name] = default.store["default"]


def key_of(value: Value) -> Hashable:
    """What a collection keeps an element under; "…" where that is not known."""
    if isinstance(value, Const) and isinstance(value.value, (str, bytes, int, float, bool, type(None))):
        return value.value
    if isinstance(value, Name):
        return ("key", value.dotted)
    return ("key", value) if isinstance(value, Thing) and not is_result(value) else "…"


def key_value(key: Hashable) -> Value:
    """What is kept under a key, as a value again."""
    if not isinstance(key, tuple):
        return Const(key)
    return key[1] if isinstance(key[1], Thing) else Name(key[1])


def put(store: Store, key: Hashable, value: Value) -> None:
    """Keeps a value in a new collection; under a key that nobody can tell it may stand in any other's place."""
    if key == "…":
        store.update({known: FROM_OUTSIDE for known, old in store.items() if isinstance(old, Const)})
    store[key] = value


def joined(machine: Machine, left: Items, right: Items, operator: ast.operator) -> Items:
    """`left + right`, `left | right` or `left - right` of collections."""
    machine.pay_for(len(left.store) + len(right.store))
    if left.kind == "dict":
        return Items("dict", {**left.store, **right.store})
    own, others = ({_identity(value) for value in each.values()} for each in (left, right))
    if isinstance(operator, ast.Sub):
        made = items(left.kind, [value for value in left.values() if _identity(value) not in others])
    else:
        is_sum = isinstance(operator, ast.Add)
        more = [value for value in right.values() if is_sum or _identity(value) not in own]
        made = items(left.kind, [*left.values(), *more])
    if left.open or right.open:
        made.store["…"] = FROM_OUTSIDE
    return made


def _identity(value: Value) -> Hashable:
    key = key_of(value)
    return id(value) if key == "…" else key


def unpacked(targets: list[ast.expr], values: list[Value] | None) -> list[Value] | None:
    """What each target of `first, *rest = values` gets; None where that is not known, or fits not."""
    star = next((index for index, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    if values is None or (len(values) != len(targets) if star is None else len(values) < len(targets) - 1):
        return None
    if star is None:
        return values
    after = len(targets) - star - 1
    middle = items("list", values[star : len(values) - after])
    return [*values[:star], middle, *values[len(values) - after :]]


def cloud(machine: Machine, store: Store) -> None:
    """Something is written where nobody can tell: what was known may be another value now, and there may be more."""
    machine.pay_for(len(store))
    for key, value in list(store.items()):
        if isinstance(value, Const) and not str(key).startswith("#"):
            machine.write(store, key, FROM_OUTSIDE)
    machine.write(store, "…", FROM_OUTSIDE)


def arguments_of(function: Function, args: Arguments, keywords: Keywords) -> Store:
    """What the parameters of a function are worth in a call."""
    arguments = function.node.args
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    values = [function.receiver, *args] if function.receiver is not None else list(args)
    scope: Store = {}
    more, others = isinstance(args, MoreArguments), "…" in keywords
    for name in (*positional, *(argument.arg for argument in arguments.kwonlyargs)):
        is_open = others or (more and name in positional)
        scope[name] = FROM_OUTSIDE if is_open else parameter_default(function.defaults.get(name))
    scope.update(zip(positional, values, strict=False))
    named = {name: value for name, value in keywords.items() if name in scope}
    scope.update(named)
    if arguments.vararg is not None:
        rest_of = items("tuple", values[len(positional) :])
        if more:
            rest_of.store["…"] = FROM_OUTSIDE
        scope[arguments.vararg.arg] = rest_of
    if arguments.kwarg is not None:
        rest: Store = {name: value for name, value in keywords.items() if name not in named}
        scope[arguments.kwarg.arg] = Items("dict", rest)
    return scope


def parameter_default(value: Value | None) -> Value:
    if value is None:
        return FROM_OUTSIDE
    if isinstance(value, Thing) and value.kind in ("typer.Option", "typer.Argument"):
        default = value.store.get("default", FROM_OUTSIDE)
        return default if not (isinstance(default, Const) and default.value is Ellipsis) else FROM_OUTSIDE
    return value


def subscript(machine: Machine, owner: Value, key: Value) -> Value:
    path = path_of(owner)
    if path == "os.environ":
        return environment(machine, key, FROM_OUTSIDE)
    if path in ("signal.Signals", "signal.Signals.__members__") and isinstance(key, Const):
        return Name(f"signal.{key.value}")
    if isinstance(owner, Items):
        name = key_of(key)
        if name in owner.store and not (owner.open and owner.kind != "dict" and isinstance(owner.store[name], Const)):
            return owner.store[name]
        machine.pay_for(len(owner.store))
        values = owner.values()
        if isinstance(name, int) and name < 0 and -name <= len(values) and not owner.open:
            return values[name]
        if isinstance(key, Thing) and key.kind == "slice" and not owner.open:
            return _sliced(owner, key)
        return FROM_OUTSIDE
    if isinstance(owner, Unknown):
        return owner
    if isinstance(owner, Thing):
        return owner.store.get(key_of(key), FROM_OUTSIDE)
    if isinstance(owner, Const) and isinstance(owner.value, (str, bytes)) and isinstance(key, Const):
        at = key.value
        return Const(owner.value[at]) if isinstance(at, int) and 0 <= at < len(owner.value) else FROM_OUTSIDE
    return FROM_OUTSIDE


def _sliced(owner: Items, key: Thing) -> Value:
    low, high = (key.store[name] for name in ("lower", "upper"))
    if all(isinstance(part, Const) and isinstance(part.value, (int, type(None))) for part in (low, high)):
        return items(owner.kind, owner.values()[low.value : high.value])  # type: ignore[attr-defined]
    return FROM_OUTSIDE


def environment(machine: Machine, key: Value, default: Value) -> Value:
    """An environment variable, where the files set it."""
    if not isinstance(key, Const) or not isinstance(key.value, str):
        return FROM_OUTSIDE
    if ("env", key.value) in machine.world:
        return machine.world["env", key.value]
    if key.value not in machine.env:
        return default
    value = machine.env[key.value]
    return FROM_OUTSIDE if value is None else Const(value)


def like_others(iterable: Value) -> Value:
    """An element of a collection of which only some are known: like those, where they are all of one kind."""
    known = [value for key, value in iterable.store.items() if key != "…"] if isinstance(iterable, Items) else []
    kinds = {(value.kind, value.cls) if isinstance(value, Thing) else None for value in known}
    return known[0] if len(kinds) == 1 and None not in kinds else FROM_OUTSIDE
