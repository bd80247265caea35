"""Applies fixes: as text edits, in rounds, with nothing written before all of it has proved right.

Fixes sort by position; one that overlaps or touches another waits for the next round. After a round everything is read
and linted again. Fixes that stop a file from parsing, add a finding, or change more of a YAML tree than they touch are
taken back one by one, and said to be.
"""

from __future__ import annotations

import os
import signal
import sys
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from gracelint.config import ConfigError
from gracelint.engine import ALWAYS, Report, Reported, Selection, lint
from gracelint.finding import Applicability, Edit, Fix, Severity
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.project import Request, read_project
from gracelint.record import Record, replace
from gracelint.report import counted
from gracelint.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.yaml import Node

ROUNDS = 10
_SERIOUS = (Severity.ERROR, Severity.WARNING)


class Change(Record):
    """One file before and after. `path` is relative to the root."""

    path: str
    before: str
    after: str


class Fixed(Record):
    """What fixing came to; nothing is written yet."""

    root: str
    before: Report
    after: Report
    changes: tuple[Change, ...]
    applied: int
    refused: tuple[str, ...]
    """Fixes that were taken back, each with the reason."""

    def story(self, only_shown: bool) -> str:
        """What was done, for standard error."""
        verb = "Would fix" if only_shown else "Fixed"
        counts = f"{counted(self.applied, 'finding')} in {counted(len(self.changes), 'file')}"
        done = [f"{verb} {counts}."] if self.applied else []
        return "\n".join([*done, *(f"Not fixed: {reason}" for reason in self.refused)])


def fix(request: Request, selection: Selection, *, unsafe: bool = False) -> Fixed:
    """Fixes what can be fixed, in memory."""
    allowed = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    first = state = _State.of(request, selection)
    refused: dict[_Key, str] = {}
    applied = 0
    for _ in range(ROUNDS):
        chosen = _choose(state.report, allowed, refused.keys())
        if not chosen:
            break
        state, done = _apply_all(state, chosen, refused)
        applied += done
    else:
        if _choose(state.report, allowed, refused.keys()):
            refused[("", "", "")] = f"some fixes: still more to do after {ROUNDS} rounds"
    return Fixed(
        root=request.root,
        before=first.report,
        after=state.report,
        changes=tuple(_changes(first, state)),
        applied=applied,
        refused=tuple(refused.values()),
    )


