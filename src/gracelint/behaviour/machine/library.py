"""What libraries do, from the rows of knowledge/<language>.toml: the same words for every language.

    [functions]                     by call path
    "time.sleep" = { does = "sleeps", seconds = 0 }
    [types."net/http.Server"]       by an object's type
    serve = ["Serve"]               lists of its methods: serve drain drop until_context on_drain accept child same
    methods.join = { does = "joins", seconds = "timeout" }

Arguments are named by their position or their keyword (`default`: seconds where there is none); `block` is the function
a call ends with. `does` is one of:

    serves    for ever, as the type `as`         exits     ends the process (`hard`: without hooks and handlers)
    fatal     ends it with an error              doubt     nobody can tell what comes of it
    context   makes one that `signals` cancel    makes     an object of the type `as`
    sleeps    `seconds`                          waits     for what comes from outside, at most `seconds`
    spawns    a thread of `function`             joins     waits for the thread it is called on, at most `seconds`
    calls     `function`, at once                repeats   `function`, for ever, every `seconds`
    handles   calls `function` on `signals`      hook      calls `function` on the way out
    child     waits for a child process          returns   nothing that matters
    listens   installs handlers of its own for `signals`, which close what it serves
    schedules `function`, from time to time, until it is shut down
    shuts     it down: `waits` for the jobs at work, always or where that word is given; `gives` a context that does
    attends   waits until it is shut down
    submits   `function` to a pool               drains    waits for a pool's jobs, at most `seconds`
    variable  of the environment, or what is given as `instead`;  `paired`: with whether it is set
    sets      one                                clock     the time, in parts of so many seconds as `unit` says
    least     of the numbers it is given         most
"""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.machine import serving
from gracelint.behaviour.machine.arithmetic import outermost
from gracelint.behaviour.machine.machine import Machine, sleep
from gracelint.behaviour.machine.values import NIL, UNKNOWN, UNSET, Ctx, Doubt, Ended, Object, Sig, Thread, Wait
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gracelint.behaviour.machine.frames import Frame
    from gracelint.behaviour.machine.nodes import Node
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span

    Row = dict[str, Any]


class Given(Record, identity=True):
    """What a call gets, and what it is called on."""

    path: str
    span: Span
    args: list[Any]
    named: dict[str, Any]
    of: Any = None
    by: tuple[Frame, list[Node]] | None = None
    """Where it is called, and the arguments as they are written."""

    def argument(self, where: int | str | None, default: Any = None) -> Any:
        if isinstance(where, int):
            return self.args[where] if -len(self.args) <= where < len(self.args) else default
        return self.named.get(where, default) if where is not None else default


def rows(machine: Machine, kind: str) -> dict[str, Row]:
    found: dict[str, Row] = table(machine.language).get(kind, {})
    return found


def function(machine: Machine, given: Given) -> Run | None:
    """The run of a function that has a row; None where it has none."""
    row = rows(machine, "functions").get(given.path)
    return perform(machine, row, given) if row is not None else None


def method(machine: Machine, type_: str, name: str, given: Given) -> Run | None:
    """The run of a method of a type that has a row; None where the type has none."""
    row = rows(machine, "types").get(type_)
    if row is None:
        return None
    its = row.get("methods", {}).get(name)
    if its is not None:
        return perform(machine, its, given)
    if isinstance(given.of, Object):
        return serving.method(machine, given.of, row, name, given.args, given.span)
    return None


def perform(machine: Machine, row: Row, given: Given) -> Run:
    value = _DOES[row["does"]](machine, row, given)
    if hasattr(value, "send"):
        value = yield from value
    return value


def _exits(_: Machine, row: Row, given: Given) -> Any:
    raise Ended("hard" if row.get("hard") else "exit", given.span)


def _fatal(_: Machine, __: Row, given: Given) -> Any:
    raise Ended("fatal", given.span)


