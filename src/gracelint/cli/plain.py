"""`check` as editors, hooks and pipelines call it: argparse would take longer than the linting of a file."""

from __future__ import annotations

import os

from gracelint.report import FORMATS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

FAIL_ON = ("error", "warning", "info", "never")
COLORS = ("auto", "always", "never")


def plain(arguments: Sequence[str]) -> Namespace | None:
    """What argparse would make of paths and the most usual options; None where there is more to read."""
    if not arguments or arguments[0] != "check":
        return None
    if any(f"GRACELINT_{name.upper()}" in os.environ for name in _CHECK):
        return None
    paths: list[str] = []
    formats: list[tuple[str, None]] = []
    given: dict[str, object] = {}
    words = iter(arguments[1:])
    before = ""
    for word in words:
        if not word.startswith("-"):
            if paths and before.startswith("-"):  # argparse takes no path behind options that others stand before
                return None
            paths.append(word)
        elif word in _FLAGS:
            given[_FLAGS[word]] = True
        elif word in _CHOICES:
            name, choices = _CHOICES[word]
            choice = next(words, "")
            if choice not in choices:
                return None
            given[name] = choice
            formats += [(choice, None)] if name == "format" else []
        else:
            return None
        before = word
    return _Plain({**_CHECK, **given, "format": formats or None, "paths": paths or ["."]})  # type: ignore[return-value]


_FLAGS = {"--quiet": "quiet", "-q": "quiet", "--strict": "strict", "--no-cache": "no_cache"}
_CHOICES = {"--format": ("format", FORMATS), "--fail-on": ("fail_on", FAIL_ON), "--color": ("color", COLORS)}


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
