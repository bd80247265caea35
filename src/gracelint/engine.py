"""From a project to a report: each rule meets its subjects; what they find is suppressed, joined and sorted.

Nothing in here knows a rule by name, but for those of the engine itself.
"""

from __future__ import annotations

import os

from gracelint.base.record import Record, field, replace
from gracelint.base.secrets import veiled
from gracelint.config import ConfigError, did_you_mean
from gracelint.facts.dockerfile import Stage
from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.finding import Applicability, Edit, Finding, Fix, Note, Severity
from gracelint.own import OWN
from gracelint.project import STDIN, Project
from gracelint.rules import PackError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gracelint.rules import Address, Rule
    from gracelint.selection import Selection
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


def lint(project: Project, selection: Selection) -> Report:
    """Runs the selected rules. A rule that breaks is reported in `errors` and costs the others nothing."""
    errors = list(project.errors)
    rules = _chosen(project, selection)
    origins = _Origins(project.launches)
    found: list[tuple[Rule, Finding, object]] = [
        (OWN[item.rule], _of_test_data(item.finding), None) for item in project.problems
    ]
    suppressions, annotations, malformed = _suppressions(project)
    found += [(OWN["malformed-suppression"], finding, None) for finding in malformed]
    for address in rules.values():
        found += _run(address, project, selection, errors)
    found += _without_reason(suppressions, selection)
    made = [item for rule, finding, subject in found for item in _wanted(rule, finding, subject, selection, origins)]
    suppressions += annotations
    kept, silenced, used = _suppress(made, suppressions)
    joined = _join(kept)
    if project.request.around != 0:
        joined += _idle(suppressions, used, rules, selection)
    asked = [item for item in joined if _in_scope(item, project) is not None]
    visible = (_in_scope(item, project) for item in _join_copies(asked))
    shown = [_appliable(reported, project) for reported in visible if reported is not None]
    unread = {item.finding.at.source.path for item in project.problems}
    judged = frozenset(
        path for path in {source.path for source in project.sources} - unread if project.reports_on(path)
    )
    launches = tuple(launch for launch in project.launches if project.concerns(launch))
    fates = [launch.verdict for launch in launches]
    quiet = ((_in_scope(made, project), by) for made, by in silenced)
    silent = [Silenced(reported, by) for reported, by in quiet if reported is not None]
    return Report(
        root=project.request.root,
        working_dir=project.request.working_dir or project.request.root,
        findings=tuple(sorted(shown, key=_order)),
        skipped=project.skipped,
        errors=tuple(dict.fromkeys(errors)),
        files=len(judged),
        judged=judged,
        containers={verdict: fates.count(verdict) for verdict in Verdict},
        one_shots=sum(launch.verdict is Verdict.UNKNOWN and launch.ends_by_itself for launch in launches),
        launches=launches,
        not_read=sum(map(project.reports_on, unread)),
        unseen=sum(
            item.rule in _UNSEEN and project.reports_on(item.finding.at.source.path) for item in project.problems
        ),
        suppressed=len(silent),
        documentation=selection.at("").settings.documentation,
        silenced=tuple(sorted(silent, key=lambda item: _order(item.reported))),
        rules=rules,
    )


_UNSEEN = ("unread-manifest", "templated-manifest")
_HINTS = 20
"""Names that are compared with all that there are, which takes a millisecond each."""


class _Made(Record, identity=True):
    """A finding that the settings want. `origins` are where the launches that it is about are declared."""

    reported: Reported
    subject: object
    origins: tuple[Span, ...] = ()
    rendered: Finding | None = None
    """The finding as its rule made it, where that is about rendered text."""

    @property
    def places(self) -> tuple[Span, ...]:
        finding = self.reported.finding
        return (finding.at, *(note.span for note in finding.notes), *(span.place for span in self.origins))


class _Origins:
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
        return _launches_of(subject)


def _launches_of(subject: object) -> tuple[Launch, ...]:
    """Those that start a program."""
    from gracelint.facts.program import Program

    launches = subject.launches if isinstance(subject, Program) else ()
    return tuple(launch for launch in launches if isinstance(launch, Launch))


def _goes_wrong(subject: object) -> bool:
    """Whether a launch, or one that starts a program, is ignored or cut, and does not end by itself."""
    launches = (subject,) if isinstance(subject, Launch) else _launches_of(subject)
    bad = (Verdict.IGNORED, Verdict.CUT)
    return any(one.verdict in bad and not one.ends_by_itself for one in launches)


