"""`--diff-base` and baselines: what a change has brought, and what is known."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from gracelint.cli import main

OLD = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'
NEW = OLD.replace("SIGKILL", "SIGSTOP")
FINE = 'FROM x\nCMD ["app"]\n'


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`web` has a finding on main; the branch that is checked out adds one in `new`."""
    folder = tmp_path / "repository"
    for name, text in (("web", OLD), ("new", FINE)):
        (folder / name).mkdir(parents=True)
        (folder / name / "Dockerfile").write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "checkout", "-qb", "change")
    (folder / "new" / "Dockerfile").write_text(f"# new\n{NEW}")
    (folder / "web" / "Dockerfile").write_text(f"# moved down\n{OLD}")
    monkeypatch.chdir(folder)
    return folder


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    main(["check", "--format", "concise", *arguments])
    return [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()]


class TestDiffBase:
    @pytest.mark.parametrize("revision", ["main", "HEAD", "@", "refs/heads/main"])
    def test_only_what_the_change_brings(
        self, repository: Path, capsys: pytest.CaptureFixture[str], revision: str
    ) -> None:
        assert found(capsys) == ["new/Dockerfile:3:12", "web/Dockerfile:3:12"]
        assert found(capsys, "--diff-base", revision) == ["new/Dockerfile:3:12"]

    def test_the_summary_says_what_was_there_before(
        self, repository: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        main(["check", "--diff-base", "main", "--format", "text", "--format", f"markdown={tmp_path / 'summary.md'}"])
        assert "\nFound 1 error in 1 file. (1 older than the change)\n" in capsys.readouterr().out
        assert "1 error, 1 older than the change in " in (tmp_path / "summary.md").read_text()

    def test_ids_ancestors_and_packed_names(self, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
        git(repository, "commit", "-qam", "two")
        git(repository, "pack-refs", "--all")
        commit = git(repository, "rev-parse", "main").strip()
        for revision in ("main", commit, commit[:9], "HEAD~1", "change^"):
            assert found(capsys, "--diff-base", revision) == ["new/Dockerfile:3:12"]
        assert found(capsys, "--diff-base", "HEAD") == []

    def test_what_came_to_the_base_since_is_not_the_changes(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        git(repository, "commit", "-qam", "two")
        git(repository, "checkout", "-q", "main")
        (repository / "web" / "Dockerfile").write_text(FINE)
        git(repository, "commit", "-qam", "mended on main")
        git(repository, "checkout", "-q", "change")
        assert found(capsys, "--diff-base", "main") == ["new/Dockerfile:3:12"]

    def test_a_change_elsewhere_that_makes_a_finding_is_found(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (repository / "new" / "Dockerfile").write_text('FROM alpine\nCOPY go.sh /\nENTRYPOINT ["/go.sh"]\n')
        (repository / "new" / "go.sh").write_text("#!/bin/sh\nexec gunicorn app:app\n")
        git(repository, "add", ".")
        git(repository, "commit", "-qm", "two")
        (repository / "new" / "go.sh").write_text("#!/bin/sh\ngunicorn app:app\n")
        assert found(capsys, "--diff-base", "HEAD") == ["new/go.sh:2:1"]

    def test_below_the_root_and_of_some_paths(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(repository / "web")
        assert found(capsys, "--diff-base", "main", ".") == []
        assert found(capsys, "--diff-base", "main", "../new") == ["../new/Dockerfile:3:12"]

    def test_a_file_that_is_moved_as_it_is_brings_nothing(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        git(repository, "checkout", "-q", "--", ".")
        (repository / "web").rename(repository / "renamed")
        assert found(capsys) == ["renamed/Dockerfile:2:12"]
        assert found(capsys, "--diff-base", "main") == []

    def test_rules_that_a_change_turns_on_are_part_of_it(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (repository / "gracelint.toml").write_text('ignore = ["uncatchable-stop-signal"]\n')
        git(repository, "add", ".")
        git(repository, "commit", "-qm", "two")
        (repository / "gracelint.toml").write_text("")
        assert found(capsys, "--diff-base", "HEAD") == ["new/Dockerfile:3:12", "web/Dockerfile:3:12"]

    @pytest.mark.parametrize("revision", ["nowhere", "main:web", "--output=x", "main..change", "../../x", "HEAD~99"])
    def test_what_git_does_not_know(self, repository: Path, capsys: pytest.CaptureFixture[str], revision: str) -> None:
        assert main(["check", f"--diff-base={revision}"]) == 2
        assert capsys.readouterr().err == (
            f"gracelint: --diff-base: git knows no revision {revision!r} here (a shallow clone has few)\n"
        )

    def test_outside_of_a_repository(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["check", "--diff-base", "main"]) == 2
        assert "is in no git repository, or there is no git" in capsys.readouterr().err

    def test_nothing_is_run_and_nothing_is_left_behind(
        self, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bait, temporary = tmp_path / "bait", tmp_path / "temporary"
        temporary.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(temporary))
        (repository / ".gitattributes").write_text("* filter=x diff=x export-subst\n")
        git(repository, "add", ".")
        git(repository, "commit", "-qm", "two")
        for key in ("filter.x.smudge", "filter.x.process", "diff.x.textconv", "core.fsmonitor", "core.sshCommand"):
            git(repository, "config", key, f"touch {bait}")
        (repository / ".git" / "hooks" / "post-checkout").write_text(f"#!/bin/sh\ntouch {bait}\n")
        (repository / ".git" / "hooks" / "post-checkout").chmod(0o755)
        assert found(capsys, "--diff-base", "main") == ["new/Dockerfile:3:12"]
        assert not bait.exists()
        assert os.listdir(temporary) == []

    def test_a_tree_made_by_hand_writes_nowhere_else(
        self, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        blob = git(repository, "hash-object", "-w", "web/Dockerfile").strip()
        (repository / "target").write_text(str(outside))
        link = git(repository, "hash-object", "-w", "target").strip()
        inner = mktree(repository, f"100644 blob {blob}\tDockerfile\n120000 blob {link}\tlink\n")
        rows = f"120000 blob {link}\ta\n040000 tree {inner}\ta\n040000 tree {inner}\t..\n040000 tree {inner}\tb\n"
        commit = git(repository, "commit-tree", "-m", "x", raw_tree(repository, rows)).strip()
        assert main(["check", "--format", "concise", "--diff-base", commit]) == 1
        assert list(outside.iterdir()) == []
        assert not (tmp_path / "Dockerfile").exists()


def mktree(folder: Path, rows: str) -> str:
    return subprocess.run(
        ["git", "mktree"], cwd=folder, input=rows, check=True, capture_output=True, text=True
    ).stdout.strip()


def raw_tree(folder: Path, rows: str) -> str:
    """A tree as no git would make it: `..` and a name twice."""
    body = b""
    for row in rows.splitlines():
        head, name = row.split("\t")
        mode, _, object_id = head.split()
        body += f"{mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(object_id)
    command = ["git", "hash-object", "-w", "-t", "tree", "--literally", "--stdin"]
    done = subprocess.run(command, cwd=folder, input=body, check=True, capture_output=True)
    return done.stdout.decode().strip()


class TestBaseline:
    def test_the_settings_name_it(self, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "-q", "--write-baseline", "known.json", "web"]) == 0
        (repository / "gracelint.toml").write_text('baseline = "known.json"\n')
        assert found(capsys) == ["new/Dockerfile:3:12"]
        assert found(capsys, "web") == []

    def test_entries_that_can_go_are_named(self, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "-q", "--write-baseline", "known.json"]) == 0
        (repository / "web" / "Dockerfile").write_text(FINE)
        assert main(["check", "--baseline", "known.json", "web"]) == 0
        assert capsys.readouterr().err == (
            "1 entry of the baseline can go, as nothing is found there any more:\n"
            "  web/Dockerfile: uncatchable-stop-signal: STOPSIGNAL SIGKILL\n"
        )

    def test_entries_of_files_that_were_not_asked_for_stay(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["check", "-q", "--write-baseline", "known.json"]) == 0
        assert main(["check", "--baseline", "known.json", "new"]) == 0
        assert capsys.readouterr().err == ""
        assert len(json.loads((repository / "known.json").read_text())["findings"]) == 2
