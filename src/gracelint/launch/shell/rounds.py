"""Programs in the foreground of a loop: those that end by themselves let a trap run, those that last hold it up."""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.facts.launch import Effect
from gracelint.launch.shell.paths import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.launch.hops import Way
    from gracelint.launch.step import Context


def waits_its_turn(item: Event, context: Context) -> bool:
    """Whether a trap waits for a program that comes again and again; a group's signal would end the program too."""
    comes_again = item.kind == "run" and item.looped and bool(item.words)
    return comes_again and not context.group_signalled and bool(item.traps.get(context.signal))


def is_brief(item: Event, context: Context) -> bool:
    """Whether it is such a program, and known to end by itself: a trap soon gets its turn."""
    return waits_its_turn(item, context) and lasts(item, context) is False


def lasts(item: Event, context: Context) -> bool | None:
    """Whether a program goes on until it is stopped; None where that cannot be told."""
    way = way_of(item, context)
    if way.one_shot:
        return False
    return None if way.decisive is None or way.decisive.effect is Effect.UNKNOWN else True


def way_of(item: Event, context: Context) -> Way:
    """From a command of the script to the program it ends in.

    The many ways through a script start the same program in the same state: it is followed once.
    """
    known = context.followed.ways
    asked = (context, item.words, item.working_dir, tuple(item.env.items()))
    if asked not in known:
        known[asked] = _followed(item, context)
    return known[asked]


def _followed(item: Event, context: Context) -> Way:
    from gracelint.launch.hops import follow

    below = replace(
        context, pid_1=False, env=item.env, working_dir=item.working_dir, positional=(), depth=context.depth + 1
    )
    return follow(item.words, below)
