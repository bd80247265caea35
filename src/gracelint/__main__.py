"""`python -m gracelint`."""

from __future__ import annotations

import os
import sys

# `-m` puts the working folder first, so that a linted project could stand in for modules.
sys.path[:] = [folder for folder in sys.path if folder not in ("", os.getcwd())]

from gracelint.cli import main  # noqa: E402

raise SystemExit(main())
