"""What a shell that stays in front of the program does with the stop signal: ignore it, die of it, or run its trap."""

from __future__ import annotations

from gracelint.facts.launch import Effect
from gracelint.launch.paths import GROUP, Event, State, is_idle
from gracelint.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.launch.scripts import Walk
    from gracelint.launch.step import Context

_ENDS_BASH = frozenset(("SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM"))
"""Bash's terminating signals (sig.c): on those it runs its EXIT trap and dies."""


class Reaction(Record):
    """`signal` is what the program gets in the end, where it gets one."""

    effect: Effect
    cause: str
    """The key of the sentence that says why, in `launch.shell`."""
    signal: str


class Scene(Record):
    """A path that is blocked in one of its events when the signal arrives."""

    path: State
    index: int
    walk: Walk
    context: Context

    @property
    def event(self) -> Event:
        return self.path.events[self.index]

    @property
    def row(self) -> dict[str, Any]:
        return self.walk.row

    @property
    def programs(self) -> list[Event]:
        """The jobs that are there for the container's sake, those waited for last."""
        started = [item for item in self.path.events[: self.index] if item.kind == "start" and not item.prepares]
        programs = [item for item in started if item.words and not is_idle(item.words)] or started
        waited = self.event.jobs or ()
        return sorted(programs, key=lambda item: item.job in waited)


def blocking(path: State) -> int | None:
    """The index of the event in which the path spends its life; None where nothing in it lasts."""
    lasting = {item.job for item in path.events if item.kind == "start" and not item.prepares}
    last_program = None
    if path.events and path.events[-1].kind == "exec":
        return len(path.events) - 1
    for index, item in enumerate(path.events):
        if item.kind == "run" and is_idle(item.words):
            return index
        if item.kind == "wait" and (item.jobs is None or item.jobs & lasting):
            return index
        if item.kind == "forever":
            return index if last_program is None or lasting else last_program
        if item.kind == "run" and not item.prepares:
            last_program = index
    return last_program


def program_of(scene: Scene) -> Event:
    """The event that started the program: the one the path is blocked in, or the job it waits for."""
    if scene.event.words and not is_idle(scene.event.words):
        return scene.event
    return scene.programs[-1] if scene.programs else scene.event


def react(scene: Scene) -> Reaction:
    event, context = scene.event, scene.context
    signal = context.signal
    at_wait = event.kind in ("wait", "forever")
    if signal in context.ignores:
        return Reaction(Effect.SWALLOWS, "ignores", signal)
    action = event.traps.get(signal)
    if action is None:
        return _without_trap(scene, at_wait)
    if context.group_signalled and not (action and at_wait):
        loops = any(item.kind == "forever" for item in scene.path.events[scene.index :])
        return Reaction(Effect.SWALLOWS if loops else Effect.FORWARDS, "loop" if loops else "forwards", signal)
    if not action:
        return Reaction(Effect.SWALLOWS, "ignores", signal)
    if not at_wait:
        return Reaction(Effect.SWALLOWS, "trap-waits-for-child", signal)
    again = event.polls or event.kind == "forever"
    rest = scene.path.events[scene.index if again else scene.index + 1 :]
    interrupted = [event] if event.strict else []
    reactions = [_after(scene, [*events, *_ended_by(interrupted), *rest]) for events in _ways(scene, action)]
    first = reactions[0]
    if all(reaction == first for reaction in reactions):
        return first
    return Reaction(Effect.UNKNOWN, "branches", first.signal)


def _without_trap(scene: Scene, at_wait: bool) -> Reaction:
    event, row, signal = scene.event, scene.row, scene.context.signal
    pid_1 = scene.context.pid_1
    at_exit = event.traps.get("EXIT")
    if signal == "SIGINT" and not at_wait:
        # A shell that waits for a foreground child leaves SIGINT to that child (measured: bash, dash, busybox)
        return Reaction(Effect.SWALLOWS, "child", signal)
    if at_exit and row.get("exit_trap") and signal in _ENDS_BASH:
        if at_wait:
            reaction = _after(scene, [*_ways(scene, at_exit)[0]], dying=True)
            if reaction.effect is not Effect.CUTS:
                return reaction
        return Reaction(Effect.CUTS, "exit-trap", signal)
    ends_wait = row.get("wait_ends", False) or (signal == "SIGINT" and row.get("sigint_ends_wait", False))
    cause = "wait" if at_wait else "pipe" if event.piped else "child"
    if pid_1 and not (at_wait and ends_wait):
        return Reaction(Effect.SWALLOWS, cause, signal)
    if signal == "SIGQUIT" and not pid_1:
        return Reaction(Effect.UNKNOWN, "unmeasured", signal)
    return Reaction(Effect.CUTS, cause, signal)


