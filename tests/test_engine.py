"""From subjects to a report: selection, severity, suppression, joining, order, and rules that break."""

from __future__ import annotations

import re

import pytest

from gracelint.config import ConfigError
from gracelint.engine.reported import Report
from gracelint.finding import Severity
from gracelint.launch import link
from gracelint.launch.hops import Way
from gracelint.launch.step import Context
from gracelint.source import Word
from gracelint.testing import lint

PACK = 'plugins = ["acme_rules"]\n'


def told(report: Report) -> list[str]:
    return [f"{item.path}:{item.finding.at.line} {item.severity.value} {item.rule}" for item in report.findings]


def run(dockerfile: str, *select: str, settings: str = "", strict: bool = False, **others: str) -> Report:
    files = {"gracelint.toml": PACK + settings, "Dockerfile": dockerfile}
    return lint(files | {name.replace("_", "."): text for name, text in others.items()}, select=select, strict=strict)


class TestSelection:
    OLD = 'FROM python:2\nUSER 1\nCMD ["true"]\n'

    def test_by_name_and_by_group(self) -> None:
        assert told(run(self.OLD, "old-python")) == ["Dockerfile:1 warning old-python"]
        assert "Dockerfile:1 warning old-python" in told(run(self.OLD, "dockerfile"))
        assert told(run(self.OLD, "kubernetes")) == []

    def test_selecting_replaces_the_default(self) -> None:
        assert told(run(self.OLD, settings='select = ["step-up"]')) == ["Dockerfile:2 info step-up"]

    def test_ignoring(self) -> None:
        assert told(run(self.OLD, "dockerfile", settings='ignore = ["old-python"]')) == ["Dockerfile:2 info step-up"]
        assert told(run(self.OLD, "old-python", settings='ignore = ["dockerfile"]')) == [
            "Dockerfile:1 warning old-python"
        ]

    def test_a_strict_rule_runs_when_named_or_with_strict(self) -> None:
        assert "seen-launch" not in str(told(run(self.OLD, "launch")))
        assert told(run(self.OLD, "seen-launch")) == ["Dockerfile:3 info seen-launch"]
        assert "Dockerfile:3 info seen-launch" in told(run(self.OLD, "launch", strict=True))

    def test_options_reach_the_rule(self) -> None:
        (reported,) = run(self.OLD, "old-python", settings="rules.old-python.oldest = 9").findings
        assert reported.finding.message == "Python 2 is older than 9"

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ('select = ["old-pyton"]', "select: no rule or group is named 'old-pyton': did you mean 'old-python'?"),
            ('ignore = ["kubernets"]', "ignore: no rule or group is named 'kubernets': did you mean 'kubernetes'?"),
            ('severity.x-y-z = "info"', "gracelint.toml: severity: no rule is named 'x-y-z'"),
            ("rules.old-python.old = 1", "rules.old-python: unknown option 'old': did you mean 'oldest'?"),
            (
                'per-file-ignores."a" = ["nothing"]',
                "gracelint.toml: per-file-ignores: no rule or group is named 'nothing'",
            ),
        ],
    )
    def test_an_unknown_name_is_an_error(self, settings: str, message: str) -> None:
        with pytest.raises(ConfigError) as error:
            run(self.OLD, settings=settings)
        assert re.sub(r"^/\S+/(?=gracelint\.toml: )", "", str(error.value)) == message

    def test_a_pack_that_is_not_there_is_an_error(self) -> None:
        with pytest.raises(ConfigError, match="rule pack 'no_such_pack' cannot be imported"):
            lint({"gracelint.toml": 'plugins = ["no_such_pack"]', "Dockerfile": self.OLD})


def test_severity_comes_from_the_settings_then_the_finding_then_the_rule() -> None:
    old = "FROM python:2\n"
    assert told(run(old, "old-python")) == ["Dockerfile:1 warning old-python"]
    assert told(run(old, "old-python", settings='severity.old-python = "error"')) == ["Dockerfile:1 error old-python"]


def test_per_file_ignores() -> None:
    files = {"gracelint.toml": PACK + 'per-file-ignores."old/*" = ["dockerfile"]'}
    files |= {"old/Dockerfile": "FROM python:2\n", "new/Dockerfile": "FROM python:2\n"}
    assert told(lint(files, select=["old-python"])) == ["new/Dockerfile:1 warning old-python"]


