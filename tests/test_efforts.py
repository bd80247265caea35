"""What the programs of one run may take together: a share for each, whatever else is linted, and in whatever order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gracelint.again import remembered
from gracelint.base.limits import PORTION, ROOM, SHARED, STEPS, WORTH, WORTH_EACH, Effort
from gracelint.base.record import replace
from gracelint.facts.launch import Launch
from gracelint.launch.shell.scripts import Walk
from gracelint.reading import read_project
from gracelint.render.effort import OF_CHARTS, readers
from gracelint.render.effort import Effort as Effort_of_charts
from gracelint.source import Source
from gracelint.testing import lint, read, request
from gracelint.tree.files import ProjectFiles

Project = dict[str, str]

BUSY = {
    "python:3.12": ("python", "py", "def f{0}(): f{1}(); f{1}()\n", "def f20(): pass\nf0()\nwhile True: pass\n"),
    "node:22": ("node", "js", "function f{0}() {{ f{1}(); f{1}() }}\n", "f0()\nsetInterval(() => {}, 1)\n"),
    "ruby:3.3": ("ruby", "rb", "def f{0} = [f{1}, f{1}]\n", "def f20 = 1\nf0\nsleep\n"),
}
"""Programs of which each function calls another one twice."""


def services(image: str, count: int) -> Project:
    command, ending, calls, start = BUSY[image]
    text = "".join(calls.format(n, n + 1) for n in range(20)) + start
    compose = "".join(f"  s{n}: {{build: ., command: [{command}, p{n}.{ending}]}}\n" for n in range(count))
    return {
        "Dockerfile": f"FROM {image}\nCOPY . .\n",
        "compose.yaml": f"services:\n{compose}",
        **{f"p{n}.{ending}": text.replace("f0", f"x{n}") for n in range(count)},
    }


@pytest.mark.parametrize("image", BUSY)
def test_many_programs_take_little_more_together_than_one(image: str) -> None:
    one, many = (steps(services(image, count)) for count in (1, 25))
    assert one > 2 * WORTH
    assert many < ROOM + 25 * 1.5 * WORTH


def test_what_is_over_the_share_is_unknown_and_the_others_are_followed_as_before() -> None:
    files = services("ruby:3.3", 30)
    files["p7.rb"] = "trap('TERM') { exit }\nsleep\n"
    verdicts = {launch.origin.name: launch.verdict.value for launch in read(files).launches}
    assert verdicts.pop("s7") == "handled"
    assert set(verdicts.values()) == {"unknown"}


@pytest.mark.parametrize("image", BUSY)
def test_a_share_does_not_depend_on_what_else_is_linted(image: str) -> None:
    apart = {f"{n}/{path}": text for n in range(6) for path, text in services(image, 2).items()}
    asked, _ = request(apart)
    whole = read_project(asked)
    part = read_project(replace(asked, paths=(f"{asked.root}/3/compose.yaml",), narrow=True))
    assert [_story(one) for one in part.launches if one.origin.source.path == "3/compose.yaml"] == [
        _story(one) for one in whole.launches if one.origin.source.path == "3/compose.yaml"
    ]
    backwards = read_project(replace(asked, overlay=dict(reversed([*apart.items()])), paths=asked.paths[::-1]))
    assert [*map(_story, backwards.launches)] == [*map(_story, whole.launches)]


def _story(launch: Launch) -> tuple[str, str, str]:
    return launch.origin.name, launch.verdict.value, launch.why


def test_programs_of_one_launch_share_its_room() -> None:
    files = services("ruby:3.3", 25)
    del files["compose.yaml"]
    starts = "".join(f"ruby p{n}.rb &\n" for n in range(25))
    files |= {"start.sh": f"#!/bin/sh\n{starts}wait\n", "Dockerfile": 'FROM ruby:3.3\nCOPY . .\nCMD ["./start.sh"]\n'}
    assert steps(files) < ROOM + 25 * 1.5 * WORTH


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps of each walk over a script."""
    steps: list[int] = []
    paths = Walk.paths

    def noted(walk: Walk, *given: Any) -> Any:
        ends = paths(walk, *given)
        steps.append(walk.steps)
        return ends

    monkeypatch.setattr(Walk, "paths", noted)
    return steps


