r"""A grace period that Compose cannot read.

## What it does
Reports a `stop_grace_period` that is no duration: a number without a unit, or a text with a unit that does not exist.
Values that hold a variable nobody can resolve are left alone.

## Why is this bad?
Compose refuses the whole file. What the number was meant to be is not known either, so nothing that depends on the
grace period can be checked.

## Example
```yaml bad path=compose.yaml
services:
  cache:
    image: redis:7
    stop_grace_period: 60
```
Use instead:
```yaml good path=compose.yaml
services:
  cache:
    image: redis:7
    stop_grace_period: 60s
```

## Fix safety
The fix takes a number without a unit for seconds; it is unsafe because it is a guess.

## References
- [Compose: specifying durations](https://docs.docker.com/reference/compose-file/extension/#specifying-durations)
- [Compose: stop_grace_period](https://docs.docker.com/reference/compose-file/services/#stop_grace_period)
"""

import re
from collections.abc import Iterator

from gracelint import Applicability, Edit, Finding, Fix, Launch, Severity, rule


@rule("invalid-grace-period", severity=Severity.ERROR, subject=Launch, about=("service",))
def invalid_grace_period(launch: Launch) -> Iterator[Finding]:
    span = launch.grace.span
    if launch.service is None or span is None or launch.grace.value == launch.grace.value or "$" in span.text:
        return
    text = span.text.strip("\"'")
    number = re.fullmatch("[0-9]+", text)
    problem = "has no unit" if number else "is no duration"
    yield Finding(
        f"`{text}` {problem}: Compose refuses the file; it takes such as 30s and 1m30s",
        at=span,
        fix=Fix(f"Write {text}s", (Edit(span, f"{text}s"),), Applicability.UNSAFE) if number else None,
    )
