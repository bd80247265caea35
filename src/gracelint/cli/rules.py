"""`gracelint rules`."""

from __future__ import annotations

import sys

from gracelint.cli.exits import CLEAN
from gracelint.cli.request import settings_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def run(options: Namespace) -> int:
    from gracelint.report.rules import table
    from gracelint.selection import every_rule

    columns = None
    if sys.stdout.isatty():
        from shutil import get_terminal_size

        columns = get_terminal_size().columns
    print(table(every_rule(settings_here(options)), options.format, columns))
    return CLEAN
