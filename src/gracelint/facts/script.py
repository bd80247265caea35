"""What shell text says: a small syntax tree with places, the same for `sh -c` strings and script files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from gracelint.source import Passage, Span


@dataclass(frozen=True, slots=True)
class ShellWord:
    """One word. `value` is what it expands to where that is certain (quotes removed), else None."""

    text: str
    """As written."""
    value: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Redirect:
    operator: str
    target: ShellWord | None
    span: Span


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments and words of one simple command; no words for a bare assignment."""

    words: tuple[ShellWord, ...]
    assignments: tuple[tuple[str, ShellWord | None], ...]
    redirects: tuple[Redirect, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Pipeline:
    commands: tuple[Command, ...]
    negated: bool
    span: Span


@dataclass(frozen=True, slots=True)
class AndOr:
    """`left && right` or `left || right`."""

    left: Command
    operator: str
    right: Command
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """`{ …; }`, or `( … )` where `subshell`."""

    body: tuple[Command, ...]
    subshell: bool
    redirects: tuple[Redirect, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class If:
    """`branches` are condition and body of `if` and each `elif`; `otherwise` is None without an `else`."""

    branches: tuple[tuple[tuple[Command, ...], tuple[Command, ...]], ...]
    otherwise: tuple[Command, ...] | None
    redirects: tuple[Redirect, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Case:
    subject: ShellWord
    arms: tuple[tuple[tuple[ShellWord, ...], tuple[Command, ...]], ...]
    redirects: tuple[Redirect, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Loop:
    """`kind` is while, until or for."""

    kind: str
    condition: tuple[Command, ...]
    body: tuple[Command, ...]
    redirects: tuple[Redirect, ...]
    span: Span
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: tuple[Command, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Background:
    """`command &`."""

    command: Command
    span: Span


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something nobody here can read: arithmetic, coprocesses, `[[ … ]]` (harmless where it is only a test)."""

    kind: str
    span: Span


Command = Union[Simple, Pipeline, AndOr, Group, If, Case, Loop, Function, Background, Opaque]


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """The commands of a passage of shell text. `broken` is where the grammar gave up, if it did."""

    passage: Passage
    body: tuple[Command, ...]
    interpreter: tuple[str, ...] = ()
    """The words of the `#!` line of a script file."""
    broken: Span | None = None