def _suppressions(project: Project) -> tuple[list[Suppression], list[Suppression], list[Finding]]:
    """Those in comments and in annotations, and what is said of comments that were meant as such."""
    subjects = project.workloads or project.services
    if not subjects and not any("racelint" in source.text for source in project.sources):
        return [], [], []
    from gracelint.suppress import annotated, comments, malformed

    found = [item for source in project.sources for item in comments(source)]
    wrong = [Finding(text, at) for source in project.sources for at, text in malformed(source)]
    return found, list(annotated(project.workloads, project.services)), wrong


def _present(project: Project) -> dict[str, tuple[object, ...]]:
    """The subjects of each group of rules."""
    return {
        "dockerfile": project.stages,
        "launch": (*project.launches, *(sibling for launch in project.launches for sibling in launch.siblings)),
        "kubernetes": project.workloads,
        "program": project.programs,
    }


def _chosen(project: Project, selection: Selection) -> dict[str, Address]:
    """The rules whose subjects are there. Raises ConfigError for an option that a rule does not have."""
    present = _present(project)
    paths = {path: None for subjects in present.values() for subject in subjects for path in (_path(subject),)}
    rules: dict[str, Address] = {}
    for chosen in selection.among(paths):
        for address in chosen.rules:
            try:
                if not present[address.group] or not chosen.runs(address):
                    continue
                given = chosen.settings.options.get(address.name)
                if given is not None:
                    _check_options(address.load(), given)
            except PackError as error:
                raise ConfigError(str(error)) from error
            rules[address.name] = address
    return rules


def _check_options(rule: Rule, given: Mapping[str, object]) -> None:
    from gracelint.rows import is_like, kind_of

    for option in given.keys() - rule.options.keys():
        raise ConfigError(f"rules.{rule.name}: unknown option {option!r}{did_you_mean(option, rule.options)}")
    for option, value in given.items():
        if not is_like(value, rule.options[option]):
            wanted = kind_of(rule.options[option])
            raise ConfigError(f"rules.{rule.name}.{option} must be {wanted}, not {value!r}")


def _path(subject: object) -> str:
    """The file that a rule's subject stands in."""
    path: str = (subject.origin if isinstance(subject, Launch) else subject).source.path  # type: ignore[attr-defined]
    return path


def _run(
    address: Address, project: Project, selection: Selection, errors: list[str]
) -> Iterator[tuple[Rule, Finding, object]]:
    if not any(map(address.concerns, _present(project)[address.group])):
        return
    rule, warm = address.load(), project.request.warm
    subjects: tuple[object, ...] = (*project.stages, *project.launches, *project.workloads, *project.programs)
    for subject in subjects:
        if not isinstance(subject, rule.subject):
            continue
        options = rule.options
        if options:
            given = selection.at(_path(subject)).settings.options.get(rule.name, {})
            options = {name.replace("-", "_"): given.get(name, value) for name, value in options.items()}
        try:
            found = _findings(rule, subject, options)
            if warm is not None:
                found = warm.found_in(subject, rule.name, options, found)
            for finding in found:
                yield rule, finding, subject
        except (Exception, SystemExit) as error:
            from gracelint.base.internal import internal_error

            errors.append(internal_error(f"checking {rule.name}", error))


def _findings(rule: Rule, subject: object, options: Mapping[str, object]) -> Iterable[Finding]:
    """What a rule says of its subject; of a container, what it says of the other programs of its supervisor too."""
    told: set[Span] = set()
    for each in (subject, *(subject.siblings if isinstance(subject, Launch) and rule.verdict else ())):
        for finding in rule.check(each, **options):
            if each is not subject and finding.at in told:
                continue
            told.add(finding.at)
            if rule.verdict and isinstance(each, Launch) and each.blocker is not None:
                finding = replace(finding, notes=(*finding.notes, *each.beyond))
            yield finding


