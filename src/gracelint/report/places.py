"""What all machine formats say of a place: paths relative to the working folder, 1-based lines and columns."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.engine import Report
    from gracelint.source import Span


def place(report: Report, span: Span) -> dict[str, Any]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    path = printable(report.shown(span.source.path))
    return {"path": path, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def printable(text: str) -> str:
    """Text that every encoder takes: file names may hold bytes that are no characters."""
    return text.encode("utf-8", "replace").decode()
