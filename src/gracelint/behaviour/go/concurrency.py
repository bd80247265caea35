"""What Go's own libraries do with goroutines, time, contexts and signals."""

from __future__ import annotations

from gracelint.behaviour.go import expressions
from gracelint.behaviour.go.machine import GoMachine
from gracelint.behaviour.go.values import ANSWER, Func
from gracelint.behaviour.machine import locks
from gracelint.behaviour.machine.arithmetic import equal
from gracelint.behaviour.machine.machine import sleep
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Chan,
    Ctx,
    Doubt,
    Ended,
    Err,
    Native,
    Nil,
    Object,
    Sig,
    Wait,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.go.statements import Frame
    from gracelint.behaviour.machine.values import Run, Scope
    from gracelint.source import Span

ALL = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH")


# signals


def _names(given: list[Any], span: Span) -> tuple[str, ...]:
    signals = [one for value in given for one in (value if isinstance(value, list) else [value])]
    unknown = next((one for one in signals if not isinstance(one, Sig)), None)
    if unknown is not None:
        raise Doubt(f"which signals line {span.line} listens for is only known when it runs", span)
    return tuple(signals) or ALL


def _notify(machine: GoMachine, given: list[Any], span: Span) -> Any:
    names = _names(given[1:], span)
    channel = given[0]
    if not isinstance(channel, Chan):
        raise Doubt(f"line {span.line} gives the signal to a channel that nobody can tell", span)
    if channel.room == 0:
        machine.unbuffered.append(channel)
        channel.room = 1
    machine.notify(channel, names, span)
    return NIL


def _notify_context(machine: GoMachine, given: list[Any], span: Span) -> Any:
    context = Ctx(given[0] if isinstance(given[0], Ctx) else None, span)
    names = _names(given[1:], span)
    machine.listen(context, names, span)

    def stop(_: list[Any]) -> Any:
        machine.contexts = [one for one in machine.contexts if one[0] is not context]
        _unregister(machine)
        context.cancel()
        return NIL

    return (context, Native(stop))


def _unregister(machine: GoMachine) -> None:
    if machine.stopping:
        return
    known = {name for _, names, _ in (*machine.channels, *machine.contexts) for name in names}
    machine.registered = {name: span for name, span in machine.registered.items() if name in known}


def _stop(machine: GoMachine, given: list[Any], _: Span) -> Any:
    machine.channels = [one for one in machine.channels if one[0] is not given[0]]
    _unregister(machine)
    return NIL


def _ignore(machine: GoMachine, given: list[Any], span: Span) -> Any:
    names = _names(given, span)
    _reset(machine, given, span)
    machine.ignored.update(dict.fromkeys(names, span))
    return NIL


def _reset(machine: GoMachine, given: list[Any], span: Span) -> Any:
    names = set(_names(given, span))
    machine.channels = [(one, had - names, at) for one, had, at in machine.channels]
    machine.contexts = [(one, had - names, at) for one, had, at in machine.contexts]
    machine.ignored = {name: at for name, at in machine.ignored.items() if name not in names}
    _unregister(machine)
    return NIL


# contexts


def _context(parent: Any, span: Span) -> Ctx:
    return Ctx(parent if isinstance(parent, Ctx) else None, span)


def _with_cancel(_: GoMachine, given: list[Any], span: Span) -> Any:
    context = _context(given[0], span)
    return (context, Native(lambda _: context.cancel()))


def _with_timeout(machine: GoMachine, given: list[Any], span: Span) -> Any:
    context = _context(given[0], span)
    seconds = given[1] if len(given) > 1 else UNKNOWN
    if isinstance(seconds, (int, float)):
        until = machine.now + machine.seconds(seconds)
        context.deadline = until if context.deadline is None else min(until, context.deadline)
    return (context, Native(lambda _: context.cancel()))


def _with_value(_: GoMachine, given: list[Any], span: Span) -> Any:
    return _context(given[0], span)


def _after_context(machine: GoMachine, given: list[Any], span: Span) -> Any:
    """context.AfterFunc: calls a function once the context has ended."""
    context = given[0]
    stopped: list[bool] = []

    def later() -> Run:
        if not isinstance(context, Ctx):
            raise Doubt(f"line {span.line} waits for a context that nobody can tell", span)
        yield Wait("context", span, lambda: context.ends(machine.now), at=lambda: context.deadline)
        if not stopped:
            yield from expressions.call(machine, given[1], [], span)

    machine.start(later(), span)

    def stop(_: list[Any]) -> bool:
        stopped.append(True)
        return True

    return Native(stop)


