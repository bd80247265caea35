"""What is written stays one thing: no name or text of a tree can write lines, sequences or elements of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import FIXTURES

COMMAND = [sys.executable, "-m", "gracelint"]
EVIL = "a\n::error::owned\x1b[2J\ufffe\uffff\x07"
KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "gracelint.toml").write_text("")
    (tmp_path / EVIL).mkdir()
    (tmp_path / EVIL / "Dockerfile").write_text(f'FROM x AS "{EVIL}"\nSTOPSIGNAL SIGKILL\nCMD ["{EVIL[:1]}\ufffe"]\n')
    (tmp_path / EVIL / "node_modules").mkdir()
    service = json.dumps({"services": {EVIL: {"image": EVIL, "command": [EVIL], "stop_signal": EVIL}}})
    (tmp_path / EVIL / "compose.yaml").write_text(service)
    return tmp_path


def run(folder: Path, *arguments: str, **streams: int) -> subprocess.CompletedProcess[str]:
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run([*COMMAND, *arguments], cwd=folder, text=True, timeout=60, **given)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    "arguments",
    [
        *(("check", "-v"), ("trace",), ("check", "--diff")),
        *(("check", "--format", name) for name in ("concise", "github", "junit", "checkstyle", "markdown")),
    ],
)
def test_names_write_no_lines_of_their_own(project: Path, arguments: tuple[str, ...]) -> None:
    done = run(project, *arguments, ".")
    assert done.returncode in (0, 1)
    for line in (done.stdout + done.stderr).splitlines():
        assert not line.startswith("::error::owned")
        assert "\x1b" not in line
        assert "\x07" not in line


def test_junit_is_well_formed_whatever_stands_in_it(project: Path) -> None:
    suites = ElementTree.fromstring(run(project, "check", "--format", "junit", ".").stdout)
    assert suites.tag == "testsuites"


def test_gitlab_and_sarif_are_json(project: Path) -> None:
    for name in ("gitlab", "sarif", "json"):
        json.loads(run(project, "check", "--format", name, ".").stdout)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_or_closed_output_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(KILLED)
    with open("/dev/full", "w") as full:
        done = run(tmp_path, "check", "--fail-on", "never", ".", stdout=full.fileno())
    assert (done.returncode, done.stderr) == (2, "gracelint: No space left on device\n")
    closed = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m gracelint check --fail-on never . >&-"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (closed.returncode, closed.stderr) == (2, "gracelint: standard output is closed\n")


def test_a_dash_is_standard_output(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(KILLED)
    assert json.loads(run(tmp_path, "check", "--format", "json=-", ".").stdout)["version"] == 1
    assert not (tmp_path / "-").exists()


def test_a_baseline_knows_names_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.Dockerfile")).write_text(KILLED)
    assert run(tmp_path, "check", ".").returncode == 1
    assert run(tmp_path, "check", "--write-baseline", "known.json", ".").returncode == 0
    assert run(tmp_path, "check", "--baseline", "known.json", ".").returncode == 0


def test_reading_at_once_changes_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(KILLED)
        (tmp_path / name / "package.json").write_text('{"main": "server.js"}')
        (tmp_path / name / "app.py").write_text("print()\n")
    outputs = {run(tmp_path, "check", "--format", "json", "--jobs", str(jobs), ".").stdout for jobs in (1, 4)}
    assert len(outputs) == 1


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"}, {"LC_ALL": "C"}, {"LC_ALL": "C.utf8", "LANG": "tr_TR.UTF-8"}],
    ids=["one hash seed", "another", "a plain locale", "a Turkish one"],
)
def test_the_environment_changes_nothing(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "gracelint", "check", "--format", "json", os.path.join(FIXTURES, "shop")]
    before, after = (
        subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, encoding="utf-8").stdout
        for more in ({"PYTHONHASHSEED": "0"}, environment)
    )
    assert before == after
    assert '"rule"' in before


def test_the_current_folder_changes_nothing_but_how_paths_are_written(tmp_path: Path) -> None:
    """Told in full: the rules, places and messages are the same."""
    command = [sys.executable, "-m", "gracelint", "check", "--format", "json", os.path.join(FIXTURES, "shop")]
    told = []
    for folder in (FIXTURES, str(tmp_path)):
        found = json.loads(subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout)["findings"]
        told.append([(item["rule"], item["message"], item["line"], item["column"]) for item in found])
    assert told[0]
    assert told[0] == told[1]
