"""What variables of the environment change, by `knowledge/environment.toml`."""

from __future__ import annotations

from gracelint.base.numbers import is_digits
from gracelint.knowledge import table
from gracelint.parse.expansion import OTHER_VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Environment = Mapping[str, str | None]
    """Values by name; None where one is set to something unknown."""


def switched_on(program: str, setting: str, env: Environment) -> bool | None:
    """Whether the environment switches a program's setting on; None where that is only known when it runs."""
    row = _row(program, setting)
    if row is None:
        return False
    value = _value(row, env)
    if value is None:
        return False if row["variable"] not in env else None
    return value in row["is"] if "is" in row else True


def seconds_of(program: str, setting: str, env: Environment) -> float | None:
    """A length of time that the environment sets, or the default; None where that is only known when it runs."""
    row = _row(program, setting)
    if row is None:
        return None
    if row["variable"] not in env:
        return None if OTHER_VARIABLES in env or "default" not in row else row["default"] * row["unit"]
    value = _value(row, env) or ""
    return float(value) * row["unit"] if is_digits(value) and len(value) < _LONGEST else None


_LONGEST = 10
"""Digits of a number."""


def _row(program: str, setting: str) -> dict[str, Any] | None:
    row: dict[str, Any] | None = table("environment").get(program, {}).get(setting)
    return row


def _value(row: dict[str, Any], env: Environment) -> str | None:
    value = env.get(row["variable"])
    return None if value is None or "$" in value else value