# time


def _after(machine: GoMachine, given: list[Any], span: Span) -> Any:
    channel = Chan(1, span)
    channel.at = machine.now + machine.seconds(given[0])
    return channel


def _tick(machine: GoMachine, given: list[Any], span: Span) -> Any:
    channel: Chan = _after(machine, given, span)
    channel.every = max(machine.seconds(given[0]), 0.001)
    return channel


def _timer(machine: GoMachine, given: list[Any], span: Span) -> Any:
    timer = Object("time.Timer", span)
    timer.fields["C"] = _after(machine, given, span)
    return timer


def _ticker(machine: GoMachine, given: list[Any], span: Span) -> Any:
    timer = Object("time.Ticker", span)
    timer.fields["C"] = _tick(machine, given, span)
    return timer


def _after_func(machine: GoMachine, given: list[Any], span: Span) -> Any:
    timer = Object("time.Timer", span)

    def later() -> Run:
        until = machine.now + machine.seconds(given[0])
        yield Wait("timer", span, lambda: machine.now >= until, at=lambda: until)
        if not timer.state.get("stopped"):
            machine.fired_timers += [thread] if not machine.stopping else []
            yield from expressions.call(machine, given[1], [], span)

    timer.state["goroutine"] = thread = machine.start(later(), span)
    thread.body = given[1] if isinstance(given[1], Func) else None
    return timer


def _stop_timer(machine: GoMachine, of: Object, _: list[Any], __: Span) -> Any:
    channel = of.fields.get("C")
    if isinstance(channel, Chan):
        channel.at = channel.every = None
    of.state["stopped"] = True
    goroutine = of.state.get("goroutine")
    if goroutine in machine.threads:
        machine.threads.remove(goroutine)
    return True


def _reset_timer(machine: GoMachine, of: Object, given: list[Any], _: Span) -> Any:
    channel = of.fields.get("C")
    if isinstance(channel, Chan):
        channel.at = machine.now + machine.seconds(given[0] if given else UNKNOWN)
    return True


def _sleep(machine: GoMachine, given: list[Any], span: Span) -> Run:
    here = machine.current
    if machine.stopping and here is not None and here.main:
        machine.slept += machine.seconds(given[0])
    elif not machine.stopping and here is not None:
        machine.slept_through[span] = here
    yield from sleep(machine, span, machine.seconds(given[0] if given else UNKNOWN), (span.source.path, span.start))
    return NIL


# groups


def _add(_: GoMachine, of: Object, given: list[Any], __: Span) -> Any:
    step = given[0] if given and isinstance(given[0], int) else 1
    of.state["count"] = of.state.get("count", 0) + step
    return NIL


def _done(_: GoMachine, of: Object, __: list[Any], ___: Span) -> Any:
    of.state["count"] = of.state.get("count", 0) - 1
    return NIL


