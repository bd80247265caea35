"""What the command of a preStop hook does, and what keeps it from that."""

from __future__ import annotations

from gracelint.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gracelint.source import Span


class Flaw(Record):
    """A form of a hook's command that cannot do what it was written for."""

    why: str
    span: Span | None
    right: tuple[str, ...] | None = None
    """The words put right, where only their form is wrong."""


class Gap(Record):
    """Something a hook's command needs and does not find."""

    name: str
    why: str
    """A clause such as "has no `curl`" or "comes into the image by no instruction of its Dockerfile"."""
    span: Span | None


class Hook(Record):
    """What the command of a preStop hook does when it runs."""

    flaw: Flaw | None = None
    gap: Gap | None = None
    early: tuple[Span, Span] | None = None
    """The command that tells the program to stop, and the sleep that comes only after it."""
    stops: str | None = None
    """What in it may end the program by another way than the stop signal; None where it only waits."""
