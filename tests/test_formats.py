"""The formats for other tools, each through a reader of its own, on a project whose names try to write into them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from conftest import FIXTURES
from gracelint.cli import main

EVIL = "a|b\n::error::owned\n</code><b>x</b> ]]> [x](http://e.example) `\ufffe\u2028"
BAD = "a|b\n::error::owned<b>]]>"
KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'

Told = Callable[..., str]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """What a format says of a folder, as seen from one below it."""

    def tell(folder: str | Path, name: str, *more: str, below: str = ".") -> str:
        monkeypatch.chdir(os.path.join(folder, below))
        main(["check", "--fail-on", "never", "--format", name, *more, str(folder)])
        return capsys.readouterr().out

    return tell


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo shop, in a repository of its own."""
    repository = tmp_path_factory.mktemp("repository")
    (repository / ".git").mkdir()
    return Path(shutil.copytree(os.path.join(FIXTURES, "shop"), repository / "shop"))


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A repository with a finding in a folder below, and one in a file with a bad name."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "Dockerfile").write_text(KILLED)
    (tmp_path / BAD).mkdir()
    (tmp_path / BAD / "Dockerfile").write_text(KILLED.replace("SIGKILL", "SIGSTOP"))
    service = {"services": {EVIL: {"image": EVIL, "command": [EVIL], "stop_signal": "SIGKILL"}}}
    (tmp_path / "compose.yaml").write_text(json.dumps(service))
    return tmp_path


ROOTED = {
    "sarif": lambda text: [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in json.loads(text)["runs"][0]["results"]
    ],
    "gitlab": lambda text: [issue["location"]["path"] for issue in json.loads(text)],
    "rdjson": lambda text: [item["location"]["path"] for item in json.loads(text)["diagnostics"]],
    "checkstyle": lambda text: [file.get("name") for file in ElementTree.fromstring(text)],
    "junit": lambda text: [suite.get("name") for suite in ElementTree.fromstring(text)],
    "github": lambda text: [line.partition("file=")[2].partition(",")[0] for line in text.splitlines()],
}
FROM_HERE = {
    "json": lambda text: [finding["path"] for finding in json.loads(text)["findings"]],
    "jsonl": lambda text: [json.loads(line)["path"] for line in text.splitlines()],
    "concise": lambda text: [line.partition(":")[0] for line in text.splitlines()],
}


@pytest.mark.parametrize("name", ROOTED)
def test_services_get_paths_from_the_root_wherever_it_was_started(told: Told, evil: Path, name: str) -> None:
    assert "api/Dockerfile" in ROOTED[name](told(evil, name, below="api"))


@pytest.mark.parametrize("name", FROM_HERE)
def test_people_and_json_get_paths_from_the_working_folder(told: Told, evil: Path, name: str) -> None:
    paths = FROM_HERE[name](told(evil, name, below="api"))
    assert "Dockerfile" in paths
    assert any(path.startswith("../a|b") for path in paths)


def test_concise_is_a_line_for_each_finding(told: Told, evil: Path) -> None:
    lines = told(evil, "concise").splitlines()
    assert lines[0] == (
        "api/Dockerfile:2:12: error[uncatchable-stop-signal] no program can catch SIGKILL, the stop signal here: "
        "each stop kills the program at once, before it can finish anything"
    )
    assert lines[1].startswith("a|b\ufffd::error::owned<b>]]>/Dockerfile:2:12: ")
    assert len(lines) == 3


def test_json_lines_are_the_findings_of_json(told: Told, evil: Path) -> None:
    lines = told(evil, "jsonl").splitlines()
    assert [json.loads(line) for line in lines] == json.loads(told(evil, "json"))["findings"]


