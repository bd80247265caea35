"""Methods of Ruby's plain values: texts, numbers, lists, queues, threads, procs."""

from __future__ import annotations

from functools import partial

from gracelint.behaviour.machine import interest, library, locks, texts
from gracelint.behaviour.machine.arithmetic import outermost
from gracelint.behaviour.machine.branches import each
from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.machine import are_enough, receive
from gracelint.behaviour.machine.nodes import Class
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    UNSET,
    Chan,
    Environment,
    Object,
    OneOf,
    Raised,
    Unknown,
    Wait,
)
from gracelint.behaviour.ruby.builtins import raise_error, run_builtin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.machine.frames import Frame
    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.ruby.machine import RubyMachine


def method(machine: RubyMachine, of: Any, name: str, frame: Frame | None, given: Given) -> Run | None:
    how: Any = None
    if isinstance(of, Class):
        how = _CLASS.get(name)
    elif isinstance(of, Closure):
        how = _PROC.get(name)
    elif isinstance(of, Chan):
        how = _QUEUE.get(name, _nothing)
    elif isinstance(of, list):
        how = _LIST.get(name)
    elif isinstance(of, dict):
        how = _HASH.get(name)
    elif isinstance(of, (int, float)) and not isinstance(of, bool):
        how = _NUMBER.get(name)
    elif isinstance(of, str):
        how = _TEXT.get(name)
    elif isinstance(of, Object) and "channel" in of.state:
        how = _IO.get(name)
    elif isinstance(of, Object) and of.type == "thread":
        how = _THREAD.get(name)
    elif isinstance(of, Object) and of.type == "ConditionVariable":
        how = _CONDITION.get(name)
    elif isinstance(of, Object) and of.type == "Mutex":
        how = (_MUTEX_IN_TRAP if machine.in_trap else _MUTEX).get(name)
    elif isinstance(of, Environment):
        how = _ENVIRONMENT.get(name, _nothing)
    elif isinstance(of, Unknown) and "block" in given.named:
        how = _UNKNOWN.get(name)
    how = how or _ANY.get(name)
    return run_builtin(lambda m, f, g: how(m, of, g), machine, frame, given) if how is not None else None


def _nothing(machine: RubyMachine, of: Any, given: Given) -> Any:
    return UNKNOWN


def _new(machine: RubyMachine, of: Class, given: Given) -> Run:
    return machine.make(of, given, "initialize")


def _call(machine: RubyMachine, of: Any, given: Given) -> Run:
    return machine.apply(of, given, None)


class Pushed(Unknown):
    """What a program hands on in a queue: nobody can tell it, but it is not nil, which says that there is no more."""

    __slots__ = ()


def _push(machine: RubyMachine, of: Chan, given: Given) -> Run:
    """Waits for room; once the queue is closed it raises, also where it waits."""
    if len(of.queue) >= of.room and not of.closed:
        yield Wait("send", given.span, lambda: len(of.queue) < of.room or of.closed)
    if of.closed:
        raise_error("ClosedQueueError", given.span)
    of.queue += [Pushed(one.of) if isinstance(one, Unknown) else one for one in given.args[:1]]
    return of


def _pop(machine: RubyMachine, of: Chan, given: Given) -> Run:
    if given.argument(0) is True:
        return machine.take(of) if of.queue else raise_error("ThreadError", given.span)
    timeout = given.named.get("timeout")
    if isinstance(timeout, (int, float)):
        until = machine.now + timeout
        yield Wait(
            "receive",
            given.span,
            lambda: bool(of.queue) or of.closed or machine.now >= until,
            at=lambda: until,
            node=(given.span.source.path, given.span.start),
        )
        return machine.take(of) if of.queue else NIL
    value = yield from receive(machine, of, given.span, (given.span.source.path, given.span.start))
    return value


def _close(machine: RubyMachine, of: Chan, given: Given) -> Any:
    of.closed = True
    return of


