"""One way through a script: what a shell knows on it, and what happens."""

from __future__ import annotations

from gracelint.base.memory import lru_cache
from gracelint.base.numbers import is_whole
from gracelint.base.record import Record, field, replace
from gracelint.knowledge import table
from gracelint.launch.one_shots import ends, sets_up_by_operand
from gracelint.launch.words import base_name
from gracelint.parse.expansion import Scope, expand
from gracelint.source import Word
from gracelint.tree.purpose import says_development

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gracelint.facts.script import Function, ShellWord
    from gracelint.source import Passage, Span

    Shapes = frozenset[str] | None
    """Where a command is the text's last one: the shapes through which the shell sees that; None where it is not."""

NOWHERE = "/?"
"""The working directory after a `cd` to a place only known when it runs."""
SELF = "\x00self"
"""What `$$` expands to."""
JOB = "\x00job"
"""With the job's number behind it, what `$!` expands to."""
LEADER = "\x00leader"
"""The same for `jobs -p` and `%1`, which name the first process of a pipe and not its last."""
GROUP = 0
"""Among job numbers: the shell's whole process group, itself included."""
_WRAPPED_WITHIN = 4
"""Words of a wrapper's command line in which its program's name stands."""
_LONG = 600
"""Seconds of a `sleep` that is there to keep the container up."""
_LONG_BESIDE = 10
"""Seconds of a `sleep` in the background that is still there when the container is told to stop."""


