"""`gracelint trace`: the story of each launch, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gracelint.facts.launch import DrainSource, Effect
from gracelint.facts.verdict import Verdict
from gracelint.report.canvas import Piece, coloured, plain, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gracelint.facts.launch import Budget, Hop, Launch
    from gracelint.source import Span, Unit

    Shown = Callable[[str], str]
    """A source's path as people see it."""

VERSION = 1
_STYLES = {
    Verdict.HANDLED: "bold green",
    Verdict.IGNORED: "bold red",
    Verdict.CUT: "bold red",
    Verdict.UNKNOWN: "bold yellow",
}
_EFFECTS = {
    Effect.REPLACES: ("replaces itself with the next (exec)", "green"),
    Effect.FORWARDS: ("forwards {signal}", "green"),
    Effect.SWALLOWS: ("swallows {signal}", "red"),
    Effect.CUTS: ("cuts the program off", "red"),
    Effect.HANDLES: ("handles {signal}", "green"),
    Effect.UNKNOWN: ("unknown", "yellow"),
}


def render(launches: Sequence[Launch], fmt: str, *, shown: Shown = str, color: bool = False) -> str:
    if fmt == "json":
        import json

        told = [_as_json(launch, shown) for launch in launches]
        return json.dumps({"version": VERSION, "launches": told}, indent=2, ensure_ascii=False)
    lines = [line for launch in launches for line in (*_story(launch, shown), [])]
    lines += _together(launches)
    if not lines:
        lines = [[("No container is started by these files.", "")]]
    return coloured(lines) if color else plain(lines)


def _together(launches: Sequence[Launch]) -> Iterator[list[Piece]]:
    """How many meet which end, and what would decide the unknown ones, the most frequent first."""
    if len(launches) < 2:
        return
    counts = Counter(launch.verdict for launch in launches)
    fates = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    yield [(f"{len(launches)} containers: {fates}.", "bold")]
    unknown = Counter(launch.why for launch in launches if launch.verdict is Verdict.UNKNOWN)
    for why, count in unknown.most_common():
        yield [(f"  {count:>4} × unknown: {visible(why)}", "")]


def _as_json(launch: Launch, shown: Shown) -> dict[str, Any]:
    origin, program = launch.origin, launch.program
    return {
        "origin": {
            "kind": origin.kind,
            **_place(origin.span, shown),
            "name": origin.name,
            "container": origin.container,
            **_rendered(origin.source.unit, shown),
        },
        "link": launch.link,
        "stop_signal": launch.stop_signal.value,
        "verdict": launch.verdict.value,
        "why": launch.why,
        "hops": [
            {"argv": list(hop.argv), "effect": hop.effect.value, "why": hop.why, **_place(hop.span, shown)}
            for hop in launch.hops
        ],
        "program": program and {**_place(program.span, shown), "language": program.language},
        "budget": _budget_as_json(launch.budget),
    }


def _rendered(unit: Unit | None, shown: Shown) -> dict[str, Any]:
    if unit is None:
        return {}
    if unit.kind != "chart":
        return {"rendered": {"kustomization": shown(unit.path)}}
    return {"rendered": {"chart": shown(unit.path), "release": unit.release, "values": unit.values or None}}


def _budget_as_json(budget: Budget) -> dict[str, Any]:
    drain = budget.drain
    return {
        "grace": _number(budget.grace.value),
        "pre_stop": _number(budget.pre_stop.value) if budget.pre_stop else None,
        "drain": drain.seconds if drain else None,
        "drain_source": drain.source.value if drain else None,
        "margin": budget.margin,
        "needed": budget.needed,
    }


def _number(seconds: float) -> float | None:
    """None for NaN, which JSON has no way to write."""
    return None if seconds != seconds else seconds


def _place(span: Span | None, shown: Shown) -> dict[str, Any]:
    if span is None:
        return {"path": None, "line": None}
    place = span.place
    return {"path": shown(place.source.path).encode("utf-8", "replace").decode(), "line": place.line}


def _story(launch: Launch, shown: Shown) -> Iterator[list[Piece]]:
    yield [(_title(launch), "bold"), (f"  {_where(launch.origin.span, shown)}", "blue")]
    unit = launch.origin.source.unit
    if unit is not None:
        yield [(f"  {_unit(unit, shown)}", "")]
    if launch.link is not None and launch.stage is not None:
        yield [(f"  image    {_where(launch.stage.from_.span, shown)} ({_LINKS[launch.link]})", "")]
    for number, hop in enumerate(launch.hops):
        yield from _hop(hop, number, launch.hops[0].pid_1, shown)
    yield [("  verdict  ", ""), (launch.verdict.value, _STYLES[launch.verdict]), (f": {visible(launch.why)}", "")]
    for number, (seconds, event) in enumerate(_timeline(launch)):
        yield [("  stop     " if not number else "           ", ""), (f"{seconds:>6g} s  {visible(event)}", "")]


