"""What the programs of one run may take together: a share for each, whatever else is linted, and in whatever order."""

from __future__ import annotations

from typing import Any

import pytest

from gracelint.again import remembered
from gracelint.base.limits import PORTION, ROOM, STEPS, WORTH, Effort
from gracelint.base.record import replace
from gracelint.facts.launch import Launch
from gracelint.launch.shell.scripts import Walk
from gracelint.reading import read_project
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


def test_many_scripts_take_little_more_together_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[int] = []
    paths = Walk.paths

    def noted(walk: Walk, *given: Any) -> Any:
        ends = paths(walk, *given)
        walked.append(walk.steps)
        return ends

    monkeypatch.setattr(Walk, "paths", noted)
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
