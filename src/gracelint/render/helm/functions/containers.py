"""Lists, dictionaries, choices and types."""

from __future__ import annotations

from gracelint.render.helm.functions.numbers import integer
from gracelint.render.helm.template import TemplateError
from gracelint.render.helm.values import Native, kind, shown, truth, type_of
from gracelint.render.values import Items, Tree, weigh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.source import Path

_LONGEST = 200_000
"""Items of a list that `append`, `concat` and their kin make."""


def functions(reads: list[Path]) -> dict[str, Callable[..., Any]]:
    """`reads` gets the paths of the chart's values that are looked at by key."""

    def looked_at(container: Any, key: Any) -> Any:
        if isinstance(container, (Tree, Items)):
            reads.append((*container.path, key))
        return key

    def get(tree: Any, key: Any) -> Any:
        return tree.get(looked_at(tree, shown(key)), "") if isinstance(tree, dict) else ""

    def index(container: Any, *keys: Any) -> Any:
        for key in keys:
            if container is None:
                raise TemplateError("index of an untyped nil")
            if isinstance(container, dict):
                container = container.get(looked_at(container, shown(key)))
            else:
                place = looked_at(container, integer(key))
                if not 0 <= place < len(container):
                    raise TemplateError(f"index {place} of a list of {len(container)}")
                container = container[place]
        return container

    def dig(*words: Any) -> Any:
        *keys, otherwise, tree = words
        for key in keys:
            if not isinstance(tree, dict) or shown(key) not in tree:
                return otherwise
            tree = tree[looked_at(tree, shown(key))]
        return tree

    def has_key(tree: Any, key: Any) -> bool:
        return isinstance(tree, dict) and looked_at(tree, shown(key)) in tree

    return {**_FUNCTIONS, "get": get, "index": index, "dig": dig, "hasKey": has_key}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Native) and "list" in value.members:
        value = value.members["list"]
    if not isinstance(value, (list, tuple)):
        raise TemplateError(f"a list is needed, not a {kind(value)}")
    return list(value)


def _bounded(items: list[Any]) -> list[Any]:
    if len(items) > _LONGEST:
        raise TemplateError("too large to be followed")
    return items


def _unique(values: Any) -> list[Any]:
    found: list[Any] = []
    for value in _bounded(_list(values))[:10_000]:
        if value not in found:
            found.append(value)
    return found


def _slice(values: Any, start: Any = 0, end: Any = None) -> Any:
    return _list(values)[integer(start) : integer(end) if end is not None else None]


def _chunks(size: Any, values: Any) -> list[list[Any]]:
    items, width = _list(values), max(integer(size), 1)
    return [items[start : start + width] for start in range(0, len(items), width)]


def _dict(*words: Any) -> dict[str, Any]:
    padded = [*words, ""] if len(words) % 2 else list(words)
    return {shown(key): value for key, value in zip(padded[::2], padded[1::2], strict=True)}


def _set(tree: Any, key: Any, value: Any) -> Any:
    tree[shown(key)] = value
    return tree


def _unset(tree: Any, key: Any) -> Any:
    tree.pop(shown(key), None)
    return tree


def _like(tree: Any, items: dict[str, Any]) -> dict[str, Any]:
    """The items as a mapping that stands where the tree stands."""
    if not isinstance(tree, Tree):
        return items
    kept = Tree(items)
    kept.path = tree.path
    return kept


def _pick(tree: Any, *keys: Any) -> dict[str, Any]:
    return _like(tree, {shown(key): tree[shown(key)] for key in keys if shown(key) in tree})


def _omit(tree: Any, *keys: Any) -> dict[str, Any]:
    left_out = {shown(key) for key in keys}
    return _like(tree, {key: value for key, value in tree.items() if key not in left_out})


def _copy(value: Any) -> Any:
    weigh(value)
    return _copied(value)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return _like(value, {key: _copied(item) for key, item in value.items()})
    if isinstance(value, Items):
        items = Items(_copied(item) for item in value)
        items.path = value.path
        return items
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _merge(target: dict[str, Any], *others: Any) -> dict[str, Any]:
    """What is there stays, unless it is empty (mergo)."""
    weigh(others)
    for other in others:
        _fill_up(target, other or {})
    return target


def _fill_up(target: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        mine = target.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            _fill_up(mine, value)
        elif value is not None and not truth(mine):
            target[key] = _copy(value)


def _overwrite(target: dict[str, Any], *others: Any) -> dict[str, Any]:
    """What comes later wins, nil and other empty values too (mergo)."""
    weigh(others)
    for other in others:
        _lay_over(target, other or {})
    return target


def _lay_over(target: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        mine = target.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            _lay_over(mine, value)
        else:
            target[key] = value


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (list, tuple, dict)):
        return len(value)
    raise TemplateError(f"len of a {kind(value)}")


def _default(otherwise: Any, *values: Any) -> Any:
    return values[0] if values and truth(values[0]) else otherwise


def _type_is(name: Any, value: Any) -> bool:
    return type_of(value) == shown(name)


def _call(function: Any, *arguments: Any) -> Any:
    if not callable(function):
        raise TemplateError("call of what is no function")
    return function(*arguments)


def _deep(tree: Any) -> list[Any]:
    return list(tree.members["items"].values()) if isinstance(tree, Native) else list(tree.values())


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": _length,
    "slice": _slice,
    "call": _call,
    "default": _default,
    "empty": lambda value=None: not truth(value),
    "coalesce": lambda *values: next((value for value in values if truth(value)), None),
    "all": lambda *values: all(map(truth, values)),
    "any": lambda *values: any(map(truth, values)),
    "ternary": lambda yes, no, condition: yes if truth(condition) else no,
    "list": lambda *values: list(values),
    "tuple": lambda *values: list(values),
    "first": lambda values: _list(values)[0] if values else None,
    "last": lambda values: _list(values)[-1] if values else None,
    "rest": lambda values: _list(values)[1:],
    "initial": lambda values: _list(values)[:-1],
    "append": lambda values, item: _bounded([*_list(values), item]),
    "push": lambda values, item: _bounded([*_list(values), item]),
    "prepend": lambda values, item: _bounded([item, *_list(values)]),
    "concat": lambda *lists: _bounded([item for values in lists for item in _list(values)]),
    "reverse": lambda values: _list(values)[::-1],
    "uniq": _unique,
    "without": lambda values, *items: [value for value in _list(values) if value not in items],
    "has": lambda item, values: item in _list(values),
    "compact": lambda values: [value for value in _list(values) if truth(value)],
    "chunk": _chunks,
    "dict": _dict,
    "set": _set,
    "unset": _unset,
    "pluck": lambda key, *trees: [tree[shown(key)] for tree in trees if shown(key) in tree],
    "keys": lambda *trees: [key for tree in trees for key in tree],
    "values": _deep,
    "pick": _pick,
    "omit": _omit,
    "merge": _merge,
    "mergeOverwrite": _overwrite,
    "deepCopy": _copy,
    "deepEqual": lambda one, other: kind(one) == kind(other) and one == other,
    "kindOf": kind,
    "kindIs": lambda name, value: kind(value) == shown(name),
    "typeOf": type_of,
    "typeIs": _type_is,
    "typeIsLike": lambda name, value: _type_is(shown(name).lstrip("*"), value),
}
_FUNCTIONS |= {
    f"must{name[0].upper()}{name[1:]}": _FUNCTIONS[name]
    for name in (
        *("first", "last", "rest", "initial", "append", "push", "prepend", "reverse", "uniq", "without", "has"),
        *("compact", "chunk", "merge", "mergeOverwrite", "deepCopy", "slice"),
    )
}
