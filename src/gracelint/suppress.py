"""Comments and annotations that silence a rule in one place, with a reason.

    # gracelint: ignore[missing-init, shell-form-command] the base image's init does this

A comment holds for its own line or, where it stands alone, for the next line that is no comment. It silences every
finding that points there, be it with a note. A Dockerfile knows no comment behind an instruction, so there one that
stands alone holds for the whole instruction below it.
"""

from __future__ import annotations

from gracelint.base.record import Record
from gracelint.tree.discover import DOCKERFILE, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gracelint.facts.compose import ComposeService
    from gracelint.facts.kubernetes import Workload
    from gracelint.source import Source, Span

MARK = "gracelint:"
ANNOTATION = "gracelint/ignore"
_WELL_FORMED = r"gracelint:[ \t]*ignore\[([^\]\r\n]*)\]([^\r\n]*)"
_ORDERS = frozenset(("allow", "disable", "exclude", "noqa", "nolint", "off", "silence", "skip", "suppress"))


class Suppression(Record, identity=True):
    """One rule name in a comment or an annotation, and the text it holds for."""

    rule: str
    at: Span
    """The name."""
    reach: Span
    removal: Span | None
    """What to delete when the name goes; None where that takes an editor."""
    reason: str = ""
    """What the comment says behind the names."""

    def covers(self, span: Span) -> bool:
        reach = self.reach
        return (
            span.source is reach.source
            and span.start <= reach.end
            and (span.start >= reach.start or span.end > reach.start)
        )


def comments(source: Source) -> Iterator[Suppression]:
    """The suppressions in a file's comments."""
    text = source.text
    if MARK not in text or source.path.endswith(".json"):
        return
    import re

    marker = _marker(source)
    comment = re.compile(rf"(?<![^\s\ufeff]){re.escape(marker)}[ \t]*{_WELL_FORMED}")
    block = below = 0
    under = source.span(0, 0)
    for match in comment.finditer(text):
        line = source.position(match.start())[0]
        line_span = source.line_span(line)
        alone = not text[line_span.start : match.start()].strip("\ufeff \t")
        if not alone and kind_of(source.path) == DOCKERFILE:
            continue
        if alone and not block <= line < below:
            block, below = line, _below(source, line, marker)
            under = _instruction(source, below, marker)
        reach = under if alone else line_span
        whole = _with_newline(line_span) if alone else _with_space_before(source, match.start(), match.end())
        reason = match.group(2).removesuffix("*/").strip(" \t:,.-–—")
        yield from _names(source, match.group(1), match.start(1), reach, whole, reason)


def malformed(source: Source) -> Iterator[tuple[Span, str]]:
    """Comments that were meant to silence a rule and do not, each with the reason."""
    text = source.text
    if "racelint" not in text or source.path.endswith(".json"):
        return
    import re

    marker = _marker(source)
    opening = rf"(?<![^\s\ufeff])(?:{re.escape(marker)}+|/\*|<!--)[ \t]*"
    comment = re.compile(rf"{opening}(gracelint\b[^\r\n]*)", re.IGNORECASE)
    for match in comment.finditer(text):
        said = match.group(1).rstrip().removesuffix("*/").removesuffix("-->").rstrip()
        at = source.span(match.start(1), match.start(1) + len(said))
        found = re.match(_WELL_FORMED, said)
        if found is None:
            if _is_meant(said):
                yield at, "this silences nothing: write `gracelint: ignore[rule-name]`"
        elif not found.group(1).strip(" ,\t"):
            yield at, "this silences nothing: it names no rule"
        elif not text.startswith(marker, match.start()) or text.startswith(marker * 2, match.start()):
            yield at, f"this silences nothing: begin the comment with `{marker}`"
        elif kind_of(source.path) == DOCKERFILE and _follows_something(source, match.start()):
            yield at, "this silences nothing: a Dockerfile has comments on lines of their own only, so write it above"


def _is_meant(said: str) -> bool:
    """Whether the text of a comment, from our name on, is an order to be silent and not a sentence."""
    import re

    match = re.match(
        r"gracelint([ \t]*[:=]|[-_.]|[ \t]+)?[ \t]*([a-z]*)[ \t]*([-:=(\[]?)[ \t]*(.*)", said, re.IGNORECASE
    )
    assert match is not None
    joint, word, sign, rest = (part or "" for part in match.groups())
    ordered = word.lower() in _ORDERS or word.lower().startswith("ignor")
    if joint.strip() in (":", "="):
        return ordered or sign == "[" or (not word and not rest)
    names = [name for name in re.split(r"[\s,\])]+", rest) if name]
    return ordered and (bool(sign) or not names or "-" in names[0])


def _follows_something(source: Source, offset: int) -> bool:
    line = source.line_span(source.position(offset)[0])
    return bool(source.text[line.start : offset].strip("\ufeff \t"))


_SLASHES = (
    *(".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx"),
    *(".go", ".java", ".cs", ".rs"),
)
"""Files whose comments begin with two slashes."""


def _marker(source: Source) -> str:
    return "//" if source.path.endswith(_SLASHES) else "#"


def annotated(workloads: Iterable[Workload], services: Iterable[ComposeService]) -> Iterator[Suppression]:
    """The suppressions in `gracelint/ignore` annotations and labels: each holds for its object."""
    items: tuple[Workload | ComposeService, ...] = (*workloads, *services)
    for item in items:
        word = (item.annotations or {}).get(ANNOTATION)
        if word is None or word.span is None:
            continue
        for name in word.value.split(","):
            if name.strip():
                yield Suppression(name.strip(), word.span, item.node.span, None)


def _names(source: Source, listed: str, start: int, reach: Span, whole: Span, reason: str) -> Iterator[Suppression]:
    parts = listed.split(",")
    offset = start
    for index, part in enumerate(parts):
        name = part.strip()
        at = offset + len(part) - len(part.lstrip())
        if name:
            removal = whole
            if len(parts) > 1:
                first, last = (offset, offset + len(part) + 1) if index == 0 else (offset - 1, offset + len(part))
                removal = source.span(first, last)
            yield Suppression(name, source.span(at, at + len(name)), reach, removal, reason)
        offset += len(part) + 1


def _below(source: Source, line: int, marker: str) -> int:
    """The first line below that is no comment; one more than there are where there is none."""
    last = len(source.line_starts)
    line += 1
    while line < last and source.line_span(line).text.lstrip().startswith(marker):
        line += 1
    return line


def _instruction(source: Source, line: int, marker: str) -> Span:
    """A line, with its continuation lines in a Dockerfile."""
    last = len(source.line_starts)
    if line > last:
        return source.span(len(source.text), len(source.text))
    start = source.line_span(line).start
    if marker == "#" and _continues_lines(source.path):
        while line < last and _goes_on(source.line_span(line).text):
            line += 1
    return source.span(start, source.line_span(line).end)


def _goes_on(line: str) -> bool:
    """Whether the instruction of a line has more below it; comment lines do not end it."""
    return line.rstrip().endswith(("\\", "`")) or line.lstrip().startswith("#")


def _continues_lines(path: str) -> bool:
    return not path.endswith((".yaml", ".yml", ".py"))


def _with_newline(line: Span) -> Span:
    text = line.source.text
    end = line.end
    if text.startswith("\r\n", end):
        end += 2
    elif end < len(text):
        end += 1
    start = line.start + text.startswith("\ufeff", line.start)
    return line.source.span(start, end)


def _with_space_before(source: Source, start: int, end: int) -> Span:
    while start > 0 and source.text[start - 1] in " \t":
        start -= 1
    return source.span(start, end)
