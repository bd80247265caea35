"""From the command line of PID 1 to the program: every process the stop signal meets on its way."""

from __future__ import annotations

from gracelint.base.limits import PROCESSES
from gracelint.base.record import Record, replace
from gracelint.facts.launch import Drain, Effect, Hop, HopKind, Shortfall
from gracelint.facts.verdict import Verdict
from gracelint.knowledge import keys
from gracelint.launch.images import image
from gracelint.launch.images.bases import SHELLS, program_of
from gracelint.launch.one_shots import says_it_ends
from gracelint.launch.step import Context, Step
from gracelint.launch.words import base_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gracelint.facts.program import Program
    from gracelint.source import Span, Word

    Reader = Callable[[tuple[Word, ...], Context], Step | None]

_LONGEST_WAY = 24
"""Hops; a launch that has more is a loop (npm start that runs npm start)."""

_VERDICTS = {
    Effect.SWALLOWS: Verdict.IGNORED,
    Effect.CUTS: Verdict.CUT,
    Effect.HANDLES: Verdict.HANDLED,
    Effect.UNKNOWN: Verdict.UNKNOWN,
}
_BAD = (Verdict.IGNORED, Verdict.CUT)
_WORST_FIRST = (Verdict.IGNORED, Verdict.CUT, Verdict.UNKNOWN, Verdict.HANDLED)


class Way(Record, identity=True):
    """The hops of one launch, and what they amount to."""

    hops: tuple[Hop, ...] = ()
    verdict: Verdict = Verdict.UNKNOWN
    why: str = "nothing is known of the command"
    decisive: Hop | None = None
    program: Program | None = None
    programs: tuple[Program, ...] = ()
    """Every program that was read, those of side branches included."""
    drains: tuple[Drain, ...] = ()
    children: tuple[Span, ...] = ()
    """Processes left running beside the program: background jobs, the other end of a pipe."""
    one_shot: bool = False
    development: bool = False
    shortfalls: tuple[Shortfall, ...] = ()
    others: tuple[Way, ...] = ()
    """Of a supervisor's other programs, those that are ignored or cut for a cause of their own."""


def follow(argv: tuple[Word, ...], context: Context) -> Way:
    """Walks from a command line to the program it ends in, and folds the hops into a verdict."""
    steps: list[Step] = []
    way = Way()
    while True:
        context.followed.count += 1
        if context.followed.count > PROCESSES:
            way = _unknown(argv, context, "what is started is too large to be followed")
            break
        if context.depth + len(steps) > _LONGEST_WAY:
            way = _unknown(argv, context, "the command starts itself over and over")
            break
        if not argv:
            way = replace(_unknown(argv, context, "without a command nothing is started"), one_shot=True)
            break
        step = _step(argv, context)
        steps.append(step)
        context = step.context or context
        if step.together:
            hop, way = _together(step)
            steps[-1] = replace(step, hop=hop)
            break
        if step.also:
            way = _alternatives([step.next or (), *step.also], context)
            break
        if step.next is None:
            break
        argv = step.next
    for step in reversed(steps):
        way = _behind(step, way)
    return way


def _step(argv: tuple[Word, ...], context: Context) -> Step:
    for step_of in _readers(argv, context):
        step = step_of(argv, context)
        if step is not None:
            return step
    name = argv[0].value
    reason = f"`{name}` is only known when it runs" if "$" in name else f"nothing is known of the command {name}"
    ends = says_it_ends(base_name(name).removesuffix(".sh"))
    return Step(_unknown_hop(argv, context, reason), one_shot=ends or None)


def _readers(argv: tuple[Word, ...], context: Context) -> Iterator[Reader]:
    """What may know a command, in order, each imported only where the name does not rule it out."""
    word, name = argv[0].value, base_name(argv[0].value)
    yield image.step
    reference = context.image.reference
    if reference is not None and program_of(reference, tuple(one.value for one in argv)) is not None:
        from gracelint.launch.servers import servers

        yield servers.step
    if name in SHELLS or image.find_text(context.image, context.files, word, context.working_dir) is not None:
        from gracelint.launch.shell import shell

        yield shell.step
    if name == "busybox" or name in context.wrappers or _is_listed(word, name, "inits", "wrappers"):
        from gracelint.launch import wrappers

        yield wrappers.step
    if _is_listed(word, name, "supervisors"):
        from gracelint.launch import supervisors

        yield supervisors.step
    if name in ("node", "nodejs") or _is_listed(word, name, "package_managers"):
        from gracelint.launch.runtimes import package_manager

        yield package_manager.step
    from gracelint.launch.runtimes import programs
    from gracelint.launch.servers import servers

    yield programs.step
    yield servers.step


