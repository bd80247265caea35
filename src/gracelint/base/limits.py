"""How much of a file is followed. What goes beyond is told as unknown: "too large to be followed".

Text can make a reader do far more work than it is long: values that double, calls that fan out, walks that never
arrive. Each reader therefore counts what it does, and copying a value is work like any other.
"""

from __future__ import annotations

STEPS = 40_000
"""Statements and expressions that one run of a program evaluates."""
DEPTH = 40
"""Calls within calls."""
ELEMENTS_A_STEP = 4
"""Elements of a list, or of another collection, that are copied at the price of one step."""
EXPANDED = 4_096
"""Characters of a text that others were put into; one that is written down may be longer."""
WORDS = 1_000
"""Words of a command line beyond those that are written down: `set -- "$@" "$@"` doubles them."""
PROCESSES = 3_000
"""Processes that one launch starts, or may start, one after the other or side by side."""
EXACT = 2**53
"""Beyond it an integer is told from its neighbours by nobody who counts seconds, ports or signals."""
FIELDS = 50_000_000
"""Code points that Python reads for the fields of all f-strings of one file."""
TOKENS = 300_000
"""Words and signs of one file in Python, whose syntax tree takes 300 bytes for each."""
