"""How PID 1 of one container comes to be, and what a stop signal meets on its way.

Times are in seconds.
"""

from __future__ import annotations

from gracelint.base.choice import Choice
from gracelint.base.record import Record, field
from gracelint.facts.hooks import Hook
from gracelint.facts.verdict import Verdict
from gracelint.finding import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as Map
    from typing import Any

    from gracelint.facts.compose import ComposeService
    from gracelint.facts.dockerfile import Instruction, Stage
    from gracelint.facts.kubernetes import Container, PreStop, Workload
    from gracelint.facts.program import Act, Program, Reaction
    from gracelint.facts.yaml import Misplaced
    from gracelint.source import Located, Passage, Source, Span, Word


class Effect(Choice):
    """What one hop does to the stop signal."""

    REPLACES = "replaces"
    """It execs the next hop: the same process, no hop for the signal."""
    FORWARDS = "forwards"
    """It passes the signal on to the next hop and waits for it."""
    SWALLOWS = "swallows"
    """The signal ends here and nothing happens until SIGKILL."""
    CUTS = "cuts"
    """It ends the container before the program's cleanup is done."""
    HANDLES = "handles"
    """The program itself ends cleanly."""
    UNKNOWN = "unknown"


class HopKind(Choice):
    SHELL = "shell"
    SCRIPT = "script"
    INIT = "init"
    WRAPPER = "wrapper"
    PACKAGE_MANAGER = "package-manager"
    SUPERVISOR = "supervisor"
    SERVER = "server"
    PROGRAM = "program"


class Deadline(Record):
    """After how many seconds a hop kills, with SIGKILL, what it has told to stop: whatever the grace period."""

    value: float
    span: Span | None = None
    """The text that says so; None for a default."""
    setting: str | None = None
    """What it is called where it can be set, such as `stopwaitsecs`."""
    unit: float = 1.0
    """Seconds in one unit of the setting."""
    behind: Word | None = None
    """The word behind which the setting would be written."""
    written: str | None = None
    """How it is written there: a line `stopwaitsecs={}`, or an option `--kill-timeout {}`."""


class Hop(Record):
    """One process on the way from PID 1 to the program.

    `why` is a clause with the fact it rests on, such as "dash 0.5.12 (Debian) stays PID 1 and ignores SIGTERM".
    """

    argv: tuple[str, ...]
    kind: HopKind
    name: str
    """The row of the knowledge table it was matched with (dash, npm, tini, gunicorn …), or the program's base name."""
    effect: Effect
    why: str
    span: Span | None = None
    """The text the hop came from."""
    pid_1: bool = False
    """Whether this is the container's PID 1 at the time of the signal (or would be, but for `exec`)."""
    signal: str = "SIGTERM"
    """The signal that arrives at this hop."""
    details: Map[str, Any] = field(default_factory=dict)
    """What rules ask of hops of this kind: npm's `script`, a shell's `text`, a server's `row` …"""
    deadline: Deadline | None = None
    """When it kills what it has told to stop."""

    @property
    def delay(self) -> float:
        """Seconds that it always takes after the signal: a program's pause, a script's loop until its trap runs."""
        delay = self.details.get("delay")
        return float(delay) if isinstance(delay, (int, float)) else 0.0


class Assumptions(Record):
    """What the configuration says of the world the containers live in."""

    kubernetes_version: tuple[int, int] | None = None
    pre_stop: float = 15.0
    """Seconds of preStop sleep that fixes put in."""
    drain: float = 10.0
    """Seconds a program needs to finish what is in flight, where nothing better is known."""
    drain_is_set: bool = False
    """Somebody wrote that time into the settings."""
    margin: float = 2.0


class DrainSource(Choice):
    """Where a drain time was taken from, best first."""

    DECLARED = "declared"
    """The annotation `gracelint/drain-seconds`, or the settings."""
    DERIVED = "derived"
    """A server's own timeout, or its default; a timer in the source."""
    ASSUMED = "assumed"
    """What is assumed where nobody says anything."""


