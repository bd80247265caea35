"""What the program writes from time to time, or once enough has come together, and not once more on its way out."""

from __future__ import annotations

import re

from gracelint.behaviour.node.doing import callee, inside
from gracelint.behaviour.node.state import Frame
from gracelint.behaviour.node.syntax import FUNCTIONS, once
from gracelint.behaviour.node.syntax import name_of as last_name
from gracelint.behaviour.node.unfinished import NAMED, guards, ran_by_handlers
from gracelint.behaviour.node.values import Closure, name_of
from gracelint.behaviour.tree import text_of, walk
from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.syntax import File
    from gracelint.source import Span


def unsaved(stopped: Stopped) -> tuple[str, Span] | None:
    """What an interval, or enough rows, make the program write down, and the handlers do not."""
    machine = stopped.machine
    found = _put_off(machine, stopped.ran) or _queued(stopped) or _under_way(stopped)
    if found is not None:
        return found
    at_exit = [done for event, listener in machine.at_exit if event == "exit" for done in _done_by(machine, listener)]
    ran = stopped.ran | set(map(_place, at_exit))
    for thing in machine.things:
        if thing.kind != "interval" or not thing.certain or not isinstance(thing.data, tuple):
            continue
        function = thing.data[0]
        for done in _done_by(machine, function) if isinstance(function, Closure) else ():
            name = _name(done)
            saves = _words(name) & _SAVES or _takes_over(machine, done, ran)
            if saves and _place(done) not in ran:
                why = (
                    f"does not call {name}(), which a timer does" if name else f"leaves out what {name_of(thing)} does"
                )
                return why, thing.span
    return _enough(machine, ran)


def _queued(stopped: Stopped) -> tuple[str, Span] | None:
    """A queue of a library that the handlers drop, or do not wait for before they end the program."""
    machine = stopped.machine
    exits = any(event.kind == "exit" and event.certain for event in stopped.events)
    for thing in machine.things:
        row = table("node")["queues"].get(thing.name) if thing.kind == "channel" else None
        if row is None or not row["makes"]:
            continue
        asked = {path.rpartition(".")[2] for path in machine.asked if path.startswith(thing.name)}
        dropped = next((name for name in row["drops"] if name in asked), None)
        if dropped is not None:
            return f"calls {dropped}() of {name_of(thing)}", thing.span
        if exits and not asked & set(row["idle"]):
            return f"does not wait for {name_of(thing)}", thing.span
    return None


def _under_way(stopped: Stopped) -> tuple[str, Span] | None:
    """What the handlers call before they end the program, and that comes back at once while the work is at it."""
    machine = stopped.machine
    if not any(event.kind == "exit" and event.certain for event in stopped.events):
        return None
    handlers, _ = ran_by_handlers(machine, stopped.ran)
    for file, handler in handlers:
        flags, name = guards(handler), _name_of(handler)
        others = (part for _, one in handlers if one.id != handler.id for part in walk(one) if part.type in NAMED)
        if (
            flags
            and name
            and flags.isdisjoint(map(last_name, others))
            and _is_called_by_work(machine, name, stopped.ran)
        ):
            return f"does not wait for {name}() where that is under way", file.span(handler)
    return None


def _is_called_by_work(machine: Machine, name: str, ran: frozenset[tuple[str, int]]) -> bool:
    files = [file for file in machine.parsed.values() if file is not None and f"{name}(" in file.source.text]
    functions = ((file, one) for file in files for one in walk(file.root) if one.type in FUNCTIONS)
    work = (one for file, one in functions if (file.source.path, one.start_byte) not in ran)
    calls = (
        part.child_by_field_name("function") for one in work for part in inside(one) if part.type == "call_expression"
    )
    return any(called is not None and last_name(called) == name for called in calls)


