"""What .NET's own classes do: threads, tasks, events, tokens, timers, and the end of the process."""

from __future__ import annotations

from gracelint.behaviour.java.threads import interrupt
from gracelint.behaviour.java.waiting import now, number, until
from gracelint.behaviour.machine import library
from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.machine import sleep
from gracelint.behaviour.machine.values import NIL, UNKNOWN, Ctx, Doubt, Lib, Object, Raised, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.csharp.machine import CsMachine
    from gracelint.behaviour.java.waiting import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

_SPANS = {"FromMilliseconds": 1.0, "FromSeconds": 1e3, "FromMinutes": 6e4, "FromHours": 3.6e6, "FromDays": 8.64e7}
"""A time is a number of milliseconds, as most calls take it."""
_EVENTS = ("ManualResetEvent", "ManualResetEventSlim", "AutoResetEvent", "EventWaitHandle")
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")


def member(machine: CsMachine, of: Any, name: str) -> Any:
    """A property of a value that calls nothing; None where it is no such one."""
    if isinstance(of, Object) and of.type == "Source":
        of = of.state["context"] if name in ("Token", "IsCancellationRequested") else of
        if name == "Token":
            return of
    if isinstance(of, Ctx):
        if name in ("IsCancellationRequested", "IsSet"):
            return of.ends(machine.now)
        return of if name in ("WaitHandle", "Task", "Token") else None
    if isinstance(of, Object) and of.type == "Completion" and name == "Task":
        return of
    if isinstance(of, Lib):
        path = f"{of.path}.{name}"
        if path in ("Timeout.Infinite", "Timeout.InfiniteTimeSpan"):
            return -1
        if path in ("CancellationToken.None",):
            return Ctx(None, machine.at)
    if isinstance(of, Object) and of.type == "Completed":
        return of
    return None


def builtin(machine: CsMachine, path: str, given: Given) -> Run | None:
    """The run of a static method or constructor of .NET's own library; None where it is none of them."""
    short = ".".join(path.split(".")[-2:])
    type_, _, name = short.partition(".")
    if type_ == "TimeSpan" and name in _SPANS:
        return now(number(given.argument(0), _SPANS[name]))
    if name == "new":
        how = _NEW.get(type_)
        return how(machine, given) if how is not None else None
    if short.endswith(("ProcessExit+=", "Unloading+=")):
        return _hook(machine, given)
    if short == "Console.CancelKeyPress+=":
        return _on(machine, given, ("SIGINT", "SIGQUIT"), given.argument(0))
    if short == "PosixSignalRegistration.Create":
        return _registered(machine, given)
    how = _STATIC.get(short)
    return how(machine, given) if how is not None else None


def method(machine: CsMachine, of: Any, name: str, given: Given) -> Run | None:
    """The run of a method of a value; None where nothing is known of it."""
    if isinstance(of, (Closure, dict)):
        return machine.call(of, given.args, given.span)
    if isinstance(of, Ctx):
        how = _OF_CONTEXT.get(name)
        return how(machine, of, given) if how is not None else now(UNKNOWN)
    if isinstance(of, Object):
        how = _METHODS.get(of.type, {}).get(name)
        return how(machine, of, given) if how is not None else None
    return None


def _time(value: Any) -> float | None:
    """Seconds; None for ever. Raises Doubt where nobody can tell."""
    milliseconds = number(value)
    return None if milliseconds is None or milliseconds < 0 else milliseconds / 1000


def _limit(given: Given, at: int = 0) -> float | None:
    value = given.argument(at)
    if value is None or isinstance(value, Ctx):
        return None
    if number(value) is None:
        raise Doubt(f"how long line {given.span.line} waits is only known when it runs", given.span)
    return _time(value)


# the end


def _hook(machine: CsMachine, given: Given) -> Run:
    yield from ()
    machine.hooks.append((given.argument(0, UNKNOWN), given.span))
    machine.register(("SIGTERM",), given.span)
    return NIL


def _on(machine: CsMachine, given: Given, signals: tuple[str, ...], what: Any) -> Run:
    yield from ()
    machine.posix += [(name, what, given.span) for name in signals]
    machine.register(signals, given.span)
    return Object("Registration", given.span)


def _registered(machine: CsMachine, given: Given) -> Run:
    signal = given.argument(0)
    name = signal.path.rpartition(".")[2] if isinstance(signal, Lib) else ""
    if name not in _SIGNALS:
        raise Doubt(f"which signals line {given.span.line} listens for is only known when it runs", given.span)
    return _on(machine, given, (name,), given.argument(1))


def _exit(machine: CsMachine, given: Given) -> Run:
    if machine.shutting or machine.halted_at is not None:
        machine.hung = given.span if machine.current in machine.shutting else machine.hung
    else:
        machine.shut(given.span, "exit")
    yield Wait("for ever", given.span, lambda: False)


def _fail_fast(machine: CsMachine, given: Given) -> Run:
    yield from ()
    machine.halt(given.span)


# threads and tasks


def _new_thread(machine: CsMachine, given: Given) -> Run:
    yield from ()
    one = Object("Thread", given.span)
    one.state["runs"] = given.argument(0, UNKNOWN)
    one.fields.update(given.named)
    return one


def _start(machine: CsMachine, of: Object, given: Given) -> Run:
    yield from ()
    thread = machine.start(machine.call(of.state.get("runs", UNKNOWN), given.args, given.span), given.span)
    thread.daemon = of.fields.get("IsBackground") is True
    of.state["thread"] = thread
    return NIL


