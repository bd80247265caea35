"""What a shell that stays in front of the program does with the stop signal: ignore it, die of it, or run its trap."""

from __future__ import annotations

from gracelint.base.record import Record, replace
from gracelint.facts.launch import Effect
from gracelint.knowledge import table
from gracelint.launch.durations import seconds
from gracelint.launch.shell.loops import exits
from gracelint.launch.shell.paths import GROUP, Event, State
from gracelint.launch.shell.rounds import is_brief, lasts, waits_its_turn
from gracelint.launch.shell.services import is_no_known_stop, returns_when_stopped, signal_of, stopped, stops_no_job
from gracelint.launch.step import NO_ACTION
from gracelint.launch.words import base_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.launch.shell.scripts import Walk
    from gracelint.launch.step import Context

_ENDS_BASH = frozenset(("SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM"))
"""Bash's terminating signals (sig.c): on those it runs its EXIT trap and dies."""


class Reaction(Record):
    """`signal` is what the program gets in the end, where it gets one."""

    effect: Effect
    cause: str
    """The key of the sentence that says why, in `launch.shell`."""
    signal: str
    program: Event | None = None
    """What gives the program its signal, where that is not the program's own event."""
    takes: float = 0.0
    """Seconds that its trap sleeps."""
    at_once: bool = False
    """It does not wait for what is in the foreground."""


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
    def naps(self) -> float | None:
        """How long a trap has to wait for the `sleep` in the foreground of a loop."""
        if self.event.polls and not self.context.group_signalled:
            return self.event.pause
        if self.event.kind != "forever" or self.context.group_signalled:
            return None  # a group's signal ends the `sleep` too
        naps = [item for item in self.path.events[: self.index] if item.kind == "run" and item.looped]
        lengths = [seconds(item.words[1].value) for item in naps if len(item.words) == 2 and _naps(item)]
        return max((length for length in lengths if length is not None), default=None)

    @property
    def lasting(self) -> list[Event]:
        """The jobs that are still there."""
        return [item for item in self.path.events[: self.index] if item.kind == "start" and not item.prepares]

    @property
    def programs(self) -> list[Event]:
        """The jobs that are there for the container's sake, those waited for last."""
        started = self.lasting
        programs = [item for item in started if is_program(item)] or started
        waited = self.event.jobs or ()
        return sorted(programs, key=lambda item: item.job in waited)


def _sleeps(item: Event) -> bool:
    return base_name(item.words[0].value) == "sleep"


def blocking(path: State, context: Context) -> int | None:
    """The index of the event in which the path spends its life; None where nothing in it lasts."""
    lasting = {item.job for item in path.events if item.kind == "start" and not item.prepares}
    programs = {item.job for item in path.events if item.kind == "start" and is_program(item)}
    last_program = None
    if path.events and path.events[-1].kind == "exec":
        return len(path.events) - 1
    for index, item in enumerate(path.events):
        if item.kind == "run" and item.idle:
            return index
        if item.kind == "wait" and (item.jobs is None or item.jobs & (lasting if last_program is None else programs)):
            return last_program if _never_gets_past(path, last_program, context) else index
        if item.kind in ("forever", "read"):
            stays = last_program is not None and (not lasting or _never_gets_past(path, last_program, context))
            return last_program if stays else index
        if item.kind == "run" and not item.prepares and not is_brief(item, context):
            last_program = index
    return last_program


def _never_gets_past(path: State, index: int | None, context: Context) -> bool:
    """Whether a program in the foreground goes on until it is stopped: the script's `wait` behind it is not reached."""
    return index is not None and lasts(path.events[index], context) is True


def is_program(item: Event) -> bool:
    return bool(item.words) and not item.prepares and not item.idle


def program_of(scene: Scene) -> Event:
    """The event that started the program: the one the path is blocked in, or the job it waits for."""
    if scene.event.words and not scene.event.idle:
        return scene.event
    return scene.programs[-1] if scene.programs else scene.event


