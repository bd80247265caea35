"""`--format gitlab`: a Code Quality report (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format)."""

from __future__ import annotations

import json

from gracelint.finding import Severity
from gracelint.report.fingerprint import fingerprints
from gracelint.report.places import place_from_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.engine.reported import Report

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(report: Report) -> str:
    issues = []
    for reported, fingerprint in fingerprints(report):
        at = place_from_root(reported.finding.at)
        issues.append(
            {
                "description": reported.finding.message,
                "check_name": reported.rule,
                "fingerprint": fingerprint,
                "severity": _SEVERITIES[reported.severity],
                "location": {"path": at["path"], "lines": {"begin": at["line"], "end": at["end_line"]}},
            }
        )
    return json.dumps(issues, indent=2, ensure_ascii=False)
