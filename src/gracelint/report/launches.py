"""What people call a launch and its hops, in all formats."""

from __future__ import annotations

from gracelint.base.secrets import veiled_words
from gracelint.facts.launch import Effect
from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.facts.launch import Hop, Launch
    from gracelint.source import Span, Unit

    Shown = Callable[[str], str]
    """A source's path as people see it."""

_EFFECTS = {
    Effect.REPLACES: "replaces itself with the next (exec)",
    Effect.FORWARDS: "forwards {signal}",
    Effect.SWALLOWS: "swallows {signal}",
    Effect.CUTS: "cuts the program off",
    Effect.HANDLES: "handles {signal}",
    Effect.UNKNOWN: "unknown",
}
_LONGEST = 100
"""Characters of a command that are shown."""
LINKS = {
    "declared": "as the configuration says",
    "built": "built from it",
    "named": "the only Dockerfile that fits the image's name",
}


def title(launch: Launch) -> str:
    origin = launch.origin
    if origin.kind == "kubernetes":
        kind = launch.workload.kind if launch.workload else "workload"
        name = f"{kind} {origin.name}" + (f", container {origin.container}" if origin.container else "")
    else:
        name = f"Compose service {origin.name}" if origin.kind == "compose" else f"Dockerfile stage {origin.name}"
    return visible(name)


def label(launch: Launch, number: int) -> str:
    """What stands before a hop: `PID 1`, `hop`, or an arrow."""
    return ("PID 1" if launch.hops[0].pid_1 else "hop") if number == 0 else "→"


def command(hop: Hop) -> str:
    told = visible(" ".join(_quoted(word) for word in veiled_words(hop.argv)).replace("\n", "⏎"))
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"


def _quoted(word: str) -> str:
    return f"'{word}'" if not word or any(char in word for char in " \t\n;&|<>") else word


def effect(hop: Hop) -> str:
    """What a hop does to the signal."""
    return visible(_EFFECTS[hop.effect].format(signal=hop.signal))


def where(span: Span, shown: Shown) -> str:
    """`path:line`, said of the template where the text was rendered."""
    place = span.place
    return f"{visible(shown(place.source.path))}:{place.line}"


def unit(unit: Unit, shown: Shown) -> tuple[str, str]:
    """What rendered text is applied with: `chart` or `overlay`, and which."""
    path = visible(shown(unit.path))
    if unit.kind != "chart":
        return "overlay", path
    return "chart", f"{path}, " + (f"values of {visible(unit.values)}" if unit.values else "its own values")