def react(scene: Scene) -> Reaction:
    event, context = scene.event, scene.context
    signal = context.signal
    # A `tail -f` in the foreground dies of its group's signal, and the shell goes on as behind a `wait`
    at_wait = event.kind in ("wait", "forever", "read") or (event.idle and context.group_signalled)
    if signal in context.ignores:
        return Reaction(Effect.SWALLOWS, "ignores", signal)
    action = event.traps.get(signal)
    if action is None:
        return _without_trap(scene, at_wait)
    if context.group_signalled and not (action and at_wait):
        return _by_group(scene, action)
    if not action:
        return Reaction(Effect.SWALLOWS, "ignores", signal)
    if not at_wait:
        if waits_its_turn(event, context) and lasts(event, context) is None:
            return Reaction(Effect.UNKNOWN, "may-end", signal)
        return Reaction(Effect.SWALLOWS, "trap-waits-for-child", signal)
    ways = list(_ways_on(scene, action))
    reactions = [stopped(scene, _after(scene, after), after) for after in ways]
    if reactions and all(reaction == reactions[0] for reaction in reactions):
        return reactions[0]
    return Reaction(Effect.UNKNOWN, "branches", signal)


def _ways_on(scene: Scene, action: str) -> Iterator[list[Event]]:
    """What happens on each way from the signal on: in the trap, and in the rest of the script behind it."""
    behind = scene.index + 1
    before = [item.identity for item in scene.path.events[:behind]]
    for end in scene.walk.interrupted(scene.event, action):
        if end.reached == scene.index and [item.identity for item in end.events[:behind]] == before:
            yield end.events[behind:]


def _by_group(scene: Scene, action: str) -> Reaction:
    """The program gets the signal itself, and the shell lives on and waits for it."""
    signal = scene.context.signal
    again = next((item for item in scene.path.events[scene.index :] if item.kind == "forever"), None)
    if again is not None:
        ways = [*_behind_round(scene, again, action)] if action else []
        if any(_stays(way) for way in ways) or not ways:
            return Reaction(Effect.SWALLOWS if not ways or all(map(_stays, ways)) else Effect.UNKNOWN, "loop", signal)
        return Reaction(Effect.FORWARDS, "forwards", signal)
    if scene.event.idle:
        return Reaction(Effect.SWALLOWS, "child", signal)
    if scene.event.beside:
        return Reaction(Effect.CUTS, "pipe-breaks", signal)
    if scene.event.looped:
        return Reaction(Effect.UNKNOWN, "again", signal)
    return Reaction(Effect.FORWARDS, "forwards", signal)


def _behind_round(scene: Scene, rounds: Event, action: str) -> Iterator[list[Event]]:
    """The ways on from the end of a round in which the program has ended, and the trap runs."""
    before = [item.identity for item in scene.path.events[: scene.index + 1]]
    for end in scene.walk.interrupted(rounds, action):
        if end.reached is not None and [item.identity for item in end.events[: scene.index + 1]] == before:
            yield end.events[end.reached + 1 :]


def _stays(way: list[Event]) -> bool:
    """Whether a way goes on to another round, or to another program."""
    return any(item.kind in ("forever", "read") or (item.kind == "run" and is_program(item)) for item in way)


def _without_trap(scene: Scene, at_wait: bool) -> Reaction:
    event, row, signal = scene.event, scene.row, scene.context.signal
    pid_1 = scene.context.pid_1
    at_exit = event.traps.get("EXIT")
    if signal == "SIGINT" and not at_wait:
        # A shell that waits for a foreground child leaves SIGINT to that child (measured: bash, dash, busybox)
        if scene.context.group_signalled:
            return Reaction(Effect.FORWARDS, "forwards", signal)
        return Reaction(Effect.SWALLOWS, "child", signal)
    if at_exit and row.get("exit_trap") and signal in _ENDS_BASH:
        if at_wait or event.idle:
            after = _ways(scene, at_exit)[0]
            reaction = stopped(scene, _after(scene, [*after], dying=True), after)
            if reaction.effect is not Effect.CUTS:
                return replace(reaction, at_once=True)
        return Reaction(Effect.CUTS, "exit-trap", signal)
    ends_wait = row.get("wait_ends", False) or (signal == "SIGINT" and row.get("sigint_ends_wait", False))
    cause = "wait" if at_wait else "pipe" if event.piped else "child"
    if signal in NO_ACTION or (pid_1 and not (at_wait and ends_wait)):
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
    state.variables = {**state.variables, **scene.event.variables}
    ends = scene.walk.commands(read_script(Passage.whole(Source("", action))).body, state)
    return [end.events for end in ends]


