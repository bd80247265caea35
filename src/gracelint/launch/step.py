"""One step on the way from PID 1 to the program: what every kind of hop is asked, and what it answers."""

from __future__ import annotations

from gracelint.base.limits import ROOM, Effort
from gracelint.base.record import Record, field
from gracelint.facts.launch import Assumptions, Deadline, Drain, Effect, Hop, Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gracelint.facts.files import Files
    from gracelint.facts.program import Program
    from gracelint.launch.hops import Way
    from gracelint.source import Source, Span, Word


class Followed:
    """How many processes of one launch have been followed so far, in all its branches, and what is left for others."""

    __slots__ = ("count", "effort", "ways")

    def __init__(self, room: int = ROOM, launches: int = 1) -> None:
        self.count = 0
        self.ways: dict[tuple[object, ...], Way] = {}
        """Where commands of scripts lead, by the state they are started in."""
        self.effort = Effort(room, launches=launches)


NO_ACTION = frozenset(("SIGWINCH", "SIGCHLD", "SIGURG", "SIGCONT"))
"""Signals whose default action is none (signal(7))."""


class Context(Record, identity=True):
    """What is known where a process is started."""

    image: Image
    files: Files
    """The project's files. What lies in the image is found with `launch.image.find_text`."""
    working_dir: str
    """Absolute, in the image."""
    env: Mapping[str, str | None]
    """Values from ENV, Compose, Kubernetes and the shell; None where a variable is set to something unknown."""
    pid_1: bool
    """Whether the process is the container's PID 1."""
    signal: str
    """The signal that will arrive at it, as SIGTERM."""
    span: Span | None
    """The text that starts it, where its words have no spans of their own."""
    assume: Assumptions = Assumptions()
    positional: tuple[Word, ...] = ()
    """`$1`, `$2` … for shell text; `$0` is not among them."""
    group_signalled: bool = False
    """A hop above signals its whole process group (dumb-init, tini -g), so children hear it too."""
    ignores: frozenset[str] = frozenset()
    """Signals inherited as ignored (`trap '' TERM`)."""
    depth: int = 0
    wrappers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The user's own rows of `knowledge/wrappers.toml`."""
    stdin_open: bool = False
    """Whether there is something to read from: `tty: true`, `stdin_open: true`; else the input ends at once."""
    deadline: Deadline | None = None
    """Of a supervisor's program: when the supervisor kills it."""
    above: frozenset[tuple[str, ...]] = frozenset()
    """The supervisors that led here, by working directory and command line: one that comes again is a loop."""
    followed: Followed = field(default_factory=Followed)
    user: str | None = None
    """Whom the process runs as, where a hop above has changed that; None: as the image says."""

    @property
    def unheard(self) -> Effect:
        """What the signal does to a process without a handler: PID 1 gets no default action (pid_namespaces(7))."""
        return Effect.SWALLOWS if self.pid_1 or self.signal in NO_ACTION else Effect.CUTS


class Step(Record, identity=True):
    """What one process does: its hop, and what it starts."""

    hop: Hop | None
    """None where it leaves no trace (a shell that execs at once is still a hop that `replaces`)."""
    next: tuple[Word, ...] | None = None
    """The command line of the next process; None where the way ends here."""
    context: Context | None = None
    """The state the next process is started in; None: as before."""
    program: Program | None = None
    drain: Drain | None = None
    one_shot: bool | None = None
    """It ends by itself (`echo`, a migration); None where that cannot be told."""
    lasts: bool = False
    """It goes on when what it starts has ended: a loop without end."""
    scripts: tuple[Source, ...] = ()
    """Files that were read on the way."""
    children: tuple[Span, ...] = ()
    """Other processes started and left running beside the next one: background jobs, a pipe's other end."""
    development: bool = False
    """A development server or reloader."""
    together: tuple[tuple[tuple[Word, ...], Context], ...] = ()
    """Command lines a supervisor runs side by side; the worst of their verdicts decides."""
    also: tuple[tuple[Word, ...], ...] = field(default_factory=tuple)
    """Command lines that other branches may start instead; where their verdicts differ, the launch is unknown."""