def _doubt(_: Machine, __: Row, given: Given) -> Any:
    raise Doubt(f"what comes of {given.path} in line {given.span.line} is only known when it runs", given.span)


def _serves(machine: Machine, row: Row, given: Given) -> Run:
    its = rows(machine, "types").get(row["as"], {})
    server = given.argument(row["of"]) if "of" in row else None
    server = server if isinstance(server, Object) else Object(row["as"], given.span)
    return serving.serve(machine, server, given.span, its, given.argument(0))


def _context(machine: Machine, row: Row, given: Given) -> Any:
    return machine.listen(Ctx(None, given.span), row["signals"], given.span)


def _makes(_: Machine, row: Row, given: Given) -> Any:
    one = Object(row["as"], given.span)
    one.fields["_given"] = given.args
    one.state["given"] = given
    return one


def _seconds(machine: Machine, row: Row, given: Given) -> float | None:
    """None where the call has no limit, or nobody can tell which."""
    where = row.get("seconds")
    value = where if isinstance(where, float) else given.argument(where)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        limit: float | None = row.get("default")
        return limit
    return float(value) if isinstance(where, float) else machine.seconds(value) * row.get("unit", 1.0)


def _sleeps(machine: Machine, row: Row, given: Given) -> Run:
    where = row.get("seconds")
    value = where if isinstance(where, float) else given.argument(where)
    if value is None and row.get("for_ever"):
        yield Wait("for ever", given.span, lambda: False)
    seconds = _seconds(machine, row, given)
    seconds = 1.0 if seconds is None else seconds
    if machine.stopping and machine.current is not None and machine.current.main:
        machine.slept += seconds
    yield from sleep(machine, given.span, seconds, (given.span.source.path, given.span.start))
    return NIL


def _waits(machine: Machine, row: Row, given: Given) -> Run:
    seconds = _seconds(machine, row, given)
    until = machine.now + seconds if seconds is not None else None
    if machine.stopping and seconds is None:
        machine.waits.append((row.get("kind", "wait"), given.span, None))
    node = (given.span.source.path, given.span.start)
    yield Wait(
        row.get("kind", "wait"),
        given.span,
        lambda: until is not None and machine.now >= until,
        lambda: UNKNOWN,
        at=lambda: until,
        node=node,
    )
    return UNKNOWN


def _spawns(machine: Machine, row: Row, given: Given) -> Any:
    one = Object(row.get("as", "thread"), given.span)
    what = given.argument(row.get("function", "block"))
    run = machine.call(what, list(given.args) if row.get("gives") else [], given.span)
    if machine.accepted:
        machine.accepted = False
        run = serving.request(machine, given.span, run)
    thread = machine.start(run, given.span)
    thread.body = what
    thread.daemon = bool(row.get("daemon")) or given.named.get("daemon") is True
    one.state["thread"] = thread
    return one


def _joins(machine: Machine, row: Row, given: Given) -> Run:
    """Waits for a thread, or for all that the arguments are."""
    of = given.of if given.of is not None else given.argument(row.get("thread", 0))
    threads = [thread for one in (of if isinstance(of, list) else [of]) if (thread := thread_of(one)) is not None]
    if not threads:
        return UNKNOWN
    seconds = _seconds(machine, row, given)
    until = machine.now + seconds if seconds is not None else None
    if machine.stopping:
        machine.waits.append(("join", given.span, seconds))

    def ready() -> bool:
        return all(one.done for one in threads) or (until is not None and machine.now >= until)

    yield Wait("join", given.span, ready, at=lambda: until)
    return threads[0].value if threads[0].done and row.get("value") else of


def thread_of(value: Any) -> Thread | None:
    found = value.state.get("thread") if isinstance(value, Object) else None
    return found if isinstance(found, Thread) else None


def _calls(machine: Machine, row: Row, given: Given) -> Run:
    value = yield from machine.call(given.argument(row.get("function", "block")), [], given.span)
    return value if row.get("value", True) else NIL


