"""`gracelint trace`."""

from __future__ import annotations

import sys

from gracelint.base.record import replace
from gracelint.cli.exits import CLEAN, FAILED
from gracelint.cli.request import request_of
from gracelint.cli.streams import say, wants_color, write
from gracelint.config import ConfigError
from gracelint.report import counted
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from gracelint.facts.launch import Launch
    from gracelint.project import Project
    from gracelint.selection import Selection


def run(options: Namespace) -> int:
    from gracelint.reading import read_project
    from gracelint.report.launches import title

    request, selection = request_of(options)
    project = read_project(replace(request, narrow=True, only_judged=True))
    told = [launch for launch in project.launches if project.concerns(launch)]
    if options.only:
        named = [launch for launch in told if options.only.lower() in title(launch).lower()]
        if told and not named:
            raise ConfigError(f"--only: no container is called like {options.only!r}: {_names(told)}")
        told = named
    path = options.format[1]
    write(path, _rendered(told, project, selection, options))
    if path is not None:
        say(options, f"Wrote {counted(len(told), 'container')} to {path}.")
    for error in project.errors:
        print(f"gracelint: {visible(error)}", file=sys.stderr)
    return FAILED if project.errors else CLEAN


def _names(launches: Sequence[Launch]) -> str:
    """What the first of them are called."""
    from gracelint.report.launches import title

    return ", ".join(map(title, launches[:5])) + (", …" if len(launches) > 5 else "")


def _rendered(launches: Sequence[Launch], project: Project, selection: Selection, options: Namespace) -> str:
    from functools import partial

    from gracelint.engine import lint
    from gracelint.engine.reported import shown_path

    name, path = options.format
    request = project.request
    shown = partial(shown_path, request.root, request.working_dir)
    if name == "html":
        from gracelint.report import html

        return html.render(launches, lint(project, selection))
    if name == "mermaid":
        from gracelint.report import mermaid

        return mermaid.render(launches)
    if name == "svg":
        from gracelint.report import svg

        if len(launches) != 1:
            listed = f": choose one with --only: {_names(launches)}" if launches else ""
            raise ConfigError(f"svg draws one container, and these files start {len(launches)}{listed}")
        return svg.render(launches[0], shown)
    from gracelint.report import trace

    return trace.render(launches, name, shown=shown, color=name == "text" and path is None and wants_color(options))
