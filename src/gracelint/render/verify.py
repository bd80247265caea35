"""Compares what is rendered here with what an installed helm or kustomize makes of the same folder.

Only `gracelint render --verify` does this, because a person asks for it.
"""

from __future__ import annotations

import os
import subprocess

from gracelint.facts.yaml import Mapping
from gracelint.parse.errors import ParseError, TemplatedError
from gracelint.parse.yaml import read_documents
from gracelint.render.differences import unlike
from gracelint.source import Source, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gracelint.facts.yaml import Node

    Objects = dict[tuple[str, str], Node]

TIMEOUT = 120
"""Seconds that helm or kustomize may take."""


def compare(root: str, sources: Iterable[Source], kubernetes: tuple[int, int]) -> Iterator[str]:
    """A line for each chart with its own values, and each overlay: equal, or the first difference."""
    units: dict[Unit, list[Source]] = {}
    for source in sources:
        if source.unit is not None and not source.unit.values:
            units.setdefault(source.unit, []).append(source)
    for unit, parts in units.items():
        theirs = _theirs(root, unit, kubernetes)
        if isinstance(theirs, str):
            yield f"{unit.path or '.'}: {theirs}"
            continue
        ours = _objects(parts)
        difference = next(_differences(ours, theirs), None)
        yield f"{unit.path or '.'}: {len(ours)} objects, " + ("equal" if difference is None else difference)


def _theirs(root: str, unit: Unit, kubernetes: tuple[int, int]) -> Objects | str:
    folder = os.path.join(root, unit.path)
    version = ".".join(map(str, kubernetes)) + ".0"
    command = (
        ["helm", "template", unit.release or "release", folder, "--kube-version", version]
        if unit.kind == "chart"
        else ["kustomize", "build", folder]
    )
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except FileNotFoundError:
        return f"{command[0]} is not installed"
    except subprocess.TimeoutExpired:
        return f"{command[0]} takes more than {TIMEOUT} s"
    if done.returncode:
        return f"{command[0]} fails: {(done.stderr.strip().splitlines() or ['it does not say why'])[-1]}"
    return _objects([Source(command[0], done.stdout)])


def _objects(sources: Iterable[Source]) -> Objects:
    found: Objects = {}
    for source in sources:
        try:
            documents = read_documents(source)
        except (ParseError, TemplatedError):
            continue
        for document in documents:
            if isinstance(document.root, Mapping):
                kind, name = document.root.scalar("kind"), document.root.scalar("metadata", "name")
                found[kind.value if kind else "", name.value if name else ""] = document.root
    return found


def _differences(ours: Objects, theirs: Objects) -> Iterator[str]:
    for key in sorted({*ours, *theirs}):
        title = " ".join(key)
        if key not in ours or key not in theirs:
            yield f"{title} is only in {'ours' if key in ours else 'theirs'}"
        else:
            yield from (f"{title}{path}" for path in unlike(ours[key], theirs[key], ""))
