"""Loops that go round while a job is there: `while kill -0 $PID`, `while [ -d /proc/$PID ]`."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.facts.script import AndOr, Background, Pipeline, Simple
from gracelint.launch.durations import seconds
from gracelint.launch.shell.builtins import jobs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.script import Command, Loop
    from gracelint.launch.shell.paths import State


def polled(loop: Loop, state: State) -> tuple[tuple[Command, ...], Command, frozenset[int]] | None:
    """What else `while … && kill -0 $PID; do …; done` asks, where it asks for a job, and the jobs it waits for.

    `while [ -d /proc/$PID ]` asks the same.
    """
    test: tuple[Command, ...] = ()
    command = loop.condition[-1]
    if isinstance(command, AndOr) and command.operator == "&&":
        test, command = (command.left,), command.right
    turned = loop.kind == "until"
    if turned and isinstance(command, Pipeline) and len(command.commands) == 1:
        command, turned = command.commands[0], False  # until ! kill -0 $PID
    if not isinstance(command, Simple) or len(command.words) < 3 or loop.kind not in ("while", "until"):
        return None
    target = _process_asked_for(command, state, turned)
    jobs = jobs_of([target], state) if target is not None else None
    if not turned and _asks_for_any(command):
        jobs = frozenset(range(1, state.jobs + 1))
    return (test, command, jobs) if jobs is not None else None


def _process_asked_for(command: Simple, state: State, turned: bool) -> str | None:
    """The process that `kill -0 $PID`, or a test of what there is of it in `/proc`, asks for; `turned`: for its end."""
    first, *rest = (word.text for word in command.words)
    if first == "kill" and rest[0] == "-0":
        return None if turned else state.text(command.words[-1])
    words = [word for word in command.words[1:] if word.text not in ("]", "]]")]
    if turned != (words[0].text == "!"):
        return None
    words = words[1:] if turned else words
    if first not in ("[", "[[", "test") or len(words) != 2 or words[0].text not in ("-d", "-e", "-f", "-r"):
        return None
    path = state.text(words[1])
    return path.split("/")[2] if path is not None and path.startswith("/proc/") else None


def _asks_for_any(command: Simple) -> bool:
    """`[ -n "$(jobs -r)" ]`: whether any job is there."""
    first, *words = (word.text for word in command.words if word.text not in ("]", "]]"))
    words = words[1:] if words[:1] == ["-n"] else words
    return first in ("[", "[[", "test") and len(words) == 1 and _JOBS.fullmatch(words[0]) is not None


_JOBS = pattern(r'"?(?:\$\(|`)jobs(?: -[lpr]+)*(?:\)|`)"?')


def pause_of(loop: Loop, state: State) -> float | None:
    """Seconds that each round sleeps, where that is known; in the background, where a `wait` for it follows.

    A trap wakes that `wait`, but the next look mostly finds the job still there, and the next `sleep` begins.
    """
    inner = [command.command if isinstance(command, Background) else command for command in loop.body]
    sleeps = [command for command in inner if isinstance(command, Simple) and _is_sleep(command)]
    times = [state.text(command.words[1]) for command in sleeps]
    known = [time for text in times if text is not None and (time := seconds(text)) is not None]
    return sum(known) if known else None


def _is_sleep(command: Simple) -> bool:
    return len(command.words) == 2 and command.words[0].text == "sleep"
