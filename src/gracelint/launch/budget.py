"""The seconds a stop has, and the seconds it needs."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.facts.launch import Assumptions, Budget, Drain, DrainSource
from gracelint.finding import Note
from gracelint.knowledge import table
from gracelint.launch.durations import seconds
from gracelint.launch.words import base_name
from gracelint.source import Located, Passage, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gracelint.facts.kubernetes import PreStop
    from gracelint.facts.script import Command, Loop, Simple
    from gracelint.launch.step import Context
    from gracelint.source import Span, Word

DRAIN_ANNOTATION = "gracelint/drain-seconds"
_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh"))
_UNKNOWN = float("nan")
"""Seconds that nobody can tell."""
_DEEPEST = 5
"""Levels of commands in scripts; deeper is no preStop hook."""


def budget_of(
    grace: Located[float],
    *,
    pre_stop: PreStop | None = None,
    drains: Sequence[Drain] = (),
    annotations: Mapping[str, Word] | None = None,
    assume: Assumptions = Assumptions(),  # noqa: B008
    context: Context | None = None,
) -> Budget:
    """What a stop has and needs. The assumed drain counts only where a grace period or a preStop is declared."""
    before = _pre_stop(pre_stop, context) if pre_stop is not None else None
    drain = declared(annotations) or longest(drains)
    if drain is None and (grace.span is not None or pre_stop is not None):
        drain = _assumed(assume)
    return Budget(grace, before, drain, assume.margin, tuple(_notes(grace, before, drain)))


def _assumed(assume: Assumptions) -> Drain:
    if assume.drain_is_set:
        return Drain(assume.drain, DrainSource.DECLARED, "as the settings say")
    return Drain(assume.drain, DrainSource.ASSUMED, "assumed, as nothing says how long it takes")


def declared(annotations: Mapping[str, Word] | None) -> Drain | None:
    word = (annotations or {}).get(DRAIN_ANNOTATION)
    length = seconds(word.value) if word is not None else None
    if word is None or length is None:
        return None
    return Drain(length, DrainSource.DECLARED, f"the annotation {DRAIN_ANNOTATION}", word.span)


def longest(drains: Iterable[Drain]) -> Drain | None:
    return max(drains, key=lambda drain: float("inf") if drain.seconds is None else drain.seconds, default=None)


def _notes(grace: Located[float], before: Located[float] | None, drain: Drain | None) -> Iterable[Note]:
    if grace.span is not None and grace.value == grace.value:
        yield Note(grace.span, f"the grace period: {grace.value:g} s from the start of preStop to SIGKILL")
    if before is not None and before.span is not None and before.value > 0:
        yield Note(before.span, f"preStop takes {before.value:g} s of it")
    if drain is not None and drain.span is not None and drain.seconds is not None:
        yield Note(drain.span, f"{drain.seconds:g} s to drain: {drain.why}")


# How long a preStop hook takes


def _pre_stop(hook: PreStop, context: Context | None) -> Located[float]:
    """Seconds until the hook returns, which is when the stop signal is sent; NaN where that cannot be told."""
    if hook.sleep is not None:
        return hook.sleep
    if hook.handlers != ("exec",) or not hook.argv:
        # an httpGet returns as soon as it is answered
        return Located(0.0 if hook.handlers == ("httpGet",) else _UNKNOWN, hook.key)
    length, span = _command(hook.argv, context, depth=0)
    return Located(length, span or hook.argv[0].span or hook.key)


_Length = tuple[float, "Span | None"]


def _command(argv: tuple[Word, ...], context: Context | None, depth: int) -> _Length:
    """How long a command line takes: a sleep, a script of the project, or something known to return at once."""
    first = argv[0].value
    name = base_name(first)
    if name == "busybox" and len(argv) > 1:
        return _command(argv[1:], context, depth)
    if name == "sleep":
        return _sleep(argv[1:], context)
    if name in _SHELLS:
        return _shell(argv, context, depth)
    if name in table("one_shots")["instant"]:
        return 0.0, None
    text = _script_file(first, context, depth)
    shebang = text.text.split("\n", 1)[0] if text is not None else ""
    if text is None or not shebang.startswith("#!") or base_name(shebang.split()[-1]) not in _SHELLS:
        return _UNKNOWN, None
    return _script(text, context, depth + 1)


def _script_file(path: str, context: Context | None, depth: int) -> Passage | None:
    from gracelint.launch.images.image import find_text

    if context is None or depth > _DEEPEST:
        return None
    return find_text(context.image, context.files, path, context.working_dir)


def _sleep(words: Sequence[Word], context: Context | None) -> _Length:
    span = words[0].span if words else None
    total = 0.0 if words else _UNKNOWN
    for word in words:
        text = _expand(word.value, context)
        length = seconds(text) if text is not None else None
        total += _UNKNOWN if length is None else length
    return total, span


def _expand(text: str, context: Context | None) -> str | None:
    """`$X`, `${X}`, `${X:-15}` and Kubernetes' `$(X)` with values that are known."""
    if "$" not in text:
        return text
    name = text[1:].strip("{}()")
    name, dash, default = name.partition(":-")
    if not text.startswith("$") or not name.replace("_", "a").isalnum():
        return None
    value = context.env.get(name, "") if context is not None else None
    if value is None:
        return None
    return value or (default if dash else None)


