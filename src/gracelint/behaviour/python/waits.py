"""Calls that block, by the rows of `wait` and `consumer`, and by what their names let one guess."""

from __future__ import annotations

import ast
import math
from itertools import pairwise

from gracelint.behaviour.python.ends import RAISE, End, Leave, Point
from gracelint.behaviour.python.names import STANDARD, is_false, is_none, is_true, path_of, text_of
from gracelint.behaviour.python.queues import has_one_left, is_stocked, is_told, take
from gracelint.behaviour.python.registry import at_most
from gracelint.behaviour.python.values import (
    CERTAIN,
    FROM_OUTSIDE,
    LOST,
    LOST_TRACK,
    NONE,
    OUTSIDE,
    Bound,
    Const,
    Error,
    Items,
    Name,
    Thing,
    Unknown,
    Value,
    items,
)
from gracelint.knowledge import table
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gracelint.behaviour.python.machine import Machine
    from gracelint.behaviour.python.registry import Arguments, Keywords


def may_block(path: str, last: str, args: Arguments) -> bool:
    """Whether a method that nothing more is known of may wait for the world: `get()` may, `get(key)` does not."""
    if last in ("get", "pop", "next", "take", "event", "join"):
        return not args and not path.startswith(("os.environ", "builtins."))
    return not path.startswith(("builtins.", "os.path", "json", "pathlib", "yaml"))


def wait_elsewhere(machine: Machine, node: ast.AST, args: Arguments, keywords: Keywords) -> None:
    """A call out of the project that may wait: for how long, if at all, is not known."""
    given = next((keywords[name] for name in table("python")["words"]["timeouts"] if name in keywords), None)
    seconds: Value | None = FROM_OUTSIDE if given is not None else None
    if isinstance(given, Const) and isinstance(given.value, (int, float)) and given.value > 0:
        milliseconds = any(name in keywords for name in ("timeout_ms", "timeout_millis", "block"))
        seconds = Const(given.value / 1000 if milliseconds else given.value)
    elif given is None and len(args) == 1 and isinstance(args[0], Const) and isinstance(args[0].value, float):
        seconds = args[0]
    point = Point(node, machine.module, "elsewhere", seconds, text_of(node))
    machine.wait(point, ready=lambda: LOST_TRACK, comes_back=True)


def block(
    machine: Machine, function: Value, row: dict[str, Any], args: Arguments, keywords: Keywords, node: ast.AST
) -> Value:
    """A blocking call of the table."""
    receiver = function.receiver if isinstance(function, Bound) else None
    seconds = seconds_of(machine, row, args, keywords, receiver)
    if row["kind"] == "queue.get" and (is_false(keywords.get("block")) or (args and is_false(args[0]))):
        return FROM_OUTSIDE
    point = Point(node, machine.module, row["kind"], seconds, text_of(node))
    comes_back = bool(row.get("returns"))
    lasts: bool | None = True
    if row.get("child"):
        child = child_of(machine, "subprocess", node, args)
        shell = is_true(keywords.get("shell")) or row["kind"] == "os.system"
        words = words_of(machine, args[0], node, shell) if args else None
        child.store["#words"] = Const(words)
        machine.facts.children.append(child)
        lasts = child_lasts(machine, point, words)
        comes_back = lasts is not True
        point.tag = LOST if lasts is None and not machine.arrived else CERTAIN
    if isinstance(receiver, Thing) and row.get("by_socket") and ("called after", "close") in receiver.store:
        raise Leave([End(RAISE, CERTAIN, Error("builtins.OSError"))])
    value: Value = FROM_OUTSIDE
    if row["kind"] == "accept":
        value = items("tuple", [Thing("socket.socket", node, machine.module), FROM_OUTSIDE])
    ready = None
    if isinstance(receiver, Thing) and row["kind"] == "queue.get":
        take(machine, receiver, node)
        machine.taken_from = machine.taken_from if machine.aside else receiver
    if isinstance(receiver, Thing) and row["kind"] in (
        "queue.get",
        "recv",
        "accept",
        "condition.wait",
        "queue.join",
        "select",
        "poll",
    ):

        def ready() -> bool | Unknown:
            if _written(args, receiver):
                return True
            if row["kind"] == "queue.join" and ("called", "task_done") in receiver.store:
                return _is_drained(machine, receiver)
            woken = _woken(machine, receiver)
            return is_stocked(machine, receiver, node) if woken is False and row["kind"] == "queue.get" else woken

    elif row["kind"] == "select":

        def ready() -> bool | Unknown:
            return bool(_written(args, None))

    elif lasts is None:

        def ready() -> bool | Unknown:
            return machine.arrived and LOST_TRACK

    raises = row.get("raises") if seconds is not None else None
    value = machine.wait(
        point, ready=ready, raises=raises, comes_back=comes_back, deaf=bool(row.get("deaf")), value=value
    )
    if isinstance(receiver, Thing) and row.get("by_socket") and ("called after", "close") in receiver.store:
        # The call is taken up again after the handler, and finds its socket closed.
        raise Leave([End(RAISE, CERTAIN, Error("builtins.OSError"))])
    if machine.arrived and (written := _written(args, receiver)):
        return _read_ready(row, receiver, written)
    return _timed_out(row, function, receiver, value) if machine.arrived and not machine.fed else value