def apply_edits(texts: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """The texts with edits made, none of which may overlap; edits at one place keep their order."""
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault(edit.span.source.path, []).append(edit)
    changed = dict(texts)
    for path, group in by_path.items():
        text, pieces, position = texts[path], [], 0
        for edit in sorted(group, key=lambda edit: (edit.span.start, edit.span.end)):
            pieces += [text[position : edit.span.start], edit.text]
            position = edit.span.end
        changed[path] = "".join(pieces) + text[position:]
    return changed


def unified_diff(fixed: Fixed, shown: Callable[[str], str] = str) -> str:
    """What would change, as `patch` reads it."""
    return "".join(_file_diff(change, shown(change.path)) for change in fixed.changes)


def write_files(fixed: Fixed) -> None:
    """Writes every file or none. Raises ConfigError where that cannot be done: then all files are as they were."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    staged: list[tuple[str, str]] = []
    try:
        for change in fixed.changes:
            staged.append(_stage(os.path.join(fixed.root, change.path), change))
        _swap_in(staged, fixed.changes)
    finally:
        for temporary, _ in staged:
            if os.path.lexists(temporary):
                os.unlink(temporary)


_Key = tuple[str, str, str]


class _State(Record):
    """A version of the project: the texts that differ from the disk, and what linting them says."""

    request: Request
    selection: Selection
    report: Report
    sources: Mapping[str, Source]

    @classmethod
    def of(cls, request: Request, selection: Selection) -> _State:
        project = read_project(request)
        return cls(request, selection, lint(project, selection), {item.path: item for item in project.sources})

    def texts(self, paths: Iterable[str]) -> dict[str, str]:
        return {path: self.sources[path].text for path in paths}

    def with_texts(self, texts: Mapping[str, str]) -> _State:
        request = replace(self.request, overlay={**self.request.overlay, **texts}, progress=None)
        return _State.of(request, self.selection)


def _key(reported: Reported) -> _Key:
    at = reported.finding.at
    return reported.rule, at.source.path, f"{at.source.line_span(at.line).text.strip()}\0{reported.finding.message}"


def _choose(report: Report, allowed: set[Applicability], refused: Iterable[_Key]) -> list[Reported]:
    """The fixes of a round, by position: none touches one before it."""
    refused = set(refused)
    taken: dict[str, list[tuple[int, int]]] = {}
    chosen = []
    for reported in report.findings:
        fix = reported.finding.fix
        if fix is None or not fix.edits or fix.applicability not in allowed or _key(reported) in refused:
            continue
        places = [(taken.setdefault(edit.span.source.path, []), edit.span) for edit in fix.edits]
        if any(_touches(intervals, span) for intervals, span in places):
            continue
        for intervals, span in places:
            insort(intervals, (span.start, span.end))
        chosen.append(reported)
    return chosen


def _touches(intervals: list[tuple[int, int]], span: Span) -> bool:
    """Whether a place meets one of the intervals, which are sorted and apart from each other."""
    index = bisect_right(intervals, (span.end, sys.maxsize))
    return index > 0 and intervals[index - 1][1] >= span.start


def _apply_all(state: _State, chosen: list[Reported], refused: dict[_Key, str]) -> tuple[_State, int]:
    """Applies what can be applied; where a group of fixes does harm, its halves are tried alone."""
    edits = [edit for reported in chosen for edit in _edits(reported)]
    texts = state.texts({edit.span.source.path for edit in edits})
    candidate = state.with_texts(apply_edits(texts, edits))
    harm = _harm(state, candidate, edits)
    if harm is None:
        return candidate, len(chosen)
    if len(chosen) == 1:
        at = chosen[0].finding.at
        where = f"{state.report.shown(at.source.path)}:{at.line}"
        refused[_key(chosen[0])] = f"{chosen[0].rule} at {where}: the fix {harm}, so it was taken back"
        return state, 0
    middle = len(chosen) // 2
    state, first = _apply_all(state, chosen[:middle], refused)
    if first:
        return state, first
    return _apply_all(state, chosen[middle:], refused)


def _edits(reported: Reported) -> tuple[Edit, ...]:
    assert isinstance(reported.finding.fix, Fix)
    return reported.finding.fix.edits


def _harm(before: _State, after: _State, edits: list[Edit]) -> str | None:
    """What is worse than before, as a clause; None if nothing is."""
    added = _broken(after.report) - _broken(before.report)
    if added:
        return f"would break {before.report.shown(min(added))}"
    if _badness(after.report) > _badness(before.report):
        _, rule, path = min(_serious(after.report) - _serious(before.report))
        return f"would add a finding ({rule} in {before.report.shown(path)})"
    for path in {edit.span.source.path for edit in edits}:
        if path.endswith((".yaml", ".yml", ".json")):
            places = [edit for edit in edits if edit.span.source.path == path]
            if not _same_elsewhere(before.sources[path], after.sources[path], places):
                return f"would change more of {before.report.shown(path)} than it should"
    return None


def _badness(report: Report) -> tuple[int, int]:
    """Errors, then warnings. Fixing an error may uncover a warning: budgets are judged once the signal arrives."""
    counts = Counter(reported.severity for reported in report.findings)
    return counts[Severity.ERROR], counts[Severity.WARNING]


def _broken(report: Report) -> set[str]:
    return {reported.path for reported in report.findings if reported.rule in ALWAYS}


def _serious(report: Report) -> Counter[tuple[int, str, str]]:
    return Counter((item.severity.rank, item.rule, item.path) for item in report.findings if item.severity in _SERIOUS)


def _same_elsewhere(before: Source, after: Source, edits: list[Edit]) -> bool:
    """Whether two YAML texts say the same wherever no edit was made."""
    from gracelint.parse.yaml import read_documents

    try:
        old, new = list(read_documents(before)), list(read_documents(after))
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


def _changes(first: _State, last: _State) -> Iterator[Change]:
    for path, after in sorted(last.request.overlay.items()):
        if after != first.request.overlay.get(path) and after != first.sources[path].text:
            yield Change(path, first.sources[path].text, after)


def _file_diff(change: Change, path: str) -> str:
    from difflib import unified_diff as lines_diff

    lines = lines_diff(_lines(change.before), _lines(change.after), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Lines as `diff` sees them: only a line feed ends one."""
    return [line + "\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rsplit("\n", 1)[-1]) else [])


def _stage(path: str, change: Change) -> tuple[str, str]:
    """A temporary file beside the real one with the new text and the old mode; and the real one's path."""
    real = os.path.realpath(path)
    try:
        with open(real, "rb") as file:
            if file.read() != change.before.encode("utf-8", "surrogatepass"):
                raise ConfigError(f"{change.path} was changed meanwhile, or is not UTF-8; nothing was written")
        status = os.stat(real)
        if not status.st_mode & 0o222 or not os.access(real, os.W_OK):
            raise ConfigError(f"{change.path} is read-only; nothing was written")
        return _write_beside(real, change.after), real
    except OSError as error:
        raise ConfigError(f"{change.path} cannot be written: {error.strerror}; nothing was written") from error


def _write_beside(real: str, text: str) -> str:
    """A temporary file in the same folder, on the disk already, with the real one's mode and owner."""
    from tempfile import mkstemp

    status = os.stat(real)
    descriptor, temporary = mkstemp(prefix=f".{os.path.basename(real)}.", suffix=".tmp", dir=os.path.dirname(real))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, status.st_mode & 0o7777)
        _keep_owner(temporary, status)
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def _keep_owner(path: str, status: os.stat_result) -> None:
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.chown(path, status.st_uid, status.st_gid)


def _swap_in(staged: list[tuple[str, str]], changes: tuple[Change, ...]) -> None:
    for number, (temporary, real) in enumerate(staged):
        try:
            os.replace(temporary, real)
        except OSError as error:
            for (_, earlier), change in zip(staged[:number], changes[:number], strict=True):
                os.replace(_write_beside(earlier, change.before), earlier)
            reason = f"cannot be written: {error.strerror}; nothing was written"
            raise ConfigError(f"{changes[number].path} {reason}") from error
