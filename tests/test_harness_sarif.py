"""SARIF against the 2.1.0 schema and Microsoft's own validator.

Both come with the npm package @microsoft/sarif-multitool-linux. GRACELINT_SARIF names the folder it is installed in;
without it the tests are skipped, but for CI.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from conftest import FIXTURES
from gracelint.cli import main
from test_reports import AGENT

PACKAGE = os.environ.get("GRACELINT_SARIF")


@pytest.fixture
def log(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What gracelint says of the shop, and of a file it cannot read."""
    if PACKAGE is None:
        if os.environ.get("CI"):
            pytest.fail("GRACELINT_SARIF is not set")
        pytest.skip("GRACELINT_SARIF does not name the folder of @microsoft/sarif-multitool-linux")
    for variable, value in getattr(request, "param", {}).items():
        monkeypatch.setenv(variable, value)
    broken = tmp_path / "a b é"
    broken.mkdir()
    (broken / "Dockerfile").write_bytes(b"FROM x\nNONSENSE \xff\n")
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    order = "# gracelint: ignore[uncatchable-stop-signal] the operator drains it"
    (quiet / "Dockerfile").write_text(f"FROM x\n{order}\nSTOPSIGNAL SIGKILL\n")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "log.sarif"
    shop = shutil.copytree(os.path.join(FIXTURES, "shop"), tmp_path / "shop")
    (tmp_path / "gracelint.toml").write_text('documentation = "https://docs.example.com/{rule}"\n')
    main(["check", "--strict", "--show-suppressed", "--format", f"sarif={path}", str(shop), "a b é", "quiet"])
    return path


def test_it_follows_the_schema(log: Path) -> None:
    assert PACKAGE is not None
    with open(os.path.join(PACKAGE, "sarif-2.1.0.json"), encoding="utf-8") as file:
        schema = json.load(file)
    found = json.loads(log.read_text())
    results = found["runs"][0]["results"]
    assert len(results) > 5
    assert {"codeFlows", "fixes", "relatedLocations", "suppressions"} <= {key for result in results for key in result}
    jsonschema.validate(found, schema)


@pytest.mark.parametrize("log", [{}, AGENT], ids=["GitHub", "Azure"], indirect=True)
def test_microsofts_validator_has_no_objection(log: Path) -> None:
    """Its own rules, and those of the two services; Azure's want the build that a run belongs to."""
    assert PACKAGE is not None
    tool = os.path.join(PACKAGE, "Sarif.Multitool")
    os.chmod(tool, 0o755)
    kinds = "Sarif;Ghas;Gh" + (";GHAzDO" if "TF_BUILD" in os.environ else "")
    done = subprocess.run([tool, "validate", str(log), "--rule-kind", kinds], capture_output=True, text=True)
    assert [line for line in done.stdout.splitlines() if ": error " in line or ": warning " in line] == []
    assert "Analysis completed successfully." in done.stdout
