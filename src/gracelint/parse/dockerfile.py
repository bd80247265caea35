"""Reads Dockerfiles as BuildKit does.

All of it comes from one pass over the lines of the file's own text. (dockerfile-parse knows no heredocs, ends a
continuation at a blank line, and brings `logging` along, which takes longer to import than a Dockerfile to judge.)
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, pairwise

from gracelint.base.limits import EXPANDED
from gracelint.base.patterns import pattern
from gracelint.base.record import replace
from gracelint.facts.dockerfile import WINDOWS, Heredoc, Instruction, Stage
from gracelint.parse.array import read_array, read_broken_array
from gracelint.parse.errors import FragmentError, ParseError
from gracelint.parse.passages import join
from gracelint.source import Passage, Segment, Source, Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from re import Match

    Bases = Callable[[str], Stage | None]

_NAMES = frozenset(
    (
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    )
)
_EXEC_FORMS = frozenset(("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"))
_EXPANDED = frozenset(("ADD", "COPY", "ENV", "EXPOSE", "FROM", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"))
_OTHER_FORMATS = (
    *(".dockerignore", ".md", ".rst", ".html", ".bak", ".orig", ".rej", ".swp", "~"),
    *(".erb", ".gotmpl", ".hbs", ".in", ".j2", ".jinja", ".jinja2", ".m4", ".mustache", ".template", ".tmpl", ".tpl"),
)
_PROGRAMS = (
    *(".bash", ".cfg", ".conf", ".go", ".ini", ".js", ".json", ".lock", ".mjs", ".php", ".py", ".rb", ".rs", ".sh"),
    *(".toml", ".ts", ".txt", ".vim", ".yaml", ".yml"),
)
_PICTURES = (
    *(".gif", ".ico", ".jpeg", ".jpg", ".png", ".svg", ".webp", ".mp4", ".webm", ".drawio", ".excalidraw"),
    *(".docx", ".odt", ".pdf", ".pptx", ".gz", ".tar", ".tgz", ".xz", ".zip"),
)
"""Pictures of Dockerfiles, slides about them and packed ones."""
_CALLED = ("dockerfile", "containerfile")
_BEGINNINGS = tuple(name + joint for name in _CALLED for joint in "._-")
_ENDINGS = tuple(joint + name for name in _CALLED for joint in "._-")
_TAKES_HEREDOCS = pattern(r"(?i)\s*(?:ONBUILD\s+)*(?:RUN|COPY|ADD)\s")
_WORD = pattern(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+""")
_HEREDOC = pattern(r"[0-9]*<<(?:(-)|(?!-))([^<]+)")
_OPENER = pattern(r"[0-9]*<<")
_TOKEN = (
    r"""(?P<escaped>{escape}.)|(?P<double>")|(?P<single>'[^']*')|(?P<variable>\$(?:(?P<name>[A-Za-z_]\w*)"""
    r"""|\{{(?P<braced>[A-Za-z_]\w*)(?:(?P<operator>:?[-+?])(?P<word>(?:[^{{}}]|\{{[^{{}}]*\}})*))?\}}))"""
    r"""|(?P<plain>[^$"'{escape}]+|.)"""
)
_WINDOWS = ("windows", *WINDOWS)


def is_dockerfile_name(path: str) -> bool:
    """Whether a file is a Dockerfile by its name: Dockerfile.prod, dockerfile_dev, api-Dockerfile, Containerfile …"""
    name = path.rpartition("/")[2].lower()
    if name.endswith((*_OTHER_FORMATS, *_PROGRAMS, *_PICTURES)):
        return False
    if name in _CALLED:
        return True
    return (name.startswith(_BEGINNINGS) or name.endswith(_ENDINGS)) and name not in (*_BEGINNINGS, *_ENDINGS)


def is_likely_text(text: str) -> bool:
    """Whether a text starts as Dockerfiles do."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return first.split(" ", 1)[0].upper() in ("FROM", "ARG")


def is_usual_name(path: str) -> bool:
    """Whether a file's name is a Dockerfile's and hardly anything else's."""
    name = path.rpartition("/")[2]
    return name in ("dockerfile", "containerfile") or name.startswith(("Dockerfile", "Containerfile"))


def read_dockerfile(
    source: Source,
    arguments: Mapping[str, str] | None = None,
    bases: Bases | None = None,
    part: Span | None = None,
) -> list[Stage]:
    """The stages of a Dockerfile. `arguments` are build arguments, which go before ARG defaults.

    `bases` finds the stage of another Dockerfile that an image after FROM is built from. `part` is the Dockerfile where
    the file holds more than that.

    Raises ParseError for text that no builder takes.
    """
    text = source.text if part is None else source.text[: part.end]
    start = part.start if part is not None else int(text.startswith("\ufeff"))
    escape, extended = _directives(source, text, start)
    instructions = list(_instructions(source, text, start, escape))
    known = [item for item in instructions if item.name in _NAMES]
    if len(known) < len(instructions) and not extended:
        raise _unknown_instruction(next(item for item in instructions if item.name not in _NAMES))
    if not any(item.name == "FROM" for item in known):
        raise _no_base(source, known)
    return _stages(source, known, escape, arguments or {}, bases)


