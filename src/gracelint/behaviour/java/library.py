"""Calls of Java's own library, and of what rows of knowledge/java_code.toml say of others, by simple class names."""

from __future__ import annotations

from gracelint.behaviour.java import collections, processes, streams, texts, timers
from gracelint.behaviour.java.clients import awaits, closes, starts
from gracelint.behaviour.java.syntax import JavaClass
from gracelint.behaviour.java.threads import METHODS, NEW, STATIC, of_function, queue
from gracelint.behaviour.java.waiting import UNITS, now, number, pause
from gracelint.behaviour.machine import library
from gracelint.behaviour.machine.arithmetic import equal
from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.values import UNKNOWN, Chan, Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.java.waiting import Given
    from gracelint.behaviour.machine.values import Run

_DURATIONS = {"ofMillis": 0.001, "ofSeconds": 1.0, "ofMinutes": 60.0, "ofHours": 3600.0}


def builtin(machine: JavaMachine, path: str, given: Given) -> Run | None:
    """The run of a static method or constructor of Java's own library; None where it is none of them."""
    short = ".".join(path.split(".")[-2:])
    type_, _, name = short.partition(".")
    if short == "Objects.equals" and not _has_parts(given.argument(0)):
        return now(_same(given.argument(0), given.argument(1)))
    if short == "Duration.parse":
        return now(texts.duration(given.argument(0)))
    if type_ == "Duration" and name in _DURATIONS:
        return now(number(given.argument(0), _DURATIONS[name]))
    if path.endswith(".new"):
        of = path[: -len(".new")].rpartition(".")[2]
        how = next((its[of] for its in (NEW, streams.NEW, processes.NEW, timers.NEW) if of in its), None)
        return how(machine, None, given) if how is not None else _row(machine, f"{of}.new", given)
    how = STATIC.get(short) or texts.STATIC.get(short) or streams.STATIC.get(short)
    if how is not None:
        return how(machine, None, given)
    parts = path.split(".")
    if "TimeUnit" in parts[:-1] and parts[-1] == "sleep":
        return pause(machine, given, number(given.argument(0), UNITS.get(parts[-2], 1.0)))
    if "TimeUnit" in parts[:-1] and parts[-1].startswith("to") and parts[-2] in UNITS:
        seconds, to = number(given.argument(0), UNITS[parts[-2]]), parts[-1][len("to") :].upper()
        unit = UNITS.get(to, UNITS.get(f"{to}ECONDS"))
        return now(UNKNOWN if seconds is None or unit is None else round(seconds / unit))
    return _row(machine, short, given) or _of_first(machine, name, given)


def _of_first(machine: JavaMachine, name: str, given: Given) -> Run | None:
    """`Thread::start` of a library's type is called with what it is called on."""
    first, *rest = given.args or [UNKNOWN]
    if not isinstance(first, (Object, Chan)):
        return None
    return method(machine, first, name, library.Given(name, given.span, rest, {}, first))


def _row(machine: JavaMachine, path: str, given: Given) -> Run | None:
    row = library.rows(machine, "functions").get(path)
    return library.perform(machine, row, given) if row is not None else None


def method(machine: JavaMachine, of: Any, name: str, given: Given) -> Run | None:
    """The run of a method of a value; None where nothing is known of it."""
    if isinstance(of, collections.Table):
        return collections.table_method(machine, of, name, given)
    if isinstance(of, (Closure, dict)) or (
        isinstance(of, Object) and of.package is not None and name in ("start", "join")
    ):
        return of_function(machine, of, name, given)
    if name == "equals" and not _has_parts(of):
        return now(_same(of, given.argument(0)))
    if isinstance(of, JavaClass) and given.args and isinstance(given.args[0], Object):
        own = machine.find(given.args[0].package, name)
        if own is not None:
            rest = library.Given(name, given.span, given.args[1:], {})
            return machine.apply(Closure(own, None, given.args[0]), rest, None)
    if isinstance(of, (str, float, JavaClass)) or (isinstance(of, Object) and "constant" in of.state):
        found = texts.method(machine, of, name, given)
        if found is not None:
            return found
    if isinstance(of, list):
        return collections.method(machine, of, name, given)
    if isinstance(of, Chan):
        return queue(machine, of, name, given)
    if isinstance(of, Object):
        is_thread = of.package is not None and "Thread" in machine.types(of.package)
        type_ = "Thread" if is_thread else of.type
        tables = (METHODS, texts.METHODS, streams.METHODS, processes.METHODS, timers.METHODS)
        found_in = (its[type_].get(name) for its in tables if type_ in its)
        how = next((one for one in found_in if one is not None), METHODS["Object"].get(name))
        if how is not None:
            return how(machine, of, given)
        row = library.rows(machine, "types").get(of.type)
        if row is None:
            return None
        if name in row.get("starts", ()):
            return starts(machine, of, row, given)
        if name in row.get("closes", ()):
            return closes(machine, of, given)
        if name in row.get("awaits", ()):
            return awaits(machine, of, given)
        if row.get("fluent") and not _is_listed(row, name):
            return now(of)
    return None


def _has_parts(of: Any) -> bool:
    """Whether another value may equal it without being the same: a record, a list."""
    return isinstance(of, (list, dict)) or (isinstance(of, Object) and bool(of.fields))


def _same(of: Any, other: Any) -> Any:
    same = equal(of, other)
    return UNKNOWN if same is None else same


def _is_listed(row: dict[str, Any], name: str) -> bool:
    return name in row.get("methods", {}) or any(isinstance(one, list) and name in one for one in row.values())