def _each(machine: RubyMachine, of: Any, given: Given) -> Run:
    block = given.named.get("block")
    items = [[key, value] for key, value in of.items()] if isinstance(of, dict) else of
    found = []
    for item in items:
        value = yield from machine.call(block, [item], given.span)
        found.append(value)
    return found if given.path.endswith(("map", "collect")) else of


def _folded(machine: RubyMachine, of: list[Any], given: Given) -> Run:
    """The block for each of them, of whose results nobody keeps more than what they come to: `threads.sum(&:value)`."""
    for item in of if "block" in given.named else ():
        yield from machine.call(given.named["block"], [item], given.span)
    return UNKNOWN


def _once(machine: RubyMachine, of: Any, given: Given) -> Run:
    """The block for each of some, or so many times: nobody can tell how many, and once stands for all."""
    block, name = given.named["block"], given.path.rpartition(".")[2]
    if isinstance(of, OneOf) and name in _NUMBER:
        value = yield from _NUMBER[name](machine, machine.settle(of), given)
        return value
    run = partial(machine.call, block, [UNKNOWN, UNKNOWN], given.span)
    if isinstance(block, Closure) and not interest.of_function(machine, block.function):
        (value,) = yield from each(machine, [run], more=True)
    else:
        value = yield from run()
    return [value] if given.path.endswith(("map", "collect", "times", "new")) else of


def _each_slice(machine: RubyMachine, of: list[Any], given: Given) -> Run:
    length = given.argument(0)
    if "block" not in given.named or not isinstance(length, int) or length < 1:
        return UNKNOWN
    for start in range(0, len(of), length):
        yield from machine.call(given.named["block"], [of[start : start + length]], given.span)
    return of


def _with_index(machine: RubyMachine, of: Any, given: Given) -> Run:
    for index, item in enumerate(of):
        yield from machine.call(given.named.get("block"), [item, index], given.span)
    return of


def _times(machine: RubyMachine, of: Any, given: Given) -> Run:
    found = yield from _counted(machine, range(int(of)), given)
    return found


def _upto(machine: RubyMachine, of: Any, given: Given) -> Run:
    last = given.argument(0)
    numbers = range(of, last + 1) if isinstance(of, int) and isinstance(last, int) else None
    if "block" in given.named:
        found = yield from (_once(machine, of, given) if numbers is None else _counted(machine, numbers, given))
        return found
    return [*numbers] if numbers is not None and len(numbers) <= _MOST_ITEMS else UNKNOWN


def array(machine: RubyMachine, given: Given) -> Run:
    """`Array.new(4) { Worker.new }`: what the block makes, so many times."""
    length = machine.settle(given.argument(0, 0))
    if "block" not in given.named:
        yield from ()
        return [*length] if isinstance(length, list) else UNKNOWN
    how = _counted(machine, range(length), given) if isinstance(length, int) else _once(machine, length, given)
    found = yield from how
    return found


def _counted(machine: RubyMachine, numbers: range, given: Given) -> Run:
    found: list[Any] = []
    start = machine.now
    for number in numbers:
        if are_enough(machine, len(found), start):
            break
        value = yield from machine.call(given.named.get("block"), [number], given.span)
        found.append(value)
    return found


def _tap(machine: RubyMachine, of: Any, given: Given) -> Run:
    yield from machine.call(given.named.get("block"), [of], given.span)
    return of


def _send(machine: RubyMachine, of: Any, given: Given) -> Run:
    member = yield from machine.member(of, str(given.argument(0)))
    value = yield from machine.apply(member, library.Given("", given.span, given.args[1:], given.named), None)
    return value


def _bound(machine: RubyMachine, of: Any, given: Given) -> Run:
    value = yield from machine.member(of, str(given.argument(0)))
    return value


def _kill_thread(machine: RubyMachine, of: Object, given: Given) -> Any:
    thread = library.thread_of(of)
    if thread is not None:
        if machine.stopping and thread.wait is not None:
            machine.killed_in.append(thread.wait)
        thread.thrown = Raised(("killed",), NIL, given.span)
    return of


def _raise_in_thread(machine: RubyMachine, of: Object, given: Given) -> Any:
    thread = library.thread_of(of)
    if thread is not None:
        thread.thrown = machine.raised(given.argument(0, UNKNOWN), given.span)
    return NIL


