"""Documentation is tested: each rule's page has its sections, and its examples are true."""

from __future__ import annotations

import pytest

from gracelint.rules import Address, addresses
from gracelint.testing import Example, check_example, examples

ADDRESSES = addresses()


def every_example() -> list[tuple[str, Example]]:
    return [(address.name, example) for address in ADDRESSES for example in examples(address.load().doc)]


def names(found: list[tuple[str, Example]]) -> list[str]:
    counts: dict[str, int] = {}
    for name, _ in found:
        counts[name] = counts.get(name, 0) + 1
    seen: dict[str, int] = {}
    listed = []
    for name, _ in found:
        seen[name] = seen.get(name, 0) + 1
        listed.append(f"{name}-{seen[name]}" if counts[name] > 1 else name)
    return listed


EXAMPLES = every_example()


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=names(EXAMPLES))
def test_example(rule: str, example: Example) -> None:
    check_example(rule, example)


@pytest.mark.parametrize("address", ADDRESSES, ids=[address.name for address in ADDRESSES])
def test_page(address: Address) -> None:
    doc = address.load().doc
    first, second = doc.splitlines()[:2]
    assert first.endswith(".") and not second, "a page begins with one sentence and an empty line"
    headings = [line for line in doc.splitlines() if line.startswith("## ")]
    assert headings[:3] == ["## What it does", "## Why is this bad?", "## Example"]
    assert "## References" in headings
    assert any(example.bad for example in examples(doc)), "a page shows what it reports"
    assert any(example.good for example in examples(doc)), "a page shows what to write instead"
