"""`gracelint trace`: the story of each launch, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gracelint.base.secrets import veiled_words
from gracelint.facts.launch import Effect
from gracelint.facts.verdict import Verdict
from gracelint.report import containers_told
from gracelint.report.canvas import Piece, coloured, plain, visible
from gracelint.report.launches import LINKS, command, effect, label, title, unit, where
from gracelint.report.timeline import timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gracelint.facts.launch import Budget, Launch
    from gracelint.report.launches import Shown
    from gracelint.source import Span, Unit

VERSION = 1
_STYLES = {
    Verdict.HANDLED: "bold green",
    Verdict.IGNORED: "bold red",
    Verdict.CUT: "bold red",
    Verdict.UNKNOWN: "bold yellow",
}
_EFFECTS = {
    Effect.REPLACES: "green",
    Effect.FORWARDS: "green",
    Effect.SWALLOWS: "red",
    Effect.CUTS: "red",
    Effect.HANDLES: "green",
    Effect.UNKNOWN: "yellow",
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
    yield [(f"{containers_told(launches)}.", "bold")]
    open_ones = [launch for launch in launches if launch.verdict is Verdict.UNKNOWN and not launch.ends_by_itself]
    unknown = Counter(launch.why for launch in open_ones)
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
            {
                "argv": list(veiled_words(hop.argv)),
                "effect": hop.effect.value,
                "why": hop.why,
                **_place(hop.span, shown),
            }
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
    yield [(title(launch), "bold"), (f"  {where(launch.origin.span, shown)}", "bright_blue")]
    if launch.origin.source.unit is not None:
        kind, told = unit(launch.origin.source.unit, shown)
        yield [(f"  {kind:<9}{told}", "")]
    if launch.link is not None and launch.stage is not None:
        yield [(f"  image    {where(launch.stage.from_.span, shown)} ({LINKS[launch.link]})", "")]
    elif launch.stage is None and launch.image.family is None and launch.image.reference:
        yield [(f"  image    {visible(launch.image.reference)}: {_unjoined(launch.fitting, shown)}", "")]
    for number, hop in enumerate(launch.hops):
        yield [
            (f"  {label(launch, number):<7}  ", ""),
            (command(hop), "bold"),
            (f"  {where(hop.span, shown)}" if hop.span else "", "bright_blue"),
        ]
        yield [
            ("           ", ""),
            (effect(hop), _EFFECTS[hop.effect]),
            (f": {visible(hop.why)}" if hop.why else "", ""),
        ]
    yield [("  verdict  ", ""), (launch.verdict.value, _STYLES[launch.verdict]), (f": {visible(launch.why)}", "")]
    for number, moment in enumerate(timeline(launch)):
        start = "  stop     " if not number else "           "
        yield [(start, ""), (f"{moment.seconds:>6g} s  {visible(moment.event)}", "")]


_MOST_FITTING = 3


def _unjoined(fitting: Sequence[str], shown: Shown) -> str:
    """Why an image is not joined with a Dockerfile."""
    if len(fitting) < 2:
        return "no Dockerfile here fits its name"
    names = [visible(shown(path)) for path in fitting[:_MOST_FITTING]]
    others = f" and {len(fitting) - _MOST_FITTING} more" if len(fitting) > _MOST_FITTING else ""
    return f"{len(fitting)} Dockerfiles fit its name: {', '.join(names)}{others}; `images` in the settings decides"
