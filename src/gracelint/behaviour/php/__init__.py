"""Reads PHP programs: a script and what it includes of the project, and what they do with signals."""

from __future__ import annotations

from gracelint.again import remembered
from gracelint.base.record import replace
from gracelint.behaviour.php.files import Sources
from gracelint.behaviour.php.reaction import Question, tell
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

__all__ = ["read_php"]


@kept_warm
@remembered
def read_php(
    source: Source,
    *,
    files: Files,
    working_dir: str = "",
    argv: tuple[str, ...] = (),
    env: Mapping[str, str | None] | None = None,
    pcntl: bool | None = None,
    effort: Effort | None = None,
) -> Program:
    """The program that a script starts. Raises ParseError where it is no PHP, TooLargeError for a giant.

    `pcntl`: whether the image has that extension; None where nobody can tell.
    """
    sources = Sources(files, source, working_dir)
    if sources.entry is None:
        raise TooLargeError("too large to be followed", source.span(0, 0))
    at = _place(sources, source)
    told, execs = tell(Question(sources, argv, env or {}, pcntl, at, effort))
    read = tuple(file.source for file in sources.files.values())
    program = told.program("php", source, at, read, sources.unread)
    return replace(program, replaced_by=tuple(Word(text, span) for text, span in execs)) if execs else program


def _place(sources: Sources, source: Source) -> Span:
    """The first line of the script that does something."""
    entry = sources.entry
    running = [one for one in entry.root.named_children if one.type not in _SILENT] if entry is not None else []
    if entry is None or not running:
        return source.span(0, 0)
    start = entry.span(running[0]).start
    end = source.text.find("\n", start)
    return source.span(start, end if end >= 0 else len(source.text))


_SILENT = ("php_tag", "comment", "declare_statement", "namespace_definition", "namespace_use_declaration", "text")
