"""Every launch, at the command it starts."""

from collections.abc import Iterator

from gracelint import Finding, Launch, Severity, rule


@rule("seen-launch", severity=Severity.INFO, subject=Launch, strict=True)
def seen_launch(launch: Launch) -> Iterator[Finding]:
    severity = Severity.ERROR if launch.origin.kind == "compose" else None
    yield Finding(f"{launch.origin.kind} starts this", at=launch.command_span, severity=severity)
