"""Fixing: in rounds, taken back where it does harm, written whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gracelint.config import ConfigError, Configuration, parse_settings
from gracelint.finding import Edit
from gracelint.fixing import fixer
from gracelint.fixing.fixer import Change, Fixed, apply_edits, unified_diff
from gracelint.fixing.harm import same_elsewhere
from gracelint.fixing.writing import write_files
from gracelint.project import Request
from gracelint.selection import select
from gracelint.source import Source
from gracelint.testing import fix, fixed_files

TWO_PODS = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: web
          ports:
            - containerPort: 80
"""
ITS_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
"""

PACK = 'plugins = ["acme_rules"]\n'


def fixed(text: str, *rules: str, settings: str = "") -> tuple[str, Fixed]:
    files = {"gracelint.toml": PACK + settings, "Dockerfile": text}
    result = fix(files, select=rules)
    return fixed_files(files, result)["Dockerfile"], result


class TestEdits:
    def test_only_the_edited_text_changes(self) -> None:
        source = Source("Dockerfile", "\ufeffFROM a\r\nCMD b\r\n")
        edits = [Edit(source.span(13, 14), "c"), Edit(source.span(6, 7), "x"), Edit(source.span(13, 13), "exec ")]
        assert apply_edits({"Dockerfile": source.text}, edits) == {"Dockerfile": "\ufeffFROM x\r\nCMD exec c\r\n"}

    def test_several_files(self) -> None:
        a, b = Source("a", "1"), Source("b", "2")
        assert apply_edits({"a": "1", "b": "2", "c": "3"}, [Edit(b.span(0, 1), "y"), Edit(a.span(0, 1), "x")]) == {
            "a": "x",
            "b": "y",
            "c": "3",
        }


class TestRounds:
    def test_it_goes_on_until_nothing_is_left(self) -> None:
        text, result = fixed("FROM x\nUSER 0\n", "step-up")
        assert text == "FROM x\nUSER 3\n"
        assert len(result.applied) == 3
        assert result.after.findings == ()

    def test_a_fix_that_never_comes_to_an_end_is_taken_back(self) -> None:
        text, result = fixed("FROM x\nUSER 0\n", "step-up", settings="rules.step-up.limit = 99")
        assert text == "FROM x\nUSER 0\n"
        assert result.refused == (
            "step-up at Dockerfile:2: the fix would leave its finding where it is, or move it, so it was taken back",
        )

    def test_fixes_far_apart_are_made_in_one_round(self) -> None:
        text, result = fixed("FROM python:2\nUSER 2\n", "step-up", "old-python")
        assert text == "FROM python:3\nUSER 3\n"
        assert len(result.applied) == 2

    def test_bytes_that_no_fix_touches_survive(self) -> None:
        text, _ = fixed("\ufeff# é 🎈\r\nFROM python:2   \r\n\r\nUSER\t x", "old-python")
        assert text == "\ufeff# é 🎈\r\nFROM python:3   \r\n\r\nUSER\t x"

    def test_unsafe_fixes_wait_to_be_asked_for(self) -> None:
        files = {"gracelint.toml": PACK, "Dockerfile": 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'}
        assert fix(files, select=["uncatchable-stop-signal"], unsafe=False).changes == ()
        assert fix(files, select=["uncatchable-stop-signal"], unsafe=True).changes != ()


class TestHarm:
    def test_a_fix_that_breaks_the_file_is_taken_back(self) -> None:
        text, result = fixed("FROM python:2\nLABEL breaks\nUSER 2\n", "harmful-fix", "old-python", "step-up")
        assert text == "FROM python:3\nLABEL breaks\nUSER 3\n"
        assert result.refused == ("harmful-fix at Dockerfile:2: the fix would break Dockerfile, so it was taken back",)

    def test_a_fix_that_adds_a_finding_is_taken_back(self) -> None:
        files = {"gracelint.toml": PACK, "Dockerfile": "FROM x\nLABEL adds\n"}
        result = fix(files, select=["harmful-fix", "uncatchable-stop-signal"], unsafe=False)
        assert result.changes == ()
        assert result.refused == (
            "harmful-fix at Dockerfile:2: the fix would add a finding (uncatchable-stop-signal in Dockerfile), "
            "so it was taken back",
        )

    def test_what_a_fix_uncovers_is_fixed_with_it(self) -> None:
        text, result = fixed("FROM x\nLABEL adds\n", "harmful-fix", "uncatchable-stop-signal")
        assert text == "FROM x\n"
        assert [item.rule for item in result.applied] == ["harmful-fix", "uncatchable-stop-signal"]

    def test_a_fix_that_makes_a_launch_worse_is_taken_back(self) -> None:
        files = {
            "gracelint.toml": PACK,
            "Dockerfile": 'FROM python:3.12-slim AS base\nLABEL detaches\nCMD ["nginx", "-g", "daemon off;"]\n',
        }
        result = fix(files, select=["harmful-fix"])
        assert result.refused == (
            "harmful-fix at Dockerfile:2: the fix would make `base` in Dockerfile unknown, which is cut now, "
            "so it was taken back",
        )

    @pytest.mark.parametrize(
        ("after", "same"),
        [
            ("a: 9\nb: [1, 2]\n", True),
            ("a: 9\nb: [1, 3]\n", False),
            ("a: 9\nb: [1, 2]\nc: 3\n", False),
            ("a: 9\n", False),
            ("a: [\n", False),
        ],
    )
    def test_a_yaml_fix_may_change_only_what_it_touches(self, after: str, same: bool) -> None:
        before = Source("a.yaml", "a: 1\nb: [1, 2]\n")
        edit = Edit(before.span(3, 4), "9")
        assert same_elsewhere(before, Source("a.yaml", after), [edit]) is same


class TestWriting:
    def change(self, root: Path, text: str = "new\n", *names: str) -> Fixed:
        changes = tuple(Change(name, (root / name).read_bytes().decode(), text) for name in names or ("Dockerfile",))
        return Fixed(str(root), None, None, changes, (), ())  # type: ignore[arg-type]

    def test_mode_and_links_are_kept(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_text("old\n")
        (tmp_path / "real").chmod(0o751)
        (tmp_path / "Dockerfile").symlink_to("real")
        write_files(self.change(tmp_path))
        assert (tmp_path / "Dockerfile").is_symlink()
        assert (tmp_path / "real").read_text() == "new\n"
        assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o751
        assert sorted(os.listdir(tmp_path)) == ["Dockerfile", "real"]

    def test_line_endings_are_written_as_they_are(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_bytes(b"a\r\n")
        write_files(self.change(tmp_path, "b\r\nc\n"))
        assert (tmp_path / "Dockerfile").read_bytes() == b"b\r\nc\n"

    def test_a_file_changed_meanwhile_is_left_alone_and_so_are_the_others(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).write_text("old\n")
        change = self.change(tmp_path, "new\n", "a", "b")
        (tmp_path / "b").write_text("edited\n")
        with pytest.raises(ConfigError, match="b was changed meanwhile, or is not UTF-8; nothing was written"):
            write_files(change)
        assert (tmp_path / "a").read_text() == "old\n"
        assert sorted(os.listdir(tmp_path)) == ["a", "b"]

    def test_a_read_only_file_is_not_replaced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """For whom it is read-only the kernel says: root may write what has no mode for it."""
        (tmp_path / "Dockerfile").write_text("old\n")
        monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (str(tmp_path / "Dockerfile"), os.W_OK))
        with pytest.raises(ConfigError, match="Dockerfile is read-only; nothing was written"):
            write_files(self.change(tmp_path))
        assert (tmp_path / "Dockerfile").read_text() == "old\n"

    @pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGKILL])
    def test_a_run_that_is_stopped_leaves_whole_files(self, tmp_path: Path, kill: signal.Signals) -> None:
        """Stopped while the second file is written: the first one was not replaced yet."""
        names = ("a.Dockerfile", "b.Dockerfile")
        for name in names:
            (tmp_path / name).write_text("FROM x\nSTOPSIGNAL SIGKILL\n")
        code = (
            "import os; real, calls = os.fsync, []\n"
            f"def fsync(fd): real(fd); calls.append(fd); len(calls) < 2 or os.kill(os.getpid(), {int(kill)})\n"
            "os.fsync = fsync\n"
            "from gracelint.cli import main; main(['check', '--fix', '--unsafe-fixes'])"
        )
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
        assert {(tmp_path / name).read_text() for name in names} == {"FROM x\nSTOPSIGNAL SIGKILL\n"}
        assert sorted(os.listdir(tmp_path)) == list(names)

    def test_a_full_disk_leaves_every_file_as_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("a", "b"):
            (tmp_path / name).write_text("old\n")
        calls = []

        def full(descriptor: int) -> None:
            calls.append(descriptor)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="b cannot be written: No space left on device; nothing was written"):
            write_files(self.change(tmp_path, "new\n", "a", "b"))
        assert {name: (tmp_path / name).read_text() for name in sorted(os.listdir(tmp_path))} == {
            "a": "old\n",
            "b": "old\n",
        }

    def test_a_failure_half_way_puts_back_what_was_replaced(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("a", "b"):
            (tmp_path / name).write_text("old\n")
        real_replace = os.replace

        def replace(source: str, target: str) -> None:
            if target.endswith("b"):
                raise OSError(1, "Operation not permitted")
            real_replace(source, target)

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(ConfigError, match="b cannot be written: Operation not permitted; nothing was written"):
            write_files(self.change(tmp_path, "new\n", "a", "b"))
        assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "old\n"
        assert sorted(os.listdir(tmp_path)) == ["a", "b"]

    def test_text_that_is_not_utf_8_is_never_rewritten(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_bytes(b"# caf\xe9\nFROM python:2\n")
        settings = parse_settings(PACK + 'select = ["old-python"]', "gracelint.toml")
        configuration = Configuration(str(tmp_path), fixed=settings)
        request = Request(root=str(tmp_path), paths=(str(tmp_path),), configuration=configuration)
        result = fixer.fix(request, select(configuration))
        assert len(result.applied) == 1
        with pytest.raises(ConfigError, match="not UTF-8"):
            write_files(result)
        assert (tmp_path / "Dockerfile").read_bytes() == b"# caf\xe9\nFROM python:2\n"


def test_the_diff_is_one_that_patch_reads() -> None:
    _, result = fixed("FROM python:2", "old-python")
    assert unified_diff(result) == (
        "--- a/Dockerfile\n"
        "+++ b/Dockerfile\n"
        "@@ -1 +1 @@\n"
        "-FROM python:2\n"
        "\\ No newline at end of file\n"
        "+FROM python:3\n"
        "\\ No newline at end of file\n"
    )


class TestWhatAFixUncovers:
    """A defect that hides another may be mended; a fix that only makes another defect of one may not."""

    LEAVES = "FROM node:22-slim\nCOPY . .\nCMD {}\n"
    SERVER = "const http = require('http');\nhttp.createServer((q, r) => r.end('x')).listen(80);\n"

    def test_the_next_hop_shows_once_a_shell_is_gone(self) -> None:
        files = {"Dockerfile": self.LEAVES.format("node main.js"), "main.js": self.SERVER}
        result = fix(files, unsafe=False)
        assert [item.rule for item in result.applied] == ["shell-form-command"]
        assert [item.rule for item in result.after.findings if item.rule != "missing-init"] == [
            "missing-sigterm-handler"
        ]

    def test_a_handler_that_drops_requests_does_not_take_more_signals(self) -> None:
        leaves = self.SERVER + "process.on('SIGINT', () => process.exit());\n"
        files = {"Dockerfile": self.LEAVES.format('["node", "main.js"]'), "main.js": leaves}
        result = fix(files)
        assert [item.rule for item in result.before.findings] == ["sigint-only-handler"]
        assert (result.changes, result.refused) == ((), ())

    def test_a_handler_that_closes_no_connections_does_not_take_more_signals(self) -> None:
        leaves = (
            "import redis\n\nqueue = redis.Redis()\ntry:\n    while True:\n        queue.blpop('orders')\n"
            "except KeyboardInterrupt:\n    print('bye')\n"
        )
        files = {"Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["python", "main.py"]\n', "main.py": leaves}
        result = fix(files, strict=True)
        assert result.changes == ()
        assert result.refused == (
            "sigint-only-handler at main.py:7: the fix would make `0` in Dockerfile unknown, which is ignored now, "
            "so it was taken back",
        )

    def test_a_program_that_hears_its_signal_may_need_a_hook(self) -> None:
        files = {
            "web/Dockerfile": 'FROM gcr.io/distroless/nodejs22-debian12\nCOPY . .\nCMD ["main.js"]\n',
            "web/main.js": self.SERVER,
            "web.yaml": f"{TWO_PODS}---\n{ITS_SERVICE}  type: LoadBalancer\n",
        }
        result = fix(files, select=["missing-sigterm-handler", "missing-pre-stop"])
        assert [item.rule for item in result.applied] == ["missing-sigterm-handler"]
        assert [(item.rule, item.severity.value) for item in result.after.findings] == [("missing-pre-stop", "warning")]
        assert result.refused == ()


class TestOneCauseOneFix:
    TICKER = "import time\n\nwhile True:\n    time.sleep(1)\n"

    def test_a_handler_rather_than_an_init(self) -> None:
        files = {"Dockerfile": 'FROM python:3.12-slim\nCOPY . .\nCMD ["python", "main.py"]\n', "main.py": self.TICKER}
        result = fix(files)
        assert [item.rule for item in result.applied] == ["missing-sigterm-handler"]
        assert result.after.findings == ()
