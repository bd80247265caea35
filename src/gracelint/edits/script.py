"""Edits of shell text, wherever it stands: a script file, a Dockerfile's shell form, a string in JSON or YAML.

What is put in needs no quoting in any of these, and the words that are there stay as they are.
"""

from __future__ import annotations

from gracelint.finding import Applicability, Edit, Fix
from gracelint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gracelint.facts.launch import Hop

_ADVICE = {
    "child": "Make the program the last command, outside of subshells, and `exec` it",
    "optimised": "Take the program out of the subshell, and `exec` it",
    "idle": "Start the service itself in the foreground, with `exec`",
    "execs-idle": "Start the service itself in the foreground, with `exec`",
    "beside": "Run it in a container of its own, or keep the shell: trap the signal, pass it on to both and `wait`",
    "pipe": "Take the program out of the pipe, let it write to stdout, and `exec` it",
    "loop": "Leave restarts to the orchestrator, and `exec` the program",
    "wait": "`exec` the program, or trap the signal, pass it on and `wait` twice",
    "trap-exits": "Pass the signal on in the trap, and `wait` for the program there",
    "trap-forgets": "Pass the signal on in the trap, and `wait` for the program there",
    "waits-for-others": "Stop the other jobs in the trap, too",
    "trap-waits-for-child": "`exec` the program, or start it with `&`, pass the signal on in the trap and `wait` twice",
    "kills-subshell": "`exec` the program inside the subshell",
    "kills": "Send SIGTERM, and `wait` for the program",
    "kills-job": "`wait` in the trap for the job in the background",
    "kill-group": "Signal the program alone, and `wait` for it in the trap",
    "exit-trap": "`exec` the program; what the trap cleans up can be done when it starts",
    "ignores": "Take back the trap that ignores the signal",
    "single-wait": "`wait` for the program once more after the trap",
    "command-fails": "Let no command of the trap fail (`|| true`), and `wait` for the program there",
    "errexit": "`wait` for the program once more after the trap, and do not let the first `wait` end the script",
}
"""By the cause in a hop's details: what a person has to do where no edit is known to be right."""


def reach_program(hop: Hop) -> Fix | None:
    """Lets the signal reach the program behind shell text: `exec`, a second `wait`, or advice."""
    details: Any = hop.details
    if details.get("cause") == "refused":
        changes = drop_prefix(details["refused"])
        return Fix(
            "Name the signal without SIG", changes or (), Applicability.SAFE if changes else Applicability.MANUAL
        )
    if details.get("wait_at") is not None:
        changes = repeat_wait(details["wait_at"], details["errexit"], details["waits_again"])
        if changes is not None:
            return Fix("Wait again for the program after the trap has run", changes, Applicability.SAFE)
    changes = insert_exec(details.get("exec_at", ()))
    if changes is not None:
        applicability = Applicability.UNSAFE if details["leaves_behind"] else Applicability.SAFE
        return Fix("Let the shell exec the program", changes, applicability)
    advice = _ADVICE.get(details.get("cause", ""))
    return Fix(advice, (), Applicability.MANUAL) if advice else None


def insert_exec(commands: Iterable[Span]) -> tuple[Edit, ...] | None:
    """`exec ` before each command, given as the span of its first word; None without any."""
    edits = []
    for span in commands:
        if span.start >= span.end or span.text.startswith("\\"):
            return None
        edits.append(Edit(Span(span.source, span.start, span.start), "exec "))
    return tuple(edits) or None


def drop_prefix(names: Iterable[Span]) -> tuple[Edit, ...] | None:
    """`TERM` for `SIGTERM`; None where a name stands in text that only comes to be when it runs."""
    edits = []
    for span in dict.fromkeys(names):
        if not span.source.path or span.text.count("SIG") != 1:
            return None
        start = span.start + span.text.index("SIG")
        edits.append(Edit(Span(span.source, start, start + 3), ""))
    return tuple(edits) or None


def repeat_wait(wait: Span, errexit: bool = False, waits_again: bool = False) -> tuple[Edit, ...] | None:
    """A second `wait` behind the one at a span, which a trap interrupts; None where its answer is used at once.

    Under `set -e` (`errexit`) the interrupted one would end the script, so its answer is dropped; where another `wait`
    follows (`waits_again`), that is all.
    """
    text = wait.source.text
    line_start = max(text.rfind("\n", 0, wait.start), text.rfind("\r", 0, wait.start)) + 1
    indentation = text[line_start : wait.start]
    lines = text[wait.end : wait.end + 200].splitlines()
    behind = lines[0].lstrip() if lines else ""
    if not wait.text.startswith("wait") or "\n" in wait.text or behind.startswith(("|", "&", ")", "\\")):
        return None
    dropped = " || true" if errexit else ""
    if errexit and waits_again:
        return (Edit(Span(wait.source, wait.end, wait.end), dropped),)
    newline = "\r\n" if text.startswith("\r\n", wait.end) else "\n"
    between = f"{newline}{indentation}" if not indentation.strip() and not behind else "; "
    return (Edit(Span(wait.source, wait.end, wait.end), f"{dropped}{between}{wait.text}"),)