def _alive(machine: RubyMachine, of: Object, given: Given) -> Any:
    thread = library.thread_of(of)
    return not thread.done if thread is not None else UNKNOWN


def _wake(machine: RubyMachine, of: Object, given: Given) -> Any:
    thread = library.thread_of(of)
    if thread is not None and thread.wait is not None:
        thread.wait.over = True
    return of


def _read(machine: RubyMachine, of: Object, given: Given) -> Run:
    value = yield from receive(machine, of.state["channel"], given.span, (given.span.source.path, given.span.start))
    return value


def _write(machine: RubyMachine, of: Object, given: Given) -> Any:
    of.state["channel"].queue += given.args[:1] or [UNKNOWN]
    return UNKNOWN


def _condition_wait(machine: RubyMachine, of: Object, given: Given) -> Run:
    before = of.state.get("signals", 0)
    seconds = given.argument(1)
    until = machine.now + float(seconds) if isinstance(seconds, (int, float)) else None

    def ready() -> bool:
        return of.state.get("signals", 0) > before or (until is not None and machine.now >= until)

    mutex = given.argument(0)
    times = locks.let_go(mutex) if isinstance(mutex, Object) else 0
    yield Wait("condition", given.span, ready, at=lambda: until, node=(given.span.source.path, given.span.start))
    if times:
        yield from locks.take_back(machine, mutex, given.span, times)
    return of


def _lock(machine: RubyMachine, of: Object, given: Given) -> Run:
    yield from locks.acquire(machine, of, given.span)
    return of


def _unlock(machine: RubyMachine, of: Object, given: Given) -> Any:
    locks.release(of)
    return of


def _synchronize(machine: RubyMachine, of: Object, given: Given) -> Run:
    run = machine.call(given.argument("block"), [], given.span)
    return locks.held(machine, of, given.span, run)


def _refused(machine: RubyMachine, of: Object, given: Given) -> Any:
    """A trap may run while its own thread holds the lock, so Ruby lets none be taken in it."""
    machine.refused = given.span
    return raise_error("ThreadError", given.span)


def _condition_signal(machine: RubyMachine, of: Object, given: Given) -> Any:
    of.state["signals"] = of.state.get("signals", 0) + 1
    return of


def _fetch_variable(machine: RubyMachine, of: Environment, given: Given) -> Run:
    value = machine.variable(given.argument(0))
    if value is UNSET and "block" in given.named:
        value = yield from machine.call(given.named["block"], given.args[:1], given.span)
        return value
    return given.argument(1, UNSET) if value is UNSET else value


def _has_variable(machine: RubyMachine, of: Environment, given: Given) -> Any:
    return UNKNOWN if machine.variable(given.argument(0)) in (UNKNOWN, UNSET) else True


def _is_nil(machine: RubyMachine, of: Any, given: Given) -> Any:
    return UNKNOWN if isinstance(of, Unknown) and not isinstance(of, Pushed) else of is NIL


def _key(value: Any) -> Any:
    return value if isinstance(value, (str, int, Object)) else UNKNOWN


def _delete(machine: RubyMachine, of: dict[Any, Any], given: Given) -> Any:
    """By a key nobody can tell any may be gone afterwards, which a key of that kind stands for."""
    key = _key(given.argument(0))
    if key is not UNKNOWN:
        return of.pop(key, NIL)
    if of:
        of[UNKNOWN] = UNKNOWN
    return UNKNOWN


def _has_key(machine: RubyMachine, of: dict[Any, Any], given: Given) -> Any:
    key = _key(given.argument(0))
    return UNKNOWN if key is UNKNOWN or UNKNOWN in of else key in of


def _fetch_value(machine: RubyMachine, of: dict[Any, Any], given: Given) -> Run:
    key = _key(given.argument(0))
    if key is UNKNOWN or UNKNOWN in of:
        return UNKNOWN
    if key not in of and "block" in given.named:
        value = yield from machine.call(given.named["block"], [key], given.span)
        return value
    if key not in of and len(given.args) < 2:
        return raise_error("KeyError", given.span)
    return of.get(key, given.argument(1))


