"""What a shell that stays in front of the program does with the stop signal: die, wait, or run its trap."""

from __future__ import annotations

from gracelint.facts.launch import Effect
from gracelint.launch.scripts import Event, Path, Walk, is_idle
from gracelint.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gracelint.launch.step import Context

_ENDS_BASH = frozenset(("SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM"))
"""Bash's terminating signals (sig.c): those on which it runs its EXIT trap and dies."""


class Reaction(Record):
    """`signal` is what the program gets in the end, where the shell forwards."""

    effect: Effect
    cause: str
    """child, pipe, loop, wait, single-wait, trap-exits, trap-waits-for-child, trap-forgets, kill-group, exit-trap, ignores
    or forwards."""
    signal: str = "SIGTERM"


def react(path: Path, index: int, walk: Walk, row: dict[str, Any], context: Context) -> Reaction:
    """What happens at the command the path is blocked in when the signal arrives."""
    event = path.events[index]
    signal = context.signal
    traps = event.traps or {}
    at_wait = event.kind in ("wait", "forever")
    if signal in context.ignores:
        return Reaction(Effect.SWALLOWS, "ignores", signal)
    action = traps.get(signal)
    if action is None:
        return _without_trap(path, index, walk, row, context)
    if context.group_signalled and not at_wait:
        return Reaction(Effect.FORWARDS, "forwards", signal)
    if not action:
        return Reaction(Effect.SWALLOWS, "ignores", signal)
    if not at_wait:
        return Reaction(Effect.SWALLOWS, "trap-waits-for-child", signal)
    job = _program(path, index)
    rest = list(path.events[index if event.polls else index + 1 :])
    for events, end_traps in _run(action, path, walk):
        reaction = _after([*events, *rest], len(events), job, path, walk, row, context, end_traps)
        break
    return reaction


def blocking(path: Path) -> int | None:
    """The index of the event in which the path spends its life; None where nothing in it lasts."""
    lasting = {event.job for event in path.events if event.kind == "start" and not event.one_shot}
    idle = None
    for index, event in enumerate(path.events):
        if event.kind == "exec":
            return index
        if event.kind == "wait" and (event.jobs is None or event.jobs & lasting):
            return index
        if event.kind == "forever":
            return _last_program(path, index) if idle is None else idle
        if event.kind == "run" and is_idle(event.words):
            return index
    return _last_program(path, None)


def _last_program(path: Path, otherwise: int | None) -> int | None:
    programs = [i for i, event in enumerate(path.events) if event.kind == "run" and not event.one_shot]
    return programs[-1] if programs else otherwise


def _program(path: Path, index: int) -> int | None:
    """The job that is the program: what is waited for, else the last that was started."""
    event = path.events[index]
    started = [item for item in path.events[:index] if item.kind == "start"]
    lasting = [item.job for item in started if not item.one_shot]
    waited = [job for job in lasting if event.jobs is not None and job in event.jobs]
    found = waited or lasting or [item.job for item in started]
    return found[-1] if found else None


def program_event(path: Path, index: int) -> Event:
    """The event that started the program: the one the path is blocked in, or the job it waits for."""
    event = path.events[index]
    if event.words and not is_idle(event.words):
        return event
    job = _program(path, index)
    return next((item for item in path.events if item.job == job and item.kind == "start" and item.words), event)


def _without_trap(path: Path, index: int, walk: Walk, row: dict[str, Any], context: Context) -> Reaction:
    event = path.events[index]
    signal = context.signal
    at_exit = (event.traps or {}).get("EXIT")
    if at_exit and row.get("exit_trap") and signal in _ENDS_BASH:
        for events, _ in _run(at_exit, path, walk):
            job = _program(path, index)
            if event.kind == "wait" and _forwards_and_waits(events, job):
                return Reaction(Effect.FORWARDS, "forwards", signal)
        return Reaction(Effect.CUTS, "exit-trap", signal)
    if event.kind == "wait" and row.get("wait_ends"):
        return Reaction(Effect.CUTS, "wait", signal)
    cause = {"wait": "wait", "forever": "wait"}.get(
        event.kind, "pipe" if event.pipe and event.kind == "run" else "child"
    )
    return Reaction(Effect.SWALLOWS if context.pid_1 else Effect.CUTS, cause, signal)


