"""What is broken off in the middle: by an AbortSignal, or by an error that leaves a loop."""

from __future__ import annotations

from gracelint.behaviour.node import failing, library
from gracelint.behaviour.node.state import Thrown
from gracelint.behaviour.node.syntax import FUNCTIONS, callee_of
from gracelint.behaviour.node.values import UNDEFINED, UNKNOWN, Array, Builtin, Method, Object, Thing
from gracelint.behaviour.tree import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.node.machine import Machine
    from gracelint.behaviour.node.state import Frame
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.source import Span


def controller(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Object:
    emitter = Thing("emitter", "AbortSignal", frame.file.span(node), False)
    signal = Object({"aborted": False})
    signal.props["addEventListener"] = signal.props["on"] = Method(emitter, "on")

    def throw(machine: Machine, given: list[Any], at: Node | None, frame: Frame) -> Any:
        if machine.stopping and signal.props["aborted"] is True and machine.certain:
            raise Thrown
        return UNDEFINED

    def abort(machine: Machine, given: list[Any], at: Node | None, frame: Frame) -> Any:
        signal.props["aborted"] = True
        if at is not None and any(given is signal for given in machine.signalled):
            # whatever a library was given the signal for comes to its end
            machine.note("opaque", at, frame, target="abort")
        for given_signal, thing in machine.abortable:
            if given_signal is signal and machine.stopping:
                break_off(machine, thing, frame)
        return machine.call(Method(emitter, "emit"), ["abort"], frame, at)

    signal.props["throwIfAborted"] = Builtin(throw)
    return Object({"signal": signal, "abort": Builtin(abort)})


def any_of(machine: Machine, args: list[Any], node: Node, frame: Frame) -> Any:
    """`AbortSignal.any([stop.signal, AbortSignal.timeout(5000)])` is aborted with the one that the program aborts."""
    signals = args[0].items if args and isinstance(args[0], Array) else []
    own = [signal for signal in signals if isinstance(signal, Object) and "aborted" in signal.props]
    return own[0] if len(own) == 1 else UNKNOWN


def break_off(machine: Machine, thing: Thing, frame: Frame) -> None:
    """Ends what waits, or goes round; what follows is done where something catches the error."""
    if "uncaught" in thing.settings:
        machine.broken.append(thing)
    if thing.settings.get("uncaught"):
        thing.alive = False
        if not any(file is not None and "catch" in file.source.text for file in machine.parsed.values()):
            failing.uncaught(machine, "unhandledRejection", frame)
        return
    machine.early.add(id(thing))
    machine.settle(thing, frame.after)


def is_rescued(node: Node) -> bool:
    """Whether its function goes on when it fails: it catches that, or tidies up in a `finally`."""
    return any(True for _ in _rescues(node)) or _is_chained(node)


def _rescues(node: Node) -> Iterator[Node]:
    """The clauses around a node that are run when it fails."""
    inner, here = node, node.parent
    while here is not None and here.type not in FUNCTIONS:
        if here.type == "try_statement" and inner == here.child_by_field_name("body"):
            clauses = (here.child_by_field_name("handler"), here.child_by_field_name("finalizer"))
            yield from (clause for clause in clauses if clause is not None)
        inner, here = here, here.parent


def _is_chained(node: Node) -> bool:
    """Whether its promise is given what to do when it fails: `pipeline(…).catch(() => {})`"""
    return node.parent is not None and callee_of(node.parent.parent or node).endswith(".catch")


def lost(stopped: Stopped) -> tuple[bool, str, Span] | None:
    """What a program leaves out that is broken off; with False where something else may make up for that."""
    for thing in stopped.machine.broken:
        file = stopped.machine.parsed.get(thing.span.source.path)
        node = file.node_at(thing.span) if file is not None else None
        if file is None or node is None or _is_chained(node):
            continue
        behind = _behind(node)
        rescues = list(_rescues(node))
        why = f"what line {thing.span.line} is at is broken off"
        if behind is None and not thing.settings.get("uncaught"):
            continue
        if rescues:
            if behind is not None and all(map(_gives_up, (*rescues, *_after_all(node)))):
                return True, f"{why}, and what line {file.span(behind).line} does after it is left out", thing.span
            continue
        elsewhere = [
            clause for one in stopped.machine.parsed.values() if one is not None for clause in _catches(one.root)
        ]
        if behind is not None and all(map(_gives_up, elsewhere)):
            return True, f"{why}, and what line {file.span(behind).line} does after it is left out", thing.span
        if behind is not None or thing.name == "pipeline":
            return False, f"{why}, and whether anything makes up for that cannot be told", thing.span
    return None


def _behind(node: Node) -> Node | None:
    """What is done after a node where it does not fail, up to the end of its `try` or function."""
    return next(_following(node, _has_handler), None)


def _after_all(node: Node) -> Iterator[Node]:
    """What its function does after the `try` around a node."""
    here = node.parent
    while here is not None and not _has_handler(here):
        here = here.parent
    if here is not None:
        yield from _following(here, lambda _: False)


def _has_handler(node: Node) -> bool:
    return node.type == "try_statement" and node.child_by_field_name("handler") is not None


def _following(node: Node, ends: Any) -> Iterator[Node]:
    here: Node | None = node
    while here is not None and here.type not in FUNCTIONS and not (here != node and ends(here)):
        following = here.next_named_sibling if here.parent is not None and here.parent.type in _BLOCKS else None
        while following is not None:
            if following.type not in FUNCTIONS and any(part.type == "call_expression" for part in walk(following)):
                yield following
            following = following.next_named_sibling
        here = here.parent


_BLOCKS = ("statement_block", "program", "switch_case")


def _catches(root: Node) -> Iterator[Node]:
    """What is run anywhere when a promise or a block fails."""
    for node in walk(root):
        if node.type == "catch_clause":
            yield node
        elif node.type == "call_expression" and callee_of(node).endswith(".catch"):
            given = node.child_by_field_name("arguments")
            yield from given.named_children if given is not None else ()


def _gives_up(node: Node) -> bool:
    """Whether it does nothing but say so, and end the program."""
    calls = (callee_of(part) for part in walk(node) if part.type == "call_expression")
    return all(path.startswith(("console.", "process.")) or library.is_logging(path) for path in calls)
