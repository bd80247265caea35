"""Services that a script starts in the background by commands of their own, and stops in a trap."""

from __future__ import annotations

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.base.record import replace
from gracelint.facts.launch import Effect
from gracelint.knowledge import keys, table
from gracelint.launch.shell.paths import prepares
from gracelint.launch.shell.rounds import is_brief, way_of
from gracelint.launch.words import base_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gracelint.launch.shell.paths import Event
    from gracelint.launch.shell.traps import Reaction, Scene
    from gracelint.launch.step import Context
    from gracelint.source import Word

_NUMBER = pattern(r"[0-9]+(\.[0-9]+)?")
_MOST_WRAPPERS = 4
"""As many programs that replace themselves (`gosu app env X=1 …`) are looked through in front of a command."""


def daemonizes(words: tuple[Word, ...]) -> bool:
    """Whether a command starts a service and returns at once: `service nginx start`, `cron`, `sshd`."""
    row = table("shell_commands")["daemons"].get(_command(words))
    return row is not None and _holds(row, words)


@lru_cache(maxsize=4)
def detacher(context: Context) -> Callable[[tuple[Word, ...], str], bool]:
    """Says of commands in a folder whether they go to the background by themselves, a wrapper in front or not."""
    from gracelint.launch.servers import servers

    known: dict[tuple[str, ...], bool] = {}

    def detaches(words: tuple[Word, ...], working_dir: str) -> bool:
        asked = (working_dir, *[word.value for word in words])
        if asked not in known:
            known[asked] = look(words, working_dir)
        return known[asked]

    def look(words: tuple[Word, ...], working_dir: str) -> bool:
        here = context if working_dir == context.working_dir else replace(context, working_dir=working_dir)
        for _ in range(_MOST_WRAPPERS):
            if daemonizes(words):
                return True
            inner = _replaced_by(words, here)
            if inner is None:
                break
            words = inner
        return not prepares(words) and servers.detaches(words, here)

    return detaches


def _replaced_by(words: tuple[Word, ...], context: Context) -> tuple[Word, ...] | None:
    """The command that a program puts in its own place: `nginx` of `gosu app nginx`."""
    if not words or base_name(words[0].value) not in keys("wrappers"):
        return None
    from gracelint.launch import wrappers

    step = wrappers.step(words, context)
    replaces = step is not None and step.hop is not None and step.hop.effect is Effect.REPLACES
    return step.next if step is not None and replaces else None


def stops(words: tuple[Word, ...]) -> bool:
    """Whether a command tells a service to stop: `service nginx stop`, `nginx -s quit`, `gosu postgres pg_ctl stop`."""
    words = _stopping(words)
    row = table("shell_commands")["stops"].get(_command(words))
    return row is not None and _holds(row, words)


def may_tell_program(words: tuple[Word, ...]) -> bool:
    """Whether a command, which is run in a trap, may be what tells the program to stop, for all that is known."""
    return _command(words) in table("shell_commands")["tells"]["names"]


def is_no_known_stop(item: Event) -> bool:
    """Whether a program that a trap runs is none of those that stop services, so that nobody knows what it does."""
    return _command(item.words) not in table("shell_commands")["stops"]


def signal_of(scene: Scene, stop: Event) -> Event | None:
    """The signal that jobs get of a command that stops a service, as a kill; None where no job runs that service."""
    words = _stopping(stop.words)
    service, command = _service(words), _command(words)
    if stops_no_job(scene, stop):
        return None
    jobs = {item.job for item in scene.lasting if service in _services(item, scene.context)}
    line = " ".join(word.value for word in words[1:])
    signals = table("shell_commands")["stops"]["signals"].get(command, {})
    signal = next((signal for text, signal in signals.items() if text in line), "SIGTERM")
    known = frozenset(job for job in jobs if job is not None)
    return replace(stop, kind="kill", jobs=known, signal=signal, by_name=True) if known else None


def _services(job: Event, context: Context) -> set[str]:
    """What a job runs, and all that it starts in its own place, as services."""
    return {_same(base_name(hop.argv[0])) for hop in way_of(job, context).hops if hop.argv} if job.words else set()