def test_findings_are_in_order_of_path_position_and_name() -> None:
    files = {"gracelint.toml": PACK, "b/Dockerfile": "FROM python:2\nUSER 1\n", "a/Dockerfile": "FROM python:2\n"}
    assert told(lint(files, select=["step-up", "old-python"])) == [
        "a/Dockerfile:1 warning old-python",
        "b/Dockerfile:1 warning old-python",
        "b/Dockerfile:2 info step-up",
    ]


def test_a_rule_that_breaks_costs_the_others_nothing() -> None:
    report = run("FROM python:2 AS crash\n", "crashing", "old-python")
    assert told(report) == ["Dockerfile:1 warning old-python"]
    assert report.errors == ("internal error while checking crashing: ValueError: no luck (crashing.py:11)",)


def test_a_launch_that_cannot_be_followed_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    follow = link.follow

    def fragile(argv: tuple[Word, ...], context: Context) -> Way:
        if argv[0].value == "crash":
            raise ValueError("no luck")
        return follow(argv, context)

    monkeypatch.setattr(link, "follow", fragile)
    compose = "services:\n  a: {image: x, entrypoint: [crash]}\n  b: {image: x, entrypoint: [app]}\n"
    report = run("FROM x\n", "seen-launch", compose_yaml=compose)
    assert [item for item in told(report) if "compose" in item][-1] == "compose.yaml:3 error seen-launch"
    assert len(report.errors) == 1
    assert report.errors[0].startswith("internal error while following a: ValueError: no luck (test_engine.py:")


def test_only_stages_that_run_are_judged() -> None:
    build = "FROM python:2 AS build\nUSER 1\nFROM python:2 AS base\nUSER 1\nFROM base\nUSER 1\n"
    assert told(run(build, "step-up")) == ["Dockerfile:4 info step-up", "Dockerfile:6 info step-up"]


class TestJoining:
    COMPOSE = "services:\n  web:\n    build: .\n  worker:\n    build: .\n"

    def test_launches_that_meet_at_one_place_make_one_finding_with_a_note_each(self) -> None:
        report = run('FROM x\nCMD ["app"]\n', "seen-launch", compose_yaml=self.COMPOSE)
        (reported,) = report.findings
        assert told(report) == ["Dockerfile:2 error seen-launch"]
        assert [(note.span.line, note.text) for note in reported.finding.notes] == [
            (2, "started by Compose service `web`"),
            (4, "started by Compose service `worker`"),
        ]

    def test_one_launch_needs_no_note(self) -> None:
        (reported,) = run('FROM x\nCMD ["app"]\n', "seen-launch").findings
        assert reported.finding.notes == ()


class TestSuppression:
    def test_a_comment_silences_its_rule_there(self) -> None:
        report = run("# gracelint: ignore[old-python] until spring\nFROM python:2\n", "old-python")
        assert told(report) == []
        assert report.suppressed == 1

    def test_an_unused_one_is_a_finding_with_a_safe_fix(self) -> None:
        text = "# gracelint: ignore[old-python]\nFROM python:3\n"
        report = run(text, "old-python", "unused-suppression")
        (reported,) = report.findings
        assert told(report) == ["Dockerfile:1 warning unused-suppression"]
        assert reported.finding.message == "`old-python` finds nothing here: this suppression can go"
        assert reported.finding.at.text == "old-python"
        assert reported.finding.fix is not None and reported.finding.fix.applicability.value == "safe"

    def test_a_rule_that_did_not_run_is_not_unused(self) -> None:
        text = "# gracelint: ignore[old-python]\nFROM python:3\n"
        assert told(run(text, "step-up", "unused-suppression")) == []

    def test_an_unknown_name_is_a_finding(self) -> None:
        (reported,) = run("# gracelint: ignore[old-pyton]\nFROM x\n", "engine").findings
        assert reported.rule == "unknown-rule-in-suppression"
        assert reported.finding.message == "no rule is named `old-pyton`: did you mean 'old-python'?"

    def test_where_a_launch_is_declared_it_silences_that_launch_alone(self) -> None:
        compose = "services:\n  web:  # gracelint: ignore[seen-launch]\n    build: .\n  worker:\n    build: .\n"
        report = run('FROM x\nCMD ["app"]\n', "seen-launch", compose_yaml=compose)
        (reported,) = report.findings
        assert reported.finding.notes == ()
        assert report.suppressed == 1

    def test_an_annotation_holds_for_its_object(self) -> None:
        pod = (
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n"
            "    gracelint/ignore: seen-launch, missing-pre-stop\n"
            "spec:\n  containers:\n  - name: app\n    image: x\n    command: [app]\n"
        )
        report = run("FROM y\n", "seen-launch", "unused-suppression", pod_yaml=pod)
        assert [item for item in told(report) if item.startswith("pod.yaml")] == []


