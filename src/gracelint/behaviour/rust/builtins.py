"""What Rust's own library and its best known crates do: the language, threads, tasks, time, and signals.

Whatever only waits, serves or ends is a row of knowledge/rust.toml.
"""

from __future__ import annotations

from gracelint.behaviour.machine import library, serving
from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.machine import receive, sleep
from gracelint.behaviour.machine.values import (
    NIL,
    UNKNOWN,
    Chan,
    Ctx,
    Doubt,
    Err,
    Lib,
    Method,
    Object,
    Raised,
    Sig,
    Thread,
    Unknown,
    Wait,
    Words,
)
from gracelint.behaviour.rust import channels, clap, options, processes, servers, signals, threads
from gracelint.behaviour.rust.crates import Variant
from gracelint.behaviour.rust.patterns import Failed, fits
from gracelint.behaviour.rust.syntax import UNIT
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.frames import Frame
    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.values import Run
    from gracelint.behaviour.rust.machine import RustMachine
    from gracelint.source import Span

CELL = frozenset(
    [
        "load",
        "store",
        "swap",
        "set",
        "get",
        "replace",
        "fetch_or",
        "fetch_and",
        "fetch_add",
        "fetch_sub",
        "compare_exchange",
        "get_or_init",
        "lock",
        "read",
        "write",
        "borrow",
        "borrow_mut",
        "clone",
        "unwrap",
        "as_ref",
        "into_inner",
        "expect",
    ]
)
"""Methods of atomics, cells and locks themselves, not of what they hold."""
_UNITS = {
    "from_secs": 1.0,
    "from_secs_f64": 1.0,
    "from_secs_f32": 1.0,
    "new": 1.0,
    "from_millis": 1e-3,
    "from_micros": 1e-6,
    "from_nanos": 1e-9,
    "from_mins": 60.0,
    "from_hours": 3600.0,
}
_MOST_ITEMS = 4096
receive_once = channels.receive_once
constant = signals.constant


def is_known(machine: RustMachine, path: str) -> bool:
    return (
        path in library.rows(machine, "functions")
        or path in _FUNCTIONS
        or path in _OTHERS
        or constant(path) is not None
    )


def function(machine: RustMachine, path: str, frame: Frame | None, given: Given) -> Run | None:
    if path in ("$fits", "$must"):
        return _fits(machine, path, frame, given)
    row = library.rows(machine, "functions").get(path)
    if row is not None:
        run = library.perform(machine, row, given)
        return _now(machine.future(run, given.span)) if row.get("future") else run
    type_, _, name = path.rpartition("::")
    if type_ in ("std::time::Duration", "Duration") and name in _UNITS:
        return _now(_duration(given.argument(0), _UNITS[name]))
    class_ = machine.class_named(type_, frame.file) if name in clap.PARSES and frame is not None else None
    if class_ is not None and name not in class_.methods:
        return _now(clap.parsed(machine, class_, given.span))
    if name in signals.KINDS and type_.endswith("SignalKind"):
        return _now(Sig(signals.KINDS[name]))
    short = "::".join(path.split("::")[-2:])
    how = _FUNCTIONS.get(path) or _FUNCTIONS.get(short) or _OTHERS.get(path) or _OTHERS.get(short)
    if how is not None:
        return _run(how(machine, given))
    if short in options.EMPTY:
        return _now([])
    if name == "clone" and isinstance(one := given.argument(0), Object):
        return _now(channels.cloned(one))
    if name == "clone" or path in table("rust")["language"]["same"] or short in table("rust")["language"]["same"]:
        return _now(given.argument(0, UNIT))
    if path.endswith("!"):
        if path[:-1] in machine.crates.macros or path == "unread!":
            machine.unsure.append(f"the macro {path}")
        return _now(UNKNOWN)
    if short.endswith("::new") and any(one in short for one in ("Mutex", "RwLock", "RefCell", "Cell", "Atomic")):
        return _now(_cell(given.argument(0, UNKNOWN), given.span, short.startswith(("Atomic", "Cell"))))
    if signals.may_listen(path):
        raise Doubt(f"what {path} does in line {given.span.line} is not known", given.span)
    return None


def _now(value: Any) -> Run:
    yield from ()
    return value


def _run(value: Any) -> Run:
    return value if hasattr(value, "send") else _now(value)


def _duration(value: Any, unit: float) -> Any:
    return float(value) * unit if isinstance(value, (int, float)) and not isinstance(value, bool) else UNKNOWN


