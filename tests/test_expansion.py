"""Words as a shell expands them, as far as the files tell."""

from __future__ import annotations

import pytest

from gracelint.parse.expansion import ITEMS, OTHER_VARIABLES, Scope, expand

SCOPE = Scope(
    {"PWD": "/app", "cat app.pid": "7", "EUID": "1000", "whoami": "web"}, ("serve", "--port"), "/app/bin/run.sh"
)


@pytest.mark.parametrize(
    ("word", "expanded"),
    [
        ('$(dirname "$0")', "/app/bin"),
        ('"$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"', "/app/bin"),
        ('"$( cd "$( dirname "$0" )/.." >/dev/null 2>&1 && pwd -P )"', "/app"),
        ("$(cd lib; pwd)", "/app/lib"),
        ("$(readlink -f $(dirname $0))", "/app/bin"),
        ("$(dirname $(readlink -f run.sh))", "/app"),
        ("$(realpath ../data)", "/data"),
        ("$(id -u)", "1000"),
        ("$(cat app.pid)", "7"),
        ("$(< app.pid)", "7"),
        ("$(whoami)", "web"),
        ("$(id -un)", "web"),
        ("$1", "serve"),
        ("$UNSET", ""),
    ],
)
def test_known(word: str, expanded: str) -> None:
    assert " ".join(expand(word, SCOPE) or ()) == expanded


@pytest.mark.parametrize("word", ["$(ls|head)", "$(cd /x && ls)", "$(readlink -f $(find . -name x))", "$(date)"])
def test_only_known_when_it_runs(word: str) -> None:
    assert expand(word, SCOPE) is None


def test_unset_where_others_may_be_set() -> None:
    assert expand("$ROLE", Scope({OTHER_VARIABLES: None, "MODE": "web"})) is None
    assert expand("$MODE", Scope({OTHER_VARIABLES: None, "MODE": "web"})) == ("web",)


def test_a_word_of_an_array() -> None:
    scope = Scope({"x": ITEMS.join(("one", "two"))})
    assert [expand(f"${{x[{index}]}}", scope) for index in (0, 1, 2)] == [("one",), ("two",), ()]
    assert expand("${PIPESTATUS[0]}", scope) is None
