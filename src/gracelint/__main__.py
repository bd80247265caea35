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


if __name__ == "__main__":
    raise SystemExit(main())
