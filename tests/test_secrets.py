"""Nothing that is shown holds the value of a variable or option whose name says that it is a secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gracelint.base.secrets import is_secret, veiled, veiled_words

PROJECT = {
    "Dockerfile": "FROM debian:12\nENV API_TOKEN=hunter2\nCOPY start.sh /\nENTRYPOINT /start.sh $API_TOKEN\n",
    "start.sh": '#!/bin/sh\napp --key "$1" --url https://me:hunter2@example.com/ --password hunter2\n',
    ".env": "DB_PASSWORD=hunter2\n",
    "my.env": "SESSION_SECRET=hunter2\nURL=postgres://me:$SESSION_SECRET@db/x\n",
    "compose.yaml": (
        "services:\n"
        "  a:\n    image: debian:12\n    env_file: my.env\n"
        "    command: sh -c 'app ${DB_PASSWORD} $${SESSION_SECRET} $$URL; cat'\n"
        "  b: {image: debian:12, environment: {PGPASSWORD: hunter2}, command: sh -c 'app $$PGPASSWORD & wait'}\n"
        "  c: {image: debian:12, command: npx serve --api-key=hunter2}\n"
    ),
    "pod.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - name: x\n    image: debian:12\n"
        "    env: [{name: ACCESS_KEY, value: hunter2}]\n"
        '    command: [sh, -c, "app $(ACCESS_KEY) $ACCESS_KEY; true"]\n'
    ),
}


@pytest.mark.parametrize(
    "arguments",
    [
        ["trace", "."],
        ["trace", ".", "--format", "json"],
        ["trace", ".", "--format", "html"],
        ["trace", ".", "--format", "mermaid"],
        ["trace", ".", "--format", "svg", "--only", "b"],
        ["check", "--format", "concise"],
        ["check", "--format", "markdown"],
        ["check", "--format", "junit"],
        ["check", "--format", "github"],
    ],
    ids=" ".join,
)
def test_no_format_shows_a_secret(tmp_path: Path, arguments: list[str]) -> None:
    for path, text in PROJECT.items():
        (tmp_path / path).write_text(text)
    (tmp_path / "gracelint.toml").write_text("")
    environment = {**os.environ, "DB_PASSWORD": ""}
    command = [sys.executable, "-m", "gracelint", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode in (0, 1), done.stderr
    assert "xxxxx" in done.stdout or arguments[0] == "check"
    lines = [line for line in done.stdout.splitlines() if "hunter2" in line]
    written = {line.strip() for text in PROJECT.values() for line in text.splitlines()}
    assert [line for line in lines if not any(line.strip().endswith(own) for own in written)] == []


def test_what_the_name_says() -> None:
    secret = (
        "PASSWORD",
        "DB_PASSWORD",
        "PGPASSWORD",
        "MYSQL_PWD",
        "api-key",
        "GITHUB_TOKEN",
        "CLIENTSECRET",
        "db_pass",
    )
    assert [name for name in secret if not is_secret(name)] == []
    plain = (
        "KEY",
        "COMPASS",
        "PASSENGER_ENV",
        "TOKENIZERS_PARALLELISM",
        "PASSWORD_FILE",
        "SECRET_PATH",
        "KEYCLOAK_USER",
    )
    assert [name for name in plain if is_secret(name)] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:abc@host/0", "redis://:xxxxx@host/0"),
        ("https://me:abc@host:80/x?y=1", "https://me:xxxxx@host:80/x?y=1"),
        ("https://host:8080/a@b", "https://host:8080/a@b"),
        ("app --password=abc -v", "app --password=xxxxx -v"),
        ("app --db-password abc", "app --db-password xxxxx"),
        ("app --token-file /run/x", "app --token-file /run/x"),
        ("`DB_PASSWORD=abc app`", "`DB_PASSWORD=xxxxx app`"),
        ("app --password $PASSWORD", "app --password $PASSWORD"),
    ],
)
def test_what_a_text_shows(text: str, shown: str) -> None:
    assert veiled(text) == shown


def test_what_words_show() -> None:
    assert list(veiled_words(["app", "--api-key", "abc", "--token", "-v"])) == [
        "app",
        "--api-key",
        "xxxxx",
        "--token",
        "-v",
    ]
