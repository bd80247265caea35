"""A finding on its way from a rule to the report, and the launches that it is about."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.engine.reported import Reported
from gracelint.facts.dockerfile import Stage
from gracelint.facts.launch import Launch
from gracelint.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gracelint.source import Span


class Made(Record, identity=True):
    """A finding that the settings want. `origins` are where the launches that it is about are declared."""

    reported: Reported
    subject: object
    origins: tuple[Span, ...] = ()
    rendered: Finding | None = None
    """The finding as its rule made it, where that is about rendered text."""

    @property
    def places(self) -> tuple[Span, ...]:
        return places(self.reported.finding, self.origins)


def places(finding: Finding, origins: Iterable[Span]) -> tuple[Span, ...]:
    """Where a finding can be shown, the first one that is fit for it: its own places, then those of its launches."""
    return (finding.at, *(note.span for note in finding.notes), *(span.place for span in origins))


class Origins:
    """The launches that a rule's subject is about, and where they are declared."""

    def __init__(self, launches: Iterable[Launch] = ()) -> None:
        self._stages: dict[int, list[Launch]] = {}
        for launch in launches:
            for stage in launch.stage.lineage() if launch.stage else ():
                self._stages.setdefault(id(stage), []).append(launch)

    def of(self, subject: object) -> tuple[Launch, ...]:
        return tuple(self._launches(subject))

    def are_for_development(self, subject: object) -> bool:
        launches = self._launches(subject)
        return bool(launches) and all(launch.development for launch in launches)

    def _launches(self, subject: object) -> Sequence[Launch]:
        if isinstance(subject, Launch):
            return (subject,)
        if isinstance(subject, Stage):
            return self._stages.get(id(subject), ())
        return launches_of(subject)


def launches_of(subject: object) -> tuple[Launch, ...]:
    """Those that start a program."""
    from gracelint.facts.program import Program

    launches = subject.launches if isinstance(subject, Program) else ()
    return tuple(launch for launch in launches if isinstance(launch, Launch))
