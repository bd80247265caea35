"""What machine formats say of a place: 1-based lines and columns, the columns in code points.

What people read, JSON and its lines have paths relative to the working folder. Formats of services that show findings
beside the files of a repository have paths relative to its root, wherever gracelint was started.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.engine.reported import Report
    from gracelint.source import Span


def place(report: Report, span: Span) -> dict[str, Any]:
    """A place with its path as seen from the working folder."""
    return {"path": printable(report.shown(span.source.path)), **_lines(span)}


def place_from_root(span: Span) -> dict[str, Any]:
    """A place with its path as seen from the root of the repository."""
    return {"path": printable(span.source.path), **_lines(span)}


def _lines(span: Span) -> dict[str, int]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def printable(text: str) -> str:
    """Text that every encoder takes: file names may hold bytes that are no characters."""
    return text.encode("utf-8", "replace").decode()
