"""A reading after a change works out what the change bears on, and says what a reading from nothing says."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from gracelint.behaviour.node.machine import Machine
from gracelint.behaviour.python.modules import Modules
from gracelint.config import Configuration, Place
from gracelint.launch import link
from gracelint.lsp.session import Reading, Session
from gracelint.parse import compose, kubernetes
from gracelint.report import json
from gracelint.source import Source
from gracelint.tree.warm import Warm, is_same, once

SHOP = Path(__file__).parent.parent / "fixtures/shop"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    shutil.copytree(SHOP, root)
    return root


def session_of(root: Path) -> Session:
    return Session(Place(str(root)), str(root), Configuration)


def noted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, tell: Any) -> list[str]:
    """What a function is called with from now on."""
    calls: list[str] = []
    function = getattr(owner, name)

    def noting(*given: Any, **named: Any) -> Any:
        calls.append(tell(*given))
        return function(*given, **named)

    monkeypatch.setattr(owner, name, noting)
    return calls


@pytest.mark.parametrize(
    ("path", "followed", "programs"),
    [
        ("k8s/web.yaml", ["kubernetes web"], []),
        ("web/Dockerfile", ["compose web", "kubernetes web"], []),
        ("worker/worker.py", ["compose worker", "kubernetes worker"], ["worker/worker.py"]),
        ("worker/entrypoint.sh", ["compose worker", "kubernetes worker"], []),
        ("README.md", [], []),
    ],
)
def test_only_what_read_a_file_is_worked_out_again(
    shop: Path, monkeypatch: pytest.MonkeyPatch, path: str, followed: list[str], programs: list[str]
) -> None:
    session = session_of(shop)
    text = (shop / path).read_text() if (shop / path).exists() else ""
    session.update(path, text)
    session.read(session.open)
    launches = noted(
        monkeypatch, link, "_followed", lambda _, launch, *__: f"{launch.origin.kind} {launch.origin.name}"
    )
    modules = noted(monkeypatch, Modules, "add", lambda _, module: module.path)
    session.update(path, f"{text}\n# changed\n")
    session.read(session.open)
    assert sorted(launches) == followed
    assert sorted(set(modules)) == programs
    launches.clear()
    session.read(session.open)
    assert launches == []


def test_a_program_is_not_read_again_for_an_image_that_starts_it_as_before(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_of(shop)
    text = (shop / "web/Dockerfile").read_text()
    session.update("web/Dockerfile", text)
    session.read(session.open)
    started = noted(monkeypatch, Machine, "start", lambda machine, *_: machine.source.path)
    session.update("web/Dockerfile", f"{text}\n# changed\n")
    session.read(session.open)
    assert started == []
    session.update("web/Dockerfile", f"{text}\nENV NODE_OPTIONS=--require=./other.js\n")
    session.read(session.open)
    assert set(started) == {"web/server.js"}


def test_what_other_files_say_is_not_read_again(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(shop)
    text = (shop / "k8s/web.yaml").read_text()
    session.update("k8s/web.yaml", text)
    session.read(session.open)
    objects = noted(monkeypatch, kubernetes, "objects_of", lambda document, _: document.source.path)
    projects = noted(monkeypatch, compose, "read_projects", lambda *_: "all")
    session.update("k8s/web.yaml", f"{text}\n# changed\n")
    session.read(session.open)
    assert (sorted(set(objects)), projects) == (["k8s/web.yaml"], [])


def test_rules_look_at_what_is_not_as_it_was(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(shop)
    text = (shop / "web/Dockerfile").read_text()
    session.update("web/Dockerfile", text)
    before = session.read(session.open).project
    session.update("web/Dockerfile", f"{text}\n# changed\n")
    after = session.read(session.open).project
    old = {id(subject) for subject in (*before.stages, *before.launches, *before.workloads, *before.programs)}
    new = [launch.origin.name for launch in after.launches if id(launch) not in old]
    assert new == ["web", "web"]
    assert [workload.name for workload in after.workloads if id(workload) not in old] == ["web"]
    assert [stage.source.path for stage in after.stages if id(stage) not in old] == ["web/Dockerfile"]


def test_whatever_is_changed_the_same_is_said(shop: Path) -> None:
    dice = random.Random(7)
    session = session_of(shop)
    paths = sorted(str(path.relative_to(shop)) for path in shop.rglob("*") if path.is_file())
    paths.remove("gracelint.toml")
    for _ in range(30):
        path = dice.choice(paths)
        lines = session.open.get(path, (shop / path).read_text()).splitlines(keepends=True)
        where = dice.randrange(len(lines) + 1)
        lines[where : where + dice.randrange(2)] = dice.choice([[], ["\n"], [dice.choice(lines or ["\n"])]])
        session.update(path, "".join(lines))
        assert told(session.read(session.open)) == told(session_of(shop).read(session.open)), path


def told(reading: Reading) -> list[str]:
    """Findings and their fixes, and what becomes of each container."""
    fates = [f"{one.origin.name} {one.verdict} {one.why} {one.budget.grace.value}" for one in reading.project.launches]
    edits = [
        [(edit.span.source.path, edit.span.start, edit.span.end, edit.text) for edit in found.finding.fix.edits]
        for found in reading.report.findings
        if found.finding.fix is not None
    ]
    sources = [source.path for source in reading.project.sources]
    return [json.render(reading.report), *fates, str(edits), *sources, *reading.report.errors]


def test_a_value_is_the_same_where_it_says_the_same_of_the_same_text() -> None:
    text, other = Source("a", "text"), Source("a", "text")
    assert is_same([text.span(0, 1), {"a": ("b", 1.0)}], [text.span(0, 1), {"a": ("b", 1.0)}])
    assert not is_same(text.span(0, 1), other.span(0, 1))
    assert not is_same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not is_same((1,), [1])
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    assert not is_same(deep, [*deep[:0], deep[0:1]])


class Shelf:
    """Files as they are in one reading."""

    name = "shelf"

    def __init__(self, **texts: Source) -> None:
        self.texts = texts

    def read(self, path: str) -> Source | None:
        return self.texts.get(path)

    def glance(self, path: str) -> str:
        return self.texts[path].text if path in self.texts else ""

    def exists(self, path: str) -> bool:
        return path in self.texts

    def names(self, folder: str) -> tuple[str, ...]:
        return tuple(self.texts)


@pytest.mark.parametrize("question", ["read", "glance", "exists", "names"])
def test_what_was_made_holds_while_every_answer_does(question: str) -> None:
    warm, made = Warm(), []

    def make(files: Any) -> object:
        made.append(getattr(files, question)("a"))
        return len(made)

    def ask(shelf: Shelf) -> object:
        warm.begin()
        found = warm.made("name", "given", shelf, make)
        warm.end()
        return found

    new = Source("a", "new")
    assert [ask(Shelf()), ask(Shelf())] == [1, 1]
    assert [ask(Shelf(a=new)), ask(Shelf(a=new))] == [2, 2]


def test_what_was_found_in_what_another_had_asked_holds_as_long_as_its_answers() -> None:
    warm, looks = Warm(), []

    @once
    def look(files: Any, path: str) -> bool:
        looks.append(path)
        found: bool = files.exists(path)
        return found

    def ask(shelf: Shelf) -> list[tuple[bool, int]]:
        """What each of two launches is told, and how often each was made anew."""
        warm.begin()
        told = [warm.made(name, (), shelf, lambda files: (look(files, "a"), len(looks))) for name in ("one", "other")]
        warm.end()
        return told

    new = Source("a", "new")
    assert ask(Shelf()) == ask(Shelf()) == [(False, 1), (False, 1)]
    assert ask(Shelf(a=new)) == [(True, 2), (True, 2)]


def test_what_a_stopped_reading_did_not_come_across_is_kept() -> None:
    shelf, warm = Shelf(), Warm()
    warm.begin()
    assert warm.made("name", (), shelf, lambda _: "first") == "first"
    warm.end()
    warm.begin()
    warm.begin()
    assert warm.made("name", (), shelf, lambda _: "second") == "first"


def test_a_reading_lets_go_of_what_the_one_before_did_not_come_across() -> None:
    shelf, warm = Shelf(), Warm()
    for _ in range(2):
        warm.begin()
        warm.end()
    assert warm.made("name", (), shelf, lambda _: "anew") == "anew"
