"""The tables: every row says where it was read, and the read form is never older than the text."""

from __future__ import annotations

import importlib.util
import marshal
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from gracelint import knowledge
from gracelint.rules import addresses
from gracelint.toml import loads

FOLDER = Path(knowledge.__file__).parent
TABLES = sorted(path.stem for path in FOLDER.glob("*.toml"))


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(knowledge, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "birds.toml").write_text('[wren]\nsource = "seen"\n')
    knowledge.table.cache_clear()
    yield tmp_path
    knowledge.table.cache_clear()


def kept(folder: Path) -> list[Path]:
    return list(folder.glob("__pycache__/birds.*.table"))


def test_a_table_is_kept_in_read_form(own_folder: Path) -> None:
    assert knowledge.table("birds") == {"wren": {"source": "seen"}}
    assert len(kept(own_folder)) == 1


def test_the_kept_form_is_used_while_the_text_is_the_same(own_folder: Path) -> None:
    knowledge.table("birds")
    (path,) = kept(own_folder)
    stamp, _ = marshal.loads(path.read_bytes())
    path.write_bytes(marshal.dumps((stamp, {"kept": {}})))
    knowledge.table.cache_clear()
    assert knowledge.table("birds") == {"kept": {}}


def test_a_changed_text_is_read_again(own_folder: Path) -> None:
    knowledge.table("birds")
    (own_folder / "birds.toml").write_text('[robin]\nsource = "seen"\n')
    os.utime(own_folder / "birds.toml", ns=(1, 1))
    knowledge.table.cache_clear()
    assert list(knowledge.table("birds")) == ["robin"]


@pytest.mark.parametrize("junk", [b"", b"junk", marshal.dumps(3)], ids=["empty", "junk", "not a pair"])
def test_a_damaged_kept_form_is_read_again(own_folder: Path, junk: bytes) -> None:
    knowledge.table("birds")
    (path,) = kept(own_folder)
    path.write_bytes(junk)
    knowledge.table.cache_clear()
    assert list(knowledge.table("birds")) == ["wren"]


def test_a_folder_that_cannot_be_written_is_no_harm(own_folder: Path) -> None:
    (own_folder / "__pycache__").write_text("a file in the way")
    assert list(knowledge.table("birds")) == ["wren"]


def test_nothing_is_kept_where_python_keeps_nothing(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert list(knowledge.table("birds")) == ["wren"]
    assert kept(own_folder) == []


def rows(name: str) -> list[tuple[str, dict[str, Any]]]:
    table = knowledge.table(name)
    if name == "images":
        return [*table["families"].items(), *((row["names"][0], row) for row in table["images"])]
    return list(table.items())


@pytest.mark.parametrize(
    "name", ["shells", "inits", "wrappers", "supervisors", "package_managers", "servers", "images"]
)
def test_every_row_says_where_it_was_read(name: str) -> None:
    found = rows(name)
    assert found
    for key, row in found:
        source = row.get("source", "")
        assert "measured" in source or "https://" in source, f"{name}.{key}: {source!r}"


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    """What the wheel holds instead of text."""
    spec = importlib.util.spec_from_file_location("build_tables", Path(ROOT) / "src" / "build_tables.py")
    assert spec is not None and spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    tables: dict[str, bytes] = hook.built(Path(ROOT))
    return tables


@pytest.mark.parametrize("name", TABLES)
def test_an_installed_table_says_what_its_text_says(name: str, built: dict[str, bytes], own_folder: Path) -> None:
    said = loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    (own_folder / f"{name}.table").write_bytes(built[f"gracelint/knowledge/{name}.table"])
    assert knowledge.table(name) == said
    assert not list(own_folder.glob("__pycache__/*"))


def test_an_installed_table_that_cannot_be_read_is_made_anew(own_folder: Path) -> None:
    (own_folder / "birds.table").write_bytes(b"junk")
    assert list(knowledge.table("birds")) == ["wren"]


def test_the_installed_list_of_rules_says_what_the_rules_say(built: dict[str, bytes]) -> None:
    listed = marshal.loads(built["gracelint_rules/rules.table"])
    known = [(one.name, one.group, one.about, one.known_strict) for one in addresses()]
    assert listed == known
    for address in addresses():
        rule = address.load()
        assert (rule.about, rule.strict) == (address.about, address.known_strict)


def test_the_list_of_rules_is_kept_until_one_of_them_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(Path(ROOT) / "rules" / "gracelint_rules", tmp_path / "gracelint_rules")
    rule = tmp_path / "gracelint_rules" / "launch" / "missing_init.py"
    code = "import sys; from gracelint.rules import addresses; addresses(); print('gracelint.listing' in sys.modules)"
    path = os.pathsep.join([str(tmp_path), os.path.join(ROOT, "src")])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def reads() -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment | {"PYTHONPATH": path}, capture_output=True, text=True).stdout

    assert reads() == "True\n"
    (rule.parent / "__pycache__").mkdir(exist_ok=True)
    (rule.parent / "__pycache__" / "other.pyc").touch()
    assert reads() == "False\n"
    rule.write_text(rule.read_text() + "\n")
    assert reads() == "True\n"


def test_names_of_images_are_open_at_one_end() -> None:
    """Only there are they looked for: `parse.purposes`."""
    for kind in ("operators", "stores", "watchers"):
        for name in knowledge.table("workloads")[kind]["images"]:
            inner = name.removeprefix("*") if name.startswith("*") else name.removesuffix("*")
            assert not set(inner) & set("*?["), name
