"""The command as people and CI meet it: arguments, exit codes, streams."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from gracelint import __version__
from gracelint.cli import main
from gracelint.cli.parser import read_arguments
from gracelint.cli.plain import plain

KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'
FINE = 'FROM x\nCMD ["app"]\n'
ADVICE = 'select = ["step-up"]\nplugins = ["acme_rules"]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a configuration, and the working folder of the test."""
    (tmp_path / "gracelint.toml").write_text('select = ["uncatchable-stop-signal"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


ONE_UNKNOWN = "1 container: 1 unknown (`gracelint trace`).\n"


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> Result:
        try:
            code = main(arguments)
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else 0
        out, err = self.capsys.readouterr()
        return Result(code, out, err)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


class TestExitCodes:
    def test_0_when_nothing_is_found(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(FINE)
        result = run("check")
        assert (result.code, result.out, result.err) == (0, f"No findings in 1 file.\n{ONE_UNKNOWN}", "")

    def test_0_when_there_is_nothing_to_check(self, project: Path, run: Run) -> None:
        result = run("check")
        assert (result.code, result.out) == (
            0,
            "Nothing to check: no Dockerfile, Compose file, manifest or program here.\n",
        )

    def test_a_chart_in_which_nothing_is_found_was_read(self, project: Path, run: Run) -> None:
        (project / "templates").mkdir()
        (project / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 1.0.0\n")
        pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: x, image: x}]}\n"
        (project / "templates" / "pod.yaml").write_text(pod)
        assert run("check").out == f"No findings in 1 file.\n{ONE_UNKNOWN}"

    def test_1_when_something_is(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        result = run("check", ".")
        assert result.code == 1
        assert result.out.startswith("error[uncatchable-stop-signal]: ")
        assert "--> Dockerfile:2:12\n" in result.out

    def test_fail_on_moves_the_line(self, project: Path, run: Run) -> None:
        (project / "gracelint.toml").write_text(ADVICE)
        (project / "Dockerfile").write_text("FROM x\nUSER 0\n")
        assert run("check").code == 0
        assert run("check", "--fail-on", "info").code == 1
        (project / "gracelint.toml").write_text('select = ["uncatchable-stop-signal"]\n')
        (project / "Dockerfile").write_text(KILLED)
        assert run("check", "--fail-on", "error").code == 1
        assert run("check", "--fail-on", "never").code == 0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("check", "nowhere"), "gracelint: nowhere: no such file or folder\n"),
            (("check", "--config", "nowhere"), "gracelint: --config: nowhere: no such file\n"),
            (
                ("check", "--select", "missing-inot"),
                "gracelint: select: no rule or group is named 'missing-inot': did you mean 'missing-init'?\n",
            ),
            (
                ("check", "--baseline", "nowhere"),
                "gracelint: baseline nowhere: cannot be read: No such file or directory\n",
            ),
            (("explain", "missing-inot"), "gracelint: no rule is named 'missing-inot': did you mean 'missing-init'?\n"),
        ],
    )
    def test_2_when_asked_for_what_cannot_be_done(
        self, project: Path, run: Run, arguments: tuple[str, ...], message: str
    ) -> None:
        result = run(*arguments)
        assert (result.code, result.out, result.err) == (2, "", message)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("check", "Dokcerfile"), "Dokcerfile: no such file or folder: did you mean 'Dockerfile'?"),
            (("check", "--fixx"), "unrecognized arguments: --fixx: did you mean '--fix'?"),
            (("--fix",), "unrecognized arguments: --fix: did you mean 'gracelint check --fix'?"),
            (("--versoin",), "unrecognized arguments: --versoin: did you mean '--version'?"),
            (("init", "now"), "unrecognized arguments: now"),
            (
                ("check", "--fail-on", "errors"),
                "'errors' is none of error, warning, info, never: did you mean 'error'?",
            ),
            (("Dockerfile",), "did you mean 'check Dockerfile'?"),
            (("help",), "did you mean '--help'?"),
            (("check", "--format", "html"), "rdjson, markdown: it is a format of `gracelint trace`"),
            (("trace", "--format", "sarif"), "svg, mermaid: it is a format of `gracelint check`"),
            (("explain", "MISSING_INIT"), "no rule is named 'MISSING_INIT': did you mean 'missing-init'?"),
            (("explain", "launch"), "no rule is named 'launch': it is a group, which `gracelint rules` lists"),
            (("explain", "Dockerfile"), "Dockerfile: say the line too, such as Dockerfile:1"),
            (("trace", "--only", "shop"), "--only: no container is called like 'shop': Dockerfile stage 0"),
        ],
    )
    def test_a_mistake_is_answered_with_what_may_be_meant(
        self, project: Path, run: Run, arguments: tuple[str, ...], message: str
    ) -> None:
        (project / "Dockerfile").write_text(KILLED)
        result = run(*arguments)
        first, *rest = result.err.splitlines()
        assert (result.code, result.out) == (2, "")
        assert first.startswith("gracelint: ") and first.endswith(message)
        assert all(line.endswith("--help` says what there is.") for line in rest)

    def test_nothing_at_all_is_answered_with_the_help(self, run: Run) -> None:
        result = run()
        assert (result.code, result.out) == (2, "")
        assert "\n    check               report what will go wrong" in result.err

    @pytest.mark.parametrize("arguments", [("chekc",), ("check", "--frobnicate"), ("check", "--format", "yaml")])
    def test_2_for_bad_usage(self, project: Path, run: Run, arguments: tuple[str, ...]) -> None:
        assert run(*arguments).code == 2

    def test_2_when_a_rule_breaks_and_the_others_still_speak(self, project: Path, run: Run) -> None:
        (project / "gracelint.toml").write_text('plugins = ["acme_rules"]\nselect = ["crashing", "old-python"]')
        (project / "Dockerfile").write_text("FROM python:2 AS crash\n")
        result = run("check")
        assert result.code == 2
        assert "warning[old-python]" in result.out
        assert result.err == "gracelint: internal error while checking crashing: ValueError: no luck (crashing.py:11)\n"

    def test_a_wrong_configuration_names_its_file(self, project: Path, run: Run) -> None:
        (project / "gracelint.toml").write_text("selct = []")
        result = run("check")
        assert result.code == 2
        assert result.err == f"gracelint: {project}/gracelint.toml: unknown key 'selct': did you mean 'select'?\n"


