"""What shell text says: a small syntax tree with places, the same for `sh -c` strings and script files."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.source import Passage, Span


class ShellWord(Record):
    """One word. `value` is what it expands to where that is certain (quotes removed), else None."""

    text: str
    """As written."""
    value: str | None
    span: Span


class HereText:
    """The lines behind `<<END`: they are read only when the line they are named on has ended."""

    def __init__(self, literal: bool) -> None:
        self.literal = literal
        """Nothing is expanded in them: `<<'END'`."""
        self.passage: Passage | None = None


class Redirect(Record):
    operator: str
    target: ShellWord | None
    span: Span
    here: HereText | None = None


class Simple(Record):
    """Assignments and words of one simple command; no words for a bare assignment."""

    words: tuple[ShellWord, ...]
    assignments: tuple[tuple[str, ShellWord | None], ...]
    redirects: tuple[Redirect, ...]
    span: Span


class Pipeline(Record):
    commands: tuple[Command, ...]
    negated: bool
    span: Span


class AndOr(Record):
    """`left && right` or `left || right`."""

    left: Command
    operator: str
    right: Command
    span: Span


class Group(Record):
    """`{ …; }`, or `( … )` where `subshell`."""

    body: tuple[Command, ...]
    subshell: bool
    redirects: tuple[Redirect, ...]
    span: Span


class If(Record):
    """`branches` are condition and body of `if` and each `elif`; `otherwise` is None without an `else`."""

    branches: tuple[tuple[tuple[Command, ...], tuple[Command, ...]], ...]
    otherwise: tuple[Command, ...] | None
    redirects: tuple[Redirect, ...]
    span: Span


class Case(Record):
    subject: ShellWord
    arms: tuple[tuple[tuple[ShellWord, ...], tuple[Command, ...]], ...]
    redirects: tuple[Redirect, ...]
    span: Span


class Loop(Record):
    """`kind` is while, until or for."""

    kind: str
    condition: tuple[Command, ...]
    body: tuple[Command, ...]
    redirects: tuple[Redirect, ...]
    span: Span
    variable: str | None = None


class Function(Record):
    name: str
    body: tuple[Command, ...]
    span: Span


class Background(Record):
    """`command &`; `name` is that of a coprocess."""

    command: Command
    span: Span
    name: str | None = None


TYPE_CHECKING = False
if TYPE_CHECKING:
    Command = Simple | Pipeline | AndOr | Group | If | Case | Loop | Function | Background


class Script(Record, identity=True):
    """The commands of a passage of shell text. `broken` is where the grammar gave up, if it did."""

    passage: Passage
    body: tuple[Command, ...]
    interpreter: tuple[str, ...] = ()
    """The words of the `#!` line of a script file."""
    broken: Span | None = None
