"""`--format text`, for people: each finding with its line of source, its notes, and what to do about it."""

from __future__ import annotations

from gracelint.finding import Applicability, Severity
from gracelint.report import containers_told, counted, left_out, unseen_told
from gracelint.report.canvas import Piece, coloured, plain, visible, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.engine.reported import Report, Reported
    from gracelint.finding import Fix
    from gracelint.source import Span

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
_NOTES = 8
"""Notes shown; an image may run in a hundred places."""
_WIDEST = 160
"""Columns of source shown; longer lines are cut around the place."""


def render(report: Report, *, color: bool = False, summary: bool = True, containers: bool = True) -> str:
    lines = _lines(report, summary=summary, containers=containers)
    return coloured(lines) if color else plain(lines)


def _lines(report: Report, *, summary: bool, containers: bool) -> Iterator[list[Piece]]:
    """One by one: thousands of findings have far larger lines than texts."""
    for number, reported in enumerate(report.findings):
        if number:
            yield []
        yield from _finding(report, reported)
    if summary:
        if report.findings:
            yield []
        yield from _summary(report, containers=containers)


def statistics(report: Report, *, color: bool = False) -> str:
    """How often each rule was broken, most often first."""
    from collections import Counter

    counts = Counter((reported.rule, reported.severity) for reported in report.findings)
    lines = [
        [(f"{number:>6}  ", "bold"), (f"{severity.value:<8}", _STYLES[severity]), (rule, "")]
        for (rule, severity), number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    lines += _summary(report)
    return coloured(lines) if color else plain(lines)


def summary(report: Report) -> str:
    """What stands below the findings."""
    return plain(_summary(report))


def _finding(report: Report, reported: Reported) -> Iterator[list[Piece]]:
    finding = reported.finding
    style = _STYLES[reported.severity]
    places = [finding.at, *(note.span for note in finding.notes)]
    gutter = max(len(str(span.line)) for span in places)
    page = report.page(reported.rule)
    linked = f"{style} link {page.replace(' ', '%20')}" if page is not None else style
    yield [(f"{reported.severity.value}[{reported.rule}]", linked), (f": {visible(finding.message)}", "bold")]
    yield from _frame(report, finding.at, "^", style, "", gutter, first=True)
    for note in finding.notes[:_NOTES]:
        yield from _frame(report, note.span, "-", "bright_blue", note.text, gutter, first=False)
    if len(finding.notes) > _NOTES:
        yield [
            (" " * gutter + "  = ", "bright_blue"),
            (f"and {counted(len(finding.notes) - _NOTES, 'more place')}", ""),
        ]
    if finding.fix is not None:
        yield [(" " * gutter + "  = ", "bright_blue"), ("help", "bold"), (f": {_help(finding.fix)}", "")]


def _frame(
    report: Report, span: Span, mark: str, style: str, label: str, gutter: int, *, first: bool
) -> Iterator[list[Piece]]:
    line, column = span.source.position(span.start)
    arrow = "-->" if first else ":::"
    yield [
        (" " * gutter + f" {arrow} ", "bright_blue"),
        (f"{visible(report.shown(span.source.path))}:{line}:{column}", ""),
    ]
    source = span.source.line_span(line)
    if not source.text.strip():
        if label:
            yield [(" " * gutter + "  = ", "bright_blue"), (visible(label), style)]
        return
    end = min(max(span.end, span.start + 1), max(source.end, span.start + 1))
    before, marked, after = _window(source.text, span.start - source.start, end - source.start)
    yield [(" " * gutter + "  |", "bright_blue")]
    yield [(f"{line:>{gutter}}  | ", "bright_blue"), (before + marked + after, "")]
    carets = " " * width(before) + mark * max(width(marked), 1)
    yield [(" " * gutter + "  | ", "bright_blue"), (carets + (f" {visible(label)}" if label else ""), style)]


def _window(text: str, start: int, end: int) -> tuple[str, str, str]:
    """The line before, at and after a place, cut to what fits on a screen."""
    around = text[max(start - _WIDEST, 0) : start], text[start : min(end, start + _WIDEST)], text[end : end + _WIDEST]
    before, marked, after = map(visible, around)
    if len(before) + len(marked) + len(after) <= _WIDEST:
        return before, marked, after
    marked = marked if len(marked) <= _WIDEST // 2 else marked[: _WIDEST // 2] + "…"
    room = (_WIDEST - len(marked)) // 2
    before = before if len(before) <= room else "…" + before[-room:]
    after = after if len(after) <= room else after[:room] + "…"
    return before, marked, after


_HELP = {
    Applicability.SAFE: "--fix",
    Applicability.UNSAFE: "--fix --unsafe-fixes",
    Applicability.MANUAL: "by hand",
}


def _help(fix: Fix) -> str:
    return f"{visible(fix.title)} ({_HELP[fix.applicability]})"


def _summary(report: Report, *, containers: bool = True) -> list[list[Piece]]:
    severities = [reported.severity for reported in report.findings]
    told = f"{containers_told(report.launches)} (`gracelint trace`)."
    fates = [[(told, "")]] if containers and report.launches else []
    fates += [[(unseen_told(report.unseen), "")]] if containers and report.unseen else []
    if not severities and not report.files:
        return [[("Nothing to check: no Dockerfile, Compose file, manifest or program here.", "")]]
    if not severities:
        found = f" in {counted(report.files, 'file')}.{_left_out(report)}"
        return [[("No findings", "bold green"), (found, "")], *fates]
    named = [counted(severities.count(severity), severity.value) for severity in Severity if severity in severities]
    files = len({reported.path for reported in report.findings})
    line = f"Found {', '.join(named)} in {counted(files, 'file')}.{_left_out(report)}"
    return [[(line, "bold")], *fates, *([[(fixable, "")]] if (fixable := _fixable(report)) else [])]


def _fixable(report: Report) -> str:
    kinds = [item.finding.fix.applicability for item in report.findings if item.finding.fix is not None]
    safe, unsafe = kinds.count(Applicability.SAFE), kinds.count(Applicability.UNSAFE)
    if safe and unsafe:
        return f"{safe} can be fixed with `--fix`, {unsafe} more with `--fix --unsafe-fixes`."
    if safe:
        return f"{safe} can be fixed with `--fix`."
    return f"{unsafe} can be fixed with `--fix --unsafe-fixes`." if unsafe else ""


def _left_out(report: Report) -> str:
    parts = left_out(report)
    return f" ({', '.join(parts)})" if parts else ""
