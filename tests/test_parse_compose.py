"""Compose files as services."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracelint.facts.compose import ComposeService
from gracelint.parse.compose import is_compose, read_compose
from gracelint.parse.yaml import read_documents
from gracelint.source import Source, Word


def services(text: str, path: str = "compose.yaml", **environment: str) -> dict[str, ComposeService]:
    (document,) = read_documents(Source(path, text))
    return {service.name: service for service in read_compose(document, environment)}


def service(lines: str, **environment: str) -> ComposeService:
    """A service of the image `x`, from the lines below it."""
    indented = "".join(f"    {line}\n" for line in lines.strip("\n").split("\n"))
    return services(f"services:\n  web:\n    image: x\n{indented}", **environment)["web"]


def words(found: Sequence[Word] | None) -> list[str] | None:
    return None if found is None else [word.value for word in found]


def values(found: Mapping[str, Word | None] | None) -> dict[str, str | None]:
    return {key: word.value if word else None for key, word in (found or {}).items()}


# Which files


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("compose.yaml", "services: {a: {}}\n", True),
        ("docker-compose.yml", "services: {a: {}}\n", True),
        ("deploy/docker-compose.prod.yml", "services: {a: {}}\n", True),
        ("shop.compose.yml", "services: {a: {}}\n", True),
        ("stack.yml", "services: {a: {image: x}}\n", True),
        ("stack.yml", "services: {a: {build: .}}\n", True),
        ("stack.yml", "services: {a: {port: 1}}\n", False),
        ("stack.yml", "services: [a]\n", False),
        ("compose.yaml", "a: 1\n", False),
        ("compose.yaml", "- services\n", False),
        ("compose.yaml", "kind: Pod\nservices: {a: {image: x}}\n", False),
        ("composer.yaml", "services: {a: {}}\n", False),
    ],
)
def test_a_compose_file_is_known_by_its_name_or_its_services(path: str, text: str, expected: bool) -> None:
    (document,) = read_documents(Source(path, text))
    assert is_compose(path, document) == expected


def test_a_part_of_a_service_is_not_judged() -> None:
    assert services("services:\n  a: {environment: {X: 1}}\n  b: {image: x}\n  c:\n  d: [1]\n").keys() == {"b"}


# Commands


def test_a_list_is_taken_as_it_is() -> None:
    assert words(service("command: [sh, -c, 'a && b', 80]").command) == ["sh", "-c", "a && b", "80"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("npm start", ["npm", "start"]),
        ("sh -c 'npm start'", ["sh", "-c", "npm start"]),
        ('sh -c "echo \\"hi\\" a\\nb"', ["sh", "-c", 'echo "hi" a\nb']),
        ("a'b c'd", ["ab cd"]),
        ("a '' \"\"", ["a", "", ""]),
        (r"a\ b \\ \t", ["a b", "\\", "\t"]),
        (r"'a\b'", ["a\\b"]),
        ("npm start && echo done", ["npm", "start"]),
        ("npm start > log", ["npm", "start"]),
        ("npm start 2> log", ["npm", "start"]),
        ("npm start2> log", ["npm", "start2"]),
        ("npm start; x", ["npm", "start"]),
        ("sh -c 'a; b | c'", ["sh", "-c", "a; b | c"]),
        ("echo `date x` $(a b)", None),
    ],
)
def test_a_string_is_split_as_compose_does(line: str, expected: list[str] | None) -> None:
    quoted = line.replace("'", "''").replace("$", "$$")
    found = words(service(f"command: '{quoted}'").command)
    assert found == (expected if expected is not None else ["echo", "`date x`", "$(a b)"])


@pytest.mark.parametrize("line", ["echo 'a", 'echo "a', "echo a\\", "echo (a)", "echo a)", "echo `a", "echo $(a"])
def test_what_compose_refuses_to_split_stays_one_word(line: str) -> None:
    quoted = line.replace("'", "''").replace("$", "$$")
    assert words(service(f"command: '{quoted}'").command) == [line]


def test_null_is_the_images_own_command_and_empty_is_none() -> None:
    assert service("command:").command is None
    assert service("command: []").command == ()
    assert service("command: ''").command == ()
    assert service("entrypoint: ''").entrypoint == ()


def test_words_of_a_string_have_places() -> None:
    found = service('command: >-\n  sh -c "python\n  app.py"').command
    assert found is not None
    text = found[2]
    assert text.value == "python app.py"
    assert text.span is not None
    assert text.span.text == '"python\n      app.py"'
    assert text.passage is not None
    assert text.passage.span(7, 13).text == "app.py"


@given(st.lists(st.text(alphabet="ab$ '\"\\;|é\t", min_size=1, max_size=6), min_size=1, max_size=4))
def test_quoted_words_come_back(expected: list[str]) -> None:
    line = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in expected)
    source = "'" + line.replace("'", "''").replace("$", "$$").replace("\t", " ") + "'"
    assert words(service(f"command: {source}").command) == [word.replace("\t", " ") for word in expected]


# Variables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$$HOME", "$HOME"),
        ("$SET", "yes"),
        ("${SET}", "yes"),
        ("${SET:-no}", "yes"),
        ("${UNSET:-no}", "no"),
        ("${UNSET-no}", "no"),
        ("${EMPTY:-no}", "no"),
        ("${EMPTY-no}", ""),
        ("${SET:+with}", "with"),
        ("${UNSET:+with}", ""),
        ("${EMPTY+with}", "with"),
        ("${EMPTY:+with}", ""),
        ("${UNSET:-${SET}}", "yes"),
        ("${UNSET:-${OTHER:-deep}}", "deep"),
        ("${UNSET:-${OTHER}}", "${UNSET:-${OTHER}}"),
        ("${SET:?must be set}", "yes"),
        ("${UNSET:?must be set}", "${UNSET:?must be set}"),
        ("$UNSET", "$UNSET"),
        ("${UNSET}x", "${UNSET}x"),
        ("a${UNSET:-}b", "ab"),
        ("${broken", "${broken"),
        ("$ 5", "$ 5"),
        ("$$$SET", "$yes"),
        ("${SET}${SET:-x}}", "yesyes}"),
    ],
)
def test_variables(text: str, expected: str) -> None:
    found = service(f"command: ['{text}']", SET="yes", EMPTY="").command
    assert words(found) == [expected]


def test_the_characters_of_an_interpolated_word_are_found_again() -> None:
    found = service('command: ["sh", "-c", "run ${MODE:-production} $$PORT"]').command
    assert found is not None
    passage = found[2].passage
    assert passage is not None
    assert passage.text == "run production $PORT"
    assert passage.span(0, 3).text == "run"
    assert passage.span(4, 14).text == "${MODE:-production}"
    assert passage.span(16, 20).text == "PORT"


# Other settings


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30s", 30),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("500ms", 0.5),
        ("0", 0),
        ("0s", 0),
        ("1h0m5s", 3605),
        ("${GRACE:-20s}", 20),
        ("30", math.nan),
        ("soon", math.nan),
        ("${GRACE}", math.nan),
    ],
)
def test_the_grace_period(value: str, seconds: float) -> None:
    grace = service(f"stop_grace_period: {value}").grace
    assert grace.value == pytest.approx(seconds, nan_ok=True)
    assert grace.span is not None


def test_the_grace_period_of_a_service_without_one() -> None:
    grace = service("tty: true").grace
    assert (grace.value, grace.span) == (10, None)


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("yes", True), ('"true"', True), ("false", False)])
def test_init(value: str, expected: bool) -> None:
    init = service(f"init: {value}").init
    assert init is not None
    assert init.value is expected


def test_an_init_by_variable_is_unknown() -> None:
    assert service("init: ${INIT}").init is None


def test_a_build_in_one_word_and_in_many() -> None:
    found = services(
        "services:\n  a: {build: ./api}\n"
        "  b:\n    build: {context: ., dockerfile: api.Dockerfile, target: '${T:-prod}'}\n"
        "  c:\n    build:\n      args: [A=1, B]\n      dockerfile_inline: |\n        FROM x\n        CMD a $$B\n"
    )
    builds = {name: item.build for name, item in found.items()}
    assert all(builds.values())
    a, b, c = builds["a"], builds["b"], builds["c"]
    assert a is not None
    assert (a.context, a.dockerfile, a.target) == ("api", "Dockerfile", None)
    assert b is not None
    assert (b.context, b.dockerfile, b.target) == (".", "api.Dockerfile", "prod")
    assert c is not None
    assert (c.context, c.arguments) == (".", {"A": "1"})
    assert c.inline is not None
    assert c.inline.text == "FROM x\nCMD a $B\n"
    assert c.inline.span(7, 10).text == "CMD"


def test_environment_as_mapping_and_as_list() -> None:
    assert values(service("environment: {A: 1, B: '', C: }").environment) == {"A": "1", "B": "", "C": None}
    assert values(service("environment: [A=1, B=, C, 'D=x=y']").environment) == {
        "A": "1",
        "B": "",
        "C": None,
        "D": "x=y",
    }


def test_labels_of_ours_are_annotations() -> None:
    assert values(service("labels: [gracelint/drain-seconds=5, other=1]").annotations) == {
        "gracelint/drain-seconds": "5"
    }
    assert values(service("annotations: {gracelint/ignore: a}").annotations) == {"gracelint/ignore": "a"}


def test_bind_mounts() -> None:
    text = "volumes: [./src:/app:ro, data:/data, /abs:/abs, {type: bind, source: ../x, target: /x}, {type: volume}, 3]"
    assert service(text).mounts == (("src", "/app"), ("../x", "/x"))


@pytest.mark.parametrize(
    ("path", "name", "profiles", "expected"),
    [
        ("compose.yaml", "web", "[]", False),
        ("compose.dev.yaml", "web", "[]", True),
        ("compose.override.yml", "web", "[]", True),
        ("docker-compose-local.yml", "web", "[]", True),
        ("docker-compose.integration.yml", "web", "[]", True),
        ("githubactions-docker-compose.yml", "web", "[]", True),
        ("integration/compose.yaml", "web", "[]", False),
        ("compose.yaml", "integration", "[]", False),
        ("compose.yaml", "web-dev", "[]", True),
        ("compose.yaml", "mock-accounts", "[]", True),
        ("compose.yaml", "devices", "[]", False),
        ("compose.yaml", "web", "[debug]", True),
        ("compose.yaml", "web", "[prod]", False),
    ],
)
def test_what_is_named_for_development(path: str, name: str, profiles: str, expected: bool) -> None:
    text = f"services:\n  {name}: {{image: x, profiles: {profiles}}}\n"
    assert services(text, path)[name].development == expected


# Services made of others


def test_extends_merges_mappings_and_adds_lists() -> None:
    found = services(
        """
