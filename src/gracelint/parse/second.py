"""A second reading of files that a fix has changed, by other parsers than the ones that judged them.

They are imported for nothing else: libcst takes longer to import than most runs take, and dockerfile-parse brings
`logging` along.
"""

from __future__ import annotations

import io
from itertools import pairwise

from gracelint.parse.dockerfile import is_dockerfile_name, read_dockerfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gracelint.source import Source

LONGEST = 30_000
"""Code points of a statement: libcst takes two thousand bytes for each."""


def refused(before: Source, after: Source) -> str | None:
    """The parser that could read a file, and cannot read it as it is now, or reads other instructions than we do."""
    name = after.path[after.path.rfind("/") + 1 :]
    if name.endswith(".py"):
        was, now = _parts(before), _parts(after)
        return "libcst" if not _python(now.keys() - was.keys()) and _python(was.keys() - now.keys()) else None
    if is_dockerfile_name(name):
        return "dockerfile-parse" if not _dockerfile(after) and _dockerfile(before) else None
    return None


def _parts(source: Source) -> dict[str, None]:
    """The lines of each statement that stands in no other, with what stands above it."""
    import ast
    import warnings

    text, starts = source.text, source.line_starts
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lines = [(one.lineno, one.end_lineno or 0) for one in ast.parse(text.removeprefix("\ufeff")).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {text: None}
    ends = [end for (_, end), (start, _) in pairwise(lines) if start > end and end < len(starts)]
    cuts = [0, *(starts[end] for end in ends), len(text)]
    return dict.fromkeys(text[start:end] for start, end in pairwise(cuts))


def _python(parts: Collection[str]) -> bool:
    """Whether libcst reads the parts of a text, and writes them as they were. What is too long is not asked about."""
    import libcst

    short = [part for part in parts if len(part) <= LONGEST]
    return _succeeds(lambda: all(libcst.parse_module(part).code == part for part in short))


def _dockerfile(source: Source) -> bool:
    """Whether dockerfile-parse sees the instructions that we see. It knows no heredocs."""
    from dockerfile_parse import DockerfileParser

    def alike() -> bool:
        seen = [
            block["instruction"]
            for block in DockerfileParser(fileobj=io.BytesIO(source.text.encode(errors="replace"))).structure
            if block["instruction"] != "COMMENT"
        ]
        stages = read_dockerfile(source)
        ours = [instruction.name for stage in stages for instruction in (stage.from_, *stage.instructions)]
        return [name for name in seen if name != "ARG"] == [name for name in ours if name != "ARG"]

    return "<<" not in source.text and _succeeds(alike)


def _succeeds(read: Callable[[], bool]) -> bool:
    """Whether a foreign parser reads without complaint; each complains in its own way."""
    try:
        return read()
    except Exception:
        return False
