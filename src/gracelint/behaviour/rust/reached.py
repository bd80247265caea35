"""Code that a program does not come to: a known condition leaves it out, and nothing else leads there."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.behaviour.machine.nodes import Call, Field, Make, Name
from gracelint.behaviour.rust.owners import WORD
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.behaviour.machine.nodes import Function, Node
    from gracelint.behaviour.rust.machine import RustMachine
    from gracelint.behaviour.tree import TreeFile
    from gracelint.source import Span

_MOST_PLACES = 100


class Reach(Record):
    """Where the functions of a program stand, and which of them some way leads to."""

    functions: list[tuple[Span, int]]
    reached: set[int]


def is_left_out(machine: RustMachine, place: Span) -> bool:
    """Whether no way leads to a place. A name leads to all functions that are called so."""
    machine.asked += 1
    if not machine.left_out or machine.asked > _MOST_PLACES:
        return False
    if any(_holds(file.span(node.at), place) for node, file in machine.left_out.values()):
        return True
    reach = machine.reach
    if reach is None:
        functions = [one for all_ in machine.crates.by_name.values() for one in all_]
        spans = [(one.file.span(one.at), id(one)) for one in functions]
        reach = machine.reach = Reach(spans, _reached(machine, functions))
    around = [its for span, its in reach.functions if _holds(span, place)]
    return bool(around) and reach.reached.isdisjoint(around)


def _holds(span: Span, place: Span) -> bool:
    return span.source is place.source and span.start <= place.start and place.end <= span.end


def _reached(machine: RustMachine, functions: list[Function]) -> set[int]:
    start = machine.crates.start
    waiting = [*machine.crates.of_foreign_traits, *([start] if start is not None else [])]
    crates = machine.crates
    if crates.attributes is None:
        crates.attributes = frozenset(name for file in machine.files() for name in _in_attributes(file))
    names = {*crates.attributes}
    names |= {name for node, file in machine.crates.constants for name in _names(machine, node, file)}
    found: set[int] = set()
    while waiting or names:
        waiting += [one for name in names for one in machine.crates.by_name.get(name, ())]
        names = set()
        for one in waiting:
            if id(one) not in found:
                found.add(id(one))
                machine.step()
                names |= {*_names(machine, one.body, one.file)}
        waiting = []
    return found


def _in_attributes(file: TreeFile) -> Iterator[str]:
    """`#[serde(default = "port")]`: a derived trait calls what its attributes name."""
    for node in walk(file.root):
        if node.type == "attribute_item":
            yield from WORD.findall(text_of(node))


def _names(machine: RustMachine, node: Node, file: Any) -> Iterator[str]:
    """The names in what is not left out, closures included, and all words that a macro gets."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if id(here) in machine.left_out:
            continue
        if isinstance(here, (Name, Field)):
            yield here.name.rpartition("::")[2]
        if isinstance(here, Call) and isinstance(here.callee, Name) and here.callee.name.endswith("!"):
            yield from (
                machine.crates.by_name if here.callee.name == "unread!" else WORD.findall(file.span(here.at).text)
            )
        waiting += [here.function.body] if isinstance(here, Make) else here.parts()
