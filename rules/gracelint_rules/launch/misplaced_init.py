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
_SHELLS = (HopKind.SHELL, HopKind.SCRIPT)


@rule("misplaced-init", severity=Severity.ERROR, subject=Launch, verdict=True, about=("inits",))
def misplaced_init(launch: Launch) -> Iterator[Finding]:
    if not launch.inits or launch.one_shot:
        return
    shell, init = _shell_in_front(launch), launch.inits[0]
    below = launch.below(shell) if shell is not None else None
    if shell is not None and below is not None and launch.hook.stops is None:
        where = "is not PID 1 here" if shell.pid_1 else "is not told of the signal"
        message = f"{below.name} {where}, {shell.argv[0]} is: {shell.why}"
        severity = None if launch.loses_work else Severity.WARNING
        yield Finding(message, at=below.span or launch.origin.span, fix=_fix(shell, below), severity=severity)
        return
    at = init.span or launch.origin.span
    first = next((hop for hop in reversed(launch.hops[: launch.hops.index(init)]) if hop.pid_1), None)
    below = launch.below(first) if first is not None else None
    if first is not None and below is not None and _stands_too_low(launch, init):
        message = f"{init.name} is not PID 1 here, {first.argv[0]} is"
        yield Finding(message, at=below.span or at, fix=_fix(first, below), severity=Severity.WARNING)
    elif init.details.get("group") and launch.decisive is not None and launch.decisive.details.get("group_cut"):
        yield Finding(f"{init.why}: {launch.decisive.why}", at=at)


def _stands_too_low(launch: Launch, init: Hop) -> bool:
    """Whether the signal arrives, but orphans are not the init's to reap."""
    reaps = init.pid_1 or init.details.get("subreaper")
    return launch.verdict not in _FATAL and launch.hops[0].pid_1 and not reaps


def _shell_in_front(launch: Launch) -> Hop | None:
    """The shell that keeps the signal from an init, where no rule about shells speaks of it."""
    shell = launch.blocker
    if shell is None or shell.kind not in _SHELLS:
        return None
    above, below = launch.above(shell), launch.below(shell)
    from_npm = above is not None and above.kind is HopKind.PACKAGE_MANAGER
    return shell if below is not None and below.kind is HopKind.INIT and not from_npm else None


def _fix(shell: Hop, init: Hop) -> Fix | None:
    if shell.kind not in _SHELLS or init.span is None:
        return None
    changes = edits.script.insert_exec((init.span,))
    return Fix("Let the init replace the shell", changes, Applicability.SAFE) if changes else None
