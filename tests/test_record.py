"""The value types: what the rest of the project relies on."""

from __future__ import annotations

import pickle

import pytest

from gracelint.record import Record, field, replace


class Point(Record):
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)


class Thing(Record, identity=True):
    name: str


def test_fields_are_positional_named_and_have_defaults() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2, tags=[])"
    assert Point(1, y=3).y == 3


def test_a_factory_makes_a_new_value_each_time() -> None:
    assert Point(1).tags is not Point(1).tags


def test_records_are_frozen() -> None:
    with pytest.raises(AttributeError, match="Point is frozen: cannot set 'x'"):
        Point(1).x = 5  # type: ignore[misc]


def test_equal_by_value_unless_by_identity() -> None:
    assert Point(1) == Point(1) != Point(2)
    assert Thing("a") != Thing("a")
    assert len({Thing("a"), Thing("a")}) == 2


def test_replace_changes_some_fields() -> None:
    assert replace(Point(1), y=9) == Point(1, 9)


def test_records_survive_pickling() -> None:
    assert pickle.loads(pickle.dumps(Point(1, 4))) == Point(1, 4)


def test_missing_and_unknown_fields_are_type_errors() -> None:
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, z=3)  # type: ignore[call-arg]