def test_checkstyle_has_its_elements_and_attributes(told: Told, evil: Path) -> None:
    root = ElementTree.fromstring(told(evil, "checkstyle"))
    assert (root.tag, list(root.attrib)) == ("checkstyle", ["version"])
    for file in root:
        assert (file.tag, list(file.attrib)) == ("file", ["name"])
        for error in file:
            assert error.tag == "error"
            assert set(error.attrib) == {"line", "column", "severity", "message", "source"}
            assert int(error.attrib["line"]) > 0 and int(error.attrib["column"]) > 0
            assert error.attrib["severity"] in ("error", "warning", "info")
    assert [file.get("name") for file in root][::2] == ["api/Dockerfile", "compose.yaml"]


RDJSON: dict[str, Any] = {
    "source": {"name": str, "url": str},
    "diagnostics": [
        {
            "message": str,
            "location": {"path": str, "range": ...},
            "severity": ("ERROR", "WARNING", "INFO"),
            "code": {"value": str, "url": str},
            "suggestions": [{"range": ..., "text": str}],
        }
    ],
}
"""The messages of reviewdog's protocol, which refuses fields it does not know."""
RANGE = {"start": {"line": int, "column": int}, "end": {"line": int, "column": int}}


def departures(value: Any, shape: Any, at: str = "") -> Iterator[str]:
    if shape is ...:
        yield from departures(value, RANGE, at)
    elif isinstance(shape, dict):
        for key in value:
            yield from departures(value[key], shape[key], f"{at}.{key}") if key in shape else [f"{at}.{key}"]
    elif isinstance(shape, list):
        for item in value:
            yield from departures(item, shape[0], at)
    elif value not in shape if isinstance(shape, tuple) else not isinstance(value, shape):
        yield f"{at}: {value!r}"


@pytest.mark.parametrize("folder", ["shop", "evil"])
def test_rdjson_is_what_reviewdog_reads(told: Told, shop: Path, evil: Path, folder: str) -> None:
    found = json.loads(told(evil if folder == "evil" else shop, "rdjson"))
    assert found["diagnostics"]
    assert list(departures(found, RDJSON)) == []
    assert list(departures({"diagnostics": [{"level": "x", "severity": "BAD"}]}, RDJSON)) == [
        ".diagnostics.level",
        ".diagnostics.severity: 'BAD'",
    ]


