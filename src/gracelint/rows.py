"""Rows that the settings add to the tables of `knowledge/`: they have to look like the rows that are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EFFECTS = ("replaces", "forwards", "swallows", "cuts")
_EFFECT_KEYS = ("effect", "as_pid_1", "busybox")


class RowError(ValueError):
    """A row says something that its table has no word for. The text begins with the row's key, or with "needs"."""


def check_wrapper(row: Mapping[str, Any]) -> None:
    """Raises RowError for a row that is none of `knowledge/wrappers.toml`."""
    from gracelint.knowledge import table

    if "effect" not in row:
        raise RowError(f"needs an effect: {_listed(EFFECTS)}")
    for key in _EFFECT_KEYS:
        _one_of(row, key, EFFECTS)
    _one_of(row, "shell", ("string", "words"))
    _check(row, table("wrappers").values())
    for option, effect in row.get("unless", {}).items():
        _one_of({f"unless.{option}": effect}, f"unless.{option}", EFFECTS)


def check_workload(row: Mapping[str, Any]) -> None:
    """Raises RowError for a row that is none of `knowledge/workloads.toml`."""
    from gracelint.knowledge import table

    _check(row, table("workloads")["workload"])
    if not ("templates" in row or "specs" in row):
        raise RowError('needs templates: the paths of its pod templates, such as ["spec.template"]')


def _check(row: Mapping[str, Any], known: Iterable[Mapping[str, Any]]) -> None:
    examples: dict[str, list[Any]] = {}
    for one in known:
        for key, value in one.items():
            examples.setdefault(key, []).append(value)
    for key, value in row.items():
        if key not in examples:
            raise RowError(f"{key} is not known here; what is: {', '.join(sorted(examples))}")
        if not any(is_like(value, example) for example in examples[key]):
            kinds = dict.fromkeys(kind_of(example) for example in examples[key])
            raise RowError(f"{key} must be {' or '.join(kinds)}, not {value!r}")


def _one_of(row: Mapping[str, Any], key: str, words: tuple[str, ...]) -> None:
    if key in row and row[key] not in words:
        raise RowError(f"{key} must be {_listed(words)}, not {row[key]!r}")


def _listed(words: tuple[str, ...]) -> str:
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def is_like(value: object, example: object) -> bool:
    """Whether a value can stand where an example stands."""
    if isinstance(example, list):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if isinstance(example, Mapping):
        return isinstance(value, Mapping)
    if isinstance(example, (bool, str)):
        return type(value) is type(example)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return (whole or (isinstance(value, float) and isinstance(example, float))) and 0 <= value < float("inf")  # type: ignore[operator]


def kind_of(example: object) -> str:
    """What can stand where an example stands, in words."""
    if isinstance(example, list):
        return 'a list of strings, such as ["…"]'
    if isinstance(example, Mapping):
        return "a table"
    if isinstance(example, bool):
        return "true or false"
    return "a string" if isinstance(example, str) else "a number, 0 or more"
