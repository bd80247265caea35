"""`gracelint lsp`, asked by a client over standard input and output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from editor import Editor, editing, needs_the_server, run, until, written

needs_the_server()

SCRIPT = "#!/bin/sh\npython app.py\n"
PROJECT = {
    "Dockerfile": 'FROM python:3.12-slim\nCOPY . .\nENTRYPOINT ["./run.sh"]\n',
    "run.sh": SCRIPT,
    "app.py": (
        "import signal, sys, time\n\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nwhile True:\n    time.sleep(1)\n"
    ),
    "compose.yaml": "services:\n  web:\n    build: .\n    stop_grace_period: 20s\n",
}
KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'
CLEAN = 'FROM x\nCMD ["app"]\n'


def test_a_finding_comes_and_goes_with_what_is_typed(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, PROJECT)) as editor:
            editor.open("run.sh", "#!/bin/sh\nexec python app.py\n")
            await editor.shows("run.sh")
            editor.type("run.sh", SCRIPT)
            (found,) = await editor.shows("run.sh", "script-without-exec")
            assert found.message == (
                "Debian's dash stays PID 1 in front of `python app.py` and passes no signal on; "
                "SIGTERM is ignored until SIGKILL after 20 s"
            )
            assert (found.severity, found.source) == (1, "gracelint")
            assert str(found.range) == "1:0-1:6"
            (related,) = found.related_information or ()
            assert related.message == "the script is started here"
            assert related.location.uri == editor.uri("Dockerfile")
            assert str(related.location.range) == "2:12-2:22"
            assert (tmp_path / "run.sh").read_text() == SCRIPT

    run(session())


def test_an_unsaved_text_changes_what_is_found_in_others(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, PROJECT)) as editor:
            editor.open("run.sh")
            editor.open("Dockerfile")
            await editor.shows("run.sh", "script-without-exec")
            await editor.shows("Dockerfile")
            editor.type(
                "Dockerfile", PROJECT["Dockerfile"].replace("./run.sh", "python", 1).replace('"]', '", "app.py"]')
            )
            await editor.shows("run.sh")
            editor.close("Dockerfile")
            await editor.shows("run.sh", "script-without-exec")

    run(session())


def test_what_is_closed_shows_nothing(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, {"Dockerfile": KILLED})) as editor:
            editor.open("Dockerfile")
            await editor.shows("Dockerfile", "uncatchable-stop-signal")
            editor.close("Dockerfile")
            await editor.shows("Dockerfile")

    run(session())


def test_a_fix_is_offered_and_mends(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, PROJECT)) as editor:
            editor.open("run.sh")
            await editor.shows("run.sh", "script-without-exec")
            fix, ignore = await editor.actions("run.sh", 1)
            assert (fix.title, fix.kind, fix.is_preferred) == ("Let the shell exec the program", "quickfix", True)
            assert [each.code for each in fix.diagnostics or ()] == ["script-without-exec"]
            assert ignore.title == "Ignore script-without-exec here"
            editor.apply(fix)
            await editor.shows("run.sh")
            assert editor.texts["run.sh"] == "#!/bin/sh\nexec python app.py\n"

    run(session())


def test_a_fix_of_several_files_is_one_edit(tmp_path: Path) -> None:
    from conftest import FIXTURES
    from gracelint.testing import read_folder

    files = read_folder(f"{FIXTURES}/deadline-in-between/grace-too", leave_out=("expected.txt",))

    async def session() -> None:
        async with editing(written(tmp_path, files)) as editor:
            editor.open("supervisord.conf")
            (found,) = await editor.shows("supervisord.conf", "deadline-in-between")
            fix = (await editor.actions("supervisord.conf", found.range.start.line))[0]
            assert fix.edit is not None
            assert len(fix.edit.document_changes or ()) == 2
            editor.apply(fix)
            await editor.shows("supervisord.conf")

    run(session())


def test_an_unsafe_fix_says_so_and_is_not_preferred(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, {"Dockerfile": KILLED})) as editor:
            editor.open("Dockerfile")
            await editor.shows("Dockerfile", "uncatchable-stop-signal")
            fix, _ = await editor.actions("Dockerfile", 1)
            assert fix.title == "Leave the stop signal at its default (unsafe: read it)"
            assert not fix.is_preferred
            assert await editor.actions("Dockerfile", 0, only=["source.fixAll"]) == []

    run(session())


def test_what_only_a_person_can_fix_is_not_offered(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, {"Dockerfile": 'FROM x\nCMD ["app", ["x"]]\n'})) as editor:
            editor.open("Dockerfile")
            await editor.shows("Dockerfile", "malformed-exec-form")
            (action,) = await editor.actions("Dockerfile", 1)
            assert action.title == "Ignore malformed-exec-form here"

    run(session())


def test_all_safe_fixes_are_one_action_when_they_are_asked_for(tmp_path: Path) -> None:
    files = {**PROJECT, "run.sh": "#!/bin/sh\npython app.py\n"}

    async def session() -> None:
        async with editing(written(tmp_path, files)) as editor:
            editor.open("run.sh")
            await editor.shows("run.sh", "script-without-exec")
            (action,) = await editor.actions("run.sh", 0, only=["source.fixAll"])
            assert (action.title, action.kind) == ("Apply all safe fixes", "source.fixAll.gracelint")
            editor.apply(action)
            await editor.shows("run.sh")

    run(session())


def test_an_ignored_finding_is_gone(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, {"Dockerfile": KILLED})) as editor:
            editor.open("Dockerfile")
            await editor.shows("Dockerfile", "uncatchable-stop-signal")
            ignore = (await editor.actions("Dockerfile", 1))[-1]
            assert ignore.title == "Ignore uncatchable-stop-signal here"
            editor.apply(ignore)
            await editor.shows("Dockerfile")
            assert editor.texts["Dockerfile"].splitlines()[1] == "# gracelint: ignore[uncatchable-stop-signal]"

    run(session())


def test_a_launch_tells_its_story(tmp_path: Path) -> None:
    story = """\
