"""Java's threads, executors, latches, queues and monitors, and the end of the process."""

from __future__ import annotations

from gracelint.behaviour.java import collections, synchronizers
from gracelint.behaviour.java.clients import poll, set_executor, wakeup
from gracelint.behaviour.java.waiting import interruption, now, number, pause, time_of, until
from gracelint.behaviour.machine import library, serving
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Chan,
    Doubt,
    Lib,
    Object,
    Raised,
    Sig,
    Thread,
    Unknown,
    Wait,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Call, Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

_LEAVING = ("Virtual", "ForkJoin", "Cached", "WorkStealing", "PerTask")
"""Executors whose threads do not keep the process."""
_INTERRUPTIBLE = frozenset(("sleep", "join", "latch", "put", "take", "wait", "tasks", "poll", "park", "for ever"))


# threads


def _new_thread(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    one = Object("Thread", given.span)
    one.state["runs"] = next((arg for arg in given.args if not isinstance(arg, (str, int, float, Unknown))), UNKNOWN)
    return one


def _start(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    thread = machine.start(machine.call(of.state.get("runs", of), [], given.span), given.span)
    thread.daemon = of.state.get("daemon") is True
    of.state["thread"] = thread
    return NIL


def _start_virtual(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    one = Object("Thread", given.span)
    one.state["thread"] = thread = machine.start(machine.call(given.argument(0), [], given.span), given.span)
    thread.daemon = True
    return one


def _join(machine: JavaMachine, of: Any, given: Given) -> Run:
    thread = library.thread_of(of)
    seconds = number(given.argument(0), 0.001) if given.args else None
    if thread is None:
        return NIL
    yield from until(machine, "join", given.span, lambda: thread.done, seconds or None)
    return NIL


def _daemon(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    of.state["daemon"] = given.argument(0)
    return NIL


def _interrupt(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    thread = library.thread_of(of)
    if thread is None:
        return NIL
    interrupt(machine, thread, given.span)
    return NIL


def interrupt(machine: JavaMachine, thread: Thread, span: Span) -> None:
    """Ends what a thread waits for, or its next wait, with an InterruptedException."""
    waits = thread is not machine.current and thread.wait is not None and thread.wait.kind in _INTERRUPTIBLE
    if waits:
        if machine.stopping and thread.wait is not None:
            machine.broken_off.append((thread.wait, span))
        thread.thrown = interruption(span)
    else:
        machine.interrupted.add(id(thread))


def _is_alive(of: Any) -> bool:
    thread = library.thread_of(of)
    return thread is not None and not thread.done


def _current(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    thread = machine.current
    found = Object("Thread", given.span)
    known = machine.thread_objects.get(id(thread))
    if known is not None:
        return known
    found.state["thread"] = thread
    machine.thread_objects[id(thread)] = found
    return found


def _is_interrupted(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    thread = library.thread_of(of)
    return id(thread) in machine.interrupted if thread is not None else UNKNOWN


def _interrupted(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    was = id(machine.current) in machine.interrupted
    machine.interrupted.discard(id(machine.current))
    return was


def of_function(machine: JavaMachine, of: Any, name: str, given: Given) -> Run | None:
    """`task.run()`, `handler.accept(x)`; an object whose class is a Thread starts."""
    if isinstance(of, Object):
        if name == "start":
            of.state.setdefault("runs", of)
            return _start(machine, of, given)
        return _join(machine, of, given)
    return machine.call(of, given.args, given.span)


# the end


def _exit(machine: JavaMachine, _: Any, given: Given) -> Run:
    if machine.shutting or machine.halted_at is not None:
        machine.hung = given.span if machine.current in machine.shutting else machine.hung
        yield Wait("for ever", given.span, lambda: False)
    machine.shut(given.span, "exit")
    yield Wait("for ever", given.span, lambda: False)


def _halt(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    machine.halt(given.span)
    yield Wait("for ever", given.span, lambda: False)


def _add_hook(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    machine.hooks.append((given.argument(0, UNKNOWN), given.span))
    machine.register(("SIGTERM", "SIGINT", "SIGHUP"), given.span)
    return NIL


def _new_signal(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    name = given.argument(0)
    return Sig(f"SIG{name}") if isinstance(name, str) else UNKNOWN


def _handle(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    signal = given.argument(0)
    if not isinstance(signal, Sig):
        raise Doubt(f"which signals line {given.span.line} listens for is only known when it runs", given.span)
    if isinstance(given.argument(1), Lib):
        machine.ignored[str(signal)] = given.span
    machine.handlers[str(signal)] = (given.argument(1), given.span)
    machine.register((str(signal),), given.span)
    return NIL


# executors


def _new_pool(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    pool = Object("Pool", given.span)
    pool.state["tasks"] = []
    threads = 1 if "Single" in given.path else given.argument(0) if "Fixed" in given.path else None
    pool.state["threads"] = threads if isinstance(threads, int) and threads > 0 else None
    pool.state["virtual"] = "Virtual" in given.path or "ForkJoin" in given.path
    pool.state["stays"] = not any(one in given.path for one in _LEAVING)
    return pool


def _stay(machine: JavaMachine, pool: Any, span: Span) -> None:
    """The threads of a pool that has had its first task wait for the next, until it is shut down."""
    if pool.state.pop("stays", False):

        def run() -> Run:
            yield Wait("idle", span, lambda: bool(pool.state.get("shut")))
            return NIL

        machine.start(run(), span)


def _submit(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    if of.state.get("shut"):
        raise Raised(("RejectedExecutionException", "RuntimeException", "Exception"), UNKNOWN, given.span)
    _stay(machine, of, given.span)
    thread = machine.start(_in_turn(machine, of, given), given.span)
    thread.body = given.argument(0)
    thread.daemon = bool(of.state.get("virtual"))
    of.state["tasks"].append(thread)
    future = Object("Future", given.span)
    future.state["thread"] = thread
    return future


def _in_turn(machine: JavaMachine, pool: Any, given: Given) -> Run:
    """A task runs as soon as one of the pool's threads is free, unless the pool has been cleared by then."""
    most, at_work = pool.state["threads"], pool.state.setdefault("at work", [])
    if most is not None and len(at_work) >= most:
        yield Wait("queued", given.span, lambda: len(at_work) < most or bool(pool.state.get("cleared")))
        if pool.state.get("cleared"):
            return NIL
    at_work.append(given)
    try:
        value = yield from machine.call(given.argument(0), [], given.span)
    finally:
        at_work.pop()
    return value


def _delayed(machine: JavaMachine, of: Any, given: Given) -> Run:
    """A task that begins later, after `shutdown` too, but not after `shutdownNow`."""
    seconds = time_of(given, 1) or 0.0
    until = machine.now + seconds

    def run() -> Run:
        over = lambda: machine.now >= until or bool(of.state.get("cleared"))  # noqa: E731
        node = (given.span.source.path, given.span.start)
        yield Wait("pause", given.span, over, at=lambda: until, node=node)
        if of.state.get("cleared"):
            return
        if machine.stopped_at is not None and machine.halted_at is None:
            machine.slept = max(machine.slept, machine.now - machine.stopped_at)
        yield from machine.call(given.argument(0), [], given.span)

    if of.state.get("shut"):
        raise Raised(("RejectedExecutionException", "RuntimeException", "Exception"), UNKNOWN, given.span)
    yield from ()
    _stay(machine, of, given.span)
    future = Object("Future", given.span)
    future.state["thread"] = thread = machine.start(run(), given.span)
    of.state["tasks"].append(thread)
    return future


def _repeat(machine: JavaMachine, of: Any, given: Given) -> Run:
    seconds = time_of(given, 2) or 1.0

    def run() -> Run:
        while not of.state.get("shut"):
            machine.step()
            yield from machine.call(given.argument(0), [], given.span)
            yield from until(machine, "pause", given.span, lambda: bool(of.state.get("shut")), seconds)
        return NIL

    yield from ()
    thread = machine.start(run(), given.span)
    thread.body = given.argument(0)
    machine.rounds.append((given.argument(0), given.span))
    of.state["tasks"].append(thread)
    return Object("Future", given.span)


def _shutdown(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    of.state["shut"] = given.span
    return NIL


def _shutdown_now(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    of.state["shut"] = of.state["cleared"] = given.span
    for thread in of.state["tasks"]:
        interrupt(machine, thread, given.span)
    for server in of.state.get("servers", ()):
        serving.drop(machine, server, given.span)
    return []


def _terminated(machine: JavaMachine, of: Any, given: Given) -> Run:
    """Waits for the tasks, and for the requests of servers that answer with this pool."""
    seconds = time_of(given) if given.args else None
    if given.args and seconds is None:
        raise Doubt(f"how long line {given.span.line} waits is only known when it runs", given.span)
    servers = of.state.get("servers", [])
    busy = machine.stopping and any(one.state.get("serving") for one in servers)
    end = machine.idle_at if busy else machine.now
    limit = machine.now + seconds if seconds is not None else None

    def ready() -> bool:
        return bool(of.state.get("shut")) and machine.now >= end and all(one.done for one in of.state["tasks"])

    if machine.stopping:
        machine.waits.append(("close" if busy else "join", given.span, seconds))
    over = lambda: ready() or (limit is not None and machine.now >= limit)  # noqa: E731
    times = [one for one in (end, limit) if one is not None]
    yield Wait("tasks", given.span, over, at=lambda: min((one for one in times if one > machine.now), default=None))
    if ready():
        for one in servers:
            one.state["drained"] = given.span
    elif machine.stopping and seconds is not None:
        machine.gives_up(of.state["tasks"], given.span, seconds)
    return ready()


def _close_pool(machine: JavaMachine, of: Any, given: Given) -> Run:
    of.state["shut"] = given.span
    value = yield from _terminated(machine, of, library.Given(given.path, given.span, [], {}, of))
    return value


# what threads wait for


def _new_latch(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    latch = Object("Latch", given.span)
    latch.state["count"] = given.argument(0)
    return latch


def _count_down(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    count = of.state.get("count")
    of.state["count"] = count - 1 if isinstance(count, int) else 0
    return NIL


def _await(machine: JavaMachine, of: Any, given: Given) -> Run:
    seconds = time_of(given) if given.args else None
    done = lambda: isinstance(of.state.get("count"), int) and of.state["count"] <= 0  # noqa: E731
    value = yield from until(machine, "latch", given.span, done, seconds)
    return value


def _new_future(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    one = Object("Latch", given.span)
    one.state["count"] = 1
    return one


def _run_async(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    one = Object("Future", given.span)
    one.state["thread"] = thread = machine.start(machine.call(given.argument(0), [], given.span), given.span)
    thread.body = given.argument(0)
    thread.daemon = len(given.args) < 2
    return one


def _is_done(future: Any) -> bool:
    thread = library.thread_of(future)
    return thread.done if thread is not None else future.state.get("count") == 0


def _then(machine: JavaMachine, of: Any, given: Given) -> Run:
    """What is to be done once a future is."""

    def run() -> Run:
        if not _is_done(of):
            yield Wait("join", given.span, lambda: _is_done(of))
        value = yield from machine.call(given.argument(0), [UNKNOWN, NIL], given.span)
        return value

    yield from ()
    return _future(machine, run(), given.span)


def _all_of(machine: JavaMachine, _: Any, given: Given) -> Run:
    """Done once all are, or one of them."""
    futures = given.args[0] if len(given.args) == 1 and isinstance(given.args[0], list) else given.args
    enough = any if given.path.endswith("anyOf") else all
    if not all(isinstance(one, Object) for one in futures):
        raise Doubt(f"what line {given.span.line} waits for is only known when it runs", given.span)

    def run() -> Run:
        yield Wait("join", given.span, lambda: enough(map(_is_done, futures)) or not futures)
        return NIL

    yield from ()
    return _future(machine, run(), given.span)


def _future(machine: JavaMachine, run: Run, span: Span) -> Object:
    one = Object("Future", span)
    one.state["thread"] = thread = machine.start(run, span)
    thread.daemon = True
    return one


def _invoke_all(machine: JavaMachine, of: Any, given: Given) -> Run:
    """Submits tasks, and waits for all of them."""
    tasks = given.argument(0)
    if not isinstance(tasks, list):
        raise Doubt(f"what line {given.span.line} waits for is only known when it runs", given.span)
    futures = []
    for one in tasks:
        future = yield from _submit(machine, of, library.Given(given.path, given.span, [one], {}, of))
        futures.append(future)
    done = lambda: all(map(_is_done, futures))  # noqa: E731
    yield from until(machine, "tasks", given.span, done, time_of(given, 1) if len(given.args) > 1 else None)
    return futures


def _get(machine: JavaMachine, of: Any, given: Given) -> Run:
    thread = library.thread_of(of)
    if thread is None:
        return UNKNOWN
    yield from until(machine, "join", given.span, lambda: thread.done, time_of(given) if given.args else None)
    return thread.value if thread.done else UNKNOWN


def _new_queue(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    room = given.argument(0)
    return Chan(room if isinstance(room, int) and room > 0 else _UNBOUNDED, given.span)


def _new_heap(machine: JavaMachine, _: Any, given: Given) -> Run:
    """A queue that grows: the number it gets is the room it begins with."""
    yield from ()
    return Chan(_UNBOUNDED, given.span)


_UNBOUNDED = 1_000_000
"""Elements of a queue that is given no bound."""


def _put(machine: JavaMachine, of: Chan, given: Given) -> Run:
    yield from until(machine, "put", given.span, lambda: len(of.queue) < of.room)
    of.queue.append(given.argument(0))
    return NIL


def queue(machine: JavaMachine, of: Chan, name: str, given: Given) -> Run | None:
    if name == "put":
        return _put(machine, of, given)
    if name in ("add", "offer"):
        of.queue.append(given.argument(0))
        return now(True)
    if name == "take" or (name == "poll" and given.args):
        return _take(machine, of, given)
    if name in ("poll", "remove", "peek"):
        return now(machine.take(of))
    if name == "isEmpty":
        return now(not of.queue)
    return now(UNKNOWN)


def _take(machine: JavaMachine, of: Chan, given: Given) -> Run:
    found = yield from until(
        machine, "take", given.span, lambda: bool(of.queue), time_of(given) if given.args else None
    )
    return machine.take(of) if found else NIL


def _park(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from until(machine, "park", given.span, lambda: False)
    return NIL


STATIC: dict[str, Call] = {
    "Thread.sleep": lambda machine, _, given: pause(machine, given, number(given.argument(0), 0.001)),
    "Thread.currentThread": _current,
    "Thread.interrupted": _interrupted,
    "Thread.startVirtualThread": _start_virtual,
    "System.nanoTime": lambda machine, _, given: now(machine.now * 1e9),
    "System.exit": _exit,
    "Signal.handle": _handle,
    "CompletableFuture.runAsync": _run_async,
    "CompletableFuture.supplyAsync": _run_async,
    "CompletableFuture.allOf": _all_of,
    "CompletableFuture.anyOf": _all_of,
    "LockSupport.park": _park,
    "Runtime.getRuntime": lambda machine, _, given: now(Object("Runtime", given.span)),
    **dict.fromkeys(collections.OF, collections.of),
    "Map.of": collections.table_of,
    **dict.fromkeys(collections.SAME, collections.same),
    "java.constructor": lambda machine, _, given: now(NIL),
    **dict.fromkeys(
        (
            "ForkJoinPool.commonPool",
            "Executors.newFixedThreadPool",
            "Executors.newCachedThreadPool",
            "Executors.newSingleThreadExecutor",
            "Executors.newWorkStealingPool",
            "Executors.newScheduledThreadPool",
            "Executors.newSingleThreadScheduledExecutor",
            "Executors.newVirtualThreadPerTaskExecutor",
            "Executors.newThreadPerTaskExecutor",
        ),
        _new_pool,
    ),
}
NEW: dict[str, Call] = {
    **synchronizers.NEW,
    **dict.fromkeys(collections.CLASSES, collections.made),
    **dict.fromkeys(collections.TABLES, collections.new_table),
    "Thread": _new_thread,
    "CountDownLatch": _new_latch,
    "CompletableFuture": _new_future,
    "Signal": _new_signal,
    "ForkJoinPool": _new_pool,
    "ThreadPoolExecutor": _new_pool,
    "ScheduledThreadPoolExecutor": _new_pool,
    **dict.fromkeys(("LinkedBlockingQueue", "ArrayBlockingQueue", "LinkedBlockingDeque"), _new_queue),
    "PriorityBlockingQueue": _new_heap,
}
_THEN: dict[str, Call] = {
    f"{name}{suffix}": _then
    for name in ("thenRun", "thenAccept", "thenApply", "whenComplete", "handle")
    for suffix in ("", "Async")
}
METHODS: dict[str, dict[str, Call]] = {
    **synchronizers.METHODS,
    "Thread": {
        "start": _start,
        "join": _join,
        "setDaemon": _daemon,
        "interrupt": _interrupt,
        "isAlive": lambda machine, of, given: now(_is_alive(of)),
        "isInterrupted": _is_interrupted,
    },
    "Runtime": {"addShutdownHook": _add_hook, "exit": _exit, "halt": _halt},
    "Pool": {
        "submit": _submit,
        "execute": _submit,
        "schedule": _delayed,
        "scheduleAtFixedRate": _repeat,
        "scheduleWithFixedDelay": _repeat,
        "invokeAll": _invoke_all,
        "shutdown": _shutdown,
        "shutdownNow": _shutdown_now,
        "awaitTermination": _terminated,
        "close": _close_pool,
        "isShutdown": lambda machine, of, given: now(bool(of.state.get("shut"))),
    },
    "Latch": {
        "countDown": _count_down,
        "complete": _count_down,
        "await": _await,
        "get": _await,
        "join": _await,
        "getCount": lambda machine, of, given: now(of.state.get("count", UNKNOWN)),
        "isDone": lambda machine, of, given: now(of.state.get("count") == 0),
        **_THEN,
    },
    "Future": {"get": _get, "join": _get, "isDone": lambda machine, of, given: now(_is_done(of)), **_THEN},
    "HttpServer": {"setExecutor": set_executor},
    "KafkaConsumer": {"poll": poll, "wakeup": wakeup},
}
