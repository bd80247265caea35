"""Rows of knowledge that hold for some versions only."""

from __future__ import annotations

from gracelint.base.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version or range: (9, 6, 7) of `^9.6.7-rc1`; empty where there are none."""
    found = []
    for part in version.lstrip("^~>=v ").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits or len(digits) > _LONGEST:
            break
        found.append(int(digits))
    return tuple(found)


def of_version(row: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    """The row with what is different in a version; the row itself where that is not known.

    Numbers that are left out stand for the newest: an image's tag `0.5`, or npm's `10`, is the last of its kind.
    """
    given = numbers(version)
    given += numbers(NEWEST) * (3 - len(given)) if given else ()
    for other in row.get("versions", ()) if given else ():
        if numbers(other["from"]) <= given < numbers(other["until"]):
            return {**row, **other}
    return row


_LONGEST = 9
"""Digits of a number."""
NEWEST = "9999"
"""A version above all that rows know."""


def newest(wanted: str) -> str:
    """The newest version that a requirement allows: 0.4 of `<0.5`, `~=0.4.2`, `^0.4.1` and `==0.4.*`."""
    bounded = NEWEST if wanted == "latest" else ""
    for sign, version in _BOUND.findall(wanted):
        parts = version.rstrip(".*").split(".")
        if sign in ("", "=", "==", "==="):
            return ".".join(parts)
        if sign == "^":
            return ".".join(parts[: 2 if parts[0] == "0" else 1])
        if sign in ("~", "~="):
            return ".".join(parts[:-1] if sign == "~=" else parts[:2])
        if sign == "<=":
            bounded = version
        elif sign == "<":
            bounded = _below(numbers(version))
        else:
            bounded = bounded or NEWEST
    return bounded


def _below(version: tuple[int, ...]) -> str:
    """0.4 for (0, 5, 0): what is left out of a version stands for the newest."""
    last = max((index for index, number in enumerate(version) if number), default=-1)
    return ".".join(map(str, (*version[:last], version[last] - 1))) if last >= 0 else ""


_BOUND = pattern(r"(===?|[~<>!]=|[=<>~^]?)[ \t]{0,9}v?([0-9][\w.*+-]*)")
