"""A handler for Ctrl-C, and none for the signal that containers are stopped with.

## What it does
Reports programs that handle SIGINT or catch KeyboardInterrupt but not the signal that arrives, which is SIGTERM
unless STOPSIGNAL says otherwise. Silent where STOPSIGNAL is SIGINT.

## Why is this bad?
The program stops well on a terminal, so it looks done. In a container it never hears of the stop: `docker stop` and
Kubernetes send SIGTERM, which PID 1 ignores without a handler, and which kills at once under an init.

## Example
```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
ENTRYPOINT ["tini", "--"]
CMD ["python", "exporter.py"]
```
```python bad path=exporter.py
import time

try:
    while True:
        time.sleep(1)
except KeyboardInterrupt:
    print("exporter finished")
```
Use instead:
```python good path=exporter.py
import signal
import time

signal.signal(signal.SIGTERM, signal.default_int_handler)

try:
    while True:
        time.sleep(1)
except KeyboardInterrupt:
    print("exporter finished")
```

```dockerfile bad path=Dockerfile
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
ENTRYPOINT ["tini", "--"]
CMD ["python", "client.py"]
```
```python bad path=client.py
import signal
import sys
import time


def leave(signum, frame):
    print("connection closed")
    sys.exit(0)


signal.signal(signal.SIGINT, leave)
while True:
    time.sleep(1)
```
Use instead:
```python good path=client.py
import signal
import sys
import time


def leave(signum, frame):
    print("connection closed")
    sys.exit(0)


signal.signal(signal.SIGINT, leave)
signal.signal(signal.SIGTERM, leave)
while True:
    time.sleep(1)
```

## Fix safety
There is none where the handler for SIGINT would not end the program in good order on SIGTERM either. Unsafe in Python,
Ruby and PHP, where a handler may raise an exception in the middle of anything; safe in Node, where it is one more
listener.

## References
- [Python: signal](https://docs.python.org/3/library/signal.html)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
"""

from collections.abc import Iterator

from gracelint import Applicability, Cause, Finding, Fix, Program, Severity, Verdict, edits, rule


@rule("sigint-only-handler", severity=Severity.ERROR, subject=Program, verdict=True)
def sigint_only_handler(program: Program) -> Iterator[Finding]:
    stop = program.stop_because(Cause.OTHER_SIGNAL_ONLY)
    if stop is None or stop.signal == "SIGINT":
        return
    handles_sigint = any("SIGINT" in handler.signals for handler in program.handlers)
    if program.handlers and not handles_sigint:
        return
    serves = "SIGINT" in program.reactions and program.reactions["SIGINT"].as_pid_1 not in (
        Verdict.IGNORED,
        Verdict.CUT,
    )
    changes = edits.handle_sigterm(program) if stop.signal == "SIGTERM" and serves else None
    applicability = Applicability.SAFE if program.language == "node" else Applicability.UNSAFE
    yield Finding(
        f"{stop.why}: {stop.seen}",
        at=stop.reaction.span or program.span,
        notes=stop.notes,
        fix=Fix("Handle SIGTERM too", changes, applicability) if changes else None,
        severity=None if program.launches else Severity.INFO,
    )
