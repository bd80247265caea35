"""Work that is still queued when the program ends, in a pool, an executor or a queue, which is waited for."""

from __future__ import annotations

import ast
import math

from gracelint.behaviour.python.account import BRIEF, own_seconds, span_of
from gracelint.behaviour.python.clients import reaction
from gracelint.behaviour.python.midway import upwards
from gracelint.behaviour.python.objects import length_of
from gracelint.behaviour.python.registry import EXECUTORS, POOLS
from gracelint.behaviour.python.streams import last_name
from gracelint.behaviour.python.values import NONE, Const, Thing
from gracelint.facts.program import Cause, Reaction
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.behaviour.python.ends import Point
    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.modules import Module
    from gracelint.behaviour.python.reaction import Run
    from gracelint.behaviour.python.values import Store, Value
    from gracelint.source import Span

_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_FEW = 8
"""Workers, where the source does not say how many."""


def backlog(signal: str, run: Run, ended: Reaction) -> Reaction:
    """The same end, later by what is queued; unknown where more is handed out than is done."""
    for pool, task in _waited_for(run):
        seconds, call, module = own_seconds(run.machine, task), task.node, task.module
        if seconds is None or seconds < BRIEF or module is None or not isinstance(call, ast.Call):
            continue
        loop, workers = _loop_around(module.tree, call, task.store.get("#loop")), _number_of(pool)
        globals_ = run.machine.stores.get(module.name, {})
        count = _length(call.args[1], globals_) if _is_map(call) else _rounds(module.tree, call, globals_)
        place = call if _is_map(call) or loop is None else loop
        what = f"what `{module.span(place).text.splitlines()[0]}` hands out"
        is_behind = loop is not None and not _keeps_up(run.machine, loop, seconds / (workers or _FEW))
        if _is_dropped(run.machine, pool):
            if is_behind and isinstance(loop, ast.While):
                why = f"what is still queued of {what} is cancelled: more is handed out than is done"
                return reaction(signal, Verdict.CUT, Cause.ABRUPT_EXIT, why, module.span(call))
        elif count is not None and workers is not None:
            ended = _later(signal, ended, count * seconds / workers, what, module.span(call))
        elif count is None and is_behind:
            why = f"how much of {what} is still queued, which takes {seconds:g} s each, is only known when it runs"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, module.span(call))
    return ended


def forgotten(signal: str, machine: Machine, ended: Reaction) -> Reaction:
    """The same end; unknown where more is put into a queue than those take out of it who then look at a flag."""
    for key, queue in machine.queues.items():
        takes = machine.takes.get(key, [])
        takers = {id(taker): taker for _, _, taker in takes if taker is not None}
        if not machine.puts.get(key) or _is_emptied(machine, queue) or any(map(_is_cancelled, takers.values())):
            continue
        seconds = max((_of_an_item(machine, loop, taker) for loop, _, taker in takes), default=0.0)
        workers = len(takers)
        counts = [_put(machine, node, module, loop, seconds) for node, (module, loop) in machine.puts[key].items()]
        count = sum(counts)
        takes_long = workers and count < math.inf and (seconds >= BRIEF or seconds * (count / workers - 1) >= BRIEF)
        if takes_long and workers < count and takes[0][2] is not None:
            why = f"what is left in the queue when those end that take {seconds:g} s for each piece is forgotten"
            why = f"whether anything is lost is not known: {why}"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span_of(takes[0][2]))
    return ended


def _is_emptied(machine: Machine, queue: Thing) -> bool:
    """Whether somebody sees to what is still in a queue: a sentinel comes last, it is joined, or asked for more."""
    asks = any(f".{name}(" in source.text for source in machine.modules.sources() for name in _ASKS)
    return asks or any(map(_joins_a_queue, machine.leaving)) or "#puts" in queue.store


def _joins_a_queue(wait: Point) -> bool:
    return wait.kind == "queue.join" or (wait.kind == "wait-for" and ".join(" in wait.what)


_ASKS = ("empty", "qsize", "get_nowait")


