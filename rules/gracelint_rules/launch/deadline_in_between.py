r"""A supervisor or wrapper that kills the program sooner than the program needs.

## What it does
Reports what stands between PID 1 and the program, passes the stop signal on, and sends SIGKILL before the program can
have finished, though the grace period would let it: `supervisord` after `stopwaitsecs` (10 s), `pm2-runtime` after
`--kill-timeout` (1.6 s), `su` and `runuser` after 2 s, `honcho` after 5 s, `timeout -k`.

## Why is this bad?
Such a deadline ends the program whatever the grace period of the container is: requests in flight and unfinished jobs
are lost on every stop, and raising `terminationGracePeriodSeconds` changes nothing.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN pip install gunicorn supervisor
COPY supervisord.conf shop.py /srv/
WORKDIR /srv
CMD ["supervisord", "-n", "-c", "/srv/supervisord.conf"]
```
```ini bad path=supervisord.conf
[supervisord]
nodaemon=true

[program:shop]
command=gunicorn --graceful-timeout 30 shop:app
```
```yaml bad path=compose.yaml
services:
  shop:
    build: .
    stop_grace_period: 45s
```
Use instead:
```ini good path=supervisord.conf
[supervisord]
nodaemon=true

[program:shop]
command=gunicorn --graceful-timeout 30 shop:app
stopwaitsecs=32
```

## Fix safety
The deadline becomes the time that is needed and the margin, and a grace period that is shorter grows with it. A stop
then takes longer: unsafe. `su` has no such setting; `gosu`, `su-exec` and `setpriv` do its work and leave no process.

## References
- [supervisord: stopwaitsecs](https://supervisord.org/configuration.html#program-x-section-values)
- [pm2: graceful shutdown](https://pm2.keymetrics.io/docs/usage/signals-clean-restart/)
"""

import math
from collections.abc import Iterator

from gracelint import Applicability, Effect, Finding, Fix, Launch, Note, Severity, Shortfall, edits, rule


@rule("deadline-in-between", severity=Severity.ERROR, subject=Launch, verdict=True, about=("shortfalls",))
def deadline_in_between(launch: Launch) -> Iterator[Finding]:
    before = launch.budget.pre_stop.value if launch.budget.pre_stop else 0.0
    shortfall = next((one for one in launch.shortfalls if not before + one.deadline.value >= launch.grace.value), None)
    if shortfall is None or launch.ends_by_itself:
        return
    hop, deadline, drain = shortfall.hop, shortfall.deadline, shortfall.drain
    decides = launch.decisive is not None and launch.decisive.deadline is not None
    if not decides and any(hop.effect in (Effect.SWALLOWS, Effect.CUTS) for hop in launch.hops):
        return  # another hop keeps the signal away, and is reported
    setting = f" ({deadline.setting}{'' if deadline.span else ', by default'})" if deadline.setting else ""
    need = drain.why if drain.seconds is None or decides else f"stopping may need {drain.seconds:g} s ({drain.why})"
    place = deadline.span or hop.span
    yield Finding(
        f"{hop.name} kills what it has told to stop after {deadline.value:g} s{setting}, but {need};"
        " a longer grace period does not help",
        at=place or launch.origin.span,
        notes=(Note(drain.span, "what it needs"),) if drain.span is not None else (),
        fix=_fix(launch, shortfall, before),
        severity=Severity.ERROR if drain.seconds is not None else Severity.WARNING,
    )


def _fix(launch: Launch, shortfall: Shortfall, before: float) -> Fix | None:
    hop, deadline, drain = shortfall.hop, shortfall.deadline, shortfall.drain
    instead = hop.details.get("instead")
    if instead is not None:
        return Fix(f"Start the program with {instead} in place of {hop.name}", (), Applicability.MANUAL)
    if drain.seconds is None or deadline.setting is None:
        return Fix(f"Let the program finish within {deadline.value:g} s", (), Applicability.MANUAL)
    needed = math.ceil(drain.seconds + launch.budget.margin)
    changes = edits.deadlines.raise_to(deadline, needed)
    if before + needed > launch.grace.value and launch.origin.kind != "dockerfile":
        longer = edits.yaml.set_grace(launch, before + needed)
        changes = (*changes, *longer) if changes and longer else None
    title = f"Raise {deadline.setting} to {needed} s"
    return Fix(title, changes or (), Applicability.UNSAFE if changes else Applicability.MANUAL)
