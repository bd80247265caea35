"""Applies fixes: as text edits, in rounds, with nothing written before all of it has proved right.

Fixes sort by position; one that overlaps or touches another waits for the next round. After a round everything is read
and linted again. A fix whose own finding stays, or that makes anything worse, is taken back alone, and said to be.
"""

from __future__ import annotations

import sys
from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from gracelint.base.record import Record
from gracelint.engine.reported import Report, Reported
from gracelint.finding import Applicability, Edit
from gracelint.fixing.editable import Editable
from gracelint.fixing.harm import Harm, Version, damage, edits_by_path, harm
from gracelint.project import Request
from gracelint.report import counted
from gracelint.selection import Selection
from gracelint.source import Source, Span

ROUNDS = 10
FOLLOWING = 3
"""How many times the findings that a fix uncovers are fixed as well, before it is judged."""


class Change(Record):
    """One file before and after. `path` is relative to the root."""

    path: str
    before: str
    after: str


class Applied(Record):
    """A fix that was made: whose finding, and what it did."""

    rule: str
    path: str
    line: int
    title: str


class Fixed(Record):
    """What fixing came to; nothing is written yet."""

    root: str
    before: Report
    after: Report
    changes: tuple[Change, ...]
    applied: tuple[Applied, ...]
    refused: tuple[str, ...]
    """Fixes that were taken back or left alone, each with the reason."""

    def story(self, only_shown: bool, each: bool = False) -> list[str]:
        """The lines that say what was done, for standard error: by file and rule, or fix by fix."""
        return [*self._done(only_shown, each), *(f"Not fixed: {reason}" for reason in self.refused)]

    def _done(self, only_shown: bool, each: bool) -> Iterator[str]:
        if not self.applied:
            if only_shown:
                left = counted(len(self.after.findings), "finding")
                yield f"Nothing to fix, and {left} left." if self.after.findings else "Nothing to fix."
            return
        verb = "Would fix" if only_shown else "Fixed"
        counts = f"{counted(len(self.applied), 'finding')} in {counted(len(self.changes), 'file')}"
        yield f"{verb} {counts}:"
        rows = [f"{self.before.shown(item.path)}:{item.line}: {item.rule}: {item.title}" for item in self.applied]
        if not each:
            names = [f"{self.before.shown(item.path)}: {item.rule}" for item in self.applied]
            rows = [name if (times := names.count(name)) == 1 else f"{name} ({times})" for name in dict.fromkeys(names)]
        yield from (f"  {row}" for row in rows)


def fix(
    request: Request,
    selection: Selection,
    *,
    unsafe: bool = False,
    fresh: Callable[[Report], Report] = lambda report: report,
) -> Fixed:
    """Fixes what can be fixed, in memory. `fresh` leaves out of a report what is known, and not to be touched."""
    allowed = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    first = Version.of(request, selection)
    fixing = _Fixing(first, allowed, fresh)
    version = fixing.run()
    return Fixed(
        root=request.root,
        before=fresh(first.report),
        after=fresh(version.report),
        changes=tuple(_changes(first, version)),
        applied=tuple(fixing.applied),
        refused=tuple(dict.fromkeys(fixing.refused.values())),
    )


def mend(version: Version, reported: Reported) -> tuple[Change, ...] | str:
    """What one finding's fix changes, with those that it cannot do without; else why it is not made."""
    chosen = reported.finding.fix
    unsafe = chosen is not None and chosen.applicability is Applicability.UNSAFE
    allowed = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    fixing = _Fixing(version, allowed, lambda report: report)
    made = fixing.choose(version, [reported])
    if not made or not fixing.apply(made):
        return next(iter(fixing.refused.values()), "there is nothing to apply")
    return tuple(_changes(version, fixing.version))


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


_Key = tuple[str, str, str]


