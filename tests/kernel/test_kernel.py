"""The kernel decides: what gracelint says of a little project is what a real process does when it is stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from cases import Case, cases
from container import NotReadyError, Seen, missing

from gracelint.facts.verdict import Verdict
from predict import launches, verdict

pytestmark = pytest.mark.kernel
AT_ONCE = 10
"""Containers that run at the same time: they mostly wait."""


@pytest.fixture(scope="session")
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Future[Seen]]]:
    """What became of each selected case. All are started at once, and run while the tests wait for the first."""
    reason = missing()
    if reason is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    callspecs = (getattr(item, "callspec", None) for item in request.session.items)
    params = (spec.params.get("case") for spec in callspecs if spec)
    selected = [case for case in params if isinstance(case, Case)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {case.number: pool.submit(_run, case, tmp_path_factory.mktemp("container")) for case in selected}
        pool.shutdown(cancel_futures=True)


def _run(case: Case, folder: Path) -> Seen:
    case.write(folder)
    return case.run(folder)


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_prediction(
    case: Case, seen: dict[int, Future[Seen]], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    case.write(tmp_path)
    found = launches(tmp_path)
    predicted = verdict(found)
    real = _believed(seen[case.number], predicted, case, tmp_path_factory)

    if case.unknown and predicted is Verdict.UNKNOWN:
        return
    hops = [f"{hop.effect.value}: {hop.why}" for launch in found for hop in launch.hops]
    told = [f"PID 1 was {real.pid_1}, {real.seconds:.1f} s after the signal", real.output[-2000:]]
    assert predicted.value == real.verdict.value, "\n".join([*(launch.why for launch in found), *hops, *told])


def _believed(first: Future[Seen], predicted: Verdict, case: Case, folders: pytest.TempPathFactory) -> Seen:
    """What was seen. A surprise is looked at again with more time: on a busy machine programs come up and end late."""
    try:
        real = first.result()
    except NotReadyError:
        real = None
    if real is not None and real.verdict is predicted:
        return real
    patient = case.probe._replace(grace=2 * case.probe.grace, settle=case.probe.settle + 0.5)
    return _run(case._replace(probe=patient), folders.mktemp("again"))
