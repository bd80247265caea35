"""Rules: how one is written, and how packs of them are found.

A pack is a package with a folder for each group; a group's rules are judged on one type of subject:

    dockerfile → Stage    launch → Launch    kubernetes → Workload    program → Program

A rule's name is its module's name with hyphens, so a pack's rules can be listed without importing one. A rule that is
about something few subjects have says so: it is not imported for the others.
"""

from __future__ import annotations

import os
import sys

from gracelint.base.memory import cache
from gracelint.base.record import Record, field
from gracelint.kept import kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from gracelint.finding import Finding, Severity
    from gracelint.listing import Row

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
    verdict: bool = False
    """Where a launch is ignored or cut, it says why; of all such rules one speaks of each launch."""
    about: tuple[str, ...] = ()
    """Attributes of a subject, such as `budget.unlimited`: where all of them are empty, it finds nothing."""


def rule(
    name: str,
    *,
    severity: Severity,
    subject: type,
    options: Mapping[str, Any] | None = None,
    since: str = "0.1.0",
    strict: bool = False,
    verdict: bool = False,
    about: tuple[str, ...] = (),
) -> Callable[[Callable[..., Iterator[Finding]]], Rule]:
    """Makes a function a rule: `check(subject, **options)` yields the subject's findings."""

    def decorate(check: Callable[..., Iterator[Finding]]) -> Rule:
        doc = sys.modules[check.__module__].__doc__ or ""
        return Rule(name, severity, subject, check, doc, options or {}, since, strict, verdict, about)

    return decorate


class PackError(Exception):
    """A rule pack that cannot be found, or a module in it that is not a rule."""


class Address(Record):
    """Where a rule lives; says its name and group without importing it, and of a built-in one more."""

    name: str
    group: str
    module: str
    about: tuple[str, ...] = ()
    known_strict: bool | None = None
    """None: only the rule itself knows."""

    @property
    def strict(self) -> bool:
        return self.load().strict if self.known_strict is None else self.known_strict

    def concerns(self, subject: object) -> bool:
        """Whether the rule may find something in a subject of its group."""
        for path in self.about:
            if _attribute(subject, path):
                return True
        return not self.about

    def load(self) -> Rule:
        """Imports the rule. Raises PackError where the module does not define it."""
        try:
            module = __import__(self.module, fromlist=(self.name,))
        except (Exception, SystemExit) as error:
            raise PackError(f"{self.module} cannot be imported: {_told(error)}") from error
        found = getattr(module, self.name.replace("-", "_"), None)
        if not isinstance(found, Rule) or found.name != self.name:
            raise PackError(f"{self.module} defines no rule named {self.name}")
        return found


def _attribute(subject: Any, path: str) -> Any:
    for name in path.split("."):
        subject = getattr(subject, name) if subject is not None else None
    return subject


def addresses(packs: tuple[str, ...] = (), tree: str | None = None) -> list[Address]:
    """The built-in rules, then those of other packs, by name; none is imported.

    Raises PackError for what is no pack, and for one that lies in the linted tree, of which nothing is ever run.
    """
    found = {address.name: address for address in _built_in()}
    for pack in packs:
        folders = _folders(pack, tree)
        before = len(found)
        for group, folder in ((group, folder) for folder in folders for group in GROUPS):
            for module in _modules(os.path.join(folder, group)):
                address = Address(module.replace("_", "-"), group, f"{pack}.{group}.{module}")
                if address.name in found:
                    raise PackError(f"{address.module} and {found[address.name].module} are the same rule")
                found[address.name] = address
        if len(found) == before:
            groups = ", ".join(GROUPS)
            raise PackError(f"rule pack {pack!r} cannot be imported: it has no rules in {groups}")
    return sorted(found.values(), key=lambda address: address.name)


@cache
def _built_in() -> list[Address]:
    folder: str = __import__(BUILT_IN).__path__[0]

    def stamp() -> list[tuple[str, int, int]]:
        entries = [entry for group in GROUPS for entry in os.scandir(os.path.join(folder, group))]
        files = ((entry.path, entry.stat()) for entry in entries if entry.name.endswith(".py"))
        return sorted((path, status.st_mtime_ns, status.st_size) for path, status in files)

    def read() -> list[Row]:
        from gracelint.listing import listed

        return listed(folder, GROUPS)

    rows: list[Row] = kept(folder, "rules", stamp, read)
    return [
        Address(name, group, f"{BUILT_IN}.{group}.{name.replace('-', '_')}", about, strict)
        for name, group, about, strict in rows
    ]


def _folders(pack: str, tree: str | None) -> list[str]:
    """Where a package lies, found without importing it: its name may have been chosen by somebody else."""
    from importlib.util import find_spec

    top, *below = pack.split(".")
    try:
        spec = find_spec(top) if all(part.isidentifier() for part in (top, *below)) else None
    except (Exception, SystemExit) as error:
        raise PackError(f"rule pack {pack!r} cannot be imported: {_told(error)}") from error
    if spec is None:
        raise PackError(f"rule pack {pack!r} cannot be imported: no package of that name is installed")
    folders = [os.path.join(folder, *below) for folder in spec.submodule_search_locations or ()]
    folders = [folder for folder in folders if os.path.isdir(folder)]
    if not folders:
        raise PackError(f"rule pack {pack!r} cannot be imported: it is no package")
    for folder in folders:
        if tree is not None and _lies_in(folder, tree):
            raise PackError(
                f"rule pack {pack!r} cannot be imported: it lies in the linted project, of which nothing is run"
            )
    return folders


def _lies_in(folder: str, tree: str) -> bool:
    inside = os.path.realpath(tree).rstrip("/") + "/"
    below = os.path.realpath(folder)
    return below.startswith(inside) and not _INSTALLED.intersection(below[len(inside) :].split("/"))


_INSTALLED = frozenset(("site-packages", "dist-packages"))


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _modules(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    return [name[:-3] for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_")]
