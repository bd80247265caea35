"""What a change has brought: the findings of the tree it started from are known."""

from __future__ import annotations

import os
from collections import Counter

from gracelint.baseline import known_in, without
from gracelint.config import ConfigError
from gracelint.engine import Report, lint
from gracelint.history import tree_before
from gracelint.project import Request, read_project
from gracelint.record import replace
from gracelint.selection import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.baseline import Known


def without_older(revision: str, request: Request) -> Callable[[Report], Report]:
    """Leaves out of reports what is found in the revision that the present tree branched off from `revision`.

    Raises ConfigError where git does not know it.
    """
    known = _known_before(revision, request)
    return lambda report: without(known.copy(), report)


def _known_before(revision: str, request: Request) -> Counter[Known]:
    with tree_before(request.root, revision) as folder:
        paths = [os.path.join(folder, os.path.relpath(path, request.root)) for path in request.paths]
        older = replace(
            request,
            root=folder,
            working_dir="",
            paths=tuple(path for path in paths if os.path.exists(path)),
            configuration=request.configuration.at(folder),
            overlay={},
            progress=None,
        )
        if not older.paths:
            return Counter()
        try:
            return known_in(lint(read_project(older), select(older.configuration)))
        except ConfigError as error:
            told = str(error).replace(f"{folder}/", "")
            raise ConfigError(f"--diff-base: the settings of {revision} are wrong: {told}") from error
