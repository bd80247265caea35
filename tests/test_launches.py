"""How each container of the rules' cases is stopped: of one with nothing to report, only `launches.tsv` says it.

A row has the case; the file and line that start the container, with its name; the commands on the way of the signal;
what comes of them; and how long it takes to drain, where that is asked. `pytest --update` rewrites the rows, and adds
those of new cases.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conftest import case_files, rule_cases
from gracelint.facts.launch import Drain, Launch
from gracelint.testing import read

TABLE = Path(__file__).parent / "launches.tsv"
CASES = {f"{rule}/{os.path.basename(folder)}": folder for rule, folder in rule_cases()}


def rows(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        case, _, row = line.partition("\t")
        found.setdefault(case, []).append(row)
    return found


def row_of(launch: Launch) -> str:
    place = launch.origin.span.place
    name = launch.origin.container or launch.origin.name
    way = " > ".join(hop.name for hop in launch.hops)
    end = "ends by itself" if launch.ends_by_itself else launch.verdict.value
    return f"{place.source.path}:{place.line} {name}\t{way}\t{end}\t{taken(launch.budget.drain)}"


def taken(drain: Drain | None) -> str:
    if drain is None:
        return "-"
    return f"{drain.source.value} {'without end' if drain.seconds is None else f'{drain.seconds:g} s'}"


KNOWN = rows(TABLE.read_text("utf-8"))


@pytest.mark.parametrize("case", CASES)
def test_how_it_is_stopped(case: str, update: bool) -> None:
    found = [row_of(launch) for launch in read(case_files(CASES[case])).launches]
    if update:
        assert "PYTEST_XDIST_WORKER" not in os.environ, (
            "several processes would each write their own rows: leave out -n"
        )
        KNOWN[case] = found
        lines = (f"{name}\t{row}\n" for name in sorted(CASES) for row in KNOWN.get(name, ()))
        TABLE.write_text("".join(lines), "utf-8")
    assert found == KNOWN.get(case, [])


def test_no_row_is_of_a_case_that_is_gone() -> None:
    assert set(KNOWN) <= set(CASES)