class TestScope:
    def test_findings_elsewhere_are_not_reported(self, project: Path, run: Run) -> None:
        for name in ("a", "b"):
            (project / name).mkdir()
            (project / name / "Dockerfile").write_text(KILLED)
        assert "a/Dockerfile" not in run("check", "b").out
        assert "b/Dockerfile" in run("check", "b/Dockerfile").out
        assert run("check", "a/../b/./Dockerfile").code == 1

    def test_a_named_file_that_leads_out_of_the_project_is_a_finding(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").symlink_to("/etc/hostname")
        result = run("check", "Dockerfile")
        assert result.code == 1
        assert result.out.startswith("error[unreadable-file]: this file leads out of the project, or is no file\n")
        everything = run("check", "--verbose")
        assert everything.code == 0
        assert everything.err == "skipped Dockerfile: leads out of the project, or is no file\n"

    def test_a_dockerfile_is_read_whatever_its_name_where_something_names_it(self, project: Path, run: Run) -> None:
        (project / "web.txt").write_text(KILLED)
        (project / "compose.yaml").write_text("services:\n  web:\n    build: {context: ., dockerfile: web.txt}\n")
        assert "--> web.txt:2:12" in run("check").out
        (project / "compose.yaml").unlink()
        assert run("check").code == 0
        assert run("check", "web.txt").code == 1
        (project / "gracelint.toml").write_text('images.web = "web.txt"\n')
        assert run("check", "--select", "uncatchable-stop-signal").code == 1

    @pytest.mark.parametrize("name", ["web.Dockerfile", "Dockerfile.web"])
    def test_a_byte_order_mark_hides_no_dockerfile(self, project: Path, run: Run, name: str) -> None:
        (project / name).write_text(KILLED, encoding="utf-8-sig")
        assert f"--> {name}:2:12" in run("check").out

    def test_from_a_folder_below_paths_are_relative_to_it(
        self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / "Dockerfile").write_text(KILLED)
        (project / "sub").mkdir()
        monkeypatch.chdir(project / "sub")
        assert "--> ../Dockerfile:2:12\n" in run("check", "..").out

    def test_the_configuration_above_holds_below(
        self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / "sub" / "deep").mkdir(parents=True)
        (project / "sub" / "Dockerfile").write_text(KILLED)
        monkeypatch.chdir(project / "sub" / "deep")
        (project / "gracelint.toml").write_text('plugins = ["acme_rules"]\nignore = ["launch"]\n')
        assert run("check", "..").code == 0
        assert run("explain", "old-python").code == 0

    def test_isolated_reads_the_paths_alone(self, project: Path, run: Run) -> None:
        (project / "gracelint.toml").write_text('ignore = ["dockerfile", "launch"]')
        (project / "Dockerfile").write_text(KILLED)
        assert run("check", "Dockerfile").code == 0
        assert run("check", "--isolated", "Dockerfile").code == 1

    def test_command_line_overrules_the_configuration(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        assert run("check", "--select", "missing-init,dev-server").code == 0
        assert run("check", "--ignore", "uncatchable-stop-signal").code == 0


def test_files_can_be_read_at_once(project: Path, run: Run) -> None:
    for number in range(20):
        (project / f"{number}.Dockerfile").write_text(KILLED)
    assert run("check", "--jobs", "4").out == run("check").out


class TestStandardInput:
    POD = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  terminationGracePeriodSeconds: 0\n"
        "  containers:\n  - {name: web, image: web}\n"
    )

    def feed(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    def test_manifests(self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        self.feed(monkeypatch, self.POD)
        result = run("check", "-", "--select", "zero-grace-period", "--format", "json")
        (finding,) = json.loads(result.out)["findings"]
        assert (result.code, finding["path"], finding["line"]) == (1, "-", 5)

    def test_from_a_folder_below_the_root_it_is_still_a_dash(
        self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / "sub").mkdir()
        monkeypatch.chdir(project / "sub")
        self.feed(monkeypatch, self.POD)
        assert "--> -:5:" in run("check", "-", "--select", "zero-grace-period").out

    def test_a_name_says_what_it_is_and_stands_in_for_the_file(
        self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / "Dockerfile").write_text(FINE)
        self.feed(monkeypatch, KILLED)
        result = run("check", "-", "--stdin-filename", "Dockerfile", "--format", "json")
        assert [item["path"] for item in json.loads(result.out)["findings"]] == ["Dockerfile"]

    def test_it_cannot_be_fixed(self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        self.feed(monkeypatch, self.POD)
        result = run("check", "-", "--fix")
        assert (result.code, result.err) == (2, "gracelint: standard input cannot be fixed: give the file's path\n")


class TestFixing:
    def test_fix_writes_and_reports_what_is_left(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_bytes(KILLED.replace("\n", "\r\n").encode())
        result = run("check", "--fix", "--unsafe-fixes")
        assert (result.code, result.out) == (0, f"No findings in 1 file.\n{ONE_UNKNOWN}")
        assert result.err == "Fixed 1 finding in 1 file:\n  Dockerfile: uncatchable-stop-signal\n"
        assert (project / "Dockerfile").read_bytes() == b'FROM x\r\nCMD ["app"]\r\n'

    def test_unsafe_fixes_are_asked_for(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        assert run("check", "--fix").code == 1
        assert (project / "Dockerfile").read_text() == KILLED

    def test_diff_writes_nothing(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        result = run("check", "--diff", "--unsafe-fixes")
        assert result.code == 1
        assert result.out == (
            '--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,3 +1,2 @@\n FROM x\n-STOPSIGNAL SIGKILL\n CMD ["app"]\n'
        )
        assert result.err == "Would fix 1 finding in 1 file:\n  Dockerfile: uncatchable-stop-signal\n"
        assert (project / "Dockerfile").read_text() == KILLED

    def test_each_fix_is_named_with_its_place(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        result = run("check", "--fix", "--unsafe-fixes", "--show-fixes")
        assert result.err == (
            "Fixed 1 finding in 1 file:\n"
            "  Dockerfile:2: uncatchable-stop-signal: Leave the stop signal at its default\n"
        )

    def test_a_diff_with_nothing_to_show_says_so(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(FINE)
        result = run("check", "--diff")
        assert (result.code, result.out, result.err) == (0, "", "Nothing to fix.\n")
        (project / "Dockerfile").write_text(KILLED)
        result = run("check", "--diff")
        assert (result.code, result.out, result.err) == (1, "", "Nothing to fix, and 1 finding left.\n")

    def test_a_diff_has_the_colours_of_a_terminal(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        assert run("check", "--diff", "--unsafe-fixes", "--color", "always").out == (
            "\x1b[1m--- a/Dockerfile\x1b[0m\n\x1b[1m+++ b/Dockerfile\x1b[0m\n\x1b[36m@@ -1,3 +1,2 @@\x1b[0m\n"
            ' FROM x\n\x1b[31m-STOPSIGNAL SIGKILL\x1b[0m\n CMD ["app"]\n'
        )


class TestBaseline:
    def test_known_findings_are_not_reported_again_wherever_they_move(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        written = run("check", "--write-baseline", "known.json")
        assert (written.code, written.err) == (0, "Wrote 1 finding to known.json.\n")
        (project / "Dockerfile").write_text("# new\n" + KILLED)
        result = run("check", "--baseline", "known.json")
        assert (result.code, result.out) == (0, f"No findings in 1 file. (1 in the baseline)\n{ONE_UNKNOWN}")

    def test_one_more_of_the_same_is_reported(self, project: Path, run: Run) -> None:
        (project / "gracelint.toml").write_text(ADVICE)
        (project / "Dockerfile").write_text("FROM x\nUSER 0\n")
        run("check", "--write-baseline", "known.json")
        (project / "Dockerfile").write_text("FROM x\nUSER 0\nUSER 0\n")
        assert run("check", "--baseline", "known.json", "--fail-on", "info").code == 1

    def test_what_is_no_baseline(self, project: Path, run: Run) -> None:
        (project / "known.json").write_text("[]")
        result = run("check", "--baseline", "known.json")
        assert (result.code, result.err) == (
            2,
            "gracelint: baseline known.json: not a baseline that gracelint wrote\n",
        )


class TestOutput:
    def test_several_formats_at_once(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        result = run("check", "--format", "github", "--format", "sarif=out.sarif", "--format", "junit=out.xml")
        assert result.out.startswith("::error file=Dockerfile,line=2,")
        assert json.loads((project / "out.sarif").read_text())["version"] == "2.1.0"
        assert (project / "out.xml").read_text().startswith("<?xml ")

    def test_a_dash_is_standard_output(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        assert run("check", "--format", "json=-").out == run("check", "--format", "json").out
        assert not (project / "-").exists()

    def test_a_file_that_cannot_be_written(self, project: Path, run: Run) -> None:
        result = run("check", "--format", "json=nowhere/out.json")
        assert (result.code, result.err) == (
            2,
            "gracelint: --format: nowhere/out.json: cannot be written: No such file or directory\n",
        )

    def test_quiet_and_verbose(self, project: Path, run: Run) -> None:
        (project / "vendor").mkdir()
        (project / "vendor" / "Dockerfile").write_text(KILLED)
        assert run("check", "--quiet").out == ""
        assert run("check", "--verbose").err == "skipped vendor/: vendored or generated\n"

    def test_a_secret_that_is_locked_is_no_finding(self, project: Path, run: Run) -> None:
        (project / "secrets").mkdir()
        (project / "secrets" / "prod.yaml").write_bytes(b"\0GITCRYPT\0\x7a\x12\xde\xbd")
        result = run("check", "--verbose")
        assert (result.code, result.err) == (0, "skipped secrets/prod.yaml: is encrypted\n")

    def test_statistics(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        assert run("check", "--statistics").out.splitlines()[0] == "     1  error   uncatchable-stop-signal"

    def test_colour_only_when_wanted(self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        (project / "Dockerfile").write_text(KILLED)
        assert "\x1b[" not in run("check").out
        assert "\x1b[" in run("check", "--color", "always").out
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b[" in run("check").out
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in run("check").out

    def test_a_reader_that_goes_away_is_no_error(self, project: Path) -> None:
        (project / "Dockerfile").write_text(KILLED)
        command = f"{sys.executable} -m gracelint check --format json | true"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
        assert done.stderr == ""

    def test_an_ascii_terminal_is_no_error(self, project: Path) -> None:
        (project / "Dockerfile").write_text("FROM x\n# é\nSTOPSIGNAL SIGKILL\nLABEL é=🎈\n")
        environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
        command = [sys.executable, "-m", "gracelint", "check", "Dockerfile"]
        assert subprocess.run(command, capture_output=True, env=environment).returncode == 1


def test_signs_that_the_encoding_has_not_become_ascii(project: Path) -> None:
    (project / "Dockerfile").write_text('FROM x\nCOPY é.sh .\nENTRYPOINT ["sh", "é.sh"]\n')
    (project / "é.sh").write_text("exec 日本\n")
    command = [sys.executable, "-m", "gracelint", "trace", "Dockerfile"]
    narrow = os.environ | {"PYTHONIOENCODING": "latin-1"}
    told = subprocess.run(command, capture_output=True, env=narrow, cwd=project).stdout.decode("latin-1")
    assert "  ->        \\u65e5\\u672c  é.sh:1\n" in told


def test_the_values_of_a_chart_may_annotate_what_it_makes(project: Path, run: Run) -> None:
    (project / "gracelint.toml").write_text('select = ["unheard-stop-signal"]\n')
    (project / "templates").mkdir()
    (project / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 0.1.0\n")
    (project / "values.yaml").write_text("annotations:\n  gracelint/ignore: unheard-stop-signal\n")
    (project / "templates" / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: cron\n"
        "  annotations: {{- toYaml .Values.annotations | nindent 4 }}\n"
        "spec:\n  containers:\n    - {name: cron, image: debian, command: [cron, -f]}\n"
    )
    assert run("check").out.startswith("No findings in 1 file. (1 suppressed)\n")


def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = run("check")
    assert (result.code, result.out, result.err) == (2, "", "gracelint: the working folder is not there any more\n")


def test_windows_is_told_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["check"]) == 2
    assert capsys.readouterr().err == (
        "gracelint: Windows is not supported: use WSL, or the image that the Dockerfile builds\n"
    )


class TestOtherCommands:
    def test_version(self, run: Run) -> None:
        result = run("--version")
        assert (result.code, result.out) == (0, f"gracelint {__version__}\n")

    def test_explain_shows_the_page(self, project: Path, run: Run) -> None:
        result = run("explain", "missing-init")
        assert result.out.startswith("# missing-init\n\nlaunch · info · since 0.1.0\n\n")
        assert "## Why is this bad?" in result.out
        assert "JSON has no comments" in run("explain", "unused-suppression").out

    def test_rules_lists_them_all(self, project: Path, run: Run) -> None:
        listed = json.loads(run("rules", "--format", "json").out)
        assert [item["name"] for item in listed] == sorted(item["name"] for item in listed)
        (rule,) = (item for item in listed if item["name"] == "missing-init")
        assert rule["group"] == "launch"
        assert rule["severity"] == "info"
        assert rule["summary"].endswith(".")
        assert len([line for line in run("rules").out.splitlines() if line.startswith("  ")]) == len(listed)


class TestTrace:
    def test_the_contract(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text("FROM python:3.12-slim\nCMD gunicorn app:app\n")
        told = json.loads(run("trace", "--format", "json").out)
        (launch,) = told.pop("launches")
        assert told == {"version": 1}
        assert launch["origin"] == {
            "kind": "dockerfile",
            "path": "Dockerfile",
            "line": 2,
            "name": "0",
            "container": None,
        }
        assert (launch["link"], launch["stop_signal"], launch["verdict"]) == (None, "SIGTERM", "ignored")
        assert [(hop["argv"], hop["effect"], hop["line"]) for hop in launch["hops"]] == [
            (["/bin/sh", "-c", "gunicorn app:app"], "swallows", 2),
            (["gunicorn", "app:app"], "handles", 2),
        ]
        assert launch["program"] is None
        assert set(launch["budget"]) == {"grace", "pre_stop", "drain", "drain_source", "margin", "needed"}

    def test_the_story(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text("FROM python:3.12-slim\nCMD gunicorn app:app\n")
        lines = run("trace").out.splitlines()
        assert lines[0] == "Dockerfile stage 0  Dockerfile:2"
        assert lines[1] == "  PID 1    /bin/sh -c 'gunicorn app:app'  Dockerfile:2"
        assert lines[2].startswith("           swallows SIGTERM: ")
        assert lines[5].startswith("  verdict  ignored: ")
        assert lines[6:8] == [
            "  stop          0 s  SIGTERM to PID 1",
            "               10 s  SIGKILL, exit 137: nothing ended it",
        ]

    def test_nothing_to_tell(self, project: Path, run: Run) -> None:
        assert run("trace").out == "No container is started by these files.\n"


def test_what_ends_by_itself_is_not_counted_as_ignored(project: Path, run: Run) -> None:
    (project / "Dockerfile").write_text("FROM python:3.12-slim\nCOPY app.py .\nCMD python app.py\n")
    (project / "app.py").write_text("print(1)\n")
    assert run("check").out == "No findings in 2 files.\n1 container: 1 ends by itself (`gracelint trace`).\n"


def test_fixes_that_nobody_asked_for_are_said_to_be_none(project: Path, run: Run) -> None:
    (project / "Dockerfile").write_text(KILLED)
    assert run("check", "--unsafe-fixes").err == "--unsafe-fixes does nothing without --fix or --diff.\n"
    assert run("check", "--show-fixes").err == "--show-fixes does nothing without --fix or --diff.\n"


class TestNothingToJudge:
    @pytest.mark.parametrize("text", ["", "Error: chart not found\n", "kind: Unheard\n"])
    def test_an_empty_pipe_is_no_clean_run(
        self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        result = run("check", "-")
        assert result.code == 2
        assert "standard input holds nothing to check: no manifest, Compose file or Dockerfile\n" in result.err

    def test_a_path_that_is_none_of_ours_is_said_to_hold_nothing(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        (project / "README.md").write_text("# shop\n")
        result = run("check", "README.md")
        assert (result.code, result.out) == (
            0,
            "Nothing to check: no Dockerfile, Compose file, manifest or program here.\n",
        )

    def test_the_summary_counts_containers(self, project: Path, run: Run) -> None:
        (project / "Dockerfile").write_text(KILLED)
        (project / "compose.yaml").write_text("services:\n  a: {image: 'nginx:1.27'}\n  b: {image: x}\n")
        summary = json.loads(run("check", "--format", "json").out)["summary"]
        assert summary["containers"] == {"handled": 1, "ignored": 0, "cut": 0, "unknown": 2}
        assert (summary["files"], summary["not_read"]) == (2, 0)
        assert "3 containers: 1 handled, 2 unknown (`gracelint trace`).\n" in run("check").out

    def test_check_and_trace_count_alike(self, project: Path, run: Run) -> None:
        services = "  a: {image: 'nginx:1.27'}\n  b: {image: x}\n  c: {image: busybox, command: [echo, hello]}\n"
        (project / "compose.yaml").write_text(f"services:\n{services}")
        told = "3 containers: 1 handled, 1 unknown, 1 ends by itself"
        assert f"{told} (`gracelint trace`).\n" in run("check").out
        assert f"{told}.\n" in run("trace").out


@pytest.mark.parametrize(
    "line",
    [
        "check",
        "check a b",
        "check --quiet a",
        "check -q --strict --no-cache",
        "check --fail-on never a b",
        "check --fail-on error --fail-on info",
        "check --format json --color never",
        "check --format text --format sarif a",
    ],
)
def test_paths_and_usual_options_mean_what_argparse_makes_of_them(line: str) -> None:
    words = line.split()
    made = vars(read_arguments(words))
    del made["parser"], made["version"]
    assert vars(plain(words) or Namespace()) == made


def test_options_are_left_to_argparse() -> None:
    assert plain(["check", "--fix"]) is None
    assert plain(["check", "--format=json"]) is None
    assert plain(["check", "--format", "json=report.json"]) is None
    assert plain(["check", "a", "--quiet", "b"]) is None
    assert plain(["check", "--fail-on"]) is None
    assert plain(["check", "--quiet", "--verbose"]) is None
    assert plain(["check", "--qui"]) is None
    assert plain(["check", "--", "a"]) is None
    assert plain(["check", "-"]) is None
    assert plain(["trace"]) is None
    assert plain([]) is None


def test_options_in_variables_are_left_to_argparse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRACELINT_STRICT", "1")
    assert plain(["check"]) is None
