"""The signal arrives: who takes it, and what comes out of the handler."""

from __future__ import annotations

from gracelint.behaviour.python.beside import finishes, is_logged, kind_of, wakes_by_itself
from gracelint.behaviour.python.ends import (
    ABANDON,
    DEFAULT,
    IGNORED,
    NORMAL,
    RAISE,
    End,
    Leave,
    Point,
    Registration,
    stuck,
)
from gracelint.behaviour.python.names import NUMBERS, is_number, is_true, path_of
from gracelint.behaviour.python.values import (
    CERTAIN,
    FROM_OUTSIDE,
    LOST,
    NONE,
    OUTSIDE,
    TRUE,
    Const,
    Error,
    Function,
    Later,
    Thing,
    Unknown,
    Value,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.behaviour.python.machine import Machine


def deliver(machine: Machine, point: Point) -> None:
    """The signal arrives while the main thread waits at `point`."""
    machine.arrived = True
    machine.arrival = point
    machine.arrived_at = len(machine.trail)
    machine.failing = tuple(machine.excepting) if machine.fails else ()
    for loop in machine.loops:
        loop.hit = True
    installed = machine.world.get(("signal", machine.signal))
    server = installed.server if isinstance(installed, Registration) else None
    if _is_blocked(machine) and machine.signal not in point.handles:
        machine.held = True
        _wake(machine)
        return
    if machine.signal in point.handles and _takes_it(machine, point, server):
        machine.served = True
        if point.receiver is not None:
            for stop in ("stop", "shutdown"):
                machine.write(point.receiver.store, ("called", stop), TRUE)
        machine.write(machine.world, "served", TRUE)
        return
    take(machine, point)


def deliver_late(machine: Machine, point: Point, comes_back: bool) -> None:
    """The signal arrives in a call that lets no handler run before it has come to its end."""
    if point.limit is None:
        machine.arrived, machine.arrival = True, point
        raise stuck(point, "deaf", CERTAIN if not comes_back else LOST)
    before, machine.delay = machine.delay, point.limit
    deliver(machine, point)
    machine.delay = before


def _wake(machine: Machine) -> None:
    """A thread that waits for the blocked signal takes it, and goes on."""
    for thread, waiting, registration in machine.facts.takers:
        if machine.signal not in waiting.handles or thread.node is None:
            continue
        machine.handler = registration
        mark = len(machine.trail)
        if (
            finishes(machine, thread, thread.node, keeps=True) is True
            and not machine.held
            and len(machine.trail) > mark
        ):
            machine.write(thread.store, "#finished", TRUE)
            return
        machine.doubt(f"{machine.signal} is blocked, and what the thread that waits for it does is not followed")


def take(machine: Machine, point: Point) -> None:
    """What is installed for the signal is done with it, where the main thread is."""
    installed = machine.world.get(("signal", machine.signal))
    server = installed.server if isinstance(installed, Registration) else None
    if server is not None:
        while isinstance(installed, Registration) and installed.server is not None:
            # A server that gives the signal on, once it has ended, to the handler it found: another server's.
            machine.write(machine.world, ("over", id(installed.server.node)), TRUE)
            installed = installed.before if (installed.server.serves or {}).get("reraises") else None
        if isinstance(installed, Registration) and path_of(installed.handler) not in (
            "signal.SIG_DFL",
            "signal.SIG_IGN",
        ):
            machine.handler = installed
            run_handler(machine, installed, point)
        return
    if isinstance(installed, Unknown):
        raise Leave([End(DEFAULT, installed.tag or LOST)])
    registration = installed if isinstance(installed, Registration) else None
    kind = path_of(registration.handler) if registration is not None else ""
    if registration is not None and (kind == "signal.SIG_IGN" or is_number(registration.handler, 1)):
        machine.handler = registration
        raise Leave([End(IGNORED)])
    if registration is None or kind == "signal.SIG_DFL" or is_number(registration.handler, 0):
        if machine.signal == "SIGINT" and registration is None:
            throw(machine, [End(RAISE, CERTAIN, Error("builtins.KeyboardInterrupt"))], point)
        raise Leave([End(DEFAULT)])
    machine.handler = registration
    wakeup = machine.world.get("wakeup")
    if isinstance(wakeup, Thing):
        machine.write(wakeup.store, "#written", Const(bytes([NUMBERS.get(machine.signal, 15)])))
    if registration.loop and not registration.green and not machine.awaiting:
        machine.pending = registration
        return
    run_handler(machine, registration, point)


def tell_child(machine: Machine, point: Point) -> None:
    """A forked child that is told something waits, and the handler runs that it has for a signal by then."""
    if machine.told is None or not machine.bodies or machine.bodies[-1] is not machine.told[0]:
        return
    (child, name), machine.told = machine.told, None
    handler = child.store.get(("own", name), child.store.get("#handler", NONE))
    machine.call(handler, [Const(NUMBERS.get(name, 15)), FROM_OUTSIDE], {}, point.node)


def _is_blocked(machine: Machine) -> bool:
    return is_true(machine.world.get(("masked", machine.signal)))


def _takes_it(machine: Machine, point: Point, server: Point | None) -> bool:
    """Whether the call itself takes the signal: a server by its own handler or otherwise, sigwait() what is blocked."""
    if point.serves is None:
        return _is_blocked(machine)
    return server is point or bool(point.serves.get("told") or point.serves.get("reload_cuts"))


def run_handler(machine: Machine, registration: Registration, point: Point) -> None:
    outer, machine.side = machine.side, []
    machine.handling += 1
    ends = [End(NORMAL)]
    number = Const(NUMBERS.get(machine.signal, 15))
    try:
        arguments: list[Value] = [] if registration.loop else [number, FROM_OUTSIDE]
        machine.frames.append(machine.frame_in(registration.module))
        if not _takes(registration.handler, len(arguments)):
            machine.misfit = True
            raise Leave([End(RAISE, CERTAIN, Error("builtins.TypeError"))])
        value = machine.call(registration.handler, arguments, {}, registration.node)
        if isinstance(value, Later) and isinstance(value.function, Function):
            machine.unawaited = True
    except Leave as leave:
        ends = leave.ends
    finally:
        machine.handling -= 1
        machine.frames.pop()
    ends = machine.merge(ends + machine.side)
    machine.side = outer
    if registration.loop:
        ends = [end for end in ends if not is_logged(end)] or [End(NORMAL)]
    leaving = [end for end in ends if end.kind != NORMAL]
    if len(leaving) == len(ends):
        throw(machine, leaving, point)
    machine.side += [end.weaker(OUTSIDE) for end in leaving]
    looks = point.serves is not None  # a server looks at its flags several times a second
    machine.unheard = not registration.loop and machine.awaiting and not looks and not _wakes(machine)
    if machine.cancel is not None and machine.runners:
        error, machine.cancel = machine.cancel, None
        machine.broken_off = True
        raise Leave([End(RAISE, CERTAIN, error)])
    runner = machine.runners[-1] if machine.runners else None
    if runner is not None and "#stopped" in runner.store and runner.kind != "run_forever":
        machine.runners_stopped = True
        throw(machine, [End(RAISE, CERTAIN, Error("builtins.RuntimeError"))], point)


def _wakes(machine: Machine) -> bool:
    """Whether an event loop that waits takes notice of what a handler of `signal.signal` did.

    It does if the handler says so, if any handler is the loop's own (set_wakeup_fd), or when a timer comes due.
    """
    return (
        ("called", "call_soon_threadsafe") in machine.world
        or any(registration.loop for registration in machine.facts.registrations)
        or wakes_by_itself(machine)
    )


def _takes(handler: Value, count: int) -> bool:
    """Whether a function of the project can be called with so many arguments."""
    if not isinstance(handler, Function):
        return True
    arguments = handler.node.args
    taken = [*arguments.posonlyargs, *arguments.args][1 if handler.receiver is not None else 0 :]
    needed = len(taken) - len(arguments.defaults)
    return needed <= count and (count <= len(taken) or arguments.vararg is not None)


def throw(machine: Machine, ends: list[End], point: Point) -> None:
    """An exception comes out of the handler where the main thread waits.

    In an event loop it comes out of the loop itself: asyncio.run() then cancels the main task, and run_until_complete()
    leaves the coroutines where they are.
    """
    raised = next((end for end in ends if end.kind == RAISE), None)
    if raised is not None:
        machine.thrown = raised.value if isinstance(raised.value, Error) else None
        machine.broken_off = machine.thrown is not None
        if point.serves is not None and machine.thrown is not None:
            if kind_of(machine.thrown) in point.serves.get("catches", ()):
                machine.write(machine.world, ("over", id(point.node)), TRUE)
                return
            if point.serves.get("drops") or point.serves.get("handlers") == "first":
                machine.dropped = point  # a worker of gunicorn runs the request in the thread that gets the signal
    if raised is None or not machine.runners:
        raise Leave(ends)
    runner = machine.runners[-1]
    assert raised.value is not None
    machine.write(runner.store, "#exit", raised.value)
    if runner.kind == "asyncio.run":
        raise Leave([End(RAISE, CERTAIN, Error("builtins.CancelledError"))])
    raise Leave([End(ABANDON, CERTAIN)])
