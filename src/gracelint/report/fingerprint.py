"""What a finding is known by from one run to the next, when lines above it come and go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.engine.reported import Report, Reported


def identity(reported: Reported) -> tuple[str, str, str]:
    """Rule, path and the text of the line; equal findings on equal lines share it."""
    at = reported.home or reported.finding.at
    return reported.rule, at.source.path, at.source.line_span(at.line).text.strip()


def fingerprints(report: Report) -> Iterator[tuple[Reported, str]]:
    """Each finding with a hash of its identity, and of how many with the same identity come before it."""
    from hashlib import sha256

    seen: Counter[tuple[str, str, str]] = Counter()
    for reported in report.findings:
        known = identity(reported)
        text = "\0".join((*known, str(seen[known])))
        seen[known] += 1
        yield reported, sha256(text.encode("utf-8", "replace")).hexdigest()
