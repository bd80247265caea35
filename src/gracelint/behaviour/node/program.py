"""From a run of a Node program to the neutral facts of `facts/program.py`."""

from __future__ import annotations

from gracelint.again import remembered
from gracelint.base.record import replace
from gracelint.behaviour.node.clients import answers_close, default_keep_alive, keep_alive, swept
from gracelint.behaviour.node.machine import Machine
from gracelint.behaviour.node.modules import load_lazily
from gracelint.behaviour.node.reaction import SIGNALS, reaction
from gracelint.behaviour.node.state import Event, Registration
from gracelint.behaviour.node.stopping import Stopped
from gracelint.behaviour.node.syntax import NAMES, File, TooBigError
from gracelint.behaviour.node.timing import time_of
from gracelint.behaviour.node.values import Closure, Method
from gracelint.behaviour.tree import text_of, walk
from gracelint.facts.program import Act, Cause, Child, Connection, Handler, Program, Reaction, ServerCall, Wait
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.tree.warm import kept_warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gracelint.base.limits import Effort
    from gracelint.behaviour.node.values import Thing
    from gracelint.facts.files import Files
    from gracelint.source import Source, Span


@kept_warm
@remembered
def read_node(
    source: Source,
    *,
    files: Files,
    env: Mapping[str, str | None] | None = None,
    node_major: int | None = None,
    argv: tuple[str, ...] = (),
    preload: tuple[Source, ...] = (),
    shell: Callable[[str], tuple[str, ...] | None] = lambda text: None,
    effort: Effort | None = None,
) -> Program:
    """The facts of the program that `node <source>` runs, after the modules of `preload`.

    `shell` gives the command line that the image's `/bin/sh -c` becomes for a text: empty where the shell stays and a
    signal ends it alone, None where that is not known.

    Raises ParseError where the entry is no JavaScript.
    """
    parsed: dict[str, File | None] = {}

    def start() -> Machine:
        machine = Machine(source, files, env or {}, argv, parsed=parsed, effort=effort)
        machine.shell = shell
        machine.start(preload)
        load_lazily(machine)
        return machine

    try:
        base = start()
        answers = {signal: reaction(signal, base, start) for signal in SIGNALS}
    except (TooBigError, RecursionError):
        return _too_big(source, node_major)
    stopped = answers["SIGTERM"][1] or answers["SIGINT"][1]
    servers = [
        thing
        for thing in base.things
        if thing.kind == "upgrade" or (thing.kind == "server" and thing.alive is not False)
    ]
    drain = _drain(stopped)
    return Program(
        language="node",
        source=source,
        span=_main_span(source, base),
        long_running=_long_running(base),
        sources=(source, *(other for other in base.sources if other is not source)),
        handlers=tuple(_handlers(base, {name: run for name, (_, run) in answers.items() if run})),
        servers=tuple(ServerCall(thing.name, thing.span, thing.variable, _options(thing)) for thing in servers),
        waits=tuple(_waits(base, stopped, drain is not None)),
        children=tuple(_children(base, stopped)),
        connections=tuple(_connections(base, stopped)),
        startup=tuple(_startup(base)),
        reactions={signal: found for signal, (found, _) in answers.items()},
        drain_seconds=drain[0] if drain else None,
        drain_span=drain[1] if drain else None,
        unread=tuple(base.unread),
        loses_nothing=_loses_nothing(base),
        runtime=node_major,
    )


def _too_big(source: Source, node_major: int | None) -> Program:
    why = "it is too big to be followed to its end"
    unknown = {name: Reaction(name, Verdict.UNKNOWN, Verdict.UNKNOWN, Cause.UNKNOWN, why) for name in SIGNALS}
    span = source.span(0, 0)
    return Program("node", source, span, None, (source,), reactions=unknown, unread=(source.path,), runtime=node_major)


def _options(thing: Thing) -> dict[str, float | str | bool | None]:
    """Settings that bear on stopping, in seconds."""
    idle = thing.settings.get("keepAliveTimeout")
    return {"keepAliveTimeout": idle / 1000} if isinstance(idle, (int, float)) else {}


