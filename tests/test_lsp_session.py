"""What the language server stands on, without a client: sessions, comments that silence, differences of texts."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from editor import needs_the_server, written
from gracelint import reading
from gracelint.config import Configuration, Place
from gracelint.fixing.fixer import apply_edits
from gracelint.lsp.session import Session, Stopped, place_for
from gracelint.lsp.silence import silencing
from gracelint.lsp.stories import story
from gracelint.parse import dockerfile, yaml
from gracelint.source import Source
from gracelint.testing import lint, read
from gracelint.tree import files as project_files

KILLED = 'FROM x\nSTOPSIGNAL SIGKILL\nCMD ["app"]\n'


def session_of(folder: Path) -> Session:
    return Session(Place(str(folder)), str(folder), Configuration)


def test_findings_are_those_of_the_text_in_the_editor(tmp_path: Path) -> None:
    session = session_of(written(tmp_path, {"Dockerfile": 'FROM x\nCMD ["app"]\n'}))
    assert session.findings("Dockerfile") == []
    session.update("Dockerfile", KILLED)
    session.reading = session.read(session.open)
    assert [found.rule for found in session.findings("Dockerfile")] == ["uncatchable-stop-signal"]
    session.update("Dockerfile", None)
    assert session.open == {}


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "Dockerfile": KILLED,
        "web/Dockerfile": KILLED,
        "pod.yaml": "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: {containers: [{name: a, image: web}]}\n",
    }
    session = session_of(written(tmp_path, files))
    work: list[str] = []

    def noted(module: object, name: str) -> None:
        done = getattr(module, name)

        def noting(subject: Source | str, *arguments: object, **named: object) -> object:
            work.append(f"{name} {subject.path if isinstance(subject, Source) else os.path.basename(subject)}")
            return done(subject, *arguments, **named)

        monkeypatch.setattr(module, name, noting)

    noted(dockerfile, "read_dockerfile")
    noted(yaml, "read_stream")
    noted(reading, "discover")
    noted(project_files, "_bytes")
    session.update("Dockerfile", KILLED)
    first = session.read(session.open)
    assert "read_dockerfile web/Dockerfile" in work and "read_stream pod.yaml" in work
    work.clear()
    session.update("Dockerfile", KILLED.replace("SIGKILL", "SIGTERM"))
    second = session.read(session.open)
    assert work == ["read_dockerfile Dockerfile"]
    assert [len(reading.report.findings) for reading in (first, second)] == [1, 0]
    work.clear()
    written(tmp_path, {"web/Dockerfile": "FROM alpine\n", "new.yaml": files["pod.yaml"]})
    session.look_again()
    session.read(session.open)
    assert {"discover " + tmp_path.name, "read_dockerfile web/Dockerfile", "read_stream new.yaml"} <= set(work)
    assert not any("pod.yaml" in each for each in work)


def test_a_reading_that_is_outdated_stops(tmp_path: Path) -> None:
    session = session_of(written(tmp_path, {"Dockerfile": KILLED}))

    def outdated(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        session.read({"Dockerfile": KILLED}, outdated)


def test_what_is_excluded_is_not_fixed(tmp_path: Path) -> None:
    files = {
        "Dockerfile": 'FROM python:3.12-slim\nCOPY . .\nENTRYPOINT ["./run.sh"]\n',
        "run.sh": "#!/bin/sh\npython app.py\n",
    }
    session = session_of(written(tmp_path, {**files, "gracelint.toml": 'exclude = ["run.sh"]\n'}))
    reading = session.read({"Dockerfile": files["Dockerfile"]})
    (reported,) = reading.report.findings
    assert reported.finding.fix is not None
    assert reported.finding.fix.title == "Let the shell exec the program; `run.sh` is excluded by the configuration"
    assert reading.fix(reported) == "there is nothing to apply"


@pytest.mark.parametrize(
    ("folders", "working_dir"),
    [((), "project/k8s"), (("project",), "project"), (("project/k8s",), "project/k8s")],
)
def test_the_project_is_the_repository(tmp_path: Path, folders: tuple[str, ...], working_dir: str) -> None:
    written(tmp_path / "project", {"k8s/pod.yaml": ""})
    place, shown_from = place_for(
        str(tmp_path / "project/k8s/pod.yaml"), tuple(str(tmp_path / folder) for folder in folders)
    )
    assert (place.root, shown_from) == (str(tmp_path / "project"), str(tmp_path / working_dir))


def test_lines_are_found_by_many_threads_at_once() -> None:
    source = Source("x", "a\r\n" * 50_000)
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(len(source.line_starts))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [50_001] * 8


SILENCED = {
    "a Dockerfile: above the instruction": (
        {"Dockerfile": "FROM x\nRUN a\nSTOPSIGNAL \\\n  SIGKILL\nCMD exec app\n"},
        "Dockerfile",
        "FROM x\nRUN a\n# gracelint: ignore[uncatchable-stop-signal]\nSTOPSIGNAL \\\n  SIGKILL\nCMD exec app\n",
    ),
    "YAML: with the indentation of the line": (
        {
            "Dockerfile": 'FROM x\nCMD ["app"]\n',
            "compose.yaml": "services:\n  a:\n    build: .\n    stop_signal: KILL\n",
        },
        "compose.yaml",
        "services:\n  a:\n    build: .\n    # gracelint: ignore[uncatchable-stop-signal]\n    stop_signal: KILL\n",
    ),
    "a script: above the first of continued lines": (
        {
            "Dockerfile": 'FROM python:3.12-slim\nCOPY . .\nENTRYPOINT ["./run"]\n',
            "run": "#!/bin/sh\nif true; then\n  python \\\n    app.py\nfi\n",
            "app.py": "import time\ntime.sleep(1e9)\n",
        },
        "run",
        "#!/bin/sh\nif true; then\n  # gracelint: ignore[script-without-exec]\n  python \\\n    app.py\nfi\n",
    ),
    "Windows line ends, and a byte order mark": (
        {"Dockerfile": '\ufeffFROM x\r\nSTOPSIGNAL SIGKILL\r\nCMD ["app"]\r\n'},
        "Dockerfile",
        '\ufeffFROM x\r\n# gracelint: ignore[uncatchable-stop-signal]\r\nSTOPSIGNAL SIGKILL\r\nCMD ["app"]\r\n',
    ),
}


@pytest.mark.parametrize("case", SILENCED)
def test_a_comment_silences(case: str) -> None:
    files, path, wanted = SILENCED[case]
    (found,) = [reported for reported in lint(files).findings if reported.path == path]
    comment = silencing(found.finding.at, found.rule)
    assert comment is not None
    at, text = comment
    after = files[path][:at] + text + files[path][at:]
    assert after == wanted
    assert [each.rule for each in lint({**files, path: after}).findings if each.path == path] == []


def test_node_programs_have_comments_of_their_own() -> None:
    source = Source("server.js", "\tserver.listen(80)\n")
    assert silencing(source.span(1, 7), "x-y") == (0, "\t// gracelint: ignore[x-y]\n")


def test_a_recipe_is_silenced_without_space_in_front() -> None:
    source = Source("Makefile", "run:\n\tpython app.py\n")
    assert silencing(source.span(6, 12), "x-y") == (5, "# gracelint: ignore[x-y]\n")


@pytest.mark.parametrize(
    ("path", "text", "word"),
    [
        ("pod.json", '{"kind": "Pod"}\n', "Pod"),
        ("package.json", '{"scripts": {"start": "node ."}}\n', "node"),
        ("pod.yaml", "kind: Pod\nspec:\n  containers:\n    - image: a\n      command: [a, 'b\n        c d']\n", "c d"),
        ("pod.yaml", "kind: Pod\nspec:\n  containers:\n    - image: a\n      name: b\n        c d\n", "c d"),
        ("app.py", 'x = 1 + \\\n    run("a")\n', "run"),
    ],
)
def test_no_comment_is_offered_where_none_can_be(path: str, text: str, word: str) -> None:
    start = text.index(word)
    assert silencing(Source(path, text).span(start, start + len(word)), "x-y") is None


def test_a_script_inside_of_yaml_can_be_silenced() -> None:
    text = "kind: Pod\nspec:\n  containers:\n    - image: a\n      args:\n        - |\n          python app.py\n"
    at = text.index("python")
    comment = silencing(Source("pod.yaml", text).span(at, at + 6), "x-y")
    assert comment == (text.index("          python"), "          # gracelint: ignore[x-y]\n")


def test_a_story_cannot_leave_its_block() -> None:
    launches = read({"Dockerfile": 'FROM x\nCMD ["a```", "````b"]\n'}).launches
    told = story(launches, str)
    assert told.startswith("`````text\n") and told.endswith("\n`````")


def test_differences_are_as_small_as_they_can_be() -> None:
    needs_the_server()
    from gracelint.finding import Edit
    from gracelint.lsp.answers import differences

    before, after = "a\r\nb c\r\nd\n", "a\r\nb x c\r\nd\ne\n"
    found = list(differences(before, after))
    assert found == [(5, 5, "x "), (10, 10, "e\n")]
    source = Source("f", before)
    edits = [Edit(source.span(start, end), text) for start, end, text in found]
    assert apply_edits({"f": before}, edits) == {"f": after}