def _join(machine: CsMachine, of: Object, given: Given) -> Run:
    thread = library.thread_of(of)
    if thread is None:
        return NIL
    done = yield from until(machine, "join", given.span, lambda: thread.done, _limit(given))
    return done


def _interrupted(machine: CsMachine, of: Object, given: Given) -> Run:
    yield from ()
    thread = library.thread_of(of)
    if thread is not None:
        interrupt(machine, thread, given.span)
    return NIL


def _run_task(machine: CsMachine, given: Given) -> Run:
    yield from ()
    one = Object("Task", given.span)
    one.state["thread"] = thread = machine.start(machine.call(given.argument(0), [], given.span), given.span)
    thread.daemon = True
    return one


def _all(machine: CsMachine, given: Given) -> Run:
    tasks = [one for arg in given.args for one in (arg if isinstance(arg, list) else [arg])]
    threads = [thread for one in tasks if (thread := library.thread_of(one)) is not None]
    yield from until(machine, "join", given.span, lambda: all(one.done for one in threads))
    return UNKNOWN


def _pause(machine: CsMachine, given: Given) -> Run:
    value = given.argument(0)
    seconds = _time(value) if number(value) is not None else 1.0
    context = next((one for one in given.args[1:] if isinstance(one, Ctx)), None)
    if machine.current in machine.shutting:
        machine.slept += seconds or 0.0
    if context is None and seconds is not None:
        yield from sleep(machine, given.span, seconds, (given.span.source.path, given.span.start))
        return NIL
    end = machine.now + seconds if seconds is not None else None
    over: Callable[[], bool] = lambda: context is not None and context.ends(machine.now)  # noqa: E731
    node = (given.span.source.path, given.span.start)
    yield Wait(
        "sleep", given.span, lambda: over() or (end is not None and machine.now >= end), at=lambda: end, node=node
    )
    if over():
        raise _canceled(given.span)
    return NIL


def _canceled(span: Span) -> Raised:
    return Raised(("TaskCanceledException", "OperationCanceledException", "Exception"), UNKNOWN, span)


# events and tokens


def _new_event(machine: CsMachine, given: Given) -> Run:
    yield from ()
    one = Ctx(None, given.span)
    one.done.closed = given.argument(0) is True
    return one


def _new_source(machine: CsMachine, given: Given) -> Run:
    yield from ()
    one = Object("Source", given.span)
    context = Ctx(None, given.span)
    seconds = _limit(given) if given.args else None
    context.deadline = machine.now + seconds if seconds is not None else None
    one.state["context"] = context
    return one


def _new_completion(machine: CsMachine, given: Given) -> Run:
    yield from ()
    one = Object("Completion", given.span)
    one.state["context"] = Ctx(None, given.span)
    return one


def _set(machine: CsMachine, of: Any, given: Given) -> Run:
    context = of.state["context"] if isinstance(of, Object) else of
    context.cancel()
    for what in context.done.queue:
        yield from machine.call(what, [], given.span)
    context.done.queue.clear()
    return True


def _wait(machine: CsMachine, of: Ctx, given: Given) -> Run:
    token = next((one for one in given.args if isinstance(one, Ctx)), None)
    ready = lambda: of.ends(machine.now) or (token is not None and token.ends(machine.now))  # noqa: E731
    done = yield from until(machine, "latch", given.span, ready, _limit(given))
    return done


def _on_cancel(machine: CsMachine, of: Ctx, given: Given) -> Run:
    yield from ()
    of.done.queue.append(given.argument(0))
    return NIL


def _throw(machine: CsMachine, of: Ctx, given: Given) -> Run:
    yield from ()
    if of.ends(machine.now):
        raise _canceled(given.span)
    return NIL


_STATIC: dict[str, Callable[[CsMachine, Given], Run]] = {
    "Environment.Exit": _exit,
    "Environment.FailFast": _fail_fast,
    "Environment.GetEnvironmentVariable": lambda machine, given: now(machine.variable(given.argument(0))),
    "Thread.Sleep": _pause,
    "Task.Delay": _pause,
    "Task.Run": _run_task,
    "Factory.StartNew": _run_task,
    "Task.WhenAll": _all,
    "Task.WaitAll": _all,
    "Console.ReadLine": lambda machine, given: now(NIL),
    "Console.ReadKey": lambda machine, given: now(UNKNOWN),
    "Console.Read": lambda machine, given: now(-1),
}
_NEW: dict[str, Callable[[CsMachine, Given], Run]] = {
    "Thread": _new_thread,
    "CancellationTokenSource": _new_source,
    "TaskCompletionSource": _new_completion,
    **dict.fromkeys(_EVENTS, _new_event),
}
_OF_CONTEXT: dict[str, Callable[[CsMachine, Any, Given], Run]] = {
    "Set": _set,
    "WaitOne": _wait,
    "Wait": _wait,
    "Register": _on_cancel,
    "UnsafeRegister": _on_cancel,
    "ThrowIfCancellationRequested": _throw,
}
_METHODS: dict[str, dict[str, Callable[[CsMachine, Any, Given], Run]]] = {
    "Thread": {"Start": _start, "Join": _join, "Interrupt": _interrupted},
    "Task": {"Wait": _join, "GetAwaiter": lambda machine, of, given: now(of), "GetResult": _join},
    "Source": {
        "Cancel": _set,
        "CancelAsync": _set,
        "CancelAfter": lambda machine, of, given: now(UNKNOWN),
        "Dispose": lambda machine, of, given: now(NIL),
    },
    "Completion": {"SetResult": _set, "TrySetResult": _set, "SetCanceled": _set, "TrySetCanceled": _set},
    "Registration": {"Dispose": lambda machine, of, given: now(NIL)},
}
