"""Edits of Ruby programs."""

from __future__ import annotations

import re

from gracelint.edits.by_hand import add_sigterm_handler, bound_wait
from gracelint.finding import Edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.program import Handler, Program

__all__ = ["add_sigterm_handler", "bound_wait", "handle_sigterm_too"]

_TRAP = re.compile(r"(?:Signal\.)?trap[ (]\s*(\"(?:SIG)?INT\"|'(?:SIG)?INT'|:(?:SIG)?INT|2)(?=\s*[),])")


def handle_sigterm_too(program: Program, handler: Handler) -> tuple[Edit, ...] | None:
    """`trap("INT") { … }` for both signals. None where the trap names its signal in another way."""
    if handler.signals != ("SIGINT",):
        return None
    span = handler.span
    found = _TRAP.match(span.text)
    if found is None:
        return None
    source, start = span.source, span.start
    return (
        Edit(source.span(start, start), "%w[INT TERM].each { |name| "),
        Edit(source.span(start + found.start(1), start + found.end(1)), "name"),
        Edit(source.span(span.end, span.end), " }"),
    )
