"""Reading and lengthening command lines."""

from __future__ import annotations

import pytest

from gracelint import edits
from gracelint.edits.words import insert_after, replace, whole
from gracelint.launch.words import base_name, read_options
from gracelint.source import Source, Word


def words(text: str) -> tuple[Word, ...]:
    return tuple(Word(part) for part in text.split())


@pytest.mark.parametrize(
    ("line", "options", "rest"),
    [
        ("tini -g -- app", ["-g"], "app"),
        ("tini -gvv -- app", ["-gvv", "-g", "-v", "-v"], "app"),
        ("timeout -k 5 10 app", ["-k"], "10"),
        ("timeout --kill-after=5 10 app", ["--kill-after"], "10"),
        ("nice -n10 app", ["-n"], "app"),
        ("env - app", [], "-"),
        ("gosu app", [], "app"),
    ],
)
def test_options_end_where_the_operands_begin(line: str, options: list[str], rest: str) -> None:
    argv = words(line)
    given = read_options(argv, 1, ("-k", "-n"))
    assert [name for name, _ in given.options] == options
    assert argv[given.rest].value == rest


def test_the_last_value_of_an_option_counts() -> None:
    given = read_options(words("uv --with a --with b run"), 1, ("--with",))
    value = given.value(("--with",))
    assert value is not None
    assert value.value == "b"


def test_base_names() -> None:
    assert base_name("/usr/bin/python3") == base_name("python3") == "python3"


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ('CMD ["flock", "x"]', '"flock"', 'CMD ["flock", "-F", "x"]'),
        ("command:\n  - flock\n  - x\n", "flock", "command:\n  - flock\n  - -F\n  - x\n"),
        ("command: [flock, x]\n", "flock", "command: [flock, -F, x]\n"),
        ("exec flock x\n", "flock", "exec flock -F x\n"),
    ],
)
def test_a_word_is_added_in_the_style_of_its_line(text: str, word: str, expected: str) -> None:
    source = Source("file", text)
    start = text.index(word)
    span = source.span(start, start + len(word))
    edits = insert_after(Word(word.strip('"'), span), "-F")
    assert edits is not None
    (edit,) = edits
    assert text[: edit.span.start] + edit.text + text[edit.span.end :] == expected


def test_a_word_without_a_place_cannot_be_lengthened() -> None:
    assert insert_after(Word("flock"), "-F") is None


def test_nothing_is_added_behind_the_call_of_a_program_that_starts_a_command() -> None:
    source = Source("serve.py", 'os.execvp("uvicorn", command)\n')
    assert insert_after(Word("uvicorn", source.span(0, 29)), "--port", "8000") is None


def test_a_number_stays_a_string_in_yaml() -> None:
    """Kubernetes refuses a manifest whose `args` hold a number."""
    source = Source("file", "args:\n  - uvicorn\n")
    edits = insert_after(Word("uvicorn", source.span(10, 17)), "--port", "8000", "yes", "/app")
    assert edits is not None
    assert edits[0].text == '\n  - --port\n  - "8000"\n  - "yes"\n  - /app'


def test_one_word_is_a_whole_command_line() -> None:
    source = Source("run.sh", "exec yarn\n")
    word = Word("yarn", source.span(5, 9))
    assert whole((word,)) == word.span
    changes = replace((word,), ("node", "app.js"))
    assert changes is not None
    assert [(edit.span.text, edit.text) for edit in changes] == [("yarn", "node app.js")]


def test_words_that_something_parts_are_no_whole() -> None:
    source = Source("run.sh", "exec yarn; start\n")
    yarn, start = Word("yarn", source.span(5, 9)), Word("start", source.span(11, 16))
    assert whole((yarn, start)) is None
    assert whole((start, yarn)) is None
    assert whole((yarn, Word("start"))) is None
    assert whole(()) is None


def test_there_are_edits_for_what_is_named_alone() -> None:
    with pytest.raises(AttributeError, match="'cobol'"):
        edits.cobol  # noqa: B018
