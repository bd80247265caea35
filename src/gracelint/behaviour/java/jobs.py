"""Tasks of a pool that are in the middle of their work: a stop finds them there, as it finds requests in flight."""

from __future__ import annotations

from gracelint.behaviour.machine.frames import Closure
from gracelint.behaviour.machine.midst import file_of, is_half_done, node_of, only_call
from gracelint.behaviour.machine.values import Object
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.java.machine import JavaMachine
    from gracelint.behaviour.machine.nodes import Function
    from gracelint.behaviour.machine.values import Thread, Wait

_CLOCK = ("nanoTime()", "currentTimeMillis()")
_ROUNDS = ("while_statement", "do_statement")
_MOST_FUNCTIONS = 20


def meets_work(machine: JavaMachine) -> bool:
    """Whether a task is at work once main has come to where it stays."""
    main = machine.main_thread
    stays = main is None or main.done or (main.wait is not None and main.wait.at() is None)
    return stays and any(_is_at_work(machine, one) for one in machine.threads)


def _is_at_work(machine: JavaMachine, thread: Thread) -> bool:
    wait = thread.wait
    if thread.body is None or wait is None or wait.kind not in ("sleep", "loop"):
        return False
    known = machine.at_work.get(wait.span)
    if known is None:
        known = machine.at_work[wait.span] = not _goes_round(machine, thread) and (
            is_half_done(machine, wait, begun=True) if wait.kind == "sleep" else _is_for_a_time(machine, wait)
        )
    return known


def _is_for_a_time(machine: JavaMachine, wait: Wait) -> bool:
    """Whether a loop computes until a time has come."""
    file = file_of(machine, wait)
    loop = node_of(file.root, wait) if file is not None else None
    return loop is not None and any(word in _condition(loop) for word in _CLOCK)


def _goes_round(machine: JavaMachine, thread: Thread) -> bool:
    """Whether a task takes one thing after the other, in what it calls too: it is often at nothing then."""
    return any(_is_round(one) for function in functions(machine, thread.body) for one in walk(function.at))


def _is_round(node: Node) -> bool:
    endless = node.type == "for_statement" and node.child_by_field_name("condition") is None
    return endless or (node.type in _ROUNDS and not any(word in _condition(node) for word in _CLOCK))


def _condition(loop: Node) -> str:
    return text_of(loop.child_by_field_name("condition"))


def functions(machine: JavaMachine, body: object) -> Iterator[Function]:
    """A task's function, and those that it calls."""
    left: list[Function] = []
    if isinstance(body, Closure):
        left.append(body.function)
    elif isinstance(body, Object) and body.package is not None:
        left += [found for name in TASKS if (found := machine.find(body.package, name)) is not None]
    return _with_callees(machine, left)


def _with_callees(machine: JavaMachine, functions: list[Function]) -> Iterator[Function]:
    left, seen = [*functions], set[str]()
    for _ in range(_MOST_FUNCTIONS):
        if not left:
            return
        function = left.pop()
        yield function
        for node in walk(function.at):
            name = text_of(node.child_by_field_name("name")) if node.type == "method_invocation" else ""
            if name and name not in seen:
                seen.add(name)
                left += machine.functions_named(name)


def gives_it_back(machine: JavaMachine, wait: Wait) -> bool:
    """Whether an interrupted pause is caught where more is done than to say so."""
    file = file_of(machine, wait)
    here = node_of(file.root, wait) if file is not None else None
    while here is not None:
        if here.type in _TRIES:
            caught = [one for one in here.named_children if one.type == "catch_clause" and _takes_interrupts(one)]
            if caught:
                return any(map(_acts, caught))
        here = here.parent
    return False


def _takes_interrupts(clause: Node) -> bool:
    return any(word in text_of(clause).partition(")")[0] for word in ("InterruptedException", "Exception", "Throwable"))


def _acts(clause: Node) -> bool:
    calls = (text_of(one.child_by_field_name("name")) for one in walk(clause) if one.type == "method_invocation")
    return any(name not in _SAYS for name in calls)


def never_unwound(machine: JavaMachine, wait: Wait) -> tuple[str, bool] | None:
    """What a `finally` around a pause would have called of the program, if the JVM unwound threads as it ends, and
    whether some of what that does has been done all the same."""
    file = file_of(machine, wait)
    here = node_of(file.root, wait) if file is not None else None
    for _ in range(_MOST_FUNCTIONS):
        while here is not None and here.type not in _BOUNDS:
            for name in _called_at_last(machine, here) if here.type in _TRIES else ():
                work = _work(machine, name) if name not in machine.called_late else set()
                if not work <= machine.asked_late:
                    return name, not work.isdisjoint(machine.asked_late)
            here = here.parent
        here = only_call(machine, here) if here is not None else None
    return None


def _called_at_last(machine: JavaMachine, tried: Node) -> Iterator[str]:
    """What a `try` calls however it is left: in its `finally`, and of the program's own classes that it opens."""
    last = tried.named_children[-1]
    for one in walk(last) if last.type == "finally_clause" else ():
        if one.type == "method_invocation":
            yield text_of(one.child_by_field_name("name"))
    opened = tried.child_by_field_name("resources")
    own = {name for file in machine.classes.sources for name in file.classes}
    if opened is not None and any(one.type == "type_identifier" and text_of(one) in own for one in walk(opened)):
        yield "close"


def _work(machine: JavaMachine, name: str) -> set[str]:
    """The methods of others that a function of the program calls, or what it calls."""
    its = [node for one in _with_callees(machine, machine.functions_named(name)) for node in walk(one.at)]
    names = {text_of(one.child_by_field_name("name")) for one in its if one.type == "method_invocation"}
    return {one for one in names - _SAYS if not machine.functions_named(one)}


TASKS = ("run", "call")
"""The methods of what a pool or a thread is given."""
_BOUNDS = ("method_declaration", "constructor_declaration", "lambda_expression")
_TRIES = ("try_statement", "try_with_resources_statement")
_SAYS = frozenset(
    (
        *("interrupt", "currentThread", "println", "print", "printf", "printStackTrace", "getMessage", "getName"),
        *("info", "warn", "warning", "error", "debug", "trace", "log", "severe", "format"),
    )
)
