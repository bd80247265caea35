"""YAML and JSON as trees of placed nodes."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gracelint.facts.yaml import Mapping, Scalar, Sequence, alike
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.scalars import passage_of, rewrite
from gracelint.parse.yaml import Stream, each_document, holds_objects, may_matter, read_documents, read_stream
from gracelint.source import Passage, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.yaml import Node


def root_of(text: str) -> Node:
    (document,) = read_documents(Source("file.yaml", text))
    return document.root


def plain(node: Node) -> Any:
    """A tree as ruamel's base loader gives it: every leaf is text."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.value: plain(value) for key, value in node.items}


def value_at(text: str, *path: str) -> Scalar:
    root = root_of(text)
    assert isinstance(root, Mapping)
    found = root.mapping(*path[:-1])
    value = found.get(path[-1]) if found else None
    assert isinstance(value, Scalar)
    return value


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    children = node.items if isinstance(node, Sequence) else [child for pair in node.items for child in pair]
    return [scalar for child in children for scalar in scalars(child)]


def broken(text: str) -> tuple[str, int, int]:
    """The message, line and column of what is wrong with a text."""
    with pytest.raises(ParseError) as caught:
        read_documents(Source("file.yaml", text))
    return caught.value.message, caught.value.span.line, caught.value.span.column


def templated(text: str) -> tuple[str, int]:
    with pytest.raises(TemplatedError) as caught:
        read_documents(Source("file.yaml", text))
    return caught.value.span.text, caught.value.span.line


# Places


def test_every_node_knows_its_place() -> None:
    text = "a: [1, 'b'] # c\nd:\n  - e: |\n      f\n\n  - g\nh:\n"
    root = root_of(text)
    assert isinstance(root, Mapping)
    assert {key.value: value.span.text for key, value in root.items} == {
        "a": "[1, 'b']",
        "d": "- e: |\n      f\n\n  - g",
        "h": "",
    }
    assert root.span.text == text.rstrip("\n")


def test_a_byte_order_mark_and_windows_newlines_move_nothing() -> None:
    assert value_at("\ufeffa: 1\r\nb: two\r\n", "b").span.text == "two"
    assert value_at("\ufeffa: 1\r\nb: two\r\n", "b").span.line == 2


def test_places_count_code_points() -> None:
    assert value_at("é: 🐘\nb: x\n", "b").span.column == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x one\n", "one"),
        ("a: !!str 30\n", "30"),
        ("a: &x !!str\n  # why\n  'one'\n", "'one'"),
        ("{a: &x one}", "one"),
        ("a: !custom\n", ""),
    ],
)
def test_an_anchor_or_tag_is_not_part_of_its_node(text: str, expected: str) -> None:
    assert value_at(text, "a").span.text == expected


def test_a_block_ends_where_its_last_node_stands() -> None:
    root = root_of("x: &x {k: 1}\na:\n  b: *x\n# c\nd: 1\n")
    assert isinstance(root, Mapping)
    below = root.mapping("a")
    assert below is not None
    assert below.span.text == "b: *x"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("30", "int"),
        ("0o17", "int"),
        ("1.5", "float"),
        (".inf", "float"),
        ("1e3", "float"),
        ("yes", "bool"),
        ("Off", "bool"),
        ("~", "null"),
        ("", "null"),
        ("'30'", "str"),
        ('"yes"', "str"),
        ("!!str 30", "str"),
        ("! 30", "str"),
        ("1.2.3", "str"),
        ("30s", "str"),
        ("-", "str"),
        ("!reset null", "!reset"),
    ],
)
def test_scalars_are_resolved_as_go_does(text: str, tag: str) -> None:
    if text == "-":
        text = "'-'"
    assert value_at(f"a: {text}\n", "a").tag == tag


# Characters of scalars

