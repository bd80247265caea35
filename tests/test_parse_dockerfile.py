"""Dockerfiles are read as BuildKit reads them, and every word knows its place."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracelint.facts.dockerfile import Instruction, Stage
from gracelint.parse.array import read_array, read_broken_array
from gracelint.parse.dockerfile import is_dockerfile_name, read_dockerfile, substitute
from gracelint.parse.errors import FragmentError, ParseError
from gracelint.source import Passage, Source


def stages(text: str, **arguments: str) -> list[Stage]:
    return read_dockerfile(Source("Dockerfile", text), arguments)


def last(text: str) -> Instruction:
    return stages(text)[-1].instructions[-1]


def error(text: str) -> tuple[str, str]:
    """The message, and the text it points at."""
    with pytest.raises(ParseError) as caught:
        stages(text)
    return caught.value.message, caught.value.span.text


def words(instruction: Instruction) -> list[str]:
    assert instruction.argv is not None
    return [word.value for word in instruction.argv]


# Lines


def test_continuation_lines_are_joined_and_keep_their_places() -> None:
    run = last("FROM a\nRUN one && \\\n    two\n")
    assert run.argument.text == "one &&     two"
    at = run.argument.text.index("two")
    assert run.argument.span(at, at + 3).text == "two"
    assert (run.argument.span(at, at + 3).line, run.argument.span(at, at + 3).column) == (3, 5)
    assert run.span.text == "RUN one && \\\n    two"


@pytest.mark.parametrize("between", ["# a comment", "   # an indented one", "", "   "])
def test_comments_and_blank_lines_inside_a_continuation_are_left_out(between: str) -> None:
    run = last(f"FROM a\nRUN one \\\n{between}\n  two\nCMD x\n".replace("CMD x\n", ""))
    assert run.argument.text.split() == ["one", "two"]


def test_an_instruction_that_ends_in_a_continuation_is_kept() -> None:
    assert last("FROM a\nCMD node app.js \\").argument.text == "node app.js"
    assert last("FROM a\nCMD node \\\n  app.js \\\n").argument.text == "node   app.js"


def test_an_escaped_escape_does_not_continue_the_line() -> None:
    read = stages("FROM a\nRUN echo \\\\\nCMD x\n")[0]
    assert [item.name for item in read.instructions] == ["RUN", "CMD"]


def test_a_name_may_be_in_lower_case_and_indented() -> None:
    command = last("from a\n  cmd x\n")
    assert (command.name, command.span.text) == ("CMD", "cmd x")


def test_windows_newlines_and_a_byte_order_mark_are_no_part_of_anything() -> None:
    read = stages("\ufeffFROM a\r\nCMD one \\\r\n  two\r\n")[0]
    assert read.base.value == "a"
    assert read.instructions[0].argument.text == "one   two"
    assert (read.from_.span.line, read.from_.span.column) == (1, 1)


def test_the_escape_directive_changes_the_continuation() -> None:
    read = stages("# escape=`\nFROM a\nCMD C:\\app `\n  -x\n")[0]
    assert read.escape == "`"
    assert read.instructions[0].argument.text == "C:\\app   -x"


def test_a_directive_after_a_comment_is_a_comment() -> None:
    assert stages("# hello\n# escape=`\nFROM a\n")[0].escape == "\\"


def test_flags_are_no_part_of_the_argument() -> None:
    copy = last("FROM a\nCOPY --from=build --chmod=755 \\\n  /x /y\n")
    assert [flag.value for flag in copy.flags] == ["--from=build", "--chmod=755"]
    assert copy.flag("chmod") == "755"
    assert copy.flag("chown") is None
    assert copy.argument.text == "/x /y"


# Heredocs


def test_a_heredoc_belongs_to_its_instruction() -> None:
    read = stages("FROM a\nRUN <<EOF\nFROM b\n# no comment\nEOF\nCMD x\n")[0]
    run, command = read.instructions
    assert [(doc.delimiter, doc.body.text, doc.quoted) for doc in run.heredocs] == [
        ("EOF", "FROM b\n# no comment\n", False)
    ]
    assert run.span.text == "RUN <<EOF\nFROM b\n# no comment\nEOF"
    assert command.span.line == 6


def test_several_heredocs_follow_one_another() -> None:
    copy = last("FROM a\nCOPY <<one <<-'two' /dir/\n1\none\n\t\t2\n\ttwo\n")
    assert [(doc.delimiter, doc.body.text, doc.quoted) for doc in copy.heredocs] == [
        ("one", "1\n", False),
        ("two", "2\n", True),
    ]
    body = copy.heredocs[1].body
    assert (body.span(0, 1).line, body.span(0, 1).column) == (5, 3)


@pytest.mark.parametrize("opener", ["<<EOF", "<< EOF", "<<  'EOF'", "3<< EOF", "> /x << EOF"])
def test_a_space_behind_the_opener_of_a_heredoc(opener: str) -> None:
    (body,) = last(f"FROM a\nRUN cat {opener}\nimport x\nEOF\n").heredocs
    assert (body.delimiter, body.body.text) == ("EOF", "import x\n")


def test_a_space_behind_a_dash_opens_no_heredoc() -> None:
    assert error("FROM a\nRUN cat <<- EOF\nimport x\nEOF\n")[0] == "unknown instruction IMPORT"


@pytest.mark.parametrize("text", ["RUN cat <<<EOF", "CMD cat <<EOF", 'RUN ["cat", "<<EOF"]', "RUN echo 'a <<EOF'"])
def test_what_only_looks_like_a_heredoc(text: str) -> None:
    assert last(f"FROM a\n{text}\n").heredocs == ()


def test_a_heredoc_that_is_never_closed() -> None:
    assert error("FROM a\nRUN <<EOF\nx\n") == ("heredoc EOF has no closing line", "RUN <<EOF")


# Exec form


def test_the_exec_form_is_read_with_its_places() -> None:
    command = last('FROM a\nCMD [ "sh" , \\\n  "-c", "a \\"b\\" \\u00e9 \\ud83d\\ude00 c" ]\n')
    assert words(command) == ["sh", "-c", 'a "b" é 😀 c']
    assert command.argv is not None
    text = command.argv[2]
    assert text.span is not None and text.passage is not None
    assert text.span.text == '"a \\"b\\" \\u00e9 \\ud83d\\ude00 c"'
    assert text.passage.span(3, 4).text == "b"
    assert text.passage.span(6, 7).text == "\\u00e9"
    assert text.passage.span(10, 11).text == "c"


@pytest.mark.parametrize("text", ["[1]", '["a", null]', "['a']", '["a",]', "[", '["a"] b', "[" * 100_000])
def test_what_is_no_array_of_strings_is_shell_form(text: str) -> None:
    assert read_array(Passage.whole(Source("x", text))) is None


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]))), st.booleans())
def test_every_array_comes_back_word_by_word(values: list[str], ascii_only: bool) -> None:
    text = json.dumps(values, ensure_ascii=ascii_only)
    read = read_array(Passage.whole(Source("x", text)))
    assert read is not None
    assert [word.value for word in read] == values
    for word, value in zip(read, values, strict=True):
        assert word.span is not None and word.passage is not None
        assert json.loads(word.span.text) == value
        for index, character in enumerate(value):
            written = word.passage.span(index, index + 1).text
            assert json.loads(f'"{written}"') == character


@pytest.mark.parametrize(
    ("text", "items", "defect"),
    [
        ("['a', 'b']", [("a", True), ("b", True)], "single quotes"),
        ("[“a”, “b”]", [("a", True), ("b", True)], "curly quotes"),
        ('["a", b]', [("a", True), ("b", False)], "`b` has no quotes"),
        ('["a", $B]', [("a", True), ("$B", False)], "`$B` has no quotes"),
        ('["a", 1]', [("a", True), ("1", False)], "`1` has no quotes"),
        ('["a", "b",]', [("a", True), ("b", True)], "a comma before `]`"),
        ('["a",, "b"]', [("a", True), ("b", True)], "a comma too many"),
        ('["a" "b"]', [("a", True), ("b", True)], 'no comma before "b"'),
        ('["a", "b"', [("a", True), ("b", True)], "`]` is missing at its end"),
        ('["a", "b', None, "a quote is never closed"),
        ('["a"] # b', None, "text after `]`"),
        ('["a\\d"]', None, "a backslash that is no JSON escape"),
    ],
)
def test_what_was_meant_as_an_array(text: str, items: list[tuple[str, bool]] | None, defect: str) -> None:
    broken = read_broken_array(Passage.whole(Source("x", text)))
    assert broken is not None
    assert (broken.items and list(broken.items), broken.defect) == (items, defect)


@pytest.mark.parametrize("text", ['[ "$X" = 1 ] && run', "[ -f x ]", "[[ -f x ]] && run", "[ ! -e a ] || run", "run"])
def test_a_shell_test_was_never_meant_as_an_array(text: str) -> None:
    assert read_broken_array(Passage.whole(Source("x", text))) is None


# Stages and variables


def test_stages_inherit_by_name() -> None:
    base, other, final = stages("FROM a AS Base\nENV X=1\nFROM c\nFROM base AS last\n")
    assert (base.name, other.name, final.name) == ("base", None, "last")
    assert final.parent is base and other.parent is None
    assert list(final.lineage()) == [final, base]
    assert [stage.final for stage in (base, other, final)] == [False, False, True]
    assert final.env == {"X": "1"}


def test_arguments_before_from_are_for_from_and_for_who_asks() -> None:
    stage = stages("ARG V=3.12\nARG W\nFROM python:${V}-slim\nARG V\nENV A=$V B=$W C=${W:-c} D=${V:+d}\n")[0]
    assert stage.base.value == "python:3.12-slim"
    assert stage.base.span is not None and stage.base.span.text == "python:${V}-slim"
    assert stage.env == {"A": "3.12", "B": "$W", "C": "c", "D": "d"}


def test_build_arguments_go_before_defaults() -> None:
    assert stages("ARG V=1\nFROM a:$V\n", V="2")[0].base.value == "a:2"


def test_an_env_goes_before_an_arg() -> None:
    stage = stages("FROM a\nENV X=env\nARG X=arg\nWORKDIR /$X\n")[0]
    assert stage.instructions[-1].value == "/env"


def test_old_and_new_forms_of_env() -> None:
    stage = stages("FROM a\nENV A some  text\nENV B=\"x y\" C=x\\ y D='$A'\n")[0]
    assert stage.env == {"A": "some  text", "B": "x y", "C": "x y", "D": "$A"}


def test_a_stop_signal_by_argument() -> None:
    signal = last("FROM a\nARG SIG=${NONE:-SIGINT}\nSTOPSIGNAL ${SIG}\n")
    assert (signal.value, signal.argument.text) == ("SIGINT", "${SIG}")


def test_shell_text_is_for_the_shell_to_expand() -> None:
    assert last("FROM a\nENV X=1\nCMD run $X\n").value == "run $X"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A/b", "1/b"),
        ("${A}b", "1b"),
        ("$NONE", "$NONE"),
        ("${NONE:-$A}", "1"),
        ("${NONE-${A}x}", "1x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NONE:+x}", ""),
        ("\\$A", "$A"),
        ("'$A'", "$A"),
        ("\"$A 'x'\"", "1 'x'"),
        ("$", "$"),
        ("${A", "${A"),
    ],
)
def test_substitution(text: str, value: str) -> None:
    assert substitute(text, {"A": "1", "EMPTY": ""}) == value


def test_onbuild_is_for_other_images() -> None:
    assert [item.name for item in stages("FROM a\nONBUILD CMD x\nCMD y\n")[0].instructions] == ["CMD"]


@pytest.mark.parametrize(
    "text",
    [
        "FROM mcr.microsoft.com/windows/servercore:ltsc2022\n",
        "FROM golang:nanoserver\n",
        "FROM --platform=windows/amd64 x\n",
        "FROM mcr.microsoft.com/windows/nanoserver AS a\nFROM a\n",
    ],
)
def test_windows_images(text: str) -> None:
    assert stages(text)[-1].windows


# What no builder takes


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("\n", "an empty Dockerfile: there is nothing to build", ""),
        ("# only words\nARG X=1\n", "no FROM: a Dockerfile starts from an image", ""),
        ("FORM a\n", "unknown instruction FORM, did you mean FROM?", "FORM"),
        ("FROM a\nRUN x\n  y z\n", "unknown instruction Y", "y"),
        ("CMD x\nFROM a\n", "CMD before the first FROM: only ARG may stand there", "CMD x"),
        ("FROM\n", "FROM takes an image, and may name the stage: FROM image AS name", "FROM"),
        ("FROM a b\n", "FROM takes an image, and may name the stage: FROM image AS name", "FROM a b"),
        ("# escape=x\nFROM a\n", "escape=x: only \\ and ` can be the escape character", "# escape=x\n"),
    ],
)
def test_errors_have_a_place(text: str, message: str, at: str) -> None:
    assert error(text) == (message, at)


@pytest.mark.parametrize(("path", "fragment"), [("Dockerfile", False), ("Dockerfile.append", True)])
def test_a_file_by_another_name_without_a_base_is_a_part_of_one(path: str, fragment: bool) -> None:
    with pytest.raises(ParseError, match=r"^no FROM") as raised:
        read_dockerfile(Source(path, "COPY a b\n"))
    assert isinstance(raised.value, FragmentError) is fragment


def test_a_frontend_of_its_own_may_have_instructions_of_its_own() -> None:
    read = stages("# syntax=example/dockerfile-plus\nFROM a\nINCLUDE x\nCMD y\n")[0]
    assert [item.name for item in read.instructions] == ["CMD"]
    assert error("# syntax=docker/dockerfile:1\nFROM a\nINCLUDE x\n")[1] == "INCLUDE"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Dockerfile", True),
        ("a/b/Dockerfile.prod", True),
        ("api.Dockerfile", True),
        ("web.dockerfile", True),
        ("Containerfile", True),
        ("Containerfile.dev", True),
        (".dockerignore", False),
        ("Dockerfile.dockerignore", False),
        ("Dockerfile.j2", False),
        ("Dockerfile.md", False),
        ("dockerfile-1.png", False),
        ("Dockerfile.prod.svg", False),
        ("MyDockerfile", False),
    ],
)
def test_names(path: str, expected: bool) -> None:
    assert is_dockerfile_name(path) is expected


# Hostile input

ODD_LINES = [
    *("FROM a", "FROM a AS b", "FROM b", "RUN <<EOF", "EOF", "RUN x \\", "\\", "", "#", "# escape=`", "`"),
    *("CMD ['a']", "CMD [", 'CMD ["a", "\\u"]', "ENV A=${A:-${", "ENV A", "COPY", "ARG"),
    *("\x0b", "\x85", "\r", "\x00", "é <<\"'"),
]
LINES = st.lists(st.sampled_from(ODD_LINES) | st.text(max_size=20), max_size=12)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused_with_a_place_in_it(lines: list[str], newline: str, bom: bool) -> None:
    text = ("\ufeff" if bom else "") + newline.join(lines)
    try:
        read = stages(text)
    except ParseError as refused:
        assert 0 <= refused.span.start <= refused.span.end <= len(text)
        return
    for stage in read:
        for item in (stage.from_, *stage.instructions):
            assert (
                item.span.text[: len(item.name)].upper() == item.name or "\\" in item.span.text or "`" in item.span.text
            )
            for segment in item.argument.segments:
                assert (
                    text[segment.start : segment.start + segment.width]
                    == item.argument.text[segment.offset : segment.offset + segment.length]
                )


@pytest.mark.parametrize(
    "made",
    [
        lambda size: "RUN a \\\n" + "  b \\\n" * size,
        lambda size: "RUN <<EOF\n" + "x\n" * size + "EOF\n",
        lambda size: "ENV " + " ".join(f"A{index}=b" for index in range(size)),
        lambda size: "".join(f"ENV A{index}=b\n" for index in range(size)),
        lambda size: "CMD [" + '"a", ' * size + '"b"]',
        lambda size: "CMD [" + '"a", ' * size + "b]",
        lambda size: "ENV A=" + "${A:-" * size,
        lambda size: "ENV A=" + "'\"" * size,
        lambda size: "FROM a AS b\n" * size,
    ],
    ids=["continued", "heredoc", "names", "env", "array", "broken-array", "defaults", "quotes", "stages"],
)
def test_time_grows_no_faster_than_the_text(made: Callable[[int], str]) -> None:
    assert seconds(made(40_000)) < 12 * seconds(made(10_000)) + 0.3


def seconds(text: str) -> float:
    start = time.process_time()
    stages(f"FROM a\n{text}")
    return time.process_time() - start
