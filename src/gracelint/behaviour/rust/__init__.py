"""Reads Rust programs: the crate of a binary and what it depends on of the project, and what they do with signals."""

from __future__ import annotations

from gracelint.again import remembered
from gracelint.base.record import replace
from gracelint.behaviour.rust.crates import Crates, Manifest, manifest, members
from gracelint.behaviour.rust.reaction import Question, tell
from gracelint.source import Word
from gracelint.tree.warm import kept_warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.base.limits import Effort
    from gracelint.facts.files import Files
    from gracelint.facts.program import Program

__all__ = ["Manifest", "manifest", "members", "read_rust"]


@kept_warm
@remembered
def read_rust(
    folder: str,
    path: str,
    *,
    files: Files,
    argv: tuple[str, ...] = (),
    env: Mapping[str, str | None] | None = None,
    alone: bool = False,
    effort: Effort | None = None,
) -> Program | str:
    """The program of a binary of a package, whose main is in the file `path`; a text says why there is none.

    `alone`: rustc compiles the file, with no crate but those of the language.
    """
    of = Manifest(folder, "main", {}, {"main": path}) if alone else manifest(files, folder)
    if of is None:
        return f"there is no Cargo.toml of a package in {folder or 'the root folder'}"
    crates = Crates(files, of, path)
    if crates.main is None:
        return f"{crates.unread[0]} could not be read"
    main = crates.start
    if main is None:
        return f"{path} has no fn main"
    at = crates.main.span(main.at)
    source = crates.main.source
    end = source.text.find("{", at.start)
    at = source.span(at.start, end if end > 0 else at.end)
    told, forwards = tell(Question(crates, argv, env or {}, at, effort))
    sources = tuple(file.source for file in crates.sources.values())
    program = told.program("rust", source, at, sources, crates.unread)
    return replace(program, forwards_to=tuple(Word(text, span) for text, span in forwards) or None)
