"""What may undo the handling that was seen of a program, and that no reader of its language follows."""

from __future__ import annotations

from gracelint.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gracelint.facts.program import Program
    from gracelint.source import Source, Span

_QUOTES = ("'", '"', "`", "[")
_COMMENTS = ("//", "#", "*")


def doubt_of(program: Program) -> str | None:
    """Why it is open after all whether a program ends well."""
    for row in table("doubts").get(program.language, {}).values():
        for source in program.sources:
            span = next(_calls(source, row), None)
            if span is not None:
                aside = "" if source is program.source else f" of {source.path}"
                why: str = row["why"]
                return why.format(place=f"line {span.line}{aside}")
    return None


def _calls(source: Source, row: Mapping[str, Any]) -> Iterator[Span]:
    text = source.text
    for call in row["calls"]:
        at = text.find(call)
        while at >= 0:
            end = at + len(call)
            line = text[text.rfind("\n", 0, at) + 1 : at].lstrip()
            written_out = row.get("literal", False) and text[end : end + 80].lstrip().startswith(_QUOTES)
            if not (line.startswith(_COMMENTS) or written_out):
                yield source.span(at, end)
            at = text.find(call, end)
