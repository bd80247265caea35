"""What the processes that a program starts do: whether they run on, and whether a signal ends them."""

from __future__ import annotations

import posixpath
import re
import shlex

from gracelint.base.numbers import is_digits
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.parse.errors import ParseError
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.facts.files import Files
    from gracelint.facts.program import Program
    from gracelint.source import Source

_ENDLESS = (("tail", "-f"), ("tail", "-F"), ("sleep", "infinity"), ("sleep", "inf"))
_IDLE = ("sleep", "tail")
"""Commands that have nothing to finish."""
_SHELLS = ("sh", "bash", "dash", "ash")
_MOST = 3
"""Programs that start one another."""


class Children:
    """The command lines that one program starts, each read once."""

    __slots__ = ("_effort", "_env", "_files", "_folders", "_known", "_parents")

    def __init__(
        self,
        parents: tuple[str, ...],
        folders: tuple[str, ...],
        files: Files,
        env: Mapping[str, str | None],
        effort: Effort | None,
    ) -> None:
        self._parents = parents
        """The program itself, and those that started it."""
        self._folders = folders
        self._files = files
        self._env = env
        self._effort = effort
        self._known: dict[tuple[str, ...], Program | None] = {}

    def runs_on(self, words: tuple[Word, ...] | None) -> bool | None:
        """Whether a command runs until it is stopped; None where that is not known."""
        if not words:
            return None
        name = posixpath.basename(words[0].value)
        if name in table("servers") or (words[1:2] and (name, words[1].value) in _ENDLESS):
            return True
        if name in table("one_shots")["commands"] or name in table("one_shots")["instant"]:
            return False
        rest = [word.value for word in words[1:]]
        if rest[:1] and rest[0] in (*table("one_shots")["operands"].get(name, ()), *table("one_shots")["switches"]):
            return False
        if name in _SHELLS and rest[:1] == ["-c"] and len(rest) > 1:
            return self._text_runs_on(words[2])
        program = self._program(words)
        return None if program is None else program.long_running

    def _text_runs_on(self, text: Word) -> bool | None:
        """Whether a shell's text runs on, as far as it is made of plain commands; None for all that is more."""
        if any(character in text.value for character in "<()`\n") or "$(" in text.value or text.value.endswith("&"):
            return None
        answers = set()
        for part in re.split(r"\|\||&&|;|\|", re.sub(r"[0-9]?>>?\s*(&[0-9]|\S+)", "", text.value)):
            try:
                words = tuple(Word(word, text.span) for word in shlex.split(part))
            except ValueError:
                return None
            if "&" in part:
                return None
            answers.add(self.runs_on(words) if words else False)
        return True if True in answers else None if None in answers else False

    def seconds(self, words: tuple[Word, ...] | None) -> float | None:
        """How long `sleep 5` takes."""
        if not words or len(words) != 2 or posixpath.basename(words[0].value) != "sleep":
            return None
        unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(words[1].value[-1:])
        number = words[1].value[: -1 if unit else None]
        return float(number) * (unit or 1) if is_digits(number.replace(".", "", 1)) else None

    def ends_on(self, words: tuple[Word, ...] | None, signal: str | None) -> bool | None:
        """Whether a command that is no PID 1 ends when it gets a signal: most have no handler. None: not known."""
        program = self._program(words) if words else None
        if signal is None or signal == "SIGKILL" or program is None:
            return None if signal is None else True
        reaction = program.reactions.get(signal)
        if reaction is None or reaction.as_child is Verdict.UNKNOWN:
            return None
        return reaction.as_child is not Verdict.IGNORED

    def is_idle(self, words: tuple[Word, ...] | None) -> bool:
        """Whether a command only waits, and so has nothing to finish."""
        return words is not None and bool(words) and posixpath.basename(words[0].value) in _IDLE

    def cleans_up_on(self, words: tuple[Word, ...] | None, signal: str | None) -> bool | None:
        """Whether a command has work to finish when it gets a signal; None where that is not known."""
        if self.is_idle(words):
            return False
        program = self._program(words) if words else None
        reaction = program.reactions.get(signal) if program is not None and signal is not None else None
        if reaction is None or reaction.as_child is Verdict.UNKNOWN:
            return None
        return reaction.as_child is Verdict.HANDLED

    def _program(self, words: tuple[Word, ...]) -> Program | None:
        key = tuple(word.value for word in words)
        if key not in self._known:
            self._known[key] = self._read(key)
        return self._known[key]

    def _read(self, words: tuple[str, ...]) -> Program | None:
        from gracelint.behaviour.python import read_python

        found = self._source(words)
        if found is None:
            return None
        source, module, argv = found
        try:
            return read_python(
                source,
                files=self._files,
                roots=self._folders,
                env=self._env,
                argv=argv,
                module=module,
                parents=self._parents,
                effort=self._effort,
            )
        except ParseError:
            return None

    def _source(self, words: tuple[str, ...]) -> tuple[Source, str | None, tuple[str, ...]] | None:
        """The file of `python worker.py` or `python -m pkg`, its module's name and arguments."""
        if not posixpath.basename(words[0]).startswith("python") or len(self._parents) > _MOST:
            return None
        rest = [word for word in words[1:] if word not in ("-u", "-O", "-B", "-s", "-E")]
        module = rest[1] if rest[:1] == ["-m"] and len(rest) > 1 else None
        if module is not None:
            base = module.replace(".", "/")
            paths, argv = [f"{base}/__main__.py", f"{base}.py"], tuple(rest[2:])
        elif rest and rest[0].endswith(".py"):
            paths, argv = [rest[0]], tuple(rest[1:])
        else:
            return None
        for folder in self._folders:
            for path in paths:
                source = self._files.read(posixpath.normpath(posixpath.join(folder, path)))
                if source is not None and source.path not in self._parents:
                    return source, module, argv
        return None