def _wanted(rule: Rule, finding: Finding, subject: object, selection: Selection, origins: _Origins) -> Iterator[_Made]:
    """The finding, if the settings above its home ask for it. One whose places are all excluded has none."""
    rendered, finding = finding, _placed(finding)
    finding = replace(finding, message=veiled(finding.message))
    launches = origins.of(subject)
    reported = Reported(rule.name, rule.severity, finding, launches=launches)
    made = _Made(reported, subject, tuple(launch.origin.span for launch in launches), rendered)
    excludes = selection.configuration.excludes
    home = next((span for span in made.places if not excludes(span.source.path)), None)
    if home is None:
        return
    chosen = selection.at(home.source.path)
    loudest = Severity.ERROR
    if _is_manifest(finding.at, subject):
        from gracelint.tree import generated

        note = generated.rendered_from(finding.at)
        if note is not None:
            finding = replace(finding, notes=(*finding.notes, note))
        if generated.is_made(finding.at.source):
            loudest = Severity.INFO
    if origins.are_for_development(subject) and not (chosen.settings.strict or rule.name in chosen.named):
        if not (rule.verdict and _goes_wrong(subject)):
            return
        from gracelint.tree.purpose import is_set_aside

        meant = all(launch.dev_server or is_set_aside(launch.origin.source.path) for launch in launches)
        loudest = max(loudest, Severity.INFO if meant else Severity.WARNING, key=lambda severity: severity.rank)
    if rule.verdict and launches and all(launch.idle for launch in launches):
        loudest = Severity.INFO  # the stop takes its time, and nothing is lost
    strictly = finding.strict and not (chosen.settings.strict or rule.name in chosen.named)
    if chosen.runs(rule) and not strictly and not chosen.spares(rule.name, home.source.path):
        severity = max(finding.severity or rule.severity, loudest, key=lambda severity: severity.rank)
        severity = chosen.settings.severity.get(rule.name, severity)
        yield replace(made, reported=replace(reported, severity=severity, finding=finding, home=home))


def _of_test_data(finding: Finding) -> Finding:
    """Files that tests read are broken on purpose."""
    from gracelint.tree.purpose import is_set_aside

    return replace(finding, severity=Severity.INFO) if is_set_aside(finding.at.source.path) else finding


def _is_manifest(at: Span, subject: object) -> bool:
    """Whether a finding stands in a manifest or a Compose file."""
    if isinstance(subject, Launch):
        origin = subject.origin
        return origin.kind != "dockerfile" and at.source in (origin.source, origin.span.place.source)
    if isinstance(subject, Stage):
        return False
    from gracelint.facts.kubernetes import Workload

    return isinstance(subject, Workload)


def _placed(finding: Finding) -> Finding:
    """A finding about rendered text, said of its template."""
    if finding.at.source.map is None and all(note.span.source.map is None for note in finding.notes):
        return finding
    from gracelint.render.places import placed

    return placed(finding)


def _suppress(
    made: list[_Made], suppressions: list[Suppression]
) -> tuple[list[_Made], list[tuple[_Made, tuple[Suppression, ...]]], set[Suppression]]:
    """The findings that stay, those that are silenced with what silences each, and all that silences any."""
    by_place: dict[tuple[str, int], list[Suppression]] = {}
    for item in suppressions:
        by_place.setdefault((item.rule, id(item.reach.source)), []).append(item)
    if not by_place:
        return made, [], set()
    used: set[Suppression] = set()
    kept: list[_Made] = []
    silenced: list[tuple[_Made, tuple[Suppression, ...]]] = []
    for candidate in made:
        hits, silent = _hits(candidate, by_place)
        used |= hits
        if silent:
            silenced.append((candidate, tuple(sorted(hits, key=lambda item: (item.at.source.path, item.at.start)))))
        else:
            kept.append(candidate)
    return kept, silenced, used


def _hits(made: _Made, by_place: Mapping[tuple[str, int], list[Suppression]]) -> tuple[set[Suppression], bool]:
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


def _join(made: list[_Made]) -> list[_Made]:
    """One finding for each rule and place, however many launches meet there."""
    groups: dict[tuple[str, Span, int], list[_Made]] = {}
    seen: dict[tuple[str, Span, int], int] = {}
    for item in made:
        place = (item.reported.rule, item.reported.finding.at)
        turn = seen[(*place, id(item.subject))] = seen.get((*place, id(item.subject)), 0) + 1
        groups.setdefault((*place, turn), []).append(item)
    return [joined for group in groups.values() for joined in _joined(group)]


def _joined(group: list[_Made]) -> list[_Made]:
    worst = min(group, key=lambda item: item.reported.severity.rank)
    if len(group) == 1:
        return [worst]
    launches = [item for item in group if isinstance(item.subject, Launch)]
    if not launches:
        distinct = list({item.reported.finding.message: item for item in group}.values())
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


def _is_rendered(made: _Made) -> bool:
    return made.rendered is not None and made.rendered.at.source.unit is not None


_MOST_OTHERS = 5


