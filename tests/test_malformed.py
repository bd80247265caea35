"""Comments that are meant to silence a rule, and do not."""

from __future__ import annotations

import pytest

from gracelint.testing import lint


def told(comment: str, path: str = "compose.yaml") -> list[str]:
    files = {path: f"{comment}\nservices:\n  web:\n    image: nginx:1.27\n"}
    return [item.finding.message for item in lint(files, select=["malformed-suppression"]).findings]


@pytest.mark.parametrize(
    "comment",
    [
        "# gracelint: ignore",
        "# gracelint: ignore missing-init",
        "# gracelint: ignored[missing-init]",
        "# gracelint: Ignore[missing-init]",
        "# Gracelint: ignore[missing-init]",
        "# gracelint: ignore [missing-init]",
        "# gracelint: ignore=missing-init",
        "# gracelint: ignore(missing-init)",
        "# gracelint: ignroe[missing-init]",
        "# gracelint: disable=missing-init",
        "# gracelint: noqa",
        "# gracelint ignore",
        "# gracelint ignore=missing-init",
        "# gracelint ignore missing-init",
        "# gracelint-ignore: missing-init",
        "# gracelint ignore[missing-init]",
        "# gracelint:",
    ],
)
def test_other_spellings_are_told(comment: str) -> None:
    assert told(comment) == ["this silences nothing: write `gracelint: ignore[rule-name]`"]


@pytest.mark.parametrize(
    "comment",
    [
        "# gracelint: ignore[missing-init] tini is in the base image",
        "#gracelint:ignore[missing-init,dev-server]",
        "# gracelint says that this is ignored",
        "# see gracelint ignore=x",
        "# gracelint ignores this file, and so do we",
        "# gracelint: the linter that told us",
        "# gracelint - see the README",
    ],
)
def test_sentences_and_the_right_spelling_are_not(comment: str) -> None:
    assert told(comment) == []


def test_one_that_names_no_rule() -> None:
    assert told("# gracelint: ignore[ ]") == ["this silences nothing: it names no rule"]


def test_one_behind_an_instruction_of_a_dockerfile() -> None:
    text = "FROM nginx:1.27\nCMD exec nginx # gracelint: ignore[missing-init]\n"
    (reported,) = lint({"Dockerfile": text}, select=["malformed-suppression"]).findings
    assert reported.finding.message == (
        "this silences nothing: a Dockerfile has comments on lines of their own only, so write it above"
    )


def test_one_in_the_comment_of_another_language() -> None:
    files = {"package.json": '{"main": "a.js", "scripts": {"start": "node a.js"}}'}
    files["a.js"] = "/* gracelint: ignore[missing-init] */\nrequire('http').createServer().listen(80)\n"
    (reported,) = lint(files, select=["malformed-suppression"]).findings
    assert reported.finding.message == "this silences nothing: begin the comment with `//`"
