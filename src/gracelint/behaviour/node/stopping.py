"""The run of a Node program after the signal: its handlers, the loops and intervals that look again, what is left."""

from __future__ import annotations

from gracelint.base.numbers import is_whole
from gracelint.base.patterns import pattern
from gracelint.base.record import Record, replace
from gracelint.behaviour.node import failing
from gracelint.behaviour.node.helpers import NUMBERS
from gracelint.behaviour.node.machine import Machine
from gracelint.behaviour.node.modules import ROUTES
from gracelint.behaviour.node.state import Event, Frame, Text
from gracelint.behaviour.node.statements import again
from gracelint.behaviour.node.syntax import name_of, once
from gracelint.behaviour.node.values import STAYS, After, Closure, External, Scope, Thing, is_behind_what_stays, truthy
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from gracelint.behaviour.node.syntax import File

_SHORTEST_DRAIN = 1.0
"""Seconds. A program that gives requests less than this drops them."""


class Stopped(Record, identity=True):
    """A run after the signal: what was done, and what keeps node running."""

    machine: Machine
    events: tuple[Event, ...]
    left: tuple[Thing, ...]
    """Not released by anything."""
    opened: tuple[Thing, ...]
    """What kept node running when the signal came."""
    delay: float
    work: float | None
    """The longest time the source itself takes for a request, where it says."""
    ran: frozenset[tuple[str, int]]
    """The functions that the handlers run, by file and place."""
    direct: tuple[Event, ...]
    """What they do before any loop or interval looks again."""
    later: tuple[Event, ...]
    """What the start does behind loops that may end now."""

    @property
    def enough(self) -> float:
        """The seconds that requests in flight are to be given."""
        return max(self.work or 0.0, _SHORTEST_DRAIN)


def stop(signal: str, machine: Machine) -> Stopped:
    before = machine.events
    machine.events = []
    machine.stopping = True
    machine.signal = signal
    up, down = _counters(machine)
    machine.counters, machine.running = up | down, up & down
    machine.counting = _counted_by_handlers(machine)
    if machine.empty:
        from gracelint.behaviour.node.filled import fill

        fill(machine)
    file = machine.parsed[machine.source.path]
    assert file is not None
    opened = tuple(
        thing for thing in machine.things if thing.alive is not False and not is_behind_what_stays(thing.after)
    )
    if not any(thing.alive and "steps" not in thing.settings for thing in opened):
        # it does nothing but what its start goes on with
        machine.things += machine.rounds
        opened = (*opened, *machine.rounds)
    args = [Text(signal), NUMBERS.get(signal, 0)]
    called, machine.called = machine.called, set()
    for known in machine.registrations:
        if signal in known.signals and known.certain and not is_behind_what_stays(known.after):
            if isinstance(known.function, External) and known.function.path not in _OWN_FUNCTIONS:
                # what a library has made of a function: nobody knows what it does
                target = known.function.path.removesuffix("()")
                machine.events.append(Event("opaque", known.span, (), True, target=target))
                continue
            machine.task(known.function, args, Frame(Scope(), file), ())
    ran, direct = frozenset(machine.called), tuple(machine.events)
    machine.called |= called
    delay = look_again(machine, opened)
    machine.counting = frozenset()
    if any(event.kind == "exit" and event.certain and not event.after for event in direct):
        delay = 0.0  # it is gone before any interval comes round
    _end_iterators(machine)
    for later, parts in machine.races:
        first = next((machine.resolved[key] for key in parts if key in machine.resolved), None)
        if first is not None:
            machine.settle(later, first)
    late = [event for event in (woken(event, machine) for event in before) if event is not None]
    settled = {id(event): _settled(event, machine) for event in machine.events}
    direct = tuple(settled.get(id(event), event) for event in direct)
    machine.events = list(settled.values())
    events = (*machine.events, *late)
    things = [thing for thing in machine.things if thing.alive is not False and not _waits(thing.after, machine)]
    released = {id(event.thing) for event in events if event.kind in RELEASES and event.certain} - machine.rearmed
    ended = set(machine.resolved)
    left = tuple(thing for thing in things if id(thing) not in released and id(thing) not in ended)
    open_ = tuple(event for event in before if _may_follow(event, machine))
    return Stopped(machine, events, left, opened, delay, _work(machine), ran, direct, open_)