def test_many_scripts_take_little_more_together_than_one(walked: list[int]) -> None:
    loops = "".join(f"for x{n} in 1 2 3 4 5 6 7 8 9; do\n" for n in range(6))
    script = f"{loops}sleep 1 & wait $!\n{'done; ' * 6}\nexec app\n"

    def scripts(count: int) -> int:
        walked.clear()
        starts = "".join(f"  s{n}: {{build: ., command: [sh, p{n}.sh]}}\n" for n in range(count))
        files = {f"p{n}.sh": script for n in range(count)}
        assert lint({"Dockerfile": "FROM debian\nCOPY . .\n", "compose.yaml": f"services:\n{starts}", **files})
        return sum(walked)

    assert scripts(1) > 4 * PORTION
    assert scripts(100) < ROOM + 100 * PORTION // 2


def test_a_crowd_of_one_supervisor_shares_a_script_as_launches_do(walked: list[int]) -> None:
    def walks(programs: int) -> int:
        walked.clear()
        entries = "".join(f"[program:p{n}]\ncommand=sh /run.sh {n}\n" for n in range(programs))
        files = {
            "Dockerfile": 'FROM debian\nCOPY . /\nCMD ["supervisord", "-c", "s.conf"]\n',
            "run.sh": "echo $1\n" * 2_000 + "exec app\n",
            "s.conf": f"[supervisord]\nnodaemon=true\n{entries}",
        }
        assert read(files).launches
        return sum(walked)

    assert walks(8) > 8 * 2_000
    assert walks(256) < ROOM + 256 * 250


class Running:
    def __init__(self, steps: int) -> None:
        self.steps, self.limit = steps, 0


def test_a_run_gets_what_it_is_worth_first_then_room_and_never_more_than_one_run_may() -> None:
    launch = Effort(2 * PORTION)
    effort = Effort(above=launch)
    first, second = Running(1), Running(1)
    assert effort.lets(first) and first.limit == WORTH
    first.steps = WORTH + 1
    assert effort.lets(first) and launch.left == PORTION
    first.steps = WORTH + 2 * PORTION
    assert effort.lets(first) and launch.left == 0
    assert not effort.lets(second) and effort.is_spent
    assert not Effort(10 * STEPS).lets(Running(STEPS + 1))


def test_longer_sources_are_worth_more() -> None:
    run = Running(WORTH + 900)
    assert Effort(0, length=lambda: 450).lets(run)
    assert not Effort(0, length=lambda: 440).lets(run)


