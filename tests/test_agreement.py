"""check and trace tell the same story: what trace calls ignored or cut, check reports once, and nothing else so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import ClassVar

import pytest

from conftest import ROOT
from gracelint.base.record import replace
from gracelint.config import ConfigError
from gracelint.engine import lint
from gracelint.engine.reported import Reported
from gracelint.facts.kubernetes import Workload
from gracelint.facts.launch import Launch
from gracelint.facts.program import Program
from gracelint.facts.verdict import Verdict
from gracelint.finding import Finding, Severity
from gracelint.project import Project
from gracelint.reading import read_project
from gracelint.rules import Rule
from gracelint.selection import every_rule
from gracelint.testing import Files, read_folder, request

BAD = (Verdict.IGNORED, Verdict.CUT)
SUITES = os.path.join(ROOT, "..", "shared", "cases")
RULES: list[Rule] = []


def projects() -> list[str]:
    return list(_projects())


def _projects() -> Iterator[str]:
    fixtures = os.path.join(ROOT, "fixtures")
    for rule in sorted(os.listdir(fixtures)):
        folder = os.path.join(fixtures, rule)
        yield from (os.path.join(folder, case) for case in sorted(os.listdir(folder)))
    for suite in ("field", "dev", "dev2"):
        folder = os.path.join(SUITES, suite)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        yield from (os.path.join(folder, case) for case in names if os.path.isdir(os.path.join(folder, case)))


def spoken(project: Project) -> Iterator[tuple[Rule, Finding, list[Launch], list[Launch]]]:
    """Each finding that says what becomes of a launch: with those that it means, and all that its subject has."""
    if not RULES:
        settings = project.request.configuration.inside("")
        RULES.extend(rule for _, rule in every_rule(settings) if rule.verdict)
    for rule in RULES:
        for launch in project.launches if rule.subject is Launch else ():
            for finding in rule.check(launch):
                yield rule, finding, [launch], [launch]
        for workload in project.workloads if rule.subject is Workload else ():
            for finding in rule.check(workload):
                told = [one for one in workload.launches if one.container and one.container.span == finding.at]
                yield rule, finding, [one for one in told if one.verdict in BAD], told
        for program in project.programs if rule.subject is Program else ():
            for finding in rule.check(program):
                stops = [stop for stop in program.stops if isinstance(stop.launch, Launch)]
                causes = {stop.reaction.cause for stop in stops if stop.why in finding.message}
                stops = [stop for stop in stops if stop.reaction.cause in causes] or stops
                meant = [stop.launch for stop in stops if stop.verdict in BAD or stop.late]
                yield rule, finding, meant, [stop.launch for stop in stops]


def said(project: Project) -> Iterator[tuple[Launch, str]]:
    """Each finding that says why a launch is ignored or cut, with the launch."""
    for rule, finding, meant, _ in spoken(project):
        for launch in meant:
            if launch.verdict in BAD or (finding.severity or rule.severity) is not Severity.INFO:
                yield launch, f"{rule.name}: {finding.message}"


def agree(project: Project) -> None:
    told = list(said(project))
    for launch in project.launches:
        mine = [text for one, text in told if one is launch]
        if launch.verdict in BAD and not launch.ends_by_itself:
            wanted = 0 if drops_nothing_of_theirs(launch) else 1
            seen = f"{launch.origin.name} is {launch.verdict.value} ({launch.why}), check says {mine}"
            assert len(mine) == wanted, seen


def drops_nothing_of_theirs(launch: Launch) -> bool:
    """What somebody else's image drops is asked for again (an exporter's scrape), or there is nothing to drop.

    A chart of theirs would have a line for each exporter, and nobody here would act on it.
    """
    theirs = launch.stage is None and launch.origin.kind != "dockerfile"
    return theirs and launch.idle and launch.verdict is Verdict.CUT


FATES = ("SIGKILL after", "is killed", "it runs on until", "before any cleanup", "in flight is lost")
"""How findings say that a stop goes wrong."""
OTHERWISE = ("may need", "does not start")
"""What is said of a program that stops well in the time it may not have, and of one that never runs."""


def holds_back(project: Project) -> None:
    """What trace calls handled, or unknown for a part that nobody has read, no finding calls ignored or cut."""
    for rule, finding, _, told in spoken(project):
        ends = (finding.severity or rule.severity) is Severity.ERROR or any(fate in finding.message for fate in FATES)
        spared = any(words in finding.message for words in OTHERWISE)
        if ends and not spared and told and not any(one.verdict in BAD or one.ends_by_itself for one in told):
            names = ", ".join(f"{one.origin.name} is {one.verdict.value} ({one.why})" for one in told)
            pytest.fail(f"{names}, {rule.name} says: {finding.message}")


@pytest.mark.parametrize("folder", [pytest.param(path, id="-".join(path.split("/")[-2:])) for path in projects()])
def test_what_is_ignored_or_cut_is_reported_once_and_nothing_else(folder: str) -> None:
    if not os.path.isdir(folder):
        return
    try:
        asked, _ = request(read_folder(folder, leave_out=("expected.txt", "case.json")))
    except ConfigError:
        return  # its settings are wrong on purpose
    project = read_project(asked)
    agree(project)
    holds_back(project)


def rendered() -> Iterator[str]:
    """The projects with a chart or an overlay: what a run that fixes nothing leaves out stands in those."""
    for folder in projects():
        names = {name for _, _, names in os.walk(folder) for name in names}
        if not names.isdisjoint(("Chart.yaml", "kustomization.yaml", "kustomization.yml")):
            yield folder


@pytest.mark.parametrize("folder", [pytest.param(path, id="-".join(path.split("/")[-2:])) for path in rendered()])
def test_a_run_that_fixes_says_what_a_check_says(folder: str) -> None:
    asked, selection = request(read_folder(folder, leave_out=("expected.txt", "case.json")))
    check, fix = (lint(read_project(replace(asked, only_judged=only)), selection) for only in (True, False))
    assert list(map(shown, check.findings)) == list(map(shown, fix.findings))


def shown(item: Reported) -> str:
    notes = (f"{note.span.source.path}:{note.span.line} {note.text}" for note in item.finding.notes)
    place = f"{item.path}:{item.finding.at.line}:{item.finding.at.column}"
    return "\n".join((f"{place} {item.severity.value} {item.rule} {item.finding.message}", *notes))


UNKNOWN = {
    "an unknown entrypoint in front of a shell": 'services:\n  a: {image: shop:1, command: [sh, -c, "app; true"]}\n',
    "an unknown image": "services:\n  a: {image: shop:1}\n",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_nothing_says_so_of_what_is_unknown(name: str) -> None:
    project = read_project(request({"compose.yaml": UNKNOWN[name]})[0])
    assert [launch.verdict for launch in project.launches] == [Verdict.UNKNOWN]
    assert list(said(project)) == []


class TestFilesForDevelopment:
    SHOP: ClassVar = {"shop.py": "import time\n\nwhile True:\n    time.sleep(1)\n"}
    TEXT = 'FROM python:3.12\nCOPY . .\nCMD ["python", "shop.py"]\n'

    def told(self, files: Files, *, strict: bool = False) -> list[str]:
        asked, selection = request(files, strict=strict)
        report = lint(read_project(asked), selection)
        return [f"{item.path} {item.severity.value} {item.rule}" for item in report.findings]

    @pytest.mark.parametrize(("folder", "number"), [("docker/development/", 0), ("docker/", 1)])
    def test_the_folder_of_a_compose_file_says_so_too(self, folder: str, number: int) -> None:
        text = "services:\n  files:\n    image: files:3\n    entrypoint: sh\n    command: -c 'mkdir /a && serve /a'\n"
        assert len(self.told({f"{folder}compose.yml": text})) == number

    @pytest.mark.parametrize(
        "path",
        [
            *("Dockerfile.dev", "dev.Dockerfile", ".devcontainer/Dockerfile", "docker/devenv/Dockerfile"),
            *("test/Dockerfile", "test-configs/Dockerfile", "Dockerfile.ci", "src/bak/Dockerfile"),
        ],
    )
    def test_get_information_where_the_signal_is_lost(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        files = {os.path.join(folder, "shop.py"): self.SHOP["shop.py"], path: self.TEXT}
        assert self.told(files) == [f"{os.path.join(folder, 'shop.py')} info missing-sigterm-handler"]

    @pytest.mark.parametrize(
        ("path", "severity"),
        [
            *(("testdata/pod.yaml", "info"), ("_archived/pod.yaml", "info"), ("web/pod.yaml", "error")),
            *(("test-configs/pod.yaml", "info"), ("loadtest/pod.yaml", "info"), ("test-api/pod.yaml", "error")),
            *(("install/v0.6.0-rc0/pod.yaml", "info"), ("v1/pod.yaml", "error")),
            *(("CHART-TEMPLATE/pod.yaml", "info"), ("template/pod.yaml", "error")),
        ],
    )
    def test_manifests_that_nobody_runs_from_where_they_stand(self, path: str, severity: str) -> None:
        pod = "spec:\n  containers:\n    - {name: web, image: debian, command: [sirv, public]}\n"
        head = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
        assert self.told({path: head + pod}) == [f"{path} {severity} unheard-stop-signal"]

    @pytest.mark.parametrize(
        ("path", "severity"),
        [("testdata/pod.yaml", "info"), ("docs/snippets/pod.yaml", "info"), ("web/pod.yaml", "error")],
    )
    def test_what_tests_read_is_broken_on_purpose(self, path: str, severity: str) -> None:
        assert self.told({path: "kind: Pod\nspec: [\n"}) == [f"{path} {severity} syntax-error"]

    def test_the_folder_of_an_entry_script_says_so_too(self) -> None:
        files = {"dev/start.sh": "#!/bin/sh\nnode web.js\n", "web.js": "setInterval(console.log, 9)\n"}
        text = "services:\n  web: {image: 'node:22', entrypoint: /app/dev/start.sh, volumes: ['.:/app']}\n"
        assert self.told({**files, "compose.yml": text}) == ["dev/start.sh info script-without-exec"]

    def test_a_development_server_is_what_is_meant_there(self) -> None:
        text = 'FROM python:3.12\nCMD ["flask", "run"]\n'
        assert self.told({"Dockerfile.dev": text}) == ["Dockerfile.dev info unheard-stop-signal"]
        assert self.told({"Dockerfile": text}) == ["Dockerfile warning dev-server"]

    def test_are_spared_by_all_else_unless_strict(self) -> None:
        files = {"Dockerfile.dev": "FROM python:3.12\nENTRYPOINT exec nginx\nCMD run\n"}
        assert self.told(files) == []
        assert self.told(files, strict=True) == ["Dockerfile.dev warning ignored-command"]