class TestFilesThatCannotBeJudged:
    def test_a_syntax_error_is_a_finding_and_costs_the_others_nothing(self) -> None:
        files = {"gracelint.toml": PACK, "a/Dockerfile": "FROM x\nNONSENSE\n", "b/Dockerfile": "FROM python:2\n"}
        assert told(lint(files, select=["old-python"])) == [
            "a/Dockerfile:2 error syntax-error",
            "b/Dockerfile:1 warning old-python",
        ]

    def test_a_template_is_said_to_be_one(self) -> None:
        manifest = "kind: Deployment\nspec:\n{{- if .Values.x }}\n  replicas: 1\n{{- end }}\n"
        (reported,) = run("FROM x\n", "engine", deploy_yaml=manifest).findings
        assert (reported.rule, reported.severity, reported.finding.at.line) == ("templated-manifest", Severity.INFO, 3)
        assert "helm template" in reported.finding.message

    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("compose.template.yml", "info templated-manifest"),
            ("apps/web.ftl.yaml", "info templated-manifest"),
            ("compose.yml", "error syntax-error"),
        ],
    )
    def test_what_its_name_calls_a_template_need_not_parse(self, path: str, said: str) -> None:
        assert told(lint({path: "services:\n  web:\n    image: shop:1\n    image: shop:2\n"})) == [f"{path}:4 {said}"]

    @pytest.mark.parametrize("line", ["<ANNOTATIONS>", "%%ANNOTATIONS%%", "<#if tls>", "</#if>"])
    def test_so_is_what_has_lines_to_be_replaced(self, line: str) -> None:
        manifest = f"kind: Deployment\nmetadata:\n  name: web\n  {line}\nspec:\n  replicas: 2\n"
        (reported,) = lint({"web.yaml": manifest}).findings
        assert (reported.rule, reported.severity) == ("templated-manifest", Severity.INFO)

    def test_what_breaks_elsewhere_is_no_template(self) -> None:
        theme = "kind: ConfigMap\nmetadata: {name: a}\ndata:\n  login.ftl: |\n    <#if tls>\n    </#if>\n"
        broken = "kind: Deployment\nmetadata:\n  name: web\nspec: {\n"
        assert told(lint({"web.yaml": f"{theme}---\n{broken}"})) == ["web.yaml:12 error syntax-error"]

    def test_copies_of_a_broken_file_are_one_finding(self) -> None:
        text = "services:\n  web:\n    image: shop:1\n    image: shop:2\n"
        (reported,) = lint({"eu/compose.yml": text, "us/compose.yml": text}).findings
        assert [note.text for note in reported.finding.notes] == ["the same here"]

    def test_an_empty_dockerfile_is_none_yet(self) -> None:
        (reported,) = lint({"Dockerfile": "\n"}).findings
        assert (reported.rule, reported.severity) == ("syntax-error", Severity.INFO)


@pytest.mark.parametrize(
    "line", ['{% if cookiecutter.use_celery == "y" %}', "FROM python:{{ cookiecutter.python_version }} AS {{ name }}"]
)
def test_a_templated_dockerfile_is_told_and_not_read(line: str) -> None:
    (reported,) = lint({"Dockerfile": f"FROM debian:12\n{line}\nCMD app\n"}).findings
    assert reported.rule == "templated-manifest"
    assert reported.finding.message == "this is a template, not a Dockerfile: lint what is rendered from it"
    assert reported.finding.at.line == 2
