"""What a short run may load: start-up is what it costs. What is counted here is timed in `benchmarks/startup.py`."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from gracelint.rules import Address, addresses

PATTERNS = {"enum", "functools", "re"}
"""What comes with the first regular expression: as much as all of a bare Python."""
SERVER = {"asyncio", "gracelint.lsp", "lsprotocol", "pygls"}
SLOW = SERVER | {
    *("argparse", "dataclasses", "gettext", "importlib.metadata", "inspect", "json", "libcst", "locale", "logging"),
    *("pathlib", "rich", "ruamel", "shutil", "subprocess", "tempfile", "tomllib", "tree_sitter", "typing", "xml.sax"),
}
YAML = {"json", "ruamel", "typing"}
"""What the libraries that are needed import by themselves."""
NODE = {"json", "pathlib", "shutil", "tempfile", "tree_sitter", "typing"}
ARGUMENTS = {"argparse", "gettext", "locale"}
READING = {"gracelint.engine", "gracelint.knowledge", "gracelint.project", "gracelint.reading", "gracelint.rules"}
SERVICE = "FROM {image}\nWORKDIR /app\nCOPY . .\nCMD {command}\n"


class Run(NamedTuple):
    arguments: str
    files: dict[str, str]
    without: set[str]
    """Modules, or packages, that it may not load."""
    ours: int
    """How many modules of our own it may load."""
    patterns: int
    """How many regular expressions it may compile."""


RUNS = {
    "one Dockerfile": Run(
        "check Dockerfile",
        {"Dockerfile": SERVICE.format(image="python:3.12-slim", command='["gunicorn", "app:app"]')},
        SLOW | PATTERNS | {"collections", "gracelint.edits", "gracelint.parse.shell", "gracelint.suppress"},
        74,
        0,
    ),
    "one, as a hook asks for it": Run(
        "check --quiet --fail-on never --format json Dockerfile",
        {"Dockerfile": SERVICE.format(image="python:3.12-slim", command='["gunicorn", "app:app"]')},
        SLOW - {"json"} | ARGUMENTS,
        76,
        0,
    ),
    "one with a finding": Run(
        "check Dockerfile",
        {"Dockerfile": SERVICE.format(image="python:3.12-slim", command="gunicorn app:app")},
        SLOW | PATTERNS,
        103,
        0,
    ),
    "one that is quoted": Run(
        "check Dockerfile",
        {"Dockerfile": 'FROM alpine\nRUN echo \'a\' > /a\nCMD ["sleep", "1"]\n'},
        SLOW,
        81,
        1,
    ),
    "one manifest": Run(
        "check pod.yaml",
        {
            "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
            "spec: {containers: [{name: a, image: nginx, ports: [{containerPort: 80}]}]}\n"
        },
        SLOW - YAML,
        102,
        4,
    ),
    "one Compose file": Run(
        "check compose.yaml",
        {"compose.yaml": "services: {web: {image: nginx, command: sh -c nginx}}\n"},
        SLOW - YAML,
        105,
        8,
    ),
    "a Python service": Run(
        "check Dockerfile",
        {
            "Dockerfile": SERVICE.format(image="python:3.12-slim", command='["python", "app.py"]'),
            "app.py": "import time\nwhile True:\n    time.sleep(1)\n",
        },
        SLOW,
        147,
        0,
    ),
    "a Node service": Run(
        "check Dockerfile",
        {
            "Dockerfile": SERVICE.format(image="node:22", command='["node", "server.js"]'),
            "server.js": "require('http').createServer((q, r) => r.end()).listen(80)\n",
        },
        SLOW - NODE,
        133,
        0,
    ),
    "a Go service": Run(
        "check Dockerfile",
        {
            "Dockerfile": "FROM golang:1.23 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\n\n"
            'FROM scratch\nCOPY --from=build /app /app\nCMD ["/app"]\n',
            "go.mod": "module example.com/app\n\ngo 1.23\n",
            "main.go": 'package main\n\nimport "net/http"\n\nfunc main() {\n\thttp.ListenAndServe(":80", nil)\n}\n',
        },
        SLOW - NODE,
        126,
        2,
    ),
    "--help": Run("--help", {}, SLOW - ARGUMENTS | READING, 20, 0),
    "--version": Run("--version", {}, SLOW - ARGUMENTS | READING, 20, 0),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=list(RUNS))
def test_a_run_loads_what_it_needs(run: Run, tmp_path: Path) -> None:
    for name, text in run.files.items():
        (tmp_path / name).write_text(text)
    loaded, patterns = measured(run.arguments.split(), tmp_path)
    assert not loaded & run.without
    ours = sorted(name for name in loaded if name.split(".")[0] in ("gracelint", "gracelint_rules"))
    assert len(ours) <= run.ours, ours
    assert len(patterns) <= run.patterns, patterns
    assert "gracelint.cli.parser" in ours or "gracelint.engine" in ours


PROBE = """
import atexit, sys
bare, compiled = set(sys.modules), []
@atexit.register
def tell():
    print((sorted(set(sys.modules) - bare), compiled), file=sys.stderr)
from gracelint.base import patterns
found = patterns._Pattern.__getattr__
def find(pattern, name):
    compiled.append(pattern._text)
    return found(pattern, name)
patterns._Pattern.__getattr__ = find
from gracelint.cli import main
main(sys.argv[1:])
"""


def measured(arguments: list[str], folder: Path) -> tuple[set[str], list[str]]:
    """The modules that a run loads beyond those of a bare Python, and the patterns that it compiles."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROBE, *arguments]
    for _ in range(2):  # the first run makes the tables that the second one finds
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    loaded, compiled = ast.literal_eval(done.stderr.splitlines()[-1])
    return set(loaded), list(dict.fromkeys(compiled))


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.name)
def test_what_a_rule_is_about_are_attributes_of_its_subject(address: Address) -> None:
    subject = address.load().subject
    for path in address.about:
        assert path.partition(".")[0] in dir(subject)
    empty = type("Empty", (), {path.partition(".")[0]: None for path in address.about})()
    assert address.concerns(empty) is not bool(address.about)


def test_what_judges_pauses_compiles_nothing_as_it_is_loaded() -> None:
    lines = ["import re, tree_sitter", "import gracelint.source, gracelint.base.record", "re.compile = None"]
    done = [sys.executable, "-c", "\n".join([*lines, "import gracelint.behaviour.machine.midst"])]
    assert subprocess.run(done, check=False, capture_output=True).returncode == 0