def _ways(scene: Scene, action: str) -> list[list[Event]]:
    """The events of a trap's action on each way through it, run where the path stands."""
    from gracelint.parse.shell import read_script
    from gracelint.source import Passage, Source

    state = scene.path.fork()
    state.events, state.ended = [], False
    state.traps = dict(scene.event.traps)
    ends = scene.walk.commands(read_script(Passage.whole(Source("", action))).body, state)
    return [end.events for end in ends]


def _ended_by(strict: list[Event]) -> list[Event]:
    """Under `set -e`, a `wait` that a trap interrupts fails, and ends the script."""
    return [Event("exit", item.span, traps=item.traps, signal="errexit") for item in strict]


def _after(scene: Scene, events: list[Event], dying: bool = False) -> Reaction:
    """What comes of the program in the events after the signal: those of the trap, then what follows the `wait`."""
    context = scene.context
    jobs = {item.job for item in scene.programs}
    told: dict[int | None, str] = dict.fromkeys(jobs, context.signal) if context.group_signalled else {}
    sure, slept, exited = True, False, dying
    cause = "single-wait"
    queue = list(events)
    for item in queue:
        if item.kind == "kill":
            if item.jobs is not None and GROUP in item.jobs:
                reaction = _kill_group(scene, item)
                if reaction is not None:
                    return reaction
                told = dict.fromkeys(jobs, item.signal)
                continue
            for program in scene.programs:
                if item.jobs is not None and program.job not in item.jobs:
                    continue
                if program.reached is False and not item.by_name:
                    cause = "kills-subshell"
                    continue
                sure = sure and item.jobs is not None and (item.by_name or program.reached is True)
                told[program.job] = item.signal
        elif item.kind == "wait" and _lasts(scene, item, told):
            return _wait_again(scene, item, told, sure, cause)
        elif item.kind == "forever":
            return Reaction(Effect.SWALLOWS, "loop", context.signal)
        elif item.kind == "run" and is_idle(item.words):
            return Reaction(Effect.SWALLOWS, "child", context.signal)
        elif item.kind == "run" and item.words and item.words[0].value == "sleep":
            slept = True
        elif item.kind == "exec":
            break
        elif item.kind == "exit":
            if not told:
                cause = "trap-exits"
            elif item.signal == "errexit":
                cause = "errexit"
            at_exit = item.traps.get("EXIT")
            if exited or not at_exit:
                break
            exited = True
            queue[queue.index(item) + 1 :] = _ways(scene, at_exit)[0]
    at_exit = scene.path.traps.get("EXIT")
    if at_exit and not exited:
        return _after(scene, [*events, *_ways(scene, at_exit)[0]], dying=True)
    signal = next(iter(told.values()), context.signal)
    if "SIGKILL" in told.values():
        return Reaction(Effect.CUTS, "kills", signal)
    if slept and told:
        return Reaction(Effect.UNKNOWN, "sleeps", signal)
    return Reaction(Effect.CUTS, cause if told or cause != "single-wait" else "trap-exits", signal)


def _lasts(scene: Scene, wait: Event, told: dict[int | None, str]) -> bool:
    """Whether a `wait` waits for something that is still there."""
    if wait.jobs is None:
        return True
    started = [item for item in scene.path.events if item.kind == "start" and not item.prepares]
    subshells = {item.job for item in started if item.reached is False and not item.piped and item.job not in told}
    return bool(wait.jobs & ({item.job for item in started} - subshells))


def _wait_again(scene: Scene, wait: Event, told: dict[int | None, str], sure: bool, cause: str) -> Reaction:
    signal = next(iter(told.values()), scene.context.signal)
    if not told:
        return Reaction(Effect.SWALLOWS, "trap-forgets", scene.context.signal)
    if "SIGKILL" in told.values():
        return Reaction(Effect.CUTS, "kills", "SIGKILL")
    started = [item for item in scene.path.events if item.kind == "start" and not item.prepares]
    left = [item for item in started if item.job not in told and (wait.jobs is None or item.job in wait.jobs)]
    if left and not wait.first:
        idle = all(is_idle(item.words) or not item.words for item in left)
        return Reaction(Effect.SWALLOWS if idle else Effect.UNKNOWN, "waits-for-others", signal)
    others = [item for item in scene.programs if item.job not in told]
    certain = sure and not others and not wait.looped and not (wait.first and len(scene.programs) > 1)
    return Reaction(Effect.FORWARDS if certain else Effect.UNKNOWN, "forwards" if certain else "some-jobs", signal)


def _kill_group(scene: Scene, kill: Event) -> Reaction | None:
    """`kill 0` from a trap; None where the program gets the signal and the shell lives on."""
    action = kill.traps.get(kill.signal)
    if action:
        effect = Effect.CUTS if scene.row.get("kill_group") else Effect.SWALLOWS
        return Reaction(effect, "kill-group", kill.signal)
    if action is None and not scene.context.pid_1:
        return Reaction(Effect.CUTS, "kill-group", kill.signal)
    return None
