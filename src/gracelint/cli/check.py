"""`gracelint check`."""

from __future__ import annotations

import sys

from gracelint.base.record import replace
from gracelint.cli.exits import CLEAN, FAILED, FINDINGS
from gracelint.cli.request import request_of
from gracelint.cli.streams import say, wants_color, write
from gracelint.config import ConfigError
from gracelint.finding import Severity
from gracelint.report import counted
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from gracelint.engine.reported import Report
    from gracelint.project import Request


def run(options: Namespace) -> int:
    from gracelint.engine import lint
    from gracelint.reading import read_project

    request, selection = request_of(options)
    if (options.unsafe_fixes or options.show_fixes) and not (options.fix or options.diff):
        say(options, f"--{'unsafe' if options.unsafe_fixes else 'show'}-fixes does nothing without --fix or --diff.")
    request = replace(request, narrow=True, only_judged=not (options.fix or options.diff))
    fixed, fresh = None, _fresh(options, request)
    if options.fix or options.diff:
        from gracelint.fixing.fixer import fix
        from gracelint.tree.warm import Warm

        request = replace(request, warm=Warm())
        if request.overlay:
            raise ConfigError("standard input cannot be fixed: give the file's path")
        fixed = fix(request, selection, unsafe=options.unsafe_fixes, fresh=fresh)
        report = fixed.before if options.diff else fixed.after
    else:
        report = fresh(lint(read_project(request), selection))
    if options.write_baseline:
        from gracelint.baseline import write as write_baseline

        write_baseline(options.write_baseline, report)
        say(options, f"Wrote {counted(len(report.findings), 'finding')} to {options.write_baseline}.")
        return FAILED if report.errors else CLEAN
    if fixed is not None:
        from gracelint.fixing.fixer import unified_diff
        from gracelint.fixing.writing import write_files

        if options.diff:
            changes = unified_diff(fixed, report.shown)
            print(_tinted(changes) if wants_color(options) else changes, end="")
        else:
            write_files(fixed)
        say(options, *fixed.story(options.diff, options.show_fixes))
    if not options.diff:
        _output(report, options)
    if any(_is_empty(name, report) for name in request.overlay):
        raise ConfigError("standard input holds nothing to check: no manifest, Compose file or Dockerfile")
    return _verdict(report, options)


def _tinted(diff: str) -> str:
    """A diff as terminals show it elsewhere: what goes in red, what comes in green."""
    tints = {"---": "1", "+++": "1", "@": "36", "-": "31", "+": "32"}
    lines = []
    for line in diff.split("\n"):
        tint = next((tint for start, tint in tints.items() if line.startswith(start)), None)
        lines.append(f"\x1b[{tint}m{line}\x1b[0m" if tint else line)
    return "\n".join(lines)


def _is_empty(name: str, report: Report) -> bool:
    """Whether nothing of what came from standard input was judged: the command before the pipe has failed."""
    return name not in report.judged and not any(reported.path == name for reported in report.findings)


def _fresh(options: Namespace, request: Request) -> Callable[[Report], Report]:
    """Leaves out of a report what the baseline lists, and what an older revision has, unless all is to be listed."""
    steps: list[Callable[[Report], Report]] = []
    baseline = options.baseline or request.configuration.baseline
    if baseline and not options.write_baseline:
        from gracelint.baseline import without_known

        steps.append(lambda report: without_known(baseline, report))
    if options.diff_base:
        from gracelint.since import without_older

        steps.append(without_older(options.diff_base, request))

    def fresh(report: Report) -> Report:
        for step in steps:
            report = step(report)
        return report

    return fresh


def _output(report: Report, options: Namespace) -> None:
    formats = options.format or [("text", None)]
    for name, path in formats:
        write(path, _rendered(report, name, options, to_file=path is not None))
    if all(path is not None for _, path in formats):
        from gracelint.report.text import summary

        say(options, *summary(report).split("\n"))
    if report.stale:
        found = "1 entry" if len(report.stale) == 1 else f"{len(report.stale)} entries"
        say(options, f"{found} of the baseline can go, as nothing is found there any more:")
        for rule, path, line in report.stale:
            say(options, f"  {visible(report.shown(path))}: {rule}: {visible(line)}")
    if options.verbose:
        for skip in report.skipped:
            say(options, f"skipped {visible(report.shown(skip.path))}: {skip.reason}")
    for message in report.errors:
        print(f"gracelint: {visible(message)}", file=sys.stderr)


def _rendered(report: Report, name: str, options: Namespace, *, to_file: bool) -> str:
    if name == "text":
        from gracelint.report import text

        color = not to_file and wants_color(options)
        if options.statistics:
            return text.statistics(report, color=color)
        return text.render(report, color=color, summary=not options.quiet)
    if name == "sarif":
        from gracelint.report.sarif import render

        return render(report, with_silenced=options.show_suppressed)
    from importlib import import_module

    told: str = import_module(f"gracelint.report.{name}").render(report)
    return told


def _verdict(report: Report, options: Namespace) -> int:
    if report.errors:
        return FAILED
    if options.fail_on == "never":
        return CLEAN
    worst = min((reported.severity.rank for reported in report.findings), default=len(Severity))
    return FINDINGS if worst <= Severity(options.fail_on).rank else CLEAN
