"""From a project to a report: each rule meets its subjects; what they find is suppressed, joined and sorted.

Nothing in here knows a rule by name, but for those of the engine itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set

from gracelint.config import ConfigError, Settings, did_you_mean, matches
from gracelint.discover import Skip
from gracelint.facts.launch import Launch
from gracelint.finding import Applicability, Edit, Finding, Fix, Note, Severity
from gracelint.internal import internal_error
from gracelint.own import OWN
from gracelint.project import STDIN, Project
from gracelint.record import Record, replace
from gracelint.rules import GROUPS, Address, PackError, Rule, addresses
from gracelint.source import Span
from gracelint.suppress import Suppression, annotated, comments

ENGINE = "engine"
"""The group of the engine's own findings."""
ALWAYS = ("unreadable-file", "syntax-error", "templated-manifest")
"""They say that a file was not judged, so they are reported whatever is selected."""


class Reported(Record):
    """A finding with the rule that made it."""

    rule: str
    severity: Severity
    finding: Finding

    @property
    def path(self) -> str:
        return self.finding.at.source.path


class Report(Record):
    """What a run found. Source paths are relative to `root`, an absolute path; people see them through `shown`."""

    root: str
    working_dir: str
    findings: tuple[Reported, ...]
    skipped: tuple[Skip, ...]
    errors: tuple[str, ...]
    """Internal errors."""
    files: int
    """How many were read."""
    suppressed: int
    rules: Mapping[str, Rule]
    """Those that ran, by name."""
    baselined: int = 0

    def shown(self, path: str) -> str:
        """A source's path relative to the working folder."""
        return shown_path(self.root, self.working_dir, path)


def shown_path(root: str, working_dir: str, path: str) -> str:
    """A path below `root` as seen from `working_dir`; both are absolute."""
    if root == working_dir or path == STDIN:
        return path
    return os.path.relpath(os.path.join(root, path), working_dir).replace(os.sep, "/") + path[len(path.rstrip("/")) :]


class Selection(Record):
    """Which rules run. `rules` are those of packs, `own` the engine's."""

    rules: tuple[Address, ...]
    own: frozenset[str]
    known: frozenset[str]
    """Every name there is."""
    strict: bool
    named: frozenset[str]
    """Rules selected by their own name: they run even if they are off by default."""


def select(settings: Settings) -> Selection:
    """Raises ConfigError for a name or pack that does not exist."""
    try:
        available = addresses(settings.plugins)
    except PackError as error:
        raise ConfigError(str(error)) from error
    names = {address.name for address in available}
    known = frozenset(names | OWN.keys())
    _check_names(settings, known)
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
    return Selection(rules, own, known, settings.strict, chosen & known)


def every_rule(settings: Settings) -> list[tuple[str, Rule]]:
    """Each rule with its group, by name; imports them all. Raises ConfigError for a pack that is broken."""
    try:
        found = [(address.group, address.load()) for address in addresses(settings.plugins)]
    except (PackError, ImportError) as error:
        raise ConfigError(str(error)) from error
    return sorted([*found, *((ENGINE, rule) for rule in OWN.values())], key=lambda item: item[1].name)


def lint(project: Project, selection: Selection) -> Report:
    """Runs the selected rules. A rule that breaks is reported in `errors` and costs the others nothing."""
    settings = project.request.settings
    errors = list(project.errors)
    rules = _load(project, selection, errors)
    made: list[_Made] = [
        _Made(
            Reported(problem.rule, settings.severity.get(problem.rule, OWN[problem.rule].severity), problem.finding),
            None,
        )
        for problem in project.problems
        if problem.rule in selection.own
    ]
    for rule in rules.values():
        found = _run(rule, project, errors)
        wanted = selection.strict or rule.name in selection.named
        made += found if wanted else (item for item in found if not item.reported.finding.strict)
    made = _without_exempt(made, settings, selection)
    suppressions = [item for source in project.sources for item in comments(source)]
    suppressions += annotated(project.workloads, project.services)
    kept, used = _suppress(made, suppressions)
    findings = _join(kept)
    if project.request.around != 0:
        findings += _idle(suppressions, used, rules.keys() | selection.own, selection, settings)
    shown = sorted((_appliable(reported, project) for reported in findings if _in_scope(reported, project)), key=_order)
    return Report(
        root=project.request.root,
        working_dir=project.request.working_dir or project.request.root,
        findings=tuple(shown),
        skipped=project.skipped,
        errors=tuple(dict.fromkeys(errors)),
        files=len(project.sources),
        suppressed=len(made) - len(kept),
        rules=rules,
    )


