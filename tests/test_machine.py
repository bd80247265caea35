"""The machine for programs that block: its words for libraries, and the order of what nodes are made of."""

from __future__ import annotations

from typing import Any

import pytest

from gracelint.behaviour.machine import library, nodes
from gracelint.behaviour.machine.nodes import Node
from gracelint.knowledge import table

LANGUAGES = ("go", "java", "php", "ruby")
KINDS = [
    kind for kind in vars(nodes).values() if isinstance(kind, type) and issubclass(kind, Node) and kind is not Node
]


def rows(language: str) -> list[tuple[str, dict[str, Any]]]:
    known = table(language)
    methods = [
        (f"{type_}.{name}", row)
        for type_, its in known.get("types", {}).items()
        for name, row in its.get("methods", {}).items()
    ]
    return [*known.get("functions", {}).items(), *known.get("required", {}).items(), *methods]


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_say_what_libraries_do_in_words_that_are_known(language: str) -> None:
    said = {row["does"] for _, row in rows(language)}
    assert said <= set(library.WORDS)


@pytest.mark.parametrize("language", ("php", "ruby"))
def test_rows_say_where_they_were_read(language: str) -> None:
    assert [path for path, row in rows(language) if not row.get("source")] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_parts_of_a_node_are_given_in_the_order_of_the_alphabet(kind: type[Node]) -> None:
    assert list(kind.order) == sorted(kind.order)
    made = kind(None, *kind.order)
    assert [getattr(made, name) for name in kind.order] == list(kind.order)
