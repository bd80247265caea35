"""What a stop has and what it needs: grace, preStop, drain, margin."""

from __future__ import annotations

import json
import math

import pytest

from gracelint.facts.launch import Assumptions, Budget, Drain, DrainSource, Launch
from gracelint.launch.budget import budget_of
from gracelint.launch.durations import seconds
from gracelint.source import Located, Source, Word
from gracelint.testing import read

SCRIPT = "#!/bin/sh\nset -e\ntouch /tmp/draining\nsleep 12\n"


def pod(pre_stop: str = "", grace: str = "", command: str = '["/app/server"]', annotations: str = "") -> Launch:
    manifest = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orders
spec:
  selector: {{matchLabels: {{app: orders}}}}
  template:
    metadata:
      labels: {{app: orders}}
      annotations: {{{annotations}}}
    spec:
      {grace}
      containers:
        - name: orders
          image: orders
          command: {command}
          env: [{{name: WAIT, value: "9"}}, {{name: SECRET, valueFrom: {{secretKeyRef: {{name: s, key: k}}}}}}]
          lifecycle: {{{pre_stop}}}
"""
    files = {
        "deploy.yaml": manifest,
        "Dockerfile": "FROM python:3.12-slim\nCOPY drain.sh /app/drain.sh\n",
        "drain.sh": SCRIPT,
        "gracelint.toml": 'images = { orders = "Dockerfile" }\n',
    }
    (launch,) = (launch for launch in read(files).launches if launch.origin.kind == "kubernetes")
    return launch


def exec_hook(*argv: str) -> str:
    return f"preStop: {{exec: {{command: {json.dumps(argv)}}}}}"


def taken(pre_stop: str) -> float:
    before = pod(pre_stop).budget.pre_stop
    assert before is not None
    return before.value


@pytest.mark.parametrize(
    ("hook", "length"),
    [
        ("preStop: {sleep: {seconds: 15}}", 15.0),
        ("preStop: {httpGet: {path: /drain, port: 80}}", 0.0),
        (exec_hook("sleep", "15"), 15.0),
        (exec_hook("/bin/sleep", "1m"), 60.0),
        (exec_hook("sleep", "1", "2.5"), 3.5),
        (exec_hook("busybox", "sleep", "7"), 7.0),
        (exec_hook("nginx", "-s", "quit"), 0.0),
        (exec_hook("sh", "-c", "sleep 15 && nginx -s quit"), 15.0),
        (exec_hook("/bin/bash", "-ec", "sleep 5; kill -TERM 1; sleep 10"), 15.0),
        (exec_hook("sh", "-c", "sleep $WAIT"), 9.0),
        (exec_hook("sh", "-c", 'sleep "${WAIT}"'), 9.0),
        (exec_hook("sh", "-c", "sleep ${UNSET:-6}"), 6.0),
        (exec_hook("sh", "-c", "exec sleep 8"), 8.0),
        (exec_hook("sh", "-c", "(sleep 4)"), 4.0),
        (exec_hook("sh", "-c", "sleep 30 & kill 1"), 0.0),
        (exec_hook("sh", "-c", "nginx -s quit || true; sleep 3"), 3.0),
        (exec_hook("/app/drain.sh"), 12.0),
        (exec_hook("sh", "/app/drain.sh"), 12.0),
        (exec_hook("sh", "-c", "/app/drain.sh && sleep 1"), 13.0),
    ],
)
def test_how_long_a_hook_takes(hook: str, length: float) -> None:
    assert taken(hook) == length


@pytest.mark.parametrize(
    "hook",
    [
        exec_hook("sh", "-c", "while pgrep worker; do sleep 1; done"),
        exec_hook("sh", "-c", "sleep $SECRET"),
        exec_hook("sh", "-c", "sleep $(cat /etc/wait)"),
        exec_hook("sh", "-c", "if ready; then sleep 5; fi"),
        exec_hook("sh", "-c", "sleep 5; 'unclosed"),
        exec_hook("/app/other.sh"),
        exec_hook("drain-connections"),
        exec_hook("sleep"),
        exec_hook("sleep", "soon"),
        "preStop: {tcpSocket: {port: 80}}",
    ],
)
def test_hooks_that_nobody_can_time(hook: str) -> None:
    assert math.isnan(taken(hook))


def test_a_hook_says_where_its_sleep_stands() -> None:
    before = pod(exec_hook("sh", "-c", "sleep 15 && nginx -s quit")).budget.pre_stop
    assert before is not None
    assert before.span is not None
    assert before.span.text == "15"
    script = pod(exec_hook("/app/drain.sh")).budget.pre_stop
    assert script is not None
    assert script.span is not None
    assert (script.span.source.path, script.span.line) == ("drain.sh", 4)


def test_the_sum() -> None:
    budget = pod(exec_hook("sleep", "15"), "terminationGracePeriodSeconds: 60", '["gunicorn", "shop:app"]').budget
    assert budget.needed == 47.0
    assert str(budget) == "15 preStop + 30 drain + 2 margin"
    assert [note.text for note in budget.notes] == [
        "the grace period: 60 s from the start of preStop to SIGKILL",
        "preStop takes 15 s of it",
    ]


def test_an_annotation_beats_the_server() -> None:
    launch = pod(command='["gunicorn", "shop:app"]', annotations='gracelint/drain-seconds: "5"')
    drain = launch.budget.drain
    assert drain is not None
    assert (drain.seconds, drain.source) == (5.0, DrainSource.DECLARED)


def test_an_annotation_that_is_no_time_counts_for_nothing() -> None:
    drain = pod(command='["gunicorn", "shop:app"]', annotations='gracelint/drain-seconds: "soon"').budget.drain
    assert drain is not None
    assert drain.source is DrainSource.DERIVED


def test_the_assumption_counts_only_where_a_grace_period_or_a_hook_is_declared() -> None:
    assert budget_of(Located(30.0)).drain is None
    declared = Located(30.0, Source("deploy.yaml", "30").span(0, 2))
    drain = budget_of(declared, assume=Assumptions(drain=7.0)).drain
    assert drain is not None
    assert (drain.seconds, drain.source) == (7.0, DrainSource.ASSUMED)
    assert pod().budget.drain is None
    assert pod("preStop: {sleep: {seconds: 5}}").budget.needed == 17.0
    assert pod(grace="terminationGracePeriodSeconds: 20").budget.needed == 12.0


def test_the_longest_drain_counts_and_one_without_end_most() -> None:
    short, long, endless = (Drain(length, DrainSource.DERIVED, "a server") for length in (5.0, 9.0, None))
    assert budget_of(Located(30.0), drains=(short, long)).drain == long
    assert budget_of(Located(30.0), drains=(short, endless, long)).drain == endless
    assert budget_of(Located(30.0), drains=(endless,)).needed is None


def test_a_supervisor_that_kills_first_limits_the_drain() -> None:
    files = {
        "Dockerfile": 'FROM python:3.12-slim\nCOPY s.conf /s.conf\nCMD ["supervisord", "-n", "-c", "/s.conf"]\n',
        "s.conf": "[program:web]\ncommand = uvicorn api:app\nstopwaitsecs = 6\n",
    }
    (launch,) = read(files).launches
    assert launch.budget.drain is not None
    assert launch.budget.drain.seconds == 6.0
    assert launch.budget.drain.why == "supervisord kills what it runs after that time"


def test_a_hook_of_unknown_length_leaves_the_sum_unknown() -> None:
    budget = Budget(Located(30.0), Located(math.nan), Drain(10.0, DrainSource.ASSUMED, "assumed"), 2.0)
    assert budget.needed is None


@pytest.mark.parametrize(
    ("text", "length"),
    [("30", 30.0), ("1.5", 1.5), ("5m", 300.0), ("1m30s", 90.0), ("500ms", 0.5), ("PT45S", 45.0), ("1d", 86400.0)],
)
def test_lengths_of_time(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "soon", "10 x", "-5", "inf", "nan", "1.2.3", "٣", "1" * 41])
def test_what_is_no_length_of_time(text: str) -> None:
    assert seconds(text) is None


def test_a_bare_number_counts_the_unit_that_is_given() -> None:
    assert seconds("2500", unit=0.001) == 2.5
    assert seconds("2s", unit=0.001) == 2.0


def test_words_of_a_hook_may_be_empty() -> None:
    assert math.isnan(taken(exec_hook("")))
    assert budget_of(Located(30.0), annotations={"gracelint/drain-seconds": Word("")}).drain is None


@pytest.mark.parametrize(
    ("grace", "before", "left"),
    [(30.0, None, 30.0), (30.0, 12.0, 18.0), (30.0, 300.0, 2.0), (30.0, math.nan, math.nan), (0.0, 5.0, 0.0)],
)
def test_what_pre_stop_leaves_of_the_grace_period(grace: float, before: float | None, left: float) -> None:
    hook = None if before is None else Located(before)
    assert repr(Budget(Located(grace), hook, None, 2.0).left) == repr(left)


def test_a_handler_that_takes_no_time_of_its_own_fits_into_any_grace_period() -> None:
    files = {
        "Dockerfile": 'FROM python:3.12\nCOPY app.py .\nCMD ["python", "app.py"]\n',
        "compose.yaml": "services:\n  app:\n    build: .\n    stop_grace_period: 500ms\n",
        "app.py": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n",
    }
    assert {launch.verdict.value for launch in read(files).launches} == {"handled"}
