"""A second reading of files that a fix has changed, by other parsers than the ones that judged them.

They are imported for nothing else: libcst takes longer to import than most runs take, and dockerfile-parse brings
`logging` along.
"""

from __future__ import annotations

import io

from gracelint.parse.dockerfile import is_dockerfile_name, read_dockerfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gracelint.source import Source


def refused(before: Source, after: Source) -> str | None:
    """The parser that could read a file, and cannot read it as it is now, or reads other instructions than we do."""
    name = after.path[after.path.rfind("/") + 1 :]
    if name.endswith(".py"):
        return "libcst" if not _python(after) and _python(before) else None
    if is_dockerfile_name(name):
        return "dockerfile-parse" if not _dockerfile(after) and _dockerfile(before) else None
    return None


def _python(source: Source) -> bool:
    """Whether libcst reads the text, and writes it as it was."""
    import libcst

    return _succeeds(lambda: bool(libcst.parse_module(source.text).code == source.text))


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