def test_texts_that_many_launches_may_read_are_divided_among_them() -> None:
    alone, crowded = Effort(0), Effort(0, launches=400)
    assert alone.share(100_000) == 100_000
    assert crowded.launches == Effort(0, launches=512).launches == 512
    assert crowded.share(100_000) == (100_000 + SHARED) // 512
    assert crowded.share(90) == 90
    run = Running(ROOM // 512 + 2 * 90)
    assert Effort(0, launches=400, length=lambda: 90).lets(run)
    assert not Effort(0, launches=400, length=lambda: 80).lets(run)


SHARING = {
    "python:3.12": ("python", "py", "import m; m.f0()\nwhile True: pass\n", "def f{0}(): f{1}(); f{1}()\n", "m.py"),
    "node:22": (
        "node",
        "js",
        "require('./m').f0()\n",
        "exports.f{0} = () => {{ exports.f{1}(); exports.f{1}() }}\n",
        "m.js",
    ),
    "ruby:3.3": ("ruby", "rb", "require_relative 'm'\nf0\nsleep\n", "def f{0} = [f{1}, f{1}]\n", "m.rb"),
}
"""Programs that read one large module."""


@pytest.mark.parametrize("image", SHARING)
def test_many_programs_of_one_module_take_little_more_together_than_one(image: str) -> None:
    command, ending, start, call, module = SHARING[image]

    def project(count: int) -> Project:
        starts = "".join(f"  s{n}: {{build: ., command: [{command}, p{n}.{ending}]}}\n" for n in range(count))
        text = "".join(call.format(n, n + 1) for n in range(300))
        programs = {f"p{n}.{ending}": start for n in range(count)}
        files = {"Dockerfile": f"FROM {image}\nCOPY . .\n", "compose.yaml": f"services:\n{starts}", module: text}
        return {**files, **programs}

    length = len(project(1)[module])
    assert steps(project(30)) < 1.2 * (3 * ROOM + WORTH_EACH * (length + SHARED))


@pytest.mark.parametrize(("room", "again"), [(5 * PORTION, 1), (3 * PORTION, 1), (2 * PORTION, 2)])
def test_an_answer_holds_where_there_is_room_for_it(tmp_path: Any, room: int, again: int) -> None:
    count = 0

    @remembered
    def read_it(path: str, *, files: object, argv: object, effort: Effort) -> bool:
        nonlocal count
        count += 1
        return effort.lets(Running(WORTH + 3 * PORTION))

    files = ProjectFiles(str(tmp_path))
    whole = Effort(4 * PORTION)
    assert read_it("app", files=files, argv=(), effort=whole)
    assert whole.left == PORTION
    other = Effort(room)
    assert read_it("app", files=files, argv=(), effort=other) is (room >= 3 * PORTION)
    assert count == again
    assert other.left == max(room - 3 * PORTION, 0)


@pytest.mark.parametrize(("launches", "again"), [(4, 1), (3, 1), (2, 1), (5, 2)])
def test_an_answer_that_took_no_room_holds_among_as_many_launches_or_fewer(
    tmp_path: Any, launches: int, again: int
) -> None:
    count = 0

    @remembered
    def read_it(path: str, *, files: object, argv: object, effort: Effort) -> bool:
        nonlocal count
        count += 1
        return effort.lets(Running(WORTH))

    files = ProjectFiles(str(tmp_path))
    assert read_it("app", files=files, argv=(), effort=Effort(launches=4))
    assert read_it("app", files=files, argv=(), effort=Effort(launches=launches))
    assert count == again


def steps(files: Project) -> int:
    """How many steps all machines take to lint a project."""
    from gracelint.base import limits

    runs: list[Any] = []
    lets = limits.Effort.lets

    def noted(effort: Effort, run: Any) -> bool:
        if not any(one is run for one in runs):
            runs.append(run)
        return lets(effort, run)

    limits.Effort.lets = noted  # type: ignore[method-assign]
    try:
        assert lint(files).errors == ()
    finally:
        limits.Effort.lets = lets  # type: ignore[method-assign]
    return sum(run.steps for run in runs)


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: x, image: x}]}\n"
ENDLESS = "{{ range until 9999 }}{{ range until 9999 }}{{ end }}{{ end }}\n"


def charts(*names: str, template: str = "") -> Project:
    about = "apiVersion: v2\nversion: 1.0.0\nname: "
    made = {name: {"Chart.yaml": about + name + "\n", "templates/pod.yaml": template + POD} for name in names}
    return {f"{name}/{path}": text for name, files in made.items() for path, text in files.items()}


def unread(files: Project) -> set[str]:
    return {item.path.split("/")[0] for item in lint(files).findings if item.rule == "unread-manifest"}


