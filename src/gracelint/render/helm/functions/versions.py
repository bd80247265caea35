"""Versions and constraints, as Masterminds/semver reads them (https://github.com/Masterminds/semver)."""

from __future__ import annotations

import re

from gracelint.base.numbers import is_digits
from gracelint.base.record import Record
from gracelint.render.helm.template import TemplateError
from gracelint.render.helm.values import Native, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Key = tuple[tuple[int, int, int], tuple[tuple[int, int, str], ...]]

_VERSION = re.compile(
    r"v?([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?"
)
_PART = r"([0-9]{1,9}|[xX*])"
_CONSTRAINT = re.compile(
    rf"(>=|<=|=>|=<|!=|~>|=|>|<|~|\^)?\s*v?{_PART}(?:\.{_PART})?(?:\.{_PART})?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_RANGE = re.compile(r"\s*(\S+)\s+-\s+(\S+)\s*")


class Version(Record):
    numbers: tuple[int, int, int]
    prerelease: str
    metadata: str

    @property
    def text(self) -> str:
        prerelease = f"-{self.prerelease}" if self.prerelease else ""
        return ".".join(map(str, self.numbers)) + prerelease + (f"+{self.metadata}" if self.metadata else "")

    @property
    def key(self) -> Key:
        return self.numbers, _prerelease_key(self.prerelease)


def _prerelease_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Orders pre-releases; a release comes after all of them."""
    if not text:
        return ((2, 0, ""),)
    return tuple((0, int(part), "") if is_digits(part) else (1, 0, part) for part in text.split("."))


def version(text: str) -> Version:
    """Raises TemplateError for a text that is no version."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise TemplateError(f"invalid semantic version {text[:40]!r}")
    return Version((int(match[1]), int(match[2] or 0), int(match[3] or 0)), match[4] or "", match[5] or "")


def parts(text: Any) -> Native:
    """`semver`: the version, with its numbers and what can be asked of it."""
    given = shown(text)
    return _object(version(given), given)


def _object(found: Version, given: str) -> Native:
    major, minor, patch = found.numbers

    def compared(other: Any) -> int:
        key = version(shown(other)).key
        return (found.key > key) - (found.key < key)

    def after(*numbers: int) -> Any:
        made = Version((numbers[0], numbers[1], numbers[2]), "", "")
        return lambda: _object(made, made.text)

    members = {
        "Major": major,
        "Minor": minor,
        "Patch": patch,
        "Prerelease": found.prerelease,
        "Metadata": found.metadata,
        "Original": given,
        "String": found.text,
        "Compare": compared,
        "Equal": lambda other: compared(other) == 0,
        "LessThan": lambda other: compared(other) < 0,
        "GreaterThan": lambda other: compared(other) > 0,
        "IncMajor": after(major + 1, 0, 0),
        "IncMinor": after(major, minor + 1, 0),
        "IncPatch": after(major, minor, patch if found.prerelease else patch + 1),
    }
    return Native(members, found.text)


def satisfies(constraint: Any, text: Any) -> bool:
    """`semverCompare`: whether a version satisfies a constraint such as `>=1.19-0 <2 || ^3`."""
    found = version(shown(text))
    return any(_all(alternative, found) for alternative in shown(constraint).split("||"))


def _all(alternative: str, found: Version) -> bool:
    span = _RANGE.fullmatch(alternative)
    if span is not None:
        alternative = f">={span[1]} <={span[2]}"
    position = 0
    alternative = alternative.replace(",", " ").strip()
    while position < len(alternative):
        match = _CONSTRAINT.match(alternative, position)
        if match is None:
            raise TemplateError(f"improper constraint: {alternative[:40]}")
        if not _one(match, found):
            return False
        position = match.end()
        while alternative.startswith(" ", position):
            position += 1
    return True


def _one(match: re.Match[str], found: Version) -> bool:
    operator, prerelease = match[1] or "", match[5] or ""
    if found.prerelease and not prerelease:
        return False
    known = [part for part in match.group(2, 3, 4) if part is not None and part not in "xX*"]
    numbers = [int(part) for part in known] + [0] * (3 - len(known))
    asked = Version((numbers[0], numbers[1], numbers[2]), prerelease, "")
    given = len(known)
    same = found.numbers[:given] == asked.numbers[:given]
    if operator in ("", "="):
        return found.key == asked.key if given == 3 else same
    if operator == "!=":
        return found.key != asked.key if given == 3 else not same
    if operator in (">=", "=>"):
        return found.key >= asked.key
    if operator == "<":
        return found.key < asked.key
    if operator == ">":
        return found.key > asked.key if given == 3 else found.numbers[:given] > asked.numbers[:given]
    if operator in ("<=", "=<"):
        return found.key <= asked.key if given == 3 else found.numbers[:given] <= asked.numbers[:given]
    if operator == "^":
        return found.key >= asked.key and _same_up_to(_leading(asked.numbers, given), found, asked)
    return found.key >= asked.key and _same_up_to(min(given, 2), found, asked)


def _leading(numbers: tuple[int, int, int], given: int) -> int:
    """How many numbers a caret holds fast: up to the first that is not 0."""
    first = next((index for index, number in enumerate(numbers) if number), 2)
    return min(first + 1, given)


def _same_up_to(count: int, found: Version, asked: Version) -> bool:
    return found.numbers[:count] == asked.numbers[:count]