def _with_others(worst: _Made, group: list[_Made]) -> _Made:
    """A template's finding, with what it says where the template is rendered for others."""
    finding = worst.reported.finding
    others = [item.reported.finding.message for item in group if item.reported.finding.message != finding.message]
    texts = [f"rendered again: {message}" for message in others[:_MOST_OTHERS]]
    if len(others) > _MOST_OTHERS:
        texts.append(f"and rendered {len(others) - _MOST_OTHERS} times more")
    notes = (*finding.notes, *(Note(finding.at, text) for text in texts))
    return replace(worst, reported=replace(worst.reported, finding=replace(finding, notes=notes)))


def _join_copies(made: list[_Made]) -> list[_Made]:
    """One finding for a defect and its copies: the loudest, else the one that people write, nearest to the root."""
    if len(made) < 2:
        return made
    from gracelint.copies import Copies

    copies = Copies()
    alike: dict[tuple[str, str], list[_Made]] = {}
    for item in made:
        alike.setdefault((item.reported.rule, item.reported.finding.message), []).append(item)
    joined: list[_Made] = []
    for group in alike.values():
        if len(group) == 1 or group[0].subject is None:
            joined += group
            continue
        found: dict[tuple[object, int], list[_Made]] = {}
        seen: dict[tuple[object, int], int] = {}
        for item in group:
            key = copies.key(item.reported.rule, item.reported.finding, item.subject)
            own = id(item.subject if isinstance(item.subject, Launch) else item.reported.finding.at.source)
            turn = seen[key, own] = seen.get((key, own), 0) + 1
            found.setdefault((key, turn), []).append(item)
        joined += [_copied(each) for each in found.values()]
    return joined


def _copied(group: list[_Made]) -> _Made:
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


def _nearest(made: _Made) -> tuple[int, int, str, int]:
    at = made.reported.finding.at
    return made.reported.severity.rank, at.source.path.count("/"), at.source.path, at.start


def _started_by(launch: Launch) -> str:
    origin = launch.origin
    if origin.kind == "kubernetes":
        kind = launch.workload.kind if launch.workload else "workload"
        return f"started by {kind} `{origin.name}`" + (f", container `{origin.container}`" if origin.container else "")
    return f"started by Compose service `{origin.name}`" if origin.kind == "compose" else "started by this stage itself"


def _without_reason(
    suppressions: Iterable[Suppression], selection: Selection
) -> Iterator[tuple[Rule, Finding, object]]:
    """Comments that silence a rule and do not say why, where the settings ask for a reason."""
    for item in suppressions:
        if not item.reason and selection.at(item.at.source.path).settings.require_reason:
            message = f"`{item.rule}` is silenced without a reason: write it behind the bracket"
            yield OWN["suppression-without-reason"], Finding(message, item.at), None


def _idle(
    suppressions: Iterable[Suppression], used: set[Suppression], judged: Mapping[str, Address], selection: Selection
) -> list[_Made]:
    """Suppressions that silence nothing, and those of rules that do not exist."""
    found: list[_Made] = []
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
        found += _wanted(OWN[name], Finding(message, item.at, fix=fix), None, selection, _Origins())
    return found


def _in_scope(made: _Made, project: Project) -> Reported | None:
    """The finding at the first of its places that is reported on, the others as notes; None if none is."""
    reported, finding = made.reported, made.reported.finding
    place = next((span for span in made.places if project.reports_on(span.source.path)), None)
    if place is None or place == finding.at:
        return reported if place is not None else None
    notes = (Note(finding.at, "here"), *(note for note in finding.notes if note.span != place))
    return replace(reported, finding=replace(finding, at=place, notes=notes))


def _appliable(reported: Reported, project: Project) -> Reported:
    """A fix is for people to make where it would change a file that is not for us to change."""
    fix = reported.finding.fix
    if fix is None or not fix.edits:
        return reported
    from gracelint.fixing.editable import Editable

    request = project.request
    editable = Editable(request.root, project.fixable, request.configuration.excludes, by_git=False)
    for source in dict.fromkeys(edit.span.source for edit in fix.edits):
        reason = editable.reason(source)
        if reason is not None:
            title = (
                f"{fix.title}; `{shown_path(request.root, request.working_dir or request.root, source.path)}` {reason}"
            )
            manual = Fix(title, (), Applicability.MANUAL)
            return replace(reported, finding=replace(reported.finding, fix=manual))
    return reported


def _order(reported: Reported) -> tuple[str, int, int, str, str]:
    at = reported.finding.at
    return at.source.path, at.start, at.end, reported.rule, reported.finding.message