class _Fate(Record):
    """What has been done to the jobs since the signal."""

    told: dict[int | None, str]
    """Programs that have got a signal, and which."""
    dead: set[int | None]
    """Jobs whose shell has died in front of its program: a `wait` for them returns at once."""
    sure: bool = True
    perhaps: Event | None = None
    """What may have told them."""
    paused: bool = False
    """The script may have waited until they had ended."""
    awaited: frozenset[int | None] = frozenset()
    """Jobs that the script has waited for."""
    exits: bool = False
    """The trap, or what follows, leaves the script before its end."""
    over: Reaction | None = None
    """The program has ended, and this is what came of it, if the script ends too."""


def _after(scene: Scene, events: list[Event], dying: bool = False) -> Reaction:
    """What comes of the program in the events after the signal: those of the trap, then what follows the `wait`."""
    context = scene.context
    fate = _Fate({}, set())
    if context.group_signalled:
        fate = _signalled(scene, fate, context.signal)
    slept: list[Event] = []
    exited = dying
    cause = "single-wait"
    queue = list(events)
    for at, item in enumerate(queue):
        if item.kind == "kill":
            if item.jobs is not None and GROUP in item.jobs:
                reaction = _kill_group(scene, item)
                if reaction is not None:
                    return reaction
                fate = _signalled(scene, fate, item.signal)
            else:
                fate = _killed(scene, fate, item)
        elif item.kind == "wait" and _lasts(scene, item, fate):
            over = _wait_again(scene, item, fate)
            if over.effect is not Effect.FORWARDS:
                return over
            waited = (one.job for one in scene.lasting if item.jobs is None or one.job in item.jobs)
            fate = replace(fate, over=over, awaited=fate.awaited.union(waited))
        elif item.kind == "wait":
            slept += [nap for nap in queue[:at] if nap.kind == "start" and _naps(nap) and nap.job in (item.jobs or ())]
            fate = replace(fate, awaited=fate.awaited.union(item.jobs or ()))
        elif item.kind == "forever" and fate.told and _asks_for_processes(item):
            return Reaction(Effect.UNKNOWN, "some-jobs", context.signal)
        elif item.kind in ("forever", "read"):
            return Reaction(Effect.SWALLOWS, "loop", context.signal)
        elif item.kind == "run" and item.idle:
            return Reaction(Effect.SWALLOWS, "child", context.signal)
        elif item.kind == "run" and item.words and item.words[0].value == "sleep":
            slept.append(item)
        elif item.kind == "stop":
            kill = signal_of(scene, item)
            if kill is not None:
                fate = _killed(scene, fate, kill)
            elif not stops_no_job(scene, item):
                fate = replace(fate, perhaps=item)
            if kill is not None and returns_when_stopped(item):
                queue.insert(at + 1, replace(kill, kind="wait"))
        elif item.kind == "tell" or (item.kind == "run" and is_program(item) and is_no_known_stop(item)):
            fate = replace(fate, perhaps=item)
        elif item.kind == "pause":
            fate = replace(fate, paused=True)
        elif item.kind == "exec":
            break
        elif item.kind == "exit":
            if item.signal == "errexit":
                cause = "errexit" if item.span == scene.event.span else "command-fails"
            fate = replace(fate, exits=True)
            at_exit = item.traps.get("EXIT")
            if exited or not at_exit:
                break
            exited = True
            queue[at + 1 :] = _ways(scene, at_exit)[0]
    at_exit = scene.path.traps.get("EXIT")
    if at_exit and not exited:
        return _after(scene, [*events, *_ways(scene, at_exit)[0]], dying=True)
    return _ended(scene, fate, slept, cause)


def _asks_for_processes(loop: Event) -> bool:
    """Whether the script of a loop looks whether processes are there, so that the loop may end with them."""
    return any(word in loop.span.source.text for word in ("kill -0", "kill -s 0", "pgrep", "/proc/", "jobs -"))


