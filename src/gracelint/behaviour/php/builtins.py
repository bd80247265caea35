"""What PHP's own functions do that no row can say: pcntl, processes, including, and callables."""

from __future__ import annotations

from gracelint.behaviour.machine import children, serving, texts
from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    UNSET,
    Doubt,
    Lib,
    Object,
    Raised,
    Scope,
    Sig,
    Unknown,
    Wait,
    Yielded,
)
from gracelint.behaviour.php import generators
from gracelint.behaviour.php.syntax import YIELD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.frames import Frame
    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.php.machine import PhpMachine
    from gracelint.source import Span

    Builtin = Callable[[PhpMachine, Any, Given], Any]

NUMBERS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 10: "SIGUSR1", 12: "SIGUSR2", 15: "SIGTERM", 28: "SIGWINCH"}
CONSTANTS: dict[str, Any] = {
    "SIG_IGN": Lib("SIG_IGN"),
    "SIG_DFL": Lib("SIG_DFL"),
    "SIG_BLOCK": Lib("SIG_BLOCK"),
    "SIG_UNBLOCK": Lib("SIG_UNBLOCK"),
    "SIG_SETMASK": Lib("SIG_SETMASK"),
    "PHP_EOL": "\n",
    "PHP_OS_FAMILY": "Linux",
    "PHP_OS": "Linux",
    "PHP_SAPI": "cli",
}


_MOST_CLIENTS = 2


class _Shared:
    """Names that stand for variables of another scope, or for what objects, classes and arrays hold."""

    def __init__(self, outer: Scope, names: dict[str, str], fields: dict[str, tuple[dict[str, Any], str]]) -> None:
        self._outer, self._names, self._fields = outer, names, fields
        for name in names.values():
            if outer.find(name) is None:
                outer.names[name] = NIL

    def __contains__(self, name: object) -> bool:
        return name in self._names or name in self._fields

    def _where(self, name: str) -> tuple[dict[str, Any], str]:
        if name in self._fields:
            return self._fields[name]
        its = self._names[name]
        return (self._outer.find(its) or self._outer).names, its

    def __getitem__(self, name: str) -> Any:
        names, its = self._where(name)
        return names[its] if its in names else NIL  # noqa: SIM401 (these may be shared ones themselves)

    def __setitem__(self, name: str, value: Any) -> None:
        names, its = self._where(name)
        names[its] = value


def shared(
    outer: Scope,
    names: dict[str, str],
    parent: Scope | None = None,
    fields: dict[str, tuple[dict[str, Any], str]] | None = None,
) -> Scope:
    """A scope whose names are those of another, by what they are called there, or what others hold."""
    scope = Scope(parent)
    scope.names = _Shared(outer, names, fields or {})  # type: ignore[assignment]
    return scope


def callable_of(machine: PhpMachine, value: Any, frame: Frame | None) -> Run:
    """'name', 'Class::name', [object, 'name'] and objects with __invoke, as what is called."""
    if isinstance(value, str):
        of, colons, name = value.rpartition("::")
        if colons:
            class_ = machine.class_named(of, None)
            member = yield from machine.member(class_ if class_ is not None else Lib(of), name)
            return member
        function = machine.sources.functions.get(value.rpartition("\\")[2])
        return Closure(function) if function is not None else Lib(value)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
        owner: Any = value[0]
        if isinstance(owner, str):
            owner = machine.class_named(owner, None) or Lib(owner)
        member = yield from machine.member(owner, value[1])
        return member
    if isinstance(value, Object) and value.package is not None:
        invoke = machine.find(value.package, "__invoke")
        return Closure(invoke, None, value) if invoke is not None else value
    return value


def signal_of(value: Any) -> str | None:
    if isinstance(value, Sig):
        return str(value)
    return NUMBERS.get(value) if isinstance(value, int) and not isinstance(value, bool) else None


# pcntl


