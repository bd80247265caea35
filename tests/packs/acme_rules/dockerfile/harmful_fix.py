"""A label whose fix does harm: it breaks the file, brings another rule's finding, or stops the signal from arriving."""

from collections.abc import Iterator

from gracelint import Applicability, Edit, Finding, Fix, Severity, Stage, rule

_HARM = {"breaks": "NONSENSE x", "adds": "STOPSIGNAL SIGKILL", "detaches": "STOPSIGNAL SIGUSR2"}


@rule("harmful-fix", severity=Severity.WARNING, subject=Stage)
def harmful_fix(stage: Stage) -> Iterator[Finding]:
    for item in stage.instructions:
        if item.name == "LABEL" and item.argument.text in _HARM:
            fix = Fix("Do harm", (Edit(item.span, _HARM[item.argument.text]),), Applicability.SAFE)
            yield Finding("a label", at=item.span, fix=fix)