def _end_iterators(machine: Machine) -> None:
    """A loop over what a library gives ends when its connection is closed."""
    for thing in machine.things:
        over = thing.settings.get("over") if thing.kind == "loop" else None
        if over is None or id(thing) in machine.resolved:
            continue
        mine = [known for known in machine.things if known.name == over]
        closed = [event for event in machine.events if event.thing in mine and event.kind in RELEASES and event.certain]
        if closed:
            machine.resolved[id(thing)] = closed[0].after
        elif mine or any(path.startswith(over) for path in machine.asked):
            thing.alive = False if mine else None


_OWN_FUNCTIONS = ("process.exit", "process.abort", "process.kill", "process.reallyExit")


_COUNTING = ("++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "?=", "<<=", ">>=")


def _counters(machine: Machine) -> tuple[frozenset[str], frozenset[str]]:
    """Variables that are counted up, and those that are counted down."""
    found = [_counted_in(file) for file in machine.parsed.values() if file is not None]
    return frozenset().union(*(up for up, _ in found)), frozenset().union(*(down for _, down in found))


@once
def _counted_in(file: File) -> tuple[set[str], set[str]]:
    found: tuple[set[str], set[str]] = (set(), set())
    for node in _counts(file):
        operator = node.child_by_field_name("operator")
        is_down = operator is not None and text_of(operator).startswith("-")
        found[is_down].add(_counted(node))
    return found


def _counted_by_handlers(machine: Machine) -> frozenset[str]:
    """Variables that nothing but the handlers of signals counts: when the first one comes, they are what they were."""
    counts = [node for file in machine.parsed.values() if file is not None for node in _counts(file)]
    functions = [known.function for known in machine.registrations if counts]
    own = {node.id for function in functions if isinstance(function, Closure) for node in walk(function.node)}
    others = {_counted(node) for node in counts if node.id not in own}
    return frozenset(_counted(node) for node in counts if node.id in own) - others


def _counted(node: Node) -> str:
    target = node.child_by_field_name("argument") or node.child_by_field_name("left")
    return name_of(target) if target is not None else ""


@once
def _counts(file: File) -> tuple[Node, ...]:
    """Where variables are counted up or down."""
    if not any(sign in file.source.text for sign in _COUNTING):
        return ()
    return tuple(node for node in walk(file.root) if node.type in _COUNTS)


_COUNTS = ("update_expression", "augmented_assignment_expression")


_ENDS_NOTHING = ("log", "flag", "answer", "opaque")
"""Events that bring no end nearer, so that nobody waits for the interval that they come from."""
RELEASES = ("close", "release", "stop-child", "ask", "disconnect")


def look_again(machine: Machine, opened: Iterable[Thing]) -> float:
    """Runs intervals and loops once more, now that flags are set; returns the longest time until they look."""
    delay = 0.0
    stopped = {
        id(event.thing) for event in machine.events if event.kind == "release" and event.certain and not event.after
    }
    let_go = {id(event.thing) for event in machine.events if event.kind == "release" and event.certain}
    others = (thing for thing in machine.things if thing not in opened and thing.kind == "interval")
    # what goes over events looks again last, once whatever emits them has been run
    for thing in sorted([*opened, *others], key=lambda one: bool(one.settings.get("event"))):
        if id(thing) in stopped and thing in opened:
            if _may_be_at_work(machine, thing) and _sets_itself_anew(machine, thing):
                machine.rearmed.add(id(thing))
            continue
        if thing.kind == "interval" and isinstance(thing.data, tuple):
            if thing not in opened and _counts_down(machine, thing):
                continue
            function, args, seconds, file = thing.data
            if thing.name != "setInterval" and isinstance(function, Closure):
                thing.data = None
                machine.timer_stack.append((function.node, thing))
            seen, floating = len(machine.events), list(machine.floating)
            after = (After("timer", thing.span, None, seconds or 0.0),)
            machine.task(function, args, Frame(Scope(), file), after)
            if thing.name != "setInterval" and isinstance(function, Closure):
                machine.timer_stack.pop()
                if thing.data is None:
                    machine.resolved[id(thing)] = after
            if not any(event.kind == "exit" for event in machine.events[seen:]):
                machine.floating = floating  # another round of its work, which `unfinished` asks for
            ends = any(event.kind not in _ENDS_NOTHING for event in machine.events[seen:])
            if ends and thing in opened and id(thing) not in let_go:
                thing.data = thing.data or (function, args, seconds, file)
                delay = max(delay, seconds or 0.0, _grown(machine, thing))
        elif thing.kind == "loop" and thing.data is not None and failing.is_broken_off(machine, thing):
            thing.alive = False
            failing.uncaught(machine, "unhandledRejection", thing.data[2])
        elif thing.kind == "loop" and thing.data is not None and _comes_to_its_end(machine, thing):
            waits = thing.data[3]
            if any(part.kind in ("blocked", "unknown") for part in waits):
                some = any(event.kind == "release" for event in machine.events)
                unsure = some or any(part.kind == "unknown" for part in waits)
                thing.alive = None if unsure else thing.alive
                continue
            waits = tuple(part for part in waits if id(part.thing) not in machine.early)
            machine.resolved[id(thing)] = waits
            takes = sum(part.seconds or 0.0 for part in waits if part.kind == "timer")
            delay = max(delay, takes, _grown(machine, thing) if takes else 0.0)
        elif thing.kind == "loop" and thing.alive and _may_have_ended(machine, thing):
            thing.alive = None
    return delay


def _counts_down(machine: Machine, interval: Thing) -> bool:
    from gracelint.behaviour.node.countdown import count_down

    return count_down(machine, interval)


def _comes_to_its_end(machine: Machine, loop: Thing) -> bool:
    if not machine.empty:
        return again(machine, loop)
    from gracelint.behaviour.node.filled import ends_without

    return ends_without(machine, loop)


_ENDED = pattern(r"\.push\([^()]{0,80}\bnull\b")
"""`this.push(null)` ends a stream that is read."""


def _may_have_ended(machine: Machine, loop: Thing) -> bool:
    """Whether a loop that went on at start asks for what nobody can tell now, or reads a stream that may be ended."""
    if loop.settings.get("over") == "stream":
        return any(_ENDED.search(file.source.text) for file in machine.parsed.values() if file is not None)
    if loop.data is None or loop.data[0] is None:
        return False
    from gracelint.behaviour.node.doing import value_of

    test, _, frame, _ = loop.data
    asked = {text_of(part) for part in walk(test) if part.type.endswith("identifier")}
    return bool(asked & machine.counters) and truthy(value_of(machine, test, frame)) is None


def _grown(machine: Machine, thing: Thing) -> float:
    if "Math.min" not in thing.span.source.text:
        return 0.0
    from gracelint.behaviour.node.growing import most

    return most(machine, thing)


def _may_be_at_work(machine: Machine, thing: Thing) -> bool:
    """Whether a function that sets its timer anew after its work was inside that work when the timer was cleared."""
    if thing.kind != "interval" or thing.name == "setInterval" or not isinstance(thing.data, tuple):
        return False
    from gracelint.behaviour.node.unfinished import works

    return isinstance(thing.data[0], Closure) and works(machine, thing)


def _sets_itself_anew(machine: Machine, thing: Thing) -> bool:
    """Whether it does so with the state as it is now; what it does besides is forgotten."""
    function, args, _, file = thing.data
    events, pending, floating = machine.events, machine.pending, machine.floating
    machine.events, machine.pending, machine.floating = list(events), list(pending), list(floating)
    thing.data = None
    machine.timer_stack.append((function.node, thing))
    try:
        machine.task(function, args, Frame(Scope(), file), ())
    finally:
        machine.timer_stack.pop()
        machine.events, machine.pending, machine.floating = events, pending, floating
    return thing.data is not None


def _waits(after: tuple[After, ...], machine: Machine) -> bool:
    return any(part.kind in STAYS and id(part.thing) not in machine.resolved for part in after)


def _may_follow(event: Event, machine: Machine) -> bool:
    """Whether something stands behind nothing but loops of which it is open whether they end."""
    waits = [part.thing for part in event.after if part.kind in STAYS and id(part.thing) not in machine.resolved]
    return bool(waits) and all(thing is not None and thing.kind == "loop" and thing.alive is None for thing in waits)


def _settled(event: Event, machine: Machine) -> Event:
    """The event with what settled the promises that it comes after, in their place."""
    after = _without_promises(event.after, machine, 0)
    return event if after == event.after else replace(event, after=after)


def _without_promises(after: tuple[After, ...], machine: Machine, depth: int) -> tuple[After, ...]:
    found: list[After] = []
    for part in after:
        if part.parts:
            parts = tuple(_without_promises(branch, machine, depth) for branch in part.parts)
            part = part if parts == part.parts else replace(part, parts=parts)
        if part.kind == "unknown" and id(part.thing) in machine.resolved and depth < _DEEPEST:
            found.extend(_without_promises(machine.resolved[id(part.thing)], machine, depth + 1))
        else:
            found.append(part)
    return tuple(dict.fromkeys(found))


_DEEPEST = 8
"""Promises that are settled by other promises."""


def woken(event: Event, machine: Machine) -> Event | None:
    """An event behind a loop or promise that has now come to its end; None for others."""
    keys = [id(part.thing) for part in event.after if part.thing is not None and id(part.thing) in machine.resolved]
    if not keys or _waits(event.after, machine):
        return None
    last = max(index for index, part in enumerate(event.after) if part.thing is not None and id(part.thing) in keys)
    resolved = tuple(part for key in keys for part in machine.resolved[key])
    return replace(event, after=(*resolved, *event.after[last + 1 :]))


def _work(machine: Machine) -> float | None:
    """The longest `setTimeout` before an answer, in functions that neither start-up nor shutdown ran."""
    longest = None
    for file in filter(None, machine.parsed.values()):
        for node, given in _timers(file):
            if (file.source.path, node.start_byte) in machine.run_timers or not _answers(node, given):
                continue
            for number in (
                part for part in walk(_spelled_out(node, given.named_children[-1])) if part.type == "number"
            ):
                text = text_of(number).replace("_", "")
                if is_whole(text):
                    longest = max(longest or 0.0, int(text) / 1000)
    return longest


def _spelled_out(timer: Node, time: Node) -> Node:
    """What a timer's time is: where it is a variable of a function around it, what that is set to."""
    here = timer.parent if time.type == "identifier" else None
    while here is not None:
        for child in here.named_children if here.type == "statement_block" else ():
            for declared in child.named_children if child.type.endswith("declaration") else ():
                name, value = declared.child_by_field_name("name"), declared.child_by_field_name("value")
                if name is not None and value is not None and text_of(name) == text_of(time):
                    return value
        here = here.parent
    return time


@once
def _timers(file: File) -> list[tuple[Node, Node]]:
    """The calls that set a timer, with what they are given."""
    found: list[tuple[Node, Node]] = []
    if not any(timer.decode() in file.source.text for timer in _TIMERS):
        return found
    for node in walk(file.root):
        if node.type == "call_expression":
            function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
            if function is not None and given is not None and function.text in _TIMERS:
                found.append((node, given))
    return found


def _answers(timer: Node, given: Node) -> bool:
    """Whether a request waits for a timer: its callback answers, or it stands in a function given to a route."""
    if not given.named_children:
        return False
    called = (part.child_by_field_name("property") for part in walk(given) if part.type == "member_expression")
    if any(name is not None and text_of(name) in _ANSWERS for name in called):
        return True
    node = timer.parent
    while node is not None:
        if node.type == "arguments" and node.parent is not None and node.parent.type == "call_expression":
            function = node.parent.child_by_field_name("function")
            name = function.child_by_field_name("property") if function is not None else None
            if name is not None and text_of(name) in _ROUTES:
                return True
        node = node.parent
    return False


_ANSWERS = ("end", "send", "json", "sendFile", "render", "writeHead")
_ROUTES = ROUTES | {"on", "addListener"}
_TIMERS = (b"setTimeout", b"sleep", b"delay", b"wait")