class Event(Record, identity=True):
    """Something that happens on a path.

    `kind` is run (in the foreground), start (in the background), daemon (it goes to the background by itself), exec,
    redirect (an exec without a command), wait, kill, stop (of a service), tell (once the signal has arrived: what may
    tell the program), pause (then: a loop that sleeps until something nobody knows), read (of a pipe that has no end),
    exit, return, break, continue, or forever (an endless loop).
    """

    kind: str
    span: Span
    words: tuple[Word, ...] = ()
    command: Span | None = None
    """The command's first word: where `exec ` would go."""
    shapes: Shapes = None
    traps: Mapping[str, str] = field(default_factory=dict)
    """Actions in force by signal name, "" where it is ignored."""
    env: Mapping[str, str | None] = field(default_factory=dict)
    """What the command's environment has."""
    working_dir: str = "/"
    written: Mapping[str, Passage | None] = field(default_factory=dict)
    """The files that the script has written so far."""
    prepares: bool = False
    """It is known to end by itself: nothing the container is for."""
    job: int | None = None
    """The number of a started job."""
    jobs: frozenset[int] | None = None
    """Which jobs are waited for or signalled; None where that is not known."""
    signal: str = ""
    """What `kill` sends; the status that `exit` is given, or errexit."""
    by_name: bool = False
    """It signals the program itself, whatever started it (`pkill python`)."""
    reached: bool | None = True
    """Whether a job's number is the program's own; False where a shell stands in front of it. None: not known."""
    leads: bool = True
    """Whether the program is the first process of its job's pipe."""
    by_leader: bool = False
    """It signals the first process of a job's pipe."""
    first: bool = False
    """`wait -n`: the first job that ends is enough."""
    strict: bool = False
    """Under `set -e` and not in a condition: where it fails, the script ends."""
    looped: bool = False
    """It stands in a loop, and may come again."""
    piped: bool = False
    """It stands in a pipe of several commands."""
    polls: bool = False
    """It waits in a loop until the job is gone, whatever interrupts it."""
    acts: bool = False
    """Such a loop does more than wait, and may leave its job or tell it to stop."""
    works: bool = False
    """A job of a loop's round that does something and ends by itself, which takes a while; a loop that is at something
    while it sleeps."""
    endless: bool = False
    """A job that goes round for ever."""
    pause: float | None = None
    """Seconds that such a loop sleeps between two looks."""
    monitor: bool = False
    """Under `set -m`, where background jobs do not ignore SIGINT."""
    passes: bool = False
    """It may turn out to be a preparation, where another program follows."""
    variables: Mapping[str, str | None] = field(default_factory=dict)
    """What the shell knows while it waits."""
    beside: tuple[Span, ...] = ()
    """The other commands of its pipe, and those its output is redirected to."""

    @property
    def idle(self) -> bool:
        """It does nothing but last."""
        return lingers(self.words) if self.kind == "start" else is_idle(self.words)

    @property
    def fails(self) -> bool:
        """Whether a way ends here in `exit 1`: it was not meant to be taken."""
        return self.kind == "exit" and self.signal not in ("", "0", "errexit")

    @property
    def is_for_development(self) -> bool:
        """Whether its words say that it is there for development: not what runs in a container that lasts."""
        words = table("shell_commands")["reloads"]["words"]
        return any(one.value in words or says_development(base_name(one.value)) for one in self.words)

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells it from others on paths through the same text."""
        return self.kind, self.job, self.span.start, id(self.span.source), *(word.value for word in self.words)


class State:
    """What the shell knows at one point of one path, and what has happened on it so far."""

    def __init__(self, scope: Scope, working_dir: str, positional: tuple[Word, ...]) -> None:
        self.variables: dict[str, str | None] = dict(scope.variables)
        self.exported: set[str] = set(scope.variables)
        self.name = scope.name
        self.positional: tuple[Word, ...] | None = positional
        self.working_dir = working_dir
        self.functions: dict[str, Function] = {}
        self.traps: dict[str, str] = {}
        self.trapped = False
        """Whether a trap with an action has ever been set."""
        self.jobs = 0
        self.written: Mapping[str, Passage | None] = {}
        """Files by absolute path; None where what they say cannot be followed."""
        self.copied: Mapping[str, str] = {}
        """The folders whose files are in another folder too, by that one's path."""
        self.started: tuple[Event, ...] = ()
        """The jobs in the background."""
        self.endless: frozenset[str] = frozenset()
        """Numbers of files that are open for reading and writing."""
        self.monitor = False
        self.pid_1 = False
        """Whether `-$$` is `-1`."""
        self.exports_all = False
        self.errexit = False
        self.guarded = 0
        """How many conditions are around the command, whose failure then does not end the script."""
        self.looping = 0
        """How many loops' conditions are around it."""
        self.loops = 0
        """How many loops' bodies are around it."""
        self.turns = 0
        """How many of them go round as long as something holds."""
        self.status: bool | None = True
        """Whether the last command succeeded; None where the path may go both ways."""
        self.ended = False
        self.events: list[Event] = []
        self.passed: set[tuple[object, ...]] = set()
        """Programs in the foreground, by identity, behind which another one was started."""
        self.delayed_by: Event | None = None
        """The first step that takes a while, where no trap is set for the stop signal meanwhile."""
        self.depth = 0
        self.reached: int | None = None
        """The index of the event in which the signal has arrived."""

    @property
    def strict(self) -> bool:
        """Whether a command that fails ends what a trap does."""
        return self.errexit and not self.guarded and self.reached is not None

    def fork(self) -> State:
        other = object.__new__(State)
        other.__dict__.update(self.__dict__)
        other.variables = dict(self.variables)
        other.exported = set(self.exported)
        other.functions = dict(self.functions)
        other.traps = dict(self.traps)
        other.events = list(self.events)
        other.passed = set(self.passed)
        return other

    def add(self, event: Event) -> None:
        """Takes down an event, as far as it can matter for how the path ends.

        Of programs in the foreground only the last can be the one that stays; what only prepares never is.
        """
        if self.delayed_by is None and event.kind == "run" and takes_a_while(event):
            self.delayed_by = event
        plain = event.kind == "run" and not event.idle and (not event.words or event.words[0].value != "sleep")
        if plain and event.prepares:
            comes_last = sets_up(event.words) or _is_given(event)
            if comes_last and self.events and self.events[-1].passes:
                self.passed.add(self.events.pop().identity)
            return
        if (plain or event.kind in ("exec", "daemon")) and self.events and self.events[-1].passes:
            self.passed.add(self.events.pop().identity)
        self.events.append(replace(event, passes=True) if plain else event)

    def repeat(self, start: int) -> None:
        """Takes a round of a loop, whose events begin there, for the one before it where it runs the same again."""
        ran = [item.identity for item in self.events[start:]]
        before = [item.identity for item in self.events[max(0, start - len(ran)) : start]]
        if ran and ran == before and self.reached is None and all(kind == "run" for kind, *_ in ran):
            del self.events[start:]

    def absorb(self, other: State) -> None:
        """Goes on as one path with another of the same fingerprint: where they differ, nothing is known."""
        mine, theirs = self.variables, other.variables
        for name in mine.keys() | theirs.keys():
            if mine.get(name, "") != theirs.get(name, ""):
                mine[name] = None
        if self.written is not other.written:
            both = self.written.keys() & other.written.keys()
            same = {path: self.written[path] for path in both if self.written[path] is other.written[path]}
            self.written = {**dict.fromkeys((*self.written, *other.written)), **same}
        self.exported |= other.exported
        self.passed |= other.passed
        if self.status is not other.status:
            self.status = None

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """All but variables and the last command's success; where it failed, not which of its checks has."""
        fails = self.ended and bool(self.events) and self.events[-1].fails
        identities = [event.identity for event in self.events]
        return (
            self.ended,
            self.positional,
            self.working_dir,
            self.depth,
            self.jobs,
            self.monitor,
            self.errexit,
            frozenset(self.traps.items()),
            frozenset(self.functions),
            *(identities[:-1] if fails else identities),
            fails,
        )

    @property
    def scope(self) -> Scope:
        values = None if self.positional is None else tuple(word.value for word in self.positional)
        return Scope(self.variables, values, self.name)

    def fields(self, word: ShellWord) -> tuple[str, ...] | None:
        """What a word expands to; None where that is only known when it runs."""
        return (word.value,) if word.value is not None else expand(word.text, self.scope)

    def text(self, word: ShellWord) -> str | None:
        fields = self.fields(word)
        return None if fields is None else " ".join(fields)

    def words(self, word: ShellWord) -> list[Word]:
        """The words a word becomes; those of `"$@"` stand where the arguments do."""
        if word.text.strip('"') in ("$@", "${@}") and self.positional is not None:
            return list(self.positional)
        fields = self.fields(word)
        if fields is None:
            return [Word(word.text.strip('"'), word.span)]
        return [Word(text, word.span) for text in fields]