def _is_listed(word: str, name: str, *tables: str) -> bool:
    return any(word in keys(table) or name in keys(table) for table in tables)


def _behind(step: Step, way: Way) -> Way:
    """The way with one more step in front of it."""
    hop = step.hop
    if hop is not None and not step.together:
        hop, way = _in_time(hop, way)
    beside = hop.details.get("beside") if hop is not None else None
    if hop is not None and beside is not None and way.verdict is Verdict.HANDLED:
        details = {**hop.details, "cause": "beside", "at": beside.span, "reached_by_exec": False}
        hop = replace(hop, effect=Effect.CUTS, why=beside.why, details=details)
    if hop is not None and "script" in hop.details and way.hops and way.hops[-1].effect is Effect.UNKNOWN:
        way = replace(way, one_shot=way.one_shot or says_it_ends(hop.details["script"]))
    programs = (step.program, *way.programs) if step.program is not None else way.programs
    longer = replace(
        way,
        hops=(hop, *way.hops) if hop is not None else way.hops,
        program=way.program or step.program,
        programs=programs,
        drains=(step.drain, *way.drains) if step.drain is not None else way.drains,
        children=(*step.children, *way.children),
        one_shot=not step.lasts and (way.one_shot if step.next is not None or step.together else bool(step.one_shot)),
        development=way.development or step.development,
        others=way.others if step.together else tuple(_behind(step, other) for other in way.others),
    )
    if hop is None:
        return longer
    verdict = _VERDICTS.get(hop.effect)
    if verdict is Verdict.UNKNOWN and _same_whatever_the_shell_does(hop, way):
        return longer
    if longer.one_shot and way.decisive is not None and way.decisive.details.get("cause") == "at-once":
        return longer  # nothing waits for what has ended already
    if verdict is not None:
        return replace(longer, verdict=verdict, why=hop.why, decisive=hop, others=())
    if _is_orphaned(way) and hop.pid_1 and hop.details.get("waits_for_orphans"):
        why = f"{way.why}; {hop.name}, as PID 1, then waits for the program, which nobody has told to stop"
        waiting = replace(hop, effect=Effect.SWALLOWS, why=why)
        return replace(longer, hops=(waiting, *way.hops), verdict=Verdict.IGNORED, why=why, decisive=waiting)
    return longer


_SHELLS = (HopKind.SHELL, HopKind.SCRIPT)


def _is_orphaned(way: Way) -> bool:
    """Whether a shell ends before its program, which nobody has told to stop."""
    return way.verdict is Verdict.CUT and way.decisive is not None and way.decisive.kind in _SHELLS


def _in_time(hop: Hop, way: Way) -> tuple[Hop, Way]:
    if hop.deadline is None:
        return hop, way
    from gracelint.launch.deadlines import in_time

    return in_time(hop, way, hop.deadline)


def _same_whatever_the_shell_does(hop: Hop, way: Way) -> bool:
    """A shell nobody knows either keeps itself (ignored as PID 1, else cut) or execs: if both end alike, that is it."""
    if not hop.details.get("stays_or_execs") or way.decisive is None:
        return False
    return way.verdict is (Verdict.IGNORED if hop.pid_1 else Verdict.CUT)


