"""Reading command lines: options, operands and base names."""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.source import Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


class Arguments(Record):
    """A command line behind its name: options with their values, and where the operands begin."""

    options: tuple[tuple[str, Word | None], ...]
    rest: int
    """The index in the whole argv of the first operand."""

    def has(self, names: Collection[str]) -> bool:
        return any(name in names for name, _ in self.options)

    def value(self, names: Collection[str]) -> Word | None:
        """The value of the last of these options that has one."""
        return next((value for name, value in reversed(self.options) if name in names and value is not None), None)


def split(text: str, span: Span | None) -> tuple[Word, ...] | None:
    """The words of a command line without a shell's own signs; None where its quotes do not match."""
    import shlex

    try:
        return tuple(Word(part, span) for part in shlex.split(text))
    except ValueError:
        return None


def base_name(word: str) -> str:
    """`/usr/bin/python3` → `python3`."""
    return word.rpartition("/")[2]


def read_options(argv: tuple[Word, ...], start: int, with_value: Collection[str]) -> Arguments:
    """Reads options from `argv[start]` up to `--` or the first word that is none.

    `with_value` names the options whose value is the next word; `--name=value` and `-nvalue` are understood too.
    """
    options: list[tuple[str, Word | None]] = []
    index = start
    while index < len(argv):
        text = argv[index].value
        if text == "--":
            return Arguments(tuple(options), index + 1)
        if not text.startswith("-") or text == "-":
            break
        name, equals, value = text.partition("=")
        if text in with_value:
            options.append((text, argv[index + 1] if index + 1 < len(argv) else None))
            index += 2
            continue
        if equals and name.startswith("--"):
            options.append((name, Word(value, argv[index].span)))
        elif not text.startswith("--") and len(text) > 2:
            options.extend(_cluster(argv[index], with_value))
        else:
            options.append((text, None))
        index += 1
    return Arguments(tuple(options), index)


def _cluster(word: Word, with_value: Collection[str]) -> list[tuple[str, Word | None]]:
    """`-gvv` is three options, `-n10` is one with its value; `-abc` where `-abc` itself is known stays whole."""
    text = word.value
    if text[:2] in with_value:
        return [(text[:2], Word(text[2:], word.span))]
    return [(text, None), *((f"-{letter}", None) for letter in text[1:])]
