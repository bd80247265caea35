"""Builtins and the rest of the standard library."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.between import between, bounds_of, extreme
from gracelint.behaviour.python.ends import RAISE, End, Leave
from gracelint.behaviour.python.library import elsewhere
from gracelint.behaviour.python.models.event_loop import cancel
from gracelint.behaviour.python.names import NUMBERS, comparable, path_of, signal_of, text_of
from gracelint.behaviour.python.objects import cloud, environment, key_of, key_value, length_of
from gracelint.behaviour.python.registry import HANDLE, METHODS, argument, at_most, model, receiver_of
from gracelint.behaviour.python.values import (
    CERTAIN,
    FALSE,
    FROM_OUTSIDE,
    LOST_TRACK,
    MISSING,
    NONE,
    TRUE,
    Bound,
    Class,
    Const,
    Error,
    Function,
    Items,
    Later,
    ModuleValue,
    Name,
    Partial,
    Super,
    Thing,
    Unknown,
    Value,
    derives,
    items,
)
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords
    from gracelint.behaviour.python.values import Store


@model("functools.partial")
def _partial(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Partial(args[0], args[1:], keywords) if args else FROM_OUTSIDE


@model("functools.wraps")
def _identity(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return Name("functools.identity")


@model("functools.lru_cache", "functools.cache")
def _cache(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """A function that is called once for the same arguments, or what makes one of a function."""
    given = args[0] if args else None
    return given.copy(wrapper="cached") if isinstance(given, Function) else Name("functools.cache")


@model("functools.identity")
def _same(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    return args[0] if args else FROM_OUTSIDE


@model("contextlib.suppress", "contextlib.closing")
def _context(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = Thing(path_of(function), node, machine.module)
    thing.store["#types"] = items("tuple", list(args))
    if args:
        thing.store["#thing"] = args[0]
    return thing


@model("builtins.getattr")
def _getattr(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) > 1 and isinstance(args[1], Const) and isinstance(args[1].value, str):
        found = machine.attribute(args[0], args[1].value, node)
        if isinstance(found, Name) and found.dotted.startswith("signal.SIG") and signal_of(found) is None:
            return args[2] if len(args) > 2 else found
        return found
    return FROM_OUTSIDE


@model("builtins.setattr")
def _setattr(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) != 3 or not isinstance(args[0], (Thing, Class, ModuleValue)):
        return NONE
    if isinstance(args[1], Const):
        machine.write(args[0].store, args[1].value, args[2])
        machine.act("flag", str(args[1].value), node)
        return NONE
    cls = args[0].cls if isinstance(args[0], Thing) else None
    for each in cls.lineage() if cls is not None else ():
        for name, value in each.store.items() if isinstance(each, Class) else ():
            if name not in args[0].store and isinstance(value, Const):
                machine.write(args[0].store, name, FROM_OUTSIDE)
    cloud(machine, args[0].store)
    return NONE


@model("builtins.hasattr")
def _hasattr(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) == 2 and isinstance(args[0], Name) and args[0].dotted == "signal" and isinstance(args[1], Const):
        return Const(signal_of(Name(f"signal.{args[1].value}")) in NUMBERS)
    return FROM_OUTSIDE


@model("builtins.bool")
def _bool(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    truth = machine.truth(args[0]) if args else False
    return Const(truth) if isinstance(truth, bool) else truth


@model("builtins.len")
def _len(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    length = length_of(args[0]) if args else None
    return FROM_OUTSIDE if length is None else Const(length)


@model("builtins.int", "builtins.float", "builtins.str")
def _convert(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    value = comparable(args[0]) if args else Const("")
    if not isinstance(value, Const):
        return value if isinstance(value, Unknown) else FROM_OUTSIDE
    kind = {"int": int, "float": float, "str": str}[path_of(function).rpartition(".")[2]]
    try:
        return Const(kind(value.value)) if len(str(value.value)) < 400 else FROM_OUTSIDE
    except (ValueError, TypeError, OverflowError):
        return FROM_OUTSIDE


@model("builtins.max", "builtins.min")
def _extreme(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    left = next((value for value in args if isinstance(value, Thing) and value.kind == "time.left"), None)
    if left is not None:
        rest = Thing("time.left", node, machine.module)
        rest.store["#most"] = _extreme(machine, function, [at_most(value) for value in args], {}, node)
        return rest
    return extreme(machine, node, args, largest=path_of(function).endswith("max")) if len(args) > 1 else FROM_OUTSIDE


@model(*table("python")["number"])
def _number(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """A number by chance: between the row's bounds, or between those that it is given."""
    row = table("python")["number"][path_of(function)]
    if "least" in row:
        return between(machine, node, row["least"], row["most"])
    given = [bounds_of(value) for value in args[:2]]
    if len(given) < 2 or given[0] is None or given[1] is None:
        return FROM_OUTSIDE
    return between(machine, node, given[0][0], given[1][1])