def _cell(value: Any, span: Span, always: bool = False) -> Any:
    if not always and isinstance(value, (Object, Chan, Ctx, list, dict)):
        return value
    one = Object("Cell", span)
    one.state["value"] = value
    return one


def _fits(machine: RustMachine, path: str, frame: Frame | None, given: Given) -> Run:
    yield from ()
    assert frame is not None
    names: dict[str, Any] = {}

    def resolve(name: str) -> Any:
        where = frame.scope.find(name)
        if where is not None:
            return where.names[name]
        found = machine.crates.find(name, frame.file)
        if isinstance(found, str) and not isinstance(found, Variant):
            return machine.meant(found, frame.file)
        return found if isinstance(found, Variant) else UNKNOWN

    value, pattern = given.args[:2]
    inner = _value(value)
    # what `Some` stands around is the atomic itself, not the number that it holds
    inner = value if pattern.type == "tuple_struct_pattern" and isinstance(inner, (bool, int, float)) else inner
    found = fits(inner, pattern, names, resolve)
    frame.scope.names.update(names)
    if path == "$must" and found is False:
        raise Doubt(f"what `select!` in line {given.span.line} does with what does not fit is not known", given.span)
    return UNKNOWN if found is None else found


def _value(one: Any) -> Any:
    return one.state["value"] if isinstance(one, Object) and one.type == "Cell" else one


# the language


def _struct(machine: RustMachine, given: Given) -> Any:
    type_ = given.args[0]
    named = {name: value for name, value in given.named.items() if name != "$task"}
    base = given.args[1] if len(given.args) > 1 else None
    fields = (base.fields | named) if isinstance(base, Object) else named
    if isinstance(type_, (Lib, Variant)):
        one = Object(type_.path if isinstance(type_, Lib) else type_, given.span)
    elif type_ is UNKNOWN or not hasattr(type_, "methods"):
        return UNKNOWN
    else:
        one = Object(type_.name, given.span, type_)
    one.fields = dict(fields)
    return one


def _range(machine: RustMachine, given: Given) -> Any:
    numbers = [*map(machine.settle, given.args[1:])]
    if len(numbers) != 2 or not all(isinstance(one, int) for one in numbers):
        return UNKNOWN
    first, last = numbers[0], numbers[1] + (given.args[0] is True)
    return [*range(first, last)] if 0 <= last - first <= _MOST_ITEMS else UNKNOWN


def _each(machine: RustMachine, given: Given) -> Any:
    of = _value(given.argument(0))
    if isinstance(of, Object) and "chan" in of.state:
        return of.state["chan"]
    return list(of) if isinstance(of, tuple) else of


def _read(_: RustMachine, given: Given) -> Any:
    """A field; of what nobody knows, nobody knows it."""
    value = given.args[0]
    if not isinstance(value, Method):
        return value
    return value.of if isinstance(value.of, Unknown) else UNKNOWN


def _put(_: RustMachine, given: Given) -> Any:
    of = given.args[0]
    if isinstance(of, Object) and of.type == "Cell":
        of.state["value"] = given.args[1]
    return UNIT


def _pending(machine: RustMachine, given: Given) -> Any:
    def run() -> Run:
        yield Wait("for ever", given.span, lambda: False)

    return machine.future(run(), given.span)


def _together(machine: RustMachine, given: Given) -> Run:
    """`join!`: all at once, until all are done."""
    parts = given.args[0] if len(given.args) == 1 and isinstance(given.args[0], list) else given.args
    threads = [machine.start(machine.wait_for(one, given.span), given.span) for one in parts]
    yield Wait("join", given.span, lambda: all(one.done for one in threads))
    return [one.value for one in threads]


def _later(how: Callable[[RustMachine, Given], Run]) -> Callable[[RustMachine, Given], Any]:
    return lambda machine, given: machine.future(how(machine, given), given.span)


def _dropped(machine: RustMachine, given: Given) -> Run:
    of = given.argument(0)
    if isinstance(of, Object):
        function_ = machine.find(of.package, "drop") if of.package is not None else None
        if function_ is not None and of.package.values.get("$drop"):
            yield from machine.call(Closure(function_, None, of), [], given.span)
    _let_go(machine, of, given.span, 0)
    return UNIT


def _let_go(machine: RustMachine, of: Any, span: Span, depth: int) -> None:
    """The senders that go with a value: itself, or what it holds."""
    if isinstance(of, Object) and "sends" in of.state and not channels.dropped(of):
        machine.blurred.append(span)
    parts = [*of.fields.values()] if isinstance(of, Object) else of if isinstance(of, (list, tuple)) else ()
    for one in parts if depth < _DEEPEST else ():
        _let_go(machine, one, span, depth + 1)


