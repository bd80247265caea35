"""What a thread gathers in its loop and has not written yet: it writes at times, and once more when the loop ends."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.machine.midst import BOUNDS, CHOICES, LISTS, LOOPS, file_of, gives_back, node_of
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Wait

_WAITS = frozenset(("receive", "select", "queue", "context"))
_LEAVES = ("return", "break")
_CALL = pattern(r"^[\w.:@$!?&>= -]{1,80}[(\"']")
_CONTEXTS = pattern(r"\b(?:ctx|true|false|context\.\w{1,20}\(\))(?:, ?)?|\.await\b|[;?]")
"""Arguments that the last of such calls has others of, and what stands around a call."""


def has_remainder(machine: Machine, wait: Wait) -> bool:
    """Whether a loop that stands in a wait does in some rounds what it does when it is left."""
    if wait.kind not in _WAITS:
        return False
    file = file_of(machine, wait)
    here = node_of(file.root, wait) if file is not None else None
    while here is not None and not _is_one(here, BOUNDS):
        if _is_one(here, LOOPS) and _ends_as_it_goes(here):
            return True
        here = here.parent
    return False


def _ends_as_it_goes(loop: Node) -> bool:
    branches = [one for one in walk(loop) if _is_branch(one, loop)]
    leaving = [one for one in branches if _leaves(one)]
    at_times = {one for branch in branches if branch not in leaving for one in _calls(_statements(branch))}
    at_last = {one for branch in leaving for one in _calls(_statements(branch))}
    return not at_times.isdisjoint(at_last | {*_calls(_after(loop))})


def _is_one(node: Node, words: tuple[str, ...]) -> bool:
    return any(one in words for one in node.type.split("_"))


def _is_branch(node: Node, loop: Node) -> bool:
    """Whether a list of statements is one of several ways that a round can take."""
    if node.type.endswith("_modifier"):
        return True
    above = node.parent
    return node.type in LISTS and node.id != loop.id and above is not None and _is_one(above, CHOICES)


def _leaves(branch: Node) -> bool:
    last = _statements(branch)[-1:]
    return any(one.type.startswith(_LEAVES) for one in last) or text_of(branch).startswith(_LEAVES)


def _statements(branch: Node) -> list[Node]:
    if branch.type.endswith("_modifier"):
        return branch.named_children[:1]
    lines = branch.named_children
    return lines[0].named_children if len(lines) == 1 and lines[0].type == "statement_list" else lines


def _after(loop: Node) -> list[Node]:
    here = loop.parent if loop.parent is not None and loop.parent.type == "expression_statement" else loop
    above = here.parent
    if above is None or above.type not in LISTS:
        return []
    return [one for one in above.named_children if one.start_byte >= here.end_byte]


def _calls(statements: list[Node]) -> list[str]:
    texts = (_CONTEXTS.sub("", text_of(one)).strip() for one in statements)
    return [one for one in texts if _CALL.match(one) and not gives_back(one)]
