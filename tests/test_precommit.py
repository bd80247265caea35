"""The hooks, as `pre-commit try-repo` runs them: from a clone, in an environment of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
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


def try_repo(hooks: Path, project: Path, hook: str) -> subprocess.CompletedProcess[str]:
    git(project, "add", "-A")
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), hook, "--all-files"]
    environment = os.environ | {"PRE_COMMIT_HOME": str(hooks.parent / "pre-commit"), "PRE_COMMIT_COLOR": "never"}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def test_the_hook_fails_and_passes(hooks: Path, project: Path) -> None:
    (project / "Dockerfile").write_text(KILLED)
    failed = try_repo(hooks, project, "gracelint")
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "error[uncatchable-stop-signal]" in failed.stdout
    (project / "Dockerfile").write_text('FROM x\nCMD ["app"]\n')
    passed = try_repo(hooks, project, "gracelint")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Passed" in passed.stdout


def test_a_changed_manifest_is_judged_with_the_dockerfile_it_runs(hooks: Path, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM python:3.12-slim\nCMD gunicorn app:app\n")
    (project / "compose.yaml").write_text("services:\n  web:\n    build: .\n")
    git(project, "add", "-A")
    git(project, "-c", "commit.gpgsign=false", "commit", "-qm", "before", "--no-verify")
    (project / "compose.yaml").write_text("services:\n  web:\n    build: .\n    stop_signal: SIGKILL\n")
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), "gracelint", "--files", "compose.yaml"]
    environment = os.environ | {"PRE_COMMIT_HOME": str(hooks.parent / "pre-commit"), "PRE_COMMIT_COLOR": "never"}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "compose.yaml:4" in done.stdout
