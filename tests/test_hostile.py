"""Whatever stands in a file: no crash, no hang, nothing outside the project read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import FIXTURES
from gracelint.testing import fix, lint, read_folder

FUZZ = int(os.environ.get("GRACELINT_FUZZ", "0"))
"""How many examples to try of each kind, other ones each time; by default few and the same."""
quick = settings(
    deadline=None, max_examples=FUZZ or 50, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), database=None
)

SEEDS = {
    "Dockerfile": 'FROM python:3.12-slim AS x\nENV A=1\nSTOPSIGNAL TERM\nCMD sh -c "exec python app.py $A"\n',
    "compose.yaml": "services:\n  web: &w\n    build: .\n    command: [a, 'b c']\n  x: {<<: *w, init: true}\n",
    "deploy.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n"
        '      containers:\n      - name: web\n        image: web\n        args: ["$(A)"]\n'
    ),
    "app.py": "import signal, time\nsignal.signal(15, lambda *a: exit())\nwhile True: time.sleep(1)\n",
    "server.js": "process.on('SIGTERM', () => s.close())\nconst s = require('http').createServer().listen(1)\n",
    "start.sh": "#!/bin/sh\nset -e\ntrap 'kill $!' TERM\npython app.py &\nwait $!\n",
    "package.json": '{"name": "x", "scripts": {"start": "node server.js"}}',
}
STARTERS = {
    "app.py": 'FROM python:3.12\nCOPY . .\nCMD ["python", "app.py"]\n',
    "server.js": 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n',
    "start.sh": 'FROM debian:12\nCOPY . .\nCMD ["./start.sh"]\n',
    "package.json": 'FROM node:22\nCOPY . .\nCMD ["npm", "start"]\n',
}
_SYNTAX = "\" ' { } [ ] $ ${ $( ` # <<EOF --- - : &a *a <<: !! | > % @ && || ; & => /* // \\ {{ x }}"
_WORDS = "exec trap CMD FROM RUN def kind services:\n"
_ODD = ("\ufeff", "\r", "\n", "\t", " ", "é", "🎈", "\u2028", "\x1b[2J", "\ud800", "\0")
PIECES = st.sampled_from((*_SYNTAX.split(" "), *_WORDS.split(" "), *_ODD))


def check(files: dict[str, str]) -> None:
    """Lints, and fixes: neither may break."""
    files = {path: text.encode("utf-8", "replace").decode() for path, text in files.items()}
    assert lint(files, strict=True).errors == ()
    assert fix(files, strict=True).after.errors == ()


@pytest.mark.parametrize("path", SEEDS)
@quick
@given(edits=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.3), PIECES), min_size=1, max_size=4))
def test_damaged_text(path: str, edits: list[tuple[float, float, str]]) -> None:
    text = SEEDS[path]
    for place, share, piece in edits:
        start = int(place * len(text))
        text = text[:start] + piece + text[start + int(share * len(text)) :]
    files = {"Dockerfile": STARTERS[path]} if path in STARTERS else {}
    check(files | {path: text})


@pytest.mark.parametrize("path", SEEDS)
@quick
@given(text=st.text(max_size=200))
def test_arbitrary_text(path: str, text: str) -> None:
    check(({"Dockerfile": STARTERS[path]} if path in STARTERS else {}) | {path: text})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Dockerfile", "FROM x\nRUN " + "a && \\\n" * 100_000 + "b\n"),
        ("Dockerfile", "FROM x\n" + "CMD a\n" * 50_000),
        ("Dockerfile", "FROM x\nCMD " + "(" * 50_000),
        ("Dockerfile", "FROM x\nCMD [" + '"a",' * 50_000 + '"b"]\n'),
        ("Dockerfile", "".join(f"FROM s{number - 1} AS s{number}\n" for number in range(1, 3_000))),
        ("Dockerfile", "ARG A=${A}${A}\nFROM ${A}\nENV A=$A$A\n" * 30),
        ("deploy.yaml", "kind: Pod\nspec: " + "[" * 20_000),
        ("deploy.yaml", "kind: Pod\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))),
        ("deploy.yaml", "---\nkind: Pod\nspec: {containers: []}\n" * 5_000),
        ("deploy.yaml", "kind: Pod\nspec: {a: 1" + ", b: 2" * 50_000 + "}\n"),
        ("compose.yaml", "services:\n  a: &a {extends: b}\n  b: {extends: a, build: .}\n"),
        ("app.py", "x = " + "(" * 2_000 + ")" * 2_000),
        ("app.py", "while True:\n  " + "x = x + 1; " * 20_000),
        ("app.py", "def f(): f()\nf()\nwhile True: f()\n"),
        ("server.js", "(" * 20_000),
        ("server.js", "function f() { f() }\nf()\n" * 2_000),
        ("start.sh", "#!/bin/sh\n" + "if true; then\n" * 2_000),
        ("start.sh", "#!/bin/sh\n. ./start.sh\nf() { f; }; f\n"),
        ("start.sh", "#!/bin/sh\n" + "echo a\n" * 50_000),
        ("package.json", '{"scripts": {"start": "npm run a", "a": "npm run b", "b": "npm start"}}'),
        ("package.json", "[" * 100_000),
    ],
    ids=lambda value: value[:24].strip() if isinstance(value, str) else None,
)
def test_large_deep_and_circular_input_takes_little_time(path: str, text: str) -> None:
    started = time.process_time()
    files = {"Dockerfile": STARTERS[path]} if path in STARTERS else {}
    assert lint(files | {path: text}).errors == ()
    assert time.process_time() - started < 10


def test_a_tree_of_links_pipes_and_odd_names(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text("kind: Pod\nmetadata: {name: SECRET}\nspec: {containers: [{name: SECRET}]}\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "gracelint.toml").write_text("")
    (root / "up").symlink_to("..")
    (root / "secret.yaml").symlink_to(outside / "secret.yaml")
    (root / "loop.yaml").symlink_to("loop.yaml")
    (root / "gone.yaml").symlink_to("nowhere")
    os.mkfifo(root / "Dockerfile")
    os.mkdir(root / "compose.yaml")
    (root / os.fsdecode(b"caf\xe9.yaml")).write_text("kind: Pod\n")
    (root / "a\nb.yaml").write_text("kind: Pod\nspec: [\n")
    (root / "big.yaml").write_bytes(b"#" * 10_000_001)
    (root / "api.Dockerfile").write_text('FROM x\nCOPY ../outside /x\nADD up/outside/secret.yaml /y\nCMD ["../up/x"]\n')
    command = [sys.executable, "-m", "gracelint", "check", "--format", "json", "-v"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr
    assert "SECRET" not in done.stdout + done.stderr
    for reason in ("is no ordinary file", "is larger than 10 MB"):
        assert reason in done.stdout


@pytest.mark.parametrize(
    "command", [[os.path.join(os.path.dirname(sys.executable), "gracelint")], [sys.executable, "-m", "gracelint"]]
)
def test_nothing_of_the_project_is_executed(tmp_path: Path, command: list[str]) -> None:
    """Python beside the Dockerfile stays text, whatever module it is named for."""
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\nwhile True: pass\n"
    for name in ("app.py", "gunicorn.conf.py", "sitecustomize.py", "conftest.py", "yaml.py", "json.py", "ast.py"):
        (tmp_path / name).write_text(trap)
    (tmp_path / "Dockerfile").write_text('FROM python:3.12\nCOPY . .\nCMD ["gunicorn", "app:app"]\n')
    arguments = [*command, "check", "--fail-on", "never"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "ran").exists()


def test_a_fixture_folder_read_as_it_is() -> None:
    files = read_folder(os.path.join(FIXTURES, "shop"))
    assert lint(files).errors == ()


def test_charts_and_overlays_read_nothing_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "templates").mkdir(parents=True)
    secret = "apiVersion: v1\nkind: Pod\nmetadata: {name: SECRET}\nspec: {containers: [{name: SECRET, image: x}]}\n"
    (outside / "templates" / "pod.yaml").write_text(secret)
    (outside / "Chart.yaml").write_text("apiVersion: v2\nname: SECRET\nversion: 1.0.0\n")
    (outside / "values.yaml").write_text("a: SECRET\n")
    (outside / "kustomization.yaml").write_text("resources: [templates/pod.yaml]\nnamePrefix: SECRET\n")
    root = tmp_path / "root"
    (root / "chart").mkdir(parents=True)
    (root / "gracelint.toml").write_text("")
    about = "apiVersion: v2\nname: x\nversion: 1.0.0\n"
    dependency = "dependencies: [{name: SECRET, version: 1.0.0, repository: file://../../outside}]\n"
    (root / "chart" / "Chart.yaml").write_text(about + dependency.replace("SECRET", "y"))
    (root / "chart" / "values.yaml").symlink_to(outside / "values.yaml")
    (root / "chart" / "templates").symlink_to(outside / "templates")
    (root / "chart" / "charts").symlink_to(outside)
    (root / "linked").symlink_to(outside)
    (root / "whole").mkdir()
    (root / "whole" / "Chart.yaml").symlink_to(outside / "Chart.yaml")
    (root / "files" / "templates").mkdir(parents=True)
    (root / "files" / "Chart.yaml").write_text(about)
    (root / "files" / "secret").symlink_to(outside / "values.yaml")
    (root / "files" / "templates" / "a.yaml").write_text(
        "kind: Pod\napiVersion: v1\n"
        'metadata: {name: "{{ .Files.Get "secret" }}{{ .Files.Get "../../outside/values.yaml" }}"}\n'
        'spec: {containers: [{name: x, image: x, command: [sh, -c, "{{ .Files.Glob "**" }}"]}]}\n'
    )
    (root / "overlay").mkdir()
    (root / "overlay" / "kustomization.yaml").write_text("resources: [../../outside, ../linked, pod.yaml]\n")
    (root / "overlay" / "pod.yaml").symlink_to(outside / "templates" / "pod.yaml")
    (root / "overlay2").mkdir()
    (root / "overlay2" / "kustomization.yaml").symlink_to(outside / "kustomization.yaml")
    command = [sys.executable, "-m", "gracelint", "check", "--format", "json", "--fail-on", "never", "-v"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "internal error" in done.stderr) == (0, False)
    assert "SECRET" not in done.stdout + done.stderr
    traced = subprocess.run([*command[:3], "trace", "."], cwd=root, capture_output=True, text=True, timeout=60)
    assert "SECRET" not in traced.stdout + traced.stderr


SETTINGS = {
    "a link to settings elsewhere": "gracelint.toml: leads out of",
    "a link to shared settings elsewhere": "pyproject.toml: leads out of",
    "a baseline elsewhere": "baseline: ../outside/baseline.json leads out of",
    "a baseline that is a device": "baseline: /dev/zero leads out of",
    "a baseline that is a pipe": "baseline: pipe is no ordinary file",
    "a baseline nested without end": "nested.json: not a baseline that gracelint wrote",
    "settings that never end": "gracelint.toml: too large to be read",
    "settings nested without end": "gracelint.toml: too deeply nested to be read",
    "a key without end": "gracelint.toml: too large to be read",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_be_trusted_are_not_read(tmp_path: Path, name: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / ".git").mkdir()
    (root / "Dockerfile").write_text("FROM x\nCMD a\n")
    (root / "nested.json").write_text("[" * 50_000)
    (outside / "settings.toml").write_text("[tool.gracelint]\nSECRET = 1\n")
    (outside / "baseline.json").write_text('{"version": "SECRET"}')
    os.mkfifo(root / "pipe")
    own = root / "gracelint.toml"
    if name.startswith("a link"):
        (root / SETTINGS[name].partition(":")[0]).symlink_to(outside / "settings.toml")
    elif name.startswith("a baseline nested"):
        own.write_text("baseline = 'nested.json'\n")
    elif name.startswith("a baseline"):
        own.write_text(f"baseline = '{SETTINGS[name].split()[1]}'\n")
    else:
        texts = {"never": "#" * 2_000_000, "nested": "a = " + "[" * 50_000, "key": f"a{'.a' * 50_000} = 1"}
        own.write_text(next(text for word, text in texts.items() if word in name))
    command = [sys.executable, "-m", "gracelint", "check"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, SETTINGS[name] in done.stderr) == (2, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert "SECRET" not in done.stdout + done.stderr


def test_settings_that_are_no_ordinary_file_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gracelint.toml")
    os.mkfifo(tmp_path / "pyproject.toml")
    (tmp_path / "Dockerfile").write_text("FROM x\nCMD a\n")
    command = [sys.executable, "-m", "gracelint", "check", "--fail-on", "never", "Dockerfile"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