def _is_cancelled(taker: Thing) -> bool:
    return "#cancelled" in taker.store


def drained_in(machine: Machine, queue: Thing) -> float:
    """Seconds until all that may be in a queue is done; infinite where more is put into it than is taken out."""
    takes, puts = machine.takes.get(id(queue), []), machine.puts.get(id(queue), {})
    takers = {id(taker): taker for _, _, taker in takes if taker is not None}
    seconds = max((_of_an_item(machine, loop, taker) for loop, _, taker in takes), default=0.0)
    if not seconds or not takers:
        return 0.0
    nodes = {taker.node: taker.module for taker in takers.values()}
    copies = [_copies(module.tree, node) for node, module in nodes.items() if node is not None and module is not None]
    workers = max(len(takers), sum(copies))
    counts = [_put(machine, node, module, loop, seconds / workers) for node, (module, loop) in puts.items()]
    most = _most_in(queue)
    count = min(sum(counts), math.inf if most is None else most + workers)
    return max(count * seconds / workers, seconds if count else 0.0)


def _put(machine: Machine, call: ast.AST, module: Module, loop: ast.AST | None, seconds: float) -> float:
    """How many items that one call puts into a queue may be in there, if one is done in so many seconds."""
    globals_ = machine.stores.get(module.name, {})
    count = _rounds(module.tree, call, globals_) if isinstance(call, ast.Call) else None
    if count is None and isinstance(loop, ast.For):
        count = _length(loop.iter, globals_)
    if count is not None or not isinstance(loop, ast.While):
        return count or 1
    points = [point for point in (*machine.facts.points, *machine.facts.aside) if _is_in(point, loop)]
    pauses = {point.node: point.limit for point in points}
    pause = sum(limit or 0 for limit in pauses.values())
    return math.inf if pauses and None not in pauses.values() and pause < seconds else 1


def _is_in(point: Point, loop: ast.AST) -> bool:
    return bool(point.loops) and point.loops[-1].node is loop


def _of_an_item(machine: Machine, loop: ast.AST, taker: Thing | None) -> float:
    """Seconds that a loop pauses for each item that it takes."""
    within = (point for thing, point in machine.facts.working if thing is taker and point.kind == "sleep")
    pauses = {point.node: point.limit or 0 for point in within if any(one.node is loop for one in point.loops)}
    tree = taker.module.tree if taker is not None and taker.module is not None else None
    return sum(limit for node, limit in pauses.items() if tree is None or not _is_a_choice(tree, node))


