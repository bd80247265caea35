"""How long a preStop hook takes, as far as its command says."""

from __future__ import annotations

import re

from gracelint.facts.script import AndOr, Background, Group, Pipeline, Simple
from gracelint.knowledge import table
from gracelint.parse.shell import read_script
from gracelint.source import Passage, Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.script import Command

NAN = float("nan")
_SHELLS = frozenset(("sh", "bash", "ash", "dash"))
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhd]?)\Z")


def duration(argv: tuple[Word, ...]) -> float:
    """Seconds, where the command is made of sleeps and of commands that return at once; NaN where nobody can tell."""
    if not argv:
        return NAN
    name = argv[0].value.rpartition("/")[2]
    if name in _SHELLS:
        script = next((i for i, word in enumerate(argv) if re.fullmatch(r"-[a-z]*c", word.value)), 0) + 1
        passage = argv[script].passage if 1 < script < len(argv) else None
        return _of_script(passage) if passage is not None else NAN
    return _of_words([word.value for word in argv])


def span_of(argv: tuple[Word, ...]) -> Span | None:
    """Where the command stands, from its first word to its last."""
    first, last = (argv[0].span, argv[-1].span) if argv else (None, None)
    return Span(first.source, first.start, last.end) if first and last else None


def _of_script(passage: Passage) -> float:
    script = read_script(passage)
    return NAN if script.broken else sum(_of_command(command) for command in script.body)


def _of_command(command: Command) -> float:
    if isinstance(command, Simple):
        return _of_words([word.value for word in command.words])
    if isinstance(command, AndOr):
        left, right = _of_command(command.left), _of_command(command.right)
        return left + right if command.operator == "&&" or right == 0 else NAN
    if isinstance(command, Group):
        return sum(_of_command(item) for item in command.body)
    if isinstance(command, Pipeline):
        times = [_of_command(item) for item in command.commands]
        return max(times) if sum(times) == sum(times) else NAN
    return 0.0 if isinstance(command, Background) else NAN


def _of_words(words: list[str | None]) -> float:
    if words and words[0] == "exec":
        words = words[1:]
    if not words:
        return 0.0
    name = (words[0] or "").rpartition("/")[2]
    if name == "busybox" and len(words) > 1:
        return _of_words(words[1:])
    if name == "sleep":
        times = [_TIME.match(word or "") for word in words[1:]]
        return sum(float(time[1]) * _UNITS[time[2]] if time else NAN for time in times)
    return 0.0 if name in table("workloads")["pre-stop"]["at-once"] else NAN
