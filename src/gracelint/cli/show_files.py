"""`gracelint show-files`."""

from __future__ import annotations

from gracelint.cli.exits import CLEAN
from gracelint.cli.request import request_of
from gracelint.cli.streams import say
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    from gracelint.engine import lint
    from gracelint.reading import read_project

    request, selection = request_of(options)
    report = lint(read_project(request), selection)
    for path in sorted(report.judged):
        print(visible(report.shown(path)))
    if options.verbose:
        for skip in report.skipped:
            say(options, f"skipped {visible(report.shown(skip.path))}: {skip.reason}")
    return CLEAN
