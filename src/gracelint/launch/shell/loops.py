"""What ends a loop: its condition, a `break`, or the variables that only a trap changes."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.facts.script import AndOr, Background, Case, Function, Group, If, Loop, Pipeline, Simple
from gracelint.source import Passage, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gracelint.facts.script import Command


def flags(loop: Loop, functions: Mapping[str, Function]) -> frozenset[str]:
    """The variables by which alone a loop is left and which nothing in it sets; none where anything else may end it."""
    deciding = [*(() if is_constant(loop.condition) else loop.condition), *_guards(loop.body)]
    names: set[str] = set()
    for command in simple_commands(deciding):
        texts = [word.text for word in command.words]
        tests = bool(texts) and (texts[0] in _TESTS or texts[0].startswith("$"))
        if not tests or not _FILE_TESTS.isdisjoint(texts):
            return frozenset()
        names.update(name for text in texts for name in (_NAME if "((" in texts else _VARIABLE).findall(text))
    set_here = set(_set_by([*loop.condition, *loop.body], functions, set()))
    return frozenset() if set_here & {*names, _ANY} else frozenset(names)


_TESTS = ("[", "[[", "((", "test")
_NAME = pattern(r"[A-Za-z_]\w*")
_VARIABLE = pattern(r"\$\{?([A-Za-z_]\w*)")
_FILE_TESTS = frozenset(f"-{letter}" for letter in "bcdefgGhkLNOprsStuwx")
ASSIGNS = pattern(r"(?<![=!<>])=(?!=)|\+\+|--")
"""What changes a variable in `(( … ))`."""
_ANY = "*"
"""Among names: text that is read elsewhere may set any."""


def may_leave_after(action: str, loop: Loop, functions: Mapping[str, Function]) -> bool:
    """Whether a loop's body may leave it, or the script, for what a trap's action has set."""
    from gracelint.parse.shell import read_script

    commands = list(simple_commands(loop.body))
    if not any(command.words and command.words[0].text in _LEAVES for command in commands):
        return False
    asked = {name for one in commands for word in one.words for name in _VARIABLE.findall(word.text)}
    return not asked.isdisjoint(_set_by(read_script(Passage.whole(Source("", action))).body, functions, set()))


_LEAVES = ("break", "return", "exit")


def _guards(commands: Sequence[Command]) -> Iterator[Command]:
    """The commands whose answers decide whether a `break` is reached."""
    for command in commands:
        if isinstance(command, AndOr) and may_break([command.right]):
            yield command.left
        elif isinstance(command, If) and may_break([command]):
            yield from (asked for condition, _ in command.branches for asked in condition)
        elif isinstance(command, Case) and may_break([command]):
            yield Simple((), (), (), command.span)
        for body in _bodies(command):
            yield from _guards(body)


def _set_by(commands: Sequence[Command], functions: Mapping[str, Function], seen: set[str]) -> Iterator[str]:
    """The variables that commands set, those of the functions they call included."""
    for command in simple_commands(commands):
        yield from (name for name, _ in command.assignments)
        first = command.words[0].text if command.words else ""
        if first in _READS_CODE:
            yield _ANY
        elif first == "((" and ASSIGNS.search(" ".join(word.text for word in command.words[1:])) is None:
            continue
        elif first in _SETS:
            yield from (name for word in command.words[1:] for name in _NAME.findall(word.text))
        elif first in functions and first not in seen:
            seen.add(first)
            yield from _set_by(functions[first].body, functions, seen)


_READS_CODE = (".", "source", "eval")
_SETS = (
    "((",
    "let",
    "read",
    "declare",
    "typeset",
    "local",
    "export",
    "readonly",
    "unset",
    "printf",
    "getopts",
    "mapfile",
)


def simple_commands(commands: Sequence[Command]) -> Iterator[Simple]:
    """All commands in some, conditions and bodies of loops included."""
    for command in commands:
        if isinstance(command, Simple):
            yield command
        inner: list[Sequence[Command]] = [*_bodies(command)]
        if isinstance(command, If):
            inner += [condition for condition, _ in command.branches]
        elif isinstance(command, Loop):
            inner += [command.condition, command.body]
        elif isinstance(command, Background):
            inner.append([command.command])
        for body in inner:
            yield from simple_commands(body)


def works(job: Command, functions: Mapping[str, Function]) -> bool:
    """Whether a job sleeps, and does more than that."""
    names = [*_called(job, functions, set())]
    return "sleep" in names and not _IDLE.issuperset(names)


def pauses_in_midst(body: Sequence[Command], functions: Mapping[str, Function]) -> bool:
    """Whether a round sleeps between what it says or counts as begun and as done, or a function between two acts."""
    sleeps = [at for at, command in enumerate(body) if "sleep" in _called(command, functions, set())]
    counted = [(at, name) for at, command in enumerate(body) if (name := _counts_up(command))]
    for at in sleeps if len(counted) > 1 else ():
        begun = {name for place, name in counted if place < at}
        if begun and any(place > at and name not in begun for place, name in counted):
            return True
    own = {_name(command) for command in simple_commands(body)} & functions.keys() if sleeps else ()
    return _sleeps_between(body, _NOTHING) or any(_sleeps_between(functions[name].body, _SAYS) for name in own)


def _sleeps_between(body: Sequence[Command], idle: frozenset[str]) -> bool:
    acts = [at for at, one in enumerate(body) if isinstance(one, Simple) and one.words and _name(one) not in idle]
    sleeps = [at for at, one in enumerate(body) if isinstance(one, Simple) and _name(one) == "sleep"]
    return bool(acts) and any(acts[0] < at < acts[-1] for at in sleeps)


def _counts_up(command: Command) -> str:
    """The variable that a command counts up: `n=$((n + 1))`, `((n++))`."""
    if not isinstance(command, Simple):
        return ""
    text = " ".join(word.text for word in command.words)
    for name, value in command.assignments if not command.words else ():
        if value is not None and _PLUS_ONE.fullmatch(value.text) is not None:
            return name
    found = _INCREASES.fullmatch(text)
    return found[1] if found is not None else ""


_PLUS_ONE = pattern(r"\$\(\( ?\$?\w{1,60} ?\+ ?1 ?\)\)")
_INCREASES = pattern(r"\(\( ?(\w{1,60}) ?(?:\+\+|\+= ?1) ?(?:\)\))?")
_NOTHING = frozenset(
    ("sleep", "local", "true", ":", "[", "[[", "((", "test", "let", "continue", "break", "kill", "wait")
)
_SAYS = _NOTHING | {"echo", "printf", "log", "date"}


def _name(command: Simple) -> str:
    return command.words[0].text if command.words else ""


def exits(action: str, functions: Mapping[str, Function]) -> bool:
    """Whether a trap ends the script itself."""
    from gracelint.parse.shell import read_script

    script = read_script(Passage.whole(Source("", action)))
    return any("exit" in _called(command, functions, set()) for command in script.body)


def _called(job: Command, functions: Mapping[str, Function], seen: set[str]) -> Iterator[str]:
    """The names of all commands of a job, those in the functions that it calls included."""
    for command in simple_commands([job]):
        name = command.words[0].text if command.words else ""
        if name in functions and name not in seen:
            seen.add(name)
            for inner in functions[name].body:
                yield from _called(inner, functions, seen)
        elif name:
            yield name


_IDLE = frozenset(("sleep", "wait", "exec", "true", ":", "local"))


def is_constant(condition: Sequence[Command]) -> bool:
    """`true`, `:`, `[ 1 ]`: what never changes."""
    command = condition[0]
    if len(condition) != 1 or not isinstance(command, Simple):
        return False
    counts = bool(command.words) and command.words[0].text == "(("
    return all(
        word.value is not None and not (counts and _NAME.search(word.text) is not None) for word in command.words
    )


def may_break(commands: Sequence[Command]) -> bool:
    """Whether a loop's body may leave it."""
    for command in commands:
        if isinstance(command, Simple) and command.words and command.words[0].text in ("break", "return"):
            return True
        if any(may_break(body) for body in _bodies(command)):
            return True
    return False


def _bodies(command: Command) -> Sequence[Sequence[Command]]:
    if isinstance(command, AndOr):
        return [(command.left, command.right)]
    if isinstance(command, Group):
        return [command.body]
    if isinstance(command, If):
        return [*(body for _, body in command.branches), command.otherwise or ()]
    if isinstance(command, Case):
        return [body for _, body in command.arms]
    if isinstance(command, Pipeline):
        return [command.commands]
    return []
