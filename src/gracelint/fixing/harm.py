"""Whether a version of a project is worse than the one before it: what a fix must never do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gracelint.base.record import Record, replace
from gracelint.engine import lint
from gracelint.engine.reported import Report, Reported
from gracelint.facts.verdict import Verdict
from gracelint.finding import Edit, Severity
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.project import EVERYWHERE, Request
from gracelint.reading import read_project
from gracelint.selection import ALWAYS, Selection
from gracelint.source import Source
from gracelint.tree.discover import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.launch import Launch
    from gracelint.facts.yaml import Node
    from gracelint.project import Project

    Identity = tuple[str, str, str, str | None]
    Place = tuple[str, str]

_RANKS = {Verdict.IGNORED: 0, Verdict.CUT: 1, Verdict.HANDLED: 2}
_UNCATCHABLE = ("SIGKILL", "SIGSTOP")


class Fate(Record):
    """What becomes of one launch's stop signal."""

    verdict: Verdict
    left: int
    """Hops from the one that decides to the program."""
    is_pid_1: bool
    """Whether the one that decides is PID 1, which ignores what it has no handler for."""
    uncatchable: bool


class Version(Record, identity=True):
    """A project with some texts that differ from the disk, and what linting it says."""

    request: Request
    selection: Selection
    report: Report
    """What is reported on."""
    whole: Report
    """The same, wherever it stands."""
    fixable: Scope
    """Where fixes may change something."""
    sources: Mapping[str, Source]
    fates: Mapping[Identity, tuple[Fate, ...]]
    """By launch; launches that share a name are told apart by their order."""
    rendered: tuple[Source, ...] = ()
    """What charts and overlays come to."""

    @classmethod
    def of(cls, request: Request, selection: Selection) -> Version:
        project = read_project(request)
        return cls.judged(project, selection, lint(project, selection))

    @classmethod
    def judged(cls, project: Project, selection: Selection, report: Report) -> Version:
        """The version that a project is, with what was reported of it."""
        whole = report if "" in project.scope.folders else lint(replace(project, scope=EVERYWHERE), selection)
        sources = {source.path: source for source in project.sources}
        return cls(
            project.request, selection, report, whole, project.fixable, sources, _fates(project), project.rendered
        )

    def with_texts(self, texts: Mapping[str, str]) -> Version:
        request = replace(self.request, overlay={**self.request.overlay, **texts}, progress=None)
        return Version.of(request, self.selection)


class Harm(Record):
    """What is worse than before, as a clause that follows "the fix"."""

    what: str
    left: tuple[Reported, ...] = ()
    """The findings that make it so. Where all of them can be fixed as well, the harm may be undone."""


def damage(before: Version, after: Version, edited: Sequence[Reported]) -> Harm | None:
    """What the edits of these findings' fixes have broken, if they have made one version of the other."""
    return _broken(before, after) or _refused(before, after, edited) or _changed_elsewhere(before, after, edited)


def harm(before: Version, after: Version, fixed: Sequence[Reported]) -> Harm | None:
    """What is worse than before, though these findings were fixed meanwhile."""
    return _worse_launch(before, after) or _surviving(before, after, fixed) or _appeared(before, after)


def _broken(before: Version, after: Version) -> Harm | None:
    def unread(version: Version) -> Counter[str]:
        return Counter(item.path for item in version.whole.findings if item.rule in ALWAYS)

    added = unread(after) - unread(before)
    if added:
        return Harm(f"would break {before.report.shown(min(added))}")
    failures = set(after.whole.errors) - set(before.whole.errors)
    return Harm(f"cannot be judged ({min(failures)})") if failures else None


def _refused(before: Version, after: Version, edited: Sequence[Reported]) -> Harm | None:
    """Whether another parser than ours can no longer read what was changed."""
    for path in edits_by_path(edited):
        if path.endswith(".py") or "ockerfile" in path:
            from gracelint.parse.second import refused

            parser = refused(before.sources[path], after.sources[path])
            if parser is not None:
                return Harm(f"would make {before.report.shown(path)} unreadable for {parser}")
    return None


def _fates(project: Project) -> dict[Identity, tuple[Fate, ...]]:
    found: dict[Identity, tuple[Fate, ...]] = {}
    for launch in project.launches:
        origin = launch.origin
        key = (origin.kind, origin.source.path, origin.name, origin.container)
        found[key] = (*found.get(key, ()), _fate(launch))
    return found


