"""Trees of tokens, which are what a macro gets."""

from __future__ import annotations

from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node as Tree


def text_of_at(trees: list[Tree], index: int) -> str:
    return text_of(trees[index]) if index < len(trees) else ""


def bytes_of(trees: list[Tree]) -> bytes:
    """The text from the first to the last of some tokens."""
    parent = trees[0].parent
    assert parent is not None
    return (parent.text or b"")[trees[0].start_byte - parent.start_byte : trees[-1].end_byte - parent.start_byte]


def parts_of(tokens: Tree, mark: str) -> Iterable[list[Tree]]:
    here: list[Tree] = []
    for one in tokens.children[1:-1]:
        if text_of(one) == mark:
            if here:
                yield here
            here = []
        elif "comment" not in one.type:
            here.append(one)
    if here:
        yield here
