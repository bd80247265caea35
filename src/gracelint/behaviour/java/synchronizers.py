"""Java's monitors, locks, semaphores, barriers and atomics (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/)."""

from __future__ import annotations

from gracelint.behaviour.java.waiting import number, time_of, until
from gracelint.behaviour.machine import locks
from gracelint.behaviour.machine.arithmetic import equal
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Doubt, Object, Raised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Call, Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span


def _new_monitor(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    return Object("Object", given.span)


def _wait(machine: JavaMachine, of: Any, given: Given) -> Run:
    seconds = number(given.argument(0), 0.001) if given.args else None
    yield from _notified(machine, of, of, given.span, seconds)
    return NIL


def _notified(machine: JavaMachine, of: Any, lock: Any, span: Span, seconds: float | None) -> Run:
    """Lets a lock go until it is notified, and takes it back, also where it is interrupted."""
    before = of.state.get("notified", 0)
    times = locks.let_go(lock)
    try:
        found = yield from until(machine, "wait", span, lambda: of.state.get("notified", 0) > before, seconds)
    except Raised:
        yield from locks.take_back(machine, lock, span, times)
        raise
    yield from locks.take_back(machine, lock, span, times)
    return found


def _notify(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    of.state["notified"] = of.state.get("notified", 0) + 1
    return NIL


def _new_lock(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    return Object("Lock", given.span)


def _lock(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from locks.acquire(machine, of, given.span)
    return NIL


def _try_lock(machine: JavaMachine, of: Any, given: Given) -> Run:
    is_mine = of.state.get("holder") is machine.current
    if not is_mine and given.args:
        yield from until(machine, "lock", given.span, lambda: locks.is_free(of), time_of(given))
    if not is_mine and not locks.is_free(of):
        return False
    yield from locks.acquire(machine, of, given.span)
    return True


def _unlock(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    locks.release(of)
    return NIL


def _new_pair(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    return Object("ReadWriteLock", given.span)


def _half(type_: str) -> Call:
    """The lock of those who read, or of who writes: both are one."""

    def half(machine: JavaMachine, of: Any, given: Given) -> Run:
        yield from ()
        one = Object(type_, given.span)
        one.state = of.state
        return one

    return half


def _lock_shared(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from locks.acquire_shared(of, given.span)
    return NIL


def _unlock_shared(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    locks.release_shared(of)
    return NIL


def _new_condition(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    one = Object("Condition", given.span)
    one.state["lock"] = of
    return one


def _await_condition(machine: JavaMachine, of: Any, given: Given) -> Run:
    return _notified(machine, of, of.state["lock"], given.span, time_of(given) if given.args else None)


def _counted(machine: JavaMachine, _: Any, given: Given) -> Run:
    """A semaphore's permits, a barrier's parties."""
    yield from ()
    one = Object(given.path.rpartition("/")[2].removesuffix(".new"), given.span)
    if not isinstance(given.argument(0), int):
        raise Doubt(f"how many line {given.span.line} lets in is only known when it runs", given.span)
    one.state["count"] = one.state["parties"] = given.argument(0)
    return one


def _acquire(machine: JavaMachine, of: Any, given: Given) -> Run:
    timed = len(given.args) > 1
    wanted = given.argument(0) if given.args and len(given.args) != 2 else 1
    wanted = wanted if isinstance(wanted, int) else 1

    def has_room() -> bool:
        return bool(of.state["count"] >= wanted)

    tries = given.path.endswith("tryAcquire")
    if not has_room() and tries and not timed:
        return False
    limit = time_of(given, len(given.args) - 2) if timed else None
    found = yield from until(machine, "take", given.span, has_room, limit)
    if found:
        of.state["count"] -= wanted
    return found


def _release(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    more = given.argument(0, 1)
    of.state["count"] += more if isinstance(more, int) else 1
    return NIL


def _meet(machine: JavaMachine, of: Any, given: Given) -> Run:
    """Waits until as many have come as there are parties; then the next round begins."""
    came = of.state["came"] = of.state.get("came", 0) + 1
    parties = max(of.state["parties"], 1)
    last = -(-came // parties) * parties
    limit = time_of(given) if given.args else None
    yield from until(machine, "latch", given.span, lambda: of.state["came"] >= last, limit)
    return NIL


def _new_atomic(machine: JavaMachine, _: Any, given: Given) -> Run:
    yield from ()
    one = Object("Atomic", given.span)
    one.state["value"] = given.argument(0, False if "Boolean" in given.path else 0)
    return one


def _atomic_get(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    return of.state["value"]


def _compare_and_set(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    same = equal(of.state["value"], given.argument(0))
    if same is not False:
        of.state["value"] = given.argument(1, UNKNOWN) if same else UNKNOWN
    return UNKNOWN if same is None else same


def _atomic_set(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    before, of.state["value"] = of.state["value"], given.argument(len(given.args) - 1, UNKNOWN)
    return before if len(given.args) == 1 else True


def _count(machine: JavaMachine, of: Any, given: Given) -> Run:
    yield from ()
    before = of.state["value"]
    more = given.argument(0, UNKNOWN) if "Add" in given.path or "add" in given.path else 1
    known = all(isinstance(one, (int, float)) for one in (before, more))
    of.state["value"] = UNKNOWN if not known else before - more if "ecrement" in given.path else before + more
    return before if given.path.rpartition(".")[2].startswith("get") else of.state["value"]


_COUNTS: dict[str, Call] = {
    **{f"{name}AndGet": _count for name in ("increment", "decrement", "add")},
    **{f"getAnd{name}": _count for name in ("Increment", "Decrement", "Add")},
}


NEW: dict[str, Call] = {
    "Object": _new_monitor,
    "ReentrantLock": _new_lock,
    "ReentrantReadWriteLock": _new_pair,
    "Semaphore": _counted,
    "CyclicBarrier": _counted,
    **dict.fromkeys(("AtomicBoolean", "AtomicInteger", "AtomicLong", "AtomicReference"), _new_atomic),
}
METHODS: dict[str, dict[str, Call]] = {
    "Object": {"wait": _wait, "notify": _notify, "notifyAll": _notify},
    "Lock": {
        "lock": _lock,
        "lockInterruptibly": _lock,
        "tryLock": _try_lock,
        "unlock": _unlock,
        "newCondition": _new_condition,
    },
    "ReadWriteLock": {"readLock": _half("ReadLock"), "writeLock": _half("Lock")},
    "ReadLock": {"lock": _lock_shared, "unlock": _unlock_shared},
    "Condition": {"await": _await_condition, "signal": _notify, "signalAll": _notify},
    "Semaphore": {
        **dict.fromkeys(("acquire", "acquireUninterruptibly", "tryAcquire"), _acquire),
        "release": _release,
    },
    "CyclicBarrier": {"await": _meet},
    "Atomic": {
        "get": _atomic_get,
        "getAcquire": _atomic_get,
        "set": _atomic_set,
        "lazySet": _atomic_set,
        "getAndSet": _atomic_set,
        "compareAndSet": _compare_and_set,
        **_COUNTS,
    },
}
