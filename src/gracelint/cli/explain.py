"""`gracelint explain`."""

from __future__ import annotations

from gracelint.cli.exits import CLEAN
from gracelint.cli.request import settings_here
from gracelint.cli.streams import wants_color

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    from gracelint.report.rules import explain
    from gracelint.selection import every_rule

    rules = every_rule(settings_here(options))
    color = wants_color(options)
    print("\n\n".join(explain(rules, name, color=color) for name in options.rule))
    return CLEAN
