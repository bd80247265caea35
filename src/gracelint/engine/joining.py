"""One finding for one defect, however many launches meet there and however many copies there are of it."""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.engine.made import Made
from gracelint.facts.launch import Launch
from gracelint.finding import Applicability, Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

    from gracelint.engine.copies import Copies
    from gracelint.facts.program import Program
    from gracelint.source import Span


def join(made: list[Made]) -> list[Made]:
    """One finding for each rule and place, however many launches meet there."""
    groups: dict[tuple[str, Span, int], list[Made]] = {}
    seen: dict[tuple[str, Span, int], int] = {}
    for item in made:
        place = (item.reported.rule, item.reported.finding.at)
        turn = seen[(*place, id(item.subject))] = seen.get((*place, id(item.subject)), 0) + 1
        groups.setdefault((*place, turn), []).append(item)
    return [joined for group in groups.values() for joined in _joined(group)]


def _joined(group: list[Made]) -> list[Made]:
    worst = min(group, key=lambda item: item.reported.severity.rank)
    if len(group) == 1:
        return [worst]
    launches = [item for item in group if isinstance(item.subject, Launch)]
    if not launches:
        from gracelint.facts.program import Program

        distinct = list({item.reported.finding.message: item for item in group}.values())
        if all(isinstance(item.subject, Program) for item in group):
            return [_of_programs(worst, distinct)]
        return [_with_others(worst, distinct)] if all(map(_is_rendered, group)) else distinct
    found = worst.reported.finding
    notes = dict.fromkeys(note for item in group for note in item.reported.finding.notes)
    for item in launches:
        assert isinstance(item.subject, Launch)
        message = item.reported.finding.message
        text = _started_by(item.subject) + ("" if message == found.message else f": {message}")
        notes[Note(item.subject.origin.span.place, text)] = None
    fixes = {item.reported.finding.fix for item in group if item.reported.finding.fix is not None}
    fix = found.fix if len(fixes) != 1 else fixes.pop()
    if len(fixes) > 1 and fix is not None:
        fix = replace(fix, edits=(), applicability=Applicability.MANUAL)
    told = tuple(dict.fromkeys(launch for item in group for launch in item.reported.launches))
    finding = replace(found, notes=tuple(notes), fix=fix)
    return [replace(worst, reported=replace(worst.reported, finding=finding, launches=told))]


def _of_programs(worst: Made, group: list[Made]) -> Made:
    """What is wrong in a module of several programs, with what it comes to in the others."""
    finding = worst.reported.finding
    others = (item for item in group if item is not worst)
    notes = dict.fromkeys(finding.notes)
    for item in others:
        program: Program = item.subject  # type: ignore[assignment]
        notes[Note(program.span, item.reported.finding.message)] = None
        notes.update(dict.fromkeys(item.reported.finding.notes))
    told = tuple(dict.fromkeys(launch for item in group for launch in item.reported.launches))
    origins = tuple(dict.fromkeys(span for item in group for span in item.origins))
    finding = replace(finding, notes=tuple(notes))
    return replace(worst, reported=replace(worst.reported, finding=finding, launches=told), origins=origins)


def _is_rendered(made: Made) -> bool:
    return made.rendered is not None and made.rendered.at.source.unit is not None


_MOST_OTHERS = 5


def _with_others(worst: Made, group: list[Made]) -> Made:
    """A template's finding, with what it says where the template is rendered for others."""
    finding = worst.reported.finding
    others = [item.reported.finding.message for item in group if item.reported.finding.message != finding.message]
    texts = [f"rendered again: {message}" for message in others[:_MOST_OTHERS]]
    if len(others) > _MOST_OTHERS:
        texts.append(f"and rendered {len(others) - _MOST_OTHERS} times more")
    notes = (*finding.notes, *(Note(finding.at, text) for text in texts))
    return replace(worst, reported=replace(worst.reported, finding=replace(finding, notes=notes)))


def join_copies(made: list[Made]) -> list[Made]:
    """One finding for a defect and its copies: the loudest, else the one that people write, nearest to the root."""
    if len(made) < 2:
        return made
    from gracelint.engine.copies import Copies, said

    copies = Copies()
    alike: dict[tuple[str, str], list[Made]] = {}
    for item in made:
        alike.setdefault((item.reported.rule, said(item.reported.finding, item.subject)), []).append(item)
    joined: list[Made] = []
    for group in alike.values():
        if len(group) == 1 or (group[0].subject is None and group[0].reported.rule != "syntax-error"):
            joined += group
            continue
        joined += map(_copied, _alike(group, copies))
    return joined


def _alike(group: list[Made], copies: Copies) -> list[list[Made]]:
    """Those that are about copies of one defect together; a subject's own repetitions stay apart."""
    found: list[list[Made]] = []
    known: dict[tuple[Hashable, int], list[Made]] = {}
    seen: dict[Hashable, int] = {}
    for item in group:
        keys = copies.keys(item.reported.rule, item.reported.finding, item.subject)
        own = copies.owner(item.reported.finding, item.subject)
        turn = seen[keys[0], own] = seen.get((keys[0], own), 0) + 1
        mine = next((known[key, turn] for key in keys if (key, turn) in known), None)
        if mine is None:
            found.append(mine := [])
        mine.append(item)
        for key in keys:
            known.setdefault((key, turn), mine)
    return found


def _copied(group: list[Made]) -> Made:
    if len(group) == 1:
        return group[0]
    first, *others = sorted(group, key=_nearest)
    finding, fixes = first.reported.finding, [item.reported.finding.fix for item in group]
    notes = (*finding.notes, *(Note(item.reported.finding.at, "the same here") for item in others))
    fix = finding.fix
    if fix is not None and all(each is not None and each.applicability is fix.applicability for each in fixes):
        edits = dict.fromkeys(edit for each in fixes if each is not None for edit in each.edits)
        fix = replace(fix, edits=tuple(edits))
    elif fix is not None:
        fix = replace(fix, edits=(), applicability=Applicability.MANUAL)
    told = tuple(dict.fromkeys(launch for item in group for launch in item.reported.launches))
    reported = replace(first.reported, finding=replace(finding, notes=notes, fix=fix), launches=told)
    origins = dict.fromkeys(span for item in group for span in (*item.origins, *item.places))
    return replace(first, reported=reported, origins=tuple(origins))


def _nearest(made: Made) -> tuple[int, int, str, int]:
    at = made.reported.finding.at
    return made.reported.severity.rank, at.source.path.count("/"), at.source.path, at.start


def _started_by(launch: Launch) -> str:
    origin = launch.origin
    if origin.kind == "kubernetes":
        kind = launch.workload.kind if launch.workload else "workload"
        return f"started by {kind} `{origin.name}`" + (f", container `{origin.container}`" if origin.container else "")
    return f"started by Compose service `{origin.name}`" if origin.kind == "compose" else "started by this stage itself"