def _fetch(machine: RubyMachine, of: list[Any], given: Given) -> Run:
    index = given.argument(0)
    if not isinstance(index, int):
        return UNKNOWN
    if -len(of) <= index < len(of):
        return of[index]
    if "block" in given.named:
        value = yield from machine.call(given.named["block"], [index], given.span)
        return value
    return given.argument(1, UNKNOWN)


def _includes(of: list[Any], value: Any) -> Any:
    if isinstance(value, Object) and "channel" in value.state and all(isinstance(one, Object) for one in of):
        return any(one is value for one in of)
    known = isinstance(value, str) and (value in of or UNKNOWN not in of)
    return value in of if known else UNKNOWN


def _same(machine: RubyMachine, of: Any, given: Given) -> Any:
    return of


def _join(machine: RubyMachine, of: Object, given: Given) -> Run:
    """Raises what has ended the thread."""
    run = library.method(machine, of.type, given.path.rpartition(".")[2], given)
    value = (yield from run) if run is not None else UNKNOWN
    thread = library.thread_of(of)
    if thread is not None and thread.done and isinstance(thread.value, Raised):
        raise thread.value
    return value


def _clamped(of: Any, given: Given) -> Any:
    return outermost([outermost([of, given.argument(0)], max), given.argument(1)], min)


_MOST_ITEMS = 4096
_CLASS: dict[str, Any] = {"new": _new}
_PROC: dict[str, Any] = {"call": _call, "()": _call, "yield": _call, "to_proc": _same, "curry": _same}
_QUEUE: dict[str, Any] = {
    **dict.fromkeys(("push", "enq", "<<"), _push),
    **dict.fromkeys(("pop", "shift", "deq"), _pop),
    "close": _close,
    "closed?": lambda machine, of, given: of.closed,
    "empty?": lambda machine, of, given: not of.queue,
    "size": lambda machine, of, given: len(of.queue),
    "length": lambda machine, of, given: len(of.queue),
    "clear": lambda machine, of, given: of.queue.clear() or of,
}
_LIST: dict[str, Any] = {
    "each_slice": _each_slice,
    "min": lambda machine, of, given: UNKNOWN if given.named else outermost(of, min),
    "max": lambda machine, of, given: UNKNOWN if given.named else outermost(of, max),
    **dict.fromkeys(("each", "map", "collect", "flat_map", "each_entry"), _each),
    **dict.fromkeys(("sum", "filter_map", "sort_by", "min_by", "max_by", "partition", "to_h"), _folded),
    "each_with_index": _with_index,
    "push": lambda machine, of, given: of.extend(given.args) or of,
    "append": lambda machine, of, given: of.extend(given.args) or of,
    "first": lambda machine, of, given: of[0] if of else NIL,
    "fetch": _fetch,
    "last": lambda machine, of, given: of[-1] if of else NIL,
    "shift": lambda machine, of, given: of.pop(0) if of else NIL,
    "pop": lambda machine, of, given: of.pop() if of else NIL,
    "empty?": lambda machine, of, given: not of,
    "any?": lambda machine, of, given: bool(of) if "block" not in given.named else UNKNOWN,
    "size": lambda machine, of, given: len(of),
    "length": lambda machine, of, given: len(of),
    "include?": lambda machine, of, given: _includes(of, given.argument(0)),
    "compact": lambda machine, of, given: [one for one in of if one is not NIL],
    "to_a": _same,
    "freeze": _same,
}
_HASH: dict[str, Any] = {
    **dict.fromkeys(("each", "each_pair", "map"), _each),
    "each_key": lambda machine, of, given: _each(machine, [*of], given),
    "each_value": lambda machine, of, given: _each(machine, [*of.values()], given),
    "keys": lambda machine, of, given: [*of],
    "values": lambda machine, of, given: [*of.values()],
    "fetch": _fetch_value,
    "delete": _delete,
    "key?": _has_key,
    "empty?": lambda machine, of, given: UNKNOWN if UNKNOWN in of else not of,
    "any?": lambda machine, of, given: UNKNOWN if "block" in given.named or UNKNOWN in of else bool(of),
    "size": lambda machine, of, given: UNKNOWN if UNKNOWN in of else len(of),
    "length": lambda machine, of, given: UNKNOWN if UNKNOWN in of else len(of),
    "clear": lambda machine, of, given: of.clear() or of,
    "freeze": _same,
}
_UNKNOWN: dict[str, Any] = dict.fromkeys(
    (
        *("each", "each_entry", "each_pair", "each_key", "each_value", "each_with_index", "each_slice"),
        *("map", "collect", "flat_map", "times", "upto", "step"),
    ),
    _once,
)
_NUMBER: dict[str, Any] = {
    "times": _times,
    "upto": _upto,
    **dict.fromkeys(("to_i", "to_f", "second", "seconds", "floor", "round", "ceil"), _same),
    **dict.fromkeys(("minute", "minutes"), lambda machine, of, given: of * 60),
    **dict.fromkeys(("hour", "hours"), lambda machine, of, given: of * 3600),
    "zero?": lambda machine, of, given: of == 0,
    "clamp": lambda machine, of, given: _clamped(of, given),
}
_TEXT: dict[str, Any] = {
    **dict.fromkeys(("to_s", "to_sym", "freeze", "strip", "chomp", "dup"), _same),
    "empty?": lambda machine, of, given: not of,
    "upcase": lambda machine, of, given: of.upper(),
    "downcase": lambda machine, of, given: of.lower(),
    "to_i": lambda machine, of, given: int(texts.leading(of)),
    "to_f": lambda machine, of, given: float(texts.leading(of)),
}
_ENVIRONMENT: dict[str, Any] = {
    "fetch": _fetch_variable,
    **dict.fromkeys(("key?", "has_key?", "include?", "member?"), _has_variable),
}


