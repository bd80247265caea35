"""`tools/`: what helps to keep the tables of knowledge true."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[1] / "tools/published_images.py"
LIBRARY = """\
Maintainers: Somebody
GitRepo: https://example.com/acme/docker-{name}.git

Tags: 1.1-alpine, 1-alpine
GitCommit: HEAD
Directory: alpine

Tags: 1.1
SharedTags: 1, latest
GitCommit: 0123456789abcdef0123456789abcdef01234567
Directory: debian
"""


def published(folder: Path, name: str, dockerfile: str) -> subprocess.CompletedProcess[str]:
    (folder / "official/library").mkdir(parents=True)
    (folder / "official/library" / name).write_text(LIBRARY.format(name=name))
    checkout = folder / f"sources/acme+docker-{name}"
    (checkout / "debian").mkdir(parents=True)
    (checkout / "debian/Dockerfile").write_text(dockerfile)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "a")):
        subprocess.run(("git", "-C", str(checkout), *command), check=True)
    command = [sys.executable, str(TOOL), str(folder / "official"), str(folder / "sources")]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_row_that_says_what_is_published(tmp_path: Path) -> None:
    text = 'FROM debian:bookworm-slim\nENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["postgres"]\nSTOPSIGNAL SIGINT\n'
    done = published(tmp_path, "postgres", text)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [
        "  entrypoint and command = 'docker-entrypoint.sh postgres'",
        "  stop_signal = 'SIGINT'",
    ]


def test_a_row_that_is_out_of_date(tmp_path: Path) -> None:
    text = 'FROM debian:bookworm-slim\nENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["postgres"]\nSTOPSIGNAL SIGTERM\n'
    done = published(tmp_path, "postgres", text)
    assert done.returncode == 1
    assert done.stdout.splitlines()[2] == "  stop_signal = 'SIGTERM'  # images.toml: 'SIGINT'"
