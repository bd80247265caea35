"""Work under way when a program exits: a job of a loop, a timer or a consumer that the handler does not wait for.

A loop that awaits the project's own functions is nearly always inside one of them. A timer's or consumer's job counts
where its source says how long it takes.
"""

from __future__ import annotations

from gracelint.base.memory import fleeting
from gracelint.behaviour.node.doing import callee, function_of, inside, seconds_of, sleeps_for
from gracelint.behaviour.node.modules import ROUTES
from gracelint.behaviour.node.rehearsal import BRIEF, Job, jobs, may_have_jobs
from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.syntax import FUNCTIONS, NAMES, given_first, name_of
from gracelint.behaviour.node.timing import flat, time_of
from gracelint.behaviour.node.values import Closure
from gracelint.behaviour.node.values import name_of as named
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Event
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.syntax import File
    from gracelint.behaviour.node.values import After, Thing
    from gracelint.source import Span


def under_way(event: Event, stopped: Stopped, start: Callable[[], Machine]) -> tuple[bool, str] | None:
    """The job that an exit cuts short, or with False may cut short; None where all are waited for, or brief."""
    machine = stopped.machine
    limit = _limit(event.after)
    waits = time_of(event.after) or 0.0 if limit is None else limit
    sees = event in stopped.direct and (limit is not None or not looks_at_work(machine, stopped.ran))
    is_sure = sees and all(map(_passes, event.after))
    only_closes = sees and all(_passes(part) or part.kind == "drained" for part in event.after)
    open_ = [thing for thing in machine.things if thing in stopped.opened or thing.kind == "channel"]
    left = [thing for thing in open_ if thing.certain and not _is_awaited(thing, event, machine)]
    busy = next((thing for thing in left if works(machine, thing, waits)), None)
    if busy is not None and is_sure:
        return True, f"what {named(busy)} does"
    if limit is None and waits_for_work(machine, stopped.ran, event.span):
        return None
    known = jobs(start) if may_have_jobs(machine) else ()
    late = [job for job in known if _skips(machine, job, stopped.ran) or not _is_over(job, waits, event, machine)]
    late = [job for job in late if not _is_done_instead(job, stopped.ran)]
    late = [job for job in late if job.kind != "steps" or _is_all_there_is(stopped) or job.seconds is not None]
    job = next((job for job in late if _is_certain(job, stopped)), next(iter(late), None))
    if job is not None and _is_certain(job, stopped) and (is_sure or only_closes):
        return True, job.name
    raced = {key for _, keys in machine.races for key in keys}
    busy = busy or next((thing for thing in left if thing.kind == "loop" and id(thing) in raced), None)
    if busy is not None and busy.kind == "loop":
        return False, f"what {named(busy)} does"
    return (False, job.name) if job is not None else None


def _is_all_there_is(stopped: Stopped) -> bool:
    """Whether nothing but the steps of its start keeps a program running."""
    return not any(thing.alive and "steps" not in thing.settings for thing in stopped.opened)


def keeps_itself_busy(stopped: Stopped, start: Callable[[], Machine]) -> Job | None:
    """A job of an unref'd interval that begins again before it is done: what is under way keeps node running."""
    machine = stopped.machine
    loose = [thing.span for thing in machine.things if thing.kind == "interval" and thing.alive is False]
    cleared = [event.thing.span for event in stopped.events if event.kind == "release" and event.thing is not None]
    for job in jobs(start) if loose else ():
        overlaps = job.every and (job.seconds or 0.0) >= job.every and not _looks_at_itself(job)
        if overlaps and job.span in loose and job.span not in cleared:
            return job
    return None


def _looks_at_itself(job: Job) -> bool:
    """Whether a job looks at what it sets, as one does that does not begin before the last is done."""
    parts = [*walk(job.function.node)] if isinstance(job.function, Closure) else []
    names = _sets(parts)
    asked = (part.child_by_field_name("condition") or part for part in parts if part.type in _ASKS)
    return any(text_of(here) in names for part in asked for here in walk(part) if here.type in NAMES)


def _is_awaited(thing: Thing, event: Event, machine: Machine) -> bool:
    """Whether an exit comes after the end of a loop."""
    if any(part.thing is thing and part.kind == "loop" for part in event.after):
        return True
    end = machine.resolved.get(id(thing))
    return bool(end) and all(part in event.after for part in end or ())


def _skips(machine: Machine, job: Job, ran: frozenset[tuple[str, int]]) -> bool:
    """Whether a handler calls what a job takes its time for, and that comes back at once while the job is at it."""
    function = job.function
    if not isinstance(function, Closure) or (job.seconds or 0.0) < BRIEF:
        return False
    frame = Frame(function.scope, function.file, (), function.this)
    calls = (node for node in inside(function.node) if node.type == "call_expression")
    done = [function.node, *(one.node for call in calls if isinstance(one := callee(machine, call, frame), Closure))]
    return any((function.file.source.path, node.start_byte) in ran and _is_guarded(node) for node in done)