def _main_span(source: Source, base: Machine) -> Span:
    """The server, else what keeps it running, else the first statement."""
    kept = [thing for thing in base.things if thing.alive and thing.span.source is source]
    first = next((thing for thing in kept if thing.kind == "server"), None) or next(iter(kept), None)
    if first is not None:
        return first.span
    file = base.parsed[source.path]
    nodes = (
        [node for node in file.root.named_children if node.type not in ("comment", "hash_bang_line")] if file else []
    )
    return file.span(nodes[0]) if file and nodes else source.span(0, 0)


def _long_running(base: Machine) -> bool | None:
    if base.ended:
        return False
    if any(thing.alive and thing.certain for thing in base.things):
        return True
    open_ = base.unread or base.foreign or any(thing.alive is not False for thing in base.things)
    return None if open_ else False


def _loses_nothing(base: Machine) -> bool:
    """Whether it was read whole, and only prints on timers, or answers each request before it does anything else."""
    known = table("node")
    if base.unread or base.foreign or base.blind or not base.libraries.issubset(known["silent"]):
        return False
    kinds = {thing.kind for thing in base.things}
    if not kinds <= {"timer", "interval", "server", "app"}:
        return False
    nodes = [node for source in base.sources if (file := base.parsed.get(source.path)) for node in walk(file.root)]
    names = {text_of(node) for node in nodes if node.type in NAMES}
    awaits = any(node.type == "await_expression" for node in nodes)
    if kinds & {"server", "app"} and (awaits or not names.isdisjoint(known["later"])):
        return False
    return names.isdisjoint(known["opens"])


def _handlers(base: Machine, runs: Mapping[str, Stopped]) -> list[Handler]:
    """One for each call that installs handlers; a call in a loop over signals is one."""
    found: dict[tuple[str, int], Handler] = {}
    acted = {name: _acts(run.events) for name, run in runs.items()}
    for known in base.registrations:
        key = (known.span.source.path, known.span.start)
        if key in found:
            before = found[key]
            found[key] = replace(
                before,
                signals=(*before.signals, *(name for name in known.signals if name not in before.signals)),
                names=(*before.names, *(span for span in known.names if span not in before.names)),
            )
            continue
        acts = next((acted[name] for name in known.signals if name in acted), ())
        body = _body(known)
        found[key] = Handler(known.signals, known.span, acts, body, names=known.names, certain=known.certain)
    return list(found.values())


def _body(known: Registration) -> Span | None:
    function = known.function
    while isinstance(function, Method):
        function = function.owner
    if not isinstance(function, Closure):
        return None
    return function.file.span(function.node)


_ACTS = {
    "exit": "exit",
    "close": "close",
    "close-idle": "close-idle",
    "close-now": "close-now",
    "force": "close-now",
    "release": "cancel",
    "stop-child": "stop-child",
    "ask": "stop-child",
    "disconnect": "stop-child",
    "rekill": "default",
    "flag": "flag",
    "log": "log",
    "opaque": "call",
}


_Path = tuple["Span", ...]
_DEEPEST = 8
"""Acts below acts that are told."""


def _acts(events: tuple[Event, ...]) -> tuple[Act, ...]:
    """The events as a tree: what is done when another act is done stands below it."""
    spans = {event.span for event in events}
    timed = {part.span for event in events for part in event.after if part.kind == "timer"}
    below: dict[_Path, list[Event]] = {}
    timers: dict[_Path, dict[Span, float | None]] = {}
    led: dict[Span, set[int]] = {}
    """The events that come after something, by where that stands."""
    for event in events:
        behind = tuple(part.span for part in event.after if part.span in spans or part.kind == "timer")
        if event.thing is None or event.thing.kind != "timer":
            below.setdefault(behind, []).append(event)
        seconds = {part.span: part.seconds for part in event.after if part.kind == "timer"}
        for at, span in enumerate(behind[: _DEEPEST + 1] if timed else ()):
            if span in seconds:
                timers.setdefault(behind[:at], {})[span] = seconds[span]
        for part in event.after:
            led.setdefault(part.span, set()).add(id(event))

    def told(path: _Path) -> tuple[Act, ...]:
        acts = [one(event, path) for event in below.get(path, ())]
        found = timers.get(path, {}).items()
        acts.extend(Act("timer", span, seconds=seconds, then=told((*path, span))) for span, seconds in found)
        return tuple(sorted(acts, key=lambda act: act.span.start))

    def one(event: Event, path: _Path) -> Act:
        target = event.target or (event.thing.variable or event.thing.name if event.thing is not None else "")
        deeper = any(one != id(event) for one in led.get(event.span, ()))
        then = told((*path, event.span)) if deeper and len(path) < _DEEPEST else ()
        return Act(_ACTS.get(event.kind, "call"), event.span, target, event.seconds, then)

    return told(())