class _Made(Record, identity=True):
    reported: Reported
    subject: object


def _check_names(settings: Settings, known: frozenset[str]) -> None:
    groups = (*GROUPS, ENGINE)
    listed = [("select", name) for name in settings.select]
    listed += [("ignore", name) for name in settings.ignore]
    listed += [("per-file-ignores", name) for names in settings.per_file_ignores.values() for name in names]
    for key, name in listed:
        if name not in known and name not in groups:
            raise ConfigError(f"{key}: no rule or group is named {name!r}{did_you_mean(name, (*known, *groups))}")
    for key, name in [("severity", name) for name in settings.severity] + [
        ("rules", name) for name in settings.options
    ]:
        if name not in known:
            raise ConfigError(f"{key}: no rule is named {name!r}{did_you_mean(name, known)}")


def _load(project: Project, selection: Selection, errors: list[str]) -> dict[str, Rule]:
    """Imports the rules whose subjects are there. Raises ConfigError for an option that a rule does not have."""
    present = {
        "dockerfile": project.stages,
        "launch": project.launches,
        "kubernetes": project.workloads,
        "program": project.programs,
    }
    rules = {}
    for address in selection.rules:
        if not present[address.group]:
            continue
        try:
            rule = address.load()
        except Exception as error:
            errors.append(internal_error(f"loading {address.name}", error))
            continue
        if rule.strict and not selection.strict and rule.name not in selection.named:
            continue
        given = project.request.settings.options.get(rule.name, {})
        for option in given.keys() - rule.options.keys():
            raise ConfigError(f"rules.{rule.name}: unknown option {option!r}{did_you_mean(option, rule.options)}")
        rules[rule.name] = rule
    return rules


def _run(rule: Rule, project: Project, errors: list[str]) -> Iterator[_Made]:
    settings = project.request.settings
    options = {**rule.options, **settings.options.get(rule.name, {})}
    keywords = {name.replace("-", "_"): value for name, value in options.items()}
    subjects: tuple[object, ...] = (*project.stages, *project.launches, *project.workloads, *project.programs)
    for subject in subjects:
        if not isinstance(subject, rule.subject):
            continue
        try:
            for finding in rule.check(subject, **keywords):
                severity = settings.severity.get(rule.name) or finding.severity or rule.severity
                yield _Made(Reported(rule.name, severity, finding), subject)
        except Exception as error:
            errors.append(internal_error(f"checking {rule.name}", error))


def _without_exempt(made: list[_Made], settings: Settings, selection: Selection) -> list[_Made]:
    """Drops what `per-file-ignores` names, by rule or group."""
    for glob, names in settings.per_file_ignores.items():
        rules = {*names, *(rule.name for rule in selection.rules if rule.group in names)}
        made = [item for item in made if item.reported.rule not in rules or not matches(item.reported.path, (glob,))]
    return made


