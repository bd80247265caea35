"""Rules: how one is written, and how packs of them are found.

A pack is a package with a folder for each group; a group's rules are judged on one type of subject:

    dockerfile → Stage    launch → Launch    kubernetes → Workload    program → Program

A rule's name is its module's name with hyphens, so a pack's rules can be listed without importing one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar

from gracelint.finding import Finding, Severity

S = TypeVar("S")

GROUPS = ("dockerfile", "launch", "kubernetes", "program")
BUILT_IN = "gracelint_rules"


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    name: str
    severity: Severity
    subject: type[S]
    check: Callable[..., Iterator[Finding]]
    doc: str
    """The module's docstring, in Markdown: the rule's documentation page."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Option names and their defaults; the values in force are passed to `check` as keyword arguments."""
    since: str = "0.1.0"
    strict: bool = False
    """Off unless `--strict` or selected by name."""


def rule(
    name: str,
    *,
    severity: Severity,
    subject: type[S],
    options: Mapping[str, Any] | None = None,
    since: str = "0.1.0",
    strict: bool = False,
) -> Callable[[Callable[..., Iterator[Finding]]], Rule[S]]:
    """Makes a function a rule: `check(subject, **options)` yields the subject's findings."""

    def decorate(check: Callable[..., Iterator[Finding]]) -> Rule[S]:
        doc = sys.modules[check.__module__].__doc__ or ""
        return Rule(name, severity, subject, check, doc, options or {}, since, strict)

    return decorate


class PackError(Exception):
    """A rule pack that cannot be found, or a module in it that is not a rule."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a rule lives; says its name and group without importing it."""

    name: str
    group: str
    module: str

    def load(self) -> Rule[Any]:
        """Imports the rule. Raises PackError where the module does not define it."""
        module = import_module(self.module)
        found = getattr(module, self.name.replace("-", "_"), None)
        if not isinstance(found, Rule) or found.name != self.name:
            raise PackError(f"{self.module} defines no rule named {self.name}")
        return found


def addresses(packs: tuple[str, ...] = ()) -> list[Address]:
    """The built-in rules, then those of other packs, by name. Raises PackError for a pack that cannot be imported."""
    found: dict[str, Address] = {}
    for pack in (BUILT_IN, *packs):
        try:
            package = import_module(pack)
        except ImportError as error:
            raise PackError(f"rule pack {pack!r} cannot be imported: {error}") from error
        for folder in package.__path__:
            for group in GROUPS:
                for path in sorted(Path(folder, group).glob("[!_]*.py")):
                    name = path.stem.replace("_", "-")
                    if name in found:
                        raise PackError(f"rule {name!r} is in both {found[name].module} and {pack}.{group}.{path.stem}")
                    found[name] = Address(name, group, f"{pack}.{group}.{path.stem}")
    return sorted(found.values(), key=lambda address: address.name)
