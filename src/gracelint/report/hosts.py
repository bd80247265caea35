"""Where the files of a run can be looked at: the service that runs a pipeline says it in variables."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESSES = (
    # https://docs.github.com/actions/reference/workflows-and-actions/variables
    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/blob/{GITHUB_SHA}/{path}#L{line}",
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    "{CI_PROJECT_URL}/-/blob/{CI_COMMIT_SHA}/{path}#L{line}",
)


def address(environment: Mapping[str, str], path: str, line: int) -> str | None:
    """A line's address at the host of the repository, for a path from its root; None elsewhere than in a pipeline."""
    from urllib.parse import quote

    said = {**environment, "path": quote(path, errors="surrogateescape"), "line": str(line)}
    for known in _ADDRESSES:
        try:
            found = known.format_map(said)
        except KeyError:
            continue
        if found.startswith("https://"):
            return found
    return None
