"""Reports as text. Each format is a module with `render(report) -> str`; nothing in here decides anything."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.engine.reported import Report

FORMATS = (
    "text",
    "concise",
    "json",
    "jsonl",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "checkstyle",
    "rdjson",
    "markdown",
)


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def unseen_told(count: int) -> str:
    """What stands behind a number of containers that is not the whole truth."""
    return (
        f"{count} of the charts, releases, overlays and templates could not be read; what starts there is not counted."
    )


def left_out(report: Report) -> list[str]:
    """How many findings are not reported, and why."""
    told = (
        (report.suppressed, "suppressed"),
        (report.baselined, "in the baseline"),
        (report.older, "older than the change"),
    )
    return [f"{count} {why}" for count, why in told if count]