def _put_off(machine: Machine, ran: frozenset[tuple[str, int]]) -> tuple[str, Span] | None:
    """A timer of the work that the handlers clear, without doing what it was to do."""
    for file in machine.parsed.values() if machine.cleared else ():
        for node in walk(file.root) if file is not None else ():
            set_to = node.child_by_field_name("right") if node.type == "assignment_expression" else None
            called = set_to.child_by_field_name("function") if set_to is not None else None
            if file is None or called is None or set_to is None or text_of(called) not in _TIMERS:
                continue
            given, left = set_to.child_by_field_name("arguments"), node.child_by_field_name("left")
            does = given.named_children[0] if given is not None and given.named_children else None
            if left is None or does is None or last_name(left) not in machine.cleared:
                continue
            names = {last_name(does)} if does.type in NAMED else _called_in(does)
            saved = next((name for name in sorted(names) if _words(name) & _SAVES), None)
            if saved is not None and saved not in {name for name, _ in _ran(machine, ran)}:
                return f"clears the timer that was to call {saved}(), and does not call it", file.span(set_to)
    return None


def _enough(machine: Machine, ran: frozenset[tuple[str, int]]) -> tuple[str, Span] | None:
    """A list that is handed on once it is long enough, or one by one, what is left in it not by the handlers."""
    files = [file for file in machine.parsed.values() if file is not None]
    asked = [(name, file.span(test)) for file in files for name, test in _thresholds(file)]
    emptied = frozenset[str]().union(*(_handed_on(file) for file in files if asked))
    asked = [(name, at) for name, at in asked if name in emptied]
    asked += [(name, file.span(loop)) for file in files for name, loop in _taken_one_by_one(file)]
    if not asked:
        return None
    handlers, _ = ran_by_handlers(machine, ran)
    seen = {last_name(node) for _, handler in handlers for node in walk(handler) if node.type in NAMED}
    left = ((name, at) for name, at in asked if name not in seen and _is_filled(machine, name))
    return next(((f"leaves out what is in `{name}` by then", at) for name, at in left), None)


@once
def _thresholds(file: File) -> list[tuple[str, Node]]:
    """The lists whose length is asked for before something is done, and where."""
    if ".length" not in file.source.text:
        return []
    tests = (node.child_by_field_name("condition") for node in walk(file.root) if node.type == "if_statement")
    return [(name, test) for test in tests if test is not None and (name := _is_long_enough(test))]


@once
def _taken_one_by_one(file: File) -> list[tuple[str, Node]]:
    """The lists that a loop takes from, whether or not it ends while there is something in them."""
    if ".shift()" not in file.source.text and ".pop()" not in file.source.text:
        return []
    found = []
    for loop in walk(file.root):
        test = loop.child_by_field_name("condition") if loop.type in ("while_statement", "for_statement") else None
        asked = {last_name(part) for part in walk(test) if part.type in NAMED} if test is not None else set()
        for node in inside(loop) if test is not None else ():
            called = node.child_by_field_name("function") if node.type == "call_expression" else None
            owner = called.child_by_field_name("object") if called is not None else None
            if called is None or owner is None or last_name(called) not in ("shift", "pop"):
                continue
            into = node.parent.child_by_field_name("name") if node.parent is not None else None
            names = {last_name(owner), text_of(into) if into is not None else ""}
            if last_name(owner) not in asked and _waits(loop) and not _leaves_once_empty(loop, names):
                found.append((last_name(owner), loop))
    return found


def _waits(loop: Node) -> bool:
    return any(node.type == "await_expression" for node in inside(loop))


def _leaves_once_empty(loop: Node, names: set[str]) -> bool:
    """Whether a branch that asks for the list, or what is taken from it, leaves the loop."""
    for node in inside(loop):
        test = node.child_by_field_name("condition") if node.type == "if_statement" else None
        if test is not None and any(last_name(part) in names for part in walk(test) if part.type in NAMED):
            return any(part.type in ("break_statement", "return_statement") for part in walk(node))
    return False


@once
def _handed_on(file: File) -> frozenset[str]:
    """The lists that are emptied, and what was in them used."""
    return frozenset(name for node in walk(file.root) if (name := _emptied(node)) and _is_used(node))