class Drain(Record):
    """How long the program takes to finish what is in flight; `seconds` is None where it has no bound."""

    seconds: float | None
    source: DrainSource
    why: str
    """Such as "gunicorn --graceful-timeout, default"."""
    span: Span | None = None
    default: bool = False
    """Nobody has set it: it is the server's own."""
    jobs: bool = False
    """What is drained is jobs of any length, not requests."""
    several: bool = False
    """Several workers are asked for: there are requests enough that one which does not end is to be reckoned with."""


class Shortfall(Record):
    """A hop whose deadline ends sooner than what runs below it may need."""

    hop: Hop
    deadline: Deadline
    drain: Drain
    """What the program needs."""


_EXTENSION = 2.0
"""Seconds between SIGTERM and SIGKILL where preStop has used up the grace period (kubelet `killContainer`)."""


class Budget(Record):
    """The seconds a stop has and the seconds it needs; prints as the sum `15 preStop + 30 drain + 2 margin`."""

    grace: Located[float]
    pre_stop: Located[float] | None
    """None where there is no preStop; NaN where nobody can tell how long it takes."""
    drain: Drain | None
    margin: float
    notes: tuple[Note, ...] = ()

    @property
    def left(self) -> float:
        """What preStop leaves of the grace period, or the 2 s that the kubelet adds; NaN where either is not known."""
        if self.pre_stop is None or self.grace.value <= 0:
            return self.grace.value
        return max(self.grace.value - self.pre_stop.value, _EXTENSION)

    @property
    def unlimited(self) -> Drain | None:
        """The drain, where it is known that nothing limits it."""
        known = self.drain is not None and self.drain.source is DrainSource.DERIVED and self.drain.seconds is None
        return self.drain if known else None

    @property
    def needed(self) -> float | None:
        """preStop + drain + margin, or None where a part is not known or has no bound."""
        if self.drain is None or self.drain.seconds is None:
            return None
        before = self.pre_stop.value if self.pre_stop else 0.0
        needed = before + self.drain.seconds + self.margin
        return None if needed != needed else needed

    def __str__(self) -> str:
        before = self.pre_stop.value if self.pre_stop else 0.0
        parts = [f"{before:g} preStop"] if before > 0 else []
        if self.drain is not None and self.drain.seconds is not None:
            parts.append(f"{self.drain.seconds:g} drain")
        if self.margin:
            parts.append(f"{self.margin:g} margin")
        return " + ".join(parts)


class Image(Record, identity=True):
    """What is known of the image a container runs: a stage of a Dockerfile here, or only a name."""

    reference: str | None
    """The image's name for an image not built here; the base's name for one that is."""
    family: str | None
    """The row of `knowledge/images.toml` that its root file system belongs to."""
    stage: Stage | None = None
    context: str | None = None
    """The build context, relative to the project's root; None where it is not known."""
    entrypoint: tuple[Word, ...] | None = None
    """As words, shell form already wrapped in its shell."""
    cmd: tuple[Word, ...] | None = None
    entrypoint_at: Instruction | None = None
    cmd_at: Instruction | None = None
    stop_signal: Word | None = None
    shell: tuple[Word, ...] = ()
    """SHELL, or the default `/bin/sh -c`."""
    sh: str | None = None
    """The row of `knowledge/shells.toml` that /bin/sh is; "none" where the image has no shell; None if unknown."""
    working_dir: str = "/"
    user: str | None = None
    env: Map[str, str] = field(default_factory=dict)
    tools: frozenset[str] | None = None
    """Commands known to be missing are not in it; None where nobody knows what the image has."""
    mounts: tuple[tuple[str, str], ...] = ()
    """Bind mounts that hide what the image has: project path, path in the container."""
    written: Map[str, Passage | None] = field(default_factory=dict)
    """Files by absolute path that a script writes before it starts the program; None where that cannot be followed."""
    packages: frozenset[str] = frozenset()
    """What RUN lines install (apt, apk, dnf, pip, npm -g), names only."""
    versions: Map[str, str] = field(default_factory=dict)
    """Of what the image is known to ship (node, npm, python, bash …), as far as its tag tells: "20", "10.9.9"."""
    os: str | None = None
    """How its packages are installed: apt, apk, dnf, microdnf, yum, zypper, pacman; None if unknown or not at all."""

    @property
    def own_argv(self) -> tuple[Word, ...] | None:
        """What it starts where nobody says otherwise; None where that is not known."""
        if self.entrypoint is None and self.cmd is None:
            return None
        return (*(self.entrypoint or ()), *(self.cmd or ()))

    def has(self, tool: str) -> bool | None:
        """Whether the image has a command: True, False, or None where that is not known."""
        if tool in self.packages:
            return True
        return None if self.tools is None else tool in self.tools


