"""Every row of knowledge that says it was measured is measured again by a case here, or it is told why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import NOT_STARTED, cases

from gracelint.knowledge import table
from predict import launches

TABLES = {
    "shells": ("shell", "script"),
    "inits": ("init",),
    "wrappers": ("wrapper",),
    "supervisors": ("supervisor",),
    "package_managers": ("package-manager",),
    "servers": ("server", "program"),
}
MEASURED = [
    f"{name}.{row}" for name in TABLES for row, says in table(name).items() if says["source"].startswith("measured")
]


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The rows that gracelint meets on its way through the cases."""
    rows = set()
    for case in cases():
        folder: Path = tmp_path_factory.mktemp("case")
        case.write(folder)
        for launch in launches(folder):
            rows |= {f"{name}.{hop.name}" for hop in launch.hops for name in TABLES if hop.kind.value in TABLES[name]}
            if launch.program is not None:
                rows |= {f"servers.{server.name}" for server in launch.program.servers}
    return rows


@pytest.mark.parametrize("row", MEASURED)
def test_every_measured_row_is_started(row: str, met: set[str]) -> None:
    assert row in met or row in NOT_STARTED, (
        f"no case of cases/*.toml starts {row}: add one, or say why not in [not-started]"
    )


@pytest.mark.parametrize("row", NOT_STARTED)
def test_every_excuse_is_needed(row: str, met: set[str]) -> None:
    assert row in MEASURED, f"{row} is no measured row"
    assert row not in met, f"{row} is started by a case: drop it from [not-started]"
