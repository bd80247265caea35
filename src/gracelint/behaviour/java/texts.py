"""Java's texts, what is read in them, and what stands for a value that may be missing."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.java.waiting import now
from gracelint.behaviour.machine import texts
from gracelint.behaviour.machine.values import NIL, UNKNOWN, UNSET, Environment, Object, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Given
    from gracelint.behaviour.machine.values import Run


def _number(machine: JavaMachine, _: Any, given: Given) -> Run:
    value = given.argument(0)
    return now(texts.number(value) if isinstance(value, str) else value)


def _truth(machine: JavaMachine, _: Any, given: Given) -> Run:
    value = given.argument(0)
    return now(value.lower() == "true" if isinstance(value, str) else value)


def _environment(machine: JavaMachine, _: Any, given: Given) -> Run:
    return now(machine.variable(given.args[0]) if given.args else Environment("Environment", given.span))


def _optional(machine: JavaMachine, _: Any, given: Given) -> Run:
    one = Object("Optional", given.span)
    one.state["value"] = given.argument(0, NIL)
    return now(one)


def _is_missing(value: Any) -> bool:
    return value is NIL or value is UNSET


def _other(machine: JavaMachine, _: Any, given: Given) -> Run:
    value = given.argument(0)
    return now(given.argument(1, UNKNOWN) if _is_missing(value) else value)


def _or_else(machine: JavaMachine, of: Object, given: Given) -> Run:
    value = of.state["value"]
    return now(given.argument(0, UNKNOWN) if _is_missing(value) else value)


def _or_call(machine: JavaMachine, of: Object, given: Given) -> Run:
    value = of.state["value"]
    if _is_missing(value):
        value = yield from machine.call(given.argument(0), [], given.span)
    return value


def _map(machine: JavaMachine, of: Object, given: Given) -> Run:
    one = Object("Optional", given.span)
    value = of.state["value"]
    if not _is_missing(value):
        value = yield from machine.call(given.argument(0), [value], given.span)
    one.state["value"] = value
    return one


def _is_there(machine: JavaMachine, of: Object, given: Given) -> Run:
    value = of.state["value"]
    return now(UNKNOWN if isinstance(value, Unknown) else (value is not NIL) is (given.path.endswith("isPresent")))


def _get(machine: JavaMachine, of: Environment, given: Given) -> Run:
    return now(machine.variable(given.argument(0)))


def _get_or(machine: JavaMachine, of: Environment, given: Given) -> Run:
    value = machine.variable(given.argument(0))
    return now(given.argument(1, UNKNOWN) if value is UNSET else value)


STATIC: dict[str, Callable[[JavaMachine, Any, Given], Run]] = {
    "System.getenv": _environment,
    **dict.fromkeys(("Integer.parseInt", "Integer.valueOf", "Long.parseLong", "Long.valueOf"), _number),
    **dict.fromkeys(("Double.parseDouble", "Double.valueOf"), _number),
    **dict.fromkeys(("Boolean.parseBoolean", "Boolean.valueOf"), _truth),
    **dict.fromkeys(("Optional.of", "Optional.ofNullable", "Optional.empty"), _optional),
    "Objects.requireNonNullElse": _other,
    "Objects.requireNonNull": lambda machine, _, given: now(given.argument(0)),
}
METHODS: dict[str, dict[str, Callable[[JavaMachine, Any, Given], Run]]] = {
    "Environment": {"get": _get, "getOrDefault": _get_or},
    "Optional": {
        "orElse": _or_else,
        "orElseGet": _or_call,
        **dict.fromkeys(("get", "orElseThrow"), lambda machine, of, given: now(of.state["value"])),
        "map": _map,
        "isPresent": _is_there,
        "isEmpty": _is_there,
    },
}
_OF_TEXT: dict[str, Callable[[str, Given], Any]] = {
    **dict.fromkeys(("trim", "strip"), lambda of, given: of.strip()),
    "toLowerCase": lambda of, given: of.lower(),
    "toUpperCase": lambda of, given: of.upper(),
    "isEmpty": lambda of, given: not of,
    "isBlank": lambda of, given: not of.strip(),
    "equalsIgnoreCase": lambda of, given: _is_like(of, given.argument(0)),
}


def _is_like(of: str, other: Any) -> Any:
    return of.lower() == other.lower() if isinstance(other, str) else False if other is NIL else UNKNOWN


_OF_DURATION = {"toNanos": 1e9, "toMillis": 1e3, "toSeconds": 1.0, "getSeconds": 1.0, "toMinutes": 1 / 60}
_DURATION = pattern(r"PT(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?")


def duration(text: Any) -> Any:
    """The seconds of `PT1M30S`."""
    match = _DURATION.fullmatch(text.upper()) if isinstance(text, str) else None
    if match is None:
        return text if text is UNSET else UNKNOWN
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True))


def method(machine: JavaMachine, of: Any, name: str, given: Given) -> Run | None:
    """The run of a method of a text, a duration or an enum; None where nothing is known of it."""
    if isinstance(of, str):
        how = _OF_TEXT.get(name)
        return now(how(of, given)) if how is not None else None
    if isinstance(of, float):
        return now(of * _OF_DURATION[name]) if name in _OF_DURATION else None
    if isinstance(of, Object):
        return now(of.state["constant"]) if name in ("name", "toString") else None
    constants = [machine.values_of(of)[one] for one in of.constants] if of in machine.loaded else []
    if name == "values" and constants:
        return now(constants)
    text = given.argument(0)
    if name != "valueOf" or not constants:
        return None
    if not isinstance(text, str):
        return now(UNKNOWN)
    return now(next((one for one in constants if one.state["constant"] == text), UNKNOWN))
