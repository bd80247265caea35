"""`python -m gracelint`, and the command itself."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def main() -> int:
    try:
        with suppress(FileNotFoundError):
            # `-m` puts the working folder first, so that a linted project could stand in for modules.
            sys.path[:] = [folder for folder in sys.path if folder not in ("", os.getcwd())]
        from gracelint import cli

        return cli.main()
    except KeyboardInterrupt:
        return 130


def command() -> None:
    """Runs as a process of its own, and ends it at once: taking down what a run has built takes as long as a run."""
    code = main()
    watched = sys.gettrace() or sys.getprofile() or "coverage" in sys.modules
    if watched:
        raise SystemExit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    command()
