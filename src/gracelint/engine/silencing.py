"""Which findings comments and annotations silence, and which of those silence nothing."""

from __future__ import annotations

from gracelint.config import did_you_mean
from gracelint.engine.made import Made
from gracelint.finding import Applicability, Edit, Finding, Fix
from gracelint.own import OWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gracelint.project import Project
    from gracelint.rules import Address, Rule
    from gracelint.selection import Selection
    from gracelint.source import Span
    from gracelint.suppress import Suppression

_HINTS = 20
"""Names that are compared with all that there are, which takes a millisecond each."""


def suppressions_of(project: Project) -> tuple[list[Suppression], list[Suppression], list[Finding]]:
    """Those in comments and in annotations, and what is said of comments that were meant as such."""
    subjects = project.workloads or project.services
    if not subjects and not any("racelint" in source.text for source in project.sources):
        return [], [], []
    from gracelint.suppress import annotated, comments, malformed

    found = [item for source in project.sources for item in comments(source)]
    wrong = [Finding(text, at) for source in project.sources for at, text in malformed(source)]
    return found, list(annotated(project.workloads, project.services)), wrong


def silence(
    made: list[Made], suppressions: list[Suppression]
) -> tuple[list[Made], list[tuple[Made, tuple[Suppression, ...]]], set[Suppression]]:
    """The findings that stay, those that are silenced with what silences each, and all that silences any."""
    by_place: dict[tuple[str, int], list[Suppression]] = {}
    for item in suppressions:
        by_place.setdefault((item.rule, id(item.reach.source)), []).append(item)
    if not by_place:
        return made, [], set()
    used: set[Suppression] = set()
    kept: list[Made] = []
    silenced: list[tuple[Made, tuple[Suppression, ...]]] = []
    for candidate in made:
        hits, silent = _hits(candidate, by_place)
        used |= hits
        if silent:
            silenced.append((candidate, tuple(sorted(hits, key=lambda item: (item.at.source.path, item.at.start)))))
        else:
            kept.append(candidate)
    return kept, silenced, used


def _hits(made: Made, by_place: Mapping[tuple[str, int], list[Suppression]]) -> tuple[set[Suppression], bool]:
    """The suppressions that hold for a finding, and whether they silence it.

    Where a program is started by several launches, a suppression at one of them speaks of that launch alone.
    """

    def covering(span: Span) -> set[Suppression]:
        return {item for item in by_place.get((made.reported.rule, id(span.source)), ()) if item.covers(span)}

    findings = dict.fromkeys(finding for finding in (made.reported.finding, made.rendered) if finding is not None)
    spans = [span for finding in findings for span in (finding.at, *(note.span for note in finding.notes))]
    own = {item for span in spans for item in covering(span)}
    declared = [covering(span) | covering(span.place) for span in made.origins]
    everywhere = bool(declared) and all(declared)
    return own.union(*declared) if everywhere else own, bool(own) or everywhere


def without_reason(suppressions: Iterable[Suppression], selection: Selection) -> Iterator[tuple[Rule, Finding, object]]:
    """Comments that silence a rule and do not say why, where the settings ask for a reason."""
    for item in suppressions:
        if not item.reason and selection.at(item.at.source.path).settings.require_reason:
            message = f"`{item.rule}` is silenced without a reason: write it behind the bracket"
            yield OWN["suppression-without-reason"], Finding(message, item.at), None


def idle(
    suppressions: Iterable[Suppression], used: set[Suppression], judged: Mapping[str, Address], selection: Selection
) -> Iterator[tuple[Rule, Finding]]:
    """Suppressions that silence nothing, and those of rules that do not exist."""
    hints = 0
    for item in suppressions:
        chosen = selection.at(item.at.source.path)
        rule = judged.get(item.rule) or OWN.get(item.rule)
        if item in used:
            continue
        if item.rule not in chosen.known and chosen.settings.without_plugins:
            continue
        if item.rule not in chosen.known:
            hints += 1
            hint = did_you_mean(item.rule, chosen.known) if hints <= _HINTS else ""
            name, message = "unknown-rule-in-suppression", f"no rule is named `{item.rule}`{hint}"
        elif rule is not None and chosen.runs(rule):
            name, message = "unused-suppression", f"`{item.rule}` finds nothing here: this suppression can go"
        else:
            continue
        fix = None
        if item.removal is not None and name == "unused-suppression":
            fix = Fix("Remove the suppression", (Edit(item.removal, ""),), Applicability.SAFE)
        yield OWN[name], Finding(message, item.at, fix=fix)
