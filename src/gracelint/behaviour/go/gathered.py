"""What a Go program gathers until there is enough of it, and does not write once more when it is to end."""

from __future__ import annotations

from gracelint.base.memory import fleeting
from gracelint.behaviour.go.syntax import FUNCTIONS, statements
from gracelint.behaviour.tree import text_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.behaviour.go.syntax import File
    from gracelint.source import Span

_REACHES = (">=", ">", "==")


def unwritten(machine: GoMachine) -> tuple[str, Span] | None:
    """What is gathered, and where it is asked whether that is enough, where nothing looks at it on the way out."""
    files = [*machine.files()]
    for file in files:
        for kept, test in _enough(file):
            around = _function(test)
            if around is None or around.id not in machine.entered or _at_the_end(around, test, kept):
                continue
            field = text_of(kept.child_by_field_name("field")) if kept.type == "selector_expression" else ""
            if not field or not _is_looked_at(machine, files, field, around):
                return text_of(kept), file.span(test)
    return None


def unflushed(machine: GoMachine) -> Span | None:
    """A buffer in front of a file that nothing ever flushes."""
    files = [file for file in machine.files() if "bufio" in file.imports.values()]
    if not files or any("Flush" in file.source.text for file in machine.files()):
        return None
    calls = ((file, node) for file in files for node in walk(file.root) if node.type == "call_expression")
    return next(
        (file.span(node) for file, node in calls if text_of(node).startswith(_BUFFERS) and _is_kept(node)), None
    )


_BUFFERS = ("bufio.NewWriter(", "bufio.NewWriterSize(")


def _is_kept(call: Node) -> bool:
    """Whether a variable is what a call gives."""
    above = call.parent
    while above is not None and above.type in ("expression_list", "keyed_element", "literal_element"):
        above = above.parent
    return above is not None and above.type in ("short_var_declaration", "var_spec", "assignment_statement")


@fleeting(8)
def _enough(file: File) -> list[tuple[Node, Node]]:
    """The lists that something is done with once they are long enough, and the test of that."""
    return [*_found(file)]


def _found(file: File) -> Iterator[tuple[Node, Node]]:
    text = file.source.text
    for test in walk(file.root) if "append(" in text and "len(" in text else ():
        condition = test.child_by_field_name("condition") if test.type == "if_statement" else None
        kept = next((one for part in walk(condition) if (one := _measured(part))), None) if condition else None
        around = _function(test) if kept is not None else None
        if kept is None or around is None or not _calls(test.child_by_field_name("consequence")):
            continue
        added = f"{text_of(kept)} = append({text_of(kept)},"
        if any(text_of(one).startswith(added) for one in walk(around) if one.type == "assignment_statement"):
            yield kept, test


def _measured(test: Node) -> Node | None:
    """`rows` of `len(rows) >= 100`."""
    left, right = test.child_by_field_name("left"), test.child_by_field_name("right")
    if (
        test.type != "binary_expression"
        or left is None
        or left.type != "call_expression"
        or text_of(right) in ("0", "1")
    ):
        return None
    given = left.child_by_field_name("arguments")
    is_length = text_of(left.child_by_field_name("function")) == "len" and given is not None
    reaches = text_of(test.child_by_field_name("operator")) in _REACHES
    return given.named_children[0] if is_length and reaches and given is not None and given.named_children else None


def _calls(branch: Node | None) -> bool:
    calls = (one for one in walk(branch) if one.type == "call_expression") if branch is not None else ()
    return any(text_of(one.child_by_field_name("function")) not in ("append", "len", "make") for one in calls)


def _function(node: Node) -> Node | None:
    here = node.parent
    while here is not None and here.type not in FUNCTIONS:
        here = here.parent
    return here


def _at_the_end(around: Node, test: Node, kept: Node) -> bool:
    """Whether every way out of the loops around a test comes by what was gathered."""
    names = {text_of(kept), *_closures(around, text_of(kept))}
    late = [one for one in walk(around) if one.type == "defer_statement"]
    here, loops = test.parent, []
    while here is not None and here.id != around.id:
        if here.type == "for_statement":
            loops.append(here)
        here = here.parent
    late += [one for loop in loops for one in _after(loop)]
    if any(_mentions(one, names) for one in late):
        return True
    cases = [one for loop in loops for one in walk(loop) if one.type == "communication_case" and _leaves(one)]
    return bool(cases) and all(_mentions(one, names) for one in cases)


def _closures(around: Node, name: str) -> Iterator[str]:
    """The functions of a function that look at something."""
    for node in walk(around):
        right = node.child_by_field_name("right") if node.type == "short_var_declaration" else None
        if right is not None and "func(" in text_of(right)[:5] and _mentions(right, {name}):
            yield text_of(node.child_by_field_name("left"))


def _after(loop: Node) -> list[Node]:
    above = loop.parent
    here = loop
    while above is not None and above.type == "labeled_statement":
        here, above = above, above.parent
    return [one for one in above.named_children if one.start_byte >= here.end_byte] if above is not None else []


def _leaves(case: Node) -> bool:
    last = statements(case)[-1:]
    return any(one.type == "return_statement" or (one.type == "break_statement" and one.named_children) for one in last)


def _mentions(part: Node, names: Iterable[str]) -> bool:
    wanted = frozenset(names)
    return any(text_of(one) in wanted for one in walk(part) if one.type in ("identifier", "selector_expression"))


def _is_looked_at(machine: GoMachine, files: list[File], field: str, around: Node) -> bool:
    """Whether another function that has run since the signal looks at a field."""
    functions = (one for file in files for one in walk(file.root) if one.type in FUNCTIONS)
    late = (one for one in functions if one.id in machine.entered_late and one.id != around.id)
    fields = (part for one in late for part in walk(one) if part.type == "field_identifier")
    return any(text_of(part) == field for part in fields)