def _is_long_enough(test: Node) -> str:
    """The list that `rows.length >= 100` asks for."""
    for node in walk(test):
        left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
        right = node.child_by_field_name("right")
        if node.type != "binary_expression" or left is None or operator is None or right is None:
            continue
        if text_of(operator) in _REACHES and left.type == "member_expression" and last_name(left) == "length":
            owner = left.child_by_field_name("object")
            return last_name(owner) if owner is not None and text_of(right) not in ("0", "1") else ""
    return ""


def _called_in(function: Node) -> set[str]:
    called = (node.child_by_field_name("function") for node in walk(function) if node.type == "call_expression")
    return {last_name(function) for function in called if function is not None}


def _ran(machine: Machine, ran: frozenset[tuple[str, int]]) -> list[tuple[str, Node]]:
    """The functions that the handlers ran, by their names."""
    handlers, _ = ran_by_handlers(machine, ran)
    return [(_name_of(node), node) for _, node in handlers]


def _takes_over(machine: Machine, function: Closure, ran: frozenset[tuple[str, int]]) -> bool:
    """Whether it hands on what others have put into a list, which it empties, and which no handler looks at."""
    names = {name for node in inside(function.node) if (name := _emptied(node)) and _is_handed_on(function, name)}
    if not names:
        return False
    handlers, _ = ran_by_handlers(machine, ran)
    seen = {last_name(node) for _, handler in handlers for node in walk(handler) if node.type in NAMED}
    return any(_is_filled(machine, name) for name in names - seen)


def _emptied(node: Node) -> str:
    """The name of a list that is emptied: `rows.splice(0)`, `rows = []`, `rows.length = 0`."""
    if node.type == "call_expression":
        called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        owner = called.child_by_field_name("object") if called is not None else None
        first = given.named_children[0] if given is not None and given.named_children else None
        splices = called is not None and last_name(called) == "splice" and first is not None and text_of(first) == "0"
        return last_name(owner) if splices and owner is not None else ""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if node.type != "assignment_expression" or left is None or right is None:
        return ""
    owner = left.child_by_field_name("object")
    if owner is not None and last_name(left) == "length" and text_of(right) == "0":
        return last_name(owner)
    return last_name(left) if text_of(right) == "[]" else ""


def _is_handed_on(function: Closure, name: str) -> bool:
    """Whether a list is an argument, or given another name."""
    return any(
        last_name(part) == name or _emptied(part) == name
        for node in inside(function.node)
        if node.type in ("arguments", "variable_declarator", "spread_element")
        for part in node.named_children[-1:]
    ) or any(_emptied(node) == name and _is_used(node) for node in inside(function.node))


def _is_used(emptied: Node) -> bool:
    """Whether what was in a list is more than dropped: `rows.splice(0).join()`, or `send(rows); rows = []`."""
    around = emptied.parent
    if around is None or around.type != "expression_statement":
        return True
    name, here = _emptied(emptied), around.parent
    return here is not None and any(
        last_name(part) == name
        for node in inside(here)
        if node.type in ("arguments", "variable_declarator", "spread_element")
        for part in node.named_children[-1:]
    )


def _is_filled(machine: Machine, name: str) -> bool:
    added = (f"{name}.push(", f"{name}.unshift(")
    return any(file is not None and any(part in file.source.text for part in added) for file in machine.parsed.values())


def _done_by(machine: Machine, function: Closure) -> Iterator[Closure]:
    """A function of the program, and those that it calls itself."""
    frame = Frame(function.scope, function.file, (), function.this)
    yield function
    for node in inside(function.node):
        done = callee(machine, node, frame) if node.type == "call_expression" else None
        if isinstance(done, Closure):
            yield done


def _name(function: Closure) -> str:
    return _name_of(function.node)


def _name_of(function: Node) -> str:
    named = function.child_by_field_name("name")
    around = function.parent
    named = named or (around.child_by_field_name("name") if around is not None else None)
    return text_of(named) if named is not None else ""


def _place(function: Closure) -> tuple[str, int]:
    return function.file.source.path, function.node.start_byte


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}


_SAVES = frozenset(table("node")["saves"])
_TIMERS = ("setTimeout", "setInterval")
_REACHES = (">=", ">", "===", "==")
