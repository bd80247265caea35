"""Work that an exit by time leaves behind: jobs that it gives up waiting for, lists that are worked off one by one."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.node.doing import DEEPEST, inside, seconds_of
from gracelint.behaviour.node.syntax import FUNCTIONS, name_of, once
from gracelint.behaviour.node.timing import time_of
from gracelint.behaviour.node.unfinished import NAMED, ran_by_handlers
from gracelint.behaviour.node.values import Closure, Scope
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.node.state import Event
    from gracelint.behaviour.node.stopping import Stopped
    from gracelint.behaviour.node.syntax import File
    from gracelint.behaviour.node.values import After
    from gracelint.source import Span

_LONG = 5.0
"""Seconds that are taken to be enough for what is left where nothing says how long that takes."""


def left_behind(end: Event, stopped: Stopped) -> tuple[str, Span] | None:
    """What may be left undone by an exit that comes when its time is over."""
    limit = time_of(end.after)
    if limit is not None and limit >= _LONG:
        return None
    when = "at once" if limit == 0 else f"{limit:g} s after the signal" if limit else "by time"
    if limit is not None and any(part.kind == "race" and _has_jobs(part) for part in end.after):
        takes = _longest_job(stopped)
        if takes > limit or (not takes and limit < stopped.enough):
            what = f"which may take {takes:g} s, " if takes else ""
            return f"whether the jobs it waits for, {what}are done {when} cannot be told", end.span
    name = next(_lists(stopped), None) if all(part.kind == "timer" for part in end.after) else None
    if name is None:
        return None
    return f"whether `{name}` is worked off when process.exit comes {when} cannot be told", end.span


def _has_jobs(race: After) -> bool:
    """Whether jobs are given up after a time, whatever else is waited for."""
    return any(one.thing is not None and one.thing.kind == "jobs" for parts in race.parts for one in parts)


def _longest_job(stopped: Stopped) -> float:
    """The seconds that a function of the program sleeps which the handlers do not call; 0 where none says."""
    machine, longest = stopped.machine, 0.0
    for file in filter(None, machine.parsed.values()):
        for node in walk(file.root):
            if node.type in FUNCTIONS and (file.source.path, node.start_byte) not in stopped.ran:
                job = Closure(node, machine.scopes.get(file.source.path, Scope()), file)
                longest = max(longest, seconds_of(machine, job, DEEPEST))
    return longest


def _lists(stopped: Stopped) -> Iterator[str]:
    """The lists that others take from one by one, and of which the handlers only ask how long they are."""
    files = [file for file in stopped.machine.parsed.values() if file is not None]
    taken = frozenset[str]().union(*map(_worked_off, files))
    handlers, _ = ran_by_handlers(stopped.machine, stopped.ran) if taken else ([], set())
    asked = {name for _, one in handlers for name in _only_asked(one)}
    seen = {name for _, one in handlers for name in _mentioned(one)}
    yield from sorted((taken & asked) - seen)


@once
def _worked_off(file: File) -> frozenset[str]:
    """The lists that something is put into, or made with, and that functions which take their time take from."""
    if not _TAKES.search(file.source.text):
        return frozenset()
    functions = [node for node in walk(file.root) if node.type in FUNCTIONS and _takes_time(node)]
    return frozenset(name for node in functions for name in _TAKES.findall(text_of(node)))


_TAKES = pattern(r"([\w$]{1,80})\.(?:shift|pop)\(\)")


def _takes_time(function: Node) -> bool:
    return any(
        node.type == "await_expression"
        or (node.type == "call_expression" and name_of(node.child_by_field_name("function") or node) == "setTimeout")
        for node in inside(function)
    )


def _only_asked(function: Node) -> set[str]:
    """The lists whose length a function asks for, once and by the way."""
    return {name for node in inside(function) if (name := _length_of(node))}


def _length_of(node: Node) -> str:
    owner = node.child_by_field_name("object") if node.type == "member_expression" else None
    return name_of(owner) if owner is not None and name_of(node) == "length" and not _comes_again(node) else ""


def _comes_again(node: Node) -> bool:
    """Whether it stands in a loop."""
    here = node.parent
    while here is not None and here.type not in FUNCTIONS:
        if here.type in ("while_statement", "do_statement", "for_statement", "for_in_statement"):
            return True
        here = here.parent
    return False


def _mentioned(function: Node) -> set[str]:
    """What a function uses in another way."""
    by_the_way = {part.id for node in inside(function) if _length_of(node) for part in (node, *node.named_children)}
    return {name_of(node) for node in walk(function) if node.type in NAMED and node.id not in by_the_way}