def _wait_readable(machine: RubyMachine, of: Object, given: Given) -> Run:
    channel, seconds = of.state["channel"], given.argument(0, NIL)
    until = machine.now + float(seconds) if isinstance(seconds, (int, float)) else None
    over = lambda: channel.ready(machine.now) or (until is not None and machine.now >= until)  # noqa: E731
    yield Wait("select", given.span, over, at=lambda: until, node=(given.span.source.path, given.span.start))
    return of if channel.queue or channel.closed else NIL


_IO: dict[str, Any] = {
    **dict.fromkeys(("gets", "read", "readline", "getc", "sysread", "readpartial"), _read),
    **dict.fromkeys(("wait_readable", "wait"), _wait_readable),
    **dict.fromkeys(("puts", "write", "print", "syswrite", "write_nonblock", "push", "<<"), _write),
    "close": lambda machine, of, given: _close(machine, of.state["channel"], given),
}
_THREAD: dict[str, Any] = {
    **dict.fromkeys(("kill", "exit", "terminate"), _kill_thread),
    **dict.fromkeys(("wakeup", "run"), _wake),
    **dict.fromkeys(("join", "value"), _join),
    "raise": _raise_in_thread,
    "alive?": _alive,
}
_MUTEX_IN_TRAP: dict[str, Any] = dict.fromkeys(("lock", "synchronize", "enter", "mon_enter"), _refused)
_MUTEX: dict[str, Any] = {
    **dict.fromkeys(("lock", "enter", "mon_enter"), _lock),
    **dict.fromkeys(("unlock", "exit", "mon_exit"), _unlock),
    **dict.fromkeys(("synchronize", "mon_synchronize"), _synchronize),
}
_CONDITION: dict[str, Any] = {
    "wait": _condition_wait,
    "signal": _condition_signal,
    "broadcast": _condition_signal,
}
_ANY: dict[str, Any] = {
    **dict.fromkeys(("send", "public_send", "__send__"), _send),
    "tap": _tap,
    "then": _tap,
    "method": _bound,
    "nil?": _is_nil,
    "freeze": _same,
    "itself": _same,
}
