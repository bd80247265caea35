"""The value types: what the rest of the project relies on."""

from __future__ import annotations

import pickle

import pytest

from gracelint.base.record import Record, field, replace


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


def test_missing_unknown_and_doubled_fields_are_type_errors() -> None:
    class Pair(Record):
        x: int
        y: int = 2

    for _ in range(2):  # the first wrong call has a function compiled
        with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'x'"):
            Pair()  # type: ignore[call-arg]
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'z'"):
            Pair(1, z=3)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match=r"multiple values for argument 'x'"):
            Pair(1, x=3)  # type: ignore[misc]
        with pytest.raises(TypeError, match=r"takes from 2 to 3 positional arguments but 4 were given"):
            Pair(1, 2, 3)  # type: ignore[call-arg]


def test_a_type_of_which_many_records_are_made_gets_a_function_of_its_own() -> None:
    class Often(Record):
        x: int
        tags: list[str] = field(default_factory=list)

    first = Often.__init__
    made = [Often(number) for number in range(100)]
    assert Often.__init__ is not first
    assert [one.x for one in made] == list(range(100))
    assert len({id(one.tags) for one in made}) == 100
