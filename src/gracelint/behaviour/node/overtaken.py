"""What comes too late: an exit by time is there before it, or nothing keeps node running until its timer fires."""

from __future__ import annotations

from gracelint.base.memory import fleeting
from gracelint.behaviour.node.stopping import RELEASES, woken
from gracelint.behaviour.node.syntax import FUNCTIONS, given_first, name_of
from gracelint.behaviour.node.timing import end_of, least, time_of
from gracelint.behaviour.node.unfinished import NAMED, ran_by_handlers
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.state import Event
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.values import After, Thing
    from gracelint.source import Span

_BY_TIME = ("timer", "race", "closed")
_DOES = ("expression_statement", "try_statement", "if_statement", "for_in_statement")
_LAST_RESORTS = ("exit", "close-now", "force", "terminate", "rekill", "stop-child")


def overtaken(end: Event, stopped: Stopped) -> tuple[bool, str, Span] | None:
    """What an exit by time leaves out; with False where it may leave it out."""
    limit = time_of(end.after)
    if limit is None or any(part.kind not in _BY_TIME for part in end.after):
        return None
    if not limit:
        return _put_off(end, stopped)
    ahead = f"process.exit comes after {limit:g} s, "
    for event in stopped.events:
        if not event.certain or event.kind in _LAST_RESORTS or _leads_to_force(event, stopped):
            continue
        if event in stopped.direct and _is_earlier(end, event):
            takes = least(event.after, {})
            return True, f"{ahead}before what line {event.span.line} does after {takes:g} s", end.span
        late = woken(event, stopped.machine)
        takes = least(late.after, {}) if late is not None else 0.0
        if takes > limit:
            why = f"{ahead}and what line {event.span.line} does may come {takes:g} s after the signal"
            return takes >= 2 * limit, why, end.span
    for given_up in _given_up(end, stopped):
        takes = least(given_up, {})
        why = f"{ahead}and what waits in line {given_up[-1].span.line} may take {takes:g} s"
        return takes >= 2 * limit, why, end.span
    for thing in stopped.machine.things:
        takes = least(stopped.machine.resolved.get(id(thing), ()), {})
        behind = _behind(thing, stopped) if thing.kind == "loop" and thing.certain and takes > limit else None
        if behind is not None:
            why = f"{ahead}and the loop in line {thing.span.line} may take {takes:g} s before line {behind} follows"
            return takes >= 2 * limit, why, end.span
    return None


def _put_off(end: Event, stopped: Stopped) -> tuple[bool, str, Span] | None:
    """What the handlers leave to a timer that they set themselves, before they exit at once."""
    done = {event.span for event in stopped.direct if not event.after}
    for event in stopped.direct if not end.after else ():
        is_late = bool(event.after) and all(part.kind == "timer" for part in event.after)
        is_cleared = any(id(part.thing) in stopped.machine.early for part in event.after)
        if not event.certain or not is_late or is_cleared or event.span in done or event.kind in _LAST_RESORTS:
            continue
        takes = least(event.after, {})
        if takes > 0 and not _leads_to_force(event, stopped) and not _is_done_too(event.after[-1], stopped):
            line = event.span.line
            return True, f"process.exit comes at once, before what line {line} does after {takes:g} s", end.span
    return None


def _is_done_too(timer: After, stopped: Stopped) -> bool:
    """Whether the handlers also call themselves what a timer is to call."""
    file = stopped.machine.parsed.get(timer.span.source.path)
    call = file.node_at(timer.span) if file is not None else None
    does = given_first(call) if call is not None else None
    if file is None or call is None or does is None:
        return False
    names = {name_of(does)} if does.type in NAMED else _called_in(does)
    handlers, _ = ran_by_handlers(stopped.machine, stopped.ran)
    others = [one for own, one in handlers if own is not file or not _covers(call, one)]
    return any(names & _called_in(one, call.start_byte) for one in others)


def _covers(outer: Node, inner: Node) -> bool:
    return outer.start_byte <= inner.start_byte < outer.end_byte


