"""`--format checkstyle`: the XML of Checkstyle, which most services for code quality read."""

from __future__ import annotations

from itertools import groupby

from gracelint.report.canvas import visible
from gracelint.report.places import place_from_root
from gracelint.report.xml import attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.engine.reported import Report, Reported

VERSION = "8.0"
"""Of the Checkstyle whose reports look like this."""


def render(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<checkstyle version="{VERSION}">'
    for path, group in groupby(report.findings, key=lambda reported: reported.path):
        yield f"  <file name={attribute(path)}>"
        yield from map(_error, group)
        yield "  </file>"
    yield "</checkstyle>"


def _error(reported: Reported) -> str:
    at = place_from_root(reported.finding.at)
    where = f'line="{at["line"]}" column="{at["column"]}" severity="{reported.severity.value}"'
    message = attribute(visible(reported.finding.message))
    return f"    <error {where} message={message} source={attribute(f'gracelint.{reported.rule}')}/>"
