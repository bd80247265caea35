"""Reads Go programs: a main package and the packages of its module, and what they do with signals."""

from __future__ import annotations

from gracelint.again import remembered
from gracelint.base.record import replace
from gracelint.behaviour.go.packages import Modules, Package, loses_nothing
from gracelint.behaviour.go.reaction import Question, tell
from gracelint.source import Word
from gracelint.tree.warm import kept_warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.facts.files import Files
    from gracelint.facts.program import Program
    from gracelint.source import Span

__all__ = ["read_go"]


@kept_warm
@remembered
def read_go(
    folder: str,
    *,
    files: Files,
    argv: tuple[str, ...],
    only: tuple[str, ...] = (),
    env: Mapping[str, str | None] | None = None,
    effort: Effort | None = None,
) -> Program | str:
    """The program of a main package's folder; a text says why there is none."""
    modules = Modules(files, folder)
    main = modules.main(folder, only)
    if main is None:
        return f"there are no Go files in {folder or 'the root folder'}"
    start = main.functions.get("main")
    if start is None or not main.files or main.files[0].package != "main":
        unread = f": {modules.unread[0]} could not be read" if modules.unread else ""
        return f"{folder or 'the root folder'} has no func main{unread}"
    reached = _reached(main, modules)
    name = start.node.child_by_field_name("name")
    at = start.file.span(name if name is not None else start.node)
    answer = tell(Question(modules, main, reached, argv, env or {}, at, _needed(reached), effort))
    sources = tuple(file.source for package in reached for file in package.files)
    program = answer.told.program("go", start.file.source, at, sources, modules.unread)
    return replace(
        program,
        loses_nothing=loses_nothing(reached, modules),
        replaced_by=_command_line(answer.replaced),
        forwards_to=_command_line(answer.forwards),
    )


def _command_line(words: tuple[tuple[str, Span], ...]) -> tuple[Word, ...] | None:
    return tuple(Word(text, span) for text, span in words) or None


def _reached(main: Package, modules: Modules) -> tuple[Package, ...]:
    """The packages of the program's own modules that it imports, itself first."""
    found = [main]
    for package in found:
        for file in package.files:
            for path in (*file.imports.values(), *file.blank):
                own = modules.find(path) if modules.is_own(path) else None
                if own is not None and own not in found:
                    found.append(own)
    return tuple(found)


def _needed(reached: tuple[Package, ...]) -> float:
    """Seconds that a request needs."""
    if not any("time.Sleep" in file.source.text for package in reached for file in package.files):
        return 1.0
    from gracelint.behaviour.go.requests import work

    return work(reached)