def _is_a_choice(tree: ast.AST, node: ast.AST) -> bool:
    """Whether a pause is made only where there is nothing to do, or something goes wrong."""
    for _, above in upwards(tree, node):
        if isinstance(above, (ast.ExceptHandler, ast.If)):
            return True
        if isinstance(above, (*_LOOPS, ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
    return False


def _copies(tree: ast.AST, node: ast.AST) -> int:
    """How often a comprehension or loop around a call makes it."""
    for _, above in upwards(tree, node):
        if isinstance(above, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            return _length(above.generators[0].iter, {}) or 1
        if isinstance(above, ast.For):
            return _length(above.iter, {}) or 1
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return 1
    return 1


def _most_in(queue: Thing) -> int | None:
    """The `maxsize` of a queue; None where it takes any number."""
    call = queue.node
    given = [word.value for word in call.keywords if word.arg == "maxsize"] if isinstance(call, ast.Call) else []
    first = next(iter([*(call.args if isinstance(call, ast.Call) else ()), *given]), None)
    size = first.value if isinstance(first, ast.Constant) else None
    return size if isinstance(size, int) and size > 0 else None


def _waited_for(run: Run) -> Iterator[tuple[Thing, Thing]]:
    """What is given to pools and executors that the program waits for."""
    states = {each.node: each.store for each in run.machine.facts.children}
    for pool, task in run.before.facts.handed:
        state = states.get(pool.node, {})
        is_joined = pool.kind in POOLS and "#joined" in state and "#terminated" not in state
        if is_joined or pool.kind in EXECUTORS:
            yield pool, task


def _is_dropped(machine: Machine, pool: Thing) -> bool:
    """Whether an executor is told to forget what is queued in it."""
    return any(each.node is pool.node and "#cancelled" in each.store for each in machine.facts.children)


def _loop_around(tree: ast.AST, call: ast.Call, outer: Value | None) -> ast.While | ast.For | ast.AsyncFor | None:
    """The loop that hands out a task, and does not await it: of its function, or the `outer` one that calls that."""
    for _, above in upwards(tree, call):
        if isinstance(above, ast.Await):
            return None
        if isinstance(above, _LOOPS):
            return above
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            break
    return outer.value if isinstance(outer, Const) else None


def _is_map(call: ast.Call) -> bool:
    return "map" in last_name(call.func) and len(call.args) > 1


def _rounds(tree: ast.AST, call: ast.Call, names: Store) -> int | None:
    """How often the loops of its function come to a call."""
    count = None
    for _, above in upwards(tree, call):
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            break
        if isinstance(above, _LOOPS):
            length = _length(above.iter, names) if isinstance(above, ast.For) else None
            if length is None:
                return None
            count = (1 if count is None else count) * length
    return count


def _length(values: ast.expr, names: Store) -> int | None:
    """How many there are, where that stands in the text or is known of a name of the module."""
    if isinstance(values, (ast.Tuple, ast.List)):
        return len(values.elts)
    if isinstance(values, ast.Name):
        return length_of(names.get(values.id, NONE))
    if isinstance(values, ast.Call) and last_name(values.func) == "range":
        given = [number for one in values.args if (number := _number(one, names)) is not None]
        return len(range(*given)) if given and len(given) == len(values.args) else None
    return None


def _number(node: ast.expr, names: Store) -> int | None:
    known = names.get(node.id) if isinstance(node, ast.Name) else None
    number = node.value if isinstance(node, ast.Constant) else known.value if isinstance(known, Const) else None
    return number if isinstance(number, int) else None


def _keeps_up(machine: Machine, loop: ast.AST, seconds: float) -> bool:
    """Whether a loop hands out no more than so many, or waits for a result or as long as a worker needs."""
    is_bounded = isinstance(loop, ast.While) and isinstance(loop.test, ast.Compare)
    if is_bounded or any(isinstance(part, ast.Call) and _holds(part) for part in ast.walk(loop)):
        return True
    within = [point for point in _places(machine) if any(around.node is loop for around in point.loops)]
    pauses = any(point.kind in ("sleep", "event-wait") and (point.limit or 0) >= seconds for point in within)
    return pauses or any(point.kind in _FOR_RESULTS for point in within)


def _holds(call: ast.Call) -> bool:
    """Whether a loop hands out no more until something is done: `futures.wait(given)` is no `event.wait()`."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    name = last_name(call.func)
    return name in _HOLDS or (name == "wait" and (owner is None or last_name(owner) == "futures"))


def _places(machine: Machine) -> Iterator[Point]:
    """Where the main thread was found, and where others wait."""
    if machine.arrival is not None:
        yield machine.arrival
    yield from machine.facts.aside


_HOLDS = ("acquire", "result", "as_completed")
_FOR_RESULTS = ("result", "futures", "gather")


def _number_of(pool: Thing) -> int | None:
    """The workers that its call names."""
    call = pool.node
    if not isinstance(call, ast.Call):
        return None
    named = [word.value for word in call.keywords if word.arg in ("max_workers", "processes")]
    first = next(iter([*call.args, *named]), None)
    is_number = isinstance(first, ast.Constant) and isinstance(first.value, int) and first.value > 0
    return first.value if is_number else None  # type: ignore[union-attr]


def _later(signal: str, ended: Reaction, seconds: float, what: str, span: Span) -> Reaction:
    if seconds <= (ended.delay or 0):
        return ended
    why = f"it waits for all of {what}, which takes {seconds:g} s"
    return reaction(signal, Verdict.HANDLED, Cause.GRACEFUL, why, span, delay=seconds)
