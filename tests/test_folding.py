"""What a run keeps of what it has read: facts, and texts in little room, from which everything else is found again."""

from __future__ import annotations

import gc
from array import array
from pathlib import Path

import pytest

from gracelint import reading
from gracelint.base import packing
from gracelint.config import Configuration
from gracelint.facts.yaml import Document, Mapping, Scalar
from gracelint.parse import folding
from gracelint.parse.folding import fold, mappings_of
from gracelint.parse.kubernetes import objects_of
from gracelint.parse.yaml import read_stream
from gracelint.project import EVERYWHERE, Request
from gracelint.source import Source, SourceMap
from gracelint.tree.discover import MANIFEST
from gracelint.tree.files import ProjectFiles

POD = """\
kind: Pod
metadata: {name: %s}
spec:
  volumes: [{name: scripts, emptyDir: {}}]
  containers:
    - name: web
      image: nginx
      lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
"""


def pods(*names: str) -> list[Document]:
    return [*read_stream(Source("pods.yaml", "---\n".join(POD % name for name in names))).documents]


def is_folded(mapping: Mapping) -> bool:
    return not isinstance(mapping.entries, tuple)


def scalars() -> int:
    gc.collect()
    return sum(isinstance(one, Scalar) for one in gc.get_objects())


def test_a_folded_tree_says_what_it_said() -> None:
    document, other = pods("one", "two")
    [workload] = objects_of(document).workloads
    before = {mapping.start: [key.value for key, _ in mapping.items] for mapping in mappings_of(objects_of(document))}
    fold(document, mappings_of(objects_of(document)))
    assert is_folded(workload.pod) and is_folded(workload.containers[0].node)
    assert [key.value for key, _ in workload.pod.items] == before[workload.pod.start] == ["volumes", "containers"]
    assert other.root.get("spec") is not None  # type: ignore[union-attr]


def test_what_is_held_is_the_same_node_wherever_it_is_reached_from() -> None:
    [document] = pods("one")
    [workload] = objects_of(document).workloads
    fold(document, mappings_of(objects_of(document)))
    assert workload.node is document.root
    assert workload.node.get("spec") is workload.pod
    assert workload.pod.sequence("containers")[0] is workload.containers[0].node


def test_only_the_documents_asked_for_last_are_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = pods("one", "two", "three")
    monkeypatch.setattr(folding, "ROOM", 2 * len(POD % "three") + 8)
    for document in documents:
        fold(document, ())
    roots = [document.root for document in documents if isinstance(document.root, Mapping)]
    assert all(map(is_folded, roots))
    assert [root.scalar("kind").value for root in roots] == ["Pod"] * 3  # type: ignore[union-attr]
    assert [is_folded(root) for root in roots] == [True, False, False]


def test_what_may_be_set_twice_in_rendered_text_is_read_again() -> None:
    places = SourceMap(array("I", [0]), array("I", [0, 0, 0, 0, 0]), (Source("t.yaml", ""),), (None,))
    [document] = read_stream(Source("t.yaml", "kind: Pod\nmetadata: {name: a, name: b}\n", map=places)).documents
    fold(document, ())
    assert isinstance(document.root, Mapping)
    name = document.root.scalar("metadata", "name")
    assert name is not None and name.value == "b"


def test_a_tree_with_aliases_is_not_folded() -> None:
    [document] = read_stream(Source("pod.yaml", "kind: Pod\nmetadata: &m {name: x}\nspec: *m\n")).documents
    fold(document, ())
    assert isinstance(document.root, Mapping) and not is_folded(document.root)


def test_no_tree_outlives_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the manifests leave no more nodes behind."""

    def left(count: int) -> int:
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            service = f"---\nkind: Service\nmetadata: {{name: s{number}}}\nspec: {{selector: {{app: x}}}}\n"
            (folder / f"{number}.yaml").write_text(POD % f"p{number}" + service)
        request = Request(str(folder), (str(folder),), Configuration(str(folder)), only_judged=True)
        before = scalars()
        project = reading.read_project(request)
        assert len(project.workloads) == count and not project.errors
        return scalars() - before

    monkeypatch.setattr(folding, "ROOM", 1)
    monkeypatch.setattr(reading, "LARGE", 0)
    assert left(200) - left(20) < 180


def test_the_trees_that_were_read_before_there_were_many_are_let_go_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        (tmp_path / f"{number}.yaml").write_text(POD % f"p{number}")
    monkeypatch.setattr(folding, "ROOM", 1)
    monkeypatch.setattr(reading, "LARGE", 2 * len(POD))
    request = Request(str(tmp_path), (str(tmp_path),), Configuration(str(tmp_path)))
    read = reading._read(request, EVERYWHERE, ProjectFiles(str(tmp_path)), [(f"{n}.yaml", MANIFEST) for n in range(4)])
    assert [is_folded(document.root) for document in read.documents] == [True] * 4  # type: ignore[arg-type]


def test_a_text_that_was_put_away_is_the_same_text() -> None:
    text = "\ufeffname: é\n\ud800" + "key: value\n" * 200
    source = Source("a.yaml", text)
    source.pack()
    assert type(source._text) is bytes and len(source._text) < len(text) / 4
    assert source.text == text and source.span(7, 8).text == "é" and source.position(9) == (2, 1)
    source.pack()
    assert source.text == text


def test_a_map_that_was_put_away_is_the_same_map() -> None:
    template = Source("t.yaml", "x" * 2_000)
    starts, pieces = array("I", range(500)), array("I", [n for at in range(500) for n in (0, at, at + 1, 1, 0)])
    places = SourceMap(starts, pieces, (template,), (None,))
    Source("r.yaml", "y" * 500, map=places).pack()
    assert type(places._starts) is bytes and type(places._pieces) is bytes
    assert (places.starts, places.pieces) == (starts, pieces)
    assert [places.origin(at).start for at in (0, 7, 499)] == [0, 7, 499]


def test_what_is_short_is_not_worth_packing() -> None:
    short = Source("a.yaml", "a" * packing.WORTH)
    short.pack()
    assert short._text == "a" * packing.WORTH


def test_the_text_of_a_program_is_put_away_once_it_was_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pod.yaml").write_text(POD % "p")
    (tmp_path / "Dockerfile").write_text('FROM python:3.13\nCOPY app.py .\nCMD ["python", "app.py"]\n')
    (tmp_path / "app.py").write_text("import time\n" + "time.sleep(1)\n" * packing.WORTH)
    monkeypatch.setattr(reading, "LARGE", 0)
    project = reading.read_project(Request(str(tmp_path), (str(tmp_path),), Configuration(str(tmp_path))))
    (program,) = (source for source in project.sources if source.path == "app.py")
    assert type(program._text) is bytes
