"""What Ruby's own methods do that no row can say: traps, processes, requiring, and methods of plain values."""

from __future__ import annotations

from gracelint.behaviour.machine import children, library, serving, texts
from gracelint.behaviour.machine.frames import Leave
from gracelint.behaviour.machine.machine import is_expanded
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Chan,
    Doubt,
    Ended,
    Environment,
    Lib,
    Native,
    Object,
    Raised,
    Sig,
    Unknown,
    Wait,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.frames import Frame
    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.ruby.machine import RubyMachine
    from gracelint.source import Span

NUMBERS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 10: "SIGUSR1", 12: "SIGUSR2", 15: "SIGTERM", 28: "SIGWINCH"}
_EXIT = ("EXIT",)
_IGNORE = ("IGNORE", "SIG_IGN", "")
_QUEUES = ("Queue", "Thread::Queue", "SizedQueue", "Thread::SizedQueue")
_UNBOUNDED = 1_000_000
"""Elements of a queue that is given no bound."""
_NOT_TOLD = 1
"""Those of one whose bound nobody can tell: there is one."""


def signal_of(value: Any) -> str | None:
    """The name of a signal that a call gets: "TERM", :SIGTERM, 15."""
    if isinstance(value, Sig):
        return str(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return NUMBERS.get(value, f"signal {value}")
    if isinstance(value, str):
        return f"SIG{value.removeprefix('SIG')}"
    return None


def constant(machine: RubyMachine, name: str) -> Any:
    if name == "ARGV":
        return machine.command_line()
    if name == "ENV":
        return Environment(name)
    if name in ("STDIN", "STDOUT", "STDERR"):
        return Object(name)
    return Lib(name)


# signals and processes


def _trap(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    signal = signal_of(given.argument(0))
    if signal is None:
        raise Doubt(f"which signal line {given.span.line} traps is only known when it runs", given.span)
    command = given.named.get("block", given.argument(1, NIL))
    if signal == "SIGEXIT":
        machine.hooks.append((command, given.span))
        return NIL
    process = _process_of(machine)
    if process is not None:
        process.state.setdefault("traps", {})[signal] = command
        return NIL
    before = machine.handlers.pop(signal, (NIL, None))[0]
    for one in (machine.registered, machine.ignored, machine.system_default):
        one.pop(signal, None)
    if command is NIL or command in _IGNORE:
        machine.ignored[signal] = given.span
    elif command == "SYSTEM_DEFAULT":
        machine.system_default[signal] = given.span
        machine.registered[signal] = given.span
    elif command in ("DEFAULT", "SIG_DFL"):
        return before
    else:
        function = Native(lambda _: raise_error("SystemExit", given.span)) if command in _EXIT else command
        if isinstance(function, (Unknown, str)):
            raise Doubt(f"what the trap of line {given.span.line} calls is only known when it runs", given.span)
        machine.handlers[signal] = (function, given.span)
        machine.register([signal], given.span)
    return before


def _process_of(machine: RubyMachine) -> Object | None:
    """The forked process that the current thread stands for."""
    found = getattr(machine.current, "name", None) if machine.current is not None else None
    return found if isinstance(found, Object) else None


def raise_error(type_: str, span: Span, value: Any = UNKNOWN) -> Any:
    raise Raised((type_, "Exception"), value, span)


def _timeout(machine: RubyMachine, frame: Frame | None, given: Given) -> Run:
    """Raises into the block once its time is over."""
    run = machine.call(given.named.get("block", NIL), [], given.span)
    if given.argument(0) is NIL:
        value = yield from run
        return value
    thread, until = machine.current, machine.now + machine.seconds(given.argument(0))
    done: list[bool] = []
    error = given.argument(1, Lib("Timeout::Error"))

    def watch() -> Run:
        yield Wait("timer", given.span, lambda: bool(done) or machine.now >= until, at=lambda: until)
        if not done and thread is not None:
            thread.thrown = machine.raised(error, given.span)

    machine.start(watch(), given.span).daemon = True
    try:
        value = yield from run
    finally:
        done.append(True)
    return value


def _exit(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    return raise_error("SystemExit", given.span)


def _fork(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    block = given.named.get("block")
    if block is None:
        raise Doubt(f"whether it goes on as the parent or the child of line {given.span.line} decides", given.span)
    process = Object("process", given.span)
    thread = machine.start(_in_process(machine, block, given.span), given.span)
    thread.name = process
    process.state["thread"] = thread
    machine.forked.append(process)
    return process


def _in_process(machine: RubyMachine, block: Any, span: Span) -> Run:
    try:
        yield from machine.call(block, [], span)
    except (Ended, Raised, Leave):
        return NIL
    return NIL


def _spawn(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    process = Object("process", given.span)
    words = [one for one in given.args if not isinstance(one, dict)]
    is_text = len(words) == 1 and isinstance(words[0], str)
    children.begin(machine, process, words[0].split() if is_text else words, given.span)
    machine.spawns = True
    return process


def _kill(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    signal = signal_of(given.argument(0))
    for target in given.args[1:]:
        if isinstance(target, Object) and target.type == "pid":
            why = f"what {signal or 'the signal'} does that line {given.span.line} sends to itself is not known"
            raise Doubt(why, given.span)
        thread = library.thread_of(target)
        if thread is None:
            if isinstance(target, Object) and signal is not None:
                children.tell(target, signal)
            continue
        handler = target.state.get("traps", {}).get(signal)
        if handler is not None and not isinstance(handler, str):
            machine.interrupt(thread, machine.call(handler, [], given.span))
        elif handler is None and signal is not None:
            thread.thrown = Raised(("SignalException", "Exception"), NIL, given.span)
    return 1


def _ended_child(machine: RubyMachine, target: Any, span: Span) -> Any:
    """With WNOHANG: one of the forked processes that has ended, nil while there is none."""
    asked = [one for one in machine.forked if not isinstance(target, Object) or one is target]
    if not machine.forked or (not asked if isinstance(target, Object) else machine.spawns):
        raise Doubt(f"whether the child that line {span.line} asks for ends is not known", span)
    if not asked or (not isinstance(target, Object) and all(one.state.get("asked") for one in asked)):
        raise Raised(("Errno::ECHILD", "SystemCallError", "StandardError", "Exception"), NIL, span)
    ended = next((one for one in asked if one.state["thread"].done and not one.state.get("asked")), None)
    if ended is None:
        return NIL
    ended.state["asked"] = True
    return ended


def _wait_process(machine: RubyMachine, frame: Frame | None, given: Given) -> Run:
    target = given.argument(0)
    if any(isinstance(one, Lib) and one.path.endswith("WNOHANG") for one in given.args[1:]):
        return _ended_child(machine, target, given.span)
    thread = library.thread_of(target)
    if thread is not None:
        yield Wait("join", given.span, lambda: thread.done)
        return UNKNOWN
    forked = [one for one in machine.threads if isinstance(one.name, Object)]
    if forked and not isinstance(target, Object):
        yield Wait("join", given.span, lambda: all(one.done for one in forked))
        return UNKNOWN
    running = [one for one in machine.children if "over" not in one.state]
    asked = [target] if isinstance(target, Object) else running if given.path.endswith("all") else running[:1]
    if not isinstance(target, Object) and not asked and not machine.spawns:
        yield from serving.child(machine, given.span)
    for one in asked:
        yield from children.wait(machine, one, given.span)
    return UNKNOWN


def words_at(words: list[Any], span: Span) -> tuple[tuple[str, Span], ...]:
    """The words of a command; of a single text, as a shell would split it."""
    return tuple((one, span) for one in (words[0].split() if len(words) == 1 else words))


def _exec(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    words = [one for one in given.args if not isinstance(one, dict)]
    if not words or any(not isinstance(one, str) for one in words):
        raise Doubt(f"what line {given.span.line} execs is only known when it runs", given.span)
    machine.replaced = words_at(words, given.span)
    raise Ended("exec", given.span)


# loading


def _require(how: str) -> Callable[[RubyMachine, Any, Given], Run]:
    def run(machine: RubyMachine, frame: Frame | None, given: Given) -> Run:
        name = given.argument(0)
        row = library.rows(machine, "required").get(name) if isinstance(name, str) else None
        if row is not None and name not in machine.loaded:
            machine.loaded.add(name)
            machine.hooks.append((Native(lambda _: library.perform(machine, row, given)), given.span))
        by = frame.file if frame is not None else machine.sources.entry
        paths = [name] if isinstance(name, str) else [one for _, one in by.required] if by is not None else []
        for one in paths:
            for kind in (how, "require_relative"):
                path = machine.sources.find(kind, one, by) if by is not None else None
                file = machine.sources.files.get(path) if path is not None else None
                if file is not None and (isinstance(name, str) or file.source.path not in machine.loaded):
                    yield from machine.load(file)
                    break
        return True

    return run


# rake


def _task(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    name: Any = given.argument(0)
    before: list[str] = []
    if not isinstance(name, str):
        its = next(((key, value) for key, value in given.named.items() if key != "block"), None)
        if isinstance(name, dict) and name:
            its = next(iter(name.items()))
        if its is None:
            return NIL
        name = its[0]
        before = [one for one in (its[1] if isinstance(its[1], list) else [its[1]]) if isinstance(one, str)]
    prefix = ":".join(machine.globals.state.get("namespace", ()))
    full = f"{prefix}:{name}" if prefix else name
    machine.tasks[full] = (given.named.get("block", NIL), before)
    return NIL


def _namespace(machine: RubyMachine, frame: Frame | None, given: Given) -> Run:
    names = machine.globals.state.setdefault("namespace", [])
    names.append(str(given.argument(0)))
    yield from machine.call(given.named.get("block"), [], given.span)
    names.pop()
    return NIL


def run_tasks(machine: RubyMachine) -> Run:
    """The tasks that rake's arguments name, each with those it needs."""
    if any(map(is_expanded, machine.argv)):
        raise Doubt("which task rake runs is only known when it runs")
    names = [one.partition("[")[0] for one in machine.argv if not one.startswith("-") and "=" not in one]
    entry = machine.sources.entry
    assert entry is not None
    done: set[str] = set()

    def task(name: str) -> Run:
        if name in done:
            return NIL
        done.add(name)
        known = machine.tasks.get(name)
        if known is None:
            if name != "environment":
                raise Doubt(f"the task {name} is not in {entry.source.path}")
            return NIL
        for before in known[1]:
            yield from task(before)
        if known[0] is not NIL:
            yield from machine.call(known[0], [UNKNOWN, UNKNOWN], entry.span(entry.root))
        return NIL

    for name in names or ["default"]:
        yield from task(name)
    return NIL


# input and output


def _pipe(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    channel = Chan(64, given.span)
    ends = [Object("IO", given.span), Object("IO", given.span)]
    for end in ends:
        end.state["channel"] = channel
    return ends


def _select(machine: RubyMachine, frame: Frame | None, given: Given) -> Run:
    """IO.select: of what is listened to only a pipe of the program's own can be told."""
    ends = given.argument(0, [])
    channels = [
        one.state["channel"]
        for one in (ends if isinstance(ends, list) else ())
        if isinstance(one, Object) and "channel" in one.state
    ]
    seconds = given.argument(3)
    until = machine.now + float(seconds) if isinstance(seconds, (int, float)) else None

    def ready() -> bool:
        return any(one.queue or one.closed for one in channels) or (until is not None and machine.now >= until)

    yield Wait("select", given.span, ready, at=lambda: until, node=(given.span.source.path, given.span.start))
    found = [one for one in ends if isinstance(one, Object) and _has(one)] if isinstance(ends, list) else []
    return [found, [], []] if found else NIL


def _has(end: Object) -> bool:
    channel = end.state.get("channel")
    return isinstance(channel, Chan) and bool(channel.queue or channel.closed)


def _method_object(machine: RubyMachine, frame: Frame | None, given: Given) -> Run:
    name = given.argument(0)
    value = yield from machine.member(frame.this if frame is not None else machine.this, str(name))
    return value


def _itself(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    return given.named.get("block", NIL)


def _integer(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    value = given.argument(0)
    return texts.number(value) if isinstance(value, str) else value if isinstance(value, (int, float)) else UNKNOWN


def _thread(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    one = Object("thread", given.span)
    one.state["thread"] = machine.main_thread if given.path == "Thread.main" else machine.current
    return one


def _throw(machine: RubyMachine, frame: Frame | None, given: Given) -> Any:
    raise Leave("throw", given.argument(0), given.argument(1, NIL))


def _catch(machine: RubyMachine, frame: Frame | None, given: Given) -> Run:
    try:
        value = yield from machine.call(given.named.get("block"), [given.argument(0, NIL)], given.span)
    except Leave as leave:
        if leave.kind != "throw" or leave.to != given.argument(0):
            raise
        return leave.value
    return value


KERNEL: dict[str, Callable[[RubyMachine, Any, Given], Any]] = {
    "trap": _trap,
    "Signal.trap": _trap,
    "Process.kill": _kill,
    "Process.wait": _wait_process,
    "Process.wait2": _wait_process,
    "Process.waitpid": _wait_process,
    "Process.waitpid2": _wait_process,
    "Process.waitall": _wait_process,
    "Process.pid": lambda machine, frame, given: Object("pid"),
    "Process.exit": _exit,
    "Process.exit!": lambda machine, frame, given: _hard(given),
    "Process.exec": _exec,
    "Process.spawn": _spawn,
    "Process.fork": _fork,
    "exit": _exit,
    "abort": _exit,
    "Process.abort": _exit,
    "exit!": lambda machine, frame, given: _hard(given),
    "fork": _fork,
    "spawn": _spawn,
    "exec": _exec,
    "require": _require("require"),
    "require_relative": _require("require_relative"),
    "load": _require("load"),
    "task": _task,
    "namespace": _namespace,
    "IO.pipe": _pipe,
    "IO.select": _select,
    "select": _select,
    "method": _method_object,
    "lambda": _itself,
    "proc": _itself,
    "Proc.new": _itself,
    "Integer": _integer,
    "Float": _integer,
    "catch": _catch,
    "throw": _throw,
    "Timeout.timeout": _timeout,
    "Thread.main": _thread,
    "Thread.current": _thread,
    "super": lambda machine, frame, given: UNKNOWN,
}


def _hard(given: Given) -> Any:
    raise Ended("hard", given.span)


def function(machine: RubyMachine, path: str, frame: Frame | None, given: Given) -> Run | None:
    how = KERNEL.get(path)
    if how is None and path.endswith(".new") and path.removesuffix(".new") in _QUEUES:
        room = given.argument(0) if "Sized" in path else _UNBOUNDED
        return _constant(Chan(room if isinstance(room, int) and room > 0 else _NOT_TOLD, given.span))
    if how is None:
        return None
    return run_builtin(how, machine, frame, given)


def run_builtin(how: Callable[[RubyMachine, Any, Given], Any], machine: RubyMachine, frame: Any, given: Given) -> Run:
    value = how(machine, frame, given)
    if hasattr(value, "send"):
        value = yield from value
    return value


def _constant(value: Any) -> Run:
    yield from ()
    return value
