"""Loops that go round while a job is there: `while kill -0 $PID`, `while pgrep NAME`, `while [ -d /proc/$PID ]`."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.facts.script import AndOr, Background, Pipeline, Simple
from gracelint.launch.durations import seconds
from gracelint.launch.shell.builtins import jobs_of, named_jobs
from gracelint.launch.shell.loops import may_leave_after, simple_commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.facts.script import Command, Loop
    from gracelint.launch.shell.paths import State


def polled(loop: Loop, state: State) -> tuple[tuple[Command, ...], Command, frozenset[int]] | None:
    """What else `while … && kill -0 $PID; do …; done` asks, where it asks for a job, and the jobs it waits for.

    `while [ -d /proc/$PID ]` and `while pgrep NAME` ask the same.
    """
    if state.reached is None and any(may_leave_after(action, loop, state.functions) for action in state.traps.values()):
        return None
    test: tuple[Command, ...] = ()
    command = loop.condition[-1]
    if isinstance(command, AndOr) and command.operator == "&&":
        test, command = (command.left,), command.right
    turned = loop.kind == "until"
    if turned and isinstance(command, Pipeline) and len(command.commands) == 1:
        command, turned = command.commands[0], False  # until ! kill -0 $PID
    if not isinstance(command, Simple) or len(command.words) < 2 or loop.kind not in ("while", "until"):
        return None
    target = _process_asked_for(command, state, turned) if len(command.words) > 2 else None
    jobs = jobs_of([target], state) if target is not None else _jobs_found(command, state, turned)
    return (test, command, jobs) if jobs is not None else None


def _process_asked_for(command: Simple, state: State, turned: bool) -> str | None:
    """The process that `kill -0 $PID`, or a test of what there is of it in `/proc`, asks for; `turned`: for its end."""
    first, *rest = (word.text for word in command.words)
    if (first, rest[0]) in (("kill", "-0"), ("ps", "-p")):
        return None if turned else state.text(command.words[2 if first == "ps" else -1])
    words = [word for word in command.words[1:] if word.text not in ("]", "]]")]
    if turned != (words[0].text == "!"):
        return None
    words = words[1:] if turned else words
    if first not in ("[", "[[", "test") or len(words) != 2 or words[0].text not in ("-d", "-e", "-f", "-r"):
        return None
    path = state.text(words[1])
    return path.split("/")[2] if path is not None and path.startswith("/proc/") else None


def _jobs_found(command: Simple, state: State, turned: bool) -> frozenset[int] | None:
    """The jobs that `pgrep NAME` finds, or a test of what it or `jobs` prints; `turned`: that asks for their end."""
    first, *words = (word.text for word in command.words if word.text not in ("]", "]]"))
    if first in _FINDS:
        return None if turned else _named(first, words, state)
    if first not in ("[", "[[", "test") or not words or words[:-1] not in ((["-z"],) if turned else ([], ["-n"])):
        return None
    found = _PRINTED.fullmatch(words[-1])
    if found is None:
        return None
    return _named(found[1], found[2].split(), state) if found[1] else frozenset(range(1, state.jobs + 1))


def _named(name: str, words: Sequence[str], state: State) -> frozenset[int] | None:
    left, parents, options = list(words), [], ""
    names: list[str] = []
    while left:
        word = left.pop(0)
        if word == "-P" and left:
            parents.append(left.pop(0))
        elif word.startswith("-"):
            options += word[1:]
        else:
            names.append(word.strip("\"'"))
    if parents not in ([], ["$$"]) or not _PLAIN.issuperset(options):
        return None
    return named_jobs(names or parents, state, name == "pgrep" and "f" in options)


_PLAIN = frozenset("acflosqx")
"""Options of pgrep and pidof that neither take a value nor turn what is asked."""
_FINDS = ("pgrep", "pidof")
_PRINTED = pattern(r'"?(?:\$\(|`)(?:jobs(?: -[lpr]+)*|(pgrep|pidof) ([^()`|;&<>"]*)(?:>[^()`|;&<>"]*)?)[)`]"?')


def pause_of(loop: Loop, state: State) -> float | None:
    """Seconds that each round sleeps, where that is known; in the background, where a `wait` for it follows.

    A trap wakes that `wait`, but the next look mostly finds the job still there, and the next `sleep` begins.
    """
    inner = [command.command if isinstance(command, Background) else command for command in loop.body]
    sleeps = [command for command in inner if isinstance(command, Simple) and _is_sleep(command)]
    times = [state.text(command.words[1]) for command in sleeps]
    known = [time for text in times if text is not None and (time := seconds(text)) is not None]
    return sum(known) if known else None


def acts(body: Sequence[Command]) -> bool:
    """Whether a loop's body does more than wait, count and say so."""
    return any(_name(command) not in _WAITS for command in simple_commands(body) if command.words)


def sleeps(loop: Loop) -> bool:
    return any(_name(command) == "sleep" for command in simple_commands([*loop.condition, *loop.body]))


_WAITS = frozenset(("sleep", "wait", "echo", "printf", "date", ":", "true", "[", "[[", "test", "((", "let"))


def _name(command: Simple) -> str:
    return command.words[0].text if command.words else ""


def _is_sleep(command: Simple) -> bool:
    return len(command.words) == 2 and command.words[0].text == "sleep"
