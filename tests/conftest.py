"""What all suites share: where the rules and fixtures are, and `--update`."""

from __future__ import annotations

import os
import sys

import pytest

from gracelint.testing import read_folder

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIXTURES = os.path.join(ROOT, "fixtures")
EXPECTED = "expected.txt"

sys.path.insert(0, os.path.join(ROOT, "tests", "packs"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the expected.txt of every case")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


def rule_cases() -> list[tuple[str, str]]:
    """Each case of a rule: the rule's name and the case's folder."""
    from gracelint.rules import addresses

    names = {address.name for address in addresses()}
    return [
        (rule, os.path.join(FIXTURES, rule, case))
        for rule in sorted(os.listdir(FIXTURES))
        if rule in names
        for case in sorted(os.listdir(os.path.join(FIXTURES, rule)))
    ]


def case_files(folder: str) -> dict[str, str]:
    return read_folder(folder, leave_out=(EXPECTED, "case.json"))
