"""Commands that end by themselves."""

from __future__ import annotations

from gracelint.base.memory import cache, lru_cache
from gracelint.knowledge import table
from gracelint.launch.words import base_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gracelint.source import Word


def one_shot(argv: tuple[Word, ...]) -> bool | None:
    """True for a command that ends by itself (`echo`, a migration, `--help`); None where that cannot be told."""
    return ends(tuple([word.value for word in argv]))


@lru_cache(maxsize=256)
def ends(words: tuple[str, ...]) -> bool | None:
    """As `one_shot`, of the words' values."""
    name = base_name(words[0])
    if name in _commands() or _switched(words) or (len(words) == 1 and name in table("one_shots")["bare"]):
        return True
    at = 0
    while at + 1 < len(words) and (name in ("bundle", "npx", "exec") or name.startswith("python") or name == "php"):
        at += 1 + (words[at + 1] in ("exec", "-m", "-u"))
        name = base_name(words[at]) if at < len(words) else ""
    operands = table("one_shots")["operands"].get(name) or table("one_shots")["verbs"]
    first = _first_operand(words[at + 1 :], table("one_shots")["values"].get(name, ()))
    return True if first in operands or (operands == ["*"] and first) or name in _commands() else None


def _first_operand(words: tuple[str, ...], values: Sequence[str]) -> str:
    """The first word, behind those of `values` and of `--name=value` where the command has options in front."""
    index = 0
    while values and index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] in values else 1
    return words[index] if index < len(words) else ""


def says_it_ends(script: str) -> bool:
    """Whether the name of a package.json's script, or of a program nobody knows, says that it ends: `build:css`."""
    first, _, rest = script.partition(":")
    return first in table("one_shots")["scripts"] and "watch" not in rest


def sets_up_by_operand(argv: tuple[Word, ...]) -> bool:
    """Whether it is the operand that makes it a command that ends: `manage.py migrate`, `npm ci`."""
    words = tuple([word.value for word in argv])
    return base_name(words[0]) not in _commands() and not _switched(words) and bool(ends(words))


def only_tells(argv: tuple[Word, ...]) -> bool:
    """`--version`, `--help`: whatever the command is, it ends."""
    return _switched(tuple([word.value for word in argv]))


def _switched(words: tuple[str, ...]) -> bool:
    return len(words) > 1 and words[1] in table("one_shots")["switches"]


@cache
def _commands() -> frozenset[str]:
    return frozenset(table("one_shots")["commands"])
