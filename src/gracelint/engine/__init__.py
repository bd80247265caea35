"""From a project to a report: each rule meets its subjects; what they find is suppressed, joined and sorted.

Nothing in here knows a rule by name, but for those of the engine itself.
"""

from __future__ import annotations

from gracelint.base.record import Record, replace
from gracelint.base.secrets import veiled
from gracelint.config import ConfigError, did_you_mean
from gracelint.engine.joining import join, join_copies
from gracelint.engine.made import Made, Origins, launches_of, places
from gracelint.engine.reported import Report, Reported, Silenced, shown_path
from gracelint.engine.silencing import idle, silence, suppressions_of, without_reason
from gracelint.facts.dockerfile import Stage
from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.finding import Applicability, Finding, Fix, Note, Severity
from gracelint.own import OWN
from gracelint.project import Project
from gracelint.rules import PackError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gracelint.fixing.editable import Editable
    from gracelint.rules import Address, Rule
    from gracelint.selection import Selection
    from gracelint.source import Span
    from gracelint.tree.warm import Warm


def lint(project: Project, selection: Selection) -> Report:
    """Runs the selected rules. A rule that breaks is reported in `errors` and costs the others nothing."""
    errors = list(project.errors)
    present = _present(project)
    rules = _chosen(present, selection)
    origins = Origins(project.launches)
    found: list[tuple[Rule, Finding, object]] = [
        (OWN[item.rule], _as_meant(item.finding), None) for item in project.problems
    ]
    suppressions, annotations, malformed = suppressions_of(project)
    found += [(OWN["malformed-suppression"], finding, None) for finding in malformed]
    loaded = [a.load() for a in rules.values() if any(map(a.concerns, present[a.group]))]
    subjects = (*project.stages, *project.launches, *project.workloads, *project.programs)
    found += _run(loaded, subjects, project.request.warm, selection, errors)
    found += without_reason(suppressions, selection)
    made = [item for rule, finding, subject in found for item in _wanted(rule, finding, subject, selection, origins)]
    suppressions += annotations
    kept, silenced, used = silence(made, suppressions)
    joined = join(kept)
    if project.request.around != 0:
        for rule, finding in idle(suppressions, used, rules, selection):
            joined += _wanted(rule, finding, None, selection, Origins())
    asked = [item for item in joined if _in_scope(item, project) is not None]
    visible = (_in_scope(item, project) for item in join_copies(asked))
    shown = _appliable([reported for reported in visible if reported is not None], project)
    unread = {item.finding.at.source.path for item in project.problems}
    judged = frozenset(
        path
        for path in {one.path for one in (*project.sources, *project.rendered)} - unread
        if project.reports_on(path)
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


def _goes_wrong(subject: object) -> bool:
    """Whether a launch, or one that starts a program, is ignored or cut, and does not end by itself."""
    launches = (subject,) if isinstance(subject, Launch) else launches_of(subject)
    bad = (Verdict.IGNORED, Verdict.CUT)
    return any(one.verdict in bad and not one.ends_by_itself for one in launches)


def _present(project: Project) -> dict[str, tuple[object, ...]]:
    """The subjects of each group of rules."""
    return {
        "dockerfile": project.stages,
        "launch": (*project.launches, *(sibling for launch in project.launches for sibling in launch.siblings)),
        "kubernetes": project.workloads,
        "program": project.programs,
    }


def _chosen(present: Mapping[str, tuple[object, ...]], selection: Selection) -> dict[str, Address]:
    """The rules whose subjects are present. Raises ConfigError for an option that a rule does not have."""
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
    rules: Sequence[Rule], subjects: Iterable[object], warm: Warm | None, selection: Selection, errors: list[str]
) -> Iterator[tuple[Rule, Finding, object]]:
    """What each rule finds, in the order of rules; subjects that are as they were before are not looked at again."""
    found: dict[str, list[tuple[Rule, Finding, object]]] = {rule.name: [] for rule in rules}
    of_kind: dict[type, tuple[Rule, ...]] = {}
    for subject in subjects:
        kind = type(subject)
        if kind not in of_kind:
            mine = tuple(rule for rule in rules if issubclass(kind, rule.subject))
            of_kind[kind] = mine if warm is None else warm.again(("rules", kind), mine)
        given = of_kind[kind], selection.at(_path(subject)).settings.options
        looked = _look(subject, *given) if warm is None else warm.found_in(subject, given, _look)
        for rule, finding in looked.found:
            found[rule.name].append((rule, finding, subject))
        errors += looked.errors
    return (item for each in found.values() for item in each)


class _Looked(Record):
    """What rules found in a subject, and how those broke that did."""

    found: list[tuple[Rule, Finding]]
    errors: list[str]