def _is_drained(machine: Machine, queue: Thing) -> bool | Unknown:
    """Whether `join()` returns, once all that is in the queue is done."""
    told = is_told(machine, queue)
    if machine.arrived and told is True and machine.delay is not None:
        from gracelint.behaviour.python.backlog import drained_in

        machine.delay += drained_in(machine, queue)
    return told


def _written(args: Arguments, receiver: Value | None) -> list[Thing]:
    """The ends of pipes that something has been written to: among what is selected, or what is read."""
    if not isinstance(receiver, Thing):
        listed = args[0].values() if args and isinstance(args[0], Items) else []
    else:
        listed = [receiver, *(v for k, v in receiver.store.items() if isinstance(k, tuple) and k[0] == "registered")]
    ends = [thing for thing in listed if isinstance(thing, Thing)]
    return [end for end in ends if "#written" in _end_of(end).store]


def _end_of(thing: Thing) -> Thing:
    end = thing.store.get("fileobj")
    return end if isinstance(end, Thing) else thing


def _read_ready(row: dict[str, Any], receiver: Value | None, written: list[Thing]) -> Value:
    if row["kind"] not in ("select", "poll"):
        read = written[0].store["#written"]
        if isinstance(read, Error):
            raise Leave([End(RAISE, CERTAIN, read)])
        return read
    if receiver is None:
        return items("tuple", [items("list", written), items("list", []), items("list", [])])
    return items("list", [items("tuple", [key, FROM_OUTSIDE]) for key in written])


def child_lasts(machine: Machine, point: Point, words: tuple[Word, ...] | None) -> bool | None:
    """Whether a child that is waited for runs until it is stopped; sets the time that one takes that does not."""
    lasts = machine.children.runs_on(words)
    seconds = machine.children.seconds(words)
    if point.seconds is None and seconds is not None:
        point.seconds = FROM_OUTSIDE if math.isnan(seconds) else Const(seconds)
    elif point.seconds is None and lasts is False:
        point.seconds = Const(0)
    if lasts is None and not machine.arrived:
        machine.facts.maybe.append(point)
    return lasts


def command_of(child: Thing | None) -> tuple[Word, ...] | None:
    """The command line of a child, where all of it is known."""
    words = child.store.get("#words") if child is not None else None
    return words.value if isinstance(words, Const) else None


def child_ended(machine: Machine, child: Thing | None) -> bool | Unknown:
    """Whether a child is gone, as far as that is the program's doing."""
    signalled = child.store.get("#signalled") if child is not None else None
    if not isinstance(signalled, Const):
        return False
    ends = machine.children.ends_on(command_of(child), signalled.value)
    return LOST_TRACK if ends is None else ends


def _timed_out(row: dict[str, Any], function: Value, receiver: Value | None, value: Value) -> Value:
    """What a call gives when nothing comes any more, or only what was put there after the signal."""
    if isinstance(receiver, Thing) and row["kind"] == "queue.get":
        return receiver.store.get(("called after", "put"), receiver.store.get(("called after", "put_nowait"), value))
    if row.get("none"):
        return NONE
    if row.get("empty"):
        three = row["kind"] == "select" and isinstance(function, Name)
        return items("tuple", [items("list", []) for _ in range(3)]) if three else items("list", [])
    return value


def _woken(machine: Machine, receiver: Thing) -> bool | Unknown:
    """Something was put into a queue, or a socket was closed, after the signal."""
    for method in ("put", "put_nowait", "notify", "notify_all", "set", "close", "shutdown", "send"):
        if ("called after", method) in receiver.store:
            if method in ("put", "put_nowait") and not has_one_left(machine, receiver):
                return False
            return True if method != "shutdown" else LOST_TRACK
    return False


