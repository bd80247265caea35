"""What real processes did with each project of fixtures/verdicts, and what gracelint says they do.

Each folder was started as PID 1 of fresh namespaces and stopped as a container runtime does it. Its case.json holds
what was seen; `at_fault` names the hop that decides.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gracelint.launch.signals import signal_name
from predict import launches, verdict

FOLDERS = sorted(path.parent for path in Path(__file__).parents[1].glob("fixtures/verdicts/*/case.json"))


def _is_too_new(folder: Path) -> bool:
    """Whether a program is written for a newer Python than this one, whose parser is what reads it."""
    return sys.version_info < (3, 11) and any("except*" in path.read_text("utf-8") for path in folder.glob("*.py"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_verdict_and_the_signal_that_arrives(folder: Path) -> None:
    if _is_too_new(folder):
        pytest.skip("except* is for Python 3.11")
    seen = _seen(folder)
    found = launches(folder)
    said = verdict(found)
    assert said.value == seen["verdict"], f"{'; '.join(launch.why for launch in found)}\nseen: {seen['why']}"
    assert {signal_name(launch.stop_signal.value) for launch in found} == {seen["stop_signal"]}


def test_no_project_lies_within_another() -> None:
    """Nothing would look at it there."""
    assert [path for folder in FOLDERS for path in folder.glob("*/**/case.json")] == []


def _seen(folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads((folder / "case.json").read_text())
    return seen
