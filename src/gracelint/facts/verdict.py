"""The four answers to "what happens when this container is told to stop?"."""

from __future__ import annotations

from gracelint.base.choice import Choice


class Verdict(Choice):
    HANDLED = "handled"
    """The program's own handler gets the signal and the program ends by itself, cleanup done."""
    IGNORED = "ignored"
    """Nothing ends it: SIGKILL when the grace period runs out, exit 137."""
    CUT = "cut"
    """It ends before the program's cleanup: in-flight work and buffered output are lost."""
    UNKNOWN = "unknown"
    """The files do not say enough."""


def with_time(why: str, seconds: float) -> str:
    """A reason that says how long it takes, if it did not say so by itself."""
    told = f"{seconds:.3g} s"
    return why if told in why else f"{why}, which takes {told}"