def _no_base(source: Source, known: list[Instruction]) -> ParseError:
    """Nobody keeps a Dockerfile that cannot be built: one by another name (`Dockerfile.append`) is put to one.

    An empty one is kept for later.
    """
    if not source.text.strip():
        return FragmentError("an empty Dockerfile: there is nothing to build", source.span(0, 0))
    if known and source.path.rpartition("/")[2].lower() not in _CALLED:
        return FragmentError("no FROM: a part of a Dockerfile, and nothing in it is judged", source.span(0, 0))
    return ParseError("no FROM: a Dockerfile starts from an image", source.span(0, 0))


def _directives(source: Source, text: str, position: int) -> tuple[str, bool]:
    """The escape character, and whether a syntax directive names a frontend with instructions of its own."""
    escape, extended = "\\", False
    while position < len(text):
        line, following = _line(text, position)
        name, value = _directive(line)
        if name == "escape":
            if value not in ("\\", "`"):
                raise ParseError(
                    f"escape={value}: only \\ and ` can be the escape character", source.span(position, following)
                )
            escape = value
        elif name == "syntax":
            extended = not value.startswith(("docker/dockerfile", "docker.io/docker/dockerfile"))
        elif name != "check":
            break
        position = following
    return escape, extended


def _directive(line: str) -> tuple[str, str]:
    r"""The name and value of a line such as `# escape=\``; an empty name for any other line."""
    mark, equals, value = line.partition("=")
    name = mark.strip(" \t").removeprefix("#").lstrip(" \t")
    named = mark.lstrip(" \t").startswith("#") and name.isascii() and name.isalnum() and name[0].isalpha()
    return (name.lower(), value.strip(" \t\r")) if equals and named else ("", "")


def _unknown_instruction(instruction: Instruction) -> ParseError:
    from difflib import get_close_matches

    near = get_close_matches(instruction.name, sorted(_NAMES), 1)
    hint = f", did you mean {near[0]}?" if near else ""
    span = instruction.span
    end = min(span.start + len(instruction.name), span.end)
    return ParseError(f"unknown instruction {instruction.name[:40]}{hint}", Span(span.source, span.start, end))


Pieces = list[tuple[int, int]]
"""Where lines of an instruction begin and end, newlines and continuations left out."""


def _instructions(source: Source, text: str, start: int, escape: str) -> Iterator[Instruction]:
    """The instructions, each with the heredocs behind it. Comments and blank lines are part of none."""
    lines: Pieces = []
    while start < len(text):
        line, following = _line(text, start)
        bare = line.strip()
        if bare and bare[0] != "#":
            written = line.rstrip(" \t")
            continued = written.endswith(escape) and not written.endswith(escape * 2)
            lines.append((start, start + (len(written) - 1 if continued else len(line))))
            if not continued:
                joined = _joined(source, lines) if len(lines) > 1 else line
                heredocs: tuple[Heredoc, ...] = ()
                opened = _opened(joined) if "<<" in joined else []
                if opened:
                    heredocs, following = _bodies(source, text, following, opened)
                yield _instruction(source, lines, joined, heredocs)
                lines = []
        start = following
    if any(text[start:end].strip() for start, end in lines):
        yield _instruction(source, lines, _joined(source, lines), ())


def _joined(source: Source, pieces: Pieces) -> str:
    return "".join([source.text[start:end] for start, end in pieces])


def _line(text: str, start: int) -> tuple[str, int]:
    """The line at an offset without its newline, and where the next one begins."""
    newline = text.find("\n", start)
    following = len(text) if newline < 0 else newline + 1
    return text[start:following].rstrip("\r\n"), following


def _opened(text: str) -> list[Match[str]]:
    """The heredocs that an instruction opens: `-` or nothing, and the delimiter as written."""
    if not _TAKES_HEREDOCS.match(text):
        return []
    words = [word for word, _ in _words(text)]
    # BuildKit takes a space behind `<<`, and none behind `<<-`
    pairs = pairwise(["", *words])
    joined = [f"{before}{word}" if _OPENER.fullmatch(before) else word for before, word in pairs]
    return [match for word in joined if (match := _HEREDOC.fullmatch(word))]


