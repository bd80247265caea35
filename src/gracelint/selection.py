"""Which rules run where: the settings above a file say so."""

from __future__ import annotations

import os

from gracelint.base.record import Record
from gracelint.config import ConfigError, Configuration, Settings, did_you_mean
from gracelint.own import OWN
from gracelint.rules import GROUPS, Address, PackError, Rule, addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ENGINE = "engine"
"""The group of the engine's own findings."""
ALWAYS = ("unreadable-file", "syntax-error", "templated-manifest", "unread-manifest")
"""They say that a file was not judged, so they are reported whatever is selected."""


class Chosen(Record):
    """The rules that one set of settings asks for. `rules` are those of packs, `own` the engine's."""

    settings: Settings
    rules: tuple[Address, ...]
    own: frozenset[str]
    known: frozenset[str]
    """Every name there is."""
    groups: dict[str, str]
    """Rule name → group, of all that are chosen."""
    named: frozenset[str]
    """Rules selected by their own name: they run even if they are off by default."""

    def runs(self, rule: Rule | Address) -> bool:
        if rule.name in self.own:
            return True
        return rule.name in self.groups and (not rule.strict or self.settings.strict or rule.name in self.named)

    def spares(self, rule: str, path: str) -> bool:
        """Whether `per-file-ignores` names a rule, or its group, for a file."""
        names = {rule, self.groups.get(rule, ENGINE)}
        globs = self.settings.per_file_ignores
        return any(
            not names.isdisjoint(listed) and self.settings.names(path, (glob,)) for glob, listed in globs.items()
        )


class Selection:
    """Which rules run for each file of a project. Raises ConfigError for a name or pack that does not exist."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self._chosen: dict[int, Chosen] = {}

    def at(self, path: str) -> Chosen:
        """Those for a file; its path is relative to the root."""
        settings = self.configuration.of(path)
        chosen = self._chosen.get(id(settings))
        if chosen is None:
            chosen = self._chosen[id(settings)] = _choose(settings, self.configuration.root)
        return chosen

    def among(self, paths: Iterable[str]) -> list[Chosen]:
        """Those for each of the files, every set once."""
        return list({id(chosen): chosen for chosen in map(self.at, paths)}.values())


def select(configuration: Configuration) -> Selection:
    """The selection, with what holds at the root looked at. Raises ConfigError for a name or pack that is not there."""
    selection = Selection(configuration)
    selection.at("")
    return selection


def every_rule(settings: Settings) -> list[tuple[str, Rule]]:
    """Each rule with its group, by name; imports them all. Raises ConfigError for a pack that is broken."""
    try:
        found = [(address.group, address.load()) for address in _addresses(settings, os.getcwd())]
    except PackError as error:
        raise ConfigError(str(error)) from error
    return sorted([*found, *((ENGINE, rule) for rule in OWN.values())], key=lambda item: item[1].name)


def _addresses(settings: Settings, root: str) -> list[Address]:
    """The rules there are, those of the packs included; of the project around a folder none is loaded."""
    if not settings.plugins:
        return addresses()
    from gracelint.tree.git import repository

    found = repository(root)
    return addresses(settings.plugins, found.work_tree if found is not None else root)


def _choose(settings: Settings, root: str) -> Chosen:
    try:
        available = _addresses(settings, root)
    except PackError as error:
        raise ConfigError(str(error)) from error
    names = {address.name for address in available}
    known = frozenset(names | OWN.keys())
    if not settings.without_plugins:
        _check_names(settings, known, root)
    chosen, ignored = frozenset(settings.select), frozenset(settings.ignore)
    rules = tuple(
        address
        for address in available
        if (not chosen or address.name in chosen or address.group in chosen)
        and address.name not in ignored
        and (address.group not in ignored or address.name in chosen)
    )
    wanted = OWN.keys() if not chosen or ENGINE in chosen else chosen | set(ALWAYS)
    own = frozenset(name for name in OWN if name in wanted and name not in ignored and ENGINE not in ignored)
    groups = {address.name: address.group for address in rules}
    return Chosen(settings, rules, own, known, groups, chosen & known)


def _check_names(settings: Settings, known: frozenset[str], root: str) -> None:
    file = f"{os.path.join(root, settings.file)}: " if settings.file is not None else ""
    groups = (*GROUPS, ENGINE)
    listed = [("select", name) for name in settings.select]
    listed += [("ignore", name) for name in settings.ignore]
    listed += [("per-file-ignores", name) for names in settings.per_file_ignores.values() for name in names]
    for key, name in listed:
        if name not in known and name not in groups:
            where = file if key == "per-file-ignores" else ""
            near = did_you_mean(name, (*known, *groups))
            raise ConfigError(f"{where}{key}: no rule or group is named {name!r}{near}")
    for key, name in [("severity", name) for name in settings.severity] + [
        ("rules", name) for name in settings.options
    ]:
        if name not in known:
            raise ConfigError(f"{file}{key}: no rule is named {name!r}{did_you_mean(name, known)}")
