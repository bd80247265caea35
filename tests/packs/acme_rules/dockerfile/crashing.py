"""A rule with a bug."""

from collections.abc import Iterator

from gracelint import Finding, Severity, Stage, rule


@rule("crashing", severity=Severity.ERROR, subject=Stage)
def crashing(stage: Stage) -> Iterator[Finding]:
    if stage.name == "crash":
        raise ValueError("no luck")
    yield from ()
