"""Reads Ruby programs: a script and what it requires of the project, and what they do with signals."""

from __future__ import annotations

from gracelint.again import remembered
from gracelint.base.record import replace
from gracelint.behaviour.ruby.files import Sources
from gracelint.behaviour.ruby.reaction import Question, tell
from gracelint.parse.errors import TooLargeError
from gracelint.source import Word
from gracelint.tree.warm import kept_warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.facts.files import Files
    from gracelint.facts.program import Program
    from gracelint.source import Source, Span

__all__ = ["read_ruby"]


@kept_warm
@remembered
def read_ruby(
    source: Source,
    *,
    files: Files,
    roots: tuple[str, ...] = (),
    argv: tuple[str, ...] = (),
    env: Mapping[str, str | None] | None = None,
    effort: Effort | None = None,
) -> Program:
    """The program that a script starts. Raises ParseError where it is no Ruby, TooLargeError for a giant."""
    sources = Sources(files, source, roots)
    if sources.entry is None:
        raise TooLargeError("too large to be followed", source.span(0, 0))
    at = _place(sources, source)
    answer = tell(Question(sources, argv, env or {}, at, effort))
    program = answer.told.program(
        "ruby", source, at, tuple(file.source for file in sources.files.values()), sources.unread
    )
    if answer.replaced:
        return replace(program, replaced_by=tuple(Word(text, span) for text, span in answer.replaced))
    if answer.forwards:
        return replace(program, forwards_to=tuple(Word(text, span) for text, span in answer.forwards))
    return program


def _place(sources: Sources, source: Source) -> Span:
    """The first line of the script that does something."""
    entry = sources.entry
    if entry is None or not entry.root.named_children:
        return source.span(0, 0)
    first = next((one for one in entry.root.named_children if one.type != "comment"), entry.root)
    end = source.text.find("\n", entry.span(first).start)
    return source.span(entry.span(first).start, end if end >= 0 else len(source.text))