def _suppress(made: list[_Made], suppressions: list[Suppression]) -> tuple[list[_Made], set[Suppression]]:
    by_rule: dict[str, list[Suppression]] = {}
    for item in suppressions:
        by_rule.setdefault(item.rule, []).append(item)
    used: set[Suppression] = set()
    kept = []
    for candidate in made:
        finding, subject = candidate.reported.finding, candidate.subject
        origin = (subject.origin.span,) if isinstance(subject, Launch) else ()
        spans = (finding.at, *(note.span for note in finding.notes), *origin)
        hits = {item for item in by_rule.get(candidate.reported.rule, ()) if any(map(item.covers, spans))}
        used |= hits
        if not hits:
            kept.append(candidate)
    return kept, used


def _join(made: list[_Made]) -> list[Reported]:
    """One finding for each rule and place, however many launches meet there."""
    groups: dict[tuple[str, Span, int], list[_Made]] = {}
    seen: dict[tuple[str, Span, int], int] = {}
    for item in made:
        place = (item.reported.rule, item.reported.finding.at)
        turn = seen[(*place, id(item.subject))] = seen.get((*place, id(item.subject)), 0) + 1
        groups.setdefault((*place, turn), []).append(item)
    return [joined for group in groups.values() for joined in _joined(group)]


def _joined(group: list[_Made]) -> list[Reported]:
    worst = min(group, key=lambda item: item.reported.severity.rank).reported
    if len(group) == 1:
        return [worst]
    launches = [item for item in group if isinstance(item.subject, Launch)]
    if not launches:
        return list({item.reported.finding.message: item.reported for item in group}.values())
    notes = dict.fromkeys(note for item in group for note in item.reported.finding.notes)
    for item in launches:
        assert isinstance(item.subject, Launch)
        message = item.reported.finding.message
        text = _started_by(item.subject) + ("" if message == worst.finding.message else f": {message}")
        notes[Note(item.subject.origin.span, text)] = None
    fixes = {item.reported.finding.fix for item in group if item.reported.finding.fix is not None}
    fix = worst.finding.fix if len(fixes) != 1 else fixes.pop()
    if len(fixes) > 1 and fix is not None:
        fix = replace(fix, edits=(), applicability=Applicability.MANUAL)
    return [replace(worst, finding=replace(worst.finding, notes=tuple(notes), fix=fix))]


def _started_by(launch: Launch) -> str:
    origin = launch.origin
    if origin.kind == "kubernetes":
        kind = launch.workload.kind if launch.workload else "workload"
        return f"started by {kind} `{origin.name}`" + (f", container `{origin.container}`" if origin.container else "")
    return f"started by Compose service `{origin.name}`" if origin.kind == "compose" else "started by this stage itself"


def _idle(
    suppressions: list[Suppression], used: set[Suppression], judged: Set[str], selection: Selection, settings: Settings
) -> list[Reported]:
    """Suppressions that silence nothing, and those of rules that do not exist."""
    found = []
    for item in suppressions:
        if item in used:
            continue
        if item.rule not in selection.known:
            hint = did_you_mean(item.rule, selection.known)
            name, message = "unknown-rule-in-suppression", f"no rule is named `{item.rule}`{hint}"
        elif item.rule in judged:
            name, message = "unused-suppression", f"`{item.rule}` finds nothing here: this suppression can go"
        else:
            continue
        if name not in selection.own:
            continue
        fix = None
        if item.removal is not None and name == "unused-suppression":
            fix = Fix("Remove the suppression", (Edit(item.removal, ""),), Applicability.SAFE)
        found.append(
            Reported(name, settings.severity.get(name, OWN[name].severity), Finding(message, item.at, fix=fix))
        )
    return found


def _in_scope(reported: Reported, project: Project) -> bool:
    finding = reported.finding
    return any(span.source.path in project.scope for span in (finding.at, *(note.span for note in finding.notes)))


def _appliable(reported: Reported, project: Project) -> Reported:
    """A fix is for people to make where it would change a file that is not for us to change."""
    fix = reported.finding.fix
    if fix is None or not fix.edits:
        return reported
    from gracelint.editable import Editable

    request = project.request
    editable = Editable(request.root, project.scope, request.settings.exclude, by_git=False)
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
