"""`--format rdjson`: the diagnostics of reviewdog (https://github.com/reviewdog/reviewdog/tree/master/proto/rdf).

Its columns count bytes of UTF-8.
"""

from __future__ import annotations

import json

from gracelint.finding import Applicability
from gracelint.report.places import place_from_root, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.engine.reported import Report, Reported
    from gracelint.source import Source, Span


def render(report: Report) -> str:
    diagnostics = [_diagnostic(report, reported) for reported in report.findings]
    return json.dumps({"source": {"name": "gracelint"}, "diagnostics": diagnostics}, indent=2, ensure_ascii=False)


def _diagnostic(report: Report, reported: Reported) -> dict[str, Any]:
    finding = reported.finding
    notes = [
        f"{(spot := place_from_root(note.span))['path']}:{spot['line']}: {printable(note.text)}"
        for note in finding.notes
    ]
    code = {"value": reported.rule}
    if page := report.page(reported.rule):
        code["url"] = page
    found: dict[str, Any] = {
        "message": "\n".join([printable(finding.message), *notes]),
        "location": {"path": printable(reported.path), "range": _range(finding.at)},
        "severity": reported.severity.name,
        "code": code,
    }
    fix = finding.fix
    # Each suggestion is a fix of its own there, so one of several edits cannot be suggested.
    if fix is not None and fix.applicability is not Applicability.MANUAL and len(fix.edits) == 1:
        edit = fix.edits[0]
        if edit.span.source is finding.at.source:
            found["suggestions"] = [{"range": _range(edit.span), "text": edit.text}]
    return found


def _range(span: Span) -> dict[str, Any]:
    return {"start": _position(span.source, span.start), "end": _position(span.source, span.end)}


def _position(source: Source, offset: int) -> dict[str, int]:
    line, _ = source.position(offset)
    before = source.text[source.line_starts[line - 1] : offset]
    return {"line": line, "column": len(before.encode("utf-8", "replace")) + 1}
