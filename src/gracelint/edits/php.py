"""Edits of PHP programs."""

from __future__ import annotations

import re

from gracelint.edits.by_hand import add_sigterm_handler, bound_wait
from gracelint.finding import Edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.program import Handler, Program

__all__ = ["add_sigterm_handler", "bound_wait", "handle_sigterm_too"]

_REGISTERS = re.compile(r"\\?pcntl_signal\(\s*(\\?SIGINT)\s*,")


def handle_sigterm_too(program: Program, handler: Handler) -> tuple[Edit, ...] | None:
    """`pcntl_signal(SIGINT, …);` for both signals. None where it is no statement of its own."""
    span = handler.span
    source, start = span.source, span.start
    found = _REGISTERS.match(span.text)
    if handler.signals != ("SIGINT",) or found is None or source.text[span.end : span.end + 1] != ";":
        return None
    return (
        Edit(source.span(start, start), "foreach ([SIGINT, SIGTERM] as $name) { "),
        Edit(source.span(start + found.start(1), start + found.end(1)), "$name"),
        Edit(source.span(span.end + 1, span.end + 1), " }"),
    )
