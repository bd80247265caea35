"""`python -m gracelint`, and the command itself."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    # All that is read stays until the end: looking for garbage would take a quarter of a long run.
    gc.disable()
    try:
        # `-m` puts the working folder first, so that a linted project could stand in for modules.
        sys.path[:] = [folder for folder in sys.path if folder not in ("", _working_dir())]
        from gracelint import cli

        return cli.main()
    except KeyboardInterrupt:
        return 130


def _working_dir() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def command() -> None:
    """Runs as a process of its own, and ends it at once: taking down what a run has built takes as long as a run."""
    code = main()
    watched = sys.gettrace() or sys.getprofile() or "coverage" in sys.modules
    if watched:
        raise SystemExit(code)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    os._exit(code)


if __name__ == "__main__":
    command()
