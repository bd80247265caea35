"""The GitHub action and the GitLab component: each of their scripts, run as the services run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from conftest import ROOT

KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'
GRACELINT = f'#!/bin/sh\nexec {sys.executable} -m gracelint "$@"\n'
PIP = '#!/bin/sh\nprintf "%s\\n" "$@" > "$LOG"\n'
PYTHON = '#!/bin/sh\nmkdir -p "$3/bin" && cp "$PIP" "$3/bin/pip" && printf "%s\\n" "$@" > "$LOG.python"\n'


def documents(name: str) -> list[Any]:
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return list(YAML(typ="safe").load_all(file))


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, signal in (("api", "SIGKILL"), ("a b", "SIGSTOP"), ("$(touch owned)", "SIGKILL")):
        (folder / name).mkdir(parents=True)
        (folder / name / "Dockerfile").write_text(KILLED.replace("SIGKILL", signal))
    executable(tmp_path / "tools" / "gracelint" / "bin" / "gracelint", GRACELINT)
    return folder


def run(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A script as the services run it: bash that stops at the first error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRACELINT_")}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    given = environment | variables
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=120)


class TestAction:
    ACTION = documents("action.yml")[0]

    def step(self, name: str) -> dict[str, Any]:
        (found,) = [step for step in self.ACTION["runs"]["steps"] if step["name"] == name]
        assert isinstance(found, dict)
        return found

    def environment(self, name: str, **inputs: str) -> dict[str, str]:
        """What the step's `env` comes to; an input that is not given has its default."""
        defaults = {key: str(row.get("default", "")) for key, row in self.ACTION["inputs"].items()}
        values = {f"inputs.{key}": value for key, value in (defaults | inputs).items()}
        values["github.action_path"] = "/the/action"
        return {key: values[text.strip("${} ")] for key, text in self.step(name)["env"].items()}

    def check(self, project: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        inputs = {key.replace("_", "-"): value for key, value in inputs.items()}
        variables = {
            "RUNNER_TEMP": str(project.parent / "tools"),
            "GITHUB_STEP_SUMMARY": str(project.parent / "sum.md"),
        }
        return run(self.step("Check")["run"], project, **self.environment("Check", **inputs), **variables)

    def test_its_inputs(self) -> None:
        assert list(self.ACTION["inputs"]) == ["version", "paths", "args", "fail-on", "sarif", "baseline", "diff-base"]

    def test_no_script_has_an_input_written_into_it(self) -> None:
        assert not any("${{" in step.get("run", "") for step in self.ACTION["runs"]["steps"])

    def test_findings_are_annotations_and_a_summary(self, project: Path) -> None:
        done = self.check(project, paths="api")
        assert done.returncode == 1
        assert done.stdout.startswith("::error file=api/Dockerfile,line=2,")
        assert done.stderr == ""
        summary = (project.parent / "sum.md").read_text()
        assert summary.startswith("## gracelint\n\n🔴 1 error in 1 file.\n")
        assert "| Container |" in summary

    def test_paths_are_lines_and_nothing_in_them_is_run(self, project: Path) -> None:
        done = self.check(project, paths="a b\n\n$(touch owned)\n")
        assert [line.split(",")[0] for line in done.stdout.splitlines()] == [
            "::error file=$(touch owned)/Dockerfile",
            "::error file=a b/Dockerfile",
        ]
        assert sorted(os.listdir(project)) == ["$(touch owned)", "a b", "api"]

    def test_options_are_passed_on(self, project: Path) -> None:
        done = self.check(project, paths="api", fail_on="never", sarif="out.sarif", args="--strict -v")
        assert done.returncode == 0
        assert json.loads((project / "out.sarif").read_text())["version"] == "2.1.0"
        assert self.check(project, diff_base="main").returncode == 2
        assert self.check(project, baseline="missing.json").returncode == 2

    @pytest.mark.parametrize(("version", "wanted"), [("", "/the/action"), ("0.1.0", "gracelint==0.1.0")])
    def test_it_installs_itself_or_a_version(self, tmp_path: Path, version: str, wanted: str) -> None:
        executable(tmp_path / "bin" / "python3", PYTHON)
        pip = executable(tmp_path / "pip", PIP)
        log = tmp_path / "log"
        variables = {"RUNNER_TEMP": str(tmp_path), "PIP": str(pip), "LOG": str(log)}
        variables["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        step = self.step("Install gracelint")
        done = run(step["run"], tmp_path, **self.environment("Install gracelint", version=version), **variables)
        assert (done.returncode, done.stderr) == (0, "")
        assert log.read_text().split() == ["install", "--quiet", wanted]

    def test_sarif_is_uploaded_where_there_is_some(self) -> None:
        step = self.step("Upload SARIF")
        assert step["if"] == "${{ !cancelled() && inputs.sarif != '' }}"
        assert step["uses"].startswith("github/codeql-action/upload-sarif@")
        assert step["with"] == {"sarif_file": "${{ inputs.sarif }}"}


class TestComponent:
    SPEC, JOBS = documents("templates/gracelint.yml")

    def variables(self, **inputs: str) -> dict[str, str]:
        defaults = {key: str(row["default"]) for key, row in self.SPEC["spec"]["inputs"].items()}
        values = defaults | {key.replace("_", "-"): value for key, value in inputs.items()}
        found = {}
        for name, text in self.JOBS["gracelint"]["variables"].items():
            for key, value in values.items():
                text = text.replace(f"$[[ inputs.{key} ]]", value)
            found[name] = text
        return found

    def check(self, project: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        script = self.JOBS["gracelint"]["script"][1]
        return run(script, project, TMPDIR=str(project.parent / "tools"), **self.variables(**inputs))

    def test_every_input_is_used_and_none_in_a_script(self) -> None:
        job = json.dumps(self.JOBS)
        assert all(f"$[[ inputs.{name} ]]" in job for name in self.SPEC["spec"]["inputs"])
        assert not any("$[[" in line for line in self.JOBS["gracelint"]["script"])

    def test_findings_are_text_and_a_report(self, project: Path) -> None:
        done = self.check(project, paths="api\na b")
        assert done.returncode == 1
        assert "Found 2 errors in 2 files." in done.stdout
        report = self.JOBS["gracelint"]["artifacts"]["reports"]["codequality"]
        issues = json.loads((project / report).read_text())
        assert [issue["location"]["path"] for issue in issues] == ["a b/Dockerfile", "api/Dockerfile"]

    def test_options_are_passed_on(self, project: Path) -> None:
        assert self.check(project, paths="$(touch owned)", fail_on="never", args="--strict").returncode == 0
        assert not (project / "owned").exists()
        assert self.check(project, baseline="missing.json").returncode == 2

    def test_it_installs_the_package(self, tmp_path: Path) -> None:
        executable(tmp_path / "bin" / "python3", PYTHON)
        pip = executable(tmp_path / "pip", PIP)
        variables = {"TMPDIR": str(tmp_path), "PIP": str(pip), "LOG": str(tmp_path / "log")}
        variables["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        script = self.JOBS["gracelint"]["script"][0]
        done = run(script, tmp_path, **self.variables(package="gracelint==0.1.0"), **variables)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / "log").read_text().split() == ["install", "--quiet", "gracelint==0.1.0"]
