"""A base image that is too old."""

from collections.abc import Iterator

from gracelint import Applicability, Edit, Finding, Fix, Severity, Stage, rule


@rule("old-python", severity=Severity.WARNING, subject=Stage, options={"oldest": 3})
def old_python(stage: Stage, oldest: int) -> Iterator[Finding]:
    name, _, tag = stage.base.value.partition(":")
    if name != "python" or not tag.isdecimal() or int(tag) >= oldest or stage.base.span is None:
        return
    span = stage.base.span
    newer = Edit(span.source.span(span.start + len("python:"), span.end), str(oldest))
    yield Finding(
        f"Python {tag} is older than {oldest}",
        at=span,
        fix=Fix(f"Use Python {oldest}", (newer,), Applicability.SAFE),
    )