services:
  base:
    image: x
    init: true
    command: base
    environment: {A: 1, B: 1}
    volumes: [./a:/a]
    stop_grace_period: 20s
  web:
    extends: base
    command: web
    environment: {B: 2}
    volumes: [./b:/b]
  api:
    extends: {service: web}
    image: y
"""
    )
    web, api = found["web"], found["api"]
    assert words(web.command) == ["web"]
    assert values(web.environment) == {"A": "1", "B": "2"}
    assert web.mounts == (("a", "/a"), ("b", "/b"))
    assert (web.init is not None, web.grace.value) == (True, 20)
    assert api.image is not None
    assert (api.image.value, words(api.command), api.grace.value) == ("y", ["web"], 20)
    assert api.node.key("command") is None


@pytest.mark.parametrize(
    "extends", ["{file: base.yml, service: web}", "missing", "web", "[a]", "{service: [a]}"], ids=str
)
def test_a_service_whose_base_is_not_here_says_so(extends: str) -> None:
    assert services(f"services:\n  web: {{image: x, extends: {extends}}}\n")["web"].missing is not None


def test_services_that_extend_each_other_say_so() -> None:
    found = services("services:\n  a: {image: x, extends: b}\n  b: {image: x, extends: a}\n")
    assert {name: item.missing for name, item in found.items()} == {"a": "`b`", "b": "`b`"}


def test_services_that_share_most_of_their_nodes_merge_in_no_time() -> None:
    levels = [
        f"x-{x}{n}: &{x}{n} {{{', '.join(f'k{k}: *{x}{n - 1}' for k in range(2))}}}\n"
        for n in range(1, 14)
        for x in "ab"
    ]
    bombs = "x-a0: &a0 {k: 1}\nx-b0: &b0 {k: 2}\n" + "".join(levels)
    found = services(f"{bombs}services:\n  a: {{image: x, labels: *a13}}\n  b: {{extends: a, labels: *b13}}\n")
    assert found.keys() == {"a", "b"}


def test_merge_keys() -> None:
    base = "x-base: &base\n  init: true\n  command: base\n"
    text = f"{base}services:\n  web:\n    <<: *base\n    image: x\n    command: web\n"
    web = services(text)["web"]
    assert web.init is not None
    assert words(web.command) == ["web"]
