"""Functions that start nothing and end nothing, such as one that logs or edits a configuration file.

Scripts of official images call them a hundred times. Which way each call goes decides nothing: what is left of it are
the files that it writes and the variables of its own.
"""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.facts.script import AndOr, Case, Group, If, Loop, Pipeline, ShellWord, Simple
from gracelint.knowledge import table
from gracelint.launch.shell.builtins import assign
from gracelint.launch.shell.paths import prepares, sets_up
from gracelint.launch.shell.written import note_writes
from gracelint.launch.words import base_name
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gracelint.facts.script import Command, Function
    from gracelint.launch.shell.paths import State
    from gracelint.source import Passage

    Part = tuple[Simple | Loop, bool]

_DECLARES = ("local", "declare", "typeset")
_BUILTINS = frozenset((":", "true", "false", "test", "[", "[[", "((", "let", "return", "echo", "printf", *_DECLARES))
_WRITERS = frozenset(("cp", "mv", "ln", "install", "sed", "perl", "tee"))
_DEEPEST = 4
"""Functions within one another."""
_MOST = 500
"""Commands of a call that count, those of the functions that it calls included, each time."""


class Plan(Record):
    """What a function does, if that is all."""

    left: tuple[Part, ...]
    """What matters behind it: what it sets, writes and may call, and whether that is sure to run."""
    names: Mapping[str, tuple[int, bool]]
    """The other commands, with how often each stands there, and whether a program of that name only prepares."""


def plan_of(function: Function) -> Plan | None:
    """What a function does; None where it may last, end the script, or change it for those that come behind."""
    own: set[str] = set()
    left: list[Part] = []
    names: dict[str, tuple[int, bool]] = {}
    may_have_returned = False
    for part, runs in _parts(function.body):
        if part is None:
            return None
        is_sure = runs and not may_have_returned
        if isinstance(part, Loop) or not part.words:
            if isinstance(part, Simple) and any(name not in own for name, _ in part.assignments):
                return None
            left.append((part, is_sure))
            continue
        name = part.words[0].value or part.words[0].text
        may_have_returned |= name == "return"
        if any("$!" in word.text or "$$" in word.text for word in part.words):
            return None
        if name in _DECLARES:
            own.update(word.text.partition("=")[0] for word in part.words[1:])
        if name not in _BUILTINS:
            times, only_prepares = names.get(name, (0, True))
            names[name] = times + 1, only_prepares and _only_prepares(part)
        if name in _DECLARES or name not in _BUILTINS or part.redirects:
            left.append((part, is_sure))
    return Plan(tuple(left), names)


def _only_prepares(command: Simple) -> bool:
    words = tuple(Word(word.text, word.span) for word in command.words)
    if base_name(words[0].value) in ("sleep", *table("shell_commands")["waits"]["names"]):
        return False
    return prepares(words) and not sets_up(words)


class Inert:
    """The functions of one walk that are inert. `read` finds a file's text by path and working directory."""

    def __init__(self, read: Callable[[str, str], Passage | None]) -> None:
        self._read = read
        self._plans: dict[int, tuple[Function, Plan | None]] = {}
        """By the function's identity, which is nobody else's as long as it is kept here."""

    def __call__(self, function: Function, functions: Mapping[str, Function]) -> tuple[Plan, int] | None:
        """What a function does, and how many commands of it count, where it only sets variables of its own, writes
        files and calls others like it."""
        size = self._size(function, functions, {})
        plan = self._plan(function)
        return (plan, size) if plan is not None and size is not None else None

    def _plan(self, function: Function) -> Plan | None:
        known = self._plans.get(id(function))
        if known is None:
            known = self._plans[id(function)] = function, plan_of(function)
        return known[1]

    def _size(
        self, function: Function, functions: Mapping[str, Function], sizes: dict[int, int | None], depth: int = 0
    ) -> int | None:
        """How many commands of a function count; None where it is not inert, has too many, or calls itself."""
        key = id(function)
        if key in sizes:
            return sizes[key]
        sizes[key] = None
        plan = self._plan(function)
        if plan is None or depth > _DEEPEST:
            return None
        size = 1 + len(plan.left)
        for name, (times, only_prepares) in plan.names.items():
            its: int | None = 0 if only_prepares else None
            if name in functions:
                its = self._size(functions[name], functions, sizes, depth + 1)
            if its is None or size + times * its > _MOST:
                return None
            size += times * its
        sizes[key] = size
        return size

    def run(self, plan: Plan, operands: Sequence[Word], state: State) -> None:
        """What is left of a call: what it sets only perhaps is not known behind it."""
        outer, state.positional = state.positional, tuple(operands)
        for part, is_sure in plan.left:
            if isinstance(part, Loop):
                state.variables[part.variable or ""] = None
            elif not part.words:
                for name, value in part.assignments:
                    _assign(name, value, is_sure, state)
            else:
                self._command(part, is_sure, state)
        state.positional, state.status = outer, None
        state.variables["?"] = None

    def _command(self, command: Simple, is_sure: bool, state: State) -> None:
        name = command.words[0].value or ""
        if name in _DECLARES:
            for word in command.words[1:]:
                variable, equals, text = word.text.partition("=")
                if equals:
                    _assign(variable, ShellWord(text, None, word.span), is_sure, state)
            return
        called = state.functions.get(name)
        plan = self._plan(called) if called is not None else None
        if plan is None and base_name(name) not in _WRITERS and not command.redirects:
            return
        words = [one for word in command.words for one in state.words(word)]
        if plan is not None:
            self.run(plan, words[1:], state)
        else:
            note_writes(words, command, state, self._read, is_sure)


def _assign(name: str, value: ShellWord | None, is_sure: bool, state: State) -> None:
    if is_sure:
        assign(state, name, value)
    else:
        state.variables[name] = None


def _parts(commands: Sequence[Command], is_sure: bool = True) -> Iterator[tuple[Simple | Loop | None, bool]]:
    """The simple commands and `for`s within others, with whether they are sure to run; None for what may last."""
    for command in commands:
        if isinstance(command, Simple):
            yield command, is_sure
        elif isinstance(command, Pipeline):
            yield from _parts(command.commands, False)
        elif isinstance(command, AndOr):
            yield from _parts((command.left, command.right), False)
        elif isinstance(command, Group) and not command.subshell:
            yield from _parts(command.body, is_sure)
        elif isinstance(command, If):
            for condition, body in command.branches:
                yield from _parts((*condition, *body), False)
            yield from _parts(command.otherwise or (), False)
        elif isinstance(command, Case):
            for _, body in command.arms:
                yield from _parts(body, False)
        elif isinstance(command, Loop) and command.kind == "for" and command.variable is not None:
            yield command, False
            yield from _parts(command.body, False)
        else:
            yield None, False
