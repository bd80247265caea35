"""`--format sarif`: SARIF 2.1.0, as code scanning services take it (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from __future__ import annotations

import json
import os
from itertools import groupby
from urllib.parse import quote

from gracelint import __version__
from gracelint.finding import Severity
from gracelint.own import OWN
from gracelint.report.azure import pipeline
from gracelint.report.canvas import visible
from gracelint.report.fingerprint import fingerprints
from gracelint.report.launches import command, effect, label, title
from gracelint.report.places import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.engine.reported import Report, Reported, Silenced
    from gracelint.facts.launch import Launch
    from gracelint.finding import Fix
    from gracelint.source import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEMS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
_FLOWS = 10
"""Launches whose way is told with a finding; an image may run in a hundred places."""


def render(report: Report, *, with_silenced: bool = False) -> str:
    """The log. Services that know no suppressions show what is suppressed in it as new."""
    silenced = report.silenced if with_silenced else ()
    reported = (*report.findings, *(item.reported for item in silenced))
    names = sorted({*report.rules, *(each.rule for each in reported)})
    results = [_result(report, reported, mark, names) for reported, mark in fingerprints(report)]
    results += [_silenced(report, item, names) for item in silenced]
    run = {
        "tool": {
            "driver": {
                "name": "gracelint",
                "fullName": f"gracelint {__version__}",
                "version": __version__,
                "semanticVersion": __version__,
                **_information(report),
                "rules": [_rule(report, name) for name in names],
            }
        },
        "automationDetails": pipeline(os.environ) or {"id": _automation(report)},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
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


def _information(report: Report) -> dict[str, str]:
    """The folder that the rules' pages lie in, where the settings say one."""
    folder = (report.documentation or "").partition("{rule}")[0].rpartition("/")[0]
    return {"informationUri": f"{folder}/"} if "://" in folder else {}


def _automation(report: Report) -> str:
    """Runs of one commit in different folders are different analyses; those in the same folder are the same."""
    below = os.path.relpath(report.working_dir, report.root).replace(os.sep, "/")
    return "gracelint/" if below == "." else f"gracelint/{quote(below, errors='surrogateescape')}/"


def _rule(report: Report, name: str) -> dict[str, Any]:
    rule = report.rules[name].load() if name in report.rules else OWN.get(name)
    if rule is None:
        return {"id": name}
    title = rule.doc.strip().splitlines()[0] if rule.doc.strip() else name
    page = report.page(name)
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": rule.doc, "markdown": rule.doc},
        **({"helpUri": page} if page is not None else {}),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["graceful-shutdown", "reliability"],
            "precision": "medium" if rule.strict else "high",
            "problem.severity": _PROBLEMS[rule.severity],
        },
    }


def _result(report: Report, reported: Reported, fingerprint: str | None, names: list[str]) -> dict[str, Any]:
    finding = reported.finding
    result: dict[str, Any] = {
        "ruleId": reported.rule,
        "ruleIndex": names.index(reported.rule),
        "level": _LEVELS[reported.severity],
        "message": {"text": printable(finding.message)},
        "locations": [{"physicalLocation": _location(finding.at)}],
    }
    if fingerprint is not None:
        result["partialFingerprints"] = {"gracelint/v1": fingerprint}
    if finding.notes:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _location(note.span), "message": {"text": printable(note.text)}}
            for number, note in enumerate(finding.notes, 1)
        ]
    if finding.fix is not None and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix)]
    flows = [flow for launch in reported.launches[:_FLOWS] for flow in _flow(launch)]
    if flows:
        result["codeFlows"] = flows
    return result


def _silenced(report: Report, item: Silenced, names: list[str]) -> dict[str, Any]:
    reasons = [suppression.reason for suppression in item.by if suppression.reason]
    suppression: dict[str, Any] = {"kind": "inSource"}
    if reasons:
        suppression["justification"] = printable("; ".join(dict.fromkeys(reasons)))
    return {**_result(report, item.reported, None, names), "suppressions": [suppression]}


def _flow(launch: Launch) -> Iterator[dict[str, Any]]:
    """The way of the stop signal from PID 1 on."""
    steps = []
    for number, hop in enumerate(launch.hops):
        span = hop.span or launch.command_span
        told = f"{label(launch, number)} {command(hop)}: {effect(hop)}" + (f": {hop.why}" if hop.why else "")
        steps.append(
            {"location": {"physicalLocation": _location(span.place), "message": {"text": printable(visible(told))}}}
        )
    if steps:
        told = f"{title(launch)} is told to stop: {launch.verdict.value}"
        yield {"message": {"text": printable(told)}, "threadFlows": [{"locations": steps}]}


def _location(span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(span), "region": _region(span)}


def _artifact(span: Span) -> dict[str, str]:
    return {"uri": quote(span.source.path, errors="surrogateescape"), "uriBaseId": "SRCROOT"}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = sorted(fix.edits, key=lambda edit: (edit.span.source.path, edit.span.start))
    changes = []
    for _, group in groupby(edits, key=lambda edit: edit.span.source.path):
        same_file = list(group)
        changes.append(
            {
                "artifactLocation": _artifact(same_file[0].span),
                "replacements": [
                    {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in same_file
                ],
            }
        )
    return {"description": {"text": f"{fix.title} ({fix.applicability.value})"}, "artifactChanges": changes}