class Origin(Record):
    """Where a launch is declared. `kind` is dockerfile, kubernetes or compose."""

    kind: str
    source: Source
    span: Span
    name: str
    """The stage's name or number, the workload's name, or the service's name."""
    container: str | None = None


class Launch(Record, identity=True):
    """How PID 1 of one container comes to be, and what a stop signal meets on its way."""

    origin: Origin
    """Where it is declared."""
    image: Image
    """What is known of the image: its shell, tools and instructions."""
    argv: tuple[Word, ...] | None
    """What the runtime starts as PID 1, an `init: true` left out; None where the files do not say."""
    hops: tuple[Hop, ...]
    """The processes on the way of the signal, PID 1 first."""
    verdict: Verdict
    """What becomes of the container when it is told to stop."""
    why: str
    """One sentence; for `unknown`, what is missing."""
    stop_signal: Word
    """The signal that PID 1 gets; where nothing says another, SIGTERM."""
    budget: Budget
    """The time that stopping needs, and the time there is."""
    decisive: Hop | None = None
    """The hop whose effect is the verdict."""
    program: Program | None = None
    """The source that the last hop runs, where it was found and read."""
    link: str | None = None
    """declared, built or named: how an image was joined to a Dockerfile; None where it was not."""
    stage: Stage | None = None
    """The stage of a Dockerfile that the image is built from, where it is joined to one."""
    container: Container | None = None
    """The pod's container; None where no manifest declares the launch."""
    workload: Workload | None = None
    """As parsed, before launches were made."""
    service: ComposeService | None = None
    """The Compose service that declares it."""
    pre_stop: PreStop | None = None
    """The container's preStop hook."""
    hook: Hook = Hook()
    """What that hook does when it runs."""
    misplaced: tuple[Misplaced, ...] = ()
    """Settings of the stop that stand where nobody reads them."""
    gets_traffic: bool = False
    """It gets requests that are lost when it refuses them, as far as the files say."""
    fitting: tuple[str, ...] = ()
    """Of an image that is joined to none: the Dockerfiles that fit its name equally well."""
    one_shot: bool = False
    """The program ends by itself: a job, a command that prints help, a script without a program."""
    development: bool = False
    """It is meant for development, tests or CI."""
    assume: Assumptions = Assumptions()
    """What the settings say of the world it runs in."""
    shared: bool = False
    """Other services or containers run the same stage."""
    children: tuple[Span, ...] = ()
    """Processes left running beside the program: background jobs, the other end of a pipe."""
    shortfalls: tuple[Shortfall, ...] = ()
    """Deadlines on the way that are shorter than what the program below needs, as far as that is known."""
    dev_server: bool = False
    """What it starts is a development server or a reloader; `development` says that this is meant."""
    siblings: tuple[Launch, ...] = ()
    """The same container, judged by another program of its supervisor that is ignored or cut as well."""

    @property
    def ends_by_itself(self) -> bool:
        """A one-shot program, or a Job: nothing that has to be stopped."""
        return self.one_shot or (self.workload is not None and self.workload.runs_to_end)

    @property
    def idle(self) -> bool:
        """It only waits (`sleep infinity`, `tail -f /dev/null`, `pause`), and a stop can lose nothing.

        Below a supervisor that goes for the one program that is cut off: the others stop as they do.
        """
        last = max((index for index, hop in enumerate(self.hops) if hop.kind is HopKind.SUPERVISOR), default=-1)
        own = self.hops[last + 1 :]
        if not own or (self.children and last < 0) or any(hop.details.get("others") for hop in own):
            return False
        return bool(own[-1].details.get("idle"))

    @property
    def schedules(self) -> bool:
        """It only starts jobs when they are due (`cron`)."""
        return bool(self.hops) and bool(self.hops[-1].details.get("schedules"))

    @property
    def between_jobs(self) -> bool:
        """What is cut off only starts jobs when they are due: most of the time there is none to lose."""
        return self.verdict is Verdict.CUT and self.schedules

    @property
    def prompt(self) -> bool:
        """It listens as soon as it runs."""
        return bool(self.hops) and bool(self.hops[-1].details.get("prompt"))

    @property
    def blocker(self) -> Hop | None:
        """The hop that keeps the stop signal from the program, or ends it too early, if it is to be reported.

        None where nothing does, and where the one thing to say is that a development server runs here.
        """
        hop = self.decisive
        if hop is None or self.ends_by_itself or self.verdict not in (Verdict.IGNORED, Verdict.CUT):
            return None
        return None if self.is_told_as_dev_server else hop

    @property
    def is_told_as_dev_server(self) -> bool:
        """Whether the one thing to report is that a development server serves here."""
        runs_on = not self.one_shot and self.dev_server and not self.development
        return runs_on and self.verdict in (Verdict.IGNORED, Verdict.CUT) and self.is_dev_server

    @property
    def is_dev_server(self) -> bool:
        """Whether a development server is what decides, not something in front of it that ignores the signal."""
        server = self.server_for_development
        if self.decisive is None and self.verdict is Verdict.CUT:
            return False
        if self.verdict is Verdict.CUT and server is not None and server.details.get("development"):
            return True  # it has nothing that `exec` in front of it would save
        if server is None or self.decisive is None or self.decisive not in self.hops:
            return self.dev_server
        return self.hops.index(self.decisive) >= self.hops.index(server)

    @property
    def server_for_development(self) -> Hop | None:
        """The server that says it is one, else the innermost runner (`nodemon`, `tsx watch`)."""
        if not self.dev_server:
            return None
        marked = [hop for hop in self.hops if hop.details.get("development")]
        runners = [hop for hop in self.hops if hop.kind is HopKind.PACKAGE_MANAGER]
        return next(reversed(marked or runners), self.decisive)

    @property
    def inits(self) -> tuple[Hop, ...]:
        """The hops that are inits, such as tini."""
        return self._of_kind(HopKind.INIT)

    @property
    def package_managers(self) -> tuple[Hop, ...]:
        """The hops that are package managers, such as npm."""
        return self._of_kind(HopKind.PACKAGE_MANAGER)

    def _of_kind(self, kind: HopKind) -> tuple[Hop, ...]:
        return tuple(hop for hop in self.hops if hop.kind is kind)

    @property
    def shell_form(self) -> Hop | None:
        """The shell that the shell form of an instruction puts in front."""
        return next((hop for hop in self.hops if hop.details.get("form") == "shell-form"), None)

    @property
    def shell_texts(self) -> tuple[Hop, ...]:
        """The shells that are given text: `sh -c`."""
        return tuple(hop for hop in self.hops if hop.details.get("form") == "sh -c")

    @property
    def scripts(self) -> tuple[Hop, ...]:
        """The shells that read a script file."""
        return tuple(hop for hop in self.hops if hop.details.get("form") == "script")

    @property
    def window(self) -> Hop | None:
        """PID 1, where there is a time before the program starts in which it drops the signal."""
        return next((hop for hop in self.hops if hop.pid_1 and hop.details.get("window") is not None), None)

    @property
    def program_as_pid_1(self) -> Hop | None:
        """The program, where nothing but what has execed it stands in front."""
        first = next((hop for hop in self.hops if hop.effect is not Effect.REPLACES), None)
        return first if first is not None and first.pid_1 and first.kind is HopKind.PROGRAM else None

    @property
    def reaction_beyond(self) -> Reaction | None:
        """What the program does once the signal arrives at it, where something is in front that keeps it away."""
        hop, program = self.hops[-1] if self.hops else None, self.program
        if hop is None or program is None or hop is self.decisive or hop.kind is not HopKind.PROGRAM:
            return None
        return program.reactions.get(hop.signal)

    @property
    def beyond(self) -> tuple[Note, ...]:
        """What keeps the program from stopping well once the signal arrives at it, where something is in front."""
        reaction, program = self.reaction_beyond, self.program
        if reaction is None or program is None or reaction.as_pid_1 not in (Verdict.IGNORED, Verdict.CUT):
            return ()
        return (Note(reaction.span or program.span, f"then this decides: {reaction.why}"),)

    def above(self, hop: Hop) -> Hop | None:
        """The hop that started this one."""
        index = self.hops.index(hop)
        return self.hops[index - 1] if index else None

    def below(self, hop: Hop) -> Hop | None:
        """The hop that this one starts."""
        index = self.hops.index(hop) + 1
        return self.hops[index] if index < len(self.hops) else None

    def is_decided_below(self, hop: Hop) -> bool:
        """Whether what decides stands behind a hop."""
        return self.decisive is not None and self.hops.index(self.decisive) > self.hops.index(hop)

    @property
    def manager_to_speak_of(self) -> Hop | None:
        """The package manager that keeps the signal away, itself or by the shell that it starts.

        Where nothing goes wrong, the first that stays in front of the program, unless a development server is reported.
        """
        managers, blocker = self.package_managers, self.blocker
        if self.verdict not in (Verdict.IGNORED, Verdict.CUT):
            told = self.dev_server and self.is_dev_server and not self.development
            return next((hop for hop in managers[:1] if hop.details.get("manages") and not told), None)
        if blocker is None or blocker.kind is HopKind.PACKAGE_MANAGER:
            return blocker
        above = self.above(blocker)
        starts = blocker.kind is HopKind.SHELL and above is not None and above.kind is HopKind.PACKAGE_MANAGER
        return managers[0] if starts else None

    def script_shell(self, manager: Hop) -> Hop | None:
        """The shell that a package manager runs a script with, where `exec` in that script reaches the program."""
        shell = self.decisive if self.is_decided_below(manager) else self.below(manager)
        if manager.effect is not Effect.FORWARDS or "passage" not in manager.details or shell is None:
            return None
        return shell if shell.kind is HopKind.SHELL and shell.details.get("exec_at") else None

    @property
    def hangs_beyond(self) -> bool:
        """Whether the program would not end either, and has a handler: one that has none can be given one."""
        beyond = self.reaction_beyond
        return beyond is not None and beyond.as_pid_1 is Verdict.IGNORED and not beyond.unhandled

    def worse_runner_behind(self, hop: Hop) -> Hop | None:
        """A package manager or runner below a hop that keeps the signal away as well, and that nothing replaces."""
        behind = self.hops[self.hops.index(hop) + 1 :]
        runners = (one for one in behind if "manager" in one.details and not one.details.get("instead"))
        return next((one for one in runners if one.effect in (Effect.CUTS, Effect.SWALLOWS)), None)

    def needed_with(self, pause: float) -> float:
        """Seconds to stop with a preStop hook that takes some of them; a drain that nobody knows is assumed."""
        drain = self.budget.drain
        seconds = drain.seconds if drain is not None and drain.seconds is not None else self.assume.drain
        return pause + seconds + self.budget.margin

    @property
    def needs_no_time(self) -> bool:
        """Whether no grace period is too short: nothing is drained, the signal never arrives, or the hook is refused.

        Knative sets the grace period itself, to the revision's timeoutSeconds.
        """
        hook, workload = self.pre_stop, self.workload
        refused = hook is not None and hook.sleep is not None and hook.sleep.value > self.grace.value
        if refused or self.one_shot or self.verdict in (Verdict.IGNORED, Verdict.CUT):
            return True
        if workload is None:
            return False
        ends_by_itself = workload.runs_to_end and self.verdict is Verdict.UNKNOWN
        return workload.knative or workload.windows or ends_by_itself

    @property
    def needs_hook_to_drain(self) -> bool:
        """Whether it drops what is in flight unless a preStop hook of its own kind tells it to drain."""
        return self.verdict is Verdict.CUT and self.blocker is not None and bool(self.blocker.details.get("hook"))

    @property
    def loses_work(self) -> bool:
        """Whether it is killed, or cut off from a handler that it has or may have; else requests alone are dropped."""
        if self.verdict is not Verdict.CUT:
            return self.verdict is Verdict.IGNORED
        last = self.hops[-1]
        if last.details.get("serves") or last.details.get("reaction") == "drops":
            return False
        reaction = self.program.reactions.get(self.hops[-1].signal) if self.program else None
        return reaction is None or reaction.as_child is Verdict.HANDLED

    @property
    def loses_nothing(self) -> bool:
        """Whether a stop takes its time at most.

        It waits or starts jobs, no signal is waited for, or what it drops has been finished before that comes.
        """
        return self.idle or self.between_jobs or self.grace.value == 0 or self._is_drained_before

    @property
    def _is_drained_before(self) -> bool:
        """Whether Knative's queue-proxy keeps the signal from a container until its requests are answered."""
        if self.workload is None or not self.workload.knative or self.verdict is not Verdict.CUT:
            return False
        serves = self.decisive is not None and self.decisive.kind is HopKind.SERVER
        cleans_up = self.program is not None and self.program.cleans_up_on_interrupt
        return serves or not (self.loses_work or cleans_up)

    def fate(self, hop: Hop) -> str:
        """What is seen when a hop swallows or cuts the signal, and whether an init in front of it helps."""
        init = next((one.name for one in self.hops[: self.hops.index(hop)] if one.kind is HopKind.INIT), None)
        behind = f", and {init} in front does not repair that" if init else ""
        if hop.effect is Effect.SWALLOWS:
            return f"{hop.signal} is ignored until SIGKILL after {self.grace.value:g} s{behind}"
        if hop.details.get("rest"):
            return f"the program is told to stop when all else has ended, and has {hop.details['rest']} then"
        if self.between_jobs:
            return f"the container ends, and a job that runs then is killed{behind}"
        return f"the container ends, and work in flight is lost{behind}"

    @property
    def grace(self) -> Located[float]:
        """Seconds from the decision to stop to SIGKILL; NaN where they are not known."""
        return self.budget.grace

    @property
    def kill(self) -> str:
        """How it is ended if nothing else ends it: "SIGKILL after 30 s", without the time where that is not known."""
        return f"SIGKILL after {self.grace.value:g} s" if self.grace.value == self.grace.value else "SIGKILL"

    @property
    def pauses(self) -> bool:
        """Whether the program itself waits for a while after the stop signal before it closes its listener."""
        handlers = self.program.handlers if self.program else ()
        return any(_pauses(handler.acts) for handler in handlers if self.stop_signal.value in handler.signals)

    @property
    def command_span(self) -> Span:
        """The text that says what is started: the override, CMD or ENTRYPOINT; else the origin."""
        words = self.argv or ()
        first = next((word.span for word in words if word.span is not None), None)
        return first or self.origin.span


_CLOSING = frozenset(
    ("close", "close-now", "shutdown-here", "shutdown-thread", "exit", "hard-exit", "interrupt", "raise")
)


def _pauses(acts: tuple[Act, ...]) -> bool:
    for act in acts:
        if act.kind in _CLOSING:
            return False
        if (act.seconds or 0) >= 1 and (act.kind == "wait" or (act.kind == "timer" and _closes(act.then))):
            return not any(later.kind.startswith(("close", "shutdown")) for later in acts if act.kind == "timer")
    return False


def _closes(acts: tuple[Act, ...]) -> bool:
    return any(act.kind.startswith(("close", "shutdown")) for act in acts)
