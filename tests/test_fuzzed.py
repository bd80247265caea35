"""The harnesses of `fuzz/`, for a moment and the same way each time; and what they found."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.readers import READERS, check, seeds

same = settings(
    deadline=None, derandomize=True, max_examples=15, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("reader", READERS)
@same
@given(data=st.data())
def test_damaged_fixtures(reader: str, data: st.DataObject) -> None:
    """A piece of one fixture stands in another one."""
    texts = list(islice(seeds(reader), 200)) or [""]
    base, other = data.draw(st.sampled_from(texts)), data.draw(st.sampled_from(texts))
    cuts = [data.draw(st.integers(0, len(text))) for text in (base, base, other, other)]
    start, end, first, last = min(cuts[:2]), max(cuts[:2]), min(cuts[2:]), max(cuts[2:])
    check(reader, base[:start] + other[first:last] + base[end:])


FOUND: list[tuple[str, str]] = []


@pytest.mark.parametrize(("reader", "text"), FOUND)
def test_what_fuzzing_found(reader: str, text: str) -> None:
    check(reader, text)


@pytest.mark.parametrize("reader", READERS)
def test_each_reader_has_seeds(reader: str) -> None:
    assert any(seeds(reader))
