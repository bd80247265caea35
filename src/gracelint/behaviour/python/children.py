"""What the processes that a program starts do: whether they run on, and whether a signal ends them."""

from __future__ import annotations

import math
import posixpath

from gracelint.facts.verdict import Verdict
from gracelint.knowledge import table
from gracelint.parse.errors import ParseError
from gracelint.source import Passage, Source, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.behaviour.shell import Length
    from gracelint.facts.files import Files
    from gracelint.facts.program import Program

_ENDLESS = (("tail", "-f"), ("tail", "-F"), ("sleep", "infinity"), ("sleep", "inf"))
_IDLE = ("sleep", "tail")
"""Commands that have nothing to finish."""
_SHELLS = ("sh", "bash", "dash", "ash")
_MOST = 3
"""Programs that start one another."""


class Children:
    """The command lines that one program starts, each read once."""

    __slots__ = ("_effort", "_env", "_files", "_folders", "_known", "_lengths", "_parents", "_version")

    def __init__(
        self,
        parents: tuple[str, ...],
        folders: tuple[str, ...],
        files: Files,
        env: Mapping[str, str | None],
        version: str,
        effort: Effort | None,
    ) -> None:
        self._parents = parents
        """The program itself, and those that started it."""
        self._folders = folders
        self._files = files
        self._env = env
        self._version = version
        self._effort = effort
        self._known: dict[tuple[str, ...], Program | None] = {}
        self._lengths: dict[tuple[str, ...], Length | None] = {}

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
        shell = self._shell(tuple(word.value for word in words))
        if shell is not None:
            return shell.runs_on
        program = self._program(words)
        return None if program is None else program.long_running

    def seconds(self, words: tuple[Word, ...] | None) -> float | None:
        """How long `sleep 5` takes, or what ends by itself; NaN where that is open, None where nothing is known."""
        if not words:
            return None
        values = tuple(word.value for word in words)
        if posixpath.basename(values[0]) == "sleep":
            from gracelint.behaviour.shell import sleeps

            return sleeps(values)
        shell = self._shell(values)
        if shell is None:
            return self._seconds_of(self._program(words))
        if shell.runs_on is not False:
            return None
        return math.nan if shell.seconds is None else shell.seconds or None

    @staticmethod
    def _seconds_of(program: Program | None) -> float | None:
        """What a program takes at least that comes to its end."""
        from gracelint.behaviour.python.work import of_a_program

        return (of_a_program(program.sources) or None) if program is not None and not program.long_running else None

    def _shell(self, words: tuple[str, ...]) -> Length | None:
        """How long the text runs that a shell is given, or a script of the project; None for what is no shell's."""
        if words not in self._lengths:
            text = self._text(words)
            self._lengths[words] = None
            if text is not None:
                from gracelint.behaviour.shell import OPEN, length_of

                self._lengths[words] = OPEN
                self._lengths[words] = length_of(text, self._length)
        return self._lengths[words]

    def _length(self, values: tuple[str, ...]) -> Length:
        """How long a command takes that a shell runs."""
        from gracelint.behaviour.shell import Length

        words = tuple(Word(value) for value in values)
        runs_on, seconds = self.runs_on(words), self.seconds(words)
        if posixpath.basename(values[0]) == "sleep":
            return Length(values[1:] in (("infinity",), ("inf",)), seconds)
        return Length(runs_on, None if seconds is not None and math.isnan(seconds) else seconds or 0.0)

    def _text(self, words: tuple[str, ...]) -> Passage | None:
        """The text of `sh -c text`, `bash script.sh` and `./script.sh`."""
        by_shell = posixpath.basename(words[0]) in _SHELLS
        rest = words[1:] if by_shell else words
        while by_shell and rest and rest[0].startswith("-"):
            if rest[0].endswith("c"):
                return Passage.whole(Source("", rest[1])) if len(rest) > 1 else None
            rest = rest[1:]
        source = self._file(rest[0]) if rest and (by_shell or "/" in rest[0]) else None
        if source is None:
            return None
        first = source.text.partition("\n")[0].split()
        is_script = first[:1] != [] and first[0].startswith("#!") and posixpath.basename(first[-1]) in _SHELLS
        return Passage.whole(source) if by_shell or is_script else None

    def _file(self, path: str) -> Source | None:
        """A file of the project; of a path in the image, the one that its end names."""
        parts = path.lstrip("/").split("/")
        ends = ["/".join(parts[at:]) for at in range(len(parts))] if path.startswith("/") else [path]
        places = (posixpath.normpath(posixpath.join(folder, end)) for end in ends for folder in self._folders)
        found = (self._files.read(place) for place in places)
        return next((source for source in found if source is not None), None)

    def ends_on(self, words: tuple[Word, ...] | None, signal: str | None) -> bool | None:
        """Whether a command that is no PID 1 ends when it gets a signal: most have no handler. None: not known."""
        program = self._program(words) if words else None
        if signal is None or signal == "SIGKILL" or program is None:
            return None if signal is None else True
        reaction = program.reactions.get(signal)
        if reaction is None or reaction.as_child is Verdict.UNKNOWN:
            return None
        return reaction.as_child is not Verdict.IGNORED

    def outlasts(self, words: tuple[Word, ...] | None, signal: str | None, seconds: float | None) -> bool:
        """Whether a command is still at its end when that time is over."""
        program = self._program(words) if words and seconds is not None else None
        reaction = program.reactions.get(signal) if program is not None and signal is not None else None
        return reaction is not None and seconds is not None and (reaction.delay or 0.0) > seconds

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
                version=self._version,
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
