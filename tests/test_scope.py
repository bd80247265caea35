"""What PATHS and settings mean: what a run says of a file does not depend on what else it was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest

from conftest import ROOT, rule_cases
from gracelint.base.record import replace
from gracelint.config import Configuration
from gracelint.engine import lint
from gracelint.engine.reported import Report
from gracelint.project import Request
from gracelint.reading import read_project
from gracelint.selection import select
from gracelint.testing import read_folder

DOCKERFILE = "FROM python:3.12-slim\nCOPY shop.py /\nCMD python /shop.py; true\n"
SHOP_PY = """\
import signal, sys, time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    time.sleep(1)
"""
COMPOSE = "services:\n  web:\n    build: .\n"
SHOP = {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE, "shop.py": SHOP_PY}


def check(files: Mapping[str, str], *paths: str) -> Report:
    """What a run for some of the files of a project says."""
    with TemporaryDirectory() as folder:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8", newline="") as file:
                file.write(text)
        return check_folder(folder, *(paths or ("",)))


def check_folder(folder: str, *paths: str) -> Report:
    configuration = Configuration(folder)
    request = Request(folder, tuple(os.path.join(folder, path) for path in paths), configuration)
    return lint(read_project(request), select(configuration))


def told(report: Report) -> list[str]:
    return [f"{item.path}:{item.finding.at.line} {item.rule}" for item in report.findings]


def notes(report: Report) -> list[str]:
    (reported,) = report.findings
    return [f"{note.span.source.path}:{note.span.line} {note.text}" for note in reported.finding.notes]


class TestWhereAFindingIsShown:
    def test_at_its_place_where_that_was_asked_for(self) -> None:
        assert told(check(SHOP)) == ["Dockerfile:3 shell-form-command"]
        assert told(check(SHOP, "Dockerfile")) == ["Dockerfile:3 shell-form-command"]

    def test_else_where_its_launch_is_declared_with_the_place_as_a_note(self) -> None:
        report = check(SHOP, "compose.yaml")
        assert told(report) == ["compose.yaml:2 shell-form-command"]
        assert notes(report) == ["Dockerfile:3 here"]

    def test_else_not_at_all(self) -> None:
        assert told(check({**SHOP, "other.yaml": "kind: Service\n"}, "other.yaml")) == []

    def test_what_a_stage_says_is_shown_where_it_is_started(self) -> None:
        files = {"Dockerfile": "FROM python:3.12\nCMD ['python', 'shop.py']\n", "compose.yaml": COMPOSE}
        assert told(check(files, "compose.yaml")) == ["compose.yaml:2 malformed-exec-form"]

    def test_what_a_program_does_is_shown_where_it_is_started(self) -> None:
        files = {**SHOP, "Dockerfile": 'FROM python:3.12\nCOPY . /\nCMD ["python", "/shop.py"]\n'}
        files["shop.py"] = "import time\n\nwhile True:\n    time.sleep(1)\n"
        assert "compose.yaml:2 missing-sigterm-handler" in told(check(files, "compose.yaml"))


class TestExcludedFiles:
    LEGACY: ClassVar = {"legacy/Dockerfile": DOCKERFILE, "compose.yaml": "services:\n  web:\n    build: legacy\n"}

    def test_a_finding_moves_to_the_first_place_that_is_not_excluded(self) -> None:
        report = check({**self.LEGACY, "gracelint.toml": 'exclude = ["legacy"]'})
        assert told(report) == ["compose.yaml:2 shell-form-command"]
        assert notes(report) == ["legacy/Dockerfile:3 here"]

    def test_one_that_lies_only_there_is_not_reported_even_where_the_file_is_named(self) -> None:
        files = {"legacy/Dockerfile": DOCKERFILE, "gracelint.toml": 'exclude = ["legacy"]'}
        assert told(check(files, "legacy/Dockerfile")) == []


class TestSettingsOfEachFile:
    TWO: ClassVar = {"api/Dockerfile": DOCKERFILE, "web/Dockerfile": DOCKERFILE}

    @pytest.mark.parametrize(
        ("settings", "seen"),
        [
            ('ignore = ["shell-form-command"]', []),
            ('select = ["kubernetes"]', []),
            ('per-file-ignores."Dockerfile" = ["launch"]', []),
            ('severity.shell-form-command = "info"', ["info"]),
            ("strict = true", ["error"]),
        ],
    )
    def test_hold_below_the_folder_they_stand_in(self, settings: str, seen: list[str]) -> None:
        other = DOCKERFILE.replace("CMD ", "CMD nice ")
        report = check({"api/Dockerfile": DOCKERFILE, "web/Dockerfile": other, "api/gracelint.toml": settings})
        found = [(item.path, item.severity.value) for item in report.findings]
        assert found == [*(("api/Dockerfile", severity) for severity in seen), ("web/Dockerfile", "error")]

    def test_never_cut_the_repository_into_pieces(self) -> None:
        files = {**self.TWO, "k8s/gracelint.toml": "", "k8s/web.yaml": POD}
        assert "k8s/web.yaml:7 shell-form-command" in told(check(files, "k8s/web.yaml"))

    def test_say_what_a_launch_of_theirs_needs(self) -> None:
        files = {"a/pod.yaml": GRACE, "b/pod.yaml": GRACE, "b/gracelint.toml": "budget.drain-seconds = 20"}
        assert [line for line in told(check(files)) if "grace-period-too-short" in line] == [
            "b/pod.yaml:9 grace-period-too-short"
        ]

    def test_name_the_dockerfile_of_an_image_from_where_they_stand(self) -> None:
        files = {**self.TWO, "k8s/gracelint.toml": 'images.shop = "../web/Dockerfile"'}
        files["k8s/web.yaml"] = POD.replace("image: web", "image: shop")
        assert "k8s/web.yaml:7 shell-form-command" in told(check(files, "k8s/web.yaml"))


POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: web
"""
GRACE = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: nginx:1.27
  terminationGracePeriodSeconds: 15