STYLES = {
    "plain": "a: npm start\n",
    "plain over lines": "a: npm\n   start\n\n   now\n",
    "single": "a: 'it''s\n  on'\n",
    "double": 'a: "tab\\t\\u00e9 \\x41 \\"q\\"\n  more \\\n  joined \\U0001F418"\n',
    "literal": "a: |\n  npm ci\n    --quiet\n\n  npm start\n",
    "literal, windows": "a: |\r\n  npm ci\r\n\r\n  npm start\r\n",
    "literal, stripped": "a: |-\n  npm start\n\n",
    "literal, kept": "a: |+\n  npm start\n\n\n",
    "literal, indented": "a: |2\n    npm ci\n  npm start\n",
    "literal, comment": "a: | # why\n  npm start\n",
    "folded": "a: >\n  npm\n  start\n\n  now\n    more\n  less\n",
    "folded, stripped": "a: >-\n  npm\n  start\n",
    "json": '{"a": "npm \\u0073tart \\/ \\\\"}',
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES.keys())
def test_each_character_of_a_scalar_is_found_again(text: str) -> None:
    scalar = value_at(text, "a")
    passage = passage_of(scalar)
    assert passage is not None
    assert passage.text == scalar.value
    for word in re.finditer(r"[a-z]{3,}", scalar.value):
        assert passage.span(*word.span()).text in (word[0], "\\u0073tart")


def test_a_line_and_its_newline_are_one_segment() -> None:
    passage = passage_of(value_at("a: |\n  npm ci\n  npm start\n", "a"))
    assert passage is not None
    assert len(passage.segments) == 2


def test_a_passage_is_rewritten_in_parts() -> None:
    passage = Passage.whole(Source("x", "run $X now"))
    parts = [(0, 4, None), (4, 6, "something long"), (6, 10, None)]
    made = rewrite(passage, parts)
    assert made.text == "run something long now"
    assert made.span(4, 18).text == "$X"
    assert made.span(19, 22).text == "now"


# Documents


def test_a_stream_is_read_document_by_document() -> None:
    documents = read_documents(Source("x.yaml", "---\na: 1\n--- # two\nb: |\n  ---\n---\nc: 3\n...\n"))
    assert [plain(document.root) for document in documents] == [{"a": "1"}, {"b": "---\n"}, {"c": "3"}]


def test_directives_belong_to_the_document_below_them() -> None:
    documents = read_documents(Source("x.yaml", "%YAML 1.1\n---\na: 1\n...\n%YAML 1.1\n---\nb: 2\n"))
    assert [plain(document.root) for document in documents] == [{"a": "1"}, {"b": "2"}]


def test_nothing_is_no_document() -> None:
    assert read_documents(Source("x.yaml", "")) == []
    assert read_documents(Source("x.yaml", "# a comment\n")) == []


def stream_of(text: str, path: str = "x.yaml") -> Stream:
    return read_stream(Source(path, text))


def test_a_broken_document_hides_no_other() -> None:
    stream = stream_of("kind: Pod\n---\nkind: Job\na: [}\n---\nkind: Deployment\n")
    assert [plain(document.root) for document in stream.documents] == [{"kind": "Pod"}, {"kind": "Deployment"}]
    assert [problem.span.line for problem in stream.problems] == [4]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ('// all extensions\n[{"model": {"kind": "Pod"}}]\n', 0),
        ('// a pod\n{"apiVersion": "v1",\n "kind": "Pod"}\n', 1),
        ('// a project\n{"services": {"web": {"kind": "Pod"}}}\n', 1),
    ],
)
def test_json_with_comments_is_a_broken_manifest_only_where_it_says_that_it_is_one(text: str, problems: int) -> None:
    stream = stream_of(text, "extensions.json")
    assert (len(stream.documents), len(stream.problems)) == (0, problems)


def test_json_writes_characters_beyond_the_basic_plane_as_two_escapes() -> None:
    stream = stream_of('{"apiVersion": "v1", "kind": "Pod", "note": "off \\uD83D\\uDE80 we go"}', "pod.json")
    assert stream.problems == ()
    assert [document.kind for document in stream.documents] == ["Pod"]


def test_what_cannot_matter_is_not_even_parsed() -> None:
    assert stream_of("kind: Secret\na: [}\n") == Stream(())