def _fate(launch: Launch) -> Fate:
    decisive = launch.decisive if launch.decisive in launch.hops else None
    left = len(launch.hops) - launch.hops.index(decisive) if decisive is not None else 1
    alone = decisive is None or decisive.pid_1
    return Fate(launch.verdict, left, alone, launch.stop_signal.value in _UNCATCHABLE)


def _worse_launch(before: Version, after: Version) -> Harm | None:
    for key, fates in before.fates.items():
        name = key[2] if key[3] is None else f"{key[2]}/{key[3]}"
        where = f"`{name}` in {before.report.shown(key[1])}"
        now = after.fates.get(key, ())
        if len(now) < len(fates):
            return Harm(f"would make {where} unreadable")
        for old, new in zip(fates, now):  # noqa: B905 -- a launch that is new has no verdict to lose
            if _is_worse(old, new):
                what = f"would make {where} {new.verdict.value}, which is {old.verdict.value} now"
                return Harm(what, tuple(item for item in after.whole.findings if item not in before.whole.findings))
    return None


def _is_worse(old: Fate, new: Fate) -> bool:
    if old.verdict is Verdict.UNKNOWN:
        return False
    if new.verdict is not Verdict.UNKNOWN:
        return _RANKS[new.verdict] < _RANKS[old.verdict]
    if old.uncatchable and not new.uncatchable:
        return False  # work is lost in any case as long as nothing can catch the signal
    comes_closer = new.left < old.left
    # below another PID 1 the default action ends a program: no worse than being cut
    floor = Verdict.IGNORED if new.is_pid_1 else Verdict.CUT
    return not comes_closer or _RANKS[old.verdict] > _RANKS[floor]


def _surviving(before: Version, after: Version, fixed: Sequence[Reported]) -> Harm | None:
    """Each fix takes a finding of its rule away, and none of that rule comes up in another place."""
    had = Counter(item.rule for item in before.whole.findings)
    has = Counter(item.rule for item in after.whole.findings)
    for rule, count in Counter(item.rule for item in fixed).items():
        new = _fresh(before, after, rule)
        milder = sum(any(_is_milder(one, item) for one in fixed) for item in new)
        if has[rule] - milder > had[rule] - count:
            return Harm("would leave its finding where it is, or move it", new)
    return None


def _is_milder(fixed: Reported, left: Reported) -> bool:
    """Whether a finding is what remains of a worse one, for another cause."""
    return (fixed.rule, fixed.path) == (left.rule, left.path) and fixed.severity.rank < left.severity.rank


def _fresh(before: Version, after: Version, rule: str) -> tuple[Reported, ...]:
    """The findings of a rule that were not there before."""
    known = Counter(_place(item) for item in before.whole.findings)
    return tuple(
        item
        for item in after.whole.findings
        if item.rule == rule and _is_over(known, (item.path, item.finding.message))
    )


def _place(reported: Reported) -> Place:
    return reported.path, reported.finding.message


def _is_over(left: Counter[Place], key: Place) -> bool:
    left[key] -= 1
    return left[key] < 0


def _appeared(before: Version, after: Version) -> Harm | None:
    """Errors and warnings are counted by rule and file: a finding that changes its words is the same.

    What was advice may matter more once a program ends on its signal.
    """
    heard = any(old.verdict is Verdict.IGNORED and _is_better(old, new) for old, new in _pairs(before, after))
    for least in (Severity.ERROR, Severity.WARNING):
        had = _serious(before.whole, Severity.INFO if heard and least is Severity.WARNING else least)
        has = _serious(after.whole, least)
        added, gone = has - had, had - has
        if _comes_closer(before, after) and _told(added, after.whole) <= _told(gone, before.whole):
            # one hop that let no signal pass has gone, and the next one shows
            added = Counter({key: count for key, count in added.items() if not _tells(key[0], after.whole)})
        if added:
            path, rule = min((path, rule) for rule, path in added)
            new = tuple(item for item in after.whole.findings if (item.rule, item.path) in added)
            return Harm(f"would add a finding ({rule} in {before.report.shown(path)})", new)
    return None


def _serious(report: Report, least: Severity) -> Counter[tuple[str, str]]:
    return Counter((item.rule, item.path) for item in report.findings if item.severity.rank <= least.rank)


