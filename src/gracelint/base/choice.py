"""Words of which there is a fixed set, declared as enumerations are.

The standard `enum` module and what it imports take a quarter of a run for one file. This module offers the part of it
that gracelint uses: members are singletons and the strings that they stand for. Type checkers see enumerations.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import Enum
    from typing import Any

    class Choice(str, Enum):
        """Base of all fixed sets of words."""

else:

    class _ChoiceType(type):
        """Makes the strings of a class its members."""

        def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            words = {key: value for key, value in namespace.items() if type(value) is str and key[0] != "_"}
            cls = super().__new__(mcs, name, bases, {key: namespace[key] for key in namespace.keys() - words.keys()})
            cls._members = {}
            for key, value in words.items():
                member = cls._members[value] = str.__new__(cls, value)
                member.name, member.value = key, value
                setattr(cls, key, member)
            return cls

        def __call__(cls, value: str) -> Any:
            try:
                return cls._members[value]
            except KeyError:
                raise ValueError(f"{value!r} is not a valid {cls.__name__}") from None

        def __iter__(cls) -> Iterator[Any]:
            return iter(cls._members.values())

        def __len__(cls) -> int:
            return len(cls._members)

        def __contains__(cls, value: object) -> bool:
            return value in cls._members

    class Choice(str, metaclass=_ChoiceType):
        """Base of all fixed sets of words."""

        def __repr__(self) -> str:
            return f"{type(self).__name__}.{self.name}"

        def __reduce__(self) -> tuple[type, tuple[str]]:
            return type(self), (self.value,)