def stops_no_job(scene: Scene, stop: Event) -> bool:
    """Whether a command stops none of the jobs, but what a supervisor started or what went to the background itself."""
    words = _stopping(stop.words)
    daemons = (item for item in scene.path.events[: scene.index] if item.kind == "daemon")
    below = _command(words) in table("shell_commands")["stops"]["below"]
    return below or any(_service(item.words) == _service(words) for item in daemons)


def returns_when_stopped(stop: Event) -> bool:
    """Whether the command itself waits until the service has stopped."""
    return _command(_stopping(stop.words)) in table("shell_commands")["stops"]["waits"]


def _stopping(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The command behind a wrapper such as `gosu postgres`, where that tells a service to stop."""
    if base_name(words[0].value if words else "") not in keys("wrappers"):
        return words
    known = table("shell_commands")["stops"]
    behind = (words[index:] for index in range(1, min(len(words), _MOST_WRAPPERS)))
    return next((inner for inner in behind if isinstance(known.get(_command(inner)), dict)), words)


def stopped(scene: Scene, reaction: Reaction, after: Sequence[Event]) -> Reaction:
    """What a trap that ends the script does for the services it has started; `after` is what it does."""
    from gracelint.launch.shell.traps import Reaction, is_program

    if reaction.effect in (Effect.CUTS, Effect.FORWARDS):
        by_sv = _by_sv(scene, after)
        if by_sv is not None:
            return by_sv
    before = scene.path.events[: scene.index]
    services = {_service(item.words) for item in before if item.kind == "daemon"}
    unknown = any(item.kind == "run" and not item.prepares and not is_brief(item, scene.context) for item in before)
    jobs = any(is_program(item) for item in scene.lasting)
    if reaction.effect is not Effect.CUTS or jobs or not (services or unknown):
        return reaction
    told = [item for item in after if item.kind == "stop"]
    waited = {_service(_stopping(item.words)) for item in told if returns_when_stopped(item)}
    if not unknown and services <= waited:
        return Reaction(Effect.HANDLES, "stops-services", reaction.signal)
    if told or unknown or any(item.kind == "kill" and not item.jobs for item in after):
        return Reaction(Effect.UNKNOWN, "services", reaction.signal)
    return reaction


def _by_sv(scene: Scene, after: Sequence[Event]) -> Reaction | None:
    """The services below `runsvdir` stop when the trap tells them by `sv`, before anything tells `runsvdir` itself."""
    from gracelint.launch.shell.traps import Reaction
    from gracelint.launch.supervisors import runs_only

    first = next((item for item in after if item.kind in ("stop", "kill")), None)
    alone = [base_name(item.words[0].value) for item in scene.programs if item.words] == ["runsvdir"]
    if first is None or not alone or _command(first.words) != "sv":
        return None
    if not runs_only(scene.programs[0].words, first.words, scene.context):
        return None
    return Reaction(Effect.FORWARDS, "by-sv", "SIGTERM", program=first)


def _command(words: tuple[Word, ...]) -> str:
    first = words[0].value if words else ""
    return "service" if first.startswith("/etc/init.d/") else base_name(first)


def _holds(row: dict[str, list[str]], words: tuple[Word, ...]) -> bool:
    line = f" {' '.join(word.value for word in words[1:])} "
    if any(f" {text} " in line for text in row.get("unless", ())):
        return False
    return any(f" {text} " in line for text in row["only"]) if "only" in row else True


def _service(words: tuple[Word, ...]) -> str:
    """A service by one name, whichever command starts or stops it."""
    command = _command(words)
    if words[0].value.startswith("/etc/init.d/"):
        name = base_name(words[0].value)
    elif command in ("service", "rc-service", "invoke-rc.d") and len(words) > 1:
        name = words[1].value
    else:
        name = command
    return _same(name)


def _same(name: str) -> str:
    same: str = table("shell_commands")["stops"]["names"].get(name, name)
    return _NUMBER.sub("", same)
