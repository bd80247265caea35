"""`gracelint render`."""

from __future__ import annotations

import sys

from gracelint.cli.exits import CLEAN, FAILED
from gracelint.cli.request import request_of
from gracelint.cli.streams import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    from functools import partial

    from gracelint.engine.reported import shown_path
    from gracelint.reading import read_project
    from gracelint.report.render import render

    request, _ = request_of(options)
    project = read_project(request)
    told = [source for source in project.rendered if source.unit is not None and project.renders(source)]
    if options.verify:
        from gracelint.render.helm.release import NEWEST
        from gracelint.render.verify import compare

        version = request.configuration.of("").assume.kubernetes_version or NEWEST
        for line in compare(request.root, told, version):
            print(line)
    elif not told:
        say(options, "Nothing to render: no chart and no overlay here.")
    else:
        print(render(told, partial(shown_path, request.root, request.working_dir)))
    for error in project.errors:
        print(f"gracelint: {error}", file=sys.stderr)
    return FAILED if project.errors else CLEAN
