"""`--format sarif`: SARIF 2.1.0, as code scanning services take it (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from __future__ import annotations

import json
from itertools import groupby
from urllib.parse import quote

from gracelint import __version__
from gracelint.finding import Severity
from gracelint.report.fingerprint import fingerprints
from gracelint.report.places import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.engine import Report, Reported
    from gracelint.finding import Fix
    from gracelint.source import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report) -> str:
    names = sorted({*report.rules, *(reported.rule for reported in report.findings)})
    results = [_result(report, reported, mark, names) for reported, mark in fingerprints(report)]
    run = {
        "tool": {
            "driver": {
                "name": "gracelint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(report, name) for name in names],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder gracelint was started in."}}},
        "invocations": [
            {
                "executionSuccessful": not report.errors,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": printable(error)}} for error in report.errors
                ],
            }
        ],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(report: Report, name: str) -> dict[str, Any]:
    rule = report.rules.get(name)
    if rule is None:
        return {"id": name}
    title = rule.doc.strip().splitlines()[0] if rule.doc.strip() else name
    return {
        "id": name,
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": rule.doc, "markdown": rule.doc},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(report: Report, reported: Reported, fingerprint: str, names: list[str]) -> dict[str, Any]:
    finding = reported.finding
    result: dict[str, Any] = {
        "ruleId": reported.rule,
        "ruleIndex": names.index(reported.rule),
        "level": _LEVELS[reported.severity],
        "message": {"text": printable(finding.message)},
        "locations": [{"physicalLocation": _location(report, finding.at)}],
        "partialFingerprints": {"gracelint/v1": fingerprint},
    }
    if finding.notes:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _location(report, note.span), "message": {"text": printable(note.text)}}
            for number, note in enumerate(finding.notes, 1)
        ]
    if finding.fix is not None and finding.fix.edits:
        result["fixes"] = [_fix(report, finding.fix)]
    return result


def _location(report: Report, span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(report, span), "region": _region(span)}


def _artifact(report: Report, span: Span) -> dict[str, str]:
    path = report.shown(span.source.path)
    return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": "SRCROOT"}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(report: Report, fix: Fix) -> dict[str, Any]:
    edits = sorted(fix.edits, key=lambda edit: (edit.span.source.path, edit.span.start))
    changes = []
    for _, group in groupby(edits, key=lambda edit: edit.span.source.path):
        same_file = list(group)
        changes.append(
            {
                "artifactLocation": _artifact(report, same_file[0].span),
                "replacements": [
                    {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in same_file
                ],
            }
        )
    return {"description": {"text": f"{fix.title} ({fix.applicability.value})"}, "artifactChanges": changes}
