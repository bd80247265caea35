"""Rules: how one is written, and how packs of them are found.

A pack is a package with a folder for each group; a group's rules are judged on one type of subject:

    dockerfile → Stage    launch → Launch    kubernetes → Workload    program → Program

A rule's name is its module's name with hyphens, so a pack's rules can be listed without importing one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from gracelint.finding import Finding, Severity
from gracelint.record import Record, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GROUPS = ("dockerfile", "launch", "kubernetes", "program")
BUILT_IN = "gracelint_rules"


class Rule(Record):
    name: str
    severity: Severity
    subject: type
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
    subject: type,
    options: Mapping[str, Any] | None = None,
    since: str = "0.1.0",
    strict: bool = False,
) -> Callable[[Callable[..., Iterator[Finding]]], Rule]:
    """Makes a function a rule: `check(subject, **options)` yields the subject's findings."""

    def decorate(check: Callable[..., Iterator[Finding]]) -> Rule:
        doc = sys.modules[check.__module__].__doc__ or ""
        return Rule(name, severity, subject, check, doc, options or {}, since, strict)

    return decorate


class PackError(Exception):
    """A rule pack that cannot be found, or a module in it that is not a rule."""


class Address(Record):
    """Where a rule lives; says its name and group without importing it."""

    name: str
    group: str
    module: str

    def load(self) -> Rule:
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
                for module in _modules(os.path.join(folder, group)):
                    address = Address(module.replace("_", "-"), group, f"{pack}.{group}.{module}")
                    if address.name in found:
                        raise PackError(f"{address.module} and {found[address.name].module} are the same rule")
                    found[address.name] = address
    return sorted(found.values(), key=lambda address: address.name)


def _modules(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    return [name[:-3] for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_")]
