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
    """The row with what is different in a version; the row itself where that is not known."""
    given = _completed(version)
    for other in row.get("versions", ()) if given else ():
        if numbers(other["from"]) <= given < numbers(other["until"]):
            return {**row, **other}
    return row


SEVERAL = "package.json asks for {name} {version}, whose versions differ in what they do: the lock file decides"
"""Why nothing is said where `of_requirement` finds no row."""


def of_requirement(row: Mapping[str, Any], wanted: str) -> Mapping[str, Any] | None:
    """The row that holds for every version which a requirement such as `^14.0.0` allows; None where they differ.

    What is fetched from elsewhere (`catalog:`, `file:../next`, `npm:other@1`) may be any version.
    """
    if "versions" in row and (":" in wanted or "/" in wanted):
        return None
    oldest = of_version(row, _oldest(wanted))
    return oldest if of_version(row, newest(wanted)) == oldest else None


def _completed(version: str) -> tuple[int, ...]:
    """Numbers that are left out stand for the newest: an image's tag `0.5`, or npm's `10`, is the last of its kind."""
    given = numbers(version)
    return given + numbers(NEWEST) * (3 - len(given)) if given else ()


_LONGEST = 9
"""Digits of a number."""
NEWEST = "9999"
"""A version above all that rows know."""


def newest(wanted: str) -> str:
    """The newest version that a requirement allows: 0.4 of `<0.5`, `~=0.4.2`, `^0.4.1` and `==0.4.*`."""
    return NEWEST if wanted == "latest" else max(map(_newest_of_all, wanted.split("||")), key=_completed)


def _oldest(wanted: str) -> str:
    """The oldest version that a requirement allows: 13.0.0 of `^14.1 || 13.x`; empty where it does not say."""
    return min(filter(None, map(_oldest_of_all, wanted.split("||"))), key=numbers, default="")


def _oldest_of_all(wanted: str) -> str:
    bounds = _BOUND.findall(wanted.partition(_UNTIL)[0])
    lower = [numbers(version) for sign, version in bounds if sign not in ("<", "<=", "!=")]
    first = max(lower, default=(0,) if bounds else ())
    return ".".join(map(str, first + (0,) * (3 - len(first)))) if first else ""


def _newest_of_all(wanted: str) -> str:
    """The newest version that all bounds of a requirement allow."""
    allowed: list[str] = []
    for sign, version in _BOUND.findall(wanted.rpartition(_UNTIL)[2]):
        parts = version.rstrip(".*").split(".")
        if sign in ("", "=", "==", "==="):
            return ".".join(parts)
        if sign == "^":
            zeros = next((index for index, part in enumerate(parts) if part.strip("0")), len(parts))
            allowed.append(".".join(parts[: zeros + 1]))
        elif sign in ("~", "~="):
            allowed.append(".".join(parts[:-1] or parts if sign == "~=" else parts[:2]))
        elif sign == "<=":
            allowed.append(version)
        elif sign == "<":
            allowed.append(_below(numbers(version)))
        else:
            allowed.append(NEWEST)
    return min(allowed, key=_completed, default="")


def _below(version: tuple[int, ...]) -> str:
    """0.4 for (0, 5, 0): what is left out of a version stands for the newest."""
    last = max((index for index, number in enumerate(version) if number), default=-1)
    return ".".join(map(str, (*version[:last], version[last] - 1))) if last >= 0 else ""


_UNTIL = " - "
_BOUND = pattern(r"(===?|[~<>!]=|[=<>~^]?)[ \t]{0,9}v?([0-9][\w.*+-]*)")
