"""What a thread gathers in its loop and has not written yet: it writes at times, and once more when the loop ends."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.machine.midst import BOUNDS, CHOICES, LISTS, LOOPS, called, file_of, gives_back, node_of
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from gracelint.behaviour.machine.machine import Machine
    from gracelint.behaviour.machine.values import Wait
    from gracelint.behaviour.tree import TreeFile

_WAITS = frozenset(("receive", "select", "queue", "context", "sleep"))
_LEAVES = ("return", "break")
WRITES = pattern(r"(?i)^(?:save|flush|persist|checkpoint|snapshot|commit|writeback)")
"""The names of functions that write out what was gathered."""
_CALL = pattern(r"^[\w.:@$!?&>= -]{1,80}[(\"']")
_CONTEXTS = pattern(r"\b(?:ctx|true|false|context\.\w{1,20}\(\))(?:, ?)?|\.await\b|[;?]")
"""Arguments that the last of such calls has others of, and what stands around a call."""
_CALLEE = pattern(r"(\w{1,80})[!?]?[(\"' ]")
_DEFINES = frozenset(("def", "fn", "func", "function"))
_SAYS = ("echo", "print", "println", "printf", "puts", "Println", "Printf", "Print", "info", "Info", "log")


def has_remainder(machine: Machine, wait: Wait) -> bool:
    """Whether a loop that stands in a wait does in some rounds what it does when it is left, and nothing else does."""
    if wait.kind not in _WAITS:
        return False
    file = file_of(machine, wait)
    here = node_of(file.root, wait) if file is not None else None
    loops: list[tuple[TreeFile, Node]] = []
    while here is not None and ("call" in here.type.split("_") or not _is_one(here, BOUNDS)):
        loops += [(file, here)] if _is_one(here, LOOPS) else []
        here = here.parent
    loops += _loops_over(machine, here) if here is not None else []
    return any(_is_broken_off(machine, *one) for one in loops)


def overdue(machine: Machine, wait: Wait) -> str | None:
    """What a thread would have written out after its pause, by a function that is called nowhere else."""
    file = file_of(machine, wait) if wait.kind in _IN_TIME else None
    here = node_of(file.root, wait) if file is not None else None
    if file is None or here is None:
        return None
    loop = here
    while wait.kind == "sleep" and loop.parent is not None and not _goes_round(loop):
        loop = loop.parent
    if loop.parent is None:
        return None
    names = (one[1] for one in _WRITTEN.finditer(text_of(loop)))
    return next((one for one in names if _is_only_called(machine, file, loop, one)), None)


_IN_TIME = ("sleep", "pause")
_WRITTEN = pattern(r"(?i)(?<![\w$@])((?:save|flush|persist|checkpoint|snapshot|writeback)\w{0,40})(?![\w=:])")


def _goes_round(node: Node) -> bool:
    return _is_one(node, LOOPS) or (node.type in BOUNDS and text_of(called(node)).startswith("loop"))


def _is_only_called(machine: Machine, file: TreeFile, loop: Node, name: str) -> bool:
    """Whether the program has a function of a name that a loop alone calls."""
    is_own = False
    start, end = loop.start_byte, loop.end_byte
    for one in machine.files():
        data = one.root.text or b""
        parts = (data[:start], data[end:]) if one is file else (data,)
        lines = [line for part in parts for line in part.decode("utf-8", "replace").splitlines() if name in line]
        is_own = is_own or any(_declares(line, name) for line in lines)
        if any(_does(line, name) and not _declares(line, name) for line in lines):
            return False
    return is_own


def _declares(line: str, name: str) -> bool:
    before, _, after = line.partition(name)
    return not _DEFINES.isdisjoint(before.split()) or (after.startswith("(") and _TYPED.search(line) is not None)


_TYPED = pattern(r"^\s*(?:(?:[a-z]{1,12}) ){0,4}[\w<>]{1,40} \w{1,40}\([^;()]{0,80}\)[^;]{0,60}\{")


def _loops_over(machine: Machine, generator: Node) -> list[tuple[TreeFile, Node]]:
    """The loops that go through what a generator yields."""
    name = text_of(generator.child_by_field_name("name"))
    if not name or "yield" not in text_of(generator):
        return []
    nodes = ((file, node) for file in machine.files() for node in walk(file.root) if _is_one(node, LOOPS))
    return [(file, node) for file, node in nodes if f"{name}(" in text_of(node).partition("\n")[0]]


def _is_broken_off(machine: Machine, file: TreeFile, loop: Node) -> bool:
    calls = _ends_as_it_goes(loop)
    return bool(calls) and not any(_stands_elsewhere(machine, file, loop, one) for one in calls)


def _ends_as_it_goes(loop: Node) -> set[str]:
    branches = [one for one in walk(loop) if _is_branch(one, loop)]
    leaving = [one for one in branches if _leaves(one)]
    at_times = {one for branch in branches if branch not in leaving for one in _calls(_statements(branch))}
    at_last = {one for branch in leaving for one in _calls(_statements(branch))}
    return at_times & (at_last | {*_calls(_after(loop))})


def _stands_elsewhere(machine: Machine, file: TreeFile, loop: Node, call: str) -> bool:
    """Whether a call stands in another place, as in a handler, which may do what the loop does not get to."""
    found = _CALLEE.search(call)
    if found is None:
        return True
    name = call if found[1] in _SAYS else found[1]
    after = _after(loop)
    start, end = loop.start_byte, (after or [loop])[-1].end_byte
    for one in machine.files():
        data = one.root.text or b""
        parts = (data[:start], data[end:]) if one is file else (data,)
        lines = (line for part in parts for line in part.decode("utf-8", "replace").splitlines() if name in line)
        if any(_does(line, name) for line in lines):
            return True
    return False


def _does(line: str, name: str) -> bool:
    """Whether a line calls what it names: it does not say what that is."""
    before, _, after = line.partition(name)
    is_whole = not (before[-1:].isalnum() or before[-1:] == "_" or after[:1].isalnum() or after[:1] == "_")
    return is_whole and _DEFINES.isdisjoint(before.split()) and not after.lstrip().startswith((":=", "= func"))


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
