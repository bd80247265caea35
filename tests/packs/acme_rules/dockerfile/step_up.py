"""A stage named for a number: each fix counts one up, up to `LIMIT`."""

from collections.abc import Iterator

from gracelint import Applicability, Edit, Finding, Fix, Severity, Stage, rule


@rule("step-up", severity=Severity.INFO, subject=Stage, options={"limit": 3})
def step_up(stage: Stage, limit: int) -> Iterator[Finding]:
    for item in stage.instructions:
        if item.name == "USER" and item.argument.text.isdecimal() and int(item.argument.text) < limit:
            place = item.argument.span(0, len(item.argument.text))
            edit = Edit(place, str(int(item.argument.text) + 1))
            yield Finding(
                f"one more than {item.argument.text}", at=place, fix=Fix("Count", (edit,), Applicability.SAFE)
            )
