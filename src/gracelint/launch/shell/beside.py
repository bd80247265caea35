"""Servers and workers that a script leaves in the background when it execs its program: no signal reaches them."""

from __future__ import annotations

from gracelint.base.record import Record, replace
from gracelint.facts.launch import Effect, HopKind
from gracelint.launch.words import base_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.launch.shell.paths import Event
    from gracelint.launch.shell.traps import Scene
    from gracelint.launch.step import Context
    from gracelint.source import Span


class Unheard(Record):
    """A process that goes on until PID 1 ends, and is killed then."""

    why: str
    span: Span


def unheard(scene: Scene) -> Unheard | None:
    """The first server or worker in the background of a way that ends in `exec`."""
    if scene.context.group_signalled:
        return None
    before = scene.path.events[: scene.index]
    for item in before:
        if item.kind in ("start", "daemon") and not item.prepares and not item.idle and _serves(item, scene.context):
            command = " ".join(word.value for word in item.words)
            program = base_name(scene.event.words[0].value)
            why = (
                f"`{command}` in the background gets no {scene.context.signal}, and is killed when {program} has ended"
            )
            return Unheard(why, item.span)
    return None


def _serves(item: Event, context: Context) -> bool:
    """Whether a process is known to be a server, or to have something to do when it is told to stop."""
    from gracelint.launch.hops import follow
    from gracelint.launch.servers.servers import is_server, starts_jobs

    words = item.words
    if words and starts_jobs(words):
        return False
    if item.kind == "daemon":
        return is_server(words)
    if not words:
        return False
    way = follow(words, replace(context, pid_1=False, working_dir=item.working_dir, depth=context.depth + 1))
    hop = way.decisive
    if hop is None or way.one_shot or hop.effect is Effect.UNKNOWN:
        return False
    handlers = way.program.handlers if way.program is not None else ()
    servers = way.program.servers if way.program is not None else ()
    return hop.kind in (HopKind.SERVER, HopKind.SUPERVISOR) or bool(handlers or servers)
