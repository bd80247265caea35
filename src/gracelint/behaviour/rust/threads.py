"""Rust's scoped threads, which are joined where their scope ends, and locks that a thread keeps while it goes round."""

from __future__ import annotations

from gracelint.behaviour.machine.values import Object, Wait
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tree_sitter import Node

    from gracelint.behaviour.machine.library import Given
    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Run
    from gracelint.source import Span


def _scope(machine: Any, given: Given) -> Run:
    """`thread::scope(|s| …)` returns once all the threads of the scope have ended."""
    one = Object("Scope", given.span)
    threads = one.state["threads"] = []
    value = yield from machine.call(given.argument(0), [one], given.span)
    yield Wait("join", given.span, lambda: all(thread.done for thread in threads))
    return value


def _spawn(machine: Any, of: Object, given: Given) -> Object:
    one = Object("JoinHandle", given.span)
    function = given.argument(0)
    takes = [of] if getattr(getattr(function, "function", None), "params", ()) else []
    one.state["thread"] = thread = machine.start(machine.call(function, takes, given.span), given.span)
    thread.body, one.state["blocks"] = function, True
    of.state["threads"].append(thread)
    return one


FUNCTIONS: dict[str, Callable[[Any, Given], Any]] = {"std::thread::scope": _scope}
METHODS: dict[tuple[str, str], Callable[[Any, Object, Given], Any]] = {("Scope", "spawn"): _spawn}


def kept_lock(machine: Machine) -> Span | None:
    """A lock that is held while a loop behind it goes round and pauses, where others ask for locks too."""
    files = [file for file in machine.files() if ".lock()" in file.source.text or ".write()" in file.source.text]
    if sum(file.source.text.count(".lock()") + file.source.text.count(".write()") for file in files) < _OTHERS:
        return None
    lets = ((file, node) for file in files for node in walk(file.root) if node.type == "let_declaration")
    return next((file.span(node) for file, node in lets if _is_guard(node) and _goes_round(node)), None)


_OTHERS = 2
_PAUSES = ("sleep(", ".recv", ".accept(", ".wait(", ".read_line(")
_LOOPS = ("loop_expression", "while_expression", "for_expression")


def _is_guard(let: Node) -> bool:
    value = text_of(let.child_by_field_name("value"))
    asks = value.removesuffix(".await").removesuffix(".unwrap()").rstrip("?")
    asks = asks.partition(".expect(")[0]
    return asks.endswith((".lock()", ".write()")) and text_of(let.child_by_field_name("pattern")) != "_"


def _goes_round(guard: Node) -> bool:
    """Whether a loop that pauses follows in the block of a guard, which is not dropped before."""
    name = text_of(guard.child_by_field_name("pattern")).removeprefix("mut ")
    here = guard.next_named_sibling
    while here is not None:
        if f"drop({name})" in text_of(here):
            return False
        loop = here.named_children[0] if here.type == "expression_statement" and here.named_children else here
        if loop.type in _LOOPS and any(word in text_of(loop) for word in _PAUSES):
            return True
        here = here.next_named_sibling
    return False
