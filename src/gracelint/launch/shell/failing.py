"""Commands that fail: under `set -e` a script ends there, and so does a trap."""

from __future__ import annotations

import posixpath

from gracelint.base.posix import normal
from gracelint.launch.shell.paths import State, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.launch.shell.builtins import Call

_BY_THEMSELVES = ("wait", "kill")
"""Builtins that say by themselves what their failure does."""


def ways_behind(call: Call, ends: list[State]) -> list[State]:
    """The ways on from a command in such a place: it may have failed."""
    return [one for end in ends for one in (_ways(call, end) if not end.ended else [end])]


def _ways(call: Call, state: State) -> list[State]:
    if state.status is False and call.name not in _BY_THEMSELVES:
        return failed(call.command.span, state)
    if call.name == "rm" and not any(word.value.startswith("-") and "f" in word.value for word in call.operands):
        missing = [word.value for word in call.operands if not _is_there(word.value, call, state)]
        return [state, *failed(call.command.span, state.fork())] if missing else [state]
    return [state]


def _is_there(path: str, call: Call, state: State) -> bool:
    """Whether a script names a file in another place too, such as where it makes it or asks for it."""
    is_named = call.command.span.source.text.count(path) > 1
    return path.startswith("-") or is_named or normal(posixpath.join(state.working_dir, path)) in state.written
