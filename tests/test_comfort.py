"""The commands that say what gracelint has understood, and the one that sets a repository up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from gracelint import toml
from gracelint.base.record import replace
from gracelint.cli import main
from gracelint.cli.init import HOOKS
from gracelint.config import Settings, read_settings
from gracelint.report.rules import table
from gracelint.selection import every_rule

EVERY_SETTING = """\
select = ["launch", "kubernetes"]
ignore = ["missing-init"]
strict = true
exclude = ["legacy/", "a \\"b\\" \\U0001f433\\u0007"]
plugins = []
baseline = "known.json"
documentation = "https://docs.example.com/{rule}"
require-reason = true
cache = false
kubernetes-version = "1.31"
severity = {dev-server = "error"}
per-file-ignores = {"k8s/staging/*" = ["missing-pre-stop"]}
images = {"registry.example.com/shop/api" = "api/Dockerfile"}
budget = {pre-stop-seconds = 2.5, p95-request-seconds = 4, margin-seconds = 1}
charts = [{path = "charts/shop", values = ["prod.yaml"], set = {"web.replicas" = 3}}]
rules = {grace-period-too-short = {}}
workload-kinds = {}

[wrappers.run-with-secrets]
effect = "replaces"
values = ["--profile"]
source = "https://wiki.example.com/run-with-secrets"
"""
KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'


def deployment(name: str, image: str) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: {name}
          image: {image}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    for folder in ("api", "one/web", "two/web"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Dockerfile").write_text(KILLED)
    images = {"api": "shop/api:1", "web": "shop/web:1", "cache": "redis:7", "other": "shop/other:1"}
    manifests = "---\n".join(deployment(name, image) for name, image in images.items())
    (tmp_path / "k8s.yaml").write_text(manifests)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_links_have_reasons(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "show-links", "k8s.yaml").splitlines() == [
        "Deployment api, container api  k8s.yaml:10",
        "  shop/api:1 → api/Dockerfile:1 (the only Dockerfile that fits the image's name)",
        "Deployment web, container web  k8s.yaml:22",
        "  shop/web:1: 2 Dockerfiles fit its name (one/web/Dockerfile, two/web/Dockerfile): "
        "choose one in `[images]` of the settings",
        "Deployment cache, container cache  k8s.yaml:34",
        "  redis:7: a public image, whose ways are known",
        "Deployment other, container other  k8s.yaml:46",
        "  shop/other:1: no build and no Dockerfile here fits its name: "
        "if one builds it, say so in `[images]` of the settings",
    ]


def test_the_files_that_are_judged(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "show-files", "api", "k8s.yaml").splitlines() == ["api/Dockerfile", "k8s.yaml"]


class TestShowSettings:
    def test_those_that_hold_for_a_file(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (project / "api" / "gracelint.toml").write_text('strict = true\n[severity]\nmissing-init = "info"\n')
        lines = said(capsys, "show-settings", "api/Dockerfile", "k8s.yaml").splitlines()
        start = lines.index("# k8s.yaml: no settings file")
        assert lines[0] == "# api/Dockerfile: api/gracelint.toml"
        assert "strict = true" in lines[:start] and "strict = false" in lines[start:]
        assert 'severity = {missing-init = "info"}' in lines[:start]
        assert lines[-3:] == [
            "budget = {pre-stop-seconds = 15, margin-seconds = 2}",
            "# not set: baseline, documentation, kubernetes-version",
            "# not set: budget.drain-seconds; where nothing says more, 10 s are assumed",
        ]

    def test_what_is_told_could_be_the_settings(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (project / "gracelint.toml").write_text(EVERY_SETTING)
        told = said(capsys, "show-settings")
        (project / "told").mkdir()
        again = project / "told" / "gracelint.toml"
        again.write_text(told)
        assert "not set" not in told
        assert replace(read_settings(str(again)), file=None) == replace(read_settings("gracelint.toml"), file=None)
        assert toml.loads(told).keys() == json.loads(said(capsys, "config", "--schema"))["properties"].keys()


class TestExplain:
    def test_a_place(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = said(capsys, "explain", "api/Dockerfile:2")
        assert told.startswith("error[uncatchable-stop-signal]: ")
        assert "\n\n# uncatchable-stop-signal\n" in told

    def test_a_place_where_nothing_is_found(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = said(capsys, "explain", "api/Dockerfile:3", "api/../one/web/Dockerfile:1").splitlines()
        assert told[0] == "Nothing is found at api/Dockerfile:3. In this file something is said of api/Dockerfile:2."
        assert told[1:] == [
            "",
            "Nothing is found at api/../one/web/Dockerfile:1. "
            "In this file something is said of api/../one/web/Dockerfile:2.",
        ]

    def test_a_place_that_does_not_exist(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", "nowhere/Dockerfile:3"]) == 2
        assert capsys.readouterr().err == "gracelint: nowhere/Dockerfile: no such file\n"


class TestInit:
    def test_it_writes_settings_and_a_hook_and_says_so(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["init"]) == 0
        assert capsys.readouterr().err == (
            "Wrote gracelint.toml for 6 containers: 2 in Dockerfiles alone, 4 in manifests.\n"
            "Wrote .pre-commit-config.yaml: run `pre-commit install` once.\n"
            "\n"
            "`gracelint check` says what is wrong. To begin with new findings alone: "
            "`gracelint check --write-baseline FILE`,\n"
            'and `baseline = "FILE"` in the settings.\n'
        )
        settings = (project / "gracelint.toml").read_text()
        assert '# "shop/web:1" = "Dockerfile"\n# "shop/other:1" = "Dockerfile"\n' in settings
        assert "kubernetes-version" in settings
        assert read_settings(str(project / "gracelint.toml")).select == ()
        assert "      entry: gracelint check\n" in (project / HOOKS).read_text()

    def test_the_hook_is_the_published_one(self, project: Path) -> None:
        from pre_commit.clientlib import load_config, load_manifest

        assert main(["init", "-q"]) == 0
        (repository,) = load_config(str(project / HOOKS))["repos"]
        (hook,) = repository["hooks"]
        (published, _) = load_manifest(os.path.join(ROOT, ".pre-commit-hooks.yaml"))
        told = ("id", "name", "entry", "types_or", "exclude_types", "require_serial")
        assert {key: hook[key] for key in told} == {key: published[key] for key in told}

    def test_it_says_where_nothing_is_started(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        shutil.rmtree(project / "api")
        for path in (project / "k8s.yaml", *project.glob("*/web/Dockerfile")):
            path.unlink()
        assert main(["init"]) == 0
        wrote = "Wrote gracelint.toml; nothing that can be read here starts a container.\n"
        assert capsys.readouterr().err.startswith(wrote)

    def test_it_leaves_what_is_there(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (project / "pyproject.toml").write_text("[tool.gracelint]\nstrict = true\n")
        (project / HOOKS).write_text("repos: []\n")
        assert main(["init"]) == 0
        told = capsys.readouterr().err
        assert told.startswith(
            "pyproject.toml has settings already: left as it is.\n"
            ".pre-commit-config.yaml is there already: left as it is. What it needs is\n\n  - repo: local\n"
        )
        assert not (project / "gracelint.toml").exists()
        assert (project / HOOKS).read_text() == "repos: []\n"

    def test_it_writes_through_no_link(self, project: Path, tmp_path: Path) -> None:
        (project / "gracelint.toml").symlink_to(tmp_path / "elsewhere")
        assert main(["init"]) == 2
        assert not (tmp_path / "elsewhere").exists()


def test_rules_stand_in_groups_and_fit_into_the_line() -> None:
    rules = every_rule(Settings())
    lines = table(rules, "text", 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line and not line.startswith(" ")] == [
        *("dockerfile", "launch", "kubernetes", "program", "engine"),
    ]
    assert max(map(len, table(rules, "text").splitlines())) > 80
    assert len(json.loads(table(rules, "json"))) == len(rules)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("ch", "check"),
        ("check --diff-b", "--diff-base"),
        ("check --fail-on e", "error"),
        ("check --format chec", "checkstyle"),
        ("check --select laun", "launch"),
        ("trace --format h", "html"),
        ("explain missing-pr", "missing-pre-stop"),
        ("show-links k8", "k8s.yaml"),
    ],
)
def test_bash_completes(project: Path, capsys: pytest.CaptureFixture[str], typed: str, offered: str) -> None:
    pytest.importorskip("shtab", reason="shtab is not installed")
    with pytest.raises(SystemExit) as exit:
        main(["--print-completion", "bash"])
    assert exit.value.code == 0
    words = ["gracelint", *typed.split()]
    ask = f"COMP_WORDS=({' '.join(words)}) COMP_CWORD={len(words) - 1}; _shtab_gracelint gracelint {words[-1]}"
    script = f'{capsys.readouterr().out}\n{ask}\necho "${{COMPREPLY[@]}}"\n'
    done = subprocess.run(["bash", "--norc", "-c", script], cwd=project, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{offered}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_a_completion_script(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    pytest.importorskip("shtab", reason="shtab is not installed")
    with pytest.raises(SystemExit) as exit:
        main(["--print-completion", shell])
    assert exit.value.code == 0
    assert "diff-base" in capsys.readouterr().out


def test_a_completion_script_that_nobody_reads() -> None:
    pytest.importorskip("shtab", reason="shtab is not installed")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "gracelint", "--print-completion", "bash"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (2, "")