def _shell(argv: tuple[Word, ...], context: Context | None, depth: int) -> _Length:
    """`sh -c text`, or `sh script.sh`."""
    for index, word in enumerate(argv[1:], 1):
        if not word.value.startswith("-"):
            text = _script_file(word.value, context, depth)
            return _script(text, context, depth + 1) if text is not None else (_UNKNOWN, None)
        if word.value.endswith("c") and index + 1 < len(argv):
            inline = argv[index + 1]
            return _script(inline.passage or Passage.whole(Source("", inline.value)), context, depth, inline.span)
    return _UNKNOWN, None


def _script(text: Passage, context: Context | None, depth: int, span: Span | None = None) -> _Length:
    """How long shell text takes; `span` is where it stands if its own places are not known."""
    from gracelint.parse.shell import read_script

    script = read_script(text)
    if script.broken is not None:
        return _UNKNOWN, span
    length, place = _all(script.body, context, depth)
    return length, place if place is not None and place.source.path else span


def _takes(command: Command, context: Context | None, depth: int) -> _Length:
    """How long a command takes; NaN for loops that nobody can count, and for branches that differ."""
    from gracelint.facts.script import AndOr, Background, Case, Function, Group, If, Loop, Pipeline, Simple

    if isinstance(command, Simple):
        return _simple(command, context, depth)
    if isinstance(command, Loop):
        return _loop(command, context, depth)
    if isinstance(command, (Background, Function)):
        return 0.0, None
    if isinstance(command, AndOr):
        left, right = _takes(command.left, context, depth), _takes(command.right, context, depth)
        if command.operator == "||":
            return left if right[0] == 0 else (_UNKNOWN, command.span)
        return left[0] + right[0], left[1] if left[0] else right[1]
    if isinstance(command, Pipeline):
        return max((_takes(part, context, depth) for part in command.commands), key=lambda length: length[0])
    if isinstance(command, Group):
        return _all(command.body, context, depth)
    bodies: list[tuple[Command, ...]]
    if isinstance(command, If):
        bodies = [body for _, body in command.branches] + [command.otherwise or ()]
    else:
        assert isinstance(command, Case)
        bodies = [body for _, body in command.arms]
    lengths = [_all(body, context, depth) for body in bodies]
    if len({length for length, _ in lengths}) == 1:
        return lengths[0]
    return _UNKNOWN, command.span


def _loop(loop: Loop, context: Context | None, depth: int) -> _Length:
    """A `for` over words that are known; nobody knows how often another loop turns."""
    turns = _turns(loop)
    length, place = _all(loop.body, context, depth)
    if turns is None or any(map(_leaves, loop.body)):
        return _UNKNOWN, loop.span
    return turns * length, place


def _turns(loop: Loop) -> int | None:
    from gracelint.facts.script import Simple

    each = loop.condition[0].words if loop.kind == "for" and isinstance(loop.condition[0], Simple) else ()
    if not each:
        return None  # over the arguments, or not over words at all
    counts = [1 if word.value is not None else _counted(word.text) for word in each]
    return None if None in counts else sum(count for count in counts if count)


_RANGE = pattern(r"(?:\$\(|`)seq (?:([0-9]{1,6}) )?([0-9]{1,6})[)`]")


def _counted(text: str) -> int | None:
    """How many words `$(seq 10)` and `$(seq 1 10)` are."""
    found = _RANGE.fullmatch(text)
    return max(int(found[2]) - int(found[1] or 1) + 1, 0) if found is not None else None


def _leaves(command: Command) -> bool:
    """Whether a turn may be the last: by `break`, `exit` or `return` somewhere in it."""
    return _ENDS.search(command.span.text) is not None


_ENDS = pattern(r"\b(?:break|exit|return)\b")


def _all(body: Iterable[Command], context: Context | None, depth: int) -> _Length:
    lengths = [_takes(command, context, depth) for command in body]
    return sum(length for length, _ in lengths), next((span for length, span in lengths if length), None)


def _simple(command: Simple, context: Context | None, depth: int) -> _Length:
    words = command.words[1:] if command.words and command.words[0].text in ("exec", "command") else command.words
    if not words:
        return 0.0, None
    argv = tuple(Located(word.text.strip('"') if word.value is None else word.value, word.span, None) for word in words)
    return _command(argv, context, depth + 1)
