"""The extension for VS Code: it type-checks, builds and packages.

GRACELINT_VSCODE names a folder with the `node_modules` of editors/vscode; without it the test is skipped, but for CI.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import gracelint
from conftest import ROOT

EXTENSION = Path(ROOT, "editors", "vscode")
MODULES = os.environ.get("GRACELINT_VSCODE")


def test_it_has_the_version_of_the_command() -> None:
    assert json.loads((EXTENSION / "package.json").read_text())["version"] == gracelint.__version__


def test_it_packages(tmp_path: Path) -> None:
    if MODULES is None:
        if os.environ.get("CI"):
            pytest.fail("GRACELINT_VSCODE is not set")
        pytest.skip("GRACELINT_VSCODE does not name a folder with the node_modules of editors/vscode")
    folder = shutil.copytree(EXTENSION, tmp_path / "vscode", ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(Path(MODULES, "node_modules"))
    done = subprocess.run(["npm", "run", "--silent", "package"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(folder / "gracelint.vsix") as package:
        assert {name for name in package.namelist() if name.startswith("extension/")} == {
            "extension/LICENSE.txt",
            "extension/dist/extension.js",
            "extension/package.json",
            "extension/readme.md",
        }
        manifest = json.loads(package.read("extension/package.json"))
        program = package.read("extension/dist/extension.js").decode()
    assert manifest["main"] == "./dist/extension.js"
    assert all(
        f'"{name.partition(".")[2]}"' in program for name in manifest["contributes"]["configuration"]["properties"]
    )
