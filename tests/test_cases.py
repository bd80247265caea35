"""Every case of a rule: `fixtures/<rule>/<case>/` against its `expected.txt`.

An expected.txt holds what the rule says of the case, then what its fixes change. `pytest --update` rewrites them.
"""

from __future__ import annotations

import os

import pytest

from conftest import EXPECTED, FIXTURES, case_files, rule_cases
from gracelint.rules import addresses
from gracelint.testing import expectation

CASES = rule_cases()


@pytest.mark.parametrize(
    ("rule", "folder"), CASES, ids=[f"{rule}/{os.path.basename(folder)}" for rule, folder in CASES]
)
def test_case(rule: str, folder: str, update: bool) -> None:
    told = expectation(rule, case_files(folder))
    path = os.path.join(folder, EXPECTED)
    if update:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(told)
    with open(path, encoding="utf-8", newline="") as file:
        assert told == file.read()


@pytest.mark.parametrize("name", [address.name for address in addresses()])
def test_every_rule_has_a_case_where_it_fires_and_one_where_it_is_silent(name: str) -> None:
    said = []
    folder = os.path.join(FIXTURES, name)
    for case in os.listdir(folder):
        with open(os.path.join(folder, case, EXPECTED), encoding="utf-8") as file:
            said.append(f"[{name}]" in file.read())
    assert any(said), f"{name} fires in none of its cases"
    assert not all(said), f"{name} is silent in none of its cases"