def _drain(stopped: Stopped | None) -> tuple[float, Span] | None:
    """The shortest timer after which the program ends whatever is in flight."""
    if stopped is None or not any(event.kind == "close" for event in stopped.events):
        return None
    found = []
    for event in stopped.events:
        if event.kind == "force" and event.seconds is not None:
            found.append((event.seconds, event.span))
        elif event.kind in ("exit", "close-now") and any(part.kind in ("timer", "race") for part in event.after):
            wait = time_of(event.after)
            drains = any(part.kind == "drained" for part in event.after)
            if wait and not drains:
                found.append((wait, event.span))
    return min(found, key=lambda item: item[0]) if found else None


def _waits(base: Machine, stopped: Stopped | None, bounded: bool) -> list[Wait]:
    """`server.close` waits for what is in flight, for ever where no timer ends it.

    Kind `keep-alive`, beside it, where it waits for connections that their clients keep, and `web-socket` where it
    waits for those that were upgraded.
    """
    if stopped is None or bounded:
        return []
    dealt_with = any(event.kind in ("close-now", "force", "opaque") for event in stopped.events)
    sweeps = any(event.kind == "close-idle" for event in stopped.events)
    closed = {event.thing.span for event in stopped.events if event.thing and event.kind in ("close", "release")}
    upgraded = [thing for thing in base.things if thing.kind == "upgrade"]
    holds = any(thing.name == "ws" or thing.span not in closed for thing in upgraded)
    installed = {known.span for known in base.registrations}
    is_swept = swept(stopped.events)
    kept: dict[int, float | None] = {}
    found = []
    for event in stopped.events:
        server = event.thing
        if event.span in installed:
            continue  # what a library closes in its own handler stands nowhere
        if event.kind != "close" or server is None or server.kind != "server" or dealt_with:
            continue
        if id(server) not in kept:
            kept[id(server)] = None if is_swept(server) or answers_close(stopped.machine) else _kept(server)
        idle = kept[id(server)]
        if holds and "upgrades" in server.row and not sweeps:
            found.append(Wait("web-socket", event.span, None, on_shutdown=True))
            continue
        if not sweeps:
            found.append(Wait("close", event.span, None, on_shutdown=True))
        if idle is not None:
            found.append(Wait("keep-alive", event.span, idle, on_shutdown=True))
    return found


def _kept(server: Thing) -> float | None:
    """How long clients keep the connections that nothing closes."""
    return keep_alive(server) or default_keep_alive(server)


def _children(base: Machine, stopped: Stopped | None) -> list[Child]:
    ended = {event.thing.span for event in stopped.events if event.thing is not None} if stopped else set()
    kinds = {"worker": "thread", "child": "subprocess", "cluster": "cluster"}
    return [
        Child(kinds[thing.kind], thing.span, thing.variable, ended=thing.span in ended)
        for thing in base.things
        if thing.kind in kinds
    ]


def _connections(base: Machine, stopped: Stopped | None) -> list[Connection]:
    closed = {event.thing.span for event in stopped.events if event.thing is not None} if stopped else set()
    return [
        Connection(thing.name, thing.span, thing.variable, _is_closed(thing, closed))
        for thing in base.things
        if thing.kind in ("connection", "consumer") and thing.alive is not False
    ]


def _is_closed(thing: Thing, closed: set[Span]) -> bool:
    return thing.span in closed


def _startup(base: Machine) -> list[Wait]:
    """Awaited work of the known names before the first handler."""
    if not base.registrations:
        return []
    return [
        Wait(callee.rpartition(".")[2], span)
        for callee, span, handlers in base.awaited
        if handlers == 0 and callee.rpartition(".")[2] in _STARTUP
    ]


_STARTUP = frozenset(table("node")["startup"])
