"""What Go's libraries read in texts: numbers, truth values and times."""

from __future__ import annotations

from gracelint.behaviour.go import flags
from gracelint.behaviour.machine.machine import is_known
from gracelint.behaviour.machine.values import NIL, UNKNOWN, UNSET, Err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.source import Span

    Function = Callable[[GoMachine, list[Any], Span], Any]


def _read(kind: str) -> Function:
    def read(_: GoMachine, given: list[Any], __: Span) -> Any:
        text = given[0]
        if not isinstance(text, str):
            return (UNSET, UNSET) if text is UNSET else (UNKNOWN, UNKNOWN)
        if not text:
            return (UNKNOWN, Err("strconv.ErrSyntax"))
        value = flags.read(kind, text)
        return (value, NIL if is_known(value) else UNKNOWN)

    return read


def _made(how: Callable[[str], Any]) -> Function:
    return lambda _, given, __: how(given[0]) if isinstance(given[0], str) else given[0]


def _same_folded(_: GoMachine, given: list[Any], __: Span) -> Any:
    known = len(given) == 2 and all(isinstance(one, str) for one in given)
    return given[0].lower() == given[1].lower() if known else UNKNOWN


def _first(_: GoMachine, given: list[Any], __: Span) -> Any:
    """The first that is no zero value."""
    left = [one for one in given if one is not UNSET and one not in ("", 0)]
    return left[0] if left else UNKNOWN


FUNCTIONS: dict[str, Function] = {
    "strconv.Atoi": _read("Int"),
    "strconv.ParseInt": _read("Int"),
    "strconv.ParseUint": _read("Uint"),
    "strconv.ParseFloat": _read("Float64"),
    "strconv.ParseBool": _read("Bool"),
    "time.ParseDuration": _read("Duration"),
    "strings.ToLower": _made(str.lower),
    "strings.ToUpper": _made(str.upper),
    "strings.TrimSpace": _made(str.strip),
    "strings.EqualFold": _same_folded,
    "cmp.Or": _first,
}
