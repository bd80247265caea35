"""Queues that threads take from: whether each of them gets a sentinel, and whether `join()` is told of every item."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.values import FROM_OUTSIDE, LOST_TRACK, Const, Function, Thing, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine

_PUTS = ("put", "put_nowait")


def put(machine: Machine, queue: Thing, method: str) -> None:
    """Something is put into a queue after the signal: once, or as often as it takes."""
    if method not in _PUTS:
        return
    if machine.aside:
        machine.refilled.add(id(queue))
    known = queue.store.get("#puts", Const(0))
    counts = isinstance(known, Const) and not machine.repeats
    machine.write(queue.store, "#puts", Const(known.value + 1) if counts else FROM_OUTSIDE)  # type: ignore[attr-defined]


def has_one_left(machine: Machine, queue: Thing) -> bool:
    """Whether what was put into a queue is enough for the thread that now takes from it, too."""
    count = queue.store.get("#puts")
    taker = machine.checking[-1] if machine.checking else None
    if taker is None or id(queue) in machine.refilled or not isinstance(count, Const):
        return True
    takers = machine.takers.setdefault(id(queue), [])
    if taker not in takers:
        if taker.store.get("#many") is not None or len(takers) >= count.value:
            return False
        takers.append(taker)
    return True


def feed(machine: Machine, queue: Thing, method: str, node: ast.AST) -> None:
    """A thread or task beside the main thread, or a loop in it, puts something into a queue before the signal."""
    if method in _PUTS:
        loop = machine.loops[-1].node if machine.loops else None
        machine.puts.setdefault(id(queue), {})[node] = (machine.module, loop)
    is_open = queue.kind == "multiprocessing.Queue" and "#first" not in queue.store and not machine.aside
    if method in _PUTS and is_open and any(isinstance(loop.node, ast.While) for loop in machine.loops):
        machine.piped.append(queue)
    if method in _PUTS and machine.bodies:
        known = machine.feeders.setdefault(id(queue), [])
        if machine.bodies[-1] not in known:
            known.append(machine.bodies[-1])


def overfills(machine: Machine) -> bool:
    """Whether the program goes on filling a queue between processes whose readers it then terminates.

    Python waits at exit until all that was put there is in the pipe, which only a reader makes room in.
    """
    children = [value for key, value in machine.world.items() if isinstance(key, tuple) and key[0] == "child"]
    killed = any(isinstance(child, Thing) and "#terminated" in child.store for child in children)
    return killed and any(
        not any((kind, "cancel_join_thread") in queue.store for kind in ("called", "called after"))
        for queue in machine.piped
    )


def runs_empty(machine: Machine) -> bool:
    """Whether the queue that the main thread takes from runs empty: all that put into it come to their end."""
    from gracelint.behaviour.python.beside import finishes

    feeders = machine.feeders.get(id(machine.taken_from), []) if machine.taken_from is not None else []
    return bool(feeders) and all(
        thing.node is not None and finishes(machine, thing, thing.node) is True for thing in feeders
    )


def take(machine: Machine, queue: Thing, node: ast.AST) -> None:
    """A thread takes from a queue: the loop around that has to say when an item is done."""
    loop = machine.loops[-1].node if machine.loops else None
    if not machine.arrived:
        machine.tapped.setdefault(id(queue), set()).add(node)
    if machine.aside and isinstance(loop, (ast.While, ast.For, ast.AsyncFor)):
        machine.queues[id(queue)] = queue
        known = machine.takes.setdefault(id(queue), [])
        taker = machine.bodies[-1] if machine.bodies else None
        if (loop, node, taker) not in known:
            known.append((loop, node, taker))


def is_stocked(machine: Machine, queue: Thing, node: ast.AST) -> bool | Unknown:
    """Whether something stands in a queue that is only taken from on the way out: what it was filled with at start.

    Nobody knows it of one that what is taken is put back into, as connections are.
    """
    puts, tapped = machine.puts.get(id(queue), {}), machine.tapped.get(id(queue), ())
    if not machine.arrived or machine.aside or not puts:
        return False
    if node in tapped:
        return LOST_TRACK if _puts_back(machine.frame.function, node) else False
    around = machine.loops[-1].node if machine.loops else None
    loops = [loop for _, loop in puts.values()]
    return True if len(loops) == 1 and _are_as_long(around, loops[0]) and not tapped else LOST_TRACK


def _puts_back(function: Function | None, get: ast.AST) -> bool:
    """Whether the function that takes something from a queue puts it there again."""
    calls = [part for part in ast.walk(function.node) if isinstance(part, ast.Call)] if function is not None else []
    named = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in _PUTS]
    queue = get.func.value if isinstance(get, ast.Call) and isinstance(get.func, ast.Attribute) else None
    return queue is not None and any(ast.dump(call.func.value) == ast.dump(queue) for call in named)  # type: ignore[attr-defined]


def _are_as_long(one: ast.AST | None, other: ast.AST | None) -> bool:
    """Whether two loops go over the same: `for _ in range(self.size)`."""
    return isinstance(one, ast.For) and isinstance(other, ast.For) and ast.dump(one.iter) == ast.dump(other.iter)


def is_told(machine: Machine, queue: Thing) -> bool | Unknown:
    """Whether `join()` returns: somebody goes on to take from the queue, and says so of each item.

    Where all that took from it are cancelled, it depends on what is left in the queue.
    """
    takes = machine.takes.get(id(queue), [])
    cancelled = takes and all(taker is not None and "#cancelled" in taker.store for _, _, taker in takes)
    return LOST_TRACK if cancelled or any(_forgets(loop, node) for loop, node, _ in takes) else True


def _forgets(loop: ast.While | ast.For | ast.AsyncFor, node: ast.AST) -> bool:
    """Whether a way through a loop goes on to the next item without `task_done()`."""
    said, forgets = _walk(loop.body, node, taken=False, said=False)
    return forgets or not (said or _says(loop.body) is False)


def _walk(body: list[ast.stmt], get: ast.AST, *, taken: bool, said: bool) -> tuple[bool, bool]:
    """Whether it is said on the way through statements, and whether `continue` comes before that."""
    for statement in body:
        here = taken or any(part is get for part in ast.walk(statement))
        if isinstance(statement, ast.Continue):
            return True, taken and not said
        if isinstance(statement, (ast.Break, ast.Return, ast.Raise)):
            return True, False
        if isinstance(statement, ast.If):
            ways = [_walk(part, get, taken=taken, said=said) for part in (statement.body, statement.orelse)]
            if any(forgets for _, forgets in ways):
                return said, True
            said = said or all(way for way, _ in ways)
        elif isinstance(statement, ast.Try):
            if _says(statement.finalbody):
                return True, False
            inner, forgets = _walk([*statement.body, *statement.orelse], get, taken=taken, said=said)
            if forgets:
                return said, True
            said = said or inner
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            said, forgets = _walk(statement.body, get, taken=taken, said=said)
            if forgets:
                return said, True
        else:
            said = said or _says([statement])
        taken = here
    return said, False


def _says(body: list[ast.stmt]) -> bool:
    calls = (part for statement in body for part in ast.walk(statement) if isinstance(part, ast.Call))
    return any(isinstance(call.func, ast.Attribute) and call.func.attr == "task_done" for call in calls)
