"""Reports as text. Each format is a module with `render(report) -> str`; nothing in here decides anything."""

from __future__ import annotations

from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.engine.reported import Report
    from gracelint.facts.launch import Launch

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


def containers_told(launches: Sequence[Launch]) -> str:
    """`43 containers: 3 handled, 13 ignored, 22 unknown, 5 end by themselves`.

    Of those that end by themselves nothing is said of their stop, unless it is handled.
    """
    ends = [one.verdict for one in launches if one.verdict is Verdict.HANDLED or not one.ends_by_itself]
    fates = [f"{count} {verdict.value}" for verdict in Verdict if (count := ends.count(verdict))]
    short = len(launches) - len(ends)
    fates += [f"{short} end{'s by itself' if short == 1 else ' by themselves'}"] if short else []
    return f"{counted(len(launches), 'container')}: {', '.join(fates)}"
