"""What goes wrong while a program stops: errors nobody catches, promises nobody handles, work nobody waits for."""

from __future__ import annotations

from gracelint.base.record import replace
from gracelint.behaviour.node.state import Frame, Stop, Thrown
from gracelint.behaviour.node.syntax import FUNCTIONS, NAMES, name_of
from gracelint.behaviour.node.values import (
    UNDEFINED,
    UNKNOWN,
    Afloat,
    After,
    Array,
    Closure,
    External,
    Method,
    Promise,
    Scope,
    Thing,
)
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.syntax import File
    from gracelint.source import Span

_PENDING = ("loop", "timer")


def skipped(machine: Machine) -> tuple[str, Span] | None:
    """A listener whose work `process.exit` leaves out, where nothing else has done it, and what it listens for."""
    for event, listener in machine.at_exit:
        node = listener.node
        key = (listener.file.source.path, node.start_byte)
        awaited = [part for part in walk(node) if part.type == "await_expression"]
        if key in machine.called or (event == "exit" and not awaited):
            continue
        work = [part.named_children[0] for part in awaited if part.named_children] or [
            part for part in walk(node) if part.type == "call_expression"
        ]
        if any(_is_left_out(machine, part, listener, bool(awaited) or event == "beforeExit") for part in work):
            return event, listener.file.span(node)
    return None


def _is_left_out(machine: Machine, work: Node, listener: Closure, else_done: bool) -> bool:
    """Whether what a listener does is work that has not been done."""
    called = work.child_by_field_name("function") if work.type == "call_expression" else None
    if called is None or called.type not in ("identifier", "member_expression"):
        return else_done
    if text_of(called).startswith("console."):
        return False
    target = machine.value(called, Frame(listener.scope, listener.file, (), listener.this))
    if isinstance(target, Closure):
        return (target.file.source.path, target.node.start_byte) not in machine.called
    if isinstance(target, Method) and isinstance(target.owner, Thing):
        return all(event.thing is not target.owner for event in machine.events)
    return else_done


def uncaught(machine: Machine, event: str, frame: Frame) -> None:
    """Node ends with an error, unless the program listens for such errors."""
    listeners = machine.listeners.get(event) or machine.listeners.get("uncaughtException") or ()
    if not listeners:
        machine.note("exit", frame.file.root, frame, target="throw")
    seen = len(machine.events)
    for function in listeners:
        try:
            machine.call(function, [UNKNOWN], frame, None)
        except (Stop, Thrown):
            break
    said = machine.events[seen:]
    if all(event.kind in ("exit", "log", "flag") for event in said):  # it gives up, and tidies up nothing
        gives_up = (replace(event, target="throw") if event.kind == "exit" else event for event in said)
        machine.events[seen:] = gives_up


def is_broken_off(machine: Machine, loop: Thing) -> bool:
    """Whether a loop pauses with a signal that is aborted by now: the pause fails, and nothing catches that."""
    _, body, frame, waits = loop.data
    aborted = body is not None and any(_is_aborted(machine, part.thing) for part in waits)
    return aborted and "catch" not in frame.file.source.text


def _is_aborted(machine: Machine, thing: Thing | None) -> bool:
    signals = (signal for signal, known in machine.abortable if known is thing)
    return any(signal.props["aborted"] is True for signal in signals)


def dropped(machine: Machine, value: Any, node: Node, frame: Frame) -> None:
    """A promise that nobody takes: a rejection is unhandled, and what it still does may be lost."""
    if not machine.stopping:
        return
    if isinstance(value, External) and writes(value.path) and node.type == "expression_statement":
        # what compresses is through before the stream behind it is
        through = node if value.path.startswith("zlib.") else node.named_children[0]
        set_afloat(machine, After("work", frame.file.span(through)), node, frame)
    for part in value.items if isinstance(value, Array) else ():  # `clients.map(async (client) => …)`
        dropped(machine, part, node, frame)
    if not isinstance(value, Promise):
        return
    if value.rejected:
        uncaught(machine, "unhandledRejection", frame)
        return
    leave(machine, value, _is_own(machine, node, frame), node, frame)


def leave(machine: Machine, promise: Promise, is_own: bool, node: Node, frame: Frame) -> None:
    """What a promise still waits for goes on beside what comes next, and may be lost."""
    kinds = (*_PENDING, "work") if is_own else _PENDING
    rest = tuple(part for part in promise.after if part not in frame.after and part.kind in kinds)
    span = frame.file.span(node)
    if not machine.certain or promise.never:
        return
    if rest:
        machine.floating.append(Afloat(span, rest, frame.after))
    elif promise.maybe:
        machine.floating.append(Afloat(span, (After("unknown", span),), frame.after, certain=False))


def writes(path: str) -> bool:
    """Whether a call writes to a file, and is through with that only after it has come back."""
    return path.startswith(_FILES) and path.removesuffix("()").rpartition(".")[2] in _WRITES


_FILES = ("fs.", "fs/promises.", "zlib.")
_WRITES = frozenset(table("node")["writes"])


def set_afloat(machine: Machine, done: After, node: Node, frame: Frame) -> None:
    """Something is begun that goes on beside what comes next."""
    if machine.stopping and machine.certain:
        machine.floating.append(Afloat(frame.file.span(node), (done,), frame.after))


