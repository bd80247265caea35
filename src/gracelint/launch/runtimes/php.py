"""PHP: from `php worker.php` to the script, and what it does with the signal."""

from __future__ import annotations

import re

from gracelint.base.numbers import is_whole
from gracelint.base.record import replace
from gracelint.launch.images.bases import extensions_of
from gracelint.launch.images.image import find_path
from gracelint.launch.runtimes.programs import interactive, program_step, source_at, unknown
from gracelint.launch.servers import servers
from gracelint.launch.words import base_name
from gracelint.parse.errors import ParseError, TooLargeError
from gracelint.source import Located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gracelint.launch.step import Context, Step
    from gracelint.source import Source, Word

_VALUES = ("-d", "-c", "-z", "--define", "--php-ini")
_INSTALLS = re.compile(
    r"(?:docker-php-ext-(?:install|enable|configure)|install-php-extensions|apk\s+add|apt-get\s+install|apt\s+install)"
    r"([^&|;]*)"
)
_PACKAGE = re.compile(r"(?:^|\s)php[0-9]*(?:\.[0-9]+)?-cli(?=[\s=]|$)")
_VARIABLE = re.compile(r"\$\{?(\w+)")
_NAMED = re.compile(r"(?m)^[ \t]*(?:ARG|ENV)\b.*\bpcntl\b")
_RUNS_A_SCRIPT = re.compile(r"\.(?:sh|bash)\b")


def step(argv: tuple[Word, ...], context: Context) -> Step | None:
    if not is_whole(base_name(argv[0].value).removeprefix("php").replace(".", "") or "0"):
        return None
    index = 1
    while index < len(argv) and argv[index].value.startswith("-"):
        text = argv[index].value
        if text.startswith("-S"):
            return servers.step(argv, context)
        if text in ("-r", "-R", "-B"):
            return unknown(argv, context, f"the program is given as text to php {text}")
        if text in ("-f", "--file", "--"):
            index += 1
            break
        if text in ("-a", "-i", "-v", "-m", "-l"):
            return interactive(argv, context, "php")
        index += 2 if text in _VALUES else 1
    if index >= len(argv):
        return interactive(argv, context, "php")
    known = _known_step(argv[index:], context)
    if known is not None:
        return known
    path = argv[index].value
    source = source_at(path, context)
    if source is None:
        return unknown(argv, context, f"`{path}` is only known when it runs" if "$" in path else f"{path} is not here")
    return _read(argv, source, argv[index + 1 :], context)


def _known_step(argv: tuple[Word, ...], context: Context) -> Step | None:
    """A command of a framework that is known by name; its signals are those of pcntl, where the image has it."""
    found = servers.row_of(argv)
    if found is None or not any(row.get("option") == "pcntl" for row in found[1].get("when", ())):
        return servers.step(argv, context)
    from gracelint.launch.servers.settings import read_settings

    key, row = found
    given = read_settings(argv, context, row)
    has = has_pcntl(context)
    options = {**given.options, "pcntl": Located(None if has is None else "yes" if has else "no")}
    unread = given.unread or "whether the image has pcntl is not known"
    return servers.named_step(argv, key, row, replace(given, options=options, unread=unread), context)


def _read(argv: tuple[Word, ...], source: Source, rest: tuple[Word, ...], context: Context) -> Step:
    from gracelint.behaviour.php import read_php

    folder = find_path(context.image, context.files, ".", context.working_dir)
    try:
        program = read_php(
            source,
            files=context.files,
            working_dir=folder or "",
            argv=tuple(word.value for word in rest),
            env=context.env,
            pcntl=has_pcntl(context),
            effort=context.followed.effort,
        )
    except TooLargeError:
        return unknown(argv, context, f"{source.path} is too large to be followed")
    except ParseError as error:
        return unknown(argv, context, f"{source.path} has a syntax error in line {error.span.line}")
    return program_step(argv, program, context)


def has_pcntl(context: Context) -> bool | None:
    """Whether PHP in the image can handle signals: the official images have pcntl only where it is installed.

    Debian's and Ubuntu's `php8.3-cli` has it built in.
    """
    stage = context.image.stage
    if stage is None:
        return "pcntl" in extensions_of(context.image.reference or "") or None
    parents = [*stage.lineage()]
    elsewhere = _NAMED.search(stage.source.text.replace("\\\n", " ")) is not None
    for one in parents:
        given = one.arguments or {}
        for item in one.instructions:
            if item.name == "RUN":
                text = item.argument.text.replace("\\\n", " ")
                installed = _INSTALLS.findall(text)
                if any("pcntl" in words or _names_it(words, given) for words in installed):
                    return True
                if not _is_official(parents[-1].base.value) and any(map(_PACKAGE.search, installed)):
                    return True
                elsewhere = elsewhere or _RUNS_A_SCRIPT.search(text) is not None
            if item.name == "COPY" and "/php/ext" in item.argument.text:
                return None
    return False if not elsewhere and parents and _is_official(parents[-1].base.value) else None


def _names_it(words: str, given: Mapping[str, str]) -> bool:
    return any("pcntl" in given.get(name, "") for name in _VARIABLE.findall(words))


def _is_official(name: str) -> bool:
    return re.match(r"^(?:docker\.io/)?(?:library/)?php(?::|@|$)", name) is not None
