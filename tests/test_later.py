"""ConfigMaps are parsed when a manifest may mount them, and not before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from gracelint.config import Configuration
from gracelint.parse import later
from gracelint.parse.yaml import read_part
from gracelint.project import Project, Request
from gracelint.reading import read_project
from gracelint.source import Source

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  volumes:
    - name: scripts
      configMap: {name: start-scripts}
  containers:
    - {name: shop, image: nginx, volumeMounts: [{name: scripts, mountPath: /scripts}]}
"""
CONFIG_MAP = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: %s}\ndata: {run.sh: exec nginx}\n"


def read(folder: Path) -> Project:
    return read_project(Request(root=str(folder), paths=(str(folder),), configuration=Configuration(str(folder))))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose ConfigMaps were parsed."""
    paths: list[str] = []

    def noted(source: Source, start: int, end: int) -> object:
        paths.append(source.path)
        return read_part(source, start, end)

    monkeypatch.setattr(later, "read_part", noted)
    return paths


def test_of_many_only_the_one_that_is_mounted_is_parsed(tmp_path: Path, parsed: list[str]) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    for name in ("colours", "start-scripts", "words"):
        (tmp_path / f"{name}.yaml").write_text(CONFIG_MAP % name)
    project = read(tmp_path)
    assert [item.name for item in project.workloads[0].config_maps] == ["start-scripts"]
    assert parsed == ["start-scripts.yaml"]


def test_where_nothing_mounts_any_none_is_parsed(tmp_path: Path, parsed: list[str]) -> None:
    (tmp_path / "pod.yaml").write_text(POD.replace("configMap: {name: start-scripts}", "emptyDir: {}"))
    (tmp_path / "map.yaml").write_text(CONFIG_MAP % "start-scripts")
    assert read(tmp_path).workloads[0].config_maps == ()
    assert not parsed


@pytest.mark.parametrize(
    "name", ['"start\\x2dscripts"', "&n start-scripts", "!!str start-scripts", ">-\n    start-scripts\n "]
)
def test_a_name_written_in_another_way_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    text = f"kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: {name}\ndata: {{run.sh: exec nginx}}\n"
    (tmp_path / "map.yaml").write_text(text)
    assert [item.name for item in read(tmp_path).workloads[0].config_maps] == ["start-scripts"]


def test_a_mount_written_in_another_way_is_found(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(
        POD.replace("name: start-scripts", "name: *n").replace("name: shop}", "name: &n maps}")
    )
    (tmp_path / "map.yaml").write_text(CONFIG_MAP % "maps")
    assert [item.name for item in read(tmp_path).workloads[0].config_maps] == ["maps"]


@pytest.mark.parametrize("text", ["kind: ConfigMap\ndata: {a: [}\n", "kind: ConfigMap\nmetadata: {name: {{ x }}}\n"])
def test_one_that_cannot_be_parsed_costs_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "map.yaml").write_text(text)
    project = read(tmp_path)
    assert not project.problems
    assert not project.errors


def test_work_grows_with_the_number_of_files(tmp_path: Path) -> None:
    """Ten times the images and manifests take ten times the calls, give or take what starting costs."""
    few, many = (_calls(tmp_path, count) for count in (20, 200))
    assert many < 11 * few


def _calls(folder: Path, count: int) -> int:
    folder = folder / str(count)
    generate = os.path.join(ROOT, "benchmarks", "generate.py")
    given = ["--dockerfiles", str(count), "--manifests", str(4 * count)]
    subprocess.run([sys.executable, generate, str(folder), *given], check=True)
    code = (
        "import sys\n"
        "from gracelint import cli\n"
        "calls = 0\n"
        "def count(frame, event, _):\n"
        "    global calls\n"
        "    calls += event in ('call', 'c_call')\n"
        "sys.setprofile(count)\n"
        "cli.main(['check', '.'])\n"
        "sys.setprofile(None)\n"
        "print(calls, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return int(done.stderr)