_DEEPEST = 3
_LETS_GO = frozenset(("pop", "pop_back", "pop_front", "remove", "swap_remove", "truncate", "drain", "retain"))


def _words(machine: RustMachine) -> Any:
    """The command line; of one that a shell expands only what comes before that."""
    words = machine.command_line()
    return words if isinstance(words, Words) else UNKNOWN


# time, threads and tasks


def _timeout(machine: RustMachine, given: Given) -> Run:
    seconds = given.argument(0)
    until = machine.now + (float(seconds) if isinstance(seconds, (int, float)) else 1.0)
    thread = machine.start(machine.wait_for(given.argument(1), given.span), given.span)
    if machine.stopping:
        machine.waits.append(("join", given.span, until - machine.now))
    try:
        yield Wait(
            "timeout", given.span, lambda: thread.done or machine.now >= until, at=lambda: until, node=given.span
        )
    finally:
        done, value = thread.done, thread.value
        machine.drop(thread)
    return value if done else Err("Elapsed")


def _spawn_task(machine: RustMachine, given: Given) -> Any:
    return _request(machine, machine.spawn(given.argument(0), given.span), given.span)


def _request(machine: RustMachine, one: Object, span: Span) -> Object:
    thread: Thread = one.state["thread"]
    if machine.accepted:
        machine.accepted = False
        thread.run = serving.request(machine, span, thread.run)
    return one


def _spawn(machine: RustMachine, given: Given) -> Any:
    one = Object("JoinHandle", given.span)
    one.state["thread"] = thread = machine.start(machine.call(given.argument(0), [], given.span), given.span)
    thread.body = given.argument(0)
    one.state["blocks"] = True
    return _request(machine, one, given.span)


def _spawn_blocking(machine: RustMachine, given: Given) -> Any:
    one = _spawn(machine, given)
    one.state["blocks"] = False
    machine.blocking.append(one.state["thread"])
    return one


def _join(machine: RustMachine, of: Object, given: Given) -> Run:
    thread = library.thread_of(of)
    if thread is None:
        return UNKNOWN
    if machine.stopping:
        machine.waits.append(("join", given.span, None))
    yield Wait("join", given.span, lambda: thread.done)
    return thread.value


def _abort(machine: RustMachine, of: Object, given: Given) -> Any:
    thread = library.thread_of(of)
    if thread is not None:
        machine.drop(thread)
    return UNIT


def _group(machine: RustMachine, of: Object, given: Given) -> Any:
    future = given.argument(0)
    one = _spawn_task(machine, library.Given(given.path, given.span, [future], {}))
    of.state.setdefault("members", []).append(one.state["thread"])
    return one


def _group_next(machine: RustMachine, of: Object, given: Given) -> Run:
    members: list[Thread] = of.state.setdefault("members", [])
    if not members:
        return NIL
    yield Wait("join", given.span, lambda: any(one.done for one in members))
    done = next(one for one in members if one.done)
    members.remove(done)
    return done.value


def _group_all(machine: RustMachine, of: Object, given: Given) -> Run:
    members: list[Thread] = of.state.setdefault("members", [])
    if machine.stopping:
        machine.waits.append(("join", given.span, None))
    yield Wait("join", given.span, lambda: all(one.done for one in members))
    return [one.value for one in members]


def _group_abort(machine: RustMachine, of: Object, given: Given) -> Any:
    for one in of.state.pop("members", []):
        machine.drop(one)
    return UNIT


def _interval(machine: RustMachine, given: Given) -> Any:
    one = Object("Interval", given.span)
    one.state["every"] = given.argument(-1)
    return one


def _tick(machine: RustMachine, of: Object, given: Given) -> Run:
    every = of.state["every"]
    seconds = float(every) if isinstance(every, (int, float)) else 1.0
    if of.state.get("began"):
        yield from sleep(machine, given.span, seconds, (given.span.source.path, given.span.start))
    of.state["began"] = True
    return UNKNOWN