def _bodies(source: Source, text: str, start: int, opened: list[Match[str]]) -> tuple[tuple[Heredoc, ...], int]:
    """The heredocs that follow one another from an offset, and where the last one's closing line ends."""
    found = []
    above = text.rfind("\n", 0, start - 1) + 1
    for opener in opened:
        dash, written = opener.groups()
        delimiter = substitute(written, {})
        pieces: Pieces = []
        while start < len(text):
            line, following = _line(text, start)
            tabs = len(line) - len(line.lstrip("\t")) if dash else 0
            if line[tabs:] == delimiter:
                break
            pieces.append((start + tabs, following))
            start = following
        else:
            raise ParseError(
                f"heredoc {delimiter[:40]} has no closing line",
                source.span(above, above + len(_line(text, above)[0])),
            )
        closing = source.span(start + tabs, start + tabs + len(delimiter))
        body = join(source, pieces or [(start, start)])
        found.append(Heredoc(delimiter, body, delimiter != written, closing))
        start = following
    return tuple(found), start


def _instruction(source: Source, pieces: Pieces, text: str, heredocs: tuple[Heredoc, ...]) -> Instruction:
    """The instruction whose pieces make a text."""
    end = len(text.rstrip())
    start = len(text) - len(text.lstrip())
    if start >= end:
        return Instruction("", _span(source, pieces), join(source, pieces))
    stop, position = _past_word(text, start)
    name = text[start:stop].upper()
    starts = [0, *accumulate([last - first for first, last in pieces])] if len(pieces) > 1 else [0]
    flags = []
    while text.startswith("--", position) and _past_word(text, position)[0] > position + 2:
        stop, following = _past_word(text, position)
        place = _within(pieces, starts, position, stop)
        passage = _passage(source, text, pieces, starts, position, stop)
        flags.append(Word(passage.text, _span(source, place), passage))
        position = following
    argument = _passage(source, text, pieces, starts, min(position, end), end)
    span = _span(source, _within(pieces, starts, start, end))
    if heredocs and heredocs[-1].closing:
        span = Span(source, span.start, heredocs[-1].closing.end)
    argv = read_array(argument) if name in _EXEC_FORMS else None
    broken = read_broken_array(argument) if argv is None and name in ("CMD", "ENTRYPOINT") else None
    return Instruction(name, span, argument, tuple(flags), argv, heredocs, broken)


def _past_word(text: str, start: int) -> tuple[int, int]:
    """Where the word at an offset ends, and where what follows it begins."""
    word, *rest = text[start:].split(None, 1) or ("",)
    return start + len(word), len(text) - len(rest[0]) if rest else len(text)


def _words(text: str) -> list[tuple[str, int]]:
    """The words of a text, each with its offset; there are spaces in them where they are quoted or escaped."""
    if any(mark in text for mark in ("'", '"', "\\")):
        return [(match[0], match.start()) for match in _WORD.finditer(text)]
    found: list[tuple[str, int]] = []
    position = 0
    for word in text.split():
        position = text.index(word, position)
        found.append((word, position))
        position += len(word)
    return found


def _passage(source: Source, text: str, pieces: Pieces, starts: list[int], start: int, end: int) -> Passage:
    """A stretch of the text that some pieces make."""
    if len(pieces) > 1:
        return join(source, _within(pieces, starts, start, end))
    length = end - start
    return Passage(source, text[start:end], (Segment(0, pieces[0][0] + start, length, length),))


def _within(pieces: Pieces, starts: list[int], start: int, end: int) -> Pieces:
    """The pieces of a stretch of the text that some make; where it is empty, one of nothing at its place."""
    if len(pieces) == 1:
        return [(pieces[0][0] + start, pieces[0][0] + end)]
    found: Pieces = []
    for index in range(max(bisect_left(starts, start) - 1, 0), len(pieces)):
        first, last = pieces[index]
        before = starts[index]
        if before > end:
            break
        length = last - first
        if start - before < length and end > before:
            found.append((first + max(start - before, 0), first + min(end - before, length)))
        elif start == end == before + length:
            found = [(last, last)]
    return found


def _span(source: Source, pieces: Pieces) -> Span:
    return Span(source, pieces[0][0], pieces[-1][1])


