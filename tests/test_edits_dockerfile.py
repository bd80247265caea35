"""Edits of Dockerfiles change what they are asked to and not a byte more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracelint.edits import dockerfile
from gracelint.facts.dockerfile import Stage
from gracelint.finding import Edit
from gracelint.launch.images.image import image_of
from gracelint.parse.dockerfile import read_dockerfile
from gracelint.source import Source


class NoFiles:
    name = "project"

    def read(self, path: str) -> Source | None:
        return None

    def exists(self, path: str) -> bool:
        return False

    def names(self, folder: str) -> tuple[str, ...]:
        return ()


def final(text: str) -> Stage:
    return read_dockerfile(Source("Dockerfile", text))[-1]


def applied(text: str, edits: tuple[Edit, ...] | None) -> str:
    assert edits is not None
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_an_array_says_the_same_words(words: list[str]) -> None:
    written = dockerfile.json_array(words)
    assert json.loads(written) == words
    assert "\n" not in written


def test_to_exec_form_keeps_what_stands_around_the_argument() -> None:
    text = "FROM a\n# run\n  cmd  node \\\n    app.js  \nEXPOSE 1\n"
    command = final(text).own("CMD")
    assert command is not None
    assert applied(text, dockerfile.to_exec_form(command, ["node", "app.js"])) == (
        'FROM a\n# run\n  cmd  ["node", "app.js"]  \nEXPOSE 1\n'
    )


def test_to_exec_form_never_loses_a_comment() -> None:
    command = final("FROM a\nCMD node \\\n  # why\n  app.js\n").own("CMD")
    assert command is not None
    assert dockerfile.to_exec_form(command, ["node", "app.js"]) is None


def test_to_shell_form_leaves_variables_to_the_shell() -> None:
    text = "FROM a\nCMD [node, $FILE]\n"
    command = final(text).own("CMD")
    assert command is not None
    items = [("node", True), ("$FILE", False), ("it's", True)]
    assert applied(text, dockerfile.to_shell_form(command, items)) == ("FROM a\nCMD exec node $FILE 'it'\"'\"'s'\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_drop_instruction_takes_all_its_lines(newline: str) -> None:
    text = newline.join(["\ufeffFROM a", "  STOPSIGNAL \\", "  # c", "  SIGKILL", "CMD x", ""])
    signal = final(text).own("STOPSIGNAL")
    assert signal is not None
    assert applied(text, dockerfile.drop_instruction(signal)) == newline.join(["\ufeffFROM a", "CMD x", ""])


def test_drop_instruction_takes_its_heredoc() -> None:
    text = "FROM a\nRUN <<EOF\nx\nEOF\nCMD y\n"
    run = final(text).own("RUN")
    assert run is not None
    assert applied(text, dockerfile.drop_instruction(run)) == "FROM a\nCMD y\n"


# STOPSIGNAL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM a\nSTOPSIGNAL 9 # no comment\n", "FROM a\nSTOPSIGNAL SIGQUIT\n"),
        ("FROM a\nUSER x\n\n# run it\nCMD x\n", "FROM a\nUSER x\n\nSTOPSIGNAL SIGQUIT\n# run it\nCMD x\n"),
        ("FROM a\r\nCMD y\r\nENTRYPOINT x\r\n", "FROM a\r\nSTOPSIGNAL SIGQUIT\r\nCMD y\r\nENTRYPOINT x\r\n"),
        ("FROM a\nEXPOSE 80\n\n# end\n", "FROM a\nEXPOSE 80\nSTOPSIGNAL SIGQUIT\n\n# end\n"),
        ("FROM a", "FROM a\nSTOPSIGNAL SIGQUIT"),
        ("FROM a AS b\nSTOPSIGNAL 9\nFROM b\n", "FROM a AS b\nSTOPSIGNAL 9\nFROM b\nSTOPSIGNAL SIGQUIT\n"),
    ],
)
def test_set_stop_signal(before: str, after: str) -> None:
    assert applied(before, dockerfile.set_stop_signal(final(before), "SIGQUIT")) == after


def test_drop_stop_signal_finds_the_one_in_force() -> None:
    text = "FROM a AS b\nSTOPSIGNAL 9\nFROM b\nEXPOSE 80\n"
    assert applied(text, dockerfile.drop_stop_signal(final(text))) == "FROM a AS b\nFROM b\nEXPOSE 80\n"
    assert dockerfile.drop_stop_signal(final("FROM a\n")) is None


# An init

APT = "RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*\n"
APK = "RUN apk add --no-cache tini\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            'FROM python:3.12-slim\nCOPY . .\n\n# run it\nCMD ["python", "a.py"]\n',
            f'FROM python:3.12-slim\nCOPY . .\n\n{APT}ENTRYPOINT ["tini", "--"]\n# run it\nCMD ["python", "a.py"]\n',
        ),
        (
            'FROM python:3.12-alpine\nUSER 1000\nCMD ["python", "a.py"]\n',
            f'FROM python:3.12-alpine\n{APK}USER 1000\nENTRYPOINT ["tini", "--"]\nCMD ["python", "a.py"]\n',
        ),
        (
            'FROM node:22\nCMD ["node", "a.js"]\n',
            f'FROM node:22\n{APT}ENTRYPOINT ["tini", "--", "docker-entrypoint.sh"]\nCMD ["node", "a.js"]\n',
        ),
        (
            'FROM python:3.12-slim\nENTRYPOINT [ "python", \\\n  "a.py"]\n',
            f'FROM python:3.12-slim\n{APT}ENTRYPOINT [ "tini", "--", "python", \\\n  "a.py"]\n',
        ),
        (
            'FROM alpine:3\nRUN apk add tini\nCMD ["a"]\n',
            'FROM alpine:3\nRUN apk add tini\nENTRYPOINT ["tini", "--"]\nCMD ["a"]\n',
        ),
    ],
)
def test_install_init(before: str, after: str) -> None:
    stage = final(before)
    assert applied(before, dockerfile.install_init(stage, image_of(stage, NoFiles(), ""))) == after


@pytest.mark.parametrize(
    "text",
    [
        'FROM example/private\nCMD ["a"]\n',
        'FROM gcr.io/distroless/python3\nCMD ["a.py"]\n',
        "FROM python:3.12-slim\nENTRYPOINT python a.py\n",
        "FROM python:3.12-slim\nCOPY a.py .\n",
        'FROM python:3.12-slim AS base\nUSER app\nFROM base\nCMD ["python"]\n',
        'FROM registry.access.redhat.com/ubi9/ubi\nCMD ["python"]\n',
    ],
    ids=["unknown base", "no packages", "shell form", "no command of its own", "not root", "not in its repositories"],
)
def test_no_init_where_it_cannot_be_put_in_rightly(text: str) -> None:
    stage = final(text)
    assert dockerfile.install_init(stage, image_of(stage, NoFiles(), "")) is None
