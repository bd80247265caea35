"""Servers that are left with requests in flight when the program ends."""

from __future__ import annotations

import ast

from gracelint.behaviour.python.beside import is_daemon
from gracelint.behaviour.python.ends import Point
from gracelint.behaviour.python.registry import PROCESSES
from gracelint.behaviour.python.values import Bound, Const, Later, Thing, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.python.machine import Machine


def left_behind(machine: Machine, point: Point) -> Point | None:
    """A server that is all the program does, in a daemon thread that nobody stops and waits for."""
    if point.kind not in ("event-wait", "pause", "sigwait", "sleep") or not _does_nothing_else(point):
        return None
    for thread, serving in machine.facts.beside:
        receiver = serving.receiver
        asked = receiver is not None and any(
            key[0] == "called after" for key in receiver.store if isinstance(key, tuple)
        )
        asked = asked or (receiver is not None and "should_exit" in receiver.store)
        if daemon_requests(serving):
            from gracelint.behaviour.python.instant import answers_at_once

            if not answers_at_once(machine):
                return serving
        if is_daemon(thread) and not asked and thread.node not in machine.ended:
            return serving
    return None


def killed_child(machine: Machine, point: Point) -> Thing | None:
    """A daemon process that does all the work, and is killed when its parent ends without any cleanup."""
    if machine.thrown is None or machine.cleaned or machine.ended or not _does_nothing_else(point):
        return None
    processes = [thing for thing in machine.facts.children if thing.kind in PROCESSES]
    return next((thing for thing in processes if is_daemon(thing)), None)


def left_open(machine: Machine, point: Point) -> tuple[Point, str, bool] | None:
    """A server that is all the program does, beside a main thread that ends before it: what started it, why, and
    whether that is sure."""
    tasks = [thing for thing in machine.facts.children if _serves(thing)]
    stay = [thing for thing in machine.facts.children if thing not in tasks and not is_daemon(thing)]
    if machine.delay != 0 or stay or not (point.serves or _does_nothing_else(point)):
        return None
    waits = machine.arrival or point
    asked = waits.receiver.store if waits.receiver is not None else {}
    if any(isinstance(value, Unknown) for key, value in asked.items() if isinstance(key, tuple)):
        return None
    for thing, where, row in machine.facts.listening:
        owners = [thing, thing.store.get("#first"), thing.store.get("#starter")]
        nodes = [owner.node for owner in owners if isinstance(owner, Thing)]
        called = {name for node in nodes if node for name in machine.closing.get(node, ())}
        called |= {"close", "wait_closed"} if tasks else set()  # as serve_forever() does when it is cancelled
        refused = not called.isdisjoint(row.get("refuses", ()))
        if refused and (machine.facts.counted or _only_talks(machine)):
            continue
        if called.isdisjoint((*row["closes"], "end")):
            return where, _why_open(where, row, called), True
        breaks = next((name for name in row.get("breaks", ()) if name in called), None)
        if breaks is not None and _awaits_in_a_request(machine):
            why = f"`{breaks}()` ends the connections that `{where.what}` has, with the requests in flight"
            return where, why, True
        if "lingers" in row:
            from gracelint.behaviour.python.connections import cancelled

            found = cancelled(machine, thing, where, row, called)
            if found is not None:
                return found
    return None


def _serves(task: Thing) -> bool:
    """Whether a task is `server.serve_forever()` of asyncio."""
    target = task.store.get("#target")
    function = target.function if isinstance(target, Later) else target
    return task.kind == "asyncio.Task" and isinstance(function, Bound) and function.name == "serve_forever"


def _awaits_in_a_request(machine: Machine) -> bool:
    """Whether a handler of the project gives way before it has answered, so that the signal finds it at work."""
    from gracelint.behaviour.python.streams import functions, trees
    from gracelint.behaviour.python.work import REQUESTS

    handlers = (node for _, tree in trees(machine.modules.sources(), ("async",)) for node in functions(tree))
    return any(isinstance(part, ast.Await) for node in handlers if node.name in REQUESTS for part in ast.walk(node))


def _only_talks(machine: Machine) -> bool:
    """Whether all that the project answers are messages of websockets, at once, which it closes."""
    from gracelint.behaviour.python.streams import functions, trees
    from gracelint.behaviour.python.work import REQUESTS

    read = [tree for _, tree in trees(machine.modules.sources(), ("WebSocketHandler", "RequestHandler"))]
    own = [node for tree in read for node in functions(tree)]
    talks = any(node.name == "on_message" for node in own)
    answers = any(node.name in REQUESTS or isinstance(node, ast.AsyncFunctionDef) for node in own if _is_method(node))
    closes = any(isinstance(part, ast.Attribute) and part.attr == "close" for tree in read for part in ast.walk(tree))
    return talks and closes and not answers


def _is_method(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return bool(node.args.args) and node.args.args[0].arg == "self"


def _why_open(where: Point, row: dict[str, Any], called: set[str]) -> str:
    server, refuses = row["server"], next((name for name in row.get("refuses", ()) if name in called), None)
    if refuses is None:
        return f"the main thread ends, and nothing closes what `{where.what}` started: {server} drops its requests"
    return (
        f"`{refuses}()` takes no more connections, and the main thread ends without waiting for those that "
        f"`{where.what}` has: {server} drops their requests"
    )


def _does_nothing_else(point: Point) -> bool:
    """Whether the main thread only waits: once, or in a loop that does nothing but wait."""
    loops = [loop.node for loop in point.loops if isinstance(loop.node, ast.While)]
    return all(_is_bare(loop, point.node) for loop in loops) if loops else point.seconds is None


def _is_bare(loop: ast.While, wait: ast.AST) -> bool:
    waits = [part for part in loop.body if any(each is wait for each in ast.walk(part))]
    asks = any(part is wait for part in ast.walk(loop.test))
    if not (waits or asks) or any(isinstance(part, ast.Try) for part in waits):
        return False
    return all(part in waits or _only_says(part) for part in loop.body)


def _only_says(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    from gracelint.behaviour.python.midway import first_act

    return isinstance(statement, ast.Expr) and first_act([statement]) is None


def daemon_requests(point: Point) -> bool:
    """http.server.ThreadingHTTPServer has daemon_threads = True; elsewhere the source says so."""
    thing = point.receiver
    if thing is None or point.serves is None or not point.serves.get("deadlock"):
        return False
    own = thing.store.get("daemon_threads") or (thing.cls.find("daemon_threads") if thing.cls is not None else None)
    if isinstance(own, Const):
        return bool(own.value) and "Thread" in _family(thing)
    return thing.kind == "http.server.ThreadingHTTPServer"


def serves_in_threads(point: Point) -> bool:
    """Whether each request of a server has a thread of its own."""
    return point.receiver is not None and "Thread" in _family(point.receiver)


def _family(thing: Thing) -> str:
    bases = " ".join(ast.unparse(base) for base in thing.cls.node.bases) if thing.cls is not None else ""
    return f"{thing.kind} {bases}"