def _comes_closer(before: Version, after: Version) -> bool:
    """Whether the signal of any launch passes the hop at which it ended."""
    return any(new.left < old.left for old, new in _pairs(before, after))


def _pairs(before: Version, after: Version) -> Iterator[tuple[Fate, Fate]]:
    """The fates of each launch that both versions have."""
    for key, fates in before.fates.items():
        yield from zip(fates, after.fates.get(key, ()))  # noqa: B905 -- a launch that is new has had no fate


def _is_better(old: Fate, new: Fate) -> bool:
    return new.verdict in _RANKS and _RANKS[new.verdict] > _RANKS[old.verdict]


def _told(counts: Counter[tuple[str, str]], report: Report) -> int:
    """How many of the findings say why a launch is ignored or cut."""
    return sum(count for (rule, _), count in counts.items() if _tells(rule, report))


def _tells(rule: str, report: Report) -> bool:
    return rule in report.rules and report.rules[rule].load().verdict


def _changed_elsewhere(before: Version, after: Version, edited: Iterable[Reported]) -> Harm | None:
    for path, edits in edits_by_path(edited).items():
        if path.endswith((".yaml", ".yml", ".json")) and not same_elsewhere(
            before.sources[path], after.sources[path], edits
        ):
            return Harm(f"would change more of {before.report.shown(path)} than it should")
    return _rendered_elsewhere(before, after, edited) if before.rendered else None


def _rendered_elsewhere(before: Version, after: Version, edited: Iterable[Reported]) -> Harm | None:
    """Whether more changes in an object of a chart or overlay than edits were made."""
    from gracelint.render.differences import count

    edits = sum(map(len, edits_by_path(edited).values()))
    if len(before.rendered) != len(after.rendered):
        return Harm("would change which objects a chart or overlay has")
    for old, new in zip(before.rendered, after.rendered, strict=True):
        if old.text != new.text and count(old, new) > edits:
            return Harm(f"would change more of what {before.report.shown(old.path)} is rendered to than it should")
    return None


def edits_by_path(fixed: Iterable[Reported]) -> dict[str, list[Edit]]:
    """The edits of all fixes by the file they are made in."""
    found: dict[str, list[Edit]] = {}
    for reported in fixed:
        for edit in reported.finding.fix.edits if reported.finding.fix else ():
            found.setdefault(edit.span.source.path, []).append(edit)
    return found


def same_elsewhere(before: Source, after: Source, edits: list[Edit]) -> bool:
    """Whether two YAML texts say the same wherever no edit was made; a template says what it is rendered to."""
    from gracelint.parse.yaml import read_documents

    try:
        old = read_documents(before)
    except (ParseError, TemplatedError):
        return True
    try:
        new = read_documents(after)
    except (ParseError, TemplatedError):
        return False
    return len(old) == len(new) and all(_agree(a.root, b.root, edits) for a, b in zip(old, new, strict=True))


def _agree(old: Node, new: Node, edits: list[Edit], start: int = 0) -> bool:
    """`start` is where the text before a node begins that belongs to it: its comments and indentation."""
    from gracelint.facts.yaml import Mapping as Map
    from gracelint.facts.yaml import Scalar
    from gracelint.facts.yaml import Sequence as List

    start = min(start, old.start)
    inside = [edit for edit in edits if edit.span.start <= old.end and start <= edit.span.end]
    if isinstance(old, List) and isinstance(new, List) and len(old.items) == len(new.items):
        return all(_agree(a, b, inside, a.start) for a, b in zip(old.items, new.items, strict=True))
    if isinstance(old, Map) and isinstance(new, Map):
        values = {key.value: value for key, value in new.items}
        for key, value in old.items:
            if key.value in values and not _agree(value, values[key.value], inside, key.end):
                return False
        keys_kept = values.keys() == {key.value for key, _ in old.items}
        return keys_kept or _between([value for _, value in old.items], inside)
    same = isinstance(old, Scalar) and isinstance(new, Scalar) and (old.value, old.tag) == (new.value, new.tag)
    return same or bool(inside)


def _between(children: list[Node], edits: list[Edit]) -> bool:
    """Whether an edit stands between children, or behind the last, and not in one of them."""
    return any(
        not any(
            child.span.start <= edit.span.start and edit.span.end <= child.span.end and edit.span.start < child.span.end
            for child in children
        )
        for edit in edits
    )
