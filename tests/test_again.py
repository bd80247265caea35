"""A program that is started many times is followed once for each answer it has: what it looks at decides."""

from __future__ import annotations

import ast
import gc

import pytest

from gracelint import again
from gracelint.again import Function, Variables, Words, remembered
from gracelint.base import memory
from gracelint.base.memory import Trees, fleeting, leftovers
from gracelint.behaviour import go
from gracelint.behaviour.java.syntax import JavaClass
from gracelint.behaviour.machine import interest
from gracelint.behaviour.machine.nodes import Name, walk
from gracelint.behaviour.machine.ways import SIGNALS
from gracelint.behaviour.node.modules import _required
from gracelint.behaviour.node.syntax import read_file
from gracelint.launch.runtimes import go as go_builds
from gracelint.launch.shell import rounds
from gracelint.source import Source
from gracelint.testing import read
from gracelint.tree.files import ProjectFiles
from gracelint.tree.warm import Asked, Warm

HEAVY = "x = 0\nwhile x < 9999: x += 1\n"
"""It takes all the steps that one program has."""
PYTHON = "import os, sys, time, signal\n{}\nwhile True: time.sleep(1)\n"
HANDLER = "signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))"


def services(text: str, count: int = 3) -> dict[str, str]:
    one = "  s{0}: {{build: ., command: [python, app.py, 's{0}'], environment: {{NAME: 's{0}'}}}}\n"
    return {
        "Dockerfile": "FROM python:3.12\nCOPY . .\n",
        "app.py": PYTHON.format(text),
        "compose.yaml": "services:\n" + "".join(one.format(number) for number in range(count)),
    }


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        (HANDLER, ["handled", "handled", "handled"]),
        (f"if sys.argv[1] == 's1': {HANDLER}", ["ignored", "handled", "ignored"]),
        (f"if os.environ['NAME'] == 's2': {HANDLER}", ["ignored", "ignored", "handled"]),
        (f"if 's0' in sys.argv: {HANDLER}", ["handled", "ignored", "ignored"]),
    ],
    ids=["whatever", "a word", "a variable", "any word"],
)
def test_what_is_looked_at_makes_the_difference(text: str, verdicts: list[str]) -> None:
    assert [launch.verdict.value for launch in read(services(text)).launches] == verdicts


def test_what_holds_on_to_the_trees_of_a_program_is_let_go_with_it() -> None:
    asked: list[str] = []
    calls = fleeting(8)(lambda name: asked.append(name) or name)
    assert [calls("a"), calls("a")] == ["a", "a"]
    leftovers.end(leftovers.begin())
    assert calls("a") == "a"
    assert asked == ["a", "a"]


class Reader:
    """A reader that counts how often it reads."""

    def __init__(self, looks_at: str) -> None:
        self.count = 0
        self.looks_at = looks_at

    def ask(self, files: object, argv: tuple[str, ...], env: dict[str, str | None]) -> object:
        @remembered
        def read_it(path: str, *, files: object, argv: Words, env: Variables, effort: object) -> object:
            self.count += 1
            if self.looks_at == "words":
                return " ".join(argv)
            if self.looks_at == "a variable":
                return env.get("A")
            if self.looks_at == "variables":
                return dict(env)
            return files.exists(path) if self.looks_at == "files" else "same"  # type: ignore[attr-defined]

        return read_it("app", files=files, argv=argv, env=env)


@pytest.mark.parametrize(
    ("looks_at", "other_words", "other_a", "other_b"),
    [("nothing", 1, 1, 1), ("words", 2, 1, 1), ("a variable", 1, 2, 1), ("variables", 1, 2, 2)],
)
def test_it_is_read_again_where_something_it_looks_at_is_another(
    tmp_path: object, looks_at: str, other_words: int, other_a: int, other_b: int
) -> None:
    first: tuple[tuple[str, ...], dict[str, str | None]] = (("x",), {"A": "1", "B": "1"})
    for other, count in (
        ((("y",), {"A": "1", "B": "1"}), other_words),
        ((("x",), {"A": None, "B": "1"}), other_a),
        ((("x",), {"B": "1"}), other_a),
        ((("x",), {"A": "1", "B": "2"}), other_b),
    ):
        reader, files = Reader(looks_at), ProjectFiles(str(tmp_path))
        asked = [reader.ask(files, *question) for question in (first, other, first)]
        assert (reader.count, asked[0] == asked[2]) == (count, True)