def seconds_of(
    machine: Machine, row: dict[str, Any], args: Arguments, keywords: Keywords, receiver: Value | None
) -> Value | None:
    if row.get("by_socket"):
        found: Value | None = receiver.store.get("timeout") if isinstance(receiver, Thing) else None
        if found is None and isinstance(receiver, Thing) and receiver.cls is not None:
            found = receiver.cls.find("timeout")
        found = found or machine.world.get("socket timeout")
        return None if found is None or is_none(found) else found
    position = row.get("seconds")
    given: Value | None = args[position] if isinstance(position, int) and len(args) > position else None
    if given is None and "keyword" in row:
        given = keywords.get(row["keyword"])
    if given is None and row.get("instant"):
        return Const(0)
    if given is None or is_none(given):
        return None
    given = at_most(given)
    if isinstance(given, Const) and isinstance(given.value, (int, float)):
        if given.value < 0 or (given.value == 0 and row.get("zero")):
            return None
        return Const(given.value * row.get("unit", 1))
    return given


def consume(
    machine: Machine, function: Value, row: dict[str, Any], args: Arguments, keywords: Keywords, node: ast.AST
) -> Value:
    """A consumer's own loop."""
    receiver = function.receiver if isinstance(function, Bound) and isinstance(function.receiver, Thing) else None
    seconds = seconds_of(machine, row, args, keywords, receiver) if "keyword" in row else None
    point = Point(node, machine.module, row["kind"], seconds, text_of(node))
    stops = tuple(row.get("stops", ()))

    def ready() -> bool | Unknown:
        return receiver is not None and any(("called", stop) in receiver.store for stop in stops)

    return machine.wait(point, ready=ready, value=NONE)


def endless_iterable(machine: Machine, iterable: Value, node: ast.For | ast.AsyncFor) -> Point | None:
    """The wait that iterating over something is, where it has no end of its own."""
    path = path_of(iterable)
    if path.endswith(".open_signal_receiver") and isinstance(iterable, Thing):
        return Point(node.iter, machine.module, "signals", None, f"for … in {text_of(node.iter)}")
    row = table("python")["consumer"].get(path)
    point = Point(node.iter, machine.module, "iterate", None, f"for … in {text_of(node.iter)}")
    point.comes_back = True
    if row is not None:
        given = iterable.store.get("#seconds") if isinstance(iterable, Thing) else None
        if isinstance(given, Const) and isinstance(given.value, (int, float)):
            point.seconds = Const(given.value * row.get("unit", 1))
        elif given is not None:
            point.seconds = given
        return point
    if path in ("itertools.count", "itertools.repeat", "itertools.cycle"):
        point.seconds = Const(0)
        return point
    if path == "builtins.iter":
        return point
    if path in _OUTPUTS and isinstance(iterable, Bound):
        return _output(machine, iterable.receiver, point)
    top = path.split(".")[0]
    last = path.rpartition(".")[2].lower()
    words = table("python")["words"]
    streams = any(word in last for word in words["streams"]) and not last.startswith(tuple(words["batches"]))
    if isinstance(iterable, Thing) and iterable.cls is None and top not in STANDARD and streams:
        point.tag = OUTSIDE
        return point
    if isinstance(node, ast.AsyncFor):
        point.tag = OUTSIDE
        return point
    return None


_OUTPUTS = frozenset(
    f"{kind}.{name}" for kind in ("subprocess.Popen", "asyncio.Process") for name in ("stdout", "stderr")
)


def _output(machine: Machine, child: Value, point: Point) -> Point | None:
    """The lines that a child writes: there is no end of them while it runs."""
    words = command_of(child) if isinstance(child, Thing) else None
    lasts = machine.children.runs_on(words)
    if lasts is False or not isinstance(child, Thing):
        return None
    point.tag = CERTAIN if lasts else LOST
    point.joins = (child,)
    return point


def child_of(machine: Machine, kind: str, node: ast.AST, args: Arguments) -> Thing:
    thing = machine.start_child(kind, node)
    if args:
        thing.store["#argv"] = args[0]
    return thing


_OPEN = "${…}"
"""A word that is only known when it runs, as shells write them."""


def _is_option(word: str | None) -> bool:
    """Whether what comes after a word is its value."""
    return word is not None and word.startswith("-") and "=" not in word


def words_of(
    machine: Machine, argv: Value, node: ast.AST, shell: bool = False, *, is_open: bool = False
) -> tuple[Word, ...] | None:
    """A command line in the source, where all its words are known; `is_open`: but for the values of options."""
    span = machine.module.span(node)
    if isinstance(argv, Const) and isinstance(argv.value, str):
        if shell:
            return (Word("/bin/sh", span), Word("-c", span), Word(argv.value, span))
        import shlex

        try:
            return tuple(Word(word, span) for word in shlex.split(argv.value))
        except ValueError:
            return None
    known = machine.elements(argv)
    if known is None:
        return None
    texts = [value.value if isinstance(value, Const) and isinstance(value.value, str) else None for value in known]
    if is_open:
        texts = [_OPEN if text is None and _is_option(before) else text for before, text in pairwise([None, *texts])]
    if any(text is None for text in texts) or not texts:
        return None
    return tuple(Word(text, span) for text in texts if text is not None)