"""


def projects() -> list[tuple[str, str]]:
    return list(_projects())


def _projects() -> Iterator[tuple[str, str]]:
    fixtures = os.path.join(ROOT, "fixtures")
    for rule in sorted(os.listdir(fixtures)):
        cases = sorted(os.listdir(os.path.join(fixtures, rule)))
        folders = [case for case in cases if os.path.isdir(os.path.join(fixtures, rule, case))]
        yield from [(rule, "")] if rule == "shop" else [(rule, case) for case in folders]


def touching(report: Report, path: str) -> set[tuple[str, str, str, int]]:
    """The findings that have to do with a file, by what does not depend on where they are shown."""
    return {
        (item.rule, item.severity.value, item.home.source.path, item.home.start)
        for item in report.findings
        if item.home is not None and any(path == one for one in places(item.finding.at.source.path, item.finding.notes))
    }


def places(path: str, others: Iterable[object]) -> list[str]:
    return [path, *(note.span.source.path for note in others)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("rule", "case"), projects())
def test_what_is_said_of_a_file_does_not_depend_on_what_else_is_named(rule: str, case: str) -> None:
    folder = os.path.join(ROOT, "fixtures", rule, case)
    everything = check_folder(folder, "")
    for path in read_folder(folder, leave_out=("expected.txt",)):
        if path.endswith("gracelint.toml"):
            continue
        alone = check_folder(folder, path)
        missing = touching(everything, path) - touching(alone, path)
        assert not missing, f"{path} by itself lacks {missing}"
        added = touching(alone, path) - {(item[0], *item[1:]) for item in everywhere(everything)}
        assert not added, f"{path} by itself adds {added}"


def everywhere(report: Report) -> set[tuple[str, str, str, int]]:
    return {
        (item.rule, item.severity.value, item.home.source.path, item.home.start)
        for item in report.findings
        if item.home is not None
    }


PROJECTS = sorted({os.path.join(rule, case) for rule, case in rule_cases()})[::5]
"""One case in five of the rules, which are small projects of every kind."""


@pytest.mark.parametrize("name", [os.path.join(ROOT, "fixtures", "shop"), *PROJECTS])
def test_what_bears_on_no_named_file_need_not_be_followed(name: str) -> None:
    """For each file of a project: a run that follows what bears on it says what one says that follows all."""
    folder = os.path.join(ROOT, "fixtures", name)
    configuration = Configuration(folder)
    for path in sorted(read_folder(folder)):
        paths = (os.path.join(folder, path),)
        asked = Request(root=folder, paths=paths, configuration=configuration, only_judged=True)
        near = replace(asked, narrow=True)
        whole, narrow = (lint(read_project(request), select(configuration)) for request in (asked, near))
        assert all_told(narrow) == all_told(whole), path


def all_told(report: Report) -> tuple[object, ...]:
    findings = [
        (found.rule, found.severity, found.finding.message, found.path, found.finding.at.start, found.finding.at.end)
        for found in report.findings
    ]
    notes = [
        (note.span.source.path, note.span.start, note.text) for found in report.findings for note in found.finding.notes
    ]
    launches = [(one.origin.source.path, one.origin.name, one.verdict, one.why) for one in report.launches]
    return findings, notes, launches, dict(report.containers), report.suppressed, report.files, report.errors


def test_what_production_starts_is_found_beside_the_one_file_named() -> None:
    server = "services:\n  web:\n    image: python:3.12-slim\n    command: flask run\n"
    found = []
    for above in (server, "services:\n  web:\n    restart: always\n"):
        files = {"app/docker-compose.yml": server, "app/docker-compose.prod.yml": above}
        report = check(files, "app/docker-compose.yml")
        found.append([(one.rule, one.severity.name) for one in report.findings])
    assert found == [[("unheard-stop-signal", "INFO")], [("dev-server", "WARNING")]]