def test_a_variable_that_is_set_to_something_unknown_is_set(tmp_path: object) -> None:
    reader, files = Reader("a variable"), ProjectFiles(str(tmp_path))
    assert [reader.ask(files, (), env) for env in ({}, {"A": None}, {"A": "1"})] == [None, None, "1"]
    assert reader.count == 3


def test_other_files_are_asked_anew_and_what_was_asked_is_known_to_both(tmp_path: object) -> None:
    reader, files, warm = Reader("files"), ProjectFiles(str(tmp_path)), Warm()
    one, other = Asked(files, warm), Asked(files, warm)
    assert [reader.ask(each, (), {}) for each in (one, other)] == [False, False]
    assert reader.count == 1
    assert [noted.known for noted in other.answers.others] == [{("exists", "app"): False}]
    reader.ask(ProjectFiles(str(tmp_path)), (), {})
    assert reader.count == 2


def test_a_function_that_is_given_is_asked_the_same_again(tmp_path: object) -> None:
    count = 0

    @remembered
    def read_it(path: str, *, files: object, argv: Words, shell: Function, effort: object) -> object:
        nonlocal count
        count += 1
        return shell("a")

    files = ProjectFiles(str(tmp_path))
    for shell in (str.upper, lambda text: text.upper(), str.lower):
        assert read_it("app", files=files, argv=(), shell=shell) == shell("a")
    assert count == 2


def test_hundreds_of_services_of_a_heavy_program_take_no_longer_than_a_few() -> None:
    import sys

    def calls(count: int) -> int:
        seen = 0

        def note(frame: object, event: str, argument: object) -> None:
            nonlocal seen
            seen += event == "call"

        sys.setprofile(note)
        try:
            read(services(HEAVY, count))
        finally:
            sys.setprofile(None)
        return seen

    calls(1)
    few, many = calls(2), calls(22)
    assert many - few < 4 * few


GO = """package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {{
	stop := make(chan os.Signal, 1)
	{}
	<-stop
}}
"""
BUILD = """FROM golang:1.23 AS build
WORKDIR /src
COPY . .
RUN go build -o /app .
FROM scratch
COPY --from=build /app /app
"""


