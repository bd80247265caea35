"""What a rule reports, and how it can be mended."""

from __future__ import annotations

from gracelint.base.choice import Choice
from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.source import Span


class Severity(Choice):
    """How bad it is, from worst to mildest."""

    ERROR = "error"
    """The signal never arrives, work is lost, or the API server rejects the manifest."""
    WARNING = "warning"
    """Requests get dropped, or it works by luck."""
    INFO = "info"
    """Advice; does not fail a run."""

    @property
    def rank(self) -> int:
        """0 for the worst; sorts and compares severities."""
        return _RANKS[self]


_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


class Applicability(Choice):
    """Who may apply a fix."""

    SAFE = "safe"
    """Nothing about the running container changes until it is told to stop, and then only for the better."""
    UNSAFE = "unsafe"
    """Right in most projects; a person should read it."""
    MANUAL = "manual"
    """Shown, never applied."""


class Edit(Record):
    """Puts `text` in the place of `span`; an empty span inserts, an empty text deletes."""

    span: Span
    text: str


class Fix(Record):
    """A change that lands whole or not at all; its edits may lie in several files. MANUAL fixes may have no edits."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability


class Note(Record):
    """A second place that belongs to a finding, and what it has to do with it."""

    span: Span
    text: str


class Finding(Record):
    """One defect: what is wrong here, with its numbers. `severity` is set where it differs from the rule's own."""

    message: str
    at: Span
    notes: tuple[Note, ...] = ()
    fix: Fix | None = None
    severity: Severity | None = None
    strict: bool = False
    """Only of interest with `--strict`, or where the rule is selected by name."""
