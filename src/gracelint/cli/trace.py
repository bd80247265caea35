"""`gracelint trace`."""

from __future__ import annotations

import sys

from gracelint.cli.exits import CLEAN, FAILED
from gracelint.cli.request import request_of
from gracelint.cli.streams import wants_color, write
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    from functools import partial

    from gracelint.engine import shown_path
    from gracelint.project import read_project
    from gracelint.report.trace import render

    request, _ = request_of(options)
    project = read_project(request)
    name, path = options.format
    color = name == "text" and path is None and wants_color(options)
    told = [launch for launch in project.launches if project.concerns(launch)]
    write(path, render(told, name, shown=partial(shown_path, request.root, request.working_dir), color=color))
    for error in project.errors:
        print(f"gracelint: {visible(error)}", file=sys.stderr)
    return FAILED if project.errors else CLEAN
