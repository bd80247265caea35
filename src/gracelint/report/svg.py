"""`gracelint trace --format svg`: the picture of one launch."""

from __future__ import annotations

from gracelint.facts.verdict import Verdict
from gracelint.report.canvas import visible
from gracelint.report.canvas import width as columns
from gracelint.report.html import TONES
from gracelint.report.launches import command, effect, label, title, where
from gracelint.report.timeline import KILL, SIGNAL, bars, timeline
from gracelint.report.xml import attribute, content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.facts.launch import Launch
    from gracelint.report.launches import Shown

WIDTH = 860
_MARGIN = 24
_LINE = 20
_COLUMNS = 88
"""Of the widest line of text."""
_HUES = {
    "good": "#1a7f37",
    "bad": "#cf222e",
    "open": "#9a6700",
    "calm": "#6e40c9",
    "slow": "#bf8700",
    "spare": "#d0d7de",
    "idle": "#e5534b",
}
_TONES = {Verdict.HANDLED: "good", Verdict.IGNORED: "bad", Verdict.CUT: "bad", Verdict.UNKNOWN: "open"}
_FONT = "font-family:'DejaVu Sans',Helvetica,Arial,sans-serif;font-size:14px"


class _Drawing:
    """What has been drawn, and how far down."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = _MARGIN

    def text(self, text: str, x: int = _MARGIN, *, fill: str = "#1c2128", weight: str = "400") -> None:
        for line in _wrapped(text, _COLUMNS - (x - _MARGIN) // 8):
            self.y += _LINE
            self.parts.append(f'<text x="{x}" y="{self.y}" fill="{fill}" font-weight="{weight}">{content(line)}</text>')


def render(launch: Launch, shown: Shown) -> str:
    drawing = _Drawing()
    drawing.text(title(launch), weight="700")
    drawing.text(where(launch.origin.span, shown), fill="#57606a")
    drawing.text(f"{launch.verdict.value}: {launch.why}", fill=_HUES[_TONES[launch.verdict]], weight="700")
    drawing.y += 12
    for number, hop in enumerate(launch.hops):
        top, hue = drawing.y, _HUES[TONES[hop.effect]]
        name = "" if number else f"{label(launch, number)}  "
        drawing.text(f"{name}{command(hop)}", _MARGIN + 20, weight="700")
        if hop.span:
            drawing.text(where(hop.span, shown), _MARGIN + 20, fill="#57606a")
        drawing.text(effect(hop) + (f": {hop.why}" if hop.why else ""), _MARGIN + 20, fill=hue)
        if number + 1 < len(launch.hops):
            line = f'x1="{_MARGIN + 6}" y1="{top + 15}" x2="{_MARGIN + 6}" y2="{drawing.y + 23}"'
            drawing.parts.append(f'<line {line} stroke="{hue}" stroke-width="3"/>')
        drawing.parts.append(f'<circle cx="{_MARGIN + 6}" cy="{top + 15}" r="6" fill="{hue}"/>')
        drawing.y += 8
    _time(launch, drawing)
    height = drawing.y + _MARGIN
    name = f"{title(launch)}: {launch.verdict.value}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-label={attribute(name)} style="{_FONT}">',
            f"<title>{content(name)}</title>",
            f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#fff" stroke="#d0d7de"/>',
            *drawing.parts,
            "</svg>",
        ]
    )


def _time(launch: Launch, drawing: _Drawing) -> None:
    moments = list(timeline(launch))
    if not moments:
        return
    end = max(moments[-1].seconds, launch.grace.value) or 1.0
    top, room = drawing.y + 14, WIDTH - 2 * _MARGIN
    rect = f'y="{top}" height="22"'
    drawing.parts.append(f'<rect x="{_MARGIN}" width="{room}" {rect} fill="#eaeef2"/>')
    for bar in bars(launch, moments):
        left, wide = _MARGIN + room * bar.start / end, room * (bar.end - bar.start) / end
        drawing.parts.append(f'<rect x="{left:.1f}" width="{wide:.1f}" {rect} fill="{_HUES[bar.kind]}"/>')
    for moment in moments:
        if moment.kind in (SIGNAL, KILL):
            left = _MARGIN + min(room * moment.seconds / end, room - 4)
            hue = "#1c2128" if moment.kind == SIGNAL else "#82071e"
            drawing.parts.append(f'<rect x="{left:.1f}" width="4" {rect} fill="{hue}"/>')
    drawing.y = top + 26
    for moment in moments:
        drawing.text(f"{moment.seconds:g} s  {moment.event}")


def _wrapped(text: str, room: int) -> Iterator[str]:
    line = ""
    for word in visible(text).split(" "):
        while columns(word) > room:
            if line:
                yield line
                line = ""
            yield word[:room]
            word = word[room:]
        if line and columns(line) + 1 + columns(word) > room:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