@pytest.mark.parametrize(
    "text",
    [
        "kind: Pod\n",
        "'kind' : Pod\n",
        '{"kind"\t: "Pod"}\n',
        '{"metadata": {}, "kind":"Pod"}\n',
        f'{{"kind"{" " * 50}: "Pod"}}\n',
        "a: {b: 1}\n---\nkind: Pod\n",
        "kinds: [kind]\nkind: Pod\n",
        "services: {}\n",
        '{"services" : {}}\n',
        "{x: 1,services: {}}\n",
    ],
)
def test_what_may_matter_is_parsed_however_it_is_written(text: str) -> None:
    assert read_stream(Source("a.yaml", text)).documents


def test_a_large_file_of_words_that_are_no_keys_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    for pattern in ("_TOP_KIND", "_ANY_KIND", "_SERVICES"):
        monkeypatch.setattr(f"gracelint.parse.yaml.{pattern}", None)
    text = "a: kind of\nkind-of: 6\nunkind: x\npackages/services: {}\nservices-x: [services]\n"
    assert read_stream(Source("lock.yaml", text)) == Stream((), (), ())


@pytest.mark.parametrize("text", ["kind: ConfigMap\na: [}\n", "kind: ConfigMap\n{{ if .x }}\na: [\n{{ end }}\n"])
def test_what_is_only_looked_up_may_be_broken(text: str) -> None:
    assert stream_of(text) == Stream(())
    assert stream_of("a: [}\n") == Stream(())
    assert stream_of('{"kind": "Secret", [}') == Stream(())


@pytest.mark.parametrize(
    "text",
    [
        "kind: Deployment\n",
        'kind: "Deployment" # x\n',
        "'kind': Deployment\n",
        '{"apiVersion": "v1",\n "kind": "Deployment"}',
        "{kind: Deployment}",
        "  kind: Deployment\n",
        "kind: List\nitems: []\n",
        "kind: DeploymentList\nitems: []\n",
        "services: {}\n",
        '{"services": {}}',
    ],
)
def test_what_can_matter_is_read(text: str) -> None:
    assert may_matter(text)
    assert len(stream_of(text).documents) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apiVersion: v1\nkind: Role\n", True),
        ("# a licence\n---\nkind: Role\napiVersion: v1\n---\n# nothing more\n", True),
        ("apiVersion: v1\nkind: Role\n---\nport: 8080\n", False),
        ("apiVersion: v2\nname: chart\n", False),
        ("kind: Role\n", False),
        ("settings:\n  apiVersion: v1\n  kind: Role\n", False),
        ('{"apiVersion": "v1", "kind": "Role"}\n', False),
        ("", False),
    ],
)
def test_a_file_holds_objects_where_each_document_is_one(text: str, expected: bool) -> None:
    assert holds_objects(text) is expected


def test_a_kustomization_needs_no_kind() -> None:
    assert len(stream_of("patches: []\n", "overlay/kustomization.yaml").documents) == 1


def test_kinds_of_the_user_matter() -> None:
    assert len(read_stream(Source("x.yaml", "kind: Farm\n"), {"Farm": {}}).documents) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{image: web:1}", {"image": "web:1"}),
        ("ports: [8080:80, '1:2', a: b]\n", {"ports": ["8080:80", "1:2", {"a": "b"}]}),
        ("{url: http://x:80/a?b=c:d, n: [a?]}", {"url": "http://x:80/a?b=c:d", "n": ["a?"]}),
        ('{"a":1, b: c:d}', {"a": "1", "b": "c:d"}),
        ("a: b:c\nd: {e: f:g}\n# h:i\nj: 'k:l'\n", {"a": "b:c", "d": {"e": "f:g"}, "j": "k:l"}),
    ],
)
def test_colons_and_question_marks_may_stand_inside_words_of_a_flow(text: str, value: object) -> None:
    assert plain(root_of(text)) == value
    for scalar in scalars(root_of(text)):
        assert scalar.span.text.strip("'\"") == scalar.value


# Anchors, aliases and merge keys


def test_an_alias_is_the_node_itself() -> None:
    (document,) = read_documents(Source("x.yaml", "a: &x {k: 1}\nb: *x\nc: {k: 1}\n"))
    root = document.root
    assert isinstance(root, Mapping)
    assert root.get("a") is root.get("b")
    assert id(root.get("a")) in document.shared
    assert id(root.get("c")) not in document.shared


