"""`--format github`: workflow commands, which GitHub Actions shows at the lines of a pull request."""

from __future__ import annotations

from gracelint.finding import Severity
from gracelint.report.canvas import visible
from gracelint.report.places import place_from_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.engine.reported import Report, Reported

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report) -> str:
    return "\n".join(_command(reported) for reported in report.findings)


def _command(reported: Reported) -> str:
    at = place_from_root(reported.finding.at)
    properties = {"file": at["path"], "line": at["line"], "endLine": at["end_line"]}
    if at["line"] == at["end_line"]:
        properties |= {"col": at["column"], "endColumn": at["end_column"]}
    properties["title"] = f"gracelint {reported.rule}"
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    notes = [
        f"{(spot := place_from_root(note.span))['path']}:{spot['line']}: {note.text}" for note in reported.finding.notes
    ]
    return f"::{_COMMANDS[reported.severity]} {listed}::{_data(chr(10).join([reported.finding.message, *notes]))}"


def _data(text: str) -> str:
    shown = "".join(char if char in "\r\n" else visible(char) for char in text)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
