"""`check` with nothing but paths, as editors and hooks call it: argparse would take longer than the linting."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence


def plain(arguments: Sequence[str]) -> Namespace | None:
    """What argparse would make of paths alone; None where there is more to read."""
    if not arguments or arguments[0] != "check" or any(word.startswith("-") for word in arguments):
        return None
    if any(f"GRACELINT_{name.upper()}" in os.environ for name in _CHECK):
        return None
    return _Plain({**_CHECK, "paths": list(arguments[1:]) or ["."]})  # type: ignore[return-value]


class _Plain:
    """What argparse's own Namespace is, as far as it is asked."""

    def __init__(self, values: dict[str, object]) -> None:
        self.__dict__ = values


_CHECK = {
    "run": "check",
    "fix": False,
    "unsafe_fixes": False,
    "diff": False,
    "show_fixes": False,
    "select": None,
    "ignore": None,
    "strict": False,
    "require_reason": False,
    "format": None,
    "show_suppressed": False,
    "statistics": False,
    "fail_on": "warning",
    "baseline": None,
    "write_baseline": None,
    "diff_base": None,
    "isolated": False,
    "jobs": 1,
    "stdin_filename": None,
    "config": None,
    "color": "auto",
    "no_cache": False,
    "no_plugins": False,
    "quiet": False,
    "verbose": False,
}
"""What `check` does without options."""
