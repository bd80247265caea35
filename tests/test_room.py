"""What is said of projects of fixtures/verdicts where there is no room for more than each program is worth.

Less room takes answers away. It must not make one better, or another: what is not followed to its end is unknown.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from zlib import crc32

import pytest

from gracelint.launch import desk
from predict import launches, verdict
from test_verdicts import FOLDERS

_OTHERS = 4
"""All those in Go are taken, whose requests are followed in runs of their own, and every fourth of the others."""


def _is_taken(folder: Path) -> bool:
    return any(folder.rglob("*.go")) or crc32(folder.name.encode()) % _OTHERS == 0


def test_less_room_makes_no_verdict_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "ROOM", 0)
    said = {folder: verdict(launches(folder)).value for folder in filter(_is_taken, FOLDERS)}
    wrong = {folder.name: its for folder, its in said.items() if its not in ("unknown", _seen(folder))}

    assert wrong == {}
    assert 0 < Counter(said.values())["unknown"] < 0.2 * len(said)


def _seen(folder: Path) -> str:
    seen: str = json.loads((folder / "case.json").read_text())["verdict"]
    return seen
