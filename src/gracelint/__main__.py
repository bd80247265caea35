"""`python -m gracelint`."""

from __future__ import annotations

from gracelint.cli import main

raise SystemExit(main())
