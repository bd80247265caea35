"""Edits of YAML: what is put in lands in the right place and style, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gracelint.edits import yaml as edits
from gracelint.facts.yaml import Document, Mapping
from gracelint.finding import Edit
from gracelint.parse.compose import read_compose
from gracelint.parse.kubernetes import read_manifests
from gracelint.parse.yaml import read_documents
from gracelint.source import Source


def document_of(text: str) -> Document:
    return read_documents(Source("file.yaml", text))[0]


def root_of(document: Document) -> Mapping:
    assert isinstance(document.root, Mapping)
    return document.root


def applied(text: str, changes: tuple[Edit, ...] | None) -> str:
    assert changes is not None
    for change in sorted(changes, key=lambda change: change.span.start, reverse=True):
        text = text[: change.span.start] + change.text + text[change.span.end :]
    return text


def set_in(text: str, *path: str, key: str, value: edits.Tree, after: tuple[str, ...] | None = ()) -> str | None:
    document = document_of(text)
    mapping = root_of(document).mapping(*path)
    assert mapping is not None
    changes = edits.set_entry(document, mapping, key, value, after)
    return None if changes is None else applied(text, changes)


def pod(spec: str, kind: str = "Deployment") -> str:
    return f"kind: {kind}\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n{spec}"


def grace_set(text: str, seconds: float = 45) -> str | None:
    (workload,) = read_manifests([document_of(text)]).workloads
    changes = edits.set_grace(workload, seconds)
    return None if changes is None else applied(text, changes)


# A value in the place of another


def test_a_scalar_is_replaced_and_its_comment_stays() -> None:
    text = "a: 1\nb: 30  # seconds\nc: 3\n"
    assert set_in(text, key="b", value=45) == "a: 1\nb: 45  # seconds\nc: 3\n"


def test_a_quoted_scalar_is_replaced_with_its_quotes() -> None:
    assert set_in('{"a": "30"}', key="a", value="45s") == '{"a": "45s"}'
    assert set_in("a: '30s'\n", key="a", value="45s") == "a: '45s'\n"
    assert set_in('a: "1m30s"  # long\n', key="a", value="45s") == 'a: "45s"  # long\n'


def test_nothing_is_replaced_behind_its_colon() -> None:
    assert set_in("a:\nb: 1\n", key="a", value=45) == "a: 45\nb: 1\n"
    assert set_in("a: # unset\nb: 1\n", key="a", value=45) == "a: 45 # unset\nb: 1\n"


@pytest.mark.parametrize("text", ["a: |\n  30\n", "a: !!str 30\n", "a: [30]\n", "a: &x 30\nb: *x\n"])
def test_what_is_no_plain_scalar_is_not_replaced(text: str) -> None:
    assert set_in(text, key="a", value=45) is None


# A new entry in a block


def test_a_new_entry_comes_behind_its_sibling_and_the_comments_below_it() -> None:
    text = "image: web # tag it\n  # the tag comes from CI\n# ports\nports: []\n"
    expected = "image: web # tag it\n  # the tag comes from CI\ninit: true\n# ports\nports: []\n"
    assert set_in(text, key="init", value=True, after=("image",)) == expected


def test_a_new_entry_comes_at_the_end_where_no_sibling_is_there() -> None:
    assert set_in("a: 1\nb:\n  - 2\n", key="c", value=3, after=("x",)) == "a: 1\nb:\n  - 2\nc: 3\n"


def test_a_file_without_a_last_newline_gets_none() -> None:
    assert set_in("a: 1", key="b", value=2) == "a: 1\nb: 2"


def test_a_nested_entry_takes_the_files_own_indentation() -> None:
    text = "a:\n    b: 1\nc: 2\n"
    assert set_in(text, key="d", value={"e": {"f": 3}}) == text + "d:\n    e:\n        f: 3\n"


def test_indentation_is_that_of_the_nearest_surroundings() -> None:
    text = "metadata:\n name: web\nspec:\n  a:\n    b: 1\n"
    assert set_in(text, "spec", "a", key="d", value={"e": 3}) == text + "    d:\n      e: 3\n"


def test_the_files_own_newlines_are_used() -> None:
    assert set_in("a: 1\r\nb: 2\r\n", key="c", value={"d": 3}, after=("a",)) == "a: 1\r\nc:\r\n  d: 3\r\nb: 2\r\n"


def test_a_byte_order_mark_moves_nothing() -> None:
    assert set_in("\ufeffa: 1\n", key="b", value=2) == "\ufeffa: 1\nb: 2\n"


def test_a_block_scalar_ends_with_its_last_line() -> None:
    text = "a: |\n  one\n\n  two\n\nb: 1\n"
    assert set_in(text, key="c", value=2, after=("a",)) == "a: |\n  one\n\n  two\nc: 2\n\nb: 1\n"


def test_a_block_scalar_that_keeps_its_empty_lines_is_left_alone() -> None:
    assert set_in("a: |+\n  one\n\nb: 1\n", key="c", value=2, after=("a",)) is None


def test_an_alias_is_no_sibling() -> None:
    text = "x: &x {k: 1}\na: 1\nb: *x\n"
    assert set_in(text, key="c", value=2, after=("b",)) == "x: &x {k: 1}\na: 1\nc: 2\nb: *x\n"


def test_a_mapping_that_ends_in_an_alias_ends_there() -> None:
    text = "x: &x 1\na:\n  b: *x\nc: 2\n"
    assert set_in(text, key="d", value=3, after=("a",)) == "x: &x 1\na:\n  b: *x\nd: 3\nc: 2\n"


def test_what_an_alias_repeats_is_not_edited() -> None:
    assert set_in("a: &a\n  k: 1\nb: *a\n", "a", key="j", value=2) is None


def test_what_a_merge_key_brings_is_overridden() -> None:
    text = "base: &base\n  init: false\nweb:\n  <<: *base\n  image: x\n"
    assert set_in(text, "web", key="init", value=True) == text + "  init: true\n"


def test_words_that_yaml_reads_as_something_else_are_quoted() -> None:
    assert set_in("a: 1\n", key="b", value={"port": "8080", "path": "/healthz", "on": "yes"}) == (
        'a: 1\nb:\n  port: "8080"\n  path: /healthz\n  on: "yes"\n'
    )


# A new entry in a flow


def test_a_flow_mapping_stays_on_its_line() -> None:
    assert set_in("a: {b: 1, c: 2}\n", "a", key="d", value=3, after=("b",)) == "a: {b: 1, d: 3, c: 2}\n"


def test_an_empty_flow_mapping_gets_its_first_entry() -> None:
    assert set_in("a: {}\n", "a", key="b", value=1) == "a: {b: 1}\n"
    assert set_in('{"a": {}}\n', "a", key="b", value=1) == '{"a": {"b": 1}}\n'


def test_json_stays_json() -> None:
    text = '{\n  "a": 1,\n  "b": 2\n}\n'
    assert set_in(text, key="c", value={"d": ["sleep", "15"]}, after=("a",)) == (
        '{\n  "a": 1,\n  "c": {"d": ["sleep", "15"]},\n  "b": 2\n}\n'
    )


# An entry taken out or replaced


def removed(text: str, key: str) -> str | None:
    document = document_of(text)
    changes = edits.remove_entry(document, root_of(document), key)
    return None if changes is None else applied(text, changes)


def test_an_entry_goes_with_its_line() -> None:
    assert removed("a: 1\nb: 2 # gone too\nc: 3\n", "b") == "a: 1\nc: 3\n"
    assert removed("a: 1\nb: 2", "b") == "a: 1\n"


def test_an_entry_of_a_flow_goes_with_its_comma() -> None:
    assert removed("{a: 1, b: 2}", "a") == "{b: 2}"
    assert removed("{a: 1, b: 2}", "b") == "{a: 1}"


def test_the_only_entry_stays() -> None:
    assert removed("a: 1\n", "a") is None


def test_an_entry_is_replaced_by_another_unless_a_comment_would_be_lost() -> None:
    def replaced(text: str) -> str | None:
        document = document_of(text)
        root = root_of(document)
        changes = edits.replace_entry(document, root, "sleep", "exec", {"command": ["sleep", "5"]})
        return None if changes is None else applied(text, changes)

    assert replaced("sleep:\n  seconds: 5\nx: 1\n") == 'exec:\n  command: ["sleep", "5"]\nx: 1\n'
    assert replaced("{sleep: {seconds: 5}}") == '{exec: {command: ["sleep", "5"]}}'
    assert replaced("sleep:\n  # why\n  seconds: 5\n") is None


# Intents


def test_a_grace_period_comes_first_in_the_pod_above_the_comments_of_what_follows() -> None:
    text = pod("      # the app\n      containers:\n      - image: x\n")
    assert grace_set(text) == pod(
        "      terminationGracePeriodSeconds: 45\n      # the app\n      containers:\n      - image: x\n"
    )


def test_a_grace_period_is_whole_seconds() -> None:
    text = pod("      containers:\n      - image: x\n      terminationGracePeriodSeconds: 30\n")
    assert grace_set(text, 46.5) == text.replace("30", "47")


def test_a_grace_period_in_json() -> None:
    text = '{"kind": "Pod", "spec": {"containers": [{"image": "x"}]}}'
    assert grace_set(text) == (
        '{"kind": "Pod", "spec": {"containers": [{"image": "x"}], "terminationGracePeriodSeconds": 45}}'
    )


def test_a_pre_stop_hook_comes_behind_probes_and_ports() -> None:
    text = pod("      containers:\n        - name: web\n          image: x\n          ports: []\n          env: []\n")
    (workload,) = read_manifests([document_of(text)]).workloads
    changes = edits.set_pre_stop(workload, workload.containers[0], {"sleep": {"seconds": 15}})
    lifecycle = "          lifecycle:\n            preStop:\n              sleep:\n                seconds: 15\n"
    assert applied(text, changes) == text.replace("          env: []\n", lifecycle + "          env: []\n")


def test_a_pre_stop_hook_joins_the_lifecycle_that_is_there() -> None:
    text = pod("      containers:\n      - image: x\n        lifecycle: {postStart: {sleep: {seconds: 1}}}\n")
    (workload,) = read_manifests([document_of(text)]).workloads
    changes = edits.set_pre_stop(workload, workload.containers[0], {"sleep": {"seconds": 15}})
    assert applied(text, changes) == text.replace("1}}}", "1}}, preStop: {sleep: {seconds: 15}}}")


def test_a_compose_service_gets_an_init_and_a_grace_period() -> None:
    text = "services:\n  web:\n    build: .\n    ports: []\n"
    (service,) = read_compose(document_of(text))
    assert applied(text, edits.set_init(service)) == text.replace("build: .\n", "build: .\n    init: true\n")
    assert applied(text, edits.set_stop_grace(service, 31)) == text.replace(
        "build: .\n", "build: .\n    stop_grace_period: 31s\n"
    )


# Anything at all


@st.composite
def blocks(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A block mapping below a key, in one of the ways people write them."""
    indent = " " * draw(st.sampled_from([1, 2, 4]))
    deeper = indent + " " * draw(st.sampled_from([1, 2, 4]))
    values = {
        "scalar": " 1",
        "empty": "",
        "quoted": " 'it''s: #1'",
        "escaped": ' "é\\t\\u00e9 # \\"x\\""',
        "folded plain": f" one\n{deeper}two",
        "literal": f" |\n{deeper}one\n\n{deeper}# two",
        "folded": f" >-\n{deeper}one\n{deeper}two",
        "flow": " {a: [1, 2], b: {c: d}}",
        "flow lines": f" [1,\n{deeper}2]",
        "list": f"\n{indent}- 1\n{indent}- x: 2\n{indent}  y: 3",
        "indented list": f"\n{deeper}- 1\n{deeper}-\n{deeper}  - 2",
        "nested": f"\n{deeper}a: 1\n{deeper}b:\n{deeper} c: 2",
        "emoji": " 🐘",
    }
    comments = ["", "", " # a comment: with a colon", "  #", "   "]
    between = ["", "", "\n", f"{indent}# about what follows\n", f"{deeper}# about what was\n", "# at the margin\n"]
    names = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=5, unique=True))
    text = "top:\n"
    for name in names:
        value = draw(st.sampled_from(sorted(values)))
        has_comment = value in ("scalar", "empty", "quoted", "escaped", "flow", "flow lines", "emoji")
        comment = draw(st.sampled_from(comments)) if has_comment else ""
        text += f"{draw(st.sampled_from(between))}{indent}{name}:{values[value]}{comment}\n"
    text += draw(st.sampled_from(["", "\n\n", "# end\n", "bottom: 1\n", "...\n"]))
    text = draw(st.sampled_from(["", "\ufeff", "# head\n", "---\n"])) + text
    if draw(st.booleans()):
        text = text.rstrip("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text, names


def loaded(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text.removeprefix("\ufeff"))


@given(blocks(), st.data())
def test_an_insertion_adds_its_entry_and_changes_nothing_else(
    block: tuple[str, list[str]], data: st.DataObject
) -> None:
    text, names = block
    after = data.draw(st.sampled_from([None, (), *((name,) for name in names)]))
    document = document_of(text)
    mapping = root_of(document).mapping("top")
    assert mapping is not None
    changes = edits.set_entry(document, mapping, "added", {"x": [1, "two"]}, after)
    if changes is None:
        assert "|\n" in text.replace("\r", "")
        assert text.endswith("# two")
        return
    (change,) = changes
    assert change.span.start == change.span.end
    before = loaded(text)
    expected = {**before, "top": {**before["top"], "added": {"x": [1, "two"]}}}
    assert loaded(applied(text, changes)) == expected


@given(blocks(), st.data())
def test_a_removal_takes_its_entry_and_nothing_else(block: tuple[str, list[str]], data: st.DataObject) -> None:
    text, names = block
    name = data.draw(st.sampled_from(names))
    document = document_of(text)
    mapping = root_of(document).mapping("top")
    assert mapping is not None
    changes = edits.remove_entry(document, mapping, name)
    if changes is None:
        assert len(names) == 1 or text.endswith("# two")
        return
    before = loaded(text)
    rest = {key: value for key, value in before["top"].items() if key != name}
    assert loaded(applied(text, changes)) == {**before, "top": rest}
