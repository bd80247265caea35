"""What a Dockerfile says."""

from __future__ import annotations

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gracelint.source import Passage, Source, Span, Word

WINDOWS = ("nanoserver", "servercore")
"""What Microsoft's images for Windows, and the tags of those that are made from them, have in their names."""
_MOST_PARENTS = 128
"""Stages of which one is built from the next; no image has more layers."""


class Heredoc(Record):
    """A heredoc of a RUN, COPY or ADD: `delimiter` as written without quotes, `body` the lines between."""

    delimiter: str
    body: Passage
    quoted: bool = False
    """`<<"EOF"`: no variables are put in."""
    closing: Span | None = None
    """The delimiter after the body."""


class BrokenArray(Record):
    """An argument that was meant as a JSON array of strings and is none."""

    items: tuple[tuple[str, bool], ...] | None
    """The words it was meant to have, and whether each is in quotes of any kind; None where that cannot be told."""
    defect: str
    """A clause such as "a comma is missing before `b`"."""
    span: Span
    """Where the first defect stands."""
    rejected: bool = False
    """It is JSON, but not of strings: the build stops. Anything else is taken for shell form."""


class Instruction(Record):
    """One instruction; continuation lines are joined in `argument`, whose parts still know their places."""

    name: str
    """In upper case: CMD, ENTRYPOINT, COPY …"""
    span: Span
    """From the name to the last character, heredoc bodies included."""
    argument: Passage
    """All after the name and its flags."""
    flags: tuple[Word, ...] = ()
    """`--from=build` and the like, as written."""
    argv: tuple[Word, ...] | None = None
    """The words of a JSON array (the exec form); None where the argument is none."""
    heredocs: tuple[Heredoc, ...] = ()
    broken_array: BrokenArray | None = None
    """Set on a CMD or ENTRYPOINT that looks like the exec form and is not."""
    expanded: str | None = None
    """The argument with quotes removed and ARG and ENV values put in, where Docker does that and it makes a difference;
    `$` stays in it where a value is not known."""

    @property
    def value(self) -> str:
        """What the argument says once its variables are put in."""
        return self.argument.text if self.expanded is None else self.expanded

    @property
    def whole(self) -> str:
        """The argument and what its heredocs hold: all that a RUN may run."""
        return "\n".join((self.argument.text, *(one.body.text for one in self.heredocs)))

    def flag(self, name: str) -> str | None:
        """The value of `--name=value`, or None."""
        if not self.flags:
            return None
        prefix = f"--{name}="
        return next((word.value[len(prefix) :] for word in self.flags if word.value.startswith(prefix)), None)


class Stage(Record, identity=True):
    """One FROM and what follows it. A stage `FROM` an earlier one has it as `parent` and inherits from it.

    So it is with an image that another Dockerfile of the project builds.
    """

    source: Source
    """The Dockerfile."""
    index: int
    """Its number in the file, from 0 on."""
    name: str | None
    """After AS, in lower case."""
    base: Word
    """The image after FROM with ARG defaults put in; `$` stays in it where an argument has no default."""
    from_: Instruction
    """The FROM itself."""
    instructions: tuple[Instruction, ...]
    """Those below FROM, ONBUILD left out."""
    parent: Stage | None = None
    """The stage it is FROM."""
    arguments: Mapping[str, str] | None = None
    """ARG defaults (those before the first FROM included) and ENV values known in this stage."""
    escape: str = "\\"
    """The character that continues lines: the directive `escape`, else a backslash."""
    final: bool = False
    """The last stage of its file."""
    windows: bool = False
    """Built for Windows, where containers get no signals."""
    env: Mapping[str, str] | None = None
    """The ENV values the container will have, those of parents included; `$` stays in them where a part is unknown."""
    siblings: Mapping[str, Stage] | None = None
    """All stages of the file by number and by name, as `COPY --from` calls them."""
    context: str | None = None
    """The build context of a base image that is built elsewhere in the project, where that is declared."""

    @property
    def broken_commands(self) -> tuple[Instruction, ...]:
        """Its own ENTRYPOINT and CMD, where they were meant as arrays and are none."""
        commands = (self.own("ENTRYPOINT"), self.own("CMD"))
        return tuple(command for command in commands if command is not None and command.broken_array is not None)

    def own(self, name: str) -> Instruction | None:
        """The last instruction of that name in this stage itself: the one that counts."""
        return next((item for item in reversed(self.instructions) if item.name == name), None)

    def lineage(self) -> Iterator[Stage]:
        """This stage, then those it is built from, the nearest ones."""
        stage: Stage | None = self
        left = _MOST_PARENTS
        while stage is not None and left:
            yield stage
            stage = stage.parent
            left -= 1