def _look(subject: object, rules: tuple[Rule, ...], options: Mapping[str, Mapping[str, object]]) -> _Looked:
    looked = _Looked([], [])
    for rule in rules:
        its = _options_of(rule, options) if rule.options else _NO_OPTIONS
        try:
            looked.found.extend((rule, finding) for finding in list(_findings(rule, subject, its)))
        except (Exception, SystemExit) as error:
            from gracelint.base.internal import internal_error

            looked.errors.append(internal_error(f"checking {rule.name}", error))
    return looked


_NO_OPTIONS: Mapping[str, object] = {}


def _options_of(rule: Rule, options: Mapping[str, Mapping[str, object]]) -> Mapping[str, object]:
    given = options.get(rule.name, {})
    return {name.replace("-", "_"): given.get(name, value) for name, value in rule.options.items()}


def _findings(rule: Rule, subject: object, options: Mapping[str, object]) -> Iterable[Finding]:
    """What a rule says of its subject; of a container, what it says of the other programs of its supervisor too."""
    told: set[Span] = set()
    for each in (subject, *(subject.siblings if isinstance(subject, Launch) and rule.verdict else ())):
        for finding in rule.check(each, **options):
            if each is not subject and finding.at in told:
                continue
            told.add(finding.at)
            if each is not subject and isinstance(each, Launch) and each.loses_nothing:
                finding = replace(finding, severity=Severity.INFO)
            if rule.verdict and isinstance(each, Launch) and each.blocker is not None:
                finding = replace(finding, notes=(*finding.notes, *each.beyond))
            yield finding


def _wanted(rule: Rule, finding: Finding, subject: object, selection: Selection, origins: Origins) -> Iterator[Made]:
    """The finding, if the settings above its home ask for it. One whose places are all excluded has none."""
    rendered, finding = finding, _placed(finding)
    message = veiled(finding.message)
    finding = finding if message == finding.message else replace(finding, message=message)
    launches = origins.of(subject)
    declared = tuple(launch.origin.span for launch in launches)
    excludes = selection.configuration.excludes
    home = next((span for span in places(finding, declared) if not excludes(span.source.path)), None)
    if home is None:
        return
    chosen = selection.at(home.source.path)
    loudest = Severity.ERROR
    if _is_manifest(finding.at, subject):
        from gracelint.tree import generated

        note = generated.rendered_from(finding.at)
        if note is not None:
            finding = replace(finding, notes=(*finding.notes, note))
        workload = subject.workload if isinstance(subject, Launch) else None
        if generated.is_made(finding.at.source) or (workload is not None and workload.severity is Severity.INFO):
            loudest = Severity.INFO
    if origins.are_for_development(subject) and not (chosen.settings.strict or rule.name in chosen.named):
        if not (rule.verdict and _goes_wrong(subject)):
            return
        loudest = Severity.INFO
    if rule.verdict and launches and all(launch.loses_nothing for launch in launches):
        loudest = Severity.INFO
    strictly = finding.strict and not (chosen.settings.strict or rule.name in chosen.named)
    if chosen.runs(rule) and not strictly and not chosen.spares(rule.name, home.source.path):
        severity = max(finding.severity or rule.severity, loudest, key=lambda severity: severity.rank)
        if severity is Severity.WARNING and _is_tried_out(home):
            severity = Severity.INFO
        severity = chosen.settings.severity.get(rule.name, severity)
        yield Made(Reported(rule.name, severity, finding, home, launches), subject, declared, rendered)


def _is_tried_out(home: Span) -> bool:
    """Whether it stands among examples: what is certain to be lost is for people to know who copy them."""
    from gracelint.tree.purpose import is_tried_out

    return is_tried_out(home.source.path)


def _as_meant(finding: Finding) -> Finding:
    """Files that tests read are broken on purpose, and documentation leaves things out."""
    from gracelint.tree.purpose import is_prose, is_set_aside

    path = finding.at.source.path
    return replace(finding, severity=Severity.INFO) if is_set_aside(path) or is_prose(path) else finding


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


def _in_scope(made: Made, project: Project) -> Reported | None:
    """The finding at the first of its places that is reported on, the others as notes; None if none is."""
    reported, finding = made.reported, made.reported.finding
    place = next((span for span in made.places if project.reports_on(span.source.path)), None)
    if place is None or place == finding.at:
        return reported if place is not None else None
    notes = (Note(finding.at, "here"), *(note for note in finding.notes if note.span != place))
    return replace(reported, finding=replace(finding, at=place, notes=notes))


def _appliable(shown: list[Reported], project: Project) -> list[Reported]:
    """A fix is for people to make where it would change a file that is not for us to change."""
    if not any(reported.finding.fix is not None and reported.finding.fix.edits for reported in shown):
        return shown
    from gracelint.fixing.editable import Editable

    request = project.request
    editable = Editable(request.root, project.fixable, request.configuration.excludes, by_git=False)
    return [_by_hand(reported, editable, project) for reported in shown]


def _by_hand(reported: Reported, editable: Editable, project: Project) -> Reported:
    fix, request = reported.finding.fix, project.request
    if fix is None:
        return reported
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
