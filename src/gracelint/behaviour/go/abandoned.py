"""Work that a goroutine gives up as the signal ends its pause in the middle of it."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.behaviour.go.syntax import FUNCTIONS, statements
from gracelint.behaviour.machine.midst import acts, around
from gracelint.behaviour.tree import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gracelint.behaviour.go.machine import GoMachine
    from gracelint.source import Span

_SAYS = pattern(r"^(?:fmt\.(?:Print|Fprint)|log\.|slog\.|\w{0,40}[lL]og(?:ger)?\.)")
_TIMED = pattern(r"<-\s*(?:time\.After\(|\w[\w.]{0,60}\.C$)")


def abandoned(machine: GoMachine) -> Span | None:
    """A pause between two things that belong together, whose other way out does nothing with what was begun."""
    for file, select, case in machine.given_up_at:
        timed = next((one for one in select.named_children if one.id != case.id and _is_timed(one)), None)
        if timed is None or _saves(case):
            continue
        before, after, _ = around(select)
        works = any(map(acts, statements(timed)[1:]))
        if (before and (after or works)) or any(_is_amid(loop) for loop in _counted(select)):
            return file.span(case)
    return None


def _counted(select: Node) -> Iterator[Node]:
    """The loops of its function that a pause stands in, and that count their rounds: one thing done bit by bit."""
    here = select.parent
    while here is not None and here.type not in FUNCTIONS:
        if here.type == "for_statement" and any(one.type == "for_clause" for one in here.named_children):
            yield here
        here = here.parent


def _is_amid(loop: Node) -> bool:
    before, after, _ = around(loop)
    return before and after


def _is_timed(case: Node) -> bool:
    communication = case.child_by_field_name("communication")
    return communication is not None and _TIMED.search(text_of(communication)) is not None


def _saves(case: Node) -> bool:
    """Whether a case does more than to leave, and to say so."""
    done = (one for one in statements(case) if one.type == "expression_statement")
    return any(acts(one) and not _SAYS.match(text_of(one)) and not text_of(one).startswith("<-") for one in done)
