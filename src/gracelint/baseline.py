"""Findings a team has decided to live with for now: a list in a file, made by `--write-baseline`.

An entry is a rule, a path and the text of the line, so it outlives lines coming and going above it. Where a finding
occurs more often than the baseline has it, the later ones are reported.
"""

from __future__ import annotations

import json
from collections import Counter

from gracelint.config import ConfigError
from gracelint.engine import Report, Reported
from gracelint.record import replace
from gracelint.report.fingerprint import identity
from gracelint.report.places import printable

VERSION = 1


def write(path: str, report: Report) -> None:
    """Lists a report's findings in a file."""
    counts = Counter(_known(reported) for reported in report.findings)
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
    """The report without the findings listed in a file."""
    left = _read(path)
    fresh = []
    for reported in report.findings:
        known = _known(reported)
        if left[known] > 0:
            left[known] -= 1
        else:
            fresh.append(reported)
    return replace(report, findings=tuple(fresh), baselined=len(report.findings) - len(fresh))


def _known(reported: Reported) -> tuple[str, str, str]:
    """A finding's identity as it can be written: a path may hold bytes that are no characters."""
    rule, path, line = identity(reported)
    return rule, printable(path), printable(line)


def _read(path: str) -> Counter[tuple[str, str, str]]:
    try:
        with open(path, encoding="utf-8") as stream:
            table = json.load(stream)
        if table["version"] != VERSION:
            raise ConfigError(f"--baseline: {path}: made by another version: write it anew")
        entries = table["findings"]
        return Counter({(item["rule"], item["path"], item["line"]): int(item["count"]) for item in entries})
    except OSError as error:
        raise ConfigError(f"--baseline: {path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"--baseline: {path}: not a baseline that gracelint wrote") from error
