"""Flags of the command line: what the words that start a program set its variables to."""

from __future__ import annotations

from gracelint.base.numbers import MOST_DIGITS, is_digits, whole
from gracelint.base.patterns import pattern
from gracelint.base.record import Record
from gracelint.behaviour.machine.machine import is_expanded
from gracelint.behaviour.machine.values import UNKNOWN, Lib, Method, Object, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.go.machine import GoMachine

_SETS = ("flag", "github.com/spf13/pflag", "github.com/spf13/cobra.Command")
"""What flags are declared with: https://pkg.go.dev/flag, https://pkg.go.dev/github.com/spf13/pflag."""
_DECLARES = pattern(r"(Bool|Duration|Float64|Int|Int32|Int64|String|Uint|Uint64)(Var)?(P)?")
_UNITS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_DURATION = pattern(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)(ns|us|µs|ms|s|m|h)")


class Flag(Record):
    kind: str
    """Duration, Int …"""
    names: tuple[str, ...]
    default: Any
    by_address: bool


def declared(function: Any, given: list[Any]) -> Flag | None:
    """The flag that a call declares."""
    if isinstance(function, Lib):
        owner, _, name = function.path.rpartition(".")
    elif isinstance(function, Method):
        of = function.of
        owner, name = of.type if isinstance(of, Object) else of.of if isinstance(of, Unknown) else "", function.name
    else:
        return None
    match = _DECLARES.fullmatch(name)
    if match is None or not any(owner == one or owner.startswith(f"{one}.") for one in _SETS):
        return None
    kind, address, short = match.groups()
    words = given[1:] if address else given
    count = 2 if short else 1
    names = tuple(one for one in words[:count] if isinstance(one, str) and one)
    default = words[count] if len(words) > count else UNKNOWN
    return Flag(kind, names, default, address is not None)


def value(machine: GoMachine, flag: Flag) -> Any:
    """What a flag is once the command line was read."""
    words = machine.argv[1:]
    if not flag.names or any(map(is_expanded, words)):
        return UNKNOWN
    found: str | None = None
    for index, word in enumerate(words):
        name, given, text = word.lstrip("-").partition("=")
        if not word.startswith("-") or name not in flag.names:
            continue
        if given or flag.kind == "Bool":
            found = text if given else "true"
        else:
            found = words[index + 1] if index + 1 < len(words) else None
    return flag.default if found is None else read(flag.kind, found)


def read(kind: str, text: str) -> Any:
    """The value of a kind that a text stands for."""
    if kind == "String":
        return text
    if kind == "Bool":
        return {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}.get(text.lower(), UNKNOWN)
    if kind == "Duration":
        parts = _DURATION.findall(text)
        complete = "".join(number + unit for number, unit in parts) == text
        return sum(float(number) * _UNITS[unit] for number, unit in parts) if complete and parts else UNKNOWN
    return _number(text, kind)


def _number(text: str, kind: str) -> Any:
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    before, _, after = digits.partition(".")
    if kind == "Float64" and is_digits(before + after) and len(digits) <= MOST_DIGITS:
        return sign * float(digits)
    found = whole(digits)
    return UNKNOWN if found is None else sign * found
