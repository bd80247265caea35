"""How long shell text runs that a program starts: to its end, or until it is stopped."""

from __future__ import annotations

from gracelint.base.numbers import is_digits
from gracelint.base.record import Record
from gracelint.facts.script import AndOr, Background, Case, Function, Group, If, Loop, Pipeline, Simple
from gracelint.parse.shell import read_script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gracelint.facts.script import Command, Script
    from gracelint.source import Passage

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LEAVES = frozenset(("exit", "return", "break"))
_SILENT = frozenset(("set", "shift", "local", "declare", "readonly", "trap", "unset", "umask", "ulimit", "[["))
"""Builtins that come back at once, besides the commands that are known to."""


class Length(Record):
    """How long something runs."""

    runs_on: bool | None
    """It runs until it is stopped; None: not known."""
    seconds: float | None = 0.0
    """What its pauses take; None where that is not known."""


ENDS, OPEN = Length(False), Length(None, None)


def length_of(passage: Passage, plain: Callable[[tuple[str, ...]], Length]) -> Length:
    """How long shell text runs; `plain` says it of a command that is no part of the shell."""
    script = read_script(passage)
    if script.broken is not None:
        return OPEN
    try:
        return _Reader(script, plain).all(script.body)
    except RecursionError:
        return OPEN


def sleeps(words: Sequence[str]) -> float | None:
    """The seconds of `sleep 5` or `sleep 1m`."""
    if len(words) != 2:
        return None
    unit = _UNITS.get(words[1][-1:])
    number = words[1][: -1 if unit else None]
    return float(number) * (unit or 1) if is_digits(number.replace(".", "", 1)) else None


class _Reader:
    def __init__(self, script: Script, plain: Callable[[tuple[str, ...]], Length]) -> None:
        self.plain = plain
        self.functions = {each.name: each for each in _within(script.body) if isinstance(each, Function)}
        self.known: dict[str, Length] = {}

    def all(self, body: Iterable[Command]) -> Length:
        """One command after the other, up to the first that runs on."""
        total = ENDS
        for command in body:
            here = self.command(command)
            total = Length(_worse(total.runs_on, here.runs_on), _sum(total.seconds, here.seconds))
            if here.runs_on or _name(command) in _LEAVES:
                break
        return total

    def command(self, command: Command) -> Length:
        if isinstance(command, Simple):
            return self.simple(command)
        if isinstance(command, Function):
            return ENDS
        if isinstance(command, Loop):
            return self.loop(command)
        if isinstance(command, Group):
            return self.all(command.body)
        if isinstance(command, Pipeline):
            return self.beside(command.commands)
        if isinstance(command, AndOr):
            return self.second(command)
        if isinstance(command, (If, Case)):
            return self.branches(command)
        return OPEN

    def simple(self, command: Simple) -> Length:
        words = command.words
        while words and words[0].value in ("exec", "command", "builtin", "time"):
            words = words[1:]
        if not words:
            return ENDS
        name = words[0].value
        if name is None or name in ("eval", "source", ".", "wait", "read"):
            return OPEN
        if name in self.functions:
            return self.function(name)
        if name in _SILENT or name in _LEAVES or name == "continue":
            return ENDS
        return self.plain(tuple(word.text if word.value is None else word.value for word in words))

    def function(self, name: str) -> Length:
        if name not in self.known:
            self.known[name] = OPEN
            self.known[name] = self.all(self.functions[name].body)
        return self.known[name]

    def loop(self, loop: Loop) -> Length:
        leaves = any(_name(part) in _LEAVES for part in _within(loop.body))
        here = self.all(loop.body)
        if loop.kind == "for":
            turns = _turns(loop)
            return Length(here.runs_on, here.seconds * turns if here.seconds and turns is not None else here.seconds)
        if not leaves and (loop.kind, _name(loop.condition[0])) in _FOREVER and len(loop.condition) == 1:
            return Length(True)
        reads = _name(loop.condition[0]) == "read" and any(each.operator in ("<", "<<") for each in loop.redirects)
        return Length(here.runs_on, None if here.seconds else here.seconds) if reads else OPEN

    def beside(self, commands: Sequence[Command]) -> Length:
        lengths = [self.command(part) for part in commands]
        seconds = [each.seconds for each in lengths]
        longest = None if None in seconds else max(each for each in seconds if each is not None)
        runs_on = ENDS.runs_on
        for each in lengths:
            runs_on = _worse(runs_on, each.runs_on)
        return Length(runs_on, longest)

    def second(self, command: AndOr) -> Length:
        """What comes behind `&&` is taken to be come to, what comes behind `||` is not."""
        left, right = self.command(command.left), self.command(command.right)
        if command.operator == "&&":
            return Length(_worse(left.runs_on, right.runs_on), _sum(left.seconds, right.seconds))
        if right.runs_on is False and not right.seconds:
            return left
        return Length(True if left.runs_on else None, None)

    def branches(self, command: If | Case) -> Length:
        if isinstance(command, If):
            asked = [self.all(condition) for condition, _ in command.branches]
            ways = [*(self.all(body) for _, body in command.branches), self.all(command.otherwise or ())]
        else:
            asked = []
            ways = [self.all(body) for _, body in command.arms]
            ways += [] if any(word.text == "*" for words, _ in command.arms for word in words) else [ENDS]
        if any(each.runs_on is not False or each.seconds for each in asked):
            return OPEN
        same = len({each.runs_on for each in ways}) == 1
        seconds = {each.seconds for each in ways}
        return Length(ways[0].runs_on if same else None, seconds.pop() if len(seconds) == 1 else None)


_FOREVER = frozenset((("while", "true"), ("while", ":"), ("until", "false")))


def _worse(one: bool | None, other: bool | None) -> bool | None:
    return True if one or other else None if one is None or other is None else False


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _name(command: Command) -> str | None:
    return command.words[0].value if isinstance(command, Simple) and command.words else None


def _turns(loop: Loop) -> int | None:
    each = loop.condition[0].words if isinstance(loop.condition[0], Simple) else ()
    return len(each) if each and all(word.value is not None for word in each) else None


def _within(body: Iterable[Command]) -> Iterator[Command]:
    """All commands below some, with themselves."""
    waiting = list(body)
    while waiting:
        here = waiting.pop()
        yield here
        if isinstance(here, (Group, Function)):
            waiting += here.body
        elif isinstance(here, Loop):
            waiting += (*here.condition, *here.body)
        elif isinstance(here, Pipeline):
            waiting += here.commands
        elif isinstance(here, AndOr):
            waiting += (here.left, here.right)
        elif isinstance(here, If):
            waiting += (*(part for pair in here.branches for body in pair for part in body), *(here.otherwise or ()))
        elif isinstance(here, Case):
            waiting += (part for _, arm in here.arms for part in arm)
        elif isinstance(here, Background):
            waiting.append(here.command)
