"""`--format concise`: a line for each finding, which editors and terminals make links of."""

from __future__ import annotations

from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.engine.reported import Report, Reported


def render(report: Report) -> str:
    return "\n".join(_line(report, reported) for reported in report.findings)


def _line(report: Report, reported: Reported) -> str:
    at = reported.finding.at
    where = f"{report.shown(at.source.path)}:{at.line}:{at.column}"
    return visible(f"{where}: {reported.severity.value}[{reported.rule}] {reported.finding.message}")