def merged(states: list[State]) -> list[State]:
    """Paths that only differ in what is not known anyway go on as one."""
    if len(states) < 2:
        return states
    found: dict[tuple[object, ...], State] = {}
    for state in states:
        same = found.setdefault(state.fingerprint, state)
        if same is not state:
            same.absorb(state)
    return list(found.values())


def succeeded(states: list[State]) -> list[State]:
    for state in states:
        if not state.ended:
            state.status = True
    return states


def event(kind: str, span: Span, state: State, jobs: frozenset[int] | None = None, signal: str = "") -> Event:
    made = Event(kind, span, traps=dict(state.traps), jobs=jobs, signal=signal, working_dir=state.working_dir)
    return (
        replace(made, variables=dict(state.variables)) if kind in ("wait", "forever", "read") and state.traps else made
    )


def failed(span: Span, state: State) -> list[State]:
    """What a command that is sure to fail does: under `set -e` it ends the script."""
    state.status = False
    if state.errexit and not state.guarded:
        state.events.append(event("exit", span, state, signal="errexit"))
        state.ended = True
    return [state]


def prepares(words: tuple[Word, ...]) -> bool:
    """Whether a command only prepares, and is known to end by itself; also behind a wrapper such as `gosu app`."""
    return _prepares(tuple([word.value for word in words]))


@lru_cache(maxsize=256)
def _prepares(words: tuple[str, ...]) -> bool:
    name = base_name(words[0]) if words else ""
    if name == "sleep":
        return not _is_idle(words, _LONG)
    if name in table("shell_commands")["waits"]["names"]:
        behind = words.index("--") if "--" in words else len(words)
        return behind + 1 >= len(words) or _prepares(words[behind + 1 :])
    if name in table("wrappers"):
        return any(_prepares(words[index:]) for index in range(1, min(len(words), _WRAPPED_WITHIN)))
    return name in table("shell_commands")["prepares"]["names"] or bool(words and ends(words))


def sets_up(words: tuple[Word, ...]) -> bool:
    """Whether a command is one, such as a migration, that comes before a program and never behind it."""
    return bool(words) and sets_up_by_operand(words)


def _is_given(event: Event) -> bool:
    """Whether a command is what the container was told to run, behind what its script does first."""
    span = event.words[0].span if event.words else None
    return span is not None and span.source is not event.span.source


def takes_a_while(event: Event) -> bool:
    """Whether a step waits for something else or works for some seconds: a migration, wait-for-it, a loop of sleeps."""
    if not event.words or event.idle:
        return False
    if base_name(event.words[0].value) == "sleep":
        return event.looped or is_idle(event.words, _NOTICED)
    waits = base_name(event.words[0].value) in table("shell_commands")["waits"]["names"]
    return waits or (event.prepares and sets_up(event.words))


_NOTICED = 3
"""Seconds of a start in which a stop is likely enough to speak of."""


def is_idle(words: tuple[Word, ...], least: float = _LONG) -> bool:
    """`tail -f /dev/null`, `sleep infinity` and the like; `least` is how long a sleep has to be for that."""
    return _is_idle(tuple([word.value for word in words]), least)


def _is_idle(values: tuple[str, ...], least: float) -> bool:
    name = base_name(values[0]) if values else ""
    if name == "sleep" and len(values) > 1:
        seconds = values[1].rstrip("s")
        return not (is_whole(seconds.replace(".", "", 1)) and float(seconds) < least)
    return name == "tail" and any(value.startswith("-") and "f" in value.lower() for value in values[1:])


def watched_by(words: Sequence[Word]) -> str | None:
    """The process with which `tail --pid=$PID -f` ends."""
    values = [word.value for word in words]
    if not values or base_name(values[0]) != "tail":
        return None
    if "--pid" in values[:-1]:
        return values[values.index("--pid") + 1]
    return next((value[len("--pid=") :] for value in values if value.startswith("--pid=")), None)


def lingers(words: tuple[Word, ...]) -> bool:
    """Whether a job in the background is idle, and still there when the container is told to stop."""
    return is_idle(words, _LONG_BESIDE)


def filters(words: tuple[Word, ...]) -> bool:
    """Whether a command at the end of a pipe only takes in what the program writes."""
    return bool(words) and base_name(words[0].value) in table("shell_commands")["filters"]["names"]


def asks(name: str) -> bool:
    """Whether a command's answer decides which way a script goes, and nobody knows it beforehand."""
    return base_name(name) in table("shell_commands")["asks"]["names"]
