"""The kernel decides on fixes, too: a little project is stopped before its fix and after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from cases import Case, cases
from container import NotReadyError, missing
from repairs import REPAIRS, Repair

from gracelint.facts.verdict import Verdict
from gracelint.fixing.fixer import unified_diff
from gracelint.testing import fix, fixed_files, read_folder
from predict import launches, verdict

pytestmark = pytest.mark.kernel
AT_ONCE = 10
"""Containers that run at the same time: they mostly wait."""


WORST_FIRST = ("ignored", "cut", "handled")


class Outcome(NamedTuple):
    """What was seen before and after; what gracelint says of the project after."""

    before: str
    after: str
    predicted: str


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """What became of each selected repair. All are started at once, and run while the tests wait for the first."""
    reason = missing()
    if reason is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    callspecs = (getattr(item, "callspec", None) for item in request.session.items)
    selected = [spec.params["repair"] for spec in callspecs if spec and "repair" in spec.params]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {repr(one): pool.submit(_outcome, one, tmp_path_factory.mktemp("repair")) for one in selected}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("repair", REPAIRS, ids=str)
def test_a_fix_does_what_it_says(repair: Repair, outcomes: dict[str, Future[Outcome]]) -> None:
    before = repair.before.value if repair.before is not None else "not started"
    assert outcomes[repr(repair)].result() == Outcome(before, repair.after.value, repair.after.value)


def test_no_fix_of_any_case_does_harm(
    tmp_path_factory: pytest.TempPathFactory, outcomes: dict[str, Future[Outcome]]
) -> None:
    """Each project that the kernel has judged is fixed with every rule, and stopped again: none stops worse."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        judged = pool.map(lambda case: _surprise(case, tmp_path_factory.mktemp("case")), cases())
        surprises = [found for found in judged if found is not None]
    assert not surprises, "\n\n".join(surprises)


def _surprise(case: Case, folder: Path) -> str | None:
    """How a fixed case stops worse than it did and than gracelint says; None as well where there is nothing to fix."""
    (folder / "before").mkdir()
    case.write(folder / "before")
    files = read_folder(str(folder / "before"))
    result = fix(files)
    made = fixed_files(files, result)
    mended = case._replace(dockerfile=_commands(made.pop("Dockerfile")), programs=(), files=made)
    if not result.changes or "docker-entrypoint.sh" in mended.dockerfile:
        return None  # the entry script of the image is not laid out here
    (folder / "told").mkdir()
    mended.write(folder / "told")
    told = verdict(launches(folder / "told"))
    after = _seen(mended, told, folder / "after")
    if told.value in (after, "unknown"):
        return None
    before = _seen(case, told, folder / "first")
    is_worse = WORST_FIRST.index(after) < WORST_FIRST.index(before)
    return f"{case}: {before}, then {after}, said to be {told.value}\n{unified_diff(result)}" if is_worse else None


def _commands(dockerfile: str) -> str:
    """The lines that a case adds to the ones that all have."""
    lines = dockerfile.split("COPY . .\n", 1)[1].splitlines()
    return "\n".join(line for line in lines if not line.startswith("RUN npm install"))


def _outcome(repair: Repair, folder: Path) -> Outcome:
    defect = repair.case()
    before = _seen(defect, repair.before, folder / "before")
    files = read_folder(str(folder / "before"))
    result = fix(files, select=repair.rule.split())
    assert result.changes, f"nothing to fix: {[item.finding.message for item in result.before.findings]}"
    made = fixed_files(files, result)
    mended = defect._replace(dockerfile=_commands(made.pop("Dockerfile")), programs=(), files=made)
    after = _seen(mended, repair.after, folder / "after")
    return Outcome(before, after, verdict(launches(folder / "after")).value)


def _seen(case: Case, expected: Verdict | None, folder: Path) -> str:
    """A surprise is looked at again with more time: on a busy machine programs come up and end late."""
    folder.mkdir()
    case.write(folder)
    seen = "not started"
    for attempt in (folder.with_name(f"{folder.name}-1"), folder.with_name(f"{folder.name}-2")):
        attempt.mkdir()
        case.write(attempt)
        try:
            seen = case.run(attempt).verdict.value
        except NotReadyError as error:
            seen = str(error) if expected is not None else "not started"
        if expected is None or seen == expected.value:
            break
        case = case._replace(probe=case.probe._replace(grace=6, settle=0.5))
    return seen