def _together(step: Step) -> tuple[Hop, Way]:
    """What a supervisor runs side by side: the worst decides, and is shown behind the supervisor as that meets it.

    Beside others, what ends by itself has ended long before, where that ends nothing else.
    """
    found: list[tuple[Hop, Way]] = []
    assert step.hop is not None, "it stands in front of what it runs"
    for context, way in _each(step):
        rest = step.hop.details.get("rest")
        if rest is not None and _is_orphaned(way):
            way = _told_last(way, rest)
        hop, way = _in_time(replace(step.hop, deadline=context.deadline), way)
        way = _without_shells(way) if hop.details.get("waits_for_output") else way
        found.append((hop, way))
    ways = [way for _, way in found]
    found = [each for each in found if not (step.lasts and each[1].one_shot)] or found
    hop, worst = min(found, key=lambda each: _rank(*each))
    whole = [_behind(replace(step, hop=its), way) for its, way in found]
    wrong = {_cause(way): way for way in whole if way.verdict in _BAD}
    wrong.pop(_cause(_behind(replace(step, hop=hop), worst)), None)
    if step.lasts and all(way.one_shot for way in ways):
        why = f"all that {hop.name} starts ends by itself, and whether more is started later is not known"
        hop = replace(hop, effect=Effect.UNKNOWN, why=why)
    return hop, replace(
        worst,
        others=tuple(wrong.values()),
        programs=tuple(program for way in ways for program in way.programs),
        drains=tuple(drain for way in ways for drain in way.drains),
        shortfalls=tuple(shortfall for way in ways for shortfall in way.shortfalls),
        one_shot=all(way.one_shot for way in ways),
        development=worst.development if worst.verdict in _BAD else any(way.development for way in ways),
    )


def _each(step: Step) -> Iterator[tuple[Context, Way]]:
    """The way of each of a supervisor's programs. A crowd of them shares the texts that it reads, as launches do."""
    count = len(step.together)
    crowd = 1 << (count - 1).bit_length() if count > _CROWD else 1
    for argv, context in step.together:
        effort = context.followed.effort
        launches = effort.launches
        effort.launches = launches * crowd
        try:
            way = follow(argv, replace(context, deadline=None))
        finally:
            effort.launches = launches
        yield context, way


_CROWD = 16
"""Programs that no supervisor of one container has in practice."""


def _cause(way: Way) -> tuple[str, Span | None]:
    return way.why, way.decisive.span if way.decisive is not None else None


def _rank(hop: Hop, way: Way) -> int:
    return _WORST_FIRST.index(_VERDICTS.get(hop.effect) or way.verdict)


def _told_last(way: Way, rest: str) -> Way:
    """A program that its shell has left behind is told to stop when all services have ended, with little time."""
    hops = [replace(hop, details={**hop.details, "rest": rest}) if hop is way.decisive else hop for hop in way.hops]
    decisive = next(hop for hop in hops if hop.details.get("rest") == rest)
    return replace(way, hops=tuple(hops), decisive=decisive)


def _without_shells(way: Way) -> Way:
    """Where the whole group is signalled and its output waited for, a shell that dies first does no harm."""
    hops = [replace(hop, effect=Effect.FORWARDS) if hop.kind in _SHELLS else hop for hop in way.hops]
    decisive = next((hop for hop in hops if hop.effect in _VERDICTS), None)
    if decisive is None:
        return way
    return replace(way, hops=tuple(hops), verdict=_VERDICTS[decisive.effect], why=decisive.why, decisive=decisive)


def _alternatives(lines: Iterable[tuple[Word, ...]], context: Context) -> Way:
    """Command lines of which only one is started, nobody knows which: sure only where all end alike.

    A development server is not what runs where there is another way.
    """
    ways = [follow(line, replace(context, depth=context.depth + 1)) for line in lines if line]
    ways = [way for way in ways if not way.development] or ways
    first = ways[0]
    programs = tuple(program for way in ways for program in way.programs)
    if all(way.verdict is first.verdict for way in ways):
        return replace(first, programs=programs)
    why = "which command is started depends on arguments or variables that are only known when it runs"
    return replace(first, programs=programs, verdict=Verdict.UNKNOWN, why=why, decisive=None)


def _unknown(argv: tuple[Word, ...], context: Context, why: str) -> Way:
    hop = _unknown_hop(argv, context, why)
    return Way((hop,), Verdict.UNKNOWN, why, hop)


def _unknown_hop(argv: tuple[Word, ...], context: Context, why: str) -> Hop:
    words = tuple(word.value for word in argv)
    name = base_name(words[0]) if words else ""
    span = argv[0].span if argv else None
    return Hop(words, HopKind.PROGRAM, name, Effect.UNKNOWN, why, span or context.span, context.pid_1, context.signal)
