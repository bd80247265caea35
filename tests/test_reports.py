"""The formats: what people and machines read."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from gracelint import __version__
from gracelint.engine.reported import Report, Reported
from gracelint.finding import Applicability, Edit, Finding, Fix, Note, Severity
from gracelint.report import github, gitlab, junit, sarif, text
from gracelint.report import json as json_report
from gracelint.report.azure import pipeline
from gracelint.source import Source, Span
from gracelint.tree.discover import Skip

DOCKERFILE = Source("api/Dockerfile", "FROM python:3.12\n\tCMD python '日本' app.py\n")
MANIFEST = Source("deploy.yaml", "kind: Deployment\n")


def span(source: Source, piece: str) -> Span:
    start = source.text.index(piece)
    return Span(source, start, start + len(piece))


def reported(
    message: str = "the shell stays PID 1: SIGKILL after 30 s",
    at: Span | None = None,
    *,
    fix: Fix | None = None,
    notes: tuple[Note, ...] = (),
    severity: Severity = Severity.ERROR,
) -> Reported:
    return Reported("shell-wrapper", severity, Finding(message, at or span(DOCKERFILE, "app.py"), notes, fix))


def report(*findings: Reported, working_dir: str = "/project", **more: Any) -> Report:
    values = {"skipped": (), "errors": (), "files": 3, "suppressed": 0, "rules": {}} | more
    return Report("/project", working_dir, findings, **values)


EXEC = Fix(
    "Put `exec` before it", (Edit(span(DOCKERFILE, "python '").source.span(22, 22), "exec "),), Applicability.SAFE
)
FULL = reported(notes=(Note(span(MANIFEST, "Deployment"), "started by Deployment `api`"),), fix=EXEC)


PROJECT, PHASE = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
AGENT = {
    "TF_BUILD": "True",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMPROJECTID": PROJECT,
    "SYSTEM_DEFINITIONID": "12",
    "BUILD_DEFINITIONNAME": "shop nightly",
    "SYSTEM_PHASEID": PHASE,
    "SYSTEM_PHASENAME": "Lint",
    "BUILD_SOURCEBRANCH": "refs/heads/main",
    "BUILD_BUILDID": "345",
}
"""What an agent of Azure Pipelines sets."""


class TestText:
    def test_a_finding_shows_its_line_its_notes_and_what_to_do(self) -> None:
        assert text.render(report(FULL)) == (
            "error[shell-wrapper]: the shell stays PID 1: SIGKILL after 30 s\n"
            "  --> api/Dockerfile:2:18\n"
            "   |\n"
            "2  |     CMD python '日本' app.py\n"
            "   |                       ^^^^^^\n"
            "  ::: deploy.yaml:1:7\n"
            "   |\n"
            "1  | kind: Deployment\n"
            "   |       ---------- started by Deployment `api`\n"
            "   = help: Put `exec` before it (--fix)\n"
            "\n"
            "Found 1 error in 1 file.\n"
            "1 can be fixed with `--fix`."
        )

    def test_paths_are_relative_to_the_working_folder(self) -> None:
        assert "--> ../api/Dockerfile:2:18" in text.render(report(FULL, working_dir="/project/web"))
        assert "--> Dockerfile:2:18" in text.render(report(FULL, working_dir="/project/api"))
        assert "--> project/api/Dockerfile:2:18" in text.render(report(FULL, working_dir="/"))

    def test_on_a_terminal_a_rule_is_a_link_to_its_page(self) -> None:
        told = text.render(report(reported(), documentation="https://docs.example.com/a b/{rule}"), color=True)
        assert re.search(r"\x1b\]8;id=\d+;https://docs\.example\.com/a%20b/shell-wrapper\x1b\\", told)
        assert "\x1b]8" not in text.render(report(reported()), color=True)

    def test_nothing_found(self) -> None:
        assert text.render(report()) == "No findings in 3 files."
        assert (
            text.render(report(suppressed=2, baselined=1))
            == "No findings in 3 files. (2 suppressed, 1 in the baseline)"
        )

    def test_quiet_output_is_the_findings_alone(self) -> None:
        assert text.render(report(), summary=False) == ""
        assert text.render(report(FULL), summary=False).endswith("(--fix)")

    def test_the_summary_counts_by_severity_and_by_fix(self) -> None:
        unsafe = Fix("Add tini", EXEC.edits, Applicability.UNSAFE)
        manual = Fix("Think", (), Applicability.MANUAL)
        told = text.render(
            report(
                FULL,
                FULL,
                reported(fix=unsafe, severity=Severity.WARNING),
                reported(fix=manual, severity=Severity.INFO),
            )
        )
        assert told.endswith(
            "Found 2 errors, 1 warning, 1 info in 1 file.\n"
            "2 can be fixed with `--fix`, 1 more with `--fix --unsafe-fixes`."
        )
        assert "= help: Think (by hand)" in told
        assert "= help: Add tini (--fix --unsafe-fixes)" in told

    def test_statistics(self) -> None:
        told = text.statistics(report(FULL, FULL, reported(severity=Severity.INFO)))
        assert told.splitlines()[:2] == ["     2  error   shell-wrapper", "     1  info    shell-wrapper"]

    def test_a_hostile_file_cannot_steer_the_terminal(self) -> None:
        source = Source("evil\x1b[2J", "CMD \x1b]0;x\x07 \u202e app\n")
        told = text.render(report(reported("bad \x1b[31m", span(source, "app"))))
        assert "\x1b" not in told and "\x07" not in told and "\u202e" not in told

    def test_a_long_line_is_cut_around_the_place(self) -> None:
        source = Source("Dockerfile", "CMD " + "a" * 5000 + " app.py " + "b" * 5000)
        told = text.render(report(reported(at=span(source, "app.py"))))
        shown, carets = told.splitlines()[3:5]
        assert len(shown) < 200
        assert shown[carets.index("^") :].startswith("app.py")

    def test_a_place_of_several_lines_is_marked_on_its_first(self) -> None:
        source = Source("Dockerfile", "CMD a \\\n  b\n")
        told = text.render(report(reported(at=source.span(0, 11))))
        assert "1  | CMD a \\\n   | ^^^^^^^" in told

    def test_an_empty_file_has_no_line_to_show(self) -> None:
        told = text.render(report(reported(at=Source("Dockerfile", "").span(0, 0))))
        assert told.splitlines()[1] == "  --> Dockerfile:1:1"
        assert "|" not in told

    def test_of_a_hundred_places_some_are_shown(self) -> None:
        notes = tuple(Note(span(MANIFEST, "Deployment"), f"started by {number}") for number in range(100))
        told = text.render(report(reported(notes=notes)))
        assert told.count("started by") == 8
        assert "   = and 92 more places\n" in told

    def test_colour_is_only_added(self) -> None:
        import re

        coloured = text.render(report(FULL), color=True)
        assert "\x1b[" in coloured
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text.render(report(FULL))


class TestJson:
    def test_the_contract(self) -> None:
        told = json.loads(json_report.render(report(FULL, skipped=(Skip("vendor/", "vendored or generated"),))))
        assert told == {
            "version": 1,
            "findings": [
                {
                    "rule": "shell-wrapper",
                    "severity": "error",
                    "message": "the shell stays PID 1: SIGKILL after 30 s",
                    "path": "api/Dockerfile",
                    "line": 2,
                    "column": 18,
                    "end_line": 2,
                    "end_column": 24,
                    "notes": [
                        {
                            "path": "deploy.yaml",
                            "line": 1,
                            "column": 7,
                            "end_line": 1,
                            "end_column": 17,
                            "text": "started by Deployment `api`",
                        }
                    ],
                    "fix": {
                        "title": "Put `exec` before it",
                        "applicability": "safe",
                        "edits": [
                            {
                                "path": "api/Dockerfile",
                                "line": 2,
                                "column": 6,
                                "end_line": 2,
                                "end_column": 6,
                                "text": "exec ",
                            }
                        ],
                    },
                }
            ],
            "skipped": [{"path": "vendor/", "reason": "vendored or generated"}],
            "summary": {
                "files": 3,
                "not_read": 0,
                "unseen": 0,
                "containers": {},
                "one_shots": 0,
                "errors": 1,
                "warnings": 0,
                "infos": 0,
                "suppressed": 0,
                "baselined": 0,
                "older": 0,
                "internal_errors": [],
            },
        }

    def test_a_file_name_may_hold_any_bytes(self) -> None:
        source = Source("caf\udce9/Dockerfile", "CMD x\n")
        told = json_report.render(report(reported(at=source.span(0, 3))))
        assert json.loads(told.encode())["findings"][0]["path"] == "caf?/Dockerfile"


class TestGitHub:
    def test_a_workflow_command_for_each_finding(self) -> None:
        assert github.render(report(FULL)) == (
            "::error file=api/Dockerfile,line=2,endLine=2,col=18,endColumn=24,title=gracelint shell-wrapper::"
            "the shell stays PID 1: SIGKILL after 30 s%0Adeploy.yaml:1: started by Deployment `api`"
        )

    def test_what_would_end_a_command_is_escaped(self) -> None:
        source = Source("a,b:c%", "x\n")
        told = github.render(report(reported("100%\n::error::", source.span(0, 1), severity=Severity.INFO)))
        assert told.startswith("::notice file=a%2Cb%3Ac%25,")
        assert told.endswith("::100%25%0A::error::")


class TestGitLab:
    def test_an_issue_for_each_finding(self) -> None:
        issue, same = json.loads(gitlab.render(report(FULL, FULL)))
        assert issue.pop("fingerprint") != same.pop("fingerprint")
        assert issue == {
            "description": "the shell stays PID 1: SIGKILL after 30 s",
            "check_name": "shell-wrapper",
            "severity": "critical",
            "location": {"path": "api/Dockerfile", "lines": {"begin": 2, "end": 2}},
        }

    def test_a_fingerprint_outlives_lines_above(self) -> None:
        moved = Source(DOCKERFILE.path, "# new\n" + DOCKERFILE.text)
        marks = [
            json.loads(gitlab.render(report(reported(at=span(source, "app.py")))))[0]["fingerprint"]
            for source in (DOCKERFILE, moved)
        ]
        assert marks[0] == marks[1]


class TestJUnit:
    def test_a_failure_for_each_finding(self) -> None:
        root = ElementTree.fromstring(junit.render(report(FULL)))
        assert root.attrib == {"name": "gracelint", "tests": "1", "failures": "1", "errors": "0"}
        case = root[0][0]
        assert case.attrib["name"] == "shell-wrapper at api/Dockerfile:2:18"
        assert case[0].attrib == {"type": "error", "message": "the shell stays PID 1: SIGKILL after 30 s"}
        assert "deploy.yaml:1: started by Deployment `api`" in (case[0].text or "")

    def test_a_clean_run_is_a_passed_test(self) -> None:
        root = ElementTree.fromstring(junit.render(report()))
        assert (root.attrib["tests"], root.attrib["failures"]) == ("1", "0")

    @pytest.mark.parametrize("message", ['a < b && "c" ]]>', "bell \x07", "surrogate \udce9"])
    def test_any_message_makes_valid_xml(self, message: str) -> None:
        ElementTree.fromstring(junit.render(report(reported(message))).encode())


class TestSarif:
    def test_a_result(self) -> None:
        log = json.loads(sarif.render(report(FULL)))
        (run,) = log["runs"]
        (result,) = run["results"]
        assert result["ruleId"] == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "shell-wrapper"
        location = result["locations"][0]["physicalLocation"]
        assert location["artifactLocation"] == {"uri": "api/Dockerfile", "uriBaseId": "SRCROOT"}
        assert location["region"] == {"startLine": 2, "startColumn": 18, "endLine": 2, "endColumn": 24}
        assert run["columnKind"] == "unicodeCodePoints"
        assert result["relatedLocations"][0]["message"] == {"text": "started by Deployment `api`"}
        (change,) = result["fixes"][0]["artifactChanges"]
        assert change["replacements"] == [
            {
                "deletedRegion": {"startLine": 2, "startColumn": 6, "endLine": 2, "endColumn": 6},
                "insertedContent": {"text": "exec "},
            }
        ]

    def test_an_internal_error_is_a_notification(self) -> None:
        (run,) = json.loads(sarif.render(report(errors=("internal error while x",))))["runs"]
        (invocation,) = run["invocations"]
        assert invocation["executionSuccessful"] is False
        assert invocation["toolExecutionNotifications"][0]["message"] == {"text": "internal error while x"}

    def test_the_pages_of_the_rules_say_where_to_read_of_the_tool(self) -> None:
        (run,) = json.loads(sarif.render(report(documentation="https://docs.example.com/rules/{rule}/")))["runs"]
        assert run["tool"]["driver"]["fullName"] == f"gracelint {__version__}"
        assert run["tool"]["driver"]["informationUri"] == "https://docs.example.com/rules/"

    @pytest.mark.parametrize("documentation", [None, "https://{rule}.docs.example.com/"])
    def test_without_a_folder_of_pages_no_address_is_made_up(self, documentation: str | None) -> None:
        (run,) = json.loads(sarif.render(report(documentation=documentation)))["runs"]
        assert "informationUri" not in run["tool"]["driver"]

    def test_a_run_in_azure_pipelines_names_its_build(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in AGENT.items():
            monkeypatch.setenv(name, value)
        (run,) = json.loads(sarif.render(report()))["runs"]
        assert run["automationDetails"] == {
            "id": f"azuredevops/pipeline/build/acme/{PROJECT}/12/{PHASE}/refs/heads/main/345",
            "properties": {
                "azuredevops/pipeline/build/buildDefinitionId": "12",
                "azuredevops/pipeline/build/buildDefinitionName": "shop nightly",
                "azuredevops/pipeline/build/phaseId": PHASE,
                "azuredevops/pipeline/build/phaseName": "Lint",
            },
        }

    def test_paths_are_uris(self) -> None:
        source = Source("a b/caf\udce9#?", "x\n")
        (run,) = json.loads(sarif.render(report(reported(at=source.span(0, 1)))))["runs"]
        location = run["results"][0]["locations"][0]["physicalLocation"]
        assert location["artifactLocation"]["uri"] == "a%20b/caf%E9%23%3F"


class TestAzure:
    def id(self, **other: str) -> str | None:
        details = pipeline(AGENT | other)
        return details and details["id"]

    def test_the_organization_stands_in_the_address_of_the_collection(self) -> None:
        at_home = self.id(SYSTEM_COLLECTIONURI="https://acme.visualstudio.com/")
        assert at_home == self.id() == f"azuredevops/pipeline/build/acme/{PROJECT}/12/{PHASE}/refs/heads/main/345"

    def test_a_branch_is_named_in_full(self) -> None:
        short, merge = self.id(BUILD_SOURCEBRANCH="main"), self.id(BUILD_SOURCEBRANCH="refs/pull/1/merge")
        assert short == self.id()
        assert merge is not None and merge.endswith("/refs/pull/1/merge/345")

    def test_a_job_stands_in_for_its_phase(self) -> None:
        assert self.id(SYSTEM_PHASEID="", SYSTEM_JOBID=PHASE, SYSTEM_PHASENAME="", SYSTEM_JOBNAME="Lint") == self.id()

    @pytest.mark.parametrize(
        "other",
        [
            {"TF_BUILD": ""},
            {"BUILD_BUILDID": " "},
            {"SYSTEM_COLLECTIONURI": ""},
            {"SYSTEM_COLLECTIONURI": "https://dev.azure.com/"},
            {"SYSTEM_COLLECTIONURI": "https://tfs.example.com/DefaultCollection/"},
            {"SYSTEM_COLLECTIONURI": "https://[/"},
        ],
    )
    def test_half_an_identity_is_none(self, other: dict[str, str]) -> None:
        assert self.id(**other) is None