_FUNCTIONS: dict[str, Callable[[RustMachine, Given], Any]] = {
    "$struct": _struct,
    "$range": _range,
    "$read": _read,
    "$each": _each,
    "$put": _put,
    "$get": lambda _, given: _value(given.args[0]),
    "$slice": lambda _, given: options.slice_of(given),
    "$failed": lambda _, given: isinstance(given.args[0], Err),
    "$pending": _pending,
    "$join": _together,
    "Err": lambda _, given: Failed(given.argument(0, UNKNOWN)),
    "drop": _dropped,
    "std::mem::drop": _dropped,
    "std::future::pending": _pending,
    "futures::future::pending": _pending,
    "futures::future::join_all": _later(_together),
    "futures::future::try_join_all": _later(_together),
    "futures::future::join": _later(_together),
    "std::env::args": lambda machine, _: _words(machine),
    "env::args": lambda machine, _: _words(machine),
    "Instant::now": lambda machine, _: machine.now,
    "tokio::time::timeout": _later(_timeout),
    "tokio::time::interval": _interval,
    "tokio::time::interval_at": _interval,
    "std::thread::spawn": _spawn,
    "tokio::spawn": _spawn_task,
    "tokio::task::spawn": _spawn_task,
    "tokio::task::spawn_local": _spawn_task,
    "tokio::task::spawn_blocking": _spawn_blocking,
    "CancellationToken::new": lambda _, given: Ctx(None, given.span),
}


# methods


def _token(machine: RustMachine, of: Ctx, name: str, given: Given) -> Any:
    if name == "child_token":
        return Ctx(of, given.span)
    if name == "cancel":
        return of.cancel()
    if name == "is_cancelled":
        return of.ends(machine.now)
    if name in ("cancelled", "cancelled_owned"):
        return machine.future(receive(machine, of, given.span, None), given.span)
    if name == "run_until_cancelled":
        return machine.future(_until_cancelled(machine, of, given), given.span)
    return of


def _until_cancelled(machine: RustMachine, of: Ctx, given: Given) -> Run:
    thread = machine.start(machine.wait_for(given.argument(0), given.span), given.span)
    try:
        yield Wait("select", given.span, lambda: thread.done or of.ends(machine.now))
    finally:
        done, value = thread.done, thread.value
        machine.drop(thread)
    return value if done else NIL


def _cell_method(machine: RustMachine, of: Object, name: str, given: Given) -> Any:
    value = of.state["value"]
    if name in ("store", "set"):
        of.state["value"] = given.argument(0, UNKNOWN)
        return UNIT
    if name in ("swap", "replace"):
        of.state["value"] = given.argument(0, UNKNOWN)
        return value
    if name.startswith("fetch_"):
        its = given.argument(0)
        known = isinstance(value, int) and isinstance(its, int)
        made: Any = UNKNOWN
        if known:
            made = {"add": value + its, "sub": value - its, "or": value | its, "and": value & its}.get(
                name[6:], UNKNOWN
            )
        of.state["value"] = bool(made) if isinstance(value, bool) and made is not UNKNOWN else made
        return value
    if name == "compare_exchange":
        if value == given.argument(0):
            of.state["value"] = given.argument(1)
            return value
        return Failed(value)
    return value if name in ("load", "get", "into_inner") else of