def _repeats(machine: Machine, row: Row, given: Given) -> Run:
    seconds = _seconds(machine, row, given)
    node = (given.span.source.path, given.span.start)
    while True:
        machine.step()
        yield from machine.call(given.argument(row.get("function", "block")), [], given.span)
        yield from sleep(machine, given.span, seconds or 1.0, node)


def _handles(machine: Machine, row: Row, given: Given) -> Any:
    signals = row["signals"] if isinstance(row["signals"], list) else [given.argument(row["signals"])]
    names = [one for one in signals if isinstance(one, Sig) or isinstance(row["signals"], list)]
    if len(names) != len(signals):
        raise Doubt(f"which signals line {given.span.line} listens for is only known when it runs", given.span)
    function_ = given.argument(row.get("function", "block"))
    for name in names:
        machine.handlers[name] = (function_, given.span)
    machine.register(names, given.span)
    return NIL


def _hook(machine: Machine, row: Row, given: Given) -> Any:
    machine.hooks.append((given.argument(row.get("function", "block")), given.span))
    return NIL


def _child(machine: Machine, _: Row, given: Given) -> Run:
    yield from serving.child(machine, given.span)
    return UNKNOWN


def _returns(_: Machine, __: Row, ___: Given) -> Any:
    return UNKNOWN


def _listens(machine: Machine, row: Row, given: Given) -> Run:
    """A library that serves until one of its signals comes, finishes what it does and returns."""
    names = frozenset(row["signals"])
    context = machine.listen(Ctx(None, given.span), names, given.span)
    yield Wait("context", given.span, lambda: context.done.closed)
    until = machine.now + min(machine.work, row.get("limit", machine.work))
    yield Wait("run", given.span, lambda: machine.now >= until, at=lambda: until)
    return UNKNOWN


def _variable(machine: Machine, row: Row, given: Given) -> Any:
    value = machine.variable(given.argument(0))
    if row.get("paired"):
        return (value, UNKNOWN if value is UNSET or value is UNKNOWN else True)
    return given.argument(row.get("instead"), UNSET) if value is UNSET else value


def _sets(machine: Machine, _: Row, given: Given) -> Any:
    name = given.argument(0)
    if isinstance(name, str):
        machine.assigned[name] = given.argument(1, UNKNOWN)
    return NIL


def _clock(machine: Machine, row: Row, _: Given) -> Any:
    return (_BEGINNING + machine.now) / row.get("unit", 1.0)


_BEGINNING = 1_700_000_000
"""Seconds since 1970 when a run begins: any will do."""


def _numbers(given: Given) -> list[Any]:
    return given.args[0] if len(given.args) == 1 and isinstance(given.args[0], list) else given.args


def _of_scheduler(machine: Machine, row: Row, given: Given) -> Any:
    from gracelint.behaviour.machine import schedules

    return schedules.DOES[row["does"]](machine, row, given)


_DOES: dict[str, Callable[[Machine, Row, Given], Any]] = {
    "serves": _serves,
    "exits": _exits,
    "fatal": _fatal,
    "doubt": _doubt,
    "context": _context,
    "makes": _makes,
    "sleeps": _sleeps,
    "waits": _waits,
    "spawns": _spawns,
    "joins": _joins,
    "calls": _calls,
    "repeats": _repeats,
    "handles": _handles,
    "hook": _hook,
    "child": _child,
    "returns": _returns,
    "listens": _listens,
    "schedules": _of_scheduler,
    "shuts": _of_scheduler,
    "attends": _of_scheduler,
    "submits": _of_scheduler,
    "drains": _of_scheduler,
    "variable": _variable,
    "sets": _sets,
    "clock": _clock,
    "least": lambda _, __, given: outermost(_numbers(given), min),
    "most": lambda _, __, given: outermost(_numbers(given), max),
}
WORDS = tuple(_DOES)
