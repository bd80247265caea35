"""What a run is asked to do: the request, and the settings as the command line overrules them."""

from __future__ import annotations

import os
import sys

from gracelint.base.record import replace
from gracelint.cli.streams import progress_bar
from gracelint.config import ConfigError, Configuration, Settings, locate, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from gracelint.project import Request
    from gracelint.selection import Selection


def request_of(options: Namespace) -> tuple[Request, Selection]:
    from gracelint.project import STDIN, Request, place_of
    from gracelint.selection import select

    working_dir = os.getcwd()
    paths = [os.path.abspath(path) for path in options.paths if path != STDIN]
    fed = os.path.abspath(options.stdin_filename or STDIN)
    place = place_of([*paths, fed] if STDIN in options.paths else paths, working_dir)
    overlay = {}
    if STDIN in options.paths:
        name = os.path.relpath(fed, place.root) if options.stdin_filename else STDIN
        overlay[name] = sys.stdin.buffer.read().decode(errors="replace")
        paths.append(os.path.join(place.root, name))
    configuration = configuration_of(options, place.root)
    request = Request(
        root=place.root,
        working_dir=working_dir,
        paths=tuple(paths),
        configuration=configuration,
        around=0 if options.isolated else place.around,
        isolated=options.isolated,
        jobs=options.jobs,
        overlay=overlay,
        cache=not getattr(options, "no_cache", False) and configuration.inside("").cache,
        progress=progress_bar() if sys.stderr.isatty() and not options.quiet else None,
    )
    return request, select(configuration)


def configuration_of(options: Namespace, root: str) -> Configuration:
    """What the configuration says, overruled by the command line."""

    def adjust(settings: Settings) -> Settings:
        return replace(
            settings,
            select=tuple(getattr(options, "select", None) or settings.select),
            ignore=(*settings.ignore, *(getattr(options, "ignore", None) or ())),
            strict=settings.strict or getattr(options, "strict", False),
            require_reason=settings.require_reason or getattr(options, "require_reason", False),
            plugins=() if options.no_plugins else settings.plugins,
            without_plugins=options.no_plugins,
        )

    if options.config is not None:
        if not os.path.isfile(options.config):
            raise ConfigError(f"--config: {options.config}: no such file")
        return Configuration(root, adjust=adjust, fixed=read_settings(os.path.abspath(options.config)))
    fixed = Settings() if getattr(options, "isolated", False) else None
    return Configuration(root, adjust=adjust, fixed=fixed)


def settings_here(options: Namespace) -> Settings:
    """The settings that hold in the working folder."""
    here = os.getcwd()
    place = locate(here)
    root = place.root if place is not None else here
    return configuration_of(options, root).inside("" if root == here else os.path.relpath(here, root))
