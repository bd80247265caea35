"""`gracelint show-links`."""

from __future__ import annotations

from gracelint.cli.exits import CLEAN
from gracelint.cli.request import request_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    from functools import partial

    from gracelint.engine.reported import shown_path
    from gracelint.reading import read_project
    from gracelint.report.links import render

    request, _ = request_of(options)
    project = read_project(request)
    told = [launch for launch in project.launches if project.concerns(launch)]
    print(render(told, project, partial(shown_path, request.root, request.working_dir)))
    return CLEAN
