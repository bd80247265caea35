"""Frozen, slotted value types, declared as dataclasses are.

The standard `dataclasses` module costs a linter of one file more than the linting: 12 ms to import and 0.6 ms for each
type, against 8 ms for starting Python. This module offers the part of it that gracelint uses, at a tenth of the cost.
Type checkers see dataclasses (`dataclass_transform`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, TypeVar

    from typing_extensions import dataclass_transform

    R = TypeVar("R", bound="Record")
else:

    def dataclass_transform(**_):
        return lambda cls: cls


class _Factory:
    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], Any]) -> Any:
    """A default that is made anew for each record."""
    return _Factory(default_factory)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class _RecordType(type):
    """Turns annotated names into slots and writes `__init__`."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], identity: bool = False) -> type:
        fields = tuple(key for key in namespace.get("__annotations__", ()) if not key.startswith("__"))
        defaults = {key: namespace.pop(key) for key in fields if key in namespace}
        namespace["__slots__"] = namespace["__match_args__"] = fields
        if identity:
            namespace |= {"__eq__": object.__eq__, "__hash__": object.__hash__}
        cls = super().__new__(mcs, name, bases, namespace)
        if fields:
            type.__setattr__(cls, "__init__", _initialiser(cls, fields, defaults))
        return cls


_FEW = 40
"""Compiling a function for a type of records takes as long as making this many without one."""


def _initialiser(cls: type, fields: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., None]:
    """An `__init__` that makes way for a compiled one when many records are made, or one is made in a wrong way."""
    setters = {key: cls.__dict__[key].__set__ for key in fields}
    required = setters.keys() - defaults.keys()
    made = 0

    def initialise(self: object, *values: Any, **named: Any) -> None:
        nonlocal made
        made += 1
        given = dict(zip(fields, values, strict=False)) | named
        right = len(given) == len(values) + len(named) and required <= given.keys() <= setters.keys()
        if made > _FEW or not right:
            type.__setattr__(cls, "__init__", _compiled(cls, fields, defaults))
            cls.__init__(self, *values, **named)  # type: ignore[misc]
            return
        for key, set_field in setters.items():
            value = given[key] if key in given else defaults[key]
            set_field(self, value.make() if isinstance(value, _Factory) else value)

    return initialise


def _compiled(cls: type, fields: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., None]:
    scope: dict[str, Any] = {f"_set_{key}": cls.__dict__[key].__set__ for key in fields}
    scope |= {f"_default_{key}": value for key, value in defaults.items()}
    parameters = [f"{key}=_default_{key}" if key in defaults else key for key in fields]
    lines = [
        f" _set_{key}(self, _default_{key}.make() if {key} is _default_{key} else {key})"
        if isinstance(defaults.get(key), _Factory)
        else f" _set_{key}(self, {key})"
        for key in fields
    ]
    exec(f"def __init__(self, {', '.join(parameters)}):\n" + "\n".join(lines), scope)
    initialiser: Callable[..., None] = scope["__init__"]
    exec(f"def values(self): return ({', '.join(f'self.{key}' for key in fields)},)", scope)
    type.__setattr__(cls, "_values", scope["values"])
    return initialiser


class Record(metaclass=_RecordType):
    """Base of all value types: frozen, slotted, equal by value (by identity with `identity=True`)."""

    __match_args__: ClassVar[tuple[str, ...]]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        parts = ", ".join(f"{key}={getattr(self, key)!r}" for key in type(self).__match_args__)
        return f"{type(self).__name__}({parts})"

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), self._values()

    def _values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, key) for key in type(self).__match_args__])


def replace(record: R, **changes: Any) -> R:
    """A copy of a record with some fields changed."""
    keys = type(record).__match_args__
    values = dict(zip(keys, record._values(), strict=True)) | changes
    if len(values) > len(keys):
        unknown = next(key for key in changes if key not in keys)
        raise TypeError(f"{type(record).__name__} has no field {unknown!r}")
    return type(record)(*values.values())
