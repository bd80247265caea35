"""Rows of knowledge that hold for some versions only."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version or range: (9, 6, 7) of `^9.6.7-rc1`; empty where there are none."""
    found = []
    for part in version.lstrip("^~>=v ").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
    return tuple(found)


def of_version(row: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    """The row with what is different in a version; the row itself where that is not known.

    Numbers that are left out stand for the newest: an image's tag `0.5`, or npm's `10`, is the last of its kind.
    """
    given = numbers(version)
    given += (_NEWEST,) * (3 - len(given)) if given else ()
    for other in row.get("versions", ()) if given else ():
        if numbers(other["from"]) <= given < numbers(other["until"]):
            return {**row, **other}
    return row


_NEWEST = 9999
