"""Traps that may tell a program by a file, and loops that may end with their jobs."""

from __future__ import annotations

import pytest

from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request

IMAGE = 'FROM debian:12\nWORKDIR /app\nCOPY . .\nCMD ["bash", "run.sh"]\n'
AGAIN = 'until wait "$job"; ! kill -0 "$job" 2>/dev/null; do\n  echo waiting\ndone\n'


@pytest.mark.parametrize(("does", "verdict"), [("touch stop", Verdict.UNKNOWN), ("echo stop", Verdict.IGNORED)])
def test_a_file_may_tell_the_program(does: str, verdict: Verdict) -> None:
    script = f"#!/bin/bash\ntrap '{does}' TERM\npython -u poller.py &\njob=$!\n{AGAIN}"
    poller = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    time.sleep(1)\n"
    (found,) = read_project(request({"Dockerfile": IMAGE, "run.sh": script, "poller.py": poller})[0]).launches

    assert found.verdict is verdict