@model("builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted", "builtins.reversed")
def _collect(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not args:
        return items(path_of(function).rpartition(".")[2], [])
    known = machine.elements(args[0])
    if known is None:
        return FROM_OUTSIDE
    kind = path_of(function).rpartition(".")[2]
    known = known[::-1] if kind == "reversed" else _ordered(known, keywords) if kind == "sorted" else known
    return items("list", known)


def _ordered(values: list[Value], keywords: Keywords) -> list[Value]:
    """Sorted constants; of others the order stays, for what is done with each is the same."""
    if not all(isinstance(value, Const) for value in values):
        return values
    try:
        ordered = sorted(values, key=lambda each: each.value)  # type: ignore[attr-defined]
    except TypeError:
        ordered = []
    return ordered if ordered and not keywords else [FROM_OUTSIDE for _ in values]


@model("builtins.sum")
def _sum(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    for value in args[:1]:
        machine.elements(value)
    return FROM_OUTSIDE


@model("builtins.list.sort", "builtins.list.reverse")
def _sort(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if isinstance(function, Bound) and isinstance(function.receiver, Items) and not function.receiver.open:
        store, values = function.receiver.store, function.receiver.values()
        values = values[::-1] if function.name == "reverse" else _ordered(values, keywords)
        for key, value in zip(list(store), values, strict=True):
            machine.write(store, key, value)
    return NONE


@model("builtins.dict")
def _dict(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args:
        return FROM_OUTSIDE
    return Items("dict", dict(keywords.items()))


@model("builtins.dict.update")
def _update(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not isinstance(function, Bound) or not isinstance(function.receiver, Items):
        return NONE
    store = function.receiver.store
    given = args[0].store if args and isinstance(args[0], Items) and args[0].kind == "dict" else {}
    machine.pay_for(len(given))
    for key, value in (*given.items(), *keywords.items()):
        machine.write(store, key, value)
        machine.act("flag", str(key), node)
    if args and not given:
        cloud(machine, store)
    return NONE


@model("collections.deque")
def _deque(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    known = machine.elements(args[0]) if args else []
    made = items("list", known or [])
    if known is None:
        made.store["…"] = FROM_OUTSIDE
    return made


@model("builtins.range")
def _range(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    bounds = [value.value for value in args if isinstance(value, Const) and isinstance(value.value, int)]
    if len(bounds) == len(args) == 1 and 0 <= bounds[0] <= 4:
        return items("list", [Const(number) for number in range(bounds[0])])
    thing = Thing("builtins.range", node, machine.module)
    if len(bounds) == len(args) and bounds:
        low, high, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        thing.store["#count"] = Const(max((high - low) / step, 0) if step else 0)
        thing.store["#each"] = between(machine, node, min(low, high), max(low, high) - 1)
    return thing


@model("builtins.super")
def _super(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    current = machine.frame.function
    receiver = current.receiver if current is not None else None
    if current is None or current.owner is None or not isinstance(receiver, Thing):
        return Name("builtins.super")
    return Super(receiver, current.owner)


@model("builtins.isinstance")
def _isinstance(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) != 2:
        return FROM_OUTSIDE
    types = args[1].values() if isinstance(args[1], Items) else [args[1]]
    value = args[0]
    if isinstance(value, Error) and value.dotted != "?":
        return Const(any(machine.catches(each, value) for each in types))
    if isinstance(value, Thing) and value.cls is not None and all(isinstance(each, Class) for each in types):
        return Const(any(isinstance(each, Class) and derives(value.cls, each) for each in types))
    return FROM_OUTSIDE


@model("builtins.callable")
def _callable(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    value = args[0] if args else NONE
    if isinstance(value, (Function, Partial, Class)):
        return TRUE
    if isinstance(value, Const) or path_of(value) in ("signal.SIG_DFL", "signal.SIG_IGN"):
        return FALSE
    return FROM_OUTSIDE


@model("builtins.iter")
def _iter(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if len(args) != 2:
        return args[0] if args else FROM_OUTSIDE
    thing = Thing("builtins.iter", node, machine.module)
    thing.store["#call"], thing.store["#sentinel"] = args
    return thing


@model("throw", into=METHODS)
def _throw(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args and isinstance(function, Bound) and isinstance(function.receiver, (Items, Later)):
        machine.act("raise", text_of(node), node)
        raise Leave([End(RAISE, CERTAIN, machine.as_error(args[0]))])
    return FROM_OUTSIDE


@model("cancel", into=METHODS)
def _cancel_all(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    gathered = function.receiver if isinstance(function, Bound) else NONE
    if not isinstance(gathered, Later):
        return elsewhere(machine, function, path_of(function), args, keywords, node)
    for task in gathered.args:
        if isinstance(task, Thing) and task.kind == "asyncio.Task":
            cancel(machine, Bound(task, "cancel"), [], {}, node)
    return TRUE


@model("threading.Timer.cancel", f"{HANDLE}.cancel")
def _cancel_timer(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    thing = receiver_of(function)
    if thing is not None:
        machine.write(thing.store, "#terminated", TRUE)
    return NONE


@model("builtins.issubclass", "builtins.any", "builtins.all")
def _outside(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    path = path_of(function)
    known = machine.elements(args[0]) if args else None
    if path in ("builtins.any", "builtins.all") and known is not None:
        truths = [machine.truth(value) for value in known]
        stop = path == "builtins.any"
        if any(truth is stop for truth in truths):
            return Const(stop)
        return Const(not stop) if all(isinstance(truth, bool) for truth in truths) else FROM_OUTSIDE
    return FROM_OUTSIDE


@model("builtins.exec", "builtins.eval", "builtins.__import__")
def _dynamic(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    machine.modules.unread.setdefault(text_of(node))
    machine.doubt(f"`{text_of(node)}` runs code that nobody can read")
    return LOST_TRACK


@model("runpy.run_module", "runpy.run_path")
def _run_module(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    """A module or file of the project that runs as the main program."""
    given = args[0].value if args and isinstance(args[0], Const) and isinstance(args[0].value, str) else ""
    name = given.removesuffix(".py").strip("./").replace("/", ".") if path_of(function).endswith("path") else given
    main = machine.modules.find(f"{name}.__main__") if name else None
    module = main or (machine.modules.find(name) if name else None)
    if module is None:
        machine.doubt(f"`{text_of(node)}` runs a module that is not in the project")
        return LOST_TRACK
    run_name = keywords.get("run_name")
    found = machine.load(module, run_name.value if isinstance(run_name, Const) else name)
    if isinstance(found, list):
        raise Leave(found)
    return Items("dict", dict(found))


@model("os.environ.setdefault")
def _set_environment(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    key = args[0] if args else FROM_OUTSIDE
    known = environment(machine, key, MISSING)
    if known is not MISSING:
        return known
    if isinstance(key, Const) and len(args) > 1:
        machine.write(machine.world, ("env", key.value), args[1])
    return args[1] if len(args) > 1 else NONE


@model("importlib.import_module")
def _import(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args and isinstance(args[0], Const) and isinstance(args[0].value, str) and not args[0].value.startswith("."):
        return machine.import_module(args[0].value, node)
    machine.modules.unread.setdefault(text_of(node))
    machine.doubt(f"`{text_of(node)}` imports a module that is only known when it runs")
    return LOST_TRACK


@model("os.environ.get", "os.getenv")
def _getenv(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    default = argument(args, keywords, 1, "default") or NONE
    return environment(machine, args[0] if args else FROM_OUTSIDE, default)


@model("builtins.list.append", "builtins.set.add", "builtins.list.insert", "builtins.list.appendleft")
def _append(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if isinstance(function, Bound) and isinstance(function.receiver, Items) and args:
        store = function.receiver.store
        key = ("+", id(node), len([1 for known in store if isinstance(known, tuple) and known[:2] == ("+", id(node))]))
        if key[2] < 4:
            machine.write(store, key, args[-1])
        machine.act("flag", text_of(node), node)
    return NONE


@model("builtins.list.extend", "builtins.set.update")
def _extend(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if isinstance(function, Bound) and isinstance(function.receiver, Items) and args:
        known = machine.elements(args[0])
        if known is None:
            machine.write(function.receiver.store, "…", FROM_OUTSIDE)
        for index, value in enumerate(known or ()):
            machine.write(function.receiver.store, ("+", id(node), index), value)
    return NONE


@model("builtins.dict.get", "builtins.dict.pop", "builtins.dict.setdefault")
def _dict_get(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if isinstance(function, Bound) and isinstance(function.receiver, Items) and args and key_of(args[0]) != "…":
        store = function.receiver.store
        key = key_of(args[0])
        if key in store:
            return store[key]
        return FROM_OUTSIDE if function.receiver.open else (args[1] if len(args) > 1 else NONE)
    return FROM_OUTSIDE


@model("builtins.dict.items", "builtins.dict.values", "builtins.dict.keys")
def _dict_views(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not isinstance(function, Bound) or not isinstance(function.receiver, Items) or function.receiver.open:
        return FROM_OUTSIDE
    store = function.receiver.store
    machine.pay_for(len(store))
    keys = [key_value(key) for key in store]
    values = list(store.values())
    if function.name == "keys":
        return items("list", keys)
    if function.name == "values":
        return items("list", values)
    return items("list", [items("tuple", pair) for pair in zip(keys, values, strict=False)])


@model(
    "builtins.list.pop",
    "builtins.list.popleft",
    "builtins.list.clear",
    "builtins.list.remove",
    "builtins.dict.clear",
    "builtins.dict.popitem",
    "builtins.set.pop",
    "builtins.set.discard",
)
def _shrink(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if not isinstance(function, Bound) or not isinstance(function.receiver, Items):
        return FROM_OUTSIDE
    store = function.receiver.store
    same = [key for key, value in store.items() if args and value is args[0] and isinstance(value, Thing)]
    if not same or function.name not in ("remove", "discard"):
        _take_any(machine, store)
    for key in same:
        machine.trail.append((store, key, store.pop(key)))
    return FROM_OUTSIDE


@model("heapq.heappush", "heapq.heappop", "heapq.heapreplace", "heapq.heappushpop")
def _heap(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if args and isinstance(args[0], Items):
        _take_any(machine, args[0].store)
    return FROM_OUTSIDE


def _take_any(machine: Machine, store: Store) -> None:
    """Takes an element out, and nobody knows which."""
    machine.pay_for(len(store))
    for key in store:
        machine.note_perhaps(store, key)
    machine.write(store, "…", FROM_OUTSIDE)


@model("builtins.str.lower", "builtins.str.upper", "builtins.str.strip", "builtins.str.split")
def _text_method(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    if (
        not isinstance(function, Bound)
        or not isinstance(function.receiver, Const)
        or not isinstance(function.receiver.value, str)
    ):
        return FROM_OUTSIDE
    text = function.receiver.value
    if function.name == "split":
        if (
            all(isinstance(value, Const) and isinstance(value.value, (str, type(None))) for value in args)
            and len(args) < 2
        ):
            try:
                parts = text.split(*(value.value for value in args))  # type: ignore[attr-defined]
            except ValueError:
                return FROM_OUTSIDE
            machine.pay_for(len(parts))
            return items("list", [Const(part) for part in parts])
        return FROM_OUTSIDE
    return Const({"lower": text.lower, "upper": text.upper, "strip": text.strip}[function.name]())


@model("builtins.enumerate", "builtins.zip")
def _enumerate(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    known = [machine.elements(value) for value in args]
    if not known or any(values is None for values in known):
        return FROM_OUTSIDE
    lists: list[list[Value]] = [values for values in known if values is not None]
    machine.pay_for(sum(map(len, lists)))
    if path_of(function) == "builtins.enumerate":
        lists.insert(0, [Const(index) for index in range(len(lists[0]))])
    return items("list", [items("tuple", pair) for pair in zip(*lists, strict=False)])


@model("builtins.map")
def _map(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    known = machine.elements(args[1]) if len(args) == 2 else None
    if known is None:
        return FROM_OUTSIDE
    return items("list", [machine.call(args[0], [value], {}, node) for value in known])


@model("json.load", "json.loads")
def _load_json(machine: Machine, function: Value, args: Arguments, keywords: Keywords, node: ast.AST) -> Value:
    from gracelint.behaviour.python.data import loaded

    return loaded(machine, args[0] if args else None)
