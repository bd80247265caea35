"""The tables: every row says where it was read, and the read form is never older than the text."""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from gracelint import knowledge

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


def test_an_installed_table_says_what_its_text_says(own_folder: Path) -> None:
    spec = importlib.util.spec_from_file_location("build_tables", Path(ROOT) / "src" / "build_tables.py")
    assert spec is not None and spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    for name, text in hook.built(own_folder).items():
        (own_folder / name).write_text(text)
    (own_folder / "birds.toml").unlink()
    assert knowledge.table("birds") == {"wren": {"source": "seen"}}
    assert hook.built(FOLDER).keys() == {f"{name}.json" for name in TABLES}
    assert not kept(own_folder)