def _is_done_instead(job: Job, ran: frozenset[tuple[str, int]]) -> bool:
    """Whether a handler calls at once what a request has a timer call later."""
    function = job.function
    if job.kind != "request" or not isinstance(function, Closure):
        return False
    return (function.file.source.path, function.node.start_byte) in ran and not _is_guarded(function.node)


def _is_guarded(function: Node) -> bool:
    """Whether it returns at once while it is under way already, as a flag says."""
    return bool(guards(function))


def guards(function: Node) -> frozenset[str]:
    """The flags that say so: `if (this.flushing) return; this.flushing = true; await …; this.flushing = false;`"""
    up, down = set[str](), set[str]()
    for node in inside(function):
        left = node.child_by_field_name("left") if node.type == "assignment_expression" else None
        if left is not None and text_of(node).endswith(("true", "false")):
            (up if text_of(node).endswith("true") else down).add(name_of(left))
    flags = up & down
    tests = (node for node in inside(function) if flags and node.type == "if_statement")
    return frozenset(flags) if any(_leaves_for(node, flags) for node in tests) else frozenset()


def _leaves_for(branch: Node, flags: set[str]) -> bool:
    test, then = branch.child_by_field_name("condition"), branch.child_by_field_name("consequence")
    asked = {name_of(part) for part in walk(test) if part.type in NAMED} if test is not None else set()
    if then is not None and then.type == "statement_block":
        then = then.named_children[-1] if then.named_children else None
    return bool(asked & flags) and then is not None and then.type == "return_statement" and not then.named_children


def _is_over(job: Job, waits: float, event: Event, machine: Machine) -> bool:
    """Whether a job is hardly under way, or done by then: a server answers its requests, a library is told to end."""
    if job.waits and job.waits <= {part.span for part in flat(event.after)}:
        return True
    if job.seconds is not None and (job.seconds <= BRIEF or job.seconds < 2 * waits):
        return True
    root, _, call = job.path.partition(".")
    kinds = {part.kind for part in event.after}
    if call.rpartition(".")[2] in ROUTES and "drained" in kinds:
        return True
    is_told = bool(root) and any(path.split("(")[0].partition(".")[0] == root for path in machine.asked)
    return is_told and not kinds.isdisjoint(("work", "unknown"))


def _is_certain(job: Job, stopped: Stopped) -> bool:
    """Whether it is surely under way, or may be for long."""
    if job.kind == "steps":
        only_says = all(event.kind in ("exit", "log", "flag") for event in stopped.events)
        return _is_all_there_is(stopped) and only_says
    return job.seconds is not None and not job.path


def _passes(part: After) -> bool:
    return part.kind in _PASSES or (part.kind == "race" and _limit((part,)) is not None)


def _limit(after: tuple[After, ...]) -> float | None:
    """The seconds after which a race is given up, whatever else is in it; None where there is none."""
    times = (
        time_of(parts) for race in after for parts in race.parts if parts and all(p.kind == "timer" for p in parts)
    )
    return min((time for time in times if time is not None), default=None)


_PASSES = ("closed", "ended", "timer")
"""What may come before an exit that still cuts work short."""


def works(machine: Machine, thing: Thing, waits: float = 0.0) -> bool:
    """Whether what a loop, a timer or a consumer does takes its time: more than is waited for it."""
    if thing.kind == "loop" and thing.data is not None:
        _, body, frame, _ = thing.data
        return body is not None and any(_is_job(machine, node, frame, waits) for node in inside(body))
    jobs = list(thing.callbacks.get("job", ()))
    if thing.kind == "interval" and isinstance(thing.data, tuple):
        jobs.append(thing.data[0])
    return any(seconds_of(machine, job) >= max(BRIEF, 2 * waits) for job in jobs if isinstance(job, Closure))


def _mapped(machine: Machine, call: Node, frame: Frame) -> object:
    """The function that `Promise.all(jobs.map(perform))` calls for each."""
    called, given = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if called is None or given is None or text_of(called) not in _ALL or not given.named_children:
        return None
    listed = given.named_children[0]
    function, each = listed.child_by_field_name("function"), listed.child_by_field_name("arguments")
    if function is None or each is None or name_of(function) != "map" or not each.named_children:
        return None
    return function_of(machine, each.named_children[0], frame)


def _is_job(machine: Machine, node: Node, frame: Frame, waits: float) -> bool:
    """Whether it awaits a function of the project that takes time, and does not just fetch the next job."""
    call = node.named_children[0] if node.type == "await_expression" and node.named_children else None
    if call is None or call.type != "call_expression" or node.parent is None:
        return False
    given = call.child_by_field_name("arguments")
    fetches = node.parent.type != "expression_statement" and not (given is not None and given.named_children)
    done = _mapped(machine, call, frame) or callee(machine, call, frame)
    if fetches or not isinstance(done, Closure) or sleeps_for(done) is not None:
        return False
    if seconds_of(machine, done) >= max(BRIEF, 2 * waits):
        return True
    return not waits and any(part.type == "await_expression" for part in inside(done.node))


# What a handler asks of the work


@fleeting(1)
def looks_at_work(machine: Machine, ran: frozenset[tuple[str, int]]) -> bool:
    """Whether the functions that a handler ran may wait for work, or look at what work has set."""
    handlers, set_by_work = ran_by_handlers(machine, ran)
    return any(_waits(node, set_by_work) for _, handler in handlers for node in walk(handler))


