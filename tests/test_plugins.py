"""Rule packs: what is one, where one may lie, and what becomes of a wrong name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = os.path.join(os.path.dirname(sys.executable), "gracelint")
COMMANDS = {"console script": [SCRIPT], "module": [sys.executable, "-m", "gracelint"]}
PACKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "packs")


def check(project: Path, *arguments: str, command: str = "module", **env: str) -> subprocess.CompletedProcess[str]:
    (project / "Dockerfile").write_text("FROM python:2\n")
    return subprocess.run(
        [*COMMANDS[command], "check", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | env,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def pack(folder: Path, name: str, rule: str) -> Path:
    (folder / name / "dockerfile").mkdir(parents=True)
    for path in ("__init__.py", "dockerfile/__init__.py"):
        (folder / name / path).write_text("")
    (folder / name / "dockerfile" / "bad_rule.py").write_text(rule)
    return folder


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        ('["os"]', "rule pack 'os' cannot be imported: it is no package"),
        ('["os.path"]', "rule pack 'os.path' cannot be imported: it is no package"),
        ('["antigravity"]', "rule pack 'antigravity' cannot be imported: it is no package"),
        (
            '["json"]',
            "rule pack 'json' cannot be imported: it has no rules in ",
        ),
        ('["no_such_pack"]', "rule pack 'no_such_pack' cannot be imported: no package of that name is installed"),
        ('["../evil"]', "rule pack '../evil' cannot be imported: no package of that name is installed"),
        ('[""]', "rule pack '' cannot be imported: no package of that name is installed"),
        ('["a..b"]', "rule pack 'a..b' cannot be imported: no package of that name is installed"),
        ('["gracelint_rules"]', "are the same rule"),
        ('"json"', 'plugins must be a list of strings, such as ["…"]'),
    ],
)
def test_what_is_no_pack_is_a_mistake_in_the_settings(project: Path, plugins: str, message: str) -> None:
    (project / "gracelint.toml").write_text(f"plugins = {plugins}\n")
    done = check(project)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("raise ValueError('first\\nsecond')", "ValueError: first second"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def", "SyntaxError: invalid syntax (bad_rule.py, line 1)"),
    ],
)
def test_a_pack_that_breaks_is_one_line(project: Path, tmp_path: Path, rule: str, reason: str) -> None:
    (project / "gracelint.toml").write_text('plugins = ["acme_broken"]\n')
    done = check(project, PYTHONPATH=str(pack(tmp_path / "packs", "acme_broken", rule)))
    assert done.returncode == 2
    assert done.stderr == f"gracelint: acme_broken.dockerfile.bad_rule cannot be imported: {reason}\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("path", [None, ".", "src"])
def test_nothing_of_the_linted_project_is_loaded(project: Path, tmp_path: Path, command: str, path: str | None) -> None:
    marker = tmp_path / "ran"
    pack(project / (path or "."), "evil", f"open({str(marker)!r}, 'w')")
    (project / (path or ".") / "evil" / "__init__.py").write_text(f"open({str(marker)!r}, 'w')")
    (project / "gracelint.toml").write_text('plugins = ["evil"]\n')
    done = check(project, command=command, **({} if path is None else {"PYTHONPATH": path}))
    assert done.returncode == 2
    if path is None or path == ".":
        assert done.stderr == "gracelint: rule pack 'evil' cannot be imported: no package of that name is installed\n"
    else:
        reason = "it lies in the linted project, of which nothing is run"
        assert done.stderr == f"gracelint: rule pack 'evil' cannot be imported: {reason}\n"
    assert not marker.exists()


def test_no_plugins_leaves_them_alone_and_takes_their_rules_for_known(project: Path) -> None:
    (project / "gracelint.toml").write_text('plugins = ["acme_rules"]\nignore = ["step-up"]\n')
    assert "old-python" in check(project, PYTHONPATH=PACKS).stdout
    done = check(project, "--no-plugins", PYTHONPATH=PACKS)
    assert (done.returncode, done.stderr) == (0, "")
    assert "old-python" not in done.stdout


def test_an_option_of_the_wrong_kind_is_a_mistake_in_the_settings(project: Path) -> None:
    (project / "gracelint.toml").write_text('plugins = ["acme_rules"]\nrules.old-python.oldest = "three"\n')
    done = check(project, PYTHONPATH=PACKS)
    assert done.returncode == 2
    assert done.stderr == "gracelint: rules.old-python.oldest must be a number, 0 or more, not 'three'\n"
