"""Ruby: from `ruby app.rb` or `rake worker` to the script, and what it does with the signal."""

from __future__ import annotations

import posixpath

from gracelint.base.numbers import is_whole
from gracelint.launch.images.image import find_path
from gracelint.launch.runtimes.programs import interactive, program_step, source_at, unknown
from gracelint.launch.servers import servers
from gracelint.launch.words import base_name
from gracelint.parse.errors import ParseError, TooLargeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.launch.step import Context, Step
    from gracelint.source import Source, Word

_VALUES = ("-I", "-r", "-C", "-E", "-x", "--encoding")
_RAKEFILES = ("Rakefile", "rakefile", "Rakefile.rb", "rakefile.rb")


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    name = base_name(argv[0].value)
    if name == "rake":
        return _rake_step(argv, context)
    if not is_whole(name.removeprefix("j").removeprefix("ruby").replace(".", "") or "0"):
        return None
    roots = ["lib", "."]
    index = 1
    while index < len(argv) and argv[index].value.startswith("-") and argv[index].value != "-":
        text = argv[index].value
        if text == "-e":
            return unknown(argv, context, "the program is given as text to ruby -e")
        if text.startswith("-I"):
            roots.insert(0, text[2:] or (argv[index + 1].value if index + 1 < len(argv) else ""))
        if text == "-S":
            return _started(argv[index + 1 :], context)
        index += 2 if text in _VALUES else 1
    if index >= len(argv) or argv[index].value == "-":
        return interactive(argv, context, "ruby")
    path = argv[index].value
    return _started(argv[index:], context) or _script_step(argv, path, argv[index + 1 :], roots, context)


def _started(rest: tuple[Word, ...], context: Context) -> Step | None:
    """A known server that is started by its file: `ruby bin/rails server`."""
    return servers.step(rest, context) if rest else None


def _script_step(
    argv: tuple[Word, ...], path: str, rest: tuple[Word, ...], roots: list[str], context: Context
) -> Step | None:
    source = source_at(path, context)
    if source is None:
        where = "is only known when it runs" if "$" in path else "is not in the project"
        return unknown(argv, context, f"`{path}` {where}" if "$" in path else f"{path} {where}")
    return _read(argv, source, rest, roots, context)


def _rake_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """The tasks that rake runs, from the project's Rakefile."""
    known = servers.step(argv, context)
    if known is not None:
        return known
    file = next((argv[i + 1].value for i in range(1, len(argv) - 1) if argv[i].value in ("-f", "--rakefile")), None)
    for name in (file,) if file is not None else _RAKEFILES:
        source = source_at(name, context)
        if source is not None:
            return _read(argv, source, argv[1:], ["lib", "."], context)
    return None


def _read(
    argv: tuple[Word, ...], source: Source, rest: tuple[Word, ...], roots: list[str], context: Context
) -> Step | None:
    from gracelint.behaviour.ruby import read_ruby

    found = [find_path(context.image, context.files, root, context.working_dir) for root in roots if root]
    folders = (*[one for one in found if one is not None], posixpath.dirname(source.path))
    try:
        program = read_ruby(
            source,
            files=context.files,
            roots=folders,
            argv=tuple(word.value for word in rest),
            env=context.env,
            effort=context.followed.effort,
        )
    except TooLargeError:
        return unknown(argv, context, f"{source.path} is too large to be followed")
    except ParseError as error:
        return unknown(argv, context, f"{source.path} has a syntax error in line {error.span.line}")
    return program_step(argv, program, context)
