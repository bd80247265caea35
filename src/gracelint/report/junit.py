"""`--format junit`: a test suite for each file with findings, a failed test for each finding."""

from __future__ import annotations

from itertools import groupby

from gracelint.report.canvas import visible
from gracelint.report.places import place_from_root
from gracelint.report.xml import attribute, content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.engine.reported import Report, Reported


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
    for path, group in groupby(report.findings, key=lambda reported: reported.path):
        found = list(group)
        count = len(found)
        yield f'  <testsuite name={attribute(path)} tests="{count}" failures="{count}" errors="0">'
        for reported in found:
            yield from _case(reported, path)
        yield "  </testsuite>"
    yield "</testsuites>"


def _case(reported: Reported, path: str) -> Iterator[str]:
    finding = reported.finding
    at = place_from_root(finding.at)
    where = f"{path}:{at['line']}:{at['column']}"
    notes = [f"{(spot := place_from_root(note.span))['path']}:{spot['line']}: {note.text}" for note in finding.notes]
    name, file = attribute(f"{reported.rule} at {where}"), attribute(path)
    yield f'    <testcase name={name} classname={file} file={file} line="{at["line"]}">'
    yield f'      <failure type="{reported.severity.value}" message={attribute(visible(finding.message))}>'
    yield content("\n".join(map(visible, [f"{where}: {finding.message}", *notes])))
    yield "      </failure>"
    yield "    </testcase>"
