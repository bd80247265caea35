"""A release that Mix or rebar3 has assembled: from its start script to the Erlang virtual machine."""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.base.posix import normal
from gracelint.knowledge import table
from gracelint.launch.images import layers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.launch.step import Context, Step
    from gracelint.source import Word

_SCRIPT = pattern(r"(?:.*/)?_build/[^/]+/rel/([^/]+)/bin/\1")
_STARTS = ("start", "foreground")
"""What makes the script exec the virtual machine, and stay with it."""


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """What `bin/shop start` does; None for what is no release's script."""
    stage = context.image.stage
    if stage is None or len(argv) < 2 or argv[1].value not in _STARTS:
        return None
    path = normal(posixpath.join("/", context.working_dir, argv[0].value))
    if not any(_SCRIPT.fullmatch(at) for _, at in layers.made_in(stage, path)):
        return None
    from gracelint.launch.servers.servers import named_step
    from gracelint.launch.servers.settings import read_settings

    row = table("servers")["beam"]
    return named_step(argv, "beam", row, read_settings(argv, context, row), context)
