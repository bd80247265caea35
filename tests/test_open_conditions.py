"""Entry scripts whose conditions the files do not decide: which of their ways is the one that lasts."""

from __future__ import annotations

import pytest

from gracelint.facts.launch import Launch
from gracelint.facts.verdict import Verdict
from gracelint.reading import read_project
from gracelint.testing import request

DOCKERFILE = 'FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nENTRYPOINT ["./entry.sh"]\n'
COMPOSE = "services:\n  worker:\n    build: .\n    env_file: .env\n    restart: RESTART\n"


def launch(entry: str, **files: str) -> Launch:
    given = {"Dockerfile": DOCKERFILE, "entry.sh": f"#!/bin/sh\n{entry}", **files}
    launches = read_project(request(given)[0]).launches
    return next((one for one in launches if one.origin.kind == "compose"), launches[0])


def in_compose(entry: str, restart: str = "always") -> Launch:
    return launch(entry, **{"compose.yaml": COMPOSE.replace("RESTART", restart)})


BRANCHES = 'if [ "$DEBUG" = True ]; then\n  DEV\nelse\n  celery -A app worker\nfi\n'


@pytest.mark.parametrize(
    "command", ["python3 dev.py", "python3 manage.py runserver", "npm run dev", "uvicorn app:app --reload"]
)
def test_the_way_of_production_is_the_one_that_is_judged(command: str) -> None:
    found = in_compose(BRANCHES.replace("DEV", command))
    assert found.verdict is Verdict.IGNORED
    assert found.why == ("Debian's dash stays PID 1 in front of `celery -A app worker` and passes no signal on")
    assert not found.dev_server


def test_a_branch_for_development_may_exec() -> None:
    assert in_compose(BRANCHES.replace("DEV", "exec python3 dev.py")).verdict is Verdict.IGNORED


def test_a_way_for_development_is_judged_where_it_is_the_only_one() -> None:
    found = in_compose("python3 manage.py runserver\n")
    assert found.verdict is Verdict.IGNORED
    assert "runserver" in found.why


@pytest.mark.parametrize(
    ("guard", "verdict"),
    [
        ('[ -z "$APP_KEY" ] && exit 1\n', Verdict.HANDLED),
        ('if [ -z "$APP_KEY" ]; then\n  echo "no key"\n  exit 1\nfi\n', Verdict.HANDLED),
        ('[ -n "$APP_KEY" ] || exit 2\n', Verdict.HANDLED),
        ('test "$ROLE" = web || exit 1\n', Verdict.HANDLED),
        ("exit 1\n", Verdict.UNKNOWN),
    ],
)
def test_a_variable_that_it_cannot_do_without_is_set_from_outside(guard: str, verdict: Verdict) -> None:
    found = launch(f"{guard}exec gunicorn app:app\n")
    assert found.verdict is verdict, found.why
    assert found.ends_by_itself is (verdict is Verdict.UNKNOWN)


@pytest.mark.parametrize(("restart", "ends"), [("always", False), ("unless-stopped", False), ("on-failure", True)])
def test_what_is_started_again_whenever_it_ends_is_no_job(restart: str, ends: bool) -> None:
    found = in_compose("echo hello\n", restart)
    assert found.verdict is Verdict.UNKNOWN
    assert found.ends_by_itself is ends
    assert found.why.endswith("; and yet Compose starts it again whenever it ends") is not ends


@pytest.mark.parametrize(
    ("entry", "spots"),
    [
        ('if [ "${FROM:-dns}" = env ]; then\n  redis-server --slaveof "$H"\nelse\n  redis-server\nfi\n', 2),
        ('[ "${FROM:-dns}" = env ] && exec redis-server --slaveof "$H"\nredis-server\n', 1),
        ('if [ "${FROM:-dns}" = env ]; then\n  redis-server | tee /log\nelse\n  redis-server\nfi\n', 1),
        ('if [ "${FROM:-dns}" = env ]; then\n  prepare &\n  redis-server -a\nelse\n  redis-server\nfi\n', 1),
        ('if [ "${FROM:-dns}" = env ]; then\n  prepare\nfi\nredis-server\n', 1),
        ('FROM=dns\nif [ "$FROM" = env ]; then\n  redis-server -a\nelse\n  redis-server\nfi\n', 1),
    ],
)
def test_a_fix_execs_on_ways_that_a_variable_from_outside_opens(entry: str, spots: int) -> None:
    found = launch(entry)
    assert (found.verdict, found.decisive is not None) == (Verdict.IGNORED, True)
    assert found.decisive is not None
    assert len(found.decisive.details["exec_at"]) == spots
