"""Scripts for execlineb: one chain of commands, each of which execs the next."""

from __future__ import annotations

import posixpath

from gracelint.base.patterns import pattern
from gracelint.base.record import replace
from gracelint.facts.launch import Effect, Hop, HopKind
from gracelint.knowledge import table
from gracelint.launch.step import Step
from gracelint.launch.words import base_name
from gracelint.source import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.launch.step import Context
    from gracelint.source import Passage

_TOKEN = pattern(r"""\#[^\n]*|"(?:[^"\\]|\\.)*"|[^\s"#]\S*""")


def step(argv: tuple[Word, ...], passage: Passage, context: Context) -> Step:
    """The program at the end of the chain: what stands before it prepares, and leaves no process."""
    words = _words(passage, argv)
    name = base_name(argv[0].value)
    why = f"execlineb execs each command of {name} into the next"
    effect = Effect.REPLACES
    command, working_dir = _program(words, context.working_dir)
    if not command:
        effect, why = Effect.UNKNOWN, f"what {name} runs cannot be read"
    shown = tuple(word.value for word in argv)
    hop = Hop(shown, HopKind.SCRIPT, name, effect, why, argv[0].span or context.span, context.pid_1, context.signal)
    return Step(hop, command or None, replace(context, working_dir=working_dir))


def _words(passage: Passage, argv: tuple[Word, ...]) -> list[Word]:
    found: list[Word] = []
    for token in _TOKEN.finditer(passage.text):
        text = token[0]
        if text.startswith("#"):
            continue
        if text == "$@":
            found += argv[1:]
            continue
        value = text[1:-1] if text.startswith('"') else text
        found.append(Word(value, passage.span(token.start(), token.end())))
    return found


def _program(words: list[Word], working_dir: str) -> tuple[tuple[Word, ...], str]:
    """The words behind execline's own commands, with their operands, options and blocks; and where they are run."""
    rows = table("shell_commands")["execline"]["operands"]
    index = 0
    while index < len(words) and base_name(words[index].value) in rows:
        name = base_name(words[index].value)
        operands = rows[name]
        index += 1
        while index < len(words) and words[index].value.startswith("-") and words[index].value != "-":
            index += 1
        if name == "cd" and index < len(words):
            working_dir = posixpath.normpath(posixpath.join(working_dir, words[index].value))
        index += operands
        while index < len(words) and words[index].value.startswith("{"):
            index = _behind_block(words, index)
    return tuple(words[index:]), working_dir


def _behind_block(words: list[Word], index: int) -> int:
    depth = 0
    while index < len(words):
        text = words[index].value
        depth += text == "{"
        depth -= text == "}"
        index += 1
        if depth <= 0:
            break
    return index
