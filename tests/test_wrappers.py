"""Inits, wrappers and supervisors against what they did.

`observations/wrappers.jsonl` has one line for each command that was run as PID 1, with a program that handles its
signal, and the verdict that was seen. The model may say *unknown* where it is listed below, but never anything else.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gracelint.facts.verdict import Verdict
from gracelint.testing import read

OBSERVATIONS = Path(__file__).parent / "observations" / "wrappers.jsonl"
ROWS = [json.loads(line) for line in OBSERVATIONS.read_text(encoding="utf-8").splitlines()]
SHOWN = [f"{' '.join(row['argv'])} [{row.get('signal', 'SIGTERM')}]" for row in ROWS]
SAYS_NO_MORE = {
    "cat": "how long it lives is up to its standard input",
    "bash": "it was started with its standard input open",
}

APP = """\
import signal
import sys
import time


def stop(*_):
    time.sleep(0.7)
    sys.exit(7)


for name in ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"):
    signal.signal(getattr(signal, name), stop)
while True:
    time.sleep(1)
"""
RUN = "#!/bin/sh\ncd /app\nexec python app.py\n"
RUN_AS_CHILD = "#!/bin/sh\ncd /app\npython app.py\n"
SUPERVISED = "[supervisord]\nnodaemon=true\n[program:app]\ncommand={command}\n"
FILES = {
    "app.py": APP,
    "Makefile": "run:\n\tpython app.py\nrunexec:\n\texec python app.py\nruncomplex:\n\tcd . && python app.py\n",
    "sup.conf": SUPERVISED.format(command="python app.py"),
    "supsh.conf": SUPERVISED.format(command='sh -c "python app.py"'),
    "supshg.conf": SUPERVISED.format(command='sh -c "python app.py"\nstopasgroup=true'),
    "s6sv/app/run": RUN,
    "sv/app/run": RUN,
    "sv2/app/run": RUN,
    "s6n/app/run": RUN_AS_CHILD,
    "svn/app/run": RUN_AS_CHILD,
}


@pytest.mark.parametrize("row", ROWS, ids=SHOWN)
def test_an_observation(row: dict[str, object]) -> None:
    lines = ["FROM python:3.11-bookworm", "RUN apt-get install -y tini", "WORKDIR /app", "COPY . ."]
    lines += [f"STOPSIGNAL {row.get('signal', 'SIGTERM')}", f"CMD {json.dumps(row['argv'])}", ""]
    (launch,) = read({"Dockerfile": "\n".join(lines), **FILES}).launches
    if launch.verdict is Verdict.UNKNOWN:
        assert " ".join(row["argv"]) in SAYS_NO_MORE, launch.why  # type: ignore[arg-type]
        return
    assert launch.verdict.value == row["seen"], launch.why


@pytest.mark.parametrize(
    ("command", "verdict"),
    [("tini -- python silent.py", Verdict.IGNORED), ("dumb-init -- python silent.py", Verdict.CUT)],
)
def test_an_ignored_signal_is_inherited_through_tini_but_not_through_dumb_init(command: str, verdict: Verdict) -> None:
    text = f"FROM python:3.11-bookworm\nWORKDIR /app\nCOPY . .\nCMD trap '' TERM; exec {command}\n"
    (launch,) = read({"Dockerfile": text, "silent.py": "import time\nwhile True:\n    time.sleep(1)\n"}).launches
    assert launch.verdict is verdict


def test_each_command_is_shown_with_its_own_words() -> None:
    words = ["tini", "-g", "--", "nice", "-n", "5", "python", "app.py", "-v"]
    dockerfile = f"FROM python:3.12\nCOPY app.py .\nENTRYPOINT {json.dumps(words)}\n"
    (launch,) = read({"Dockerfile": dockerfile, "app.py": APP}).launches
    assert [" ".join(hop.argv) for hop in launch.hops] == ["tini -g --", "nice -n 5", "python app.py -v"]


@pytest.mark.parametrize("options", ["app", "app -m", "- app", "-m app -s /bin/sh"])
def test_su_takes_its_options_on_both_sides_of_the_user(options: str) -> None:
    words = ["su", *options.split(), "-c", 'exec "$0" "$@"', "python", "app.py"]
    dockerfile = f"FROM python:3.12\nWORKDIR /srv\nCOPY app.py .\nENTRYPOINT {json.dumps(words)}\n"
    (launch,) = read({"Dockerfile": dockerfile, "app.py": APP}).launches
    assert [hop.name for hop in launch.hops][-1] == "app.py"


@pytest.mark.parametrize("init", ["tini", "dumb-init"])
def test_an_init_without_a_command_ends_by_itself(init: str) -> None:
    (launch,) = read({"Dockerfile": f'FROM debian:bookworm\nENTRYPOINT ["{init}", "--"]\n'}).launches
    assert (launch.verdict, launch.one_shot) == (Verdict.UNKNOWN, True)
    assert launch.why == f"{init} is given no command: it says so, and ends"
