"""Findings about rendered text, said of the files that people edit."""

from __future__ import annotations

from gracelint.base.patterns import pattern
from gracelint.base.record import replace
from gracelint.finding import Applicability, Edit, Finding, Fix, Note
from gracelint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gracelint.source import Source, SourceMap


def placed(finding: Finding) -> Finding:
    """The finding with its places in templates, bases and patches, and a note on the value that decides it."""
    notes = dict.fromkeys(Note(note.span.place, note.text) for note in finding.notes)
    notes |= dict.fromkeys(_values(finding))
    at = finding.at.place
    fix = _placed_fix(finding.fix) if finding.fix is not None else None
    return replace(finding, at=at, notes=tuple(note for note in notes if note.span != at), fix=fix)


def _values(finding: Finding) -> Iterator[Note]:
    """Where the value at the finding's place is written."""
    at = finding.at
    value = at.source.map.value(at.start) if at.source.map is not None else None
    if value is not None:
        yield Note(value, "this value fills it in")


def _placed_fix(fix: Fix) -> Fix:
    """The fix as edits of templates, patches or values; one for people where no such edit is sure."""
    if all(edit.span.source.map is None for edit in fix.edits):
        return fix
    edits = [_placed_edit(edit) for edit in fix.edits]
    slot = next(
        (found for edit, placed in zip(fix.edits, edits, strict=True) if (found := _asked_for(edit, placed))), None
    )
    if slot is not None:
        return Fix(f"{fix.title}{slot}", (), Applicability.MANUAL)
    if any(edit is None for edit in edits):
        return Fix(f"{fix.title}{_slot(fix)}", (), Applicability.MANUAL)
    return Fix(fix.title, tuple(edit for edit in edits if edit is not None), _milder(fix.applicability))


def _milder(applicability: Applicability) -> Applicability:
    """What a template says is rendered in more than one way, so no edit of it is safe."""
    return Applicability.UNSAFE if applicability is Applicability.SAFE else applicability


def _slot(fix: Fix) -> str:
    """The value of the chart that would do it, for people."""
    for edit in fix.edits:
        places = edit.span.source.map
        for origin in places.among(edit.span.start, edit.span.end) if places is not None else ():
            if origin.path is not None:
                return f" (it comes from the chart's value `{'.'.join(map(str, origin.path))}`)"
    return ""


def _asked_for(edit: Edit, placed: Edit | None) -> str | None:
    """What to set, where the template has the key that an edit puts in, and leaves it out for want of a value."""
    found = _KEY.search(edit.text) if placed is not None and edit.span.start == edit.span.end else None
    if found is None or placed is None or "{{" not in placed.span.source.text:
        return None
    column = len(found[1]) if found.start() else edit.span.column - 1
    lines, at = placed.span.source.text.split("\n"), placed.span.line - 1
    for index in (*_block(lines, at, -1, column), *_block(lines, at + 1, 1, column)):
        if lines[index].lstrip(" -").startswith(f"{found[2]}:"):
            around = "\n".join((*lines[max(0, index - 1) : index + 3], *lines[max(0, index - 3) : index - 1]))
            value = _VALUE.search(around)
            return f" (set `{value[1]}` in the chart's values)" if value is not None else ""
    return None


_KEY = pattern(r"(?m)^([ ]*)([A-Za-z][\w-]{0,60}):")
_VALUE = pattern(r"\.Values\.([A-Za-z][\w.]{0,200})")


def _block(lines: list[str], at: int, way: int, column: int) -> Iterator[int]:
    """The lines of a mapping in a template, from one of them on; what only templates see stands in no column."""
    while 0 <= at < len(lines):
        text = lines[at].lstrip(" ")
        indent = len(lines[at]) - len(text)
        begins = text.startswith("- ") and indent + 2 == column
        if begins and way < 0:
            yield at
        if text and not text.startswith("{{") and indent < column:
            return
        if indent == column:
            yield at
        at += way


def _placed_edit(edit: Edit) -> Edit | None:
    source, start, end = edit.span.source, edit.span.start, edit.span.end
    places = source.map
    if places is None:
        return edit
    if start == end:
        return _insertion(source, places, edit)
    value = places.value(start)
    if value is not None and places.whole(start, end) and value.text.strip("\"'") == edit.span.text.strip("\"'"):
        return Edit(value, edit.text)
    if not places.literal(start, end):
        return None
    place = places.span(start, end)
    return Edit(place, edit.text) if place.text == edit.span.text and _same_column(edit.span, place, edit) else None


def _insertion(source: Source, places: SourceMap, edit: Edit) -> Edit | None:
    """What is put in between stands behind the text before it, or before the text after it."""
    start = edit.span.start
    if start and places.literal(start - 1, start):
        before = places.span(start - 1, start)
        place = Span(before.source, before.end, before.end)
    elif places.literal(start, start + 1):
        after = places.span(start, start + 1)
        place = Span(after.source, after.start, after.start)
    else:
        return None
    return Edit(place, edit.text) if _same_column(edit.span, place, edit) else None


def _same_column(rendered: Span, place: Span, edit: Edit) -> bool:
    """Whether lines that an edit brings are indented as what stands around them."""
    if "\n" not in edit.text:
        return True
    line, real = rendered.source.line_span(rendered.line).text, place.source.line_span(place.line).text
    return len(line) - len(line.lstrip(" ")) == len(real) - len(real.lstrip(" "))
