"""What a loop gathers until there is enough of it to be written, and nothing looks at besides."""

from __future__ import annotations

import re

from gracelint.base.memory import lru_cache
from gracelint.base.patterns import pattern
from gracelint.behaviour.machine.midst import node_at
from gracelint.behaviour.machine.ways import reaction
from gracelint.behaviour.tree import text_of, walk
from gracelint.facts.program import Cause
from gracelint.facts.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.tree import TreeFile
    from gracelint.facts.program import Reaction
    from gracelint.source import Span

_ENOUGH = pattern(
    r"\b(?:count|sizeof)\((\$\w{1,40}(?:->\w{1,40})?)\)\s*>=?|(?<![\w.@])(@?\w{1,40})\.(?:size|length|count)\s*>=?"
)
_BRANCHES = ("if", "if_statement", "if_modifier")


def unwritten(signal: str, machine: Machine) -> Reaction | None:
    """The reaction of a program that ends with less than a batch."""
    for file in machine.files():
        found = _left_over(file)
        if found is not None:
            name, span = found
            why = f"on {signal} nothing writes what is in `{name}` of {machine.place(span)}"
            why = f"whether anything is lost is not known: {why}"
            return reaction(signal, Verdict.UNKNOWN, Cause.UNKNOWN, why, span)
    return None


@lru_cache(maxsize=64)
def _left_over(file: TreeFile) -> tuple[str, Span] | None:
    text = file.source.text
    for test in _ENOUGH.finditer(text):
        name = test[1] or test[2]
        span = file.source.span(test.start(), test.end())
        branch = node_at(file.root, span)
        while branch is not None and branch.type not in _BRANCHES:
            branch = branch.parent
        if branch is None:
            continue
        inside = text_of(branch)
        word = rf"(?<![\w$@>.]){re.escape(name)}(?!\w)"
        is_written = re.search(rf"\w[( ]\s?{word}\s?[),;\n]", inside) is not None
        is_added = re.search(rf"{word}(?:\[\]\s?=|\s?<<|\.(?:push|append)\b)", text) is not None
        if is_written and is_added and not _is_looked_at(_besides(file, branch, text, word), word):
            return name, span
    return None


def _besides(file: TreeFile, branch: Node, text: str, word: str) -> str:
    """The text without the branch, and without functions that get something of their own by that name."""
    for node in walk(file.root):
        given = node.child_by_field_name("parameters") if node.type in _FUNCTIONS else None
        holds = node.start_byte <= branch.start_byte and branch.end_byte <= node.end_byte
        if given is not None and not holds and re.search(word, text_of(given)) is not None:
            text = text.replace(text_of(node), "")
    return text.replace(text_of(branch), "")


_FUNCTIONS = ("function_definition", "method_declaration", "method", "singleton_method")


def _is_looked_at(text: str, word: str) -> bool:
    """Whether something is done with a list but to make it and to add to it."""
    lines = (line for line in text.splitlines() if re.search(word, line))
    made = re.compile(rf"{word}(?:\s?=\s?(?:\[\]|array\(\)|Array\.new)|\[\]\s?=|\s?<<|\.(?:push|append)\b)|\bglobal\b")
    return any(made.search(line) is None for line in lines)
