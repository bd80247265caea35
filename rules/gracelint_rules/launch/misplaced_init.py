r"""An init in a place where it does no good.

## What it does
Reports an init that is not PID 1, such as one started by a shell that stays in front of it, and an init that signals
the whole process group (`tini -g`, `dumb-init`) above a program that must be told alone, such as Celery's prefork pool.

## Why is this bad?
Only PID 1 gets the container's stop signal, and only PID 1 inherits orphans. In `sh -c "tini -- python worker.py"` on
Debian the shell is PID 1 and ignores SIGTERM; tini never hears of it. Above Celery, a signal to the whole group kills
the pool's workers in the middle of their tasks, while the main process waits for them.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini
COPY worker.py /worker.py
ENTRYPOINT ["/bin/sh", "-c", "tini -- python /worker.py"]
```
```python bad path=worker.py
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    time.sleep(1)
```
Use instead:
```dockerfile good path=Dockerfile
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini
COPY worker.py /worker.py
ENTRYPOINT ["/bin/sh", "-c", "exec tini -- python /worker.py"]
```

## References
- [tini: subreaping](https://github.com/krallin/tini#subreaping)
"""

from collections.abc import Iterator

from gracelint import Applicability, Finding, Fix, Hop, HopKind, Launch, Severity, Verdict, edits, rule

_FATAL = (Verdict.IGNORED, Verdict.CUT)


@rule("misplaced-init", severity=Severity.ERROR, subject=Launch, verdict=True, about=("inits",))
def misplaced_init(launch: Launch) -> Iterator[Finding]:
    if not launch.inits or launch.one_shot:
        return
    init = launch.inits[0]
    above = launch.hops[: launch.hops.index(init)]
    at = init.span or launch.origin.span
    if above and not init.pid_1 and above[0].pid_1 and not init.details.get("subreaper"):
        first = above[-1]
        if (launch.verdict in _FATAL and first is not launch.blocker) or launch.hook.stops is not None:
            return  # another hop keeps the signal away, and is reported; or the preStop hook ends the program
        seen = f": {first.why}" if launch.verdict in _FATAL else ""
        severity = Severity.ERROR if launch.verdict in _FATAL else Severity.WARNING
        message = f"{init.name} is not PID 1 here, {first.argv[0]} is{seen}"
        yield Finding(message, at=at, fix=_fix(launch, first, init), severity=severity)
        return
    last = launch.decisive
    if init.details.get("group") and last is not None and last.details.get("group_cut"):
        yield Finding(f"{init.why}: {last.why}", at=at)


def _fix(launch: Launch, shell: Hop, init: Hop) -> Fix | None:
    if shell.kind not in (HopKind.SHELL, HopKind.SCRIPT) or init.span is None:
        return None
    changes = edits.script.insert_exec((init.span,))
    return Fix("Let the init replace the shell", changes, Applicability.SAFE) if changes else None