def test_a_chart_is_read_whatever_stands_before_it() -> None:
    many = "{{ range until 500 }}{{ end }}\n"
    hostile = [f"a{n}" for n in range(40)]
    assert unread(charts(*hostile, template=ENDLESS) | charts("zzz", template=many)) == {*hostile}
    assert unread(charts(*hostile, template=ENDLESS) | charts("AAA", template=many)) == {*hostile}


def test_an_overlay_is_built_whatever_stands_before_it() -> None:
    copies = "".join(f"    - {{op: copy, from: /x, path: /x/y{n}}}\n" for n in range(60))
    patch = "patches:\n- target: {kind: Pod}\n  patch: |\n    - {op: add, path: /x, value: {a: 1}}\n" + copies
    hostile = {f"a{n}/kustomization.yaml": f"resources: [pod.yaml]\n{patch}" for n in range(20)}
    hostile |= {f"a{n}/pod.yaml": POD for n in range(20)}
    for name in ("zzz", "AAA"):
        other = {f"{name}/kustomization.yaml": "resources: [pod.yaml]\nnamePrefix: x-\n", f"{name}/pod.yaml": POD}
        assert unread(hostile | other) == {f"a{n}" for n in range(20)}


def test_the_share_of_a_chart_does_not_depend_on_what_is_asked_for(tmp_path: Path) -> None:
    """One that is within what it would have alone, and beyond its share of the tree's."""
    template = "{{ range until 3000 }}{{ end }}\n"
    alone = charts("mine", template=template)
    assert unread(alone) == set()
    for path, text in (alone | charts(*[f"a{n}" for n in range(100)]) | {"gracelint.toml": ""}).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    command = [sys.executable, "-m", "gracelint", "check", "--format", "concise", "--fail-on", "never"]
    whole, part = (
        subprocess.run([*command, path], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for path in (".", "mine/Chart.yaml")
    )
    assert whole == part
    assert "mine/Chart.yaml:3:1: info[unread-manifest] 1 of 1 templates of the chart `mine` cannot be rendered" in part


def test_what_many_are_made_of_is_divided_among_them() -> None:
    """Overlays upon one large base come to no more steps together than its text and theirs are worth."""
    base = {"base/kustomization.yaml": "resources: [pod.yaml]\n", "base/pod.yaml": f"---\n{POD}" * 200}
    few, many = (
        {f"o{n}/kustomization.yaml": f"resources: [../base]\nnamePrefix: x{n}-\n" for n in range(count)} | base
        for count in (2, 300)
    )
    assert unread(few) == set()
    assert len(unread(many)) == 300


def test_values_that_many_releases_get_are_divided_among_them() -> None:
    files = charts("x") | {"long.yaml": "".join(f"k{n}: {{a: b}}\n" for n in range(5_000))}
    few, many = (
        files | {"helmfile.yaml": "releases:\n" + "".join(
            f"- {{name: r{n}, chart: ./x, values: [long.yaml]}}\n" for n in range(count)
        )}
        for count in (2, 300)
    )  # fmt: skip
    assert unread(few) == set()
    assert unread(many) == {"x"}


def test_a_file_is_worth_its_text_for_as_many_as_may_share_it() -> None:
    def worth(releases: int, shared: int) -> int:
        effort = Effort_of_charts(0, users=lambda path: releases)
        effort.read(Source("x", " " * 1_000), shared=shared)
        return effort.left

    assert worth(1, 1) == worth(8, 8) == OF_CHARTS * 1_000
    assert worth(8, 1) == worth(64, 8) == OF_CHARTS * 125


def test_readers_are_counted_once_for_each_folder() -> None:
    takes = {"a": ["c"], "b": ["c"], "c": ["d", "c/pod.yaml"], "d": []}
    found = readers(["a", "b", "c", "d"], lambda folder: takes.get(folder, []))
    assert [found.of(path) for path in ("c/pod.yaml", "c/patch.yaml", "d/x/y.yaml", "a/x.yaml", "e/x.yaml")] == [
        3,
        3,
        4,
        1,
        0,
    ]
