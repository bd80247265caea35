"""A run that is killed in the middle of fixing: all files are as they were or as they should be, and none is left over.

A few kills on a few files here; `GRACELINT_KILLS=200 GRACELINT_KILLED_FILES=300` makes it 200 on 300.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = int(os.environ.get("GRACELINT_KILLS", "8"))
FILES = int(os.environ.get("GRACELINT_KILLED_FILES", "24"))
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)
BEFORE = "FROM python:3.12-slim\nCOPY . .\nCMD python -m app{number}\n"
AFTER = 'FROM python:3.12-slim\nCOPY . .\nCMD ["python", "-m", "app{number}"]\n'


def lay_out(folder: Path) -> None:
    folder.mkdir()
    (folder / "gracelint.toml").write_text('select = ["shell-form-command"]\n')
    for number in range(FILES):
        (folder / f"app{number}").mkdir()
        (folder / f"app{number}" / "Dockerfile").write_text(BEFORE.format(number=number))


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gracelint", "check", "--fix", "--quiet"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def replaced(folder: Path) -> int:
    """How many files hold their new text; torn ones, strangers and losses fail the test."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(["gracelint.toml", *(f"app{number}/Dockerfile" for number in range(FILES))])
    count = 0
    for number in range(FILES):
        text = (folder / f"app{number}" / "Dockerfile").read_text()
        assert text in (BEFORE.format(number=number), AFTER.format(number=number))
        count += text == AFTER.format(number=number)
    return count


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run takes that nobody kills."""
    folder = tmp_path_factory.mktemp("whole") / "project"
    lay_out(folder)
    began = time.monotonic()
    start(folder).wait()
    assert replaced(folder) == FILES
    return time.monotonic() - began


@pytest.mark.parametrize("number", range(KILLS))
def test_every_file_is_whole_and_none_is_left_over(tmp_path: Path, seconds: float, number: int) -> None:
    """Every second kill comes once the first file was replaced, the others at any time of the run."""
    folder = tmp_path / "project"
    lay_out(folder)
    first = folder / "app0" / "Dockerfile"
    inode = first.stat().st_ino
    process = start(folder)
    deadline = time.monotonic() + (10 * seconds if number % 2 else seconds * number / KILLS)
    while time.monotonic() < deadline and process.poll() is None and not (number % 2 and first.stat().st_ino != inode):
        time.sleep(0.0002)
    time.sleep(number % 16 * 0.0002 if number % 2 else 0)
    process.send_signal(SIGNALS[number // 2 % len(SIGNALS)])
    process.wait()
    time.sleep(0.1)  # files are replaced by a process that outlives the one that was killed
    assert replaced(folder) in (0, FILES)
    start(folder).wait()
    assert replaced(folder) == FILES
