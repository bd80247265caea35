"""`python -m fuzz READER [LIBFUZZER OPTIONS]`: damages fixtures until a reader breaks.

The text that broke it is written to the current folder: make it a test in `tests/test_fuzzed.py`.
"""

from __future__ import annotations

import os
import sys
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["gracelint", "gracelint_rules"]):
    from fuzz.readers import READERS, check, seeds


def main() -> None:
    reader, *options = sys.argv[1:] or [""]
    if reader not in READERS:
        sys.exit(f"usage: python -m fuzz {'|'.join(READERS)} [-max_total_time=SECONDS …]")
    with atheris.instrument_imports(include=["gracelint", "gracelint_rules"]):
        texts = list(seeds(reader))
        for text in texts[:50]:  # what is imported on the way is instrumented
            check(reader, text)
    with TemporaryDirectory() as corpus:
        for number, text in enumerate(texts):
            with open(os.path.join(corpus, f"{number}"), "w", encoding="utf-8") as file:
                file.write(text)
        atheris.Setup(
            [sys.argv[0], "-max_len=4096", "-timeout=20", *options, corpus],
            lambda data: check(reader, data.decode("utf-8", "replace").replace("\0", "0")),
        )
        atheris.Fuzz()


main()
