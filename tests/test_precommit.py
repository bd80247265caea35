"""The hooks, as pre-commit runs them: from a clone, in an environment of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from conftest import FIXTURES, ROOT, case_files

KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'
CLEAN = 'FROM x\nCMD ["app"]\n'
STARTS = "#!/bin/sh\npython app.py\n"
FORKING = "import time\nfrom signal import *\nsignal(SIGTERM, lambda *_: exit(0))\nwhile True:\n    time.sleep(1)\n"

Done = subprocess.CompletedProcess[str]
Hook = Callable[..., Done]


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a repository to install the hook from: what git tracks, as it lies in the work tree."""
    if shutil.which("git") is None or not os.path.exists(os.path.join(ROOT, ".git")):
        if os.environ.get("CI"):
            pytest.fail("the hook cannot be tried: no git, or no repository here")
        pytest.skip("the project is no git repository here")
    copy = tmp_path_factory.mktemp("hooks")
    tracked = git(
        Path(ROOT), "ls-files", "-z", "src", "rules", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"
    )
    for path in filter(None, tracked.split("\0")):
        source = os.path.join(ROOT, path)
        if os.path.exists(source):
            os.makedirs(copy / os.path.dirname(path), exist_ok=True)
            shutil.copy(source, copy / path)
    git(copy, "init", "-q")
    git(copy, "add", "-A")
    git(copy, "commit", "-qm", "hooks")
    return copy


@pytest.fixture
def hook(hooks: Path, tmp_path: Path) -> Hook:
    """Runs a hook in a project that has it in its configuration."""
    git(tmp_path, "init", "-q")
    revision = git(hooks, "rev-parse", "HEAD")
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hooks}\n    rev: {revision}\n    hooks: [{{id: gracelint}}, {{id: gracelint-fix}}]\n"
    )
    environment = os.environ | {"PRE_COMMIT_HOME": str(hooks.parent / "pre-commit"), "PRE_COMMIT_COLOR": "never"}

    def run(name: str, *arguments: str) -> Done:
        command = [sys.executable, "-m", "pre_commit", "run", name, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


def stage(project: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    git(project, "add", "-A")


def test_the_hook_fails_and_passes(hook: Hook, tmp_path: Path) -> None:
    stage(tmp_path, {"Dockerfile": KILLED})
    failed = hook("gracelint")
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "error[uncatchable-stop-signal]" in failed.stdout
    stage(tmp_path, {"Dockerfile": CLEAN})
    passed = hook("gracelint")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Passed" in passed.stdout


def case(name: str) -> dict[str, str]:
    return case_files(os.path.join(FIXTURES, name))


PROJECTS = {
    "an entry script without an extension": (
        "entrypoint",
        {"Dockerfile": 'FROM python:3.12-slim\nCOPY . .\nENTRYPOINT ["sh", "./entrypoint"]\n', "entrypoint": STARTS},
        "error[script-without-exec]",
    ),
    "a script for bash": (
        "run.bash",
        {"Dockerfile": 'FROM python:3.12-slim\nCOPY . .\nENTRYPOINT ["bash", "run.bash"]\n', "run.bash": STARTS},
        "error[script-without-exec]",
    ),
    "a manifest in JSON": (
        "pod.json",
        {
            "pod.json": '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec":\n'
            ' {"terminationGracePeriodSeconds": 0, "containers": [{"name": "a", "image": "nginx:1.27"}]}}\n'
        },
        "[zero-grace-period]",
    ),
    "a Makefile": ("Makefile", case("swallowing-wrapper/make-list"), "error[swallowing-wrapper]"),
    "a supervisord.conf": ("supervisord.conf", case("deadline-in-between/grace-too"), "error[deadline-in-between]"),
    "a Dockerfile by another name": ("Dockerfile-prod", {"Dockerfile-prod": KILLED}, "[uncatchable-stop-signal]"),
}


@pytest.mark.parametrize("what", PROJECTS)
def test_files_of_all_kinds_are_handed_over(hook: Hook, tmp_path: Path, what: str) -> None:
    changed, files, expected = PROJECTS[what]
    stage(tmp_path, {"app.py": FORKING, **files})
    done = hook("gracelint", "--files", changed)
    assert done.returncode == 1, done.stdout + done.stderr
    assert expected in done.stdout


def test_prose_is_not(hook: Hook, tmp_path: Path) -> None:
    stage(tmp_path, {"README.md": KILLED, "docs/page.html": KILLED})
    done = hook("gracelint", "--files", "README.md", "docs/page.html")
    assert done.returncode == 0
    assert "(no files to check)Skipped" in done.stdout


def test_all_files_are_one_project(hook: Hook, tmp_path: Path) -> None:
    stage(tmp_path, {"Dockerfile": KILLED, "compose.yaml": "services:\n  web:\n    build: .\n", "app.py": FORKING})
    done = hook("gracelint", "--all-files")
    assert done.returncode == 1
    assert "Found 1 error in 1 file." in done.stdout


def test_a_changed_manifest_is_judged_with_the_dockerfile_it_runs(hook: Hook, tmp_path: Path) -> None:
    stage(tmp_path, {"Dockerfile": "FROM python:3.12-slim\nCMD gunicorn app:app\n", "compose.yaml": "services: {}\n"})
    git(tmp_path, "commit", "-qm", "before", "--no-verify")
    stage(tmp_path, {"compose.yaml": "services:\n  web:\n    build: .\n    stop_signal: SIGKILL\n"})
    done = hook("gracelint")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "compose.yaml:4" in done.stdout


def test_a_project_within_has_settings_of_its_own(hook: Hook, tmp_path: Path) -> None:
    ignoring = 'ignore = ["uncatchable-stop-signal"]\n'
    stage(tmp_path, {"a/Dockerfile": KILLED, "b/Dockerfile": KILLED, "b/gracelint.toml": ignoring})
    done = hook("gracelint", "--all-files")
    assert done.returncode == 1
    assert "a/Dockerfile:2" in done.stdout
    assert "b/Dockerfile" not in done.stdout


def test_what_is_staged_counts(hook: Hook, tmp_path: Path) -> None:
    stage(tmp_path, {"Dockerfile": KILLED})
    (tmp_path / "Dockerfile").write_text(CLEAN)
    assert hook("gracelint").returncode == 1
    assert (tmp_path / "Dockerfile").read_text() == CLEAN
    stage(tmp_path, {"Dockerfile": CLEAN})
    (tmp_path / "Dockerfile").write_text(KILLED)
    assert hook("gracelint").returncode == 0
    assert (tmp_path / "Dockerfile").read_text() == KILLED


def test_the_other_hook_fixes(hook: Hook, tmp_path: Path) -> None:
    stage(
        tmp_path,
        {
            "Dockerfile": 'FROM python:3.12-slim\nCOPY . .\nENTRYPOINT ["sh", "./entrypoint"]\n',
            "entrypoint": STARTS,
            "app.py": FORKING,
        },
    )
    done = hook("gracelint-fix")
    assert "files were modified by this hook" in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "entrypoint").read_text() == "#!/bin/sh\nexec python app.py\n"
    git(tmp_path, "add", "-A")
    assert hook("gracelint-fix").returncode == 0
