"""Asking git which files there are runs git, and nothing that a tree brings along."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gracelint.tree import git
from gracelint.tree.discover import discover, scope_of

STRACE = shutil.which("strace")
COMMANDS = {
    "console script": [os.path.join(os.path.dirname(sys.executable), "gracelint")],
    "module": [sys.executable, "-m", "gracelint"],
}


def run_git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def baited(folder: Path, marker: Path) -> Path:
    """A repository whose settings run a command in every way known, and one of whose objects has to be fetched."""
    run_git(folder, "init", "-q", ".")
    (folder / "k8s").mkdir()
    (folder / "k8s" / ".gitignore").write_text("*.tmp\n")
    (folder / "Dockerfile").write_text('FROM scratch\nCMD ["/app"]\n')
    run_git(folder, "add", ".")
    run_git(folder, "commit", "-qm", "x")
    blob = run_git(folder, "rev-parse", "HEAD:k8s/.gitignore").strip()
    run_git(folder, "update-index", "--skip-worktree", "k8s/.gitignore")
    (folder / "k8s" / ".gitignore").unlink()
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    bait = f"touch {marker}; false"
    settings = {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": "ssh://example.invalid/x",
        "remote.origin.promisor": "true",
        "core.sshCommand": bait,
        "core.gitProxy": bait,
        "core.fsmonitor": bait,
        "core.pager": bait,
        "core.askPass": bait,
        "core.editor": bait,
        "credential.helper": f"!{bait}",
        "alias.ls-files": f"!{bait}",
        "pager.ls-files": bait,
        "protocol.allow": "always",
    }
    for key, value in settings.items():
        run_git(folder, "config", key, value)
    hooks = folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction"):
        (hooks / hook).write_text(f"#!/bin/sh\n{bait}\n")
        (hooks / hook).chmod(0o755)
    return folder


def as_tracked_bare_layout(source: Path, folder: Path) -> Path:
    """The same as plain files in a folder, which git takes for a bare repository when it runs there."""
    shutil.copytree(source / ".git", folder, dirs_exist_ok=True)
    run_git(folder, "config", "core.bare", "false")
    run_git(folder, "config", "core.worktree", ".")
    for path in ("gracelint.toml", "k8s/.keep"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("")
    return folder


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "ran"


@pytest.fixture(params=["tracked bare layout", "a .git that came in an archive", "a .git file that names a folder"])
def hostile(request: pytest.FixtureRequest, tmp_path: Path, marker: Path) -> Path:
    (tmp_path / "source").mkdir()
    source = baited(tmp_path / "source", marker)
    project = tmp_path / "project"
    if request.param == "tracked bare layout":
        project.mkdir()
        run_git(project, "init", "-q", ".")
        return as_tracked_bare_layout(source, project / "charts")
    shutil.copytree(source, project)
    if request.param == "a .git file that names a folder":
        (project / ".git").rename(project / "data")
        (project / ".git").write_text("gitdir: data\n")
    return project


def test_the_bait_works_on_plain_git(hostile: Path, marker: Path) -> None:
    subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=hostile, capture_output=True)
    assert marker.exists()


@pytest.mark.skipif(STRACE is None, reason="what is started is seen by strace, which is not installed")
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_but_git_starts(hostile: Path, marker: Path, tmp_path: Path, command: str) -> None:
    log = tmp_path / "log"
    watched = [str(STRACE), "-f", "-qq", "-e", "trace=execve", "-o", str(log), *COMMANDS[command]]
    done = subprocess.run([*watched, "check", "."], cwd=hostile, capture_output=True, text=True, timeout=120)
    if "ptrace" in done.stderr.lower():
        pytest.skip(f"what is started is seen by strace, which may not watch here: {done.stderr.strip()}")
    started = re.findall(r'execve\("([^"]*)".* = 0$', log.read_text(), re.MULTILINE)
    assert [os.path.basename(path) for path in started[1:]] in (["git"], ["git", "git"])
    assert not marker.exists()
    assert done.stderr == ""


def test_files_are_listed_without_the_settings_of_the_tree(hostile: Path, marker: Path) -> None:
    found = discover(str(hostile), scope_of(str(hostile), [str(hostile)]))
    assert ("Dockerfile" in dict(found.files)) == (hostile / "Dockerfile").exists()
    assert not marker.exists()


def test_git_is_not_looked_for_in_the_tree(tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a relative entry of the search path, nor by `node_modules/.bin`, which npm puts there."""
    run_git(tmp_path, "init", "-q", ".")
    for folder in (tmp_path, tmp_path / "node_modules" / ".bin"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "git").write_text(f"#!/bin/sh\ntouch {marker}\n")
        (folder / "git").chmod(0o755)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".::{tmp_path}/node_modules/.bin:{os.environ['PATH']}")
    assert "Dockerfile" in (git.tracked(str(tmp_path)) or ())
    assert not marker.exists()


def test_a_repository_without_git_or_with_a_broken_index_is_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_git(tmp_path, "init", "-q", ".")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / ".git" / "index").write_bytes(b"DIRC nonsense")
    scope = scope_of(str(tmp_path), [str(tmp_path)])
    assert git.tracked(str(tmp_path)) is None
    assert dict(discover(str(tmp_path), scope).files) == {"Dockerfile": "dockerfile"}
    (tmp_path / ".git" / "index").unlink()
    monkeypatch.setenv("PATH", "")
    assert git.tracked(str(tmp_path)) is None
    assert dict(discover(str(tmp_path), scope).files) == {"Dockerfile": "dockerfile"}


@pytest.mark.parametrize("path", [".gitignore", ".git/index", ".git/info/exclude", ".git/config"])
def test_a_pipe_in_place_of_a_file_of_git_costs_no_more_than_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(git, "SILENCE", 200)
    run_git(tmp_path, "init", "-q", ".")
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).unlink(missing_ok=True)
    os.mkfifo(tmp_path / path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    started = time.monotonic()
    found = discover(str(tmp_path), scope_of(str(tmp_path), [str(tmp_path)]))
    assert dict(found.files) == {"Dockerfile": "dockerfile"}
    assert time.monotonic() - started < 10


def test_linked_work_trees_and_excludes_of_the_clone_are_known(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"
    main.mkdir()
    run_git(main, "init", "-q", ".")
    (main / "Dockerfile").write_text("FROM scratch\n")
    run_git(main, "add", ".")
    run_git(main, "commit", "-qm", "x")
    run_git(main, "worktree", "add", "-q", str(linked))
    (main / ".git" / "info").mkdir(exist_ok=True)
    (main / ".git" / "info" / "exclude").write_text("local.yaml\n")
    for folder in (main, linked):
        (folder / "local.yaml").write_text("")
        (folder / "new.yaml").write_text("")
        assert sorted(git.tracked(str(folder)) or ()) == ["Dockerfile", "new.yaml"]
        assert git.ignored(str(folder)) == ["local.yaml"]


def test_a_sparse_index_is_listed(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q", ".")
    for path in ("a/Dockerfile", "b/Dockerfile"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("FROM scratch\n")
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "commit", "-qm", "x")
    run_git(tmp_path, "sparse-checkout", "set", "--cone", "--sparse-index", "a")
    assert "a/Dockerfile" in (git.tracked(str(tmp_path)) or ())
