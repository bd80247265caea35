"""`gracelint render`: what charts and overlays come to, each line with the place it comes from."""

from __future__ import annotations

from gracelint.report.canvas import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gracelint.source import Source, Unit

WIDTH = 60
"""Columns; places stand behind them."""


def render(sources: Iterable[Source], shown: Callable[[str], str] = str) -> str:
    """The manifests as one YAML stream, under a comment for each release and overlay."""
    return "\n".join(line for source in sources for line in _lines(source, shown))


def _lines(source: Source, shown: Callable[[str], str]) -> Iterator[str]:
    yield "---"
    if source.unit is not None:
        yield f"# {_name(source.unit, shown)}"
    in_block = ""
    for number, start in enumerate(source.line_starts, 1):
        line = source.line_span(number).text
        if not line.strip() or (line.strip() == "---" and not in_block):
            yield from ["---"] if line.strip() and number > 1 else ()
            continue
        place = source.span(start + len(line) - len(line.lstrip()), start + len(line)).place
        indent = line[: len(line) - len(line.lstrip())]
        in_block = in_block if in_block and len(indent) >= len(in_block) else ""
        where = f"# {visible(shown(place.source.path))}:{place.line}"
        # Behind a line of a block scalar a comment would be text.
        yield line if in_block else f"{line:<{WIDTH}}  {where}"
        if line.rstrip().endswith(("|", "|-", "|+", ">", ">-", ">+")) and not in_block:
            in_block = indent + " "


def _name(unit: Unit, shown: Callable[[str], str]) -> str:
    path = visible(shown(unit.path)) or "."
    if unit.kind != "chart":
        return f"overlay {path}"
    values = f", values of {visible(unit.values)}" if unit.values else ""
    return f"chart {path}, release {visible(unit.release or '')}{values}"
