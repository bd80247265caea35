"""Which files a run reads, and why it leaves others out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gracelint.config import ConfigError, Configuration, Settings
from gracelint.tree.discover import UNMARKED_LIMIT, Found, Skip, discover, kind_of, scope_of
from gracelint.tree.files import LIMIT, ProjectFiles, UnreadableError


def tree(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("FROM scratch\n")


def find(root: Path, *paths: str, exclude: tuple[str, ...] = (), around: int | None = None) -> Found:
    scope = scope_of(str(root), [str(root / path) for path in paths])
    configuration = Configuration(str(root), fixed=Settings(exclude=exclude))
    return discover(str(root), scope, excludes=configuration.excludes, around=around)


def names(found: Found) -> list[str]:
    return [path for path, _ in found.files]


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.prod", "dockerfile"),
        ("api.Dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("Dockerfile.dockerignore", "other"),
        ("deploy.yaml", "manifest"),
        ("compose.yml", "manifest"),
        ("pod.json", "manifest"),
        ("app.py", "program"),
        ("package.json", "program"),
        ("app.sh", "other"),
    ],
)
def test_kinds_by_name(name: str, kind: str) -> None:
    assert kind_of(f"some/folder/{name}") == kind


def test_a_folder_stands_for_all_below_it(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "k8s/deploy.yaml", "src/app.sh")
    assert names(find(tmp_path, ".")) == ["Dockerfile", "k8s/deploy.yaml"]


def test_programs_matter_by_themselves_only_where_they_are_reported_on(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "a/app.py", "a/server.js", "b/app.py")
    assert names(find(tmp_path, "a")) == ["Dockerfile", "a/app.py"]
    assert names(find(tmp_path, "a/server.js")) == ["Dockerfile", "a/server.js"]


def test_the_project_around_a_file_is_read_too(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "k8s/deploy.yaml")
    assert names(find(tmp_path, "k8s/deploy.yaml")) == ["Dockerfile", "k8s/deploy.yaml"]
    assert names(find(tmp_path, "k8s/deploy.yaml", around=0)) == ["k8s/deploy.yaml"]
    assert names(find(tmp_path, "k8s", around=0)) == ["k8s/deploy.yaml"]


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such file or folder"):
        find(tmp_path, "nowhere.yaml")


def test_vendored_and_excluded_folders_are_skipped_with_a_reason(tmp_path: Path) -> None:
    tree(tmp_path, "node_modules/x/Dockerfile", "old/Dockerfile", "a.gen.yaml", "Dockerfile")
    found = find(tmp_path, ".", exclude=("old", "*.gen.yaml"))
    assert names(found) == ["Dockerfile"]
    assert found.skipped == (
        Skip("a.gen.yaml", "excluded by the configuration"),
        Skip("node_modules/", "vendored or generated"),
        Skip("old/", "excluded by the configuration"),
    )


def test_excluding_beats_naming_the_file_as_pre_commit_does(tmp_path: Path) -> None:
    tree(tmp_path, "old/Dockerfile")
    found = find(tmp_path, "old/Dockerfile", exclude=("old",))
    assert names(found) == []
    assert Skip("old/Dockerfile", "excluded by the configuration") in found.skipped


def test_git_says_what_is_ignored(tmp_path: Path) -> None:
    git(tmp_path, "init")
    tree(tmp_path, "Dockerfile", "build/Dockerfile", "new.yaml", "secret.yaml")
    (tmp_path / ".gitignore").write_text("build/\nsecret.yaml\n")
    found = find(tmp_path, ".")
    assert names(found) == ["Dockerfile", "new.yaml"]
    assert found.skipped == (Skip("build/", "ignored by git"), Skip("secret.yaml", "ignored by git"))
    assert found.listing == (".gitignore", "Dockerfile", "new.yaml")


def test_a_file_that_git_ignores_is_read_when_it_is_named(tmp_path: Path) -> None:
    git(tmp_path, "init")
    tree(tmp_path, "Dockerfile", "build/Dockerfile")
    (tmp_path / ".gitignore").write_text("build/\n")
    assert names(find(tmp_path, "build/Dockerfile")) == ["Dockerfile", "build/Dockerfile"]


def test_a_folder_is_read_when_it_is_named_whatever_it_is(tmp_path: Path) -> None:
    git(tmp_path, "init")
    tree(tmp_path, "Dockerfile", "build/Dockerfile", "vendor/Dockerfile")
    (tmp_path / ".gitignore").write_text("build/\n")
    assert names(find(tmp_path, "build")) == ["Dockerfile", "build/Dockerfile"]
    assert names(find(tmp_path, "vendor")) == ["Dockerfile", "vendor/Dockerfile"]


def test_a_root_that_git_ignores_altogether_is_walked(tmp_path: Path) -> None:
    git(tmp_path, "init")
    tree(tmp_path, "build/Dockerfile")
    (tmp_path / ".gitignore").write_text("build/\n")
    assert names(find(tmp_path / "build", ".")) == ["Dockerfile"]


def test_submodules_are_skipped_with_and_without_git(tmp_path: Path) -> None:
    tree(tmp_path, "lib/Dockerfile", "Dockerfile")
    (tmp_path / "lib" / ".git").write_text("gitdir: ../.git/modules/lib\n")
    found = find(tmp_path, ".")
    assert names(found) == ["Dockerfile"]
    assert found.skipped == (Skip("lib/", "git submodule"),)


def test_a_repository_cannot_make_git_run_anything(tmp_path: Path) -> None:
    git(tmp_path, "init")
    tree(tmp_path, "Dockerfile")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    trap.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(trap))
    assert names(find(tmp_path, ".")) == ["Dockerfile"]
    assert not (tmp_path / "ran").exists()


def test_symlinked_folders_are_not_walked_so_loops_end(tmp_path: Path) -> None:
    tree(tmp_path, "a/Dockerfile")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    found = find(tmp_path, ".")
    assert names(found) == ["a/Dockerfile"]
    assert found.skipped == (Skip("a/loop/", "symbolic link to a folder"),)


def test_around_a_lone_file_only_so_much_is_looked_at(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "near/compose.yaml", "far/away/deploy.yaml")
    for number in range(UNMARKED_LIMIT):
        os.mkdir(tmp_path / "far" / str(number))
    lone = find(tmp_path, "Dockerfile", around=UNMARKED_LIMIT)
    assert names(lone) == ["Dockerfile"]
    assert lone.skipped[0].reason.startswith("too many files around")
    assert "far/away/deploy.yaml" in names(find(tmp_path, "Dockerfile"))


def test_paths_in_different_places_are_read_alone(tmp_path: Path) -> None:
    tree(tmp_path, "a/Dockerfile", "b/Dockerfile", "c/Dockerfile")
    assert names(find(tmp_path, "a", "b/Dockerfile", around=0)) == ["a/Dockerfile", "b/Dockerfile"]


class TestReading:
    def test_text_keeps_its_newlines_and_byte_order_mark(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_bytes(b"\xef\xbb\xbfFROM scratch\r\n")
        source = ProjectFiles(str(tmp_path)).read("Dockerfile")
        assert source is not None and source.text == "\ufeffFROM scratch\r\n"

    def test_a_file_is_read_once(self, tmp_path: Path) -> None:
        tree(tmp_path, "a/Dockerfile")
        files = ProjectFiles(str(tmp_path))
        assert files.read("a/Dockerfile") is files.read("./a/../a/Dockerfile")

    @pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "a/../../secret", "link", "folder/secret", "a\0b"])
    def test_nothing_outside_the_root_is_read(self, tmp_path: Path, path: str) -> None:
        root = tmp_path / "root"
        tree(tmp_path, "secret", "root/Dockerfile")
        (root / "link").symlink_to(tmp_path / "secret")
        (root / "folder").symlink_to(tmp_path)
        files = ProjectFiles(str(root))
        assert files.read(path) is None
        assert not files.exists(path)
        assert files.names("folder") == ()

    def test_a_link_within_the_root_is_followed(self, tmp_path: Path) -> None:
        tree(tmp_path, "a/Dockerfile")
        (tmp_path / "Dockerfile").symlink_to("a/Dockerfile")
        assert ProjectFiles(str(tmp_path)).read("Dockerfile") is not None

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"FROM x\n\0", "is binary, not text"),
            ("FROM x".encode("utf-16"), "is UTF-16; the tools that read it expect UTF-8"),
            (b"#" * (LIMIT + 1), "is larger than 10 MB"),
            (b"\0GITCRYPT\0\x7a\x12", "is encrypted"),
            (b"Salted__\x9c\x01", "is encrypted"),
            (b"age-encryption.org/v1\n-> X25519 x\n", "is encrypted"),
        ],
    )
    def test_what_is_no_text(self, tmp_path: Path, content: bytes, reason: str) -> None:
        (tmp_path / "Dockerfile").write_bytes(content)
        with pytest.raises(UnreadableError, match=reason):
            ProjectFiles(str(tmp_path)).load("Dockerfile")

    def test_a_byte_that_is_not_utf_8_has_a_place(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_bytes("# é".encode() + b"\xe9\n")
        text = ProjectFiles(str(tmp_path)).load("Dockerfile")
        assert text is not None and text.invalid_at == 3
        assert text.source.text == "# é\ufffd\n"

    def test_a_pipe_is_never_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "Dockerfile")
        with pytest.raises(UnreadableError, match="is no ordinary file"):
            ProjectFiles(str(tmp_path)).load("Dockerfile")

    def test_names_of_a_folder(self, tmp_path: Path) -> None:
        tree(tmp_path, "a/b/c", "a/d")
        files = ProjectFiles(str(tmp_path), {"a/e": "", "a/f/g": ""})
        assert files.names("a") == ("b/", "d", "e", "f/")
        assert files.exists("a/f") and files.exists("a/b") and not files.exists("a/x")

    def test_what_is_listed_has_the_texts_that_stand_in_for_files(self) -> None:
        files = ProjectFiles("/nowhere", {"a/e": "", "b": ""}, listing=("a/c", "a/e", "ab/d"))
        assert files.listed("") == ("a/c", "a/e", "ab/d", "b")
        assert files.listed("a") == ("a/c", "a/e")


def test_a_link_to_itself_hides_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    for name in ("b", "c"):
        (tmp_path / name).write_text("")
    assert ProjectFiles(str(tmp_path)).names("") == ("a", "b", "c")