def _forwards_and_waits(events: Sequence[Event], job: int | None) -> bool:
    told = False
    for event in events:
        if event.kind == "kill" and event.jobs is not None and job in event.jobs:
            told = True
        if event.kind == "wait" and told and (event.jobs is None or job in event.jobs):
            return True
    return False


def _run(action: str, path: Path, walk: Walk) -> list[tuple[tuple[Event, ...], dict[str, str]]]:
    """The events of a trap's action, run where the path stands, and the traps in force after it."""
    from gracelint.parse.shell import read_script
    from gracelint.source import Passage, Source

    assert path.state is not None
    state = path.state.fork()
    state.events, state.ended = [], False
    script = read_script(Passage.whole(Source("", action)))
    paths = walk.paths(script.body, state, None)
    return [(end.events, end.traps) for end in paths] or [((), state.traps)]


def _after(
    events: list[Event],
    own: int,
    job: int | None,
    path: Path,
    walk: Walk,
    row: dict[str, Any],
    context: Context,
    end_traps: dict[str, str],
) -> Reaction:
    """What comes of the program: first the trap's `own` events, then what follows the interrupted `wait`."""
    told: str | None = context.signal if context.group_signalled else None
    sure = True
    slept = False
    left_at_exit = 0
    position = 0
    while position < len(events):
        event = events[position]
        position += 1
        if event.kind == "kill":
            jobs = event.jobs
            if jobs is not None and 0 in jobs:
                reaction = _kill_group(event, row, context)
                if reaction is not None:
                    return reaction
                told = event.signal
            elif jobs is None or job in jobs:
                if event.signal == "SIGKILL":
                    return Reaction(Effect.CUTS, "kills", event.signal)
                told, sure = event.signal, jobs is not None
        elif event.kind == "wait" and (event.jobs is None or job in event.jobs):
            if told is None:
                return Reaction(Effect.SWALLOWS, "trap-forgets", context.signal)
            return Reaction(Effect.FORWARDS if sure else Effect.UNKNOWN, "forwards", told)
        elif event.kind == "forever":
            return Reaction(Effect.SWALLOWS, "loop", context.signal)
        elif event.kind == "run" and is_idle(event.words):
            return Reaction(Effect.SWALLOWS, "child", context.signal)
        elif event.kind == "run" and event.words and event.words[0].value == "sleep":
            slept = True
        elif event.kind == "exit" and not left_at_exit:
            left_at_exit = position
            at_exit = (event.traps or {}).get("EXIT")
            events = events[:position]
            for more, _ in _run(at_exit, path, walk) if at_exit else ():
                events.extend(item for item in more if item.kind != "exit")
                break
            own = position if position <= own else own
        elif event.kind == "exec":
            break
    cause = "trap-exits" if left_at_exit and left_at_exit <= own else "single-wait" if told else "trap-exits"
    if slept and told:
        return Reaction(Effect.UNKNOWN, "sleeps", told)
    return Reaction(Effect.CUTS, cause, told or context.signal)


def _kill_group(event: Event, row: dict[str, Any], context: Context) -> Reaction | None:
    """`kill 0` from a trap; None where the program gets the signal and the shell lives on."""
    action = (event.traps or {}).get(event.signal)
    if action:
        crashes = row.get("kill_group", False)
        return Reaction(Effect.CUTS if crashes else Effect.SWALLOWS, "kill-group", event.signal)
    if action is None and not context.pid_1:
        return Reaction(Effect.CUTS, "kill-group", event.signal)
    return None
