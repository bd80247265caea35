"""Shell text becomes commands with exact places, and words become what the files say they are."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracelint.facts.script import AndOr, Background, Case, Function, Group, If, Loop, Pipeline, Script, Simple
from gracelint.parse.expansion import Scope, expand
from gracelint.parse.shell import read_script
from gracelint.source import Passage, Source


def read(text: str) -> Script:
    return read_script(Passage.whole(Source("start.sh", text)))


def one(text: str) -> object:
    script = read(text)
    assert script.broken is None and len(script.body) == 1
    return script.body[0]


def texts(command: object) -> list[str]:
    assert isinstance(command, Simple)
    return [word.text for word in command.words]


def test_a_plain_command_needs_no_parser_library() -> None:
    code = (
        "import sys, gracelint.launch.shell.shell;"
        "print([m for m in sys.modules if 'tree_sitter' in m or m == 'fnmatch'])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_words_keep_their_text_and_know_their_value() -> None:
    command = one("python \"my app.py\" --port=$PORT a\\ b 'c d' *.txt")
    assert isinstance(command, Simple)
    assert [(word.text, word.value) for word in command.words] == [
        ("python", "python"),
        ('"my app.py"', "my app.py"),
        ("--port=$PORT", None),
        ("a\\ b", "a b"),
        ("'c d'", "c d"),
        ("*.txt", None),
    ]


def test_assignments_and_redirects_are_not_words() -> None:
    command = one("A=1 B='x y' exec app >> /var/log/app.log 2>&1 < /dev/null")
    assert isinstance(command, Simple)
    assert texts(command) == ["exec", "app"]
    assert [(name, value.text if value else None) for name, value in command.assignments] == [
        ("A", "1"),
        ("B", "'x y'"),
    ]
    assert [(item.operator, item.target.text if item.target else None) for item in command.redirects] == [
        (">>", "/var/log/app.log"),
        ("2>&", "1"),
        ("<", "/dev/null"),
    ]


def test_spans_stand_where_the_text_does() -> None:
    script = read("#!/bin/sh -e\n# start\nset -x;  exec \\\n  python app.py # now\n")
    assert script.interpreter == ("/bin/sh", "-e")
    assert [command.span.text for command in script.body] == ["set -x", "exec \\\n  python app.py"]
    assert [command.span.line for command in script.body] == [3, 3]
    assert script.body[1].words[1].span.line == 4  # type: ignore[union-attr]


def test_lists_bind_as_the_shell_binds_them() -> None:
    command = one("a && b || c")
    assert isinstance(command, AndOr) and command.operator == "||"
    assert isinstance(command.left, AndOr) and command.left.operator == "&&"
    assert command.span.text == "a && b || c"


def test_a_pipe_and_its_negation() -> None:
    command = one("! app 2>&1 | tee log")
    assert isinstance(command, Pipeline)
    assert command.negated and [item.span.text for item in command.commands] == ["app 2>&1", "tee log"]


def test_background_jobs() -> None:
    script = read('"$@" & PID=$!\nwait $PID')
    assert isinstance(script.body[0], Background)
    assert script.body[0].span.text.rstrip() == '"$@"'
    assert [type(command) for command in script.body] == [Background, Simple, Simple]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("(cd /app && app)", Group),
        ("{ app; } > log", Group),
        ("if a; then b; elif c; then d; else e; fi", If),
        ("while ! nc -z db 5432; do sleep 1; done", Loop),
        ("until a\ndo\n b\ndone", Loop),
        ("for f in a b; do echo $f; done", Loop),
        ("for f; do echo $f; done", Loop),
        ('case "$1" in web|api) exec web;; (*) exec "$@";; esac', Case),
        ("case x in\nesac", Case),
        ("start() { app; }", Function),
        ("function start { app; }", Function),
        ("start() (app)", Function),
        ("[[ $a == *.py && ! -f b ]]", Simple),
        ("[[ $a =~ ^(x|y)$ ]]", Simple),
        ("[[ $* =~ 'web -watch' ]]", Simple),
        ('[[ $1 =~ ^"a \\" b"\\ c$ ]]', Simple),
        ("((i++))", Simple),
        ("cat <<EOF\n$x ) ;; `\nEOF\n", Simple),
        ("exec app > >(tee log) 2>&1", Simple),
        ("args=(--port 80 'a b')", Simple),
        ("local args=( --port $p ) x", Simple),
        ("x=$(if a; then b; fi)", Simple),
        ('echo "$(cat "a b")" `date` ${x:-"}"} $((1 + (2)))', Simple),
    ],
)
def test_one_command_of_each_kind(text: str, kind: type) -> None:
    assert isinstance(one(text), kind)


def test_the_arms_of_a_case() -> None:
    command = one('case "$1" in\n web|api) exec web ;;\n *) exec "$@"\nesac')
    assert isinstance(command, Case)
    assert [[pattern.text for pattern in patterns] for patterns, _ in command.arms] == [["web", "api"], ["*"]]


def test_heredocs_are_not_commands() -> None:
    script = read("cat > conf <<-'EOF' && chmod 600 conf\n\texec nothing\n\tEOF\nexec app\n")
    assert [command.span.text for command in script.body][-1] == "exec app"
    assert len(script.body) == 2


@pytest.mark.parametrize(
    "text", ["if a; then b", "echo 'a", "a && ", "a )", "{ a;", "case x in", 'echo "$(a"', "a ;; b"]
)
def test_broken_text_says_so(text: str) -> None:
    assert read(text).broken is not None


def test_what_stands_before_the_broken_part_is_kept() -> None:
    script = read("exec a\nif b; then")
    assert [command.span.text for command in script.body] == ["exec a"]


@given(st.text(alphabet="ab \n\t\r'\"\\$(){}[]<>|&;#!=`*?~-0189", max_size=60))
def test_any_text_is_read_or_broken(text: str) -> None:
    script = read(text)
    for command in script.body:
        assert 0 <= command.span.start <= command.span.end <= len(text)


@pytest.mark.parametrize("text", ["(" * 5000, "$(" * 5000, "if " * 5000, "{ " * 5000, '"$(' * 5000, "a <<E\n" * 3000])
def test_deep_nesting_is_no_crash(text: str) -> None:
    started = time.monotonic()
    read(text)
    assert time.monotonic() - started < 2


def test_time_grows_with_length_alone() -> None:
    line = 'mkdir -p "/data/$x" && echo ready # now\n'
    seconds = []
    for lines in (1_000, 8_000):
        started = time.process_time()
        assert read(line * lines).broken is None
        seconds.append(time.process_time() - started)
    assert seconds[1] < 8 * 4 * seconds[0], "reading takes more than linear time"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"$@"', ("run", "a b")),
        ("$@", ("run", "a", "b")),
        ('"$*"', ("run a b",)),
        ("$1", ("run",)),
        ("${2}", ("a", "b")),
        ('"x$@y"', ("xrun", "a by")),
        ("$#", ("2",)),
        ("$9", ()),
        ('"$9"', ("",)),
        ("${PORT:-8000}", ("80",)),
        ("${NONE:-$PORT}", ("80",)),
        ("${NONE:-}", ()),
        ("${EMPTY-x}", ()),
        ("${EMPTY:-x}", ("x",)),
        ("${PORT:+set}", ("set",)),
        ("${NONE:+set}", ()),
        ("${1#r}", ("un",)),
        ("${PATHS##*/}", ("c.sh",)),
        ("${PATHS%.sh}", ("/a/b/c",)),
        ("${#PORT}", ("2",)),
        ("${1:0:1}", ("r",)),
        ("${PORT: -1}", ("0",)),
        ("${!NAME}", ("80",)),
        ("$FLAGS", ("-a", "-b")),
        ('"$FLAGS"', ("-a  -b",)),
        ('"${LIST[@]}"', ("x y", "z")),
        ("a'b c'\"d\"\\ e", ("ab cd e",)),
        ("$NOT_SET", ()),
        ("$UNKNOWN_VALUE", None),
        ("$HOME", None),
        ("$(nproc)", None),
        ("$((1+1))", None),
        ('"$(dirname "$0")/app"', ("/srv/app",)),
        ("`basename /a/b.sh`", ("b.sh",)),
        ("$(which gunicorn)", ("gunicorn",)),
        ("'$PORT'", ("$PORT",)),
        ('"\\$PORT"', ("$PORT",)),
    ],
)
def test_expansion(text: str, expected: tuple[str, ...] | None) -> None:
    variables = {
        "PORT": "80",
        "NAME": "PORT",
        "EMPTY": "",
        "FLAGS": "-a  -b",
        "PATHS": "/a/b/c.sh",
        "LIST": "x y\x1fz",
        "UNKNOWN_VALUE": None,
    }
    assert expand(text, Scope(variables, ("run", "a b"), "/srv/start.sh")) == expected


@given(st.text(alphabet="ab '\"\\$(){}[]`#%:-+=?@*!1", max_size=40))
def test_any_word_expands_or_is_unknown(text: str) -> None:
    fields = expand(text, Scope({"a": "x y", "b": None}, ("1", "2"), "s"))
    assert fields is None or all(isinstance(field, str) for field in fields)