def _signal(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    signal = signal_of(given.argument(0))
    handler = given.argument(1, UNKNOWN)
    if signal is None:
        raise Doubt(f"which signal line {given.span.line} handles is only known when it runs", given.span)
    for one in (machine.registered, machine.ignored, machine.handlers):
        one.pop(signal, None)
    if isinstance(handler, Lib) and handler.path == "SIG_IGN":
        machine.ignored[signal] = given.span
    elif not (isinstance(handler, Lib) and handler.path == "SIG_DFL"):
        if isinstance(handler, Unknown):
            raise Doubt(f"what handles the signal of line {given.span.line} is only known when it runs", given.span)
        machine.handlers[signal] = (handler, given.span)
        machine.register([signal], given.span)
    return True


def _asynchronous(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    before = machine.asynchronous
    if given.args:
        machine.asynchronous = given.args[0] is not False and given.args[0] is not NIL
    return before


def _mask(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    how, names = given.argument(0), _names_of(given.argument(1, []), given.span)
    word = how.path if isinstance(how, Lib) else ""
    if word == "SIG_UNBLOCK":
        machine.blocked -= names
    elif word == "SIG_SETMASK":
        machine.blocked = names
    else:
        machine.blocked |= names
        machine.register(names, given.span)
    return True


def _names_of(signals: Any, span: Span) -> set[str]:
    names = [signal_of(one) for one in signals] if isinstance(signals, list) else [None]
    if None in names:
        raise Doubt(f"which signals line {span.line} asks for is only known when it runs", span)
    return {name for name in names if name is not None}


def _sigwait(machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    names = _names_of(given.argument(0, []), given.span)
    seconds, billionths = given.argument(2, 0), given.argument(3, 0)
    limited = given.path.endswith("timedwait") and isinstance(seconds, (int, float))
    until = machine.now + float(seconds) if limited else None
    if until is not None and isinstance(billionths, int):
        until += billionths / 1e9

    def arrived() -> list[str]:
        return [one for one in machine.pending if one in names]

    yield Wait(
        "sigwait",
        given.span,
        lambda: bool(arrived()) or (until is not None and machine.now >= until),
        at=lambda: until,
        node=(given.span.source.path, given.span.start),
    )
    found = arrived()
    if not found:
        return -1
    machine.pending.remove(found[0])
    return Sig(found[0])


def _fork(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    """PID 1 is the parent."""
    machine.forked = given.span
    return Object("process", given.span)


def _wait_child(machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    at_once = given.argument(2 if given.path == "pcntl_waitpid" else 1)
    if isinstance(at_once, Lib) and at_once.path == "WNOHANG":
        if machine.forked is not None and machine.stopping:
            raise Doubt(f"whether the child that line {given.span.line} asks for ends is not known", given.span)
        return UNKNOWN
    target = given.argument(0)
    of = target if isinstance(target, Object) else Object("process", given.span)
    if of.state.get("signalled"):
        raise Doubt(f"whether the child that line {given.span.line} waits for ends is not known", given.span)
    if isinstance(target, Object) or machine.forked is not None:
        yield Wait("child", given.span, lambda: False)
    yield from serving.child(machine, given.span)
    return UNKNOWN


def _open_process(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    command, child = given.argument(0), Object("command", given.span)
    children.begin(machine, child, command if isinstance(command, list) else [command], given.span)
    return child


def _close_process(machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    child = given.argument(0)
    run = children.wait(machine, child, given.span) if _is_command(child) else serving.child(machine, given.span)
    yield from run
    return UNKNOWN


def _terminate(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    if _is_command(given.argument(0)):
        children.tell(given.argument(0), signal_of(given.argument(1, Sig("SIGTERM"))) or "")
    return True


def _is_command(value: Any) -> bool:
    return isinstance(value, Object) and value.type == "command"


def _kill(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    target = given.argument(0)
    if isinstance(target, Object) and target.type == "pid":
        raise Doubt(f"what the signal does that line {given.span.line} sends to itself is not known", given.span)
    if isinstance(target, Object):
        target.state["signalled"] = True
    return True


def _dispatch(machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    return machine.dispatch()


def _exec(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    path, words = given.argument(0), given.argument(1, [])
    if not isinstance(words, list) or not all(isinstance(one, str) for one in (path, *words)):
        raise Doubt(f"what line {given.span.line} execs is only known when it runs", given.span)
    machine.replaced = tuple((one, given.span) for one in (path, *words))
    raise Raised(("exit",), NIL, given.span)


_PCNTL: dict[str, Builtin] = {
    "pcntl_signal": _signal,
    "pcntl_async_signals": _asynchronous,
    "pcntl_signal_dispatch": _dispatch,
    "pcntl_sigprocmask": _mask,
    "pcntl_sigwaitinfo": _sigwait,
    "pcntl_sigtimedwait": _sigwait,
    "pcntl_fork": _fork,
    "pcntl_wait": _wait_child,
    "pcntl_waitpid": _wait_child,
    "pcntl_exec": _exec,
    "proc_open": _open_process,
    "proc_close": _close_process,
    "proc_terminate": _terminate,
    "pcntl_alarm": lambda machine, frame, given: UNKNOWN,
}


def _exit(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    raise Raised(("exit",), NIL, given.span)


def _exists(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    name = given.argument(0)
    if not isinstance(name, str):
        return UNKNOWN
    if name.startswith("pcntl"):
        return UNKNOWN if machine.pcntl is None else machine.pcntl
    return True if name in machine.sources.functions else UNKNOWN


def _yields(machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    value = yield Yielded(given.argument(-2, UNKNOWN), given.argument(-1, NIL))  # type: ignore[misc]
    return value if value is not None else NIL


def _require(machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    by = frame.file if frame is not None else machine.sources.entry
    for tree in by.required if by is not None else ():
        if by is not None and tree.id == given.argument(0):
            path = machine.sources.included(tree, by)
            file = machine.sources.files.get(path) if path is not None else None
            if file is not None:
                value = yield from machine.load(file)
                return value
    return UNKNOWN


def _globals(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    if frame is not None and frame.scope is not machine.top:
        frame.scope.parent = shared(machine.top, {str(one): str(one) for one in given.args})
    return NIL


def _define(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    if isinstance(given.argument(0), str):
        machine.top.names[given.args[0]] = given.argument(1, UNKNOWN)
    return True


def _calls(machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    value = yield from machine.call(given.argument(0), given.args[1:], given.span)
    return value


def _from_callable(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    return given.argument(0)


def _open(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    path = given.argument(0)
    return UNKNOWN if isinstance(path, str) and path.startswith("php://stdin") else Object("file", given.span)


def _reads(machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    """A read is started again after a signal. Of what may be a pipe or a socket nobody can tell when it returns."""
    of = given.argument(0)
    at_once = machine.selected or (isinstance(of, Object) and of.type == "file")
    if not at_once and (given.path == "readline" or machine.choose(2, given.span) == 1):
        yield Wait("read", given.span, lambda: False)
    return UNKNOWN


def _shift(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    of = given.argument(0)
    if not isinstance(of, list):
        return UNKNOWN
    return of.pop(0) if of else NIL


def _slice(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    of, first = given.argument(0), given.argument(1)
    if not isinstance(of, list) or not isinstance(first, int) or len(given.args) != 2:
        return UNKNOWN
    return type(of)(of[first:])


def _in_array(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    value, of = given.argument(0), given.argument(1)
    if not isinstance(of, list) or not isinstance(value, str) or not all(isinstance(one, str) for one in of):
        return UNKNOWN
    return value in of


def _number(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    value = given.argument(0)
    if isinstance(value, str) and not isinstance(value, Sig):
        value = texts.leading(value)
        return int(value) if given.path == "intval" and isinstance(value, float) else value
    return value


def _precise_time(machine: PhpMachine, given: Given) -> Any:
    nanoseconds = given.path == "hrtime"
    return machine.now * (1e9 if nanoseconds else 1.0) if given.argument(0) is True else UNKNOWN


def _filtered(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    value, how = given.argument(0), given.argument(1)
    name = how.path if isinstance(how, Lib) else ""
    if not isinstance(value, str):
        return value if value is UNSET else UNKNOWN
    return texts.truth(value) if "BOOL" in name else texts.number(value) if "VALIDATE_INT" in name else UNKNOWN


def _text(how: Callable[[str], Any]) -> Builtin:
    return lambda machine, frame, given: how(given.args[0]) if isinstance(given.argument(0), str) else UNKNOWN


def _put_variable(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    name, equals, value = given.args[0].partition("=") if isinstance(given.argument(0), str) else ("", "", "")
    if equals:
        machine.assigned[name] = value
    return True


def _range(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    first, last = given.argument(0), given.argument(1)
    if len(given.args) != 2 or not isinstance(first, int) or not isinstance(last, int):
        return UNKNOWN
    return [*range(first, last + 1)] if 0 <= last - first < _MOST_ITEMS else UNKNOWN


def _filled(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    first, count = given.argument(0), given.argument(1)
    known = first == 0 and isinstance(count, int) and 0 <= count <= _MOST_ITEMS
    return [given.argument(2, NIL)] * count if known else UNKNOWN


def _chunks(machine: PhpMachine, frame: Frame | None, given: Given) -> Any:
    of, length = given.argument(0), given.argument(1)
    known = isinstance(of, list) and isinstance(length, int) and length > 0
    return [of[start : start + length] for start in range(0, len(of), length)] if known else UNKNOWN


_MOST_ITEMS = 4096
_FUNCTIONS: dict[str, Builtin] = {
    "range": _range,
    "array_fill": _filled,
    "array_chunk": _chunks,
    **dict.fromkeys(("microtime", "hrtime"), lambda machine, frame, given: _precise_time(machine, given)),
    **dict.fromkeys(("intval", "floatval"), _number),
    "boolval": lambda machine, frame, given: UNKNOWN if (known := machine.truth(given.argument(0))) is None else known,
    "filter_var": _filtered,
    "strtolower": _text(str.lower),
    "strtoupper": _text(str.upper),
    "trim": _text(str.strip),
    "putenv": _put_variable,
    "fopen": _open,
    **dict.fromkeys(("fgets", "fread", "stream_get_line", "stream_get_contents", "readline"), _reads),
    **dict.fromkeys(("socket_read", "socket_recv"), _reads),
    **_PCNTL,
    YIELD: _yields,
    "exit": _exit,
    "die": _exit,
    "function_exists": _exists,
    "extension_loaded": _exists,
    "is_callable": _exists,
    "require": _require,
    "global": _globals,
    "define": _define,
    "call_user_func": _calls,
    "Closure::fromCallable": _from_callable,
    "posix_kill": _kill,
    "getmypid": lambda machine, frame, given: Object("pid"),
    "posix_getpid": lambda machine, frame, given: Object("pid"),
    "array_shift": _shift,
    "array_slice": _slice,
    "in_array": _in_array,
    "count": lambda machine, frame, given: len(given.args[0]) if isinstance(given.argument(0), list) else UNKNOWN,
}


def _accepted(machine: PhpMachine, given: Given) -> Run:
    """A select has said that somebody is there, which it does for a few: what keeps them all grows no more then."""
    yield from ()
    machine.ready = False
    machine.clients += 1
    return Object("stream", given.span) if machine.clients <= _MOST_CLIENTS else False


def function(machine: PhpMachine, path: str, frame: Frame | None, given: Given) -> Run | None:
    name = path if "::" in path else path.rpartition("\\")[2]
    if name != YIELD:
        generators.keep(given)
    if name in ("stream_select", "socket_select"):
        machine.selected = machine.ready = True
    at_once = machine.clients < _MOST_CLIENTS or machine.ready
    if machine.selected and at_once and name in ("stream_socket_accept", "socket_accept"):
        return _accepted(machine, given)
    how = _FUNCTIONS.get(name)
    return _run(how, name, machine, frame, given) if how is not None else None


def _run(how: Builtin, name: str, machine: PhpMachine, frame: Frame | None, given: Given) -> Run:
    if name in _PCNTL:
        if machine.pcntl is False:
            machine.missing = given.span
            raise Raised(("Error",), NIL, given.span)
        if not machine.stopping and name in ("pcntl_signal", "pcntl_async_signals") and machine.pcntl is None:
            machine.missing = machine.missing or given.span
    value = how(machine, frame, given)
    if hasattr(value, "send"):
        value = yield from value
    return value