def method(machine: RustMachine, of: Any, name: str, given: Given) -> Run | None:
    row: Any = None
    if isinstance(of, Object):
        if of.type in processes.TYPES and name != "exec":
            return _run(processes.method(machine, of, name, given))
        row = library.rows(machine, "types").get(of.type)
        its = row.get("methods", {}).get(name) if row is not None else None
        if its is not None:
            run = library.perform(machine, its, given)
            return _now(machine.future(run, given.span)) if its.get("future") else run
        if row is not None and (found := servers.method(machine, of, name, row, given)) is not None:
            return _now(found)
        if of.type == "Cell":
            return _now(_cell_method(machine, of, name, given))
        how = _METHODS.get((of.type, name))
        if how is not None:
            return _run(how(machine, of, given))
        late = _FUTURES.get((of.type, name))
        if late is not None:
            return _now(machine.future(late(machine, of, given), given.span))
        if of.type in _TYPES and name not in table("rust")["language"]["methods"]:
            machine.unsure.append(f"{of.type}::{name}")
            return _now(UNKNOWN)
    if isinstance(of, Ctx):
        return _now(_token(machine, of, name, given))
    if isinstance(of, float) and name in ("elapsed", "duration_since", "as_millis"):
        other = given.argument(0)
        return _now(of * 1000 if name == "as_millis" else of - other if isinstance(other, float) else machine.now - of)
    if name in ("is_ok", "is_err", "is_some", "is_none"):
        return _now(options.holds(_value(of), name))
    if name in ("unwrap", "expect") and isinstance(of, Err):
        raise Raised(("panic",), UNKNOWN, given.span)
    if name in ("map", "and_then", "for_each", "then", "filter_map", "inspect", "map_or", "is_some_and", "is_ok_and"):
        return options.mapped(machine, of, name, given)
    if name in (
        "unwrap_or_else",
        "or_else",
        "map_err",
        "inspect_err",
        "get_or_insert_with",
        "unwrap_or",
        "unwrap_or_default",
    ):
        return options.instead(machine, of, name, given)
    if name == "ok" and not isinstance(of, Object):
        return _now(NIL if isinstance(of, Err) else of)
    if isinstance(of, list) and name == "clear":
        _let_go(machine, of, given.span, 0)
    elif isinstance(of, list) and name in _LETS_GO and any(isinstance(one, Object) for one in of):
        machine.blurred.append(given.span)
    if isinstance(of, list) and name in options.LISTS:
        more = given.argument(0)
        machine.pay_for(len(more) if isinstance(more, (list, tuple)) else 0)
        return _now(options.LISTS[name](of, given))
    if isinstance(of, Words) and name in options.WORDS:
        return _now(options.WORDS[name](of, given))
    if isinstance(of, str) and not isinstance(of, Sig) and name in options.TEXTS:
        return _now(options.TEXTS[name](of, given))
    if isinstance(of, (int, float)) and not isinstance(of, bool) and name in options.NUMBERS:
        return _now(options.NUMBERS[name](of, given.argument(0)))
    if name in table("rust")["language"]["methods"]:
        return _now(of)
    if isinstance(of, Unknown) and not of.of and not isinstance(of, Object):
        return _now(UNKNOWN) if name not in library.rows(machine, "foreign").get("waits", ()) else None
    return _now(UNKNOWN) if not isinstance(of, (Object, Unknown, Lib)) else None


def _incoming(machine: RustMachine, of: Object, given: Given) -> Any:
    one = Object("Incoming", given.span)
    one.state["chan"] = chan = Chan(0, given.span)
    chan.queue.append(UNKNOWN)
    machine.accepted = True
    return one


def _accept(machine: RustMachine, of: Object, given: Given) -> Run:
    value = yield from serving.method(machine, of, {"accept": ["accept"]}, "accept", given.args, given.span)
    return list(value) if isinstance(value, tuple) else value


def _block_on(machine: RustMachine, of: Object, given: Given) -> Run:
    value = yield from machine.wait_for(given.argument(0), given.span)
    return value


def _on_runtime(how: Callable[[RustMachine, Given], Any]) -> Callable[[RustMachine, Object, Given], Any]:
    return lambda machine, _, given: how(machine, given)


_OTHERS = channels.FUNCTIONS | signals.FUNCTIONS | processes.FUNCTIONS | threads.FUNCTIONS
_METHODS: dict[tuple[str, str], Callable[[RustMachine, Object, Given], Any]] = {
    **channels.METHODS,
    **signals.METHODS,
    **threads.METHODS,
    ("JoinHandle", "join"): _join,
    ("JoinHandle", "abort"): _abort,
    ("JoinHandle", "abort_handle"): lambda _, of, __: of,
    ("JoinHandle", "is_finished"): lambda _, of, __: of.state["thread"].done,
    ("Builder", "spawn"): _on_runtime(_spawn),
    ("JoinSet", "spawn"): _group,
    ("JoinSet", "abort_all"): _group_abort,
    ("JoinSet", "is_empty"): lambda _, of, __: not of.state.get("members"),
    ("TaskTracker", "spawn"): _group,
    ("TaskTracker", "close"): lambda *_: UNIT,
    ("Runtime", "block_on"): _block_on,
    ("Runtime", "spawn"): _on_runtime(_spawn_task),
    ("Runtime", "spawn_blocking"): _on_runtime(_spawn_blocking),
    ("TcpListener", "incoming"): _incoming,
    ("TcpListener", "accept"): _accept,
}
_FUTURES: dict[tuple[str, str], Callable[[RustMachine, Object, Given], Run]] = {
    **channels.FUTURES,
    **signals.FUTURES,
    ("JoinSet", "join_next"): _group_next,
    ("JoinSet", "join_all"): _group_all,
    ("TaskTracker", "wait"): _group_all,
    ("Interval", "tick"): _tick,
    ("AsyncListener", "accept"): _accept,
    ("ServerHandle", "stop"): servers.stop,
}
_TYPES = frozenset(type_ for type_, _ in (*_METHODS, *_FUTURES))
"""What is followed: a method of it that is not known could do anything."""