def test_what_is_anchored_and_never_used_again_is_not_shared() -> None:
    (document,) = read_documents(Source("x.yaml", "a: &x {k: 1}\n"))
    assert document.shared == frozenset()


def test_merge_keys_are_followed_and_yield_to_the_mappings_own() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd:\n  <<: *a\n  y: 4\n"
    root = root_of(text)
    assert isinstance(root, Mapping)
    assert plain(root)["c"] == {"x": "3", "y": "1", "z": "2"}
    assert plain(root)["d"] == {"y": "4", "x": "1"}


def test_a_quoted_merge_key_is_a_key() -> None:
    assert plain(root_of("'<<': 1\n")) == {"<<": "1"}


def test_equal_nodes_are_alike_in_any_style() -> None:
    assert alike(root_of("a: [1, {b: 2, c: 3}]\n"), root_of("a:\n- '1'\n- c: 3\n  b: 2\n"))
    assert not alike(root_of("a: 1\n"), root_of("a: 2\n"))
    assert not alike(root_of("a: 1\n"), root_of("b: 1\n"))
    assert not alike(root_of("[1, 2]"), root_of("[1]"))
    assert not alike(root_of("a: {}\n"), root_of("a: []\n"))
    assert not alike(root_of("a: {}\n"), root_of("a: ''\n"))
    assert not alike(root_of("a: [1]\n"), root_of("a: {b: 1}\n"))
    assert not alike(root_of("a: 1\nb: 2\n"), root_of("a: 1\n"))
    assert not alike(root_of("{a: {b: 1}}"), root_of("{a: {b: 2}}"))


# What is wrong


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3\n", "`a` is set twice: first on line 1", 3, 1),
        ("a: *x\n", "`*x` stands for nothing: no `&x` comes before it", 1, 4),
        ("a: &x\n  b: *x\n", "`*x` stands inside `&x` itself", 2, 6),
        ("a:\n\tb: 1\n", "a tab cannot indent YAML: use spaces", 2, 1),
        ("a: \x00\n", "U+0000 is no character YAML allows", 1, 4),
        ("a: 1\nb: x\x07y\n", "U+0007 is no character YAML allows", 2, 5),
        ("a: 1\n? [b]\n: 2\n", "a key that is not a plain text", 2, 3),
        ("<<: 1\n", "a merge key (`<<`) takes a mapping or a list of mappings", 1, 5),
        ("\ufeffa: [1\n", "did not find expected ',' or ']', while parsing a flow sequence", 2, 1),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str, line: int, column: int) -> None:
    assert broken(text) == (message, line, column)


@pytest.mark.parametrize(
    ("text", "action", "line"),
    [
        ("kind: Pod\nreplicas: {{ .Values.n }}\n", "{{ .Values.n }}", 2),
        ("kind: Pod\n{{- if .Values.on }}\na: 1\n{{- end }}\n", "{{- if .Values.on }}", 2),
        ("a: {{ .x }}-{{ .y }}\n", "{{ .x }}", 1),
        ("# {{ comment }}\na:\n  {{- toYaml .x | nindent 2 }}\n", "{{- toYaml .x | nindent 2 }}", 3),
        ("{% if on %}\na: 1\n{% endif %}\n", "{% if on %}", 1),
        ("kind: Service\nspec:\n  clusterIP: {PREFIX}.16\n  type: ClusterIP\n", "{PREFIX}", 3),
    ],
)
def test_an_action_outside_a_scalar_makes_a_template(text: str, action: str, line: int) -> None:
    assert templated(text) == (action, line)


def test_a_template_is_not_read_in_part_and_told_once_at_its_first_action() -> None:
    stream = stream_of("{{- if .on }}\n---\nkind: Pod\n---\nkind: Job\nname: {{ .x }}\n{{- end }}\n---\na: {{ .y }}\n")
    assert stream.documents == ()
    assert [problem.span.text for problem in stream.problems] == ["{{- if .on }}"]


@pytest.mark.parametrize(
    "text",
    [
        "a: '{{ .x }}'\n",
        "a: x-{{ .x }}\n",
        "a: |\n  {{ .x }}\n  {{- end }}\n",
        "# {{ .x }}\na: 1\n",
        "a: \"{{ '}}' }}\"\n",
    ],
)
def test_an_action_inside_a_scalar_is_data(text: str) -> None:
    assert isinstance(root_of(text), Mapping)


