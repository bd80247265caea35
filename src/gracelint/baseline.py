"""Findings a team has decided to live with for now: a list in a file, made by `--write-baseline`.

An entry is a rule, a path and the text of the line, so it outlives lines coming and going above it. Where a finding
occurs more often than the baseline has it, the later ones are reported.
"""

from __future__ import annotations

import json
import os
from collections import Counter

from gracelint.base.record import replace
from gracelint.config import ConfigError
from gracelint.engine.reported import Report, Reported
from gracelint.report.fingerprint import identity
from gracelint.report.places import printable

VERSION = 1
Known = tuple[str, str, str]
"""Rule, path and the text of the line."""


def write(path: str, report: Report) -> None:
    """Lists a report's findings in a file."""
    counts = known_in(report)
    entries = [
        {"rule": rule, "path": file, "line": line, "count": count}
        for (rule, file, line), count in sorted(counts.items())
    ]
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as stream:
            json.dump({"version": VERSION, "findings": entries}, stream, indent=2, ensure_ascii=False)
            stream.write("\n")
    except OSError as error:
        raise ConfigError(f"--write-baseline: {path}: cannot be written: {error.strerror}") from error


def without_known(path: str, report: Report) -> Report:
    """The report without the findings listed in a file, with the entries that nothing is found for any more."""
    left = read(path)
    fresh = without(left, report)
    fresh = replace(fresh, baselined=len(report.findings) - len(fresh.findings))
    judged = {printable(file) for file in report.judged}
    stale = [
        (rule, file, line)
        for (rule, file, line), count in left.items()
        if count > 0 and (file in judged or not os.path.lexists(os.path.join(report.root, file)))
    ]
    return replace(fresh, stale=tuple(sorted(stale)))


def without(left: Counter[Known], report: Report) -> Report:
    """The report without findings that are known; what is left of them is what was not found."""
    fresh = []
    for reported in report.findings:
        known = _known(reported)
        if left[known] > 0:
            left[known] -= 1
        else:
            fresh.append(reported)
    return replace(report, findings=tuple(fresh))


def known_in(report: Report) -> Counter[Known]:
    """What a report has found, as a baseline knows it."""
    return Counter(map(_known, report.findings))


def _known(reported: Reported) -> Known:
    """A finding's identity as it can be written: a path may hold bytes that are no characters."""
    rule, path, line = identity(reported)
    return rule, printable(path), printable(line)


def read(path: str) -> Counter[Known]:
    """The findings that a file lists."""
    try:
        with open(path, encoding="utf-8") as stream:
            table = json.load(stream)
        if table["version"] != VERSION:
            raise ConfigError(f"baseline {path}: made by another version: write it anew")
        entries = table["findings"]
        return Counter({(item["rule"], item["path"], item["line"]): int(item["count"]) for item in entries})
    except OSError as error:
        raise ConfigError(f"baseline {path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"baseline {path}: not a baseline that gracelint wrote") from error