def _ended(scene: Scene, fate: _Fate, slept: list[Event], cause: str) -> Reaction:
    """The script is over, and the kernel kills what is left."""
    lengths = [seconds(item.words[1].value) if len(item.words) == 2 else None for item in slept]
    takes = sum(length for length in lengths if length is not None)
    if fate.over is not None:
        forgotten = (one for one in scene.programs if one.job in fate.told and one.job not in fate.awaited)
        if any(is_program(one) and not _naps(one) for one in forgotten):
            return Reaction(Effect.UNKNOWN, "waits-for-some", fate.over.signal)
        return replace(fate.over, takes=takes)
    if fate.perhaps is not None and not fate.told:
        return Reaction(Effect.UNKNOWN, "may-tell", scene.context.signal, fate.perhaps)
    signal = next(iter(fate.told.values()), scene.context.signal)
    if "SIGKILL" in fate.told.values():
        return Reaction(Effect.CUTS, "kills", signal)
    if slept and fate.told:
        return Reaction(Effect.UNKNOWN, "sleeps", signal)
    if fate.paused and any(is_program(item) for item in scene.lasting):
        return Reaction(Effect.UNKNOWN, "branches", signal)
    naps = {item.job for item in scene.lasting if _naps(item)}
    if cause == "single-wait" and fate.told.keys() <= naps:
        cause = "kills-subshell" if fate.dead else "trap-exits"
    if cause == "trap-exits" and _only_waits(scene):
        if _leaves_a_job(scene, fate):
            return Reaction(Effect.CUTS, "kills-job", signal)
        action = scene.event.traps.get(scene.context.signal)
        if action and scene.event.works and exits(action, scene.path.functions):
            return Reaction(Effect.UNKNOWN, "in-midst", signal)
        rounds = [item.span for item in slept if item.looped]
        if None in lengths or any(rounds.count(span) == 1 for span in rounds):
            return Reaction(Effect.UNKNOWN, "trap-sleeps", signal)
        return Reaction(*(_BETWEEN_ROUNDS if _knows_its_naps(scene) else _AFTER_A_NAP), signal, takes=takes)
    return Reaction(Effect.CUTS, cause, signal)


_BETWEEN_ROUNDS = Effect.HANDLES, "between-rounds"
_AFTER_A_NAP = Effect.UNKNOWN, "after-a-nap"


def _leaves_a_job(scene: Scene, fate: _Fate) -> bool:
    """Whether a job of the loop's round may still be at work, and nothing waits for it."""
    before = scene.path.events[: scene.index]
    started = [item.job for item in before if item.kind == "start" and item.works]
    waits = [job for item in before if item.kind == "wait" for job in item.jobs or started]
    # a trap that returns ends one `wait` early, and the next waits on
    waited_again = [job for job in started if waits.count(job) > 1 and not fate.exits]
    return any(job not in fate.awaited and job not in waited_again for job in started)


def _only_waits(scene: Scene) -> bool:
    """Whether nothing is left that the end of the script could harm: it waits for its next round, or for a `sleep`.

    A trap runs when the command in the foreground has ended: what a round of the loop does is done by then.
    """
    before = scene.path.events[: scene.index]
    waits = scene.event.kind in ("forever", "wait", "read") or scene.event.idle
    if not waits or any(item.kind == "daemon" for item in before):
        return False
    rests = all(_naps(item) or item.idle for item in scene.lasting)
    return rests and all(
        item.prepares or _naps(item) or is_brief(item, scene.context) for item in before if item.kind == "run"
    )


def only_naps(scene: Scene) -> bool:
    """Whether a loop does nothing but sleep, and say so."""
    before = scene.path.events[: scene.index]
    if scene.event.kind not in ("forever", "wait") or any(item.kind == "daemon" for item in before):
        return False
    jobs = [item for item in before if item.kind in ("run", "start")]
    return all(_naps(item) or item.idle or (bool(item.words) and _says(item)) for item in jobs)


def _says(item: Event) -> bool:
    return base_name(item.words[0].value) in table("one_shots")["harmless"]


def _knows_its_naps(scene: Scene) -> bool:
    """Whether it is known when the trap runs: a `sleep` in the foreground ends at a group's signal, else in time."""
    before = scene.path.events[: scene.index]
    naps = [item for item in before if item.kind == "run" and _naps(item)]
    if scene.context.group_signalled or not naps:
        return True
    return all(len(item.words) == 2 and seconds(item.words[1].value) is not None for item in naps)


