"""Comments that silence a rule: which text they hold for, and what goes when they go."""

from __future__ import annotations

import pytest

from gracelint.source import Source
from gracelint.suppress import Suppression, comments
from gracelint.testing import lint


def only(path: str, text: str) -> Suppression:
    found = list(comments(Source(path, text)))
    assert len(found) == 1
    return found[0]


def test_behind_the_code_it_holds_for_its_line() -> None:
    item = only("deploy.yaml", "a: 1\nb: 2  # gracelint: ignore[dev-server] we know\nc: 3\n")
    assert item.rule == "dev-server"
    assert item.at.text == "dev-server"
    assert item.reach.text == "b: 2  # gracelint: ignore[dev-server] we know"


def test_alone_it_holds_for_the_line_below() -> None:
    item = only("deploy.yaml", "a: 1\n  # gracelint: ignore[dev-server]\n\nb: 2\n")
    assert item.reach.text == ""
    item = only("deploy.yaml", "a: 1\n  # gracelint: ignore[dev-server]\nb: 2\nc: 3\n")
    assert item.reach.text == "b: 2"


def test_other_comments_may_stand_between() -> None:
    text = "# gracelint: ignore[dev-server]\n# gracelint: ignore[missing-init]\n# why\nb: 2\n"
    assert [item.reach.text for item in comments(Source("a.yaml", text))] == ["b: 2", "b: 2"]


def test_in_a_dockerfile_it_holds_for_the_whole_instruction() -> None:
    text = "FROM x\n# gracelint: ignore[shell-form-command]\nCMD a && \\\n  # why\n  b && \\\n  c\nUSER x\n"
    assert only("Dockerfile", text).reach.text == "CMD a && \\\n  # why\n  b && \\\n  c"


def test_behind_an_instruction_it_is_part_of_the_instruction() -> None:
    assert not list(comments(Source("Dockerfile", "CMD app # gracelint: ignore[dev-server]\n")))


def test_at_the_end_of_a_file_it_holds_for_nothing() -> None:
    item = only("Dockerfile", "FROM x\n# gracelint: ignore[dev-server]")
    assert item.reach.text == ""


@pytest.mark.parametrize("path", ["server.js", "server.mjs", "src/server.ts"])
def test_javascript_has_its_own_comments(path: str) -> None:
    assert only(path, "listen()  // gracelint: ignore[dev-server]\n").reach.text.startswith("listen()")
    assert not list(comments(Source(path, "# gracelint: ignore[dev-server]\n")))


@pytest.mark.parametrize(
    "text",
    [
        "a: '#gracelint: ignore[x]'",
        "a: b# gracelint: ignore[x]",
        "# gracelint: ignore",
        "# gracelint ignore[x]",
        "# gracelint: ignore[]",
    ],
)
def test_what_is_none(text: str) -> None:
    assert not list(comments(Source("a.yaml", text)))


def test_json_has_no_comments() -> None:
    assert not list(comments(Source("pod.json", '"# gracelint: ignore[x]"')))


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("a: 1 # gracelint: ignore[x] why\nb: 2\n", "a: 1\nb: 2\n"),
        ("a: 1\r\n# gracelint: ignore[x]\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n"),
        ("\ufeff# gracelint: ignore[x]\nb: 2\n", "\ufeffb: 2\n"),
        ("b: 2\n# gracelint: ignore[x]", "b: 2\n"),
        ("# gracelint: ignore[x, y]\n", "# gracelint: ignore[ y]\n"),
    ],
)
def test_removal(text: str, without: str) -> None:
    removal = next(comments(Source("a.yaml", text))).removal
    assert removal is not None
    assert text[: removal.start] + text[removal.end :] == without


def test_removing_the_second_of_two_names() -> None:
    text = "# gracelint: ignore[x, y] why\n"
    second = list(comments(Source("a.yaml", text)))[1].removal
    assert second is not None
    assert text[: second.start] + text[second.end :] == "# gracelint: ignore[x] why\n"


@pytest.mark.parametrize("line", ["CMD sleep 1", 'CMD ["a"]'])
def test_behind_an_instruction_it_is_part_of_it_and_says_so(line: str) -> None:
    text = f"FROM x\n{line} # gracelint: ignore[shell-form-command]\n"
    (item,) = [one for one in lint({"Dockerfile": text}).findings if one.rule == "malformed-suppression"]
    assert item.finding.message == (
        "this silences nothing: a Dockerfile has comments on lines of their own only, so write it above"
    )
    assert item.finding.at.text == "gracelint: ignore[shell-form-command]"