def _wait(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Run:
    if machine.stopping:
        machine.waits.append(("join", span, None))
    yield Wait("waitgroup", span, lambda: of.state.get("count", 0) <= 0)
    return of.state.get("error", NIL)


def _set_limit(_: GoMachine, of: Object, given: list[Any], span: Span) -> Any:
    limit = given[0]
    if not isinstance(limit, int):
        raise Doubt(f"how many goroutines line {span.line} allows is only known when it runs", span)
    of.state["limit"] = limit if limit >= 0 else None
    return NIL


def _has_room(of: Object) -> bool:
    limit = of.state.get("limit")
    return limit is None or of.state.get("count", 0) < limit


def _try_go(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    if not _has_room(of):
        return False
    yield from _go(machine, of, given, span)
    return True


def _go(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    if not _has_room(of):
        yield Wait("send", span, lambda: _has_room(of))
    of.state["count"] = of.state.get("count", 0) + 1

    def body() -> Run:
        result = yield from expressions.call(machine, given[0], [], span)
        of.state["count"] -= 1
        if isinstance(result, Err) and of.state.get("error", NIL) is NIL:
            of.state["error"] = result
            context = of.state.get("context")
            if isinstance(context, Ctx):
                context.cancel()

    machine.start(body(), span)
    return NIL


def _group_with_context(_: GoMachine, given: list[Any], span: Span) -> Any:
    group = Object("golang.org/x/sync/errgroup.Group", span)
    context = _context(given[0], span)
    group.state["context"] = context
    return (group, context)


def _lock(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Run:
    return locks.acquire(machine, of, span, again=False)


def _try_lock(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Run:
    if not locks.is_free(of):
        return False
    yield from locks.acquire(machine, of, span, again=False)
    return True


def _unlock(_: GoMachine, of: Object, __: list[Any], ___: Span) -> Any:
    locks.release(of)
    return NIL


def _read_lock(_: GoMachine, of: Object, __: list[Any], span: Span) -> Run:
    return locks.acquire_shared(of, span)


def _read_unlock(_: GoMachine, of: Object, __: list[Any], ___: Span) -> Any:
    locks.release_shared(of)
    return NIL


def _condition(_: GoMachine, given: list[Any], span: Span) -> Any:
    one = Object("sync.Cond", span)
    one.fields["L"] = given[0]
    return one


def _wait_condition(machine: GoMachine, of: Object, _: list[Any], span: Span) -> Run:
    """Never returns by itself: it takes one Signal, or a Broadcast. Its lock is free as long as it waits."""
    lock = of.fields.get("L")
    times = locks.let_go(lock) if isinstance(lock, Object) else 0
    waiting = of.state.setdefault("waiting", [])
    ticket = object()
    waiting.append(ticket)
    yield Wait("receive", span, lambda: ticket not in waiting)
    if isinstance(lock, Object):
        yield from locks.take_back(machine, lock, span, times)
    return NIL


def _signal(_: GoMachine, of: Object, __: list[Any], ___: Span) -> Any:
    del of.state.get("waiting", [])[:1]
    return NIL


def _broadcast(_: GoMachine, of: Object, __: list[Any], ___: Span) -> Any:
    of.state.get("waiting", []).clear()
    return NIL


def _once(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Run:
    if of.state.get("done"):
        return NIL
    of.state["done"] = True
    yield from expressions.call(machine, given[0], [], span)
    return NIL


def _load(_: GoMachine, of: Object, __: list[Any], ___: Span) -> Any:
    return of.state.get("value", False if of.type.endswith("Bool") else 0)


def _store(_: GoMachine, of: Object, given: list[Any], __: Span) -> Any:
    before = of.state.get("value", False if of.type.endswith("Bool") else 0)
    of.state["value"] = given[0]
    return before


def _compare(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Any:
    same = equal(_load(machine, of, [], span), given[0])
    if same:
        of.state["value"] = given[1]
    return UNKNOWN if same is None else same


def _increase(machine: GoMachine, of: Object, given: list[Any], span: Span) -> Any:
    before = _load(machine, of, [], span)
    step = given[0] if given else UNKNOWN
    known = isinstance(before, int) and isinstance(step, int)
    of.state["value"] = before + step if known else UNKNOWN
    return of.state["value"]


def atomic(machine: GoMachine, frame: Frame, path: str, nodes: list[Node], given: list[Any], scope: Scope) -> Run:
    """sync/atomic's functions on a variable's address."""
    target = nodes[0].child_by_field_name("operand") if nodes else None
    target = target if target is not None else nodes[0] if nodes else None
    if target is None or not given:
        return UNKNOWN
    name = path.rpartition(".")[2]
    before: Any = given[0]
    more: list[Any] = [*given[1:], UNKNOWN, UNKNOWN]
    if name.startswith(("Store", "Swap")):
        yield from expressions.assign(machine, frame, target, more[0], scope)
    elif name.startswith("CompareAndSwap"):
        same = equal(before, more[0])
        if same:
            yield from expressions.assign(machine, frame, target, more[1], scope)
        return same if same is not None else UNKNOWN
    elif name.startswith("Add"):
        before = before + more[0] if isinstance(before, int) and isinstance(more[0], int) else UNKNOWN
        yield from expressions.assign(machine, frame, target, before, scope)
    return before


def _close(_: GoMachine, given: list[Any], span: Span) -> Any:
    if given and isinstance(given[0], Chan):
        if given[0].closed:
            raise Ended("panic", span)
        given[0].closed = True
    return NIL


def _is(_: GoMachine, given: list[Any], __: Span) -> Any:
    error, target = given[0], given[1]
    if error is ANSWER:
        return UNKNOWN
    if isinstance(error, Nil):
        return False
    if isinstance(error, Err) and isinstance(target, Err):
        return error.name == target.name
    return False


def _exits(_: GoMachine, given: list[Any], span: Span) -> Any:
    raise Ended("exit", span, failed=given[:1] != [0])


FUNCTIONS: dict[str, Callable[[GoMachine, list[Any], Span], Any]] = {
    "os/signal.Notify": _notify,
    "os/signal.NotifyContext": _notify_context,
    "os/signal.Stop": _stop,
    "os/signal.Ignore": _ignore,
    "os/signal.Reset": _reset,
    "context.Background": lambda machine, given, span: Ctx(None, span),
    "context.TODO": lambda machine, given, span: Ctx(None, span),
    "context.WithoutCancel": lambda machine, given, span: Ctx(None, span),
    "context.WithCancel": _with_cancel,
    "context.WithCancelCause": _with_cancel,
    "context.WithTimeout": _with_timeout,
    "context.WithTimeoutCause": _with_timeout,
    "context.WithValue": _with_value,
    "context.AfterFunc": _after_context,
    "time.After": _after,
    "time.Tick": _tick,
    "time.NewTimer": _timer,
    "time.NewTicker": _ticker,
    "time.AfterFunc": _after_func,
    "time.Sleep": _sleep,
    "golang.org/x/sync/errgroup.WithContext": _group_with_context,
    "sync.NewCond": _condition,
    "errors.Is": _is,
    "close": _close,
    "os.Exit": _exits,
}
LEAST = {
    "os/signal.Ignore": 0,
    "os/signal.Reset": 0,
    "context.Background": 0,
    "context.TODO": 0,
    "errors.Is": 2,
    "Go": 1,
    "TryGo": 1,
    "SetLimit": 1,
    "Do": 1,
    "Store": 1,
    "Swap": 1,
    "CompareAndSwap": 2,
    "SetContext": 1,
    "WithContext": 1,
    "Clone": 1,
    "time.AfterFunc": 2,
    "context.AfterFunc": 2,
    "strconv.Atoi": 1,
    "strconv.ParseInt": 1,
    "strconv.ParseUint": 1,
    "strconv.ParseFloat": 1,
    "strconv.ParseBool": 1,
    "strings.ToLower": 1,
    "strings.ToUpper": 1,
    "strings.TrimSpace": 1,
    "os/exec.LookPath": 1,
    "syscall.Exec": 1,
    "golang.org/x/sys/unix.Exec": 1,
    "time.ParseDuration": 1,
    "time.Since": 1,
    "time.Until": 1,
    "context.WithDeadline": 2,
    "context.WithDeadlineCause": 2,
    "Add": 1,
    "After": 1,
    "Before": 1,
    "Sub": 1,
}
"""How many arguments a call has at least, where it is not one for a function of this file, and none for all others."""
_ATOMIC: dict[str, Callable[[GoMachine, Object, list[Any], Span], Any]] = {
    "Load": _load,
    "Store": _store,
    "Swap": _store,
    "CompareAndSwap": _compare,
    "Add": _increase,
}
_MUTEX: dict[str, Callable[[GoMachine, Object, list[Any], Span], Any]] = {
    "Lock": _lock,
    "TryLock": _try_lock,
    "Unlock": _unlock,
}


# requests


def _context_of(_: GoMachine, of: Object, __: list[Any], ___: Span) -> Any:
    return of.state.get("context", UNKNOWN)


def _with_context(_: GoMachine, of: Object, given: list[Any], span: Span) -> Object:
    request = Object(of.type, span)
    request.fields, request.state = {**of.fields}, {**of.state, "context": given[0]}
    return request


METHODS: dict[str, dict[str, Callable[[GoMachine, Object, list[Any], Span], Any]]] = {
    "net/http.Request": {"Context": _context_of, "WithContext": _with_context, "Clone": _with_context},
    "sync.WaitGroup": {"Add": _add, "Done": _done, "Wait": _wait, "Go": _go},
    "golang.org/x/sync/errgroup.Group": {"Go": _go, "TryGo": _try_go, "SetLimit": _set_limit, "Wait": _wait},
    "sync.Cond": {"Wait": _wait_condition, "Signal": _signal, "Broadcast": _broadcast},
    "sync.Mutex": _MUTEX,
    "sync.RWMutex": {**_MUTEX, "RLock": _read_lock, "RUnlock": _read_unlock},
    "sync.Once": {"Do": _once},
    "time.Timer": {"Stop": _stop_timer, "Reset": _reset_timer},
    "time.Ticker": {"Stop": _stop_timer, "Reset": _reset_timer},
    **{f"sync/atomic.{name}": _ATOMIC for name in ("Bool", "Int32", "Int64", "Uint32", "Uint64", "Value")},
}