def _is_own(machine: Machine, node: Node, frame: Frame) -> bool:
    """Whether a statement calls an async function of the project, which does something when what it awaits is done."""
    call = node.named_children[0] if node.type in ("expression_statement", "unary_expression") else node
    if call.type == "unary_expression":
        return _is_own(machine, call, frame)
    called = call.child_by_field_name("function") if call.type == "call_expression" else None
    if called is None or called.type not in ("identifier", "member_expression"):
        return False
    function = machine.value(called, frame)
    return isinstance(function, Closure) and goes_on(function)


def goes_on(function: Closure) -> bool:
    """Whether a function does something when what it awaits is done."""
    awaited = [part.end_byte for part in walk(function.node) if part.type == "await_expression"]
    later = (part for part in walk(function.node) if part.type == "call_expression" and awaited)
    return any(part.start_byte > awaited[0] for part in later)


def must_fail(machine: Machine, owner: Any, node: Node | None) -> bool:
    """Whether a member is asked of a variable or field that is declared empty, and that nothing ever sets."""
    if not machine.stopping or not machine.certain or (owner is not None and owner is not UNDEFINED) or node is None:
        return False
    name = node.child_by_field_name("property") if node.type == "member_expression" else node
    if name is None or name.type not in NAMES:
        return False
    if machine.unset is None:
        machine.unset = _unset(machine)
    return text_of(name) in machine.unset


def _unset(machine: Machine) -> frozenset[str]:
    """The names that are only ever declared without a value."""
    empty: set[str] = set()
    given: set[str] = set()
    for file in machine.parsed.values():
        for node in walk(file.root) if file is not None else ():
            if node.type in _DECLARE:
                name = node.child_by_field_name("name") or node.child_by_field_name("key")
                name = name or node.child_by_field_name("property")
                value = node.child_by_field_name("value")
                is_empty = value is None or value.type in ("null", "undefined")
                if name is not None and name.type in _NAMES and not _inside_a_function(node):
                    (empty if is_empty else given).add(text_of(name))
            elif node.type in ("assignment_expression", "augmented_assignment_expression", "for_in_statement"):
                left = node.child_by_field_name("left")
                given |= {text_of(part) for part in walk(left) if part.type in _NAMES} if left is not None else set()
            elif node.type in ("formal_parameters", "required_parameter", "import_clause", "catch_clause"):
                given |= {text_of(part) for part in walk(node) if part.type in _NAMES}
    return frozenset(empty - given)


def _inside_a_function(node: Node) -> bool:
    """A name that a function declares is another one than what is there outside of it."""
    if node.type != "variable_declarator":
        return False
    here = node.parent
    while here is not None:
        if "function" in here.type or here.type == "method_definition":
            return True
        here = here.parent
    return False


_DECLARE = ("variable_declarator", "pair", "field_definition", "public_field_definition")
_NAMES = (*NAMES, "shorthand_property_identifier_pattern")


def timer_of_work(machine: Machine) -> Span | None:
    """A timer that requests or jobs set, that nothing clears, and that may outlast them for long."""
    for file in machine.parsed.values():
        for node in walk(file.root) if file is not None else ():
            called = node.child_by_field_name("function") if node.type == "call_expression" else None
            name = text_of(called) if called is not None else ""
            if file is None or name not in ("setInterval", "setTimeout"):
                continue
            is_run = (file.source.path, node.start_byte) in machine.run_timers
            around = _in_function(node)
            if is_run or around is None or ".unref" in file.source.text or _is_behind(machine, around, file):
                continue
            kept = node.parent is not None and node.parent.type in ("arguments", "assignment_expression")
            cleared = _is_cleared(machine, node, f"clear{name.removeprefix('set')}")
            if name == "setInterval" and not cleared:
                return file.span(node)
            if name == "setTimeout" and (kept or not cleared) and _is_long(machine, node, file):
                return file.span(node)
    return None


def _in_function(node: Node) -> Node | None:
    """The outermost function around it."""
    found, here = None, node.parent
    while here is not None:
        found = here if here.type in FUNCTIONS else found
        here = here.parent
    return found


def _is_behind(machine: Machine, function: Node, file: File) -> bool:
    """Whether a function is start-up's alone, which ran it, so that what it left out stands in a branch not taken."""
    name = function.child_by_field_name("name")
    if name is None or (file.source.path, function.start_byte) not in machine.called:
        return False
    names = [part for part in walk(file.root) if part.type == "identifier" and part.text == name.text]
    return len(names) == _DEFINED_CALLED


_DEFINED_CALLED = 2


def _is_cleared(machine: Machine, timer: Node, clear: str) -> bool:
    """Whether what sets a timer clears it too, as when its connection ends, or the program did so while it stopped."""
    around, parent = _in_function(timer), timer.parent
    target = parent.child_by_field_name("name") or parent.child_by_field_name("left") if parent is not None else None
    in_time = target is not None and name_of(target) in machine.cleared
    return in_time or (around is not None and clear in text_of(around))


def _is_long(machine: Machine, timer: Node, file: File) -> bool:
    given = timer.child_by_field_name("arguments")
    milliseconds = given.named_children[1] if given is not None and len(given.named_children) > 1 else None
    value = machine.value(milliseconds, Frame(Scope(), file)) if milliseconds is not None else UNKNOWN
    return isinstance(value, (int, float)) and value >= _LONG


_LONG = 10_000
"""Milliseconds: Docker's grace period."""
