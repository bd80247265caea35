"""`gracelint trace --format mermaid`: a flow chart for issues and READMEs."""

from __future__ import annotations

import re

from gracelint.facts.verdict import Verdict
from gracelint.report.canvas import visible
from gracelint.report.html import TONES
from gracelint.report.launches import command, effect, label, title

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gracelint.facts.launch import Launch

_TONES = {Verdict.HANDLED: "good", Verdict.IGNORED: "bad", Verdict.CUT: "bad", Verdict.UNKNOWN: "open"}
_COLOURS = {"good": ("#dafbe1", "#1a7f37"), "bad": ("#ffebe9", "#cf222e"), "open": ("#fff3cd", "#8a5a00")}
_SPECIAL = re.compile(r"""["#;<>&`\\{}\[\]()|]""")


def render(launches: Sequence[Launch]) -> str:
    return "\n".join(["```mermaid", "flowchart TD", *_chart(launches), "```"])


def _chart(launches: Sequence[Launch]) -> Iterator[str]:
    for number, launch in enumerate(launches):
        yield f'  subgraph c{number}["{_text(title(launch))}"]'
        yield "    direction TB"
        names = [f"c{number}h{index}" for index in range(len(launch.hops))]
        for index, hop in enumerate(launch.hops):
            start = f"{label(launch, index)}: " if index == 0 else ""
            yield f'    {names[index]}["{_text(start + command(hop))}<br/>{_text(effect(hop))}"]:::{TONES[hop.effect]}'
        end = f"c{number}end"
        yield f'    {end}(["{launch.verdict.value}: {_text(launch.why)}"]):::{_TONES[launch.verdict]}'
        yield f"    {' --> '.join([*names, end])}"
        yield "  end"
    for tone, (fill, stroke) in _COLOURS.items():
        yield f"  classDef {tone} fill:{fill},stroke:{stroke},color:#1c2128"


def _text(text: str) -> str:
    """Text in which nothing means anything: Mermaid writes characters as `#35;`."""
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", visible(text))
