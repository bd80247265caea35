"""What answers requests: how long it takes, and what it starts and does not wait for."""

from __future__ import annotations

from collections import Counter

from gracelint.base.numbers import is_digits
from gracelint.behaviour.go.syntax import ANSWERS
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from gracelint.behaviour.go.packages import Package
    from gracelint.behaviour.go.syntax import File
    from gracelint.source import Span

_UNITS = {"Millisecond": 0.001, "Second": 1.0, "Minute": 60.0, "Microsecond": 1e-6}
_LONGEST = 100
"""Bytes of a call of `time.Sleep` with a number: calls in calls have each other's text."""
_WAITS = (".Wait()", "sync.WaitGroup", "errgroup.")


def work(reached: Iterable[Package]) -> float:
    """Seconds that a request needs: the longest sleep in what answers requests, and one second at least."""
    return max((_sleeps(body) for _, body in _answers(reached)), default=1.0)


def left_behind(reached: Iterable[Package]) -> Span | None:
    """Where a request starts a goroutine that takes its time, in a program that waits for none."""
    packages = tuple(reached)
    texts = (file.source.text for package in packages for file in package.files)
    if any(word in text for text in texts for word in _WAITS):
        return None
    answers = [*_answers(packages)]
    bodies = [*answers, *_called(packages, answers)]
    starts = [(file, node) for file, body in bodies for node in walk(body) if node.type == "go_statement"]
    slow = _slow(packages) if starts else frozenset()
    return next((file.span(node) for file, node in starts if _takes_its_time(slow, node)), None)


def _answers(reached: Iterable[Package]) -> Iterator[tuple[File, Node]]:
    """The bodies of the functions that answer requests."""
    for package in reached:
        for file in package.files:
            text = file.source.text
            if ("time.Sleep" not in text and "go " not in text) or not any(word in text for word in ANSWERS):
                continue
            for node in walk(file.root):
                parameters = node.child_by_field_name("parameters")
                body = node.child_by_field_name("body")
                if parameters is None or body is None:
                    continue
                if any(word in text_of(parameters) for word in ANSWERS):
                    yield file, body


def _called(packages: Iterable[Package], answers: list[tuple[File, Node]]) -> Iterator[tuple[File, Node]]:
    """The program's functions and methods that what answers requests calls by a name which one alone has."""
    calls = (node for _, body in answers for node in walk(body) if node.type == "call_expression")
    names = {text_of(node.child_by_field_name("function")).rpartition(".")[2] for node in calls}
    own = [one for package in packages for one in [*package.functions.values(), *package.methods.values()]]
    known = Counter(_named(one.node) for one in own) if names else Counter[str]()
    yield from ((one.file, one.node) for one in own if known[_named(one.node)] == 1 and _named(one.node) in names)


def _slow(packages: Iterable[Package]) -> frozenset[str]:
    """The names of the program's functions and methods that sleep for a second or more."""
    own = (one.node for package in packages for one in [*package.functions.values(), *package.methods.values()])
    return frozenset(_named(node) for node in own if _sleeps(node, 0.0) >= 1)


def _takes_its_time(slow: frozenset[str], start: Node) -> bool:
    """Whether the function of a `go` statement is slow: its own literal, or one of the program."""
    call = start.named_children[0]
    function = call.child_by_field_name("function")
    if function is None:
        return False
    if function.type == "func_literal":
        return _sleeps(function, 0.0) >= 1
    return text_of(function).rpartition(".")[2] in slow


def _named(node: Node) -> str:
    name = node.child_by_field_name("name")
    return text_of(name) if name is not None else ""


def _sleeps(body: Node, least: float = 1.0) -> float:
    """The longest sleep in a body."""
    calls = (one for one in walk(body) if one.type == "call_expression" and one.end_byte - one.start_byte <= _LONGEST)
    texts = map(text_of, calls)
    times = [_seconds(text[len("time.Sleep(") : -1]) for text in texts if text.startswith("time.Sleep(")]
    return max([least, *times])


def _seconds(text: str) -> float:
    """`2500 * time.Millisecond`, in seconds; 0 where it is anything else."""
    found = 1.0
    for part in text.replace(" ", "").split("*"):
        unit = _UNITS.get(part.removeprefix("time."))
        if unit is None and not is_digits(part.replace(".", "", 1)):
            return 0.0
        found *= unit if unit is not None else float(part)
    return found if "time." in text else 0.0
