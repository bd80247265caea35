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


STARTED = "FROM python:3.12\nSTOPSIGNAL {signal}\nWORKDIR /srv\nCOPY . .\nENTRYPOINT {words}\n"


def started(command: str, signal: str = "SIGTERM", **files: str) -> tuple[Verdict, list[tuple[str, str]]]:
    """The verdict of a command, and its hops with what each does."""
    dockerfile = STARTED.format(signal=signal, words=json.dumps(command.split(" ")))
    (launch,) = read({"Dockerfile": dockerfile, "app.py": APP, **files}).launches
    return launch.verdict, [(hop.name, hop.effect.value) for hop in launch.hops]


@pytest.mark.parametrize(
    ("command", "effect", "verdict"),
    [
        ("chamber exec prod shared -- python app.py", "replaces", Verdict.HANDLED),
        ("wait-for-it db:5432 -t 30 -- python app.py", "replaces", Verdict.HANDLED),
        ("doppler run -t x -- python app.py", "forwards", Verdict.HANDLED),
        ("infisical run --env=prod -- python app.py", "forwards", Verdict.HANDLED),
        ("dockerize -wait tcp://db:5432 -timeout 30s python app.py", "forwards", Verdict.HANDLED),
        ("micromamba run -n shop python app.py", "forwards", Verdict.HANDLED),
        ("watchmedo auto-restart -d . -- python app.py", "forwards", Verdict.HANDLED),
        ("conda run -n shop --no-capture-output python app.py", "swallows", Verdict.IGNORED),
    ],
)
def test_what_reads_secrets_or_waits_before_it_starts_a_command(command: str, effect: str, verdict: Verdict) -> None:
    assert started(command) == (verdict, [(command.split(" ")[0], effect), ("app.py", "handles")])


def test_a_command_may_be_split_into_words() -> None:
    words = json.dumps(["litestream", "replicate", "-config", "a.yml", "-exec", "python app.py"])
    (launch,) = read({"Dockerfile": STARTED.format(signal="SIGTERM", words=words), "app.py": APP}).launches
    assert [hop.argv for hop in launch.hops][-1] == ("python", "app.py")
    assert launch.verdict is Verdict.HANDLED
    assert started("litestream replicate") == (Verdict.HANDLED, [("litestream", "handles")])


def test_signals_that_a_wrapper_is_not_known_to_pass_on() -> None:
    assert started("dockerize python app.py", "SIGQUIT")[0] is Verdict.UNKNOWN
    assert started("watchmedo auto-restart --signal SIGHUP -- python app.py")[0] is Verdict.UNKNOWN


def test_a_script_of_the_project_goes_before_what_its_name_is_known_for() -> None:
    script = '#!/bin/bash\nshift 2\n"$@"\n'
    verdict, hops = started("./wait-for-it.sh db:5432 -- python app.py", **{"wait-for-it.sh": script})
    assert (verdict, [name for name, _ in hops]) == (Verdict.IGNORED, ["bash-5.1+", "app.py"])


LITESTAR = "from litestar import Litestar\n\napp = Litestar([])\n"


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ("litestar run", Verdict.HANDLED),
        ("litestar --app app:app run --wc 1", Verdict.HANDLED),
        ("litestar run --wc 4", Verdict.IGNORED),
        ("litestar run --reload", Verdict.IGNORED),
    ],
)
def test_litestar_serves_in_its_own_process_or_waits_for_another(command: str, verdict: Verdict) -> None:
    assert started(command, **{"app.py": LITESTAR})[0] is verdict


def test_the_application_below_litestar_counts() -> None:
    left = "import threading, time\n\nthreading.Thread(target=lambda: time.sleep(600)).start()\n"
    assert started("litestar run", **{"app.py": LITESTAR + left})[0] is Verdict.IGNORED
