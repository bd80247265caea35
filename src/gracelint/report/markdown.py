"""`--format markdown`: the summary of a CI job, with a table of the containers and one of the findings.

Characters that mean something in Markdown or HTML are written as entities, which mean nothing.
"""

from __future__ import annotations

import re

from gracelint.facts.verdict import Verdict
from gracelint.finding import Severity
from gracelint.report import counted, left_out, unseen_told
from gracelint.report.canvas import visible
from gracelint.report.launches import title, where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.engine.reported import Report, Reported
    from gracelint.facts.launch import Launch

ROWS = 200
"""Rows of a table; a job summary may have 1 MiB."""
VERDICTS = {Verdict.HANDLED: "✅", Verdict.IGNORED: "❌", Verdict.CUT: "✂️", Verdict.UNKNOWN: "❔"}
_SEVERITIES = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.INFO: "🔵"}
_WORST_FIRST = (Verdict.IGNORED, Verdict.CUT, Verdict.UNKNOWN, Verdict.HANDLED)
_SPECIAL = re.compile(r"[&<>|\[\]*_~\\@#:$`!]")


def render(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield "## gracelint"
    yield ""
    yield _summary(report)
    if report.launches:
        yield from (
            "",
            "### Containers",
            "",
            "| Container | Declared at | When told to stop | Why |",
            "|---|---|---|---|",
        )
        worst_first = sorted(report.launches, key=lambda launch: _WORST_FIRST.index(launch.verdict))
        yield from (_container(launch, report) for launch in worst_first[:ROWS])
        yield from _rest(len(report.launches))
    if report.findings:
        yield from ("", "### Findings", "", "| | Rule | Place | What is wrong |", "|---|---|---|---|")
        yield from (_finding(reported, report) for reported in report.findings[:ROWS])
        yield from _rest(len(report.findings))
    for message in report.errors:
        yield from ("", f"> **Internal error**: {prose(message)}")


def _summary(report: Report) -> str:
    parts = []
    for severity in Severity:
        count = sum(reported.severity is severity for reported in report.findings)
        if count:
            parts.append(f"{_SEVERITIES[severity]} {counted(count, severity.value)}")
    told = ", ".join([*(parts or ["No findings"]), *left_out(report)])
    unseen = f" {unseen_told(report.unseen)}" if report.unseen else ""
    return f"{told} in {counted(report.files, 'file')}.{unseen}"


def _container(launch: Launch, report: Report) -> str:
    name, place = prose(title(launch)), code(where(launch.origin.span, report.shown))
    return f"| {name} | {place} | {VERDICTS[launch.verdict]} {launch.verdict.value} | {prose(launch.why)} |"


def _finding(reported: Reported, report: Report) -> str:
    place = code(where(reported.finding.at, report.shown))
    rule = code(reported.rule)
    page = report.page(reported.rule)
    if page is not None:
        rule = f'<a href="{_SPECIAL.sub(_entity, page)}">{rule}</a>'.replace("&#58;", ":")
    severity = f"{_SEVERITIES[reported.severity]} {reported.severity.value}"
    return f"| {severity} | {rule} | {place} | {prose(reported.finding.message)} |"


def _rest(number: int) -> Iterator[str]:
    if number > ROWS:
        yield from ("", f"… and {number - ROWS} more.")


def prose(text: str) -> str:
    """A sentence in which what stands between backticks is code."""
    plain, *rest = visible(text).split("`")
    told = _SPECIAL.sub(_entity, plain)
    for index, part in enumerate(rest):
        is_code = index % 2 == 0 and index + 1 < len(rest)
        told += code(part) if is_code else _SPECIAL.sub(_entity, part)
    return told


def code(text: str) -> str:
    return f"<code>{_SPECIAL.sub(_entity, visible(text))}</code>"


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
