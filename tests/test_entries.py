"""Programs that no container is known to start: which of them count as entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracelint.config import Configuration
from gracelint.project import Request
from gracelint.reading import read_project
from gracelint.testing import Files, read

WORKER = "import time\n\nwhile True:\n    time.sleep(5)\n"
ENTRY = WORKER.replace("while", "if __name__ == '__main__':\n  while").replace("    time", "      time")
SERVER = "require('http').createServer((a, b) => b.end()).listen(80)\n"
PACKAGE = '{"main": "server.js", "scripts": {"start": "node server.js"}}'


def found(files: Files) -> list[tuple[str, bool, bool]]:
    project = read(files)
    assert project.errors == ()
    return [(program.source.path, program.entry, program.reached) for program in project.programs]


def test_a_python_file_that_says_so() -> None:
    assert found({"worker.py": ENTRY}) == [("worker.py", True, False)]
    assert found({"worker.py": WORKER}) == []


def test_what_package_json_starts() -> None:
    assert found({"package.json": PACKAGE, "server.js": SERVER}) == [("server.js", True, False)]


def found_below(folder: Path, *paths: str) -> list[str]:
    """The entry points in a folder of programs, when the paths are linted."""
    root = str(folder)
    request = Request(root, tuple(str(folder / path) for path in paths), Configuration(root))
    return [program.source.path for program in read_project(request).programs]


@pytest.mark.parametrize("path", ["tests/worker.py", "a/scripts/worker.py"])
def test_programs_of_a_developers_machine_are_none(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(ENTRY)
    assert found_below(tmp_path, ".") == []
    assert found_below(tmp_path, path) == []


def test_a_collection_of_scripts_is_no_service(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.py").write_text(ENTRY)
    assert found_below(tmp_path, ".") == []
    assert found_below(tmp_path, "7.py") == []


def test_a_script_of_node_is_one_where_a_package_above_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "server.js").write_text(SERVER)
    assert found_below(tmp_path, "src/server.js") == []
    (tmp_path / "package.json").write_text(PACKAGE.replace("server.js", "src/server.js"))
    assert found_below(tmp_path, "src/server.js") == ["src/server.js"]
    assert found_below(tmp_path, "src") == found_below(tmp_path, ".") == ["src/server.js"]


def test_one_that_ends_by_itself_is_none() -> None:
    assert found({"job.py": "def run(): print(1)\nif __name__ == '__main__':\n    run()\n"}) == []


def test_one_that_a_container_starts_is_named_once() -> None:
    files = {"worker.py": ENTRY, "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["python", "worker.py"]\n'}
    assert found(files) == [("worker.py", True, True)]


def test_one_that_is_no_python_is_left_to_python() -> None:
    assert found({"worker.py": "print 'x'; run()\nif __name__ == '__main__': pass\n"}) == []
