"""`gracelint explain`."""

from __future__ import annotations

import os
from argparse import Namespace

from gracelint.base.numbers import is_digits
from gracelint.cli.exits import CLEAN
from gracelint.cli.request import request_of, settings_here
from gracelint.cli.streams import wants_color
from gracelint.config import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.engine.reported import Report, Reported


def run(options: Namespace) -> int:
    from gracelint.report.rules import explain
    from gracelint.selection import every_rule

    rules = every_rule(settings_here(options))
    color = wants_color(options)
    pages = []
    for asked in options.rule:
        path, _, line = asked.rpartition(":")
        if path and is_digits(line):
            pages += _explained(path, int(line), options)
        elif os.path.isfile(asked):
            raise ConfigError(f"{asked}: say the line too, such as {asked}:1")
        else:
            pages.append(explain(rules, asked, color=color))
    print("\n\n".join(pages))
    return CLEAN


def _explained(path: str, line: int, options: Namespace) -> list[str]:
    """What is found at a line, each finding with its rule's page."""
    from gracelint.base.record import replace
    from gracelint.engine import lint
    from gracelint.reading import read_project
    from gracelint.report import text
    from gracelint.report.rules import explain
    from gracelint.selection import every_rule

    if not os.path.isfile(path):
        raise ConfigError(f"{path}: no such file")
    asked = {"paths": [path], "isolated": False, "jobs": 1, "stdin_filename": None}
    request, selection = request_of(Namespace(**{**vars(options), **asked}))
    report = lint(read_project(request), selection)
    found = [reported for reported in report.findings if any(line in lines for lines in _at(reported, report, path))]
    if not found:
        others = sorted({lines.start for reported in report.findings for lines in _at(reported, report, path)})
        told = (
            f" In this file something is said of {', '.join(f'{path}:{other}' for other in others)}." if others else ""
        )
        return [f"Nothing is found at {path}:{line}.{told}"]
    color = wants_color(options)
    told = text.render(replace(report, findings=tuple(found)), color=color, summary=False)
    rules = every_rule(settings_here(options))
    return [told, *(explain(rules, name, color=color) for name in dict.fromkeys(one.rule for one in found))]


def _at(reported: Reported, report: Report, path: str) -> Iterator[range]:
    """The lines of a file that a finding, or one of its notes, is about."""
    for span in (reported.finding.at, *(note.span for note in reported.finding.notes)):
        if os.path.normpath(report.shown(span.source.path)) == os.path.normpath(os.path.relpath(path)):
            yield range(span.line, span.end_line + 1)