```text
Compose service web  compose.yaml:2
  image    Dockerfile:1 (built from it)
  PID 1    ./run.sh  Dockerfile:3
           swallows SIGTERM: Debian's dash stays PID 1 in front of `python app.py` and passes no signal on
  →        python app.py  run.sh:2
           handles SIGTERM: app.py: its handler for SIGTERM ends it
  verdict  ignored: Debian's dash stays PID 1 in front of `python app.py` and passes no signal on
  stop          0 s  SIGTERM to PID 1
               20 s  SIGKILL, exit 137: nothing ended it
```"""

    async def session() -> None:
        async with editing(written(tmp_path, PROJECT)) as editor:
            editor.open("Dockerfile")
            editor.open("compose.yaml")
            assert await editor.hover("compose.yaml", 3) == story
            assert await editor.hover("Dockerfile", 2) == story
            assert await editor.hover("Dockerfile", 1) is None

    run(session())


def test_kubernetes_keys_tell_the_story(tmp_path: Path) -> None:
    manifest = (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  terminationGracePeriodSeconds: 40\n"
        "  containers:\n    - name: app\n      image: nginx:1.27\n      lifecycle:\n        preStop:\n"
        "          sleep:\n            seconds: 5\n"
    )

    async def session() -> None:
        async with editing(written(tmp_path, {"pod.yaml": manifest})) as editor:
            editor.open("pod.yaml")
            for line in (5, 7, 9, 12):
                assert "Pod web, container app  pod.yaml:8" in (await editor.hover("pod.yaml", line) or "")
            assert await editor.hover("pod.yaml", 1) is None

    run(session())


def test_a_verdict_stands_behind_the_line_that_starts_a_container(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, PROJECT)) as editor:
            for name in ("Dockerfile", "compose.yaml", "run.sh"):
                editor.open(name)
            assert await editor.hints("compose.yaml") == [(1, 6, "SIGTERM ignored")]
            assert await editor.hints("Dockerfile") == [(2, 23, "SIGTERM ignored")]
            editor.type("run.sh", "#!/bin/sh\nexec python app.py\n")
            assert await editor.hints("compose.yaml") == [(1, 6, "SIGTERM handled")]

    run(session())


def test_definitions_lead_along_the_way_of_the_signal(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, PROJECT)) as editor:
            for name in ("compose.yaml", "Dockerfile", "run.sh", "app.py"):
                editor.open(name)
            assert await editor.definition("compose.yaml", 1) == ["Dockerfile:2"]
            assert await editor.definition("Dockerfile", 2) == ["run.sh:1"]
            assert await editor.definition("run.sh", 1) == ["app.py:2"]
            assert await editor.definition("app.py", 2) == []

    run(session())


async def _columns(editor: Editor, name: str) -> str:
    (found,) = await editor.shows(name, "uncatchable-stop-signal")
    return str(found.range)


def test_columns_are_those_of_the_client(tmp_path: Path) -> None:
    text = 'services:\n  "😀": {image: "😀", stop_signal: SIGKILL}\n'
    before = text.splitlines()[1].partition("SIGKILL")[0]
    units = {"utf-16": len(before) + 2, "utf-8": len(before.encode()), "utf-32": len(before)}

    async def session(encoding: str) -> None:
        async with editing(written(tmp_path, {"compose.yaml": text}), encodings=[encoding]) as editor:
            editor.open("compose.yaml")
            start = units[encoding]
            assert await _columns(editor, "compose.yaml") == f"1:{start}-1:{start + 7}"

    for encoding in units:
        run(session(encoding))


def test_lines_end_as_the_text_says(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, {"Dockerfile": KILLED})) as editor:
            editor.open("Dockerfile", 'FROM x\r\n# \x0b \x85 \u2028\r\nSTOPSIGNAL SIGKILL\r\nCMD ["app"]\r\n')
            assert await _columns(editor, "Dockerfile") == "2:11-2:18"
            ignore = (await editor.actions("Dockerfile", 2))[-1]
            editor.apply(ignore)
            await editor.shows("Dockerfile")
            assert "\r\n# gracelint: ignore[uncatchable-stop-signal]\r\nSTOPSIGNAL" in editor.texts["Dockerfile"]

    run(session())


def test_a_byte_order_mark_takes_no_column_in_a_file(tmp_path: Path) -> None:
    files = {**PROJECT, "compose.yaml": "\ufeffservices: {web: {build: ., stop_signal: SIGKILL}}\n"}

    async def session() -> None:
        async with editing(written(tmp_path, files)) as editor:
            editor.open("compose.yaml")
            assert await _columns(editor, "compose.yaml") == "0:40-0:47"
            editor.close("compose.yaml")
            await editor.shows("compose.yaml")
            editor.open("compose.yaml", files["compose.yaml"])
            assert await _columns(editor, "compose.yaml") == "0:41-0:48"

    run(session())


def test_settings_are_read_again_when_they_change(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, {"Dockerfile": KILLED})) as editor:
            editor.open("Dockerfile")
            await editor.shows("Dockerfile", "uncatchable-stop-signal")
            editor.save("gracelint.toml", 'ignore = ["uncatchable-stop-signal"]\n')
            await editor.shows("Dockerfile")
            editor.save("gracelint.toml", 'ingore = ["uncatchable-stop-signal"]\n')
            await until(lambda: bool(editor.client.messages), lambda: "nothing was said of the wrong key")
            (message,) = (each.message for each in editor.client.messages)
            assert message == f"gracelint: {tmp_path}/gracelint.toml: unknown key 'ingore': did you mean 'ignore'?"
            editor.save("gracelint.toml", "")
            await editor.shows("Dockerfile", "uncatchable-stop-signal")

    run(session())


def test_files_that_are_not_open_are_read_again_when_they_change(tmp_path: Path) -> None:
    async def session() -> None:
        async with editing(written(tmp_path, PROJECT)) as editor:
            editor.open("run.sh")
            await editor.shows("run.sh", "script-without-exec")
            editor.save("Dockerfile", 'FROM python:3.12-slim\nCOPY . .\nCMD ["python", "app.py"]\n')
            await editor.shows("run.sh")

    run(session())


def test_each_folder_is_a_project_and_so_is_what_lies_outside(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name, {"Dockerfile": KILLED}) for name in ("one", "two"))
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose/Dockerfile").write_text(KILLED)
    (two / "gracelint.toml").write_text('ignore = ["uncatchable-stop-signal"]\n')

    async def session() -> None:
        async with editing(one, two) as editor:
            for name in ("Dockerfile", "../two/Dockerfile", "../loose/Dockerfile"):
                editor.open(name)
            await editor.shows("Dockerfile", "uncatchable-stop-signal")
            await editor.shows("../two/Dockerfile")
            await editor.shows("../loose/Dockerfile", "uncatchable-stop-signal")

    run(session())


def test_a_text_that_is_no_file_is_left_alone(tmp_path: Path) -> None:
    from lsprotocol import types

    async def session() -> None:
        async with editing(written(tmp_path, {"Dockerfile": KILLED})) as editor:
            item = types.TextDocumentItem("untitled:Untitled-1", "dockerfile", 1, KILLED)
            editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
            editor.open("new.Dockerfile", KILLED)
            await editor.shows("new.Dockerfile", "uncatchable-stop-signal")
            assert "untitled:Untitled-1" not in editor.client.diagnostics

    run(session())


def test_a_long_reading_shows_how_far_it_is(tmp_path: Path) -> None:
    impatient = (
        "import sys; from gracelint.lsp import server; server.PATIENCE = 0; from gracelint.cli import main; main()"
    )
    many = {f"{number}.Dockerfile": CLEAN for number in range(50)}

    async def session() -> None:
        command = (sys.executable, "-c", impatient, "lsp")
        async with editing(written(tmp_path, {"Dockerfile": KILLED, **many}), command=command) as editor:
            editor.open("Dockerfile")
            await editor.shows("Dockerfile", "uncatchable-stop-signal")
            (values,) = editor.client.progress_reports.values()
            kinds = [each.kind for each in values]
            assert kinds[0] == "begin" and kinds[-1] == "end"
            assert values[0].title == "gracelint"

    run(session())


def test_options_of_the_command_hold(tmp_path: Path) -> None:
    async def session() -> None:
        project = written(tmp_path, {"Dockerfile": KILLED})
        async with editing(project, options=["--ignore", "uncatchable-stop-signal"]) as editor:
            editor.open("Dockerfile")
            await editor.shows("Dockerfile")

    run(session())


def test_without_the_extra_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['pygls'] = None; from gracelint.cli import main; sys.exit(main(['lsp']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert (
        done.stderr == "gracelint: lsp: the language server is not installed: install gracelint with its extra `lsp`\n"
    )
    assert done.stdout == ""


def test_nothing_but_messages_is_written_and_the_end_is_clean(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "gracelint", "lsp"], input=b"", capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