class _Fixing:
    """One run: what was applied, and what was refused and why."""

    def __init__(self, first: Version, allowed: set[Applicability], fresh: Callable[[Report], Report]) -> None:
        self.version = first
        self.allowed = allowed
        self.fresh = fresh
        self.editable = Editable(first.request.root, first.fixable, first.request.configuration.excludes, by_git=True)
        self.applied: list[Applied] = []
        self.refused: dict[_Key, str] = {}

    def run(self) -> Version:
        for _ in range(ROUNDS):
            chosen = self.choose(self.version, self.fresh(self.version.report).findings)
            if not chosen:
                return self.version
            self.apply(chosen)
        if self.choose(self.version, self.fresh(self.version.report).findings):
            self.refused["", "", ""] = f"some fixes: still more to do after {ROUNDS} rounds"
        return self.version

    def choose(self, version: Version, findings: Iterable[Reported]) -> list[Reported]:
        """Fixes that can be made together, by position: none touches one before it."""
        taken: dict[str, list[tuple[int, int]]] = {}
        chosen = []
        for reported in findings:
            fix = reported.finding.fix
            if fix is None or not fix.edits or fix.applicability not in self.allowed or _key(reported) in self.refused:
                continue
            reason = self.barred(version, fix.edits)
            if reason is not None:
                self.refuse(version, reported, reason)
                continue
            places = [(taken.setdefault(edit.span.source.path, []), edit.span) for edit in fix.edits]
            if any(_touches(intervals, span) for intervals, span in places):
                continue
            for intervals, span in places:
                insort(intervals, (span.start, span.end))
            chosen.append(reported)
        return chosen

    def barred(self, version: Version, edits: Sequence[Edit]) -> str | None:
        """Why edits may not be made, or cannot."""
        if not _fit(version.sources, edits):
            return "its text stands in no file"
        paths = dict.fromkeys(edit.span.source.path for edit in edits)
        reasons = ((path, self.editable.reason(version.sources[path])) for path in paths)
        return next((f"`{version.report.shown(path)}` {reason}" for path, reason in reasons if reason), None)

    def apply(self, chosen: list[Reported]) -> bool:
        """Applies what does no harm; where a group does, its halves are tried alone. Whether anything was applied."""
        after, made, fault = self.attempt(chosen)
        if fault is None:
            self.applied += [_applied(reported) for reported in made]
            self.version = after
            return True
        if len(chosen) == 1:
            self.refuse(self.version, chosen[0], f"the fix {fault.what}, so it was taken back")
            return False
        middle, texts = len(chosen) // 2, {path: source.text for path, source in self.version.sources.items()}
        done = self.apply(chosen[:middle])
        rest = [item for item in chosen[middle:] if _stands(texts, self.version.sources, item)]
        return (bool(rest) and self.apply(rest)) or done

    def attempt(self, chosen: list[Reported]) -> tuple[Version, list[Reported], Harm | None]:
        """Fixes some findings, and those that come up by that: only the whole of it is judged."""
        after, made = _made(self.version, chosen), list(chosen)
        fault = damage(self.version, after, chosen) or harm(self.version, after, chosen)
        for _ in range(FOLLOWING):
            if fault is None or not fault.left:
                break
            known, left = {_cause(reported) for reported in made}, set(fault.left)
            new = (item for item in self.fresh(after.report).findings if _cause(item) not in known)
            following = self.choose(after, [item for item in new if item in left])
            if not following:
                break
            before, after, made = after, _made(after, following), [*made, *following]
            fault = damage(before, after, following) or harm(self.version, after, chosen)
        return after, made, fault

    def refuse(self, version: Version, reported: Reported, reason: str) -> None:
        at = reported.finding.at
        where = f"{version.report.shown(at.source.path)}:{at.line}"
        self.refused[_key(reported)] = f"{reported.rule} at {where}: {reason}"


def _key(reported: Reported) -> _Key:
    at = reported.finding.at
    return reported.rule, at.source.path, f"{at.source.line_span(at.line).text.strip()}\0{reported.finding.message}"


def _cause(reported: Reported) -> tuple[str, str]:
    """A finding of the same rule in the same words is one that its fix has left."""
    return reported.rule, reported.finding.message


def _applied(reported: Reported) -> Applied:
    at = reported.finding.at
    return Applied(reported.rule, at.source.path, at.line, reported.finding.fix.title if reported.finding.fix else "")


def _made(version: Version, chosen: Iterable[Reported]) -> Version:
    by_path = edits_by_path(chosen)
    texts = {path: version.sources[path].text for path in by_path}
    return version.with_texts(apply_edits(texts, (edit for edits in by_path.values() for edit in edits)))


def _fit(sources: Mapping[str, Source], edits: Collection[Edit]) -> bool:
    """Whether edits are of texts as they stand in files, and none goes over another."""
    ends: dict[str, int] = {}
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        path, span = edit.span.source.path, edit.span
        known = sources.get(path)
        if known is None or known.text != span.source.text or not ends.get(path, 0) <= span.start <= span.end:
            return False
        ends[path] = span.end
    return all(end <= len(sources[path].text) for path, end in ends.items())


def _stands(texts: Mapping[str, str], sources: Mapping[str, Source], reported: Reported) -> bool:
    """Whether the files that a fix edits are as they were when it was proposed."""
    paths = edits_by_path([reported])
    return all(path in sources and sources[path].text == texts[path] for path in paths)


def _touches(intervals: list[tuple[int, int]], span: Span) -> bool:
    """Whether a place meets one of the intervals, which are sorted and apart from each other."""
    index = bisect_right(intervals, (span.end, sys.maxsize))
    return index > 0 and intervals[index - 1][1] >= span.start


def _changes(first: Version, last: Version) -> Iterator[Change]:
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
