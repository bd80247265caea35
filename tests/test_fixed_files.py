"""What fixes make of files is read by parsers that are none of ours: BuildKit's, bash, dash, node, ruamel."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable

import pytest
from ruamel.yaml import YAML, YAMLError

from conftest import case_files, rule_cases
from gracelint.fixing.fixer import Change
from gracelint.testing import fix

CASES = sorted({folder for _, folder in rule_cases()})
INSTRUCTIONS = {
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
} | {"ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
COMMANDS = {"bash": ["bash", "-n"], "dash": ["dash", "-n"], "node": ["node", "--check"]}


def by_dockerfile(path: str, text: str) -> bool:
    """BuildKit's own parser."""
    dockerfile = pytest.importorskip("dockerfile", reason="BuildKit's parser is not installed")
    try:
        commands = dockerfile.parse_string(text.removeprefix("\ufeff"))
    except dockerfile.GoParseError:
        return False
    return {command.cmd.upper() for command in commands} <= INSTRUCTIONS


def by_yaml(path: str, text: str) -> bool:
    """As a round trip: what is loaded can be written, and is then read as the same."""
    yaml = YAML()
    try:
        documents = list(yaml.load_all(text.removeprefix("\ufeff")))
        written = io.StringIO()
        yaml.dump_all(documents, written)
        return list(YAML(typ="safe").load_all(written.getvalue())) == list(
            YAML(typ="safe").load_all(text.removeprefix("\ufeff"))
        )
    except YAMLError:
        return False


def by_json(path: str, text: str) -> bool:
    try:
        json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        return False
    return True


def by_python(path: str, text: str) -> bool:
    try:
        compile(text.removeprefix("\ufeff"), path, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def by_command(name: str, suffix: str = "") -> Callable[[str, str], bool]:
    def parses(path: str, text: str) -> bool:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        file = os.path.join(os.environ["PYTEST_FOLDER"], f"file{suffix}")
        with open(file, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        return subprocess.run([*COMMANDS[name], file], capture_output=True).returncode == 0

    return parses


def parser_of(path: str, text: str) -> Callable[[str, str], bool]:
    name = os.path.basename(path)
    ending = os.path.splitext(name)[1]
    if ending in (".mjs", ".cjs"):
        return by_command("node", ending)
    if ending == ".js":
        return by_command("node", ".mjs" if text.startswith("import ") or "\nimport " in text else ".cjs")
    by_ending = {".yaml": by_yaml, ".yml": by_yaml, ".json": by_json, ".py": by_python}
    if ending in by_ending:
        return by_ending[ending]
    if "ockerfile" in name or "ontainerfile" in name:
        return by_dockerfile
    if ending in (".ts", ".mts", ".cts", ".conf", ".ini", ".service", ".mk") or name == "Makefile":
        pytest.skip(f"no parser for {name} but ours")
    return by_command("bash" if "bash" in text.partition("\n")[0] else "dash")


@pytest.mark.parametrize("folder", CASES, ids=["/".join(folder.split(os.sep)[-2:]) for folder in CASES])
def test_a_fixed_file_is_read_by_others(
    folder: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_FOLDER", str(tmp_path_factory.mktemp("parsed")))
    for change in fix(case_files(folder)).changes:
        assert_still_parses(change)


def assert_still_parses(change: Change) -> None:
    parses = parser_of(change.path, change.before)
    if parses(change.path, change.before):
        assert parses(change.path, change.after), f"{change.path} no longer parses:\n{change.after}"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("Dockerfile", "FROM x\n", "FRUM x\n"),
        ("compose.yaml", "a: [1]\n", "a: [1\n"),
        ("package.json", "{}", "{,}"),
        ("main.py", "a = 1\n", "a = = 1\n"),
        ("main.js", "f();\n", "f(;\n"),
        ("run.sh", "#!/bin/sh\nexec x\n", "#!/bin/sh\nif\n"),
        ("entrypoint", "#!/bin/bash\nexec x\n", "#!/bin/bash\n((\n"),
    ],
)
def test_the_parsers_see_what_is_broken(
    path: str, before: str, after: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_FOLDER", str(tmp_path_factory.mktemp("parsed")))
    with pytest.raises(AssertionError, match="no longer parses"):
        assert_still_parses(Change(path, before, after))
