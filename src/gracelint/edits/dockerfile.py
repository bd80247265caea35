"""Edits of Dockerfiles: whole instructions and their arguments, in the newline style of the file."""

from __future__ import annotations

from gracelint.finding import Edit
from gracelint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gracelint.facts.dockerfile import Instruction, Stage
    from gracelint.facts.launch import Image
    from gracelint.source import Source, Word

    Edits = tuple[Edit, ...]

_INSTALL = {
    "apt": "RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*",
    "apk": "RUN apk add --no-cache tini",
}
_INSTALL_ON = {"fedora": "RUN dnf install -y tini && dnf clean all"}
"""By family: Fedora has tini in its own repositories, Red Hat and Amazon Linux have not."""
_ROOT = (None, "root", "0", "root:root", "0:0")


def json_array(words: Iterable[str]) -> str:
    """The exec form of a command line."""
    return "[" + ", ".join(map(_json_string, words)) + "]"


def _json_string(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    from json import dumps

    return dumps(text, ensure_ascii=False)


def to_exec_form(instruction: Instruction, words: Iterable[str]) -> Edits | None:
    """Replaces an argument by a JSON array; None where comments between its lines would be lost."""
    return _set_argument(instruction, json_array(words))


def to_shell_form(instruction: Instruction, items: Iterable[tuple[str, bool]]) -> Edits | None:
    """Replaces an argument by shell text that execs words; what was not quoted stays as it is, to be expanded.

    None where comments between its lines would be lost.
    """
    from shlex import quote

    return _set_argument(instruction, " ".join(["exec", *(quote(text) if quoted else text for text, quoted in items)]))


def insert_before(span: Span, text: str) -> Edits:
    return (Edit(Span(span.source, span.start, span.start), text),)


def drop_instruction(instruction: Instruction) -> Edits:
    """Takes out an instruction with all its lines."""
    text = instruction.span.source.text
    start = _line_start(text, instruction.span.start)
    newline = text.find("\n", instruction.span.end)
    return (Edit(Span(instruction.span.source, start, len(text) if newline < 0 else newline + 1), ""),)


def drop_stop_signal(stage: Stage) -> Edits | None:
    """Takes out the STOPSIGNAL that is in force; None where no stage of the file sets one."""
    own = next((item for one in stage.lineage() if (item := one.own("STOPSIGNAL"))), None)
    return drop_instruction(own) if own else None


def set_stop_signal(stage: Stage, signal: str) -> Edits | None:
    """Sets STOPSIGNAL: in the line that does so already, else in a line of its own before the command."""
    own = stage.own("STOPSIGNAL")
    if own is not None:
        return _set_argument(own, signal)
    return _insert_lines(stage.source, _before_command(stage), [f"STOPSIGNAL {signal}"])


def install_init(stage: Stage, image: Image) -> Edits | None:
    """Installs tini the way the image can and starts the program through it.

    None where that cannot be told, or where the lines would not run as root.
    """
    wrapped = _behind_tini(stage, image)
    if wrapped is None:
        return None
    if image.has("tini") and "tini" in image.packages:
        return wrapped
    line = _INSTALL_ON.get(image.family or "") or _INSTALL.get(image.os or "")
    user = stage.own("USER")
    inherited = next((one.own("USER") for one in [*stage.lineage()][1:] if one.own("USER")), None)
    if line is None or (user is None and image.user not in _ROOT) or (inherited and inherited.value not in _ROOT):
        return None
    first_user = next((item for item in stage.instructions if item.name == "USER"), None)
    at = _above_comments(stage.source, first_user.span.start) if first_user else _before_command(stage)
    if wrapped[0].span.start == wrapped[0].span.end == at:
        return _insert_lines(stage.source, at, [line, wrapped[0].text.strip()])
    return (*_insert_lines(stage.source, at, [line]), *wrapped)


def _behind_tini(stage: Stage, image: Image) -> Edits | None:
    """Puts tini in front of what the image starts."""
    own = stage.own("ENTRYPOINT")
    if own is not None:
        return insert_before(_span(own.argv[0]), '"tini", "--", ') if own.argv else None
    if image.entrypoint is None or stage.own("CMD") is None:
        return None
    line = f"ENTRYPOINT {json_array(['tini', '--', *(word.value for word in image.entrypoint)])}"
    return _insert_lines(stage.source, _before_command(stage), [line])


def _span(word: Word) -> Span:
    assert word.span is not None  # a word of an array that was read from a file
    return word.span


def _set_argument(instruction: Instruction, text: str) -> Edits | None:
    argument = instruction.argument
    span = argument.span(0, len(argument.text))
    if any(line.lstrip().startswith("#") for line in span.text.splitlines()[1:]):
        return None
    return (Edit(span, text),)


def _before_command(stage: Stage) -> int:
    """Where a line goes that should stand before ENTRYPOINT and CMD; at the stage's end where it has neither."""
    commands = [item for item in (stage.own("ENTRYPOINT"), stage.own("CMD")) if item is not None]
    if commands:
        return _above_comments(stage.source, min(item.span.start for item in commands))
    last = stage.instructions[-1] if stage.instructions else stage.from_
    newline = stage.source.text.find("\n", last.span.end)
    return len(stage.source.text) if newline < 0 else newline + 1


def _above_comments(source: Source, at: int) -> int:
    """The beginning of a line, or of the comments that stand right above it and speak of it."""
    start = _line_start(source.text, at)
    while start:
        above = _line_start(source.text, start - 1)
        if not source.text[above:start].lstrip().startswith("#"):
            break
        start = above
    return start


def _line_start(text: str, at: int) -> int:
    start = text.rfind("\n", 0, at) + 1
    return 1 if start == 0 and text.startswith("\ufeff") else start


def _insert_lines(source: Source, at: int, lines: list[str]) -> Edits:
    text = source.text
    newline = "\r\n" if "\r\n" in text else "\n"
    block = "".join(line + newline for line in lines)
    if at == len(text) and not text.endswith("\n"):
        block = newline + block.removesuffix(newline)
    return (Edit(Span(source, at, at), block),)
