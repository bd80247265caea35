"""`--format jsonl`: a line of JSON for each finding, as it stands in the `findings` of `--format json`."""

from __future__ import annotations

import json

from gracelint.report.json import finding_as_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.engine.reported import Report


def render(report: Report) -> str:
    # Some readers take U+2028 for the end of a line, so nothing but ASCII is written.
    return "\n".join(json.dumps(finding_as_json(report, reported)) for reported in report.findings)