def _called_in(function: Node, but: int = -1) -> set[str]:
    """What a function calls of the program's own, without what a call at a place is given."""
    nodes = [node for node in walk(function) if node.type == "call_expression"]
    left_out = next((node for node in nodes if node.start_byte == but), None)
    inside = {node.id for node in walk(left_out)} if left_out is not None else set()
    called = (node.child_by_field_name("function") for node in nodes if node.id not in inside)
    return {name_of(one) for one in called if one is not None and not text_of(one).startswith("console.")}


def _is_earlier(end: Event, event: Event) -> bool:
    """Whether an exit surely comes before another event, beside what both have to wait for."""
    pairs = zip(end.after, event.after, strict=False)
    shared = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(end.after), len(event.after)))
    limit = time_of(end.after[shared:])
    return limit is not None and least(event.after[shared:], {}) > limit


def _given_up(end: Event, stopped: Stopped) -> Iterator[tuple[After, ...]]:
    """What the program had begun, and a race does not wait for."""
    is_all = not any(thing.alive and "steps" not in thing.settings for thing in stopped.opened)
    for part in end.after:
        limit = time_of((part,)) if part.kind == "race" else None
        for others in part.parts if limit is not None else ():
            takes = all(other.kind == "timer" for other in others) and least(others, {}) > (limit or 0.0)
            alone = is_all and not any(_is_set_late(other, stopped) for other in others)
            if takes and (alone or any(set(others) <= set(begun) for begun in stopped.machine.begun)):
                yield others


def _is_set_late(timer: After, stopped: Stopped) -> bool:
    """Whether a timer was set only when the program stopped."""
    return timer.thing is None or timer.thing in stopped.machine.pending or id(timer.thing) in stopped.machine.loose


def _behind(loop: Thing, stopped: Stopped) -> int | None:
    """The line of what its function does when a loop has ended."""
    file = stopped.machine.parsed.get(loop.span.source.path)
    here = file.node_at(loop.span) if file is not None else None
    while file is not None and here is not None and here.type not in FUNCTIONS:
        following = here.next_named_sibling if here.type != "catch_clause" else None
        if following is not None and following.type in _DOES:
            return file.span(following).line
        here = here.parent
    return None


def fires(event: Event, stopped: Stopped) -> bool:
    """Whether node is still running when the timers fire that an event comes after."""
    loose = [part for part in event.after if id(part.thing) in stopped.machine.loose]
    if not loose or stopped.left:
        return True
    others = tuple(other for other in stopped.events if not any(part in other.after for part in loose))
    let_go = {id(other.thing) for other in others if other.kind in RELEASES} | set(stopped.machine.resolved)
    left = tuple(thing for thing in stopped.opened if thing.alive and id(thing) not in let_go)
    return end_of(stopped.machine, others, left, {}) > least(event.after, {})


def unreached(stopped: Stopped) -> tuple[After, Event] | None:
    """What a handler does only when a timer fires that does not keep node running, and that timer.

    What stands in the timer's own callback is a last resort.
    """
    for event in stopped.direct if stopped.machine.loose else ():
        timer = next((part for part in event.after if id(part.thing) in stopped.machine.loose), None)
        if timer is None or not event.certain or event.kind in _LAST_RESORTS or _leads_to_force(event, stopped):
            continue
        if not _is_in(event.span, timer.span) and not fires(event, stopped):
            return timer, event
    return None


def _leads_to_force(event: Event, stopped: Stopped) -> bool:
    """Whether it is what a timer does before it ends the program by force."""
    return event.after in _before_force(stopped)


@fleeting(1)
def _before_force(stopped: Stopped) -> frozenset[tuple[After, ...]]:
    """What comes before each end by force that a timer brings."""
    return frozenset(one.after for one in stopped.events if one.kind in _LAST_RESORTS and _is_forced(one, stopped))


def _is_forced(event: Event, stopped: Stopped) -> bool:
    """Whether it stands in what a timer is given to call."""
    last = event.after[-1] if event.after else None
    if last is None or last.kind != "timer":
        return False
    file = stopped.machine.parsed.get(event.span.source.path)
    here = file.node_at(event.span) if file is not None else None
    while here is not None and here.type not in FUNCTIONS:
        here = here.parent
    name = here.child_by_field_name("name") if here is not None else None
    return _is_in(event.span, last.span) or (name is not None and text_of(name) in last.span.text)


def _is_in(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end