@pytest.mark.parametrize(
    ("body", "count", "verdicts"),
    [
        ("signal.Notify(stop, syscall.SIGTERM)", 1, ["handled", "handled", "handled"]),
        ('if os.Args[1] == "s1" {\n\t\tsignal.Notify(stop, syscall.SIGTERM)\n\t}', 3, ["cut", "handled", "cut"]),
    ],
    ids=["whatever", "a word"],
)
def test_a_program_of_go_is_followed_once_for_each_answer(
    body: str, count: int, verdicts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[object] = []
    tell = go.tell
    monkeypatch.setattr(go, "tell", lambda question: followed.append(question) or tell(question))
    started = "".join(f"  s{number}: {{build: ., entrypoint: [/app, s{number}]}}\n" for number in range(3))
    project = read({"Dockerfile": BUILD, "main.go": GO.format(body), "compose.yaml": f"services:\n{started}"})
    assert (len(followed), [launch.verdict.value for launch in project.launches]) == (count, verdicts)


def _machines() -> int:
    return sum(type(one).__name__ == "Machine" for one in gc.get_objects())


def test_what_runs_leave_behind_is_freed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_trees", Trees(memory.ROOM))  # what others left in it would be let go of meanwhile
    monkeypatch.setattr(memory, "_LEFT_AT_ONCE", 5_000)
    monkeypatch.setattr(again, "leftovers", memory.Leftovers())
    loop = "def f(n):\n    if n: return f(n - 1)\nf(30)\nwhile True: pass\n"
    files = {f"p{n}.py": f"{loop}x = {n}\n{'#' * 20_000}\n" for n in range(12)}
    files |= {f"{n}.Dockerfile": f'FROM python:3.12\nCOPY . .\nCMD ["python", "p{n}.py"]\n' for n in range(12)}
    was_on = gc.isenabled()
    gc.disable()
    try:
        gc.collect()
        others = _machines()
        read(files)
        kept = _machines() - others
    finally:
        if was_on:
            gc.enable()
    assert kept < 3 * len(SIGNALS)


def test_a_module_that_several_programs_import_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = ast.parse
    monkeypatch.setattr(memory, "_trees", Trees(1_000))
    monkeypatch.setattr(ast, "parse", lambda text: parsed.append(text) or parse(text))
    files = {"shared.py": "x = 1\n", "large.py": f"y = 1\n{'#' * 2_000}\n"}
    for name in ("one", "two"):
        files[f"{name}.py"] = "import shared, large\nwhile True: pass\n"
        files[f"{name}.Dockerfile"] = f'FROM python:3.12\nCOPY . .\nCMD ["python", "{name}.py"]\n'
    read(files)
    assert (parsed.count(files["shared.py"]), parsed.count(files["large.py"])) == (1, 2)


def test_the_trees_of_the_files_that_were_asked_for_last_are_kept() -> None:
    trees = Trees(20)
    first, second, third = (Source("a.py", text) for text in ("one = 1\n", "two = 2\n", "three = 3\n"))

    def parse(source: Source) -> ast.Module:
        return ast.parse(source.text)

    kept, dropped = trees.of(first, parse), trees.of(second, parse)
    trees.of(first, parse)
    trees.of(third, parse)
    assert trees.of(first, parse) is kept
    assert trees.of(second, parse) is not dropped


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[tuple[object, ...]]:
    """What a function is called with from here on."""
    called: list[tuple[object, ...]] = []
    function = getattr(module, name)

    def counting(*given: object) -> object:
        called.append(given)
        return function(*given)

    monkeypatch.setattr(module, name, counting)
    return called


def test_a_function_is_searched_once_for_what_bears_on_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = counted(monkeypatch, interest, "_telling")
    branch = "if ENV['{0}']\n  work\nend\n"
    program = "def work\n  self.note\nend\n" + "".join(map(branch.format, "ABCDEFGH")) + "sleep\n"
    assert (
        len(read({"Dockerfile": 'FROM ruby:3.3\nCOPY . .\nCMD ["ruby", "app.rb"]\n', "app.rb": program}).launches) == 1
    )
    names = [[one.name for one in walk(node) if isinstance(one, Name)] for _, node in searched]
    assert names.count(["work"]) > 8
    assert names.count(["self"]) == 1


def test_what_all_ways_through_a_script_start_is_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    followed = counted(monkeypatch, rounds, "_followed")
    asked = "".join(f"if curl {name}; then /{name} & fi\n" for name in "abc")
    files = {
        "Dockerfile": 'FROM debian:12\nCOPY . /\nCMD ["/run.sh"]\n',
        "run.sh": f"#!/bin/sh\n{asked}/helper &\n/server\nwait\n",
        "helper": "#!/bin/sh\nsleep infinity\n",
        "server": "#!/bin/sh\nsleep infinity\n",
    }
    (launch,) = read(files).launches
    assert launch.verdict.value == "ignored"
    assert [event.words[0].value for event, _ in followed] == ["/server"]


def test_the_builds_of_a_stage_are_read_once_for_all_that_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    started = counted(monkeypatch, go_builds, "_go_commands")
    names = ("first", "second", "third")
    files = {f"cmd/{name}/main.go": "package main\n\nfunc main() { select {} }\n" for name in names}
    files |= {
        "Dockerfile": "FROM golang:1.23 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /out/ ./cmd/...\n"
        "FROM debian:12\nCOPY --from=build /out/ /usr/local/bin/\n",
        "compose.yaml": "services:\n" + "".join(f"  {name}: {{build: ., command: [{name}]}}\n" for name in names),
        "go.mod": "module example.com/app\n\ngo 1.23\n",
    }
    assert [launch.verdict.value for launch in read(files).launches] == ["cut", "cut", "cut"]
    assert len(started) == 1


def test_a_class_of_java_is_read_once_for_all_ways_of_all_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    start = JavaClass.__init__
    monkeypatch.setattr(JavaClass, "__init__", lambda one, name, *rest: made.append(name) or start(one, name, *rest))
    main = """public class Main {
    static boolean stopping = false;
    public static void main(String[] args) throws Exception {
        if (System.getenv("A") != null) System.out.println("a");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stopping = true));
        while (!stopping) Thread.sleep(1000);
    }
}
"""
    dockerfile = "FROM eclipse-temurin:21 AS b\nCOPY . .\nRUN javac -d /out Main.java\nFROM eclipse-temurin:21\n"
    dockerfile += 'COPY --from=b /out /app\nCMD ["java", "-cp", "/app", "Main"]\n'
    project = read({"Dockerfile": dockerfile, "Main.java": main})
    assert (made, [launch.verdict.value for launch in project.launches]) == (["Main"], ["cut"])


def test_a_module_of_node_is_gone_through_once() -> None:
    file = read_file(Source("app.js", "app.get('/', () => require('./late'))\n"))
    assert [name for name, _ in _required(file)] == ["./late"]
    assert _required(file) is _required(file)