def test_rdjson_counts_bytes(told: Told, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM python:3.12-slim\nCMD echo "日本" && python app.py\n')
    (tmp_path / "app.py").write_text("import time\nwhile True:\n    time.sleep(1)\n")
    diagnostics = json.loads(told(tmp_path, "rdjson"))["diagnostics"]
    ends = {
        (item["location"]["range"]["end"]["line"], item["location"]["range"]["end"]["column"]) for item in diagnostics
    }
    assert (2, len('CMD echo "日本" && python app.py'.encode()) + 1) in ends


def test_a_fix_of_one_edit_is_a_suggestion(told: Told, shop: Path) -> None:
    diagnostics = json.loads(told(shop, "rdjson"))["diagnostics"]
    (grace,) = [item for item in diagnostics if item["code"]["value"] == "grace-period-too-short"]
    assert grace["suggestions"] == [{"range": grace["location"]["range"], "text": "47"}]


class TestMarkdown:
    def read(self, text: str) -> list[list[str]]:
        """The rows of all tables, each cell as the HTML it becomes."""
        html = MarkdownIt("commonmark").enable("table").render(text)
        rows = html.split("<tr>")[1:]
        return [[cell.partition("</td>")[0] for cell in row.split("<td>")[1:]] for row in rows]

    def test_the_containers_come_first_and_the_worst_of_them(self, told: Told, shop: Path) -> None:
        rows = [row for row in self.read(told(shop, "markdown")) if row]
        assert rows[0][0] == "Compose service api"
        assert rows[0][1] == "<code>compose.yaml:2</code>"
        assert rows[0][2] == "❌ ignored"
        verdicts = [row[2].split()[-1] for row in rows if row[2].split()[-1] in ("ignored", "cut", "handled")]
        assert verdicts == sorted(verdicts, key=["ignored", "cut", "handled"].index)

    def test_the_findings_have_a_table(self, told: Told, shop: Path) -> None:
        rows = self.read(told(shop, "markdown"))
        assert ["🔴 error", "<code>invalid-pre-stop</code>", "<code>k8s/worker.yaml:19</code>"] in [
            row[:3] for row in rows
        ]
        assert told(shop, "markdown").startswith(
            "## gracelint\n\n🔴 5 errors, 🟡 3 warnings, 🔵 2 infos in 18 files.\n"
        )

    def test_no_name_makes_rows_cells_or_elements(self, told: Told, evil: Path) -> None:
        rows = [row for row in self.read(told(evil, "markdown")) if row]
        assert {len(row) for row in rows} == {4}
        assert len(rows) == 3 + 3
        assert "<b>" not in "".join(map("".join, rows))
        assert "<a " not in "".join(map("".join, rows))
        assert "::error::owned" not in told(evil, "markdown")

    def test_a_long_table_ends(self, told: Told, tmp_path: Path) -> None:
        services = {f"s{number}": {"image": "x", "stop_signal": "SIGKILL"} for number in range(205)}
        (tmp_path / "compose.yaml").write_text(json.dumps({"services": services}))
        assert told(tmp_path, "markdown").count("… and 5 more.") == 2

    def test_rules_are_links_where_the_settings_say_where_to(self, told: Told, evil: Path) -> None:
        assert "<a " not in told(evil, "markdown")
        (evil / "gracelint.toml").write_text('documentation = "https://docs.example.com/{rule}.html"\n')
        link = (
            '<a href="https://docs.example.com/uncatchable-stop-signal.html"><code>uncatchable-stop-signal</code></a>'
        )
        assert link in told(evil, "markdown")


class TestSarif:
    def run_of(self, text: str) -> dict[str, Any]:
        (run,) = json.loads(text)["runs"]
        assert isinstance(run, dict)
        return run

    def test_a_rule_has_a_name_tags_and_a_precision(self, told: Told, evil: Path) -> None:
        rules = self.run_of(told(evil, "sarif"))["tool"]["driver"]["rules"]
        (rule,) = [rule for rule in rules if rule["id"] == "uncatchable-stop-signal"]
        assert rule["name"] == "UncatchableStopSignal"
        assert rule["properties"] == {
            "tags": ["graceful-shutdown", "reliability"],
            "precision": "high",
            "problem.severity": "error",
        }
        assert "helpUri" not in rule

    def test_a_rule_has_a_page_where_the_settings_say_so(self, told: Told, evil: Path) -> None:
        (evil / "gracelint.toml").write_text('documentation = "https://docs.example.com/{rule}.html"\n')
        rules = self.run_of(told(evil, "sarif"))["tool"]["driver"]["rules"]
        assert {rule["helpUri"] for rule in rules} >= {"https://docs.example.com/uncatchable-stop-signal.html"}

    def test_the_way_of_the_signal_is_a_code_flow(self, told: Told, shop: Path) -> None:
        results = self.run_of(told(shop, "sarif"))["results"]
        (script,) = [result for result in results if result["ruleId"] == "script-without-exec"]
        assert [flow["message"]["text"] for flow in script["codeFlows"]] == [
            "Compose service worker is told to stop: ignored",
            "Deployment worker, container worker is told to stop: ignored",
        ]
        (thread,) = script["codeFlows"][0]["threadFlows"]
        steps = [step["location"] for step in thread["locations"]]
        assert [step["message"]["text"].partition(":")[0] for step in steps] == [
            "PID 1 ./entrypoint.sh",
            "→ python worker.py",
        ]
        assert [step["physicalLocation"]["artifactLocation"]["uri"] for step in steps] == [
            "shop/worker/Dockerfile",
            "shop/worker/entrypoint.sh",
        ]

    def test_runs_in_different_folders_are_different_analyses(self, told: Told, evil: Path) -> None:
        ids = [self.run_of(told(evil, "sarif", below=below))["automationDetails"]["id"] for below in (".", "api")]
        assert ids == ["gracelint/", "gracelint/api/"]

    def test_what_comments_silence_is_listed_when_asked_for(self, told: Told, tmp_path: Path) -> None:
        order = "# gracelint: ignore[uncatchable-stop-signal] the operator drains it\n"
        (tmp_path / "Dockerfile").write_text(KILLED.replace("STOP", f"{order}STOP"))
        assert self.run_of(told(tmp_path, "sarif"))["results"] == []
        (result,) = self.run_of(told(tmp_path, "sarif", "--show-suppressed"))["results"]
        assert result["suppressions"] == [{"kind": "inSource", "justification": "the operator drains it"}]


def test_formats_to_files_leave_the_summary_on_the_terminal(
    evil: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(evil)
    assert main(["check", "--format", "checkstyle=a.xml", "--format", "markdown=a.md", "."]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Found 3 errors in 3 files.",
        "3 containers: 3 unknown (`gracelint trace`).",
        "3 can be fixed with `--fix --unsafe-fixes`.",
    ]
    assert (evil / "a.md").read_text().startswith("## gracelint\n")
    assert main(["check", "-q", "--format", "checkstyle=a.xml", "."]) == 1
    assert capsys.readouterr() == ("", "")


class TestReasons:
    def test_a_silence_without_a_reason_is_reported_when_asked_for(self, told: Told, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text(
            KILLED.replace("STOP", "# gracelint: ignore[uncatchable-stop-signal]\nSTOP")
        )
        assert told(tmp_path, "concise") == ""
        assert told(tmp_path, "concise", "--require-reason") == (
            "Dockerfile:2:21: warning[suppression-without-reason] `uncatchable-stop-signal` is silenced without a "
            "reason: write it behind the bracket\n"
        )
        (tmp_path / "gracelint.toml").write_text("require-reason = true\n")
        assert "suppression-without-reason" in told(tmp_path, "concise")

    def test_a_reason_is_what_stands_behind_the_bracket(self, told: Told, tmp_path: Path) -> None:
        order = "# gracelint: ignore[uncatchable-stop-signal] the operator drains it\n"
        (tmp_path / "Dockerfile").write_text(KILLED.replace("STOP", f"{order}STOP"))
        assert told(tmp_path, "concise", "--require-reason") == ""


class TestCommandLine:
    @pytest.mark.parametrize(
        ("arguments", "answer"),
        [
            (["chekc"], "did you mean 'check'?"),
            (["check", "--statistic-s"], "unrecognized arguments: --statistic-s: did you mean '--statistics'?"),
            (["check", "--format", "sarf"], "did you mean 'sarif'?"),
            (["check", "--fail-on", "eror"], "did you mean 'error'?"),
        ],
    )
    def test_the_nearest_word_is_named(
        self, arguments: list[str], answer: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        assert exit.value.code == 2
        assert answer in capsys.readouterr().err

    def test_variables_hold_where_the_command_line_does_not_say(
        self, evil: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(evil)
        monkeypatch.setenv("GRACELINT_FAIL_ON", "never")
        monkeypatch.setenv("GRACELINT_FORMAT", "concise")
        assert main(["check", "."]) == 0
        assert capsys.readouterr().out.startswith("api/Dockerfile:2:12: error")
        assert main(["check", "--fail-on", "error", "--format", "jsonl", "."]) == 1
        assert capsys.readouterr().out.startswith("{")
        assert main(["rules"]) == 0
        assert capsys.readouterr().out.startswith("dockerfile\n")

    def test_a_wrong_variable_is_named(
        self, evil: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(evil)
        monkeypatch.setenv("GRACELINT_FAIL_ON", "nver")
        with pytest.raises(SystemExit) as exit:
            main(["check", "."])
        assert exit.value.code == 2
        assert "gracelint: GRACELINT_FAIL_ON: argument --fail-on: 'nver' is none of error," in capsys.readouterr().err

    def test_several_rules_are_explained(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["explain", "missing-init", "missing-pre-stop"]) == 0
        told = capsys.readouterr().out
        assert [line for line in told.splitlines() if line.startswith("# ")] == ["# missing-init", "# missing-pre-stop"]