def _stages(
    source: Source,
    instructions: list[Instruction],
    escape: str,
    build: Mapping[str, str],
    bases: Bases | None,
) -> list[Stage]:
    """Splits instructions at each FROM and puts variables in, in the order in which the builder does."""
    starts = [index for index, item in enumerate(instructions) if item.name == "FROM"]
    defaults = dict(build)
    for item in instructions[: starts[0]]:
        if item.name != "ARG":
            raise ParseError(f"{item.name} before the first FROM: only ARG may stand there", item.span)
        defaults |= _declared(item, defaults, defaults, build, escape)
    stages: list[Stage] = []
    named: dict[str, Stage] = {}
    siblings: dict[str, Stage] = {}
    for index, (start, stop) in enumerate(zip(starts, [*starts[1:], len(instructions)], strict=True)):
        from_ = _expanded(instructions[start], defaults, escape)
        base, name = _from(from_, defaults, escape)
        parent = named.get(base.value.lower())
        inherited = parent.arguments if parent else None
        if parent is None and bases is not None:
            parent = bases(base.value)
            inherited = parent.env if parent else None
        variables = {**defaults, **(inherited or {})}
        env = dict((parent and parent.env) or {})
        body = []
        for item in instructions[start + 1 : stop]:
            if item.name == "ONBUILD":
                continue
            body.append(_expanded(item, variables, escape))
            if item.name in ("ARG", "ENV"):
                declared = _declared(item, variables, defaults, build, escape)
                if item.name == "ENV":
                    env |= declared
                variables |= {name: env.get(name, value) for name, value in declared.items()}
        stage = Stage(
            source=source,
            index=index,
            name=name,
            base=base,
            from_=from_,
            instructions=tuple(body),
            parent=parent,
            arguments=variables,
            escape=escape,
            final=index == len(starts) - 1,
            windows=parent.windows if parent else _for_windows(from_, base),
            env=env,
            siblings=siblings,
        )
        stages.append(stage)
        siblings[str(index)] = stage
        if name:
            siblings[name] = named[name] = stage
    return stages


def _from(instruction: Instruction, variables: Mapping[str, str], escape: str) -> tuple[Word, str | None]:
    """The image of a FROM with its variables put in, and the stage's name."""
    words = _words(instruction.argument.text)
    if len(words) not in (1, 3) or (len(words) == 3 and words[1][0].upper() != "AS"):
        raise ParseError("FROM takes an image, and may name the stage: FROM image AS name", instruction.span)
    image = substitute(words[0][0], variables, escape)
    name = words[2][0].lower() if len(words) == 3 else None
    first, start = words[0]
    return Word(image, instruction.argument.span(start, start + len(first))), name


def _for_windows(from_: Instruction, base: Word) -> bool:
    return (from_.flag("platform") or "").lower().startswith("windows") or any(
        name in base.value.lower() for name in _WINDOWS
    )


def _expanded(instruction: Instruction, variables: Mapping[str, str], escape: str) -> Instruction:
    text = instruction.argument.text
    if instruction.name not in _EXPANDED or instruction.argv is not None:
        return instruction
    value = substitute(text, variables, escape)
    return instruction if value == text else replace(instruction, expanded=value)


def _declared(
    instruction: Instruction,
    variables: Mapping[str, str],
    defaults: Mapping[str, str],
    build: Mapping[str, str],
    escape: str,
) -> dict[str, str]:
    """The variables that an ARG or ENV sets, as far as their values are known."""
    text = instruction.argument.text
    words = [word for word, _ in _words(text)]
    if instruction.name == "ENV" and words and "=" not in words[0]:
        words = [f"{words[0]}={text[len(words[0]) :].strip()}"]
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if instruction.name == "ARG" and name in build:
            found[name] = build[name]
        elif equals:
            found[name] = substitute(value, variables, escape)
        elif name in defaults:
            found[name] = defaults[name]
    return found


def substitute(text: str, variables: Mapping[str, str], escape: str = "\\") -> str:
    """What Docker makes of a text: quotes and escapes removed, `$X`, `${X}`, `${X:-default}` and `${X:+other}` put in.

    A variable stays as it is written where its value is not known, or makes the text too long.
    """
    if "$" not in text and "'" not in text and '"' not in text and escape not in text:
        return text
    import re

    double = False
    length = 0
    found: list[str] = []
    for token in re.finditer(_TOKEN.format(escape=re.escape(escape)), text, re.S):
        kind, part = token.lastgroup, token[0]
        if kind == "double":
            double = not double
        elif kind == "single":
            found.append(part if double else part[1:-1])
        elif kind == "escaped":
            found.append(part if double and part[1] not in f'"${escape}' else part[1:])
        elif kind == "variable":
            value = _variable(token, variables, escape)
            length += len(value)
            found.append(value if length <= EXPANDED else token[0])
        else:
            found.append(part)
    return "".join(found)


def _variable(token: Match[str], variables: Mapping[str, str], escape: str) -> str:
    name = token["name"] or token["braced"]
    value = variables.get(name)
    operator, word = token["operator"] or "", token["word"] or ""
    if operator.endswith("+"):
        return substitute(word, variables, escape) if value else ""
    if value is not None and (value or not operator.startswith(":")):
        return value
    return substitute(word, variables, escape) if operator.endswith("-") else token[0]