def waits_for_work(machine: Machine, ran: frozenset[tuple[str, int]], end: Span) -> bool:
    """Whether one of them goes on only once a count or a collection of work has come down, or its promises are kept.

    In the function that has the `end` of the work, a wait behind that comes too late.
    """
    for file, handler, own, waits in _waits_of_handlers(machine, ran):
        if not (file.source is end.source and own.start <= end.start < own.end):
            if waits:
                return True
        elif any(start <= end.start for start in waits) or _is_asked_for(file, handler, end, machine, ran):
            return True
    return False


def _is_asked_for(file: File, handler: Node, end: Span, machine: Machine, ran: frozenset[tuple[str, int]]) -> bool:
    """Whether the end of the work stands in a branch that asks what work has set."""
    _, set_by_work = ran_by_handlers(machine, ran)
    for node in walk(handler):
        if node.type in _BRANCHES:
            here = file.span(node)
            if here.start <= end.start < here.end and _waits(node, set_by_work):
                return True
    return False


@fleeting(1)
def _waits_of_handlers(machine: Machine, ran: frozenset[tuple[str, int]]) -> list[tuple[File, Node, Span, list[int]]]:
    """The functions that a handler ran, where they stand, and where each waits for work that others set."""
    handlers, set_by_work = ran_by_handlers(machine, ran)
    return [
        (file, one, file.span(one), [file.span(n).start for n in walk(one) if _waits_until_done(n, set_by_work)])
        for file, one in handlers
    ]


@fleeting(1)
def ran_by_handlers(machine: Machine, ran: frozenset[tuple[str, int]]) -> tuple[list[tuple[File, Node]], set[str]]:
    """The functions that a handler ran, and the names that all others set."""
    set_by_work: set[str] = set()
    handlers: list[tuple[File, Node]] = []
    for path in machine.modules:
        file = machine.parsed.get(path)
        for node in walk(file.root) if file is not None else ():
            if file is None or node.type not in FUNCTIONS:
                continue
            if (path, node.start_byte) in ran:
                handlers.append((file, node))
            else:
                set_by_work |= _sets(inside(node))
    return handlers, set_by_work


def _waits_until_done(node: Node, set_by_work: set[str]) -> bool:
    """`while (active.size > 0) await …`, `await Promise.all([...running])`, `await current` that the work sets."""
    if node.type == "await_expression" and node.named_children and node.named_children[0].type in NAMED:
        return name_of(node.named_children[0]) in set_by_work
    if node.type in ("while_statement", "do_statement"):
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        names = {text_of(part) for part in walk(condition) if part.type in NAMES} if condition is not None else set()
        waits = body is not None and any(part.type == "await_expression" for part in inside(body))
        return waits and not names.isdisjoint({*set_by_work, "size", "length"})
    if node.type != "call_expression" or text_of(node.child_by_field_name("function") or node) not in _ALL:
        return False
    kept = given_first(node)
    if kept is not None and kept.type == "call_expression":  # `Array.from(running)`, `running.values()`
        called = kept.child_by_field_name("function")
        return called is not None and text_of(called).endswith((".from", ".values"))
    return kept is not None and kept.type in NAMED


_ALL = ("Promise.all", "Promise.allSettled")


def _sets(nodes: Iterable[Node]) -> set[str]:
    found = set()
    for node in nodes:
        if node.type in ("assignment_expression", "augmented_assignment_expression", "update_expression"):
            target = node.child_by_field_name("left") or node.child_by_field_name("argument")
            if target is not None:
                found.add(name_of(target))
    return found


def _waits(node: Node, set_by_work: set[str]) -> bool:
    if node.type in ("while_statement", "do_statement", "for_statement", "for_in_statement", "new_expression"):
        return node.type != "new_expression" or (text_of(node).startswith("new Promise") and not _only_closes(node))
    if node.type == "await_expression":
        return bool(node.named_children) and node.named_children[0].type in NAMED
    if node.type == "call_expression":
        called = node.child_by_field_name("function")
        owner = called.child_by_field_name("object") if called is not None else None
        if called is None or owner is None:
            return False
        return text_of(owner) == "Promise" or (name_of(called) in ("then", "finally") and owner.type in NAMED)
    condition = node.child_by_field_name("condition") if node.type in _BRANCHES else None
    return condition is not None and any(
        part.type in NAMES and text_of(part) in {*set_by_work, "size"} for part in walk(condition)
    )


def _only_closes(promise: Node) -> bool:
    """`new Promise((resolve) => server.close(resolve))`: what the answers have left behind is not waited for."""
    called = [node.child_by_field_name("function") for node in walk(promise) if node.type == "call_expression"]
    members = [
        name_of(function) for function in called if function is not None and function.type == "member_expression"
    ]
    return bool(members) and all(name == "close" for name in members)


NAMED = ("identifier", "member_expression", "subscript_expression")
_ASKS = ("if_statement", "ternary_expression", "binary_expression")
_BRANCHES = ("if_statement", "ternary_expression")