def _naps(item: Event) -> bool:
    return bool(item.words) and _sleeps(item)


def _signalled(scene: Scene, fate: _Fate, signal: str) -> _Fate:
    """The whole group gets a signal: programs, and the shells in front of them."""
    dead = {item.job for item in scene.lasting if item.reached is False}
    sure = fate.sure and all(item.reached is not None for item in scene.lasting)
    told: dict[int | None, str] = dict.fromkeys((item.job for item in scene.lasting), signal)
    return replace(fate, told=told, dead=fate.dead | dead, sure=sure)


def _killed(scene: Scene, fate: _Fate, kill: Event) -> _Fate:
    """Some jobs get a signal."""
    told, dead, sure = dict(fate.told), set(fate.dead), fate.sure
    for item in scene.lasting:
        if kill.jobs is not None and item.job not in kill.jobs:
            continue
        reached = item.leads if item.piped and kill.by_leader else item.reached
        if reached is False and not kill.by_name:
            dead.update(() if item.piped else (item.job,))
            continue
        sure = sure and kill.jobs is not None and (kill.by_name or reached is True)
        told[item.job] = kill.signal
    return replace(fate, told=told, dead=dead, sure=sure)


def _lasts(scene: Scene, wait: Event, fate: _Fate) -> bool:
    """Whether a `wait` waits for something that is still there."""
    if wait.jobs is None:
        return True
    ended = fate.dead | (fate.told.keys() if fate.over is not None else set())
    return any(item.job in wait.jobs and item.job not in ended for item in scene.lasting)


def _wait_again(scene: Scene, wait: Event, fate: _Fate) -> Reaction:
    told = fate.told
    signal = next((told[item.job] for item in reversed(scene.programs) if item.job in told), scene.context.signal)
    if not told:
        return _waits_for_untold(scene, wait, fate)
    if "SIGKILL" in told.values():
        return Reaction(Effect.CUTS, "kills", "SIGKILL")
    untold = [item for item in scene.lasting if item.job not in told and item.job not in fate.dead]
    left = [item for item in untold if wait.jobs is None or item.job in wait.jobs]
    if left and not wait.first:
        idle = all(item.idle or not item.words for item in left)
        return Reaction(Effect.SWALLOWS if idle else Effect.UNKNOWN, "waits-for-others", signal)
    programs = [item for item in scene.programs if not _naps(item)] or scene.programs
    others = [item for item in programs if item.job not in told]
    alone = not others and not (wait.first and len(scene.programs) > 1)
    orphans = any(item.job in fate.dead for item in programs)
    if fate.sure and alone and not orphans and not wait.looped:
        return Reaction(Effect.FORWARDS, "forwards", signal)
    return Reaction(Effect.UNKNOWN, "some-jobs", signal)


def _waits_for_untold(scene: Scene, wait: Event, fate: _Fate) -> Reaction:
    """The trap waits for jobs that it has not told: those that end by themselves let it go on."""
    signal = scene.context.signal
    if fate.perhaps is not None:
        return Reaction(Effect.UNKNOWN, "may-tell", signal, fate.perhaps)
    if wait.acts:
        return Reaction(Effect.UNKNOWN, "branches", signal)
    left = [item for item in scene.lasting if wait.jobs is None or item.job in wait.jobs]
    ends = {True if item.idle or item.endless or _naps(item) else lasts(item, scene.context) for item in left}
    if True in ends or not left or (None in ends and not wait.polls):
        return Reaction(Effect.SWALLOWS, "trap-forgets", signal)
    if None in ends:
        return Reaction(Effect.UNKNOWN, "ends-itself", signal)
    return Reaction(Effect.HANDLES, "waits-for-the-end", signal)


def _kill_group(scene: Scene, kill: Event) -> Reaction | None:
    """`kill 0` from a trap; None where the program gets the signal and the shell lives on."""
    action = kill.traps.get(kill.signal)
    if action:
        effect = Effect.CUTS if scene.row.get("kill_group") else Effect.SWALLOWS
        return Reaction(effect, "kill-group", kill.signal)
    if action is None and not scene.context.pid_1:
        return Reaction(Effect.CUTS, "kill-group", kill.signal)
    return None
