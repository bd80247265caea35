"""Programs that are mended by hand: where the end belongs is for whoever knows the program to say."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.facts.program import Handler, Program, Wait
    from gracelint.finding import Edit


def add_sigterm_handler(_: Program) -> tuple[Edit, ...] | None:
    return None


def handle_sigterm_too(_: Program, __: Handler) -> tuple[Edit, ...] | None:
    return None


def bound_wait(_: Program, __: Wait) -> tuple[Edit, ...] | None:
    return None
