"""`--format junit`: a test suite for each file with findings, a failed test for each finding."""

from __future__ import annotations

import re
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from gracelint.report.places import place

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.engine import Report, Reported


def render(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    total = len(report.findings)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="gracelint" tests="{max(total, 1)}" failures="{total}" errors="0">'
    if not total:
        yield '  <testsuite name="gracelint" tests="1" failures="0" errors="0">'
        yield '    <testcase name="no findings" classname="gracelint"/>'
        yield "  </testsuite>"
    for path, group in groupby(report.findings, key=lambda reported: report.shown(reported.path)):
        found = list(group)
        count = len(found)
        yield f'  <testsuite name={_attribute(path)} tests="{count}" failures="{count}" errors="0">'
        for reported in found:
            yield from _case(report, reported, path)
        yield "  </testsuite>"
    yield "</testsuites>"


def _case(report: Report, reported: Reported, path: str) -> Iterator[str]:
    finding = reported.finding
    at = place(report, finding.at)
    where = f"{path}:{at['line']}:{at['column']}"
    notes = [f"{(spot := place(report, note.span))['path']}:{spot['line']}: {note.text}" for note in finding.notes]
    name, file = _attribute(f"{reported.rule} at {where}"), _attribute(path)
    yield f'    <testcase name={name} classname={file} file={file} line="{at["line"]}">'
    yield f'      <failure type="{reported.severity.value}" message={_attribute(finding.message)}>'
    yield escape(_legal("\n".join([f"{where}: {finding.message}", *notes])))
    yield "      </failure>"
    yield "    </testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def _legal(text: str) -> str:
    """XML 1.0 has no way to write most control characters, surrogates, U+FFFE and U+FFFF."""
    return _ILLEGAL.sub("\ufffd", text)
