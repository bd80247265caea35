"""A handler that throws the stop signal away.

## What it does
Reports `SIG_IGN` for the stop signal, empty handlers, and handlers that only log or print.

## Why is this bad?
The program says that it wants to go on, and it does: until SIGKILL, in the middle of whatever it is doing then. An
orchestrator does not change its mind. Finish what is in flight and leave.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "batch.py"]
```
```python bad path=batch.py
import signal
import time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    time.sleep(1)
```
Use instead:
```python good path=batch.py
import signal
import time

stopping = False


def stop(signum, frame):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
while not stopping:
    time.sleep(1)
```

## References
- [Python: signal](https://docs.python.org/3/library/signal.html)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
"""

from collections.abc import Iterator

from gracelint import Cause, Finding, Program, Severity, rule


@rule("sigterm-ignored", severity=Severity.ERROR, subject=Program, verdict=True)
def sigterm_ignored(program: Program) -> Iterator[Finding]:
    stop = program.stop_because(Cause.DISCARDED)
    if stop is None:
        return
    yield Finding(
        f"{stop.why}: it runs on until {stop.kill}",
        at=stop.reaction.span or program.span,
        notes=stop.notes,
        severity=None if program.launches else Severity.WARNING,
    )
