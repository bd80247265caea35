"""What a run found, as it is shown."""

from __future__ import annotations

import os

from gracelint.base.record import Record, field
from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.finding import Finding, Severity
from gracelint.project import STDIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.rules import Address
    from gracelint.source import Span
    from gracelint.suppress import Suppression
    from gracelint.tree.discover import Skip


class Reported(Record):
    """A finding with the rule that made it, as it is shown: at the first of its places that was asked for."""

    rule: str
    severity: Severity
    finding: Finding
    home: Span | None = None
    """The first of its places that no setting excludes, whatever was asked for."""
    launches: tuple[Launch, ...] = ()
    """Those that it is about."""

    @property
    def path(self) -> str:
        return self.finding.at.source.path


class Silenced(Record):
    """A finding that is not reported, and the comments and annotations that say so."""

    reported: Reported
    by: tuple[Suppression, ...]


class Report(Record):
    """What a run found. Source paths are relative to `root`, an absolute path; people see them through `shown`."""

    root: str
    working_dir: str
    findings: tuple[Reported, ...]
    skipped: tuple[Skip, ...]
    errors: tuple[str, ...]
    """Internal errors."""
    files: int
    """How many of those that were asked for were judged."""
    suppressed: int
    rules: Mapping[str, Address]
    """Those that ran, by name."""
    baselined: int = 0
    """Findings left out because the baseline lists them."""
    older: int = 0
    """Findings left out because an older revision has them."""
    judged: frozenset[str] = frozenset()
    """The files that were asked for, read and understood."""
    not_read: int = 0
    """How many files that were asked for could not be judged."""
    unseen: int = 0
    """How many charts, releases, overlays and templates among them are not here or cannot be read."""
    containers: Mapping[Verdict, int] = field(default_factory=dict)
    """How many of those that have to do with what was asked for meet each end."""
    one_shots: int = 0
    """How many of the unknown ones end by themselves, so that there is nothing to stop."""
    launches: tuple[Launch, ...] = ()
    """Those that have to do with what was asked for."""
    silenced: tuple[Silenced, ...] = ()
    stale: tuple[tuple[str, str, str], ...] = ()
    """Entries of the baseline that nothing is found for any more: rule, path and line."""
    documentation: str | None = None
    """Where people read about a rule, as the settings say: an address with `{rule}` for its name."""

    def shown(self, path: str) -> str:
        """A source's path relative to the working folder."""
        return shown_path(self.root, self.working_dir, path)

    def page(self, rule: str) -> str | None:
        """The address of a rule's documentation, where the settings say one."""
        if self.documentation is None:
            return None
        from urllib.parse import quote

        return self.documentation.replace("{rule}", quote(rule, safe=""))


def shown_path(root: str, working_dir: str, path: str) -> str:
    """A path below `root` as seen from `working_dir`; both are absolute."""
    if root == working_dir or path == STDIN:
        return path
    return os.path.relpath(os.path.join(root, path), working_dir).replace(os.sep, "/") + path[len(path.rstrip("/")) :]