def _unit(unit: Unit, shown: Shown) -> str:
    path = visible(shown(unit.path))
    if unit.kind != "chart":
        return f"overlay  {path}"
    return f"chart    {path}, " + (f"values of {visible(unit.values)}" if unit.values else "its own values")


_LINKS = {
    "declared": "as the configuration says",
    "built": "built from it",
    "named": "the only Dockerfile that fits the image's name",
}


def _title(launch: Launch) -> str:
    origin = launch.origin
    if origin.kind == "kubernetes":
        kind = launch.workload.kind if launch.workload else "workload"
        name = f"{kind} {origin.name}" + (f", container {origin.container}" if origin.container else "")
    else:
        name = f"Compose service {origin.name}" if origin.kind == "compose" else f"Dockerfile stage {origin.name}"
    return visible(name)


def _hop(hop: Hop, number: int, outermost_is_pid_1: bool, shown: Shown) -> Iterator[list[Piece]]:
    effect, style = _EFFECTS[hop.effect]
    label = "PID 1" if number == 0 and outermost_is_pid_1 else "hop" if number == 0 else "→"
    command = visible(" ".join(_quoted(word) for word in hop.argv).replace("\n", "⏎"))
    command = command if len(command) <= 100 else command[:99] + "…"
    where = f"  {_where(hop.span, shown)}" if hop.span else ""
    yield [(f"  {label:<7}  ", ""), (command, "bold"), (where, "blue")]
    yield [
        ("           ", ""),
        (effect.format(signal=hop.signal), style),
        (f": {visible(hop.why)}" if hop.why else "", ""),
    ]


def _quoted(word: str) -> str:
    return f"'{word}'" if not word or any(char in word for char in " \t\n;&|<>") else word


def _where(span: Span, shown: Shown) -> str:
    place = span.place
    return f"{visible(shown(place.source.path))}:{place.line}"


def _timeline(launch: Launch) -> Iterator[tuple[float, str]]:
    """What happens when, in seconds from the decision to stop."""
    budget, signal = launch.budget, launch.stop_signal.value
    grace = budget.grace.value
    before = budget.pre_stop.value if budget.pre_stop else 0.0
    if grace != grace:
        return
    if before != before:
        yield 0, "preStop runs; nobody can tell how long"
        yield grace, "SIGKILL if anything still runs"
        return
    if before:
        yield 0, "preStop runs, and the grace period with it"
    if before >= grace:
        yield grace, f"SIGKILL: preStop has used up the grace period before {signal} was sent"
        return
    yield before, f"{signal} to PID 1"
    if launch.verdict is Verdict.IGNORED:
        yield grace, "SIGKILL, exit 137: nothing ended it"
        return
    end, killer = _killed(launch, before)
    if launch.verdict is Verdict.CUT:
        late = launch.decisive is not None and launch.decisive.deadline is not None
        yield (end, f"{killer}: {launch.why}") if late else (before, "the container ends before the program's cleanup")
        return
    drain = launch.shortfalls[0].drain if launch.shortfalls and end < grace else budget.drain
    if drain is None:
        yield end, f"{killer} if anything still runs"
        return
    source = "assumed" if drain.source is DrainSource.ASSUMED else drain.why
    if drain.seconds is None:
        yield before, f"draining, without a limit of its own ({source})"
        yield end, f"{killer} if anything still runs"
    elif before + drain.seconds > end:
        missing = before + drain.seconds - end
        yield end, f"{killer}, up to {missing:g} s before it has drained ({drain.seconds:g} s: {source})"
    else:
        yield before + drain.seconds, f"drained ({source})"
        yield end, f"{killer} if anything still runs"


def _killed(launch: Launch, before: float) -> tuple[float, str]:
    """When what still runs is killed, and by whom."""
    grace = launch.grace.value
    deadlines = [(before + hop.deadline.value, hop) for hop in launch.hops if hop.deadline is not None]
    end, hop = min(deadlines, key=lambda each: each[0], default=(grace, None))
    if hop is None or hop.deadline is None or end >= grace:
        return grace, "SIGKILL"
    setting = f" ({hop.deadline.setting})" if hop.deadline.setting else ""
    return end, f"SIGKILL from {hop.name}{setting}"