# Hostile text

BOMB = "kind: Pod\na0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 50))


def test_a_thousand_million_laughs_are_refused_at_once() -> None:
    """So do Kubernetes and Compose: go-yaml tells that the document contains excessive aliasing."""
    before = time.process_time()
    assert broken(BOMB)[0] == "aliases stand for more than 400,000 nodes"
    assert time.process_time() - before < 1


def test_nodes_that_are_shared_are_compared_once() -> None:
    before = time.process_time()
    ladder = "a0: &a0 [1, 2]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 16))
    one, other = (read_documents(Source(path, ladder))[0].root for path in ("x.yaml", "y.yaml"))
    assert alike(one, other)
    assert time.process_time() - before < 1


def test_merge_keys_cannot_grow_with_the_square_of_the_text() -> None:
    chain = "a0: &a0 {k0: 1}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 5000))
    assert broken(chain)[0] == "merge keys expand to more than 100,000 entries"


@pytest.mark.parametrize(
    "text",
    ["[" * 10_000, "a: " + "{a: " * 10_000, "\n".join("  " * n + "a:" for n in range(1000)), "- " * 10_000 + "1\n"],
    ids=["[", "{", "nested blocks", "- - -"],
)
def test_deep_nesting_is_told_and_not_followed(text: str) -> None:
    assert broken(text)[0] == "nested deeper than 200 levels"


def test_a_lone_surrogate_is_told() -> None:
    assert broken("a: \ud800\n") == ("U+D800 is no character YAML allows", 1, 4)


@pytest.mark.parametrize(
    "text", ["{{" * 200_000, "a: {{ " * 100_000, "{% " * 200_000, "kind" * 300_000, "\n" * 1_000_000]
)
def test_long_lines_of_nothing_take_no_time(text: str) -> None:
    before = time.process_time()
    stream_of("kind: Pod\n" + text)
    assert time.process_time() - before < 2


# Anything at all

FRAGMENTS = st.sampled_from(
    [
        *"abc:-[]{},#'\"|>&*!%@`? \n\t",
        "\r\n",
        ": ",
        "- ",
        "  ",
        "---\n",
        "...\n",
        "{{",
        "}}",
        "<<: ",
        "&x ",
        "*x",
        "é🐘",
        "\u2028",
    ]
)


@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_any_text_is_read_or_told_to_be_wrong(text: str) -> None:
    try:
        documents = read_documents(Source("x.yaml", text))
    except (ParseError, TemplatedError) as error:
        assert 0 <= error.span.start <= error.span.end <= len(text)
        return
    for document in documents:
        for scalar in scalars(document.root):
            passage = passage_of(scalar)
            assert passage is None or passage.text == scalar.value
            assert 0 <= scalar.start <= scalar.end <= len(text)
    try:
        expected = list(YAML(typ="base").load_all(text.removeprefix("\ufeff")))
    except (YAMLError, TypeError, ValueError):
        return
    assert len(documents) == len(expected)


@given(st.text(max_size=60).filter(lambda text: text.isprintable()), st.sampled_from(["'", '"', "|", ">"]))
def test_any_value_is_mapped_back_to_its_source(value: str, style: str) -> None:
    if style in ("|", ">"):
        if not value.strip(" ") or value.startswith(" "):
            return
        text = f"a: {style}-\n  {value}\n"
    else:
        quoted = value.replace("'", "''") if style == "'" else value.replace("\\", "\\\\").replace('"', '\\"')
        text = f"a: {style}{quoted}{style}\n"
    scalar = value_at(text, "a")
    passage = passage_of(scalar)
    assert passage is not None
    for offset, char in enumerate(scalar.value):
        assert passage.span(offset, offset + 1).text in (char, f"\\{char}", f"{char}{char}")


def test_documents_are_read_one_by_one_where_somebody_wants_no_more_than_one_at_a_time() -> None:
    documents = each_document(Source("many.yaml", "kind: A\n---\nkind: [\n"))
    assert next(documents).kind == "A"
    with pytest.raises(ParseError):
        next(documents)
