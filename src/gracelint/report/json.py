"""`--format json`: a contract, extended only by adding to it."""

from __future__ import annotations

import json
from collections import Counter

from gracelint.report.places import place, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.engine.reported import Report, Reported
    from gracelint.finding import Fix

VERSION = 1


def render(report: Report) -> str:
    return json.dumps(
        {
            "version": VERSION,
            "findings": [finding_as_json(report, reported) for reported in report.findings],
            "skipped": [{"path": printable(report.shown(skip.path)), "reason": skip.reason} for skip in report.skipped],
            "summary": _summary(report),
        },
        indent=2,
        ensure_ascii=False,
    )


def finding_as_json(report: Report, reported: Reported) -> dict[str, Any]:
    finding = reported.finding
    return {
        "rule": reported.rule,
        "severity": reported.severity.value,
        "message": finding.message,
        **place(report, finding.at),
        "notes": [{**place(report, note.span), "text": note.text} for note in finding.notes],
        "fix": finding.fix and _fix(report, finding.fix),
    }


def _fix(report: Report, fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "applicability": fix.applicability.value,
        "edits": [{**place(report, edit.span), "text": edit.text} for edit in fix.edits],
    }


def _summary(report: Report) -> dict[str, Any]:
    severities = Counter(reported.severity.value for reported in report.findings)
    return {
        "files": report.files,
        "not_read": report.not_read,
        "unseen": report.unseen,
        "containers": {verdict.value: count for verdict, count in report.containers.items()},
        "one_shots": report.one_shots,
        "errors": severities["error"],
        "warnings": severities["warning"],
        "infos": severities["info"],
        "suppressed": report.suppressed,
        "baselined": report.baselined,
        "older": report.older,
        "internal_errors": list(report.errors),
    }
